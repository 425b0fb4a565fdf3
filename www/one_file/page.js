// Starts the page that holds all its files (src/site/one_file.rs). Each file is in the document as base64,
// compressed or not. Requests of the page and its worker for these files are answered from here.

// Newer browsers have `Uint8Array.fromBase64`.
const fromBase64 = Uint8Array.fromBase64?.bind(Uint8Array) ?? ((text) => {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes;
});

const unpack = async (element) => {
  const { type, packed } = element.dataset;
  const whole = new Blob([fromBase64(element.textContent)], { type });
  element.remove();
  if (!packed) return whole;
  const stream = whole.stream().pipeThrough(new DecompressionStream(packed));
  return new Response(stream, { headers: { 'Content-Type': type } }).blob();
};

const elements = [...document.querySelectorAll('script[data-file]')];
const files = Object.fromEntries(await Promise.all(
  elements.map(async (element) => [element.dataset.file, await unpack(element)])));
/** The files, by path in the site's folder. */
globalThis.huggingtweetsFiles = files;

// A page from a disk may only start a worker whose whole script is in the page, and that worker cannot fetch the
// page's files.
// A page from a blob has no folder; any address will do, because the worker answers for all of it.
const folder = URL.canParse('./', document.baseURI) ? new URL('./', document.baseURI).href : 'https://one-file.invalid/';
const script = URL.createObjectURL(files['one_file_worker.js']);
globalThis.Worker = class extends Worker {
  constructor() {
    super(script);
    this.postMessage({ folder, files });
  }
};

await __wbg_init({ module_or_path: new Response(files['app_bg.wasm']) });
