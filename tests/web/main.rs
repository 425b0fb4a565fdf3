//! The claims about the built page in a browser: all in headless Chromium, those about every browser in Firefox too,
//! driven by WebDriver.
//!
//! A module for each area; [`harness`] is shared by all. If its sources have changed the page is built first, in the
//! same way and into the same folder as by `cargo run --release`.
//! Screenshots go to `target/screenshots/`.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a panic is the report"
)]

mod accessibility;
mod broken_models;
mod bundlers;
mod element;
mod endurance;
mod essentials;
mod figures;
mod first_screens;
mod fitting;
mod frames;
mod gallery;
mod generating;
mod harness;
mod hosts;
mod isolation;
mod kept;
mod kernels;
mod keyboard;
mod maker;
mod measuring;
mod mirror;
mod models;
mod module;
mod module_hosts;
mod offers;
mod offline;
mod one_file;
mod opening;
mod room;
mod share;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod training;
mod training_speed;
mod transformers_js;
mod trunk;
mod visitor;
mod webkit;
