//! Browsers that serve one claim after another, with empty storage for each.
//!
//! A start costs a second or two of both cores, a new tab a twentieth of that. A claim gets a tab of its own, and an
//! origin of its own, because its server has a port of its own: storage, caches and service workers go by origin.
//! After a claim its tabs are closed, all storage is cleared and the logs are emptied. The browser of a claim that
//! fails is ended.

use super::driver::Driver;
use super::programs::{Browser, Programs};
use super::watch::Watch;
use fantoccini::error::CmdError;
use fantoccini::wd::{TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Each test has a runtime, which ends with it; a session's connections and its proxy outlive the test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started")
});

/// Sessions without a claim.
static IDLE: Mutex<Vec<Idle>> = Mutex::new(Vec::new());

/// Settings that a browser is started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Pages in the background run at full speed, because several claims share the machine.
    Usual,
    /// Pages in the background are throttled, as for visitors.
    Restful,
    /// Without a private file system: a private window of Firefox, and Chromium with that feature off.
    WithoutFiles,
    /// With 60 MB for a site, in Firefox alone; Chromium takes a limit by its devtools.
    LittleRoom,
}

/// A browser with an open tab, and the server that drives it.
pub struct Session {
    pub client: Client,
    pub watch: Watch,
    pub driver: Driver,
    pub browser: Browser,
    profile: Profile,
    /// Origins of the claims so far.
    origins: Vec<String>,
    /// Length of the driver's log when the present claim began.
    pub log_start: u64,
}

struct Idle {
    browser: Browser,
    profile: Profile,
    origins: Vec<String>,
    session: JoinHandle<Result<Session, CmdError>>,
}

impl Session {
    /// An idle session that has not seen `origin`, or a new one.
    pub async fn lend(
        browser: Browser,
        profile: Profile,
        programs: &Programs,
        origin: &str,
    ) -> Self {
        let idle = {
            let mut idle = IDLE.lock().unwrap();
            let fits = |idle: &Idle| {
                (idle.browser, idle.profile) == (browser, profile)
                    && !idle.origins.iter().any(|seen| seen == origin)
            };
            let place = idle.iter().position(fits);
            place.map(|place| idle.remove(place))
        };
        let cleared = match idle {
            Some(idle) => idle.session.await.expect("clearing does not panic").ok(),
            None => None,
        };
        let mut session = match cleared {
            Some(session) => session,
            None => Self::start(browser, profile, programs.clone()).await,
        };
        session.origins.push(origin.to_owned());
        session
    }

    /// A new session.
    pub async fn start(browser: Browser, profile: Profile, programs: Programs) -> Self {
        let started = RUNTIME.spawn(async move {
            let watch = Watch::start().await;
            let driver = Driver::start(browser, &programs).await;
            let capabilities = match browser {
                Browser::Chromium => chromium(&programs, &watch, profile),
                Browser::Firefox => firefox(&programs, &watch, profile),
                Browser::WebKit => webkit(&programs, &watch),
            };
            let Value::Object(capabilities) = capabilities else {
                unreachable!("an object was written")
            };
            let client = ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities)
                .connect(&driver.address())
                .await
                .expect("the browser starts");
            Self {
                client,
                watch,
                driver,
                browser,
                profile,
                origins: Vec::new(),
                log_start: 0,
            }
        });
        started.await.expect("starting does not panic")
    }

    /// Gives the session back, for the next claim; WebKit's ends, because its storage cannot be cleared from outside.
    pub fn give_back(self) {
        if self.browser == Browser::WebKit {
            return;
        }
        let (browser, profile, origins) = (self.browser, self.profile, self.origins.clone());
        let session = RUNTIME.spawn(self.cleared());
        IDLE.lock().unwrap().push(Idle {
            browser,
            profile,
            origins,
            session,
        });
    }

    /// The session with a new tab alone, empty storage and empty logs.
    async fn cleared(mut self) -> Result<Self, CmdError> {
        let client = &self.client;
        let old = client.windows().await?;
        if let Some(first) = old.first() {
            client.switch_to_window(first.clone()).await?;
        }
        let new = client.new_window(true).await?.handle;
        for window in old {
            client.switch_to_window(window).await?;
            client.close_window().await?;
        }
        client.switch_to_window(new).await?;
        client.update_timeouts(timeouts()).await?;
        match self.browser {
            Browser::Chromium => self.clear_chromium().await?,
            Browser::Firefox => self.clear_firefox().await?,
            Browser::WebKit => {}
        }
        self.watch.clear();
        let log = std::fs::metadata(self.driver.log()).expect("the driver has a log");
        self.log_start = log.len();
        Ok(self)
    }

    async fn clear_chromium(&self) -> Result<(), CmdError> {
        for origin in &self.origins {
            let everything = json!({ "origin": origin, "storageTypes": "all" });
            self.devtools("Storage.clearDataForOrigin", everything)
                .await?;
        }
        // A new tab has no focus, unlike the first one of a browser.
        self.devtools("Page.bringToFront", json!({})).await?;
        self.devtools("Network.clearBrowserCache", json!({}))
            .await?;
        self.devtools("Browser.resetPermissions", json!({})).await?;
        let behavior = json!({ "behavior": "default" });
        self.devtools("Browser.setDownloadBehavior", behavior)
            .await?;
        for kind in ["browser", "performance"] {
            self.log(kind).await?;
        }
        Ok(())
    }

    async fn clear_firefox(&self) -> Result<(), CmdError> {
        self.context("chrome").await?;
        let script = "const done = arguments[0]; \
             const { CLEAR_ALL } = Ci.nsIClearDataService; \
             Services.clearData.deleteData(CLEAR_ALL, { onDataDeleted: done })";
        self.client.execute_async(script, vec![]).await?;
        self.context("content").await
    }

    /// The scope that scripts of Firefox run in: `chrome`, the browser's own, or `content`, the page's.
    async fn context(&self, name: &str) -> Result<(), CmdError> {
        let body = json!({ "context": name });
        let path = "moz/context";
        self.client.issue_cmd(Extra { path, body }).await?;
        Ok(())
    }

    /// A command of the DevTools protocol; Chromium alone.
    pub async fn devtools(&self, command: &str, params: Value) -> Result<Value, CmdError> {
        let body = json!({ "cmd": command, "params": params });
        let path = "goog/cdp/execute";
        self.client.issue_cmd(Extra { path, body }).await
    }

    /// New entries of one of Chromium's logs.
    pub async fn log(&self, kind: &str) -> Result<Vec<Value>, CmdError> {
        let body = json!({ "type": kind });
        let path = "se/log";
        let entries = self.client.issue_cmd(Extra { path, body }).await?;
        Ok(entries.as_array().cloned().unwrap_or_default())
    }
}

/// The timeouts of a new session.
fn timeouts() -> TimeoutConfiguration {
    let (script, page_load) = (Duration::from_secs(120), Duration::from_secs(300));
    TimeoutConfiguration::new(Some(script), Some(page_load), Some(Duration::ZERO))
}

fn chromium(programs: &Programs, watch: &Watch, profile: Profile) -> Value {
    let proxy = format!("--proxy-server=http://{}", watch.address());
    let mut args = vec![
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--window-size=1280,900",
        &proxy,
    ];
    if profile != Profile::Restful {
        args.extend([
            "--disable-renderer-backgrounding",
            "--disable-background-timer-throttling",
            "--disable-backgrounding-occluded-windows",
        ]);
    }
    if profile == Profile::WithoutFiles {
        args.push("--disable-blink-features=FileSystemAccessOriginPrivate");
    }
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": programs.browser,
            "args": args,
            "perfLoggingPrefs": { "enableNetwork": true },
        },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    })
}

fn firefox(programs: &Programs, watch: &Watch, profile: Profile) -> Value {
    let mut prefs = json!({
        // The console of the page and not of the browser.
        "devtools.console.stdout.content": true,
        "devtools.console.stdout.chrome": false,
    });
    match profile {
        Profile::Usual | Profile::Restful => {}
        Profile::WithoutFiles => prefs["browser.privatebrowsing.autostart"] = json!(true),
        // In kilobytes for all sites together; one site gets a fifth.
        Profile::LittleRoom => {
            prefs["dom.quotaManager.temporaryStorage.fixedLimit"] = json!(300_000);
        }
    }
    json!({
        "browserName": "firefox",
        "moz:firefoxOptions": {
            "binary": programs.browser,
            "args": ["-headless"],
            "prefs": prefs,
        },
        "proxy": { "proxyType": "manual", "httpProxy": watch.address(), "sslProxy": watch.address() },
    })
}

fn webkit(programs: &Programs, watch: &Watch) -> Value {
    json!({
        "browserName": "MiniBrowser",
        "webkitgtk:browserOptions": { "binary": programs.browser, "args": ["--automation"] },
        "proxy": { "proxyType": "manual", "httpProxy": watch.address(), "sslProxy": watch.address(),
            "noProxy": ["127.0.0.1", "localhost"] },
    })
}

/// A command of chromedriver or geckodriver beyond the standard.
#[derive(Debug)]
struct Extra {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
