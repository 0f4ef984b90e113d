#!/bin/sh
# Several Consul agents in one container: agents.sh CONSUL AGENT -FLAG... runs AGENTS of that command line, each with a name, a folder and
# ports of its own. Stands for as many pods: the pool sees one member each, and a host carries more of them.
#
# An agent that ends is followed by one of another name and another address, as a pod that was lost is followed by another pod; the lost
# one's name never comes back to life by itself. At the end of the container each agent is told to end, and says farewell if it has the time.
#
# The first of them registers the pod's service, as ever; the others register one of their own that nobody asks for, so that the catalog has
# the writes of as many pods and the balancer has each pod once.
#
#   AGENTS     how many, at most 20
#   POD_NAME   agents are called POD_NAME-aSLOT-LIFE: slots from 1, lives from 0
#   PAUSE_S    seconds until the next life; chosen 1: a runtime at rest starts a container as fast
#   APART_S    seconds between the first lives of two slots; chosen 1.5: an agent takes some 0.4 s of CPU until it is a member, and a pool of 170
#              on 2 cores took in one after the other, but not ten at once
set -eu
: "${AGENTS:?}" "${POD_NAME:?}"
data=${DATA:-/consul/data}
trap 'trap "" TERM INT; kill -TERM 0; wait; exit 0' TERM INT

slot() {
  slot=$1 life=0 over=
  trap 'over=yes' TERM INT
  shift
  for word; do
    shift
    case $word in
    "-hcl=service "*) [ "$slot" -eq 1 ] || word='-hcl=service { name = "more" }' ;;
    esac
    set -- "$@" "$word"
  done
  while [ -z "$over" ]; do
    rm -rf "${data:?}/$slot"
    # A port per life, as a new pod has a new address: 10000-29999, below those that the kernel hands out.
    port=$((9000 + slot * 1000 + life % 1000))
    "$@" -node="$POD_NAME-a$slot-$life" -data-dir="$data/$slot" -serf-lan-port="$port" \
      -hcl="ports { dns = -1, http = $((8499 + slot)) }" || :
    life=$((life + 1))
    [ -n "$over" ] || sleep "${PAUSE_S:-1}" || :
  done
}

number=1
while [ "$number" -le "$AGENTS" ]; do
  slot "$number" "$@" &
  number=$((number + 1))
  sleep "${APART_S:-1.5}"
done
wait
