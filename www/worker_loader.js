// Starts the worker's WebAssembly, one of its two builds, and tells the page when it cannot go on.
// Started as `worker_loader.js?threads=auto|N&simd=auto|simd128|relaxed`; what is left out is auto.
// There is one build per number of threads that matters, one or several, and both are simd128: relaxed SIMD did not pay.
// A panic speaks for itself (src/web/worker_host.rs); what arrives here instead is memory the browser refused.
const report = (code, message, hint) =>
  postMessage([{ v: 1, type: 'error', job: null, error: { code, message, hint, retryable: true } }]);

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

// The memory of the build with threads, filled in where the site has that build (src/site/threads.rs).
const SHARED_MEMORY = null;
const MOST_THREADS = 8;
// Kernels keep their sums in registers; a helper does nothing else.
const HELPER_STACK_BYTES = 1 << 18;
// Helpers that take longer join later.
const HELPERS_WAIT_MS = 2000;

// How many threads to compute with: as asked for, or all cores, one of more than two being left to the page.
const threadsWanted = () => {
  const asked = Number(new URLSearchParams(location.search).get('threads') ?? NaN);
  const cores = navigator.hardwareConcurrency || 1;
  const wanted = Number.isInteger(asked) && asked > 0 ? asked : cores > 2 ? cores - 1 : cores;
  return Math.min(wanted, MOST_THREADS);
};

// The shared memory and the compiled build, or nothing where this browser or this site cannot do it.
const threadsBuild = async () => {
  if (!SHARED_MEMORY || !self.crossOriginIsolated || typeof SharedArrayBuffer !== 'function') return null;
  try {
    const memory = new WebAssembly.Memory({ ...SHARED_MEMORY, shared: true });
    const answer = await fetch('./worker_threads_bg.wasm');
    if (!answer.ok) return null;
    // Compiled while it arrives, where the host says what it is.
    const isTyped = answer.headers.get('Content-Type')?.startsWith('application/wasm');
    const module = await (isTyped ? WebAssembly.compileStreaming(answer) : WebAssembly.compile(await answer.arrayBuffer()));
    importScripts('./worker_threads.js');
    return { memory, module };
  } catch {
    return null; // The memory was refused, or a file did not come: one thread needs neither.
  }
};

// Resolves when the helper has joined, or cannot.
const startHelper = (build) => new Promise((settled) => {
  try {
    const helper = new Worker('./worker_helper.js');
    helper.onmessage = settled;
    helper.onerror = (event) => { event.preventDefault(); settled(); };
    helper.postMessage({ ...build, thread_stack_size: HELPER_STACK_BYTES });
  } catch {
    settled(); // Such as a policy that allows no further workers.
  }
});

const start = async () => {
  const n_threads = threadsWanted();
  const build = n_threads > 1 ? await threadsBuild() : null;
  if (!build) {
    importScripts('./worker.js');
    await wasm_bindgen({ module_or_path: './worker_bg.wasm' });
    return;
  }
  const helpers = Array.from({ length: n_threads - 1 }, () => startHelper(build));
  await wasm_bindgen({ module_or_path: build.module, memory: build.memory });
  await Promise.race([Promise.all(helpers), new Promise((late) => setTimeout(late, HELPERS_WAIT_MS))]);
  wasm_bindgen.start_engine();
};

start();
