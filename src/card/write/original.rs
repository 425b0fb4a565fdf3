//! The card as huggingtweets wrote it, byte for byte.
//!
//! The templates are those of 2021-03-24 ([generation](crate::card::Card::generation) 3) and of 2021-05-07 (generation 4).
//! The original replaced the words in capitals in a fixed order, whatever a display name held.

use super::error::CardWriteError;
use super::facts::{CardFacts, CheckedFacts, checked_length};
use crate::card::AccountData;

const TEMPLATE_3: &str = include_str!("template_3.md");
const TEMPLATE_4: &str = include_str!("template_4.md");

/// The card as huggingtweets wrote it, its faults included: names are not escaped, and the language is always `en`.
///
/// # Errors
/// [`CardWriteError`] for a fact that cannot be on a card, and for facts from which the original wrote none.
pub fn as_original(facts: &CardFacts) -> Result<String, CardWriteError> {
    let checked = CheckedFacts::new(facts)?;
    let names = facts.names.len();
    let template = match (checked.generation, names) {
        (3, 1) => TEMPLATE_3,
        (4, _) => TEMPLATE_4,
        _ => "",
    };
    if template.is_empty() || facts.table.is_empty() {
        return Err(CardWriteError::NoTemplate {
            generation: checked.generation,
            names,
            has_table: !facts.table.is_empty(),
        });
    }
    let avatar = |i: usize| checked.avatars.get(i).cloned().unwrap_or_default();
    let display = |i: usize| if i < names { "inherit" } else { "none" }.to_owned();
    let row = |count: fn(&AccountData) -> u32| {
        let counts = facts.table.iter().map(|account| count(account).to_string());
        counts.collect::<Vec<_>>().join(" | ")
    };
    let run = |run: &Option<String>| run.clone().unwrap_or_default();
    let card_names = facts.names.join(" & ");
    // The original's order, on which it depends what becomes of a name that holds one of the words.
    let mut replacements = vec![
        ("USER_PROFILE_1", avatar(0)),
        ("DISPLAY_1", display(0)),
        ("USER_PROFILE_2", avatar(1)),
        ("DISPLAY_2", display(1)),
        ("USER_PROFILE_3", avatar(2)),
        ("DISPLAY_3", display(2)),
        ("USER_HANDLE", checked.handle.clone()),
        ("USER_NAME", card_names),
        ("BOT", checked.label.to_owned()),
        ("SOCIAL_LINK", checked.thumbnail.clone()),
        ("TABLE_USER", facts.names.join(" | ")),
        ("TABLE_SPLIT", vec!["---"; names].join(" | ")),
        ("TWEETS_DL", row(|account| account.downloaded)),
        ("RETWEETS", row(|account| account.retweets)),
        ("SHORT_TWEETS", row(|account| account.short)),
        ("TWEETS_KEPT", row(|account| account.kept)),
        ("WANDB_PREPROCESS", run(&checked.data_run)),
        ("WANDB_TRAIN", run(&checked.training_run)),
    ];
    if checked.generation == 3 {
        // That template had one account, and no label to choose.
        replacements
            .retain(|(word, _)| !word.contains("_2") && !word.contains("_3") && *word != "BOT");
        replacements.insert(0, ("USER_PROFILE", avatar(0)));
    }
    let mut card = template.to_owned();
    for (word, value) in replacements {
        card = card.replace(word, &value);
    }
    checked_length(card)
}
