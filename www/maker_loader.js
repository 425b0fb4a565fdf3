// Starts the WebAssembly of the maker's worker, and tells the page when it stops.
// The first message states the folder of the worker's files: `{ type: 'start', folder }`, by default that of this script.

// Under Trusted Types, the addresses of scripts need a policy. A blob that imports this script has made it already.
try {
  self.huggingtweetsPolicy ??= self.trustedTypes?.createPolicy('huggingtweets', { createScriptURL: (address) => address });
} catch { /* The host allows none of this name: if it also demands types, importing fails, and is reported. */ }

const ended = (reason) => postMessage({
  type: 'failed', posts: 0, message: `the maker stopped: ${reason?.message ?? reason}`,
  hint: 'open it again; what it had read is kept',
});
addEventListener('error', (event) => { event.preventDefault(); ended(event.error ?? event.message); });
addEventListener('unhandledrejection', (event) => { event.preventDefault(); ended(event.reason); });

addEventListener('message', async ({ data: { folder } }) => {
  try {
    const addressOf = (name) => new URL(name, folder ?? self.location.href).href;
    const script = addressOf('maker.js');
    importScripts(self.huggingtweetsPolicy?.createScriptURL(script) ?? script);
    await wasm_bindgen({ module_or_path: addressOf('maker_bg.wasm') });
  } catch (error) {
    ended(error);
  }
}, { once: true });
