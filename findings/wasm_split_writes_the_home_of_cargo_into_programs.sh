#!/usr/bin/env bash
# wasm_split_helpers 0.2.3, wasm_split_macros 0.2.2 (leptos 0.8.23 depends on both): a program exports a name that is made of
# the path of cargo's home, so the same sources give other bytes on another machine.
#
# The name `_WASM_SPLIT_MARKER_…version` has 16 digits of a hash of `CARGO_MANIFEST_PATH`, which for a crate of a registry
# begins with the home folder of whoever builds. `--remap-path-prefix` does not change it. It is there in programs that
# split nothing, because leptos depends on the crate.
#
# Seen on 2026-12-01 with cargo and rustc 1.95.0: two homes of cargo, two names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset CARGO_TARGET_DIR CARGO_BUILD_BUILD_DIR
# The proxies of rustup would look for their toolchains in the other home of cargo.
PATH="$(dirname "$(rustup which rustc 2>/dev/null || command -v rustc)"):$PATH"
mkdir "$folder/src"
cd "$folder"
cat > Cargo.toml <<'TOML'
[package]
name = "twin"
version = "0.1.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[dependencies]
wasm_split_helpers = "=0.2.3"
wasm_split_macros = "=0.2.2"
TOML
echo 'use wasm_split_helpers as _;' > src/lib.rs
marker() {
  CARGO_HOME="$folder/$1" cargo fetch --quiet
  RUSTFLAGS="--remap-path-prefix=$folder/$1=cargo" CARGO_HOME="$folder/$1" CARGO_TARGET_DIR="$folder/target-$1" \
    cargo build --quiet --release --target wasm32-unknown-unknown
  grep -ao '_WASM_SPLIT_MARKER_[0-9a-f]*' "$folder/target-$1/wasm32-unknown-unknown/release/twin.wasm" | sort -u
}
first=$(marker one)
second=$(marker another)
echo "markers: $first $second"
[ -n "$first" ] && [ -n "$second" ] || { echo "changed; a program has no marker" >&2; exit 1; }
[ "$first" != "$second" ] || { echo "changed; both homes of cargo give one marker" >&2; exit 1; }
