//! The native program: runs the command line of `cli`.

/// Runs the command line; see `huggingtweets --help`.
#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    huggingtweets::cli::main()
}

/// Not built for the browser, whose programs are `app`, `maker_page` and those of `worker/` and `maker/`.
#[cfg(target_arch = "wasm32")]
fn main() {}
