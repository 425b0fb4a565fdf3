//! Claims about every browser: the page opens, writes the texts of the command line and refuses a broken model.

use crate::harness::{Browser, RUN, SOON, SUB_PATH, Site, in_both_browsers, wait_until};
use fantoccini::Locator;
use huggingtweets::bundled::BUNDLED_MODEL;
use huggingtweets::site::Isolation;
use serde_json::Value;
use std::process::Command;

in_both_browsers!(
    page_opens_at_the_root_and_in_a_sub_folder_without_error_or_foreign_request,
    one_seed_writes_the_text_of_the_command_line,
    a_truncated_model_is_refused_and_the_bundled_one_takes_over,
    errors_of_the_page_and_of_its_workers_are_noticed,
);

const STARTED: [&str; 3] = ["idle", "loading", "ready"];

pub async fn page_opens_at_the_root_and_in_a_sub_folder_without_error_or_foreign_request(
    browser: Browser,
) {
    for path in ["/", SUB_PATH] {
        let Some(site) = Site::start_in(browser, Isolation::On).await else {
            return;
        };
        let page = site.open(path).await;
        page.wait_for_state(&STARTED).await;
        assert_eq!(page.eval("return crossOriginIsolated").await, true);
        page.close_clean().await;
    }
}

/// The texts of the bundled model on the command line, without the prompt.
pub fn by_command_line(prompt: &str, n: usize, max_new_tokens: usize, seed: u32) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
        .args(["generate", "--json", "--prompt", prompt])
        .args(["--n", &n.to_string(), "--seed", &seed.to_string()])
        .args(["--max-new-tokens", &max_new_tokens.to_string()])
        .output()
        .unwrap();
    let texts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let texts = texts.as_array().unwrap().iter();
    texts
        .map(|text| text["generated_text"].as_str().unwrap())
        .map(|text| text.strip_prefix(prompt).unwrap().to_owned())
        .collect()
}

pub async fn one_seed_writes_the_text_of_the_command_line(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site
        .open("/?text=My%20dream%20is&n=3&max_new_tokens=24&seed=42")
        .await;
    page.wait_for_state(&STARTED).await;
    let written = page.generate().await;
    assert_eq!(written, by_command_line("My dream is", 3, 24, 42));
    page.close_clean().await;
}

pub async fn a_truncated_model_is_refused_and_the_bundled_one_takes_over(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site
        .open("/?model=broken/truncated.gguf&n=1&max_new_tokens=8")
        .await;
    page.wait_for_state(&STARTED).await;
    page.fill("prompt", "words that must stay").await;
    page.click("generate").await;
    page.wait_for_state_within(&["failed"], RUN).await;
    let refusal = page.text("error").await;
    let size = BUNDLED_MODEL.size_bytes.to_string();
    assert!(refusal.contains(&size), "{refusal}");
    assert_eq!(page.value("prompt").await, "words that must stay");
    if browser == Browser::Chromium {
        page.screenshot("failed-1280-light").await;
    }
    page.click_at(Locator::XPath(
        "//*[@data-testid='error']//button[contains(., 'small model')]",
    ))
    .await;
    page.wait_for_state_within(&["ready", "idle"], RUN).await;
    assert_eq!(page.generate().await.len(), 1);
    assert!(page.texts("result").await[0].contains("words that must stay"));
    page.close_clean().await;
}

/// The base of `close_clean`.
async fn errors_of_the_page_and_of_its_workers_are_noticed(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    assert_eq!(page.console_errors().await, Vec::<String>::new());
    let ways = [
        "console.error('said by the page')",
        "setTimeout(() => { throw new Error('thrown by the page'); })",
        "new Worker(URL.createObjectURL(new Blob([\"console.error('said by a worker')\"])))",
    ];
    for (n, way) in ways.iter().enumerate() {
        page.eval(way).await;
        wait_until(way, SOON, || async {
            (page.console_errors().await.len() > n).then_some(())
        })
        .await;
    }
}
