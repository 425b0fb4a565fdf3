//! The page of every bot fits a phone and a desktop, in both colour schemes.

use crate::harness::Site;

/// The five bots, named as in the address after `huggingtweets/`.
const BOTS: [&str; 5] = [
    "jen_122",
    "empressrandom",
    "snackmerritt",
    "kr00ney-nerdwallet-producthunt",
    "goando-tsuchinao83-za09313103",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_bot_makes_the_page_wider_than_the_screen() {
    let site = Site::start().await;
    let page = site.open("/").await;
    for bot in BOTS {
        page.goto(&site.address_of(&format!("/?bot=huggingtweets/{bot}")))
            .await;
        page.wait_for_state(&["idle", "ready"]).await;
        for theme in ["light", "dark"] {
            page.prefer("prefers-color-scheme", theme).await;
            for width in [320, 360, 1280] {
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
