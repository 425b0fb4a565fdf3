// Starts the WebAssembly of the worker or of the trainer, in one of its four builds, and tells the page when it stops.
// The first message states the settings: `{ type: 'start', program, folder, files, threads, simd }`, all but the type optional.
// They are no part of the address, because bundlers give this script an address of their own.
//   program: the worker, which writes texts, or the trainer.
//   folder: where the worker's files are; by default the folder of this script.
//   files: addresses of those files that are elsewhere, by name.
//   threads: a number, or 'auto'; simd: 'auto', 'relaxed' or 'simd128'.
// There are builds for one thread and for several, each with and without relaxed SIMD, which speeds up 4-bit models.
// Panics are reported by src/web/worker/host.rs and src/web/trainer/host.rs; other errors, such as memory that the browser refuses, arrive here.

// Under Trusted Types, the addresses of scripts need a policy. A blob that imports this script has made it already.
try {
  self.huggingtweetsPolicy ??= self.trustedTypes?.createPolicy('huggingtweets', { createScriptURL: (address) => address });
} catch { /* The host allows none of this name: if it also demands types, importing fails, and is reported. */ }
const trusted = (address) => self.huggingtweetsPolicy?.createScriptURL(address) ?? address;

// Some bundlers make a module of this script, and modules have no importScripts.
const type = (() => {
  try {
    importScripts();
    return 'classic';
  } catch {
    return 'module';
  }
})();
const run = async (script) => {
  if (type === 'classic') importScripts(trusted(script));
  else await import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ script);
};

const report = (code, message, hint) =>
  postMessage([{ v: 2, type: 'error', job: null, error: { code, message, hint, retryable: true } }]);

const ended = (reason) => {
  if (reason instanceof WebAssembly.RuntimeError || reason instanceof RangeError) {
    report('out_of_memory', 'the browser gave the model no more memory',
      'close other tabs or ask for fewer or shorter results, then restart; your text is still here');
  } else if (reason instanceof WebAssembly.CompileError && /policy/i.test(reason.message)) {
    report('worker_crashed', 'the security policy of the page forbids WebAssembly, in which the model runs',
      "add 'wasm-unsafe-eval' to its script-src");
  } else {
    report('worker_crashed', `the part that runs the model stopped: ${reason?.message ?? reason}`,
      'restart it; your text and settings are still here');
  }
};

addEventListener('error', (event) => { event.preventDefault(); ended(event.error); });
addEventListener('unhandledrejection', (event) => { event.preventDefault(); ended(event.reason); });

// The builds that this site has, and the memory that the threads of a build share. The site's build writes both lines
// anew when a further build is finished (src/site/loader.rs).
const BUILDS = ['worker', 'trainer'];
const SHARED_MEMORY = null;
const MOST_THREADS = 8;
// A helper only runs kernels, which keep their sums in registers and so need little stack.
const HELPER_STACK_BYTES = 1 << 18;
// Helpers that take longer join later.
const HELPERS_WAIT_MS = 2000;

// The number of threads: the number asked for, or all cores; of more than two cores, one is left to the page.
const threadsWanted = (asked) => {
  const cores = navigator.hardwareConcurrency || 1;
  const wanted = Number.isInteger(asked) && asked > 0 ? asked : cores > 2 ? cores - 1 : cores;
  return Math.min(wanted, MOST_THREADS);
};

// Whether this browser has relaxed SIMD: it then accepts a module with i16x8.relaxed_dot_i8x16_i7x16_s of two splats.
const hasRelaxed = () => WebAssembly.validate(new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0,
  10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 146, 2, 11,
]));

// The memory that threads share, or null where this browser or this site has no threads.
const sharedMemory = () => {
  if (!SHARED_MEMORY || !self.crossOriginIsolated || typeof SharedArrayBuffer !== 'function') return null;
  try {
    return new WebAssembly.Memory({ ...SHARED_MEMORY, shared: true });
  } catch {
    return null; // The browser refuses the memory: the builds with one thread do without.
  }
};

// Compiles the first of these builds that can be fetched: without a network, the build that the last visit used.
const load = async (names, addressOf) => {
  for (const name of names) {
    try {
      const program = addressOf(`${name}_bg.wasm`);
      const answer = await fetch(program);
      if (!answer.ok) throw new Error(`${program}: ${answer.status}`);
      // The program is compiled while it arrives, if the host states its type and nothing more: with a parameter such
      // as a character set, browsers refuse it.
      const isTyped = answer.headers.get('Content-Type')?.trim().toLowerCase() === 'application/wasm';
      const module = await (isTyped ? WebAssembly.compileStreaming(answer) : WebAssembly.compile(await answer.arrayBuffer()));
      const bindings = addressOf(`${name}.js`);
      await run(bindings);
      return { name, module, bindings };
    } catch (reason) {
      if (name === names.at(-1)) throw reason;
    }
  }
};

// Resolves when the helper has joined, or has failed to. A helper is started from this same script, or from the blob
// that imports it: a worker that a blob started may start others by blobs only.
const startHelper = (build) => new Promise((settled) => {
  try {
    const helper = new Worker(trusted(self.location.href), { type });
    helper.onmessage = settled;
    helper.onerror = (event) => { event.preventDefault(); settled(); };
    helper.postMessage({ type: 'help', ...build });
  } catch {
    settled(); // The page's policy may allow no further workers.
  }
});

const start = async ({ program = 'worker', folder = './', files = {}, threads, simd }) => {
  const n_threads = threadsWanted(threads);
  const memory = n_threads > 1 ? sharedMemory() : null;
  const builds = simd !== 'simd128' && hasRelaxed() ? ['_relaxed', ''] : [''];
  const wanted = [
    ...(memory ? builds.map((build) => `${program}_threads${build}`) : []), ...builds.map((build) => `${program}${build}`),
  ];
  const addressOf = (name) => files[name] ?? `${folder}${name}`;
  const { name, module, bindings } = await load(wanted.filter((build) => BUILDS.includes(build)), addressOf);
  if (!name.startsWith(`${program}_threads`)) {
    await wasm_bindgen({ module_or_path: module });
    return;
  }
  const helpers = Array.from({ length: n_threads - 1 }, () => startHelper({ module, bindings, memory }));
  await wasm_bindgen({ module_or_path: module, memory });
  await Promise.race([Promise.all(helpers), new Promise((late) => setTimeout(late, HELPERS_WAIT_MS))]);
  wasm_bindgen.start();
};

// A helper of a build with threads shares the engine's memory and computes with it until the engine's worker ends.
const help = async ({ module, bindings, memory }) => {
  try {
    await run(bindings);
    await wasm_bindgen({ module_or_path: module, memory, thread_stack_size: HELPER_STACK_BYTES });
    wasm_bindgen.join();
  } catch {
    postMessage('absent'); // The engine computes without this helper.
    return;
  }
  postMessage('joined');
  try {
    wasm_bindgen.help();
  } catch (trapped) {
    wasm_bindgen.report_failure();
    throw trapped;
  }
};

const ROLES = { start, help };
addEventListener('message', function begin({ data }) {
  if (!Object.hasOwn(ROLES, data?.type)) return;
  removeEventListener('message', begin);
  ROLES[data.type](data);
});
