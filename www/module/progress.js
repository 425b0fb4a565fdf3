// The progress of a load, in the events of transformers.js.

/** Turns the worker's events into those of transformers.js and passes them to `callback`. */
export class ProgressEvents {
  #callback;
  /** The model as the caller named it. */
  #name;
  /** Bytes of each file of the weights, by name: `{ loaded, total }`; `total` is 0 while it is unknown. */
  #files = {};
  /** The file that is being fetched, and the bytes of those before it. */
  #current = null;
  #bytesBefore = 0;

  constructor(callback, name) {
    this.#callback = callback;
    this.#name = name;
  }

  /** Takes an event of the worker. */
  hear(event) {
    if (event.type === 'fetching') this.#begin(event);
    else if (event.stage?.stage === 'downloading') this.#advance(event.stage);
  }

  /** The model is open. */
  ready(task) {
    this.#end();
    this.#callback({ status: 'ready', task, model: this.#name });
  }

  #begin({ file, bytes_before, size_bytes }) {
    // The worker does not report every piece: the file before may have arrived since.
    if (this.#current !== null && bytes_before > this.#bytesBefore) this.#advance({ loaded: bytes_before });
    this.#end();
    // A file that changed during its download begins again.
    if (bytes_before === 0) this.#files = {};
    this.#current = file;
    this.#bytesBefore = bytes_before;
    this.#files[file] = { loaded: 0, total: size_bytes ?? 0 };
    this.#post('initiate');
    this.#post('download');
  }

  #advance({ loaded, total }) {
    if (this.#current === null) return;
    const file = this.#files[this.#current];
    file.loaded = loaded - this.#bytesBefore;
    // A file that its host does not list is the only one.
    file.total ||= total ?? 0;
    this.#post('progress', ofAll([file]));
    this.#callback({
      status: 'progress_total', name: this.#name, ...ofAll(Object.values(this.#files)), files: structuredClone(this.#files),
    });
  }

  #end() {
    if (this.#current !== null) this.#post('done');
    this.#current = null;
  }

  #post(status, figures) {
    this.#callback({ status, name: this.#name, file: this.#current, ...figures });
  }
}

/** Bytes of several files, and their share in percent. */
function ofAll(files) {
  const sum = (of) => files.reduce((total, file) => total + file[of], 0);
  const [loaded, total] = [sum('loaded'), sum('total')];
  return { progress: total > 0 ? (100 * loaded) / total : 0, loaded, total };
}
