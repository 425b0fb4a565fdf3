//! Texts of the bundled model: written five at a time, stopped, repeated, continued, by the page and by the module.

use crate::harness::{Page, RUN, SOON, SUB_PATH, Site, wait_until};
use fantoccini::Locator;
use serde_json::{Value, json};

/// Keys of WebDriver.
const CONTROL: char = '\u{e009}';
const ENTER: char = '\u{e007}';

async fn set(page: &Page, field: &str, value: &str) {
    if page
        .eval("return document.querySelector('[data-testid=settings]').open")
        .await
        == false
    {
        page.click_at(Locator::Css("[data-testid=settings] summary"))
            .await;
    }
    let control = page
        .client
        .find(Locator::Id(&format!("setting-{field}")))
        .await
        .unwrap();
    control.clear().await.unwrap();
    control.send_keys(value).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn generate_loads_the_bundled_model_and_writes_five_texts() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    assert_eq!(page.value("prompt").await, "My dream is");
    let continuations = page.generate().await;
    assert_eq!(continuations.len(), 5);
    assert!(
        continuations.iter().all(|text| !text.trim().is_empty()),
        "{continuations:?}"
    );
    for result in page.texts("result").await {
        assert!(result.contains("My dream is"), "{result}");
    }
    assert!(!page.text("model-name").await.is_empty());
    page.screenshot("written-1280-light").await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_a_sub_folder_without_isolation_writes_too() {
    let site = Site::start_with(huggingtweets::site::Isolation::Off).await;
    let page = site
        .open(&format!("{SUB_PATH}?n=2&max_new_tokens=12&text=I%20want"))
        .await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    let continuations = page.generate().await;
    assert_eq!(continuations.len(), 2);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_writes_the_same_texts() {
    let site = Site::start().await;
    let page = site.open("/?seed=42&n=3&max_new_tokens=24").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    let first = page.generate().await;
    let second = page.generate().await;
    assert_eq!(first, second);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_enter_generates_and_stop_ends_it_between_two_tokens() {
    let site = Site::start().await;
    // Texts that cannot end early: long, with the end-of-text token forbidden.
    let page = site.open("/?n=10&max_new_tokens=100").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    set(&page, "min_length", "104").await;
    page.eval("document.querySelector('[data-testid=prompt]').focus()")
        .await;
    page.press(&[CONTROL, ENTER]).await;
    page.wait_for_state_within(&["generating"], RUN).await;
    page.click("stop").await;
    page.wait_for_state_within(&["ready"], RUN).await;
    let words = page.eval("return document.body.innerText").await;
    assert!(words.as_str().unwrap().contains("stopped"), "{words}");
    // The engine is free again.
    assert_eq!(page.generate().await.len(), 10);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_change_what_is_written_and_reset_brings_the_defaults_back() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    set(&page, "num_return_sequences", "2").await;
    set(&page, "max_new_tokens", "8").await;
    assert_eq!(page.generate().await.len(), 2);
    page.click_at(Locator::XPath(
        "//*[@data-testid='settings']//button[contains(., 'Reset all')]",
    ))
    .await;
    wait_until("the default number of texts", SOON, || async {
        let value = page
            .eval("return document.getElementById('setting-num_return_sequences').value")
            .await;
        (value == "5").then_some(())
    })
    .await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_text_can_be_written_anew_and_continued_in_its_place() {
    let site = Site::start().await;
    let page = site.open("/?n=2&max_new_tokens=10&seed=7").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    let before = page.generate().await;
    let press = |name: &str| {
        let path = format!("(//*[@data-testid='result'])[2]//button[contains(., '{name}')]");
        let page = &page;
        async move { page.click_at(Locator::XPath(&path)).await }
    };
    press("Again").await;
    let after = wait_until("the second text to be another", RUN, || async {
        let texts = page.texts("continuation").await;
        (page.state().await == "ready" && texts[1] != before[1]).then_some(texts)
    })
    .await;
    assert_eq!(after[0], before[0]);
    press("Continue").await;
    wait_until("the second text to go on", RUN, || async {
        let texts = page.texts("continuation").await;
        (page.state().await == "ready"
            && texts[1].len() > after[1].len()
            && texts[1].starts_with(&after[1]))
        .then_some(())
    })
    .await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_es_module_writes_what_the_page_writes() {
    let site = Site::start().await;
    let page = site.open("/?seed=42&n=2&max_new_tokens=16").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    let on_page = page.generate().await;
    let script = r"
        const done = arguments[arguments.length - 1];
        (async () => {
          const { pipeline } = await import(new URL('./huggingtweets.js', document.baseURI).href);
          const generator = await pipeline('text-generation');
          let streamed = ['', ''];
          const out = await generator('My dream is', {
            num_return_sequences: 2, max_new_tokens: 16, seed: 42,
            on_token: ({ sequence, text }) => { streamed[sequence] += text; },
          });
          const ids = await generator.tokenizer.encode('My dream is');
          const text = await generator.tokenizer.decode(ids);
          await generator.dispose();
          done({ out, streamed, ids, text, stats: generator.stats });
        })().catch((error) => done({ error: String(error) }));";
    let answer: Value = page.client.execute_async(script, vec![]).await.unwrap();
    assert_eq!(answer["error"], Value::Null, "{answer}");
    for (place, text) in on_page.iter().enumerate() {
        assert_eq!(
            answer["out"][place]["generated_text"],
            json!(format!("My dream is{text}"))
        );
        assert_eq!(answer["streamed"][place], json!(text));
    }
    assert_eq!(answer["text"], "My dream is");
    assert!(
        answer["stats"]["new_tokens"].as_u64().unwrap() > 0,
        "{answer}"
    );
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_leaves_prompt_and_results_and_can_be_restarted() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.run_first("const Real = Worker; window.Worker = class extends Real { constructor(...a) { super(...a); window.lastWorker = this; } };")
        .await;
    page.goto(&site.address_of("/?n=2&max_new_tokens=8")).await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    page.fill("prompt", "I like my own words").await;
    let written = page.generate().await;
    // The event of a worker whose program traps.
    page.eval("lastWorker.dispatchEvent(new ErrorEvent('error', { message: 'unreachable' }))")
        .await;
    page.wait_for_state(&["failed"]).await;
    page.find("error").await;
    assert_eq!(page.value("prompt").await, "I like my own words");
    assert_eq!(page.texts("continuation").await, written);
    page.click_at(Locator::XPath(
        "//*[@data-testid='error']//button[contains(., 'Restart')]",
    ))
    .await;
    page.wait_for_state_within(&["idle", "ready"], RUN).await;
    assert_eq!(page.generate().await.len(), 2);
    page.close_clean().await;
}
