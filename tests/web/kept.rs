//! Models kept on the device, in files or in the database: found again, resumed, shared by tabs, deleted.

use std::path::Path;
use std::time::Duration;

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::harness::{
    Browser, Fault, Mirror, Page, Profile, SOON, Site, in_both_browsers, repositories, wait_until,
};
use crate::isolation::{press, wait_for};
use crate::models::REPO;
use crate::module::module;
use crate::support::gpt2_124m;
use huggingtweets::hub::{Dtype, ModelRef};
use huggingtweets::site::Isolation;
use huggingtweets::store::storage_key;
use huggingtweets::weights::gguf::Header;

in_both_browsers!(
    without_a_private_file_system_the_database_keeps_a_model,
    in_the_database_too_a_closed_tab_loses_nothing,
    in_the_database_too_every_form_is_whole,
    a_tab_that_waits_shows_how_far_the_other_one_is_and_goes_on_when_that_closes,
    bytes_without_a_record_do_not_stay,
    a_model_of_the_database_that_is_being_fetched_is_not_deleted,
    a_model_of_the_database_of_which_a_part_is_gone_is_fetched_again,
    what_another_version_of_the_page_keeps_is_left_alone,
    an_answer_that_is_not_wanted_is_given_up,
);

const WEIGHTS: &str = "huggingtweets/tiny/model.Q8_0.gguf";
/// Limit for a large model on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// A mirror with a model of 136 MB.
async fn large() -> Mirror {
    let mirror = Mirror::start().await;
    let mut bytes = Vec::new();
    gpt2_124m::write(&mut bytes);
    mirror.put(WEIGHTS, &bytes);
    mirror
}

/// The address of the page with this model, which Generate fetches.
fn address(site: &Site, mirror: &Mirror) -> String {
    site.address_of(&path(mirror))
}

fn path(mirror: &Mirror) -> String {
    format!(
        "/?model={REPO}&endpoint={}&n=1&max_new_tokens=4",
        mirror.endpoint()
    )
}

/// Megabytes that have arrived, as shown by the progress bar.
async fn loaded(page: &Page) -> Option<f64> {
    let text = progress(page).await;
    let before = text.split_once(" MB of")?.0;
    before.rsplit(' ').next()?.parse().ok()
}

/// What the progress bar says.
pub async fn progress(page: &Page) -> String {
    let text = page.eval("return document.querySelector('[data-testid=progress]')?.getAttribute('aria-valuetext') ?? ''").await;
    text.as_str().unwrap_or_default().to_owned()
}

/// A page without a private file system, with a model of 136 MB that Generate fetches, and the address of the page.
async fn before_a_large_model(browser: Browser) -> Option<(Site, Mirror, Page, String)> {
    let site = Site::start_in(browser, Isolation::On).await?;
    let mirror = large().await;
    let page = site.open_in("/", Profile::WithoutFiles).await;
    let address = address(&site, &mirror);
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    Some((site, mirror, page, address))
}

async fn wait_for_the_middle(page: &Page) {
    wait_for_megabytes(page, 20.0).await;
}

async fn wait_for_megabytes(page: &Page, least: f64) {
    wait_until("the bytes", LONG, || async {
        (loaded(page).await? > least).then_some(())
    })
    .await;
}

/// The first byte of the last request.
fn last_start(mirror: &Mirror) -> u64 {
    let asked = mirror.asked_for(WEIGHTS);
    asked.last().unwrap().start()
}

async fn open_storage(page: &Page) {
    press(page, "//header//button[contains(., 'Storage')]").await;
}

/// Numbers of models and of parts in the database.
async fn in_database(page: &Page) -> Value {
    let counts = "['records', 'parts'].map((name) => stores.objectStore(name).count())";
    in_stores(page, "readonly", counts).await
}

/// Runs requests in a transaction `stores` of the database and gives their results.
async fn in_stores(page: &Page, mode: &str, what: &str) -> Value {
    wait_for(
        page,
        &format!(
            "new Promise((resolve, reject) => {{ \
               const open = indexedDB.open('huggingtweets-models'); \
               open.onerror = () => reject(open.error); \
               open.onupgradeneeded = () => ['records', 'parts'].forEach((name) => open.result.createObjectStore(name)); \
               open.onsuccess = () => {{ \
                 const stores = open.result.transaction(['records', 'parts'], '{mode}'); \
                 const asked = [{what}].flat(); \
                 stores.oncomplete = () => {{ open.result.close(); resolve(asked.map(({{ result }}) => Number(result))); }}; \
                 stores.onabort = () => reject(stores.error); \
               }}; \
             }})"
        ),
    )
    .await
}

/// The name that the model has in storage.
fn key(mirror: &Mirror) -> String {
    let endpoint = mirror.endpoint().parse().unwrap();
    let model = ModelRef::parse(REPO, &endpoint, Dtype::Auto).unwrap();
    storage_key(&model)
}

async fn without_a_private_file_system_the_database_keeps_a_model(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let mirror = large().await;
    let mut page = site.open_in("/", Profile::WithoutFiles).await;
    page.expect_requests_to(mirror.endpoint());
    let files = wait_for(
        &page,
        "Promise.resolve().then(() => navigator.storage.getDirectory()).then(() => true, () => false)",
    )
    .await;
    assert_eq!(files, false, "there is a private file system");
    let address = address(&site, &mirror);
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    let texts = page.generate().await;
    assert_eq!(mirror.asked_for(WEIGHTS).len(), 1);
    let kept = in_database(&page).await;
    assert_eq!(kept, json!([1, 33]), "136 MB in parts of 4 MiB");

    // The next visit needs no host.
    mirror.misbehave(REPO, Fault::status(503).always());
    page.goto(&format!("{address}&seed=1")).await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.generate().await.len(), texts.len());
    assert_eq!(mirror.asked_for(WEIGHTS).len(), 1);

    open_storage(&page).await;
    page.wait_for_text("storage", SOON, |text| {
        text.contains(REPO) && text.contains("136 MB") && text.contains("database")
    })
    .await;
    if browser == Browser::Chromium {
        for width in [1280, 360] {
            page.resize(width, 800).await;
            page.screenshot(&format!("kept-in-the-database-{width}-light"))
                .await;
        }
    }
    delete(&page).await;
    page.wait_for_text("storage", SOON, |text| !text.contains(REPO))
        .await;
    assert_eq!(in_database(&page).await, json!([0, 0]));
    page.close_clean().await;
}

async fn in_the_database_too_a_closed_tab_loses_nothing(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let mirror = large().await;
    mirror.misbehave(
        WEIGHTS,
        Fault::Stall {
            at: 30_000_000,
            time: Duration::from_secs(300),
        },
    );
    let page = site.open_in("/", Profile::WithoutFiles).await;
    let address = address(&site, &mirror);
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    wait_for_the_middle(&page).await;
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.generate().await.len(), 1);
    let start = last_start(&mirror);
    println!("went on at byte {start}");
    assert!(start > 10_000_000, "{:?}", mirror.asked_for(WEIGHTS));
}

/// Converted weights are written in another order than in their file, and over earlier bytes.
async fn in_the_database_too_every_form_is_whole(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    for form in ["pytorch-zip", "safetensors-sharded"] {
        let mirror = Mirror::start().await;
        mirror.add(REPO, &repositories().join(form));
        let page = site.open_in("/", Profile::WithoutFiles).await;
        page.wait_for_state(&["idle", "loading", "ready"]).await;
        let scores = |cache: bool| {
            format!(
                "const generator = await pipeline('text-generation', '{REPO}', {{ endpoint: '{}', dtype: 'f32', cache: {cache} }}); \
                 const logits = Array.from(await generator.logits('My dream is')); \
                 await generator.dispose(); \
                 return logits;",
                mirror.endpoint()
            )
        };
        let unkept = module(&page, &scores(false)).await;
        for fault in [Fault::CutAt(10_000), Fault::CutAt(50_000)] {
            for file in ["pytorch_model.bin", "model-00001-of-00002.safetensors"] {
                mirror.misbehave(&format!("{REPO}/{file}"), fault.clone());
            }
        }
        assert_eq!(module(&page, &scores(true)).await, unkept, "{form}");
        let n_asked = mirror.asked().len();
        assert_eq!(module(&page, &scores(true)).await, unkept, "{form}, kept");
        assert_eq!(mirror.asked().len(), n_asked, "{form} was there");
    }
}

async fn a_tab_that_waits_shows_how_far_the_other_one_is_and_goes_on_when_that_closes(
    browser: Browser,
) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let mirror = large().await;
    mirror.misbehave(WEIGHTS, Fault::Slow(Duration::from_millis(20)));
    let page = site.open("/").await;
    let address = address(&site, &mirror);
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    wait_for_the_middle(&page).await;
    let first = page.client.window().await.unwrap();

    let second = page.client.new_window(true).await.unwrap().handle;
    page.client.switch_to_window(second.clone()).await.unwrap();
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    let seen = wait_until("the other tab's progress", SOON, || async {
        let text = progress(&page).await;
        text.starts_with("Another tab is downloading it, ")
            .then_some(())?;
        loaded(&page).await
    })
    .await;
    assert!(seen >= 20.0, "{seen} MB");
    if browser == Browser::Chromium {
        for width in [1280, 360] {
            page.resize(width, 800).await;
            page.screenshot(&format!("download-another-tab-{width}-light"))
                .await;
        }
    }
    wait_until("more of it", SOON, || async {
        (loaded(&page).await? > seen).then_some(())
    })
    .await;
    assert_eq!(mirror.asked_for(WEIGHTS).len(), 1, "one tab fetches it");

    page.client.switch_to_window(first).await.unwrap();
    page.client.close_window().await.unwrap();
    page.client.switch_to_window(second).await.unwrap();
    page.wait_for_state_within(&["ready"], LONG).await;
    wait_until("the text", SOON, || async {
        (page.find_all("result").await.len() == 1).then_some(())
    })
    .await;
    let start = last_start(&mirror);
    println!("went on at byte {start}");
    assert!(start > 10_000_000, "{:?}", mirror.asked_for(WEIGHTS));
    assert_eq!(mirror.asked_for(WEIGHTS).len(), 2);
}

async fn bytes_without_a_record_do_not_stay(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    // The files of a worker that was killed; a tab still holds the lock of `begun`.
    let made = wait_for(
        &page,
        "(async () => { \
           const root = await navigator.storage.getDirectory(); \
           const folder = await root.getDirectoryHandle('models', { create: true }); \
           for (const name of ['left.gguf', 'left.json', 'begun.gguf']) { \
             const file = await (await folder.getFileHandle(name, { create: true })).createWritable(); \
             if (name.endsWith('.gguf')) await file.write(new Uint8Array(1e6)); \
             await file.close(); \
           } \
           navigator.locks.request('huggingtweets-model-begun', () => new Promise(() => {})); \
           return 'made'; \
         })()",
    )
    .await;
    assert_eq!(made, "made");
    open_storage(&page).await;
    let names = || async {
        wait_for(
            &page,
            "navigator.storage.getDirectory() \
               .then((root) => root.getDirectoryHandle('models')) \
               .then((folder) => Array.fromAsync(folder.keys())) \
               .then((names) => names.sort())",
        )
        .await
    };
    wait_until("the left ones to go", SOON, || async {
        (names().await == json!(["begun.gguf"])).then_some(())
    })
    .await;
    page.close_clean().await;
}

/// Deletes the model in the open Storage view.
async fn delete(page: &Page) {
    let button = format!("//dialog[@open]//button[@aria-label='Delete {REPO}']");
    press(page, &button).await;
}

async fn a_model_of_the_database_that_is_being_fetched_is_not_deleted(browser: Browser) {
    let Some((_site, mirror, page, _)) = before_a_large_model(browser).await else {
        return;
    };
    mirror.misbehave(WEIGHTS, Fault::Hold(30_000_000));
    page.click("generate").await;
    wait_for_the_middle(&page).await;
    open_storage(&page).await;
    page.wait_for_text("storage", SOON, |text| text.contains(REPO))
        .await;
    delete(&page).await;
    page.wait_for_text("storage", SOON, |text| {
        text.contains("Not everything could be deleted")
    })
    .await;
    press(&page, "//dialog[@open]//button[@aria-label='Close']").await;
    mirror.let_go();
    page.wait_for_state_within(&["ready"], LONG).await;
    assert_eq!(in_database(&page).await, json!([1, 33]));
    assert_eq!(mirror.asked_for(WEIGHTS).len(), 1);

    open_storage(&page).await;
    page.wait_for_text("storage", SOON, |text| text.contains("136 MB"))
        .await;
    delete(&page).await;
    page.wait_for_text("storage", SOON, |text| !text.contains(REPO))
        .await;
    assert_eq!(in_database(&page).await, json!([0, 0]));
}

async fn a_model_of_the_database_of_which_a_part_is_gone_is_fetched_again(browser: Browser) {
    let Some((_site, mirror, page, address)) = before_a_large_model(browser).await else {
        return;
    };
    page.generate().await;
    in_stores(
        &page,
        "readwrite",
        &format!(
            "stores.objectStore('parts').delete(['{}', 0])",
            key(&mirror)
        ),
    )
    .await;
    assert_eq!(in_database(&page).await, json!([1, 32]));
    page.goto(&format!("{address}&seed=1")).await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.generate().await.len(), 1);
    assert_eq!(mirror.asked_for(WEIGHTS).len(), 2);
    assert_eq!(last_start(&mirror), 0);
    assert_eq!(in_database(&page).await, json!([1, 33]));
}

async fn what_another_version_of_the_page_keeps_is_left_alone(browser: Browser) {
    let Some((_site, mirror, page, address)) = before_a_large_model(browser).await else {
        return;
    };
    open_storage(&page).await;
    page.wait_for_text("storage", LONG, |text| text.contains("database"))
        .await;
    let n_databases = "indexedDB.databases().then((all) => all.length)";
    assert_eq!(wait_for(&page, n_databases).await, 0, "looking makes none");
    let put = format!(
        "stores.objectStore('records').put('{{\"v\":2}}', '{key}'), \
         stores.objectStore('parts').put(new Blob(['other']), ['{key}', 0])",
        key = key(&mirror)
    );
    in_stores(&page, "readwrite", &put).await;
    page.goto(&format!("{address}&seed=1")).await;
    page.wait_for_state(&["idle"]).await;
    open_storage(&page).await;
    page.wait_for_text("storage", LONG, |text| text.contains("database"))
        .await;
    assert!(!page.text("storage").await.contains(REPO));
    press(&page, "//dialog[@open]//button[@aria-label='Close']").await;
    page.click("generate").await;
    page.wait_for_text("error", SOON, |text| {
        text.contains("Another version of this page keeps this model")
    })
    .await;
    assert_eq!(mirror.asked_for(WEIGHTS).len(), 0);
    assert_eq!(in_database(&page).await, json!([1, 1]));
}

async fn an_answer_that_is_not_wanted_is_given_up(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let mirror = large().await;
    mirror.misbehave(WEIGHTS, Fault::CutAt(30_000_000));
    mirror.misbehave(WEIGHTS, Fault::IgnoreRange);
    let page = site.open("/").await;
    page.goto(&address(&site, &mirror)).await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.generate().await.len(), 1);
    let asked = mirror.asked_for(WEIGHTS);
    // Chromium's own cache may request the rest of the cut answer.
    assert!(asked.len() >= 3, "{asked:?}");
    assert!(asked[1].range.is_some(), "{asked:?}");
    wait_until("every answer to end", SOON, || async {
        (mirror.n_under_way() == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_database_is_said_so_and_what_has_come_stays() {
    let site = Site::start().await;
    let mirror = large().await;
    let page = site.open_in("/", Profile::WithoutFiles).await;
    let origin = site.address_of("/").trim_end_matches('/').to_owned();
    page.devtools(
        "Storage.overrideQuotaForOrigin",
        json!({ "origin": origin, "quotaSize": 60_000_000 }),
    )
    .await;
    let address = address(&site, &mirror);
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    page.wait_for_text("error", LONG, |text| text.contains("no more room"))
        .await;
    for width in [1280, 360] {
        page.resize(width, 800).await;
        page.screenshot(&format!("download-full-device-{width}-light"))
            .await;
    }
    page.devtools(
        "Storage.overrideQuotaForOrigin",
        json!({ "origin": origin }),
    )
    .await;
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.generate().await.len(), 1);
    let start = last_start(&mirror);
    println!("went on at byte {start}");
    assert!(start > 10_000_000, "{:?}", mirror.asked_for(WEIGHTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_firefox_too_a_full_device_is_said_so_and_what_has_come_stays() {
    let Some(site) = Site::start_in(Browser::Firefox, Isolation::On).await else {
        return;
    };
    let mirror = large().await;
    let page = site.open_in(&path(&mirror), Profile::LittleRoom).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    page.wait_for_text("error", LONG, |text| text.contains("no more room"))
        .await;
    open_storage(&page).await;
    page.wait_for_text("storage", SOON, |text| {
        text.contains(REPO) && text.contains("not complete yet")
    })
    .await;
    println!("{}", page.text("storage").await);
}

/// The ids of the page's workers, including workers started by workers.
async fn workers(page: &Page) -> Vec<String> {
    let targets = page.devtools("Target.getTargets", json!({})).await;
    let targets = targets["targetInfos"].as_array().unwrap().iter();
    targets
        .filter(|target| target["type"] == "worker")
        .map(|target| target["targetId"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_model_that_is_closed_gives_its_memory_back_with_its_worker() {
    let site = Site::start().await;
    let mirror = large().await;
    // Opened with the model: the worker of an earlier page would live as long as that page is in the history.
    let page = site.open_alone(&path(&mirror)).await;
    page.wait_for_state(&["idle"]).await;
    page.generate().await;
    let before = workers(&page).await;
    assert!(!before.is_empty());
    let bytes_before = page.renderer_bytes();
    press(&page, "//button[. = 'Use the small model']").await;
    page.wait_for_state(&["ready"]).await;
    assert_eq!(page.generate().await.len(), 1);
    let after = wait_until("the old workers to go", SOON, || async {
        let after = workers(&page).await;
        let is_new = after.iter().all(|id| !before.contains(id));
        (is_new && !after.is_empty()).then_some(after)
    })
    .await;
    if let Some(bytes_before) = bytes_before {
        let bytes_after = wait_until("the memory to be given back", SOON, || async {
            let bytes = page.renderer_bytes()?;
            // The 136 MB of the model less the memory of the new worker.
            (bytes + 90_000_000 < bytes_before).then_some(bytes)
        })
        .await;
        println!("{bytes_before} bytes with the model, {bytes_after} without");
    }
    // A small model needs no new worker.
    press(&page, "//header//button[contains(., 'Open a model')]").await;
    let picker = Locator::Css("dialog[open] input[type=file]");
    let picker = page.client.wait().for_element(picker).await.unwrap();
    let file = repositories().join("gguf/tiny-Q8_0.gguf");
    picker.send_keys(&file.display().to_string()).await.unwrap();
    page.wait_for_text("model-name", SOON, |text| text == "tiny-Q8_0.gguf")
        .await;
    page.wait_for_state(&["ready"]).await;
    assert_eq!(workers(&page).await, after);
}

/// Drops a file or folder of this machine in the middle of the window.
pub async fn drop_on(page: &Page, path: &Path) {
    for kind in ["dragEnter", "dragOver", "drop"] {
        let event = json!({
            "type": kind, "x": 640, "y": 450,
            "data": { "items": [], "files": [path], "dragOperationsMask": 1 },
        });
        page.devtools("Input.dispatchDragEvent", event).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_can_be_dropped_anywhere_on_the_page() {
    let site = Site::start().await;
    let page = site.open("/?n=1&max_new_tokens=4").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    drop_on(&page, &repositories().join("safetensors-sharded")).await;
    page.wait_for_text("model-name", SOON, |text| text == "safetensors-sharded")
        .await;
    // A model without a card speaks under its own name.
    assert_eq!(page.text("bot-name").await, "safetensors-sharded");
    page.wait_for_state(&["ready"]).await;
    assert_eq!(page.generate().await.len(), 1);

    // A file alone, as before.
    drop_on(&page, &repositories().join("gguf/tiny-Q8_0.gguf")).await;
    page.wait_for_text("model-name", SOON, |text| text == "tiny-Q8_0.gguf")
        .await;
    page.wait_for_state(&["ready"]).await;

    let crowd = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for i in 0..1001 {
        std::fs::write(crowd.path().join(format!("{i}.json")), "").unwrap();
    }
    let empty = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (folder, words) in [(&crowd, "more than 1000 entries"), (&empty, "has no files")] {
        drop_on(&page, folder.path()).await;
        wait_until(words, SOON, || async {
            let text = page.eval("return document.body.innerText").await;
            text.as_str()?.contains(words).then_some(())
        })
        .await;
        assert_eq!(page.text("model-name").await, "tiny-Q8_0.gguf");
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_download_is_said_and_fits_every_window() {
    let site = Site::start().await;
    let mirror = large().await;
    mirror.misbehave(WEIGHTS, Fault::CutAt(30_000_000));
    mirror.misbehave(
        WEIGHTS,
        Fault::Status {
            code: 503,
            retry_after: Some(4),
        }
        .times(2),
    );
    mirror.misbehave(WEIGHTS, Fault::IgnoreRange);
    mirror.misbehave(WEIGHTS, Fault::Hold(30_000_000));
    let page = site.open(&path(&mirror)).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    for (name, words) in [
        ("waiting", "are saved, trying again in"),
        ("starting-over", "again from the start"),
    ] {
        wait_until(words, LONG, || async {
            progress(&page).await.contains(words).then_some(())
        })
        .await;
        for width in [1280, 360] {
            page.resize(width, 800).await;
            let drawn = page
                .eval("return document.documentElement.scrollWidth")
                .await;
            assert_eq!(drawn, width, "{name} scrolls sideways");
            page.screenshot(&format!("download-{name}-{width}-light"))
                .await;
        }
    }
    mirror.let_go();
    page.wait_for_state_within(&["ready"], LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_model_is_saved_as_the_file_that_quantize_writes() {
    let site = Site::start().await;
    let mirror = Mirror::start().await;
    let repository = repositories().join("pytorch-zip");
    mirror.add(REPO, &repository);
    let page = site.open(&path(&mirror)).await;
    page.wait_for_state(&["idle"]).await;
    page.generate().await;

    let folder = tempfile::tempdir().unwrap();
    page.devtools(
        "Browser.setDownloadBehavior",
        json!({ "behavior": "allow", "downloadPath": folder.path() }),
    )
    .await;
    open_storage(&page).await;
    page.wait_for_text("storage", SOON, |text| text.contains(REPO))
        .await;
    for width in [1280, 360] {
        page.resize(width, 800).await;
        page.screenshot(&format!("kept-model-{width}-light")).await;
    }
    let button = format!("//dialog[@open]//button[@aria-label='Save {REPO} as a file']");
    press(&page, &button).await;

    let expected = folder.path().join("expected.gguf");
    let made = std::process::Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
        .args(["quantize", "--no-score"])
        .args([&repository, &expected])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    // The browser renames a complete file to this name.
    let saved = wait_until("the file", SOON, || async {
        std::fs::read(folder.path().join("tiny.gguf")).ok()
    })
    .await;
    let of = |bytes: &[u8]| {
        let mut header = Header::read(&mut std::io::Cursor::new(bytes)).unwrap();
        let weights = header.tensors.values().map(|tensor| tensor.offset).min();
        let name = header.metadata.remove("general.name");
        let weights = bytes[weights.unwrap() as usize..].to_vec();
        (
            name.unwrap(),
            header.metadata,
            header.tensors.len(),
            weights,
        )
    };
    let (name, metadata, n_tensors, weights) = of(&saved);
    let expected = of(&std::fs::read(expected).unwrap());
    assert_eq!(name.as_str(), Some(REPO));
    assert_eq!((metadata, n_tensors), (expected.1, expected.2));
    assert!(weights == expected.3, "{} bytes", weights.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_waits_while_it_is_paused_and_goes_on_there() {
    let site = Site::start().await;
    let mirror = large().await;
    mirror.misbehave(WEIGHTS, Fault::Hold(30_000_000));
    let page = site.open(&path(&mirror)).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    wait_for_the_middle(&page).await;
    page.click("pause").await;
    page.wait_for_state(&["idle"]).await;
    let paused = progress(&page).await;
    assert!(paused.starts_with("Paused at "), "{paused}");
    for width in [1280, 360] {
        page.resize(width, 800).await;
        page.screenshot(&format!("download-paused-{width}-light"))
            .await;
    }
    wait_until("the answer to be given up", SOON, || async {
        (mirror.n_under_way() == 0).then_some(())
    })
    .await;
    assert_eq!(progress(&page).await, paused);
    assert_eq!(mirror.asked_for(WEIGHTS).len(), 1);

    page.click("resume").await;
    page.wait_for_state_within(&["ready"], LONG).await;
    // The text requested before the pause is written without a second request.
    wait_until("the text", SOON, || async {
        (page.texts("continuation").await.len() == 1).then_some(())
    })
    .await;
    let start = last_start(&mirror);
    println!("{paused}, went on at byte {start}");
    assert!(start > 10_000_000, "{:?}", mirror.asked_for(WEIGHTS));
}

/// Less than what comes between two records of the progress.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_download_goes_on_after_a_reload_however_it_ended() {
    const CAME: u64 = 5_000_000;
    let site = Site::start().await;
    let whole = gpt2_124m::write(&mut Vec::new());
    let refusal = Fault::status(403);
    for (how, faults) in [
        ("the visitor stops it", vec![Fault::Hold(CAME)]),
        ("a refusal", vec![Fault::CutAt(CAME), refusal.clone()]),
        (
            "a clean end that comes early",
            vec![Fault::Shorter(whole - CAME), refusal],
        ),
    ] {
        let mirror = large().await;
        let is_stopped = faults.len() == 1;
        for fault in faults {
            mirror.misbehave(WEIGHTS, fault);
        }
        let page = site.open(&path(&mirror)).await;
        page.wait_for_state(&["idle"]).await;
        page.click("generate").await;
        if is_stopped {
            wait_for_megabytes(&page, 4.0).await;
            page.click("stop").await;
            page.wait_for_state(&["idle"]).await;
        } else {
            page.wait_for_text("error", LONG, |text| text.contains("403"))
                .await;
        }
        mirror.let_go();
        page.goto(&address(&site, &mirror)).await;
        page.wait_for_state(&["idle"]).await;
        assert_eq!(page.generate().await.len(), 1);
        let start = last_start(&mirror);
        println!("{how}: went on at byte {start}");
        assert!((4_000_000..=CAME).contains(&start), "{how}: {start}");
    }
}
