//! What Python calls white space. Rust's `char::is_whitespace` lacks U+001C to U+001F; JavaScript's `\s` lacks U+0085 too
//! and adds U+FEFF.

/// Whether `str.split()` and `\s` of Python 3 count `c` as white space.
#[must_use]
pub fn is_space(c: char) -> bool {
    matches!(c,
        '\t'..='\r' | '\u{1c}'..=' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
        | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// The words of `text.split()`.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.len() - trim_start(rest).len();
        let len = word_len(&rest[start..]);
        if len == 0 {
            return None;
        }
        let (word, after) = rest[start..].split_at(len);
        rest = after;
        Some(word)
    })
}

/// Bytes of `text` before its first white space.
#[must_use]
pub fn word_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        // Most texts are mostly ASCII, for which no character is decoded.
        if byte.is_ascii() {
            if is_space(char::from(*byte)) {
                return at;
            }
            at += 1;
            continue;
        }
        let c = text[at..].chars().next().unwrap_or_default();
        if is_space(c) {
            return at;
        }
        at += c.len_utf8();
    }
    at
}

fn trim_start(text: &str) -> &str {
    match text.as_bytes().first() {
        Some(byte) if byte.is_ascii_graphic() => text,
        _ => text.trim_start_matches(is_space),
    }
}

/// `text.strip()`.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `len(text)`: code points.
#[must_use]
pub fn len(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[c for c in map(chr, range(0x110000)) if c.isspace()]` in Python 3.11, as code points. `\s` gives the same list.
    const SPACES: [u32; 29] = [
        0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001,
        0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029,
        0x202f, 0x205f, 0x3000,
    ];

    #[test]
    fn white_space_is_pythons_and_no_other() {
        let spaces: Vec<u32> = ('\0'..=char::MAX)
            .filter(|c| is_space(*c))
            .map(u32::from)
            .collect();
        assert_eq!(spaces, SPACES);
    }

    #[test]
    fn words_are_those_of_split() {
        let text = "\u{1f} a\u{2028}b\u{200b}c\u{3000}\u{85}d ";
        assert_eq!(words(text).collect::<Vec<_>>(), ["a", "b\u{200b}c", "d"]);
        assert_eq!(words(" \n").count(), 0);
    }
}
