#!/usr/bin/env bash
# V8 14.6 (Node 26.10.0), x86-64: `v128.load32_splat` with a constant offset costs an instruction more than `v128.load` with it.
#
# The optimising compiler folds the offset of `v128.load` into the load's address. For `v128.load32_splat` it first computes
# the address with a `leaq` of its own, so that a kernel that broadcasts neighbouring numbers spends an instruction per number
# on addresses.
#
# Seen on 2026-12-01 on x86-64: in the loop of `load` no `lea`, in that of `splat` one for each of four loads.
set -euo pipefail
[ "$(uname -m)" = x86_64 ] || { echo "this finding is about x86-64" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent node@26.10.0 wabt@1.0.39 > /dev/null
cat > look.mjs <<'JS'
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
const wabt = await createRequire(import.meta.url)('wabt')();
const sum = (name, load) => `
  (func (export "${name}") (param $at i32) (param $n i32) (result v128) (local $sum v128)
    (loop $again
      ${[16, 32, 48, 64].map((offset) => `(local.set $sum (f32x4.add (local.get $sum) (${load} offset=${offset} (local.get $at))))`).join('\n      ')}
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))`;
const module = (name, load) => `(module (memory (export "memory") 1) ${sum(name, load)}
  (func (export "run") (param $n i32) (result f32) (f32x4.extract_lane 0 (call 0 (i32.const 0) (local.get $n)))))`;
for (const [name, load] of [['load', 'v128.load'], ['splat', 'v128.load32_splat']]) {
  writeFileSync(`${name}.wasm`, wabt.parseWat(`${name}.wat`, module(name, load), { simd: true }).toBinary({}).buffer);
}
JS
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2])));
exports.run(100);
JS
node look.mjs
leas() {
  # The code of the first function alone, from its first line to the next function's.
  node_modules/.bin/node --no-liftoff --no-wasm-lazy-compilation --print-wasm-code-function-index=0 run.mjs "$1.wasm" |
    awk '/^index: 0/ { is_first = 1 } /^index: 1/ { is_first = 0 } is_first && /lea[lq] / { n++ } END { print n + 0 }'
}
seen="$(leas load) $(leas splat)"
echo "lea instructions with four loads, with four splat loads: $seen"
[ "$seen" = "0 4" ] || { echo "changed; expected 0 4" >&2; exit 1; }
