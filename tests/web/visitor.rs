//! The page never hangs, fits a phone, keeps the chosen colours, and shows text as text.

use crate::harness::{RUN, SOON, Site, wait_until};
use crate::isolation::press;
use fantoccini::Locator;
use serde_json::json;

/// Limit of a task on the page thread while texts are written.
const LONGEST_TASK_MS: u64 = 50;
const STARTED: [&str; 3] = ["idle", "loading", "ready"];

#[tokio::test(flavor = "multi_thread")]
async fn the_page_thread_is_never_busy_for_long_while_texts_are_written() {
    let site = Site::start().await;
    let page = site.open("/?n=10&seed=1").await;
    page.wait_for_state(&STARTED).await;
    page.generate().await;
    // The model is loaded; only writing is measured. Other work on the machine only adds to the time of a task, so
    // the best of several runs counts.
    page.eval(
        "window.longTasks = []; new PerformanceObserver(list => longTasks.push(...list.getEntries().map(e => Math.round(e.duration)))).observe({ type: 'longtask' })",
    )
    .await;
    let mut longest = Vec::new();
    for _ in 0..3 {
        page.eval("longTasks.length = 0").await;
        page.generate().await;
        let tasks = page.eval("return longTasks").await;
        let tasks = tasks.as_array().unwrap().iter();
        longest.push(tasks.filter_map(|ms| ms.as_u64()).max().unwrap_or(0));
    }
    assert!(
        longest.iter().min() <= Some(&LONGEST_TASK_MS),
        "longest tasks of {longest:?} ms"
    );
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_header_prompt_and_generate_on_its_first_screen() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let phone = json!({ "width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": true });
    page.devtools("Emulation.setDeviceMetricsOverride", phone)
        .await;
    for bot in huggingtweets::bot::bundled() {
        page.goto(&site.address_of(&format!("/?bot={}", bot.repo)))
            .await;
        page.wait_for_state(&STARTED).await;
        for testid in ["bot-name", "bot-handle", "prompt"] {
            let bottom = page
                .eval(&format!("return document.querySelector('[data-testid={testid}]').getBoundingClientRect().bottom"))
                .await;
            assert!(
                bottom.as_f64().unwrap() <= 640.0,
                "{testid} of {} ends at {bottom}",
                bot.repo
            );
        }
        let top = page.eval("return document.querySelector('[data-testid=generate]').getBoundingClientRect().top").await;
        assert!(
            top.as_f64().unwrap() < 620.0,
            "generate of {} begins at {top}",
            bot.repo
        );
        let width = page
            .eval("return document.documentElement.scrollWidth")
            .await;
        assert_eq!(width, 360, "{} scrolls sideways", bot.repo);
        page.screenshot(&format!("phone-{}", bot.card.handle)).await;
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chosen_colours_are_kept_and_can_be_deleted() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    let toggle = Locator::Css(".top-bar [aria-label^=Colours]");
    page.click_at(toggle).await;
    page.click_at(toggle).await;
    page.goto(&site.address_of("/")).await;
    page.wait_for_state(&STARTED).await;
    assert_eq!(
        page.eval("return document.documentElement.dataset.theme")
            .await,
        "dark"
    );
    press(&page, "//header//button[contains(., 'Storage')]").await;
    page.wait_for_text("storage", SOON, |text| text.contains("dark"))
        .await;
    press(
        &page,
        "//*[@data-testid='storage']//button[contains(., 'Delete')]",
    )
    .await;
    page.wait_for_text("storage", SOON, |text| !text.contains("dark"))
        .await;
    assert_eq!(page.eval("return localStorage.length").await, 0);
    assert_eq!(
        page.eval("return document.documentElement.dataset.theme")
            .await,
        "auto"
    );
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_prompt_stays_text() {
    let site = Site::start().await;
    let page = site.open("/?n=1&max_new_tokens=8&text=%3Cimg%20src%3Dx%20onerror%3D%22window.hit%3D1%22%3E%20%F0%9F%98%80").await;
    page.wait_for_state(&STARTED).await;
    page.click("generate").await;
    let result = page
        .wait_for_text("result", RUN, |text| text.contains("onerror"))
        .await;
    assert!(
        result.contains("<img src=x onerror=\"window.hit=1\"> 😀"),
        "{result}"
    );
    assert_eq!(
        page.eval("return window.hit ?? null").await,
        serde_json::Value::Null
    );
    page.wait_for_state_within(&["ready"], RUN).await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_megabyte_is_refused_in_a_sentence_and_stays_in_the_box() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    page.eval(
        "const box = document.querySelector('[data-testid=prompt]'); box.value = 'word '.repeat(200000); box.dispatchEvent(new Event('input', { bubbles: true })); document.querySelector('[data-testid=generate]').click()",
    )
    .await;
    page.wait_for_text("error", RUN, |text| text.contains("1.0 MB"))
        .await;
    assert_eq!(
        page.eval("return document.querySelector('[data-testid=prompt]').value.length")
            .await,
        1_000_000
    );
    assert_eq!(page.find_all("result").await.len(), 0);
    page.fill("prompt", "I want").await;
    page.click("generate").await;
    wait_until("five texts", RUN, || async {
        (page.state().await == "ready" && page.find_all("result").await.len() == 5).then_some(())
    })
    .await;
    page.close_clean().await;
}
