//! Files without a valid model give a clear sentence and leave the prompt; the way back is in `essentials`.

use crate::harness::{Page, RUN, Site};

/// Presses Generate on a page with a broken model and gives the text of the error.
async fn refusal(page: &Page) -> String {
    page.wait_for_state(&["idle", "loading", "failed"]).await;
    page.fill("prompt", "words that must stay").await;
    page.click("generate").await;
    page.wait_for_state_within(&["failed"], RUN).await;
    let text = page.text("error").await;
    assert_eq!(page.value("prompt").await, "words that must stay");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_instead_of_a_model_is_refused() {
    let site = Site::start().await;
    let page = site.open("/?model=broken/page.gguf").await;
    let text = refusal(&page).await;
    assert!(text.to_lowercase().contains("gguf"), "{text}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_without_meaning_are_refused() {
    let site = Site::start().await;
    let page = site.open("/?model=broken/noise.gguf").await;
    let text = refusal(&page).await;
    assert!(text.to_lowercase().contains("gguf"), "{text}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_model_is_named_as_missing() {
    let site = Site::start().await;
    let page = site.open("/?model=broken/missing.gguf").await;
    let text = refusal(&page).await;
    assert!(text.contains("404"), "{text}");
    // The browser logs the 404 itself.
    let errors = page.console_errors().await;
    assert!(
        errors.iter().all(|error| error.contains("404")),
        "{errors:?}"
    );
    assert_eq!(page.foreign_requests().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_of_five_megabytes_is_refused_before_anything_runs() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    page.eval(
        "const box = document.querySelector('[data-testid=prompt]'); box.value = 'many words '.repeat(500000); \
         box.dispatchEvent(new Event('input', { bubbles: true }))",
    )
    .await;
    page.click("generate").await;
    page.find("error").await;
    assert_eq!(
        page.eval("return document.querySelector('[data-testid=prompt]').value.length")
            .await,
        5_500_000
    );
    page.close_clean().await;
}
