//! Reads the data table of a card: the numbers of tweets of each account that were downloaded, left out and kept.

use super::error::{CardError, MAX_ACCOUNTS};

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
            // `parse` alone accepts a leading `+`.
            let is_number = cell.bytes().all(|b| b.is_ascii_digit());
            let count = cell.parse().ok().filter(|_| is_number);
            account[row_idx] = count.ok_or(CardError::BadCount { row })?;
        }
    }
    Ok(accounts)
}

/// The cells after `row` in the first line of a Markdown table that begins with `row`.
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

/// The cell after `row` in an HTML table; such tables, of generation 2, have one account.
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
/// A name may contain ` & ` or `|`, so neither the table's header nor `joined` alone can be split. The template joins
/// the same names with ` | ` in the table and with ` & ` in the header, so the names end where the two texts differ.
pub(super) fn column_names<'a>(
    body: &'a str,
    joined: &str,
    n: usize,
) -> Result<Vec<&'a str>, CardError> {
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

/// `by_pipe`, split at each `|` that is an `&` in `by_ampersand`; empty if the two differ in any other character.
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
