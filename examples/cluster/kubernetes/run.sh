#!/bin/sh
# Verifies a mirror on a Kubernetes cluster: all shards, then the merge, whose exit status it has.
#
#   run.sh RUN [INDEX]
#
# RUN names the run, its Jobs and its reports: a date, say. A name is used once. With INDEX only
# this shard of that run is run, again, and then the merge.
set -eu
usage() {
  sed -n '4,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
run=${1-} index=${2-}
[ $# -eq 1 ] || [ $# -eq 2 ] || usage
case $run in '' | *[!a-z0-9-]*) usage ;; esac
case $index in *[!0-9]*) usage ;; esac
jobs=$run${index:+-again-$index}
here=$(dirname "$0")

kubernetes() { kubectl --namespace verify-signatures "$@"; }

# The manifest of this run's Job.
manifest() {
  sed -e "s/2026-11-25/$run/g" -e "s/^  name: $1-$run\$/  name: $1-$jobs/" "$here/$1.yaml" |
    if [ -z "$index" ]; then
      cat
    else
      # One completion, whose index is not its shard's.
      sed -e 's/^  completions: .*/  completions: 1/' -e 's/^  parallelism: .*/  parallelism: 1/' \
        -e "s/\$(JOB_COMPLETION_INDEX)/$index/"
    fi
}

# Creates a Job. Fail closed: one that exists is not this run's, so no `apply`.
start() { manifest "$1" | kubernetes create -f -; }

# Waits for a Job to end. `kubectl wait` knows one condition, and a Job that ends has one of two.
wait_for() {
  while :; do
    conditions=$(kubernetes get job "$1-$jobs" \
      --output 'jsonpath={.status.conditions[?(@.status=="True")].type}') || return
    case " $conditions " in
    *" Complete "* | *" Failed "*) return ;;
    esac
    sleep 10
  done
}

start verify || exit 2
wait_for verify || exit 2
start merge || exit 2
wait_for merge || exit 2
kubernetes logs "job/merge-$jobs" || true
status=$(kubernetes get pods --selector "batch.kubernetes.io/job-name=merge-$jobs" \
  --sort-by .status.startTime \
  --output 'jsonpath={.items[-1:].status.containerStatuses[0].state.terminated.exitCode}') || exit 2
# Fail closed: a pod that is gone has left no status.
exit "${status:-2}"
