//! The native program: runs the command line of `cli`.

/// Runs the command line; see `huggingtweets --help`.
#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    huggingtweets::cli::main()
}

/// Not built for the browser, which has `app` and `worker`.
#[cfg(target_arch = "wasm32")]
fn main() {}
