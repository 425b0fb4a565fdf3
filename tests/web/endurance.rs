//! Many stops, long writing, and writing in the background.
//!
//! `cargo test --release --test web endurance -- --ignored --nocapture` stops a hundred times and writes for ten
//! minutes, and prints the memory.

use crate::harness::{Browser, Page, Profile, RUN, Site, in_both_browsers, wait_until};
use huggingtweets::site::Isolation;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

in_both_browsers!(
    the_worker_is_stopped_again_and_again_in_the_middle_of_a_token_and_writes_on,
    a_page_in_the_background_writes_what_it_writes_in_front,
);

const STARTED: [&str; 3] = ["idle", "loading", "ready"];
/// Runs of five texts that show whether memory grows.
const SHORT_SOAK: u64 = 12;
/// How long a hundred rounds may take on a slow machine that also builds.
const ROUNDS: Duration = Duration::from_secs(300);
/// How long the browser may take to free memory while other pages compute.
const MEMORY_RETURNS: Duration = Duration::from_secs(60);
/// Memory of the engine for tokens that wait for the end of a frame; their number varies.
const WAITING_BYTES: u64 = 4 * 65_536;
/// Memory of the browser itself: garbage, and the lists of the scripts.
const BROWSERS_SHARE_BYTES: u64 = 60_000_000;

/// Runs the body of an async function in the page, with `pipeline` in scope, and gives its result.
async fn run(page: &Page, body: &str) -> Value {
    let script = format!(
        "const done = arguments[arguments.length - 1]; \
         (async () => {{ \
           const {{ pipeline }} = await import(new URL('./huggingtweets.js', document.baseURI).href); \
           {body} \
         }})().then(done, (error) => done({{ error: String(error) }}))"
    );
    let limit = fantoccini::wd::TimeoutConfiguration::new(Some(ROUNDS), None, None);
    page.client.update_timeouts(limit).await.unwrap();
    page.client.execute_async(&script, vec![]).await.unwrap()
}

/// Five texts that fill the model's context, so that no text ends before it is stopped.
const LONG: &str = "{ num_return_sequences: 5, min_length: 128, max_length: 128, seed: 7 }";

async fn the_worker_is_stopped_again_and_again_in_the_middle_of_a_token_and_writes_on(
    browser: Browser,
) {
    stop_and_write_on(browser, 25).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "nightly: a hundred rounds in each browser"]
async fn the_worker_is_stopped_a_hundred_times_in_the_middle_of_a_token_and_writes_on() {
    for browser in [Browser::Chromium, Browser::Firefox] {
        stop_and_write_on(browser, 100).await;
    }
}

async fn stop_and_write_on(browser: Browser, n_rounds: usize) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    let answer = run(
        &page,
        &format!(
            r"
            const generator = await pipeline('text-generation');
            const write = async () => JSON.stringify(
              await generator('My dream is', {{ num_return_sequences: 2, max_new_tokens: 12, seed: 42 }}));
            const expected = await write();
            const wrong = [], memory = [];
            let stopped = 0;
            for (let round = 0; round < {n_rounds}; round++) {{
              const abort = new AbortController();
              let tokens = 0;
              await new Promise((resolve, reject) => {{
                const stop = () => {{
                  // The worker computes the next token meanwhile; each round stops at another moment of it.
                  for (const end = performance.now() + round * 7 / {n_rounds}; performance.now() < end;);
                  abort.abort();
                }};
                const on_token = () => {{ if (tokens++ === round % 20) stop(); }};
                generator('I want', {{ ...{LONG}, on_token, signal: abort.signal }}).then(
                  resolve,
                  (error) => error.name === 'AbortError' ? resolve(stopped++) : reject(error));
              }});
              if (await write() !== expected) wrong.push(round);
              memory.push(generator.stats.memory_bytes);
            }}
            await generator.dispose();
            return {{ stopped, wrong, memory }};"
        ),
    )
    .await;
    assert_eq!(answer["error"], Value::Null, "{answer}");
    assert_eq!(answer["stopped"], n_rounds, "{answer}");
    assert_eq!(answer["wrong"], json!([]));
    // The second half needs no more memory than the first.
    let memory = answer["memory"].as_array().unwrap();
    let at = |round: usize| memory[round].as_u64().unwrap();
    let (half, end) = (at(n_rounds / 2), at(n_rounds - 1));
    assert!(end <= half + WAITING_BYTES, "{memory:?}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_ended_in_the_middle_of_a_token_twenty_times_leaves_no_memory_behind() {
    let site = Site::start().await;
    let page = site.open_alone("/").await;
    page.wait_for_state(&STARTED).await;
    let mut resident = Vec::new();
    let mut engine_bytes = 0;
    for _ in 0..4 {
        let answer = run(
            &page,
            &format!(
                r"
                for (let round = 0; round < 5; round++) {{
                  const generator = await pipeline('text-generation');
                  await new Promise((resolve, reject) => {{
                    const on_token = () => generator.dispose();
                    generator('I want', {{ ...{LONG}, on_token }}).then(reject, resolve);
                  }});
                }}
                const generator = await pipeline('text-generation');
                const [{{ generated_text }}] = await generator('My dream is', {{ max_new_tokens: 8, seed: 42 }});
                const memory = generator.stats.memory_bytes;
                await generator.dispose();
                return {{ generated_text, memory }};"
            ),
        )
        .await;
        assert_eq!(answer["error"], Value::Null, "{answer}");
        engine_bytes = answer["memory"].as_u64().unwrap();
        page.devtools("HeapProfiler.collectGarbage", json!({}))
            .await;
        resident.push(page.renderer_bytes());
        println!(
            "five more workers ended: renderer {} MB, engine {}",
            megabytes(resident[resident.len() - 1]),
            answer["memory"]
        );
    }
    // Eighteen engines have started since the first sample; the browser may free a few of them late.
    let limit = resident[0].map(|bytes| bytes + 5 * engine_bytes);
    wait_until("the memory of ended workers", MEMORY_RETURNS, || async {
        let now = page.renderer_bytes();
        (now <= limit).then_some(())
    })
    .await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_on_and_on_takes_no_more_memory() {
    soak(|n_runs, _| n_runs >= SHORT_SOAK).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "nightly: ten minutes"]
async fn writing_for_ten_minutes_takes_no_more_memory() {
    soak(|_, elapsed| elapsed >= Duration::from_secs(600)).await;
}

/// Writes until `is_enough` of the number of runs and the time.
async fn soak(is_enough: impl Fn(u64, Duration) -> bool) {
    let site = Site::start().await;
    let page = site.open_alone("/").await;
    page.wait_for_state(&STARTED).await;
    let started = run(
        &page,
        &format!(
            r"
            const generator = await pipeline('text-generation');
            const write = async () => JSON.stringify(await generator('My dream is', {LONG}));
            const expected = await write();
            window.soak = {{ rounds: 0, wrong: 0, tokens: 0, memory: generator.stats.memory_bytes, error: null }};
            (async () => {{
              while (true) {{
                if (await write() !== expected) soak.wrong++;
                soak.rounds++;
                soak.tokens += generator.stats.new_tokens;
                soak.memory = generator.stats.memory_bytes;
              }}
            }})().catch((error) => {{ soak.error = String(error); }});
            return null;"
        ),
    )
    .await;
    assert_eq!(started, Value::Null);
    let begun = Instant::now();
    let mut samples: Vec<(Value, Option<u64>)> = Vec::new();
    let n_runs = |soak: &Value| soak["rounds"].as_u64().unwrap();
    loop {
        // During the first runs the browser still compiles.
        let next = samples.last().map_or(2, |(soak, _)| n_runs(soak) + 1);
        let soak = wait_until("the next texts", RUN, || async {
            let soak = page.eval("return soak").await;
            assert_eq!((&soak["wrong"], &soak["error"]), (&json!(0), &Value::Null));
            (n_runs(&soak) >= next).then_some(soak)
        })
        .await;
        let is_last = is_enough(n_runs(&soak), begun.elapsed());
        samples.push((soak, page.renderer_bytes()));
        if is_last {
            break;
        }
    }
    let (first, last) = (&samples[0], &samples[samples.len() - 1]);
    for (soak, resident) in [first, &samples[samples.len() / 2], last] {
        println!(
            "after {} texts of five, {} tokens: engine {} bytes, renderer {} MB",
            soak["rounds"],
            soak["tokens"],
            soak["memory"],
            megabytes(*resident)
        );
    }
    assert!(last.0["rounds"].as_u64() > first.0["rounds"].as_u64());
    let engine_bytes = |sample: &(Value, Option<u64>)| sample.0["memory"].as_u64().unwrap();
    assert!(
        engine_bytes(last) <= engine_bytes(first) + WAITING_BYTES,
        "{samples:?}"
    );
    // Texts are still written meanwhile: memory that leaks only grows.
    let limit = first.1.map(|bytes| bytes + BROWSERS_SHARE_BYTES);
    wait_until("the memory of garbage", MEMORY_RETURNS, || async {
        page.devtools("HeapProfiler.collectGarbage", json!({}))
            .await;
        let now = page.renderer_bytes();
        (now <= limit).then_some(())
    })
    .await;
    page.close_clean().await;
}

async fn a_page_in_the_background_writes_what_it_writes_in_front(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site
        .open_in("/?n=10&max_new_tokens=100&seed=5", Profile::Restful)
        .await;
    page.wait_for_state(&STARTED).await;
    let in_front = page.generate().await;
    // A driver brings the tab that it asks to the front, so the page tells another tab its states.
    page.eval(
        "const root = document.documentElement, seen = []; \
         new MutationObserver(() => { \
           seen.push([root.dataset.state, document.visibilityState]); \
           localStorage.setItem('seen', JSON.stringify(seen)); \
         }).observe(root, { attributeFilter: ['data-state'] }); \
         document.addEventListener('visibilitychange', () => { \
           if (document.hidden) document.querySelector('[data-testid=generate]').click(); \
         }, { once: true })",
    )
    .await;
    let ours = page.client.window().await.unwrap();
    let other = page.client.new_window(true).await.unwrap();
    page.client.switch_to_window(other.handle).await.unwrap();
    page.goto(&site.address_of("/elsewhere/frame")).await;
    if browser == Browser::Chromium {
        page.devtools("Page.bringToFront", json!({})).await;
    }
    let seen = wait_until("the texts, in the background", RUN, || async {
        let seen = page.eval("return localStorage.getItem('seen')").await;
        let seen: Value = serde_json::from_str(seen.as_str()?).unwrap();
        let last = seen.as_array()?.last()?.clone();
        (last[0] == "ready").then_some(seen)
    })
    .await;
    assert_eq!(seen, json!([["generating", "hidden"], ["ready", "hidden"]]));
    page.client.switch_to_window(ours).await.unwrap();
    assert_eq!(page.texts("continuation").await, in_front);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_frozen_in_the_middle_of_a_text_completes_it() {
    let site = Site::start().await;
    let page = site
        .open_in("/?n=10&max_new_tokens=100&seed=5", Profile::Restful)
        .await;
    page.wait_for_state(&STARTED).await;
    let uninterrupted = page.generate().await;
    page.click("generate").await;
    for state in ["frozen", "active", "frozen", "active"] {
        page.devtools("Page.setWebLifecycleState", json!({ "state": state }))
            .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    page.wait_for_state_within(&["ready"], RUN).await;
    assert_eq!(page.texts("continuation").await, uninterrupted);
    page.close_clean().await;
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or("unknown".to_owned(), |bytes| {
        format!("{:.1}", bytes as f64 / 1e6)
    })
}
