//! `<huggingtweets-bot>` on other people's pages: what it costs before a click, what hosts do to it, and the one engine
//! of all elements of a page.
//!
//! A host is a page of another site that the test states whole, headers included ([`Host`]).

use std::time::Duration;

use fantoccini::Locator;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use huggingtweets::bot;
use huggingtweets::site::Isolation;
use serde_json::{Value, json};

use crate::harness::{Browser, Page, RUN, SOON, Site, in_both_browsers, wait_until};
use crate::isolation::STARTED;

in_both_browsers!(
    a_click_writes_in_the_place_of_the_card,
    a_host_with_a_strict_policy_needs_two_directives,
    a_host_that_demands_trusted_types_is_no_obstacle,
    an_isolated_host_is_no_obstacle,
    a_host_in_a_sandboxed_frame_is_no_obstacle,
    a_frame_that_the_policy_forbids_is_told_with_its_directive,
    a_frame_that_cannot_start_says_why_in_the_place_of_the_card,
    a_host_of_bots_without_the_engine_is_told,
    styles_of_the_host_do_not_break_in,
    ten_elements_share_one_engine,
    frames_of_two_models_take_turns,
    an_element_that_is_removed_while_it_writes_leaves_the_others_alone,
    an_engine_that_is_removed_is_replaced,
    an_element_that_another_document_adopts_writes_there,
    a_bot_can_load_before_it_is_asked_and_keeps_its_card,
    attributes_act_whenever_they_change,
    properties_set_before_the_definition_count,
    calls_answer_as_the_module_does,
    messages_that_are_not_the_frames_are_dropped_and_counted,
    messages_that_are_not_the_hosts_are_dropped_and_counted,
    a_frame_without_the_script_writes_too,
);

/// A page with elements.
pub struct Host<'a> {
    headers: &'a [(&'a str, &'a str)],
    /// The attributes of the document.
    document: &'a str,
    /// The folder of the bots on their site.
    folder: &'a str,
    body: &'a str,
}

const JEN: &str =
    "<huggingtweets-bot bot='huggingtweets/jen_122' n=2 max-new-tokens=8></huggingtweets-bot>";

impl Default for Host<'_> {
    fn default() -> Self {
        Self {
            headers: &[],
            document: "",
            folder: "/",
            body: JEN,
        }
    }
}

impl Host<'_> {
    /// Its address, on another site than that of the bots.
    fn address(&self, site: &Site) -> String {
        let bots = site.address_of("");
        let html = format!(
            "<!doctype html><html {}><meta charset=utf-8><title>a host</title><link rel=icon href='data:,'>\
             <script type=module crossorigin src='{bots}{}embed.js'></script><p>Before.</p>{}<p id=after>After.</p>",
            self.document, self.folder, self.body
        );
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("html", &html);
        for (name, value) in self.headers {
            query.append_pair(
                "header",
                &format!("{name}: {}", value.replace("BOTS", &bots)),
            );
        }
        // The addresses inside are those of the bots' own site.
        format!("{}?{}", site.elsewhere("/elsewhere/host"), query.finish())
    }

    /// Opens it, and waits for its cards.
    pub async fn open(&self, site: &Site) -> Page {
        let mut page = site.open("/elsewhere/frame").await;
        page.expect_requests_to(&site.elsewhere(""));
        page.goto(&self.address(site)).await;
        wait_for_cards(&page).await;
        page
    }
}

/// Waits until every element has its card, and the facts of its bot if those can be had; from then on `log` has the
/// events of all elements.
async fn wait_for_cards(page: &Page) {
    page.eval(
        "self.bots = () => [...document.querySelectorAll('huggingtweets-bot')]; self.log = []; \
         for (const name of ['progress', 'ready', 'token', 'result', 'error', 'input']) \
           addEventListener(name, ({ target, detail }) => { \
             if (target.localName === 'huggingtweets-bot') log.push({ name, detail, of: bots().indexOf(target) }); \
           });",
    )
    .await;
    let drawn = "return document.querySelector('huggingtweets-bot').shadowRoot?.querySelector('button')?.textContent.length > 5";
    wait_until("the card", SOON, || async {
        (page.eval(drawn).await == true).then_some(())
    })
    .await;
}

/// A part of the card of an element.
pub async fn part(page: &Page, index: usize, selector: &str) -> Element {
    wait_until(selector, SOON, || async {
        let found = page
            .client
            .find_all(Locator::Css("huggingtweets-bot"))
            .await;
        let card = found
            .ok()?
            .into_iter()
            .nth(index)?
            .shadow_root()
            .await
            .ok()?;
        card.find(Locator::Css(selector)).await.ok()
    })
    .await
}

/// Presses the button of an element as a visitor does.
pub async fn press(page: &Page, index: usize) {
    wait_until("the button to be clicked", SOON, || async {
        part(page, index, "button").await.click().await.ok()
    })
    .await;
}

/// The texts of an element's `result` events, once there are so many.
pub async fn results(page: &Page, index: usize, n: usize) -> Vec<String> {
    let script = format!(
        "return log.filter(({{ name, of }}) => name === 'result' && of === {index}).map(({{ detail }}) => detail.generated_text)"
    );
    wait_until("the texts", RUN, || async {
        let texts: Vec<String> = serde_json::from_value(page.eval(&script).await).ok()?;
        (texts.len() >= n).then_some(texts)
    })
    .await
}

/// Resolves a promise of the page: its value, or its error by name, code and message.
async fn promise(page: &Page, expression: &str) -> Value {
    let script = format!(
        "const done = arguments[0]; (async () => {expression})().then(done, \
         ({{ name, code, message }}) => done({{ name, code, message }}));"
    );
    let answer = page.client.execute_async(&script, Vec::new()).await;
    answer.unwrap_or_else(|error| panic!("`{expression}` failed: {error}"))
}

async fn site(browser: Browser) -> Option<Site> {
    Site::start_in(browser, Isolation::On).await
}

/// Number of engines that the page started: each fetches the loader of its worker.
fn n_engines(site: &Site) -> usize {
    let requests = site.requests();
    let of_loader = |path: &&String| path.ends_with("/worker_loader.js");
    requests.iter().filter(of_loader).count()
}

pub async fn a_click_writes_in_the_place_of_the_card(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let page = Host::default().open(&site).await;
    press(&page, 0).await;
    let texts = results(&page, 0, 2).await;
    assert!(
        texts.iter().all(|text| text.starts_with("My dream is")),
        "{texts:?}"
    );
    let ready = "return log.filter(({ name }) => name === 'ready').length";
    assert_eq!(page.eval(ready).await, 1);
    part(&page, 0, ".open iframe")
        .await
        .enter_frame()
        .await
        .unwrap();
    assert_eq!(page.texts("result").await.len(), 2);
    assert_eq!(page.text("bot-name").await, "Jen 🌸");
    assert_eq!(page.state().await, "ready");
    page.client.enter_parent_frame().await.unwrap();
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_click_only_the_facts_about_the_bot_are_requested() {
    let site = Site::start().await;
    let body = "<huggingtweets-bot></huggingtweets-bot>".repeat(3);
    let host = Host {
        body: &body,
        ..Host::default()
    };
    let page = host.open(&site).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut requests = site.requests();
    requests.retain(|path| !path.starts_with("/elsewhere/"));
    requests.sort();
    requests.dedup();
    // Without an attribute, it is the gallery's first bot.
    let facts = format!("/bot/{}/bot.json", bot::bundled()[0].repo);
    assert_eq!(requests, [facts, "/embed.js".to_owned()]);
    let button = part(&page, 0, "button").await.text().await.unwrap();
    let bytes = button.strip_prefix("Generate · ").unwrap();
    assert!(bytes.ends_with(" MB"), "{button}");
    let note = part(&page, 0, ".note").await.text().await.unwrap();
    assert!(note.contains(" MB of code once"), "{note}");
    page.close_clean().await;
    // The frame says the same of the model.
    let frame = site.open("/index.html?view=embed").await;
    frame
        .wait_for_text("status", SOON, |text| text.contains(bytes))
        .await;
    frame.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_is_small_and_so_are_the_facts_about_each_bot() {
    use std::io::Write as _;
    let site = Site::start().await;
    let script = std::fs::read(site.dist().join("embed.js")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&script).unwrap();
    let bytes = packed.finish().unwrap().len();
    println!("embed.js: {} bytes, {bytes} gzipped", script.len());
    assert!(bytes <= 6000, "{bytes}");
    for bot in bot::bundled() {
        let facts = site.dist().join("bot").join(&bot.repo).join("bot.json");
        assert!(
            std::fs::metadata(facts).unwrap().len() <= 8000,
            "{}",
            bot.repo
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_host_shifts_before_during_and_after_the_click() {
    let site = Site::start().await;
    let host = Host {
        body: &format!(
            "<style>huggingtweets-bot {{ display: block; min-height: 27rem }}</style>{JEN}"
        ),
        ..Host::default()
    };
    let page = host.open(&site).await;
    page.eval(
        "self.shifts = []; new PerformanceObserver((list) => shifts.push(...list.getEntries())) \
           .observe({ type: 'layout-shift', buffered: true });",
    )
    .await;
    press(&page, 0).await;
    results(&page, 0, 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    // What follows a press at once is the visitor's own doing, by the browser's own measure.
    let sum = page
        .eval("return shifts.filter(({ hadRecentInput }) => !hadRecentInput).reduce((sum, { value }) => sum + value, 0)")
        .await;
    assert_eq!(sum, 0);
    page.screenshot("element-plain-light").await;
}

pub async fn a_host_with_a_strict_policy_needs_two_directives(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let policy = "default-src 'none'; script-src BOTS; frame-src BOTS; img-src data:";
    let host = Host {
        headers: &[("Content-Security-Policy", policy)],
        ..Host::default()
    };
    let page = host.open(&site).await;
    press(&page, 0).await;
    results(&page, 0, 2).await;
    // With a third, the card knows the bot before the click.
    let policy = format!("{policy}; connect-src BOTS");
    let host = Host {
        headers: &[("Content-Security-Policy", &policy)],
        ..Host::default()
    };
    let page = host.open(&site).await;
    let name = "return bots()[0].shadowRoot.querySelector('.name').textContent";
    wait_until("the name", SOON, || async {
        (page.eval(name).await == "Jen 🌸").then_some(())
    })
    .await;
    page.close_clean().await;
}

async fn a_host_that_demands_trusted_types_is_no_obstacle(browser: Browser) {
    let policy = "require-trusted-types-for 'script'; trusted-types 'none'";
    let Some(site) = site(browser).await else {
        return;
    };
    let host = Host {
        headers: &[("Content-Security-Policy", policy)],
        ..Host::default()
    };
    let page = host.open(&site).await;
    press(&page, 0).await;
    results(&page, 0, 2).await;
    page.close_clean().await;
}

async fn an_isolated_host_is_no_obstacle(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let host = Host {
        headers: &[
            ("Cross-Origin-Embedder-Policy", "require-corp"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        ],
        ..Host::default()
    };
    let page = host.open(&site).await;
    assert_eq!(page.eval("return crossOriginIsolated").await, true);
    press(&page, 0).await;
    results(&page, 0, 2).await;
    page.close_clean().await;
}

async fn a_host_in_a_sandboxed_frame_is_no_obstacle(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let page = site.open("/elsewhere/frame").await;
    page.goto(&site.elsewhere("/elsewhere/frame")).await;
    page.eval_with(
        "const frame = document.querySelector('iframe'); frame.sandbox = 'allow-scripts'; frame.src = arguments[0]",
        vec![json!(Host::default().address(&site))],
    )
    .await;
    page.client.enter_frame(0).await.unwrap();
    wait_until("the host", SOON, || async {
        let there = "return self.origin === 'null' && !!document.querySelector('#after')";
        (page.eval(there).await == true).then_some(())
    })
    .await;
    wait_for_cards(&page).await;
    press(&page, 0).await;
    assert_eq!(results(&page, 0, 2).await.len(), 2);
}

async fn a_frame_that_the_policy_forbids_is_told_with_its_directive(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let host = Host {
        headers: &[(
            "Content-Security-Policy",
            "default-src 'none'; script-src BOTS; img-src data:",
        )],
        ..Host::default()
    };
    let page = host.open(&site).await;
    press(&page, 0).await;
    let error = wait_until("the failure", SOON, || async {
        let error = page
            .eval("return log.find(({ name }) => name === 'error')?.detail ?? null")
            .await;
        Some(error).filter(Value::is_object)
    })
    .await;
    assert_eq!(error["code"], "download");
    assert!(
        error["hint"].as_str().unwrap().contains("frame-src"),
        "{error}"
    );
    let said = part(&page, 0, ".problem").await.text().await.unwrap();
    assert!(said.contains("frame-src"), "{said}");
    // The card is there to try again.
    assert!(
        part(&page, 0, "button")
            .await
            .text()
            .await
            .unwrap()
            .starts_with("Generate")
    );
}

async fn a_frame_that_cannot_start_says_why_in_the_place_of_the_card(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let host = Host {
        folder: "/policy/no-wasm/",
        ..Host::default()
    };
    let page = host.open(&site).await;
    let failed = promise(&page, "bots()[0].generate()").await;
    assert_eq!(failed["code"], "worker_crashed", "{failed}");
    part(&page, 0, ".open iframe")
        .await
        .enter_frame()
        .await
        .unwrap();
    let message = "return [...document.querySelectorAll('#skeleton .message')].filter((message) => message.checkVisibility()).map(({ id }) => id)";
    assert_eq!(page.eval(message).await, json!(["forbidden"]));
}

async fn a_host_of_bots_without_the_engine_is_told(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let host = Host {
        folder: "/no-engine/",
        ..Host::default()
    };
    let page = host.open(&site).await;
    let failed = promise(&page, "bots()[0].generate()").await;
    assert_eq!(failed["name"], "AbortError", "{failed}");
    let said = part(&page, 0, ".problem").await.text().await.unwrap();
    assert!(said.contains("/no-engine/engine.html"), "{said}");
}

async fn styles_of_the_host_do_not_break_in(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let look = "const { width, height } = bots()[0].shadowRoot.querySelector('.root').getBoundingClientRect(); \
        const button = getComputedStyle(bots()[0].shadowRoot.querySelector('button')); \
        const name = getComputedStyle(bots()[0].shadowRoot.querySelector('.name')); \
        return [width, height, button.backgroundColor, button.borderRadius, name.fontWeight, name.display].join()";
    let mut looks = Vec::new();
    for styles in ["", "<style>* { all: unset !important }</style>"] {
        let body = format!("{styles}<div>{JEN}</div>");
        let host = Host {
            body: &body,
            ..Host::default()
        };
        let page = host.open(&site).await;
        // The margins of the body are among what is unset.
        page.eval("document.body.style.setProperty('margin', 0, 'important'); document.body.style.setProperty('display', 'block', 'important')")
            .await;
        page.eval(
            "document.querySelector('div').style.setProperty('display', 'block', 'important')",
        )
        .await;
        looks.push(page.eval(look).await);
        press(&page, 0).await;
        results(&page, 0, 2).await;
        if browser == Browser::Chromium && !styles.is_empty() {
            page.screenshot("element-unset-light").await;
        }
    }
    assert_eq!(looks[0], looks[1]);
}

pub async fn ten_elements_share_one_engine(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let body: String = (0..10)
        .map(|i| {
            let repo = &bot::bundled()[i % 5].repo;
            format!("<huggingtweets-bot bot='{repo}' n=1 max-new-tokens=4></huggingtweets-bot>")
        })
        .collect();
    let host = Host {
        body: &body,
        ..Host::default()
    };
    let page = host.open(&site).await;
    assert_eq!(n_engines(&site), 0);
    let n_texts = promise(
        &page,
        "(await Promise.all(bots().map((bot) => bot.generate()))).flat().length",
    )
    .await;
    assert_eq!(n_texts, 10);
    assert_eq!(n_engines(&site), 1);
    // The model is fetched once as well.
    let models = site.requests();
    let models = models.iter().filter(|path| path.ends_with(".gguf"));
    assert_eq!(models.count(), 1);
    page.close_clean().await;
}

/// A model beside the bundled one.
fn other_model(site: &Site) -> String {
    site.address_of("/fixtures/repositories/gguf/tiny-Q8_0.gguf")
}

async fn frames_of_two_models_take_turns(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let other = format!(
        "<huggingtweets-bot model='{}' text='My dream is'></huggingtweets-bot>",
        other_model(&site)
    );
    let body = format!("{JEN}{other}{JEN}");
    let host = Host {
        body: &body,
        ..Host::default()
    };
    let page = host.open(&site).await;
    let all = "(await Promise.all(bots().map((bot) => bot.generate({ num_return_sequences: 1, max_new_tokens: 4, do_sample: false })))).map(([{ generated_text }]) => generated_text)";
    let first = promise(&page, all).await;
    let n_loads = || {
        let requests = site.requests();
        let of_model = |path: &&String| path.ends_with(".gguf");
        requests.iter().filter(of_model).count()
    };
    let before = n_loads();
    let second = promise(&page, all).await;
    assert_eq!(first, second);
    // The two of one model follow each other without a load between them.
    assert!(n_loads() - before <= 2, "{} loads", n_loads() - before);
    assert_eq!(first[0], first[2]);
    assert_ne!(first[0], first[1]);
    assert_eq!(n_engines(&site), 1);
    page.close_clean().await;
}

async fn an_element_that_is_removed_while_it_writes_leaves_the_others_alone(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let body = JEN.repeat(3);
    let host = Host {
        body: &body,
        ..Host::default()
    };
    let page = host.open(&site).await;
    let answer = promise(
        &page,
        "{ const [a, b, c] = bots(); \
           const long = a.generate({ num_return_sequences: 10, max_new_tokens: 100 }).catch(({ name }) => name); \
           await new Promise((token) => a.addEventListener('token', token, { once: true })); \
           const others = Promise.all([b.generate(), c.generate()]); \
           a.remove(); \
           const texts = (await others).flat().length; \
           document.body.append(a); \
           return [await long, texts, (await a.generate()).length]; }",
    )
    .await;
    assert_eq!(answer, json!(["AbortError", 4, 2]));
    assert_eq!(n_engines(&site), 1);
    page.close_clean().await;
}

async fn an_engine_that_is_removed_is_replaced(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let body = JEN.repeat(2);
    let host = Host {
        body: &body,
        ..Host::default()
    };
    let page = host.open(&site).await;
    let answer = promise(
        &page,
        "{ const [a, b] = bots(); \
           await Promise.all([a.generate(), b.generate()]); \
           const remove = () => document.querySelector(':root > iframe').remove(); \
           const long = a.generate({ num_return_sequences: 10, max_new_tokens: 100 }).catch(({ code }) => code); \
           await new Promise((token) => a.addEventListener('token', token, { once: true })); \
           remove(); \
           return [await long, (await b.generate()).length, (await a.generate()).length]; }",
    )
    .await;
    assert_eq!(answer, json!(["worker_crashed", 2, 2]));
    assert_eq!(n_engines(&site), 2);
}

async fn an_element_that_another_document_adopts_writes_there(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let page = Host::default().open(&site).await;
    let answer = promise(
        &page,
        "{ const [a] = bots(); await a.generate(); \
           const frame = document.createElement('iframe'); document.body.append(frame); \
           frame.contentDocument.body.append(a); \
           const texts = await a.generate(); \
           return [a.ownerDocument === frame.contentDocument, texts.length, !!frame.contentDocument.querySelector(':root > iframe')]; }",
    )
    .await;
    assert_eq!(answer, json!([true, 2, true]));
}

async fn a_bot_can_load_before_it_is_asked_and_keeps_its_card(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let body = format!(
        "<huggingtweets-bot load=eager n=1 max-new-tokens=4>An example.</huggingtweets-bot>\
         <p style='height: 9000px'></p>{}",
        JEN.replace("n=2", "n=1 load=visible")
    );
    let host = Host {
        body: &body,
        ..Host::default()
    };
    let page = host.open(&site).await;
    let ready = |index: usize| {
        format!("return log.some(({{ name, of }}) => name === 'ready' && of === {index})")
    };
    wait_until("the model", RUN, || async {
        (page.eval(&ready(0)).await == true).then_some(())
    })
    .await;
    // The card stays, with its example, and the other one has fetched nothing.
    let cards = "return bots().map((bot) => [bot.shadowRoot.querySelectorAll('iframe').length, bot.shadowRoot.querySelectorAll('.open').length])";
    assert_eq!(page.eval(cards).await, json!([[1, 0], [0, 0]]));
    press(&page, 0).await;
    results(&page, 0, 1).await;
    page.eval("bots()[1].scrollIntoView()").await;
    wait_until("the model of the other", RUN, || async {
        (page.eval(&ready(1)).await == true).then_some(())
    })
    .await;
    assert_eq!(n_engines(&site), 1);
    page.close_clean().await;
}

async fn attributes_act_whenever_they_change(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let page = Host::default().open(&site).await;
    let wrong = promise(
        &page,
        "{ const [a] = bots(); const error = new Promise((error) => a.addEventListener('error', ({ detail }) => error(detail))); \
           a.setAttribute('n', 'many'); const { code, message } = await error; \
           const said = a.shadowRoot.querySelector('.problem').textContent; \
           a.n = 1; await null; await null; \
           return { code, message, said, then: a.shadowRoot.querySelector('.problem').textContent, n: a.n }; }",
    )
    .await;
    assert_eq!(wrong["code"], "bad_parameters");
    assert!(
        wrong["said"]
            .as_str()
            .unwrap()
            .starts_with("“n” must be a whole number"),
        "{wrong}"
    );
    assert_eq!((&wrong["then"], &wrong["n"]), (&json!(""), &json!(1)));
    // Before the frame is there, and in it.
    for (text, other) in [("I like", "The sea"), ("We are", "You")] {
        let answer = promise(
            &page,
            &format!(
                "{{ const [a] = bots(); a.text = '{text}'; const one = await a.generate(); \
                    a.setAttribute('text', '{other}'); a.n = 2; a.maxNewTokens = 3; \
                    const two = await a.generate(); a.n = 1; return [...one, ...two].map(({{ generated_text }}) => generated_text); }}"
            ),
        )
        .await;
        let texts: Vec<String> = serde_json::from_value(answer).unwrap();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].starts_with(text), "{texts:?}");
        assert!(
            texts[1..].iter().all(|begun| begun.starts_with(other)),
            "{texts:?}"
        );
    }
    // Another bot goes back to the card, with its name.
    page.eval("bots()[0].bot = 'huggingtweets/empressrandom'; bots()[0].text = null")
        .await;
    let name = part(&page, 0, ".handle").await;
    wait_until("the other bot", SOON, || async {
        (name.text().await.ok()? == "@empressrandom").then_some(())
    })
    .await;
    press(&page, 0).await;
    part(&page, 0, ".open iframe")
        .await
        .enter_frame()
        .await
        .unwrap();
    page.wait_for_text("bot-handle", RUN, |text| text == "@empressrandom")
        .await;
    page.client.enter_parent_frame().await.unwrap();
}

async fn properties_set_before_the_definition_count(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let body = "<p>No element yet.</p>";
    let host = Host {
        body,
        ..Host::default()
    };
    let page = site.open("/elsewhere/frame").await;
    page.goto(&host.address(&site).replace("embed.js", "none.js"))
        .await;
    let answer = promise(
        &page,
        &format!(
            "{{ const bot = document.createElement('huggingtweets-bot'); \
               Object.assign(bot, {{ text: 'Set before', n: 3, topK: 7, load: 'click' }}); document.body.append(bot); \
               const add = (query) => new Promise((onload) => document.head.append(Object.assign(document.createElement('script'), \
                 {{ type: 'module', src: '{}' + query, onload }}))); \
               await add(''); await null; await null; \
               const first = customElements.get('huggingtweets-bot'); \
               await add('?another-version'); \
               return [bot.text, bot.getAttribute('n'), bot.getAttribute('top-k'), typeof bot.load, \
                 bot.shadowRoot.querySelector('textarea').value, first === customElements.get('huggingtweets-bot')]; }}",
            site.address_of("/embed.js")
        ),
    )
    .await;
    assert_eq!(
        answer,
        json!(["Set before", "3", "7", "function", "Set before", true])
    );
}

async fn calls_answer_as_the_module_does(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let page = Host::default().open(&site).await;
    let options = "{ num_return_sequences: 2, max_new_tokens: 6, seed: 11 }";
    let answer = promise(
        &page,
        &format!(
            "{{ const [a] = bots(); const tokens = []; \
               const one = a.generate({{ ...{options}, on_token: (token) => tokens.push(token) }}); const two = a.generate({options}); \
               return {{ one: await one, two: await two, default: (await a.generate()).length, tokens: tokens.length, \
                 token: Object.keys(tokens[0]).sort() }}; }}"
        ),
    )
    .await;
    assert_eq!(answer["one"], answer["two"]);
    assert_eq!(answer["default"], 2);
    assert!(answer["tokens"].as_u64() > Some(4));
    assert_eq!(
        answer["token"],
        json!(["prob", "sequence", "text", "token_id"])
    );
    let by_module = promise(
        &page,
        &format!(
            "{{ const {{ pipeline }} = await import('{}'); const generator = await pipeline('text-generation', null, {{ threads: 1 }}); \
               const texts = await generator('My dream is', {options}); await generator.dispose(); return texts; }}",
            site.address_of("/huggingtweets.js")
        ),
    )
    .await;
    assert_eq!(answer["one"], by_module);
    let refused = promise(&page, "bots()[0].generate({ temperature: -1 })").await;
    assert_eq!(refused["code"], "bad_parameters", "{refused}");
    for stop in ["a.abort()", "stop.abort()"] {
        let aborted = promise(
            &page,
            &format!(
                "{{ const [a] = bots(); const stop = new AbortController(); \
                   a.addEventListener('token', () => {stop}, {{ once: true }}); \
                   return a.generate({{ num_return_sequences: 10, max_new_tokens: 100, signal: stop.signal }}); }}"
            ),
        )
        .await;
        assert_eq!(aborted["name"], "AbortError", "{stop} {aborted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prompt_and_focus_move_into_the_frame_by_keyboard_alone() {
    let site = Site::start().await;
    let page = Host::default().open(&site).await;
    page.press(&[Key::Tab.into()]).await;
    let focused = "return bots()[0].shadowRoot.activeElement?.localName ?? null";
    assert_eq!(page.eval(focused).await, "textarea");
    page.press(&[Key::Control.into(), 'a']).await;
    for letter in "Cats".chars() {
        page.press(&[letter]).await;
    }
    assert_eq!(page.eval("return bots()[0].text").await, "Cats");
    page.press(&[Key::Control.into(), Key::Enter.into()]).await;
    let texts = results(&page, 0, 2).await;
    assert!(
        texts.iter().all(|text| text.starts_with("Cats")),
        "{texts:?}"
    );
    assert_eq!(page.eval(focused).await, "iframe");
    // Typing goes on in the frame, and the page hears of it.
    page.press(&[Key::End.into()]).await;
    page.press(&['!']).await;
    wait_until("the prompt", SOON, || async {
        (page.eval("return bots()[0].text").await == "Cats!").then_some(())
    })
    .await;
    let inputs =
        "return log.filter(({ name }) => name === 'input').map(({ detail }) => detail.text)";
    let inputs = page.eval(inputs).await;
    assert_eq!(inputs[3], "Cats");
    assert_eq!(inputs.as_array().unwrap().last().unwrap(), "Cats!");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_look_follows_the_host_light_dark_narrow_and_right_to_left() {
    let site = Site::start().await;
    let host = Host {
        document: "lang=ar dir=rtl",
        body: "<style>body { max-width: 640px; margin: 16px auto } .night { background: #111; color: #eee }</style>\
               <huggingtweets-bot bot='huggingtweets/goando-tsuchinao83-za09313103' n=2 max-new-tokens=24></huggingtweets-bot>",
        ..Host::default()
    };
    let page = host.open(&site).await;
    let is_dark = "return bots()[0].shadowRoot.querySelector('.root').classList.contains('dark')";
    assert_eq!(page.eval(is_dark).await, false);
    press(&page, 0).await;
    results(&page, 0, 2).await;
    page.screenshot("element-rtl-light").await;
    // The host is switched later, by whatever it likes.
    page.eval("document.body.className = 'night'").await;
    wait_until("the night", SOON, || async {
        (page.eval(is_dark).await == true).then_some(())
    })
    .await;
    part(&page, 0, ".open iframe")
        .await
        .enter_frame()
        .await
        .unwrap();
    let root = "const { theme } = document.documentElement.dataset; return [theme, document.documentElement.dir]";
    wait_until("the night in the frame", SOON, || async {
        (page.eval(root).await == json!(["dark", "rtl"])).then_some(())
    })
    .await;
    page.client.enter_parent_frame().await.unwrap();
    page.screenshot("element-rtl-dark").await;
    page.eval("bots()[0].theme = 'light'").await;
    wait_until("the day", SOON, || async {
        (page.eval(is_dark).await == false).then_some(())
    })
    .await;
    // Narrow, and nothing sticks out.
    page.resize(280, 640).await;
    page.goto(&Host::default().address(&site)).await;
    wait_for_cards(&page).await;
    press(&page, 0).await;
    results(&page, 0, 2).await;
    let width = "return [document.documentElement.scrollWidth, bots()[0].clientWidth]";
    let width = page.eval(width).await;
    assert!(
        width[0].as_u64() <= Some(280) && width[1].as_u64() <= Some(280),
        "{width}"
    );
    page.screenshot("element-280-light").await;
}

async fn messages_that_are_not_the_frames_are_dropped_and_counted(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let page = Host::default().open(&site).await;
    promise(&page, "bots()[0].generate()").await;
    // From the host itself, which is no frame of the element, in the frame's name.
    page.eval("for (let i = 0; i < 100; i++) postMessage({ huggingtweets: { v: 1, type: 'input', text: 'forged' } }, '*')")
        .await;
    let inner = part(&page, 0, ".open iframe").await;
    inner.enter_frame().await.unwrap();
    page.eval(
        "const say = (message) => parent.postMessage({ huggingtweets: message }, '*'); \
         say({ v: 2, type: 'input', text: 'forged' }); say({ v: 1, type: 'explode' }); say({ v: 1, type: 'input', text: {} }); \
         say({ v: 1, type: 'height', height: 'tall' }); say({ v: 1, type: 'events', list: [{ name: 'click', detail: {} }] }); \
         say({ v: 1, type: 'toString' }); say({ v: 1, type: 'answer', call: 99, texts: [] });",
    )
    .await;
    page.client.enter_parent_frame().await.unwrap();
    // By a script of the page's own: one of the driver may have modules of its own.
    page.eval(&format!(
        "document.head.append(Object.assign(document.createElement('script'), {{ type: 'module', \
           textContent: `import {{ dropped }} from '{}'; self.dropped = dropped;` }}))",
        site.address_of("/embed_frame.js")
    ))
    .await;
    let dropped = "return self.dropped ?? {}";
    wait_until("the counts", SOON, || async {
        let dropped = page.eval(dropped).await;
        (dropped["version"] == 1 && dropped["shape"] == 6).then_some(())
    })
    .await;
    inner.enter_frame().await.unwrap();
    page.eval("for (let i = 0; i < 5000; i++) parent.postMessage({ huggingtweets: { v: 1, type: 'input', text: `flood ${i}` } }, '*')")
        .await;
    page.client.enter_parent_frame().await.unwrap();
    wait_until("the flood", SOON, || async {
        let dropped = page.eval(dropped).await;
        (dropped["flood"].as_u64() >= Some(4000)).then_some(())
    })
    .await;
    let inputs = page
        .eval("return log.filter(({ name }) => name === 'input').map(({ detail }) => detail.text)")
        .await;
    let inputs: Vec<String> = serde_json::from_value(inputs).unwrap();
    assert!(inputs.len() < 1000, "{}", inputs.len());
    assert!(!inputs.iter().any(|text| text == "forged"));
}

async fn messages_that_are_not_the_hosts_are_dropped_and_counted(browser: Browser) {
    let Some(site) = site(browser).await else {
        return;
    };
    let page = Host::default().open(&site).await;
    promise(&page, "bots()[0].generate()").await;
    let say = "const frame = bots()[0].shadowRoot.querySelector('iframe').contentWindow; \
               const say = (message) => frame.postMessage({ huggingtweets: message }, '*'); ";
    page.eval(&format!(
        "{say} say({{ v: 2, type: 'write', text: 'forged' }}); say({{ v: 1, type: 'explode' }}); say({{ v: 1, type: 'write', text: 5 }});"
    ))
    .await;
    let inner = part(&page, 0, ".open iframe").await;
    inner.enter_frame().await.unwrap();
    let dropped = "return Number(document.documentElement.dataset.dropped ?? 0)";
    wait_until("the counts", SOON, || async {
        (page.eval(dropped).await == 3).then_some(())
    })
    .await;
    // Of its own window, which is not the host.
    page.eval("postMessage({ huggingtweets: { v: 1, type: 'write', text: 'forged' } }, '*')")
        .await;
    wait_until("the foreign one", SOON, || async {
        (page.eval(dropped).await == 4).then_some(())
    })
    .await;
    page.client.enter_parent_frame().await.unwrap();
    page.eval(&format!(
        "{say} for (let i = 0; i < 5000; i++) say({{ v: 1, type: 'write', text: `flood ${{i}}` }})"
    ))
    .await;
    inner.enter_frame().await.unwrap();
    wait_until("the flood", SOON, || async {
        (page.eval(dropped).await.as_u64() >= Some(4000)).then_some(())
    })
    .await;
    assert!(page.value("prompt").await.starts_with("flood"));
    page.client.enter_parent_frame().await.unwrap();
    // A frame that was made for another origin.
    page.eval_with(
        "const frame = document.createElement('iframe'); frame.src = arguments[0]; document.body.append(frame)",
        vec![json!(
            site.address_of("/index.html?view=embed#host=https%3A%2F%2Fhost.example")
        )],
    )
    .await;
    let other = page
        .client
        .find(Locator::Css("body > iframe"))
        .await
        .unwrap();
    other.clone().enter_frame().await.unwrap();
    // The page as drawn before its program has come has a prompt, too.
    let is_there = "return document.querySelector('main.frame') !== null";
    wait_until("the other frame", SOON, || async {
        (page.eval(is_there).await == true).then_some(())
    })
    .await;
    page.client.enter_parent_frame().await.unwrap();
    page.eval(
        "document.querySelector('body > iframe').contentWindow.postMessage({ huggingtweets: { v: 1, type: 'write', text: 'forged' } }, '*')",
    )
    .await;
    other.enter_frame().await.unwrap();
    wait_until("the foreign message", SOON, || async {
        (page.eval(dropped).await == 1).then_some(())
    })
    .await;
    assert_eq!(page.value("prompt").await, "My dream is");
}

pub async fn a_frame_without_the_script_writes_too(browser: Browser) {
    // WebKit starts no blob as a worker in a sandboxed frame whose document has the headers of isolation, and a worker of
    // a `data:` address cannot read the page's blobs there.
    let isolation = match browser {
        Browser::WebKit => Isolation::Off,
        Browser::Chromium | Browser::Firefox => Isolation::On,
    };
    let Some(site) = Site::start_in(browser, isolation).await else {
        return;
    };
    for sandbox in ["allow-scripts allow-same-origin", "allow-scripts"] {
        let page = site.open("/elsewhere/frame").await;
        page.goto(&site.elsewhere("/elsewhere/frame")).await;
        let source = site.address_of(
            "/index.html?view=embed&bot=huggingtweets/empressrandom&text=I%20like&n=2&max_new_tokens=6",
        );
        // A frame that is entered before its document is there is lost in WebKit.
        let arrived = page.client.execute_async(
            "const frame = document.querySelector('iframe'); const [sandbox, source, done] = arguments; \
             frame.sandbox = sandbox; frame.onload = () => done(); frame.src = source",
            vec![json!(sandbox), json!(source)],
        );
        arrived.await.unwrap();
        page.client.enter_frame(0).await.unwrap();
        page.wait_for_state_within(&STARTED, RUN).await;
        assert_eq!(page.text("bot-handle").await, "@empressrandom");
        assert_eq!(page.find_all("gallery-item").await.len(), 0);
        assert_eq!(page.generate().await.len(), 2, "{sandbox}");
        page.client.enter_parent_frame().await.unwrap();
    }
}
