//! The built page on a server of its own, and browsers on it.

use super::page::Page;
use super::programs::{Browser, Programs};
use super::routes::routes;
use super::session::{Profile, Session};
use super::{SOON, wait_until};
use crate::support::shared::skipped;
use axum::extract::Request;
use axum::middleware::map_request;
use huggingtweets::site::{
    BuildOptions, Isolation, Port, Progress, Server, Sizes, SourceTree, build,
};
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// A server of [`routes`], and a kind of browser to open its pages in.
pub struct Site {
    server: Mutex<Option<Runtime>>,
    address: String,
    root: PathBuf,
    browser: Browser,
    programs: Programs,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// The page served with isolation, as by `cargo run --release`, for Chromium.
    pub async fn start() -> Self {
        Self::start_with(Isolation::On).await
    }

    /// Builds the page if needed and serves it, for Chromium.
    pub async fn start_with(isolation: Isolation) -> Self {
        let programs = Browser::Chromium.programs(&tree());
        let programs = programs.unwrap_or_else(|error| panic!("the tests need Chromium: {error}"));
        Self::start_on(Browser::Chromium, programs, isolation).await
    }

    /// The same for any browser; `None`, with a note on standard error, where Firefox or WebKit cannot be installed.
    pub async fn start_in(browser: Browser, isolation: Isolation) -> Option<Self> {
        match browser {
            Browser::Chromium => Some(Self::start_with(isolation).await),
            Browser::Firefox | Browser::WebKit => match browser.programs(&tree()) {
                Ok(programs) => Some(Self::start_on(browser, programs, isolation).await),
                Err(error) => {
                    skipped(&format!(
                        "this test needs {browser:?} and its driver: {error}"
                    ));
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
        // Apart from the test's runtime, so that the server can be stopped with all its connections.
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
        Self {
            server: Mutex::new(Some(runtime)),
            address,
            root: tree.root().to_owned(),
            browser,
            programs,
            requests,
        }
    }

    /// The built folder.
    pub fn dist(&self) -> PathBuf {
        built(&tree())
    }

    /// The sizes of a visitor's files; compressing them takes seconds, once per run of the tests.
    pub fn sizes(&self) -> &'static Sizes {
        static SIZES: OnceLock<Sizes> = OnceLock::new();
        SIZES.get_or_init(|| {
            let sizes = Sizes::of_visitor(&self.dist(), Progress::new());
            sizes.expect("the built folder can be read")
        })
    }

    /// Ends the server with every connection, so that its port refuses.
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

    /// Paths requested so far by pages and their workers.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The address of `path`, which begins with `/`.
    pub fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.address.trim_end_matches('/'))
    }

    /// The address of `path` under another name, so that it is another site.
    pub fn elsewhere(&self, path: &str) -> String {
        self.address_of(path).replace("127.0.0.1", "localhost")
    }

    /// Number of pages requested so far.
    pub fn n_pages(&self) -> usize {
        // Only opening or reloading a page requests a folder.
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|path| path.ends_with('/')).count()
    }

    /// Opens `path` in a browser with empty storage; Chromium's window is 1280 × 900.
    pub async fn open(&self, path: &str) -> Page {
        self.open_in(path, Profile::Usual).await
    }

    /// The same in a browser with this profile.
    pub async fn open_in(&self, path: &str, profile: Profile) -> Page {
        let programs = &self.programs;
        let origin = self.address.trim_end_matches('/');
        let session = Session::lend(self.browser, profile, programs, origin).await;
        let page = Page::new(session, &self.address, self.screenshots());
        page.goto(&self.address_of(path)).await;
        page
    }

    /// The same in a browser without other pages before or after, whose memory can be measured.
    pub async fn open_alone(&self, path: &str) -> Page {
        self.open_address_alone(&self.address_of(path)).await
    }

    /// Opens a file of this machine, as a double click does.
    pub async fn open_file(&self, file: &Path, query: &str) -> Page {
        // Files have no origin of their own.
        self.open_address_alone(&format!("file://{}{query}", file.display()))
            .await
    }

    async fn open_address_alone(&self, address: &str) -> Page {
        let session = Session::start(self.browser, Profile::Usual, self.programs.clone()).await;
        let page = Page::new(session, &self.address, self.screenshots()).and_end();
        page.goto(address).await;
        page
    }

    fn screenshots(&self) -> PathBuf {
        self.root.join("target/screenshots")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Dropping a runtime blocks, and asynchronous code must not.
        if let Some(server) = self.server.lock().unwrap().take() {
            server.shutdown_background();
        }
    }
}

fn tree() -> SourceTree {
    SourceTree::find().expect("tests run in the repository")
}

/// Builds the page once per run of the tests, unless it is up to date.
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
