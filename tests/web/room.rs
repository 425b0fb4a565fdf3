//! Models on a device with little room: what is written needs no more room than the model, and what did not fit is named.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Page, SOON, Site};
use crate::isolation::{press, wait_for};
use crate::models::{REPO, large};

/// Limit for a large model on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// The page's own files, which the browser keeps as well.
const PAGE_BYTES: f64 = 25e6;

/// Limits the storage of the page's origin.
pub async fn limit(site: &Site, page: &Page, bytes: f64) {
    let origin = site.address_of("/").trim_end_matches('/').to_owned();
    let quota = json!({ "origin": origin, "quotaSize": bytes });
    page.devtools("Storage.overrideQuotaForOrigin", quota).await;
}

/// Names of the files in the private file system.
async fn files(page: &Page) -> Vec<String> {
    let names = "(async () => { \
        const root = await navigator.storage.getDirectory(); \
        const names = []; \
        for await (const [folder, handle] of root.entries()) \
          for await (const name of handle.keys()) names.push(`${folder}/${name}`); \
        return names; })()";
    let names = wait_for(page, names).await;
    serde_json::from_value(names).unwrap()
}

// https://github.com/chromium/chromium/blob/main/storage/browser/file_system/sandbox_file_stream_writer.cc
#[tokio::test(flavor = "multi_thread")]
async fn a_model_fits_into_a_tenth_more_than_its_size() {
    let site = Site::start().await;
    let (page, mirror, weights) = large(&site).await;
    let size = 135.9e6;
    limit(&site, &page, 1.1 * size + PAGE_BYTES).await;
    let address = format!(
        "/?model={REPO}&endpoint={}&n=1&max_new_tokens=4",
        mirror.endpoint()
    );
    page.goto(&site.address_of(&address)).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    page.wait_for_state_within(&["generating", "ready", "failed"], LONG)
        .await;
    page.wait_for_state_within(&["ready"], LONG).await;
    assert!(page.find_now("error").await.is_none());
    assert_eq!(mirror.asked_for(weights).len(), 1);
    assert!(files(&page).await.len() > 3, "the record and several parts");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_fit_is_named_listed_and_deleted_whole() {
    let site = Site::start().await;
    let (page, mirror, _) = large(&site).await;
    limit(&site, &page, 70e6 + PAGE_BYTES).await;
    let address = format!(
        "/?model={REPO}&endpoint={}&n=1&max_new_tokens=4",
        mirror.endpoint()
    );
    page.goto(&site.address_of(&address)).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    let error = page
        .wait_for_text("error", LONG, |text| text.contains("no more room"))
        .await;
    assert!(error.contains("Delete models under Storage"), "{error}");
    press(&page, "//header//button[contains(., 'Storage')]").await;
    page.wait_for_text("storage", SOON, |text| text.contains("not complete yet"))
        .await;
    assert!(!files(&page).await.is_empty());
    press(
        &page,
        &format!("//dialog[@open]//button[@aria-label='Delete {REPO}']"),
    )
    .await;
    page.wait_for_text("storage", SOON, |text| !text.contains(REPO))
        .await;
    assert_eq!(files(&page).await, Vec::<String>::new());
}
