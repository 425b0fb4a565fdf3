//! The browser program of the page: starts `web::page`.

#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
fn main() {
    console_error_panic_hook::set_once();
    huggingtweets::web::page::app::start();
}

#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
compile_error!(
    "the page is built without threads; only the programs of `worker/` are built with them"
);

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("this program runs in a browser; build the site with `cargo run --release`");
    std::process::exit(2);
}
