#!/bin/sh
# rsyslog as a shipper: ship.sh sidecar, in a pod.
#
#   KAFKA       the broker
#   POD_NAME    who ships
#   LOG_FILE       the file to tail
#   WORK        folder for what must outlive a restart: imfile's offset, the queue, failed messages
#   TALLY_DIR   the node's folder of tallies
#
# rsyslog keeps no tally, so each start writes rsyslog's counters to a file of its own beside the tallies: POD_NAME.SECOND. The lab reads it.
set -eu
: "${KAFKA:?}" "${POD_NAME:?}" "${LOG_FILE:?}" "${WORK:?}"
mkdir -p "$WORK"
STATS="${TALLY_DIR:-/var/lib/cascade-lab/tally}/$POD_NAME.$(date +%s)"
: >"$STATS" # for all to read; rsyslog itself would make it its own user's alone
export STATS CONF="${CONF:-/etc/shipper}"
exec rsyslogd -n -i NONE -f "$CONF/$1.conf"
