//! The page opens in any folder of a host and requests nothing outside of it.

use crate::harness::{SUB_PATH, Site};
use huggingtweets::site::Isolation;

/// States of a page that has started; `starting` stands in the file.
const STARTED: [&str; 3] = ["idle", "loading", "ready"];

#[tokio::test(flavor = "multi_thread")]
async fn page_opens_at_the_root_without_error_or_foreign_request() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    page.screenshot("opened-1280-light").await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_opens_in_a_sub_folder_without_error_or_foreign_request() {
    let site = Site::start().await;
    let page = site.open(SUB_PATH).await;
    page.wait_for_state(&STARTED).await;
    let outside: Vec<String> = page
        .requests()
        .await
        .into_iter()
        .filter(|address| {
            address.starts_with("http") && !address.starts_with(&site.address_of(SUB_PATH))
        })
        .collect();
    assert_eq!(
        outside,
        Vec::<String>::new(),
        "asked for outside the sub-folder"
    );
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_opens_on_a_host_that_sends_no_isolation_headers() {
    let site = Site::start_with(Isolation::Off).await;
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    assert_eq!(page.eval("return crossOriginIsolated").await, false);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_is_isolated_when_the_host_asks_for_it() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    assert_eq!(page.eval("return crossOriginIsolated").await, true);
    page.close_clean().await;
}
