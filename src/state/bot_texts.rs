//! `BotTexts`: one bot's prompt, and the tweets written for it.

use super::recipe::Recipe;
use super::run_figures::RunFigures;
use super::tweet::Tweet;

/// One bot's prompt and tweets; they stay while another bot is open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BotTexts {
    /// The text in the prompt box.
    pub prompt: String,
    /// The tweets, in order; each keeps its place while it is written anew.
    pub tweets: Vec<Tweet>,
    /// Figures of the last run.
    pub figures: Option<RunFigures>,
    /// What wrote the tweets of the last whole run.
    pub recipe: Option<Recipe>,
}

impl BotTexts {
    /// A prompt without tweets yet.
    pub(super) fn new(prompt: String) -> BotTexts {
        BotTexts {
            prompt,
            ..BotTexts::default()
        }
    }

    /// The tweets as `pipeline('text-generation')` answers, pretty-printed.
    pub fn json(&self) -> String {
        let list: Vec<_> = self
            .tweets
            .iter()
            .map(|tweet| serde_json::json!({ "generated_text": tweet.generated_text() }))
            .collect();
        serde_json::to_string_pretty(&list).expect("strings are always JSON")
    }
}
