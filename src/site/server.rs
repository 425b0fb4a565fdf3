//! Serves the built folder on this machine as a static host does, with or without the headers of isolation.

use super::{SiteError, one_file, representation};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{Redirect, Response};
use axum::routing::get;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::net::TcpListener;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

/// The page's security policy. Requests to other hosts are for models and pictures that the visitor asks for by address.
pub const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; \
    style-src 'self'; img-src 'self' data: https: http:; connect-src 'self' https: http:; object-src 'none'; \
    base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types default huggingtweets";

/// [`POLICY`] of a page at `host`, as a request names it: with the page's own origin beside each `'self'`, because WebKit
/// finds no `'self'` in a sandboxed frame.
pub fn policy(host: Option<&str>) -> String {
    let is_host = |host: &&str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        !host.is_empty() && host.chars().all(is_plain)
    };
    match host.filter(is_host) {
        // A page at https: takes it for its own origin, too.
        Some(host) => POLICY.replace("'self'", &format!("'self' http://{host}")),
        None => POLICY.to_owned(),
    }
}

async fn with_policy(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let policy = policy(host.and_then(|host| host.to_str().ok()));
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(policy);
    }
    answer
}

/// Whether pages may share memory between threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Isolation {
    /// With `Cross-Origin-Opener-Policy` and `Cross-Origin-Embedder-Policy`.
    #[default]
    On,
    /// Without these headers, as on hosts that allow none.
    Off,
}

/// Which port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// This port only.
    Exactly(u16),
    /// This port or the next free one.
    FirstFreeFrom(u16),
}

impl Port {
    /// The first port tried by default.
    pub const DEFAULT: u16 = 8080;
    /// How many ports are tried.
    const TRIES: u16 = 100;
}

/// The folder to serve, and how.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The built folder.
    pub dir: PathBuf,
    /// Whether pages are isolated.
    pub isolation: Isolation,
    /// The path of the folder on the server, with a slash at both ends: `/` or `/some/sub/path/`.
    pub mount: String,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            dir: "dist".into(),
            isolation: Isolation::On,
            mount: "/".to_owned(),
        }
    }
}

/// A server that has its port and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    mount: String,
}

impl Server {
    /// Takes a port of 127.0.0.1.
    ///
    /// # Errors
    /// [`SiteError::NotBuilt`] without an `index.html`; [`SiteError::PortTaken`]; [`SiteError::CannotListen`].
    pub async fn bind(port: Port, options: &ServeOptions) -> Result<Self, SiteError> {
        if !options.dir.join("index.html").is_file() {
            return Err(SiteError::NotBuilt {
                dir: options.dir.clone(),
            });
        }
        Self::bind_router(port, router(options), &options.mount).await
    }

    /// Takes a port for any router; `mount` is the path that [`Server::address`] ends with.
    ///
    /// # Errors
    /// [`SiteError::PortTaken`], [`SiteError::CannotListen`].
    pub async fn bind_router(port: Port, router: Router, mount: &str) -> Result<Self, SiteError> {
        let listener = listen(port).await?;
        let address = listener
            .local_addr()
            .map_err(|source| SiteError::CannotListen { port: 0, source })?;
        Ok(Self {
            listener,
            address,
            router,
            mount: mount.to_owned(),
        })
    }

    /// The address of the page.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}{}", self.address, self.mount)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// [`SiteError::ServerStopped`].
    pub async fn run(self) -> Result<(), SiteError> {
        axum::serve(self.listener, self.router)
            .await
            .map_err(SiteError::ServerStopped)
    }

    /// Serves until Ctrl-C; open connections are cut.
    ///
    /// # Errors
    /// [`SiteError::ServerStopped`].
    pub async fn run_until_interrupted(self) -> Result<(), SiteError> {
        tokio::select! {
            stopped = self.run() => stopped,
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(SiteError::ServerStopped),
        }
    }
}

/// A router for the files of the folder, with ranges, HEAD and types by ending, compressed where the folder has the
/// file compressed and the browser takes it.
///
/// Browsers revalidate their copies, but of the files that are named by their hash.
pub fn router(options: &ServeOptions) -> Router {
    // The page in one file consists of inline scripts and states a policy of its own.
    let one_file = ServeFile::new(options.dir.join(one_file::NAME))
        .precompressed_br()
        .precompressed_gzip();
    let files = ServeDir::new(&options.dir)
        .precompressed_br()
        .precompressed_gzip();
    let files = Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(with_policy))
        .route_service(&format!("/{}", one_file::NAME), one_file)
        .layer(middleware::from_fn(representation::represent));
    let mount = options.mount.trim_end_matches('/');
    let router = if mount.is_empty() {
        files
    } else {
        // Relative addresses need the slash at the end.
        let with_slash = format!("{mount}/");
        Router::new().nest_service(&with_slash, files).route(
            mount,
            get(move || async move { Redirect::permanent(&with_slash) }),
        )
    };
    let router = with_header(router, header::CACHE_CONTROL, "no-cache");
    let router = with_header(router, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Pages of other sites, and sandboxed frames, whose origin is none, may load the files.
    let router = with_header(router, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    let router = with_header(
        router,
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    );
    match options.isolation {
        Isolation::Off => router,
        Isolation::On => {
            let router = with_header(
                router,
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            );
            with_header(
                router,
                HeaderName::from_static("cross-origin-embedder-policy"),
                "require-corp",
            )
        }
    }
}

fn with_header(router: Router, name: HeaderName, value: &'static str) -> Router {
    router.layer(SetResponseHeaderLayer::if_not_present(
        name,
        HeaderValue::from_static(value),
    ))
}

async fn listen(port: Port) -> Result<TcpListener, SiteError> {
    let (first, tries) = match port {
        Port::Exactly(port) => (port, 1),
        Port::FirstFreeFrom(port) => (port, Port::TRIES),
    };
    let mut port = first;
    for candidate in (first..=u16::MAX).take(usize::from(tries)) {
        port = candidate;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, candidate)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(source) => {
                return Err(SiteError::CannotListen {
                    port: candidate,
                    source,
                });
            }
        }
    }
    Err(SiteError::PortTaken { port })
}
