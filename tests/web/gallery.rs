//! Every bot of the gallery has the header of its card and an address of its own.

use crate::harness::{SOON, Site, wait_until};
use huggingtweets::bot::{self, Label};

#[tokio::test(flavor = "multi_thread")]
async fn every_bot_shows_its_label_names_handle_and_avatars() {
    let site = Site::start().await;
    let page = site.open("/").await;
    assert_eq!(
        page.find_all("gallery-item").await.len(),
        bot::bundled().len()
    );
    for (place, bot) in bot::bundled().iter().enumerate() {
        page.click_nth("gallery-item", place).await;
        let handle = format!("@{}", bot.card.handle);
        page.wait_for_text("bot-handle", SOON, |text| text.starts_with(&handle))
            .await;
        assert_eq!(page.text("bot-name").await, bot.card.names.join(" & "));
        let label = match bot.card.label {
            Label::Bot => "AI BOT",
            Label::Cyborg => "AI CYBORG",
        };
        assert!(page.text("bot-label").await.to_uppercase().contains(label));
        assert_eq!(page.find_all("avatar").await.len(), bot.card.names.len());
        let address = page.client.current_url().await.unwrap();
        // An address without `bot` shows the first bot.
        assert!(
            place == 0
                || address
                    .query_pairs()
                    .any(|(name, value)| name == "bot" && value == bot.repo),
            "{address}"
        );
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_opens_its_bot_and_the_back_button_returns() {
    let site = Site::start().await;
    let page = site
        .open("/?bot=huggingtweets/snackmerritt&text=I%20like")
        .await;
    page.wait_for_text("bot-handle", SOON, |text| text.contains("snackmerritt"))
        .await;
    assert_eq!(page.value("prompt").await, "I like");
    page.click_nth("gallery-item", 0).await;
    page.wait_for_text("bot-handle", SOON, |text| text.contains("jen_122"))
        .await;
    page.client.back().await.unwrap();
    page.wait_for_text("bot-handle", SOON, |text| text.contains("snackmerritt"))
        .await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn original_pictures_are_asked_for_only_when_the_visitor_allows_them() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_text("bot-handle", SOON, |text| !text.is_empty())
        .await;
    assert_eq!(page.foreign_requests().await, Vec::<String>::new());
    assert_eq!(
        page.eval("return document.querySelectorAll('img').length")
            .await,
        0
    );
    assert!(
        page.eval("return document.body.innerText")
            .await
            .as_str()
            .unwrap()
            .contains("original pictures")
    );
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arrow_keys_move_through_the_gallery() {
    let site = Site::start().await;
    let page = site.open("/").await;
    // The drawn page keeps what is clicked and typed for the program, but it does not move through the gallery.
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    page.eval("document.querySelector(\"[data-testid='gallery-item']\").focus()")
        .await;
    page.press(&['\u{e014}']).await;
    wait_until("the second bot to have the focus", SOON, || async {
        let place = page
            .eval("return [...document.querySelectorAll(\"[data-testid='gallery-item']\")].indexOf(document.activeElement)")
            .await;
        (place == 1).then_some(())
    })
    .await;
    page.close_clean().await;
}
