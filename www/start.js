// Runs before the page's program: sets the remembered theme, keeps for the program what a visitor does before it has come,
// and says why the program cannot start where it cannot.
// A file and not a part of index.html, because strict security policies forbid inline scripts.
(() => {
  const root = document.documentElement;
  root.dataset.scripts = '';
  try {
    const theme = localStorage.getItem('huggingtweets-theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch { /* Storage may be switched off. */ }

  // In a frame: no bar, gallery and card. The element of the host page hears that the frame is there, and, below, that it
  // cannot start (www/embed_frame.js).
  const isFrame = new URLSearchParams(location.search).get('view') === 'embed';
  if (isFrame) root.dataset.view = 'embed';
  const host = new URLSearchParams(location.hash.slice(1)).get('host');
  const tellHost = (type) => {
    if (isFrame && host && parent !== self) parent.postMessage({ huggingtweets: { v: 1, type } }, host === 'null' ? '*' : host);
  };
  tellHost('alive');

  // Under Trusted Types, the templates from which leptos makes elements, and the address of the worker, need a policy.
  // The templates are constants of the program: texts of visitors and models are never among them.
  const isInert = (html) => !/<script|<iframe|\son\w+\s*=|javascript:/i.test(html);
  const isOurs = (address) => {
    const { origin, protocol } = new URL(address, document.baseURI);
    return origin === location.origin || protocol === 'blob:';
  };
  try {
    globalThis.trustedTypes?.createPolicy('default', {
      createHTML: (html) => (isInert(html) ? html : null),
      createScriptURL: (address) => (isOurs(address) ? address : null),
    });
  } catch { /* The host allows no policy: if it also demands types, the failure is shown below. */ }

  // The build has drawn the page of one bot (src/site/first_screen.rs); it stays hidden if the address asks for another.
  const query = new URLSearchParams(location.search);
  const bot = query.get('bot')?.toLowerCase() ?? root.dataset.bot?.toLowerCase();
  if (['model', 'file', 'view'].some((name) => query.has(name)) || bot !== root.dataset.bot?.toLowerCase()) root.dataset.other = '';

  const when = (event, act) => (document.readyState === 'loading' ? document.addEventListener(event, act, { once: true }) : act());
  let hasFailed = false;
  const fail = (id, directive) => when('DOMContentLoaded', () => {
    const message = document.getElementById(id);
    if (!message || hasFailed) return;
    hasFailed = true;
    root.dataset.state = 'failed';
    if (directive) message.querySelector('code').textContent = directive;
    message.hidden = false;
    tellHost('failed');
  });
  // What a visitor has typed, opened and pressed on the drawn page goes over to the program's, which has the same elements
  // in the same order, before it takes the place of the drawn one (src/web/page/app.rs).
  when('DOMContentLoaded', () => {
    const still = document.getElementById('still');
    if (!still || 'other' in root.dataset) return;
    // As the program will do.
    still.querySelector('.gallery [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const typed = query.get('text');
    const field = still.querySelector('textarea');
    if (typed !== null) field.value = typed;
    const given = field.value;
    let pressed = null;
    let words;
    const press = (button) => {
      if (button !== pressed) words = button.textContent;
      pressed = button;
      if (button.dataset.testid === 'generate') button.textContent = 'Loading…';
    };
    still.addEventListener('click', ({ target }) => {
      const button = target.closest('button');
      if (button) press(button);
    });
    still.addEventListener('keydown', ({ key, ctrlKey, metaKey }) => {
      if (key === 'Enter' && (ctrlKey || metaKey)) press(still.querySelector('[data-testid="generate"]'));
    });
    still.addEventListener('replaced', () => {
      // Dialogs are not drawn.
      const here = (selector) => [...document.querySelectorAll(selector)].filter((element) => !element.closest('#still, #skeleton, dialog'));
      const twin = (selector, element) => here(selector)[[...still.querySelectorAll(selector)].indexOf(element)];
      const prompt = twin('textarea', field);
      if (prompt && field.value !== given) {
        prompt.value = field.value;
        prompt.dispatchEvent(new Event('input', { bubbles: true }));
      }
      for (const details of still.querySelectorAll('details[open]')) twin('details', details)?.setAttribute('open', '');
      const focused = still.contains(document.activeElement) ? document.activeElement : null;
      const next = focused && twin(focused.localName, focused);
      next?.focus({ preventScroll: true });
      // After the program has set the text.
      if (prompt && next === prompt) setTimeout(() => prompt.setSelectionRange(field.selectionStart, field.selectionEnd));
      const button = pressed && twin('button', pressed);
      // Of a page that has changed since it was drawn, no other button is pressed.
      if (button && button.textContent === words) queueMicrotask(() => button.click());
    });
  });
  // The skeleton leaves when the program starts; what breaks before is said here, what breaks later by the program.
  let forbidden = null;
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, disposition }) => {
    if (disposition === 'enforce' && /^(script|worker|connect|require-trusted|trusted)/.test(effectiveDirective)) {
      forbidden ??= effectiveDirective;
    }
  });
  // The report of a violation may follow the error that it causes.
  const broken = () => setTimeout(() => fail(forbidden ? 'forbidden' : 'broken', forbidden), 100);
  addEventListener('error', broken, true);
  addEventListener('unhandledrejection', broken);
  // The smallest module with a SIMD instruction: valid only where the browser knows them. It is only looked at, so a
  // policy that forbids WebAssembly does not matter here.
  const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(new Uint8Array(simd))) fail('unsupported');
})();
