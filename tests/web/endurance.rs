//! What only time shows: stopping again and again, writing for minutes, writing where nobody looks.
//!
//! `HUGGINGTWEETS_SOAK_MINUTES=10 cargo test --release --test web writing_on_and_on -- --nocapture` takes ten
//! minutes and prints the memory.

use crate::harness::{Browser, Page, Profile, RUN, Site, in_both_browsers, wait_until};
use huggingtweets::site::Isolation;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

in_both_browsers!(
    the_worker_is_stopped_a_hundred_times_in_the_middle_of_a_token_and_writes_on,
    a_page_in_the_background_writes_what_it_writes_in_front,
);

const STARTED: [&str; 3] = ["idle", "loading", "ready"];
/// How long a soak takes if nobody says how long.
const SHORT_SOAK: Duration = Duration::from_secs(20);
/// How long a hundred rounds may take on a slow machine that also builds.
const ROUNDS: Duration = Duration::from_secs(300);
/// How long the browser may take to give memory back while other pages compute.
const MEMORY_RETURNS: Duration = Duration::from_secs(60);
/// What the engine may need besides for tokens that wait for a frame's end; how many do is chance.
const WAITING_BYTES: u64 = 4 * 65_536;
/// What the browser may keep for itself: what it has not cleaned up yet, and the scripts' own lists.
const BROWSERS_SHARE_BYTES: u64 = 60_000_000;

/// Runs the body of an async function in the page, with `pipeline` at hand; what it returns.
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

/// Five texts that fill the model's context, so that none is over before it is stopped.
const LONG: &str = "{ num_return_sequences: 5, min_length: 128, max_length: 128, seed: 7 }";

async fn the_worker_is_stopped_a_hundred_times_in_the_middle_of_a_token_and_writes_on(
    browser: Browser,
) {
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
            for (let round = 0; round < 100; round++) {{
              const abort = new AbortController();
              let tokens = 0;
              await new Promise((resolve, reject) => {{
                const stop = () => {{
                  // The worker is at the next token meanwhile; each round stops at another moment of it.
                  for (const end = performance.now() + round * 0.07; performance.now() < end;);
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
    assert_eq!(answer["stopped"], 100, "{answer}");
    assert_eq!(answer["wrong"], json!([]));
    // What the first half needed is enough for the other.
    let memory = answer["memory"].as_array().unwrap();
    let (half, end) = (memory[50].as_u64().unwrap(), memory[99].as_u64().unwrap());
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
    // Eighteen engines have come since the first sample; the browser may be late with a few of them.
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
    let minutes = std::env::var("HUGGINGTWEETS_SOAK_MINUTES").ok();
    let duration = minutes.map_or(SHORT_SOAK, |minutes| {
        let minutes: f64 = minutes.parse().expect("minutes are a number");
        Duration::from_secs_f64(minutes * 60.0)
    });
    let site = Site::start().await;
    let page = site.open("/").await;
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
    // Between the first samples the browser still compiles.
    tokio::time::sleep(duration / 10).await;
    let begun = Instant::now();
    let mut samples = Vec::new();
    while begun.elapsed() < duration {
        let soak = page.eval("return soak").await;
        assert_eq!((&soak["wrong"], &soak["error"]), (&json!(0), &Value::Null));
        samples.push((soak, page.renderer_bytes()));
        tokio::time::sleep(duration / 20).await;
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
    // Texts are still written meanwhile: what is never given back only grows.
    let limit = first.1.map(|bytes| bytes + BROWSERS_SHARE_BYTES);
    wait_until("memory that only scripts had", MEMORY_RETURNS, || async {
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
    // A driver brings to the front what it looks into, so the page tells another tab what it sees.
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
