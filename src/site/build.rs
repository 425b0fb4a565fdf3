//! Builds the page in two stages: a page that opens, with the plain build of its worker; then the other builds and the
//! maker's programs.

use super::app_shell::SERVICE_WORKER;
use super::built_pages::{self, BuiltPages};
use super::compressed::{self, Effort};
use super::fingerprint::{Fingerprint, Stage};
use super::first_screen::FirstScreens;
use super::toolchain::{self, TARGET};
use super::wasm_cargo::{PROGRAMS, WasmCargo};
use super::{
    AppShell, Progress, SiteError, SourceTree, WorkerBuild, WorkerProgram, assemble, bot_facts,
    bot_pages, joined_module, loader, maker_build, one_file, threads,
};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Native files that make parts of the page. They count as its sources, which other native files do not.
const PAGE_MAKING_FILES: [&str; 18] = [
    include_str!("assemble.rs"),
    include_str!("bot_facts.rs"),
    include_str!("bindings.rs"),
    include_str!("comments.rs"),
    include_str!("bot_pages.rs"),
    include_str!("compressed.rs"),
    include_str!("document.rs"),
    include_str!("first_screen.rs"),
    include_str!("joined_module.rs"),
    include_str!("loader.rs"),
    include_str!("maker_build.rs"),
    include_str!("one_file.rs"),
    include_str!("app_shell.rs"),
    include_str!("threads.rs"),
    include_str!("unfurl.rs"),
    include_str!("wasm_cargo.rs"),
    include_str!("worker_build.rs"),
    include_str!("worker_program.rs"),
];

/// The folder to build, and the address of the page.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// The folder to write.
    pub out: PathBuf,
    /// The address at which it will be reachable: [`BuildOptions::RELATIVE`], or a path or URL.
    pub public_url: String,
}

impl BuildOptions {
    /// The public URL of a page that works at any address.
    pub const RELATIVE: &str = "./";

    /// Options for `dist/` of `tree`, a page that works at any address.
    #[must_use]
    pub fn for_tree(tree: &SourceTree) -> Self {
        Self {
            out: tree.dist(),
            public_url: Self::RELATIVE.to_owned(),
        }
    }
}

/// A built page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Built {
    /// The folder.
    pub dist: PathBuf,
    /// Whether it was up to date already.
    pub up_to_date: bool,
}

/// Builds the page with all builds of its worker, or finds that it is built already.
///
/// # Errors
/// Any [`SiteError`] but those of the server.
pub fn build(
    tree: &SourceTree,
    options: &BuildOptions,
    progress: Progress,
) -> Result<Built, SiteError> {
    FirstPage::build(tree, options, progress)?.complete(progress)
}

/// A page that opens, to which builds of the worker may still be added. One build at a time runs in a source tree.
#[derive(Debug)]
pub struct FirstPage {
    tree: SourceTree,
    dist: PathBuf,
    fingerprint: Fingerprint,
    /// The stage that an earlier build reached.
    found: Option<Stage>,
    // Released when this value is dropped.
    _lock: File,
}

impl FirstPage {
    /// Builds the page with the plain build of its worker, or finds that it is built already.
    ///
    /// # Errors
    /// Any [`SiteError`] but those of the server.
    pub fn build(
        tree: &SourceTree,
        options: &BuildOptions,
        progress: Progress,
    ) -> Result<Self, SiteError> {
        let scratch = tree.scratch();
        fs::create_dir_all(&scratch).map_err(SiteError::file("create", &scratch))?;
        let lock_path = scratch.join("lock");
        let lock = File::create(&lock_path).map_err(SiteError::file("write", &lock_path))?;
        lock.lock().map_err(SiteError::file("lock", &lock_path))?;

        let dist =
            std::path::absolute(&options.out).map_err(SiteError::file("find", &options.out))?;
        let settings: Vec<&str> = [options.public_url.as_str()]
            .into_iter()
            .chain(PAGE_MAKING_FILES)
            .collect();
        let fingerprint = Fingerprint::of(tree.root(), &settings)?;
        let mut page = Self {
            tree: tree.clone(),
            found: fingerprint.stage(tree, &dist),
            dist,
            fingerprint,
            _lock: lock,
        };
        let built = BuiltPages::here().and_then(|pages| pages.find(&page.fingerprint));
        match (page.found, built) {
            (Some(_), _) => progress.note(&format!("{} is up to date", page.dist.display())),
            (None, Some(built)) => page.copy(&built, progress)?,
            (None, None) => page.make(&options.public_url, progress)?,
        }
        Ok(page)
    }

    /// The folder.
    #[must_use]
    pub fn dist(&self) -> &Path {
        &self.dist
    }

    /// Whether builds of the worker are still to be added.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.found != Some(Stage::Complete)
    }

    /// Takes over a complete page that was built from the same sources.
    fn copy(&mut self, built: &Path, progress: Progress) -> Result<(), SiteError> {
        let Self { tree, dist, .. } = self;
        Fingerprint::forget(tree, dist);
        progress.step("copy the page that was built from these sources", || {
            replace_folder(dist, |folder| built_pages::copy(built, folder))
        })?;
        self.fingerprint.record(tree, dist, Stage::Complete)?;
        self.found = Some(Stage::Complete);
        Ok(())
    }

    fn make(&self, public_url: &str, progress: Progress) -> Result<(), SiteError> {
        let Self { tree, dist, .. } = self;
        Fingerprint::forget(tree, dist);
        let toolchain = toolchain::find(tree, progress)?;
        progress.note(&toolchain.describe());
        let cargo = WasmCargo::single(tree, &toolchain, progress)?;
        let mut command = cargo.command("build");
        command
            .args(["--locked", "--profile", "web", "--target", TARGET])
            .args(PROGRAMS);
        progress.run(
            "build the page and its worker",
            &mut command,
            &tree.log("page"),
            None,
        )?;
        progress.step("assemble the page", || {
            let programs = cargo.program_folder();
            replace_folder(dist, |folder| {
                let screens = FirstScreens::read(tree)?;
                assemble::assemble(tree, &programs, public_url, &screens.css, folder)?;
                joined_module::write(folder)?;
                bot_pages::write(tree, &screens, public_url, folder)?;
                bot_facts::write(folder)?;
                one_file::write(tree, folder)?;
                compressed::write_all(folder, Effort::Quick)
            })
        })?;
        self.fingerprint.record(tree, dist, Stage::FirstPage)
    }

    /// Adds the builds without threads and, beside them, those with threads; whether there are such.
    fn add_builds(&self, progress: Progress) -> Result<bool, SiteError> {
        use WorkerProgram::{Engine, Trainer};
        let Self { tree, dist, .. } = self;
        let builds = Mutex::new(BTreeSet::from([(Engine, WorkerBuild::Plain)]));
        let add = |program: WorkerProgram, build: WorkerBuild, cargo: &WasmCargo| {
            build.add(program, tree, cargo, dist, progress)?;
            let mut builds = builds.lock().unwrap_or_else(PoisonError::into_inner);
            builds.insert((program, build));
            loader::list_builds(dist, &builds.iter().copied().collect::<Vec<_>>())
        };
        let toolchain = toolchain::find(tree, progress)?;
        let of_one_thread = || {
            let cargo = WasmCargo::single(tree, &toolchain, progress)?;
            add(Engine, WorkerBuild::Relaxed, &cargo)?;
            maker_build::add(tree, &cargo, dist, progress)?;
            add(Trainer, WorkerBuild::Relaxed, &cargo)?;
            add(Trainer, WorkerBuild::Plain, &cargo)
        };
        let of_threads = || {
            let Some(cargo) = threads::find_cargo(tree, progress)? else {
                progress.note(
                    "no sources of Rust's standard library to be had: the page computes on one thread",
                );
                return Ok(false);
            };
            // Builds with relaxed SIMD come first because most browsers use them.
            add(Engine, WorkerBuild::ThreadsRelaxed, &cargo)?;
            add(Engine, WorkerBuild::Threads, &cargo)?;
            add(Trainer, WorkerBuild::ThreadsRelaxed, &cargo)?;
            add(Trainer, WorkerBuild::Threads, &cargo)?;
            Ok(true)
        };
        let ((), has_threads) = both(of_one_thread, of_threads)?;
        Ok(has_threads)
    }

    /// Adds the other builds of the worker, each as soon as it is compiled, then the list that the service worker
    /// keeps the page by. After an interruption the page works with the builds that were added.
    ///
    /// # Errors
    /// Any [`SiteError`] but those of the server.
    pub fn complete(self, progress: Progress) -> Result<Built, SiteError> {
        let Self { tree, dist, .. } = &self;
        if self.is_incomplete() {
            remove_unfinished(dist)?;
            compressed::write_all(dist, Effort::Thorough)?;
            let has_threads = self.add_builds(progress.side_by_side())?;
            AppShell::of(dist)?.write(dist)?;
            self.fingerprint.record(tree, dist, Stage::Complete)?;
            if let Some(pages) = BuiltPages::here().filter(|_| has_threads)
                && let Err(error) = pages.keep(&self.fingerprint, dist)
            {
                progress.note(&format!("the page is not kept for other clones: {error}"));
            }
        }
        Ok(Built {
            up_to_date: !self.is_incomplete(),
            dist: self.dist,
        })
    }
}

/// Runs two works at the same time: a build is mostly link-time optimisation, which runs on one core.
fn both<A, B: Send>(
    one: impl FnOnce() -> Result<A, SiteError>,
    other: impl FnOnce() -> Result<B, SiteError> + Send,
) -> Result<(A, B), SiteError> {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        let other = other.join();
        let other = other.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((one?, other?))
    })
}

/// Replaces everything in `dist`, which must be empty or a built page, by the files that `make` writes into an empty
/// folder.
fn replace_folder(
    dist: &Path,
    make: impl FnOnce(&Path) -> Result<(), SiteError>,
) -> Result<(), SiteError> {
    fs::create_dir_all(dist).map_err(SiteError::file("create", dist))?;
    if !is_page(dist)? {
        return Err(SiteError::NotAPage {
            dir: dist.to_owned(),
        });
    }
    // Inside `dist`, so that files are moved and not copied.
    let made = tempfile::Builder::new()
        .prefix(".making-")
        .tempdir_in(dist)
        .map_err(SiteError::file("write", dist))?;
    make(made.path())?;
    for path in entries(dist)? {
        if path == made.path() {
            continue;
        }
        let removed = if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(SiteError::file("remove", &path))?;
    }
    for path in entries(made.path())? {
        let to = dist.join(path.file_name().unwrap_or_default());
        fs::rename(&path, &to).map_err(SiteError::file("write", &to))?;
    }
    Ok(())
}

/// Whether a folder has no files of other programs: it has a page's service worker, or nothing but hidden files, as
/// interrupted builds leave them.
fn is_page(dist: &Path) -> Result<bool, SiteError> {
    Ok(dist.join(SERVICE_WORKER).is_file()
        || entries(dist)?.iter().all(|path| {
            let name = path.file_name().unwrap_or_default();
            name.as_encoded_bytes().starts_with(b".")
        }))
}

/// Removes what an interrupted build has left in `dist`.
fn remove_unfinished(dist: &Path) -> Result<(), SiteError> {
    for path in entries(dist)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(WorkerBuild::UNFINISHED) {
            fs::remove_dir_all(&path).map_err(SiteError::file("remove", &path))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, SiteError> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(SiteError::file("read", folder))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::super::files;
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = files::files(folder).unwrap().into_iter();
        names.map(|(name, _)| name).collect()
    }

    #[test]
    fn replaced_folder_has_the_new_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let dist = folder.path().join("dist");
        fs::create_dir_all(dist.join("old/deep")).unwrap();
        fs::write(dist.join("sw.js"), "old").unwrap();
        fs::write(dist.join("old/deep/file"), "").unwrap();
        fs::write(dist.join("index.html"), "old").unwrap();
        replace_folder(&dist, |made| {
            fs::write(made.join("index.html"), "new").unwrap();
            fs::create_dir(made.join("model")).unwrap();
            fs::write(made.join("model/a.gguf"), "").unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(names(&dist), ["index.html", "model/a.gguf"]);
        assert_eq!(fs::read_to_string(dist.join("index.html")).unwrap(), "new");
    }

    #[test]
    fn folder_with_other_files_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        let refused = replace_folder(folder.path(), |_| Ok(()));
        assert!(matches!(refused, Err(SiteError::NotAPage { .. })));
        assert_eq!(names(folder.path()), ["thesis.txt"]);
    }

    #[test]
    fn failed_build_leaves_the_folder_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("sw.js"), "old").unwrap();
        fs::write(folder.path().join("index.html"), "old").unwrap();
        let failed = replace_folder(folder.path(), |made| {
            fs::write(made.join("index.html"), "half").unwrap();
            Err(SiteError::NoHome)
        });
        assert!(failed.is_err());
        assert_eq!(names(folder.path()), ["index.html", "sw.js"]);
        let page = fs::read_to_string(folder.path().join("index.html")).unwrap();
        assert_eq!(page, "old");
    }
}
