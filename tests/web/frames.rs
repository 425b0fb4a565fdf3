//! The page in frames and under security policies of other people's hosts.

use std::process::Command;

use crate::harness::{Browser, Page, RUN, Site, in_both_browsers};
use crate::isolation::STARTED;
use crate::module::module;
use crate::support::shared::skipped;
use huggingtweets::site::{Isolation, server};
use serde_json::{Value, json};

in_both_browsers!(
    a_sandboxed_frame_on_another_site_writes,
    a_document_without_an_address_writes,
    a_frame_in_an_isolated_page_writes,
    a_host_that_adds_a_character_set_to_the_type_of_programs_is_no_obstacle,
    the_module_works_on_a_page_of_another_origin,
    a_start_that_a_policy_forbids_says_which_directive,
);

const QUERY: &str = "?text=I%20like&n=2&max_new_tokens=8&seed=3";

/// Shows the page in the frame of a page of another site, with these attributes, and writes in it.
async fn write_in_frame(page: &Page, attributes: &Value, source: &str) -> Vec<String> {
    page.eval_with(
        "const frame = document.querySelector('iframe'); \
         for (const [name, value] of Object.entries(arguments[0])) frame.setAttribute(name, value); \
         frame.src = arguments[1];",
        vec![attributes.clone(), json!(source)],
    )
    .await;
    page.client.enter_frame(0).await.unwrap();
    page.wait_for_state_within(&STARTED, RUN).await;
    let written = page.generate().await;
    page.client.enter_parent_frame().await.unwrap();
    written
}

// https://github.com/embedpdf/embed-pdf-viewer/issues/657
async fn a_sandboxed_frame_on_another_site_writes(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let mut expected = None;
    // WordPress gives the second to every frame of a provider that it does not know.
    for sandbox in ["allow-scripts allow-same-origin", "allow-scripts"] {
        for page_of in ["/", "/huggingtweets.html"] {
            let page = site.open("/elsewhere/frame").await;
            page.goto(&site.elsewhere("/elsewhere/frame")).await;
            let source = site.address_of(&format!("{page_of}{QUERY}"));
            let written = write_in_frame(&page, &json!({ "sandbox": sandbox }), &source).await;
            assert_eq!(written.len(), 2, "{sandbox} {page_of}");
            let expected = expected.get_or_insert_with(|| written.clone());
            assert_eq!(&written, expected, "{sandbox} {page_of}");
        }
    }
}

// https://github.com/nexu-io/open-design/issues/7278
async fn a_document_without_an_address_writes(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    for how in ["blob", "srcdoc", "sandboxed srcdoc"] {
        let page = site.open("/elsewhere/frame").await;
        let script = "const [how, done] = arguments; \
             fetch('/huggingtweets.html').then((answer) => answer.blob()).then(async (file) => { \
               const frame = document.querySelector('iframe'); \
               if (how.startsWith('sandboxed')) frame.setAttribute('sandbox', 'allow-scripts'); \
               if (how === 'blob') frame.src = URL.createObjectURL(new Blob([file], { type: 'text/html' })); \
               else frame.srcdoc = await file.text(); \
               frame.onload = () => done(null); \
             });";
        page.client
            .execute_async(script, vec![json!(how)])
            .await
            .unwrap();
        page.client.enter_frame(0).await.unwrap();
        page.wait_for_state_within(&STARTED, RUN).await;
        assert_eq!(page.generate().await.len(), 5, "{how}");
        page.client.enter_parent_frame().await.unwrap();
    }
}

// https://github.com/giscus/giscus/issues/1560
async fn a_frame_in_an_isolated_page_writes(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/elsewhere/frame").await;
    page.goto(&site.elsewhere("/elsewhere/isolated-frame"))
        .await;
    assert_eq!(page.eval("return crossOriginIsolated").await, true);
    let source = site.address_of(&format!("/{QUERY}"));
    assert_eq!(write_in_frame(&page, &json!({}), &source).await.len(), 2);
}

async fn a_host_that_adds_a_character_set_to_the_type_of_programs_is_no_obstacle(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open(&format!("/charset/{QUERY}")).await;
    page.wait_for_state(&STARTED).await;
    let kind = "return fetch('worker_bg.wasm', { method: 'HEAD' }).then((answer) => answer.headers.get('Content-Type'))";
    assert_eq!(page.eval(kind).await, "application/wasm; charset=utf-8");
    assert_eq!(page.generate().await.len(), 2);
}

// https://github.com/duckdb/duckdb-wasm/issues/171
async fn the_module_works_on_a_page_of_another_origin(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open("/elsewhere/frame").await;
    page.goto(&site.elsewhere("/elsewhere/frame")).await;
    let at_the_site = format!(
        "const base = document.createElement('base'); base.href = '{}'; document.head.prepend(base)",
        site.address_of("/")
    );
    page.eval(&at_the_site).await;
    let answer = module(
        &page,
        "const generator = await pipeline('text-generation'); \
         const [text] = await generator('I like', greedy(5)); \
         await generator.dispose(); \
         return { origin: location.origin, from: new URL('.', document.baseURI).origin, text: text.generated_text };",
    )
    .await;
    assert_ne!(answer["origin"], answer["from"]);
    assert!(answer["text"].as_str().unwrap().len() > "I like".len());
}

async fn a_start_that_a_policy_forbids_says_which_directive(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let visible = "return [...document.querySelectorAll('#skeleton .message')] \
        .filter((message) => message.checkVisibility({ opacityProperty: true })).map(({ id }) => id)";
    for (path, message, words) in [
        ("/policy/no-wasm/", "forbidden", "script-src"),
        ("/policy/no-scripts/", "blocked", "'wasm-unsafe-eval'"),
    ] {
        let page = site.open(path).await;
        crate::harness::wait_until("the sentence", RUN, || async {
            (page.eval(visible).await == json!([message])).then_some(())
        })
        .await;
        let text = page
            .eval(&format!(
                "return document.getElementById('{message}').textContent"
            ))
            .await;
        assert!(text.as_str().unwrap().contains(words), "{text}");
        if browser == Browser::Chromium {
            page.screenshot(&format!("start-{message}-1280-light"))
                .await;
        }
    }
    // The page itself starts, and says what the model lacks.
    let page = site.open("/policy/no-worker/").await;
    page.wait_for_text("error", RUN, |text| text.contains("worker-src"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_served_policy_allows_no_inline_script_and_nothing_of_the_page_violates_it() {
    assert!(!server::POLICY.contains("unsafe-inline"));
    assert!(!server::POLICY.contains("'unsafe-eval'"));
    let site = Site::start().await;
    let page = site.open(&format!("/{QUERY}")).await;
    page.wait_for_state(&STARTED).await;
    let policy =
        "return fetch('./').then((answer) => answer.headers.get('Content-Security-Policy'))";
    assert_eq!(page.eval(policy).await, server::POLICY);
    assert_eq!(page.generate().await.len(), 2);
    // Styles that depend on values reach the page.
    let hue = "return getComputedStyle(document.querySelector('.avatar')).getPropertyValue('--avatar-hue')";
    assert!(
        page.eval(hue)
            .await
            .as_str()
            .is_some_and(|hue| !hue.is_empty())
    );
    page.close_clean().await;
}

// https://github.com/huggingface/transformers.js/issues/19
#[tokio::test(flavor = "multi_thread")]
async fn the_module_says_in_node_that_it_needs_a_browser() {
    let site = Site::start().await;
    let module = site.dist().join("huggingtweets.js");
    let script = format!(
        "import('file://{}').then(({{ pipeline }}) => pipeline('text-generation')).catch((error) => console.log(error.message))",
        module.display()
    );
    let Ok(output) = Command::new("node").args(["-e", &script]).output() else {
        skipped("this test needs Node.js");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Run it in a browser"), "{said} {output:?}");
}
