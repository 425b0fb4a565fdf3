//! The module on other people's hosts: other origins, security policies, and files that are elsewhere.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Browser, Page, Site, in_both_browsers, made_file};
use crate::module::module;
use huggingtweets::site::Isolation;

in_both_browsers!(
    the_module_works_on_a_page_of_another_origin,
    a_policy_that_allows_blobs_alone_and_demands_trusted_types_is_no_obstacle,
    the_address_of_the_workers_files_can_be_given,
);

const WRITE: &str = "const generator = await pipeline('text-generation', null, options); \
     const [text] = await generator('I like', greedy(5)); \
     await generator.dispose(); \
     return text.generated_text;";

/// What the module writes with these options, or its refusal.
async fn write(page: &Page, options: &Value) -> Value {
    module(page, &format!("const options = {options}; {WRITE}")).await
}

async fn refusal(page: &Page, options: &Value) -> Value {
    let opening = format!("return refusal(pipeline('text-generation', null, {options}))");
    module(page, &opening).await
}

fn says(error: &Value, words: &[&str]) {
    let text = format!("{} {}", error["message"], error["hint"]);
    for word in words {
        assert!(text.contains(word), "{word}: {error}");
    }
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
    let origins = "return [location.origin, new URL('.', document.baseURI).origin]";
    let origins = page.eval(origins).await;
    assert_ne!(origins[0], origins[1]);
    let text = write(&page, &json!({})).await;
    assert!(text.as_str().unwrap().len() > "I like".len());
}

async fn a_policy_that_allows_blobs_alone_and_demands_trusted_types_is_no_obstacle(
    browser: Browser,
) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open("/policy/blob-worker/huggingtweets.js").await;
    let text = write(&page, &json!({})).await;
    assert!(text.as_str().unwrap().len() > "I like".len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_forbids_the_worker_is_named() {
    let site = Site::start_with(Isolation::Off).await;
    for (path, words) in [
        ("/policy/no-worker/", ["`worker-src`", "'self' blob:"]),
        (
            "/policy/no-wasm/",
            ["forbids WebAssembly", "'wasm-unsafe-eval'"],
        ),
        (
            "/policy/no-types/",
            ["`trusted-types`", "policy `huggingtweets`"],
        ),
    ] {
        let page = site.open(&format!("{path}huggingtweets.js")).await;
        let error = refusal(&page, &json!({})).await;
        assert_eq!(error["code"], "worker_crashed", "{path} {error}");
        says(&error, &words);
    }
}

async fn the_address_of_the_workers_files_can_be_given(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let module = fs::read(site.dist().join("huggingtweets.js")).unwrap();
    made_file("module-alone/huggingtweets.js", &module);
    let page = site.open("/made/module-alone/huggingtweets.js").await;
    let error = refusal(&page, &json!({})).await;
    let missing = site.address_of("/made/module-alone/worker_loader.js");
    says(
        &error,
        &[&missing, "npx huggingtweets-web FOLDER", "`assets`"],
    );
    let own = write(&page, &json!({ "assets": "/" })).await;
    assert!(own.as_str().unwrap().len() > "I like".len());
    // Without the slash at its end, and on another origin.
    let other = site.elsewhere("/some/sub/path");
    assert_eq!(write(&page, &json!({ "assets": other })).await, own);
}
