//! Serves the built folder on this machine as a static host does, with or without isolation.

use super::SiteError;
use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Redirect;
use axum::routing::get;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// Whether pages may share memory between threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Isolation {
    /// With `Cross-Origin-Opener-Policy` and `Cross-Origin-Embedder-Policy`.
    #[default]
    On,
    /// Without, as hosts do that let nobody set headers.
    Off,
}

/// Which port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// This one or none.
    Exactly(u16),
    /// This one or the next that is free.
    FirstFreeFrom(u16),
}

impl Port {
    /// Where the page is if nothing else is there.
    pub const DEFAULT: u16 = 8080;
    /// How many are tried after each other.
    const TRIES: u16 = 100;
}

/// What is served and how.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The built folder.
    pub dir: PathBuf,
    /// Whether its pages are isolated.
    pub isolation: Isolation,
    /// The folder's place on the server, `/` at both ends: `/` or `/some/sub/path/`.
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

/// A server that has its port and waits to be run.
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

    /// What to type into a browser.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}{}", self.address, self.mount)
    }

    /// The port it has.
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

    /// Serves until Ctrl-C, which does not wait for open connections.
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

/// The folder as a router: files, ranges, HEAD, types by ending, nothing outside the folder.
///
/// Browsers ask again before they use a copy, because some file names stay from build to build.
pub fn router(options: &ServeOptions) -> Router {
    let files = ServeDir::new(&options.dir);
    let mount = options.mount.trim_end_matches('/');
    let router = if mount.is_empty() {
        Router::new().fallback_service(files)
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
    match options.isolation {
        Isolation::Off => router,
        Isolation::On => {
            let router = with_header(
                router,
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            );
            let router = with_header(
                router,
                HeaderName::from_static("cross-origin-embedder-policy"),
                "require-corp",
            );
            with_header(
                router,
                HeaderName::from_static("cross-origin-resource-policy"),
                "same-origin",
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
