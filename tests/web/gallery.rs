//! Every bot of the gallery, on a phone and on a desk, in the light and in the dark.

use crate::harness::{SUB_PATH, Site};

/// The five bots, by the part of the address behind `huggingtweets/`.
const BOTS: [(&str, &str); 5] = [
    ("jen_122", "AI BOT"),
    ("empressrandom", "AI BOT"),
    ("snackmerritt", "AI BOT"),
    ("kr00ney-nerdwallet-producthunt", "AI CYBORG"),
    ("goando-tsuchinao83-za09313103", "AI CYBORG"),
];

#[tokio::test(flavor = "multi_thread")]
async fn gallery_offers_five_bots() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&["idle", "ready"]).await;
    assert_eq!(page.find_all("gallery-item").await.len(), BOTS.len());
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bot_opens_by_its_address() {
    let site = Site::start().await;
    let page = site.open("/").await;
    for (bot, label) in BOTS {
        page.goto(&site.address_of(&format!("{SUB_PATH}?bot=huggingtweets/{bot}")))
            .await;
        page.wait_for_state(&["idle", "ready"]).await;
        // The oldest header writes it "AI Bot".
        let shown = page.text("bot-label").await.to_uppercase();
        assert!(shown.contains(label), "{bot}: {shown}");
        assert!(page.text("bot-handle").await.contains(bot), "{bot}");
        assert!(!page.text("bot-name").await.is_empty(), "{bot}");
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bot_makes_the_page_wider_than_the_screen() {
    let site = Site::start().await;
    let page = site.open("/").await;
    for (bot, _) in BOTS {
        page.goto(&site.address_of(&format!("/?bot=huggingtweets/{bot}")))
            .await;
        page.wait_for_state(&["idle", "ready"]).await;
        for theme in ["light", "dark"] {
            page.prefer("prefers-color-scheme", theme).await;
            for width in [360, 1280] {
                page.resize(width, 800).await;
                let content = page
                    .eval("return document.documentElement.scrollWidth")
                    .await;
                assert!(
                    content.as_u64() <= Some(u64::from(width)),
                    "{bot}: {content} in {width}"
                );
                page.screenshot(&format!("{bot}-{width}-{theme}")).await;
            }
        }
    }
    page.close_clean().await;
}
