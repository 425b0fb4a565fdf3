//! The routes of the tests' server: the page in several folders, broken models, and files of another site.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{Html, Response};
use axum::routing::get;
use huggingtweets::site::{Isolation, ServeOptions, server};
use std::future::ready;
use std::path::Path;
use std::time::Duration;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// A folder in which absolute addresses fail.
pub const SUB_PATH: &str = "/some/sub/path/";

/// A fault of the service worker on the host. The page with it is served at [`ServiceWorker::path`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceWorker {
    /// Not uploaded.
    Missing,
    /// Uploaded, with a bug in every answer.
    Failing,
}

impl ServiceWorker {
    /// The folder of the page with this service worker.
    pub fn path(self) -> &'static str {
        match self {
            ServiceWorker::Missing => "/service-worker/missing/",
            ServiceWorker::Failing => "/service-worker/failing/",
        }
    }
}

/// The built page at `/`, at [`SUB_PATH`] and at each [`ServiceWorker::path`]; `tests/fixtures/` at `/fixtures/`;
/// `target/tmp/`, for files that a test makes, at `/made/`; a worker that tells whether it is isolated at
/// `/ask_worker.js`.
///
/// Broken models: `/broken/truncated.gguf` (half of the bundled model), `/broken/page.gguf` (status 200 and HTML, as
/// some hosts answer for a missing file), `/broken/missing.gguf` (status 404), `/broken/noise.gguf` (random bytes).
///
/// Files of another site, which is the same server under another name: `/elsewhere/picture.svg`,
/// `/elsewhere/bundled.gguf` (with CORS), `/elsewhere/frame`, a page with an empty frame, and
/// `/elsewhere/isolated-frame`, the same with the headers of isolation. `/elsewhere/host?html=…&header=NAME: VALUE` answers
/// with this document and these headers.
///
/// `/no-engine/` lacks `engine.html`. `/slow-maker/` sends the maker's program after three seconds. Hosts with headers of their own: `/charset/` states a character set for programs; `/policy/no-wasm/`,
/// `/policy/no-scripts/`, `/policy/no-worker/` and `/policy/no-types/` forbid what they are named by;
/// `/policy/blob-worker/` allows the module's worker in one form alone.
pub fn routes(dist: &Path, root: &Path, isolation: Isolation) -> Router {
    let at = |mount: &str| {
        server::router(&ServeOptions {
            dir: dist.to_owned(),
            isolation,
            mount: mount.to_owned(),
        })
    };
    let sw = std::fs::read_to_string(dist.join("sw.js")).expect("the page has a service worker");
    let bug = "self.Headers = class { constructor() { throw new Error('bug'); } };";
    let (missing, failing) = (ServiceWorker::Missing.path(), ServiceWorker::Failing.path());
    Router::new()
        .merge(broken_models(root))
        .merge(elsewhere(root))
        .route(
            "/ask_worker.js",
            script("postMessage(crossOriginIsolated)".to_owned()),
        )
        .route(
            &format!("{missing}sw.js"),
            get(|| async { StatusCode::NOT_FOUND }),
        )
        .nest_service(missing, at("/"))
        .route(&format!("{failing}sw.js"), script(format!("{bug}\n{sw}")))
        .nest_service(failing, at("/"))
        .nest_service(SUB_PATH, at("/"))
        .nest_service(
            "/charset/",
            at("/").layer(map_response(|mut answer: Response| {
                let headers = answer.headers_mut();
                if headers
                    .get(header::CONTENT_TYPE)
                    .is_some_and(|kind| kind == "application/wasm")
                {
                    let kind = HeaderValue::from_static("application/wasm; charset=utf-8");
                    headers.insert(header::CONTENT_TYPE, kind);
                }
                ready(answer)
            })),
        )
        .route(
            "/no-engine/engine.html",
            get(|| async { StatusCode::NOT_FOUND }),
        )
        .nest_service("/no-engine/", at("/"))
        .nest_service("/slow-maker/", at("/").layer(from_fn(slow_maker)))
        .nest_service(
            "/policy/no-wasm/",
            at("/").layer(policy("script-src 'self'")),
        )
        .nest_service(
            "/policy/no-scripts/",
            at("/").layer(policy("script-src 'none'")),
        )
        .nest_service(
            "/policy/no-worker/",
            at("/").layer(policy("worker-src 'none'")),
        )
        .nest_service(
            "/policy/blob-worker/",
            at("/").layer(policy(
                "worker-src blob:; require-trusted-types-for 'script'; trusted-types huggingtweets",
            )),
        )
        .nest_service(
            "/policy/no-types/",
            at("/").layer(policy(
                "require-trusted-types-for 'script'; trusted-types 'none'",
            )),
        )
        .nest_service("/made", ServeDir::new(env!("CARGO_TARGET_TMPDIR")))
        .nest_service("/fixtures", ServeDir::new(root.join("tests/fixtures")))
        .fallback_service(at("/"))
}

/// Sends the maker's program late, other files at once.
async fn slow_maker(request: Request, next: Next) -> Response {
    if request.uri().path().ends_with("/maker_bg.wasm") {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    next.run(request).await
}

fn broken_models(root: &Path) -> Router {
    let whole = bundled(root);
    let half = whole[..whole.len() / 2].to_vec();
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let page = "<!doctype html><title>not here</title>";
    Router::new()
        .route("/broken/truncated.gguf", get(|| async { (OCTETS, half) }))
        .route("/broken/page.gguf", get(move || async move { Html(page) }))
        .route(
            "/broken/missing.gguf",
            get(|| async { StatusCode::NOT_FOUND }),
        )
        .route("/broken/noise.gguf", get(|| async { (OCTETS, noise) }))
}

fn elsewhere(root: &Path) -> Router {
    let model = bundled(root);
    let cors = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    let picture = "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>";
    let svg = [(header::CONTENT_TYPE, "image/svg+xml")];
    let frame = "<!doctype html><title>another site</title><link rel=icon href='data:,'>\
                 <iframe width=800 height=800></iframe>";
    Router::new()
        .route(
            "/elsewhere/bundled.gguf",
            get(move || async move { ([cors], OCTETS, model) }),
        )
        .route(
            "/elsewhere/picture.svg",
            get(move || async move { (svg, picture) }),
        )
        .route("/elsewhere/frame", get(move || async move { Html(frame) }))
        .route("/elsewhere/host", get(stated))
        .route(
            "/elsewhere/isolated-frame",
            get(move || async move { (ISOLATED, Html(frame)) }),
        )
}

/// The document that the address states, with its headers.
async fn stated(address: Uri) -> Response {
    let query = address.query().unwrap_or_default();
    let mut answer = Response::new(Body::empty());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name == "html" {
            *answer.body_mut() = Body::from(value.into_owned());
        } else if let Some((name, value)) = value.split_once(": ") {
            let name = HeaderName::try_from(name).expect("tests state headers");
            let value = HeaderValue::try_from(value).expect("tests state headers");
            answer.headers_mut().insert(name, value);
        }
    }
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, html);
    answer
}

const ISOLATED: [(&str, &str); 2] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
];

/// Replaces the security policy of every answer.
fn policy(policy: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    )
}

const OCTETS: [(header::HeaderName, &str); 1] =
    [(header::CONTENT_TYPE, "application/octet-stream")];

fn bundled(root: &Path) -> Vec<u8> {
    std::fs::read(root.join("assets/model/bundled.gguf")).expect("the model is in the repository")
}

fn script(text: String) -> axum::routing::MethodRouter {
    get(move || async move { ([(header::CONTENT_TYPE, "text/javascript")], text) })
}
