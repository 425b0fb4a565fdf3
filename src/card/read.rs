//! Reads a huggingtweets model card of any header generation into a [`Card`].
//!
//! A card comes from anybody: whatever it holds becomes plain text, a number, a checked address, or a
//! [`CardError`]. The header's divs stand on one line each, so a name is never searched for structure.

use super::front_matter;
use super::mojibake;
use super::text::{https_address, plain, web_address};
use super::{AccountData, Card, Label, Links};

/// Largest card read; the real ones are about 4 kB.
pub const MAX_CARD_BYTES: usize = 256 * 1024;
/// Longest line read; it bounds the work that one line can cause.
pub const MAX_LINE_BYTES: usize = 8 * 1024;
/// Most accounts in one bot.
pub const MAX_ACCOUNTS: usize = 3;
/// Longest display name, in characters; Twitter allows 50.
const MAX_NAME_CHARS: usize = 200;
/// Longest joined handle: three of Twitter's 15 characters and two hyphens are 47.
const MAX_HANDLE_BYTES: usize = 64;
/// Most widget examples, and the longest of them in characters.
const MAX_PROMPTS: usize = 16;
const MAX_PROMPT_CHARS: usize = 2000;

/// The rows of the data table, in the order of [`AccountData`]'s counts.
const ROWS: [&str; 4] = [
    "Tweets downloaded",
    "Retweets",
    "Short tweets",
    "Tweets kept",
];

/// Why a file is not read as a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// More than [`MAX_CARD_BYTES`].
    #[error(
        "the card has {got} bytes, more than the {MAX_CARD_BYTES} a card may have; is it a README.md of a huggingtweets model?"
    )]
    TooLarge {
        /// Its size in bytes.
        got: usize,
    },
    /// A line of more than [`MAX_LINE_BYTES`].
    #[error(
        "line {line} of the card has {got} bytes, more than the {MAX_LINE_BYTES} a line may have; is it a README.md of a huggingtweets model?"
    )]
    LineTooLong {
        /// From 1.
        line: usize,
        /// Its length in bytes.
        got: usize,
    },
    /// Not text.
    #[error("the card is not UTF-8 text from byte {at} on; save it as UTF-8")]
    NotUtf8 {
        /// The first byte that is wrong.
        at: usize,
    },
    /// The front matter begins and does not end.
    #[error("the card's front matter has no closing `---`; the file may have been cut short")]
    FrontMatterOpen,
    /// None of the four headers.
    #[error(
        "no header of a huggingtweets card was found; give the README.md of a huggingtweets model"
    )]
    NoHeader,
    /// What should be a handle is none.
    #[error(
        "a handle has 1 to {MAX_HANDLE_BYTES} letters, digits, `_` and `-`; the card's header has none after the names, repair its `@` line"
    )]
    BadHandle,
    /// A text longer than its like can be.
    #[error("the card's {what} has {got} characters, more than the {limit} allowed; shorten it")]
    TextTooLong {
        /// Which text.
        what: &'static str,
        /// Its length in characters.
        got: usize,
        /// The most allowed.
        limit: usize,
    },
    /// More widget examples than a card has.
    #[error("the card has {got} widget examples, more than the {MAX_PROMPTS} allowed; remove some")]
    TooManyPrompts {
        /// How many.
        got: usize,
    },
    /// The data table lacks a row.
    #[error("the card's data table has no row `{row}`; add it, or remove the table")]
    RowMissing {
        /// The row's first cell.
        row: &'static str,
    },
    /// A row has no counts, more than accounts can be, or not as many as the first row.
    #[error(
        "row `{row}` of the card's data table has {got} counts; each row needs the same number, 1 to {MAX_ACCOUNTS}"
    )]
    BadColumns {
        /// The row's first cell.
        row: &'static str,
        /// Its counts.
        got: usize,
    },
    /// The table's header cannot be parted into as many names as it has columns.
    #[error(
        "the card's data table has {expected} columns of counts, but its header line does not name {expected} accounts; repair the line that begins with `| Data |`"
    )]
    BadTableHeader {
        /// Columns of counts.
        expected: usize,
    },
    /// A cell that is no count.
    #[error("row `{row}` of the card's data table has a cell that is not a whole number up to {max}; repair it", max = u32::MAX)]
    BadCount {
        /// The row's first cell.
        row: &'static str,
    },
}

/// Reads a card as it was published, garbled by a legacy code page or not.
///
/// The counts are kept as written, also where `kept` is not what the other three leave. A card
/// without a data table has an empty [`Card::table`].
///
/// # Errors
/// A [`CardError`] names the first thing that is not as in a huggingtweets card.
pub fn read(bytes: &[u8]) -> Result<Card, CardError> {
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

    let handle = header.handle.to_owned();
    let name_of = |raw: &str| {
        let name = plain(raw);
        checked("display name", &name, MAX_NAME_CHARS)?;
        // A name of tags alone would leave nothing to call the account by.
        Ok(if name.is_empty() {
            handle.clone()
        } else {
            name
        })
    };
    let counts = counts(body)?;
    let names = match counts.len() {
        0 | 1 => vec![name_of(header.name)?],
        n => column_names(body, header.name, n)?
            .into_iter()
            .map(name_of)
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

/// The block above "I was made with", its texts still as written.
struct Header<'a> {
    generation: u8,
    label: Label,
    /// Display names joined by ` & `.
    name: &'a str,
    handle: &'a str,
    avatars: Vec<String>,
}

impl<'a> Header<'a> {
    fn read(body: &'a str) -> Result<Self, CardError> {
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

/// Attributes and text of `<div …>text</div>` on one line, if there is a text.
fn div_with_text(line: &str) -> Option<(&str, &str)> {
    let (attributes, rest) = line.trim().strip_prefix("<div")?.split_once('>')?;
    let text = rest.strip_suffix("</div>")?.trim();
    (!text.is_empty()).then_some((attributes, text))
}

/// The address of a line's background image, unless its slot is hidden.
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

/// The counts of each account, in the order of [`ROWS`]; none if there is no table.
fn counts(body: &str) -> Result<Vec<[u32; 4]>, CardError> {
    let rows = ROWS.map(|row| markdown_cells(body, row).or_else(|| html_cell(body, row)));
    if rows.iter().all(Option::is_none) {
        return Ok(Vec::new());
    }
    let mut accounts: Vec<[u32; 4]> = Vec::new();
    for (row_idx, (row, cells)) in ROWS.into_iter().zip(rows).enumerate() {
        let cells = cells.ok_or(CardError::RowMissing { row })?;
        if row_idx == 0 {
            accounts.resize(cells.len(), [0; 4]);
        }
        if cells.len() != accounts.len() || cells.is_empty() || cells.len() > MAX_ACCOUNTS {
            return Err(CardError::BadColumns {
                row,
                got: cells.len(),
            });
        }
        for (account, cell) in accounts.iter_mut().zip(cells) {
            // `parse` alone would take a leading `+`.
            let is_number = cell.bytes().all(|b| b.is_ascii_digit());
            let count = cell.parse().ok().filter(|_| is_number);
            account[row_idx] = count.ok_or(CardError::BadCount { row })?;
        }
    }
    Ok(accounts)
}

/// The cells after `row` in the first Markdown table line that begins with it.
fn markdown_cells<'a>(body: &'a str, row: &str) -> Option<Vec<&'a str>> {
    body.lines().find_map(|line| {
        let inner = line.trim().strip_prefix('|')?;
        let mut cells = inner
            .strip_suffix('|')
            .unwrap_or(inner)
            .split('|')
            .map(str::trim);
        (cells.next() == Some(row)).then(|| cells.collect())
    })
}

/// The cell after `row` in an HTML table; those of generation 2 have one account.
fn html_cell<'a>(body: &'a str, row: &str) -> Option<Vec<&'a str>> {
    let mut cells = body.split("<td").skip(1).filter_map(|cell| {
        let (_, rest) = cell.split_once('>')?;
        Some(rest.split_once("</td")?.0.trim())
    });
    cells.find(|cell| *cell == row)?;
    Some(cells.next().into_iter().collect())
}

/// The display names of `n` ≥ 2 accounts, from the table's header line.
///
/// Neither line can be split alone: names may contain ` & ` as well as `|`. Side by side they can,
/// because the template joins the same names once by ` | ` and once by ` & `: they part where the
/// two lines differ.
fn column_names<'a>(body: &'a str, joined: &str, n: usize) -> Result<Vec<&'a str>, CardError> {
    let header = body.lines().find_map(|line| {
        let inner = line.trim().strip_prefix("| Data |")?;
        Some(inner.strip_suffix('|').unwrap_or(inner).trim())
    });
    let header = header.ok_or(CardError::BadTableHeader { expected: n })?;
    let mut names = split_where_they_differ(header, joined);
    if names.len() != n {
        names = header.split('|').collect();
    }
    if names.len() != n {
        return Err(CardError::BadTableHeader { expected: n });
    }
    Ok(names)
}

/// Parts of `by_pipe` between the `|` that are `&` in `by_ampersand`; nothing if the two differ otherwise.
fn split_where_they_differ<'a>(by_pipe: &'a str, by_ampersand: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut start = 0;
    if by_pipe.len() != by_ampersand.len() {
        return parts;
    }
    for (at, pair) in by_pipe.bytes().zip(by_ampersand.bytes()).enumerate() {
        if pair == (b'|', b'&') {
            parts.push(&by_pipe[start..at]);
            start = at + 1;
        } else if pair.0 != pair.1 {
            return Vec::new();
        }
    }
    parts.push(&by_pipe[start..]);
    parts
}

/// Where the link with one of these texts leads, Markdown or HTML.
///
/// The last one counts: a name, which may hold anything, stands above all of the card's own links.
fn link(body: &str, texts: &[&str]) -> Option<String> {
    texts.iter().find_map(|text| {
        let markdown = format!("[{text}](");
        if let Some(at) = body.rfind(&markdown) {
            let (address, _) = body[at + markdown.len()..].split_once(')')?;
            return https_address(address);
        }
        let (before, _) = body.rsplit_once(&format!(">{text}</a>"))?;
        let (_, attribute) = before.rsplit_once("href=")?;
        let quote = attribute
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\''))?;
        https_address(attribute[1..].split(quote).next()?)
    })
}
