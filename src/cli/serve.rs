//! `serve`: builds the page unless told not to, serves it, prints its address as the last line.
//!
//! The page is served with the plain build of its worker; the other builds are added while it is served.

use super::{CliError, Output};
use crate::site::{
    self, BuildOptions, FirstPage, Isolation, Port, Progress, ServeOptions, Server, SiteError,
    SourceTree,
};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Set by Ctrl-C, which also ends the build of further workers.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Arguments of `serve`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// The port to listen on; without it 8080 or the next free one
    #[arg(long)]
    port: Option<u16>,
    /// The folder to build into and serve; default: `dist` beside Cargo.toml
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Serve the folder as it is
    #[arg(long)]
    no_build: bool,
    /// Whether pages may share memory between threads (COOP and COEP headers); `off` is what a plain static host does
    #[arg(long, value_enum, default_value_t)]
    isolate: Isolation,
    /// A folder of OWNER/NAME folders, served as a mirror of the Hub on the next free port, for `?endpoint=`
    #[arg(long, value_name = "DIR")]
    mirror: Option<PathBuf>,
}

/// Serves until Ctrl-C.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    // A wrong folder is reported before the build, which takes minutes.
    let mirror = args
        .mirror
        .as_deref()
        .map(site::mirror::router)
        .transpose()?;
    let progress = Progress::new().until(&INTERRUPTED);
    let (dist, page) = if args.no_build {
        let dist = match &args.dir {
            Some(dir) => dir.clone(),
            None => SourceTree::find()?.dist(),
        };
        (dist, None)
    } else {
        let tree = SourceTree::find()?;
        let options = BuildOptions {
            out: args.dir.clone().unwrap_or_else(|| tree.dist()),
            ..BuildOptions::for_tree(&tree)
        };
        let page = FirstPage::build(&tree, &options, progress)?;
        (page.dist().to_owned(), Some(page))
    };
    let options = ServeOptions {
        dir: dist,
        isolation: args.isolate,
        ..ServeOptions::default()
    };
    let port = args
        .port
        .map_or(Port::FirstFreeFrom(Port::DEFAULT), Port::Exactly);
    let runtime = tokio::runtime::Runtime::new().map_err(SiteError::Runtime)?;
    runtime.block_on(async {
        let server = Server::bind(port, &options).await?;
        let mirror = match mirror {
            None => None,
            Some(router) => {
                let port = Port::FirstFreeFrom(server.port().saturating_add(1));
                Some(Server::bind_router(port, router, "/").await?)
            }
        };
        #[derive(serde::Serialize)]
        struct Serving {
            address: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            mirror: Option<String>,
        }
        let address = server.address();
        let serving = Serving {
            address: address.clone(),
            mirror: mirror.as_ref().map(Server::address),
        };
        output.print(&serving, |Serving { address, mirror }| match mirror {
            None => address.clone(),
            Some(mirror) => format!(
                "models are read from the mirror with {address}?endpoint={mirror}&model=OWNER/NAME\n{address}"
            ),
        })?;
        if let Some(mirror) = mirror {
            tokio::spawn(mirror.run());
        }
        let workers = page
            .filter(FirstPage::is_incomplete)
            .map(|page| thread::spawn(move || add_workers(page, &address, progress)));
        server.run_until_interrupted().await?;
        INTERRUPTED.store(true, Ordering::Relaxed);
        if let Some(workers) = workers {
            // A panic of that thread has been printed already.
            let _ = workers.join();
        }
        Ok(())
    })
}

/// Adds the other builds of the worker to a page that is being served. An error leaves that page as it is.
fn add_workers(page: FirstPage, address: &str, progress: Progress) {
    match page.complete(progress) {
        Ok(_) => progress.note("all builds of the worker are there"),
        Err(_) if progress.is_interrupted() => {}
        Err(error) => progress.note(&format!(
            "not all builds of the worker are there, the page runs with the others: {error}; {}",
            error.hint()
        )),
    }
    if !progress.is_interrupted() {
        // In a terminal, the lines of the builds have moved it up.
        eprintln!("{address}");
    }
}
