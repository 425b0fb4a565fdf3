//! The browser program of the trainer, which trains a bot, and of its helpers in the builds with threads.

#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
mod helpers;

#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
fn main() {
    huggingtweets::web::trainer::requests::start(kernels::parallel::Threads::default());
}

/// Every worker that shares the memory runs this first; `www/worker_loader.js` then calls the function of its role.
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
fn main() {}

/// Starts the program, on the helpers that have joined and those that join later.
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn start() {
    huggingtweets::web::trainer::requests::start(kernels::parallel::Threads::of_workers());
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("this program runs in a browser's worker; start `huggingtweets` instead");
    std::process::exit(2);
}
