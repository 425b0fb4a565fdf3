//! What can go wrong between the sources and a served page, each with what to do next.

use std::io;
use std::path::PathBuf;

/// An error of building or serving the page.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Started outside the repository.
    #[error("no sources to build from in `{from}` or above it; start this inside the cloned repository, or serve a built folder with `serve --no-build --dir FOLDER`", from = from.display())]
    NoSources {
        /// Where the search began.
        from: PathBuf,
    },
    /// `serve --no-build` or `sizes` without a built page.
    #[error("there is no page in `{dir}`; build it with `cargo run --release -- build`", dir = dir.display())]
    NotBuilt {
        /// The folder looked into.
        dir: PathBuf,
    },
    /// No Rust that can build for the browser, and none could be installed.
    #[error(
        "no Rust toolchain here can build for the browser; install one with `{remedy}` and start again"
    )]
    NoToolchain {
        /// The one command to give.
        remedy: String,
    },
    /// System packages are missing and cannot be installed from here.
    #[error("`{}` missing and not installable from here; install with `{remedy}` and start again", packages.join("`, `"))]
    PackagesMissing {
        /// Names of the packages.
        packages: Vec<String>,
        /// The one command to give.
        remedy: String,
    },
    /// A program that was started did not succeed.
    #[error("{step} failed ({reason}); the end of its output stands above, all of it in `{log}`", log = log.display())]
    StepFailed {
        /// What was being done.
        step: String,
        /// Exit status or time limit.
        reason: String,
        /// Its whole output.
        log: PathBuf,
    },
    /// A program could not be started.
    #[error("cannot start `{program}`: {source}; is it installed?")]
    CannotStart {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// `Cargo.lock` does not name a package that the build needs.
    #[error(
        "Cargo.lock names no version of `{package}`; restore it with `git checkout Cargo.lock`"
    )]
    NotInLock {
        /// The package.
        package: &'static str,
    },
    /// The built `index.html` is not made as the page in one file needs it.
    #[error(
        "`{what}` in the built index.html has no place in one file; teach src/site/one_file.rs about it"
    )]
    NotInOneFile {
        /// What was found, or was missed.
        what: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {doing} `{path}`: {source}; check permissions and free space", path = path.display())]
    File {
        /// "read", "write", …
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `serve --mirror` of something else than a folder.
    #[error("there is no folder `{dir}` to serve models from; give `--mirror` a folder that holds OWNER/NAME folders, each laid out as on the Hub", dir = dir.display())]
    NoMirror {
        /// As given.
        dir: PathBuf,
    },
    /// The port asked for is in use.
    #[error(
        "port {port} is taken; name another with `--port`, or leave it out to get the next free one"
    )]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// No port could be had.
    #[error("cannot listen on 127.0.0.1, port {port}: {source}; name another with `--port`")]
    CannotListen {
        /// The port tried last.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The server stopped by itself.
    #[error("the server stopped: {0}; start it again")]
    ServerStopped(#[source] io::Error),
    /// No runtime for the server.
    #[error("cannot start the server's threads: {0}; are there too many processes?")]
    Runtime(#[source] io::Error),
}

impl SiteError {
    /// For `map_err` on a file operation: what was being done to which path.
    pub fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }
}
