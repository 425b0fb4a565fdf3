//! Reads the YAML front matter of a card: the two fields that a card needs, from YAML's one-line scalars.

use super::CardError;

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

/// Reads the fields; a value in an unsupported form is left out.
pub(super) fn parse(yaml: &str) -> FrontMatter {
    let mut found = FrontMatter::default();
    let mut field = "";
    // The column of the keys of the current list entry. A `text:` further in, as under `output:`, is not an example.
    let mut entry_column = 0;
    for line in yaml.lines() {
        let mut key_value = line.trim_start();
        let mut column = line.len() - key_value.len();
        if let Some(entry) = key_value.strip_prefix("- ") {
            key_value = entry.trim_start();
            column = line.len() - key_value.len();
            entry_column = column;
        }
        let Some((key, value)) = key_value.split_once(':') else {
            continue;
        };
        if column == 0 {
            field = key.trim_end();
            if field == "thumbnail" {
                found.thumbnail = scalar(value);
            }
        } else if field == "widget" && key.trim_end() == "text" && column == entry_column {
            found.widget.extend(scalar(value));
        }
    }
    found
}

/// The value of a plain, 'single' or "double" quoted scalar; `None` for null, for values of several lines, and for
/// values that are not scalars.
fn scalar(raw: &str) -> Option<String> {
    let raw = raw.trim();
    match raw.chars().next()? {
        '"' => double_quoted(&raw[1..]),
        '\'' => single_quoted(&raw[1..]),
        '|' | '>' | '&' | '*' | '!' | '{' | '[' | '#' => None,
        _ => {
            let plain = raw.split(" #").next().unwrap_or(raw).trim_end();
            (!matches!(plain, "null" | "~")).then(|| plain.to_owned())
        }
    }
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
