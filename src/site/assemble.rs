//! Assembles the folder of the page from `www/index.html`: one style sheet and the programs named by their hash, copied
//! files.
//!
//! The `data-trunk` links of that document name the parts of the page, so that `trunk build` makes the same folder.

use super::bindings::{ScriptKind, bind};
use super::comments::{self, without_comments};
use super::document::{self, Tag};
use super::wasm_cargo::MAKER_PROGRAMS;
use super::{SiteError, SourceTree, WorkerProgram, files};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// How many hexadecimal digits of a file's SHA-256 its name carries.
pub(super) const NAME_DIGITS: usize = 16;

/// The meaning of a `data-trunk` link.
enum Asset<'a> {
    /// A style sheet, a part of the one that the page links.
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
/// Addresses in the document begin with `public_url`, if that is a path; `more_css` follows the style sheets.
///
/// # Errors
/// [`SiteError::UnknownAsset`] for a `data-trunk` link with another meaning; [`SiteError::NotBound`];
/// [`SiteError::File`].
pub(super) fn assemble(
    tree: &SourceTree,
    programs: &Path,
    public_url: &str,
    more_css: &str,
    folder: &Path,
) -> Result<(), SiteError> {
    let www = tree.root().join("www");
    let source = www.join("index.html");
    let html = fs::read_to_string(&source).map_err(SiteError::file("read", &source))?;
    // With an origin it is the address for other sites; the page itself works at any.
    let base = match public_url.contains("://") {
        true => "./".to_owned(),
        false => format!("{}/", public_url.trim_end_matches('/')),
    };
    let mut css = Vec::new();
    let mut edits = Vec::new();
    for tag in document::tags(&html) {
        if tag.is_end && tag.name == "head" {
            let name = write_hashed("page.css", &css_of(&css, more_css)?, folder)?;
            let link = format!("<link rel=\"stylesheet\" href=\"{base}{name}\">\n");
            edits.push((tag.place.start..tag.place.start, link));
        }
        if tag.attribute("data-trunk").is_none() {
            continue;
        }
        let asset = Asset::of(&tag).ok_or_else(|| SiteError::UnknownAsset {
            tag: tag.text(&html).to_owned(),
        })?;
        let replacement = match asset {
            Asset::Stylesheet(href) => {
                css.push(www.join(href));
                String::new()
            }
            Asset::File(href, target) => {
                let from = www.join(href);
                let to = folder.join(target).join(file_name(&from));
                match comments::are_left_out(href) {
                    true => copy_without_comments(&from, &to)?,
                    false => copy(&from, &to)?,
                }
                String::new()
            }
            Asset::Folder(href) => {
                let from = www.join(href);
                for (name, file) in files::files(&from)? {
                    copy(&file, &folder.join(file_name(&from)).join(name))?;
                }
                String::new()
            }
            // Built later, and apart (`maker_build`, `worker_build`).
            Asset::Worker(bin, _)
                if MAKER_PROGRAMS.contains(&bin) || bin == WorkerProgram::Trainer.bin() =>
            {
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
                let start = folder.join(format!("{name}{START}"));
                fs::write(&start, start_script(&name)).map_err(SiteError::file("write", &start))?;
                format!("<script type=\"module\" src=\"{base}{name}{START}\"></script>")
            }
        };
        edits.push((tag.place, replacement));
    }
    let page = folder.join("index.html");
    fs::write(&page, document::replace(&html, &edits)).map_err(SiteError::file("write", &page))
}

/// The end of the name of the script that starts the page's program.
pub(super) const START: &str = "_start.js";

/// A script that starts the page's program. It is a file, because strict security policies forbid inline scripts.
///
/// Nothing of the program is requested before the page as the build has drawn it is on the screen: on a slow line the
/// program would delay it, and what is typed and pressed there is kept. Browsers that do not tell of that paint are given
/// a frame. A page that is not looked at is not painted.
fn start_script(name: &str) -> String {
    format!(
        "\
const isDrawn = document.getElementById('still')?.checkVisibility?.() && !document.hidden;
if (isDrawn) await new Promise((painted) => {{
  const paint = 'largest-contentful-paint';
  if (PerformanceObserver.supportedEntryTypes.includes(paint)) new PerformanceObserver(painted).observe({{ type: paint, buffered: true }});
  else requestAnimationFrame(() => setTimeout(painted));
  setTimeout(painted, 1000);
}});
const program = fetch(new URL('./{name}_bg.wasm', import.meta.url));
const {{ default: init }} = await import('./{name}.js');
await init({{ module_or_path: program }});
"
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

/// The style sheets as one, so that a browser asks once.
fn css_of(sheets: &[PathBuf], more: &str) -> Result<String, SiteError> {
    let mut css = String::new();
    for sheet in sheets {
        css += &fs::read_to_string(sheet).map_err(SiteError::file("read", sheet))?;
        css.push('\n');
    }
    Ok(without_comments(&(css + more)))
}

/// Writes a file under `name` with its hash before the ending, and returns that name.
fn write_hashed(name: &str, content: &str, folder: &Path) -> Result<String, SiteError> {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let name = format!("{stem}-{}.{ending}", name_hash(content.as_bytes()));
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

fn copy_without_comments(from: &Path, to: &Path) -> Result<(), SiteError> {
    let script = fs::read_to_string(from).map_err(SiteError::file("read", from))?;
    fs::write(to, without_comments(&script)).map_err(SiteError::file("write", to))
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
        let names =
            ["a {}", "b {}"].map(|css| write_hashed("page.css", css, folder.path()).unwrap());
        assert_ne!(names[0], names[1]);
        assert_eq!(names[0].len(), "page-0123456789abcdef.css".len());
        assert_eq!(
            fs::read_to_string(folder.path().join(&names[1])).unwrap(),
            "b {}"
        );
    }

    #[test]
    fn style_sheets_are_joined_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let sheets = ["a", "b"].map(|name| folder.path().join(name));
        for sheet in &sheets {
            fs::write(
                sheet,
                format!("{} {{}}", sheet.file_name().unwrap().display()),
            )
            .unwrap();
        }
        assert_eq!(css_of(&sheets, "c {}").unwrap(), "a {}\nb {}\nc {}\n");
    }
}
