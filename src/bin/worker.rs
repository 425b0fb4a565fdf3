//! The program of the worker: GPT-2 in the visitor's browser.

#[cfg(target_arch = "wasm32")]
fn main() {
    huggingtweets::web::worker_host::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("this program runs in a browser's worker; start `huggingtweets` instead");
    std::process::exit(2);
}
