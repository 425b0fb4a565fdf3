//! huggingtweets-web: GPT-2 tweet bots that run in the visitor's own browser.
//!
//! The page draws, a web worker computes, and everything outside `web` builds without a browser. Four packages are
//! beside this one: `kernels/`, the kernels, and `worker/`, the workers' programs, optimised for speed instead of size;
//! `posts/`, reading and cleaning people's posts, and `maker/`, the worker that reads and keeps them.
//!
//! ```text
//!  visitor ──▶ web::page ◀─▶ state::PageState
//!                  │ Request ▼ ▲ Event     (protocol)
//!              web::worker ──▶ engine ──▶ generate ──▶ infer ──▶ kernels (with threads)
//!                                 └─────▶ weights, tokenizer
//!  visitor ──▶ web::page::maker_app ◀─▶ state::MakerState ◀─▶ maker/ ──▶ posts
//!                  │                                  └──▶ web::trainer ──▶ trainer ──▶ finetune ──▶ model, kernels
//!  host page ──▶ www/embed.js ──▶ frames: web::page ──▶ www/engine.js ──▶ web::worker
//!  terminal ──▶ bin/huggingtweets ──▶ cli ──▶ engine, weights, posts, finetune, card, site
//! ```
//!
//! In reading order:
//!
//! | modules | contents |
//! |---|---|
//! | [`model`] | GPT-2 as in the paper, on candle tensors: the reference for tests |
//! | [`kernels`], [`parallel`], [`infer`] | the same GPT-2 made fast: packed quantized weights, SIMD products, threads, a KV cache |
//! | [`json`], [`file_kind`], [`notice`], [`shown`] | JSON as people's files have it; a guess at what a file is; what to know about a file; how strangers' texts are shown |
//! | [`weights`] | reads, converts and writes checkpoints: safetensors, PyTorch, GGUF |
//! | [`tokenizer`], [`generate`] | text to token ids and back; parameters, sampling, one token per step |
//! | [`finetune`] | a model's training continued on a text: full, or LoRA over frozen weights |
//! | [`posts`] | exports of social networks to clean posts, counts and a training text |
//! | [`trainer`] | a bot's training a step at a time, its files, and the messages between the page and the trainer's worker |
//! | [`runs`] | what was done with which data: runs, metrics, artifacts, for TensorBoard too |
//! | [`hub`], [`store`] | names of models, the files to fetch, what a model needs; what is stored on the device |
//! | [`card`], [`bot`], [`bundled`] | model cards, the bots of the gallery, the model that comes with the page |
//! | [`protocol`], [`engine`] | the messages between page and worker; the engine that answers them, one step at a time |
//! | [`state`] | what the page shows, and how each event and action changes it |
//! | `web` | the browser's side: page, worker, and what both share |
//! | `cli`, `site` | the native program: its commands; building and serving the page |
//!
//! `tests/native/architecture.rs` has the table of the modules that each module may name, and fails on any other arrow and
//! on a circle of files.

pub mod bot;
pub mod bundled;
pub mod card;
pub mod file_kind;
pub mod finetune;
pub mod generate;
pub mod hub;
pub mod infer;
pub mod json;
pub mod model;
pub mod notice;
pub mod protocol;
pub mod runs;
pub mod shown;
pub mod state;
pub mod store;
pub mod tokenizer;
pub mod trainer;
pub mod weights;

/// The kernels are a package of their own, `kernels/`.
pub use ::kernels;
pub use ::kernels::parallel;
/// Reading and cleaning posts is a package of its own, `posts/`.
pub use ::posts;

pub mod engine;

#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
#[cfg(not(target_arch = "wasm32"))]
pub mod site;
#[cfg(target_arch = "wasm32")]
pub mod web;
