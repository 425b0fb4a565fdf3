//! A bot is made, trained and asked by keyboard alone, and each step shows where the keyboard is.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::harness::{Browser, Page, RUN, SOON, wait_until};
use crate::maker;

/// Presses of Tab after which a control counts as out of reach.
const MOST_PRESSES: usize = 150;

/// Moves the focus with Tab until the control with this test id, or with this label, has it.
async fn tab_to(page: &Page, control: &str) {
    let here = "const at = document.activeElement; \
        const is = at?.dataset?.testid === arguments[0] || at?.textContent?.trim() === arguments[0]; \
        if (!is) return null; \
        const shown = [at, at.closest('label')].filter(Boolean).map((it) => getComputedStyle(it)); \
        return at.matches(':focus-visible') && shown.some((it) => it.outlineStyle !== 'none' || it.boxShadow !== 'none')";
    for _ in 0..MOST_PRESSES {
        page.press(&[Key::Tab.into()]).await;
        match page.eval_with(here, vec![json!(control)]).await {
            Value::Null => {}
            shown => {
                assert_eq!(shown, true, "the focus of `{control}` is not shown");
                return;
            }
        }
    }
    panic!("`{control}` is out of the keyboard's reach");
}

async fn press(page: &Page, control: &str, key: char) {
    tab_to(page, control).await;
    page.press(&[key]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_is_made_trained_and_asked_by_keyboard_alone() {
    let (enter, space) = (Key::Enter.into(), ' ');
    let Some((site, page)) = maker::open(Browser::Chromium).await else {
        return;
    };
    page.goto(&site.address_of("/")).await;
    page.wait_for_state(&["idle"]).await;
    press(&page, "open-maker", enter).await;
    page.find("maker").await;

    press(&page, "Paste text", enter).await;
    tab_to(&page, "maker-paste").await;
    let posts: String = (0..130)
        .map(|i| format!("she waters the garden for the time number {i}, as on every day\n"))
        .collect();
    // As an input method types it.
    page.devtools("Input.insertText", json!({ "text": posts }))
        .await;
    press(&page, "maker-paste-read", enter).await;
    page.find("maker-account").await;
    press(&page, "maker-consent", space).await;
    press(&page, "maker-write", enter).await;
    page.find("maker-record").await;

    press(&page, "maker-train", enter).await;
    wait_until("a step", RUN, || async {
        page.texts("maker-step").await.into_iter().next()
    })
    .await;
    press(&page, "maker-stop", enter).await;
    wait_until("the bot", RUN * 2, || async {
        page.find_now("maker-open").await.map(|_| ())
    })
    .await;
    press(&page, "maker-open", enter).await;
    page.wait_for_text("bot-handle", SOON, |text| text.contains("@"))
        .await;
    page.find("made-body").await;
    press(&page, "generate", enter).await;
    wait_until("the texts", RUN, || async {
        let texts = page.texts("continuation").await;
        (page.state().await == "ready" && texts.iter().any(|text| !text.is_empty())).then_some(())
    })
    .await;
    press(&page, "copied-check", enter).await;
    page.wait_for_text("copied", SOON, |text| !text.is_empty())
        .await;
    page.close_clean().await;
}
