// The frame of a <huggingtweets-bot>, fetched when a visitor asks the bot to write. All frames of a document share one
// engine, which runs in a hidden frame of its own (engine.html), so that it outlives each of them.
// The messages of a frame are listed in src/state/frame_message.rs.

import { HuggingtweetsError } from './module/error.js';

const VERSION = 1;
const MOST_MESSAGES_A_SECOND = 400;
/** A frame that has not reported by then, after it was loaded, was not allowed. */
const SILENT_MS = 2000;
const EVENTS = ['progress', 'ready', 'token', 'result', 'error'];
const STYLES = ['accent', 'on-accent', 'tint', 'background', 'text', 'muted', 'line', 'radius', 'font'];

const FOLDER = new URL('./', import.meta.url).href;
/** The frames of a sandboxed page have no origin, as the page itself. */
const ORIGIN = self.origin === 'null' ? 'null' : new URL(FOLDER).origin;

const ABORTED = { code: 'cancelled', message: 'stopped', hint: 'call it again', retryable: true };
const failure = (report) => new HuggingtweetsError(report);

/** How many messages of frames were dropped, by reason. */
export const dropped = { origin: 0, version: 0, shape: 0, flood: 0 };

const send = (frame, type, fields = {}, ports = []) => frame.contentWindow?.postMessage(
  { huggingtweets: { v: VERSION, type, ...fields } }, ORIGIN === 'null' ? '*' : ORIGIN, ports,
);

/** Calls `handlers[type]` for the messages of a frame, which gives back `false` for a wrong shape; gives back the end of it. */
const listen = (frame, handlers) => {
  const view = frame.ownerDocument.defaultView;
  let [since, count] = [0, 0];
  const hear = ({ data, origin, source }) => {
    if (!frame.contentWindow || source !== frame.contentWindow || !data?.huggingtweets) return;
    const message = data.huggingtweets;
    const now = performance.now();
    if (now - since > 1000) [since, count] = [now, 0];
    if (++count > MOST_MESSAGES_A_SECOND) dropped.flood++;
    else if (origin !== ORIGIN) dropped.origin++;
    else if (message.v !== VERSION) dropped.version++;
    else if (!Object.hasOwn(handlers, message.type) || handlers[message.type](message) === false) dropped.shape++;
  };
  view.addEventListener('message', hear);
  return () => view.removeEventListener('message', hear);
};

const makeFrame = (doc, path, title, isCredentialless) => {
  const frame = doc.createElement('iframe');
  frame.title = title;
  frame.allow = 'clipboard-write; cross-origin-isolated';
  if (isCredentialless) frame.credentialless = true;
  // The frame listens to this origin alone. In the fragment, it needs no copy of the page of its own in the cache.
  frame.src = `${FOLDER}${path}#host=${encodeURIComponent(self.origin)}`;
  return frame;
};

/** The engine of a document. */
class Engine {
  static #engines = new WeakMap();

  static of(doc) {
    if (!Engine.#engines.has(doc)) Engine.#engines.set(doc, new Engine(doc));
    return Engine.#engines.get(doc);
  }

  #doc;
  /** `{ frame, alive, end }` while there is one. */
  #running = null;
  /** What each client does if the engine is lost, or has not come: `{ lost, missing }`. */
  #clients = new Map();
  #last = 0;

  constructor(doc) {
    this.#doc = doc;
  }

  start(isCredentialless) {
    if (this.#running) return;
    const frame = makeFrame(this.#doc, 'engine.html', 'engine', isCredentialless);
    frame.style.setProperty('display', 'none', 'important');
    let stop;
    let isAlive = false;
    const alive = new Promise((resolve) => {
      stop = listen(frame, { alive: () => resolve(isAlive = true) });
    });
    frame.addEventListener('load', () => setTimeout(() => isAlive || !frame.isConnected || this.#lose('missing'), SILENT_MS));
    // There, frameworks that replace the body leave it alone.
    const place = this.#doc.documentElement;
    place.append(frame);
    const watch = new MutationObserver(() => frame.isConnected || this.#lose('lost'));
    watch.observe(place, { childList: true });
    const end = () => {
      watch.disconnect();
      stop();
      frame.remove();
      this.#running = null;
    };
    this.#running = { frame, alive, end };
  }

  /** A port to the engine, and the end of its use. */
  connect(isCredentialless, acts) {
    this.start(isCredentialless);
    const client = ++this.#last;
    this.#clients.set(client, acts);
    const { port1, port2 } = new MessageChannel();
    const { frame, alive } = this.#running;
    alive.then(() => this.#clients.has(client) && send(frame, 'connect', { client }, [port1]));
    return { port: port2, leave: () => this.#leave(client) };
  }

  #leave(client) {
    if (!this.#clients.delete(client)) return;
    if (this.#running) send(this.#running.frame, 'leave', { client });
    // An element that moves is back at once.
    setTimeout(() => this.#clients.size || this.#running?.end(), 2000);
  }

  #lose(how) {
    this.#running.end();
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    for (const client of clients) client[how]();
  }
}

/** The frame of one element; `host` has the element and what it shows and does. */
export class BotFrame {
  query;
  #host;
  #doc;
  #frame;
  #engine;
  #isCredentialless;
  #isAlive = false;
  #isHere = false;
  #isOpen = false;
  /** The calls that the frame has not answered. */
  #calls = new Map();
  #last = 0;
  #order = Promise.resolve();
  #ends = [];

  constructor(host) {
    this.#host = host;
    this.query = host.query;
    this.#doc = host.element.ownerDocument;
    this.#engine = { leave() {} };
    this.#open(false);
  }

  #open(isCredentialless) {
    const { card, query } = this.#host;
    const view = this.#doc.defaultView;
    this.#isCredentialless = isCredentialless;
    const frame = makeFrame(this.#doc, `index.html?view=embed&${query}`, card.root.ariaLabel, isCredentialless);
    frame.tabIndex = -1;
    this.#frame = frame;
    const handlers = {};
    for (const type of ['alive', 'here', 'failed', 'connect', 'height', 'input', 'events', 'answer']) {
      handlers[type] = (message) => this[type](message);
    }
    const on = (target, type, act) => {
      target.addEventListener(type, act, { passive: true, capture: true });
      this.#ends.push(() => target.removeEventListener(type, act, true));
    };
    this.#ends.push(listen(frame, handlers));
    on(frame, 'load', () => setTimeout(() => this.#isAlive || this.#frame !== frame || this.#refused(), SILENT_MS));
    on(this.#doc, 'securitypolicyviolation', ({ blockedURI, effectiveDirective, disposition }) => {
      const isOurs = FOLDER.startsWith(blockedURI.split('/').slice(0, 3).join('/'));
      if (disposition === 'enforce' && effectiveDirective === 'frame-src' && isOurs) this.#refused(effectiveDirective);
    });
    for (const type of ['scroll', 'resize']) on(view, type, () => this.#host.grow());
    card.root.append(frame);
    this.follow();
  }

  /** Takes the frame away. */
  end() {
    this.#ends.splice(0).forEach((end) => end());
    this.#engine.leave();
    this.#frame.remove();
    for (const { reject } of [...this.#calls.values()]) reject(failure(ABORTED));
  }

  #refused(directive) {
    // A page with COEP shows only frames that send it too, or that have no credentials, where the browser knows these.
    if (!directive && self.crossOriginIsolated && !this.#isCredentialless && 'credentialless' in this.#frame) {
      this.#ends.splice(0).forEach((end) => end());
      this.#frame.remove();
      return this.#open(true);
    }
    this.#host.fail('The bot’s frame did not load.', directive
      ? `The page’s policy must allow ${directive} ${FOLDER}`
      : `The page’s policy must allow frame-src ${FOLDER}, and their host must answer.`);
  }

  /** Passes on attributes, theme and custom properties. */
  follow() {
    const { element, card, value, settings: names } = this.#host;
    const theme = card.root.classList.contains('dark') ? 'dark' : 'light';
    // A frame is transparent only in the colour scheme of its page.
    this.#frame.style.colorScheme = theme;
    if (!this.#isHere) return;
    const style = getComputedStyle(element);
    const styles = Object.fromEntries(STYLES.map((name) => [name, style.getPropertyValue(`--huggingtweets-${name}`).trim().slice(0, 200)]));
    const settings = Object.fromEntries(names.map((name) => [name.replaceAll('-', '_'), value(name) ?? '']));
    send(this.#frame, 'set', { settings, styles, theme, is_right_to_left: style.direction === 'rtl' });
  }

  /** Passes on the prompt. */
  write() {
    const { element, typed } = this.#host;
    // A card without the bot's facts knows no prompt; the frame has one.
    if (this.#isHere && (element.text || typed() === '')) send(this.#frame, 'write', { text: element.text });
  }

  /** Writes texts, after those of earlier calls. */
  generate({ signal, on_token, ...options }) {
    const answer = this.#order.then(() => new Promise((resolve, reject) => {
      if (signal?.aborted || !this.#frame.isConnected) return reject(failure(ABORTED));
      const call = ++this.#last;
      const stop = () => this.abort();
      signal?.addEventListener('abort', stop);
      const settle = (how) => (what) => {
        this.#calls.delete(call);
        signal?.removeEventListener('abort', stop);
        how(what);
      };
      // What cannot be sent is refused here.
      const sent = JSON.parse(JSON.stringify(options));
      this.#calls.set(call, { sent, on_token, resolve: settle(resolve), reject: settle(reject) });
      if (this.#isHere) this.#ask(call);
      this.#show();
    }));
    this.#order = answer.catch(() => {});
    return answer;
  }

  /** Stops the work, and the calls. */
  abort() {
    if (this.#isHere) send(this.#frame, 'abort');
    else for (const { reject } of [...this.#calls.values()]) reject(failure(ABORTED));
  }

  #ask(call) {
    send(this.#frame, 'generate', { call, options: this.#calls.get(call).sent });
  }

  /** Puts the frame in the place of the card, once it is there and has something to write. */
  #show(hasFailed = false) {
    const { card, shadow } = this.#host;
    card.live.replaceChildren();
    if (this.#isOpen || !(hasFailed || (this.#isHere && this.#calls.size))) return;
    this.#isOpen = true;
    const focused = shadow.activeElement;
    // The card stays behind it and keeps the height.
    card.root.style.minHeight = `${card.root.offsetHeight}px`;
    card.root.classList.add('open');
    this.#frame.removeAttribute('tabindex');
    if (!focused) return;
    const { selectionStart, selectionEnd } = card.prompt;
    this.#frame.focus();
    send(this.#frame, 'focus', { on: focused === card.prompt ? 'prompt' : 'button', selection: [selectionStart, selectionEnd] });
  }

  // The messages of the frame.

  alive() {
    this.#isAlive = true;
    Engine.of(this.#doc).start(this.#isCredentialless);
  }

  here() {
    if (this.#isHere) return;
    this.#isHere = true;
    this.follow();
    this.write();
    if (this.#calls.size === 0) send(this.#frame, 'load');
    for (const call of this.#calls.keys()) this.#ask(call);
    this.#show();
  }

  /** The frame cannot start, and says why itself. */
  failed() {
    this.#show(true);
    const report = { code: 'worker_crashed', message: 'The bot could not start.', hint: 'Its frame says why.', retryable: true };
    this.#host.tell('error', report);
    for (const { reject } of [...this.#calls.values()]) reject(failure(report));
  }

  connect() {
    this.#engine.leave();
    this.#engine = Engine.of(this.#doc).connect(this.#isCredentialless, {
      lost: () => send(this.#frame, 'lost'),
      missing: () => this.#host.fail('The engine of the bot did not load.', `The host of the bots must have ${FOLDER}engine.html`),
    });
    send(this.#frame, 'engine', {}, [this.#engine.port]);
  }

  height({ height }) {
    if (!(height > 0 && height < 20000)) return false;
    if (this.#isOpen) this.#host.grow(Math.ceil(height));
    return true;
  }

  input({ text }) {
    if (typeof text !== 'string') return false;
    this.#host.type(text);
    return true;
  }

  events({ list }) {
    const isEvent = (event) => EVENTS.includes(event?.name) && typeof event.detail === 'object' && event.detail;
    if (!Array.isArray(list) || !list.every(isEvent)) return false;
    for (const { name, detail } of list) {
      if (name === 'token') for (const { on_token } of this.#calls.values()) on_token?.(detail);
      if (name === 'result') {
        const text = this.#doc.createElement('p');
        text.part = 'result';
        text.textContent = detail.generated_text;
        this.#host.card.live.append(text);
      }
      this.#host.tell(name, detail);
    }
    return true;
  }

  answer({ call, texts, error }) {
    const known = this.#calls.get(call);
    if (!known || !(Array.isArray(texts) || error?.message)) return false;
    if (error) known.reject(failure(error));
    else known.resolve(texts);
    return true;
  }
}
