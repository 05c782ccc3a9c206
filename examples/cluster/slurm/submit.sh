#!/bin/sh
# Verifies a mirror on a Slurm cluster: N shards as an array job, then one merge.
#
#   submit.sh [--wait] N KEY MIRROR REPORTS [TASKS]
#
# N is how many shards, REPORTS a directory on shared storage, outside the mirror, and TASKS which
# of the shards to run (again): 3,7 or 2-5. --wait stays until the merge has ended, and exits with
# its status.
set -eu
usage() {
  sed -n '4,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
wait=
if [ "${1-}" = --wait ]; then
  wait=--wait
  shift
fi
[ $# -eq 4 ] || [ $# -eq 5 ] || usage
shards=$1 key=$2 mirror=$3 reports=$4
here=$(dirname "$0")

if [ $# -eq 5 ]; then
  # Only what is run again: the other shards' reports must be there already.
  tasks=$5
  [ -d "$reports/shards" ] || usage
else
  tasks=1-$shards
  # Fail closed: reports of an earlier run would stand in for shards that never ran in this one.
  mkdir "$reports" || exit 2
  mkdir "$reports/shards" || exit 2
fi

array=$(sbatch --parsable --array="$tasks" --output="$reports/shard-%a.log" \
  "$here/verify.sbatch" "$shards" "$key" "$mirror" "$reports") || exit 2
echo "shards: job ${array%%;*}" >&2
# afterany, not afterok: the merge is to run, and to say so, if a shard failed.
status=0
sbatch $wait --dependency="afterany:${array%%;*}" --output="$reports/merge.log" \
  "$here/merge.sbatch" "$reports" || status=$?
# See merge.sbatch.
[ "$status" -ne 3 ] || status=2
exit "$status"
