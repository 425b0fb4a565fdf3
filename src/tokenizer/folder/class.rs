//! `Class`: what a tokenizer's class of `transformers` 5 has by itself, whatever the files say: its special tokens, whether
//! a space is put in front of a text, a BERT's normalizer.

use serde_json::{Map, Value, json};

use crate::tokenizer::{END_OF_TEXT, parts};

/// Special tokens of a tokenizer's class, each used unless the files state its role.
pub(super) type Roles = [(&'static str, &'static str)];

const GPT2_ROLES: &Roles = &[
    ("bos_token", END_OF_TEXT),
    ("eos_token", END_OF_TEXT),
    ("unk_token", END_OF_TEXT),
];
const NEOX_ROLES: &Roles = &[
    ("bos_token", END_OF_TEXT),
    ("eos_token", END_OF_TEXT),
    ("unk_token", END_OF_TEXT),
    ("pad_token", "<|padding|>"),
];
const ROBERTA_ROLES: &Roles = &[
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("unk_token", "<unk>"),
    ("sep_token", "</s>"),
    ("pad_token", "<pad>"),
    ("cls_token", "<s>"),
    ("mask_token", "<mask>"),
];
const DEBERTA_ROLES: &Roles = &[
    ("bos_token", "[CLS]"),
    ("eos_token", "[SEP]"),
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];
const BERT_ROLES: &Roles = &[
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

/// A class whose tokenizer `transformers` 5 makes anew of the vocabulary and the configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Class {
    pub(super) roles: &'static Roles,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// A byte-level BPE.
    ByteLevel {
        /// Where the configuration does not say.
        adds_prefix_space: bool,
        /// Whether characters are composed first.
        composes: bool,
    },
    /// A BERT's word pieces.
    WordPiece,
}

impl Class {
    /// GPT-2's, which a model of this kind has unless its files name another.
    pub(super) const GPT2: Self = Self::byte_level(GPT2_ROLES);
    /// BERT's, as the Chinese GPT-2s have it.
    pub(super) const BERT: Self = Self {
        roles: BERT_ROLES,
        kind: Kind::WordPiece,
    };

    const fn byte_level(roles: &'static Roles) -> Self {
        Self {
            roles,
            kind: Kind::ByteLevel {
                adds_prefix_space: false,
                composes: false,
            },
        }
    }

    /// The class with this name; `None` for one that takes a `tokenizer.json` as it is, or that no GPT-2 has.
    pub(super) fn of(name: &str) -> Option<Self> {
        // Both names are one class.
        Some(match name.strip_suffix("Fast").unwrap_or(name) {
            "GPT2Tokenizer" | "CodeGenTokenizer" | "WhisperTokenizer" => Self::GPT2,
            "RobertaTokenizer"
            | "BartTokenizer"
            | "LongformerTokenizer"
            | "LEDTokenizer"
            | "MvpTokenizer" => Self::byte_level(ROBERTA_ROLES),
            "DebertaTokenizer" => Self::byte_level(DEBERTA_ROLES),
            "BlenderbotTokenizer" => Self {
                roles: ROBERTA_ROLES,
                kind: Kind::ByteLevel {
                    adds_prefix_space: true,
                    composes: false,
                },
            },
            "GPTNeoXTokenizer" => Self {
                roles: NEOX_ROLES,
                kind: Kind::ByteLevel {
                    adds_prefix_space: false,
                    composes: true,
                },
            },
            "BertTokenizer"
            | "DistilBertTokenizer"
            | "ElectraTokenizer"
            | "LxmertTokenizer"
            | "MobileBertTokenizer" => Self::BERT,
            _ => return None,
        })
    }

    /// Whether the class has a model of this type, as a `tokenizer.json` names it; old files name none.
    pub(super) fn has_model(self, kind: Option<&str>) -> bool {
        match self.kind {
            Kind::ByteLevel { .. } => matches!(kind, Some("BPE") | None),
            Kind::WordPiece => kind == Some("WordPiece"),
        }
    }

    /// Whether a space is put in front of a text.
    pub(super) fn adds_prefix_space(self, config: &Map<String, Value>) -> bool {
        let stated = config.get("add_prefix_space").and_then(Value::as_bool);
        match self.kind {
            Kind::ByteLevel {
                adds_prefix_space, ..
            } => stated.unwrap_or(adds_prefix_space),
            Kind::WordPiece => false,
        }
    }

    /// Gives a `tokenizer.json` what the class has, whatever the file says. Other parts stay as the file has them, for
    /// which the model was made.
    pub(super) fn apply_to(self, file: &mut Map<String, Value>, config: &Map<String, Value>) {
        match self.kind {
            Kind::ByteLevel { composes, .. } => {
                let adds_prefix_space = self.adds_prefix_space(config);
                apply_byte_level(file, adds_prefix_space, composes);
            }
            Kind::WordPiece => apply_bert(file, config),
        }
    }
}

fn apply_byte_level(file: &mut Map<String, Value>, add_prefix_space: bool, composes: bool) {
    let Some(Value::Object(part)) = file.get_mut("pre_tokenizer") else {
        return;
    };
    if part.get("type").and_then(Value::as_str) != Some("ByteLevel") {
        return;
    }
    part.insert("add_prefix_space".to_owned(), add_prefix_space.into());
    if is_absent(file, "decoder") {
        let decoder = parts::byte_level(true).remove("decoder");
        file.insert("decoder".to_owned(), decoder.unwrap_or_default());
    }
    if composes && is_absent(file, "normalizer") {
        file.insert("normalizer".to_owned(), json!({ "type": "NFC" }));
    }
}

fn apply_bert(file: &mut Map<String, Value>, config: &Map<String, Value>) {
    let is_berts = |file: &Map<String, Value>, key: &str, kind: &str| {
        is_absent(file, key) || file.get(key).is_some_and(|part| part["type"] == kind)
    };
    let own = bert(config);
    for (key, kind) in [
        ("normalizer", "BertNormalizer"),
        ("pre_tokenizer", "BertPreTokenizer"),
        ("decoder", "WordPiece"),
    ] {
        if is_berts(file, key, kind) {
            file.insert(key.to_owned(), own[key].clone());
        }
    }
}

fn is_absent(file: &Map<String, Value>, key: &str) -> bool {
    file.get(key).is_none_or(Value::is_null)
}

/// The parts beside the model of a BERT's tokenizer.
pub(super) fn bert(config: &Map<String, Value>) -> Value {
    let flag = |key: &str, or: bool| config.get(key).and_then(Value::as_bool).unwrap_or(or);
    json!({
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": flag("tokenize_chinese_chars", true),
            "strip_accents": config.get("strip_accents").and_then(Value::as_bool),
            "lowercase": flag("do_lower_case", true),
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": null,
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
    })
}
