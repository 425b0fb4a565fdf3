// The page's service worker, with two duties. A failure of either leaves the page working.
//
// It stores the page: every file of the site as this build made it, under the file's hash, so that the page opens and
// writes without a network. Stored files are answered from the cache, one version at a time: a newer sw.js waits until
// the visitor agrees, or has closed all tabs of the page. Models are stored elsewhere.
// And it isolates the page, which threads need, on hosts where headers cannot be set.
//
// It answers for its own folder; a request for a file that is not stored goes to the host unchanged.
// The first visit does not come through it, and `?isolate=off` in an address opens the page with the host's headers
// alone.

/** The folder of the site; folders below it may belong to other sites. */
const FOLDER = new URL('./', self.location).href;

/**
 * This build's name, and its files with their hash and length; written by the site's build (src/site/app_shell.rs) when
 * every build of the worker is there. Until then no file is stored, and each worker that starts takes the newest files.
 */
const SHELL = null;
/** One cache per build; another site of the same host may have caches too. */
const OURS = `huggingtweets-shell ${FOLDER} `;
const CACHE = OURS + SHELL?.build;

/** The worker's builds (src/site/worker_build.rs). A visit needs one of them, so each is stored after its first use. */
const BUILDS = ['worker', 'worker_relaxed', 'worker_threads', 'worker_threads_relaxed'];
const filesOf = (build) => [`${build}.js`, `${build}_bg.wasm`];
/** Whether the visitor saves data: then no large file is fetched before it is used. */
const savesData = () => navigator.connection?.saveData === true;
/** Whether every visit needs a file; other files are stored after their first use. */
const isEager = (name) =>
  !BUILDS.flatMap(filesOf).includes(name) && !SHELL.files[name].onDemand && !(savesData() && name.startsWith('model/'));

const keyOf = (name) => `${FOLDER}${name}?${SHELL.files[name].integrity}`;

/** The names of the files that every visit needs, and of those that earlier versions stored besides. */
async function wanted() {
  const names = [];
  for (const name of Object.keys(SHELL.files)) {
    if (isEager(name) || await caches.match(FOLDER + name, { ignoreSearch: true })) names.push(name);
  }
  return names;
}

/**
 * Stores files: one after the other, because the page's own requests are more urgent; unchanged files are taken from
 * the last version. The page comes last, so that a stored page has all the files that it needs.
 */
async function keep(names) {
  // A newer version has deleted this version's cache, which opening would make anew.
  if (self.serviceWorker?.state === 'redundant') return;
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
  // The hash refuses the file of any other version: first in the browser's own cache, then in the host's answer.
  const answer = await fetch(address, { integrity }).catch(() => fetch(address, { integrity, cache: 'reload' }));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  // Some hosts redirect index.html to the folder, and browsers refuse a page whose answer was redirected.
  return answer.redirected ? new Response(answer.body, { headers: answer.headers }) : answer;
}

addEventListener('install', (event) => {
  if (!SHELL) return;
  event.waitUntil(wanted().then(keep).catch(async (reason) => {
    await caches.delete(CACHE);
    // An earlier version stays in place. Without one, this worker still isolates the page, and `used` tries again.
    if (self.registration.active) throw reason;
  }));
});

/** Deletes the caches of other versions. */
async function removeOthers() {
  for (const name of await caches.keys()) {
    if (name.startsWith(OURS) && name !== CACHE) await caches.delete(name);
  }
}

addEventListener('activate', (event) => event.waitUntil(removeOthers()));

/** Whether this is the only version: none is about to take its place, and it has not been replaced. */
function isOnly() {
  const { active, waiting, installing } = self.registration;
  return active === self.serviceWorker && !waiting && !installing;
}

// Messages of the page (src/web/page/service_worker.rs).
addEventListener('message', (event) => {
  const { type, threads, simd } = event.data ?? {};
  if (type === 'update') self.skipWaiting();
  if (type === 'kept' && !SHELL) event.ports[0].postMessage(0);
  if (!SHELL) return;
  const build = `worker${threads > 1 ? '_threads' : ''}${simd === 'relaxed' ? '_relaxed' : ''}`;
  const keepUsed = async () => {
    await keep([...filesOf(build).filter((name) => name in SHELL.files), ...await wanted()]);
    // The version before, which may run on for a while after its end, can have made its cache anew.
    if (isOnly()) await removeOthers();
  };
  // A failure, such as a full disk, costs only the use without a network.
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

// Browsers do not tell which of the two policies they know; a wrong guess here costs threads, not the page.
// `credentialless` allows pictures from other hosts. Chromium has it, and Firefox on desktops.
const { userAgent } = navigator;
const isDesktopFirefox = userAgent.includes('Firefox/') && !userAgent.includes('Android');
const EMBEDDER_POLICY = 'userAgentData' in navigator || isDesktopFirefox ? 'credentialless' : 'require-corp';

/** Isolates one document, in a frame of another site too; browsers that do not know it ignore it. */
const ALONE = { 'Document-Isolation-Policy': 'isolate-and-credentialless' };
/** Isolates a window. Not for frames: pages of other sites could then no longer show the frame. */
const WINDOW = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': EMBEDDER_POLICY };

/** The added headers, by the destination of the request. */
const ISOLATION = {
  document: { ...ALONE, ...WINDOW },
  iframe: ALONE,
  // An isolated page can only start isolated workers.
  worker: { ...ALONE, 'Cross-Origin-Embedder-Policy': EMBEDDER_POLICY },
};

/** Files of the share sheet, until the maker takes them (src/web/page/shared_files.rs). */
const SHARED = `huggingtweets-shared ${FOLDER}`;

/** Most files that wait, and their bytes: other sites can send a form too. */
const MOST_SHARED = 8;
const MOST_SHARED_BYTES = 4e9;

/** What the system's share sheet hands over: a file for the maker, or a text to begin with. */
async function shared(request) {
  const form = await request.formData();
  const files = form.getAll('files').filter((file) => file instanceof File && file.size > 0);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (files.length > MOST_SHARED || bytes > MOST_SHARED_BYTES) return Response.redirect(`${FOLDER}#make`, 303);
  if (files.length > 0) {
    let cache = await caches.open(SHARED);
    const waiting = await Promise.all((await cache.keys()).map(async (key) => (await (await cache.match(key)).blob()).size));
    // Those of earlier shares make room.
    if (waiting.length + files.length > MOST_SHARED || waiting.reduce((sum, size) => sum + size, bytes) > MOST_SHARED_BYTES) {
      await caches.delete(SHARED);
      cache = await caches.open(SHARED);
    }
    // Two files may have one name.
    for (const file of files) await cache.put(`${FOLDER}shared/${crypto.randomUUID()}/${encodeURIComponent(file.name)}`, new Response(file));
    return Response.redirect(`${FOLDER}#make`, 303);
  }
  const words = new URLSearchParams();
  for (const name of ['title', 'text', 'url']) if (form.get(name)) words.set(name, form.get(name));
  return Response.redirect(`${FOLDER}?${words}`, 303);
}

addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method === 'POST' && url.href === FOLDER) return event.respondWith(shared(request));
  // Requests for a part of a file are left to the host.
  if (request.method !== 'GET' || request.headers.has('Range') || !url.href.startsWith(FOLDER)) return;
  const path = `${url.origin}${url.pathname}`.slice(FOLDER.length);
  const name = path === '' || path.endsWith('/') ? `${path}index.html` : path;
  const isKept = SHELL && Object.hasOwn(SHELL.files, name);
  const isIsolated = (isKept || !path.includes('/')) && url.searchParams.get('isolate') !== 'off';
  const headers = isIsolated ? ISOLATION[request.destination] : undefined;
  if (!isKept && !headers) return;
  const answer = isKept ? kept(event, name) : fetch(request);
  event.respondWith(headers ? answer.then((whole) => isolated(whole, headers)) : answer);
});

/** The stored file, or else the host's. */
async function kept(event, name) {
  const find = (file) => caches.match(keyOf(file), { cacheName: CACHE }).catch(() => undefined);
  // A page that comes from the host may be of another version than the stored files.
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
      // A header of the host is not replaced.
      if (!headers.has(name)) headers.set(name, value);
    }
    return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
  } catch {
    // Such as a redirect, whose status cannot be copied: it is passed on, and the request for its target comes here.
    return answer;
  }
}
