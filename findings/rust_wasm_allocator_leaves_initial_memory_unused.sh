#!/usr/bin/env bash
# rustc 1.95.0, wasm32-unknown-unknown: the allocator never uses what the linker's `--initial-memory` adds.
#
# The first allocation of a program with 16 MiB of initial memory lies behind these 16 MiB, so 15 MiB stay empty. A program
# with shared memory needs `--initial-memory`, because the page that creates the memory has to know its size, and a round
# figure there is memory lost.
#
# Seen on 2026-11-30 with rustc 1.95.0 in Node 20.20: an allocation of 1 MiB lies at 16 MiB, and the memory has 17.06 MiB then.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > program.rs <<'RUST'
#[unsafe(no_mangle)]
pub extern "C" fn place_of(n: usize) -> usize {
    vec![1_u8; n].leak().as_ptr() as usize
}
fn main() {}
RUST
rustc --edition 2024 --target wasm32-unknown-unknown -O -C link-arg=--initial-memory=16777216 -C link-arg=--export=place_of \
  program.rs -o program.wasm
cat > look.mjs <<'JS'
import { readFileSync } from 'node:fs';
const { instance: { exports } } = await WebAssembly.instantiate(readFileSync('program.wasm'), {});
const mib = (bytes) => Math.floor(bytes / 2 ** 20);
const before = mib(exports.memory.buffer.byteLength);
console.log(before, mib(exports.place_of(2 ** 20)), mib(exports.memory.buffer.byteLength));
JS
seen=$(node look.mjs)
echo "MiB at first, place of an allocation of 1 MiB, MiB after it: $seen"
[ "$seen" = "16 16 17" ] || { echo "changed; expected 16 16 17" >&2; exit 1; }
