//! What only a browser can show: the built page in headless Chromium, the essentials in Firefox too, driven by
//! WebDriver.
//!
//! One file per claim area under `web/`; [`harness`] holds all that they share. The page is built first
//! if its sources have changed, the same way and into the same folder as by `cargo run --release`.
//! Screenshots go to `target/screenshots/`.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a panic is the report"
)]

#[path = "web/broken_models.rs"]
mod broken_models;
mod checkpoints;
#[path = "web/endurance.rs"]
mod endurance;
#[path = "web/essentials.rs"]
mod essentials;
#[path = "web/figures.rs"]
mod figures;
#[path = "web/fitting.rs"]
mod fitting;
#[path = "web/gallery.rs"]
mod gallery;
#[path = "web/generating.rs"]
mod generating;
mod gpt2_124m;
#[path = "web/harness/mod.rs"]
mod harness;
#[path = "web/hosts.rs"]
mod hosts;
#[path = "web/isolation.rs"]
mod isolation;
#[path = "web/kept.rs"]
mod kept;
#[path = "web/kernels.rs"]
mod kernels;
#[path = "web/measuring.rs"]
mod measuring;
#[path = "web/mirror.rs"]
mod mirror;
#[path = "web/models.rs"]
mod models;
#[path = "web/module.rs"]
mod module;
#[path = "web/offers.rs"]
mod offers;
#[path = "web/offline.rs"]
mod offline;
#[path = "web/one_file.rs"]
mod one_file;
#[path = "web/opening.rs"]
mod opening;
mod shared;
#[path = "web/threads.rs"]
mod threads;
#[path = "web/visitor.rs"]
mod visitor;
