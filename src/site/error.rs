//! `SiteError`: why the page cannot be built or served, and the next step for the reader.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// An error of building or serving the page. Its text is the fact; [`SiteError::hint`] tells the next step.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Started outside the repository.
    #[error("no sources to build from in `{from}` or above it", from = from.display())]
    NoSources {
        /// Where the search began.
        from: PathBuf,
    },
    /// `serve --no-build` or `sizes` without a built page.
    #[error("there is no page in `{dir}`", dir = dir.display())]
    NotBuilt {
        /// The folder.
        dir: PathBuf,
    },
    /// `build --out` of a folder with files of other programs, which a build would delete.
    #[error("`{dir}` has files that are not a built page", dir = dir.display())]
    NotAPage {
        /// The folder.
        dir: PathBuf,
    },
    /// No Rust that can build for the browser, and no way to install one.
    #[error("no Rust toolchain here can build for the browser")]
    NoToolchain {
        /// The command that installs one.
        remedy: String,
    },
    /// System packages are missing and cannot be installed from here.
    #[error("`{}` missing and not installable from here", packages.join("`, `"))]
    PackagesMissing {
        /// Names of the packages.
        packages: Vec<String>,
        /// The command that installs them.
        remedy: String,
    },
    /// A program ended with a failure.
    #[error("cannot {step}: {reason}")]
    StepFailed {
        /// The step.
        step: String,
        /// Exit status, time limit or interruption.
        reason: String,
        /// The file with the program's whole output.
        log: PathBuf,
    },
    /// A program could not be started.
    #[error("cannot start `{program}`: {source}")]
    CannotStart {
        /// The program.
        program: String,
        /// The system's error.
        source: io::Error,
    },
    /// A tool's sources are not among the packages that cargo downloaded.
    #[error("cargo's home has no sources of `{package}`, which cargo has downloaded")]
    NoToolSources {
        /// The package.
        package: &'static str,
    },
    /// This process has no home folder, so no place for tools.
    #[error("there is no home folder to keep tools in")]
    NoHome,
    /// wasm-bindgen refuses a compiled program.
    #[error("cannot bind `{program}` to JavaScript: {source}", program = program.display())]
    NotBound {
        /// The program.
        program: PathBuf,
        /// wasm-bindgen's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// `www/index.html` has a `data-trunk` link that the site's build does not know.
    #[error("`{tag}` in www/index.html asks for an unknown kind of asset")]
    UnknownAsset {
        /// The tag as the document has it.
        tag: String,
    },
    /// The built `index.html` has a part that the page in one file has no place for, or lacks a part.
    #[error("the page in one file has no place for `{part}` of the built index.html")]
    NotInOneFile {
        /// The part.
        part: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {doing} `{path}`: {source}", path = path.display())]
    File {
        /// "read", "write", …
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The path of `serve --mirror` is not a folder.
    #[error("there is no folder `{dir}` to serve models from", dir = dir.display())]
    NoMirror {
        /// The path.
        dir: PathBuf,
    },
    /// The requested port is in use.
    #[error("port {port} is taken")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The system refuses every port.
    #[error("cannot listen on 127.0.0.1, port {port}: {source}")]
    CannotListen {
        /// The port tried last.
        port: u16,
        /// The system's error.
        source: io::Error,
    },
    /// The server stopped by itself.
    #[error("the server stopped: {0}")]
    ServerStopped(#[source] io::Error),
    /// The server's threads could not be started.
    #[error("cannot start the server's threads: {0}")]
    Runtime(#[source] io::Error),
}

impl SiteError {
    /// The next step for the reader of the error.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoSources { .. } => "start this inside the cloned repository, or serve a built folder with \
                `serve --no-build --dir FOLDER`"
                .to_owned(),
            Self::NotBuilt { .. } => "build it with `cargo run --release -- build`".to_owned(),
            Self::NotAPage { .. } => "name a new or an empty folder with `--out`".to_owned(),
            Self::NoToolchain { remedy } | Self::PackagesMissing { remedy, .. } => {
                format!("run `{remedy}`, then start again")
            }
            Self::StepFailed { log, .. } => format!(
                "the end of its output stands above, all of it in `{}`",
                log.display()
            ),
            Self::CannotStart { program, .. } => format!("check that `{program}` is installed"),
            Self::NoToolSources { package } => format!("install it with `cargo install {package}`"),
            Self::NoHome => "set HOME or XDG_CACHE_HOME to a writable folder".to_owned(),
            Self::NotBound { .. } => {
                "wasm-bindgen and wasm-bindgen-cli-support must have one version in Cargo.lock; \
                 restore it with `git checkout Cargo.lock`"
                    .to_owned()
            }
            Self::UnknownAsset { .. } => "add this kind of file to src/site/assemble.rs".to_owned(),
            Self::NotInOneFile { .. } => "give this part a place in src/site/one_file.rs".to_owned(),
            Self::File { .. } => "check permissions and free space".to_owned(),
            Self::NoMirror { .. } => {
                "give `--mirror` a folder that holds OWNER/NAME folders, each laid out as on the Hub"
                    .to_owned()
            }
            Self::PortTaken { .. } => {
                "name another with `--port`, or leave it out to get the next free one".to_owned()
            }
            Self::CannotListen { .. } => "name another port with `--port`".to_owned(),
            Self::ServerStopped(_) => "start it again".to_owned(),
            Self::Runtime(_) => "end some other processes and start again".to_owned(),
        }
    }

    /// For `map_err` on a file operation: the operation and its path.
    pub fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }
}
