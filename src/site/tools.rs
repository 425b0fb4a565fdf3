//! The programs that cargo does not bring, at exact versions, under `target/`: wasm-bindgen and trunk for the
//! build, geckodriver for the tests.

use super::{Progress, SiteError, SourceTree};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The newest trunk that builds with the toolchains supported here.
pub const TRUNK_VERSION: &str = "0.21.14";
/// Between the tests and Firefox.
const GECKODRIVER_VERSION: &str = "0.37.1";

/// A program to install from the Rust registry.
struct Tool<'a> {
    /// The package.
    package: &'a str,
    /// The program in it.
    program: &'a str,
    /// The only version that will do.
    version: &'a str,
}

/// Installs what is missing; gives back the folder of the programs.
///
/// # Errors
/// [`SiteError::NotInLock`], [`SiteError::StepFailed`].
pub fn install(tree: &SourceTree, progress: Progress) -> Result<PathBuf, SiteError> {
    let lock = tree.root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&lock).map_err(SiteError::file("read", &lock))?;
    let bindgen_version = locked_version(&lock, "wasm-bindgen").ok_or(SiteError::NotInLock {
        package: "wasm-bindgen",
    })?;
    let tools = [
        Tool {
            package: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version: bindgen_version,
        },
        Tool {
            package: "trunk",
            program: "trunk",
            version: TRUNK_VERSION,
        },
    ];
    for tool in &tools {
        install_tool(tree, tool, progress)?;
    }
    Ok(bin(tree))
}

/// Installs geckodriver if it is missing; gives back the program.
///
/// # Errors
/// [`SiteError::StepFailed`].
pub fn geckodriver(tree: &SourceTree, progress: Progress) -> Result<PathBuf, SiteError> {
    let tool = Tool {
        package: "geckodriver",
        program: "geckodriver",
        version: GECKODRIVER_VERSION,
    };
    install_tool(tree, &tool, progress)?;
    Ok(bin(tree).join(tool.program))
}

fn bin(tree: &SourceTree) -> PathBuf {
    tree.tools().join("bin")
}

fn install_tool(tree: &SourceTree, tool: &Tool, progress: Progress) -> Result<(), SiteError> {
    if version_of(&bin(tree).join(tool.program)).as_deref() == Some(tool.version) {
        return Ok(());
    }
    let log = tree.log(tool.program);
    let step = format!(
        "install {} {} into target/tools",
        tool.package, tool.version
    );
    // The lock file in the package is the tested one; a registry that lacks a version in it
    // still has versions that fit.
    let tested = &mut cargo_install(tree, tool, Lock::Tested);
    if progress.attempt(&step, tested, &log, None)?.is_some() {
        let step = format!("{step}, with the newest dependencies");
        let free = &mut cargo_install(tree, tool, Lock::Free);
        progress.run(&step, free, &log, None)?;
    }
    Ok(())
}

enum Lock {
    Tested,
    Free,
}

fn cargo_install(tree: &SourceTree, tool: &Tool, lock: Lock) -> Command {
    // Away from the repository, whose cargo settings are not meant for tools.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = tree.tools();
    let mut command = Command::new(cargo);
    command
        .current_dir(std::env::temp_dir())
        .args([
            "install",
            tool.package,
            "--version",
            &format!("={}", tool.version),
            "--bin",
            tool.program,
        ])
        // None needs the network when used here, so none needs TLS.
        .arg("--no-default-features")
        .arg("--root")
        .arg(&root)
        .arg("--target-dir")
        .arg(root.join("build"))
        // They run for seconds and are built for minutes.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET");
    if matches!(lock, Lock::Tested) {
        command.arg("--locked");
    }
    command
}

/// The version of `package` in the text of a `Cargo.lock`, if there is just one.
#[must_use]
pub fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut versions = lock.split("[[package]]").filter_map(|entry| {
        let field = |name: &str| {
            entry.lines().find_map(|line| {
                line.strip_prefix(name)?
                    .trim()
                    .strip_prefix('=')?
                    .trim()
                    .strip_prefix('"')?
                    .strip_suffix('"')
            })
        };
        (field("name") == Some(package))
            .then(|| field("version"))
            .flatten()
    });
    versions.next().filter(|_| versions.next().is_none())
}

/// The version in what a program answers to `--version`: the second word.
fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout)).map(str::to_owned)
}

/// The second word of `trunk 0.21.14` or `wasm-bindgen 0.2.130 (…)`.
#[must_use]
pub fn parse_version(answer: &str) -> Option<&str> {
    answer.split_whitespace().nth(1)
}
