#!/usr/bin/env node
// Copies the worker's files and the bundled model into a folder, for apps whose bundler leaves them out (esbuild, Rollup):
//   npx huggingtweets-web FOLDER
// FOLDER is that of the bundle, or another one, whose address the option `assets` of `pipeline` then names.

import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder, ...rest] = process.argv.slice(2);
if (!folder || folder.startsWith('-') || rest.length > 0) {
  console.error('usage: npx huggingtweets-web FOLDER');
  process.exit(2);
}
const here = fileURLToPath(new URL('.', import.meta.url));
const names = (await readdir(here)).filter((name) => /^worker.*\.(js|wasm)$/.test(name) || name === 'model');
await mkdir(folder, { recursive: true });
for (const name of names) await cp(join(here, name), join(folder, name), { recursive: true });
console.log(`copied to ${folder}: ${names.join(', ')}`);
