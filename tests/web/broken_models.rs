//! A file that is no model gives one sentence and keeps what was typed.

use crate::harness::Site;
use std::time::Duration;

const TYPED: &str = "Nothing I type is lost";

/// Opens the page on `model`, types, generates; what the page then says.
async fn error_for(model: &str) -> String {
    let site = Site::start().await;
    let page = site
        .open(&format!("/?model={}", site.address_of(model)))
        .await;
    page.wait_for_state(&["idle", "loading", "failed"]).await;
    page.fill("prompt", TYPED).await;
    if page.state().await == "idle" {
        page.click("generate").await;
    }
    page.wait_for_state_within(&["failed"], Duration::from_secs(60))
        .await;
    let error = page.text("error").await;
    assert_eq!(page.value("prompt").await, TYPED);
    // A file that is missing is on the console too, which no page can help.
    assert_eq!(page.foreign_requests().await, Vec::<String>::new());
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_model_is_told() {
    let error = error_for("/broken/truncated.gguf").await;
    assert!(!error.is_empty(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn web_page_in_place_of_a_model_is_told() {
    let error = error_for("/broken/page.gguf").await;
    assert!(!error.is_empty(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_model_is_told() {
    let error = error_for("/broken/missing.gguf").await;
    assert!(!error.is_empty(), "{error}");
}
