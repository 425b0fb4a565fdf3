//! On a host without isolation headers the service worker isolates the page from the second visit on, and a fault of
//! the service worker leaves the page working.

use crate::harness::{Browser, Page, SOON, ServiceWorker, Site, in_both_browsers, wait_until};
use crate::offline::wait_until_kept;
use crate::threads::has_threads;
use fantoccini::Locator;
use huggingtweets::site::Isolation;
use serde_json::{Value, json};

in_both_browsers!(
    a_first_visit_writes_and_the_second_is_isolated_and_writes_the_same,
    an_isolated_page_takes_models_and_pictures_from_elsewhere,
    the_page_writes_in_a_frame_of_another_site,
    the_service_worker_can_be_switched_off_and_on_again,
    without_a_working_service_worker_the_page_works_as_before,
    where_the_host_isolates_its_headers_count,
);

pub const STARTED: [&str; 3] = ["idle", "loading", "ready"];
const SHORT: &str = "?n=2&max_new_tokens=12&seed=3";

/// The result of a promise.
pub async fn wait_for(page: &Page, promise: &str) -> Value {
    let script = format!(
        "const done = arguments[arguments.length - 1]; \
         ({promise}).then(done, (error) => done(String(error)))"
    );
    page.client.execute_async(&script, vec![]).await.unwrap()
}

/// Whether the page is isolated, and whether a worker of its folder is.
async fn isolated(page: &Page) -> Value {
    wait_for(
        page,
        "new Promise((resolve) => { \
           const worker = new Worker('./ask_worker.js'); \
           worker.onmessage = ({ data }) => resolve([crossOriginIsolated, data]); \
           worker.onerror = () => resolve([crossOriginIsolated, 'refused']); \
         })",
    )
    .await
}

/// The type of the navigation: `navigate`, or `reload` for a page that reloaded itself.
async fn navigation(page: &Page) -> Value {
    page.eval("return performance.getEntriesByType('navigation')[0].type")
        .await
}

pub async fn n_registered(page: &Page) -> Value {
    wait_for(
        page,
        "navigator.serviceWorker.getRegistrations().then((all) => all.length)",
    )
    .await
}

pub async fn wait_for_service_worker(page: &Page) {
    wait_until("the service worker to be active", SOON, || async {
        let active = wait_for(
            page,
            "navigator.serviceWorker.getRegistration().then((found) => Boolean(found?.active))",
        )
        .await;
        (active == true).then_some(())
    })
    .await;
}

/// Opens the page again and waits until it has started.
pub async fn visit(page: &Page, address: &str) {
    page.goto(address).await;
    page.wait_for_state(&STARTED).await;
}

pub async fn press(page: &Page, xpath: &str) {
    page.click_at(Locator::XPath(xpath)).await;
}

/// Presses the switch in the open Storage view and waits for its effect.
async fn switch(page: &Page, name: &str) {
    press(page, &format!("//button[contains(., '{name}')]")).await;
    if name == "Switch on" {
        wait_for_service_worker(page).await;
    } else {
        wait_until("no service worker", SOON, || async {
            (n_registered(page).await == 0).then_some(())
        })
        .await;
    }
}

async fn a_first_visit_writes_and_the_second_is_isolated_and_writes_the_same(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open(&format!("/{SHORT}")).await;
    page.wait_for_state(&STARTED).await;
    assert_eq!(isolated(&page).await, json!([false, false]));
    let first = page.generate().await;
    wait_for_service_worker(&page).await;
    assert_eq!(isolated(&page).await, json!([false, false]));
    assert_eq!(navigation(&page).await, "navigate");

    visit(&page, &site.address_of(&format!("/{SHORT}"))).await;
    assert_eq!(isolated(&page).await, json!([true, true]));
    assert_eq!(page.generate().await, first);
    let has_cores = std::thread::available_parallelism().is_ok_and(|n| n.get() > 1);
    let took_threads = |path: &String| path.contains("worker_threads");
    assert_eq!(
        site.requests().iter().any(took_threads),
        has_threads() && has_cores,
        "the threads that isolation is for"
    );

    // Neither visit reloads itself, and the second one comes from the files kept by the first. The service worker ends
    // its work by keeping all files of the page.
    wait_until_kept(&page, &site.dist(), "/").await;
    assert_eq!(navigation(&page).await, "navigate");
    assert_eq!(site.n_pages(), 1);

    visit(&page, &site.address_of(&format!("/{SHORT}&isolate=off"))).await;
    assert_eq!(isolated(&page).await, json!([false, false]));
    assert_eq!(page.generate().await, first);
    page.close_clean().await;
}

async fn an_isolated_page_takes_models_and_pictures_from_elsewhere(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open("/").await;
    wait_for_service_worker(&page).await;
    let model = site.elsewhere("/elsewhere/bundled.gguf");
    visit(&page, &site.address_of(&format!("/{SHORT}&model={model}"))).await;
    assert_eq!(isolated(&page).await, json!([true, true]));
    assert_eq!(page.generate().await.len(), 2);
    let picture = site.elsewhere("/elsewhere/picture.svg");
    let width = wait_for(
        &page,
        &format!(
            "new Promise((resolve) => {{ const picture = new Image(); \
             picture.onload = () => resolve(picture.width); picture.onerror = () => resolve('refused'); \
             picture.src = '{picture}'; }})"
        ),
    )
    .await;
    assert_eq!(width, 8);
    assert_eq!(page.console_errors().await, Vec::<String>::new());
}

/// Document-Isolation-Policy applies in frames too; Firefox does not have it.
async fn the_page_writes_in_a_frame_of_another_site(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    let page = site.open("/elsewhere/frame").await;
    let mut texts = Vec::new();
    for is_isolated in [false, browser == Browser::Chromium] {
        page.goto(&site.elsewhere("/elsewhere/frame")).await;
        page.eval_with(
            "document.querySelector('iframe').src = arguments[0]",
            vec![json!(site.address_of(&format!("/{SHORT}")))],
        )
        .await;
        page.client.enter_frame(0).await.unwrap();
        page.wait_for_state(&STARTED).await;
        assert_eq!(
            isolated(&page).await,
            json!([is_isolated, is_isolated]),
            "{texts:?}"
        );
        texts.push(page.generate().await);
        wait_for_service_worker(&page).await;
    }
    assert_eq!(texts[0], texts[1]);
    assert_eq!(page.console_errors().await, Vec::<String>::new());
}

async fn the_service_worker_can_be_switched_off_and_on_again(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::Off).await else {
        return;
    };
    const STORAGE: &str = "//header//button[contains(., 'Storage')]";
    let address = site.address_of(&format!("/{SHORT}"));
    let page = site.open("/").await;
    wait_for_service_worker(&page).await;
    press(&page, STORAGE).await;
    page.wait_for_text("storage", SOON, |text| text.contains("next visit"))
        .await;

    visit(&page, &address).await;
    press(&page, STORAGE).await;
    page.wait_for_text("storage", SOON, |text| text.contains("several threads"))
        .await;
    if browser == Browser::Chromium {
        page.screenshot("storage-isolated-1280-light").await;
    }
    // Off and on again within a visit has no effect.
    switch(&page, "Switch off").await;
    switch(&page, "Switch on").await;
    visit(&page, &address).await;
    assert_eq!(isolated(&page).await, json!([true, true]));

    // The way out where an isolated page fails: opened without isolation, the page has the switch too.
    visit(&page, &format!("{address}&isolate=off")).await;
    press(&page, STORAGE).await;
    page.wait_for_text("storage", SOON, |text| text.contains("though not in this"))
        .await;
    switch(&page, "Switch off").await;

    for _ in 0..2 {
        visit(&page, &address).await;
        assert_eq!(isolated(&page).await, json!([false, false]));
        assert_eq!(page.generate().await.len(), 2);
        assert_eq!(n_registered(&page).await, 0);
    }

    press(&page, STORAGE).await;
    switch(&page, "Switch on").await;
    assert_eq!(page.eval("return localStorage.length").await, 0);
    visit(&page, &address).await;
    assert_eq!(isolated(&page).await, json!([true, true]));
    page.close_clean().await;
}

async fn without_a_working_service_worker_the_page_works_as_before(browser: Browser) {
    for service_worker in [ServiceWorker::Missing, ServiceWorker::Failing] {
        let Some(site) = Site::start_in(browser, Isolation::Off).await else {
            return;
        };
        let path = format!("{}{SHORT}", service_worker.path());
        let page = site.open(&path).await;
        page.wait_for_state(&STARTED).await;
        if service_worker == ServiceWorker::Failing {
            wait_for_service_worker(&page).await;
        } else {
            wait_until("the service worker to be asked for", SOON, || async {
                let script = format!("{}sw.js", service_worker.path());
                site.requests().contains(&script).then_some(())
            })
            .await;
            assert_eq!(n_registered(&page).await, 0);
        }
        visit(&page, &site.address_of(&path)).await;
        assert_eq!(page.eval("return crossOriginIsolated").await, false);
        assert_eq!(page.generate().await.len(), 2);
        assert_eq!(navigation(&page).await, "navigate", "{service_worker:?}");
        // The browser logs the missing file itself.
        let errors = page.console_errors().await;
        assert!(
            errors.iter().all(|error| error.contains("404")),
            "{errors:?}"
        );
    }
}

async fn where_the_host_isolates_its_headers_count(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let page = site.open(&format!("/{SHORT}")).await;
    page.wait_for_state(&STARTED).await;
    let first = page.generate().await;
    wait_for_service_worker(&page).await;
    visit(&page, &site.address_of(&format!("/{SHORT}"))).await;
    assert_eq!(isolated(&page).await, json!([true, true]));
    let policy = "fetch('./').then((page) => page.headers.get('Cross-Origin-Embedder-Policy'))";
    assert_eq!(wait_for(&page, policy).await, "require-corp");
    assert_eq!(page.generate().await, first);
    page.close_clean().await;
}
