// Starts the worker's WebAssembly, in one of its four builds, and tells the page when it stops.
// Started as `worker_loader.js?threads=auto|N&simd=auto|simd128|relaxed`; the default of both is auto. Where a browser
// refuses that address, a script of a few lines states folder and settings and imports this one.
// There are builds for one thread and for several, each with and without relaxed SIMD, which speeds up 4-bit models.
// Panics are reported by src/web/worker/host.rs; other errors, such as memory that the browser refuses, arrive here.
const { folder: FOLDER, search: SETTINGS } = self.huggingtweets ?? { folder: './', search: location.search };

// Under Trusted Types, the addresses of scripts need a policy; those below begin with the folder, or are our own blobs.
try {
  self.trustedTypes?.createPolicy('default', {
    createScriptURL: (address) => (address.startsWith(FOLDER) || address.startsWith('blob:') ? address : null),
  });
} catch { /* There is one already, or the host allows none: importing then fails, and is reported. */ }

const report = (code, message, hint) =>
  postMessage([{ v: 2, type: 'error', job: null, error: { code, message, hint, retryable: true } }]);

const ended = (reason) => {
  if (reason instanceof WebAssembly.RuntimeError || reason instanceof RangeError) {
    report('out_of_memory', 'the browser gave the model no more memory',
      'close other tabs or ask for fewer or shorter results, then restart; your text is still here');
  } else {
    report('worker_crashed', `the part that runs the model stopped: ${reason?.message ?? reason}`,
      'restart it; your text and settings are still here');
  }
};

addEventListener('error', (event) => { event.preventDefault(); ended(event.error); });
addEventListener('unhandledrejection', (event) => { event.preventDefault(); ended(event.reason); });

// The builds that this site has, and the memory that the threads of a build share. The site's build writes both lines
// anew when a further build is finished (src/site/loader.rs).
const BUILDS = ['worker'];
const SHARED_MEMORY = null;
const MOST_THREADS = 8;
// A helper only runs kernels, which keep their sums in registers and so need little stack.
const HELPER_STACK_BYTES = 1 << 18;
// Helpers that take longer join later.
const HELPERS_WAIT_MS = 2000;

// The number of threads: the number in the address, or all cores; of more than two cores, one is left to the page.
const threadsWanted = () => {
  const asked = Number(new URLSearchParams(SETTINGS).get('threads') ?? NaN);
  const cores = navigator.hardwareConcurrency || 1;
  const wanted = Number.isInteger(asked) && asked > 0 ? asked : cores > 2 ? cores - 1 : cores;
  return Math.min(wanted, MOST_THREADS);
};

// Whether to compute in relaxed SIMD: unless the address has simd=simd128, if this browser accepts a module with
// i16x8.relaxed_dot_i8x16_i7x16_s of two splats.
const wantsRelaxed = () => new URLSearchParams(SETTINGS).get('simd') !== 'simd128'
  && WebAssembly.validate(new Uint8Array([
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
const load = async (names) => {
  for (const name of names) {
    try {
      const answer = await fetch(`${FOLDER}${name}_bg.wasm`);
      if (!answer.ok) throw new Error(`${name}_bg.wasm: ${answer.status}`);
      // The program is compiled while it arrives, if the host states its type and nothing more: with a parameter such
      // as a character set, browsers refuse it.
      const isTyped = answer.headers.get('Content-Type')?.trim().toLowerCase() === 'application/wasm';
      const module = await (isTyped ? WebAssembly.compileStreaming(answer) : WebAssembly.compile(await answer.arrayBuffer()));
      importScripts(`${FOLDER}${name}.js`);
      return { name, module };
    } catch (reason) {
      if (name === names.at(-1)) throw reason;
    }
  }
};

// A worker that a blob started may start others by blobs only.
const helperScript = () => {
  const script = `${FOLDER}worker_helper.js`;
  if (!self.huggingtweets) return script;
  const text = `const createScriptURL = (address) => (address.startsWith(${JSON.stringify(FOLDER)}) ? address : null);
    try { self.trustedTypes?.createPolicy('default', { createScriptURL }); } catch {}
    importScripts(${JSON.stringify(script)});`;
  return URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
};

// Resolves when the helper has joined, or has failed to.
const startHelper = (build) => new Promise((settled) => {
  try {
    const helper = new Worker(helperScript());
    helper.onmessage = settled;
    helper.onerror = (event) => { event.preventDefault(); settled(); };
    helper.postMessage({ ...build, folder: FOLDER, thread_stack_size: HELPER_STACK_BYTES });
  } catch {
    settled(); // The page's policy may allow no further workers.
  }
});

const start = async () => {
  const n_threads = threadsWanted();
  const memory = n_threads > 1 ? sharedMemory() : null;
  const builds = wantsRelaxed() ? ['_relaxed', ''] : [''];
  const wanted = [
    ...(memory ? builds.map((build) => `worker_threads${build}`) : []), ...builds.map((build) => `worker${build}`),
  ];
  const { name, module } = await load(wanted.filter((build) => BUILDS.includes(build)));
  if (!name.startsWith('worker_threads')) {
    await wasm_bindgen({ module_or_path: module });
    return;
  }
  const helpers = Array.from({ length: n_threads - 1 }, () => startHelper({ name, module, memory }));
  await wasm_bindgen({ module_or_path: module, memory });
  await Promise.race([Promise.all(helpers), new Promise((late) => setTimeout(late, HELPERS_WAIT_MS))]);
  wasm_bindgen.start_engine();
};

start();
