//! `OneFile`: the built page as one HTML file that opens by double click, the bundled model included.
//!
//! Styles and scripts stand in it as they are. What is large (both programs, the model) stands in it as base64, and
//! what gzip makes much smaller is packed first: both programs, by two thirds. Packing the model too would spare 6 %
//! of the file and have it open a fifth later; packing nothing, cost 38 % and open a tenth to a quarter later.
//! `www/one_file/page.js` unpacks it all.

use super::{SiteError, SourceTree};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Its name in the folder.
pub const NAME: &str = "huggingtweets.html";

/// The worker of one thread: a page from a disk is not isolated, so more than one it cannot have.
const WORKER: [&str; 3] = ["worker.js", "worker_loader.js", "worker_bg.wasm"];
const MODEL: &str = "model/bundled.gguf";

/// Nothing is asked of anybody but models and pictures that the visitor asks for by address.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; worker-src blob:; \
    style-src 'unsafe-inline'; img-src data: https:; connect-src https: http:; base-uri 'none'; form-action 'none'";

/// `index.html` and the files of the page that it names.
struct Parts {
    document: String,
    links: Vec<Link>,
}

/// A `<link …>` of the document.
struct Link {
    /// The whole tag.
    tag: String,
    rel: String,
    /// Its file in the folder.
    file: String,
}

/// Writes [`NAME`] into `dist`, a built page.
///
/// # Errors
/// [`SiteError::File`]; [`SiteError::NotInOneFile`] if the page is not made as this expects it.
pub fn write(tree: &SourceTree, dist: &Path) -> Result<(), SiteError> {
    let scripts = tree.root().join("www/one_file");
    let Parts {
        mut document,
        links,
    } = Parts::of(dist)?;
    let (mut app, mut program) = (None, None);
    for Link { tag, rel, file } in &links {
        let instead = match rel.as_str() {
            "stylesheet" => format!("<style>\n{}</style>", style(&read(&dist.join(file))?)?),
            "icon" => {
                let drawing = STANDARD.encode(read(&dist.join(file))?);
                format!("<link rel=\"icon\" href=\"data:image/svg+xml;base64,{drawing}\">")
            }
            "modulepreload" => {
                app = Some(read(&dist.join(file))?);
                String::new()
            }
            "preload" => {
                program = Some(dist.join(file));
                String::new()
            }
            "manifest" | "apple-touch-icon" => String::new(),
            _ => return Err(unexpected(tag)),
        };
        document = document.replace(tag.as_str(), &instead);
    }
    let (Some(app), Some(program)) = (app, program) else {
        return Err(unexpected("a page without its program"));
    };

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
    let start = read(&scripts.join("page.js"))?;
    let _ = writeln!(
        body,
        "<script type=\"module\">\n{}</script>",
        script(&[app, start].join("\n"))
    );

    let document = replace_between(
        &document,
        "<script type=\"module\">\nimport init",
        "</script>",
        "",
    )?;
    let policy = format!(
        "<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">"
    );
    let document = replace_once(&document, "<meta charset=\"utf-8\">", &policy)?;
    let document = replace_once(&document, "</body>", &format!("{body}</body>"))?;
    let path = dist.join(NAME);
    fs::write(&path, document).map_err(SiteError::file("write", path))
}

/// The files of `dist` that are in [`NAME`].
///
/// # Errors
/// [`SiteError::File`]; [`SiteError::NotInOneFile`].
pub fn held(dist: &Path) -> Result<Vec<PathBuf>, SiteError> {
    let linked = Parts::of(dist)?.links.into_iter().filter(|link| {
        ["stylesheet", "icon", "modulepreload", "preload"].contains(&link.rel.as_str())
    });
    let names = ["index.html", MODEL].into_iter().chain(WORKER);
    Ok(linked
        .map(|link| dist.join(link.file))
        .chain(names.map(|name| dist.join(name)))
        .collect())
}

impl Parts {
    fn of(dist: &Path) -> Result<Self, SiteError> {
        let document = read(&dist.join("index.html"))?;
        let mut links = Vec::new();
        for (start, _) in document.match_indices("<link ") {
            let tag = document[start..]
                .split_inclusive('>')
                .next()
                .unwrap_or_default();
            let (Some(rel), Some(href)) = (attribute(tag, "rel"), attribute(tag, "href")) else {
                return Err(unexpected(tag));
            };
            // The build may have put an address before the name.
            let file = href.rsplit('/').next().unwrap_or_default();
            links.push(Link {
                tag: tag.to_owned(),
                rel: rel.to_owned(),
                file: file.to_owned(),
            });
        }
        Ok(Self { document, links })
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// JavaScript that ends no `<script>` and opens no comment of HTML; both mean the same in its strings.
fn script(text: &str) -> String {
    text.replace("</script", "<\\/script")
        .replace("<!--", "<\\!--")
}

/// CSS that ends no `<style>`.
fn style(text: &str) -> Result<&str, SiteError> {
    if text.contains("</style") {
        return Err(unexpected("a style sheet with `</style`"));
    }
    Ok(text)
}

fn replace_once(text: &str, from: &str, to: &str) -> Result<String, SiteError> {
    match text.match_indices(from).count() {
        1 => Ok(text.replace(from, to)),
        _ => Err(unexpected(from)),
    }
}

/// Replaces what begins with `from` and ends with the next `end`.
fn replace_between(text: &str, from: &str, end: &str, to: &str) -> Result<String, SiteError> {
    let (before, rest) = text.split_once(from).ok_or_else(|| unexpected(from))?;
    let (_, after) = rest.split_once(end).ok_or_else(|| unexpected(end))?;
    Ok(format!("{before}{to}{after}"))
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

fn unexpected(what: &str) -> SiteError {
    SiteError::NotInOneFile {
        what: what.to_owned(),
    }
}
