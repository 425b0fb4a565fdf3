//! How texts of strangers are shown: names without characters that turn or hide what stands beside them, and texts
//! without control characters for a terminal.

use std::borrow::Cow;

/// First strong isolate: what follows has a direction of its own, until [`PDI`].
const FSI: char = '\u{2068}';
/// Pop directional isolate.
const PDI: char = '\u{2069}';
/// The base of the flags of England, Scotland and Wales, which tag characters follow.
const BLACK_FLAG: char = '\u{1f3f4}';
/// The end of such a flag.
const CANCEL_TAG: char = '\u{e007f}';
/// Most tag characters of such a flag: `gbeng` and the end.
const MAX_FLAG_TAGS: usize = 7;
/// Longest file name, in bytes; file systems allow 255.
const MAX_FILE_NAME_BYTES: usize = 200;

/// Whether `c` is a mark that changes the direction of the text around it.
#[must_use]
pub fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Whether `c` shows nothing and joins or chooses no other character.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
}

/// Whether `c` takes room without showing anything: spaces, the Hangul fillers, the empty Braille pattern.
fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        )
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Whether `c` joins or chooses other characters and shows nothing by itself.
fn is_joiner(c: char) -> bool {
    is_variation_selector(c)
        || matches!(
            c,
            '\u{200c}' | '\u{200d}' | '\u{34f}' | '\u{17b4}' | '\u{17b5}'
        )
}

/// Whether nothing of `text` can be seen.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_control() || is_direction_mark(c) || is_hidden(c) || is_space(c) || is_joiner(c)
    })
}

/// A stranger's name on one line: without control characters, direction marks and hidden characters, ends trimmed;
/// empty if nothing of it can be seen. Emoji sequences, joiners and letters of every script stay.
#[must_use]
pub fn name(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if before == Some(BLACK_FLAG)
            && let Some(len) = flag_tags(c, rest)
        {
            kept.push(c);
            kept.push_str(&rest[..len]);
            rest = &rest[len..];
            before = Some(CANCEL_TAG);
            continue;
        }
        // A second selector in a row chooses nothing.
        let is_idle = is_variation_selector(c) && before.is_some_and(is_variation_selector);
        before = Some(c);
        if c.is_whitespace() {
            kept.push(' ');
        } else if !(c.is_control() || is_direction_mark(c) || is_hidden(c) || is_idle) {
            kept.push(c);
        }
    }
    if is_blank(&kept) {
        return String::new();
    }
    kept.trim_matches(is_space).to_owned()
}

/// Bytes of `rest` that complete a flag whose first tag is `first`; `None` if they form no flag.
fn flag_tags(first: char, rest: &str) -> Option<usize> {
    let is_tag = |c: char| matches!(c, '\u{e0020}'..='\u{e007e}');
    if !is_tag(first) {
        return None;
    }
    let tags = rest.char_indices().take(MAX_FLAG_TAGS);
    let mut others = tags.skip_while(|(_, c)| is_tag(*c));
    let (at, end) = others.next()?;
    (end == CANCEL_TAG).then_some(at + CANCEL_TAG.len_utf8())
}

/// The beginning of a text of any length as a message quotes it: whole, or its first `most` characters and `…`.
#[must_use]
pub fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// `text` without direction marks, for a message that quotes a stranger's text.
#[must_use]
pub fn without_direction_marks(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_direction_mark) {
        text.replace(is_direction_mark, "").into()
    } else {
        text.into()
    }
}

/// A name inside a sentence that is plain text: a name beyond ASCII is isolated, so that it cannot turn the words
/// around it.
#[must_use]
pub fn isolated(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return name.into();
    }
    format!("{FSI}{}{PDI}", without_direction_marks(name)).into()
}

/// `text` for a terminal: without direction marks; each control character but the line feed and the tab is U+FFFD.
#[must_use]
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !needs_escape(c) || matches!(c, '\n' | '\t');
    if text.chars().all(is_plain) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\u{2028}' | '\u{2029}' => shown.push('\n'),
            c if is_direction_mark(c) => {}
            c if is_plain(c) => shown.push(c),
            _ => shown.push(char::REPLACEMENT_CHARACTER),
        }
    }
    shown.into()
}

/// A JSON document in which every character that a terminal would obey is escaped; it says the same.
#[must_use]
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(needs_escape) {
        return json.into();
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        // Only strings hold such characters: a document on one line has no line feed between its values.
        if needs_escape(c) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

fn needs_escape(c: char) -> bool {
    c.is_control() || is_direction_mark(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// `text` as the name of a file on any system, without a folder; `fallback` if nothing visible is left.
#[must_use]
pub fn file_name(text: &str, fallback: &str) -> String {
    let mut name: String = name(text)
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c => c,
        })
        .collect();
    // Windows drops dots and spaces at the end; a dot at the start hides the file elsewhere.
    let is_edge = |c: char| c == '.' || is_space(c);
    name = name.trim_matches(is_edge).to_owned();
    while name.len() > MAX_FILE_NAME_BYTES {
        name.pop();
    }
    if is_blank(&name) {
        fallback.clone_into(&mut name);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_what_turns_or_hides_and_keeps_what_is_written() {
        for (written, expected) in [
            ("Jen 🌸", "Jen 🌸"),
            ("\u{202e}neJ", "neJ"),
            (
                "Jen\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}",
                "Jen",
            ),
            ("J\u{200b}e\u{ad}n\u{feff}\u{2060}", "Jen"),
            ("Jen\u{e0041}\u{e0042}", "Jen"),
            ("\u{3164}Jen\u{2800}\u{a0}", "Jen"),
            ("Jen\nhint: none", "Jen hint: none"),
            ("\u{1b}[31mJen\u{9b}", "[31mJen"),
            // Emoji sequences: a family, a heart in colour, a flag in tags.
            (
                "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}",
                "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}",
            ),
            (
                "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} fan",
                "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} fan",
            ),
            ("\u{1f3f4}\u{e0067}", "\u{1f3f4}"),
            ("a\u{fe0f}\u{fe0f}\u{fe0f}", "a\u{fe0f}"),
            // Real letters of right-to-left scripts, and the joiner that Persian needs.
            ("אבי", "אבי"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("", ""),
            (
                " \u{200b}\u{3164}\u{115f}\u{1160}\u{ffa0}\u{2800}\u{ad}\u{fe0f}\u{200d}\u{202e}\u{e0020}",
                "",
            ),
        ] {
            assert_eq!(name(written), expected, "{written:?}");
        }
    }

    #[test]
    fn a_long_text_is_quoted_by_its_beginning() {
        assert_eq!(beginning("hé🌸", 3), "hé🌸");
        assert_eq!(beginning("hé🌸!", 3), "hé🌸…");
        assert_eq!(beginning("", 0), "");
    }

    #[test]
    fn a_terminal_gets_no_control_characters_and_no_direction_marks() {
        assert_eq!(for_terminal("one\n\ttwo 🌸 אבי"), "one\n\ttwo 🌸 אבי");
        assert_eq!(for_terminal("a\r\nb\rc"), "a\nb\u{fffd}c");
        assert_eq!(
            for_terminal("\u{1b}[2J\u{202e}x\u{9b}31m\u{7}\u{7f}"),
            "\u{fffd}[2Jx\u{fffd}31m\u{fffd}\u{fffd}"
        );
        for code in (0..=0x2_ffff).filter_map(char::from_u32) {
            let text = format!("a{code}");
            let is_safe = |c: char| matches!(c, '\n' | '\t') || !needs_escape(c);
            assert!(for_terminal(&text).chars().all(is_safe), "{code:?}");
        }
    }

    #[test]
    fn json_with_escapes_says_the_same() {
        let text = "a\u{202e}b\u{9b}\u{7f}\u{2028}\u{1b}\n🌸";
        let json = serde_json::to_string(text).unwrap_or_default();
        let escaped = escaped_json(&json);
        assert!(!escaped.chars().any(needs_escape), "{escaped:?}");
        assert_eq!(
            serde_json::from_str::<String>(&escaped).ok().as_deref(),
            Some(text)
        );
    }

    #[test]
    fn a_name_in_a_sentence_is_isolated_unless_it_is_ascii() {
        assert_eq!(isolated("me/tiny"), "me/tiny");
        assert_eq!(isolated("אבי\u{202e}"), "\u{2068}אבי\u{2069}");
    }

    #[test]
    fn a_file_name_fits_every_system() {
        assert_eq!(file_name("tiny.Q8_0.gguf", "model"), "tiny.Q8_0.gguf");
        assert_eq!(file_name("a/b\\c:d|e", "model"), "a_b_c_d_e");
        assert_eq!(file_name("\u{202e}fugg.gguf. ", "model"), "fugg.gguf");
        assert_eq!(file_name("..", "model"), "model");
        assert_eq!(file_name("\u{3164}", "model"), "model");
        assert!(file_name(&"é".repeat(400), "model").len() <= MAX_FILE_NAME_BYTES);
    }
}
