//! huggingtweets-web: GPT-2 tweet bots that run in the visitor's own browser.
//!
//! The page draws, the worker computes, and the library knows neither.
//!
//! ```text
//!  visitor ──▶ web::page::app, components ◀─▶ state::PageState
//!                      │  Request ▼ ▲ Event   (protocol)
//!              web::page::worker_bridge ◀═▶ web::worker::host ──▶ engine ──▶ generate ──▶ infer ──▶ kernels
//!                               bin/huggingtweets (native) ──▶ cli ──▶ engine, weights, card, site
//! ```
//!
//! Reading order: [`model`] is GPT-2 as the paper has it, on candle tensors; [`kernels`] and
//! [`infer`] are the same model made fast, without candle, on the threads of [`parallel`]; [`weights`] reads and writes checkpoints;
//! [`tokenizer`] and [`generate`] turn text into ids, logits into choices, ids into text; [`engine`]
//! owns all of these and answers [`protocol`] requests one step at a time. [`card`] and [`bot`] say
//! who speaks; [`hub`] where a model's files are, [`store`] what is kept of them on the device; [`state`] is what the
//! page shows. `web` is the browser's edge; natively `site` builds and serves the page and `cli` is the command line.
//! Everything outside `web` builds without a browser, and `tests/native/architecture.rs` holds every module to the
//! arrows it may draw.

pub mod bot;
pub mod bundled;
pub mod card;
pub mod generate;
pub mod hub;
pub mod infer;
pub mod kernels;
pub mod model;
pub mod parallel;
pub mod protocol;
pub mod state;
pub mod store;
pub mod tokenizer;
pub mod weights;

pub mod engine;

#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
#[cfg(not(target_arch = "wasm32"))]
pub mod site;
#[cfg(target_arch = "wasm32")]
pub mod web;
