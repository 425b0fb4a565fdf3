//! A copy of the site with a bot as its first: what changes in `index.html` and in the service worker's list of files.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The id of the element with the bot.
pub const ID: &str = "site-bot";
/// The attribute with the way to its file.
pub const FILE: &str = "data-file";
/// The attribute with its card.
pub const CARD: &str = "data-card";
/// The service worker's script.
pub const SERVICE_WORKER: &str = "sw.js";
/// The page.
pub const INDEX: &str = "index.html";

/// The beginning of the script's line with the list (src/site/app_shell.rs).
const LINE: &str = "const SHELL = ";

/// The files of the site by the list in its service worker `script`; `None` before the site is whole.
#[must_use]
pub fn files(script: &str) -> Option<Vec<String>> {
    let list = list(script)?;
    let names = list["files"].as_object()?.keys();
    Some(names.cloned().collect())
}

/// The service worker's script for the site with another `index` and one `file` more, of `bytes` bytes with this hash.
/// Models are stored by the page itself, so the service worker takes the file when it is used.
#[must_use]
pub fn service_worker(
    script: &str,
    index: &str,
    file: &str,
    bytes: u64,
    hash: &[u8],
) -> Option<String> {
    let mut list = list(script)?;
    let files = list["files"].as_object_mut()?;
    files.insert(
        INDEX.to_owned(),
        json!({ "integrity": integrity(&Sha256::digest(index)), "bytes": index.len() }),
    );
    files.insert(
        file.to_owned(),
        json!({ "integrity": integrity(hash), "bytes": bytes, "onDemand": true }),
    );
    let build = Sha256::digest(Value::from(files.clone()).to_string());
    list["build"] = base16ct::lower::encode_string(&build[..8]).into();
    let (start, end) = place(script)?;
    Some(format!("{}{list}{}", &script[..start], &script[end..]))
}

/// The page with the bot of this `card`, whose weights are in `file`, as its first; `None` if it is no page of ours.
#[must_use]
pub fn index(page: &str, card: &str, file: &str) -> Option<String> {
    // What the build has drawn is another bot.
    let root = page.find("<html")? + "<html".len();
    let body = page[root..].find("<body")? + root;
    let body = page[body..].find('>')? + body + 1;
    Some(format!(
        "{} data-other=\"\"{}<div id=\"{ID}\" hidden {FILE}=\"{}\" {CARD}=\"{}\"></div>{}",
        &page[..root],
        &page[root..body],
        attribute(file),
        attribute(card),
        &page[body..],
    ))
}

/// A text as the value of an attribute in double quotes.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('\r', "&#13;")
}

fn integrity(hash: &[u8]) -> String {
    use base64::Engine as _;
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    format!("sha256-{hash}")
}

fn list(script: &str) -> Option<Value> {
    let (start, end) = place(script)?;
    let list: Value = serde_json::from_str(&script[start..end]).ok()?;
    list.is_object().then_some(list)
}

/// Begin and end of the list's JSON.
fn place(script: &str) -> Option<(usize, usize)> {
    let line = match script.starts_with(LINE) {
        true => 0,
        false => script.find(&format!("\n{LINE}"))? + 1,
    };
    let start = line + LINE.len();
    let end = script[start..].find(";\n")? + start;
    Some((start, end))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    const SCRIPT: &str = "// A worker.\nconst SHELL = {\"build\":\"ab\",\"files\":{\"index.html\":{\"integrity\":\"sha256-x\",\"bytes\":4},\"a;b.js\":{\"integrity\":\"sha256-y\",\"bytes\":5}}};\nrest();\n";

    #[test]
    fn the_list_takes_the_other_page_and_the_bots_file() {
        assert_eq!(files(SCRIPT).unwrap(), ["a;b.js", "index.html"]);
        let script = service_worker(SCRIPT, "page", "first/zoe.gguf", 7, &[0; 32]).unwrap();
        assert!(
            script.starts_with("// A worker.\n") && script.ends_with("};\nrest();\n"),
            "{script}"
        );
        let list = list(&script).unwrap();
        assert_eq!(list["files"]["a;b.js"]["bytes"], 5);
        assert_eq!(list["files"]["index.html"]["bytes"], 4);
        assert_ne!(list["files"]["index.html"]["integrity"], "sha256-x");
        assert_eq!(list["files"]["first/zoe.gguf"]["onDemand"], true);
        assert_ne!(list["build"], "ab");
        // A site that is still being built has no list.
        assert_eq!(files("const SHELL = null;\n"), None);
    }

    #[test]
    fn a_card_is_one_attribute_whatever_it_says() {
        let card = "---\nname: \"<b> & 'c'\"\n---\n</div><script>alert(1)</script>";
        let page = index(
            "<!doctype html>\n<html lang=en><head></head><body class=x><p>old",
            card,
            "first/a\".gguf",
        )
        .unwrap();
        assert!(
            page.starts_with("<!doctype html>\n<html data-other=\"\" lang=en>"),
            "{page}"
        );
        assert!(
            page.contains(
                "<body class=x><div id=\"site-bot\" hidden data-file=\"first/a&quot;.gguf\""
            ),
            "{page}"
        );
        assert!(
            !page.contains("<script>alert") && page.ends_with("></div><p>old"),
            "{page}"
        );
    }
}
