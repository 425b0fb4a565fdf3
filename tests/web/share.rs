//! What leaves the page: links that bring texts back, the share dialog with its picture, code for other sites.

use serde_json::{Value, json};

use crate::harness::{Browser, Page, SOON, Site, in_both_browsers, wait_until};
use crate::isolation::press;
use huggingtweets::site::Isolation;

in_both_browsers!(
    the_pages_address_brings_its_texts_back_with_and_without_threads,
    a_text_is_shared_by_link_copy_network_and_picture,
    a_link_to_a_model_that_is_not_there_shows_who_and_what,
    a_link_to_a_file_of_another_device_asks_for_the_file,
    the_maker_writes_code_for_the_chosen_bot_and_its_texts,
);

/// The page's path and query.
async fn address(page: &Page) -> String {
    let path = page
        .eval("return location.pathname + location.search")
        .await;
    path.as_str().unwrap().to_owned()
}

async fn attribute(page: &Page, selector: &str, name: &str) -> String {
    let script =
        format!("return document.querySelector({selector:?})?.getAttribute({name:?}) ?? ''");
    page.eval(&script).await.as_str().unwrap().to_owned()
}

/// Opens the dialog of the first text.
async fn share_first(page: &Page) {
    page.click("share").await;
    wait_until("the picture", SOON, || async {
        page.find_now("share-picture").await.map(|_| ())
    })
    .await;
}

async fn the_pages_address_brings_its_texts_back_with_and_without_threads(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/?n=2&max_new_tokens=12&temperature=1.3").await;
    page.wait_for_state(&["idle"]).await;
    page.fill("prompt", "I like & #1 🌸").await;
    let texts = page.generate().await;
    let query = wait_until("the address", SOON, || async {
        Some(address(&page).await).filter(|address| address.contains("seed="))
    })
    .await;
    for part in [
        "bot=huggingtweets/jen_122",
        "n=2",
        "max_new_tokens=12",
        "temperature=1.3",
    ] {
        assert!(query.contains(part), "{query}");
    }
    for isolation in [Isolation::On, Isolation::Off] {
        let site = Site::start_in(browser, isolation).await.unwrap();
        let again = site.open(&query).await;
        again.wait_for_state(&["idle"]).await;
        assert_eq!(again.value("prompt").await, "I like & #1 🌸");
        assert_eq!(again.generate().await, texts, "{isolation:?}");
        again.close_clean().await;
    }
    // The address follows the bot that is open.
    press(&page, "(//*[@data-testid='gallery-item'])[2]").await;
    wait_until("another bot's address", SOON, || async {
        let address = address(&page).await;
        (address.contains("empressrandom") && !address.contains("seed=")).then_some(())
    })
    .await;
    page.close_clean().await;
}

async fn a_text_is_shared_by_link_copy_network_and_picture(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/?n=2&max_new_tokens=12").await;
    page.wait_for_state(&["idle"]).await;
    let texts = page.generate().await;
    page.eval("navigator.share = (data) => { window.shared = data; return Promise.resolve(); }")
        .await;
    share_first(&page).await;
    let link = page.value("share-link").await;
    assert!(
        link.starts_with(&site.address_of("/?bot=huggingtweets/jen_122&text=")),
        "{link}"
    );
    assert!(link.contains("&n=1&") && link.contains("&seed="), "{link}");

    let hosts = page
        .eval("return [...document.querySelectorAll('.share-ways a')].map((a) => `${new URL(a.href).host} ${a.target} ${a.rel}`)")
        .await;
    let safe = "_blank noopener noreferrer";
    assert_eq!(
        hosts,
        json!([
            format!("x.com {safe}"),
            format!("bsky.app {safe}"),
            format!("mastodon.social {safe}")
        ])
    );
    press(&page, "//button[. = 'Share with an app']").await;
    let shared = page.eval("return window.shared").await;
    assert_eq!(shared["url"], link);
    assert!(
        shared["text"].as_str().unwrap().contains("#huggingtweets"),
        "{shared}"
    );

    let size = wait_until("the picture", SOON, || async {
        let size = page
            .eval("const img = document.querySelector('[data-testid=share-picture]'); return img.complete && [img.naturalWidth, img.naturalHeight]")
            .await;
        Some(size).filter(Value::is_array)
    })
    .await;
    assert_eq!(size, json!([1200, 628]));
    // What a press saves: a PNG that the canvas gives out, so nothing in it is of another origin.
    page.eval(
        "window.saved = []; HTMLAnchorElement.prototype.click = function () { window.saved.push([this.download, this.href.slice(0, 30), this.href.length]); }",
    )
    .await;
    press(&page, "//button[. = 'Save as PNG']").await;
    press(&page, "//button[. = 'Save as SVG']").await;
    let saved = wait_until("both files", SOON, || async {
        let saved = page.eval("return window.saved").await;
        (saved.as_array()?.len() == 2).then_some(saved)
    })
    .await;
    let mut saved: Vec<_> = saved
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    saved.sort();
    assert!(
        saved[0].starts_with("[\"huggingtweets.png\",\"data:image/png;base64,"),
        "{saved:?}"
    );
    assert!(
        saved[1].starts_with("[\"huggingtweets.svg\",\"data:image/svg+xml,"),
        "{saved:?}"
    );
    for width in [1280, 360] {
        for theme in ["light", "dark"] {
            if browser == Browser::Chromium {
                page.resize(width, 800).await;
                page.prefer("prefers-color-scheme", theme).await;
                page.screenshot(&format!("share-{width}-{theme}")).await;
            }
        }
    }
    // The text's link writes this text alone.
    let again = site
        .open(link.strip_prefix(&site.address_of("")).unwrap())
        .await;
    again.wait_for_state(&["idle"]).await;
    again.fill("prompt", &again.value("prompt").await).await;
    assert_eq!(again.generate().await, texts[..1], "{link}");
    again.close_clean().await;
    page.close_clean().await;
}

async fn a_link_to_a_model_that_is_not_there_shows_who_and_what(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let gone = "http://127.0.0.1:9";
    let page = site
        .open(&format!(
            "/?model=someone/gone&endpoint={gone}&text=I+like&seed=5"
        ))
        .await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.text("bot-name").await, "someone/gone");
    assert_eq!(page.value("prompt").await, "I like");
    page.click("generate").await;
    page.wait_for_state(&["failed"]).await;
    let error = page.text("error").await;
    assert!(
        error.contains("127.0.0.1:9 could not be reached"),
        "{error}"
    );
    assert_eq!(page.value("prompt").await, "I like");
}

async fn a_link_to_a_file_of_another_device_asks_for_the_file(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/?file=my+bot.gguf&text=Hello&seed=5").await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.text("bot-name").await, "my bot.gguf");
    assert_eq!(page.value("prompt").await, "Hello");
    page.click("generate").await;
    page.wait_for_state(&["failed"]).await;
    let error = page.text("error").await;
    assert!(error.contains("my bot.gguf is not on this page"), "{error}");
    assert!(error.contains("choose it"), "{error}");
    page.close_clean().await;
}

async fn the_maker_writes_code_for_the_chosen_bot_and_its_texts(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/?n=2&max_new_tokens=12").await;
    page.wait_for_state(&["idle"]).await;
    page.fill("prompt", "I \"like\"").await;
    let texts = page.generate().await;
    page.click("embed-open").await;
    let code = page
        .wait_for_text("embed-code", SOON, |code| {
            code.contains("huggingtweets-bot")
        })
        .await;
    let base = site.address_of("/");
    assert!(
        code.contains(&format!(
            "<script type=\"module\" src=\"{base}embed.js\"></script>"
        )),
        "{code}"
    );
    assert!(code.contains("text=\"I &quot;like&quot;\""), "{code}");
    assert!(!code.contains("blockquote"), "{code}");

    press(
        &page,
        "//*[@data-testid='embed-maker']//label[contains(@class, 'embed-example')][1]",
    )
    .await;
    let code = page
        .wait_for_text("embed-code", SOON, |code| code.contains("<blockquote>"))
        .await;
    let written = texts[0]
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;");
    assert!(code.contains(written.trim_end()), "{code} of {written}");
    assert!(
        code.contains("Generated by an AI bot of @jen_122 (small model of old books), 20"),
        "{code}"
    );
    // Another bot has written nothing, so it has no examples.
    page.eval("const bots = document.getElementById('embed-bot'); bots.value = '1'; bots.dispatchEvent(new Event('change'))").await;
    let code = page
        .wait_for_text("embed-code", SOON, |code| code.contains("empressrandom"))
        .await;
    assert!(!code.contains("blockquote"), "{code}");

    press(
        &page,
        "//*[@data-testid='embed-maker']//button[. = 'Frame']",
    )
    .await;
    page.wait_for_text("embed-code", SOON, |code| {
        code.contains(&format!(
            "<iframe src=\"{base}index.html?view=embed&amp;bot=huggingtweets/empressrandom"
        ))
    })
    .await;
    press(
        &page,
        "//*[@data-testid='embed-maker']//button[. = 'See it live']",
    )
    .await;
    wait_until("the frame", SOON, || async {
        let src = attribute(&page, "[data-testid=embed-live] iframe", "src").await;
        src.contains("view=embed&bot=huggingtweets/empressrandom")
            .then_some(())
    })
    .await;
    press(
        &page,
        "//*[@data-testid='embed-maker']//button[. = 'Address']",
    )
    .await;
    page.wait_for_text("embed-code", SOON, |code| {
        code.trim() == format!("{base}bot/huggingtweets/empressrandom/")
    })
    .await;
    if browser == Browser::Chromium {
        press(
            &page,
            "//*[@data-testid='embed-maker']//button[. = 'Element']",
        )
        .await;
        for width in [1280, 360] {
            for theme in ["light", "dark"] {
                page.resize(width, 800).await;
                page.prefer("prefers-color-scheme", theme).await;
                page.screenshot(&format!("embed-maker-{width}-{theme}"))
                    .await;
            }
        }
    }
}
