//! The builds of the worker write the same texts, and a visitor downloads only the one in use.

use crate::harness::{Page, Site};
use crate::support::shared::skipped;
use huggingtweets::site::{Isolation, WorkerBuild};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A document of the site without a worker and without an icon, which browsers would report as missing.
const BARE: &str = "/huggingtweets.js";

const BUNDLED: &str = "model/bundled.gguf";
const FOUR_BITS: &str = "fixtures/repositories/gguf/tiny-q4_0.gguf";

/// Talks to a new worker as the page does; `arguments`: the settings of the loader, the path of the model, the seed, a
/// callback.
const WRITE: &str = r"
    const [settings, model, seed, done] = arguments;
    const at = (path) => new URL(path, document.baseURI).href;
    try { trustedTypes.createPolicy('default', { createScriptURL: (address) => address }); } catch {}
    const worker = new Worker(at(`worker_loader.js?${settings.turn ?? ''}`));
    worker.postMessage({ type: 'start', ...settings });
    const ask = (message) => worker.postMessage({ v: 2, ...message });
    const texts = [];
    let started;
    worker.onerror = (event) => done({ error: event.message });
    const hear = (event) => {
      if (event.type === 'started') {
        started = event;
        ask({ type: 'locate_bundled', url: at(model) });
        ask({ type: 'load', job: 0, model: {} });
      } else if (event.type === 'ready') {
        const params = { ...event.model.defaults, num_return_sequences: 3, max_new_tokens: 20, min_length: 32, seed };
        ask({ type: 'generate', job: 1, prompt: 'My dream is', params });
      } else if (event.type === 'result') {
        texts[event.sequence] = event.generated_text;
      } else if (event.type === 'done') {
        worker.terminate();
        done({ started, texts, stats: event.stats });
      } else if (event.type === 'error') {
        done(event);
      }
    };
    worker.onmessage = ({ data }) => data.forEach(hear);";

async fn write(page: &Page, settings: Value) -> Value {
    write_with(page, settings, BUNDLED).await
}

async fn write_with(page: &Page, settings: Value, model: &str) -> Value {
    let arguments = vec![settings, json!(model), json!(42)];
    let answer = page.client.execute_async(WRITE, arguments).await.unwrap();
    assert_eq!(answer["error"], Value::Null, "{answer}");
    assert_eq!(answer["texts"].as_array().unwrap().len(), 3, "{answer}");
    answer
}

/// Whether the site has the build with threads, which needs the sources of Rust's standard library.
pub fn has_threads() -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let has_them = root.join("dist/worker_threads_bg.wasm").is_file();
    if !has_them {
        skipped("no sources of the standard library, so no build with threads to compare with");
    }
    has_them
}

/// Whether a file of the build with threads was requested.
fn loaded_threads(site: &Site) -> bool {
    let requests = site.requests();
    assert!(requests.iter().any(|path| path == "/worker_loader.js"));
    requests.iter().any(|path| path.contains("worker_threads"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_writes_the_same_texts_on_one_and_several_threads() {
    let site = Site::start().await;
    let page = site.open(BARE).await;
    let one = write(&page, json!({ "threads": 1 })).await;
    assert_eq!(one["stats"]["threads"], 1, "{one}");
    assert_eq!(one["started"]["threads"], 1, "{one}");
    if has_threads() {
        for n_threads in [2, 3, 8] {
            let several = write(&page, json!({ "threads": n_threads })).await;
            assert_eq!(several["texts"], one["texts"]);
            assert_eq!(several["stats"]["threads"], n_threads, "{several}");
            assert_eq!(several["started"]["threads"], n_threads, "{several}");
            assert_eq!(several["stats"]["simd"], one["stats"]["simd"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn relaxed_simd_writes_the_same_texts_and_is_taken_where_there_is_any() {
    let site = Site::start().await;
    let page = site.open(BARE).await;
    for n_threads in [1, 2] {
        if n_threads > 1 && !has_threads() {
            continue;
        }
        let settings = |simd| json!({ "threads": n_threads, "simd": simd });
        let plain = write_with(&page, settings("simd128"), FOUR_BITS).await;
        assert_eq!(plain["started"]["simd"], "simd128");
        assert_eq!(plain["started"]["threads"], n_threads);
        for simd in ["auto", "relaxed"] {
            let relaxed = write_with(&page, settings(simd), FOUR_BITS).await;
            assert_eq!(relaxed["started"]["simd"], "relaxed", "Chromium has it");
            assert_eq!(relaxed["stats"]["simd"], "relaxed");
            assert_eq!(relaxed["started"]["threads"], n_threads);
            assert_eq!(relaxed["texts"], plain["texts"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_isolation_the_same_texts_come_and_threads_are_never_downloaded() {
    let isolated = Site::start().await;
    let page = isolated.open(BARE).await;
    let expected = write(&page, json!({ "threads": 2 })).await;
    assert_eq!(loaded_threads(&isolated), has_threads());
    drop(page);

    let plain = Site::start_with(Isolation::Off).await;
    let page = plain.open(BARE).await;
    let got = write(&page, json!({ "threads": 2, "simd": "relaxed" })).await;
    assert_eq!(got["texts"], expected["texts"]);
    assert_eq!(got["stats"]["threads"], 1, "{got}");
    assert!(!loaded_threads(&plain), "{:?}", plain.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_one_thread_downloads_only_the_build_for_one() {
    let site = Site::start().await;
    let page = site.open(BARE).await;
    let isolated = page.eval("return crossOriginIsolated").await;
    assert_eq!(isolated, true);
    write(&page, json!({ "threads": 1, "simd": "auto" })).await;
    assert!(!loaded_threads(&site), "{:?}", site.requests());
}

/// `cargo run` serves the page before all builds are there, and adds them as they are finished.
#[tokio::test(flavor = "multi_thread")]
async fn build_that_is_added_later_is_taken_by_the_next_worker_without_a_reload() {
    let site = Site::start().await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("added-later");
    fs::create_dir_all(folder.join("model")).unwrap();
    let plain = WorkerBuild::Plain.files();
    let relaxed = WorkerBuild::Relaxed.files();
    let shared = ["huggingtweets.js", BUNDLED].map(str::to_owned);
    for name in shared.iter().chain(&plain).chain(&relaxed) {
        fs::copy(site.dist().join(name), folder.join(name)).unwrap();
    }
    let complete = fs::read_to_string(site.dist().join("worker_loader.js")).unwrap();
    let lines = complete.lines().map(|line| match line {
        line if line.starts_with("const BUILDS = ") => "const BUILDS = ['worker'];",
        line => line,
    });
    let first = lines.collect::<Vec<_>>().join("\n");
    assert_ne!(first, complete.trim_end());
    let loader = folder.join("worker_loader.js");
    fs::write(&loader, first).unwrap();

    let page = site.open("/made/added-later/huggingtweets.js").await;
    let before = write(&page, json!({ "threads": 1, "turn": 1 })).await;
    assert_eq!(before["started"]["simd"], "simd128", "{before}");
    fs::write(&loader, complete).unwrap();
    // This folder of the tests' server lets browsers keep a script unasked: hence another address.
    let after = write(&page, json!({ "threads": 1, "turn": 2 })).await;
    assert_eq!(after["started"]["simd"], "relaxed", "{after}");
    assert_eq!(after["texts"], before["texts"]);
}
