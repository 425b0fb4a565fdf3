//! `Desk`: one bot's prompt and the tweets written for it; each tweet keeps its place.

use super::figures::Figures;
use crate::protocol::StopReason;

/// What lies before a visitor while one bot is open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desk {
    /// What stands in the prompt box.
    pub prompt: String,
    /// The tweets, in order.
    pub results: Vec<Tweet>,
    /// Numbers of the last run.
    pub figures: Option<Figures>,
}

/// How far one tweet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TweetStatus {
    /// Its first token is not there yet.
    Waiting,
    /// Being written.
    Writing,
    /// Complete.
    Done(StopReason),
    /// An error ended it; what was written stays.
    Broken,
}

/// One generated text and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tweet {
    /// Text the visitor gave.
    pub prompt: String,
    /// Text of earlier runs that this run continues.
    pub kept: String,
    /// Text of this run.
    pub fresh: String,
    /// How far it is.
    pub status: TweetStatus,
    /// Seed of its last run.
    pub seed: u32,
    /// New tokens of its last run.
    pub n_tokens: usize,
    /// Tokens of prefix, prompt and text, once the run is over.
    pub context_tokens: Option<usize>,
    /// Whether the JSON repeats the prompt.
    pub is_full_text: bool,
}

impl Tweet {
    /// A place for a text that is about to be written.
    pub fn waiting(prompt: &str, seed: u32, is_full_text: bool) -> Tweet {
        Tweet {
            prompt: prompt.to_owned(),
            kept: String::new(),
            fresh: String::new(),
            status: TweetStatus::Waiting,
            seed,
            n_tokens: 0,
            context_tokens: None,
            is_full_text,
        }
    }

    /// The model's part: all that follows the prompt.
    pub fn continuation(&self) -> String {
        format!("{}{}", self.kept, self.fresh)
    }

    /// Prompt and continuation.
    pub fn full_text(&self) -> String {
        format!("{}{}{}", self.prompt, self.kept, self.fresh)
    }

    /// The text as the pipeline's answer has it.
    pub fn generated_text(&self) -> String {
        if self.is_full_text {
            self.full_text()
        } else {
            self.continuation()
        }
    }

    /// Whether a run is going on for it.
    pub fn is_open(&self) -> bool {
        matches!(self.status, TweetStatus::Waiting | TweetStatus::Writing)
    }

    /// Takes a piece of text.
    pub(super) fn push(&mut self, text: &str) {
        self.fresh.push_str(text);
        self.n_tokens += 1;
        self.status = TweetStatus::Writing;
    }

    /// Takes the run's whole text, which may have lost a prompt in front.
    pub(super) fn complete(&mut self, generated: &str, asked: &str, reason: StopReason) {
        let fresh = if self.is_full_text {
            generated.strip_prefix(asked)
        } else {
            Some(generated)
        };
        if let Some(fresh) = fresh {
            fresh.clone_into(&mut self.fresh);
        }
        self.status = TweetStatus::Done(reason);
    }

    /// Ends it where it stands.
    pub(super) fn end(&mut self, status: TweetStatus) {
        if self.is_open() {
            self.status = status;
        }
    }
}

impl Desk {
    /// The texts as `pipeline('text-generation')` answers, pretty-printed.
    pub fn json(&self) -> String {
        let list: Vec<_> = self
            .results
            .iter()
            .map(|tweet| serde_json::json!({ "generated_text": tweet.generated_text() }))
            .collect();
        serde_json::to_string_pretty(&list).expect("strings are always JSON")
    }
}
