//! `Languages`: the language of an account's posts, for its card, which was always `en` on the original ones.

use std::collections::BTreeMap;

use crate::python;

/// Function words of languages in Latin letters, each of one language among these.
const WORDS: [(&str, &[&str]); 7] = [
    (
        "en",
        &[
            "the", "and", "is", "you", "of", "that", "with", "this", "it's", "have", "what", "are",
        ],
    ),
    (
        "es",
        &[
            "el", "los", "las", "pero", "muy", "está", "y", "cuando", "porque", "también", "hay",
            "yo",
        ],
    ),
    (
        "fr",
        &[
            "les", "et", "est", "pas", "je", "vous", "pour", "dans", "c'est", "avec", "sur", "mais",
        ],
    ),
    (
        "de",
        &[
            "der", "und", "ist", "nicht", "ich", "das", "ein", "mit", "auch", "für", "aber", "wenn",
        ],
    ),
    (
        "pt",
        &[
            "não", "uma", "você", "são", "também", "muito", "ele", "os", "eu", "isso", "foi", "tem",
        ],
    ),
    (
        "it",
        &[
            "il", "che", "di", "non", "è", "sono", "gli", "della", "anche", "perché", "più",
            "questo",
        ],
    ),
    (
        "nl",
        &[
            "het", "een", "niet", "van", "ik", "voor", "maar", "zijn", "ook", "naar", "met", "wat",
        ],
    ),
];

/// Languages told by their letters alone.
const SCRIPTS: [(&str, &[std::ops::RangeInclusive<char>]); 6] = [
    ("ja", &['\u{3040}'..='\u{30ff}']),
    ("ko", &['\u{ac00}'..='\u{d7a3}']),
    ("zh", &['\u{4e00}'..='\u{9fff}']),
    ("th", &['\u{e00}'..='\u{e7f}']),
    ("he", &['\u{5d0}'..='\u{5ea}']),
    ("el", &['\u{370}'..='\u{3ff}']),
];

/// Fewest signs of a language for a guess.
const MIN_SIGNS: u64 = 20;

/// The posts met so far, by language.
#[derive(Debug, Clone, Default)]
pub struct Languages {
    n_posts: u64,
    /// By the first part of the tag that the export states.
    stated: BTreeMap<String, u64>,
    /// Function words and letters, by language.
    signs: BTreeMap<&'static str, u64>,
}

impl Languages {
    /// Adds a kept post: its text, and the language that its export states.
    pub fn add(&mut self, text: &str, stated: Option<&str>) {
        self.n_posts += 1;
        if let Some(stated) = stated {
            let primary = stated.split(['-', '_']).next().unwrap_or_default();
            *self.stated.entry(primary.to_ascii_lowercase()).or_default() += 1;
            return;
        }
        for word in python::words(text) {
            let word = word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '\'');
            if word.len() > 12 {
                continue;
            }
            let lower = word.to_lowercase();
            let known = WORDS
                .iter()
                .find(|(_, words)| words.contains(&lower.as_str()));
            if let Some((language, _)) = known {
                *self.signs.entry(language).or_default() += 1;
            }
        }
        for c in text.chars().filter(|c| !c.is_ascii()) {
            let of = |(_, ranges): &&(&str, &[std::ops::RangeInclusive<char>])| {
                ranges.iter().any(|range| range.contains(&c))
            };
            if let Some((language, _)) = SCRIPTS.iter().find(of) {
                *self.signs.entry(language).or_default() += 1;
            }
        }
    }

    /// The language of most posts as a tag of BCP 47; `None` if there is none of more than half, or no sign of one.
    #[must_use]
    pub fn main(&self) -> Option<String> {
        let n_stated: u64 = self.stated.values().sum();
        if 2 * n_stated >= self.n_posts && n_stated > 0 {
            let most = self.stated.iter().max_by_key(|(_, n)| **n)?;
            return (2 * most.1 > n_stated).then(|| most.0.clone());
        }
        let mut signs = self.signs.clone();
        // Japanese is written with Chinese characters too.
        let kana = signs.get("ja").copied().unwrap_or_default();
        if 10 * kana > signs.get("zh").copied().unwrap_or_default() {
            let han = signs.remove("zh").unwrap_or_default();
            *signs.entry("ja").or_default() += han;
        }
        let total: u64 = signs.values().sum();
        let (language, n) = signs.into_iter().max_by_key(|(_, n)| *n)?;
        (n >= MIN_SIGNS && 2 * n > total).then(|| language.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &str) -> Option<String> {
        let mut languages = Languages::default();
        (0..30).for_each(|_| languages.add(text, None));
        languages.main()
    }

    #[test]
    fn the_language_is_told_from_words_or_letters() {
        for (text, language) in [
            ("what is the best thing that you have", Some("en")),
            ("yo no sé pero el perro y los gatos hay", Some("es")),
            ("je suis dans les bois et c'est bien", Some("fr")),
            ("ich bin nicht der und das ist auch gut", Some("de")),
            ("eu não sei, você também foi muito longe", Some("pt")),
            ("il cane non è che sono anche più", Some("it")),
            ("ik ben het niet maar een van ons", Some("nl")),
            ("今日はとても良い天気ですね", Some("ja")),
            ("今天天气很好我们出去玩", Some("zh")),
            ("오늘은 날씨가 정말 좋네요", Some("ko")),
            ("Привет, как дела", None),
            ("lol wow omg", None),
        ] {
            assert_eq!(guess(text).as_deref(), language, "{text}");
        }
        assert_eq!(Languages::default().main(), None);
    }

    #[test]
    fn what_the_export_states_counts_more_and_needs_a_majority() {
        let mut languages = Languages::default();
        (0..6).for_each(|_| languages.add("what is the thing that you have", Some("pt-BR")));
        (0..5).for_each(|_| languages.add("x", Some("en")));
        assert_eq!(languages.main().as_deref(), Some("pt"));
        (0..1).for_each(|_| languages.add("x", Some("en")));
        assert_eq!(languages.main(), None);
    }
}
