//! The built page on a server of its own, at the root and in a sub-folder, with some broken models beside it.

use super::driver::Driver;
use super::page::Page;
use super::programs::programs;
use super::watch::Watch;
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::map_request;
use axum::response::Html;
use axum::routing::get;
use fantoccini::ClientBuilder;
use huggingtweets::site::{
    BuildOptions, Isolation, Port, Progress, ServeOptions, Server, SourceTree, build, server,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use tower_http::services::ServeDir;

/// A folder deep enough that no absolute address would work.
pub const SUB_PATH: &str = "/some/sub/path/";

/// A server and a driver; opens pages.
///
/// Served are the built page at `/` and at [`SUB_PATH`]; the files of `tests/fixtures/` under `/fixtures/`;
/// and models that are none: `/broken/truncated.gguf` (half of the bundled one), `/broken/page.gguf`
/// (200 and HTML, as some hosts answer for a missing file), `/broken/missing.gguf` (404),
/// `/broken/noise.gguf` (bytes without meaning); whatever a test puts into `target/tmp/` under `/made/`.
pub struct Site {
    address: String,
    root: PathBuf,
    driver: Driver,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// As `cargo run --release` serves it: isolated.
    pub async fn start() -> Self {
        Self::start_with(Isolation::On).await
    }

    /// Builds the page if needed, serves it, starts a driver.
    pub async fn start_with(isolation: Isolation) -> Self {
        let tree = SourceTree::find().expect("tests run in the repository");
        let dist = built(&tree);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let router =
            routes(&dist, tree.root(), isolation).layer(map_request(move |request: Request| {
                seen.lock().unwrap().push(request.uri().path().to_owned());
                ready(request)
            }));
        let server = Server::bind_router(Port::Exactly(0), router, "/")
            .await
            .expect("a port is free");
        let address = server.address();
        tokio::spawn(server.run());
        let driver = Driver::start(&programs(&tree)).await;
        Self {
            address,
            root: tree.root().to_owned(),
            driver,
            requests,
        }
    }

    /// The paths asked for so far, by pages and their workers.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The address of `path`, which begins with `/`.
    pub fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.address.trim_end_matches('/'))
    }

    /// Opens `path` in a new browser with an empty profile, 1280 × 900.
    pub async fn open(&self, path: &str) -> Page {
        let tree = SourceTree::find().expect("tests run in the repository");
        let watch = Watch::start().await;
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": programs(&tree).browser,
                "args": [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1280,900",
                    // Several browsers share the machine: none may sleep because it is not in front.
                    "--disable-renderer-backgrounding", "--disable-background-timer-throttling",
                    "--disable-backgrounding-occluded-windows",
                    watch.option(),
                ],
                "perfLoggingPrefs": { "enableNetwork": true },
            },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let capabilities = capabilities
            .as_object()
            .expect("an object was written")
            .clone();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.driver.address())
            .await
            .expect("Chromium starts");
        if let Ok(Some(session)) = client.session_id().await {
            self.driver.adopt(session);
        }
        let page = Page::new(
            client,
            watch,
            &self.address,
            self.root.join("target/screenshots"),
        );
        page.goto(&self.address_of(path)).await;
        page
    }
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

fn routes(dist: &Path, root: &Path, isolation: Isolation) -> Router {
    let at = |mount: &str| ServeOptions {
        dir: dist.to_owned(),
        isolation,
        mount: mount.to_owned(),
    };
    let bundled = std::fs::read(root.join("assets/model/bundled.gguf")).unwrap_or_default();
    let half = bundled[..bundled.len() / 2].to_vec();
    let octets = || [(header::CONTENT_TYPE, "application/octet-stream")];
    server::router(&at(SUB_PATH))
        .route(
            "/broken/truncated.gguf",
            get(move || async move { (octets(), half) }),
        )
        .route(
            "/broken/page.gguf",
            get(|| async { Html("<!doctype html><title>not here</title>") }),
        )
        .route(
            "/broken/missing.gguf",
            get(|| async { StatusCode::NOT_FOUND }),
        )
        .route(
            "/broken/noise.gguf",
            get(move || async move {
                let noise: Vec<u8> = (0..100_000_u32)
                    .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
                    .collect();
                (octets(), noise)
            }),
        )
        .nest_service("/made", ServeDir::new(env!("CARGO_TARGET_TMPDIR")))
        .nest_service("/fixtures", ServeDir::new(root.join("tests/fixtures")))
        .fallback_service(server::router(&at("/")))
}
