//! The claims that need no browser, in one program: a module for each area of the library.
//!
//! `cargo test --release --test native NAME` runs the claims whose path contains `NAME`, such as `tokenizer` or
//! `llama_cpp`.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a panic is the report"
)]

mod architecture;
mod arrival;
mod cards;
mod cases;
mod cli;
mod conversion;
mod conversion_memory;
mod engine;
mod finetune;
mod finetune_speed;
mod finetuned;
mod fuzz;
mod generate;
mod generation;
mod hub;
mod infer;
mod kernels;
mod llama_cpp;
mod memory;
mod mirror;
mod model;
mod module_types;
mod parallel;
mod posts;
mod preflight;
mod pytorch;
mod repositories;
mod shapes;
mod shared_crates;
mod site;
mod special_tokens;
mod state;
mod store;
#[path = "../support/mod.rs"]
mod support;
mod tokenizer;
mod tokenizer_forms;
mod trainer;
mod transformers;
mod weights;
