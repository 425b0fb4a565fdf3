//! A Rust that can build for the browser: found, completed by rustup, or installed as system packages.
//!
//! [`Findings`] describe this machine; [`next_step`], a pure function, decides from them how to go on.

use super::{Progress, SiteError, SourceTree, apt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The target of everything that runs in a browser.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// The oldest release that builds this package: `rust-version` in Cargo.toml.
pub const OLDEST: Release = Release {
    major: 1,
    minor: 89,
    patch: 0,
};
/// Debian's packages of a Rust for the browser.
pub const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
/// Longest wait for rustup, which answers soon if its server can be reached.
pub(super) const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// A release of Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl Release {
    /// Reads `1.95.0`, also with a suffix such as `-nightly`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.trim().split(['-', '+', ' ']).next()?;
        let mut parts = numbers.split('.').map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        Some(Self {
            major,
            minor,
            patch,
        })
    }
}

/// An installed Rust with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rust {
    /// The compiler itself, not rustup's proxy.
    pub rustc: PathBuf,
    /// The cargo beside it.
    pub cargo: PathBuf,
    /// Its release.
    pub release: Release,
    /// Its name in rustup, if it is one of rustup's.
    pub rustup_name: Option<String>,
    /// Whether the standard library for [`TARGET`] is there.
    pub has_wasm_std: bool,
    /// Whether the standard library's sources are there.
    pub std_sources: StdSources,
    /// The linker to name, where rustc does not find one by itself.
    pub linker: Linker,
}

/// The sources of a standard library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StdSources {
    /// With their dependencies in `library/vendor`, as Debian packages them.
    Complete,
    /// Without their dependencies, which cargo then fetches, as rustup packages them.
    Alone,
    /// The sources are not there.
    Missing,
}

/// How `rustc` links for the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linker {
    /// With the `rust-lld` of its toolchain.
    Own,
    /// With the system's lld.
    System(PathBuf),
    /// No linker was found, so `rustc` cannot link.
    Missing,
}

/// The state of this machine.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Every usable Rust, the active one first.
    pub rusts: Vec<Rust>,
    /// Whether rustup has already failed to add the target.
    pub rustup_failed: bool,
    /// Whether packages have already been installed, or cannot be.
    pub packages_tried: bool,
}

/// The next step towards a toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Build with this toolchain.
    Use(Toolchain),
    /// Let rustup add the target to the toolchain of this name.
    AddTarget(String),
    /// Install [`PACKAGES`].
    InstallPackages,
    /// Report that every way has failed.
    GiveUp,
}

/// A Rust and the origin of its standard library for the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// The Rust.
    pub rust: Rust,
    /// Its standard library for [`TARGET`].
    pub std: Std,
}

/// The origin of the standard library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Std {
    /// It is installed.
    Installed,
    /// It is built with the program, from its sources.
    FromSources,
}

/// An installed standard library comes first, then one that rustup adds, then sources, then packages.
#[must_use]
pub fn next_step(findings: &Findings) -> NextStep {
    let recent = || findings.rusts.iter().filter(|rust| rust.release >= OLDEST);
    if let Some(rust) = recent().find(|rust| rust.has_wasm_std && rust.linker != Linker::Missing) {
        return NextStep::Use(Toolchain {
            rust: rust.clone(),
            std: Std::Installed,
        });
    }
    if !findings.rustup_failed
        && let Some(name) = recent().find_map(|rust| rust.rustup_name.clone())
    {
        return NextStep::AddTarget(name);
    }
    if let Some(rust) = recent()
        .find(|rust| rust.std_sources == StdSources::Complete && rust.linker != Linker::Missing)
    {
        return NextStep::Use(Toolchain {
            rust: rust.clone(),
            std: Std::FromSources,
        });
    }
    if findings.packages_tried {
        NextStep::GiveUp
    } else {
        NextStep::InstallPackages
    }
}

/// Finds a toolchain, and installs missing parts.
///
/// # Errors
/// [`SiteError::NoToolchain`] with the command that helps; [`SiteError::PackagesMissing`] likewise.
pub fn find(tree: &SourceTree, progress: Progress) -> Result<Toolchain, SiteError> {
    // rustup is asked again only when the build folder is made anew.
    let refused = tree.scratch().join("rustup-has-no-wasm");
    let mut findings = Findings {
        rusts: installed(),
        rustup_failed: refused.exists(),
        packages_tried: false,
    };
    loop {
        match next_step(&findings) {
            NextStep::Use(toolchain) => return Ok(toolchain),
            NextStep::AddTarget(name) => {
                let mut rustup = Command::new("rustup");
                rustup
                    .args(["target", "add", TARGET, "--toolchain", &name])
                    .env("RUSTUP_MAX_RETRIES", "1");
                let step = format!("add {TARGET} to {name} (rustup)");
                let failed = progress.attempt(
                    &step,
                    &mut rustup,
                    &tree.log("rustup"),
                    Some(RUSTUP_LIMIT),
                )?;
                if failed.is_some() {
                    std::fs::write(&refused, "").map_err(SiteError::file("write", &refused))?;
                }
                findings.rusts = installed();
                // One attempt is enough, also where rustup reports a success that did not help.
                findings.rustup_failed = true;
            }
            NextStep::InstallPackages => {
                apt::install(&PACKAGES, &tree.log("apt"), progress)?;
                findings.rusts = installed();
                findings.packages_tried = true;
            }
            NextStep::GiveUp => {
                return Err(SiteError::NoToolchain {
                    remedy: format!("rustup target add {TARGET}"),
                });
            }
        }
    }
}

/// Every Rust on this machine that answers.
pub(super) fn installed() -> Vec<Rust> {
    let mut rusts: Vec<Rust> = Vec::new();
    let mut add = |rust: Option<Rust>| {
        if let Some(rust) = rust
            && !rusts.iter().any(|known| known.rustc == rust.rustc)
        {
            rusts.push(rust);
        }
    };
    let names = output(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    let names: Vec<&str> = names
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    // rustup's proxy runs the active toolchain, which its sysroot identifies.
    add(probe(Path::new("rustc"), &names));
    for name in &names {
        if let Some(rustc) =
            output(Command::new("rustup").args(["which", "--toolchain", name, "rustc"]))
        {
            add(probe(Path::new(rustc.trim()), &names));
        }
    }
    add(probe(Path::new("/usr/bin/rustc"), &names));
    rusts
}

/// Asks a rustc for its release and looks for its parts.
fn probe(rustc: &Path, rustup_names: &[&str]) -> Option<Rust> {
    let sysroot = PathBuf::from(output(Command::new(rustc).args(["--print", "sysroot"]))?.trim());
    let version = output(Command::new(rustc).arg("-vV"))?;
    let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name));
    let (release, host) = (Release::parse(field("release:")?)?, field("host:")?.trim());
    let libraries = sysroot.join("lib/rustlib");
    let own_linker = libraries.join(host).join("bin/rust-lld");
    let cargo = sysroot.join("bin/cargo");
    let folder = sysroot.file_name().and_then(|name| name.to_str());
    cargo.is_file().then(|| Rust {
        rustc: sysroot.join("bin/rustc"),
        cargo,
        release,
        rustup_name: rustup_names
            .iter()
            .find(|&&name| Some(name) == folder)
            .map(|&name| name.to_owned()),
        has_wasm_std: has_library(&libraries.join(TARGET).join("lib"), "libstd-"),
        std_sources: std_sources(&libraries.join("src/rust/library")),
        linker: if own_linker.is_file() || on_path("rust-lld") {
            Linker::Own
        } else {
            system_linker().map_or(Linker::Missing, Linker::System)
        },
    })
}

fn std_sources(library: &Path) -> StdSources {
    if !library.join("std/Cargo.toml").is_file() {
        StdSources::Missing
    } else if library.join("vendor").is_dir() {
        StdSources::Complete
    } else {
        StdSources::Alone
    }
}

fn has_library(folder: &Path, prefix: &str) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
    })
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// The newest lld among the system's.
fn system_linker() -> Option<PathBuf> {
    (18..40)
        .rev()
        .map(|version| PathBuf::from(format!("/usr/bin/lld-{version}")))
        .find(|path| path.is_file())
}

/// Standard output of a program that ends well.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Toolchain {
    /// Makes `command` use this toolchain and put its files into `target`, without the flags of the native build.
    pub fn apply(&self, command: &mut Command, target: &Path) {
        let bin = self.rust.cargo.parent().unwrap_or(Path::new("/usr/bin"));
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let dirs = [bin.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&rest));
        // A folder with a colon in its name cannot be on a PATH anyway.
        let path = std::env::join_paths(dirs).unwrap_or(rest);
        command
            .env("PATH", path)
            .env("CARGO", &self.rust.cargo)
            .env("RUSTC", &self.rust.rustc)
            .env("CARGO_TARGET_DIR", target)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("LD_LIBRARY_PATH");
        if self.std == Std::FromSources {
            command
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
        }
        if let Linker::System(linker) = &self.rust.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
    }

    /// Release, place and standard library, in a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        let Release {
            major,
            minor,
            patch,
        } = self.rust.release;
        let std = match self.std {
            Std::Installed => "",
            Std::FromSources => ", standard library from its sources",
        };
        format!(
            "Rust {major}.{minor}.{patch} in {}{std}",
            self.rust.rustc.display()
        )
    }
}
