//! The browser program of the worker, which runs GPT-2, and of its helpers in the builds with threads.

#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
fn main() {
    huggingtweets::web::worker::host::start(kernels::parallel::Threads::default());
}

/// Every worker that shares the memory runs this first; `www/worker_loader.js` then calls the function of its role.
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
fn main() {}

#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
mod roles {
    use huggingtweets::web::worker::host;
    use kernels::parallel::{self, Threads};
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Starts the engine, on the helpers that have joined and those that join later.
    #[wasm_bindgen]
    pub fn start_engine() {
        host::start(Threads::of_workers());
    }

    /// Adds this worker to the engine's threads.
    #[wasm_bindgen]
    pub fn join() {
        parallel::join();
    }

    /// Computes for the engine as a helper that has joined; does not return.
    #[wasm_bindgen]
    pub fn help() {
        parallel::help();
    }

    /// Reports that a helper has trapped, so that the engine does not wait for it.
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
