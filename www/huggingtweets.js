// The ES module of huggingtweets-web: a GPT-2 in a worker, with the interface of transformers.js.
// Its messages to the worker are those of src/protocol.rs. Types and meanings: huggingtweets.d.ts.

const PROTOCOL_VERSION = 2;
const BUNDLED_MODEL = new URL('./model/bundled.gguf', import.meta.url);

const DTYPES = ['auto', 'q8_0', 'q4_0', 'q4_k', 'q6_k', 'f16', 'f32'];
const SIMD = ['auto', 'relaxed', 'simd128'];

/** A capital letter, unless the first word is the name of a file or an option, and a full stop. */
const sentence = (text) => (/^\S*[./_=`]\S/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1)).replace(/\.?$/, '.');

/** A failure that the worker reports; `message` states the failure and the remedy. */
export class HuggingtweetsError extends Error {
  constructor({ code, message, hint, retryable }) {
    super(`${sentence(message)} ${sentence(hint)}`);
    this.name = code === 'cancelled' ? 'AbortError' : 'HuggingtweetsError';
    Object.assign(this, { code, hint, retryable });
  }
}

const aborted = () => new DOMException('stopped by its AbortSignal', 'AbortError');

const crashed = () => new HuggingtweetsError({
  code: 'worker_crashed', message: 'the worker stopped', hint: 'call pipeline again', retryable: true,
});

const disposed = () => new HuggingtweetsError({
  code: 'no_model', message: 'this generator was disposed', hint: 'call pipeline again', retryable: false,
});

// The allowed values of an option: words for the message, and the test.
const COUNT = ['a whole number from 0 to 4294967295', (n) => Number.isInteger(n) && n >= 0 && n <= 0xffff_ffff];
const NUMBER = ['a finite number', Number.isFinite];
const FLAG = ['true or false', (value) => typeof value === 'boolean'];
const TEXT = ['a string', (value) => typeof value === 'string'];
const COUNT_OK = COUNT[1];
const isList = (test) => (value) => Array.isArray(value) && value.every(test);
const isIds = (value) => isList(COUNT_OK)(value) && value.length > 0;
const EARLY = ["true, false or 'never'", (value) => typeof value === 'boolean' || value === 'never'];
const listed = (value) => [value].flat();
const IDS = ['a token id or a list of them', (value) => isList(COUNT_OK)(listed(value)), listed];
const ID_LISTS = ['a list of lists of token ids', isList(isIds)];
const BIASES = ['a list of token ids with a number', isList((pair) => Array.isArray(pair) && pair.length === 2 && isIds(pair[0]) && Number.isFinite(pair[1]))];
const DECAY = ['a whole number and a number', (value) => Array.isArray(value) && value.length === 2 && COUNT_OK(value[0]) && value[1] > 0];
const TEXTS = ['a string or a list of them', (value) => isList((text) => typeof text === 'string' && text)(listed(value)), listed];
const FUNCTION = ['a function', (value) => typeof value === 'function'];
const SIGNAL = ['an AbortSignal', (value) => typeof value.aborted === 'boolean'];
const oneOf = (values) => [`one of ${values.map((value) => `'${value}'`).join(', ')}`, (value) => values.includes(value)];

const PIPELINE_OPTIONS = {
  dtype: oneOf(DTYPES),
  threads: ["'auto' or a whole number from 1", (n) => n === 'auto' || (Number.isInteger(n) && n >= 1)],
  simd: oneOf(SIMD),
  cache: FLAG,
  endpoint: ['a string or a URL', (value) => typeof value === 'string' || value instanceof URL],
  progress_callback: FUNCTION,
  signal: SIGNAL,
};

/** The options that are passed to the engine, which checks their ranges. */
const PARAMS = {
  max_new_tokens: COUNT, max_length: COUNT, min_length: COUNT, do_sample: FLAG, temperature: NUMBER, top_k: COUNT,
  top_p: NUMBER, repetition_penalty: NUMBER, num_return_sequences: COUNT, return_full_text: FLAG, prefix: TEXT,
  seed: COUNT, stop_at_newline: FLAG, min_new_tokens: COUNT, no_repeat_ngram_size: COUNT, num_beams: COUNT,
  length_penalty: NUMBER, early_stopping: EARLY, renormalize_logits: FLAG, min_p: NUMBER, typical_p: NUMBER, top_h: NUMBER,
  epsilon_cutoff: NUMBER, eta_cutoff: NUMBER, bad_words_ids: ID_LISTS, sequence_bias: BIASES, suppress_tokens: IDS,
  begin_suppress_tokens: IDS, forced_bos_token_id: COUNT, forced_eos_token_id: IDS,
  exponential_decay_length_penalty: DECAY, eos_token_id: IDS, stop_strings: TEXTS,
};
/**
 * Options of transformers' `generate` and of transformers.js that would change a text and are not done here, with the
 * value that changes nothing: any other is refused by name.
 */
const NOT_DONE = {
  assistant_early_exit: null, assistant_model: null, clean_up_tokenization_spaces: false, constraints: null,
  custom_generate: null, diversity_penalty: 0, dola_layers: null, encoder_no_repeat_ngram_size: 0,
  encoder_repetition_penalty: 1, force_words_ids: null, generation_config: null, guidance_scale: 1,
  handle_long_generation: null, logits_processor: null, max_time: null, negative_prompt_ids: null,
  num_beam_groups: 1, penalty_alpha: 0, prefix_allowed_tokens_fn: null, prompt_lookup_num_tokens: null,
  remove_invalid_values: false, return_tensors: false, speculation_type: null, stop_sequence: null,
  stopping_criteria: null, streamer: null, token_healing: false, use_mtp: false, watermarking_config: null,
};
const CALL_OPTIONS = { ...PARAMS, on_token: FUNCTION, signal: SIGNAL };

/** The options among `given` that `known` lists; `undefined` and `null` count as left out, names that no library has are ignored. */
function checked(given, known) {
  if (given === null || typeof given !== 'object') throw new TypeError('the options must be an object');
  const options = {};
  for (const [name, [words, test, convert = (value) => value]] of Object.entries(known)) {
    const value = given[name] ?? undefined;
    if (value === undefined) continue;
    if (!test(value)) throw new TypeError(`\`${name}\` must be ${words}, not ${shown(value)}`);
    options[name] = convert(value);
  }
  return options;
}

/** The options of a call. */
function checkedCall(given) {
  const options = checked(given, CALL_OPTIONS);
  for (const [name, neutral] of Object.entries(NOT_DONE)) {
    if ((given[name] ?? neutral) !== neutral) throw new TypeError(`\`${name}\` is not done by this module; leave it out`);
  }
  return options;
}

const shown = (value) => (typeof value === 'string' ? `'${value}'` : typeof value === 'object' ? 'an object' : String(value));

function checkedText(text, name) {
  if (typeof text !== 'string') throw new TypeError(`${name} must be a string, not ${shown(text)}`);
  return text;
}

// Under Trusted Types, the worker's address needs a policy, which the page's host must allow by this name.
const policy = (() => {
  try {
    return globalThis.trustedTypes?.createPolicy('huggingtweets', { createScriptURL: (address) => address });
  } catch {
    return undefined; // There is one of another copy of this module, or none is allowed: starting the worker tells.
  }
})();
const trusted = (address) => policy?.createScriptURL(address) ?? address;

/** Starts the worker, by a blob where this module comes from another origin than its page: browsers demand one origin. */
function startWorker(settings) {
  if (typeof Worker !== 'function') {
    throw new HuggingtweetsError({
      code: 'worker_crashed', message: 'this program has no web workers, in which the model runs',
      hint: 'run it in a browser', retryable: false,
    });
  }
  // Bundlers find the file because the address is a literal.
  const script = new URL('./worker_loader.js', import.meta.url);
  script.search = settings;
  if (script.origin === globalThis.location?.origin) return new Worker(trusted(script.href));
  const stated = { folder: new URL('./', script).href, search: script.search };
  // The policy is for hosts that demand Trusted Types; where they allow none, importing fails and is reported.
  const text = `self.huggingtweets = ${JSON.stringify(stated)};
    const createScriptURL = (address) => (address.startsWith(self.huggingtweets.folder) ? address : null);
    try { self.trustedTypes?.createPolicy('default', { createScriptURL }); } catch {}
    importScripts(${JSON.stringify(script.href)});`;
  return new Worker(trusted(URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))));
}

/** One worker: numbers jobs, runs them one after another, and passes events to the running job. */
class EngineWorker {
  #worker;
  /** Resolves with the worker's first message. */
  started;
  #refuseStart;
  /** The running job: `{ job, listen }`. */
  #current = null;
  #nextJob = 1;
  #queue = Promise.resolve();
  #ended = null;

  /** The loader chooses the build, by `threads` and `simd`. */
  constructor({ threads = 'auto', simd = 'auto' }) {
    this.#worker = startWorker(new URLSearchParams({ threads, simd }));
    this.started = new Promise((resolve, reject) => {
      this.#refuseStart = reject;
      const hear = (event) => {
        if (event.v !== PROTOCOL_VERSION) return;
        if (event.type === 'started') {
          this.#worker.postMessage({ v: PROTOCOL_VERSION, type: 'locate_bundled', url: BUNDLED_MODEL.href });
          return resolve(event);
        }
        if (event.type === 'error' && ['worker_crashed', 'out_of_memory'].includes(event.error.code)) {
          return this.end(new HuggingtweetsError(event.error));
        }
        // An error without a job is the answer to a message that could not be read; it belongs to the running job.
        if (this.#current && (event.job ?? this.#current.job) === this.#current.job) this.#current.listen(event);
      };
      this.#worker.onmessage = ({ data }) => data.forEach(hear);
      this.#worker.onerror = () => this.end(crashed());
    });
    this.started.catch(() => {});
  }

  /**
   * Sends `message` once earlier jobs are done; resolves with the event whose type is `last`.
   * Every other event goes to `onEvent`.
   */
  run(message, last, options = {}) {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(aborted());
    let isSent = false;
    const turn = this.#queue.then(async () => {
      await this.started;
      if (this.#ended) throw this.#ended;
      if (signal?.aborted) throw aborted();
      isSent = true;
      return this.#ask(message, last, options);
    });
    this.#queue = turn.catch(() => {});
    if (!signal) return turn;
    // A job that waits for earlier jobs is rejected as soon as it is aborted, not after their end.
    return new Promise((resolve, reject) => {
      const leave = () => isSent || reject(aborted());
      signal.addEventListener('abort', leave, { once: true });
      turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  async #ask(message, last, { onEvent = () => {}, signal }) {
    const job = this.#nextJob++;
    const stop = () => this.#worker.postMessage({ v: PROTOCOL_VERSION, type: 'stop', job });
    try {
      return await new Promise((resolve, reject) => {
        // Later events of the same message belong to no job and are dropped.
        const settle = (how, what) => {
          this.#current = null;
          how(what);
        };
        const listen = (event) => {
          if (event.type === 'ended') settle(reject, this.#ended);
          else if (event.type === 'error') settle(reject, signal?.aborted ? aborted() : new HuggingtweetsError(event.error));
          else if (event.stopped) settle(reject, aborted());
          else if (event.type === last) settle(resolve, event);
          else onEvent(event);
        };
        this.#current = {
          job,
          listen: (event) => {
            try {
              listen(event);
            } catch (error) {
              // A callback has thrown: the call ends with the same error.
              stop();
              settle(reject, error);
            }
          },
        };
        signal?.addEventListener('abort', stop);
        this.#worker.postMessage({ v: PROTOCOL_VERSION, job, ...message });
      });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  get hasEnded() {
    return this.#ended !== null;
  }

  /** Ends the worker, which frees its memory; the running job and later jobs are rejected with `error`. */
  end(error) {
    this.#ended ??= error;
    this.#refuseStart(this.#ended);
    this.#current?.listen({ type: 'ended' });
    this.#worker.terminate();
  }
}

// Started when this module is imported, so that it is compiled by the time a model has arrived.
let spare = null;
try {
  spare = new EngineWorker({});
} catch {
  // There are no workers, or none from this origin: `pipeline` reports the error.
}

/** The worker that was started in advance, if its build is the requested one, or a new worker. */
function takeWorker({ threads = 'auto', simd = 'auto' }) {
  // That worker has relaxed SIMD if the browser has it, and a thread per core, or one thread without isolation.
  const isFit = simd !== 'simd128' && (threads === 'auto' || !globalThis.crossOriginIsolated);
  const worker = spare;
  spare = null;
  if (worker && isFit && !worker.hasEnded) return worker;
  worker?.end(disposed());
  return new EngineWorker({ threads, simd });
}

/** The `load` message for a model, and the name of the file that is fetched. */
function loadOf(model, { endpoint, dtype, cache = true }) {
  if (model instanceof ArrayBuffer) return loadOf(new Blob([model]), {});
  if (model instanceof Blob) {
    const name = model.name ?? 'model.gguf';
    return { message: { type: 'load', model: { files: [name] }, blobs: [model] }, name };
  }
  if (model === undefined || model === null) {
    return { message: { type: 'load', model: {} }, name: BUNDLED_MODEL.pathname.split('/').pop() };
  }
  const base = globalThis.document?.baseURI ?? globalThis.location.href;
  const absolute = (address) => new URL(address, base).href;
  const isPath = model instanceof URL || /^\.{0,2}\//.test(model) || /\.gguf([?#]|$)/i.test(model);
  const address = isPath ? absolute(model) : checkedText(model, 'the model');
  return {
    message: {
      type: 'load', model: { address, dtype, endpoint: endpoint === undefined ? undefined : absolute(endpoint) }, keep: cache,
    },
    name: String(model).split(/[?#]/)[0].split('/').pop(),
  };
}

/** Opens a model and gives back a generator. */
export async function pipeline(task, model, options = {}) {
  if (task !== 'text-generation') {
    throw new TypeError(`unknown task ${shown(task)}; this module knows 'text-generation'`);
  }
  const { progress_callback, signal, ...build } = checked(options, PIPELINE_OPTIONS);
  const { message, name } = loadOf(model, build);
  const worker = takeWorker(build);
  const report = ({ stage }) => stage?.stage === 'downloading' && progress_callback?.({
    status: 'progress', file: name, loaded: stage.loaded, total: stage.total ?? undefined,
  });
  let opened, started;
  try {
    ({ model: opened } = await worker.run(message, 'ready', { onEvent: report, signal }));
    started = await worker.started;
  } catch (error) {
    worker.end(error);
    throw error;
  }

  const one = async (prompt, prompt_index, { on_token, signal, ...params }) => {
    const texts = [];
    const onEvent = (event) => {
      if (event.type === 'token') {
        const { sequence, token_id, text, prob } = event;
        on_token?.({ sequence, token_id, text, prob, prompt_index });
      } else if (event.type === 'result') {
        texts[event.sequence] = { generated_text: event.generated_text };
      }
    };
    const { stats } = await worker.run({ type: 'generate', prompt, params }, 'done', { onEvent, signal });
    return { texts, stats };
  };

  /** Continues one prompt, or each of a list: `[{ generated_text }, …]`, or a list of such lists. */
  async function generator(prompts, options = {}) {
    const isList = Array.isArray(prompts);
    const list = (isList ? prompts : [prompts]).map((prompt) => checkedText(prompt, isList ? 'each prompt' : 'the prompt'));
    const seed = crypto.getRandomValues(new Uint32Array(1))[0];
    const asked = checkedCall(options);
    // A length that was asked for is not cut to the room that the context has.
    const isAsked = 'max_new_tokens' in asked || ('max_length' in asked && opened.defaults.max_new_tokens == null);
    const clip_length = opened.defaults.clip_length && !isAsked;
    const given = { ...opened.defaults, num_return_sequences: 1, seed, ...asked, clip_length };
    const answers = [];
    for (const [index, prompt] of list.entries()) answers.push(await one(prompt, index, given));
    const sum = (name) => answers.reduce((total, { stats }) => total + stats[name], 0);
    const { threads, simd, memory_bytes } = answers.at(-1)?.stats ?? generator.stats;
    generator.stats = {
      prompt_tokens: sum('prompt_tokens'), new_tokens: sum('new_tokens'), load_ms: opened.load_ms,
      prefill_ms: sum('prefill_ms'), decode_ms: sum('decode_ms'), threads, simd, memory_bytes,
    };
    const lists = answers.map(({ texts }) => texts);
    return isList ? lists : lists[0];
  }
  generator.notices = opened.notices.map(({ file, fact }) => `${file}: ${fact}`);
  generator.config = { ...opened.config, dtype: opened.dtype };
  generator.stats = {
    prompt_tokens: 0, new_tokens: 0, load_ms: opened.load_ms, prefill_ms: 0, decode_ms: 0,
    threads: started.threads ?? 1, simd: started.simd, memory_bytes: opened.memory_bytes,
  };
  generator.tokenizer = {
    encode: async (text) => (await worker.run({ type: 'tokenize', text: checkedText(text, 'the text') }, 'tokens')).token_ids,
    decode: async (ids) => {
      const token_ids = Array.from(ids);
      if (!token_ids.every(COUNT[1])) throw new TypeError(`each token id must be ${COUNT[0]}`);
      return (await worker.run({ type: 'detokenize', token_ids }, 'text')).text;
    },
  };
  generator.logits = async (text, options = {}) => {
    const { signal } = checked(options, { signal: SIGNAL });
    return (await worker.run({ type: 'logits', text: checkedText(text, 'the text') }, 'logits', { signal })).logits;
  };
  generator.dispose = async () => worker.end(disposed());
  return generator;
}
