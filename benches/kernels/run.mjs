// Runs the wasm kernels: `node run.mjs [wasm file] [rounds] [filter]`.
// Prints whether the checksums agree and, per weight type, what a step's products take.
import { readFile } from 'node:fs/promises';
import { measure } from './measure.mjs';

const file = process.argv[2] ?? 'target/wasm32-unknown-unknown/release/kernel_bench.wasm';
const { instance } = await WebAssembly.instantiate(await readFile(file));
measure(instance.exports, console.log, Number(process.argv[3] ?? 1), process.argv[4]);
