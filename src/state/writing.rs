//! `WritingState`: the job that writes tweets; `Writing`: the tweets to write.

use super::gallery::Place;
use crate::protocol::JobId;

/// The texts to write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Writing {
    /// New tweets for the open bot's prompt.
    Generate { seed: u32 },
    /// One tweet anew.
    Regenerate { slot: usize, seed: u32 },
    /// More text for one tweet.
    Continue { slot: usize, seed: u32 },
}

/// The job that writes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) job: JobId,
    /// Where its tweets stand.
    pub(super) place: Place,
    /// Sequence `i` of the job is tweet `first_slot + i` of the place.
    pub(super) first_slot: usize,
    /// The prompt of the request.
    pub(super) prompt: String,
    /// Whether the job writes all tweets anew; if the worker refuses it, the bot has no tweets left.
    pub(super) is_of_all_tweets: bool,
    pub(super) is_stopping: bool,
}

/// The text that is being written, if there is one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct WritingState {
    pub(super) run: Option<Run>,
    /// Whether the visitor stopped the last run.
    pub(super) was_stopped: bool,
}
