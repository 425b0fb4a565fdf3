// The page's service worker, with two duties. Neither is ever in the visitor's way.
//
// It keeps the page: every file of the site as this build made it, named by its hash, so that the page opens and
// writes without a network. What it keeps it answers from there, one version at a time: a newer sw.js waits until
// the visitor says yes, or has closed all of the page's tabs. Models that the visitor keeps lie elsewhere.
// And it isolates the page, which threads need, on hosts that let nobody set headers.
//
// It answers for its own folder; what it does not keep goes to the host as the browser asked for it.
// A first visit goes past it, and `?isolate=off` in an address opens that page with the host's headers alone.

/** Where the site lies; what is below this folder may be somebody else's. */
const FOLDER = new URL('./', self.location).href;

/**
 * This build's name, and its files with their hash and length; written by the site's build (src/site/shell.rs) when
 * every build of the worker is there. Until then nothing is kept, and each worker that starts takes the newest files.
 */
const SHELL = null;
/** One cache per build; another site of the same host may have some too. */
const OURS = `huggingtweets-shell ${FOLDER} `;
const CACHE = OURS + SHELL?.build;

/** The worker's builds (src/site/worker_build.rs). A visit needs one of them, so each is kept once it was used. */
const BUILDS = ['worker', 'worker_relaxed', 'worker_threads', 'worker_threads_relaxed'];
const filesOf = (build) => [`${build}.js`, `${build}_bg.wasm`, ...(build.includes('threads') ? ['worker_helper.js'] : [])];
/** Who saves data gets nothing large before asking for it. */
const savesData = () => navigator.connection?.saveData === true;
const isEager = (name) => !BUILDS.flatMap(filesOf).includes(name) && !(savesData() && name.startsWith('model/'));

const keyOf = (name) => `${FOLDER}${name}?${SHELL.files[name].integrity}`;

/** What every visit needs, and what earlier versions kept besides. */
async function wanted() {
  const names = [];
  for (const name of Object.keys(SHELL.files)) {
    if (isEager(name) || await caches.match(FOLDER + name, { ignoreSearch: true })) names.push(name);
  }
  return names;
}

/**
 * Keeps files: one after the other, because the page itself has more urgent ones; unchanged ones from the last version.
 * The page comes last, so that where it is kept all that it needs is.
 */
async function keep(names) {
  const cache = await caches.open(CACHE);
  const isPage = (name) => name === 'index.html';
  for (const name of [...names.filter((name) => !isPage(name)), ...names.filter(isPage)]) {
    const key = keyOf(name);
    if (!await cache.match(key)) await cache.put(key, await caches.match(key) ?? await download(name));
  }
}

async function download(name) {
  const address = FOLDER + name;
  const { integrity } = SHELL.files[name];
  // Anything but this version's file is refused: first a copy of the browser's, then what the host sends.
  const answer = await fetch(address, { integrity }).catch(() => fetch(address, { integrity, cache: 'reload' }));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  // Some hosts lead from index.html to the folder, and no page may come by a detour.
  return answer.redirected ? new Response(answer.body, { headers: answer.headers }) : answer;
}

addEventListener('install', (event) => {
  if (!SHELL) return;
  event.waitUntil(wanted().then(keep).catch(async (reason) => {
    await caches.delete(CACHE);
    // The version in place stays. Where there is none, isolation is worth having alone; `used` tries again.
    if (self.registration.active) throw reason;
  }));
});

addEventListener('activate', (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith(OURS) && name !== CACHE) await caches.delete(name);
  }
})()));

// What the page says (src/web/page/service_worker.rs).
addEventListener('message', (event) => {
  const { type, threads, simd } = event.data ?? {};
  if (type === 'update') self.skipWaiting();
  if (type === 'kept' && !SHELL) event.ports[0].postMessage(0);
  if (!SHELL) return;
  const build = `worker${threads > 1 ? '_threads' : ''}${simd === 'relaxed' ? '_relaxed' : ''}`;
  const keepUsed = async () => keep([...filesOf(build).filter((name) => name in SHELL.files), ...await wanted()]);
  // Not kept is not offline, and no more than that: the disk may be full.
  if (type === 'used') event.waitUntil(keepUsed().catch(() => {}));
  if (type === 'kept') event.waitUntil(keptBytes().then((bytes) => event.ports[0].postMessage(bytes)));
});

async function keptBytes() {
  let sum = 0;
  for (const [name, { bytes }] of Object.entries(SHELL.files)) {
    if (await caches.match(keyOf(name), { cacheName: CACHE })) sum += bytes;
  }
  return sum;
}

// No browser tells which of the two it knows; a wrong guess here costs threads, not the page.
// Credentialless lets in pictures from elsewhere. Chromium has it, and Firefox on desktops.
const { userAgent } = navigator;
const isDesktopFirefox = userAgent.includes('Firefox/') && !userAgent.includes('Android');
const EMBEDDER_POLICY = 'userAgentData' in navigator || isDesktopFirefox ? 'credentialless' : 'require-corp';

/** Isolates one document, in a frame of another site too; browsers without it pass over it. */
const ALONE = { 'Document-Isolation-Policy': 'isolate-and-credentialless' };
/** Isolates a window. A frame must not ask for this: it could not be shown in every page any more. */
const WINDOW = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': EMBEDDER_POLICY };

/** Headers by what is asked for. */
const ISOLATION = {
  document: { ...ALONE, ...WINDOW },
  iframe: ALONE,
  // An isolated page starts no worker that is not.
  worker: { ...ALONE, 'Cross-Origin-Embedder-Policy': EMBEDDER_POLICY },
};

addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // A part of a file is the host's to cut.
  if (request.method !== 'GET' || request.headers.has('Range') || !url.href.startsWith(FOLDER)) return;
  const path = `${url.origin}${url.pathname}`.slice(FOLDER.length);
  const name = path === '' ? 'index.html' : path;
  const isKept = SHELL && Object.hasOwn(SHELL.files, name);
  const isIsolated = !path.includes('/') && url.searchParams.get('isolate') !== 'off';
  const headers = isIsolated ? ISOLATION[request.destination] : undefined;
  if (!isKept && !headers) return;
  const answer = isKept ? kept(event, name) : fetch(request);
  event.respondWith(headers ? answer.then((whole) => isolated(whole, headers)) : answer);
});

/** The file as it is kept, or else as the host has it. */
async function kept(event, name) {
  const find = (file) => caches.match(keyOf(file), { cacheName: CACHE }).catch(() => undefined);
  // A page that comes from the host may be of another version than the files kept here.
  if (!await find('index.html')) return fetch(event.request);
  const found = await find(name);
  if (found) return found;
  const answer = await fetch(event.request);
  if (!isEager(name)) event.waitUntil(keep([name]).catch(() => {}));
  return answer;
}

function isolated(answer, added) {
  try {
    const headers = new Headers(answer.headers);
    for (const [name, value] of Object.entries(added)) {
      // What the host has to say about it counts.
      if (!headers.has(name)) headers.set(name, value);
    }
    return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
  } catch {
    // Such as a redirect, which has no status to copy: it passes as it came, and its target comes here again.
    return answer;
  }
}
