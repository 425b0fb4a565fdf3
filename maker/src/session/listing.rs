//! The posts of a class or with a text in them, with the rule that put each there.

use posts::clean::{CleanOptions, Cleaner, LeftOut, Verdict};
use posts::post::Post;

use super::{Session, SessionError};
use crate::message::{Class, Event, ListedPost, Listing, MAX_LISTED};

impl Session {
    /// The posts that fit `listing`, without those that could not be judged.
    ///
    /// # Errors
    /// [`SessionError::Busy`], [`SessionError::NoAccount`], [`SessionError::Storage`].
    pub fn list(&mut self, listing: Listing) -> Result<Event, SessionError> {
        if self.is_busy() {
            return Err(SessionError::Busy);
        }
        let held = self
            .accounts
            .get_mut(listing.account)
            .ok_or(SessionError::NoAccount)?;
        let mut cleaner = Cleaner::new(CleanOptions {
            // Its verdicts need all posts before; the class is known.
            no_duplicates: false,
            ..self.options.clone()
        });
        let search = listing.search.to_lowercase();
        let (mut found, mut posts) = (0, Vec::new());
        let take = listing.take.min(MAX_LISTED) as usize;
        let mut idx = 0;
        while idx < held.posts.len() {
            let block = held.posts.block(idx)?;
            for post in block {
                let class = held.classes.get(idx).copied();
                idx += 1;
                let Some(class) = class else { continue };
                let fits = listing.class.is_none_or(|wanted| wanted == class)
                    && (search.is_empty() || post.text.to_lowercase().contains(&search));
                if !fits {
                    continue;
                }
                found += 1;
                if found > listing.skip && posts.len() < take {
                    posts.push(listed(post, class, &mut cleaner));
                }
            }
        }
        Ok(Event::Listed {
            listing,
            found,
            posts,
        })
    }
}

fn listed(post: Post, class: Class, cleaner: &mut Cleaner) -> ListedPost {
    let verdict = cleaner.judge(&post);
    let (cleaned, words, left_out) = match verdict {
        Verdict::Kept { text, words } | Verdict::Short { text, words } => {
            (Some(text), u32::try_from(words).ok(), None)
        }
        Verdict::Retweet => (None, None, None),
        Verdict::LeftOut(reason) => (None, None, Some(reason)),
    };
    let left_out = match class {
        Class::LeftOut => left_out.or(Some(LeftOut::Duplicate)),
        _ => None,
    };
    ListedPost {
        time: post.time,
        cleaned: cleaned.filter(|text| *text != post.text),
        text: post.text,
        class,
        words,
        left_out,
    }
}
