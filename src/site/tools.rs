//! Builds programs that only tests need, at locked versions, once per user: geckodriver, trunk and wasm-bindgen.
//!
//! `assets/tools/PACKAGE.lock` is the `Cargo.lock` that a program is built with. `cargo install` accepts only the lock
//! file of the package, which may name versions that a registry lacks; so cargo builds a copy of the package's sources.

use super::cache_folder::cache_folder;
use super::registries::registries;
use super::{Progress, SiteError, SourceTree, files};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program from the Rust registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    package: &'static str,
    version: &'static str,
    program: &'static str,
}

/// Firefox's WebDriver server.
pub const GECKODRIVER: Tool = Tool {
    package: "geckodriver",
    version: "0.37.1",
    program: "geckodriver",
};
/// The build tool that `Trunk.toml` is for.
pub const TRUNK: Tool = Tool {
    package: "trunk",
    version: "0.21.14",
    program: "trunk",
};
/// The program by which trunk binds WebAssembly to JavaScript; its version is that of the crate in `Cargo.lock`.
pub const WASM_BINDGEN: Tool = Tool {
    package: "wasm-bindgen-cli",
    version: "0.2.130",
    program: "wasm-bindgen",
};

/// Environment variables for the project's own build, which are not meant for tools.
const NOT_FOR_TOOLS: [&str; 7] = [
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// Builds geckodriver unless it is there; returns its path.
///
/// # Errors
/// As [`Tool::install`].
pub fn geckodriver(tree: &SourceTree, progress: Progress) -> Result<PathBuf, SiteError> {
    GECKODRIVER.install(tree, progress)
}

impl Tool {
    /// The program, if it has been built with its present lock file.
    ///
    /// # Errors
    /// [`SiteError::NoHome`]; [`SiteError::File`].
    pub fn find(self, tree: &SourceTree) -> Result<Option<PathBuf>, SiteError> {
        let program = self.path_in(&self.folder(tree)?);
        Ok(program.is_file().then_some(program))
    }

    /// Builds the program unless it is there; returns its path.
    ///
    /// # Errors
    /// [`SiteError::NoHome`]; [`SiteError::NoToolSources`]; [`SiteError::StepFailed`]; [`SiteError::File`].
    pub fn install(self, tree: &SourceTree, progress: Progress) -> Result<PathBuf, SiteError> {
        if let Some(program) = self.find(tree)? {
            return Ok(program);
        }
        let folder = self.folder(tree)?;
        fs::create_dir_all(&folder).map_err(SiteError::file("create", &folder))?;
        let work = tempfile::Builder::new()
            .prefix("building-")
            .tempdir_in(&folder)
            .map_err(SiteError::file("write", &folder))?;
        let sources = self.copy_sources(tree, work.path(), progress)?;
        let mut build = cargo("build", &sources);
        build
            .args(["--release", "--locked", "--bin", self.program])
            // Tests use these programs without a network, so they need no TLS.
            .arg("--no-default-features")
            // These programs run for seconds, and optimising them would take minutes.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false");
        let step = format!("build {} {}", self.package, self.version);
        progress.run(&step, &mut build, &tree.log(self.program), None)?;
        let built = self.path_in(&sources.join("target/release"));
        let program = self.path_in(&folder);
        fs::rename(&built, &program).map_err(SiteError::file("move", &built))?;
        Ok(program)
    }

    /// Downloads the package and its dependencies, and copies its sources, with our lock file, into a folder of `work`.
    fn copy_sources(
        self,
        tree: &SourceTree,
        work: &Path,
        progress: Progress,
    ) -> Result<PathBuf, SiteError> {
        let Self {
            package, version, ..
        } = self;
        let lock = self.lock(tree)?;
        let write = |path: PathBuf, content: &[u8]| {
            fs::create_dir_all(path.parent().unwrap_or(work))
                .and_then(|()| fs::write(&path, content))
                .map_err(SiteError::file("write", path))
        };
        // Cargo downloads a package only as a dependency, so this empty package depends on it.
        let download = work.join("download");
        let manifest = format!(
            "[package]\nname = \"download\"\n[workspace]\n[dependencies]\n\
             {package} = {{ version = \"={version}\", default-features = false }}\n"
        );
        write(download.join("Cargo.toml"), manifest.as_bytes())?;
        write(download.join("Cargo.lock"), &lock)?;
        write(download.join("src/lib.rs"), b"")?;
        let step = format!("download {package} {version}");
        let log = tree.log("tools");
        progress.run(&step, &mut cargo("fetch", &download), &log, None)?;

        let downloaded = registry_sources(&format!("{package}-{version}"))
            .ok_or(SiteError::NoToolSources { package })?;
        let sources = work.join("sources");
        for (name, file) in files::files(&downloaded)? {
            let content = fs::read(&file).map_err(SiteError::file("read", &file))?;
            write(sources.join(name), &content)?;
        }
        write(sources.join("Cargo.lock"), &lock)?;
        Ok(sources)
    }

    /// The folder for the program; each version and each lock file has a folder of its own.
    fn folder(self, tree: &SourceTree) -> Result<PathBuf, SiteError> {
        let lock = base16ct::lower::encode_string(&Sha256::digest(self.lock(tree)?));
        let name = format!("{}-{}-{}", self.package, self.version, &lock[..8]);
        let cache = cache_folder().ok_or(SiteError::NoHome)?;
        Ok(cache.join("tools").join(name))
    }

    fn lock(self, tree: &SourceTree) -> Result<Vec<u8>, SiteError> {
        let path = tree
            .root()
            .join("assets/tools")
            .join(format!("{}.lock", self.package));
        fs::read(&path).map_err(SiteError::file("read", path))
    }

    fn path_in(self, folder: &Path) -> PathBuf {
        folder.join(format!("{}{}", self.program, std::env::consts::EXE_SUFFIX))
    }
}

fn cargo(verb: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).arg(verb);
    for variable in NOT_FOR_TOOLS {
        command.env_remove(variable);
    }
    command
}

/// The folder of a downloaded package in cargo's home.
fn registry_sources(package: &str) -> Option<PathBuf> {
    registries()
        .into_iter()
        .map(|registry| registry.join(package))
        .find(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    #[test]
    fn each_tool_has_a_lock_file_that_names_its_version() {
        let tree = SourceTree::find().unwrap();
        for tool in [GECKODRIVER, TRUNK, WASM_BINDGEN] {
            let lock = String::from_utf8(tool.lock(&tree).unwrap()).unwrap();
            let entry = format!(
                "name = \"{}\"\nversion = \"{}\"\n",
                tool.package, tool.version
            );
            assert!(lock.contains(&entry), "{entry}");
        }
    }

    #[test]
    fn wasm_bindgen_has_one_version_in_every_lock_file() {
        let tree = SourceTree::find().unwrap();
        let lock = fs::read_to_string(tree.root().join("Cargo.lock")).unwrap();
        for package in ["wasm-bindgen", "wasm-bindgen-cli-support"] {
            let entry = format!(
                "name = \"{package}\"\nversion = \"{}\"\n",
                WASM_BINDGEN.version
            );
            assert!(lock.contains(&entry), "{entry}");
        }
    }
}
