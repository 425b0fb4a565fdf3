//! The cleaning rules of huggingtweets, in their order, and a verdict with its reason for each post.
//!
//! The rules in force from 2020-09-09 on, which made the published bots:
//!
//! 1. A retweet goes.
//! 2. `&amp;`, `&lt;` and `&gt;` become `&`, `<` and `>`, one after the other; no other entity does.
//! 3. Addresses go, in ten passes.
//! 4. Runs of white space become one space, and the ends are trimmed.
//! 5. A post of fewer than [`MIN_WORDS`] words goes. Words with `http`, `@` or `#` in them stay but do not count.
//!
//! Switches that the original lacked are in [`CleanOptions`], all off by default.

use std::collections::HashSet;
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::post::{Post, Reply};
use crate::python;

/// Fewest counted words of a post that is kept.
pub const MIN_WORDS: usize = 3;

/// The passes that delete addresses: what stands before `http:` or `https:` and what must follow the run of
/// non-white-space after it; both go too.
const PASSES: [(&str, &str); 10] = [
    (" http:", ""),
    ("http:", " "),
    ("\nhttp:", " "),
    ("\nhttp:", ""),
    ("http:", ""),
    (" https:", ""),
    ("https:", " "),
    ("\nhttps:", " "),
    ("\nhttps:", ""),
    ("https:", ""),
];

/// What the original lacked, all off by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CleanOptions {
    /// Counts the segments of words in scripts without spaces (Han, kana, Thai, Lao, Khmer, Burmese).
    pub segments: bool,
    /// Leaves out what answers somebody else; the posts of a thread stay.
    pub no_replies: bool,
    /// Leaves out a post whose cleaned text was kept before.
    pub no_duplicates: bool,
    /// Leaves out earlier posts, in seconds since 1970, and posts without a date.
    pub from: Option<i64>,
    /// Leaves out posts from this time on, and posts without a date.
    pub until: Option<i64>,
    /// Leaves out posts that state another language. `en` also means `en-GB`.
    pub lang: Option<String>,
}

/// What became of a post, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is data: the cleaned text.
    Kept {
        /// The cleaned text.
        text: String,
        /// Its words that count.
        words: usize,
    },
    /// It repeats another's post.
    Retweet,
    /// It has fewer than [`MIN_WORDS`] words that count.
    Short {
        /// The cleaned text.
        text: String,
        /// Its words that count.
        words: usize,
    },
    /// A switch of [`CleanOptions`] left it out.
    LeftOut(LeftOut),
}

/// The switch that left a post out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// [`CleanOptions::no_replies`].
    Reply,
    /// [`CleanOptions::no_duplicates`].
    Duplicate,
    /// [`CleanOptions::from`] and [`CleanOptions::until`].
    Date,
    /// [`CleanOptions::lang`].
    Language,
}

/// Judges the posts of one account, one after the other.
#[derive(Debug, Default)]
pub struct Cleaner {
    options: CleanOptions,
    /// The beginnings of the hashes of kept texts, where duplicates are left out.
    kept: HashSet<[u8; 16]>,
}

impl Cleaner {
    /// A cleaner that has seen no post.
    #[must_use]
    pub fn new(options: CleanOptions) -> Self {
        Self {
            options,
            kept: HashSet::new(),
        }
    }

    /// The verdict on the next post.
    pub fn judge(&mut self, post: &Post) -> Verdict {
        if post.is_retweet {
            return Verdict::Retweet;
        }
        if let Some(reason) = self.switch(post) {
            return Verdict::LeftOut(reason);
        }
        let text = clean(&post.text);
        let words = counted_words(&text, self.options.segments);
        if words < MIN_WORDS {
            return Verdict::Short { text, words };
        }
        if self.options.no_duplicates && !self.kept.insert(beginning_of_hash(&text)) {
            return Verdict::LeftOut(LeftOut::Duplicate);
        }
        Verdict::Kept { text, words }
    }

    /// The switch that leaves `post` out, of those that need no cleaned text.
    fn switch(&self, post: &Post) -> Option<LeftOut> {
        let CleanOptions {
            no_replies,
            from,
            until,
            lang,
            ..
        } = &self.options;
        let is_early = from.is_some_and(|from| post.time.is_none_or(|time| time < from));
        let is_late = until.is_some_and(|until| post.time.is_none_or(|time| time >= until));
        let is_foreign = |lang: &String| {
            let stated = post.lang.as_deref();
            stated.is_some_and(|stated| !is_language(stated, lang))
        };
        if *no_replies && post.reply == Reply::ToOther {
            Some(LeftOut::Reply)
        } else if is_early || is_late {
            Some(LeftOut::Date)
        } else if lang.as_ref().is_some_and(is_foreign) {
            Some(LeftOut::Language)
        } else {
            None
        }
    }
}

/// Whether the tag `stated` is `lang` or begins with it.
fn is_language(stated: &str, lang: &str) -> bool {
    let begins = stated
        .get(..lang.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(lang));
    begins && !stated[lang.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn beginning_of_hash(text: &str) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let mut beginning = [0; 16];
    beginning.copy_from_slice(&hash[..16]);
    beginning
}

/// A post's text after rules 2 to 4.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut repaired;
    let mut text = text;
    if text.contains('&') {
        repaired = text
            .replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
        text = &repaired;
    }
    if memmem::find(text.as_bytes(), b"http").is_some() {
        repaired = without_addresses(text);
        text = &repaired;
    }
    let mut joined = String::with_capacity(text.len());
    for word in python::words(text) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    joined
}

fn without_addresses(text: &str) -> String {
    // Searching is prepared once.
    static FINDERS: LazyLock<[Finder<'static>; 10]> =
        LazyLock::new(|| PASSES.map(|(start, _)| Finder::new(start)));
    let mut text = text.to_owned();
    for (finder, (_, end)) in FINDERS.iter().zip(PASSES) {
        if let Some(shorter) = without(&text, finder, end) {
            text = shorter;
        }
    }
    text
}

/// `text` without each `start`, the run of at least one character that is no white space after it, and `end`, from left
/// to right; `None` if there is nothing to delete.
fn without(text: &str, start: &Finder<'_>, end: &str) -> Option<String> {
    let mut kept = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = start.find(&text.as_bytes()[from..]) {
        let at = from + found;
        let run = at + start.needle().len();
        let run_end = run + python::word_len(&text[run..]);
        if run_end == run {
            from = run;
        } else if text[run_end..].starts_with(end) {
            kept.push_str(&text[copied..at]);
            copied = run_end + end.len();
            from = copied;
        } else {
            // Every other start inside of this run ends at the same place.
            from = run_end;
        }
    }
    if copied == 0 {
        return None;
    }
    kept.push_str(&text[copied..]);
    Some(kept)
}

/// The words of a cleaned text that count: those without `http`, `@` and `#` in them, in either case.
///
/// `segments`: whether a word with characters of a script without spaces counts as its segments (UAX 29).
#[must_use]
pub fn counted_words(text: &str, segments: bool) -> usize {
    let counted = python::words(text).filter(|word| counts(word));
    match segments {
        false => counted.count(),
        true => counted
            .map(|word| match word.contains(is_unspaced) {
                true => word.unicode_words().count().max(1),
                false => 1,
            })
            .sum(),
    }
}

/// Only ASCII letters have `h`, `t` or `p` as their lower case, in Python as in Unicode.
fn counts(word: &str) -> bool {
    let bytes = word.as_bytes();
    memchr::memchr2(b'@', b'#', bytes).is_none()
        && !bytes
            .windows(4)
            .any(|window| window.eq_ignore_ascii_case(b"http"))
}

/// Whether `c` is of a script that puts no spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(text: &str) -> Post {
        Post {
            text: text.to_owned(),
            ..Post::default()
        }
    }

    fn verdict(text: &str) -> Verdict {
        Cleaner::default().judge(&post(text))
    }

    /// The rows of the table of edge cases: input, cleaned text, counted words.
    const EDGES: [(&str, &str, usize); 22] = [
        ("hello world https://t.co/abc", "hello world", 2),
        ("https://t.co/abc hello big world", "hello big world", 3),
        (
            "one two three\nhttps://t.co/abc four",
            "one two three four",
            4,
        ),
        ("see(https://t.co/abc) ok", "see(ok", 1),
        ("a&amp;lt;b is three", "a<b is three", 3),
        (
            "tom &amp; jerry &quot;hi&quot;",
            "tom & jerry &quot;hi&quot;",
            4,
        ),
        ("@bob @alice thanks man", "@bob @alice thanks man", 2),
        ("#foo bar baz qux", "#foo bar baz qux", 3),
        (
            "RT @bob: hello there my friend",
            "RT @bob: hello there my friend",
            5,
        ),
        (
            "HTTPS://T.CO/abc upper case stays",
            "HTTPS://T.CO/abc upper case stays",
            3,
        ),
        ("http is a protocol name", "http is a protocol name", 4),
        (
            "今日はとても良い天気ですね",
            "今日はとても良い天気ですね",
            1,
        ),
        ("今日は とても 良い", "今日は とても 良い", 3),
        ("👍 👍 👍", "👍 👍 👍", 3),
        ("good morning 🌸", "good morning 🌸", 3),
        ("a\u{a0}b\u{2028}c\u{3000}d", "a b c d", 4),
        ("a\u{200b}b c d", "a\u{200b}b c d", 3),
        ("http: nothing after", "http: nothing after", 2),
        ("xhttp:y z w v", "xz w v", 3),
        ("a http:b http:c d", "a d", 2),
        ("http:a\u{2028}b c d", "b c d", 3),
        (
            "hTtp:// stays but does not count",
            "hTtp:// stays but does not count",
            5,
        ),
    ];

    #[test]
    fn each_edge_case_is_cleaned_and_counted_as_by_the_original() {
        for (text, cleaned, words) in EDGES {
            let (text_out, words_out) = match verdict(text) {
                Verdict::Kept { text, words } => {
                    assert!(words >= MIN_WORDS, "{text}");
                    (text, words)
                }
                Verdict::Short { text, words } => {
                    assert!(words < MIN_WORDS, "{text}");
                    (text, words)
                }
                other => panic!("{text}: {other:?}"),
            };
            assert_eq!((text_out.as_str(), words_out), (cleaned, words), "{text}");
        }
    }

    #[test]
    fn a_retweet_goes_by_its_flag_and_not_by_its_text() {
        let flagged = Post {
            is_retweet: true,
            ..post("three words here")
        };
        assert_eq!(Cleaner::default().judge(&flagged), Verdict::Retweet);
        assert!(matches!(
            verdict("RT @bob: hello there my friend"),
            Verdict::Kept { .. }
        ));
    }

    #[test]
    fn a_long_run_of_addresses_takes_linear_time() {
        let text = "http:".repeat(800_000) + "\n";
        let start = std::time::Instant::now();
        assert_eq!(clean(&text), "");
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn unspaced_words_count_by_segments_only_where_asked() {
        let text = "今日はとても良い天気ですね";
        assert_eq!(counted_words(text, false), 1);
        assert!(counted_words(text, true) >= MIN_WORDS);
        assert_eq!(counted_words("three-part words here", true), 3);
        assert_eq!(counted_words("#今日はとても", true), 0);
    }

    #[test]
    fn switches_leave_out_what_they_name_and_nothing_by_default() {
        let reply = Post {
            reply: Reply::ToOther,
            time: Some(100),
            lang: Some("pt-BR".to_owned()),
            ..post("these are four words")
        };
        let judge = |options: CleanOptions| Cleaner::new(options).judge(&reply);
        let is_kept = |verdict: Verdict| matches!(verdict, Verdict::Kept { .. });
        assert!(is_kept(judge(CleanOptions::default())));
        let no_replies = CleanOptions {
            no_replies: true,
            ..CleanOptions::default()
        };
        assert_eq!(judge(no_replies.clone()), Verdict::LeftOut(LeftOut::Reply));
        let thread = Post {
            reply: Reply::ToSelf,
            ..reply.clone()
        };
        assert!(is_kept(Cleaner::new(no_replies).judge(&thread)));
        let span = |from, until| CleanOptions {
            from,
            until,
            ..CleanOptions::default()
        };
        assert!(is_kept(judge(span(Some(100), Some(101)))));
        for options in [span(Some(101), None), span(None, Some(100))] {
            assert_eq!(judge(options), Verdict::LeftOut(LeftOut::Date));
        }
        let lang = |lang: &str| CleanOptions {
            lang: Some(lang.to_owned()),
            ..CleanOptions::default()
        };
        assert!(is_kept(judge(lang("pt"))));
        assert!(is_kept(judge(lang("PT-br"))));
        for other in ["p", "en", "pt-BR-x"] {
            assert_eq!(
                judge(lang(other)),
                Verdict::LeftOut(LeftOut::Language),
                "{other}"
            );
        }
        let mut cleaner = Cleaner::new(CleanOptions {
            no_duplicates: true,
            ..CleanOptions::default()
        });
        assert!(is_kept(cleaner.judge(&post("one two three"))));
        assert_eq!(
            cleaner.judge(&post("one  two three https://t.co/a")),
            Verdict::LeftOut(LeftOut::Duplicate)
        );
    }
}
