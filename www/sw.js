// Gives the page cross-origin isolation, which threads need, on hosts that let nobody set headers.
//
// It answers for the pages and workers of its own folder and asks for nothing by itself: every request
// goes to the host as the browser made it, and headers are added to what comes back.
// A first visit goes past it, and `?isolate=off` in an address opens that page as the host sends it.

/** Where the site lies; what is below this folder may be somebody else's. */
const FOLDER = new URL('./', self.location).href;

// No browser tells which of the two it knows; a wrong guess here costs threads, not the page.
// Credentialless lets in pictures from elsewhere. Chromium has it, and Firefox on desktops.
const { userAgent } = navigator;
const isDesktopFirefox = userAgent.includes('Firefox/') && !userAgent.includes('Android');
const EMBEDDER_POLICY = 'userAgentData' in navigator || isDesktopFirefox ? 'credentialless' : 'require-corp';

/** Isolates one document, in a frame of another site too; browsers without it pass over it. */
const ALONE = { 'Document-Isolation-Policy': 'isolate-and-credentialless' };
/** Isolates a window. A frame must not ask for this: it could not be shown in every page any more. */
const WINDOW = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': EMBEDDER_POLICY };

/** Headers by what is asked for; all else never comes here. */
const ISOLATION = {
  document: { ...ALONE, ...WINDOW },
  iframe: ALONE,
  // An isolated page starts no worker that is not.
  worker: { ...ALONE, 'Cross-Origin-Embedder-Policy': EMBEDDER_POLICY },
};

addEventListener('fetch', (event) => {
  const { method, url, destination } = event.request;
  const isOurs = method === 'GET' && destination in ISOLATION && new URL('./', url).href === FOLDER;
  if (isOurs && new URL(url).searchParams.get('isolate') !== 'off') event.respondWith(isolated(event.request));
});

async function isolated(request) {
  const answer = await fetch(request);
  try {
    const headers = new Headers(answer.headers);
    for (const [name, value] of Object.entries(ISOLATION[request.destination])) {
      // What the host has to say about it counts.
      if (!headers.has(name)) headers.set(name, value);
    }
    return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
  } catch {
    // Such as a redirect, which has no status to copy: it passes as it came, and its target comes here again.
    return answer;
  }
}
