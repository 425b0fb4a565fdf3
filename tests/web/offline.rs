//! After one visit the page needs no server; a new version waits for the visitor; a switched-off service worker keeps
//! nothing; and the page can be installed.

use crate::essentials::by_command_line;
use crate::harness::{
    Browser, Page, RUN, SOON, SUB_PATH, Site, in_both_browsers, made_file, wait_until,
};
use crate::isolation::{STARTED, n_registered, press, visit, wait_for, wait_for_service_worker};
use crate::threads::has_threads;
use fantoccini::Locator;
use huggingtweets::site::WorkerBuild;
use huggingtweets::site::{AppShell, Isolation};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

in_both_browsers!(
    after_one_visit_the_page_opens_and_writes_without_a_server,
    a_first_visit_downloads_one_build_of_the_worker,
    a_new_version_waits_for_a_yes_and_leaves_models_alone,
    what_is_switched_off_keeps_nothing,
    files_that_the_browser_threw_away_are_kept_again,
    without_a_network_the_build_that_is_kept_is_taken,
    the_icons_of_the_manifest_have_their_sizes,
    what_another_program_shares_is_the_prompt,
    a_file_that_is_shared_is_read_by_the_maker_once_the_visitor_says_so,
    shared_files_of_one_name_all_wait,
);

const STORAGE: &str = "//header//button[contains(., 'Storage')]";

/// The files listed in the service worker of `dist`: hash and length by path.
pub fn listed(dist: &Path) -> BTreeMap<String, Value> {
    let script = fs::read_to_string(dist.join("sw.js")).unwrap();
    let line = script
        .lines()
        .find(|line| line.starts_with("const SHELL = "));
    let list = line.unwrap().trim_start_matches("const SHELL = ");
    let shell: Value = serde_json::from_str(list.trim_end_matches(';')).unwrap();
    serde_json::from_value(shell["files"].clone()).unwrap()
}

/// Paths of the files kept by service workers, below `folder`.
pub async fn kept(page: &Page, folder: &str) -> BTreeSet<String> {
    let paths = wait_for(
        page,
        "(async () => { const paths = []; \
         for (const name of await caches.keys()) if (name.startsWith('huggingtweets-shell')) \
           for (const request of await (await caches.open(name)).keys()) paths.push(new URL(request.url).pathname); \
         return paths; })()",
    )
    .await;
    let paths: Vec<String> = serde_json::from_value(paths).unwrap();
    let below = paths.iter().filter_map(|path| path.strip_prefix(folder));
    below.map(str::to_owned).collect()
}

/// Waits until every file is kept that a visit needs: all files but the builds of the worker, and one of these, and but
/// the files for pages of other sites and for the maker.
pub async fn wait_until_kept(page: &Page, dist: &Path, folder: &str) {
    wait_for_service_worker(page).await;
    let of_workers = WorkerBuild::ALL.map(WorkerBuild::files).concat();
    let (spare, needed): (BTreeSet<String>, BTreeSet<String>) = listed(dist)
        .into_iter()
        .filter(|(_, file)| file["onDemand"] != true)
        .map(|(name, _)| name)
        .partition(|name| of_workers.contains(name));
    wait_until("the page to be kept", RUN, || async {
        let kept = kept(page, folder).await;
        let has = |build: WorkerBuild| {
            let mut files = build.files().into_iter();
            files.all(|name| spare.contains(&name) && kept.contains(&name))
        };
        (kept.is_superset(&needed) && WorkerBuild::ALL.into_iter().any(has)).then_some(())
    })
    .await;
}

/// Whether the browser accepts the worker with relaxed SIMD.
async fn takes_relaxed(page: &Page) -> bool {
    let takes = "return fetch('worker_relaxed_bg.wasm').then((answer) => answer.arrayBuffer()).then((bytes) => WebAssembly.validate(bytes))";
    page.eval(takes).await == true
}

/// Errors on the console without the browser's own about the missing server.
async fn errors_of_the_page(page: &Page) -> Vec<String> {
    let mut errors = page.console_errors().await;
    errors.retain(|error| {
        !error.contains("ERR_CONNECTION_REFUSED") && !error.contains("fetching the script")
    });
    errors
}

async fn after_one_visit_the_page_opens_and_writes_without_a_server(browser: Browser) {
    let expected = by_command_line("I like", 2, 12, 3);
    let query = "?bot=huggingtweets/jen_122&text=I%20like&n=2&max_new_tokens=12&seed=3";
    for (path, isolation) in [("/", Isolation::Off), (SUB_PATH, Isolation::On)] {
        let Some(site) = Site::start_in(browser, isolation).await else {
            return;
        };
        // A visit without any click is enough.
        let page = site.open(path).await;
        page.wait_for_state(&STARTED).await;
        wait_until_kept(&page, &site.dist(), path).await;
        site.stop().await;

        for address in [query, ""] {
            visit(&page, &site.address_of(&format!("{path}{address}"))).await;
            assert_eq!(page.eval("return crossOriginIsolated").await, true);
            let written = page.generate().await;
            if address == query {
                assert!(page.text("bot-handle").await.contains("jen_122"));
                assert_eq!(written, expected, "{path}");
            } else {
                assert_eq!(written.len(), 5);
            }
        }
        press(&page, STORAGE).await;
        page.wait_for_text("kept-page", SOON, |text| {
            text.contains("MB), by its service worker")
        })
        .await;
        if browser == Browser::Chromium && path == "/" {
            page.screenshot("offline-storage-1280-light").await;
            page.prefer("prefers-color-scheme", "dark").await;
            page.resize(360, 640).await;
            page.screenshot("offline-storage-360-dark").await;
        }
        assert_eq!(errors_of_the_page(&page).await, Vec::<String>::new());
        assert_eq!(page.foreign_requests().await, Vec::<String>::new());
    }
}

async fn a_first_visit_downloads_one_build_of_the_worker(browser: Browser) {
    for isolation in [Isolation::On, Isolation::Off] {
        let Some(site) = Site::start_in(browser, isolation).await else {
            return;
        };
        let page = site.open("/").await;
        page.wait_for_state(&STARTED).await;
        wait_until_kept(&page, &site.dist(), "/").await;
        let has_cores = std::thread::available_parallelism().is_ok_and(|n| n.get() > 1);
        let takes_threads = isolation == Isolation::On && has_cores && has_threads();
        let requests = site.requests();
        let builds = WorkerBuild::ALL
            .into_iter()
            .filter(|build| requests.contains(&format!("/{}", build.files()[1])));
        let expected = match (takes_threads, takes_relaxed(&page).await) {
            (false, false) => WorkerBuild::Plain,
            (false, true) => WorkerBuild::Relaxed,
            (true, false) => WorkerBuild::Threads,
            (true, true) => WorkerBuild::ThreadsRelaxed,
        };
        assert_eq!(builds.collect::<Vec<_>>(), [expected]);
        for (name, file) in listed(&site.dist()) {
            let is_on_demand = file["onDemand"] == true;
            assert!(
                !is_on_demand || !requests.contains(&format!("/{name}")),
                "{name} is not for this visit"
            );
        }
        assert_eq!(
            page.find_all("update").await.len(),
            0,
            "the first version is no newer one"
        );
        page.close_clean().await;
    }
}

/// A copy of the built page for a test to change, and its path on the server.
pub fn copy_of(dist: &Path, name: &str) -> (PathBuf, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Of an earlier run.
    let _ = fs::remove_dir_all(&folder);
    for file in listed(dist).keys().map(String::as_str).chain(["sw.js"]) {
        let to = folder.join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(dist.join(file), to).unwrap();
    }
    (folder, format!("/made/{name}/"))
}

async fn a_new_version_waits_for_a_yes_and_leaves_models_alone(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let (folder, path) = copy_of(&site.dist(), &format!("update-{browser:?}"));
    let address = site.address_of(&format!("{path}?n=10&max_new_tokens=60"));
    let page = site.open(&path).await;
    page.wait_for_state(&STARTED).await;
    wait_until_kept(&page, &folder, &path).await;
    wait_for(&page, "caches.open('huggingtweets-models').then((models) => models.put('m.gguf', new Response('weights')))").await;

    let index = fs::read_to_string(folder.join("index.html")).unwrap();
    let newer = index.replace("<html ", "<html data-version=\"2\" ");
    fs::write(folder.join("index.html"), newer).unwrap();
    AppShell::of(&folder).unwrap().write(&folder).unwrap();
    let version = || async {
        page.eval("return document.documentElement?.dataset.version ?? '1'")
            .await
    };

    visit(&page, &address).await;
    page.eval("window.isTheSamePage = true").await;
    page.find("update").await;
    assert_eq!(version().await, "1");
    if browser == Browser::Chromium {
        for (scheme, width) in [("light", 1280), ("dark", 360)] {
            page.prefer("prefers-color-scheme", scheme).await;
            page.resize(width, 740).await;
            page.screenshot(&format!("update-{width}-{scheme}")).await;
        }
        page.resize(1280, 900).await;
    }
    // While texts are written the button is disabled. The page itself presses it, because a run may end too early.
    page.eval(
        "const root = document.documentElement; window.answers = []; \
         const press = () => { const yes = document.querySelector('[data-testid=update] .is-primary'); yes.click(); \
           answers.push(`${root.dataset.state} ${yes.getAttribute('aria-disabled')}`); }; \
         new MutationObserver(() => { if (root.dataset.state === 'generating') setTimeout(press); }) \
           .observe(root, { attributeFilter: ['data-state'] })",
    )
    .await;
    page.generate().await;
    assert_eq!(
        page.eval("return answers").await,
        json!(["generating true"])
    );
    assert_eq!(page.find_all("continuation").await.len(), 10);
    let waits = "navigator.serviceWorker.getRegistration().then(({ waiting }) => Boolean(waiting))";
    assert_eq!(wait_for(&page, waits).await, true);
    assert_eq!(page.eval("return window.isTheSamePage").await, true);

    // Later holds until the page is left.
    press(
        &page,
        "//*[@data-testid='update']//button[contains(., 'Later')]",
    )
    .await;
    wait_until("the bar to go", SOON, || async {
        page.find_now("update").await.is_none().then_some(())
    })
    .await;
    visit(&page, &address).await;
    assert_eq!(version().await, "1");

    // Another open tab stays at its version until its visitor agrees.
    let this = page.client.window().await.unwrap();
    let other = page.client.new_window(true).await.unwrap().handle;
    page.client.switch_to_window(other.clone()).await.unwrap();
    visit(&page, &address).await;
    page.eval("window.isTheSamePage = true").await;
    page.find("update").await;
    page.client.switch_to_window(this).await.unwrap();
    page.find("update").await;

    let n_models = || {
        site.requests()
            .iter()
            .filter(|path| path.ends_with(".gguf"))
            .count()
    };
    let before = n_models();
    press(
        &page,
        "//*[@data-testid='update']//button[contains(., 'Update')]",
    )
    .await;
    wait_until("the new version", RUN, || async {
        (version().await == "2").then_some(())
    })
    .await;
    page.wait_for_state(&STARTED).await;
    wait_until_kept(&page, &folder, &path).await;
    assert_eq!(
        n_models(),
        before,
        "what did not change is not downloaded again"
    );
    assert_eq!(page.find_all("update").await.len(), 0);
    let model = "caches.open('huggingtweets-models').then((models) => models.match('m.gguf')).then((model) => model.text())";
    assert_eq!(wait_for(&page, model).await, "weights");
    // The version before may open its cache once more while it ends; the next visit removes it.
    if !has_only_these_caches(&page).await {
        visit(&page, &address).await;
        wait_until_kept(&page, &folder, &path).await;
        assert!(
            has_only_these_caches(&page).await,
            "the files of the version before are still there"
        );
    }

    page.client.switch_to_window(other).await.unwrap();
    page.wait_for_text("update", SOON, |text| text.contains("in another tab"))
        .await;
    assert_eq!(version().await, "1");
    assert_eq!(page.eval("return window.isTheSamePage").await, true);
    press(
        &page,
        "//*[@data-testid='update']//button[contains(., 'Reload')]",
    )
    .await;
    wait_until("the new version", RUN, || async {
        (version().await == "2").then_some(())
    })
    .await;
    page.wait_for_state(&STARTED).await;
    assert_eq!(page.console_errors().await, Vec::<String>::new());
    assert_eq!(page.foreign_requests().await, Vec::<String>::new());
}

/// Whether, in a while, the only caches are that of the models and that of one version of the page.
async fn has_only_these_caches(page: &Page) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < SOON {
        let names = wait_for(page, "caches.keys()").await;
        let names = names.as_array().unwrap();
        let is_models = |name: &Value| name == "huggingtweets-models";
        assert!(names.iter().any(is_models), "{names:?}");
        if names.len() == 2 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    false
}

async fn what_is_switched_off_keeps_nothing(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    wait_until_kept(&page, &site.dist(), "/").await;
    press(&page, STORAGE).await;
    page.wait_for_text("kept-page", SOON, |text| text.contains("MB"))
        .await;
    press(&page, "//button[contains(., 'Switch off')]").await;
    let n_caches = "caches.keys().then((names) => names.length)";
    wait_until("nothing to be kept", SOON, || async {
        (wait_for(&page, n_caches).await == 0 && n_registered(&page).await == 0).then_some(())
    })
    .await;
    for _ in 0..2 {
        visit(&page, &site.address_of("/?n=1&max_new_tokens=8")).await;
        page.generate().await;
        assert_eq!(wait_for(&page, n_caches).await, 0);
    }
    site.stop().await;
    // Both browsers refuse an address without a server.
    assert!(page.client.goto(&site.address_of("/")).await.is_err());
}

async fn files_that_the_browser_threw_away_are_kept_again(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open("/").await;
    wait_until_kept(&page, &site.dist(), "/").await;
    wait_for(
        &page,
        "caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))))",
    )
    .await;
    visit(&page, &site.address_of("/")).await;
    // The second visit is isolated and may use the other build.
    wait_until_kept(&page, &site.dist(), "/").await;
    page.close_clean().await;
}

/// As after an update of the browser to one with relaxed SIMD.
async fn without_a_network_the_build_that_is_kept_is_taken(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    wait_until_kept(&page, &site.dist(), "/").await;
    wait_for(
        &page,
        "caches.keys().then(([name]) => caches.open(name)).then(async (cache) => { \
           for (const key of await cache.keys()) if (key.url.includes('_relaxed')) await cache.delete(key); \
           const { active } = await navigator.serviceWorker.ready; \
           active.postMessage({ type: 'used', threads: 1, simd: 'simd128' }); })",
    )
    .await;
    wait_until("the other build to be kept", RUN, || async {
        let kept = kept(&page, "/").await;
        let plain = WorkerBuild::Plain.files();
        plain.iter().all(|name| kept.contains(name)).then_some(())
    })
    .await;
    site.stop().await;
    visit(&page, &site.address_of("/?n=1&max_new_tokens=8")).await;
    assert_eq!(page.generate().await.len(), 1);
}

async fn the_icons_of_the_manifest_have_their_sizes(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open(SUB_PATH).await;
    page.wait_for_state(&STARTED).await;
    let sizes = wait_for(
        &page,
        "(async () => { const link = document.querySelector('link[rel=manifest]').href; \
         const { icons } = await (await fetch(link)).json(); \
         return Promise.all(icons.map(async ({ src, sizes, type }) => { \
           const picture = new Image(); picture.src = new URL(src, link); await picture.decode(); \
           const sent = (await fetch(picture.src)).headers.get('Content-Type'); \
           return [sizes, `${picture.naturalWidth}x${picture.naturalHeight}`, type, sent]; })); })()",
    )
    .await;
    let sizes: Vec<[String; 4]> = serde_json::from_value(sizes).unwrap();
    assert_eq!(sizes.len(), 4);
    for [stated, found, kind, sent] in &sizes {
        assert!(stated == "any" || stated == found, "{sizes:?}");
        assert_eq!(kind, sent);
    }
    if browser == Browser::Chromium {
        let manifest = page.devtools("Page.getAppManifest", json!({})).await;
        assert_eq!(manifest["errors"], json!([]), "{manifest}");
        let missing = page
            .devtools("Page.getInstallabilityErrors", json!({}))
            .await;
        let missing = missing["installabilityErrors"].as_array().unwrap().clone();
        // The browser may count as private; every other reason is the page's.
        let ours: Vec<_> = missing
            .iter()
            .filter(|e| e["errorId"] != "in-incognito")
            .collect();
        assert!(ours.is_empty(), "{ours:?}");
    }
    page.close_clean().await;
}

/// Sends the form that the system's share sheet sends, by the manifest; `fill` is a script that adds its `values`. The
/// system is not bound by the page's policy, which allows no forms, so another page sends it.
async fn share(site: &Site, page: &Page, fill: &str) {
    page.wait_for_state(&STARTED).await;
    wait_for_service_worker(page).await;
    made_file(
        "sender.html",
        b"<!DOCTYPE html><title>Sender</title><link rel=icon href=\"data:,\"><body>",
    );
    page.goto(&site.address_of("/made/sender.html")).await;
    page.eval(&format!(
        "fetch('/manifest.webmanifest').then((answer) => answer.json()).then(({{ share_target: {{ action, method, enctype, params }} }}) => {{ \
         const form = Object.assign(document.createElement('form'), {{ action: new URL(action, new URL('/', location)), method, enctype }}); \
         const add = (name, type) => {{ const field = Object.assign(document.createElement('input'), {{ name, type }}); form.append(field); return field; }}; \
         {fill} document.body.append(form); form.submit(); }})"
    ))
    .await;
}

async fn what_another_program_shares_is_the_prompt(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/").await;
    let fill = "add(params.title, 'hidden').value = 'A title'; \
         add(params.text, 'hidden').value = 'and a <b>text</b>'; \
         add(params.url, 'hidden').value = 'https://example.org/';";
    share(&site, &page, fill).await;
    let shared = "A title and a <b>text</b> https://example.org/";
    wait_until("the shared words", SOON, || async {
        (page.value("prompt").await == shared).then_some(())
    })
    .await;
    page.close_clean().await;
}

async fn a_file_that_is_shared_is_read_by_the_maker_once_the_visitor_says_so(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/").await;
    let fill = "const files = new DataTransfer(); \
         files.items.add(new File([Array.from({ length: 300 }, (_, i) => `a post about the garden number ${i}`).join('\\n')], 'my posts.txt', { type: 'text/plain' })); \
         add(params.files[0].name, 'file').files = files.files;";
    share(&site, &page, fill).await;
    page.wait_for_text("maker-shared", RUN, |text| text.contains("my posts.txt"))
        .await;
    assert_eq!(page.find_all("maker-account").await.len(), 0);
    page.click("maker-shared-read").await;
    page.wait_for_text("maker-count-kept", RUN, |text| text == "300")
        .await;
    wait_until("the file to be forgotten", SOON, || async {
        page.find_all("maker-shared").await.is_empty().then_some(())
    })
    .await;
    // It is offered once.
    page.client.refresh().await.unwrap();
    page.wait_for_text("maker-count-kept", RUN, |text| text == "300")
        .await;
    assert_eq!(page.find_all("maker-shared").await.len(), 0);
    page.close_clean().await;
}

async fn shared_files_of_one_name_all_wait(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open("/").await;
    let fill = |n: usize| {
        format!(
            "const files = new DataTransfer(); \
             for (let i = 0; i < {n}; i++) files.items.add(new File(['x'.repeat(i + 1)], 'posts.txt', {{ type: 'text/plain' }})); \
             add(params.files[0].name, 'file').files = files.files;"
        )
    };
    // Two in one share, one in another, and then more than may wait.
    for (n, wait) in [(2, 2), (1, 3), (7, 7)] {
        share(&site, &page, &fill(n)).await;
        wait_until("the files", RUN, || async {
            (page.find_all("maker-shared-read").await.len() == wait).then_some(())
        })
        .await;
        page.wait_for_text("maker-shared", SOON, |text| {
            text.matches("posts.txt").count() == wait && text.contains(&format!("({n} B)"))
        })
        .await;
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_the_service_worker_covers_every_file() {
    fn collect(dir: &Path, prefix: &str, lengths: &mut BTreeMap<String, u64>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                collect(&entry.path(), &format!("{name}/"), lengths);
            } else {
                lengths.insert(name, entry.metadata().unwrap().len());
            }
        }
    }
    let site = Site::start().await;
    let mut lengths = BTreeMap::new();
    collect(&site.dist(), "", &mut lengths);
    for absent in ["sw.js", "huggingtweets.html"] {
        assert!(lengths.remove(absent).is_some(), "{absent} is built");
    }
    // Compressed copies, and what only other sites and developers read.
    let others = [
        ".br",
        ".gz",
        ".d.ts",
        "oembed.json",
        "preview.png",
        "copy.mjs",
        "package.json",
    ];
    for ending in others {
        let before = lengths.len();
        lengths.retain(|name, _| !name.ends_with(ending));
        assert!(lengths.len() < before, "no file ends in {ending}");
    }
    let listed: BTreeMap<String, u64> = listed(&site.dist())
        .into_iter()
        .map(|(name, file)| (name, file["bytes"].as_u64().unwrap()))
        .collect();
    assert_eq!(listed, lengths);
}

/// Opening a file with an installed page needs a desktop; here the page gets the queue of such a browser.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_system_hands_over_is_opened() {
    let site = Site::start().await;
    let page = site.open("/elsewhere/frame").await;
    page.run_first("Object.defineProperty(window, 'launchQueue', { value: { setConsumer(take) { window.take = take; } } })")
        .await;
    visit(&page, &site.address_of("/?n=1&max_new_tokens=8")).await;
    wait_for(
        &page,
        "fetch('model/bundled.gguf').then((answer) => answer.blob()) \
         .then((bytes) => take({ files: [{ getFile: async () => new File([bytes], 'handed-over.gguf') }] }))",
    )
    .await;
    page.wait_for_text("model-name", SOON, |text| text.contains("handed-over"))
        .await;
    page.wait_for_state_within(&["idle", "ready"], RUN).await;
    assert_eq!(page.generate().await.len(), 1);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_the_page_says_so_where_it_matters() {
    let site = Site::start().await;
    let page = site.open("/").await;
    page.wait_for_state(&STARTED).await;
    let network = |is_off: bool| json!({ "offline": is_off, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    page.devtools("Network.emulateNetworkConditions", network(true))
        .await;
    press(&page, "//header//button[contains(., 'Open a model')]").await;
    let note = Locator::XPath("//dialog[@open]//*[@role='note'][contains(., 'You are offline')]");
    page.client.wait().for_element(note).await.unwrap();
    page.screenshot("offline-open-1280-light").await;
    page.devtools("Network.emulateNetworkConditions", network(false))
        .await;
    wait_until("the note to go", SOON, || async {
        page.client.find(note).await.is_err().then_some(())
    })
    .await;
    page.close_clean().await;
}
