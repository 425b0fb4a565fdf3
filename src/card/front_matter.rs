//! Reads the YAML front matter of a card: the two fields that a card needs, from scalars in each style of YAML.

use super::CardError;

/// Most lines of a value in quotes or brackets.
const MAX_SCALAR_LINES: usize = 64;

/// The fields of the front matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FrontMatter {
    /// The address of the share picture, as written.
    pub thumbnail: Option<String>,
    /// The `text` of every widget example.
    pub widget: Vec<String>,
}

/// Splits a card into its front matter, empty if the card has none, and the rest.
///
/// # Errors
/// [`CardError::FrontMatterOpen`] if the front matter has no end.
pub(super) fn split(card: &str) -> Result<(&str, &str), CardError> {
    let mut lines = card.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return Ok(("", card));
    };
    let start = first.len();
    let mut end = start;
    for line in lines {
        if matches!(line.trim_end(), "---" | "...") {
            return Ok((&card[start..end], &card[end + line.len()..]));
        }
        end += line.len();
    }
    Err(CardError::FrontMatterOpen)
}

/// Reads the fields, in the styles of YAML that people and programs write; a value in any other form is left out.
pub(super) fn parse(yaml: &str) -> FrontMatter {
    let lines: Vec<&str> = yaml.lines().collect();
    let mut found = FrontMatter::default();
    let mut field = "";
    // The column of the keys of the current list entry. A `text:` further in, as under `output:`, is not an example.
    let mut entry_column = 0;
    // A list entry without a key on its line.
    let mut is_entry_open = false;
    for (idx, line) in lines.iter().enumerate() {
        let mut key_value = line.trim_start();
        let mut column = line.len() - key_value.len();
        if key_value.trim_end() == "-" {
            is_entry_open = true;
            continue;
        }
        if let Some(entry) = key_value.strip_prefix("- ") {
            key_value = entry.trim_start();
            column = line.len() - key_value.len();
            entry_column = column;
            if field == "widget" && key_value.starts_with('{') {
                found
                    .widget
                    .extend(flow_texts(key_value, &lines[idx + 1..]));
                continue;
            }
        } else if std::mem::take(&mut is_entry_open) {
            entry_column = column;
        }
        let Some((key, value)) = key_value.split_once(':') else {
            continue;
        };
        let key = key.trim().trim_matches(['"', '\'']);
        let after = &lines[idx + 1..];
        if column == 0 {
            field = key;
            if field == "thumbnail" {
                found.thumbnail = scalar(value, after, column);
            } else if field == "widget" && value.trim_start().starts_with(['[', '{']) {
                found.widget.extend(flow_texts(value.trim(), after));
            }
        } else if field == "widget" && key == "text" && column == entry_column {
            found.widget.extend(scalar(value, after, column));
        }
    }
    found
}

/// The value of a scalar whose key is in `column` and whose first line ends in `raw`; `None` for null, and for values
/// that are not scalars.
fn scalar(raw: &str, after: &[&str], column: usize) -> Option<String> {
    let raw = raw.trim();
    match raw.chars().next() {
        Some('"') => double_quoted(&folded(&raw[1..], after)),
        Some('\'') => single_quoted(&folded(&raw[1..], after)),
        Some(style @ ('|' | '>')) => Some(block(style, &raw[1..], after, column)),
        Some('&' | '*' | '!' | '{' | '[' | '#') => None,
        first => {
            let is_inside = |line: &&&str| {
                line.starts_with(' ')
                    && indent(line) > column
                    && !line.trim_start().starts_with('#')
            };
            let more = after.iter().take_while(is_inside).map(|line| line.trim());
            let mut plain = raw.split(" #").next().unwrap_or(raw).trim_end().to_owned();
            for line in more {
                // Without text on the first line, a line with a key begins a dictionary.
                if first.is_none() && (line.contains(": ") || line.ends_with(':')) {
                    return None;
                }
                if !plain.is_empty() {
                    plain.push(' ');
                }
                plain.push_str(line.split(" #").next().unwrap_or(line).trim_end());
            }
            (!plain.is_empty() && !matches!(&*plain, "null" | "~")).then_some(plain)
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A text and the lines after it as one, where a line break is a space and an empty line a line break. A backslash at the
/// end of a line joins it to the next.
fn folded(first: &str, after: &[&str]) -> String {
    let mut text = first.to_owned();
    // A value does not go on at the start of a line, only its brackets may.
    let goes_on = |line: &&&str| line.is_empty() || line.starts_with([' ', '\t', '{', '}', ']']);
    let more = after.iter().take_while(goes_on);
    // The limit bounds the work where its quote never closes.
    for line in more.take(MAX_SCALAR_LINES) {
        let line = line.trim();
        if line.is_empty() {
            text.push('\n');
        } else if text.ends_with('\\') && !text.ends_with("\\\\") {
            text.pop();
            text.push_str(line);
        } else {
            if !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(line);
        }
    }
    text
}

/// The value of a block scalar: `|` keeps line breaks, `>` makes spaces of them.
fn block(style: char, indicators: &str, after: &[&str], column: usize) -> String {
    let is_inside = |line: &&&str| line.trim().is_empty() || indent(line) > column;
    let lines: Vec<&str> = after.iter().take_while(is_inside).copied().collect();
    let full = lines.iter().filter(|line| !line.trim().is_empty());
    let margin = full.map(|line| indent(line)).min().unwrap_or_default();
    let mut text = String::new();
    for line in lines {
        let line = line.get(margin..).unwrap_or_default().trim_end();
        if style == '>' && !line.is_empty() && !text.is_empty() && !text.ends_with("\n\n") {
            if text.ends_with('\n') {
                text.pop();
            }
            text.push(' ');
        }
        text.push_str(line);
        text.push('\n');
    }
    // A prompt ends in a line break only where the card insists.
    match indicators.contains('+') {
        true => text,
        false => text.trim_end_matches('\n').to_owned(),
    }
}

/// The `text` of each dictionary in a value such as `[{text: "a"}, {"text": b}]`, which may go on over lines.
fn flow_texts(first: &str, after: &[&str]) -> Vec<String> {
    let value = folded(first, after);
    let mut texts = Vec::new();
    let mut depth = 0_usize;
    let mut is_key = false;
    let mut key = String::new();
    let mut rest = value.as_str();
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '[' | '{' => {
                depth += 1;
                is_key = c == '{';
            }
            ']' | '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            ',' => is_key = true,
            ':' => is_key = false,
            c if c.is_whitespace() => {}
            c => {
                let item;
                (item, rest) = match c {
                    '"' | '\'' => quoted_item(c, rest),
                    _ => plain_item(&value[value.len() - rest.len() - c.len_utf8()..]),
                };
                let Some(item) = item else {
                    break;
                };
                if is_key {
                    key = item;
                } else if key == "text" {
                    texts.push(item);
                    key.clear();
                }
            }
        }
    }
    texts
}

/// A quoted item of a flow value, after its quote, and what follows.
fn quoted_item(quote: char, after_quote: &str) -> (Option<String>, &str) {
    let mut chars = after_quote.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.next_if(|(_, next)| *next == quote).is_some() {
                continue;
            }
            let item = match quote {
                '"' => double_quoted(after_quote),
                _ => single_quoted(after_quote),
            };
            return (item, &after_quote[at + 1..]);
        }
    }
    (None, "")
}

/// An item of a flow value without quotes, and what follows.
fn plain_item(text: &str) -> (Option<String>, &str) {
    let ends = [",", "]", "}", "[", "{", ": ", ":\n"];
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    let (item, rest) = text.split_at(end.unwrap_or(text.len()));
    (Some(item.trim().to_owned()), rest)
}

fn single_quoted(after_quote: &str) -> Option<String> {
    let mut value = String::new();
    let mut chars = after_quote.chars().peekable();
    while let Some(c) = chars.next() {
        // Two quotes encode one quote; a single quote ends the value.
        if c == '\'' && chars.next_if_eq(&'\'').is_none() {
            return Some(value);
        }
        value.push(c);
    }
    None
}

fn double_quoted(after_quote: &str) -> Option<String> {
    let mut value = String::new();
    let mut chars = after_quote.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some(value),
            '\\' => value.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'x' => escaped(&mut chars, 2)?,
                'u' => escaped(&mut chars, 4)?,
                'U' => escaped(&mut chars, 8)?,
                c @ ('"' | '\\' | '/' | ' ') => c,
                _ => return None,
            }),
            c => value.push(c),
        }
    }
    None
}

fn escaped(chars: &mut std::str::Chars<'_>, n_digits: usize) -> Option<char> {
    let mut code: u32 = 0;
    for _ in 0..n_digits {
        code = code.checked_mul(16)? + chars.next()?.to_digit(16)?;
    }
    char::from_u32(code)
}
