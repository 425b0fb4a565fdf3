//! `OptionalFiles`: what `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` say: special tokens by
//! their roles, added tokens and their ids, by the rules of `transformers` 5.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value};
use tokenizers::AddedToken;

use crate::json::map_of;
use crate::notice::Notice;
use crate::tokenizer::json::{AddedTokenJson, NamedToken, object};
use crate::tokenizer::{MAX_TOKENS, TokenizerError};

use super::added_list::AddedList;
use super::class::{Class, Roles};

pub(super) const ADDED_TOKENS: &str = "added_tokens.json";
pub(super) const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

const EXTRA_TOKENS: &str = "extra_special_tokens";
const ADDITIONAL_TOKENS: &str = "additional_special_tokens";
/// The roles that every tokenizer has, in the order in which `transformers` numbers tokens without an id.
const NAMED_ROLES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// What the optional files and the model's configuration state; an absent file is empty.
pub(super) struct OptionalFiles<'c> {
    /// The class that the model's configuration states.
    class: Option<&'c str>,
    /// `tokenizer_config.json`.
    pub(super) config: Map<String, Value>,
    /// `special_tokens_map.json`.
    special: Map<String, Value>,
    /// `added_tokens.json`.
    added: Map<String, Value>,
}

impl<'c> OptionalFiles<'c> {
    /// Reads the files that `file` has. Of a file that holds something else a notice tells, and it counts as absent.
    pub(super) fn read<'b>(
        class: Option<&'c str>,
        file: impl Fn(&str) -> Option<&'b [u8]>,
        notices: &mut Vec<Notice>,
    ) -> Self {
        let mut read = |name| object_in(name, file(name), notices);
        Self {
            class,
            config: read(TOKENIZER_CONFIG),
            special: read(SPECIAL_TOKENS_MAP),
            added: read(ADDED_TOKENS),
        }
    }

    /// The text of the special token with this role, if the files state it.
    pub(super) fn token_of(&self, role: &str) -> Option<String> {
        let value = self.stated_roles().get(role).copied()?;
        let text = value.as_str().or_else(|| value["content"].as_str());
        text.map(str::to_owned)
    }

    /// The tokenizer's class; GPT-2's, which a model of this kind has unless its files name another.
    pub(super) fn class(&self) -> Option<Class> {
        let class = self.config.get("tokenizer_class").and_then(Value::as_str);
        class.or(self.class).map_or(Some(Class::GPT2), Class::of)
    }

    /// `added_tokens_decoder` of the configuration. Where it is, `transformers` reads the two older files no longer.
    fn decoder(&self) -> Option<&Map<String, Value>> {
        let decoder = self.config.get("added_tokens_decoder");
        decoder.and_then(Value::as_object)
    }

    /// The tokens that the files state for roles, and lists of further special tokens.
    fn stated_roles(&self) -> BTreeMap<&str, &Value> {
        let special = self.decoder().is_none().then_some(&self.special);
        let entries = self.config.iter().chain(special.into_iter().flatten());
        let is_role = |key: &str| key.ends_with("_token") || key.ends_with("_special_tokens");
        map_of(
            entries
                .map(|(key, value)| (key.as_str(), value))
                .filter(|(key, _)| is_role(key)),
        )
    }

    /// All added tokens: those of the `tokenizer.json`, changed and completed by the other files as `transformers` 5
    /// does for GPT-2's class.
    pub(super) fn added_tokens(
        &self,
        in_file: Vec<NamedToken>,
        defaults: &Roles,
        notices: &mut Vec<Notice>,
    ) -> Vec<NamedToken> {
        let (named, further) = self.special_tokens(defaults);
        let mut list = AddedList::new(in_file);
        match self.decoder() {
            Some(decoder) => {
                let stated = stated_in_decoder(decoder, notices);
                stated.into_iter().for_each(|token| list.replace(token));
            }
            None => {
                let special = named.iter().chain(&further);
                let special: HashSet<&str> =
                    special.map(|special| &*special.token.content).collect();
                let is_special = |text: &str| special.contains(text);
                let stated = self.stated_with_ids(is_special, notices);
                stated.into_iter().for_each(|token| list.complete(token));
            }
        }
        let n_stated = list.tokens.len();
        for token in named {
            list.make_special(&token.token.content);
            list.add_after(n_stated, token);
        }
        further
            .into_iter()
            .for_each(|token| list.add_after(n_stated, token));
        list.tokens
    }

    /// The special tokens of the roles that every tokenizer has, stated or of the class, and the further special tokens.
    fn special_tokens(&self, defaults: &Roles) -> (Vec<NamedToken>, Vec<NamedToken>) {
        let roles = self.stated_roles();
        let mut named: Vec<NamedToken> = Vec::new();
        for role in NAMED_ROLES {
            let default = defaults.iter().find(|(of, _)| *of == role);
            match (roles.get(role), default) {
                (Some(value), _) => push_special(value, &mut named),
                (None, Some((_, token))) => named.push(only_named(token)),
                (None, None) => {}
            }
        }
        // The older name of the list counts only where the newer is absent or empty.
        let is_given = |list: &&Value| match list {
            Value::Array(tokens) => !tokens.is_empty(),
            Value::Object(tokens) => !tokens.is_empty(),
            _ => false,
        };
        let lists = roles.get(EXTRA_TOKENS).filter(|list| is_given(list));
        let lists = lists.or(roles.get(ADDITIONAL_TOKENS));
        let is_further = |role: &str| ![EXTRA_TOKENS, ADDITIONAL_TOKENS].contains(&role);
        let roles = roles.iter().filter(|(role, _)| !NAMED_ROLES.contains(role));
        let roles = roles.filter(|(role, _)| is_further(role));
        let mut further = Vec::new();
        for value in roles.map(|(_, value)| value).chain(lists) {
            push_special(value, &mut further);
        }
        (named, further)
    }

    /// The tokens of `added_tokens.json`, by their ids.
    fn stated_with_ids(
        &self,
        is_special: impl Fn(&str) -> bool,
        notices: &mut Vec<Notice>,
    ) -> Vec<NamedToken> {
        let mut stated = Vec::new();
        for (token, id) in &self.added {
            let number = id.as_u64().and_then(|id| u32::try_from(id).ok());
            let Some(id) = number.filter(|id| is_id(*id)) else {
                notices.push(Notice::passed_over(ADDED_TOKENS, token, id));
                continue;
            };
            stated.push(NamedToken {
                token: AddedToken::from(&**token, is_special(token)),
                id: Some(id),
            });
        }
        in_order_of_ids(stated)
    }
}

/// The tokens of an `added_tokens_decoder`, by their ids.
fn stated_in_decoder(decoder: &Map<String, Value>, notices: &mut Vec<Notice>) -> Vec<NamedToken> {
    let mut stated = Vec::new();
    for (id, token) in decoder {
        match (id.parse(), AddedTokenJson::deserialize(token)) {
            (Ok(id), Ok(token)) if is_id(id) => stated.push(NamedToken {
                id: Some(id),
                ..token.into()
            }),
            _ => notices.push(Notice::passed_over(TOKENIZER_CONFIG, id, token)),
        }
    }
    in_order_of_ids(stated)
}

fn in_order_of_ids(mut tokens: Vec<NamedToken>) -> Vec<NamedToken> {
    tokens.sort_by_key(|token| token.id);
    tokens
}

/// The object in an optional file; empty if it is absent or, with a notice, if it holds something else.
pub(super) fn object_in(
    name: &'static str,
    bytes: Option<&[u8]>,
    notices: &mut Vec<Notice>,
) -> Map<String, Value> {
    let Some(bytes) = bytes else {
        return Map::new();
    };
    object(name, bytes).unwrap_or_else(|error| {
        let why = match error {
            TokenizerError::OtherFile { found, .. } => format!("it is {found}"),
            TokenizerError::Json { source, .. } => format!("it is damaged ({source})"),
            TokenizerError::Malformed { reason, .. } => reason,
            error => error.to_string(),
        };
        notices.push(Notice::file_passed_over(name, why));
        Map::new()
    })
}

/// Whether a vocabulary may have this id.
fn is_id(id: u32) -> bool {
    (id as usize) < MAX_TOKENS
}

/// A special token without flags.
fn only_named(token: &str) -> NamedToken {
    NamedToken {
        token: AddedToken::from(token, true),
        id: None,
    }
}

/// The special tokens that a value names: a text, an object with flags, or a list or object of these.
fn push_special(value: &Value, special: &mut Vec<NamedToken>) {
    match value {
        Value::String(token) => special.push(only_named(token)),
        Value::Array(values) => values.iter().for_each(|value| push_special(value, special)),
        Value::Object(object) => match AddedTokenJson::deserialize(value) {
            Ok(mut token) => {
                token.special = true;
                token.id = None;
                special.push(token.into());
            }
            Err(_) => object
                .values()
                .for_each(|value| push_special(value, special)),
        },
        _ => {}
    }
}
