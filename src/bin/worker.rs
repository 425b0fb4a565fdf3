//! The program of the worker: GPT-2 in the visitor's browser; and of its helpers, where workers share memory.

#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
fn main() {
    huggingtweets::web::worker::host::start(huggingtweets::parallel::Threads::default());
}

/// Every worker on the memory runs this; `www/worker_loader.js` calls what its part is.
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
fn main() {}

#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
mod parts {
    use huggingtweets::parallel::{self, Threads};
    use huggingtweets::web::worker::host;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// The engine, on the threads that have come and will come.
    #[wasm_bindgen]
    pub fn start_engine() {
        host::start(Threads::of_workers());
    }

    /// Counts this worker among the threads.
    #[wasm_bindgen]
    pub fn join() {
        parallel::join();
    }

    /// A helper that has joined: computes when there is something to and does not return.
    #[wasm_bindgen]
    pub fn help() {
        parallel::help();
    }

    /// A helper has trapped: the engine does not wait for it.
    #[wasm_bindgen]
    pub fn report_failure() {
        parallel::report_failure();
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("this program runs in a browser's worker; start `huggingtweets` instead");
    std::process::exit(2);
}
