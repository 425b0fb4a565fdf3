//! Pressing Generate: the bundled model is loaded into the worker and writes.

use crate::harness::{SUB_PATH, Site, wait_until};
use fantoccini::key::Key;
use std::time::Duration;

/// Loading the bundled model and writing five results, on a slow machine.
const WRITTEN: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn generate_writes_five_results_that_begin_with_the_prompt() {
    let site = Site::start().await;
    let page = site.open(SUB_PATH).await;
    page.wait_for_state(&["idle", "ready"]).await;
    let prompt = page.value("prompt").await;
    assert!(
        !prompt.is_empty(),
        "the card's example stands in the prompt"
    );
    // The bundled model writes faster than a driver can find and click.
    page.eval(
        "const one = (id) => document.querySelector(`[data-testid=${id}]`);
         const stop = setInterval(() => {
           if (!one('continuation')?.textContent) return;
           one('stop').click();
           clearInterval(stop);
         }, 1);
         one('generate').click();",
    )
    .await;
    page.wait_for_text("continuation", WRITTEN, |text| !text.is_empty())
        .await;
    page.wait_for_state(&["ready"]).await;
    let written = page.texts("continuation").await.concat();
    assert!(!written.is_empty());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(page.texts("continuation").await.concat(), written);
    // Ten results of 100 tokens would have several hundred characters each.
    assert!(written.len() < 2000, "written on to the end: {written}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_enter_in_the_prompt_generates() {
    let site = Site::start().await;
    let page = site.open("/?n=1&max_new_tokens=10").await;
    page.wait_for_state(&["idle", "ready"]).await;
    page.fill("prompt", "The sea was").await;
    page.press(&[Key::Control.into(), Key::Enter.into()]).await;
    wait_until("one result", WRITTEN, || async {
        let results = page.texts("result").await;
        (page.state().await == "ready" && results.len() == 1 && results[0].contains("The sea was"))
            .then_some(())
    })
    .await;
    page.close_clean().await;
}
