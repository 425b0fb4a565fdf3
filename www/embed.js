// Defines <huggingtweets-bot>: a card, until a visitor asks the bot to write; then embed_frame.js puts a frame in its place.

const FOLDER = new URL('./', import.meta.url).href;
const DEFAULT_BOT = 'huggingtweets/jen_122';

const oneOf = (...values) => [`one of ${values.join(', ')}`, (text) => values.includes(text)];
const number = (words, test) => [`a number ${words}`, (text) => text.trim() && test(+text)];
const whole = (least, most) => [
  `a whole number from ${least}${most ? ` to ${most}` : ''}`, (text) => /^\d+$/.test(text) && text >= least && !(text > most),
];
// Words and a test for the values.
const ATTRIBUTES = {
  n: whole(1, 10),
  seed: whole(0, 4294967295),
  temperature: number('above 0', (value) => value > 0 && value < Infinity),
  'top-k': whole(0),
  'top-p': number('from 0 to 1', (value) => value >= 0 && value <= 1),
  'max-new-tokens': whole(1),
  bot: ['OWNER/NAME', (text) => /^[\w.-]+\/[\w.-]+$/.test(text)],
  model: ['OWNER/NAME or an address', (text) => text.trim()],
  text: ['shorter', (text) => text.length < 32768],
  theme: oneOf('auto', 'light', 'dark'),
  load: oneOf('click', 'visible', 'eager'),
};
const NAMES = Object.keys(ATTRIBUTES);
const SETTINGS = NAMES.slice(0, 6);
const propertyOf = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

const themed = (values) => Object.keys(values).map((name) => `--${name}:var(--huggingtweets-${name},${values[name]});`).join('');
const SHEET = `
:host{display:block}
:host([hidden]),[hidden]{display:none!important}
*{box-sizing:border-box;margin:0}
.root{all:initial;display:flex;flex-direction:column;box-sizing:border-box;position:relative;overflow:clip;border:1px solid var(--line);border-radius:var(--radius);background:var(--background);color:var(--text);font:16px/1.5 var(--font);text-align:start;--edge:#8f897c;--warn:#9a3412;
${themed({ radius: '12px', font: 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif', accent: 'oklch(50% .14 var(--hue))', tint: 'oklch(95.5% .022 var(--hue))', 'on-accent': '#fff', background: '#fffefb', text: '#201e1a', muted: '#625d53', line: '#e0dcd2' })}}
.dark{--edge:#827c6f;--warn:#f5a97a;
${themed({ accent: 'oklch(80% .11 var(--hue))', tint: 'oklch(27% .03 var(--hue))', 'on-accent': '#14130f', background: '#1e1d19', text: '#ece8de', muted: '#a8a294', line: '#35322b' })}}
@supports not (color:oklch(0 0 0)){.root{--accent:#757;--tint:#8882}}
header{padding:16px 16px 10px;background:var(--tint);text-align:center}
.avatars{display:flex;justify-content:center;gap:8px;height:72px}
svg{width:72px}
circle{fill:oklch(88% .065 var(--h))}
circle+circle{fill:none;stroke:oklch(80% .085 var(--h));stroke-width:1.5;stroke-dasharray:1.5 4.5;stroke-linecap:round}
text{fill:oklch(38% .11 var(--h));font-weight:800;font-size:34px}
.label,.name{font-weight:800}
.label{margin-top:4px;min-height:24px}
.name{display:grid;align-content:center;height:44px;line-height:22px;overflow:hidden;overflow-wrap:anywhere}
.handle{min-height:21px;font-size:14px}
.box{margin:12px;border:1px solid var(--edge);border-radius:var(--radius)}
.box:focus-within{border-color:var(--accent);box-shadow:0 0 0 1px var(--accent)}
textarea{display:block;width:100%;height:66px;padding:12px 14px 4px;border:0;background:none;color:inherit;font:inherit;font-size:18px;line-height:1.4;resize:none}
.foot{display:flex;flex-wrap:wrap;align-items:center;justify-content:end;gap:4px 10px;padding:0 8px 8px 14px}
.note{flex:1 1 6rem;color:var(--muted);font-size:13px;line-height:1.3}
button{min-width:12.5em;min-height:44px;border:0;border-radius:99px;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;cursor:pointer}
button[aria-disabled]{background:var(--tint);color:var(--muted)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
textarea:focus{outline:0}
.problem{margin:0 12px 12px;padding:10px 14px;border:1px solid var(--warn);border-radius:var(--radius)}
.results{padding:0 14px;font-size:15px;overflow-wrap:anywhere}
::slotted(*){margin:0 0 12px}
.fine{margin-top:auto;padding:0 14px 10px;color:var(--muted);font-size:12px}
a{color:inherit}
iframe{position:absolute;inset:-1px;width:calc(100% + 2px);height:calc(100% + 2px);border:0;opacity:0;pointer-events:none}
.open{overflow:visible;border-color:transparent;background:none}
.open iframe{opacity:1;pointer-events:auto}
.open>:not(iframe){visibility:hidden}
.live{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.probe{position:absolute;visibility:hidden;transition:color 1ms}
`;

const make = (name, attributes = {}, ...children) => {
  const made = document.createElementNS(`http://www.w3.org/${/svg|circle|text$/.test(name) ? '2000/svg' : '1999/xhtml'}`, name);
  for (const attribute in attributes) made.setAttribute(attribute, attributes[attribute]);
  made.append(...children);
  return made;
};

class HuggingtweetsBot extends HTMLElement {
  static observedAttributes = NAMES;

  #shadow = this.attachShadow({ mode: 'open' });
  #card; // Its parts by name.
  #facts; // bot.json of the bot #factsOf.
  #factsOf;
  #typed;
  #frame; // A promise, from the first request for it.
  #pressed = -1e9;
  #wanted = 0;
  #seen;
  #isDue;

  connectedCallback() {
    // Properties that were set before the definition hide the accessors.
    for (const name of NAMES.map(propertyOf)) {
      if (Object.hasOwn(this, name)) {
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    }
    const view = this.ownerDocument.defaultView;
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(SHEET);
    this.#shadow.adoptedStyleSheets = [sheet];
    this.#card ??= this.#draw();
    this.#seen = new view.IntersectionObserver((entries) => {
      if (entries.at(-1).isIntersecting && this.#value('load') === 'visible') this.load();
    });
    this.#seen.observe(this);
    this.#change();
  }

  disconnectedCallback() {
    this.#seen.disconnect();
    this.#drop();
  }

  connectedMoveCallback() {}

  attributeChangedCallback(name, old, value) {
    if (name === 'text' && old !== value) {
      this.#typed = null;
      this.#frame?.then((frame) => frame?.write());
    }
    this.#change();
  }

  get text() {
    return this.#typed ?? this.#value('text') ?? this.#facts?.prompts?.[0] ?? '';
  }

  set text(text) {
    this.#typed = null;
    this.#reflect('text', text);
  }

  // Frameworks assign to a property that has an attribute's name.
  get load() {
    return () => void this.#start();
  }

  set load(value) {
    this.#reflect('load', value);
  }

  async generate(options = {}) {
    const start = this.#start();
    if (start && !this.#card.button.ariaDisabled) {
      this.#card.button.ariaDisabled = true;
      this.#card.button.textContent = 'Starting…';
      // Room for the texts.
      const isNarrow = this.clientWidth < 480;
      this.#grow((isNarrow ? 590 : 510) + (options.num_return_sequences ?? this.#value('n') ?? 5) * (isNarrow ? 200 : 150));
    }
    const frame = await start;
    if (!frame) throw new DOMException('There is no frame.', 'AbortError');
    return frame.generate(options);
  }

  abort() {
    this.#frame?.then((frame) => frame?.abort());
  }

  #reflect(name, value) {
    if (value == null) this.removeAttribute(name);
    else this.setAttribute(name, value);
  }

  static {
    for (const name of NAMES) {
      const property = propertyOf(name);
      if (property in this.prototype) continue;
      Object.defineProperty(this.prototype, property, {
        get() {
          const text = this.getAttribute(name);
          return text && SETTINGS.includes(name) ? +text : text;
        },
        set(value) {
          this.#reflect(name, value);
        },
      });
    }
  }

  #value(name) {
    const text = this.getAttribute(name);
    return text !== null && ATTRIBUTES[name][1](text) ? text : null;
  }

  #query() {
    const query = new URLSearchParams();
    const [bot, model] = [this.#bot(), this.#value('model')];
    if (bot) query.set('bot', bot);
    // Relative to the host's page, as in huggingtweets.js.
    if (model) query.set('model', /^\.{0,2}\/|\.gguf([?#]|$)/i.test(model) ? new URL(model, this.baseURI) : model);
    return `${query}`;
  }

  #bot() {
    return this.#value('bot') ?? (this.#value('model') ? null : DEFAULT_BOT);
  }

  #change() {
    this.#isDue ??= queueMicrotask(() => {
      this.#isDue = null;
      if (this.isConnected) this.#update();
    }) ?? true;
  }

  #update() {
    const wrong = NAMES.find((name) => this.hasAttribute(name) && this.#value(name) === null);
    this.#say(wrong && {
      code: 'bad_parameters', message: `“${wrong}” must be ${ATTRIBUTES[wrong][0]}.`, hint: 'The attribute is ignored; correct it.', retryable: false,
    });
    this.#dress();
    this.#frame?.then((frame) => frame?.query !== this.#query() && this.#drop());
    this.#learn();
    if (this.#value('load') === 'eager') this.load();
  }

  #say(report) {
    const { problem } = this.#card;
    const text = report ? `${report.message} ${report.hint}` : '';
    if (problem.textContent === text) return;
    problem.textContent = text;
    problem.hidden = !text;
    if (text) this.#tell('error', report);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #draw() {
    const card = {
      avatars: make('div', { class: 'avatars', 'aria-hidden': true }),
      label: make('p', { class: 'label' }),
      name: make('p', { class: 'name', part: 'name', dir: 'auto' }),
      handle: make('p', { class: 'handle', dir: 'ltr' }),
      prompt: make('textarea', { part: 'prompt', 'aria-label': 'Prompt', dir: 'auto', spellcheck: false }),
      note: make('span', { class: 'note', dir: 'auto' }),
      button: make('button', { part: 'button', type: 'button' }),
      problem: make('p', { class: 'problem', dir: 'auto', hidden: '' }),
      link: make('a', { target: '_blank' }, 'Open its page'),
      live: make('div', { class: 'live', role: 'status' }),
      probe: make('span', { class: 'probe' }),
    };
    const { avatars, label, name, handle, prompt, note, button, problem, link, live, probe } = card;
    card.root = make('div', { class: 'root', role: 'group' },
      make('header', { part: 'header' }, avatars, label, name, handle),
      make('div', { class: 'box' }, prompt, make('div', { class: 'foot' }, note, button)),
      problem,
      make('div', { class: 'results', part: 'results' }, make('slot', { part: 'result' })),
      make('p', { class: 'fine', dir: 'auto' }, 'A language model on your device makes the texts up. ', link));
    this.#shadow.append(card.root, live, probe);
    const press = () => {
      this.#pressed = performance.now();
      if (!button.ariaDisabled) this.generate().catch(() => {});
    };
    button.onclick = press;
    prompt.onkeydown = ({ key, ctrlKey, metaKey }) => {
      if (key === 'Enter' && (ctrlKey || metaKey)) press();
    };
    prompt.oninput = (event) => {
      event.stopPropagation();
      this.#type(prompt.value);
    };
    probe.ontransitionend = () => this.#dress();
    return card;
  }

  #type(text) {
    this.#typed = text;
    this.#tell('input', { text });
  }

  // The only request before a visitor asks.
  async #learn() {
    const bot = this.#bot();
    if (bot !== this.#factsOf) {
      this.#factsOf = bot;
      this.#facts = null;
      this.#fill();
      try {
        const facts = bot && await (await fetch(`${FOLDER}bot/${bot}/bot.json`)).json();
        if (bot !== this.#factsOf) return;
        this.#facts = facts;
      } catch { /* Not in the gallery, or not allowed: its name stands for it. */ }
    }
    this.#fill();
  }

  #fill() {
    const { root, avatars, label, name, handle, prompt, note, button, link } = this.#card;
    const model = this.#value('model');
    const names = [(this.#factsOf ?? model).split(/[?#]/)[0].split('/').filter(Boolean).pop()];
    const facts = this.#facts ?? { names, label: 'GPT-2', hue: 210, avatars: [{ hue: 210, initials: '🤖' }] };
    root.style.setProperty('--hue', facts.hue);
    avatars.replaceChildren(...facts.avatars.map(({ hue, initials }) => {
      const c = { cx: 46, cy: 46, r: 46 };
      const letters = make('text', { x: 46, y: 46, 'text-anchor': 'middle', 'dominant-baseline': 'central' }, initials);
      const drawing = make('svg', { viewBox: '0 0 92 92', part: 'avatar' }, make('circle', c), make('circle', { ...c, r: 38 }), letters);
      drawing.style.setProperty('--h', hue);
      return drawing;
    }));
    label.textContent = `🤖 ${facts.label} 🤖`;
    name.textContent = facts.names.join(' & ');
    root.ariaLabel = `${name.textContent}, ${facts.label}`;
    handle.textContent = facts.handle ? `@${facts.handle}` : '';
    if (prompt.value !== this.text) prompt.value = this.text;
    const bytes = model ? model === this.#factsOf && facts.own_bytes : facts.bytes;
    const size = (n) => `${(n / 1e6).toFixed(n < 1e8)} MB`;
    if (!button.ariaDisabled) button.textContent = `Generate${bytes ? ` · ${size(bytes)}` : ''}`;
    note.textContent = `Fetches ${bytes ? `that and ${size(facts.code)} of code` : 'a model'} once, then writes here`;
    link.href = `${FOLDER}index.html?${this.#query()}`;
  }

  // Follows the host: on dark ground its text is light.
  #dress() {
    const { root, probe } = this.#card;
    const [, kind, rest] = getComputedStyle(probe).color.match(/^(\w+)\((.*)/);
    const [a, b, c] = rest.match(/-?[\d.]+/g).map(Number);
    const light = { oklch: a, oklab: a, lch: a / 100, lab: a / 100, color: b }[kind] ?? (3 * a + 6 * b + c) / 2550;
    const theme = this.#value('theme');
    root.classList.toggle('dark', theme === 'dark' || (theme !== 'light' && light > 0.55));
    this.#frame?.then((frame) => frame?.follow());
  }

  // Grows where nothing in sight moves by it, or after a press, when a shift counts as the visitor's.
  #grow(wanted = 0) {
    const { root } = this.#card;
    this.#wanted = Math.max(wanted, this.#wanted);
    const { height, bottom } = root.getBoundingClientRect();
    const isOwnDoing = performance.now() - this.#pressed < 400;
    if (this.#wanted > height && (isOwnDoing || bottom >= this.ownerDocument.defaultView.innerHeight)) root.style.minHeight = `${this.#wanted}px`;
  }

  #start() {
    if (!this.isConnected) return undefined;
    const frame = this.#frame ??= import('./embed_frame.js').then(({ BotFrame }) => (this.#frame === frame ? new BotFrame({
      query: this.#query(), typed: () => this.#typed, card: this.#card, shadow: this.#shadow, element: this, settings: SETTINGS,
      value: (name) => this.#value(name), tell: (name, detail) => this.#tell(name, detail),
      type: (text) => this.#type(text), grow: (height) => this.#grow(height), fail: (...words) => this.#fail(...words),
    }) : undefined)).catch(() => this.#fail('A file did not load.', `This page must allow script-src ${FOLDER}`));
    return frame;
  }

  #fail(message, hint) {
    this.#drop();
    this.#say({ code: 'download', message, hint, retryable: true });
  }

  #drop() {
    this.#frame?.then((frame) => frame?.end());
    this.#frame = null;
    this.#wanted = 0;
    const { root, button } = this.#card;
    root.classList.remove('open');
    root.style.minHeight = '';
    button.ariaDisabled = null;
    this.#fill();
  }
}

// Another copy of this file may have defined it: the first one counts.
customElements.get('huggingtweets-bot') ?? customElements.define('huggingtweets-bot', HuggingtweetsBot);
