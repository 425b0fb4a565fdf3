//! The table of parameters: a `Row` for each, with its name, range and meaning, and what follows from it.

use super::Parameter;
use super::range::Range;

/// What the table says of one parameter.
struct Row {
    name: &'static str,
    label: &'static str,
    range: Range,
    meaning: &'static str,
}

impl Parameter {
    /// The table.
    fn row(self) -> Row {
        match self {
            Parameter::NumReturnSequences => Row {
                name: "num_return_sequences",
                label: "Tweets at once",
                range: Range::whole(1, Some(10)),
                meaning: "How many different texts are written at once.",
            },
            Parameter::Temperature => Row {
                name: "temperature",
                label: "Temperature",
                range: Range::ABOVE_ZERO,
                meaning: "Low is cautious and repetitive, high is wild; 1 is the model as trained.",
            },
            Parameter::TopP => Row {
                name: "top_p",
                label: "Top p",
                range: Range::SHARE,
                meaning: "Only the likeliest tokens that together reach this share may be drawn; 1 allows all.",
            },
            Parameter::TopK => Row {
                name: "top_k",
                label: "Top k",
                range: Range::whole(0, None),
                meaning: "Only this many of the likeliest tokens may be drawn; 0 allows all.",
            },
            Parameter::RepetitionPenalty => Row {
                name: "repetition_penalty",
                label: "Repetition penalty",
                range: Range::ABOVE_ZERO,
                meaning: "Above 1, words that are already there become less likely; 1 changes nothing.",
            },
            Parameter::MaxLength => Row {
                name: "max_length",
                label: "Longest text",
                range: Range::whole(1, None),
                meaning: "Most tokens of prefix, prompt and new text together; a token is about four letters.",
            },
            Parameter::MaxNewTokens => Row {
                name: "max_new_tokens",
                label: "Most new tokens",
                range: Range::whole(1, None),
                meaning: "Most tokens of the new text alone. When set, it counts instead of max_length.",
            },
            Parameter::MinLength => Row {
                name: "min_length",
                label: "Shortest text",
                range: Range::whole(0, None),
                meaning: "A text cannot end before prefix, prompt and new text together have this many tokens.",
            },
            Parameter::Seed => Row {
                name: "seed",
                label: "Seed",
                range: Range::whole(0, Some(u32::MAX)),
                meaning: "The same seed, prompt and settings give the same text again. Without a seed, every run draws a new one.",
            },
            Parameter::DoSample => Row {
                name: "do_sample",
                label: "Draw at random",
                range: Range::Switch,
                meaning: "Draw each token at random. When off, the likeliest token is always taken, so every text is the same.",
            },
            Parameter::StopAtNewline => Row {
                name: "stop_at_newline",
                label: "Stop at a line break",
                range: Range::Switch,
                meaning: "End a text where the model begins a new line.",
            },
            Parameter::ReturnFullText => Row {
                name: "return_full_text",
                label: "Repeat the prompt",
                range: Range::Switch,
                meaning: "Put the prompt in front of each generated_text, as the Python pipeline does.",
            },
            Parameter::Prefix => Row {
                name: "prefix",
                label: "Prefix",
                range: Range::Text,
                meaning: "Put in front of the prompt, unseen. The bots learned that a tweet begins after it.",
            },
            Parameter::MinNewTokens => Row {
                name: "min_new_tokens",
                label: "Fewest new tokens",
                range: Range::whole(0, None),
                meaning: "A text cannot end before this many new tokens. When set, it counts instead of min_length.",
            },
            Parameter::NoRepeatNgramSize => Row {
                name: "no_repeat_ngram_size",
                label: "No repeats of",
                range: Range::whole(0, None),
                meaning: "No run of this many tokens comes twice in prompt and text; 0 allows all.",
            },
            Parameter::NumBeams => Row {
                name: "num_beams",
                label: "Beams",
                range: Range::whole(1, Some(32)),
                meaning: "Search this many texts at once for the likeliest; 1 searches none. The text comes when the search is done.",
            },
            Parameter::LengthPenalty => Row {
                name: "length_penalty",
                label: "Length penalty",
                range: Range::ANY_NUMBER,
                meaning: "With beams: above 0 favours long texts, below 0 short ones.",
            },
            Parameter::EarlyStopping => Row {
                name: "early_stopping",
                label: "Early stopping",
                range: Range::EarlyStopping,
                meaning: "With beams: end the search as soon as there are enough texts (true), when better ones are unlikely (false) or impossible (\"never\").",
            },
            Parameter::RenormalizeLogits => Row {
                name: "renormalize_logits",
                label: "Renormalize",
                range: Range::Switch,
                meaning: "With beams: normalize the scores again after all other settings.",
            },
            Parameter::MinP => Row {
                name: "min_p",
                label: "Min p",
                range: Range::SHARE,
                meaning: "Only tokens with at least this share of the likeliest token’s probability may be drawn; 0 allows all.",
            },
            Parameter::TypicalP => Row {
                name: "typical_p",
                label: "Typical p",
                range: Range::SHARE_ABOVE_ZERO,
                meaning: "Only the tokens that surprise about as much as expected, which together reach this share, may be drawn; 1 allows all.",
            },
            Parameter::TopH => Row {
                name: "top_h",
                label: "Top h",
                range: Range::SHARE_ABOVE_ZERO,
                meaning: "Only the likeliest tokens that together reach this share of the entropy may be drawn.",
            },
            Parameter::EpsilonCutoff => Row {
                name: "epsilon_cutoff",
                label: "Epsilon cutoff",
                range: Range::SHARE,
                meaning: "Only tokens of at least this probability may be drawn; 0 allows all.",
            },
            Parameter::EtaCutoff => Row {
                name: "eta_cutoff",
                label: "Eta cutoff",
                range: Range::SHARE,
                meaning: "As epsilon_cutoff, but lower where many tokens are likely; 0 allows all.",
            },
            Parameter::BadWordsIds => Row {
                name: "bad_words_ids",
                label: "Bad words",
                range: Range::IdLists,
                meaning: "Token ids of words that never come.",
            },
            Parameter::SequenceBias => Row {
                name: "sequence_bias",
                label: "Sequence bias",
                range: Range::Biases,
                meaning: "Token ids of words that become likelier, or with a negative number less likely.",
            },
            Parameter::SuppressTokens => Row {
                name: "suppress_tokens",
                label: "Suppressed tokens",
                range: Range::Ids,
                meaning: "Ids of tokens that never come.",
            },
            Parameter::BeginSuppressTokens => Row {
                name: "begin_suppress_tokens",
                label: "Suppressed first tokens",
                range: Range::Ids,
                meaning: "Ids of tokens that no text begins with.",
            },
            Parameter::ForcedBosTokenId => Row {
                name: "forced_bos_token_id",
                label: "Forced first token",
                range: Range::whole(0, Some(u32::MAX)),
                meaning: "Id of the token that follows a prompt of one token.",
            },
            Parameter::ForcedEosTokenId => Row {
                name: "forced_eos_token_id",
                label: "Forced last token",
                range: Range::Ids,
                meaning: "Id of the token that ends a text of the greatest length.",
            },
            Parameter::ExponentialDecayLengthPenalty => Row {
                name: "exponential_decay_length_penalty",
                label: "Decay by length",
                range: Range::Decay,
                meaning: "After this many new tokens the end of the text becomes likelier by the power of this factor.",
            },
            Parameter::EosTokenId => Row {
                name: "eos_token_id",
                label: "End tokens",
                range: Range::Ids,
                meaning: "Ids of the tokens that end a text, in place of the model’s own.",
            },
            Parameter::StopStrings => Row {
                name: "stop_strings",
                label: "Stop strings",
                range: Range::Texts,
                meaning: "Texts after which a text ends.",
            },
        }
    }

    /// The parameter's name in `transformers`, in JSON and in JavaScript.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The parameter's name on the page.
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// What the parameter does, in plain words.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// The values that the parameter takes. `max_length` and `max_new_tokens` are also limited by the model's context.
    pub fn range(self) -> Range {
        self.row().range
    }

    /// The parameter's name in the page's address, which can set what the settings panel shows.
    pub fn address_name(self) -> Option<&'static str> {
        match self {
            Parameter::NumReturnSequences => Some("n"),
            _ if Parameter::ON_PANEL.contains(&self) => Some(self.name()),
            _ => None,
        }
    }

    /// Meaning and range in one text, for a list of options.
    pub fn help(self) -> String {
        let meaning = self.meaning();
        match self.range() {
            Range::Switch | Range::Text => meaning.to_owned(),
            range => {
                let range = range.to_string();
                let (first, rest) = range.split_at(1);
                format!("{meaning} {}{rest}.", first.to_uppercase())
            }
        }
    }

    /// The parameter with this name in the page's address.
    pub fn from_address_name(name: &str) -> Option<Parameter> {
        let all = Parameter::ALL.into_iter();
        all.into_iter()
            .find(|parameter| parameter.address_name() == Some(name))
    }
}
