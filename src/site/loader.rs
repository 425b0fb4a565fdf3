//! Writes the list of the worker's builds that the page has into the built `worker_loader.js`, and their addresses into
//! the module, where bundlers look for them.

use super::compressed::{self, Effort};
use super::{SiteError, WorkerBuild, WorkerProgram};
use super::{joined_module, threads};
use std::fs;
use std::path::Path;

/// The script that starts a worker.
const LOADER: &str = "worker_loader.js";
/// The part of the module that finds the worker's files.
const START: &str = "start_worker.js";
/// The beginning of the line that lists the builds.
const BUILDS_LINE: &str = "const BUILDS = ";
/// The beginning of the line that describes the memory of the builds with threads.
const MEMORY_LINE: &str = "const SHARED_MEMORY = ";
/// The beginning of the line with the addresses of the builds' files.
const FILES_LINE: &str = "const FILES = ";

/// Writes `builds`, whose files lie in `dist`, into the scripts there. Workers that start from now on use them.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn list_builds(
    dist: &Path,
    builds: &[(WorkerProgram, WorkerBuild)],
) -> Result<(), SiteError> {
    let rewrite = |name, with: fn(&str, &[(WorkerProgram, WorkerBuild)]) -> String| {
        let path = dist.join(name);
        let script = fs::read_to_string(&path).map_err(SiteError::file("read", &path))?;
        let script = with(&script, builds);
        compressed::replace(&path, script.as_bytes(), Effort::Thorough)
    };
    rewrite(LOADER, with_builds)?;
    rewrite(START, with_files)?;
    rewrite(joined_module::NAME, with_files)
}

/// Each address is written out, because bundlers see no other.
fn with_files(script: &str, builds: &[(WorkerProgram, WorkerBuild)]) -> String {
    let of_engine = builds
        .iter()
        .filter(|(program, _)| *program == WorkerProgram::Engine);
    let files = of_engine.flat_map(|(_, build)| build.files());
    let entries: Vec<String> = files
        .map(|file| format!("'{file}': new URL('./{file}', import.meta.url)"))
        .collect();
    with_line(
        script,
        FILES_LINE,
        &format!("() => ({{ {} }})", entries.join(", ")),
    )
}

fn with_builds(script: &str, builds: &[(WorkerProgram, WorkerBuild)]) -> String {
    let names: Vec<String> = builds
        .iter()
        .map(|(program, build)| format!("'{}'", build.name(*program)))
        .collect();
    let memory = match builds.iter().any(|(_, build)| build.has_threads()) {
        true => threads::shared_memory(),
        false => "null".to_owned(),
    };
    let script = with_line(script, BUILDS_LINE, &format!("[{}]", names.join(", ")));
    with_line(&script, MEMORY_LINE, &memory)
}

/// `script` with `value` in the line that starts with `beginning`.
///
/// # Panics
/// If the script has no such line; script and program are of one repository.
pub(super) fn with_line(script: &str, beginning: &str, value: &str) -> String {
    assert!(
        script.lines().any(|line| line.starts_with(beginning)),
        "the script has a line `{beginning}…`"
    );
    let lines = script.lines().map(|line| {
        if line.starts_with(beginning) {
            format!("{beginning}{value};\n")
        } else {
            format!("{line}\n")
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = include_str!("../../www/worker_loader.js");
    const START_SCRIPT: &str = include_str!("../../www/start_worker.js");

    /// What trunk builds.
    const PLAIN: [(WorkerProgram, WorkerBuild); 2] = [
        (WorkerProgram::Engine, WorkerBuild::Plain),
        (WorkerProgram::Trainer, WorkerBuild::Plain),
    ];

    fn all() -> Vec<(WorkerProgram, WorkerBuild)> {
        let programs = [WorkerProgram::Engine, WorkerProgram::Trainer];
        let builds = |program| WorkerBuild::ALL.map(|build| (program, build));
        programs.into_iter().flat_map(builds).collect()
    }

    #[test]
    fn source_of_the_loader_lists_what_trunk_builds() {
        assert_eq!(with_builds(SCRIPT, &PLAIN), SCRIPT);
        assert_eq!(with_files(START_SCRIPT, &PLAIN), START_SCRIPT);
    }

    #[test]
    fn every_file_of_a_build_has_an_address_that_bundlers_see() {
        let all = with_files(START_SCRIPT, &all());
        assert!(!all.contains("'trainer"), "{all}");
        for file in WorkerBuild::ALL.iter().flat_map(|build| build.files()) {
            let entry = format!("'{file}': new URL('./{file}', import.meta.url)");
            assert!(all.contains(&entry), "{file}");
        }
    }

    #[test]
    fn listed_builds_can_be_listed_anew() {
        let all = with_builds(SCRIPT, &all());
        assert!(all.contains("'worker_threads_relaxed'"), "{all}");
        assert!(all.contains("'trainer_threads_relaxed'"), "{all}");
        assert!(!all.contains("const SHARED_MEMORY = null"), "{all}");
        assert_eq!(with_builds(&all, &PLAIN), SCRIPT);
    }
}
