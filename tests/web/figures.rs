//! The costs for a visitor: memory with GPT-2 124M, time to the first paint, bytes of code.
//!
//! `cargo test --release --test web figures -- --nocapture` prints the figures.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::harness::Site;
use crate::support::gpt2_124m;

/// Limit of the engine's memory, as a multiple of the file's length.
const MOST_MEMORY: f64 = 1.5;
/// Limit of the first paint with everything cached.
const FIRST_PAINT_MS: f64 = 1000.0;

#[tokio::test(flavor = "multi_thread")]
async fn gpt2_124m_writes_five_texts_in_less_than_1_5_times_its_file() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gpt2-124m-q8_0.gguf");
    let file_bytes = gpt2_124m::write(BufWriter::new(File::create(path).unwrap()));
    let site = Site::start().await;
    let page = site.open("/").await;
    page.client
        .update_timeouts(fantoccini::wd::TimeoutConfiguration::new(
            Some(Duration::from_secs(300)),
            None,
            None,
        ))
        .await
        .unwrap();
    let script = r"
        const done = arguments[arguments.length - 1];
        (async () => {
          const { pipeline } = await import(new URL('./huggingtweets.js', document.baseURI).href);
          const generator = await pipeline('text-generation', 'made/gpt2-124m-q8_0.gguf');
          const out = await generator('My dream is', { num_return_sequences: 5, min_length: 160, max_length: 160 });
          const stats = generator.stats;
          await generator.dispose();
          done({ n: out.length, stats });
        })().catch((error) => done({ error: String(error) }));";
    let answer = page.client.execute_async(script, vec![]).await.unwrap();
    assert_eq!(answer["n"], json!(5), "{answer}");
    let stats = &answer["stats"];
    let number = |name: &str| stats[name].as_f64().unwrap();
    let of_file = number("memory_bytes") / file_bytes as f64;
    println!(
        "GPT-2 124M in Q8_0, five texts of 160 tokens: {:.1} MB of wasm memory for a file of {:.1} MB, {of_file:.2} times; \
         ready in {:.0} ms, {:.0} new tokens per second",
        number("memory_bytes") / 1e6,
        file_bytes as f64 / 1e6,
        number("load_ms"),
        number("new_tokens") / number("decode_ms") * 1e3,
    );
    assert!(of_file <= MOST_MEMORY, "{of_file}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_paint_comes_within_a_second_when_everything_is_cached() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let mut paints = Vec::new();
    for _ in 0..5 {
        page.goto(&site.address_of("/")).await;
        page.wait_for_state(&["idle"]).await;
        let paint = page
            .eval("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
            .await;
        paints.push(paint.as_f64().unwrap());
    }
    paints.sort_by(f64::total_cmp);
    println!("first paint, everything cached: {paints:.0?} ms");
    assert!(paints[0] <= FIRST_PAINT_MS, "{paints:?}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_code_is_at_most_1_3_mb_after_brotli() {
    let site = Site::start().await;
    let sizes = site.sizes();
    println!("{}", sizes.to_table());
    assert!(
        sizes.brotli_bytes <= sizes.bar_bytes,
        "{} bytes of {}",
        sizes.brotli_bytes,
        sizes.bar_bytes
    );
}

/// Panics name the file they happened in, which for a crate lies in the home folder of whoever built the page.
#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_code_names_no_folder_of_the_machine_that_built_it() {
    let site = Site::start().await;
    let clone = env!("CARGO_MANIFEST_DIR").as_bytes();
    let folders = [b"registry/src".as_slice(), b".cargo/", b".rustup/", clone];
    let mut programs = 0;
    for file in std::fs::read_dir(site.dist()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".js") && !name.ends_with(".wasm") {
            continue;
        }
        let code = std::fs::read(&path).unwrap();
        for folder in folders {
            let named = code.windows(folder.len()).any(|bytes| bytes == folder);
            assert!(!named, "{name} names {}", String::from_utf8_lossy(folder));
        }
        programs += u32::from(name.ends_with(".wasm"));
    }
    assert!(programs >= 4, "{programs} programs");
}
