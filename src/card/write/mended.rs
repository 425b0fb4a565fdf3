//! The card with the original's faults mended.

use super::error::CardWriteError;
use super::facts::{ARTIFACTS, CardFacts, CheckedFacts, checked_length};
use crate::bundled::BUNDLED_NAME;
use crate::card::AccountData;
use crate::shown;

const DEFAULT_PROMPT: &str = "My dream is";
const DEFAULT_BASE_MODEL: &str = "gpt2";
const DEFAULT_LICENSE: &str = "mit";
/// Longest of the short values, such as a language, in bytes.
const MAX_VALUE_BYTES: usize = 96;

/// The card with the original's faults mended: names cannot break the table or the page, the language is that of the posts
/// or none, base model and licence are stated, and it says who wrote it and when.
///
/// # Errors
/// [`CardWriteError`] for a fact that cannot be on a card.
pub fn mended(facts: &CardFacts) -> Result<String, CardWriteError> {
    let checked = CheckedFacts::new(facts)?;
    let names: Vec<String> = facts
        .names
        .iter()
        .map(|name| escaped(&shown::name(name)))
        .collect();
    let date = value("date", facts.date.as_deref())?;
    let prompts = match facts.widget.as_slice() {
        [] => &[DEFAULT_PROMPT.to_owned()],
        given => given,
    };
    let sections = [
        front_matter(facts, &checked, prompts)?,
        header(&checked, &names),
        origin(&names, date),
        training_data(facts, &checked, &names),
        training_procedure(facts, &checked),
        how_to_use(&checked.handle, &prompts[0]),
        LIMITATIONS.to_owned(),
    ];
    checked_length(sections.join("\n"))
}

/// What the Hub reads.
fn front_matter(
    facts: &CardFacts,
    checked: &CheckedFacts,
    prompts: &[String],
) -> Result<String, CardWriteError> {
    let mut text = String::from("---\n");
    if let Some(language) = value("language", facts.language.as_deref())? {
        text += &format!("language: {language}\n");
    }
    let license = value("license", facts.license.as_deref())?.unwrap_or(DEFAULT_LICENSE);
    text += &format!("license: {license}\n");
    let base_model = base_model(facts);
    if is_model_of_hub(base_model) {
        text += &format!("base_model: {base_model}\n");
    }
    text += "pipeline_tag: text-generation\n";
    text += &format!("thumbnail: {}\n", checked.thumbnail);
    text += "tags:\n- huggingtweets\nwidget:\n";
    for prompt in prompts {
        // JSON's strings are strings of YAML.
        text += &format!("- text: {}\n", quoted(prompt));
    }
    text += "---\n";
    Ok(text)
}

/// Avatars, label, names and handle.
fn header(checked: &CheckedFacts, names: &[String]) -> String {
    let avatars: String = checked
        .avatars
        .iter()
        .map(|address| avatar(address))
        .collect();
    format!(
        r#"<div class="inline-flex flex-col" style="line-height: 1.5;">
    <div class="flex">
{avatars}    </div>
    <div style="text-align: center; margin-top: 3px; font-size: 16px; font-weight: 800">🤖 AI {label} 🤖</div>
    <div style="text-align: center; font-size: 16px; font-weight: 800">{names}</div>
    <div style="text-align: center; font-size: 14px;">@{handle}</div>
</div>
"#,
        label = checked.label,
        names = names.join(" & "),
        handle = checked.handle,
    )
}

fn avatar(address: &str) -> String {
    // The address is inside an attribute.
    let address = address.replace('&', "&amp;");
    format!(
        r#"        <div
            style="display:inherit; margin-left: 4px; margin-right: 4px; width: 92px; height:92px; border-radius: 50%; background-size: cover; background-image: url(&#39;{address}&#39;)">
        </div>
"#
    )
}

/// Who made bot and card.
fn origin(names: &[String], date: Option<&str>) -> String {
    let when = date.map(|date| format!(" on {date}")).unwrap_or_default();
    let names = names.join(" & ");
    format!(
        "I was made with [huggingtweets](https://github.com/borisdayma/huggingtweets).

huggingtweets-web wrote this card{when}. What the bot writes is generated text, not the words of {names}.
"
    )
}

fn training_data(facts: &CardFacts, checked: &CheckedFacts, names: &[String]) -> String {
    let mut text = format!(
        "## Training data\n\nThe model was trained on tweets from {}.\n",
        names.join(" & ")
    );
    if !facts.table.is_empty() {
        text += &format!("\n| Data | {} |\n", names.join(" | "));
        text += &format!("| --- | {} |\n", vec!["---"; names.len()].join(" | "));
        type Row = (&'static str, fn(&AccountData) -> u32);
        let rows: [Row; 4] = [
            ("Tweets downloaded", |account| account.downloaded),
            ("Retweets", |account| account.retweets),
            ("Short tweets", |account| account.short),
            ("Tweets kept", |account| account.kept),
        ];
        for (row, count) in rows {
            let counts = facts.table.iter().map(|account| count(account).to_string());
            text += &format!("| {row} | {} |\n", counts.collect::<Vec<_>>().join(" | "));
        }
    }
    if let Some(run) = &checked.data_run {
        text += &format!(
            "\n[Explore the data]({run}{ARTIFACTS}), which is tracked at every step of the pipeline.\n"
        );
    }
    text
}

fn training_procedure(facts: &CardFacts, checked: &CheckedFacts) -> String {
    let mut text = String::from("## Training procedure\n\n");
    if facts.untrained {
        return text + "No model was trained on these tweets yet.\n";
    }
    let base = match base_model(facts) {
        BUNDLED_NAME => "the small model of huggingtweets-web".to_owned(),
        name if is_model_of_hub(name) => {
            format!("a pre-trained [{name}](https://huggingface.co/{name})")
        }
        name => {
            let name = shown::beginning(&shown::name(name), MAX_VALUE_BYTES);
            format!("the model {}", escaped(&name))
        }
    };
    text += &format!(
        "The model is based on {base} which is fine-tuned on @{}'s tweets.\n",
        checked.handle
    );
    if let Some(run) = &checked.training_run {
        text += &format!(
            "
Hyperparameters and metrics are recorded in the [W&B training run]({run}) for full transparency and reproducibility.

At the end of training, [the final model]({run}{ARTIFACTS}) is logged and versioned.
"
        );
    }
    text
}

fn how_to_use(handle: &str, prompt: &str) -> String {
    // A string of JSON is one of Python.
    let prompt = quoted(prompt);
    format!(
        "## How to use

You can use this model directly with a pipeline for text generation:

```python
from transformers import pipeline
generator = pipeline('text-generation',
                     model='huggingtweets/{handle}')
generator({prompt}, num_return_sequences=5)
```
"
    )
}

const LIMITATIONS: &str = "## Limitations and bias

The model suffers from [the same limitations and bias as GPT-2](https://huggingface.co/gpt2#limitations-and-bias).

In addition, the data present in the user's tweets further affects the text generated by the model.
";

fn base_model(facts: &CardFacts) -> &str {
    facts.base_model.as_deref().unwrap_or(DEFAULT_BASE_MODEL)
}

/// Whether a text is a short word of letters, digits and `-._/`.
fn is_word(text: &str) -> bool {
    (1..=MAX_VALUE_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Whether a base model can be looked up on the Hub by this name: `OWNER/NAME`, or one of the first models, which have no
/// owner. Any other name is that of a file or of a bot.
fn is_model_of_hub(name: &str) -> bool {
    const WITHOUT_OWNER: [&str; 5] = ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2"];
    let has_owner = name.split('/').count() == 2 && name.split('/').all(is_word);
    WITHOUT_OWNER.contains(&name) || has_owner
}

/// A value of the front matter: a word.
fn value<'a>(
    what: &'static str,
    given: Option<&'a str>,
) -> Result<Option<&'a str>, CardWriteError> {
    match given {
        Some(text) if !is_word(text) => Err(CardWriteError::Value {
            what,
            got: shown::beginning(&shown::name(text), MAX_VALUE_BYTES),
        }),
        // YAML takes the word as a truth value, and Norwegian is one of them.
        Some("no") => Ok(Some("\"no\"")),
        given => Ok(given),
    }
}

/// A text in double quotes, as JSON, YAML and Python read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `name` with every character that Markdown or HTML could take for markup as a number. One form serves both, so that the
/// header and the table hold the same text.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' | '\'' | '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' | '!' | '$' | ':' => {
                text.push_str(&format!("&#{};", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text
}
