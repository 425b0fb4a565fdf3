//! Hosts that fall silent, have no listing, or change a file between two requests.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Browser, Fault, in_both_browsers, repositories};
use crate::models::{
    FLOATS, QUANTIZED, REPO, WEIGHTS, difference, expected, of_file, scores, start,
};
use crate::module::module;

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
    let range = asked[1].range.clone().unwrap();
    let start = range.trim_start_matches("bytes=").trim_end_matches('-');
    assert!(
        (1..=60_000).contains(&start.parse::<u64>().unwrap()),
        "{range}"
    );
    page.close_clean().await;
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
