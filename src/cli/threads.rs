//! `--threads`: the number of threads that compute.

use crate::parallel::{MOST_THREADS, Threads};

/// The threads of a command.
#[derive(Debug, clap::Args)]
pub struct ThreadArgs {
    /// Threads to compute with; the results are the same on any number [default: one per core, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_THREADS as i64))]
    threads: Option<u32>,
}

impl ThreadArgs {
    /// Starts the threads.
    pub fn start(&self) -> Threads {
        self.threads
            .map_or_else(Threads::of_this_machine, |n| Threads::new(n as usize))
    }
}
