// The options of the module: their names, their allowed values, and what transformers.js has besides.

import { shown } from './error.js';

// The allowed values of an option: words for the message, the test, and a conversion if there is one.
const COUNT = ['a whole number from 0 to 4294967295', (n) => Number.isInteger(n) && n >= 0 && n <= 0xffff_ffff];
const NUMBER = ['a finite number', Number.isFinite];
const FLAG = ['true or false', (value) => typeof value === 'boolean'];
const TEXT = ['a string', (value) => typeof value === 'string'];
const isCount = COUNT[1];
const isList = (test) => (value) => Array.isArray(value) && value.every(test);
const isIds = (value) => isList(isCount)(value) && value.length > 0;
const EARLY = ["true, false or 'never'", (value) => typeof value === 'boolean' || value === 'never'];
const listed = (value) => [value].flat();
const IDS = ['a token id or a list of them', (value) => isList(isCount)(listed(value)), listed];
const ID_LISTS = ['a list of lists of token ids', isList(isIds)];
const BIASES = ['a list of pairs of token ids and a number', isList((pair) => Array.isArray(pair) && pair.length === 2 && isIds(pair[0]) && Number.isFinite(pair[1]))];
const DECAY = ['a whole number and a number', (value) => Array.isArray(value) && value.length === 2 && isCount(value[0]) && value[1] > 0];
const TEXTS = ['a string or a list of them', (value) => isList((text) => typeof text === 'string' && text)(listed(value)), listed];
const FUNCTION = ['a function', (value) => typeof value === 'function'];
const SIGNAL = ['an AbortSignal', (value) => typeof value.aborted === 'boolean'];
const ADDRESS = ['a string or a URL', (value) => typeof value === 'string' || value instanceof URL];
const STREAMER = ['a TextStreamer, or an object with put() and end()', (value) => typeof value.put === 'function' && typeof value.end === 'function'];
const CRITERIA = ['an InterruptableStoppingCriteria or a list of them', (value) => isList((one) => typeof one?.interrupted === 'boolean')(criteriaOf(value)), criteriaOf];
const oneOf = (values, convert) => [`one of ${values.map((value) => `'${value}'`).join(', ')}`, (value) => values.includes(value), convert];

/** A list of criteria; transformers.js has a class for such lists. */
function criteriaOf(value) {
  return listed(value.criteria ?? value);
}

const DTYPES = ['auto', 'q8_0', 'q4_0', 'q4_k', 'q6_k', 'f16', 'f32'];
/** The names of transformers.js, with the type that stands for each. */
const DTYPES_OF_TRANSFORMERS_JS = {
  fp32: 'f32', fp16: 'f16', q8: 'q8_0', int8: 'q8_0', uint8: 'q8_0', q4: 'q4_0', q4f16: 'q4_0',
};

const PIPELINE_OPTIONS = {
  dtype: oneOf([...DTYPES, ...Object.keys(DTYPES_OF_TRANSFORMERS_JS)], (dtype) => DTYPES_OF_TRANSFORMERS_JS[dtype] ?? dtype),
  threads: ["'auto' or a whole number from 1", (n) => n === 'auto' || (Number.isInteger(n) && n >= 1)],
  simd: oneOf(['auto', 'relaxed', 'simd128']),
  cache: FLAG,
  endpoint: ADDRESS,
  assets: ADDRESS,
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

/** The options of a call that are the module's own. */
const CALL_OPTIONS = {
  on_token: FUNCTION, callback_function: FUNCTION, token_callback_function: FUNCTION, streamer: STREAMER,
  stopping_criteria: CRITERIA, signal: SIGNAL,
};

// Options of transformers' `generate` and of transformers.js that would change a result and are not done here, with the
// value that changes nothing: any other is refused by name.
const NOT_DONE = {
  assistant_early_exit: null, assistant_model: null, clean_up_tokenization_spaces: false, constraints: null,
  custom_generate: null, diversity_penalty: 0, dola_layers: null, encoder_no_repeat_ngram_size: 0,
  encoder_repetition_penalty: 1, force_words_ids: null, generation_config: null, guidance_scale: 1,
  handle_long_generation: null, logits_processor: null, max_time: null, negative_prompt_ids: null,
  num_beam_groups: 1, penalty_alpha: 0, prefix_allowed_tokens_fn: null, prompt_lookup_num_tokens: null,
  remove_invalid_values: false, return_tensors: false, speculation_type: null, stop_sequence: null,
  token_healing: false, use_mtp: false, watermarking_config: null,
};
const NOT_DONE_BY_PIPELINE = {
  config: null, local_files_only: false, model_file_name: null, revision: 'main', subfolder: 'onnx',
};
const NOT_DONE_BY_TOKENIZER = { padding: false, return_tensor: false, text_pair: null, truncation: false };
const NOT_DONE_BY_DECODE = { clean_up_tokenization_spaces: false, skip_special_tokens: true };

/**
 * The options among `given` that `known` lists; `undefined` and `null` count as left out, names that no library has are
 * ignored, and those of `notDone` are refused unless they change nothing.
 */
function checked(given, known, notDone = {}) {
  if (given === null || typeof given !== 'object') throw new TypeError('the options must be an object');
  const options = {};
  for (const [name, [words, test, convert = (value) => value]] of Object.entries(known)) {
    const value = given[name] ?? undefined;
    if (value === undefined) continue;
    if (!test(value)) throw new TypeError(`\`${name}\` must be ${words}, not ${shown(value)}`);
    options[name] = convert(value);
  }
  for (const [name, neutral] of Object.entries(notDone)) {
    if ((given[name] ?? neutral) !== neutral) {
      const only = neutral === null ? 'leave it out' : `leave it out, or give ${shown(neutral)}`;
      throw new TypeError(`\`${name}\` is not done by this module; ${only}`);
    }
  }
  return options;
}

/** The options of `pipeline`. */
export const pipelineOptions = (given) => checked(given, PIPELINE_OPTIONS, NOT_DONE_BY_PIPELINE);

/** The options of a call: those for the engine as `params`, beside the module's own. */
export function callOptions(given) {
  const params = checked(given, PARAMS, NOT_DONE);
  return { params, ...checked(given, CALL_OPTIONS) };
}

/**
 * The number of texts where a call states none: one as in transformers, or as many as the model's files state. A text
 * that is not drawn is always the same, and a search finds no more texts than it has beams.
 */
export function unaskedTexts(files, { do_sample, num_beams }) {
  if (!do_sample && num_beams <= 1) return 1;
  // Files that state no number count as five.
  const isStated = files.num_beams > 1 || files.num_return_sequences !== 5;
  const number = isStated ? files.num_return_sequences : 1;
  return num_beams > 1 ? Math.min(number, num_beams) : number;
}

/** The options of `logits`, which has but a signal. */
export const signalOption = (given) => checked(given, { signal: SIGNAL });

/** The options of the tokenizer's ways from text to ids. */
export const encodeOptions = (given) => checked(given, { signal: SIGNAL }, NOT_DONE_BY_TOKENIZER);

/** The options of the tokenizer's way back. */
export const decodeOptions = (given) => checked(given, { signal: SIGNAL }, NOT_DONE_BY_DECODE);

/** `text`, which must be a string; `name` is its name in the message. */
export function checkedText(text, name) {
  if (typeof text === 'string') return text;
  const isChat = typeof text?.role === 'string';
  throw new TypeError(isChat
    ? `${name} is a message of a chat, which a GPT-2 has no form for; give a string`
    : `${name} must be a string, not ${shown(text)}`);
}

/** A list of token ids; transformers.js has big integers too. */
export function checkedIds(ids) {
  const numbers = Array.from(ids, Number);
  if (!numbers.every(isCount)) throw new TypeError(`each token id must be ${COUNT[0]}`);
  return numbers;
}
