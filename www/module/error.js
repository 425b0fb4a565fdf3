// The errors of the module.

/** A capital letter, unless the first word is the name of a file or an option, and a full stop. */
const sentence = (text) => (/^\S*[./_=`]\S/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1)).replace(/\.?$/, '.');

/** A failure that the worker reports: `message` is the fact, `hint` the remedy. */
export class HuggingtweetsError extends Error {
  constructor({ code, message, hint, retryable }) {
    const [fact, remedy] = [sentence(message), sentence(hint)];
    // Consoles that print the stack show the remedy too.
    super(`${fact} ${remedy}`);
    this.message = fact;
    this.name = code === 'cancelled' ? 'AbortError' : 'HuggingtweetsError';
    Object.assign(this, { code, hint: remedy, retryable });
  }
}

/** The error of a call that `signal` ended; its `cause` is the signal's reason. */
export const aborted = (signal) =>
  Object.assign(new DOMException('stopped by its AbortSignal', 'AbortError'), { cause: signal?.reason });

/** The error of calls to a generator that is gone. */
export const disposed = () => new HuggingtweetsError({
  code: 'no_model', message: 'this generator was disposed', hint: 'call pipeline again', retryable: false,
});

/** The end of a worker that did not say why, or that could not be started. */
export const noWorker = (message, hint, retryable = false) =>
  new HuggingtweetsError({ code: 'worker_crashed', message, hint, retryable });

/** A value in the words of a message. */
export const shown = (value) => (typeof value === 'string' ? `'${value}'` : typeof value === 'object' ? 'an object' : String(value));
