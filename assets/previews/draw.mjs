// Draws the preview pictures of the bots' pages: OWNER/NAME.png beside this file, and all.png, 1200 × 630.
//
//     npm install puppeteer-core && node assets/previews/draw.mjs
//
// The browser is Chromium; CHROMIUM names another one. Faces are drawn as the page draws them: initials on the bot's hue.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const [width, height] = [1200, 630];
const screens = path.join(here, '../first_screens');
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);

/** The bot's faces, label, names and handle, from the page as the program draws it (assets/first_screens). */
const factsOf = (html) => {
  const header = html.slice(html.indexOf('class="bot-header"'), html.indexOf('class="widget"'));
  const text = (testid) => {
    const [, inside] = header.match(new RegExp(`data-testid="${testid}"[^>]*>(.*?)</(p|h1|bdi|span)>`, 's'));
    return inside.replaceAll(/<[^>]*>/g, '');
  };
  const faces = [...header.matchAll(/--avatar-hue: (\d+).*?<text[^>]*>([^<]*)</gs)].map(([, hue, letters]) => ({ hue, letters }));
  const name = header.match(/<h1[^>]*>(.*?)<\/h1>/s)[1];
  const names = [...name.matchAll(/<bdi>(.*?)<\/bdi>/gs)].map(([, one]) => one);
  return { faces, names, handle: text('bot-handle').replace(/ bot$/, '') };
};

const style = `
  * { box-sizing: border-box; margin: 0; }
  body { width: ${width}px; height: ${height}px; padding: 56px 64px; display: flex; flex-direction: column; align-items: center; justify-content: center;
    background: #f7f5f0; color: #201e1a; font: 30px/1.3 "Noto Sans", "DejaVu Sans", "Droid Sans Fallback", "Noto Color Emoji", sans-serif; text-align: center; }
  .faces { display: flex; gap: 20px; }
  .face { width: 150px; height: 150px; border-radius: 50%; display: grid; place-items: center; font-size: 62px; font-weight: 800; }
  .label { margin-top: 34px; font-size: 30px; font-weight: 800; letter-spacing: .06em; }
  .names { margin-top: 8px; font-size: 60px; font-weight: 800; line-height: 1.15; max-width: 1060px; }
  .names.is-long { font-size: 42px; }
  .handle { margin-top: 12px; color: #625d53; }
  .foot { margin-top: 46px; color: #625d53; font-size: 26px; }
  .row .face { width: 104px; height: 104px; font-size: 42px; }`;
const face = ({ hue, letters }) =>
  `<span class="face" style="background: hsl(${hue} 60% 82%); color: hsl(${hue} 60% 25%)">${letters}</span>`;
const document = (body) => `<!doctype html><meta charset="utf-8"><style>${style}</style>${body}`;

const ofBot = ({ faces, names, handle, label }) => document(`
  <div class="faces">${faces.map(face).join('')}</div>
  <p class="label">🤖 ${label} 🤖</p>
  <p class="names ${names.join('').length > 34 ? 'is-long' : ''}">${names.map((name) => `<bdi>${name}</bdi>`).join(' &amp; ')}</p>
  <p class="handle">${handle}</p>
  <p class="foot">GPT-2 writes in your browser · huggingtweets-web</p>`);

const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage();
await page.setViewport({ width, height });
const draw = async (html, file) => {
  await page.setContent(html);
  await page.evaluate(() => globalThis.document.fonts.ready.then(() => {}));
  fs.mkdirSync(path.dirname(file), { recursive: true });
  await page.screenshot({ path: file });
};
const all = [];
for (const owner of fs.readdirSync(screens)) {
  for (const name of fs.readdirSync(path.join(screens, owner)).map((file) => path.basename(file, '.html'))) {
    const facts = factsOf(fs.readFileSync(path.join(screens, owner, `${name}.html`), 'utf8'));
    const card = JSON.parse(fs.readFileSync(path.join(here, `../bots/${name}.json`), 'utf8'));
    all.push(facts);
    await draw(ofBot({ ...facts, label: escaped(card.label) }), path.join(here, owner, `${name}.png`));
  }
}
await draw(document(`
  <p class="names">🤖 huggingtweets-web</p>
  <p class="label">The tweet bots of huggingtweets, alive again</p>
  <div class="faces row" style="margin-top: 44px">${all.flatMap(({ faces }) => faces).map(face).join('')}</div>
  <p class="foot">GPT-2 writes in your own browser, with no server behind it</p>`), path.join(here, 'all.png'));
await browser.close();
