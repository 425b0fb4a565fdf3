// Starts the program of the maker's part of the page; src/web/page/maker_door.rs adds this script when the maker opens.

try {
  const { default: init } = await import('./maker_page.js');
  await init({ module_or_path: new URL('./maker_page_bg.wasm', import.meta.url) });
} catch {
  const place = document.querySelector('#maker .message') ?? document.getElementById('maker');
  place.textContent = 'The maker did not load. Check your connection, then reload the page. On a page that was just built, the maker follows in a minute.';
}
