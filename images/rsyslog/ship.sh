#!/bin/sh
# rsyslog as a shipper: `ship.sh sidecar` in a pod, `ship.sh collector` once on a node.
#
#   KAFKA       the broker
#   NODE_NAME   where it runs: each message says so, and a collector goes by this name
#   POD_NAME    by which a sidecar goes
#   LOG_FILE    the file to tail; a collector's is a pattern
#   WORK        folder for what must outlive a restart: imfile's offsets, the queue, failed messages
#   TALLY_DIR   the node's folder of tallies
#
# rsyslog keeps no tally, so each start writes rsyslog's counters to a file of its own beside the tallies: NAME.SECOND. The lab reads it.
set -eu
: "${KAFKA:?}" "${NODE_NAME:?}" "${LOG_FILE:?}" "${WORK:?}"
case $1 in
sidecar) name=${POD_NAME:?} ;;
collector) name=$NODE_NAME ;;
esac
mkdir -p "$WORK"
STATS="${TALLY_DIR:-/var/lib/cascade-lab/tally}/$name.$(date +%s)"
: >"$STATS" # for all to read; rsyslog itself would make it its own user's alone
export STATS CONF="${CONF:-/etc/shipper}"
exec rsyslogd -n -i NONE -f "$CONF/$1.conf"
