//! How numbers, sizes, times, hosts and sentences are written on the page.

use crate::shown::without_direction_marks;

pub use crate::shown::{file_name, isolated};

/// `48.6 tok/s`, `1,234 tok/s`.
pub fn per_second(tokens: f64) -> String {
    if tokens >= 100.0 {
        format!("{} tok/s", count(tokens.round() as u64))
    } else {
        format!("{tokens:.1} tok/s")
    }
}

/// `23.9 GB/s`.
pub fn bytes_per_second(bytes: f64) -> String {
    format!("{:.1} GB/s", bytes / 1e9)
}

/// `14.6 MB`: decimal units, as download sizes are written.
pub fn bytes(n: u64) -> String {
    let n = n as f64;
    match n {
        n if n < 1e3 => format!("{n} B"),
        n if n < 1e6 => format!("{:.0} kB", n / 1e3),
        n if n < 1e8 => format!("{:.1} MB", n / 1e6),
        n if n < 1e9 => format!("{:.0} MB", n / 1e6),
        n => format!("{:.2} GB", n / 1e9),
    }
}

/// `3,206`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 token`, `2 tokens`.
pub fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// What was measured: `0.84 s`, `12 s`, `3 min`.
pub fn duration(ms: f64) -> String {
    let s = ms.max(0.0) / 1000.0;
    match s {
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

/// An estimate: `12 s`, `3 min`, `1.5 h`.
#[must_use]
pub fn estimated(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// `54 %` of a whole, 0 where the whole is 0.
pub fn percent(part: u64, whole: u64) -> String {
    format!("{:.0} %", 100.0 * ratio(part, whole))
}

/// `part / whole`, at most 1, 0 where the whole is 0.
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        (part as f64 / whole as f64).min(1.0)
    }
}

/// `q8_0` as prose writes it: `Q8_0`.
pub fn dtype(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// `124M`, `6.8M`: number of weights.
pub fn weights(n: u64) -> String {
    match n as f64 {
        n if n < 1e7 => format!("{:.1}M", n / 1e6),
        n if n < 1e9 => format!("{:.0}M", n / 1e6),
        n => format!("{:.1}B", n / 1e9),
    }
}

/// The host of an absolute address; any other text is returned unchanged.
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// An error's message as a sentence: with a capital letter and a full stop, with quotation marks for backticks, which
/// only the command line shows, and without direction marks, which the text of a stranger's file that it quotes may
/// hold. A file name at its start stays as it is.
pub fn sentence(message: &str) -> String {
    let message = without_direction_marks(message.trim());
    let mut letters = message.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let word = message.split_whitespace().next().unwrap_or_default();
    let is_name = word.trim_end_matches('.').contains(['.', '/', '_', '=']);
    let mut text: String = match is_name {
        true => message.to_string(),
        false => first.to_uppercase().chain(letters).collect(),
    };
    if !text.ends_with(['.', '!', '?', '…', '”']) {
        text.push('.');
    }
    quoted(&text)
}

/// A text of the library for the page: its backticks as quotation marks.
pub fn quoted(text: &str) -> String {
    let mut is_open = false;
    let mark = |letter| match letter {
        '`' => {
            is_open = !is_open;
            if is_open { '“' } else { '”' }
        }
        letter => letter,
    };
    text.chars().map(mark).collect()
}
