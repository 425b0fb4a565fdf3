//! Writes the built page as one HTML file that opens by double click, with the bundled model in it.
//!
//! Style sheets and scripts are inlined as text. The large files (both programs, the model) are inlined as base64, and
//! compressed first where gzip saves a quarter: the programs, by two thirds. Compressing the model too would save 6 %
//! of the file and delay its opening by a fifth; compressing nothing would cost 38 % and a tenth to a quarter.
//! `www/one_file/page.js` decodes them.

use super::document::{self, Tag};
use super::{SiteError, SourceTree, assemble};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The file's name in the page's folder.
pub const NAME: &str = "huggingtweets.html";

/// The files of the worker with one thread: a page from a disk is not isolated and cannot have more threads.
const WORKER: [&str; 3] = ["worker.js", "worker_loader.js", "worker_bg.wasm"];
const MODEL: &str = "model/bundled.gguf";
/// The script that runs before the page's program.
const EARLY_SCRIPT: &str = "start.js";

/// The page's security policy: the only requests are for models and pictures that the visitor asks for by address.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; worker-src blob:; \
    style-src 'unsafe-inline'; img-src data: https:; connect-src https: http:; base-uri 'none'; form-action 'none'";

/// The built `index.html` with its links.
struct Page {
    html: String,
    links: Vec<Link>,
}

/// A `<link …>` of the document.
struct Link {
    tag: Tag,
    rel: String,
    /// The linked file, by its name in the folder.
    file: String,
}

/// Writes [`NAME`] into `dist`, a page with the plain build of its worker.
///
/// # Errors
/// [`SiteError::File`]; [`SiteError::NotInOneFile`] if the page has a part that this file does not know.
pub fn write(tree: &SourceTree, dist: &Path) -> Result<(), SiteError> {
    let scripts = tree.root().join("www/one_file");
    let Page { html, links } = Page::read(dist)?;
    let mut edits = Vec::new();
    let (app, program) = page_program(dist, &html)?;
    let app = read(&app)?;
    for Link { tag, rel, file } in links {
        let path = dist.join(file);
        let replacement = match rel.as_str() {
            "stylesheet" => format!("<style>\n{}</style>", style(&read(&path)?)?),
            "icon" => {
                let drawing = STANDARD.encode(read(&path)?);
                format!("<link rel=\"icon\" href=\"data:image/svg+xml;base64,{drawing}\">")
            }
            "manifest" | "apple-touch-icon" | "canonical" => String::new(),
            // Of an element in the document itself.
            "expect" => tag.text(&html).to_owned(),
            _ => return Err(unexpected(tag.text(&html))),
        };
        edits.push((tag.place, replacement));
    }
    let [worker, loader, worker_program] = WORKER.map(|name| dist.join(name));
    let worker = [
        read(&scripts.join("worker.js"))?,
        read(&worker)?,
        read(&loader)?,
    ]
    .join("\n");
    let (wasm, js, octets) = (
        "application/wasm",
        "text/javascript",
        "application/octet-stream",
    );
    let mut body = String::new();
    for (name, kind, content) in [
        ("app_bg.wasm", wasm, read_bytes(&program)?),
        ("one_file_worker.js", js, worker.into_bytes()),
        ("worker_bg.wasm", wasm, read_bytes(&worker_program)?),
        (MODEL, octets, read_bytes(&dist.join(MODEL))?),
    ] {
        let packed = gzip(&content);
        let (packing, bytes) = if packed.len() <= content.len() / 4 * 3 {
            (" data-packed=\"gzip\"", packed)
        } else {
            ("", content)
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            body,
            "<script type=\"text/plain\" data-file=\"{name}\" data-type=\"{kind}\"{packing}>{}</script>",
            STANDARD.encode(bytes)
        );
    }
    let page_script = read(&scripts.join("page.js"))?;
    let _ = writeln!(
        body,
        "<script type=\"module\">\n{}</script>",
        script(&[app, page_script].join("\n"))
    );

    let tags = document::tags(&html);
    let find = |what: &str, is_wanted: &dyn Fn(&Tag) -> bool| {
        let place = tags.iter().position(is_wanted);
        place.ok_or_else(|| unexpected(what))
    };
    let starter = find("a page without a module script", &|tag| {
        tag.name == "script" && tag.attribute("type") == Some("module")
    })?;
    edits.push((whole_element(&tags, starter)?, String::new()));
    let early = find("a page without its first script", &|tag| {
        tag.name == "script" && tag.attribute("src") == Some(EARLY_SCRIPT)
    })?;
    let text = script(&read(&dist.join(EARLY_SCRIPT))?);
    edits.push((
        whole_element(&tags, early)?,
        format!("<script>\n{text}</script>"),
    ));
    let charset = find("a page without a charset", &|tag| {
        tag.attribute("charset").is_some()
    })?;
    let after_charset = tags[charset].place.end;
    let policy = format!("\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">");
    edits.push((after_charset..after_charset, policy));
    let body_end = find("a page without a body", &|tag| {
        tag.is_end && tag.name == "body"
    })?;
    let body_end = tags[body_end].place.start;
    edits.push((body_end..body_end, body));
    edits.sort_by_key(|(place, _)| place.start);
    let path = dist.join(NAME);
    fs::write(&path, document::replace(&html, &edits)).map_err(SiteError::file("write", path))
}

/// The files of `dist` that are in [`NAME`].
///
/// # Errors
/// [`SiteError::File`]; [`SiteError::NotInOneFile`].
pub fn held(dist: &Path) -> Result<Vec<PathBuf>, SiteError> {
    let Page { html, links } = Page::read(dist)?;
    let linked = links
        .into_iter()
        .filter(|link| ["stylesheet", "icon"].contains(&link.rel.as_str()));
    let (app, program) = page_program(dist, &html)?;
    let names = ["index.html", EARLY_SCRIPT, MODEL]
        .into_iter()
        .chain(WORKER);
    Ok(linked
        .map(|link| dist.join(link.file))
        .chain(names.map(|name| dist.join(name)))
        .chain([app, program])
        .collect())
}

/// JavaScript and WebAssembly of the page's program, by the script that starts it.
fn page_program(dist: &Path, html: &str) -> Result<(PathBuf, PathBuf), SiteError> {
    let tags = document::tags(html);
    let name = tags.iter().find_map(|tag| {
        let file = tag.attribute("src")?.rsplit('/').next()?;
        file.strip_suffix(assemble::START)
    });
    let name = name.ok_or_else(|| unexpected("a page without its program"))?;
    Ok((
        dist.join(format!("{name}.js")),
        dist.join(format!("{name}_bg.wasm")),
    ))
}

impl Page {
    fn read(dist: &Path) -> Result<Self, SiteError> {
        let html = read(&dist.join("index.html"))?;
        let mut links = Vec::new();
        for tag in document::tags(&html) {
            if tag.name != "link" {
                continue;
            }
            let (Some(rel), Some(href)) = (tag.attribute("rel"), tag.attribute("href")) else {
                return Err(unexpected(tag.text(&html)));
            };
            // The build may have put an address before the name.
            let file = href.rsplit('/').next().unwrap_or_default();
            links.push(Link {
                rel: rel.to_owned(),
                file: file.to_owned(),
                tag,
            });
        }
        Ok(Self { html, links })
    }
}

/// The place of the element that begins with the tag number `index` and holds no others.
fn whole_element(tags: &[Tag], index: usize) -> Result<Range<usize>, SiteError> {
    let end = tags
        .get(index + 1)
        .ok_or_else(|| unexpected("a script without an end"))?;
    Ok(tags[index].place.start..end.place.end)
}

/// JavaScript without the texts that end a script element or begin an HTML comment; escaped they mean the same.
fn script(text: &str) -> String {
    text.replace("</script", "<\\/script")
        .replace("<!--", "<\\!--")
}

/// CSS, which must not end its style element.
fn style(text: &str) -> Result<&str, SiteError> {
    if text.contains("</style") {
        return Err(unexpected("a style sheet with `</style`"));
    }
    Ok(text)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(content)
        .and_then(|()| encoder.finish())
        .expect("memory takes all that is written to it")
}

fn read(path: &Path) -> Result<String, SiteError> {
    fs::read_to_string(path).map_err(SiteError::file("read", path))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, SiteError> {
    fs::read(path).map_err(SiteError::file("read", path))
}

fn unexpected(part: &str) -> SiteError {
    SiteError::NotInOneFile {
        part: part.to_owned(),
    }
}
