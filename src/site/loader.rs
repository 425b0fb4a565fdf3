//! Writes the list of the worker's builds that the page has into the built `worker_loader.js`.

use super::files::write_whole;
use super::threads;
use super::{SiteError, WorkerBuild};
use std::fs;
use std::path::Path;

/// The script that starts a worker.
const LOADER: &str = "worker_loader.js";
/// The beginning of the line that lists the builds.
const BUILDS_LINE: &str = "const BUILDS = ";
/// The beginning of the line that describes the memory of the builds with threads.
const MEMORY_LINE: &str = "const SHARED_MEMORY = ";

/// Writes `builds`, whose files lie in `dist`, into the loader there. Workers that start from now on use them.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn list_builds(dist: &Path, builds: &[WorkerBuild]) -> Result<(), SiteError> {
    let path = dist.join(LOADER);
    let script = fs::read_to_string(&path).map_err(SiteError::file("read", &path))?;
    write_whole(&path, with_builds(&script, builds).as_bytes())
}

fn with_builds(script: &str, builds: &[WorkerBuild]) -> String {
    let names: Vec<String> = builds
        .iter()
        .map(|build| format!("'{}'", build.name()))
        .collect();
    let memory = match builds.iter().any(|build| build.has_threads()) {
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

    #[test]
    fn source_of_the_loader_lists_what_trunk_builds() {
        assert_eq!(with_builds(SCRIPT, &[WorkerBuild::Plain]), SCRIPT);
    }

    #[test]
    fn listed_builds_can_be_listed_anew() {
        let all = with_builds(SCRIPT, &WorkerBuild::ALL);
        assert!(all.contains("'worker_threads_relaxed'"), "{all}");
        assert!(!all.contains("const SHARED_MEMORY = null"), "{all}");
        assert_eq!(with_builds(&all, &[WorkerBuild::Plain]), SCRIPT);
    }
}
