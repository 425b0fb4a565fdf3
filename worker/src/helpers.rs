//! What `www/worker_loader.js` calls in the helpers of the builds with threads, whatever the program.

use kernels::parallel;
use wasm_bindgen::prelude::wasm_bindgen;

/// Adds this worker to the program's threads.
#[wasm_bindgen]
pub fn join() {
    parallel::join();
}

/// Computes as a helper that has joined; does not return.
#[wasm_bindgen]
pub fn help() {
    parallel::help();
}

/// Reports that a helper has trapped, so that the program does not wait for it.
#[wasm_bindgen]
pub fn report_failure() {
    parallel::report_failure();
}
