//! `Edits`: of an edited post only the last version that the export has.

use std::collections::HashMap;

use crate::post::Post;

/// Most edited posts remembered; further ones are handed out with all their versions.
const MAX_REMEMBERED: usize = 100_000;

/// The versions met so far.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// By the first version's id: the latest version met, or `None` once the last one was handed out.
    held: HashMap<String, Option<Post>>,
    /// Versions left out.
    pub superseded: u64,
}

impl Edits {
    /// `post` if it can be handed out now. An earlier version waits until a later one or the end comes.
    ///
    /// `versions`: the ids of all versions, oldest first.
    pub fn latest(&mut self, post: Post, versions: &[String]) -> Option<Post> {
        let [first, .., last] = versions else {
            return Some(post);
        };
        if self.held.len() >= MAX_REMEMBERED {
            return Some(post);
        }
        if post.id == *last {
            if let Some(Some(_)) = self.held.insert(first.clone(), None) {
                self.superseded += 1;
            }
            return Some(post);
        }
        let held = self.held.entry(first.clone());
        match held.or_insert_with(|| Some(Post::default())) {
            // The last version is out already.
            None => self.superseded += 1,
            Some(waiting) => {
                if !waiting.id.is_empty() {
                    self.superseded += 1;
                }
                // Ids are numbers that grow.
                if (post.id.len(), &post.id) > (waiting.id.len(), &waiting.id) {
                    *waiting = post;
                }
            }
        }
        None
    }

    /// The posts whose last version did not come, by their ids.
    pub fn rest(&mut self) -> Vec<Post> {
        let mut rest: Vec<Post> = self.held.drain().filter_map(|(_, post)| post).collect();
        rest.sort_by(|a, b| (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id)));
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(id: &str) -> Post {
        Post {
            id: id.to_owned(),
            ..Post::default()
        }
    }

    #[test]
    fn the_last_version_stays_in_any_order() {
        let versions = ["1", "2", "10"].map(str::to_owned);
        for order in [["1", "2", "10"], ["10", "2", "1"], ["2", "10", "1"]] {
            let mut edits = Edits::default();
            let out: Vec<Post> = order
                .iter()
                .filter_map(|id| edits.latest(post(id), &versions))
                .collect();
            assert_eq!(out, [post("10")], "{order:?}");
            assert_eq!((edits.rest(), edits.superseded), (vec![], 2), "{order:?}");
        }
    }

    #[test]
    fn without_the_last_version_the_latest_comes_at_the_end() {
        let versions = ["1", "2", "10"].map(str::to_owned);
        let mut edits = Edits::default();
        assert_eq!(edits.latest(post("2"), &versions), None);
        assert_eq!(edits.latest(post("1"), &versions), None);
        assert_eq!(edits.rest(), [post("2")]);
        assert_eq!(edits.superseded, 1);
    }

    #[test]
    fn a_post_without_versions_is_handed_out() {
        let mut edits = Edits::default();
        assert_eq!(edits.latest(post("1"), &[]), Some(post("1")));
        assert_eq!(edits.latest(post("1"), &["1".to_owned()]), Some(post("1")));
    }
}
