//! The built page on a server of its own, and browsers on it.

use super::driver::Driver;
use super::page::Page;
use super::programs::{Browser, Programs};
use super::routes::routes;
use super::watch::Watch;
use super::{SOON, wait_until};
use crate::support::shared::skipped;
use axum::extract::Request;
use axum::middleware::map_request;
use fantoccini::ClientBuilder;
use huggingtweets::site::{BuildOptions, Isolation, Port, Progress, Server, SourceTree, build};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// Several browsers share the machine: none may sleep because it is not in front.
const WAKEFUL: [&str; 3] = [
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
];

/// A server of [`routes`] and a driver; opens pages.
pub struct Site {
    server: Mutex<Option<Runtime>>,
    address: String,
    root: PathBuf,
    driver: Driver,
    browser: Browser,
    programs: Programs,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// As `cargo run --release` serves it: isolated. In Chromium.
    pub async fn start() -> Self {
        Self::start_with(Isolation::On).await
    }

    /// Builds the page if needed, serves it, starts a driver for Chromium.
    pub async fn start_with(isolation: Isolation) -> Self {
        let programs = Browser::Chromium.programs(&tree());
        let programs = programs.unwrap_or_else(|error| panic!("the tests need Chromium: {error}"));
        Self::start_on(Browser::Chromium, programs, isolation).await
    }

    /// The same for any browser; `None`, and said aloud, if that is Firefox and it cannot be had.
    pub async fn start_in(browser: Browser, isolation: Isolation) -> Option<Self> {
        match browser {
            Browser::Chromium => Some(Self::start_with(isolation).await),
            Browser::Firefox => match browser.programs(&tree()) {
                Ok(programs) => Some(Self::start_on(browser, programs, isolation).await),
                Err(error) => {
                    skipped(&format!("this test needs Firefox and geckodriver: {error}"));
                    None
                }
            },
        }
    }

    async fn start_on(browser: Browser, programs: Programs, isolation: Isolation) -> Self {
        let tree = tree();
        let dist = built(&tree);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let router =
            routes(&dist, tree.root(), isolation).layer(map_request(move |request: Request| {
                seen.lock().unwrap().push(request.uri().path().to_owned());
                ready(request)
            }));
        // Apart from the test's own, so that it can be stopped with all its connections.
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads can be started");
        let server = runtime.spawn(async move {
            Server::bind_router(Port::Exactly(0), router, "/")
                .await
                .expect("a port is free")
        });
        let server = server.await.expect("binding does not panic");
        let address = server.address();
        runtime.spawn(server.run());
        let driver = Driver::start(browser, &programs).await;
        Self {
            server: Mutex::new(Some(runtime)),
            address,
            root: tree.root().to_owned(),
            driver,
            browser,
            programs,
            requests,
        }
    }

    /// The built folder.
    pub fn dist(&self) -> PathBuf {
        built(&tree())
    }

    /// Ends the server and every connection to it: from now on its port refuses.
    pub async fn stop(&self) {
        let server = self.server.lock().unwrap().take();
        if let Some(server) = server {
            server.shutdown_background();
        }
        let host = self.address.trim_start_matches("http://");
        let host = host.trim_end_matches('/').to_owned();
        wait_until("the port to refuse", SOON, || async {
            TcpStream::connect(&host).await.err().map(|_| ())
        })
        .await;
    }

    /// The paths asked for so far, by pages and their workers.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The address of `path`, which begins with `/`.
    pub fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.address.trim_end_matches('/'))
    }

    /// The same server as another site, of which the page knows nothing.
    pub fn elsewhere(&self, path: &str) -> String {
        self.address_of(path).replace("127.0.0.1", "localhost")
    }

    /// How often a page was asked for since the start.
    pub fn n_pages(&self) -> usize {
        // Each of the page's folders is asked for by opening or reloading it, and by nothing else.
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|path| path.ends_with('/')).count()
    }

    /// The driver's process; the browser's are its children.
    pub fn driver_process_id(&self) -> u32 {
        self.driver.process_id()
    }

    /// Opens `path` in a new browser with an empty profile; Chromium's window is 1280 × 900.
    pub async fn open(&self, path: &str) -> Page {
        self.open_address(&self.address_of(path)).await
    }

    /// Opens a file of this machine, as a double click does.
    pub async fn open_file(&self, file: &Path, query: &str) -> Page {
        self.open_address(&format!("file://{}{query}", file.display()))
            .await
    }

    async fn open_address(&self, address: &str) -> Page {
        self.open_with(address, &WAKEFUL).await
    }

    /// The same in a browser that lets pages in the background rest, as visitors' do.
    pub async fn open_restful(&self, path: &str) -> Page {
        self.open_with(&self.address_of(path), &[]).await
    }

    /// The same in a browser that gives pages no private file system: a private window of Firefox, and Chromium
    /// without that feature.
    pub async fn open_without_files(&self, path: &str) -> Page {
        let without = "--disable-blink-features=FileSystemAccessOriginPrivate";
        let private = json!({ "browser.privatebrowsing.autostart": true });
        let args = [&WAKEFUL[..], &[without]].concat();
        self.open_as(&self.address_of(path), &args, private).await
    }

    /// The same in a Firefox that gives pages of one site 60 MB; Chromium is told by its devtools.
    pub async fn open_with_little_room(&self, path: &str) -> Page {
        // In kilobytes for all sites, of which one gets a fifth.
        let prefs = json!({ "dom.quotaManager.temporaryStorage.fixedLimit": 300_000 });
        self.open_as(&self.address_of(path), &WAKEFUL, prefs).await
    }

    async fn open_with(&self, address: &str, chromium_args: &[&str]) -> Page {
        self.open_as(address, chromium_args, json!({})).await
    }

    async fn open_as(&self, address: &str, chromium_args: &[&str], firefox_prefs: Value) -> Page {
        let watch = Watch::start().await;
        let capabilities = match self.browser {
            Browser::Chromium => self.chromium(&watch, chromium_args),
            Browser::Firefox => self.firefox(&watch, firefox_prefs),
        };
        let capabilities = capabilities
            .as_object()
            .expect("an object was written")
            .clone();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.driver.address())
            .await
            .expect("the browser starts");
        if let Ok(Some(session)) = client.session_id().await {
            self.driver.adopt(session);
        }
        let printed = match self.browser {
            Browser::Chromium => None,
            Browser::Firefox => Some(self.driver.output()),
        };
        let page = Page::new(
            client,
            watch,
            &self.address,
            self.root.join("target/screenshots"),
            printed,
        );
        page.goto(address).await;
        page
    }

    fn chromium(&self, watch: &Watch, more: &[&str]) -> Value {
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
        args.extend(more);
        json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": self.programs.browser,
                "args": args,
                "perfLoggingPrefs": { "enableNetwork": true },
            },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        })
    }

    fn firefox(&self, watch: &Watch, more: Value) -> Value {
        // The page's console and not the browser's own.
        let mut prefs = json!({ "devtools.console.stdout.content": true, "devtools.console.stdout.chrome": false });
        let all = prefs.as_object_mut().expect("an object was written");
        all.extend(more.as_object().expect("an object is given").clone());
        json!({
            "browserName": "firefox",
            "moz:firefoxOptions": {
                "binary": self.programs.browser,
                "args": ["-headless"],
                "prefs": prefs,
            },
            "proxy": { "proxyType": "manual", "httpProxy": watch.address(), "sslProxy": watch.address() },
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // A runtime may not be dropped where others wait for it, which is what tests do.
        if let Some(server) = self.server.lock().unwrap().take() {
            server.shutdown_background();
        }
    }
}

fn tree() -> SourceTree {
    SourceTree::find().expect("tests run in the repository")
}

/// Builds once per run of the tests, and not at all if `cargo run` has.
fn built(tree: &SourceTree) -> PathBuf {
    static DIST: OnceLock<PathBuf> = OnceLock::new();
    DIST.get_or_init(
        || match build(tree, &BuildOptions::for_tree(tree), Progress::new()) {
            Ok(built) => built.dist,
            Err(error) => panic!("the page cannot be built: {error}"),
        },
    )
    .clone()
}
