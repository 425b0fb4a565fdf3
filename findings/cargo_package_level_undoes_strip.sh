#!/usr/bin/env bash
# cargo 1.95.0: a profile's `strip = true` has no effect on a package that has an entry of its own in the profile.
#
# With `[profile.release.package] twin.opt-level = 3` cargo calls rustc with `-C strip=debuginfo` instead of
# `-C strip=symbols`, without a warning, although the entry says nothing about `strip`.
# A program for WebAssembly keeps the names of all its functions, which can be a tenth of its size.
#
# Seen on 2026-11-29 with cargo 1.95.0: `strip=symbols` without the entry, `strip=debuginfo` with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset CARGO_TARGET_DIR CARGO_BUILD_BUILD_DIR
mkdir "$folder/src"
cd "$folder"
echo 'fn main() {}' > src/main.rs
build() {
  printf '[package]\nname = "twin"\nversion = "0.1.0"\nedition = "2024"\n[profile.release]\nstrip = true\n%s' "$1" > Cargo.toml
  rm -rf target
  cargo build --release --verbose 2>&1 | grep -o 'strip=[a-z]*'
}
seen="$(build '') $(build $'[profile.release.package]\ntwin.opt-level = 3\n')"
expected="strip=symbols strip=debuginfo"
echo "without and with an entry: $seen"
[ "$seen" = "$expected" ] || { echo "changed; expected $expected" >&2; exit 1; }
