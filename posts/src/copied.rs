//! `Originals`: how much of a text was copied from posts: the longest run of words that it shares with one of them.
//!
//! Words are compared without regard to case and punctuation; a run does not go beyond its post.

use std::collections::{HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation as _;

/// A text counts as copied if it shares so many words in a row with a post.
pub const COPIED_WORDS: usize = 8;

/// Ends a post among the words.
const END: u32 = u32::MAX;

/// Posts, with an index of their words.
#[derive(Debug, Clone)]
pub struct Originals {
    posts: Vec<String>,
    /// The word of each id, as it is compared.
    ids: HashMap<String, u32>,
    /// The words of all posts, [`END`] after each.
    words: Vec<u32>,
    /// Where each post begins among the words.
    starts: Vec<u32>,
    /// The first place of each word.
    first: Vec<u32>,
    /// The places of each pair of neighbours.
    pairs: HashMap<(u32, u32), Vec<u32>>,
}

/// What a text shares with the posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedRun<'a> {
    /// Words of the longest shared run.
    pub words: usize,
    /// The post that it is in.
    pub post: &'a str,
}

impl SharedRun<'_> {
    /// Whether that is more than chance.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        self.words >= COPIED_WORDS
    }
}

impl Originals {
    /// The posts, each once.
    pub fn new<'a>(posts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut originals = Self {
            posts: Vec::new(),
            ids: HashMap::new(),
            words: Vec::new(),
            starts: Vec::new(),
            first: Vec::new(),
            pairs: HashMap::new(),
        };
        let mut seen = HashSet::new();
        for post in posts {
            if !post.trim().is_empty() && seen.insert(post) {
                originals.add(post);
            }
        }
        originals
    }

    /// Number of different posts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.posts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    fn add(&mut self, post: &str) {
        self.starts.push(place(self.words.len()));
        self.posts.push(post.to_owned());
        let mut before = None;
        for word in words(post) {
            let next = place(self.ids.len());
            let id = *self.ids.entry(word).or_insert(next);
            let at = place(self.words.len());
            if id == next {
                self.first.push(at);
            }
            if let Some(before) = before {
                self.pairs.entry((before, id)).or_default().push(at - 1);
            }
            self.words.push(id);
            before = Some(id);
        }
        self.words.push(END);
    }

    /// The longest run of words of `text` that is in a post; `None` if no word is. Of several the first.
    #[must_use]
    pub fn shared(&self, text: &str) -> Option<SharedRun<'_>> {
        // A word that no post has ends every run.
        let words: Vec<u32> = words(text)
            .map(|word| self.ids.get(&word).copied().unwrap_or(END))
            .collect();
        let mut longest = None;
        for (i, id) in words.iter().enumerate() {
            let pair = words.get(i + 1).map(|next| (*id, *next));
            let places = pair.and_then(|pair| self.pairs.get(&pair));
            let once = self.first.get(*id as usize).copied();
            let places = places.map_or(once.as_slice(), Vec::as_slice);
            for start in places {
                let there = &self.words[*start as usize..];
                let same = words[i..].iter().zip(there);
                let n = same.take_while(|(a, b)| a == b && **a != END).count();
                if longest.is_none_or(|(most, _)| n > most) {
                    longest = Some((n, *start));
                }
            }
        }
        let (words, start) = longest?;
        let post = self.starts.partition_point(|begin| *begin <= start);
        Some(SharedRun {
            words,
            post: &self.posts[post - 1],
        })
    }
}

/// The words of a text as they are compared.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(str::to_lowercase)
}

/// Words of at most 4 GB of posts.
fn place(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(END)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTS: [&str; 4] = [
        "I water the garden on every day, and the garden thanks me.",
        "the garden of my neighbour is a desert",
        "I water the garden on every day, and the garden thanks me.",
        "Ünï cödé; ok?",
    ];

    #[test]
    fn the_longest_run_is_found_whatever_case_and_punctuation() {
        let originals = Originals::new(POSTS);
        assert_eq!(originals.len(), 3);
        let text = "My dream is: to WATER the garden on every day and sleep";
        let shared = originals.shared(text);
        assert_eq!(
            shared,
            Some(SharedRun {
                words: 7,
                post: POSTS[0]
            })
        );
        let shared = originals.shared("a gift: the garden of my neighbour is a desert");
        let shared = shared.unwrap_or_else(|| panic!("it is a post"));
        assert_eq!((shared.words, shared.post), (8, POSTS[1]));
        assert!(shared.is_copied());
    }

    #[test]
    fn a_run_ends_with_its_post() {
        let originals = Originals::new(["one two", "three four"]);
        let shared = originals.shared("one two three four");
        assert_eq!(shared.map(|it| it.words), Some(2));
    }

    #[test]
    fn a_single_word_is_shared_too_and_nothing_with_nothing() {
        let originals = Originals::new(POSTS);
        let shared = originals.shared("unknown words, cödé, unknown");
        assert_eq!(shared.map(|it| (it.words, it.post)), Some((1, POSTS[3])));
        assert_eq!(originals.shared("nothing here matches"), None);
        assert_eq!(originals.shared(""), None);
        assert!(Originals::new([]).is_empty());
        assert_eq!(Originals::new([" "]).shared("a"), None);
    }

    #[test]
    fn it_is_what_a_search_of_every_place_finds() {
        // Few words, so that runs are long and many.
        let mut random = crate::random::PythonRandom::new(5);
        let mut text = |n: u32| -> String {
            let words = (0..n).map(|_| ["a", "b", "c"][(random.next_u32() % 3) as usize]);
            words.collect::<Vec<_>>().join(" ")
        };
        let posts: Vec<String> = (0..30).map(|_| text(12)).collect();
        let originals = Originals::new(posts.iter().map(String::as_str));
        for _ in 0..200 {
            let text = text(9);
            let words: Vec<&str> = text.split(' ').collect();
            let runs = (0..words.len()).flat_map(|i| (i + 1..=words.len()).map(move |j| (i, j)));
            let is_shared = |(i, j): &(usize, usize)| {
                let run = words[*i..*j].join(" ");
                posts.iter().any(|post| post.contains(&run))
            };
            let longest = runs.filter(is_shared).map(|(i, j)| j - i).max();
            assert_eq!(
                originals.shared(&text).map(|it| it.words),
                longest,
                "{text}"
            );
        }
    }
}
