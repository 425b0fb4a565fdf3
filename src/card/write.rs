//! Writes a model card: as huggingtweets wrote it, or with the faults of that card mended.
//!
//! The templates are those of 2021-03-24 ([generation](Card::generation) 3) and of 2021-05-07 (generation 4). The original
//! replaced the words in capitals in a fixed order, whatever a display name held; so does [`as_original`], byte for byte.

use serde::Deserialize;

use super::error::{MAX_ACCOUNTS, MAX_CARD_BYTES, MAX_HANDLE_BYTES};
use super::text::web_address;
use super::{AccountData, Card, Label, Links};
use crate::shown;

const TEMPLATE_3: &str = include_str!("template_3.md");
const TEMPLATE_4: &str = include_str!("template_4.md");

/// The share picture of a bot that has never written anything.
const DEFAULT_THUMBNAIL: &str =
    "https://github.com/borisdayma/huggingtweets/blob/master/img/logo.png?raw=true";
const DEFAULT_PROMPT: &str = "My dream is";
const DEFAULT_BASE_MODEL: &str = "gpt2";
/// The name of the model that comes with the page and the program.
const BUNDLED_MODEL: &str = "bundled";
const DEFAULT_LICENSE: &str = "mit";
/// What follows a run's address where its artifacts are shown.
const ARTIFACTS: &str = "/artifacts";
/// Longest of the short values, such as a language, in bytes.
const MAX_VALUE_BYTES: usize = 96;

/// What a card is written from: the JSON of [`Card`], as `card read` prints it, and what original cards lack.
///
/// Only `handles` or `handle`, and one name per account, must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CardFacts {
    /// 3 or 4; left out: 4.
    pub generation: Option<u8>,
    /// Left out: by the number of names.
    pub label: Option<Label>,
    /// One to three display names.
    pub names: Vec<String>,
    /// The sorted handles joined by `-`; left out: made of `handles`.
    pub handle: Option<String>,
    /// The handles in any order.
    pub handles: Vec<String>,
    /// An address per name.
    pub avatars: Vec<String>,
    /// The share picture.
    pub thumbnail: Option<String>,
    /// The counts per name; empty: a card without a table, which the original never wrote.
    pub table: Vec<AccountData>,
    /// The runs' pages.
    pub links: Links,
    /// Example prompts; left out: the original's.
    pub widget: Vec<String>,
    /// Whether the card is the original's, byte for byte.
    pub faithful: bool,
    /// The posts' language as a tag of BCP 47; left out: none is stated.
    pub language: Option<String>,
    /// The model that was trained on; left out: `gpt2`.
    pub base_model: Option<String>,
    /// Left out: `mit`.
    pub license: Option<String>,
    /// The day it is written, such as 2026-01-31.
    pub date: Option<String>,
    /// Whether no model was trained yet.
    pub untrained: bool,
}

/// Why no card is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardWriteError {
    /// Not JSON of this shape.
    #[error("the bot's facts are not JSON as `card read` prints it: {cause}")]
    Json {
        /// The parser's words.
        cause: String,
    },
    /// No name, or more than [`MAX_ACCOUNTS`].
    #[error("a bot has one to {MAX_ACCOUNTS} names, not {got}")]
    Names {
        /// The names given.
        got: usize,
    },
    /// Something that must be there once per name.
    #[error("there are {got} {what} for {names} names")]
    Number {
        /// The kind of thing.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// The names.
        names: usize,
    },
    /// A handle with other characters than handles have.
    #[error("`{got}` is no handle of 1 to {MAX_HANDLE_BYTES} letters, digits, `_` and `-`")]
    Handle {
        /// As given.
        got: String,
    },
    /// An address that is none.
    #[error("`{got}` is no address that begins with https:// or http://")]
    Address {
        /// As given.
        got: String,
    },
    /// A value of the front matter that would break it.
    #[error("the {what} `{got}` is not a short word")]
    Value {
        /// The value's name.
        what: &'static str,
        /// As given.
        got: String,
    },
    /// The original wrote no such card.
    #[error("the original wrote no card of generation {generation} with {names} names{without}", without = if *has_table { "" } else { " and without counts" })]
    NoTemplate {
        /// As given.
        generation: u8,
        /// The names.
        names: usize,
        /// Whether there are counts.
        has_table: bool,
    },
    /// A card that would be too long to be read again.
    #[error("the card would have {got} bytes, more than {MAX_CARD_BYTES}")]
    TooLarge {
        /// Its bytes.
        got: usize,
    },
}

impl CardWriteError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Json { .. } => {
                "give the JSON that `card read CARD --json` prints, or one like it"
            }
            Self::Names { .. } => "give `names` as a list of display names",
            Self::Number { .. } => "give one for each name, in the order of the names",
            Self::Handle { .. } => "give `handles` as a list of handles without `@`",
            Self::Address { .. } => "give the whole address, or leave it out",
            Self::Value { .. } => "give it as one word, such as `en`, or leave it out",
            Self::NoTemplate { .. } => {
                "leave `generation` and `faithful` out, or give one name and its counts for generation 3"
            }
            Self::TooLarge { .. } => "shorten the names or the prompts",
        }
    }
}

/// Writes the card of the facts in `json`: the original's if they say so or `is_faithful`, else the mended one.
///
/// # Errors
/// [`CardWriteError`] for the first fact that cannot be on a card.
pub fn from_json(json: &[u8], is_faithful: bool) -> Result<String, CardWriteError> {
    let facts: CardFacts = serde_json::from_slice(json).map_err(|error| CardWriteError::Json {
        cause: shown::beginning(&error.to_string(), 200),
    })?;
    match is_faithful || facts.faithful {
        true => as_original(&facts),
        false => mended(&facts),
    }
}

impl From<Card> for CardFacts {
    fn from(card: Card) -> Self {
        Self {
            generation: Some(card.generation),
            label: Some(card.label),
            names: card.names,
            handle: Some(card.handle),
            handles: card.handles,
            avatars: card.avatars,
            thumbnail: card.thumbnail,
            table: card.table,
            links: card.links,
            widget: card.widget,
            ..Self::default()
        }
    }
}

/// Facts that were checked, as texts.
struct Checked {
    generation: u8,
    label: &'static str,
    handle: String,
    /// One per name; empty where there is none.
    avatars: Vec<String>,
    thumbnail: String,
    /// The run's page without [`ARTIFACTS`].
    data_run: Option<String>,
    training_run: Option<String>,
}

impl Checked {
    fn new(facts: &CardFacts) -> Result<Self, CardWriteError> {
        let names = facts.names.len();
        if !(1..=MAX_ACCOUNTS).contains(&names) {
            return Err(CardWriteError::Names { got: names });
        }
        for (what, got) in [
            ("rows of counts", facts.table.len()),
            ("avatars", facts.avatars.len()),
        ] {
            if got != 0 && got != names {
                return Err(CardWriteError::Number { what, got, names });
            }
        }
        let handle = facts.handle.clone().unwrap_or_else(|| {
            let mut handles = facts.handles.clone();
            handles.sort_unstable();
            handles.join("-")
        });
        let is_handle = (1..=MAX_HANDLE_BYTES).contains(&handle.len())
            && handle
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_handle {
            return Err(CardWriteError::Handle {
                got: shown::beginning(&shown::name(&handle), MAX_HANDLE_BYTES),
            });
        }
        let address = |given: &str| {
            web_address(given).ok_or_else(|| CardWriteError::Address {
                got: shown::beginning(&shown::name(given), 200),
            })
        };
        let run = |given: &Option<String>| {
            let given = given.as_deref().map(address).transpose()?;
            Ok(given.map(|link| link.strip_suffix(ARTIFACTS).unwrap_or(&link).to_owned()))
        };
        let thumbnail = facts.thumbnail.as_deref().unwrap_or(DEFAULT_THUMBNAIL);
        let avatars = facts.avatars.iter().map(|given| address(given));
        Ok(Self {
            generation: facts.generation.unwrap_or(4),
            label: match facts.label {
                Some(Label::Cyborg) => "CYBORG",
                None if names > 1 => "CYBORG",
                Some(Label::Bot) | None => "BOT",
            },
            handle,
            avatars: avatars.collect::<Result<_, _>>()?,
            thumbnail: address(thumbnail)?,
            data_run: run(&facts.links.data)?,
            training_run: run(&facts.links.training)?.or(run(&facts.links.model)?),
        })
    }
}

/// The card as huggingtweets wrote it, its faults included: names are not escaped, and the language is always `en`.
///
/// # Errors
/// [`CardWriteError`] for a fact that cannot be on a card, and for facts from which the original wrote none.
pub fn as_original(facts: &CardFacts) -> Result<String, CardWriteError> {
    let checked = Checked::new(facts)?;
    let names = facts.names.len();
    let template = match (checked.generation, names) {
        (3, 1) => TEMPLATE_3,
        (4, _) => TEMPLATE_4,
        _ => "",
    };
    if template.is_empty() || facts.table.is_empty() {
        return Err(CardWriteError::NoTemplate {
            generation: checked.generation,
            names,
            has_table: !facts.table.is_empty(),
        });
    }
    let avatar = |i: usize| checked.avatars.get(i).cloned().unwrap_or_default();
    let display = |i: usize| if i < names { "inherit" } else { "none" }.to_owned();
    let row = |count: fn(&AccountData) -> u32| {
        let counts = facts.table.iter().map(|account| count(account).to_string());
        counts.collect::<Vec<_>>().join(" | ")
    };
    let run = |run: &Option<String>| run.clone().unwrap_or_default();
    let card_names = facts.names.join(" & ");
    // The original's order, on which it depends what becomes of a name that holds one of the words.
    let mut replacements = vec![
        ("USER_PROFILE_1", avatar(0)),
        ("DISPLAY_1", display(0)),
        ("USER_PROFILE_2", avatar(1)),
        ("DISPLAY_2", display(1)),
        ("USER_PROFILE_3", avatar(2)),
        ("DISPLAY_3", display(2)),
        ("USER_HANDLE", checked.handle.clone()),
        ("USER_NAME", card_names),
        ("BOT", checked.label.to_owned()),
        ("SOCIAL_LINK", checked.thumbnail.clone()),
        ("TABLE_USER", facts.names.join(" | ")),
        ("TABLE_SPLIT", vec!["---"; names].join(" | ")),
        ("TWEETS_DL", row(|account| account.downloaded)),
        ("RETWEETS", row(|account| account.retweets)),
        ("SHORT_TWEETS", row(|account| account.short)),
        ("TWEETS_KEPT", row(|account| account.kept)),
        ("WANDB_PREPROCESS", run(&checked.data_run)),
        ("WANDB_TRAIN", run(&checked.training_run)),
    ];
    if checked.generation == 3 {
        // That template had one account, and no label to choose.
        replacements
            .retain(|(word, _)| !word.contains("_2") && !word.contains("_3") && *word != "BOT");
        replacements.insert(0, ("USER_PROFILE", avatar(0)));
    }
    let mut card = template.to_owned();
    for (word, value) in replacements {
        card = card.replace(word, &value);
    }
    fits(card)
}

/// The card with the original's faults mended: names cannot break the table or the page, the language is that of the posts
/// or none, base model and licence are stated, and it says who wrote it and when.
///
/// # Errors
/// [`CardWriteError`] for a fact that cannot be on a card.
pub fn mended(facts: &CardFacts) -> Result<String, CardWriteError> {
    let checked = Checked::new(facts)?;
    let handle = &checked.handle;
    let names: Vec<String> = facts
        .names
        .iter()
        .map(|name| escaped(&shown::name(name)))
        .collect();
    let joined = names.join(" & ");
    let base_model = facts.base_model.as_deref().unwrap_or(DEFAULT_BASE_MODEL);
    let is_on_hub = is_model_of_hub(base_model);
    let license = value("license", facts.license.as_deref())?.unwrap_or(DEFAULT_LICENSE);
    let language = value("language", facts.language.as_deref())?;
    let date = value("date", facts.date.as_deref())?;
    let mut prompts = facts.widget.clone();
    if prompts.is_empty() {
        prompts.push(DEFAULT_PROMPT.to_owned());
    }
    let mut card = String::from("---\n");
    let mut add = |line: &str| {
        card.push_str(line);
        card.push('\n');
    };
    if let Some(language) = language {
        add(&format!("language: {language}"));
    }
    add(&format!("license: {license}"));
    if is_on_hub {
        add(&format!("base_model: {base_model}"));
    }
    add("pipeline_tag: text-generation");
    add(&format!("thumbnail: {}", checked.thumbnail));
    add("tags:");
    add("- huggingtweets");
    add("widget:");
    for prompt in &prompts {
        // JSON's strings are strings of YAML.
        add(&format!("- text: {}", quoted(prompt)));
    }
    add("---");
    add("");
    add("<div class=\"inline-flex flex-col\" style=\"line-height: 1.5;\">");
    add("    <div class=\"flex\">");
    for avatar in &checked.avatars {
        add("        <div");
        add(&format!(
            "            style=\"display:inherit; margin-left: 4px; margin-right: 4px; width: 92px; height:92px; border-radius: 50%; background-size: cover; background-image: url(&#39;{}&#39;)\">",
            html(avatar)
        ));
        add("        </div>");
    }
    add("    </div>");
    add(&format!(
        "    <div style=\"text-align: center; margin-top: 3px; font-size: 16px; font-weight: 800\">🤖 AI {} 🤖</div>",
        checked.label
    ));
    add(&format!(
        "    <div style=\"text-align: center; font-size: 16px; font-weight: 800\">{joined}</div>"
    ));
    add(&format!(
        "    <div style=\"text-align: center; font-size: 14px;\">@{handle}</div>"
    ));
    add("</div>");
    add("");
    add("I was made with [huggingtweets](https://github.com/borisdayma/huggingtweets).");
    add("");
    let when = date.map(|date| format!(" on {date}")).unwrap_or_default();
    add(&format!(
        "huggingtweets-web wrote this card{when}. What the bot writes is generated text, not the words of {joined}."
    ));
    add("");
    add("## Training data");
    add("");
    add(&format!("The model was trained on tweets from {joined}."));
    add("");
    if !facts.table.is_empty() {
        add(&format!("| Data | {} |", names.join(" | ")));
        add(&format!(
            "| --- | {} |",
            vec!["---"; names.len()].join(" | ")
        ));
        type Row = (&'static str, fn(&AccountData) -> u32);
        let rows: [Row; 4] = [
            ("Tweets downloaded", |account| account.downloaded),
            ("Retweets", |account| account.retweets),
            ("Short tweets", |account| account.short),
            ("Tweets kept", |account| account.kept),
        ];
        for (row, count) in rows {
            let counts = facts.table.iter().map(|account| count(account).to_string());
            add(&format!(
                "| {row} | {} |",
                counts.collect::<Vec<_>>().join(" | ")
            ));
        }
        add("");
    }
    if let Some(run) = &checked.data_run {
        add(&format!(
            "[Explore the data]({run}{ARTIFACTS}), which is tracked at every step of the pipeline."
        ));
        add("");
    }
    add("## Training procedure");
    add("");
    if facts.untrained {
        add("No model was trained on these tweets yet.");
    } else {
        let base = match base_model {
            BUNDLED_MODEL => "the small model of huggingtweets-web".to_owned(),
            name if is_on_hub => format!("a pre-trained [{name}](https://huggingface.co/{name})"),
            name => {
                let name = shown::beginning(&shown::name(name), MAX_VALUE_BYTES);
                format!("the model {}", escaped(&name))
            }
        };
        add(&format!(
            "The model is based on {base} which is fine-tuned on @{handle}'s tweets."
        ));
        if let Some(run) = &checked.training_run {
            add("");
            add(&format!(
                "Hyperparameters and metrics are recorded in the [W&B training run]({run}) for full transparency and reproducibility."
            ));
            add("");
            add(&format!(
                "At the end of training, [the final model]({run}{ARTIFACTS}) is logged and versioned."
            ));
        }
    }
    add("");
    add("## How to use");
    add("");
    add("You can use this model directly with a pipeline for text generation:");
    add("");
    add("```python");
    add("from transformers import pipeline");
    add("generator = pipeline('text-generation',");
    add(&format!(
        "                     model='huggingtweets/{handle}')"
    ));
    // A string of JSON is one of Python.
    add(&format!(
        "generator({}, num_return_sequences=5)",
        quoted(&prompts[0])
    ));
    add("```");
    add("");
    add("## Limitations and bias");
    add("");
    add(
        "The model suffers from [the same limitations and bias as GPT-2](https://huggingface.co/gpt2#limitations-and-bias).",
    );
    add("");
    add(
        "In addition, the data present in the user's tweets further affects the text generated by the model.",
    );
    fits(card)
}

fn fits(card: String) -> Result<String, CardWriteError> {
    match card.len() {
        got if got > MAX_CARD_BYTES => Err(CardWriteError::TooLarge { got }),
        _ => Ok(card),
    }
}

/// Whether a text is a short word of letters, digits and `-._/`.
fn is_word(text: &str) -> bool {
    (1..=MAX_VALUE_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Whether a base model can be looked up on the Hub by this name: `OWNER/NAME`, or one of the first models, which have no
/// owner. Any other name is that of a file or of a bot.
fn is_model_of_hub(name: &str) -> bool {
    const WITHOUT_OWNER: [&str; 5] = ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2"];
    let has_owner = name.split('/').count() == 2 && name.split('/').all(is_word);
    WITHOUT_OWNER.contains(&name) || has_owner
}

/// A value of the front matter: a word.
fn value<'a>(
    what: &'static str,
    given: Option<&'a str>,
) -> Result<Option<&'a str>, CardWriteError> {
    match given {
        Some(text) if !is_word(text) => Err(CardWriteError::Value {
            what,
            got: shown::beginning(&shown::name(text), MAX_VALUE_BYTES),
        }),
        // YAML takes the word as a truth value, and Norwegian is one of them.
        Some("no") => Ok(Some("\"no\"")),
        given => Ok(given),
    }
}

/// A text in double quotes, as JSON, YAML and Python read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `name` with every character that Markdown or HTML could take for markup as a number. One form serves both, so that the
/// header and the table hold the same text.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' | '\'' | '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' | '!' | '$' | ':' => {
                text.push_str(&format!("&#{};", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text
}

/// An address inside an attribute.
fn html(address: &str) -> String {
    address.replace('&', "&amp;")
}
