//! `WorkerProgram`: the programs that compute in a worker.

/// A program that computes in a worker, on the kernels and their threads. The loader starts both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkerProgram {
    /// Writes texts.
    Engine,
    /// Trains a bot; loaded when the maker trains one.
    Trainer,
}

impl WorkerProgram {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Engine, Self::Trainer];

    /// The name of the program, and the beginning of the names of its files.
    #[must_use]
    pub fn bin(self) -> &'static str {
        match self {
            Self::Engine => "worker",
            Self::Trainer => "trainer",
        }
    }
}
