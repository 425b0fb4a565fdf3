//! The page in one file opens from a disk, without server and network, and writes the texts of the served page.

use crate::essentials::by_command_line;
use crate::harness::{Browser, Page, RUN, SOON, Site, in_both_browsers, made_file};
use crate::isolation::{STARTED, press};
use fantoccini::Locator;
use huggingtweets::site::Isolation;
use std::fs;
use std::time::Instant;

in_both_browsers!(
    it_opens_from_a_disk_and_writes_what_the_served_page_writes,
    a_picked_model_opens_in_it,
);

/// Limit of its length, as a multiple of its contents.
const MOST: f64 = 1.4;

/// A copy alone in a folder, opened after the server has stopped.
async fn open_alone(browser: Browser, query: &str) -> Option<(Site, Page)> {
    let site = Site::start_in(browser, Isolation::Off).await?;
    let page = fs::read(site.dist().join("huggingtweets.html")).unwrap();
    let file = made_file("one-file/a copy of it.html", &page);
    site.stop().await;
    let started = Instant::now();
    let page = site.open_file(&file, query).await;
    page.wait_for_state(&STARTED).await;
    println!(
        "{browser:?} starts and opens it within {:.0?}",
        started.elapsed()
    );
    Some((site, page))
}

/// Asserts that the page requested nothing, not even from its own folder.
async fn assert_alone(page: &Page, browser: Browser) {
    if browser == Browser::Chromium {
        let requests = page.requests().await;
        let all_its_own = |address: &String| {
            address.starts_with("file://") && address.contains("a%20copy%20of%20it.html")
                || address.starts_with("blob:")
                || address.starts_with("data:")
        };
        let asked: Vec<&String> = requests
            .iter()
            .filter(|address| !all_its_own(address))
            .collect();
        // The browser's own first page.
        assert!(
            asked.iter().all(|address| address.starts_with("chrome:")),
            "{asked:?}"
        );
    }
    assert_eq!(page.console_errors().await, Vec::<String>::new());
}

async fn it_opens_from_a_disk_and_writes_what_the_served_page_writes(browser: Browser) {
    let query = "?bot=huggingtweets/jen_122&text=I%20like&n=2&max_new_tokens=12&seed=3";
    let Some((_site, page)) = open_alone(browser, query).await else {
        return;
    };
    assert!(page.text("bot-handle").await.contains("jen_122"));
    assert_eq!(page.generate().await, by_command_line("I like", 2, 12, 3));
    press(&page, "//header//button[contains(., 'Storage')]").await;
    page.wait_for_text("storage", SOON, |text| {
        text.contains("whole page in one file")
    })
    .await;
    if browser == Browser::Chromium {
        page.screenshot("one-file-storage-1280-light").await;
    }
    press(&page, "//dialog[@open]//button[@aria-label='Close']").await;
    // The file has all five bots.
    assert_eq!(page.find_all("gallery-item").await.len(), 5);
    let other = Locator::Css("[data-testid=gallery-item]:not([aria-current])");
    page.click_at(other).await;
    assert_eq!(page.generate().await.len(), 2);
    assert_alone(&page, browser).await;
}

async fn a_picked_model_opens_in_it(browser: Browser) {
    let Some((site, page)) = open_alone(browser, "?n=1&max_new_tokens=8").await else {
        return;
    };
    let model = fs::read(site.dist().join("model/bundled.gguf")).unwrap();
    let picked = made_file("picked-model.gguf", &model);
    press(&page, "//header//button[contains(., 'Open a model')]").await;
    let picker = Locator::Css("dialog[open] input[type=file]");
    let picker = page.client.wait().for_element(picker).await.unwrap();
    picker
        .send_keys(&picked.display().to_string())
        .await
        .unwrap();
    page.wait_for_text("model-name", RUN, |text| text.contains("picked-"))
        .await;
    page.wait_for_state_within(&["idle", "ready"], RUN).await;
    assert_eq!(page.generate().await.len(), 1);
    assert_alone(&page, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_weighs_little_more_than_what_it_holds() {
    let site = Site::start().await;
    let one = site.sizes().one_file.as_ref().unwrap();
    println!(
        "{}: {} bytes for {}",
        one.path, one.raw_bytes, one.held_bytes
    );
    let model = fs::metadata(site.dist().join("model/bundled.gguf"))
        .unwrap()
        .len();
    let program = fs::metadata(site.dist().join("worker_bg.wasm"))
        .unwrap()
        .len();
    assert!(one.held_bytes > model + program);
    assert!(one.raw_bytes as f64 <= MOST * one.held_bytes as f64);
}
