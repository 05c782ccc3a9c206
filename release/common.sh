# shellcheck shell=bash
# shellcheck disable=SC2154 # $usage is each script's own.
# What the scripts of this directory share. Sourced, never run.

# The platform that a release is for.
TRIPLE=x86_64-unknown-linux-gnu

# The directory that has the sources, however the script was called.
ROOT=$(cd -P -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)

program=$(basename -- "$0")

die() {
  printf '%s: error: %s\n' "$program" "$1" >&2
  [ $# -lt 2 ] || printf '%s: help: %s\n' "$program" "$2" >&2
  exit 1
}

[ -n "${HOME:-}" ] || die "no \$HOME, in which cargo and the tools are"

misuse() {
  printf '%s: error: %s\n%s\n' "$program" "$1" "$usage" >&2
  exit 2
}

step() { printf '\n=== %s\n' "$*"; }

# Where release/tools installs what cargo-deb and the others are: one directory for each set of versions.
tools_root() {
  local pinned
  pinned=$(sha256sum <"$ROOT/release/tools.txt")
  printf '%s/verify-signatures-release-tools/%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}" "${pinned:0:16}"
}

# NAME and VERSION of each tool, one a line.
pinned_tools() { sed -e '/^#/d' -e '/^$/d' "$ROOT/release/tools.txt"; }

package_version() { sed -n 's/^version = "\(.*\)"$/\1/p' "$1/Cargo.toml" | head -n 1; }

# Programs from Debian: each with the package that has it.
require_programs() {
  local needed lacking=()
  for needed; do
    command -v "${needed%%:*}" >/dev/null || lacking+=("$needed")
  done
  [ ${#lacking[@]} -eq 0 ] || die "not installed: ${lacking[*]%%:*}" "apt-get install ${lacking[*]##*:}"
}

# The toolchain that rustup chooses for the sources, in $sysroot; not that of the directory in which the script was called.
require_rust() {
  { command -v cargo && command -v rustc; } >/dev/null || die "not installed: cargo, rustc" "install Rust: https://rustup.rs"
  # Without a network, rustup cannot bring the toolchain that rust-toolchain.toml names.
  sysroot=$(cd -- "$ROOT" && rustc --print sysroot) || die "rustc does not run here" "set RUSTUP_TOOLCHAIN to one that \`rustup toolchain list\` shows"
  [ -d "$sysroot/lib/rustlib/$TRIPLE" ] || die "this Rust has no library for $TRIPLE" "rustup target add $TRIPLE"
}

# The tools of release/tools.txt, in exactly these versions: another one may write other bits.
require_tools() {
  local name version found
  PATH=$(tools_root)/bin:$PATH
  while read -r name version; do
    found=$(tool_version "$name")
    [ "$found" = "$version" ] ||
      die "$name $version is needed, and ${found:-none} is here" "release/tools, or: cargo install --locked $name --version =$version"
  done < <(pinned_tools)
}

# The version of a tool. cargo-auditable has no option for it, so there the list answers that `cargo install` keeps.
tool_version() {
  local path
  path=$(command -v "$1") || return 0
  case $1 in
    cargo-auditable) sed -n 's/^"\{0,1\}cargo-auditable \([0-9.]*\) .*/\1/p' "$(dirname -- "$path")/../.crates.toml" 2>/dev/null || true ;;
    cargo-cyclonedx) "$path" cyclonedx --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 || true ;;
    *) "$path" --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 || true ;;
  esac
}
