// Runs before the page's program: sets the remembered theme, and says why the program cannot start where it cannot.
// A file and not a part of index.html, because strict security policies forbid inline scripts.
(() => {
  const root = document.documentElement;
  root.dataset.scripts = '';
  try {
    const theme = localStorage.getItem('huggingtweets-theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch { /* Storage may be switched off. */ }

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

  const when = (event, act) => (document.readyState === 'loading' ? document.addEventListener(event, act, { once: true }) : act());
  const fail = (id, directive) => when('DOMContentLoaded', () => {
    const message = document.getElementById(id);
    if (!message || root.dataset.state === 'failed') return;
    root.dataset.state = 'failed';
    if (directive) message.querySelector('code').textContent = directive;
    message.hidden = false;
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
