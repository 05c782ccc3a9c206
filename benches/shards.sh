#!/usr/bin/env bash
# What it costs to divide a mirror among machines, and to merge their reports.
#
#   benches/shards.sh [cost|walk|merge]...      all three where none is named
#
# cost   the processor time of all shards together against that of one run over the whole mirror, the two taking turns
# walk   the calls by which a shard asks the file system about names, which every shard repeats
# merge  the time and the memory of a merge of as many reports of as many artifacts as are asked for
#
# SHARDS=16 shards; RUNS=5 pairs; SIZE=8M for each of ARTIFACTS=500; MERGED=1000000 artifacts in REPORTS=64 reports; DIR= where the mirrors
# are made (a temporary folder, removed at the end). Needs GNU time; walk needs strace, merge needs jq.
set -euo pipefail
cd "$(dirname "$0")/.."

shards=${SHARDS:-16} runs=${RUNS:-5} size=${SIZE:-8M} artifacts=${ARTIFACTS:-500} merged=${MERGED:-1000000} reports=${REPORTS:-64}
work=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/shards.XXXXXX")
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet --bins --examples
bin=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release
ours=$bin/verify-signatures
needs() { command -v "$1" >/dev/null || { echo "shards.sh needs $1" >&2; exit 2; }; }

# Adds the processor time of a command, in seconds, to a file.
timed() { local file=$1; shift; /usr/bin/time -a -o "$file" -f '%U %S' "$@" >/dev/null 2>&1; }
total() { awk '{ sum += $1 + $2 } END { printf "%.2f", sum }' "$1"; }
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

cost() {
  needs /usr/bin/time
  "$bin/examples/make_mirror" --artifacts "$artifacts" --size "$size" "$work/m"
  local key=$work/m/spectro_public_key.pem
  "$ours" --key "$key" --status "$work/m"
  for _ in $(seq "$runs"); do
    rm -f "$work/whole" "$work/all"
    timed "$work/whole" "$ours" --key "$key" --status --report "$work/whole.json" "$work/m"
    for k in $(seq "$shards"); do
      timed "$work/all" "$ours" --key "$key" --status --shard "$k/$shards" --report "$work/$k.json" "$work/m"
    done
    timed "$work/all" "$ours" --merge "$work"/[0-9]*.json --status --report "$work/merged.json"
    echo "$(total "$work/all") $(total "$work/whole")"
  done >"$work/pairs"
  awk '{ print $1 / $2 }' "$work/pairs" | median >"$work/ratio"
  echo "cost: $artifacts artifacts of $size: one run $(awk '{ print $2 }' "$work/pairs" | median) s of processor time, $shards shards and" \
    "the merge $(awk '{ print $1 }' "$work/pairs" | median) s: $(cat "$work/ratio") times as much"
  rm -rf "$work/m"
}

walk() {
  needs strace
  "$bin/examples/make_mirror" --artifacts 10000 --size 1K "$work/w"
  # One shard of very many: it surveys everything, and hashes next to nothing.
  strace -f -c -e trace=%file,getdents64 -o "$work/calls" \
    "$ours" --key "$work/w/spectro_public_key.pem" --status --shard 1/100000 --report "$work/w.json" "$work/w"
  echo "walk: calls of one shard for 10000 artifacts and their signatures:"
  awk '$NF ~ /statx|newfstatat|getdents64|openat|readlink/ { print "  " $NF, $4 }' "$work/calls"
  rm -rf "$work/w"
}

# Reports as shards of a mirror of this size would leave them: the artifacts of one real report under as many names as are needed.
merge() {
  needs jq
  needs /usr/bin/time
  "$bin/examples/make_mirror" --artifacts 2000 --size 1K "$work/s"
  mkdir "$work/r"
  local copies=$((merged / 2000))
  for copy in $(seq "$copies"); do ln -s "$work/s" "$work/copy-$copy"; done
  find "$work" -maxdepth 1 -name 'copy-*' | sort >"$work/paths"
  for k in $(seq "$reports"); do
    xargs "$ours" --key "$work/s/spectro_public_key.pem" --status --shard "$k/$reports" --report "$work/r/$k.json" <"$work/paths" &
    [ $((k % $(nproc))) -ne 0 ] || wait
  done
  wait
  /usr/bin/time -f '%e s, %U s user, %S s system, %M KB' "$ours" --merge "$work"/r/*.json --status --report "$work/whole.json"
}

echo "processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), family $(sed -n 's/^cpu family[^:]*: //p' /proc/cpuinfo | head -1), model $(sed -n 's/^model\t[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
[ $# -gt 0 ] || set -- cost walk merge
for part in "$@"; do "$part"; done
