/// <reference lib="esnext.disposable" />
// Types of huggingtweets.js: a GPT-2 in a worker, with the interface of transformers.js.
// Names that no library has are ignored; an option of transformers' `generate` or of transformers.js that would change a
// result and is not done here is refused with a TypeError; `undefined` and `null` count as left out.
// A value of another type is refused with a TypeError, a number out of range with a HuggingtweetsError.

/** Types of weights. */
export type Dtype = 'auto' | 'q8_0' | 'q4_0' | 'q4_k' | 'q6_k' | 'f16' | 'f32';

/** The names of types in transformers.js; each stands for the type of its size: `q8`, `int8` and `uint8` for Q8_0, `q4` and `q4f16` for Q4_0. */
export type TransformersJsDtype = 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | 'q4f16';

/** Bytes of a download. */
export interface Bytes {
  /** Share in percent, 0 to 100; 0 where the server does not state the length. */
  progress: number;
  /** Bytes so far. */
  loaded: number;
  /** All bytes; 0 where the server does not state the length. */
  total: number;
}

/** A file of the weights: its download is about to begin (`initiate`, `download`), or it has arrived (`done`). */
export interface FileProgress {
  status: 'initiate' | 'download' | 'done';
  /** The model as it was named to {@link pipeline}. */
  name: string;
  /** The file's name, as its host lists it. */
  file: string;
}

/** Bytes of a file have arrived. */
export interface BytesProgress extends Bytes {
  status: 'progress';
  name: string;
  file: string;
}

/** Bytes of all files of the weights. */
export interface TotalProgress extends Bytes {
  status: 'progress_total';
  name: string;
  files: Record<string, { loaded: number; total: number }>;
}

/** The model is open. */
export interface ReadyProgress {
  status: 'ready';
  task: 'text-generation';
  /** The model as it was named to {@link pipeline}. */
  model: string;
}

/** The progress of a load, as transformers.js reports it. A model that is on the device already is `ready` at once. */
export type Progress = FileProgress | BytesProgress | TotalProgress | ReadyProgress;

/** Options of {@link pipeline}. */
export interface PipelineOptions {
  /**
   * The type that float weights are quantized to, and that selects one of several GGUFs. Default `'auto'`: Q8_0, or
   * the GGUF that is best for its size. A GGUF runs in the types it is stored in.
   */
  dtype?: Dtype | TransformersJsDtype | null;
  /** Threads to compute with, where page and module allow more than one; `stats.threads` is the number used. Default `'auto'`. */
  threads?: 'auto' | number | null;
  /** Instructions to compute with, where there is a build for them; `stats.simd` names those used. Default `'auto'`. */
  simd?: 'auto' | 'relaxed' | 'simd128' | null;
  /** The address that `OWNER/NAME` is read from, in place of the Hub's. */
  endpoint?: string | URL | null;
  /** Keep the model on this device, so that it is fetched once, and continue a partial download. Default true. */
  cache?: boolean | null;
  /**
   * The folder of the worker's files, for bundles whose bundler leaves them out (esbuild, Rollup); they are copied by
   * `npx huggingtweets-web FOLDER`. Default: where the bundler puts them, or the folder of the module or its bundle.
   */
  assets?: string | URL | null;
  /** Called while the model is loaded; with the bytes of a download at most 20 times a second, or once per MiB. */
  progress_callback?: ((progress: Progress) => void) | null;
  /** Ends the loading; `pipeline` then rejects with an `AbortError`, whose `cause` is the signal's reason. */
  signal?: AbortSignal | null;
  /** Of transformers.js, for a choice of files that is not done here; any other value is refused. */
  revision?: 'main' | null;
  /** As `revision`. */
  local_files_only?: false | null;
  /** As `revision`. */
  config?: null;
  /** As `revision`. */
  model_file_name?: null;
  /** As `revision`. */
  subfolder?: 'onnx' | null;
  /** Of transformers.js, for its runtime; ignored. */
  device?: unknown;
  /** As `device`. */
  session_options?: unknown;
  /** As `device`. */
  use_external_data_format?: unknown;
  /** As `device`. */
  cache_dir?: unknown;
}

/** Settings of all pipelines, as in transformers.js; an option of {@link pipeline} comes before them. */
export const env: {
  /** The address that `OWNER/NAME` is read from; `undefined` is the Hub's. */
  remoteHost: string | URL | undefined;
  /** Whether models are kept on the device. */
  useBrowserCache: boolean;
  /** Of transformers.js, whose other settings may be set and are ignored. */
  backends: { onnx: { wasm: { numThreads: number | undefined; [setting: string]: unknown }; [setting: string]: unknown } };
  [setting: string]: unknown;
};

/**
 * Receives the tokens of a text by `put`: ids of the prompt first, then each new one; then `end`. As in transformers.js,
 * ids are big integers, and come as `[[…]]`.
 */
export class BaseStreamer {
  put(value: bigint[][]): void;
  end(): void;
}

/** Passes on a text piece by piece, each as soon as its characters are complete. */
export class TextStreamer extends BaseStreamer {
  constructor(tokenizer: Tokenizer | null, options?: {
    /** Leave the prompt out. Default false. */
    skip_prompt?: boolean;
    /** Takes each piece of the text. Default: the console. */
    callback_function?: ((text: string) => void) | null;
    /** Takes the ids of the prompt, then each new id. */
    token_callback_function?: ((token_ids: bigint[]) => void) | null;
    /** Special tokens are left out; `false` is refused. */
    skip_special_tokens?: true;
  });
  /** Takes each piece of the text, and the end, with an empty text; a class that extends this one may have its own. */
  on_finalized_text(text: string, stream_end: boolean): void;
}

/** Ends the texts of a call between two tokens; the call then resolves with what is written so far. */
export class InterruptableStoppingCriteria {
  interrupted: boolean;
  interrupt(): void;
  /** To be called before the next text. */
  reset(): void;
}

/** One more token of one text. */
export interface Token {
  /** 0-based index of the text among those of its prompt. */
  sequence: number;
  /** The token's id; the token that ends a text is reported too. */
  token_id: number;
  /** The text that this token completes; empty while a character still lacks bytes. */
  text: string;
  /** Its probability after all filters, 0 to 1. */
  prob: number;
  /** 0-based index of the prompt in the list; 0 for a single prompt. */
  prompt_index: number;
}

/** Options of a call, with the names and meanings of Hugging Face `transformers`. Defaults without a number are the model's own. */
export interface GenerationOptions {
  /** Most tokens of the new text alone. When set, it counts instead of max_length. A whole number, 1 or more. */
  max_new_tokens?: number | null;
  /** Most tokens of prefix, prompt and new text together; a token is about four letters. A whole number, 1 or more. At most the model's context. */
  max_length?: number | null;
  /** A text cannot end before prefix, prompt and new text together have this many tokens. A whole number, 0 or more. */
  min_length?: number | null;
  /** Draw each token at random. When off, the likeliest token is always taken, so every text is the same. */
  do_sample?: boolean | null;
  /** Low is cautious and repetitive, high is wild; 1 is the model as trained. A number above 0. */
  temperature?: number | null;
  /** Only this many of the likeliest tokens may be drawn; 0 allows all. A whole number, 0 or more. */
  top_k?: number | null;
  /** Only the likeliest tokens that together reach this share may be drawn; 1 allows all. A number from 0 to 1. */
  top_p?: number | null;
  /** Above 1, words that are already there become less likely; 1 changes nothing. A number above 0. */
  repetition_penalty?: number | null;
  /** How many different texts are written at once. A whole number from 1 to 10. Default 1. */
  num_return_sequences?: number | null;
  /** Put the prompt in front of each generated_text, as the Python pipeline does. Default true. */
  return_full_text?: boolean | null;
  /** Put in front of the prompt, unseen. The bots learned that a tweet begins after it. */
  prefix?: string | null;
  /** The same seed, prompt and settings give the same text again. Without a seed, every run draws a new one. A whole number from 0 to 4294967295. Text i of a call draws with `seed + i`. */
  seed?: number | null;
  /** End a text where the model begins a new line. Default false. */
  stop_at_newline?: boolean | null;
  /** A text cannot end before this many new tokens. When set, it counts instead of min_length. A whole number, 0 or more. */
  min_new_tokens?: number | null;
  /** No run of this many tokens comes twice in prompt and text; 0 allows all. A whole number, 0 or more. */
  no_repeat_ngram_size?: number | null;
  /** Search this many texts at once for the likeliest; 1 searches none. The text comes when the search is done. A whole number from 1 to 32. */
  num_beams?: number | null;
  /** With beams: above 0 favours long texts, below 0 short ones. A number. */
  length_penalty?: number | null;
  /** With beams: end the search as soon as there are enough texts (true), when better ones are unlikely (false) or impossible ("never"). True, false or "never". */
  early_stopping?: boolean | 'never' | null;
  /** With beams: normalize the scores again after all other settings. */
  renormalize_logits?: boolean | null;
  /** Only tokens with at least this share of the likeliest token’s probability may be drawn; 0 allows all. A number from 0 to 1. */
  min_p?: number | null;
  /** Only the tokens that surprise about as much as expected, which together reach this share, may be drawn; 1 allows all. A number above 0, at most 1. */
  typical_p?: number | null;
  /** Only the likeliest tokens that together reach this share of the entropy may be drawn. A number above 0, at most 1. */
  top_h?: number | null;
  /** Only tokens of at least this probability may be drawn; 0 allows all. A number from 0 to 1. */
  epsilon_cutoff?: number | null;
  /** As epsilon_cutoff, but lower where many tokens are likely; 0 allows all. A number from 0 to 1. */
  eta_cutoff?: number | null;
  /** Token ids of words that never come. A list of lists of token ids, such as [[1212], [318, 407]]. */
  bad_words_ids?: readonly (readonly number[])[] | null;
  /** Token ids of words that become likelier, or with a negative number less likely. A list of pairs of token ids and a number, such as [[[1212], -2.5]]. */
  sequence_bias?: readonly (readonly [readonly number[], number])[] | null;
  /** Ids of tokens that never come. A token id or a list of them, such as [198, 628]. */
  suppress_tokens?: number | readonly number[] | null;
  /** Ids of tokens that no text begins with. A token id or a list of them, such as [198, 628]. */
  begin_suppress_tokens?: number | readonly number[] | null;
  /** Id of the token that follows a prompt of one token. A whole number from 0 to 4294967295. */
  forced_bos_token_id?: number | null;
  /** Id of the token that ends a text of the greatest length. A token id or a list of them, such as [198, 628]. */
  forced_eos_token_id?: number | readonly number[] | null;
  /** After this many new tokens the end of the text becomes likelier by the power of this factor. A whole number and a number, such as [20, 1.1]. */
  exponential_decay_length_penalty?: readonly [number, number] | null;
  /** Ids of the tokens that end a text, in place of the model’s own. A token id or a list of them, such as [198, 628]. */
  eos_token_id?: number | readonly number[] | null;
  /** Texts after which a text ends. A text or a list of texts, such as [".", "!"]. */
  stop_strings?: string | readonly string[] | null;
  /** Called for every token as it is written. An error that it throws ends the call. */
  on_token?: ((token: Token) => void) | null;
  /** Takes the tokens of one text. The classes of transformers.js itself need its own tokenizer: take those of this module. */
  streamer?: BaseStreamer | { put(value: bigint[][]): void; end(): void } | null;
  /** Takes each piece of one text as it is written, without the prompt: the option of {@link TextStreamer}. */
  callback_function?: ((text: string) => void) | null;
  /** Takes each new id of one text: the option of {@link TextStreamer}. */
  token_callback_function?: ((token_ids: bigint[]) => void) | null;
  /** Ends the call with what is written so far. Criteria of other kinds, which need scores, are refused. */
  stopping_criteria?: { interrupted: boolean } | readonly { interrupted: boolean }[] | null;
  /** Ends the call between two tokens; it then rejects with an `AbortError`, whose `cause` is the signal's reason. */
  signal?: AbortSignal | null;
}

/** Options of {@link Tokenizer} from text to ids. Others of transformers.js that would change the ids are refused. */
export interface EncodeOptions {
  /** Ends the wait for earlier calls. */
  signal?: AbortSignal | null;
  /** No special token is added to a text of a GPT-2. */
  add_special_tokens?: boolean | null;
  /** Lists and no tensors are the result. */
  return_tensor?: false | null;
}

/** Options of {@link Tokenizer} from ids to text. */
export interface DecodeOptions {
  /** Ends the wait for earlier calls. */
  signal?: AbortSignal | null;
  /** Special tokens are left out; `false` is refused. */
  skip_special_tokens?: true | null;
}

/** One text. */
export interface GeneratedText {
  /** Prompt and continuation, or the continuation alone, as `return_full_text` asks. */
  generated_text: string;
}

/** Figures of the last call that was completed; counts and times are 0 before the first. */
export interface Stats {
  /** Tokens of prefix and prompt; of a list of prompts, all of them. */
  prompt_tokens: number;
  /** New tokens of all texts. */
  new_tokens: number;
  /** Milliseconds from the model's bytes in hand to ready. */
  load_ms: number;
  /** Milliseconds of reading prefix and prompt. */
  prefill_ms: number;
  /** Milliseconds of writing. */
  decode_ms: number;
  /** Threads used. */
  threads: number;
  /** Instructions used, such as `simd128`. */
  simd: string;
  /** Bytes of the engine's WebAssembly memory. */
  memory_bytes: number;
}

/** The model's shape, with the names of `config.json`, and the type of most of its weights. */
export interface Config {
  /** Tokens in the vocabulary. */
  vocab_size: number;
  /** Most tokens the model can see. */
  n_ctx: number;
  /** Width of the embeddings. */
  n_embd: number;
  /** Layers. */
  n_layer: number;
  /** Attention heads. */
  n_head: number;
  /** Width inside the feed-forward part. */
  n_inner: number;
  layer_norm_epsilon: number;
  /** Id of the token that opens a text; null if the model has none. */
  bos_token_id: number | null;
  /** Id of the token that ends a text, or of those that do; null if the model has none. */
  eos_token_id: number | number[] | null;
  /** Type of most weights. */
  dtype: Exclude<Dtype, 'auto'> | (string & {});
}

/** Text to token ids and back, as in transformers.js, but by promises, because the tokenizer is in the worker. */
export interface Tokenizer {
  /** Ids of a text, or of each of a list, without prefix. */
  <T extends string | readonly string[]>(text: T, options?: EncodeOptions): Promise<{
    input_ids: T extends string ? number[] : number[][];
    /** A 1 for each id. */
    attention_mask: T extends string ? number[] : number[][];
  }>;
  /** Ids of a text, without prefix. */
  encode(text: string, options?: EncodeOptions): Promise<number[]>;
  /** Text of ids, special tokens left out. */
  decode(token_ids: Iterable<number | bigint> | ArrayLike<number | bigint>, options?: DecodeOptions): Promise<string>;
  /** Text of each list of ids. */
  batch_decode(
    lists: Iterable<Iterable<number | bigint> | ArrayLike<number | bigint>>, options?: DecodeOptions,
  ): Promise<string[]>;
}

/** The texts of one prompt, or a list of them for each prompt of a list. */
export type Generated<T extends string | readonly string[]> = T extends string ? GeneratedText[] : GeneratedText[][];

/** A model in a worker of its own. Calls run one after another. */
export interface TextGenerationPipeline extends AsyncDisposable {
  /** Continues a prompt, or each prompt of a list, one after another. */
  <T extends string | readonly string[]>(prompts: T, options?: GenerationOptions): Promise<Generated<T>>;
  readonly task: 'text-generation';
  /** The model's shape. */
  readonly config: Config;
  /** The model's tokenizer. */
  readonly tokenizer: Tokenizer;
  /** What there is to know about the model's files, a sentence each: values that are passed over, for example. */
  readonly notices: readonly string[];
  /** Figures of the last call. */
  readonly stats: Stats;
  /**
   * The tokens of a call, each as it is written: `for await (const token of generator.stream(prompt)) …`. Leaving the
   * loop ends the call; an aborted one throws its `AbortError` there.
   */
  stream(prompts: string | readonly string[], options?: GenerationOptions): AsyncGenerator<Token, void, void>;
  /** Scores (n_vocab) for the token after `text`, which has at least one token; no prefix is added. */
  logits(text: string, options?: { signal?: AbortSignal | null }): Promise<Float32Array>;
  /** Ends the worker and frees its memory. Running and later calls reject. `await using` calls it too. */
  dispose(): Promise<void>;
}

/** The kinds of failure, for programs. */
export type ErrorCode =
  | 'bad_message' | 'busy' | 'no_model' | 'download' | 'truncated' | 'not_a_model' | 'unsupported_model'
  | 'bad_parameters' | 'context_overflow' | 'out_of_memory' | 'worker_crashed' | 'cancelled' | 'storage';

/** A failure that the worker reports; `message` is the fact, `hint` the remedy. */
export class HuggingtweetsError extends Error {
  constructor(report: { code: ErrorCode; message: string; hint: string; retryable: boolean });
  readonly code: ErrorCode;
  /** The remedy. */
  readonly hint: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

/**
 * Opens a model in a worker of its own.
 *
 * `model`: `OWNER/NAME` on the Hub, or the name of a GPT-2 without an owner, such as `gpt2`; `@HANDLE` of a bot; the
 * address of a GGUF or of a folder laid out like a repository, absolute or, with `./`, `/` or `.gguf`, relative to the
 * page; a `Blob`, `File` or `ArrayBuffer` of a GGUF; left out, the model that comes with the module.
 *
 * Where the module is imported as it is, without a bundler, the worker of the first pipeline is started by the import, so
 * that it is compiled by the time a model is at hand; import the module where you mean to use it.
 */
export function pipeline(
  task: 'text-generation',
  model?: string | URL | Blob | ArrayBuffer | null,
  options?: PipelineOptions,
): Promise<TextGenerationPipeline>;
