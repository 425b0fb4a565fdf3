//! axe-core finds no violation in any state of page, frame, element and embed maker, light and dark.
//!
//! axe-core comes from npm; without npm or a network these tests are skipped.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::json;

use crate::element::{self, Host};
use crate::harness::{Page, RUN, SOON, Site, wait_until};
use crate::isolation::{STARTED, press};
use crate::support::shared::skipped;

/// The checker, by version: a new one may have new rules.
const AXE: &str = "axe-core@4.14.1";

/// The checker's script; `None`, with a note, where it cannot be had.
pub fn axe() -> Option<&'static str> {
    static AXE_SCRIPT: OnceLock<Option<String>> = OnceLock::new();
    let script = AXE_SCRIPT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe-core");
        let file = folder.join("node_modules/axe-core/axe.min.js");
        if !file.is_file() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("package.json"), "{ \"private\": true }").unwrap();
            let install = ["install", "--no-audit", "--no-fund", "--save-exact", AXE];
            let npm = Command::new("npm")
                .args(install)
                .current_dir(&folder)
                .output();
            if !npm.is_ok_and(|output| output.status.success()) {
                return None;
            }
        }
        Some(fs::read_to_string(file).unwrap())
    });
    if script.is_none() {
        skipped("this test needs axe-core, which npm could not install");
    }
    script.as_deref()
}

/// Fails if the document that the page's client is in has a violation, light or dark.
pub async fn check(page: &Page, axe: &str, state: &str) {
    check_part(page, axe, "html", state).await;
}

/// The same for the part of the document at `selector`.
async fn check_part(page: &Page, axe: &str, selector: &str, state: &str) {
    for theme in ["light", "dark"] {
        page.prefer("prefers-color-scheme", theme).await;
        // Colours change over up to 200 ms.
        let settle = "const done = arguments[0]; setTimeout(done, 250)";
        page.client.execute_async(settle, Vec::new()).await.unwrap();
        page.eval(axe).await;
        let run = "const done = arguments[0]; \
             axe.run('SELECTOR', { resultTypes: ['violations'], iframes: false }).then(({ violations, passes }) => \
               done({ n: passes.length, found: violations.map(({ id, nodes }) => \
                 `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join(' | ')}`) }), \
             (error) => done(String(error)))"
            .replace("SELECTOR", selector);
        let report = page.client.execute_async(&run, Vec::new()).await.unwrap();
        assert!(report["n"].as_u64() > Some(5), "{state} {theme}: {report}");
        assert_eq!(report["found"], json!([]), "{state} {theme}");
    }
    page.prefer("prefers-color-scheme", "light").await;
}

/// Opens a dialog by the button at `path`, checks it, and closes it.
async fn check_dialog(page: &Page, axe: &str, path: &str, testid: &str) {
    press(page, path).await;
    wait_until(testid, SOON, || async {
        page.find_now(testid).await.map(|_| ())
    })
    .await;
    check(page, axe, testid).await;
    page.press(&['\u{e00c}']).await;
    wait_until("the dialog to close", SOON, || async {
        let open = page
            .eval("return document.querySelector('dialog[open]') !== null")
            .await;
        (open == false).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_state_of_the_page_has_a_violation() {
    let Some(axe) = axe() else { return };
    let site = Site::start().await;
    let page = site.open("/?n=2&max_new_tokens=12").await;
    page.wait_for_state(&STARTED).await;
    check(&page, axe, "idle").await;
    page.generate().await;
    check(&page, axe, "written").await;
    press(&page, "//*[@data-testid='settings']//summary").await;
    check(&page, axe, "settings").await;
    check_dialog(&page, axe, "//*[@data-testid='share']", "share-picture").await;
    check_dialog(&page, axe, "//*[@data-testid='embed-open']", "embed-code").await;
    check_dialog(
        &page,
        axe,
        "//header//button[contains(., 'Storage')]",
        "storage",
    )
    .await;
    check_dialog(&page, axe, "//*[@data-testid='open-about']", "about").await;
    check_dialog(
        &page,
        axe,
        "//header//button[contains(., 'Open')]",
        "look-up",
    )
    .await;
    page.resize(360, 640).await;
    check(&page, axe, "on a phone").await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_page_and_a_cyborg_have_no_violation() {
    let Some(axe) = axe() else { return };
    let site = Site::start().await;
    let page = site.open("/?model=broken/truncated.gguf").await;
    page.wait_for_state(&STARTED).await;
    page.click("generate").await;
    page.wait_for_state_within(&["failed"], RUN).await;
    check(&page, axe, "failed").await;
    page.close_clean().await;
    let page = site
        .open("/?bot=huggingtweets/kr00ney-nerdwallet-producthunt")
        .await;
    page.wait_for_state(&STARTED).await;
    check(&page, axe, "a cyborg").await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frame_and_element_have_no_violation() {
    let Some(axe) = axe() else { return };
    let site = Site::start().await;
    let page = site
        .open("/index.html?view=embed&n=2&max_new_tokens=8")
        .await;
    page.wait_for_state(&STARTED).await;
    check(&page, axe, "a frame").await;
    page.generate().await;
    check(&page, axe, "a written frame").await;
    page.close_clean().await;

    let page = Host::default().open(&site).await;
    // What is around it is the host's.
    let element = "huggingtweets-bot";
    check_part(&page, axe, element, "an element").await;
    element::press(&page, 0).await;
    assert_eq!(element::results(&page, 0, 2).await.len(), 2);
    check_part(&page, axe, element, "a written element from outside").await;
    let frame = element::part(&page, 0, ".open iframe").await;
    frame.enter_frame().await.unwrap();
    check(&page, axe, "a written element").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_maker_has_no_violation_before_and_after_an_import() {
    let Some(axe) = axe() else { return };
    let site = Site::start().await;
    let page = site.open("/#make").await;
    wait_until("the maker", RUN, || async {
        page.find_now("maker").await.map(|_| ())
    })
    .await;
    check(&page, axe, "an empty maker").await;
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("posts/tests/exports/x_2023.zip");
    let input = page.find("maker-import").await;
    input.send_keys(&archive.to_string_lossy()).await.unwrap();
    page.find("maker-account").await;
    page.find("maker-post").await;
    check(&page, axe, "a maker with posts").await;
    page.close_clean().await;
}
