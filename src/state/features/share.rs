//! Reads of what the page shares: the link of the texts, and a text with its author.

use super::super::PageState;
use super::super::embed_code::Example;
use super::super::model_choice::ModelChoice;
use super::super::recipe::Recipe;
use super::super::share::{self, SharedText};
use super::super::speaker::Speaker;
use super::super::tweet::{Tweet, TweetStatus};
use crate::generate::parameter::Parameter;
use crate::protocol::GenerationParams;

impl PageState {
    /// The query of the page's address that writes the texts of the open bot again; `None` before there are any.
    pub fn link_query(&self) -> Option<String> {
        let texts = self.texts();
        let is_written = !self.is_generating() && !texts.tweets.is_empty();
        let recipe = texts.recipe.as_ref().filter(|_| is_written)?;
        Some(recipe.query())
    }

    /// A text to be shared. `page`: the page's address without a query.
    pub fn shared(&self, place: usize, page: &str) -> Option<SharedText> {
        let tweet = self.texts().tweets.get(place)?;
        let speaker = self.speaker();
        let model = tweet.recipe.model.name();
        let own = speaker.bot().map(|bot| bot.repo.as_str());
        let of_site = self.model.of_site.as_ref();
        let of_site = of_site.filter(|choice| choice.model == tweet.recipe.model);
        let is_of_site = own.is_some() && of_site.and_then(ModelChoice::bot_repo) == own;
        let is_stand_in = own.is_some_and(|own| own != model) && !is_of_site;
        Some(SharedText {
            stand_in: is_stand_in.then_some(model),
            speaker,
            prompt: tweet.prompt.clone(),
            continuation: tweet.continuation(),
            link: format!("{page}{}", tweet.query()),
        })
    }

    /// The complete texts that were written for a bot of the gallery on this page, as examples for other pages. `date`: the
    /// day, as `2026-11-29`.
    pub fn examples(&self, bot: usize, date: &str) -> Vec<Example> {
        let Some((bot, texts)) = self.bots().get(bot).zip(self.gallery.texts_of_bot(bot)) else {
            return Vec::new();
        };
        let author = share::author(&Speaker::Bot(bot.clone()));
        let tweets = texts.tweets.iter();
        let is_done = |tweet: &&Tweet| matches!(tweet.status, TweetStatus::Done(_));
        tweets
            .filter(is_done)
            .map(|tweet| Example {
                text: tweet.full_text(),
                author: author.clone(),
                model: tweet.recipe.model.name(),
                date: date.to_owned(),
            })
            .collect()
    }

    /// What writes a text with these parameters again.
    pub(super) fn recipe(&self, prompt: &str, seed: u32, params: &GenerationParams) -> Recipe {
        let is_changed = |parameter: &Parameter| self.settings.is_changed(*parameter);
        let of_its_own = [Parameter::Seed, Parameter::NumReturnSequences];
        let settings = Parameter::ON_PANEL.into_iter().filter(is_changed);
        let settings = settings.filter(|parameter| !of_its_own.contains(parameter));
        Recipe {
            bot: self.speaker().bot().map(|bot| bot.repo.clone()),
            model: self.model.choice.model.clone(),
            mix: self.model.choice.shares.first().map(|share| share.percent),
            prompt: prompt.to_owned(),
            settings: settings
                .map(|parameter| (parameter, parameter.text_of(params)))
                .collect(),
            n: is_changed(&Parameter::NumReturnSequences).then_some(params.num_return_sequences),
            seed: Some(seed),
            is_search: params.num_beams > 1,
        }
    }
}
