#!/usr/bin/env bash
# Measures the peak resident memory of runs over many names, and when they are planned: pairs of empty files, whose signatures are
# invalid. What is measured is the names, from the walk to the last line.
#
#   benches/memory.sh [million|deep|own|long]...      all four where none is named
#
#   million  500 000 pairs in 500 directories
#   deep     the same at depth 15, under paths of about 200 bytes
#   own      100 000 pairs at depth 15, each in a directory of its own
#   long     60 000 pairs under a path of 3.8 KB, once more under a limit of 1 GB (ulimit -v)
#
# DIR= where the files are made (a temporary folder, removed at the end; two million inodes). Needs GNU time and openssl.
set -euo pipefail
cd "$(dirname "$0")/.."

for needed in /usr/bin/time openssl; do
  command -v "$needed" >/dev/null || { echo "memory.sh needs $needed" >&2; exit 2; }
done
work=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/memory.XXXXXX")
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet --bins
bin=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release
openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout -out "$work/key.pem" 2>/dev/null

# Makes so many pairs in this directory, by names that are not as long as a command line.
pairs() { # directory, pairs
  mkdir -p "$1"
  (cd "$1" && seq -f 'a%06.0f' "$2" | awk '{ print $0 ".zst"; print $0 ".sig.bin" }' | xargs touch)
}

deep=$(seq -s / -f 'directory-%02.0f' 13)
make_million() { for n in $(seq 500); do pairs "million/$n" 1000; done; }
make_deep() { for n in $(seq 500); do pairs "deep/$deep/release-$n" 1000; done; }
make_own() {
  mkdir -p "own/${deep%/*}"
  (
    cd "own/${deep%/*}"
    seq 100000 | awk '{ print "group-" int($0 / 1000) "/release-" $0 }' | xargs mkdir -p
    seq 100000 | awk '{ d = "group-" int($0 / 1000) "/release-" $0; print d "/a.zst"; print d "/a.sig.bin" }' | xargs touch
  )
}
make_long() {
  local name
  name=$(printf 'n%.0s' $(seq 250))
  mkdir long
  (
    cd long
    for _ in $(seq 15); do mkdir "$name"; cd "$name"; done
    pairs . 60000
  )
}

# Prints after how many seconds a process has workers: everything is walked, paired and planned then.
planned() { # process
  local began=$EPOCHREALTIME
  until grep -qx verify "/proc/$1"/task/*/comm 2>/dev/null; do
    if ! kill -0 "$1" 2>/dev/null; then echo never; return; fi
    sleep 0.01
  done
  awk -v began="$began" -v now="$EPOCHREALTIME" 'BEGIN { printf "%.2f s\n", now - began }'
}

# Runs the command, and prints what it took. That the signatures are invalid is status 1.
measure() { # name, mirror, limit in KiB
  local status=0 after
  (
    ulimit -v "$3"
    cd "$work/$2"
    exec "$bin/verify-signatures" -k "$work/key.pem" . >/dev/null 2>&1
  ) &
  after=$(planned $!)
  wait $! || true
  (
    ulimit -v "$3"
    cd "$work/$2"
    /usr/bin/time -o "$work/took" -f '%M KiB, %e s' "$bin/verify-signatures" -k "$work/key.pem" . >"$work/out" 2>"$work/said"
  ) || status=$?
  echo "$1: $(tail -n 1 "$work/took"), planned after $after, $(wc -l <"$work/out") lines, status $status"
}

for what in "${@:-million deep own long}"; do
  for tree in $what; do
    (cd "$work" && "make_$tree")
    measure "$tree" "$tree" unlimited
    if [ "$tree" = long ]; then measure 'long, ulimit -v 1 GB' long 1000000; fi
    rm -rf "${work:?}/$tree"
  done
done
