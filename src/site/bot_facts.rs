//! Writes the facts that the card of `<huggingtweets-bot>` shows before a visitor asks: `bot/OWNER/NAME/bot.json`.

use super::{SiteError, files, one_file};
use crate::bot::{self, Bot, HUB_WEIGHTS_MB};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// Files of the folder that the element's frame does not fetch, besides those of the maker.
const NOT_FETCHED: [&str; 5] = [
    "embed.js",
    "huggingtweets.js",
    "huggingtweets.d.ts",
    "sw.js",
    one_file::NAME,
];

/// The facts about one bot.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct BotFacts<'a> {
    /// Display names, in the card's order.
    names: &'a [String],
    /// Without `@`.
    handle: &'a str,
    /// Above the names.
    label: &'static str,
    /// Of the bot's colour, in degrees.
    hue: u16,
    /// The drawing of each avatar.
    avatars: Vec<AvatarFacts>,
    /// Prompts to try.
    prompts: &'a [String],
    /// Bytes of the bundled model, which the first press fetches.
    bytes: u64,
    /// Bytes that it fetches for the bot's own model.
    own_bytes: u64,
    /// Bytes of the programs that it fetches besides, behind gzip.
    code: u64,
}

/// A drawn avatar.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct AvatarFacts {
    hue: u16,
    initials: String,
}

impl<'a> BotFacts<'a> {
    fn of(bot: &'a Bot, bytes: u64, code_bytes: u64) -> Self {
        let card = &bot.card;
        Self {
            names: &card.names,
            handle: &card.handle,
            label: card.label.text(),
            hue: bot::hue(&card.handle),
            avatars: bot::drawings(&card.handle, &card.names, card.avatars.len())
                .map(|(hue, initials)| AvatarFacts { hue, initials })
                .collect(),
            prompts: &card.widget,
            bytes,
            own_bytes: u64::from(HUB_WEIGHTS_MB) * 1_000_000,
            code: code_bytes,
        }
    }
}

/// Writes the file of each bot of the gallery into `dist`, an assembled page.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn write(dist: &Path) -> Result<(), SiteError> {
    let (mut code_bytes, mut model_bytes) = (0, 0);
    for (name, path) in files::files(dist)? {
        let is_code = [".js", ".html", ".css", ".wasm"]
            .iter()
            .any(|ending| name.ends_with(ending));
        let content = fs::read(&path).map_err(SiteError::file("read", &path))?;
        if name.starts_with("model/") {
            model_bytes += content.len() as u64;
        } else if is_code
            && !name.contains('/')
            && !name.starts_with("maker")
            && !NOT_FETCHED.contains(&name.as_str())
        {
            code_bytes += gzipped(&content);
        }
    }
    for bot in bot::bundled() {
        let facts = BotFacts::of(bot, model_bytes, code_bytes);
        let folder = dist.join("bot").join(&bot.repo);
        fs::create_dir_all(&folder).map_err(SiteError::file("create", &folder))?;
        let json = serde_json::to_string(&facts).expect("strings and numbers are JSON");
        let path = folder.join("bot.json");
        fs::write(&path, json).map_err(SiteError::file("write", &path))?;
    }
    Ok(())
}

fn gzipped(content: &[u8]) -> u64 {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let _ = encoder.write_all(content);
    encoder.finish().map_or(0, |packed| packed.len() as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    #[test]
    fn every_bot_of_the_gallery_has_its_facts_in_less_than_8_kb() {
        let dist = tempfile::tempdir().unwrap();
        fs::create_dir(dist.path().join("model")).unwrap();
        fs::write(dist.path().join("model/bundled.gguf"), [0; 1000]).unwrap();
        fs::write(dist.path().join("app.js"), [0; 1000]).unwrap();
        for name in [one_file::NAME, "maker_page_bg.wasm"] {
            fs::write(dist.path().join(name), [0; 5000]).unwrap();
        }
        write(dist.path()).unwrap();
        for bot in bot::bundled() {
            let path = dist.path().join("bot").join(&bot.repo).join("bot.json");
            let json = fs::read(path).unwrap();
            assert!(json.len() < 8000);
            let facts: serde_json::Value = serde_json::from_slice(&json).unwrap();
            assert_eq!(facts["handle"], bot.card.handle.as_str());
            assert_eq!(
                facts["avatars"].as_array().unwrap().len(),
                bot.card.avatars.len().max(1)
            );
            assert_eq!(facts["bytes"], 1000);
            let code = facts["code"].as_u64().unwrap();
            assert!((10..40).contains(&code), "{code}");
        }
    }
}
