// The engine of all frames of one page: one worker, and a queue of the jobs of its clients, each at a port of its own.
// The messages are those of src/protocol.rs, with the numbers of jobs changed to numbers of our own.
// A client finds its own model open whenever its job runs: loading it again is part of the job, where another client's
// model was opened meanwhile. A model that is open is not loaded again.

import { startWorker } from './start_worker.js';

const HOST = decodeURIComponent(new URLSearchParams(location.hash.slice(1)).get('host') ?? '');
const PROTOCOL_VERSION = 2;
/** A worker with more memory than this is replaced before another model is opened: its memory never shrinks. */
const LARGE_BYTES = 64 << 20;
/** How many later jobs of the open model are done before a job that needs another. */
const MOST_PASSED = 8;
const LAST = ['done', 'ready', 'tokens', 'text', 'logits', 'measured', 'offered', 'error'];
const ENDS = ['worker_crashed', 'out_of_memory'];

/** Clients by number: `{ port, wanted, answers }`, where `wanted` is the load of the client's model. */
const clients = new Map();
/** Jobs that wait: `{ client, message }`. */
let queue = [];
/** The job that runs: `{ client, message, load, number }`; with `load` its model is loaded first. */
let current = null;
/** Look-ups, which run beside it, by number. */
const lookUps = new Map();
let lastNumber = 0;

/** The running worker: `{ worker, started, memory, hasRead }`. */
let engine = null;
/** The open model: `{ key, info }`. */
let open = null;

const keyOf = ({ message }) => JSON.stringify(message.model);
/** Events that are sent at the end of the task, in one message for each client. */
const outbox = new Map();
const post = (client, event) => {
  if (outbox.size === 0) queueMicrotask(send);
  outbox.set(client, [...(outbox.get(client) ?? []), { v: PROTOCOL_VERSION, ...event }]);
};
const send = () => {
  for (const [{ port }, events] of outbox) port.postMessage(events);
  outbox.clear();
};
const error = (job, code, message, hint) => ({ type: 'error', job, error: { code, message, hint, retryable: true } });
const CRASHED = error(null, 'worker_crashed', 'the part that runs the model stopped', 'restart it; your text and settings are still here');

function start() {
  const running = { worker: null, started: null, memory: 0, hasRead: false };
  engine = running;
  open = null;
  startWorker({}).then(({ worker, message, model }) => {
    if (engine !== running) return worker.terminate();
    running.worker = worker;
    worker.onmessage = ({ data }) => engine === running && data.forEach(hear);
    worker.onerror = (event) => {
      event.preventDefault();
      if (engine === running) lose(CRASHED);
    };
    worker.postMessage({ v: PROTOCOL_VERSION, type: 'locate_bundled', url: model });
    return message.forEach(hear);
  }, ({ message, hint }) => {
    if (engine === running) lose(error(null, 'worker_crashed', message, hint ?? 'load the page again'));
  });
}

function end() {
  engine?.worker?.terminate();
  engine = null;
  open = null;
}

/** The worker has ended by itself. */
function lose(report) {
  const hadStarted = engine.started;
  end();
  const broken = current?.client;
  current = null;
  lookUps.clear();
  for (const client of clients.values()) {
    if (client === broken || !hadStarted) {
      drop(client);
      post(client, report);
    } else {
      close(client);
    }
  }
  run();
}

/** Tells a client that its model is not open any more, unless it has work in the queue. */
function close(client) {
  if (client.wanted && client !== current?.client && !queue.some((job) => job.client === client)) post(client, { type: 'closed' });
}

const drop = (client) => { queue = queue.filter((job) => job.client !== client); };

const loadOf = (job) => (job.message.type === 'load' ? job : job.client.wanted);

/** The next job: of those that are first of their client, one whose model is open, unless that was done often enough. */
function choose() {
  const isFirst = (job) => queue.find(({ client }) => client === job.client) === job;
  const fits = (job) => open && loadOf(job) && keyOf(loadOf(job)) === open.key;
  const [oldest] = queue;
  if (fits(oldest) || oldest.passed >= MOST_PASSED) return oldest;
  const next = queue.find((job) => isFirst(job) && fits(job));
  if (next) oldest.passed = (oldest.passed ?? 0) + 1;
  return next ?? oldest;
}

/** Begins the next job. */
function run() {
  if (current || queue.length === 0) return;
  if (!engine) start();
  if (!engine.started) return;
  const next = choose();
  const { client, message } = next;
  const load = loadOf(next);
  queue = queue.filter((job) => job !== next);
  if (!load) {
    post(client, error(message.job, 'no_model', 'no model is open', 'load one first'));
    return run();
  }
  const isOpen = open?.key === keyOf(load);
  if (!isOpen && open && engine.memory >= LARGE_BYTES) {
    end();
    queue.unshift(next);
    return run();
  }
  current = { ...next, load: isOpen ? null : load };
  if (isOpen && message.type === 'load') {
    client.wanted = load;
    post(client, { type: 'ready', job: message.job, model: open.info });
    current = null;
    return run();
  }
  forward();
}

/** Sends the running job, or the load before it, under a new number. */
function forward() {
  current.number = ++lastNumber;
  engine.hasRead = false;
  engine.worker.postMessage({ ...(current.load?.message ?? current.message), job: current.number });
}

function hear(event) {
  if (event.type === 'started') {
    engine.started = event;
    for (const client of clients.values()) if (!client.isGreeted) greet(client);
    return run();
  }
  if (event.type === 'error' && event.job === null && ENDS.includes(event.error.code)) return lose(event);
  const lookUp = lookUps.get(event.job);
  if (lookUp) {
    if (LAST.includes(event.type)) lookUps.delete(event.job);
    return post(lookUp.client, { ...event, job: lookUp.message.job });
  }
  if (event.job !== current?.number) return undefined;
  const { client, message, load } = current;
  const isOwn = !load || load.message === message;
  engine.hasRead ||= event.stage?.stage === 'reading';
  if (isOwn) post(client, { ...event, job: message.job });
  if (!LAST.includes(event.type)) return undefined;
  if (load && event.type === 'ready') {
    const other = open?.key !== keyOf(load);
    open = { key: keyOf(load), info: event.model };
    engine.memory = event.model.memory_bytes;
    client.wanted = load;
    if (other) for (const each of clients.values()) if (each.wanted && keyOf(each.wanted) !== open.key) close(each);
    current.load = null;
    if (!isOwn) return current.isStopped ? finish(client, stopped(message)) : forward();
  } else if (load) {
    // The engine closes its model when it reads another.
    if (engine.hasRead) open = null;
    if (!isOwn) return finish(client, current.isStopped ? stopped(message) : { ...event, job: message.job });
  }
  return finish();
}

function finish(client, event) {
  current = null;
  if (event) post(client, event);
  run();
}

const stopped = ({ type, job }) => (type === 'load' || type === 'look_up'
  ? error(job, 'cancelled', 'the load was stopped', 'press Generate to load it again')
  : {
    type: 'done', job, stopped: true,
    stats: {
      prompt_tokens: 0, new_tokens: 0, prefill_ms: 0, decode_ms: 0, threads: engine?.started?.threads ?? 1,
      simd: engine?.started?.simd ?? '', memory_bytes: engine?.memory ?? 0, seed: 0,
    },
  });

function take(client, message) {
  switch (message?.type) {
    // The engine knows it.
    case 'locate_bundled': return undefined;
    case 'stop': return stop(client, message.job);
    case 'look_up':
      if (!engine?.started) return post(client, error(message.job, 'busy', 'the engine is starting', 'try again'));
      lookUps.set(++lastNumber, { client, message });
      return engine.worker.postMessage({ ...message, job: lastNumber });
    case 'load':
      // A load ends the client's earlier load without an event.
      queue = queue.filter((job) => job.client !== client || job.message.type !== 'load');
      if (current?.client === client && current.message.type === 'load') {
        current = { client, message, load: { client, message } };
        return forward();
      }
      break;
    default:
  }
  queue.push({ client, message });
  return run();
}

function stop(client, job) {
  const waiting = queue.find((each) => each.client === client && each.message.job === job);
  if (waiting) {
    queue = queue.filter((each) => each !== waiting);
    return post(client, stopped(waiting.message));
  }
  for (const [number, each] of lookUps) {
    if (each.client === client && each.message.job === job) engine.worker.postMessage({ v: PROTOCOL_VERSION, type: 'stop', job: number });
  }
  if (current?.client !== client || current.message.job !== job) return undefined;
  current.isStopped = true;
  return engine.worker.postMessage({ v: PROTOCOL_VERSION, type: 'stop', job: current.number });
}

function greet(client) {
  client.isGreeted = true;
  post(client, engine.started);
}

function leave(number) {
  const client = clients.get(number);
  if (!client) return;
  clients.delete(number);
  drop(client);
  client.port.close();
  if (current?.client === client) stop(client, current.message.job);
}

addEventListener('message', ({ data, origin, source, ports }) => {
  const message = data?.huggingtweets;
  // The script of an element that another document has adopted speaks from its own window, which is above that.
  if (origin !== HOST || !isAbove(source) || message?.v !== 1) return;
  if (message.type === 'leave') return leave(message.client);
  const [port] = ports;
  if (message.type !== 'connect' || !port) return;
  const client = { port, wanted: null, isGreeted: false };
  clients.set(message.client, client);
  port.onmessage = (event) => take(client, event.data);
  if (!engine) start();
  if (engine.started) greet(client);
});

function isAbove(source) {
  for (let view = self; view !== top; view = view.parent) if (source === view.parent) return true;
  return false;
}

start();
if (parent !== self) parent.postMessage({ huggingtweets: { v: 1, type: 'alive' } }, HOST === 'null' ? '*' : HOST || location.origin);
