//! Who the bot is: repository name, card, drawn avatar, and the bundled five.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

// The page knows bots, and a bot's facts through them.
pub use crate::card::{AccountData, Card, Label, Links};

/// Size of the `pytorch_model.bin` of each bundled bot on the Hub, in MB (10⁶ bytes), as its file list shows:
/// 124.4 M weights of 4 bytes, and 12.6 MB of attention masks.
pub const HUB_WEIGHTS_MB: u32 = 510;

/// The Hub, where a bot's repository is when no other endpoint is given.
pub const HUB: &str = "https://huggingface.co";

/// Cards of the gallery, in its order.
///
/// Each file is what [`card::read`](crate::card::read::read) makes of the published card;
/// `tests/native/cards.rs` compares them where the originals are at hand, and writes them anew on request.
const BUNDLED: [(&str, &str); 5] = [
    (
        "huggingtweets/jen_122",
        include_str!("../assets/bots/jen_122.json"),
    ),
    (
        "huggingtweets/empressrandom",
        include_str!("../assets/bots/empressrandom.json"),
    ),
    (
        "huggingtweets/snackmerritt",
        include_str!("../assets/bots/snackmerritt.json"),
    ),
    (
        "huggingtweets/kr00ney-nerdwallet-producthunt",
        include_str!("../assets/bots/kr00ney-nerdwallet-producthunt.json"),
    ),
    (
        "huggingtweets/goando-tsuchinao83-za09313103",
        include_str!("../assets/bots/goando-tsuchinao83-za09313103.json"),
    ),
];

/// One bot of the gallery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// `OWNER/NAME` on the Hub.
    pub repo: String,
    /// Its card.
    pub card: Card,
}

impl Bot {
    /// The bot of a repository, from its `README.md`; `None` if that is no card of the original's.
    pub fn from_readme(repo: &str, markdown: &str) -> Option<Bot> {
        let card = crate::card::read::read(markdown.as_bytes()).ok()?;
        Some(Bot {
            repo: repo.to_owned(),
            card,
        })
    }

    /// Its page on the Hub.
    pub fn hub_url(&self) -> String {
        format!("{HUB}/{}", self.repo)
    }

    /// What a drawn avatar of `name` shows: the first letters of its first two words, or one
    /// character where the script has no capitals; `🤖` for a name without a letter or digit.
    pub fn initials(name: &str) -> String {
        let mut firsts = name
            .split_whitespace()
            .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
        let Some(first) = firsts.next() else {
            return "🤖".to_owned();
        };
        let has_capitals = |c: &char| c.is_lowercase() || c.is_uppercase();
        let second = firsts
            .next()
            .filter(|c| has_capitals(&first) && has_capitals(c));
        std::iter::once(first)
            .chain(second)
            .flat_map(char::to_uppercase)
            .collect()
    }
}

/// The colour of a bot: a hue in degrees, 0 to 359, that depends on the handle alone.
///
/// Never 65 to 124: yellows and their neighbours turn to mud at the lightness that text on paper needs.
pub fn hue(handle: &str) -> u16 {
    // FNV-1a: the same on every machine and in every version, which std's hasher does not promise.
    let hash = handle.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    u16::try_from((hash % 300 + 125) % 360).expect("a remainder of 360 fits 16 bits")
}

/// The five bots that come with the page, in the gallery's order.
pub fn bundled() -> &'static [Bot] {
    static BOTS: OnceLock<Vec<Bot>> = OnceLock::new();
    BOTS.get_or_init(|| {
        BUNDLED
            .iter()
            .map(|(repo, json)| Bot {
                repo: (*repo).to_owned(),
                card: serde_json::from_str(json).expect("the bundled cards are tested to be cards"),
            })
            .collect()
    })
}

/// The bundled bot of this `OWNER/NAME`, upper or lower case.
pub fn find(repo: &str) -> Option<&'static Bot> {
    bundled()
        .iter()
        .find(|bot| bot.repo.eq_ignore_ascii_case(repo))
}

/// An `OWNER/NAME` that can stand in an address as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoId(String);

/// Why a text is no [`RepoId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a bot is named OWNER/NAME, each of 1 to 96 letters, digits, `-`, `_` and `.`, as in huggingtweets/jen_122; got \"{got}\""
)]
pub struct RepoIdError {
    /// The text, cut after 80 characters.
    pub got: String,
}

impl RepoId {
    /// As it was given, `OWNER/NAME`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepoId {
    type Err = RepoIdError;

    /// Takes the value of `?bot=`, already percent-decoded.
    fn from_str(text: &str) -> Result<Self, RepoIdError> {
        // The Hub's rules: no end or start in `-` or `.`, no two of these in a row, which also keeps `..` out of paths.
        let is_part = |part: &str| {
            (1..=96).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                && !part.starts_with(['-', '.'])
                && !part.ends_with(['-', '.'])
                && !part.contains("--")
                && !part.contains("..")
        };
        match text.split_once('/') {
            Some((owner, name)) if is_part(owner) && is_part(name) => Ok(Self(text.to_owned())),
            _ => Err(RepoIdError {
                got: text.chars().take(80).collect(),
            }),
        }
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
