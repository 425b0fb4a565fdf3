// The ES module of huggingtweets-web: a GPT-2 in a worker, called as one calls transformers.js.
// It speaks the messages of src/protocol.rs and nothing else.

const PROTOCOL_VERSION = 1;
const WORKER_SCRIPT = new URL('./worker_loader.js', import.meta.url);
const BUNDLED_MODEL = new URL('./model/bundled.gguf', import.meta.url);
const LOAD_JOB = 0;

/** What the worker reports when something fails; `message` says what, `hint` what to do. */
export class HuggingtweetsError extends Error {
  constructor({ code, message, hint, retryable }) {
    super(`${message}; ${hint}`);
    this.name = code === 'cancelled' ? 'AbortError' : 'HuggingtweetsError';
    Object.assign(this, { code, hint, retryable });
  }
}

const aborted = () => new DOMException('stopped by its AbortSignal', 'AbortError');

/** One worker: numbers jobs, runs them one after another, and hands each its events. */
class EngineWorker {
  #worker = new Worker(WORKER_SCRIPT);
  #started;
  #jobs = new Map();
  #nextJob = LOAD_JOB + 1;
  #queue = Promise.resolve();
  #ended = null;

  constructor() {
    this.#started = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => {
        if (data?.v !== PROTOCOL_VERSION) return;
        if (data.type === 'started') resolve(data);
        const fatal = data.type === 'error' && ['worker_crashed', 'out_of_memory'].includes(data.error.code);
        if (fatal) this.#end(new HuggingtweetsError(data.error), reject);
        else this.#jobs.get(data.job ?? LOAD_JOB)?.(data);
      };
      this.#worker.onerror = () => this.#end(new HuggingtweetsError({
        code: 'worker_crashed', message: 'the worker stopped', hint: 'call pipeline again', retryable: true,
      }), reject);
    });
    this.#started.catch(() => {});
  }

  #end(error, reject) {
    this.#ended ??= error;
    reject(this.#ended);
    for (const listen of this.#jobs.values()) listen({ type: 'ended' });
  }

  /**
   * Sends `message` once earlier jobs are done; resolves with the event whose type is `last`.
   * `job` may be fixed (a load); every other event goes to `onEvent`.
   */
  run(message, last, { job = this.#nextJob++, onEvent = () => {}, signal } = {}) {
    const turn = this.#queue.then(async () => {
      await this.#started;
      if (this.#ended) throw this.#ended;
      if (signal?.aborted) throw aborted();
      const stop = () => this.#worker.postMessage({ v: PROTOCOL_VERSION, type: 'stop', job });
      try {
        return await new Promise((resolve, reject) => {
          this.#jobs.set(job, (event) => {
            if (event.type === 'ended') reject(this.#ended);
            else if (event.type === 'error') reject(signal?.aborted ? aborted() : new HuggingtweetsError(event.error));
            else if (event.type === last) (event.stopped ? reject(aborted()) : resolve(event));
            else onEvent(event);
          });
          signal?.addEventListener('abort', stop);
          this.#worker.postMessage({ v: PROTOCOL_VERSION, job, ...message });
        });
      } finally {
        signal?.removeEventListener('abort', stop);
        this.#jobs.delete(job);
      }
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  end() {
    this.#end(new HuggingtweetsError({
      code: 'no_model', message: 'this generator was disposed', hint: 'call pipeline again', retryable: false,
    }), () => {});
    this.#worker.terminate();
  }
}

/** What the worker is to load, and under which name. */
function sourceOf(model) {
  if (model instanceof ArrayBuffer) return sourceOf(new Blob([model]));
  if (model instanceof Blob) {
    return { source: { kind: 'file', name: model.name ?? 'model.gguf' }, blob: model };
  }
  const url = model === undefined || model === null ? BUNDLED_MODEL : new URL(model, document.baseURI);
  return { source: { kind: 'url', url: url.href, name: url.pathname.split('/').pop() } };
}

/**
 * Opens a model and gives back a generator.
 * `task`: 'text-generation'. `model`: a Blob, File or ArrayBuffer of a GGUF, the address of one, or nothing for the bundled one.
 * `options`: { progress_callback({ status, file, loaded, total }), signal }.
 */
export async function pipeline(task, model, options = {}) {
  if (task !== 'text-generation') {
    throw new TypeError(`unknown task '${task}'; this module knows 'text-generation'`);
  }
  const { source, blob } = sourceOf(model);
  const worker = new EngineWorker();
  const report = ({ stage }) => stage?.stage === 'downloading' && options.progress_callback?.({
    status: 'progress', file: source.name, loaded: stage.loaded, total: stage.total ?? undefined,
  });
  let opened;
  try {
    ({ model: opened } = await worker.run(
      blob ? { type: 'load', source, blob } : { type: 'load', source },
      'ready', { job: LOAD_JOB, onEvent: report, signal: options.signal }));
  } catch (error) {
    worker.end();
    throw error;
  }

  const one = async (prompt, { on_token, signal, ...given }) => {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0];
    const params = { ...opened.defaults, num_return_sequences: 1, seed, ...given };
    const texts = [];
    const onEvent = (event) => {
      if (event.type === 'token') {
        const { sequence, token_id, text, prob } = event;
        on_token?.({ sequence, token_id, text, prob });
      } else if (event.type === 'result') {
        texts[event.sequence] = { generated_text: event.generated_text };
      }
    };
    const { stats } = await worker.run({ type: 'generate', prompt: String(prompt), params }, 'done', { onEvent, signal });
    generator.stats = { ...stats, load_ms: opened.load_ms };
    return texts;
  };

  /** Continues one prompt, or each of a list: `[{ generated_text }, …]`, or a list of such lists. */
  async function generator(prompt, params = {}) {
    if (!Array.isArray(prompt)) return one(prompt, params);
    const lists = [];
    for (const each of prompt) lists.push(await one(each, params));
    return lists;
  }
  generator.config = { ...opened.config, dtype: opened.dtype };
  generator.stats = { load_ms: opened.load_ms, memory_bytes: opened.memory_bytes };
  generator.tokenizer = {
    encode: async (text) => (await worker.run({ type: 'tokenize', text }, 'tokens')).token_ids,
    decode: async (ids) => (await worker.run({ type: 'detokenize', token_ids: [...ids] }, 'text')).text,
  };
  generator.dispose = async () => worker.end();
  return generator;
}
