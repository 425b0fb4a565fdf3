//! `build`: builds the page as a folder of static files.

use super::{CliError, Output};
use crate::site::{BuildOptions, Progress, SourceTree, build};
use std::path::PathBuf;

/// Arguments of `build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to write; default: `dist` beside Cargo.toml
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where the folder will be reachable; the default `./` works anywhere
    #[arg(long, value_name = "PATH", default_value = BuildOptions::RELATIVE)]
    public_url: String,
}

/// Builds the page.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let tree = SourceTree::find()?;
    let options = BuildOptions {
        out: args.out.clone().unwrap_or_else(|| tree.dist()),
        public_url: args.public_url.clone(),
    };
    let built = build(&tree, &options, Progress::new())?;
    output.print(&built, |built| format!("{}", built.dist.display()))
}
