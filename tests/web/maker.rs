//! The maker: posts in, counts as on the card, a training text and a record out; kept between visits, and deleted whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Browser, Page, RUN, SOON, Site, in_both_browsers, made_file, wait_until};
use crate::isolation::{press, wait_for};
use crate::kept::drop_on;
use crate::training::wait_for_focus;
use huggingtweets::site::Isolation;

in_both_browsers!(
    an_archive_becomes_counts_a_training_text_and_a_record_and_nothing_is_sent,
    a_bot_is_there_after_the_tab_was_closed_and_gone_once_deleted,
    three_accounts_make_a_cyborg_and_a_fourth_is_refused,
    what_is_no_export_is_refused_in_a_sentence,
    an_archive_comes_by_handle_once_its_host_is_asked,
    an_archive_asked_for_before_the_maker_has_started_comes,
    what_is_kept_of_a_bot_has_the_names_of_its_content,
    names_are_typed_one_after_the_other_without_waiting,
    a_bot_leaves_as_one_zip_and_comes_back_from_it,
    a_bot_that_is_being_made_stands_in_the_gallery,
    a_dropped_export_is_counted_while_it_is_read_and_a_tab_closed_meanwhile_loses_nothing,
);

fn exports(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("posts/tests/exports")
        .join(name)
}

/// A text of `n` posts of one author, enough for a bot, in a file of its own.
pub fn posts_of(author: &str, n: usize) -> PathBuf {
    let lines = (0..n)
        .map(|i| format!("{author} waters the garden for the time number {i}, as on every day\n"));
    let text = lines.collect::<String>() + "too short\n";
    made_file(&format!("posts/{n}/{author}.txt"), text.as_bytes())
}

pub async fn open(browser: Browser) -> Option<(Site, Page)> {
    let site = Site::start_in(browser, Isolation::On).await?;
    let page = site.open("/").await;
    page.click("open-maker").await;
    wait_until("the maker", RUN, || async {
        page.find_now("maker").await.map(|_| ())
    })
    .await;
    Some((site, page))
}

/// Chooses a file, and waits for the account that it makes.
pub async fn import(page: &Page, file: &Path) {
    let before = page.find_all("maker-account").await.len();
    let input = page.find("maker-import").await;
    input.send_keys(&file.to_string_lossy()).await.unwrap();
    wait_until("the account", RUN, || async {
        (page.find_all("maker-account").await.len() == before + 1).then_some(())
    })
    .await;
}

/// Waits until the maker has no account.
pub async fn wait_for_no_account(page: &Page) {
    wait_until("no account", SOON, || async {
        page.find_all("maker-account")
            .await
            .is_empty()
            .then_some(())
    })
    .await;
}

/// Downloaded, retweets, too short, kept.
async fn counts(page: &Page) -> [String; 4] {
    let kinds = ["downloaded", "retweets", "short", "kept"];
    let mut counts = [const { String::new() }; 4];
    for (count, kind) in counts.iter_mut().zip(kinds) {
        *count = page.text(&format!("maker-count-{kind}")).await;
    }
    counts
}

async fn an_archive_becomes_counts_a_training_text_and_a_record_and_nothing_is_sent(
    browser: Browser,
) {
    let Some((site, page)) = open(browser).await else {
        return;
    };
    import(&page, &exports("x_2023.zip")).await;
    assert_eq!(counts(&page).await, ["14", "1", "2", "11"]);
    let volume = page.text("maker-volume").await;
    assert!(volume.contains("too few"), "{volume}");
    // The reason of each post can be read, and posts are found.
    page.fill("maker-search", "spring").await;
    wait_until("the found post", SOON, || async {
        (page.texts("maker-post").await.len() == 1).then_some(())
    })
    .await;
    let post = &page.texts("maker-post").await[0];
    assert!(post.contains("kept: 7 words"), "{post}");

    page.click("maker-remove").await;
    wait_for_no_account(&page).await;
    import(&page, &posts_of("ann", 300)).await;
    assert_eq!(counts(&page).await, ["301", "0", "1", "300"]);
    assert!(!page.find("maker-write").await.is_enabled().await.unwrap());
    page.click_nth("maker-consent", 0).await;
    page.click("maker-write").await;
    page.find("maker-record").await;
    let record = page.text("maker-record").await;
    assert!(
        record.contains("@me-preprocess") && record.contains("dataset-me:v0"),
        "{record}"
    );
    let card = page.text("maker-card").await;
    assert!(
        card.contains("not trained yet") && card.contains("AI BOT"),
        "{card}"
    );
    // What a press saves.
    page.eval(
        "window.saved = []; const make = URL.createObjectURL; let last; \
         URL.createObjectURL = (blob) => { last = blob; return make.call(URL, blob); }; \
         HTMLAnchorElement.prototype.click = function () { last.text().then((text) => saved.push([this.download, text])); }",
    )
    .await;
    for file in ["maker-save-text", "maker-save-json", "maker-save-record"] {
        page.click(file).await;
    }
    let saved = wait_until("three files", SOON, || async {
        let saved: Vec<(String, String)> =
            serde_json::from_value(page.eval("return saved").await).ok()?;
        (saved.len() == 3).then_some(saved)
    })
    .await;
    let file = |name: &str| -> &str { &saved.iter().find(|(saved, _)| saved == name).unwrap().1 };
    let text = file("data_me_train.txt");
    assert_eq!(text.matches("<|endoftext|>").count(), 4 * 300 + 1);
    let record: Value = serde_json::from_str(file("record-me.json")).unwrap();
    assert_eq!(record["artifacts"][1]["size_bytes"], text.len());
    assert_eq!(record["run"]["config"]["consent"], "own");
    let kept: Value = serde_json::from_str(file("tweets-me.json")).unwrap();
    assert_eq!(kept[0].as_array().unwrap().len(), 300);
    // Every request was for a file of the page.
    let dist = site.dist();
    for path in site.requests() {
        let name = path.trim_start_matches('/');
        assert!(name.is_empty() || dist.join(name).exists(), "{path}");
    }
    if browser == Browser::Chromium {
        // The header of the bot is as wide as its section, and not as the screen.
        let is_inside = "const [section, header] = ['[data-testid=maker-card]', '.maker .bot-header'] \
             .map((it) => document.querySelector(it).getBoundingClientRect()); \
             return header.left >= section.left && header.right <= section.right";
        for width in [1280, 700, 360] {
            for theme in ["light", "dark"] {
                page.resize(width, 800).await;
                assert_eq!(page.eval(is_inside).await, true, "{width}");
                page.prefer("prefers-color-scheme", theme).await;
                page.screenshot(&format!("maker-{width}-{theme}")).await;
            }
        }
    }
    page.close_clean().await;
}

/// Waits until no bot in storage has a byte; the maker makes a folder with empty files for the bot that it begins.
pub async fn wait_for_nothing_kept(page: &Page) {
    let count = "(async () => { const root = await navigator.storage.getDirectory(); let n = 0; \
         try { for await (const bot of (await root.getDirectoryHandle('bots')).values()) for await (const part of bot.values()) \
           if (part.kind === 'directory' || (await part.getFile()).size) n++; } \
         catch {} return n; })()";
    wait_until("an empty storage", SOON, || async {
        (wait_for(page, count).await == 0).then_some(())
    })
    .await;
}

async fn a_bot_is_there_after_the_tab_was_closed_and_gone_once_deleted(browser: Browser) {
    let Some((site, page)) = open(browser).await else {
        return;
    };
    import(&page, &posts_of("bea", 200)).await;
    page.click_nth("maker-consent", 1).await;
    page.click("maker-write").await;
    page.find("maker-record").await;
    let text = page.text("maker-record").await;
    // As after a closed tab.
    page.goto(&site.address_of("/?again#make")).await;
    page.find("maker-record").await;
    assert_eq!(counts(&page).await, ["201", "0", "1", "200"]);
    assert_eq!(page.text("maker-record").await, text);
    // Storage lists it, and deletes it also while it is open.
    press(&page, "//header//button[contains(., 'Storage')]").await;
    page.wait_for_text("stored-bot", SOON, |text| {
        text.contains("@me") && text.contains("B")
    })
    .await;
    let label = "return document.querySelector('[data-testid=stored-bot-delete]').getAttribute('aria-label')";
    let label = page.eval(label).await;
    assert!(
        label.as_str().unwrap().starts_with("Delete the bot of @me"),
        "{label}"
    );
    page.click("stored-bot-delete").await;
    wait_until("nothing of it to be kept", SOON, || async {
        page.find_all("stored-bot").await.is_empty().then_some(())
    })
    .await;
    // One more press of a key deletes nothing.
    let focused = "return document.activeElement.id";
    assert_eq!(page.eval(focused).await, "dialog-Storage");
    page.press(&['\u{e00c}']).await;
    wait_for_no_account(&page).await;
    // The new bot that the maker has begun has no posts.
    wait_for_nothing_kept(&page).await;
    page.close_clean().await;
}

async fn three_accounts_make_a_cyborg_and_a_fourth_is_refused(browser: Browser) {
    let Some((_site, page)) = open(browser).await else {
        return;
    };
    for author in ["cleo", "dan", "eva"] {
        import(&page, &posts_of(author, 120)).await;
    }
    let card = page.text("maker-card").await;
    assert!(
        card.contains("AI CYBORG") && card.contains("@me-me_2-me_3"),
        "{card}"
    );
    assert_eq!(page.find_all("maker-import").await.len(), 0);
    page.close_clean().await;
}

async fn what_is_no_export_is_refused_in_a_sentence(browser: Browser) {
    let Some((_site, page)) = open(browser).await else {
        return;
    };
    let input = page.find("maker-import").await;
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/icons/icon-192.png");
    assert!(picture.is_file());
    input.send_keys(&picture.to_string_lossy()).await.unwrap();
    page.wait_for_text("error", SOON, |text| text.contains("icon-192.png"))
        .await;
    assert_eq!(json!(page.find_all("maker-account").await.len()), 0);
    // And the next file is read all the same.
    import(&page, &exports("plain.txt")).await;
    page.close_clean().await;
}

/// Presses a button that saves a file, and gives back the file's name and its place on the disk.
pub async fn saved(page: &Page, testid: &str) -> (String, PathBuf) {
    page.eval(
        "window.saved = []; const make = URL.createObjectURL; let last; \
         URL.createObjectURL = (blob) => { last = blob; return make.call(URL, blob); }; \
         HTMLAnchorElement.prototype.click = function () { const name = this.download; const reader = new FileReader(); \
           reader.onload = () => saved.push([name, reader.result.split(',')[1]]); reader.readAsDataURL(last); }",
    )
    .await;
    page.click(testid).await;
    let (name, base64): (String, String) = wait_until("the file", RUN, || async {
        let saved: Vec<_> = serde_json::from_value(page.eval("return saved").await).ok()?;
        saved.into_iter().next()
    })
    .await;
    let folder = tempfile::Builder::new()
        .prefix("saved-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .unwrap();
    let path = folder.keep().join(&name);
    fs::write(&path, crate::harness::bytes_of_base64(&base64)).unwrap();
    (name, path)
}

async fn a_bot_leaves_as_one_zip_and_comes_back_from_it(browser: Browser) {
    let Some((_site, page)) = open(browser).await else {
        return;
    };
    import(&page, &exports("x_2023.zip")).await;
    import(&page, &posts_of("fay", 400)).await;
    // The archive's own picture, and a drawing for the other account.
    let pictures = "return [...document.querySelectorAll('[data-testid=maker-card] .avatar img')].map((img) => [img.src.slice(0, 22), img.naturalWidth])";
    assert_eq!(
        page.eval(pictures).await,
        json!([["data:image/png;base64,", 8]])
    );
    assert_eq!(page.texts("avatar").await.len(), 2);
    let before = page.text("maker-card").await;
    let (name, zip) = saved(&page, "maker-save-bot").await;
    assert_eq!(name, "bot-ada_testwell-me.zip");
    // Not into another bot.
    let input = page.find("maker-import").await;
    input.send_keys(&zip.to_string_lossy()).await.unwrap();
    page.wait_for_text("error", SOON, |text| text.contains("a whole bot"))
        .await;
    page.click("maker-new").await;
    wait_for_no_account(&page).await;
    let input = page.find("maker-import").await;
    input.send_keys(&zip.to_string_lossy()).await.unwrap();
    wait_until("both accounts", RUN, || async {
        let is_there = page.find_all("maker-account").await.len() == 2;
        (is_there && page.text("maker-card").await == before).then_some(())
    })
    .await;
    page.close_clean().await;
}

async fn a_bot_that_is_being_made_stands_in_the_gallery(browser: Browser) {
    let Some((site, page)) = open(browser).await else {
        return;
    };
    import(&page, &posts_of("gil", 200)).await;
    page.click("maker-new").await;
    wait_for_no_account(&page).await;
    import(&page, &exports("plain.txt")).await;
    page.goto(&site.address_of("/?again")).await;
    wait_until("both bots", SOON, || async {
        (page.find_all("gallery-made").await.len() == 2).then_some(())
    })
    .await;
    let texts = page.texts("gallery-made").await;
    assert!(
        texts.iter().all(|text| text.contains("not trained yet")),
        "{texts:?}"
    );
    // Each opens its own, whatever their order.
    let mut kept = Vec::new();
    for place in 0..2 {
        page.click_nth("gallery-made", place).await;
        page.find("maker-account").await;
        kept.push(counts(&page).await[3].clone());
        page.client.back().await.unwrap();
        page.find("gallery-made").await;
    }
    kept.sort();
    assert_ne!(kept[0], kept[1]);
    assert!(kept.contains(&"200".to_owned()), "{kept:?}");
    page.close_clean().await;
}

/// The files of the only bot: the name of each and the SHA-256 of its content.
const KEPT_FILES: &str = "const done = arguments[0]; (async () => { \
    const root = await navigator.storage.getDirectory(); \
    const bots = await root.getDirectoryHandle('bots'); \
    const files = []; \
    for await (const bot of bots.values()) for await (const [name, file] of bot.entries()) { \
      const digest = await crypto.subtle.digest('SHA-256', await (await file.getFile()).arrayBuffer()); \
      files.push([name, [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')]); \
    } \
    return files.filter(([name]) => !/^(manifest-\\d\\.json|title)$/.test(name)); \
  })().then(done, (error) => done(String(error)));";

async fn what_is_kept_of_a_bot_has_the_names_of_its_content(browser: Browser) {
    let Some((site, page)) = open(browser).await else {
        return;
    };
    import(&page, &posts_of("ann", 300)).await;
    page.click_nth("maker-consent", 0).await;
    for _ in 0..2 {
        page.click("maker-write").await;
        page.find("maker-record").await;
        let names = || async {
            let files = page
                .client
                .execute_async(KEPT_FILES, Vec::new())
                .await
                .ok()?;
            serde_json::from_value::<Vec<(String, String)>>(files).ok()
        };
        wait_until("two files by their content", SOON, || async {
            let files = names().await?;
            let are_named = files.iter().all(|(name, sha256)| name == sha256);
            (files.len() == 2 && are_named).then_some(())
        })
        .await;
    }
    // The next visit finds them.
    page.goto(&site.address_of("/?again#make")).await;
    wait_until("the account", RUN, || async {
        (page.find_all("maker-account").await.len() == 1).then_some(())
    })
    .await;
    page.find("maker-record").await;
    assert_eq!(counts(&page).await, ["301", "0", "1", "300"]);
}

async fn names_are_typed_one_after_the_other_without_waiting(browser: Browser) {
    let Some((_site, page)) = open(browser).await else {
        return;
    };
    import(&page, &posts_of("ann", 300)).await;
    page.eval("window.field = document.getElementById('maker-handle-0')")
        .await;
    let type_in = "const type = (id, text) => { const it = document.getElementById(id); it.value = text; \
        for (const name of ['input', 'change']) it.dispatchEvent(new Event(name, { bubbles: true })); }; \
        type('maker-name-0', 'Ann of the garden'); field.focus(); field.value = 'ann_ga'; \
        field.dispatchEvent(new Event('input', { bubbles: true }));";
    page.eval(type_in).await;
    page.wait_for_text("maker-card", SOON, |text| {
        text.contains("Ann of the garden")
    })
    .await;
    let field = "return document.activeElement === field && field.isConnected && field.value";
    assert_eq!(page.eval(field).await, "ann_ga");
    page.eval("field.value += 'rden'; for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, { bubbles: true }))")
        .await;
    page.wait_for_text("maker-account", SOON, |text| text.contains("@ann_garden"))
        .await;
}

async fn an_archive_asked_for_before_the_maker_has_started_comes(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let archive = fs::read(exports("archive.json")).unwrap();
    made_file("archives/ada_testwell/archive.json", &archive);
    let archives = site.address_of("/made/archives");
    let page = site
        .open(&format!("/slow-maker/?archives={archives}#make"))
        .await;
    wait_until("the maker", RUN, || async {
        page.find_now("maker").await.map(|_| ())
    })
    .await;
    press(&page, "//summary[contains(., 'By handle')]").await;
    page.fill("maker-archive", "@Ada_Testwell").await;
    page.click("maker-archive-fetch").await;
    wait_until("the account", RUN, || async {
        (page.find_all("maker-account").await.len() == 1).then_some(())
    })
    .await;
}

async fn an_archive_comes_by_handle_once_its_host_is_asked(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let archive = fs::read(exports("archive.json")).unwrap();
    made_file("archives/ada_testwell/archive.json", &archive);
    let archives = site.address_of("/made/archives");
    let page = site.open(&format!("/?archives={archives}#make")).await;
    wait_until("the maker", RUN, || async {
        page.find_now("maker").await.map(|_| ())
    })
    .await;
    let is_asked = || {
        site.requests()
            .iter()
            .any(|path| path.ends_with("/archive.json"))
    };
    press(&page, "//summary[contains(., 'By handle')]").await;
    page.fill("maker-archive", "@Nobody_1").await;
    assert!(!is_asked());
    page.click("maker-archive-fetch").await;
    page.wait_for_text("error", SOON, |text| text.contains("@nobody_1"))
        .await;
    // The field is still there.
    page.fill("maker-archive", "@Ada_Testwell").await;
    page.click("maker-archive-fetch").await;
    wait_until("the account", RUN, || async {
        (page.find_all("maker-account").await.len() == 1).then_some(())
    })
    .await;
    let account = page.text("maker-account").await;
    assert!(account.contains("Community Archive"), "{account}");
}

/// Drops a file on the page, whose content is what the promise `content` gives.
async fn drop_file(page: &Page, name: &str, content: &str) {
    let dropped = wait_for(
        page,
        &format!(
            "(async () => {{ const data = new DataTransfer(); \
             data.items.add(new File([await ({content})], '{name}')); \
             for (const kind of ['dragover', 'drop']) document.querySelector('[data-testid=maker]') \
               .dispatchEvent(new DragEvent(kind, {{ dataTransfer: data, bubbles: true, cancelable: true }})); \
             return true; }})()"
        ),
    )
    .await;
    assert_eq!(dropped, true);
}

async fn a_dropped_export_is_counted_while_it_is_read_and_a_tab_closed_meanwhile_loses_nothing(
    browser: Browser,
) {
    let Some((site, page)) = open(browser).await else {
        return;
    };
    let zip = fs::read(exports("x_2023.zip")).unwrap();
    made_file("dropped/x_2023.zip", &zip);
    let fetched = "fetch('/made/dropped/x_2023.zip').then((answer) => answer.blob())";
    drop_file(&page, "x_2023.zip", fetched).await;
    page.wait_for_text("maker-count-kept", RUN, |text| text == "11")
        .await;
    assert_eq!(counts(&page).await, ["14", "1", "2", "11"]);
    press(&page, "//main//button[. = 'Too short']").await;
    wait_until("the dropped posts", SOON, || async {
        let posts = page.texts("maker-post").await;
        (posts.len() == 2 && posts.iter().all(|post| post.contains("too short: "))).then_some(())
    })
    .await;
    page.click("maker-remove").await;
    wait_for_no_account(&page).await;

    // 300,000 posts take a few seconds, in which their number grows.
    let text = "new Blob(Array.from({ length: 30 }, (_, part) => Array.from({ length: 10000 }, \
         (_, i) => `in its hour number ${10000 * part + i} the garden is green again\\n`).join('')))";
    drop_file(&page, "posts.txt", &format!("Promise.resolve({text})")).await;
    let read = || async {
        let words = page
            .eval("return document.querySelector('.maker-running .muted')?.textContent ?? ''")
            .await;
        let number = words.as_str()?.split(' ').next()?.replace(',', "");
        number.parse::<u32>().ok().filter(|n| *n > 0)
    };
    let first = wait_until("the first posts", RUN, &read).await;
    wait_until("more of them", RUN, || async {
        read().await.filter(|n| *n > first)
    })
    .await;
    page.goto(&site.address_of("/?again#make")).await;
    page.wait_for_text("maker-account", RUN, |text| {
        text.contains("was not read to its end")
    })
    .await;
    // They are judged anew.
    let kept = wait_until("the posts that were read", RUN, || async {
        let kept = page.text("maker-count-kept").await.replace(',', "");
        kept.parse::<u32>().ok().filter(|kept| *kept >= first)
    })
    .await;
    assert!(kept < 300_000, "{kept}");

    // It goes on as any other.
    page.click_nth("maker-consent", 0).await;
    page.click("maker-write").await;
    page.find("maker-record").await;
    page.click("maker-delete").await;
    page.click("maker-delete").await;
    wait_for_no_account(&page).await;
    wait_for_nothing_kept(&page).await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_dropped_on_the_page_leads_to_the_maker_and_changes_nothing() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&["idle"]).await;
    let names = || async {
        [
            page.text("bot-name").await,
            page.text("bot-handle").await,
            page.text("model-name").await,
        ]
    };
    let before = names().await;
    // Twice: the maker's program comes with the first.
    for name in ["x_2023.zip", "repo.car"] {
        page.goto(&site.address_of("/")).await;
        page.wait_for_state(&["idle"]).await;
        drop_on(&page, &exports(name)).await;
        page.wait_for_text("error", RUN, |text| {
            text.contains(name) && text.contains("posts") && !text.contains('`')
        })
        .await;
        assert_eq!(names().await, before);
        for width in [1280, 360] {
            page.resize(width, 800).await;
            page.screenshot(&format!("export-on-the-page-{name}-{width}"))
                .await;
        }
        page.resize(1280, 900).await;
        press(
            &page,
            "//*[@data-testid='error']//button[. = 'Open the maker']",
        )
        .await;
        page.wait_for_text("maker-shared", RUN, |text| text.contains(name))
            .await;
    }
    page.screenshot("export-in-the-maker").await;
    page.click("maker-shared-read").await;
    wait_until("the account", RUN, || async {
        (page.find_all("maker-account").await.len() == 1).then_some(())
    })
    .await;
    wait_until("nothing to wait", SOON, || async {
        page.find_all("maker-shared").await.is_empty().then_some(())
    })
    .await;
    // The page goes on with another file while the maker's program is there.
    page.eval("location.hash = ''").await;
    drop_on(&page, &exports("x_2023.zip")).await;
    page.find("error").await;
    press(
        &page,
        "//*[@data-testid='error']//button[. = 'Open the maker']",
    )
    .await;
    page.wait_for_text("maker-shared", RUN, |text| text.contains("x_2023.zip"))
        .await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_asks_before_it_deletes_a_trained_bot() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&["idle"]).await;
    // A bot of which only the names of its files count.
    let made = wait_for(
        &page,
        "(async () => { let folder = await navigator.storage.getDirectory(); \
         for (const name of ['bots', '1', 'training']) { \
           if (name === 'training') await write(folder, 'title', 'una'); \
           folder = await folder.getDirectoryHandle(name, { create: true }); } \
         await write(folder, 'trained.json', '{}'); return true; \
         async function write(folder, name, text) { \
           const file = await (await folder.getFileHandle(name, { create: true })).createWritable(); \
           await file.write(text); await file.close(); } })()",
    )
    .await;
    assert_eq!(made, true);
    press(&page, "//header//button[contains(., 'Storage')]").await;
    page.wait_for_text("stored-bot", SOON, |text| {
        text.starts_with("A bot you trained: @una")
    })
    .await;
    for width in [1280, 360] {
        page.resize(width, 800).await;
        page.screenshot(&format!("storage-with-a-trained-bot-{width}"))
            .await;
    }
    page.click("stored-bot-delete").await;
    let question = page.client.get_alert_text().await.unwrap();
    assert!(question.contains("with its training"), "{question}");
    page.client.dismiss_alert().await.unwrap();
    assert_eq!(page.find_all("stored-bot").await.len(), 1);
    page.click("stored-bot-delete").await;
    page.client.accept_alert().await.unwrap();
    wait_until("nothing of it to be kept", SOON, || async {
        page.find_all("stored-bot").await.is_empty().then_some(())
    })
    .await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_focus_stays_where_a_task_ends_by_itself() {
    let Some((_site, page)) = open(Browser::Chromium).await else {
        return;
    };
    let text = "new Blob(Array.from({ length: 10 }, (_, part) => Array.from({ length: 10000 }, \
         (_, i) => `in its hour number ${10000 * part + i} the garden is green again\\n`).join('')))";
    drop_file(&page, "posts.txt", &format!("Promise.resolve({text})")).await;
    page.find("maker-cancel").await;
    page.eval("document.querySelector('[data-testid=maker-cancel]').focus()")
        .await;
    page.find("maker-account").await;
    wait_for_focus(&page, "One account more").await;
    // A switch keeps it while the posts are judged anew, and holds its mark until they are.
    press(&page, "//label[contains(., 'Leave out answers')]").await;
    let focused = "return document.activeElement.parentElement.textContent";
    let focused = || async {
        page.eval(focused)
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    wait_until("the posts to be judged", RUN, || async {
        let is_busy = "return Boolean(document.querySelector('[data-testid=progress]'))";
        (page.eval(is_busy).await == false).then_some(())
    })
    .await;
    assert!(focused().await.contains("Leave out answers"));
    // What had no focus takes none.
    page.eval("document.activeElement.blur()").await;
    // A press while posts are judged may come to nothing.
    wait_until("no account", RUN, || async {
        if page.find_all("maker-account").await.is_empty() {
            return Some(());
        }
        // As a press does.
        page.eval("const it = document.querySelector('[data-testid=maker-remove]'); it?.focus(); it?.click()")
            .await;
        None
    })
    .await;
    wait_for_focus(&page, "Make a bot").await;
    page.eval("document.activeElement.blur()").await;
    import(&page, &posts_of("ann", 200)).await;
    let tag = page.eval("return document.activeElement.tagName").await;
    assert_ne!(tag, "H2");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_handle_fits_on_a_phone() {
    let Some((_site, page)) = open(Browser::Chromium).await else {
        return;
    };
    import(&page, &posts_of("ann", 300)).await;
    page.eval_with(
        "const it = document.getElementById('maker-handle-0'); it.value = arguments[0]; \
         for (const name of ['input', 'change']) it.dispatchEvent(new Event(name, { bubbles: true }))",
        vec![json!("w".repeat(200))],
    )
    .await;
    page.wait_for_text("maker-account", SOON, |text| {
        text.contains(&"w".repeat(200))
    })
    .await;
    page.click_nth("maker-consent", 0).await;
    page.click("maker-write").await;
    page.find("maker-record").await;
    page.click("maker-new").await;
    page.find("maker-other").await;
    page.resize(360, 800).await;
    let widths = "return [document.documentElement.scrollWidth, innerWidth]";
    assert_eq!(page.eval(widths).await, json!([360, 360]));
    page.click("maker-other").await;
    page.find("maker-record").await;
    assert_eq!(page.eval(widths).await, json!([360, 360]));
    page.screenshot("maker-long-handle-360").await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_without_its_manifests_is_told_as_damaged_and_the_others_are_untouched() {
    let Some((site, page)) = open(Browser::Chromium).await else {
        return;
    };
    import(&page, &posts_of("ann", 200)).await;
    let kept = "(async () => { const root = await navigator.storage.getDirectory(); const names = []; \
         for await (const name of (await root.getDirectoryHandle('bots')).keys()) names.push(name); return names; })()";
    let names = wait_for(&page, kept).await;
    page.click("maker-new").await;
    wait_for_no_account(&page).await;
    import(&page, &posts_of("bea", 300)).await;
    page.goto(&site.address_of("/")).await;
    let cut = format!(
        "(async () => {{ const root = await navigator.storage.getDirectory(); const bots = await root.getDirectoryHandle('bots'); \
         const bot = await bots.getDirectoryHandle('{}'); for (const turn of [0, 1]) {{ \
           const out = await (await bot.getFileHandle(`manifest-${{turn}}.json`)).createWritable(); await out.truncate(0); await out.close(); }} \
         return true; }})()",
        names[0].as_str().unwrap()
    );
    wait_until("empty manifests", SOON, || async {
        (wait_for(&page, &cut).await == true).then_some(())
    })
    .await;
    page.goto(&site.address_of("/?again#make")).await;
    page.wait_for_text("maker-count-kept", RUN, |text| text == "300")
        .await;
    // By its handle, which stands beside.
    page.click("maker-other").await;
    page.wait_for_text("error", SOON, |text| {
        text.contains("damaged") && text.contains("Delete this bot") && text.contains("other bots")
    })
    .await;
    for width in [1280, 360] {
        page.resize(width, 800).await;
        page.screenshot(&format!("maker-damaged-{width}-light"))
            .await;
    }
    page.resize(1280, 800).await;
    page.click("maker-delete").await;
    page.click("maker-delete").await;
    wait_until("one bot", SOON, || async {
        (page.find_now("error").await.is_none() && page.find_all("maker-other").await.len() == 1)
            .then_some(())
    })
    .await;
    page.click("maker-other").await;
    page.wait_for_text("maker-count-kept", RUN, |text| text == "300")
        .await;
    page.close_clean().await;
}
