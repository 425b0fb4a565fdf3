//! Reads the header of a card, in each of its four generations.
//!
//! Each text is on one line between `<div …>` and `</div>`, so names are not searched for markup, unless a formatter
//! has broken the lines.

use super::Label;
use super::error::{CardError, MAX_ACCOUNTS, MAX_HANDLE_BYTES, quoted};
use super::text::{decode_entities, https_address, plain};
use crate::shown;

/// The block above "I was made with", with the texts as written.
pub(super) struct Header {
    pub generation: u8,
    pub label: Label,
    /// Display names joined by ` & `; empty if the card has none.
    pub name: String,
    pub handle: String,
    pub avatars: Vec<String>,
}

impl Header {
    /// Reads the header, also where a formatter has broken its elements over several lines.
    pub fn read(body: &str) -> Result<Self, CardError> {
        let lines: Vec<&str> = body
            .lines()
            .take_while(|line| !is_after_header(line))
            .collect();
        let as_written = Self::from_lines(&lines);
        let is_complete = |header: &Self| !header.name.is_empty() && !header.avatars.is_empty();
        if as_written.as_ref().is_ok_and(is_complete) {
            return as_written;
        }
        let unbroken = unbroken(&lines.join("\n"));
        let unbroken = Self::from_lines(&unbroken.lines().collect::<Vec<_>>());
        match (as_written, unbroken) {
            (Ok(written), Ok(other)) => Ok(Self {
                name: if written.name.is_empty() {
                    other.name
                } else {
                    written.name
                },
                avatars: if written.avatars.is_empty() {
                    other.avatars
                } else {
                    written.avatars
                },
                ..written
            }),
            (Ok(header), Err(_)) | (Err(_), Ok(header)) => Ok(header),
            (Err(error), Err(CardError::NoHeader)) | (Err(_), Err(error)) => Err(error),
        }
    }

    /// Reads the header from lines with one `<div …>text</div>` each.
    fn from_lines(lines: &[&str]) -> Result<Self, CardError> {
        let divs: Vec<(usize, &str, &str)> = lines
            .iter()
            .enumerate()
            .filter_map(|(idx, line)| {
                let (attributes, text) = div(line)?;
                Some((idx, attributes, text))
            })
            .collect();
        let has_text = |(_, _, text): &&(usize, &str, &str)| !text.is_empty();
        let first_idx = divs
            .iter()
            .position(|div| has_text(&div))
            .ok_or(CardError::NoHeader)?;
        let (first_line, _, first) = divs[first_idx];
        let after = &divs[first_idx + 1..];

        let (generation, label, name, handle);
        if let Some(old_name) = first.strip_suffix("AI Bot") {
            // Generations 1 to 3: `NAME 🤖 AI Bot`, then `@HANDLE bot`.
            name = old_name.trim_end().trim_end_matches('🤖');
            let &(_, attributes, second) =
                after.iter().find(has_text).ok_or(CardError::NoHandle)?;
            let second = plain(second);
            handle = second.strip_suffix(" bot").unwrap_or(&second).to_owned();
            label = Label::Bot;
            let has_prose = |line: &&str| line.contains("prose'") || line.contains("prose\"");
            generation = if lines.iter().any(has_prose) {
                2
            } else if attributes.contains("#657786") {
                1
            } else {
                3
            };
        } else {
            // Generation 4: the label, the names, the handle.
            label = match plain(first).trim_matches(|c: char| !c.is_ascii_alphabetic()) {
                "AI BOT" => Label::Bot,
                "AI CYBORG" => Label::Cyborg,
                _ => return Err(CardError::NoHeader),
            };
            // The names may be missing, and may begin with `@` themselves; the handle comes last.
            // It may be a link.
            let is_handle = |(_, _, text): &(usize, &str, &str)| plain(text).starts_with('@');
            let at = after
                .iter()
                .rposition(is_handle)
                .ok_or(CardError::NoHandle)?;
            handle = plain(after[at].2);
            name = after[..at].iter().find(has_text).map_or("", |div| div.2);
            generation = 4;
        }
        let avatars = lines[..first_line]
            .iter()
            .filter_map(|line| shown_avatar(line));
        Ok(Self {
            generation,
            label,
            name: name.trim().to_owned(),
            handle: checked_handle(&handle)?,
            avatars: avatars.take(MAX_ACCOUNTS).collect(),
        })
    }
}

/// Whether a line is the first below the header. A display name may hold the words without the link.
fn is_after_header(line: &str) -> bool {
    let made_with = line
        .split_once("I was made with")
        .map(|(_, rest)| rest.trim());
    line.starts_with("## ")
        || made_with.is_some_and(|rest| rest.starts_with(['[', '<']) && !rest.starts_with("</"))
}

/// `header` with every `<div …>` at the start of a line and every `</div>` at the end of one; line breaks inside tags
/// and texts become spaces.
fn unbroken(header: &str) -> String {
    let mut lines = String::with_capacity(header.len());
    let mut rest = header;
    while let Some(at) = rest.find('<') {
        let (text, from) = rest.split_at(at);
        push_on_one_line(&mut lines, text);
        let is_tag = from[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        let Some(end) = tag_end(from).filter(|_| is_tag) else {
            lines.push('<');
            rest = &from[1..];
            continue;
        };
        let (tag, after) = from.split_at(end);
        if starts_with_ignoring_case(tag, "<div") {
            lines.push('\n');
        }
        push_on_one_line(&mut lines, tag);
        if starts_with_ignoring_case(tag, "</div") {
            lines.push('\n');
        }
        rest = after;
    }
    push_on_one_line(&mut lines, rest);
    lines
}

/// The length of the tag that `text` begins with: up to the first `>` outside quotes, else up to the first.
fn tag_end(text: &str) -> Option<usize> {
    let first = text.find('>')?;
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    Some(first + 1)
}

/// Appends `text` with each run of ASCII white space as one space.
fn push_on_one_line(line: &mut String, text: &str) {
    for c in text.chars() {
        if !c.is_ascii_whitespace() {
            line.push(c);
        } else if !line.ends_with([' ', '\n']) {
            line.push(' ');
        }
    }
}

/// Attributes and text of a line `<div …>text</div>`.
fn div(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if !starts_with_ignoring_case(line, "<div") {
        return None;
    }
    let (attributes, rest) = line["<div".len()..].split_once('>')?;
    // A formatter may leave a space inside the closing tag.
    let (text, end) = rest.rsplit_once('<')?;
    let end = end.strip_suffix('>')?.trim_end();
    end.eq_ignore_ascii_case("/div")
        .then(|| (attributes, text.trim()))
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(start))
}

/// The address of a line's background image, unless the avatar's slot is hidden.
fn shown_avatar(line: &str) -> Option<String> {
    let (style, after) = line.split_once("background-image:")?;
    if style.replace(' ', "").contains("display:none") {
        return None;
    }
    let (_, after) = after.split_once("url(")?;
    let (address, _) = after.split_once(')')?;
    let address = decode_entities(address);
    https_address(address.trim().trim_matches(['\'', '"']))
}

/// The handle in a plain text, without characters that nobody sees.
fn checked_handle(raw: &str) -> Result<String, CardError> {
    let text = shown::name(raw);
    let handle = text.strip_prefix('@').ok_or(CardError::NoHandle)?;
    let is_handle = (1..=MAX_HANDLE_BYTES).contains(&handle.len())
        && handle
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    match is_handle {
        true => Ok(handle.to_owned()),
        false => Err(CardError::BadHandle {
            got: quoted(handle),
        }),
    }
}
