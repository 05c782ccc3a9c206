#!/bin/sh
# Verifies a mirror by GNU parallel: N shards, here or on other machines by ssh, then one merge,
# whose exit status it has.
#
#   verify.sh [--again] N KEY MIRROR REPORTS [OPTION OF PARALLEL...]
#
# REPORTS is a directory on storage that all machines share, outside the mirror; where the machines
# are, parallel is told by --sshloginfile FILE. --again runs what failed or never ran.
set -eu
usage() {
  sed -n '5,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
again=
if [ "${1-}" = --again ]; then
  again=$1
  shift
fi
[ $# -ge 4 ] || usage
shards=$1 key=$2 mirror=$3 reports=$4
shift 4

if [ -n "$again" ]; then
  [ -e "$reports/joblog" ] || usage
else
  # Fail closed: in the directory of an earlier run everything is done already.
  mkdir "$reports" || exit 2
  mkdir "$reports/shards" || exit 2
fi

# One shard a machine at a time, since a shard uses all its cores. On the first ^C each writes an
# incomplete report.
failed=0
parallel --quote --joblog "$reports/joblog" --resume-failed --jobs 1 \
  --termseq TERM,60000,KILL,25 "$@" \
  verify-signatures --key "$key" --shard "{}/$shards" --quiet \
  --report "$reports/shards/{}.json" "$mirror" ::: $(seq "$shards") || failed=$?
# The number of jobs that failed is no verdict: 2 would be two bad shards, 101 more than a hundred.
[ "$failed" -eq 0 ] || echo "note: parallel ended with $failed; see $reports/joblog" >&2

exec verify-signatures --merge "$reports"/shards/*.json \
  --report "$reports/whole.json" --report "$reports/evidence.html"
