//! Assembles the folder of the page from `www/index.html`: style sheets and programs named by their hash, copied files.
//!
//! The `data-trunk` links of that document name the parts of the page, so that `trunk build` makes the same folder.

use super::bindings::{ScriptKind, bind};
use super::document::{self, Tag};
use super::{SiteError, SourceTree, files};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// How many hexadecimal digits of a file's SHA-256 its name carries.
const NAME_DIGITS: usize = 16;

/// The meaning of a `data-trunk` link.
enum Asset<'a> {
    /// A style sheet, whose link then names it by its hash.
    Stylesheet(&'a str),
    /// A file, copied into this folder of the page.
    File(&'a str, &'a str),
    /// A folder, copied with its name.
    Folder(&'a str),
    /// The program of this name, started by the page, which names it by its hash.
    App(&'a str, ScriptKind),
    /// The program of this name, started by a script that knows its name.
    Worker(&'a str, ScriptKind),
}

impl<'a> Asset<'a> {
    fn of(tag: &'a Tag) -> Option<Self> {
        let program = || {
            let kind = tag.attribute("data-bindgen-target").unwrap_or("web");
            Some((tag.attribute("data-bin")?, ScriptKind::parse(kind)?))
        };
        let href = tag.attribute("href")?;
        match (tag.attribute("rel")?, tag.attribute("data-type")) {
            ("css", _) => Some(Self::Stylesheet(href)),
            ("copy-file", _) => {
                let folder = tag.attribute("data-target-path").unwrap_or_default();
                Some(Self::File(href, folder))
            }
            ("copy-dir", _) => Some(Self::Folder(href)),
            ("rust", Some("main")) => program().map(|(bin, kind)| Self::App(bin, kind)),
            ("rust", Some("worker")) => program().map(|(bin, kind)| Self::Worker(bin, kind)),
            _ => None,
        }
    }
}

/// Fills `folder` with the page, whose programs cargo has compiled into `programs`.
///
/// Addresses in the document begin with `public_url`.
///
/// # Errors
/// [`SiteError::UnknownAsset`] for a `data-trunk` link with another meaning; [`SiteError::NotBound`];
/// [`SiteError::File`].
pub(super) fn assemble(
    tree: &SourceTree,
    programs: &Path,
    public_url: &str,
    folder: &Path,
) -> Result<(), SiteError> {
    let www = tree.root().join("www");
    let source = www.join("index.html");
    let html = fs::read_to_string(&source).map_err(SiteError::file("read", &source))?;
    let base = format!("{}/", public_url.trim_end_matches('/'));
    let mut preloads = String::new();
    let mut edits = Vec::new();
    for tag in document::tags(&html) {
        if tag.is_end && tag.name == "head" {
            edits.push((
                tag.place.start..tag.place.start,
                std::mem::take(&mut preloads),
            ));
        }
        if tag.attribute("data-trunk").is_none() {
            continue;
        }
        let asset = Asset::of(&tag).ok_or_else(|| SiteError::UnknownAsset {
            tag: tag.text(&html).to_owned(),
        })?;
        let replacement = match asset {
            Asset::Stylesheet(href) => {
                let name = copy_hashed(&www.join(href), folder)?;
                format!("<link rel=\"stylesheet\" href=\"{base}{name}\"/>")
            }
            Asset::File(href, target) => {
                let from = www.join(href);
                copy(&from, &folder.join(target).join(file_name(&from)))?;
                String::new()
            }
            Asset::Folder(href) => {
                let from = www.join(href);
                for (name, file) in files::files(&from)? {
                    copy(&file, &folder.join(file_name(&from)).join(name))?;
                }
                String::new()
            }
            Asset::Worker(bin, kind) => {
                bind(&program_path(programs, bin), kind, bin, folder)?;
                String::new()
            }
            Asset::App(bin, kind) => {
                let program = program_path(programs, bin);
                let compiled = fs::read(&program).map_err(SiteError::file("read", &program))?;
                let name = format!("{bin}-{}", name_hash(&compiled));
                bind(&program, kind, bin, folder)?;
                for ending in [".js", "_bg.wasm"] {
                    let from = folder.join(format!("{bin}{ending}"));
                    let to = folder.join(format!("{name}{ending}"));
                    fs::rename(&from, &to).map_err(SiteError::file("rename", from))?;
                }
                preloads += &preload_links(&base, &name);
                let start = folder.join(format!("{name}_start.js"));
                fs::write(&start, start_script(&name)).map_err(SiteError::file("write", &start))?;
                format!("<script type=\"module\" src=\"{base}{name}_start.js\"></script>")
            }
        };
        edits.push((tag.place, replacement));
    }
    let page = folder.join("index.html");
    fs::write(&page, document::replace(&html, &edits)).map_err(SiteError::file("write", &page))
}

fn preload_links(base: &str, name: &str) -> String {
    format!(
        "<link rel=\"modulepreload\" href=\"{base}{name}.js\" crossorigin=\"anonymous\">\
         <link rel=\"preload\" href=\"{base}{name}_bg.wasm\" crossorigin=\"anonymous\" as=\"fetch\" type=\"application/wasm\">"
    )
}

/// A script that starts the page's program. It is a file, because strict security policies forbid inline scripts.
fn start_script(name: &str) -> String {
    format!(
        "import init from './{name}.js';\n\
         await init({{ module_or_path: new URL('./{name}_bg.wasm', import.meta.url) }});\n"
    )
}

fn program_path(programs: &Path, bin: &str) -> PathBuf {
    programs.join(bin).with_extension("wasm")
}

fn name_hash(content: &[u8]) -> String {
    let mut digits = base16ct::lower::encode_string(&Sha256::digest(content));
    digits.truncate(NAME_DIGITS);
    digits
}

/// Copies a file under a name with its hash before the ending, and returns that name.
fn copy_hashed(from: &Path, folder: &Path) -> Result<String, SiteError> {
    let content = fs::read(from).map_err(SiteError::file("read", from))?;
    let stem = from.file_stem().unwrap_or_default().to_string_lossy();
    let ending = from.extension().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}-{}.{ending}", name_hash(&content));
    let to = folder.join(&name);
    fs::write(&to, content).map_err(SiteError::file("write", &to))?;
    Ok(name)
}

fn copy(from: &Path, to: &Path) -> Result<(), SiteError> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(SiteError::file("create", parent))?;
    }
    fs::copy(from, to)
        .map(drop)
        .map_err(SiteError::file("copy", from))
}

/// The last part of a path, which a `data-trunk` link always has.
fn file_name(path: &Path) -> &Path {
    path.file_name().map_or(Path::new(""), Path::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    #[test]
    fn every_link_of_the_page_for_trunk_is_a_known_asset() {
        let html = include_str!("../../www/index.html");
        let tags = document::tags(html);
        let links: Vec<&Tag> = tags
            .iter()
            .filter(|tag| tag.attribute("data-trunk").is_some())
            .collect();
        assert!(links.len() > 10, "{}", links.len());
        for link in &links {
            assert!(Asset::of(link).is_some(), "{}", link.text(html));
        }
        let programs = links.iter().filter_map(|link| Asset::of(link));
        let apps = programs.filter(|asset| matches!(asset, Asset::App("app", ScriptKind::Module)));
        assert_eq!(apps.count(), 1);
    }

    #[test]
    fn link_of_an_unknown_kind_is_no_asset() {
        for html in [
            "<link data-trunk rel=\"scss\" href=\"a.scss\">",
            "<link data-trunk rel=\"rust\" href=\"Cargo.toml\" data-bin=\"app\" data-type=\"main\" data-bindgen-target=\"deno\">",
            "<link data-trunk rel=\"css\">",
        ] {
            assert!(Asset::of(&document::tags(html)[0]).is_none(), "{html}");
        }
    }

    #[test]
    fn name_with_a_hash_changes_with_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let sheet = folder.path().join("base.css");
        let mut names = Vec::new();
        for content in ["a {}", "b {}"] {
            fs::write(&sheet, content).unwrap();
            names.push(copy_hashed(&sheet, folder.path()).unwrap());
        }
        assert_ne!(names[0], names[1]);
        assert_eq!(names[0].len(), "base-0123456789abcdef.css".len());
        assert_eq!(
            fs::read_to_string(folder.path().join(&names[1])).unwrap(),
            "b {}"
        );
    }
}
