// Starts the worker's WebAssembly and tells the page when it cannot go on.
// A panic speaks for itself (src/web/worker_host.rs); what arrives here instead is memory the browser refused.
const report = (code, message, hint) =>
  postMessage({ v: 1, type: 'error', job: null, error: { code, message, hint, retryable: true } });

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

importScripts('./worker.js');
wasm_bindgen({ module_or_path: './worker_bg.wasm' });
