//! What stands on the page before its program has come: the bot's page as the program draws it, which the program then
//! replaces without a move, and readers without scripts keep.

use crate::harness::{Browser, Page, RUN, SOON, Site, in_both_browsers, wait_until};
use crate::offline::wait_until_kept;
use huggingtweets::bot;
use huggingtweets::site::Isolation;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

in_both_browsers!(
    what_a_visitor_does_before_the_program_has_come_is_not_lost,
    the_page_of_a_bot_works_in_its_folder,
    the_page_of_a_bot_opens_without_a_network,
);

/// Gives back the page as HTML.
const DRAWN: &str = include_str!("first_screen.js");

const STARTED: [&str; 2] = ["idle", "ready"];

/// The drawings are files; `HUGGINGTWEETS_WRITE_SCREENS=1` makes them anew.
#[tokio::test(flavor = "multi_thread")]
async fn kept_drawings_are_what_the_program_draws() {
    let site = Site::start().await;
    let mut differing = Vec::new();
    for bot in bot::bundled() {
        let page = site.open(&format!("/?bot={}", bot.repo)).await;
        page.wait_for_state(&STARTED).await;
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("assets/first_screens/{}.html", bot.repo));
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let drawn = page.eval(DRAWN).await;
        let drawn = drawn.as_str().unwrap();
        if std::env::var_os("HUGGINGTWEETS_WRITE_SCREENS").is_some() {
            fs::write(&path, drawn).unwrap();
        } else if drawn != kept {
            let at = drawn.bytes().zip(kept.bytes()).take_while(|(a, b)| a == b);
            let at = drawn.floor_char_boundary(at.count().saturating_sub(80));
            let end = drawn.floor_char_boundary(at + 240);
            differing.push(format!("{}: …{}…", bot.repo, &drawn[at..end]));
        }
        page.close_clean().await;
    }
    assert!(
        differing.is_empty(),
        "HUGGINGTWEETS_WRITE_SCREENS=1 cargo test --release --test web kept_drawings writes them anew:\n{}",
        differing.join("\n")
    );
}

/// Collects what moves, from before the first paint on.
const WATCH_SHIFTS: &str = "window.shifts = []; \
    new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({ value, sources }) => \
      [value, ...sources.map(({ node, previousRect, currentRect }) => \
        [(node?.outerHTML ?? node?.nodeName ?? '').slice(0, 120), JSON.stringify([previousRect, currentRect])])]))) \
      .observe({ type: 'layout-shift', buffered: true });";

/// Keeps the program back until `release()` is called.
const HOLD: &str = "const start = WebAssembly.instantiateStreaming; \
    const held = new Promise((resolve) => { window.release = resolve; }); \
    WebAssembly.instantiateStreaming = async (...given) => { await held; return start.apply(WebAssembly, given); };";

#[tokio::test(flavor = "multi_thread")]
async fn program_takes_the_place_of_its_drawing_without_a_move() {
    let site = Site::start().await;
    let pages = bot::bundled()
        .iter()
        .map(|bot| format!("/bot/{}/", bot.repo));
    for path in pages.chain(["/".to_owned()]) {
        for (width, height) in [(360, 640), (1280, 900)] {
            let page = site.open("/elsewhere/frame").await;
            page.resize(width, height).await;
            // The document comes in parts, between which the browser may paint.
            page.devtools("Network.enable", json!({})).await;
            page.devtools(
                "Network.emulateNetworkConditions",
                json!({ "offline": false, "latency": 0, "downloadThroughput": 40_000, "uploadThroughput": -1 }),
            )
            .await;
            page.run_first(&format!("{WATCH_SHIFTS} {HOLD}")).await;
            page.goto(&site.address_of(&path)).await;
            let boxes = "return [...document.querySelectorAll('.top-bar, .bot-avatars, .bot-name, .bot-label, .status, \
                [data-testid=prompt], [data-testid=generate], .card-body')].filter((part) => part.checkVisibility()) \
                .map((part) => [part.className, ...Object.values(part.getBoundingClientRect().toJSON()).map(Math.round)])";
            let before = page.eval(boxes).await;
            assert!(before.as_array().unwrap().len() > 6, "{before}");
            page.devtools(
                "Network.emulateNetworkConditions",
                json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 }),
            )
            .await;
            page.eval("release()").await;
            page.wait_for_state(&STARTED).await;
            assert_eq!(page.eval(boxes).await, before, "{path} at {width}");
            assert_eq!(
                page.eval("return shifts").await,
                json!([]),
                "{path} at {width}"
            );
            page.close_clean().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drawing_of_another_bot_is_not_shown() {
    let site = Site::start().await;
    let other = &bot::bundled()[1].repo;
    for (query, is_shown) in [
        (format!("?bot={other}"), false),
        ("?model=someone/else".to_owned(), false),
        ("?view=embed".to_owned(), false),
        ("?text=Hello".to_owned(), true),
        (format!("?bot={}", bot::bundled()[0].repo), true),
    ] {
        let page = site.open("/elsewhere/frame").await;
        page.run_first(HOLD).await;
        page.goto(&site.address_of(&format!("/{query}"))).await;
        let shown = "return document.getElementById('still').checkVisibility()";
        assert_eq!(page.eval(shown).await, is_shown, "{query}");
        page.close_clean().await;
    }
}

async fn held(browser: Browser, path: &str) -> Option<(Site, Page)> {
    let site = Site::start_in(browser, Isolation::On).await?;
    let page = site.open("/elsewhere/frame").await;
    // Firefox has no script before a page's own: there the program may have come already.
    if browser == Browser::Chromium {
        page.run_first(HOLD).await;
    }
    page.goto(&site.address_of(path)).await;
    Some((site, page))
}

async fn what_a_visitor_does_before_the_program_has_come_is_not_lost(browser: Browser) {
    let Some((_site, page)) = held(browser, "/?n=2&max_new_tokens=8").await else {
        return;
    };
    page.eval(
        "const prompt = document.getElementById('prompt'); prompt.focus(); prompt.value = 'I typed this early'; \
         prompt.dispatchEvent(new Event('input', { bubbles: true })); prompt.setSelectionRange(2, 7); \
         document.querySelector('details.settings').open = true; \
         document.querySelector('[data-testid=generate]').click(); window.release?.();",
    )
    .await;
    wait_until("two texts", RUN, || async {
        (page.texts("result").await.len() == 2 && page.state().await == "ready").then_some(())
    })
    .await;
    for text in page.texts("result").await {
        assert!(text.contains("I typed this early"), "{text}");
    }
    assert_eq!(page.value("prompt").await, "I typed this early");
    let kept = "const prompt = document.getElementById('prompt'); \
        return [document.activeElement === prompt, prompt.selectionStart, prompt.selectionEnd, \
          document.querySelector('details.settings').open]";
    assert_eq!(page.eval(kept).await, json!([true, 2, 7, true]));
    page.close_clean().await;
}

async fn the_page_of_a_bot_works_in_its_folder(browser: Browser) {
    let bot = &bot::bundled()[2];
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site
        .open(&format!("/bot/{}/?n=2&max_new_tokens=8", bot.repo))
        .await;
    page.wait_for_state(&STARTED).await;
    let own = &bot.card.handle;
    assert!(page.text("bot-handle").await.contains(own));
    assert_eq!(page.generate().await.len(), 2);
    // Links lead to the site's own page, and back.
    page.eval("document.querySelectorAll('[data-testid=gallery-item]')[1].click()")
        .await;
    let other = &bot::bundled()[1].card.handle;
    page.wait_for_text("bot-handle", SOON, |text| text.contains(other))
        .await;
    assert_eq!(
        page.eval("return location.href").await,
        Value::from(site.address_of(&format!("/?bot={}", bot::bundled()[1].repo)))
    );
    page.eval("history.back()").await;
    page.wait_for_text("bot-handle", SOON, |text| text.contains(own))
        .await;
    assert_eq!(page.generate().await.len(), 2);
    page.close_clean().await;
}

async fn the_page_of_a_bot_opens_without_a_network(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let path = format!("/bot/{}/", bot::bundled()[3].repo);
    let page = site.open(&path).await;
    page.wait_for_state(&STARTED).await;
    wait_until_kept(&page, &site.dist(), "/").await;
    site.stop().await;
    page.goto(&site.address_of(&format!("{path}?n=1&max_new_tokens=8")))
        .await;
    page.wait_for_state(&STARTED).await;
    let own = &bot::bundled()[3].card.handle;
    assert!(page.text("bot-handle").await.contains(own));
    assert_eq!(page.generate().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_without_scripts_see_bot_and_card_and_why_nothing_answers() {
    let site = Site::start().await;
    for (path, bot) in [
        ("/", &bot::bundled()[0]),
        ("/bot/huggingtweets/snackmerritt/", &bot::bundled()[2]),
    ] {
        let page = site.open("/elsewhere/frame").await;
        page.devtools(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": true }),
        )
        .await;
        page.goto(&site.address_of(path)).await;
        page.devtools(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": false }),
        )
        .await;
        // The sentence in `noscript` is an element only where scripts are off.
        let seen =
            "return document.body.innerText + document.querySelector('noscript p')?.textContent";
        let seen = page.eval(seen).await;
        let seen = seen.as_str().unwrap();
        for words in [
            bot.card.handle.as_str(),
            "Training data",
            "it needs JavaScript and WebAssembly",
        ] {
            assert!(seen.contains(words), "{path}: {words} in {seen}");
        }
        page.close_clean().await;
    }
}
