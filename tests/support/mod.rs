//! Models, servers and reference data that several test programs use.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test program uses a part of it; in a test a panic is the report"
)]

pub mod author;
pub mod checkpoints;
pub mod gguf_file;
pub mod gpt2_124m;
pub mod mirror;
pub mod own_process;
pub mod pickled;
pub mod program;
pub mod python;
pub mod random_texts;
pub mod shared;
pub mod tiny;
