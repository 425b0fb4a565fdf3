//! `Tweet`: one generated text, from its first token to its end.

use super::recipe::Recipe;
use crate::protocol::StopReason;

/// The progress of a tweet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TweetStatus {
    /// Its first token has not arrived yet.
    Waiting,
    /// Being written.
    Writing,
    /// Complete.
    Done(StopReason),
    /// Ended by an error; the text so far stays.
    Broken,
}

/// One generated text, with its seed and its status.
#[derive(Debug, Clone, PartialEq)]
pub struct Tweet {
    /// The visitor's text.
    pub prompt: String,
    /// Text of earlier runs, which this run continues.
    pub earlier: String,
    /// Text of this run.
    pub fresh: String,
    /// The tweet's progress.
    pub status: TweetStatus,
    /// Seed of its last run.
    pub seed: u32,
    /// New tokens of its last run.
    pub n_tokens: usize,
    /// Tokens of prefix, prompt and text, once the run is over.
    pub context_tokens: Option<usize>,
    /// Whether the JSON repeats the prompt.
    pub is_full_text: bool,
    /// The recipe of all texts of the last run.
    pub recipe: Recipe,
}

impl Tweet {
    /// A tweet before its first token.
    pub fn waiting(recipe: Recipe, seed: u32, is_full_text: bool) -> Tweet {
        Tweet {
            prompt: recipe.prompt.clone(),
            earlier: String::new(),
            fresh: String::new(),
            status: TweetStatus::Waiting,
            seed,
            n_tokens: 0,
            context_tokens: None,
            is_full_text,
            recipe,
        }
    }

    /// The query of the page's address that writes it again, or, of a text of several runs, that leads to its beginning.
    pub fn query(&self) -> String {
        self.recipe.of_one(self.own_seed()).query()
    }

    /// The model's part: everything after the prompt.
    pub fn continuation(&self) -> String {
        format!("{}{}", self.earlier, self.fresh)
    }

    /// Prompt and continuation.
    pub fn full_text(&self) -> String {
        format!("{}{}{}", self.prompt, self.earlier, self.fresh)
    }

    /// The text in the form of the pipeline's answer.
    pub fn generated_text(&self) -> String {
        if self.is_full_text {
            self.full_text()
        } else {
            self.continuation()
        }
    }

    /// The seed that writes this text again; `None` for a text of several runs, which no single seed writes.
    pub fn own_seed(&self) -> Option<u32> {
        self.earlier.is_empty().then_some(self.seed)
    }

    /// Whether a run is writing it.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.status, TweetStatus::Waiting | TweetStatus::Writing)
    }

    /// Appends the text of one token.
    pub(super) fn push(&mut self, text: &str) {
        self.fresh.push_str(text);
        self.n_tokens += 1;
        self.status = TweetStatus::Writing;
    }

    /// Takes the run's whole text; `sent_prompt` is left out at its start.
    pub(super) fn complete(&mut self, generated: &str, sent_prompt: &str, reason: StopReason) {
        let fresh = if self.is_full_text {
            generated.strip_prefix(sent_prompt)
        } else {
            Some(generated)
        };
        if let Some(fresh) = fresh {
            fresh.clone_into(&mut self.fresh);
        }
        self.status = TweetStatus::Done(reason);
    }

    /// Ends an unfinished tweet; its text stays.
    pub(super) fn end(&mut self, status: TweetStatus) {
        if self.is_unfinished() {
            self.status = status;
        }
    }
}
