//! A bot is trained in the tab: begun, paused, interrupted with the tab, gone on with, written, opened, saved and deleted.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::accessibility;
use crate::harness::{Browser, Page, RUN, SOON, Site, in_both_browsers, wait_until};
use crate::isolation::wait_for;
use crate::maker::{import, open, posts_of, saved, wait_for_no_account, wait_for_nothing_kept};
use crate::room::limit;
use crate::support::shared::skipped;

in_both_browsers!(a_bot_is_trained_in_the_tab_and_survives_its_end);

/// The step that the page shows.
async fn step(page: &Page) -> Option<(u32, u32)> {
    let text = page.texts("maker-step").await.into_iter().next()?;
    let (step, n_steps) = text.split_once(" of ")?;
    let number = |text: &str| text.replace(',', "").parse().ok();
    Some((number(step)?, number(n_steps)?))
}

async fn step_after(page: &Page, least: u32) -> (u32, u32) {
    wait_until("a later step", RUN, || async {
        step(page).await.filter(|(step, _)| *step >= least)
    })
    .await
}

pub async fn write_text(page: &Page) {
    page.click_nth("maker-consent", 0).await;
    page.click("maker-write").await;
    page.find("maker-record").await;
}

/// Chooses a model of this device as the base of the training.
async fn choose_base(page: &Page, name: &str) {
    page.find("maker-base-here").await;
    wait_until("the trained bot among the models", SOON, || async {
        let script = "const select = document.querySelector('[data-testid=maker-base-here]'); \
             const place = [...select.options].findIndex(({ text }) => text === arguments[0]); \
             if (place < 0) return false; select.selectedIndex = place; \
             select.dispatchEvent(new Event('change', { bubbles: true })); return true";
        let chosen = page.eval_with(script, vec![json!(name)]).await;
        (chosen == true).then_some(())
    })
    .await;
    page.wait_for_text("maker-base-name", SOON, |text| text == name)
        .await;
}

/// Pauses the training, and gives the step after which it stands.
async fn pause(page: &Page) -> u32 {
    page.click("maker-pause").await;
    page.wait_for_text("maker-train", SOON, |text| text.contains("Go on"))
        .await;
    let step = step(page).await.unwrap().0;
    let words = format!("Paused at step {step} of");
    assert!(page.text("maker-training").await.contains(&words));
    step
}

/// Leaves the newest checkpoint as a tab does that is closed while it writes it: half a state, and no record.
async fn break_newest_checkpoint(page: &Page) {
    let cut = "(async () => { const root = await navigator.storage.getDirectory(); const bots = await root.getDirectoryHandle('bots'); \
         for await (const [, bot] of bots.entries()) { const folder = await bot.getDirectoryHandle('training'); \
           const number = async (turn) => JSON.parse(await (await (await folder.getFileHandle(`checkpoint-${turn}.json`)).getFile()).text()).number; \
           const newest = await number(0) > await number(1) ? 0 : 1; \
           const cut = async (name, share) => { const handle = await folder.getFileHandle(name); const { size } = await handle.getFile(); \
             const out = await handle.createWritable({ keepExistingData: true }); await out.truncate(Math.floor(size * share)); await out.close(); }; \
           await cut(`checkpoint-${newest}`, 0.5); await cut(`checkpoint-${newest}.json`, 0); } return true; })()";
    // The trainer of the page before may have the files open for a moment.
    wait_until("half a checkpoint", SOON, || async {
        (wait_for(page, cut).await == true).then_some(())
    })
    .await;
}

/// The base of a training is the model of the page, one that is stored here, or a bot that was trained here.
async fn another_bot_is_trained_from_it(page: &Page) {
    page.click("maker-new").await;
    wait_for_no_account(page).await;
    import(page, &posts_of("bea", 120)).await;
    write_text(page).await;
    let name = page.text("maker-base-name").await;
    assert_eq!(name, "the model that comes with the page");
    choose_base(page, "@me").await;
    page.click("maker-train").await;
    step_after(page, 2).await;
    page.click("maker-stop").await;
    page.find("maker-trained").await;
    page.click("maker-delete").await;
    page.click("maker-delete").await;
    wait_for_no_account(page).await;
}

/// It is ended early, and its record is laid beside that of the first.
async fn a_second_training_stands_beside_the_first(page: &Page) {
    page.click("maker-train").await;
    step_after(page, 2).await;
    page.click("maker-stop").await;
    page.find("maker-compare").await;
    assert_eq!(step(page).await, None, "no step of an ended training");
    page.eval(
        "const select = document.querySelector('[data-testid=maker-compare]'); select.value = '0'; \
         select.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    page.wait_for_text("maker-compared", SOON, |text| text.contains("train/loss"))
        .await;
    look(Browser::Chromium, page, "two runs of a bot").await;
}

async fn a_bot_is_trained_in_the_tab_and_survives_its_end(browser: Browser) {
    let Some((site, page)) = open(browser).await else {
        return;
    };
    import(&page, &posts_of("una", 120)).await;
    assert!(!page.find("maker-train").await.is_enabled().await.unwrap());
    write_text(&page).await;

    // What it takes is told before the first step.
    page.click("maker-measure").await;
    page.wait_for_text("maker-training", RUN, |text| {
        text.contains("steps of") && text.contains("of memory")
    })
    .await;
    assert_eq!(step(&page).await, None);
    page.click("maker-figures").await;
    set(&page, "training-rate", "0.0005").await;
    page.click("maker-train").await;
    let (_, n_steps) = step_after(&page, 3).await;
    assert_eq!(page.state().await, "training");
    let loss: f64 = page.text("maker-loss").await.parse().unwrap();
    assert!((0.5..20.0).contains(&loss), "{loss}");
    let speed = page.text("maker-speed").await;
    assert!(speed.contains("tokens per second"), "{speed}");

    let paused = pause(&page).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(step(&page).await, Some((paused, n_steps)));
    assert_ne!(page.state().await, "training");

    look(browser, &page, "a paused training").await;

    // As after a tab that was closed while it wrote a later checkpoint: the training goes on after the earlier one.
    page.click("maker-train").await;
    step_after(&page, paused + 2).await;
    pause(&page).await;
    page.goto(&site.address_of("/")).await;
    break_newest_checkpoint(&page).await;
    page.goto(&site.address_of("/?again#make")).await;
    page.find("maker-record").await;
    let left = page.text("maker-interrupted").await;
    assert!(
        left.contains("goes on with it") && !left.contains("takes its place"),
        "{left}"
    );
    let rate = "return document.getElementById('training-rate').value";
    assert_eq!(page.eval(rate).await, "0.0005");
    page.click("maker-train").await;
    page.wait_for_text("maker-training", RUN, |text| {
        text.contains(&format!("It goes on after step {paused}"))
    })
    .await;
    // A training that ends by itself takes the button to end it away; the focus goes to the title above.
    page.eval("document.querySelector('[data-testid=maker-stop]').focus()")
        .await;
    // A tab that is closed while the bot's files are written leaves no half a bot, and the writing is done again.
    page.wait_for_text("maker-training", RUN * 2, |text| {
        text.contains("Comparing what it writes")
    })
    .await;
    wait_for_focus(&page, "Train the bot").await;
    page.goto(&site.address_of("/?half#make")).await;
    page.find("maker-record").await;
    assert!(page.find_all("maker-trained").await.is_empty());
    page.click("maker-train").await;
    page.wait_for_text("maker-trained", RUN * 2, |text| {
        text.contains("The bot is trained")
    })
    .await;
    let told = page.text("maker-trained").await;
    assert!(told.contains(&format!("{n_steps} steps in")), "{told}");
    let run = wait_for(
        &page,
        "(async () => { let folder = await navigator.storage.getDirectory(); folder = await folder.getDirectoryHandle('bots'); \
         for await (const [, bot] of folder.entries()) { const training = await bot.getDirectoryHandle('training'); \
           return JSON.parse(await (await (await training.getFileHandle('trained.json')).getFile()).text()); } })()",
    )
    .await;
    let losses: Vec<f64> = run["record"]["run"]["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| metric["values"]["train/loss"].as_f64().unwrap())
        .collect();
    assert!(losses.last() < losses.first(), "{losses:?}");
    assert_eq!(run["record"]["run"]["state"], "finished");

    let record = page.text("maker-record").await;
    assert!(
        record.contains("@me-train") && record.contains("model-me:v0"),
        "{record}"
    );

    look(browser, &page, "a trained bot").await;

    // All of it leaves as one zip.
    let (name, zip) = saved(&page, "maker-save-trained").await;
    assert_eq!(name, "me-q8_0.zip");
    check_with_transformers(&zip, &run);

    if browser == Browser::Chromium {
        a_site_with_the_bot_works_in_any_folder(&site, &page).await;
        page.goto(&site.address_of("/?after#make")).await;
        page.find("maker-trained").await;
    }

    if browser == Browser::Chromium {
        a_second_training_stands_beside_the_first(&page).await;
    }

    // The bot writes like any other, under its own name, also after a reload.
    page.click("maker-open").await;
    wait_for_bot(&page).await;
    let address = page.eval("return location.href").await;
    page.goto(address.as_str().unwrap()).await;
    wait_for_bot(&page).await;
    let is_marked =
        "return document.querySelector('[data-testid=gallery-made]')?.getAttribute('aria-current')";
    wait_until("the bot's mark in the gallery", SOON, || async {
        (page.eval(is_marked).await == "page").then_some(())
    })
    .await;
    let texts = page.generate().await;
    assert!(!texts.is_empty());
    look(browser, &page, "the page of a trained bot").await;
    // Under each text stands, on a press, what it shares with the posts, which the maker has.
    page.click_nth("copied-check", 0).await;
    page.wait_for_text("copied", SOON, |text| text.contains("in the maker"))
        .await;
    page.eval("location.hash = '#make'").await;
    page.find("maker-trained").await;
    page.click("maker-open").await;
    wait_for_bot(&page).await;
    page.generate().await;
    page.click_nth("copied-check", 0).await;
    page.wait_for_text("copied", SOON, |text| {
        text.contains("in a row") || text.contains("No word")
    })
    .await;

    if browser == Browser::Chromium {
        page.goto(&site.address_of("/?from#make")).await;
        page.find("maker-trained").await;
        another_bot_is_trained_from_it(&page).await;
    }

    // And it is gone when it is deleted.
    page.goto(&site.address_of("/?third#make")).await;
    page.find("maker-trained").await;
    page.click("maker-delete").await;
    page.click("maker-delete").await;
    wait_until("an empty maker", SOON, || async {
        (page.find_all("maker-account").await.is_empty()
            && page.find_all("maker-trained").await.is_empty())
        .then_some(())
    })
    .await;
    wait_for_nothing_kept(&page).await;
    page.close_clean().await;
}

/// Sets the value of a control by its id, as a visitor does.
async fn set(page: &Page, id: &str, value: &str) {
    let script = "const control = document.getElementById(arguments[0]); control.value = arguments[1]; \
                  for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, { bubbles: true }))";
    page.eval_with(script, vec![json!(id), json!(value)]).await;
}

/// Waits until the element with this text has the focus.
pub async fn wait_for_focus(page: &Page, words: &str) {
    let text = "return document.activeElement.textContent.trim()";
    wait_until(&format!("the focus on “{words}”"), SOON, || async {
        (page.eval(text).await == words).then_some(())
    })
    .await;
}

/// The training of the open bot is under way.
async fn begin(page: &Page, author: &str) {
    import(page, &posts_of(author, 120)).await;
    write_text(page).await;
    page.click("maker-train").await;
    step_after(page, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_is_left_only_once_asked_and_its_state_is_kept() {
    let Some((_site, page)) = open(Browser::Chromium).await else {
        return;
    };
    begin(&page, "una").await;
    // The question costs nothing, and the answer gives the focus back.
    page.click("maker-new").await;
    let told = page.text("maker-leave").await;
    assert!(told.contains("is paused and kept"), "{told}");
    look(
        Browser::Chromium,
        &page,
        "a training that is about to be left",
    )
    .await;
    page.click("maker-leave-stay").await;
    wait_for_focus(&page, "Begin another bot").await;
    assert!(page.find_now("maker-leave").await.is_none());
    assert_eq!(page.state().await, "training");
    let begun = step(&page).await.unwrap().0;
    step_after(&page, begun + 1).await;

    page.click("maker-new").await;
    page.click("maker-leave-go").await;
    wait_for_no_account(&page).await;
    wait_for_focus(&page, "Make a bot").await;
    assert!(page.find_now("maker-leave").await.is_none());
    // The bot and its training are there.
    page.click("maker-other").await;
    page.find("maker-record").await;
    page.wait_for_text("maker-interrupted", SOON, |text| {
        text.contains("goes on with it")
    })
    .await;
    page.click("maker-train").await;
    page.wait_for_text("maker-training", RUN, |text| {
        text.contains("It goes on after step")
    })
    .await;

    // A paused training says where it stands, with the focus on the button that goes on.
    step_after(&page, begun + 1).await;
    pause(&page).await;
    wait_for_focus(&page, "Go on").await;
    // One that is kept is left without a question.
    page.click("maker-new").await;
    wait_for_no_account(&page).await;
    page.click("maker-other").await;
    page.find("maker-interrupted").await;
    page.click("maker-train").await;
    page.find("maker-step").await;
    pause(&page).await;
    // So are its settings changed, and it is still offered.
    page.click("maker-figures").await;
    page.wait_for_text("maker-interrupted", SOON, |text| {
        text.contains("goes on with it")
    })
    .await;
    wait_for_focus(&page, "Measure what it takes").await;
    // What is no model is no base.
    let picture =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/icons/icon-192.png");
    let input = page.find("maker-base").await;
    input.send_keys(&picture.to_string_lossy()).await.unwrap();
    page.wait_for_text("maker-training", SOON, |text| {
        text.contains("icon-192.png") && text.contains("is no GGUF file")
    })
    .await;
    let base = page.text("maker-base-name").await;
    assert_eq!(base, "the model that comes with the page");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_storage_is_told_and_the_bot_is_written_once_there_is_room() {
    let Some((site, page)) = open(Browser::Chromium).await else {
        return;
    };
    let used = || async {
        let used = "navigator.storage.estimate().then(({ usage }) => usage)";
        wait_for(&page, used).await.as_f64().unwrap()
    };
    let much = 10e9;
    begin(&page, "una").await;
    // No room for the weights: the training is there and goes on.
    limit(&site, &page, used().await + 100e3).await;
    page.click("maker-stop").await;
    let full = |text: &str| text.contains("no more room") && text.contains("Storage");
    page.wait_for_text("error", RUN, full).await;
    look(Browser::Chromium, &page, "a bot without room").await;
    // The state could not be kept either: what that costs is asked first.
    page.click("maker-new").await;
    page.wait_for_text("maker-leave", SOON, |text| text.contains("are lost"))
        .await;
    page.click("maker-leave-stay").await;
    let stands = step(&page).await.unwrap().0;
    page.click("maker-train").await;
    step_after(&page, stands + 1).await;

    // No room once the weights are written.
    limit(&site, &page, much).await;
    page.click("maker-stop").await;
    page.wait_for_text("maker-training", RUN, |text| {
        text.contains("Comparing what it writes")
    })
    .await;
    limit(&site, &page, 1.0).await;
    page.wait_for_text("error", RUN, full).await;
    page.wait_for_text("maker-train", SOON, |text| {
        text.contains("Write its files again")
    })
    .await;
    assert!(page.find_now("maker-trained").await.is_none());
    look(
        Browser::Chromium,
        &page,
        "a bot whose weights alone are written",
    )
    .await;
    page.click("maker-train").await;
    page.wait_for_text("error", RUN, full).await;
    limit(&site, &page, much).await;
    page.click("maker-train").await;
    page.find("maker-trained").await;
    assert!(page.find_now("error").await.is_none());

    // The files of that bot are replaced by larger ones, for which there is no room: it is no longer listed.
    set(&page, "training-dtype", "f32").await;
    page.click("maker-train").await;
    // Both checkpoints have their room, and there is some for the list of the earlier bot; Chromium gives a file a
    // megabyte at least.
    for least in [1, 2] {
        step_after(&page, least).await;
        pause(&page).await;
        if least == 1 {
            page.click("maker-train").await;
        }
    }
    limit(&site, &page, used().await + 4e6).await;
    page.click("maker-stop").await;
    page.wait_for_text("error", RUN, full).await;
    assert!(page.find_now("maker-trained").await.is_none());
    limit(&site, &page, much).await;
    page.click("maker-stop").await;
    page.find("maker-trained").await;
    let names = "(async () => { const root = await navigator.storage.getDirectory(); const bots = await root.getDirectoryHandle('bots'); \
         const names = []; for await (const bot of bots.values()) \
           for await (const name of (await bot.getDirectoryHandle('training')).keys()) names.push(name); return names; })()";
    let names = wait_for(&page, names).await;
    let names: Vec<String> = serde_json::from_value(names).unwrap();
    let weights = names.iter().filter(|name| name.ends_with(".gguf"));
    assert_eq!(weights.collect::<Vec<_>>(), ["me-f32.gguf"]);
    page.close_clean().await;
}

/// Makes a bot of an author's posts with LoRA, of a few steps, on the page's model or another one.
async fn train_with_lora(page: &Page, author: &str, base: Option<&str>) {
    import(page, &posts_of(author, 120)).await;
    set(page, "maker-handle-0", author).await;
    write_text(page).await;
    if let Some(base) = base {
        choose_base(page, base).await;
    }
    page.click_nth("maker-method", 1).await;
    page.click("maker-train").await;
    step_after(page, 12).await;
    page.click("maker-stop").await;
    page.find("maker-trained").await;
}

/// Mixes two bots of the maker, the later of which is open there, and opens the mixture again by its address.
async fn mix(page: &Page, handles: [&str; 2]) {
    let [earlier, later] = handles;
    let both = format!("@{later}-{earlier}");
    page.click("maker-open").await;
    page.wait_for_text("bot-handle", SOON, |text| text == format!("@{later}"))
        .await;
    page.click("mix-with").await;
    page.wait_for_text("bot-handle", SOON, |text| text == both)
        .await;
    assert!(page.text("bot-label").await.contains("AI CYBORG"));
    // Without those of the maker, which is behind the page.
    let pictures =
        "return document.querySelectorAll('.bot-page .bot-header [data-testid=avatar]').length";
    assert_eq!(page.eval(pictures).await, 2);
    page.wait_for_text("mix-words", SOON, |text| {
        text == format!("50 % @{later}, 50 % @{earlier}")
    })
    .await;
    // One seed, and other texts by other shares; the same again by the same shares.
    let mut written = Vec::new();
    for share in ["100", "0", "100"] {
        set(page, "mix-share", share).await;
        set(page, "setting-seed", "11").await;
        written.push(page.generate().await);
    }
    assert_ne!(written[0], written[1]);
    assert_eq!(written[0], written[2]);
    // The address leads back to the mixture, its shares and its texts.
    let address = page.eval("return location.href").await;
    page.goto(address.as_str().unwrap()).await;
    page.wait_for_text("bot-handle", SOON, |text| text == both)
        .await;
    page.wait_for_text("mix-words", SOON, |text| {
        text == format!("100 % @{later}, 0 % @{earlier}")
    })
    .await;
    assert_eq!(page.generate().await, written[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_adapters_of_one_model_are_mixed_by_a_slider() {
    let Some((site, page)) = open(Browser::Chromium).await else {
        return;
    };
    train_with_lora(&page, "cyd", None).await;
    page.click("maker-new").await;
    wait_for_no_account(&page).await;
    train_with_lora(&page, "dee", None).await;
    mix(&page, ["cyd", "dee"]).await;
    look(Browser::Chromium, &page, "a mixed bot").await;

    // The same of a model that is a trained bot itself.
    page.goto(&site.address_of("/?on-a-bot#make")).await;
    page.find("maker-trained").await;
    for author in ["una", "zoe"] {
        page.click("maker-new").await;
        wait_for_no_account(&page).await;
        train_with_lora(&page, author, Some("@dee")).await;
    }
    mix(&page, ["una", "zoe"]).await;
    assert!(page.text("model-name").await.contains("@dee"));
    page.close_clean().await;
}

/// The copy of the site that the maker saves, unpacked in a folder of the host.
async fn a_site_with_the_bot_works_in_any_folder(site: &Site, page: &Page) {
    let (name, zip) = saved(page, "maker-save-site").await;
    assert_eq!(name, "me-q8_0-site.zip");
    let folder = zip.with_file_name("site-of-me");
    let _ = fs::remove_dir_all(&folder);
    let unpack = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    let mut python = Command::new("python3");
    python.args(["-c", unpack]).args([&zip, &folder]);
    if !python.status().is_ok_and(|status| status.success()) {
        return skipped("this part of the test needs Python");
    }
    let saved = zip.parent().and_then(|folder| folder.file_name()).unwrap();
    let path = format!("/made/{}/site-of-me/", saved.display());
    page.goto(&site.address_of(&path)).await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.text("bot-handle").await, "@me");
    assert!(page.texts("gallery-item").await[0].contains("@me"));
    let file = format!("{path}first/me-q8_0.gguf");
    let asked = || site.requests().contains(&file);
    assert!(!asked(), "nothing is loaded before a press");
    assert!(!page.generate().await.is_empty() && asked());
    let told = "return document.querySelector('.model-truth').textContent";
    let told = page.eval(told).await;
    assert!(
        told.as_str().unwrap().contains("The real bot writes here"),
        "{told}"
    );
    // The address that the texts have written leads back to it.
    let address = page.eval("return location.href").await;
    page.goto(address.as_str().unwrap()).await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.text("bot-handle").await, "@me");
}

/// The page shows the trained bot, which writes itself.
async fn wait_for_bot(page: &Page) {
    wait_until("the bot to be open", SOON, || async {
        let is_own = page.text("model-name").await.contains("me-q8_0");
        (is_own && page.text("bot-handle").await == "@me").then_some(())
    })
    .await;
    page.find("made-body").await;
    let drawn = page.text("bot-label").await;
    assert!(drawn.contains("AI BOT"), "{drawn}");
}

/// Pictures for people, and axe-core's judgement.
async fn look(browser: Browser, page: &Page, state: &str) {
    if browser != Browser::Chromium {
        return;
    }
    for (width, theme) in [(1280, "dark"), (360, "light")] {
        page.resize(width, 800).await;
        page.prefer("prefers-color-scheme", theme).await;
        page.eval("document.querySelector('[data-testid=maker-training]')?.scrollIntoView()")
            .await;
        page.screenshot(&format!("{}-{width}-{theme}", state.replace(' ', "-")))
            .await;
    }
    page.resize(1280, 800).await;
    if let Some(axe) = accessibility::axe() {
        accessibility::check(page, axe, state).await;
    }
}

/// The zip is a folder that transformers opens; its weights are as many as the run says.
fn check_with_transformers(zip: &std::path::Path, run: &Value) {
    let folder = zip.with_extension("folder");
    let _ = fs::remove_dir_all(&folder);
    let python = std::env::var("HUGGINGTWEETS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])\n\
        try:\n  from transformers import AutoModelForCausalLM, AutoTokenizer\nexcept ImportError:\n  print('absent'); sys.exit()\n\
        tokenizer = AutoTokenizer.from_pretrained(sys.argv[2]); model = AutoModelForCausalLM.from_pretrained(sys.argv[2])\n\
        ids = tokenizer('My dream is', return_tensors='pt').input_ids\n\
        print(tokenizer.decode(model.generate(ids, max_new_tokens=8, do_sample=False)[0]))";
    let run_python = Command::new(&python)
        .args(["-c", script])
        .args([zip, &folder])
        .output();
    let Ok(output) = run_python else {
        return skipped("this part of the test needs Python");
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    if text.trim() == "absent" {
        skipped("this part of the test needs transformers and torch");
    } else {
        assert!(text.contains("My dream is"), "{text}");
    }
    let preview = fs::read(folder.join("preview.png")).unwrap();
    assert!(preview.starts_with(b"\x89PNG") && preview.len() > 4000);
    for file in run["record"]["artifacts"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()["files"]
        .as_array()
        .unwrap()
    {
        let bytes = fs::metadata(folder.join(file["name"].as_str().unwrap()))
            .unwrap()
            .len();
        assert_eq!(json!(bytes), file["size_bytes"], "{file}");
    }
}
