//! Reads the header of a card, in each of its four generations.
//!
//! Each text is on one line between `<div …>` and `</div>`, so names are not searched for markup.

use super::Label;
use super::error::{CardError, MAX_ACCOUNTS, MAX_HANDLE_BYTES};
use super::text::https_address;

/// The block above "I was made with", with the texts as written.
pub(super) struct Header<'a> {
    pub generation: u8,
    pub label: Label,
    /// Display names joined by ` & `.
    pub name: &'a str,
    pub handle: &'a str,
    pub avatars: Vec<String>,
}

impl<'a> Header<'a> {
    pub fn read(body: &'a str) -> Result<Self, CardError> {
        let lines: Vec<&str> = body
            .lines()
            .take_while(|line| !line.contains("I was made with") && !line.starts_with("## "))
            .collect();
        let mut divs = lines
            .iter()
            .enumerate()
            .filter_map(|(idx, line)| Some((idx, div_with_text(line)?)));
        let (first_idx, (_, first)) = divs.next().ok_or(CardError::NoHeader)?;

        let (generation, label, name, handle);
        if let Some(old_name) = first.strip_suffix("AI Bot") {
            // Generations 1 to 3: `NAME 🤖 AI Bot`, then `@HANDLE bot`.
            name = old_name.trim_end().trim_end_matches('🤖');
            let (_, (attributes, second)) = divs.next().ok_or(CardError::BadHandle)?;
            handle = second.strip_suffix(" bot").unwrap_or(second);
            label = Label::Bot;
            generation = if lines
                .iter()
                .any(|line| line.contains("prose'") || line.contains("prose\""))
            {
                2
            } else if attributes.contains("#657786") {
                1
            } else {
                3
            };
        } else {
            // Generation 4: the label, the names, the handle.
            label = match first.trim_matches(|c: char| !c.is_ascii_alphabetic()) {
                "AI BOT" => Label::Bot,
                "AI CYBORG" => Label::Cyborg,
                _ => return Err(CardError::NoHeader),
            };
            (_, (_, name)) = divs.next().ok_or(CardError::NoHeader)?;
            (_, (_, handle)) = divs.next().ok_or(CardError::BadHandle)?;
            generation = 4;
        }
        let avatars = lines[..first_idx]
            .iter()
            .filter_map(|line| shown_avatar(line));
        Ok(Self {
            generation,
            label,
            name: name.trim(),
            handle: checked_handle(handle)?,
            avatars: avatars.take(MAX_ACCOUNTS).collect(),
        })
    }
}

/// Attributes and text of a line `<div …>text</div>`, if the text is not empty.
fn div_with_text(line: &str) -> Option<(&str, &str)> {
    let (attributes, rest) = line.trim().strip_prefix("<div")?.split_once('>')?;
    let text = rest.strip_suffix("</div>")?.trim();
    (!text.is_empty()).then_some((attributes, text))
}

/// The address of a line's background image, unless the avatar's slot is hidden.
fn shown_avatar(line: &str) -> Option<String> {
    let (style, after) = line.split_once("background-image:")?;
    if style.replace(' ', "").contains("display:none") {
        return None;
    }
    let (_, after) = after.split_once("url(")?;
    let (address, _) = after.split_once(')')?;
    let address = address.replace("&#39;", "'").replace("&quot;", "\"");
    https_address(address.trim().trim_matches(['\'', '"']))
}

fn checked_handle(raw: &str) -> Result<&str, CardError> {
    let handle = raw.strip_prefix('@').ok_or(CardError::BadHandle)?;
    let is_handle = (1..=MAX_HANDLE_BYTES).contains(&handle.len())
        && handle
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_handle.then_some(handle).ok_or(CardError::BadHandle)
}
