//! `Counts`: the numbers on the card, and whether there is enough text to learn from.

use serde::{Deserialize, Serialize};

use crate::clean::{LeftOut, Verdict};
use crate::dataset::SEPARATOR;
use crate::python;

/// Fewest code points of an account's kept posts, joined by [`SEPARATOR`], with which a bot can be made.
pub const MIN_CHARACTERS: u64 = 6_000;
/// Code points below which a warning is due.
pub const FEW_CHARACTERS: u64 = 40_000;

/// The posts of one account by verdict: `kept = downloaded - retweets - short - left_out`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All posts.
    pub downloaded: u64,
    /// Retweets, boosts and reposts.
    pub retweets: u64,
    /// Posts too short to learn from.
    pub short: u64,
    /// Posts that are data.
    pub kept: u64,
    /// Posts that a switch of the cleaning left out; none on the original cards.
    #[serde(default)]
    pub left_out: LeftOutCounts,
    /// Code points of the kept posts after cleaning.
    #[serde(default)]
    pub characters: u64,
}

/// Posts left out, by the switch that did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOutCounts {
    /// Answers to others.
    pub replies: u64,
    /// Texts kept before.
    pub duplicates: u64,
    /// Outside of the span of dates.
    pub dates: u64,
    /// In another language.
    pub languages: u64,
}

impl LeftOutCounts {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        self.replies + self.duplicates + self.dates + self.languages
    }
}

/// Whether an account's kept posts are enough for a bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volume {
    /// Fewer than [`MIN_CHARACTERS`]: refused.
    TooLittle,
    /// Fewer than [`FEW_CHARACTERS`]: the bot may repeat itself.
    Little,
    /// Enough.
    Enough,
}

impl Counts {
    /// The short posts as a card counts them: on the original cards all that are neither retweets nor kept.
    #[must_use]
    pub fn short_on_card(self) -> u64 {
        self.short + self.left_out.total()
    }

    /// Counts one more post.
    pub fn add(&mut self, verdict: &Verdict) {
        self.downloaded += 1;
        match verdict {
            Verdict::Retweet => self.retweets += 1,
            Verdict::Short { .. } => self.short += 1,
            Verdict::Kept { text, .. } => {
                self.kept += 1;
                self.characters += python::len(text) as u64;
            }
            Verdict::LeftOut(reason) => {
                let left_out = &mut self.left_out;
                *match reason {
                    LeftOut::Reply => &mut left_out.replies,
                    LeftOut::Duplicate => &mut left_out.duplicates,
                    LeftOut::Date => &mut left_out.dates,
                    LeftOut::Language => &mut left_out.languages,
                } += 1;
            }
        }
    }

    /// Code points of the kept posts joined by [`SEPARATOR`].
    #[must_use]
    pub fn joined_characters(&self) -> u64 {
        self.characters + SEPARATOR.len() as u64 * self.kept.saturating_sub(1)
    }

    /// Whether that is enough.
    #[must_use]
    pub fn volume(&self) -> Volume {
        match self.joined_characters() {
            n if n < MIN_CHARACTERS => Volume::TooLittle,
            n if n < FEW_CHARACTERS => Volume::Little,
            _ => Volume::Enough,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kept(lengths: &[usize]) -> Counts {
        let mut counts = Counts::default();
        for length in lengths {
            counts.add(&Verdict::Kept {
                text: "é".repeat(*length),
                words: 3,
            });
        }
        counts
    }

    #[test]
    fn the_limits_count_code_points_and_separators() {
        assert_eq!(of_kept(&[]).joined_characters(), 0);
        assert_eq!(of_kept(&[2987, 3000]).joined_characters(), 6000);
        for (lengths, volume) in [
            (&[][..], Volume::TooLittle),
            (&[2986, 3000], Volume::TooLittle),
            (&[2987, 3000], Volume::Little),
            (&[39_999], Volume::Little),
            (&[40_000], Volume::Enough),
        ] {
            assert_eq!(of_kept(lengths).volume(), volume, "{lengths:?}");
        }
    }
}
