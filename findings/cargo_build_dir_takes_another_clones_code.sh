#!/usr/bin/env bash
# cargo 1.95.0: with one `build.build-dir` for two clones of a package, `cargo run` in the second runs the first's code.
#
# Cargo names the results of a workspace member by its path relative to the workspace, which is the same in every clone,
# and takes them for fresh while no source file is newer than the last build, whichever clone that build was of.
# Dependencies from a registry are the same in all clones, so sharing the folder looks safe until two clones differ.
#
# Seen on 2026-11-29 with cargo 1.95.0: the clone `second` prints `first`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset CARGO_TARGET_DIR RUSTC_WORKSPACE_WRAPPER
for clone in first second; do
  mkdir -p "$folder/$clone/src"
  printf '[package]\nname = "twin"\nversion = "0.1.0"\nedition = "2024"\n' > "$folder/$clone/Cargo.toml"
  printf 'fn main() { println!("%s"); }\n' "$clone" > "$folder/$clone/src/main.rs"
done

export CARGO_BUILD_BUILD_DIR="$folder/shared"
seen=$(for clone in first second; do (cd "$folder/$clone" && cargo run --quiet); done | paste -sd ' ')
expected="first first"
echo "the clones print: $seen"
[ "$seen" = "$expected" ] || { echo "changed; expected $expected" >&2; exit 1; }
