//! Joins the parts of the ES module into the one `huggingtweets.js` that a site serves: a script that imports it waits
//! for one file and not for a second level of them.
//!
//! The parts use plain `import { … } from '…'` at the beginning of a line, no other name for what they import, and no
//! name twice. Bundlers read the joined file as they read the parts.

use super::SiteError;
use std::fs;
use std::path::Path;

/// The module, by its name in the folder of the page.
pub(super) const NAME: &str = "huggingtweets.js";
/// The folder of parts.
const PARTS: &str = "module";
/// Parts that scripts of the element import, too.
const SHARED: [&str; 2] = ["start_worker.js", "module/error.js"];

/// Replaces [`NAME`] in `folder` by the joined file, and removes the parts that no other script imports.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn write(folder: &Path) -> Result<(), SiteError> {
    let mut joined = Vec::new();
    let mut text = String::new();
    join(folder, NAME, &mut joined, &mut text)?;
    for name in joined
        .iter()
        .filter(|name| !SHARED.contains(&name.as_str()))
    {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(SiteError::file("remove", &path))?;
    }
    let path = folder.join(NAME);
    fs::write(&path, text).map_err(SiteError::file("write", &path))
}

/// Appends the script `name`, after those that it imports, to `text`, and its name to `joined`.
fn join(
    folder: &Path,
    name: &str,
    joined: &mut Vec<String>,
    text: &mut String,
) -> Result<(), SiteError> {
    let path = folder.join(name);
    let script = fs::read_to_string(&path).map_err(SiteError::file("read", &path))?;
    joined.push(name.to_owned());
    let mut own = String::new();
    let mut rest = script.as_str();
    while !rest.is_empty() {
        let is_import = rest.starts_with("import ");
        let is_passed_on = rest.starts_with("export {");
        let end = if is_import || is_passed_on {
            rest.find(";\n").map(|at| at + 1)
        } else {
            rest.find('\n')
        };
        let (statement, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after.strip_prefix('\n').unwrap_or(after);
        let (names, from) = match statement.split_once(" from ") {
            Some((names, from)) if is_import || is_passed_on => (names, Some(from)),
            _ => (statement, None),
        };
        if let Some(from) = from {
            let part = resolved(name, from.trim_matches(|c| "';".contains(c)));
            if !joined.contains(&part) {
                join(folder, &part, joined, text)?;
            }
        }
        // What a part exports, the joined file only declares.
        match (is_import, from) {
            (true, _) => continue,
            (false, Some(_)) => own.extend([names, ";"]),
            _ if name == NAME => own.push_str(names),
            _ => own.push_str(names.strip_prefix("export ").unwrap_or(names)),
        }
        own.push('\n');
    }
    text.push_str(&own);
    Ok(())
}

/// The name in the page's folder of the script that the script `name` imports from `address`.
fn resolved(name: &str, address: &str) -> String {
    match (address.strip_prefix("../"), address.strip_prefix("./")) {
        (Some(above), _) => above.to_owned(),
        (_, Some(beside)) if name.starts_with(PARTS) => format!("{PARTS}/{beside}"),
        (_, beside) => beside.unwrap_or(address).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::super::files;
    use super::*;
    use std::collections::BTreeSet;

    /// The built folder of the module's sources, and the joined file.
    fn built() -> (tempfile::TempDir, String) {
        let www = Path::new(env!("CARGO_MANIFEST_DIR")).join("www");
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(PARTS)).unwrap();
        let parts = files::files(&www.join(PARTS)).unwrap().into_iter();
        let parts = parts.map(|(name, _)| format!("{PARTS}/{name}"));
        for name in parts.chain([NAME.to_owned(), "start_worker.js".to_owned()]) {
            fs::copy(www.join(&name), folder.path().join(&name)).unwrap();
        }
        write(folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
        (folder, text)
    }

    #[test]
    fn joined_module_imports_nothing_and_exports_what_the_module_does() {
        let (folder, text) = built();
        let statements: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("import ") || line.starts_with("export "))
            .map(|line| line.split(['(', '=']).next().unwrap().trim_end())
            .collect();
        assert_eq!(
            statements,
            [
                "export { HuggingtweetsError };",
                "export { BaseStreamer, InterruptableStoppingCriteria, TextStreamer };",
                "export const env",
                "export async function pipeline",
            ]
        );
        let left = files::files(folder.path()).unwrap().into_iter();
        let left: BTreeSet<String> = left.map(|(name, _)| name).collect();
        let kept = SHARED.into_iter().chain([NAME]).map(str::to_owned);
        assert_eq!(left, kept.collect());
    }

    #[test]
    fn no_two_parts_declare_the_same_name() {
        let (_folder, text) = built();
        let mut names = BTreeSet::new();
        for line in text.lines() {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let line = line.strip_prefix("async ").unwrap_or(line);
            let kinds = ["const ", "let ", "class ", "function "];
            let Some(declared) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else {
                continue;
            };
            let end = declared.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = &declared[..end.unwrap_or(declared.len())];
            assert!(names.insert(name.to_owned()), "`{name}` is declared twice");
        }
        assert!(names.contains("EngineWorker") && names.contains("pipeline"));
    }
}
