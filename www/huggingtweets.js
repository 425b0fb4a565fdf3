// The ES module of huggingtweets-web: a GPT-2 in a worker, with the interface of transformers.js.
// Types and meanings: huggingtweets.d.ts. Its parts: module/, and start_worker.js, which finds and starts the worker.

import { EngineWorker } from './module/engine_worker.js';
import { shown } from './module/error.js';
import {
  callOptions, checkedIds, checkedText, decodeOptions, encodeOptions, pipelineOptions, signalOption, unaskedTexts,
} from './module/options.js';
import { ProgressEvents } from './module/progress.js';
import { give, streamerOf } from './module/streamer.js';
import { isServedAsIs } from './start_worker.js';

export { HuggingtweetsError } from './module/error.js';
export { BaseStreamer, InterruptableStoppingCriteria, TextStreamer } from './module/streamer.js';

/** Settings of all pipelines, as in transformers.js; an option of `pipeline` comes before them. */
export const env = {
  /** The address that `OWNER/NAME` is read from; `undefined` is the Hub's. */
  remoteHost: undefined,
  /** Whether models are kept on the device. */
  useBrowserCache: true,
  backends: { onnx: { wasm: { numThreads: undefined } } },
};

// Started when this module is imported, so that it is compiled by the time a model has arrived. An app imports its
// bundle at once, and starts the worker with the first pipeline.
let spare = isServedAsIs && typeof Worker === 'function' ? new EngineWorker({}) : null;

/** The worker that was started in advance, if its build is the requested one, or a new worker. */
function takeWorker({ threads = 'auto', simd = 'auto', assets }) {
  // That worker has relaxed SIMD if the browser has it, and a thread per core, or one thread without isolation.
  const isFit = assets === undefined && simd !== 'simd128' && (threads === 'auto' || !globalThis.crossOriginIsolated);
  const worker = spare;
  spare = null;
  if (worker && isFit && !worker.hasEnded) return worker;
  worker?.end();
  return new EngineWorker({ threads, simd, assets });
}

/** The `load` message for a model, and the model's name in events. */
function loadOf(model, { endpoint = env.remoteHost, dtype, cache = env.useBrowserCache }) {
  if (model instanceof ArrayBuffer) return loadOf(new Blob([model]), {});
  if (model instanceof Blob) {
    const name = model.name ?? 'model.gguf';
    return { message: { type: 'load', model: { files: [name] }, blobs: [model] }, name };
  }
  if (model === undefined || model === null) return { message: { type: 'load', model: {} }, name: 'bundled' };
  const base = globalThis.document?.baseURI ?? globalThis.location.href;
  const absolute = (address) => new URL(address, base).href;
  const isPath = model instanceof URL || /^\.{0,2}\//.test(model) || /\.gguf([?#]|$)/i.test(model);
  const address = isPath ? absolute(model) : checkedText(model, 'the model');
  return {
    message: {
      type: 'load', model: { address, dtype, endpoint: endpoint === undefined ? undefined : absolute(endpoint) }, keep: cache,
    },
    name: String(model),
  };
}

/** Opens a model and gives back a generator. */
export async function pipeline(task, model, options = {}) {
  if (task !== 'text-generation') {
    throw new TypeError(`unknown task ${shown(task)}; this module knows 'text-generation'`);
  }
  const { progress_callback, signal, ...build } = pipelineOptions(options);
  build.threads ??= env.backends.onnx.wasm.numThreads;
  const { message, name } = loadOf(model, build);
  const progress = progress_callback && new ProgressEvents(progress_callback, name);
  const worker = takeWorker(build);
  try {
    const { model: opened } = await worker.run(message, 'ready', { onEvent: (event) => progress?.hear(event), signal });
    const generator = generatorOf(worker, opened, await worker.started);
    progress?.ready(task);
    return generator;
  } catch (error) {
    worker.end(error);
    throw error;
  }
}

/** A generator of the model that `worker` has opened. */
function generatorOf(worker, opened, started) {
  const encode = async (text, options = {}) => {
    const { signal } = encodeOptions(options);
    return (await worker.run({ type: 'tokenize', text: checkedText(text, 'the text') }, 'tokens', { signal })).token_ids;
  };
  const decode = async (ids, options = {}) => {
    const { signal } = decodeOptions(options);
    return (await worker.run({ type: 'detokenize', token_ids: checkedIds(ids) }, 'text', { signal })).text;
  };

  /** Continues one prompt: its texts and their figures. */
  const write = async (prompt, prompt_index, { params, on_token, stopping_criteria = [], signal, ...receivers }) => {
    const streamer = streamerOf(receivers);
    if (streamer) give(streamer, await encode(prompt, { signal }), prompt);
    const texts = [];
    const onEvent = (event, interrupt) => {
      if (event.type === 'result') {
        texts[event.sequence] = { generated_text: event.generated_text };
      } else if (event.type === 'token') {
        const { sequence, token_id, text, prob } = event;
        on_token?.({ sequence, token_id, text, prob, prompt_index });
        if (streamer) give(streamer, [token_id], text);
        if (stopping_criteria.some(({ interrupted }) => interrupted)) interrupt();
      }
    };
    const { stats } = await worker.run({ type: 'generate', prompt, params }, 'done', { onEvent, signal });
    streamer?.end();
    return { texts, stats };
  };

  /** Continues one prompt, or each of a list: `[{ generated_text }, …]`, or a list of such lists. */
  async function generator(prompts, options = {}) {
    const isList = Array.isArray(prompts);
    const list = (isList ? prompts : [prompts]).map((prompt) => checkedText(prompt, isList ? 'each prompt' : 'the prompt'));
    const { params: asked, ...rest } = callOptions(options);
    const seed = crypto.getRandomValues(new Uint32Array(1))[0];
    // A length that was asked for is not cut to the room that the context has.
    const isAsked = 'max_new_tokens' in asked || ('max_length' in asked && opened.defaults.max_new_tokens == null);
    const clip_length = opened.defaults.clip_length && !isAsked;
    const params = { ...opened.defaults, seed, ...asked, clip_length };
    const hasStreamer = Boolean(streamerOf(rest));
    params.num_return_sequences = asked.num_return_sequences ?? (hasStreamer ? 1 : unaskedTexts(opened.defaults, params));
    if (hasStreamer && (list.length > 1 || params.num_return_sequences > 1)) {
      throw new TypeError('a streamer takes one text at a time: give one prompt and leave `num_return_sequences` out, or use `on_token`');
    }
    const answers = [];
    for (const [index, prompt] of list.entries()) answers.push(await write(prompt, index, { params, ...rest }));
    const sum = (name) => answers.reduce((total, { stats }) => total + stats[name], 0);
    const { threads, simd, memory_bytes } = answers.at(-1)?.stats ?? generator.stats;
    generator.stats = {
      prompt_tokens: sum('prompt_tokens'), new_tokens: sum('new_tokens'), load_ms: opened.load_ms,
      prefill_ms: sum('prefill_ms'), decode_ms: sum('decode_ms'), threads, simd, memory_bytes,
    };
    const lists = answers.map(({ texts }) => texts);
    return isList ? lists : lists[0];
  }

  generator.task = 'text-generation';
  generator.notices = opened.notices.map(({ file, fact }) => `${file}: ${fact}`);
  generator.config = { ...opened.config, dtype: opened.dtype };
  generator.stats = {
    prompt_tokens: 0, new_tokens: 0, load_ms: opened.load_ms, prefill_ms: 0, decode_ms: 0,
    threads: started.threads ?? 1, simd: started.simd, memory_bytes: opened.memory_bytes,
  };
  generator.tokenizer = Object.assign(async (text, options = {}) => {
    const idsOf = async (one) => encode(one, options);
    const input_ids = await (Array.isArray(text) ? Promise.all(text.map(idsOf)) : idsOf(text));
    const ones = (ids) => (Array.isArray(ids) ? ids.map(ones) : 1);
    return { input_ids, attention_mask: ones(input_ids) };
  }, {
    encode,
    decode,
    batch_decode: async (lists, options = {}) => Promise.all(Array.from(lists, (ids) => decode(ids, options))),
  });
  generator.logits = async (text, options = {}) => {
    const { signal } = signalOption(options);
    return (await worker.run({ type: 'logits', text: checkedText(text, 'the text') }, 'logits', { signal })).logits;
  };
  generator.stream = (prompts, options = {}) => tokensOf(generator, prompts, options);
  generator.dispose = async () => worker.end();
  // For `await using`, where there is such a symbol.
  if (Symbol.asyncDispose) Object.defineProperty(generator, Symbol.asyncDispose, { value: generator.dispose });
  return generator;
}

/** The tokens of a call, as they are written. Leaving the loop ends the call. */
async function* tokensOf(generator, prompts, options) {
  const left = new AbortController();
  const { signal } = callOptions(options);
  const leave = () => left.abort(signal.reason);
  if (signal?.aborted) leave();
  signal?.addEventListener('abort', leave);
  const waiting = [];
  let wake = () => {};
  let end = null;
  const on_token = (token) => {
    options.on_token?.(token);
    waiting.push(token);
    wake();
  };
  const ended = (failure) => {
    end = { failure };
    wake();
  };
  generator(prompts, { ...options, on_token, signal: left.signal }).then(() => ended(), ended);
  try {
    while (!end || waiting.length > 0) {
      if (waiting.length > 0) yield waiting.shift();
      else await new Promise((resolve) => { wake = resolve; });
    }
    if (end.failure) throw end.failure;
  } finally {
    signal?.removeEventListener('abort', leave);
    left.abort();
  }
}
