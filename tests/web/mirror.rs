//! A page reads a mirror as it reads the Hub: from another origin, in ranges, despite failures.

use crate::harness::{Browser, Fault, Mirror, Page, Site, in_both_browsers, repositories};
use huggingtweets::site::Isolation;
use serde_json::{Value, json};

in_both_browsers!(
    a_page_reads_files_pieces_and_tags_of_another_origin,
    a_page_sees_what_goes_wrong_with_a_mirror,
);

const WEIGHTS: &str = "huggingtweets/tiny/pytorch_model.bin";

/// Fetches in the page: status, bytes that came or `cut`, `ETag`, `Content-Range`; or `unreadable`.
async fn fetch(page: &Page, mirror: &Mirror, headers: Value) -> Value {
    let url = format!(
        "{}/huggingtweets/tiny/resolve/main/pytorch_model.bin",
        mirror.endpoint()
    );
    let script = "const [url, headers] = arguments; return (async () => {
        let answer;
        try { answer = await fetch(url, { headers, cache: 'no-store' }); } catch { return 'unreadable'; }
        const bytes = await answer.arrayBuffer().then((buffer) => buffer.byteLength, () => 'cut');
        return [answer.status, bytes, answer.headers.get('etag'), answer.headers.get('content-range')];
    })()";
    page.eval_with(script, vec![json!(url), headers]).await
}

/// An isolated page, a mirror with a bot, and the length of its weights.
async fn start(browser: Browser) -> Option<(Site, Page, Mirror, usize)> {
    let site = Site::start_in(browser, Isolation::On).await?;
    let folder = repositories().join("pytorch-zip");
    let mirror = Mirror::start().await;
    mirror.add("huggingtweets/tiny", &folder);
    let mut page = site.open("/").await;
    page.expect_requests_to(mirror.endpoint());
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    let len = std::fs::metadata(folder.join("pytorch_model.bin"))
        .unwrap()
        .len();
    Some((site, page, mirror, usize::try_from(len).unwrap()))
}

async fn a_page_reads_files_pieces_and_tags_of_another_origin(browser: Browser) {
    let Some((_site, page, mirror, len)) = start(browser).await else {
        return;
    };
    let whole = fetch(&page, &mirror, json!({})).await;
    let etag = whole[2].clone();
    assert_eq!(etag.as_str().map(str::len), Some(66), "{whole}");
    assert_eq!(whole, json!([200, len, etag, null]));
    let rest = json!([
        206,
        len - 5000,
        etag,
        format!("bytes 5000-{}/{len}", len - 1)
    ]);
    assert_eq!(
        fetch(&page, &mirror, json!({ "Range": "bytes=5000-" })).await,
        rest
    );
    let under_tag = json!({ "Range": "bytes=5000-", "If-Range": etag });
    assert_eq!(fetch(&page, &mirror, under_tag).await, rest);
    let other_tag = json!({ "Range": "bytes=5000-", "If-Range": "\"other\"" });
    assert_eq!(fetch(&page, &mirror, other_tag).await, whole);
    page.close_clean().await;
}

async fn a_page_sees_what_goes_wrong_with_a_mirror(browser: Browser) {
    let Some((_site, page, mirror, len)) = start(browser).await else {
        return;
    };
    let ask = |headers: Value| fetch(&page, &mirror, headers);
    mirror.misbehave(WEIGHTS, Fault::CutAt(10_000));
    let cut = ask(json!({})).await;
    assert_eq!((&cut[0], &cut[1]), (&json!(200), &json!("cut")));
    // Firefox may accept a body that is a little too short, so a page has to count the bytes.
    mirror.misbehave(WEIGHTS, Fault::Longer(500));
    // On a busy machine the connection may end before the page gets the response.
    let longer = ask(json!({})).await;
    let is_missed = browser == Browser::Firefox && longer[1] == len;
    assert!(
        is_missed || longer[1] == "cut" || longer == "unreadable",
        "{longer}"
    );
    mirror.misbehave(WEIGHTS, Fault::Shorter(500));
    assert_eq!(ask(json!({})).await[1], len - 500);
    mirror.misbehave(WEIGHTS, Fault::Gzip);
    assert_eq!(ask(json!({})).await[1], len, "the browser unpacks it");
    mirror.misbehave(WEIGHTS, Fault::status(503));
    assert_eq!(ask(json!({})).await[0], 503);
    mirror.misbehave(WEIGHTS, Fault::Replace(vec![7; len]));
    let new = ask(json!({ "Range": "bytes=5-", "If-Range": cut[2] })).await;
    assert_eq!((&new[0], &new[1]), (&json!(200), &json!(len)));
    assert_ne!(new[2], cut[2]);
    // Only a header that browsers do not send on their own needs a preflight.
    let n_preflights = || {
        let asked = mirror.asked();
        asked
            .iter()
            .filter(|asked| asked.method == "OPTIONS")
            .count()
    };
    assert_eq!(n_preflights(), 1);
    ask(json!({ "Range": "bytes=5-" })).await;
    assert_eq!(n_preflights(), 1);
}
