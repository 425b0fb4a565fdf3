//! `Survey`: what an account's posts look like: posts per month, lengths, most used words.

use std::collections::{HashMap, HashSet};

use posts::language::Languages;
use posts::post::Post;
use posts::python;
use posts::time::month_of;
use serde::{Deserialize, Serialize};

/// Code points in one step of [`Survey::lengths`].
pub const LENGTH_STEP: usize = 20;
/// Steps of [`Survey::lengths`]; the last one has all longer texts too.
pub const N_LENGTHS: usize = 15;
/// Words in [`Survey::words`].
pub const N_WORDS: usize = 40;
/// Most different words that are counted at once. Beyond it those seen once are forgotten, so that the counts of rare
/// words, which are not shown, may be too low.
const MAX_WORDS: usize = 50_000;

/// English words that say nothing about an author.
const COMMON: &str = " a about after all also am an and any are as at be because been but by can could did do does \
    don't for from get go got had has have he her him his how i i'll i'm i've if in into is it it's its just know like \
    me more my no not now of on one only or other our out over so some than that that's the their them then there these \
    they this time to too up us was we were what when which who why will with would you you're your ";

/// The posts of one account after cleaning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Kept posts per month, in order, without the months that have none.
    pub months: Vec<Month>,
    /// Kept posts by length: [`LENGTH_STEP`] code points a step.
    pub lengths: Vec<u32>,
    /// Most used words of kept posts, the most frequent first, in lower case; without names, tags and the commonest
    /// English words.
    pub words: Vec<(String, u32)>,
    /// The language of most kept posts as a tag of BCP 47, if there is one.
    pub language: Option<String>,
}

/// The posts of one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// Posts.
    pub posts: u32,
}

/// Collects a [`Survey`], post by post.
#[derive(Debug)]
pub struct Surveyor {
    /// By year and month.
    months: HashMap<(i32, u8), u32>,
    lengths: Vec<u32>,
    words: HashMap<String, u32>,
    languages: Languages,
    /// The words of [`COMMON`].
    common: HashSet<&'static str>,
    /// The present word in lower case.
    word: String,
}

impl Default for Surveyor {
    fn default() -> Self {
        Self {
            months: HashMap::new(),
            lengths: vec![0; N_LENGTHS],
            words: HashMap::new(),
            languages: Languages::default(),
            common: COMMON.split(' ').collect(),
            word: String::new(),
        }
    }
}

impl Surveyor {
    /// Counts one more kept post, whose text after cleaning is `text`.
    pub fn add(&mut self, post: &Post, text: &str) {
        if let Some((year, month)) = post.time.map(month_of)
            && let Ok(year) = i32::try_from(year)
        {
            *self.months.entry((year, month)).or_default() += 1;
        }
        let step = (python::len(text) / LENGTH_STEP).min(N_LENGTHS - 1);
        self.lengths[step] += 1;
        self.languages.add(text, post.lang.as_deref());
        for word in text.split(' ') {
            self.count(word);
        }
    }

    fn count(&mut self, word: &str) {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@' && c != '#');
        let is_name = word.is_empty() || word.starts_with(['@', '#']) || word.contains("://");
        if is_name || !word.contains(char::is_alphabetic) {
            return;
        }
        self.word.clear();
        for c in word.chars() {
            match c {
                '’' => self.word.push('\''),
                _ => self.word.extend(c.to_lowercase()),
            }
        }
        if self.common.contains(self.word.as_str()) {
            return;
        }
        match self.words.get_mut(&self.word) {
            Some(count) => *count += 1,
            None => _ = self.words.insert(self.word.clone(), 1),
        }
        if self.words.len() > MAX_WORDS {
            self.words.retain(|_, count| *count > 1);
            // Texts without repetition: nothing of it would be shown.
            if self.words.len() > MAX_WORDS / 2 {
                self.words.clear();
            }
        }
    }

    /// The survey of the posts so far.
    #[must_use]
    pub fn survey(&self) -> Survey {
        let months = self.months.iter();
        let months = months.map(|((year, month), posts)| Month {
            year: *year,
            month: *month,
            posts: *posts,
        });
        let mut months: Vec<Month> = months.collect();
        months.sort_unstable_by_key(|it| (it.year, it.month));
        let mut words: Vec<(String, u32)> = self
            .words
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|(word, count)| (word.clone(), *count))
            .collect();
        words.sort_unstable_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        words.truncate(N_WORDS);
        Survey {
            months,
            lengths: self.lengths.clone(),
            words,
            language: self.languages.main(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use posts::clean::{Cleaner, Verdict};

    fn survey(posts: &[(&str, i64)]) -> Survey {
        let (mut cleaner, mut surveyor) = (Cleaner::default(), Surveyor::default());
        for (text, time) in posts {
            let post = Post {
                text: (*text).to_owned(),
                time: Some(*time),
                ..Post::default()
            };
            if let Verdict::Kept { text, .. } = cleaner.judge(&post) {
                surveyor.add(&post, &text);
            }
        }
        surveyor.survey()
    }

    #[test]
    fn only_kept_posts_are_surveyed_and_common_words_names_and_tags_are_not_counted() {
        let found = survey(&[
            ("The garden, the GARDEN and @bob's #garden", 0),
            ("garden of delights", 40 * 86_400),
            ("short", 0),
            (&"ab ".repeat(100), 0),
        ]);
        assert_eq!(
            found.words,
            [("ab".to_owned(), 100), ("garden".to_owned(), 3)]
        );
        let month = |month, posts| Month {
            year: 1970,
            month,
            posts,
        };
        assert_eq!(found.months, [month(1, 2), month(2, 1)]);
        assert_eq!(found.lengths.iter().sum::<u32>(), 3);
        assert_eq!(found.lengths[N_LENGTHS - 1], 1);
        assert_eq!(found.lengths[0], 1);
    }

    #[test]
    fn words_without_end_do_not_take_memory_without_end() {
        let mut surveyor = Surveyor::default();
        for i in 0..200_000 {
            surveyor.count(&format!("w{i}"));
            if i % 10 == 0 {
                surveyor.count("often");
            }
        }
        assert!(surveyor.words.len() <= MAX_WORDS);
        assert_eq!(surveyor.survey().words[0], ("often".to_owned(), 20_000));
    }
}
