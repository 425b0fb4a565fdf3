//! The About view measures the device, can be stopped, and copies the figures.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Page, RUN, SOON, Site, wait_until};

/// Opens the About view of a page that has started.
async fn open_about(site: &Site) -> Page {
    let page = site.open("/").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    page.click("open-about").await;
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_loads_the_model_measures_and_copies_the_figures_as_text() {
    let site = Site::start().await;
    let page = open_about(&site).await;
    let permissions = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    page.devtools("Browser.grantPermissions", permissions).await;
    page.click("measure-button").await;
    page.find("measure-progress").await;
    let shown = page
        .wait_for_text("measured", Duration::from_secs(120), |text| {
            text.contains("tok/s")
        })
        .await;
    for words in [
        "Reading the prompt",
        "Writing one text",
        "Writing five texts",
        "GB/s",
        "median of",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    page.eval("document.querySelector('[data-testid=measured] .tool-button').click()")
        .await;
    let copied = wait_until("the figures in the clipboard", SOON, || async {
        let text = page
            .client
            .execute_async(
                "const done = arguments[0]; navigator.clipboard.readText().then(done, () => done(''))",
                vec![],
            )
            .await
            .ok()?;
        text.as_str()
            .filter(|text| text.starts_with("huggingtweets-web, 20"))
            .map(str::to_owned)
    })
    .await;
    println!("{copied}");
    let browser = page.eval("return navigator.userAgent").await;
    assert!(copied.contains(browser.as_str().unwrap()), "{copied}");
    let number = |line: &str| -> f64 {
        let line = copied.lines().find(|l| l.starts_with(line)).expect(line);
        let value = line.split(": ").nth(1).unwrap().split(' ').next().unwrap();
        value.replace(',', "").parse().expect(line)
    };
    for line in [
        "Reading the prompt",
        "Writing one text:",
        "Writing five texts",
        "Adding up the weights",
        "Writing one text reads",
    ] {
        assert!(number(line) > 0.0, "{copied}");
    }
    // The page still writes.
    page.eval("document.querySelector('[data-testid=about] .dialog-head button').click()")
        .await;
    assert_eq!(page.generate().await.len(), 5);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measurement_can_be_stopped_and_gives_way_to_generate() {
    let site = Site::start().await;
    let page = open_about(&site).await;
    let label = || async { page.text("measure-button").await };
    page.click("measure-button").await;
    page.wait_for_text("measure", RUN, |text| text.contains("Round "))
        .await;
    assert_eq!(label().await.trim(), "Stop");
    page.click("measure-button").await;
    wait_until("the button to be as before", SOON, || async {
        (label().await.trim() == "Measure this device").then_some(())
    })
    .await;
    assert!(
        page.find_now("measured").await.is_none(),
        "nothing was found"
    );
    page.click("measure-button").await;
    page.wait_for_text("measure", RUN, |text| text.contains("Round "))
        .await;
    page.eval("document.querySelector('[data-testid=about] .dialog-head button').click()")
        .await;
    assert_eq!(page.generate().await.len(), 5);
    page.close_clean().await;
}
