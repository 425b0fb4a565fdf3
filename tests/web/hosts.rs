//! Hosts that fall silent, have no listing, or change a file between two requests.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Browser, Fault, Site, in_both_browsers, repositories, wait_until};
use crate::kept::progress;
use crate::models::{
    FLOATS, QUANTIZED, REPO, WEIGHTS, difference, expected, of_file, scores, start,
};
use crate::module::module;
use huggingtweets::site::Isolation;

in_both_browsers!(
    a_folder_that_lists_nothing_is_opened_by_its_address,
    a_file_that_changes_between_two_requests_is_fetched_anew_and_never_mixed,
);

const PROMPT: &str = "My dream is";

/// The page gives up a silent connection after 20 seconds, and this test waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_falls_silent_is_asked_again_for_the_rest() {
    let (_site, page, mirror) = start(Browser::Chromium, "pytorch-zip").await.unwrap();
    let silence = Fault::Stall {
        at: 60_000,
        time: Duration::from_secs(300),
    };
    mirror.misbehave(WEIGHTS, silence);
    let begin = Instant::now();
    let options = json!({ "dtype": "f32" });
    let answer = module(&page, &scores(&mirror, &options, PROMPT)).await;
    let waited = begin.elapsed().as_secs();
    println!("there after {waited} s");
    assert!((20..100).contains(&waited), "{waited} s");
    let expected = expected("pytorch-zip");
    assert!(difference(&answer["logits"], of_file(&expected, None)) < FLOATS);
    let asked = mirror.asked_for(WEIGHTS);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!((1..=60_000).contains(&asked[1].start()), "{asked:?}");
    page.close_clean().await;
}

/// The page gives up after two attempts of 20 seconds each, and this test waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_never_answers_is_told_soon_left_at_once_and_named_at_the_end() {
    let site = Site::start_with(Isolation::On).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = silent.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = silent.accept().await {
            held.push(connection);
        }
    });
    let page = site
        .open(&format!("/?model={REPO}&endpoint=http://{host}"))
        .await;
    page.wait_for_state(&["idle"]).await;
    let begin = Instant::now();
    page.click("generate").await;
    wait_until("word of the silence", Duration::from_secs(10), || async {
        let text = progress(&page).await;
        text.contains("has not answered").then_some(())
    })
    .await;
    println!("told after {:.1} s", begin.elapsed().as_secs_f64());
    let begin = Instant::now();
    page.click("stop").await;
    page.wait_for_state(&["idle"]).await;
    let left = begin.elapsed();
    println!("left after {:.1} s", left.as_secs_f64());
    assert!(left < Duration::from_secs(2), "{left:?}");

    page.click("generate").await;
    page.wait_for_state_within(&["failed"], Duration::from_secs(90))
        .await;
    let error = page.text("error").await;
    assert!(
        error.contains(&format!("{host} does not answer")),
        "{error}"
    );
    assert!(error.contains("try again in a while"), "{error}");
}

async fn a_folder_that_lists_nothing_is_opened_by_its_address(browser: Browser) {
    for (form, weights) in [
        ("pytorch-zip", "pytorch_model.bin"),
        ("safetensors-sharded", "model-00001-of-00002.safetensors"),
    ] {
        let Some((_site, page, mirror)) = start(browser, form).await else {
            return;
        };
        // The host has a listing that must not be requested.
        mirror.misbehave(REPO, Fault::status(404).always());
        let address = format!("{}/{REPO}/resolve/main/", mirror.endpoint());
        let script = format!(
            "const generator = await pipeline('text-generation', '{address}', {{ dtype: 'f32' }}); \
             const logits = Array.from(await generator.logits('{PROMPT}')); \
             await generator.dispose(); return {{ logits }};"
        );
        let first = module(&page, &script).await;
        let expected = expected(form);
        assert!(
            difference(&first["logits"], of_file(&expected, None)) < FLOATS,
            "{form}"
        );
        assert_eq!(mirror.asked_for(REPO).len(), 0, "{form}");
        assert_eq!(mirror.asked_for(&format!("{REPO}/{weights}")).len(), 1);
        // Kept like any other model.
        let second = module(&page, &script).await;
        assert_eq!(second["logits"], first["logits"]);
        assert_eq!(mirror.asked_for(&format!("{REPO}/{weights}")).len(), 1);
    }
}

/// Only the `ETag` shows the change: an address of a file has no listing and so no checksum.
async fn a_file_that_changes_between_two_requests_is_fetched_anew_and_never_mixed(
    browser: Browser,
) {
    let file = "tiny-Q8_0.gguf";
    let old = std::fs::read(repositories().join("gguf").join(file)).unwrap();
    // Other weights under the same header; and longer, with the same weights.
    let mut other = old.clone();
    let weights = other.len() - 16_000;
    for byte in &mut other[weights..] {
        *byte ^= 1;
    }
    let longer = [&old[..], &[0; 64]].concat();
    for (what, new, is_other) in [("other", other, true), ("longer", longer, false)] {
        let Some((_site, page, mirror)) = start(browser, "gguf").await else {
            return;
        };
        let weights = format!("{REPO}/{file}");
        let address = format!("{}/{REPO}/resolve/main/{file}", mirror.endpoint());
        let script = |cache: bool| {
            format!(
                "const generator = await pipeline('text-generation', '{address}', {{ cache: {cache} }}); \
                 const logits = Array.from(await generator.logits('{PROMPT}')); \
                 await generator.dispose(); return {{ logits }};"
            )
        };
        mirror.misbehave(&weights, Fault::CutAt(20_000));
        mirror.misbehave(&weights, Fault::Replace(new));
        let got = module(&page, &script(true)).await;
        let ranges: Vec<_> = mirror
            .asked_for(&weights)
            .into_iter()
            .map(|asked| asked.range)
            .collect();
        // The browser's own cache decides about the next requests.
        assert!(ranges.len() > 2, "{what}: {ranges:?}");
        assert!(
            ranges[1].is_some(),
            "{what}: it went on with the rest first"
        );

        let of_new = module(&page, &script(false)).await;
        assert_eq!(got["logits"], of_new["logits"], "{what}");
        mirror.put(&weights, &old);
        let of_old = module(&page, &script(false)).await;
        let by_pytorch = expected("gguf");
        assert!(difference(&of_old["logits"], of_file(&by_pytorch, Some(file))) < QUANTIZED);
        let same = |a: &Value, b: &Value| a["logits"] == b["logits"];
        assert_eq!(same(&of_old, &of_new), !is_other, "{what}");
    }
}
