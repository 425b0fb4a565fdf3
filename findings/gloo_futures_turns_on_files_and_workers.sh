#!/usr/bin/env bash
# gloo 0.12.0: the feature `futures`, which makes the timers awaitable, turns on `file` and `worker` too, and by them `events`.
#
# A program that asks for `timers` and `futures` compiles gloo-worker with bincode, serde and the channels of futures, none
# of which it uses. `gloo-timers` with its own feature `futures`, beside `gloo` with `timers`, makes the same timers
# awaitable alone: cargo unites the features of one package.
#
# Seen on 2026-12-01 with cargo 1.95.0:
#   gloo with timers, futures                   gloo-events gloo-file gloo-timers gloo-utils gloo-worker
#   gloo with timers, gloo-timers with futures  gloo-timers
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
unset CARGO_TARGET_DIR CARGO_BUILD_BUILD_DIR
mkdir "$folder/src"; touch "$folder/src/lib.rs"; cd "$folder"

# The parts of gloo that cargo compiles with these dependencies.
parts() {
  printf '[package]\nname = "page"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n%s\n' "$1" > Cargo.toml
  rm -f Cargo.lock
  cargo tree --quiet --target wasm32-unknown-unknown --prefix none --edges normal |
    sed -n 's/^\(gloo-[a-z]*\) .*/\1/p' | grep -v macros | sort -u | tr '\n' ' '
}
seen="$(parts 'gloo = { version = "=0.12.0", default-features = false, features = ["timers", "futures"] }')
$(parts 'gloo = { version = "=0.12.0", default-features = false, features = ["timers"] }
gloo-timers = { version = "=0.4.0", features = ["futures"] }')"
expected="gloo-events gloo-file gloo-timers gloo-utils gloo-worker 
gloo-timers "
echo "$seen"
[ "$seen" = "$expected" ] || { echo "changed; expected:"; echo "$expected"; exit 1; } >&2
