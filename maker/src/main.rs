//! The browser program of the maker, which runs in a worker of the page.

#[cfg(target_arch = "wasm32")]
mod browser;

#[cfg(target_arch = "wasm32")]
fn main() {
    browser::host::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("this program runs in a browser's worker; start `huggingtweets` instead");
    std::process::exit(2);
}
