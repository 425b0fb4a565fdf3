//! Reads the data table of a card: the numbers of tweets of each account that were downloaded, left out and kept.

use super::error::{CardError, MAX_ACCOUNTS, quoted};
use super::text::plain;

/// The rows of the data table, in the order of the counts in [`AccountData`](super::AccountData).
const ROWS: [&str; 4] = [
    "Tweets downloaded",
    "Retweets",
    "Short tweets",
    "Tweets kept",
];

/// The counts of each account, in the order of [`ROWS`]; empty if the card has no table.
pub(super) fn counts(body: &str) -> Result<Vec<[u32; 4]>, CardError> {
    let rows = ROWS.map(|row| markdown_cells(body, row).or_else(|| html_cell(body, row)));
    if rows.iter().all(Option::is_none) {
        return Ok(Vec::new());
    }
    // The number of accounts is that of most rows, and of the first where no number is more frequent.
    let n_cells = |cells: &Option<Vec<&str>>| cells.as_ref().map_or(0, Vec::len);
    let n_rows_with = |n: usize| rows.iter().filter(|cells| n_cells(cells) == n).count();
    let n_accounts = rows
        .iter()
        .map(n_cells)
        .rev()
        .max_by_key(|n| n_rows_with(*n));
    let n_accounts = n_accounts.unwrap_or_default().min(MAX_ACCOUNTS);
    let mut accounts = vec![[0; 4]; n_accounts];
    for (row_idx, (row, cells)) in ROWS.into_iter().zip(rows).enumerate() {
        let cells = cells.ok_or(CardError::RowMissing { row })?;
        if cells.len() != accounts.len() || cells.is_empty() || cells.len() > MAX_ACCOUNTS {
            return Err(CardError::BadColumns {
                row,
                got: cells.len(),
            });
        }
        for (account, cell) in accounts.iter_mut().zip(cells) {
            account[row_idx] = count(cell).ok_or_else(|| CardError::BadCount {
                row,
                got: quoted(cell),
            })?;
        }
    }
    Ok(accounts)
}

/// The whole number in a cell: digits alone, or in groups of three as people write them, such as `3,200`.
fn count(cell: &str) -> Option<u32> {
    // An entity such as `&nbsp;` may stand between the groups; a tag may not.
    let cell = match cell.contains('<') {
        true => cell.to_owned(),
        false => plain(cell),
    };
    let is_separator = |c: char| ",.'’_ \u{2009}\u{202f}".contains(c);
    let separator = cell.chars().find(|c| is_separator(*c));
    let digits = match separator {
        None => cell,
        Some(separator) => {
            let mut groups = cell.split(separator);
            let first = groups.next()?;
            let is_first = (1..=3).contains(&first.len()) && !first.starts_with('0');
            let mut whole = first.to_owned();
            for group in groups {
                if group.len() != 3 {
                    return None;
                }
                whole += group;
            }
            is_first.then_some(whole)?
        }
    };
    // `parse` alone accepts a leading `+`.
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// The first cell and the rest of a line of a Markdown table, whose outer `|` a formatter may have left out.
fn row_of(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let inner = line.strip_prefix('|').unwrap_or(line);
    // A row without any account is still a row.
    let (first, rest) = inner.split_once('|').unwrap_or((inner, ""));
    // It may be emphasised.
    let first = first.trim_matches(|c: char| c.is_whitespace() || "*_`".contains(c));
    Some((first, rest)).filter(|_| line.contains('|'))
}

/// The cells after `row` in the first line of a Markdown table that begins with `row`.
fn markdown_cells<'a>(body: &'a str, row: &str) -> Option<Vec<&'a str>> {
    body.lines().find_map(|line| {
        let (_, rest) = row_of(line).filter(|(first, _)| *first == row)?;
        let rest = rest.trim();
        if rest.is_empty() {
            return Some(Vec::new());
        }
        let cells = rest.strip_suffix('|').unwrap_or(rest).split('|');
        Some(cells.map(str::trim).collect())
    })
}

/// The cell after `row` in an HTML table; such tables, of generation 2, have one account.
fn html_cell<'a>(body: &'a str, row: &str) -> Option<Vec<&'a str>> {
    let mut cells = body.split("<td").skip(1).filter_map(|cell| {
        let (_, rest) = cell.split_once('>')?;
        Some(rest.split_once("</td")?.0.trim())
    });
    cells.find(|cell| plain(cell) == row)?;
    Some(cells.next().into_iter().collect())
}

/// The display names of `n` ≥ 2 accounts, from the table's header line.
///
/// A name may contain ` & ` or `|`, so neither the table's header nor `joined` alone can be split. The template joins
/// the same names with ` | ` in the table and with ` & ` in the header, so the names end where the two texts differ.
pub(super) fn column_names(body: &str, joined: &str, n: usize) -> Result<Vec<String>, CardError> {
    let header = body.lines().find_map(|line| {
        let (_, rest) = row_of(line).filter(|(first, _)| *first == "Data")?;
        let rest = rest.trim();
        Some(rest.strip_suffix('|').unwrap_or(rest).trim())
    });
    let header = header.ok_or(CardError::BadTableHeader { expected: n })?;
    let mut names = split_where_they_differ(header, joined);
    if names.len() != n {
        // A formatter aligns the columns with spaces, which a browser does not show.
        names = split_where_they_differ(&with_single_spaces(header), &with_single_spaces(joined));
    }
    if names.len() != n {
        names = header.split('|').map(str::to_owned).collect();
    }
    if names.len() != n {
        return Err(CardError::BadTableHeader { expected: n });
    }
    Ok(names)
}

fn with_single_spaces(text: &str) -> String {
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// `by_pipe`, split at each `|` that is an `&` in `by_ampersand`; empty if the two differ in any other character.
fn split_where_they_differ(by_pipe: &str, by_ampersand: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut start = 0;
    if by_pipe.len() != by_ampersand.len() {
        return parts;
    }
    for (at, pair) in by_pipe.bytes().zip(by_ampersand.bytes()).enumerate() {
        if pair == (b'|', b'&') {
            parts.push(by_pipe[start..at].to_owned());
            start = at + 1;
        } else if pair.0 != pair.1 {
            return Vec::new();
        }
    }
    parts.push(by_pipe[start..].to_owned());
    parts
}
