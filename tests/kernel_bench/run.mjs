// Runs the wasm kernels in node, or in Chromium: `node run.mjs [--chromium] [--rounds N] [--only REGEX] [--least] [wasm file …]`.
// Prints whether the checksums agree and, per weight type, what a step's products take. With several
// files each type is measured with one after the other, so that they meet the same machine.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure } from './measure.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { chromium: { type: 'boolean' }, rounds: { type: 'string', default: '1' }, only: { type: 'string', default: '_' }, least: { type: 'boolean' } },
});
const files = positionals.length ? positionals : ['target/wasm32-unknown-unknown/release/kernel_bench.wasm'];

async function inNode() {
  const builds = await Promise.all(
    files.map(async (file) => [file.split('/').pop(), (await WebAssembly.instantiate(await readFile(file))).instance.exports]),
  );
  await measure(builds, console.log, options);
}

const PAGE = `<!doctype html><script type="module">
import { measure } from '/measure.mjs';
const say = (line) => fetch('/say', { method: 'POST', body: line });
try {
  const files = ${JSON.stringify(files.map((file) => file.split('/').pop()))};
  const builds = await Promise.all(files.map(async (file, index) =>
    [file, (await WebAssembly.instantiate(await (await fetch('/wasm/' + index)).arrayBuffer())).instance.exports]));
  await say(navigator.userAgent);
  await measure(builds, say, ${JSON.stringify(options)});
} catch (error) { await say(String(error.stack)); }
fetch('/end', { method: 'POST' });
</script>`;

async function inChromium() {
  const profile = await mkdtemp(join(tmpdir(), 'kernel-bench-'));
  let chromium;
  const server = createServer(async (request, response) => {
    const send = (type, body) => response.writeHead(200, { 'Content-Type': type }).end(body);
    if (request.url === '/') send('text/html', PAGE);
    else if (request.url === '/measure.mjs') send('text/javascript', await readFile(new URL('measure.mjs', import.meta.url)));
    else if (request.url.startsWith('/wasm/')) send('application/wasm', await readFile(files[Number(request.url.slice(6))]));
    else if (request.url === '/say') {
      let text = '';
      for await (const piece of request) text += piece;
      console.log(text);
      send('text/plain', '');
    } else if (request.url === '/end') {
      send('text/plain', '');
      chromium.once('exit', () => rm(profile, { recursive: true, force: true }));
      chromium.kill();
      server.close();
      server.closeAllConnections();
    } else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1', () => {
    const flags = '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
    const url = `http://127.0.0.1:${server.address().port}/`;
    chromium = spawn('chromium', [...flags.split(' '), `--user-data-dir=${profile}`, url], { stdio: 'ignore' });
  });
}

await (options.chromium ? inChromium() : inNode());
