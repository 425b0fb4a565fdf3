//! `serve`: builds the page unless told not to, serves it, prints its address as the last line.

use super::{CliError, Output};
use crate::site::{
    BuildOptions, Isolation, Port, Progress, ServeOptions, Server, SiteError, SourceTree, build,
};
use std::path::PathBuf;

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
}

/// Serves until Ctrl-C.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let dist = if args.no_build {
        match &args.dir {
            Some(dir) => dir.clone(),
            None => SourceTree::find()?.dist(),
        }
    } else {
        let tree = SourceTree::find()?;
        let out = args.dir.clone().unwrap_or_else(|| tree.dist());
        build(
            &tree,
            &BuildOptions {
                out,
                ..BuildOptions::for_tree(&tree)
            },
            Progress::new(),
        )?
        .dist
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
        #[derive(serde::Serialize)]
        struct Serving {
            address: String,
        }
        output.print(
            &Serving {
                address: server.address(),
            },
            |serving| serving.address.clone(),
        )?;
        server.run_until_interrupted().await?;
        Ok(())
    })
}
