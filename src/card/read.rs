//! Reads a huggingtweets model card of any header generation into a [`Card`].
//!
//! A card is untrusted input: every value becomes plain text, a number or a checked address, or reading fails with a
//! [`CardError`].

use super::error::{
    CardError, MAX_CARD_BYTES, MAX_LINE_BYTES, MAX_NAME_CHARS, MAX_PROMPT_CHARS, MAX_PROMPTS,
};
use super::header::Header;
use super::text::{https_address, plain, web_address};
use super::{AccountData, Card, Links, front_matter, mojibake, table};
use crate::file_kind::FileKind;
use crate::shown;

/// Reads a published card, and repairs it if a legacy code page garbled it.
///
/// Counts stay as written, even where they contradict each other. A card without a data table has an empty
/// [`Card::table`].
///
/// # Errors
/// A [`CardError`] for the first part that differs from a huggingtweets card.
pub fn read(bytes: &[u8]) -> Result<Card, CardError> {
    read_card(bytes).map_err(|error| match (&error, FileKind::of(bytes)) {
        (_, FileKind::Unknown) => error,
        (CardError::NoHeader | CardError::NotUtf8 { .. }, found) => CardError::OtherFile { found },
        _ => error,
    })
}

fn read_card(bytes: &[u8]) -> Result<Card, CardError> {
    if bytes.len() > MAX_CARD_BYTES {
        return Err(CardError::TooLarge { got: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| CardError::NotUtf8 {
        at: e.valid_up_to(),
    })?;
    if let Some((idx, line)) = text
        .lines()
        .enumerate()
        .find(|(_, line)| line.len() > MAX_LINE_BYTES)
    {
        return Err(CardError::LineTooLong {
            line: idx + 1,
            got: line.len(),
        });
    }
    let text = mojibake::repair(text);
    let (yaml, body) = front_matter::split(text.trim_start_matches('\u{feff}'))?;
    let front_matter = front_matter::parse(yaml);
    let header = Header::read(body)?;

    let handle = header.handle.clone();
    let name_of = |raw: &str| {
        let name = shown::name(&plain(raw));
        checked("display name", &name, MAX_NAME_CHARS)?;
        // A name of tags or of invisible characters shows nothing; the handle replaces it.
        Ok(if name.is_empty() {
            handle.clone()
        } else {
            name
        })
    };
    let counts = table::counts(body)?;
    let names = match counts.len() {
        0 | 1 => vec![name_of(&header.name)?],
        n => table::column_names(body, &header.name, n)?
            .iter()
            .map(|name| name_of(name))
            .collect::<Result<_, _>>()?,
    };
    let single_handles: Vec<String> = handle.split('-').map(str::to_owned).collect();
    let can_be_split =
        single_handles.len() == names.len() && single_handles.iter().all(|h| !h.is_empty());
    let handles = if can_be_split {
        single_handles
    } else {
        vec![handle.clone()]
    };
    let table = names
        .iter()
        .zip(counts)
        .map(|(name, [downloaded, retweets, short, kept])| AccountData {
            name: name.clone(),
            downloaded,
            retweets,
            short,
            kept,
        })
        .collect();
    Ok(Card {
        generation: header.generation,
        label: header.label,
        names,
        handle,
        handles,
        avatars: header.avatars,
        thumbnail: front_matter.thumbnail.as_deref().and_then(web_address),
        table,
        links: Links {
            data: link(body, &["Explore the data"]),
            training: link(body, &["W&B training run", "W&amp;B training run"]),
            model: link(body, &["the final model"]),
        },
        widget: prompts(front_matter.widget)?,
    })
}

fn checked(what: &'static str, text: &str, limit: usize) -> Result<(), CardError> {
    match text.chars().count() {
        got if got > limit => Err(CardError::TextTooLong { what, got, limit }),
        _ => Ok(()),
    }
}

fn prompts(widget: Vec<String>) -> Result<Vec<String>, CardError> {
    if widget.len() > MAX_PROMPTS {
        return Err(CardError::TooManyPrompts { got: widget.len() });
    }
    widget
        .into_iter()
        .map(|prompt| {
            checked("widget example", &prompt, MAX_PROMPT_CHARS)?;
            Ok(prompt.replace(|c: char| c.is_control() && c != '\n' && c != '\t', ""))
        })
        .collect()
}

/// The address of the link with one of these texts, in Markdown or HTML.
///
/// The last match counts, because a display name, which may contain anything, precedes the card's own links.
fn link(body: &str, texts: &[&str]) -> Option<String> {
    // A formatter may break a line inside of the text, or of the tag.
    let body: Vec<&str> = body.split_ascii_whitespace().collect();
    let body = body.join(" ");
    texts.iter().find_map(|text| {
        let markdown = format!("[{text}](");
        if let Some(at) = body.rfind(&markdown) {
            let target = body[at + markdown.len()..].trim_start();
            let address = match target.strip_prefix('<') {
                Some(bracketed) => bracketed.split('>').next()?,
                // A title may follow the address.
                None => match target.split_once(')')?.0.trim_end().split_once(' ') {
                    None => target.split_once(')')?.0,
                    Some((address, title)) if title.starts_with(['"', '\'', '(']) => address,
                    Some(_) => return None,
                },
            };
            return https_address(address);
        }
        let ends = [format!(">{text}</a>"), format!("> {text} </a>")];
        let before = ends.iter().find_map(|end| body.rsplit_once(end))?.0;
        let (_, attribute) = before.rsplit_once("href=")?;
        let quote = attribute
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\''))?;
        https_address(attribute[1..].split(quote).next()?)
    })
}
