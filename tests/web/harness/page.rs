//! `Page`: the view and the controls of a visitor, by test id, and the console and requests of the browser.

use super::memory;
use super::programs::Browser;
use super::session::Session;
use super::{RUN, SOON, wait_until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

/// A browser window on the site. Dropping it gives the browser to the next claim.
pub struct Page {
    /// For commands without a method here.
    pub client: Client,
    /// `None` once it is given back.
    session: Option<Session>,
    is_last: bool,
    origin: String,
    /// Other origins that the page may request.
    expected: Vec<String>,
    screenshots: PathBuf,
    console: Mutex<Vec<String>>,
    requests: Mutex<Vec<String>>,
}

impl Page {
    pub(super) fn new(session: Session, origin: &str, screenshots: PathBuf) -> Self {
        Self {
            client: session.client.clone(),
            session: Some(session),
            is_last: false,
            origin: origin.to_owned(),
            expected: Vec::new(),
            screenshots,
            console: Mutex::default(),
            requests: Mutex::default(),
        }
    }

    /// The same, and its browser ends with it.
    pub(super) fn and_end(mut self) -> Self {
        self.is_last = true;
        self
    }

    fn session(&self) -> &Session {
        self.session.as_ref().expect("it is there until the drop")
    }

    /// Resident bytes of the browser's largest process that runs pages; `None` where there is no `/proc`.
    pub fn renderer_bytes(&self) -> Option<u64> {
        memory::renderer_bytes(self.session().driver.process_id())
    }

    /// Opens another address in the same window.
    pub async fn goto(&self, address: &str) {
        self.client.goto(address).await.expect("the page opens");
    }

    /// `<html data-state>`; empty if there is none.
    pub async fn state(&self) -> String {
        let state = self
            .eval("return document.documentElement?.dataset.state ?? ''")
            .await;
        state.as_str().unwrap_or_default().to_owned()
    }

    /// Waits [`SOON`] for one of `states`.
    pub async fn wait_for_state(&self, states: &[&str]) -> String {
        self.wait_for_state_within(states, SOON).await
    }

    /// Waits for one of `states` and gives the one reached.
    pub async fn wait_for_state_within(&self, states: &[&str], limit: Duration) -> String {
        wait_until(&format!("data-state in {states:?}"), limit, || async {
            Some(self.state().await).filter(|state| states.contains(&state.as_str()))
        })
        .await
    }

    /// The first element with this test id, waited for.
    pub async fn find(&self, testid: &str) -> Element {
        wait_until(&format!("`{testid}`"), SOON, || async {
            self.find_now(testid).await
        })
        .await
    }

    /// The first element with this test id, if it is there.
    pub async fn find_now(&self, testid: &str) -> Option<Element> {
        self.client.find(Locator::Css(&selector(testid))).await.ok()
    }

    /// All elements with this test id, in the page's order.
    pub async fn find_all(&self, testid: &str) -> Vec<Element> {
        self.client
            .find_all(Locator::Css(&selector(testid)))
            .await
            .expect("the window is open")
    }

    /// The visible text of an element, of the newest one where the page draws it anew meanwhile.
    pub async fn text(&self, testid: &str) -> String {
        wait_until(&format!("the text of `{testid}`"), SOON, || async {
            self.find_now(testid).await?.text().await.ok()
        })
        .await
    }

    /// The text of every element with this test id.
    pub async fn texts(&self, testid: &str) -> Vec<String> {
        self.texts_now(testid).await.expect("texts are strings")
    }

    /// The same; `None` from Firefox while it goes to another page.
    async fn texts_now(&self, testid: &str) -> Option<Vec<String>> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)";
        let texts = self.eval_with(script, vec![json!(selector(testid))]).await;
        serde_json::from_value(texts).ok()
    }

    /// Waits until `accept` is true of the text of an element, and gives that text.
    pub async fn wait_for_text(
        &self,
        testid: &str,
        limit: Duration,
        accept: impl Fn(&str) -> bool,
    ) -> String {
        wait_until(&format!("the text of `{testid}`"), limit, || async {
            let text = self.texts_now(testid).await?.into_iter().next()?;
            Some(text).filter(|text| accept(text))
        })
        .await
    }

    /// Clicks an element as a visitor does, as soon as it is visible and not covered.
    pub async fn click(&self, testid: &str) {
        self.click_at(Locator::Css(&selector(testid))).await;
    }

    /// Clicks the element of that place, from 0, among those with this test id.
    pub async fn click_nth(&self, testid: &str, place: usize) {
        wait_until(
            &format!("`{testid}` {place} to be clicked"),
            SOON,
            || async {
                let elements = self.find_all(testid).await;
                elements.into_iter().nth(place)?.click().await.ok()
            },
        )
        .await;
    }

    /// Clicks the first element that `locator` finds. It is looked for again where the page draws it anew meanwhile, as
    /// at the start, when the program takes the place of its drawing.
    pub async fn click_at(&self, locator: Locator<'_>) {
        wait_until(&format!("{locator:?} to be clicked"), SOON, || async {
            self.client.find(locator).await.ok()?.click().await.ok()
        })
        .await;
    }

    /// Replaces the value of a field.
    pub async fn fill(&self, testid: &str, text: &str) {
        let field = self.find(testid).await;
        field.clear().await.expect("the field can be emptied");
        field.send_keys(text).await.expect("the field takes keys");
    }

    /// The value of a field.
    pub async fn value(&self, testid: &str) -> String {
        let value = wait_until(&format!("the value of `{testid}`"), SOON, || async {
            self.find_now(testid).await?.prop("value").await.ok()
        })
        .await;
        value.unwrap_or_default()
    }

    /// Presses keys together, in this order: `&[Key::Control.into(), Key::Enter.into()]`.
    pub async fn press(&self, keys: &[char]) {
        let down = keys.iter().map(|&value| KeyAction::Down { value });
        let up = keys.iter().rev().map(|&value| KeyAction::Up { value });
        let actions = down
            .chain(up)
            .fold(KeyActions::new("keys".to_owned()), KeyActions::then);
        self.client
            .perform_actions(actions)
            .await
            .expect("keys can be pressed");
    }

    /// Presses Generate, waits until the texts are written and gives the continuations, in order.
    ///
    /// The page itself records its states, because a short run ends between two questions.
    pub async fn generate(&self) -> Vec<String> {
        self.eval(
            "const root = document.documentElement; window.states = []; \
             new MutationObserver(() => states.push(root.dataset.state)) \
               .observe(root, { attributeFilter: ['data-state'] })",
        )
        .await;
        self.click("generate").await;
        wait_until("the texts", RUN, || async {
            let over = self
                .eval("return states.includes('generating') && states.at(-1) === 'ready'")
                .await;
            (over == true).then_some(())
        })
        .await;
        self.texts("continuation").await
    }

    /// The result of a script's `return`.
    pub async fn eval(&self, script: &str) -> Value {
        self.eval_with(script, Vec::new()).await
    }

    /// The result of a script that reads `arguments`.
    pub async fn eval_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        let result = self.client.execute(script, arguments).await;
        result.unwrap_or_else(|error| panic!("script `{script}` failed: {error}"))
    }

    /// The size of the window's content, as on a device.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Sets a preference of the visitor's system, such as `("prefers-color-scheme", "dark")`.
    pub async fn prefer(&self, feature: &str, value: &str) {
        let media = json!({ "features": [{ "name": feature, "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// Saves a picture of the whole page, scrolled parts included, as `target/screenshots/NAME.png`.
    pub async fn screenshot(&self, name: &str) {
        let options = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.devtools("Page.captureScreenshot", options).await;
        let base64 = answer["data"]
            .as_str()
            .expect("the browser sends a picture");
        std::fs::create_dir_all(&self.screenshots).expect("target/ can be written");
        let path = self.screenshots.join(format!("{name}.png"));
        std::fs::write(path, bytes_of_base64(base64)).expect("target/ can be written");
    }

    /// A command of the DevTools protocol; Chromium alone, and so for the methods that use it.
    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        let answer = self.session().devtools(command, params).await;
        answer.unwrap_or_else(|error| panic!("{command} failed: {error}"))
    }

    /// Runs a script at the start of every document from now on, before its own; Chromium alone.
    pub async fn run_first(&self, script: &str) {
        let source = json!({ "source": script });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", source)
            .await;
    }

    /// Severe messages on the console since the window was opened; WebKit's driver tells of none.
    pub async fn console_errors(&self) -> Vec<String> {
        let session = self.session();
        if session.browser == Browser::WebKit {
            return Vec::new();
        }
        if session.browser == Browser::Firefox {
            let printed = std::fs::read(session.driver.log()).expect("the driver has a log");
            let start = usize::try_from(session.log_start).expect("it fits");
            let printed = String::from_utf8_lossy(&printed[start..]);
            // `RSLoader` belongs to the browser and reports a server that the proxy refuses. A page left while its
            // worker starts aborts the worker's requests, and Firefox reports that as an error of the worker.
            let is_ours = |line: &&str| {
                line.starts_with("JavaScript error: http")
                    && !line.ends_with(": NS_BINDING_ABORTED")
                    || line.starts_with("console.error:") && !line.contains(" RSLoader:")
            };
            return printed.lines().filter(is_ours).map(str::to_owned).collect();
        }
        let entries = self.log("browser").await;
        let mut console = self.console.lock().unwrap();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        console
            .extend(severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()));
        console.clone()
    }

    /// Addresses that the page has requested since the window was opened; Chromium alone.
    pub async fn requests(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let mut requests = self.requests.lock().unwrap();
        for entry in &entries {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap_or("null"))
                .unwrap_or_default();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let address = &message["message"]["params"]["request"]["url"];
                requests.push(address.as_str().unwrap_or_default().to_owned());
            }
        }
        requests.clone()
    }

    /// Requests to other hosts than the site: those of the page from Chromium's log, those of its workers from the
    /// proxy that stands between the browser and all other machines.
    pub async fn foreign_requests(&self) -> Vec<String> {
        let own = |address: &str| {
            address.starts_with(&self.origin)
                || self
                    .expected
                    .iter()
                    .any(|origin| address.starts_with(origin))
                || ["data:", "blob:"]
                    .iter()
                    .any(|scheme| address.starts_with(scheme))
        };
        let mut foreign = match self.session().browser {
            Browser::Chromium => self.requests().await,
            Browser::Firefox | Browser::WebKit => Vec::new(),
        };
        foreign.retain(|address| !own(address));
        foreign.extend(self.session().watch.requests());
        foreign
    }

    /// Allows requests to this origin from now on.
    pub fn expect_requests_to(&mut self, origin: &str) {
        // With the slash that ends an origin, so that port 80 does not match 8080.
        self.expected.push(format!("{origin}/"));
    }

    /// Asserts a console without errors and no request to another host, and leaves the page.
    pub async fn close_clean(self) {
        assert_eq!(
            self.console_errors().await,
            Vec::<String>::new(),
            "errors on the console"
        );
        assert_eq!(
            self.foreign_requests().await,
            Vec::<String>::new(),
            "requests to other origins"
        );
    }

    /// New entries of one of the browser's logs.
    async fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.session().log(kind).await;
        entries.expect("the driver keeps logs")
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let session = self.session.take();
        // The browser of a claim that failed may be in any state.
        if let Some(session) = session
            && !self.is_last
            && !std::thread::panicking()
        {
            session.give_back();
        }
    }
}

fn selector(testid: &str) -> String {
    format!("[data-testid='{testid}']")
}

/// The bytes of a browser's base64.
pub fn bytes_of_base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("the browser sends base64")
}
