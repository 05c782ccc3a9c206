#!/usr/bin/env bash
# Compares verify-signatures with what people use today, on a mirror that it makes, side by side in one run.
#
#   benches/compare.sh [hot|cold|device|alone|small|many|sums|fips]...      all of them but fips where none is named
#
#   hot     four large artifacts that are in the page cache
#   cold    the same, from the disk, beside what only reads them: fio, dd iflag=direct, cat
#   device  cold as well, from a device as fast as memory: ext4 on a loop device, over an image in tmpfs; and hot there
#   alone   one file of 4 GiB, hot, and cold from that device
#   small   10 000 artifacts of 4 KiB, hot
#   many    200 000 of them, cold, beside cat
#   sums    hot, beside what only hashes: sha256sum, b3sum, hashdeep, rhash
#   fips    hot, one file of 4 GiB, and small: beside verify-signatures-fips, which it builds (needs cmake, Go, Perl and a C compiler)
#
# RUNS=5 pairs of each; SIZE=2G for each of the four artifacts of hot, cold and sums, DEVICE=1G for those of device; SMALL=10000 and
# MANY=200000 artifacts of 4 KiB; DIR= where the mirrors are made (a temporary folder, removed at the end). Needs hyperfine and
# openssl; what is cold needs root, to drop the page cache, and device needs it to mount. Tools that are not installed, and those that
# fail here, are left out. Hot means that every file, openssl and our command are read once before each run. All parts together need 13 GB of
# disk, and memory for 8.5 GB in tmpfs. sha256sum and rhash use one core; hashdeep, b3sum and xargs all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-5} size=${SIZE:-2G} device=${DEVICE:-1G} small=${SMALL:-10000} many=${MANY:-200000}
for needed in hyperfine openssl; do
  command -v "$needed" >/dev/null || { echo "compare.sh needs $needed" >&2; exit 2; }
done
work=$(mktemp -d "${DIR:-${TMPDIR:-/tmp}}/compare.XXXXXX")
clean() {
  if mountpoint -q "$work/mount"; then umount "$work/mount"; fi
  if mountpoint -q "$work/memory"; then umount "$work/memory"; fi
  rm -rf "$work"
}
trap clean EXIT

cargo build --release --quiet --bins --examples
bin=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release

mirror() { [ -e "$work/$1/pairs" ] || "$bin/examples/make_mirror" --artifacts "$2" --size "$3" "$work/$1"; }

# A file system on a loop device that reads its image, in memory, directly: as fast as memory, and with a page cache like any other.
# Each step by itself, since `set -e` does not hold in a function that is asked whether it succeeded.
mount_device() {
  mountpoint -q "$work/mount" && return
  mkdir -p "$work/memory" "$work/mount" || return
  mount -t tmpfs -o size=80% tmpfs "$work/memory" || return
  truncate -s "$(($(numfmt --from=iec "$device") * 9 / 2 + $(numfmt --from=iec 4G)))" "$work/memory/image" || return
  mkfs.ext4 -q -m 0 "$work/memory/image" || return
  local loop mounted=0
  loop=$(losetup --find --show --direct-io=on "$work/memory/image") || return
  mount "$loop" "$work/mount" || mounted=$?
  # Detached for good once nothing is mounted.
  losetup --detach "$loop"
  return "$mounted"
}

# The data file of each signature, as the sample script would have to find it.
pairs() {
  find . -name '*.sig.bin' | sort | while read -r signature; do
    stem=${signature%.sig.bin}
    for data in "$stem.zst" "$stem.iso" "$stem"; do
      if [ -f "$data" ]; then echo "$signature $data"; break; fi
    done
  done
}

# shellcheck disable=SC2016 # the words are those of another shell
verify_one='openssl dgst -sha256 -verify spectro_public_key.pem -signature "$0" "$1" >/dev/null'
cat >"$work/loop" <<'END'
while read -r signature data; do
  openssl dgst -sha256 -verify spectro_public_key.pem -signature "$signature" "$data" >/dev/null </dev/null || exit 1
done <pairs
END
echo "xargs -P$(nproc) -n2 sh -c '$verify_one' <pairs" >"$work/xargs"
echo 'cut -d" " -f2 pairs | xargs sha256sum >/dev/null' >"$work/sha256sum"
echo 'cut -d" " -f2 pairs | xargs b3sum >/dev/null' >"$work/b3sum"
echo 'cut -d" " -f2 pairs | xargs hashdeep -c sha256 >/dev/null' >"$work/hashdeep"
echo 'cut -d" " -f2 pairs | xargs rhash --sha256 >/dev/null' >"$work/rhash"
echo 'cut -d" " -f2 pairs | xargs cat >/dev/null' >"$work/cat"
echo 'cut -d" " -f2 pairs | xargs -P4 -I{} dd if={} of=/dev/null bs=1M iflag=direct status=none' >"$work/dd"
cat >"$work/fio" <<'END'
fio --name=read --readonly --rw=read --direct=1 --bs=1M --ioengine=io_uring --iodepth=8 \
  --filename="$(cut -d' ' -f2 pairs | paste -sd:)" >/dev/null
END
echo "$bin/verify-signatures --status ." >"$work/ours"
echo "$bin/verify-signatures --io mmap --status ." >"$work/mapped"
echo "$bin/verify-signatures-fips --fips --status ." >"$work/fips"

# These are programs; the others are scripts of ours.
installed() { case $1 in *sum | hashdeep | rhash | fio) command -v "$1" >/dev/null ;; esac; }

# One run of each after the other, again and again, so that a machine that changes its speed changes all of them.
compare() { # name, mirror, prepare command, tools…
  local name=$1 where=$work/$2 prepare=$3 times=$work/times
  shift 3
  # shellcheck disable=SC2094 # a file named "pairs" is no signature
  (cd "$where" && pairs >pairs)
  : >"$times"
  for _ in $(seq "$runs"); do
    for tool in "$@"; do
      if installed "$tool"; then
        if (cd "$where" && hyperfine --runs 1 --style none --shell none --prepare "$prepare" \
          --export-csv "$work/csv" "sh $work/$tool" >/dev/null 2>&1); then
          awk -F, -v tool="$tool" 'NR == 2 { print tool, $2 }' "$work/csv" >>"$times"
        else
          echo "FAILED: $tool, in $name" >&2
        fi
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

four() { mirror four 4 "$size"; }

# The device under a directory, as a heading.
device_of() { findmnt --noheadings --output SOURCE,FSTYPE --target "$work/$1" | tr -s ' '; }

can_drop() {
  [ -w /proc/sys/vm/drop_caches ] || { printf '\nSKIPPED: %s, which needs root to drop the page cache\n' "$1"; return 1; }
}

can_be_cold() {
  can_drop "$1" || return 1
  [ "$(findmnt --noheadings --output FSTYPE --target "$work")" != tmpfs ] || { printf '\nSKIPPED: %s, whose files are in memory: give another DIR\n' "$1"; return 1; }
}

can_mount() {
  can_drop "$1" || return 1
  mount_device || { printf '\nSKIPPED: %s, which needs a loop device, a tmpfs and mkfs.ext4\n' "$1"; return 1; }
}

processor() {
  awk -F': ' '/^model name/ { name = $2 } /^cpu family/ { family = $2 } /^model\t/ { model = $2 }
    END { print name " (family " family ", model " model ")" }' /proc/cpuinfo
}
echo "$(processor), $(nproc) cores"
for part in "$@"; do
  case $part in
    hot | cold | device | alone | small | many | sums | fips) ;;
    *) echo "no such part: $part" >&2; exit 2 ;;
  esac
done
echo "medians of $runs; the last column is how many times as long as verify-signatures, pair by pair"
for part in "${@:-hot cold device alone small many sums}"; do
  for case in $part; do
    case $case in
      hot)
        four
        compare "hot, 4 x $size on $(device_of four)" four "$warm" ours loop xargs ;;
      sums)
        four
        compare "hot, 4 x $size, against hashing alone" four "$warm" ours sha256sum b3sum hashdeep rhash ;;
      cold)
        can_be_cold cold || continue
        four
        compare "cold, 4 x $size on $(device_of four)" four "$drop" ours mapped loop xargs fio dd cat ;;
      device)
        can_mount device || continue
        mirror mount/four 4 "$device"
        compare "hot, 4 x $device on $(device_of mount)" mount/four "$warm" ours xargs
        compare "cold, 4 x $device on $(device_of mount)" mount/four "$drop" ours mapped loop xargs fio dd cat
        rm -r "$work/mount/four" ;;
      alone)
        mirror one 1 4G
        compare "one file of 4 GiB, hot on $(device_of one)" one "$warm" ours loop
        can_mount "alone, cold" || continue
        mirror mount/one 1 4G
        compare "one file of 4 GiB, cold on $(device_of mount)" mount/one "$drop" ours mapped loop fio dd cat
        rm -r "$work/mount/one" ;;
      small)
        mirror small "$small" 4K
        compare "$small x 4 KiB, hot on $(device_of small)" small "$warm" ours loop ;;
      fips)
        # `ours` stays the build without the module.
        cp "$bin/verify-signatures" "$work/without"
        cargo build --release --quiet --features fips --bin verify-signatures-fips
        echo "$work/without --status ." >"$work/ours"
        four
        compare "hot, 4 x $size" four "$warm" ours fips
        mirror one 1 4G
        compare "one file of 4 GiB, hot" one "$warm" ours fips
        mirror small "$small" 4K
        compare "$small x 4 KiB, hot" small "$warm" ours fips ;;
      many)
        can_be_cold many || continue
        mirror many "$many" 4K
        compare "$many x 4 KiB, cold on $(device_of many)" many "$drop" ours cat ;;
    esac
  done
done
