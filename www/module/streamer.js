// Texts while they are written, and their interruption, by the classes of transformers.js.

/** The text of the ids that the next `put` brings; the worker has decoded it already. */
const FULL_TEXT = Symbol('text');

/** Receives the tokens of a text: those of the prompt first, then each new one, then the end. */
export class BaseStreamer {
  /** Takes the ids of one text, `[[…]]`. */
  put() {
    throw new Error('a streamer must have its own put()');
  }

  /** The text is complete. */
  end() {
    throw new Error('a streamer must have its own end()');
  }
}

/** Passes on a text piece by piece, each as soon as its characters are complete. */
export class TextStreamer extends BaseStreamer {
  #isPrompt = true;

  /** The tokenizer stands first because it does in transformers.js. */
  constructor(tokenizer, {
    skip_prompt = false, callback_function = null, token_callback_function = null, skip_special_tokens = true,
  } = {}) {
    super();
    if (!skip_special_tokens) {
      throw new TypeError('`skip_special_tokens: false` is not done by this module; special tokens are left out of texts');
    }
    Object.assign(this, {
      tokenizer, skip_prompt, callback_function: callback_function ?? ((text) => console.log(text)), token_callback_function,
    });
  }

  put([ids]) {
    const isSkipped = this.#isPrompt && this.skip_prompt;
    this.#isPrompt = false;
    if (isSkipped) return;
    this.token_callback_function?.(ids);
    this.on_finalized_text(this[FULL_TEXT] ?? '', false);
  }

  end() {
    this.#isPrompt = true;
    this.on_finalized_text('', true);
  }

  /** Takes a piece of the text; a class of the caller may have its own. */
  on_finalized_text(text, _is_end) {
    if (text) this.callback_function(text);
  }
}

/** Ends a text when the caller says so; the call then resolves with what is written. */
export class InterruptableStoppingCriteria {
  interrupted = false;

  interrupt() {
    this.interrupted = true;
  }

  /** Must be called before the next text. */
  reset() {
    this.interrupted = false;
  }
}

/** The streamer of a call: the one given, or one that calls the functions given. */
export function streamerOf({ streamer, callback_function, token_callback_function }) {
  if (streamer || !(callback_function || token_callback_function)) return streamer;
  return new TextStreamer(null, { skip_prompt: true, callback_function: callback_function ?? (() => {}), token_callback_function });
}

/** Gives ids and their text to a streamer. */
export function give(streamer, ids, text) {
  streamer[FULL_TEXT] = text;
  // As in transformers.js, ids are big integers.
  streamer.put([ids.map(BigInt)]);
}
