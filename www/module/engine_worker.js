// A worker with its jobs: the module's end of the channel, whose messages are those of src/protocol.rs.

import { startWorker } from '../start_worker.js';
import { HuggingtweetsError, aborted, disposed, noWorker } from './error.js';

const PROTOCOL_VERSION = 2;

const crashed = () => noWorker('the worker stopped', 'call pipeline again', true);

/** One worker: numbers jobs, runs them one after another, and passes events to the running job. */
export class EngineWorker {
  /** `null` until one has started, and after the end. */
  #worker = null;
  /** Resolves with the worker's first message. */
  started;
  #tellStarted;
  #refuseStart;
  /** The running job: `{ job, listen }`. */
  #current = null;
  #nextJob = 1;
  #queue = Promise.resolve();
  #ended = null;

  /** `settings`: `{ threads, simd, assets }`, by which the loader chooses the build. */
  constructor(settings) {
    this.started = new Promise((resolve, reject) => {
      this.#tellStarted = resolve;
      this.#refuseStart = reject;
    });
    this.started.catch(() => {});
    startWorker(settings).then((start) => this.#adopt(start), (error) => this.end(error));
  }

  #adopt({ worker, message, model }) {
    if (this.#ended) return worker.terminate();
    this.#worker = worker;
    worker.onmessage = ({ data }) => data.forEach((event) => this.#hear(event));
    worker.onerror = () => this.end(crashed());
    this.#post({ type: 'locate_bundled', url: model });
    message.forEach((event) => this.#hear(event));
  }

  #post(message) {
    this.#worker?.postMessage({ v: PROTOCOL_VERSION, ...message });
  }

  #hear(event) {
    if (event.v !== PROTOCOL_VERSION) return;
    if (event.type === 'started') {
      this.#tellStarted(event);
    } else if (event.type === 'error' && event.job === null && ['worker_crashed', 'out_of_memory'].includes(event.error.code)) {
      this.end(new HuggingtweetsError(event.error));
    } else if (this.#current && (event.job ?? this.#current.job) === this.#current.job) {
      // An error without a job is the answer to a message that could not be read; it belongs to the running job.
      this.#current.listen(event);
    }
  }

  /**
   * Sends `message` once earlier jobs are done; resolves with the event whose type is `last`. Every other event goes to
   * `onEvent`, with a function that stops the job without rejecting.
   */
  run(message, last, options = {}) {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(aborted(signal));
    let isSent = false;
    const turn = this.#queue.then(async () => {
      await this.started;
      if (this.#ended) throw this.#ended;
      if (signal?.aborted) throw aborted(signal);
      isSent = true;
      return this.#ask(message, last, options);
    });
    this.#queue = turn.catch(() => {});
    if (!signal) return turn;
    // A job that waits for earlier jobs is rejected as soon as it is aborted, not after their end.
    return new Promise((resolve, reject) => {
      const leave = () => isSent || reject(aborted(signal));
      signal.addEventListener('abort', leave, { once: true });
      turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  async #ask(message, last, { onEvent = () => {}, signal }) {
    const job = this.#nextJob++;
    let isInterrupted = false;
    const stop = () => this.#post({ type: 'stop', job });
    const interrupt = () => {
      if (!isInterrupted) stop();
      isInterrupted = true;
    };
    try {
      return await new Promise((resolve, reject) => {
        // Later events of the same message belong to no job and are dropped.
        const settle = (how, what) => {
          this.#current = null;
          how(what);
        };
        const listen = (event) => {
          if (event.type === 'ended') settle(reject, this.#ended);
          else if (event.type === 'error') settle(reject, signal?.aborted ? aborted(signal) : new HuggingtweetsError(event.error));
          else if (event.stopped && !isInterrupted) settle(reject, aborted(signal));
          else if (event.type === last) settle(resolve, event);
          else onEvent(event, interrupt);
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
        this.#post({ job, ...message });
      });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  get hasEnded() {
    return this.#ended !== null;
  }

  /** Ends the worker, which frees its memory; the running job and later jobs are rejected with `error`. */
  end(error = disposed()) {
    this.#ended ??= error;
    this.#refuseStart(this.#ended);
    this.#current?.listen({ type: 'ended' });
    this.#worker?.terminate();
    this.#worker = null;
  }
}
