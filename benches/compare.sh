#!/usr/bin/env bash
# Compares verify-signatures with what people use today, on a mirror that it makes, side by side in one run.
#
#   benches/compare.sh [hot|cold|alone|small|sums]...      all five where none is named
#
# RUNS=5 pairs of each; SIZE=2G for each of the four artifacts of hot, cold and sums; SMALL=10000 artifacts of 4 KiB; DIR= where the
# mirrors are made (a temporary folder, removed at the end). Needs hyperfine and openssl; cold needs root, to drop the page cache;
# sums compares with sha256sum and b3sum where they are installed, as what hashing alone costs. Hot means that every file, and
# every program, is read once before each run.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-5} size=${SIZE:-2G} small=${SMALL:-10000}
for needed in hyperfine openssl; do
  command -v "$needed" >/dev/null || { echo "compare.sh needs $needed" >&2; exit 2; }
done
work=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/compare.XXXXXX")
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet --bins --examples
bin=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release

mirror() { "$bin/examples/make_mirror" --artifacts "$2" --size "$3" "$work/$1"; }

# The data file of each signature, as the sample script would have to find it.
pairs() {
  find . -name '*.sig.bin' | sort | while read -r signature; do
    stem=${signature%.sig.bin}
    for data in "$stem.zst" "$stem.iso" "$stem"; do
      if [ -f "$data" ]; then echo "$signature $data"; break; fi
    done
  done
}

verify_one='openssl dgst -sha256 -verify spectro_public_key.pem -signature "$0" "$1" >/dev/null'
cat >"$work/loop" <<'END'
while read -r signature data; do
  openssl dgst -sha256 -verify spectro_public_key.pem -signature "$signature" "$data" >/dev/null </dev/null || exit 1
done <pairs
END
echo "xargs -P$(nproc) -n2 sh -c '$verify_one' <pairs" >"$work/xargs"
echo 'cut -d" " -f2 pairs | xargs sha256sum >/dev/null' >"$work/sha256sum"
echo 'cut -d" " -f2 pairs | xargs b3sum >/dev/null' >"$work/b3sum"
echo "$bin/verify-signatures --status ." >"$work/ours"

# sha256sum and b3sum are programs, the others are scripts of ours.
installed() { case $1 in *sum) command -v "$1" >/dev/null ;; esac; }

# One run of each after the other, again and again, so that a machine that changes its speed changes all of them.
compare() { # name, mirror, prepare command, tools…
  local name=$1 where=$work/$2 prepare=$3 times=$work/times
  shift 3
  (cd "$where" && pairs >pairs)
  : >"$times"
  for _ in $(seq "$runs"); do
    for tool in "$@"; do
      if installed "$tool"; then
        (cd "$where" && hyperfine --runs 1 --style none --shell none --prepare "$prepare" \
          --export-csv "$work/csv" "sh $work/$tool" >/dev/null 2>&1)
        awk -F, -v tool="$tool" 'NR == 2 { print tool, $2 }' "$work/csv" >>"$times"
      fi
    done
  done
  printf '\n%s\n' "$name"
  for tool in "$@"; do
    awk -v tool="$tool" '$1 == "ours" { ours[++n] = $2 } $1 == tool { time[++m] = $2 }
      function median(list, count,   i, j, t) {
        for (i = 2; i <= count; i++) for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
        return list[int((count + 1) / 2)]
      }
      END {
        if (!m) exit
        for (i = 1; i <= m; i++) ratio[i] = time[i] / ours[i]
        printf "| %-12s | %8.3f s | %6.2f |\n", tool, median(time, m), median(ratio, m) }' "$times"
  done
}

cat >"$work/warm" <<END
cat ./*/*/* >/dev/null
openssl version >/dev/null
$bin/verify-signatures --version >/dev/null
END
warm="sh $work/warm"
drop='sh -c "sync; echo 3 >/proc/sys/vm/drop_caches"'

four() { [ -d "$work/four" ] || mirror four 4 "$size"; }

echo "medians of $runs; the last column is how many times as long as verify-signatures, pair by pair"
for part in "${@:-hot cold alone small sums}"; do
  for case in $part; do
    case $case in
      hot)
        four
        compare "hot, 4 x $size" four "$warm" ours loop xargs ;;
      sums)
        four
        compare "hot, 4 x $size, against hashing alone" four "$warm" ours sha256sum b3sum ;;
      cold)
        four
        if [ -w /proc/sys/vm/drop_caches ]; then
          compare "cold, 4 x $size" four "$drop" ours loop xargs
        else
          echo "SKIPPED: cold, which needs root to drop the page cache"
        fi ;;
      alone)
        mirror one 1 4G
        compare "one file of 4 GiB, hot" one "$warm" ours loop ;;
      small)
        mirror small "$small" 4K
        compare "$small x 4 KiB, hot" small "$warm" ours loop ;;
      *) echo "no such part: $case" >&2; exit 2 ;;
    esac
  done
done
