// Starts the module's worker, in the form that the page's host and the bundler allow: by its address, else by a blob.
// It lies beside the worker's files, because bundlers find a file by a literal address such as './worker.js'.

import { noWorker } from './module/error.js';

// The addresses of the files, as the bundler gives them; where it bundles none, they lie beside the bundle or in the
// folder that the option `assets` names. The site's build writes the first line anew for its builds (src/site/loader.rs).
const FILES = () => ({ 'worker.js': new URL('./worker.js', import.meta.url), 'worker_bg.wasm': new URL('./worker_bg.wasm', import.meta.url) });
const MODEL = () => new URL('./model/bundled.gguf', import.meta.url);
const LOADER = () => new URL('./worker_loader.js', import.meta.url);
const byLiteral = () => new Worker(new URL('./worker_loader.js', import.meta.url));

/** This script's own address: webpack replaces it by that of a file, other bundlers by the address of the bundle. */
const HERE = import.meta.url ?? '';
/** Whether this script is served as it is, and so the worker's files beside it. */
export const isServedAsIs = /^https?:[^?#]*\/(start_worker|huggingtweets)\.js([?#]|$)/.test(HERE);

/** An address as text; some bundlers give objects that are no whole `URL`, or paths. */
const absolute = (address) => new URL(String(address), globalThis.document?.baseURI ?? globalThis.location?.href).href;

/** Where the files are: `{ loader, folder, files, model }`; `files` are those that are not in `folder`. */
function places(assets) {
  if (assets !== undefined) {
    const folder = absolute(String(assets).replace(/\/*$/, '/'));
    return { loader: `${folder}worker_loader.js`, folder, files: {}, model: `${folder}model/bundled.gguf` };
  }
  try {
    const loader = absolute(LOADER());
    const moved = isServedAsIs ? [] : Object.entries(FILES());
    return {
      loader, folder: new URL('.', loader).href, files: Object.fromEntries(moved.map(([name, file]) => [name, absolute(file)])),
      model: absolute(MODEL()),
    };
  } catch {
    // A bundle that is no ES module has no address.
    throw noWorker('this bundle does not know where the files of huggingtweets-web are', MISSING);
  }
}

const MISSING = "copy the worker's files there by `npx huggingtweets-web FOLDER`, or name the folder where they are by the option `assets` of pipeline";
const POLICY = "the page's security policy must allow `worker-src 'self' blob:`, the address of the worker's files in script-src and "
  + 'connect-src, and under Trusted Types the policy `huggingtweets`; a frame needs `allow-scripts`';

// Under Trusted Types, the worker's address needs a policy, which the page's host must allow by this name.
const policy = (() => {
  try {
    return globalThis.trustedTypes?.createPolicy('huggingtweets', { createScriptURL: (address) => address });
  } catch {
    return undefined; // There is one of another copy of this module, or none is allowed: starting the worker tells.
  }
})();
const trusted = (address) => policy?.createScriptURL(address) ?? address;

/** A script that imports the loader, for pages of other origins and for policies that refuse the address itself. */
function byBlob(loader) {
  const text = `const createScriptURL = (address) => address;
    try { self.huggingtweetsPolicy = self.trustedTypes?.createPolicy('huggingtweets', { createScriptURL }); } catch {}
    const loader = ${JSON.stringify(loader)};
    importScripts(self.huggingtweetsPolicy?.createScriptURL(loader) ?? loader);`;
  // The address stays valid, because the worker starts its helpers from it.
  return new Worker(trusted(URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))));
}

/** The ways to start the worker, in the order in which they are tried. */
function forms(loader, assets) {
  const first = assets === undefined && !isServedAsIs ? byLiteral : () => new Worker(trusted(loader));
  // Browsers demand one origin of page and worker; some report that later, on the console.
  const isOurs = new URL(loader).origin === globalThis.origin;
  return isOurs ? [first, () => byBlob(loader)] : [() => byBlob(loader)];
}

/**
 * Starts a worker of the build that `threads` and `simd` choose: `{ worker, message, model }`, with the content of its
 * first message and the address of the bundled model.
 */
export async function startWorker({ threads = 'auto', simd = 'auto', assets }) {
  if (typeof Worker !== 'function') {
    throw noWorker('this program has no web workers, in which the model runs', 'run it in a browser');
  }
  const { loader, folder, files, model } = places(assets);
  const forbidden = [];
  const onViolation = ({ disposition, effectiveDirective }) => {
    if (disposition === 'enforce' && /^(worker|script|require-trusted|trusted)/.test(effectiveDirective)) forbidden.push(effectiveDirective);
  };
  globalThis.addEventListener('securitypolicyviolation', onViolation);
  try {
    for (const form of forms(loader, assets)) {
      let worker;
      try {
        worker = form();
      } catch {
        continue;
      }
      worker.postMessage({ type: 'start', folder, files, threads, simd });
      const message = await firstMessage(worker);
      if (message) return { worker, message, model };
      worker.terminate();
    }
    throw await reason(loader, forbidden);
  } finally {
    globalThis.removeEventListener('securitypolicyviolation', onViolation);
  }
}

/** What a worker posts first; `null` if its script cannot be started. */
const firstMessage = (worker) => new Promise((resolve) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    resolve(null);
  };
});

/** Why no form has started: browsers do not say it. `forbidden`: the directives that were violated. */
async function reason(loader, forbidden) {
  try {
    const answer = await fetch(loader);
    // Some hosts answer for a missing file by a page.
    const isScript = /javascript/.test(answer.headers.get('Content-Type'));
    if (!answer.ok || !isScript) return noWorker(`there is no worker at ${loader}`, MISSING);
  } catch {
    if (forbidden.length === 0) {
      return noWorker(`${loader} did not arrive`, `check that its host is online and sends Access-Control-Allow-Origin; or ${MISSING}`, true);
    }
  }
  // The report of a violation may follow the error that it causes.
  return noWorker(forbidden.length > 0
    ? `the page's security policy forbids the worker, by its directive \`${forbidden[0]}\``
    : 'the browser started no worker', POLICY);
}
