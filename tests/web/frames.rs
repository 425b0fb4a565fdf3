//! The page in frames and under security policies of other people's hosts.

use std::process::Command;

use crate::harness::{Browser, Page, RUN, SOON, Site, in_both_browsers, wait_until};
use crate::isolation::STARTED;
use crate::support::shared::skipped;
use huggingtweets::site::{Isolation, server};
use serde_json::{Value, json};

in_both_browsers!(
    a_sandboxed_frame_on_another_site_writes,
    a_wordpress_post_gives_the_frame_the_height_of_its_content,
    a_document_without_an_address_writes,
    a_frame_in_an_isolated_page_writes,
    a_host_that_adds_a_character_set_to_the_type_of_programs_is_no_obstacle,
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
pub async fn a_sandboxed_frame_on_another_site_writes(browser: Browser) {
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

/// With what WordPress' script does on such a message.
async fn a_wordpress_post_gives_the_frame_the_height_of_its_content(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open("/elsewhere/frame").await;
    page.goto(&site.elsewhere("/elsewhere/frame")).await;
    let source = site.address_of("/index.html?view=embed&text=I%20like&n=2&max_new_tokens=6");
    page.eval_with(
        "const frame = document.querySelector('iframe'); \
         addEventListener('message', ({ data, source }) => { \
           if (source === frame.contentWindow && data.message === 'height' && data.secret === 'a1B2c3') frame.height = data.value; \
         }); \
         frame.style.cssText = 'border: 0; padding: 0'; frame.width = 600; frame.height = 200; \
         frame.sandbox = 'allow-scripts'; frame.src = arguments[0] + '#?secret=a1B2c3';",
        vec![json!(source)],
    )
    .await;
    page.client.enter_frame(0).await.unwrap();
    page.wait_for_state_within(&STARTED, RUN).await;
    let fits = || async {
        let fits =
            "return innerHeight > 200 && document.documentElement.scrollHeight <= innerHeight";
        (page.eval(fits).await == true).then_some(())
    };
    wait_until("the frame to be as high as its content", SOON, fits).await;
    let before = page.eval("return innerHeight").await.as_f64();
    assert_eq!(page.generate().await.len(), 2);
    wait_until("the frame to grow with the texts", SOON, || async {
        (page.eval("return innerHeight").await.as_f64() > before).then_some(())
    })
    .await;
    wait_until("the frame to be as high as its texts", SOON, fits).await;
    page.client.enter_parent_frame().await.unwrap();
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
    let address = site.address_of("");
    let host = address.strip_prefix("http://");
    assert_eq!(page.eval(policy).await, server::policy(host));
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
        "import('file://{}').then(({{ pipeline }}) => pipeline('text-generation')).catch((error) => console.log(error.message, error.hint))",
        module.display()
    );
    let Ok(output) = Command::new("node").args(["-e", &script]).output() else {
        skipped("this test needs Node.js");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Run it in a browser"), "{said} {output:?}");
}
