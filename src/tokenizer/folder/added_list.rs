//! `AddedList`: added tokens from several files, each text once.

use std::collections::HashMap;

use crate::tokenizer::json::NamedToken;

/// Added tokens, each text once.
pub(super) struct AddedList {
    pub(super) tokens: Vec<NamedToken>,
    /// Places in `tokens`, by text.
    places: HashMap<String, usize>,
}

impl AddedList {
    pub(super) fn new(tokens: Vec<NamedToken>) -> Self {
        let places = tokens.iter().enumerate();
        let places = places.map(|(place, named)| (named.token.content.clone(), place));
        Self {
            places: places.collect(),
            tokens,
        }
    }

    /// Adds a token that is not there yet.
    pub(super) fn complete(&mut self, token: NamedToken) {
        let content = &token.token.content;
        if !self.places.contains_key(content) {
            self.places.insert(content.clone(), self.tokens.len());
            self.tokens.push(token);
        }
    }

    /// Adds a token, or its flags to the token that is there if that one is none of the first `n_stated`: of two tokens
    /// with one text that `transformers` adds at once, the flags of the later count.
    pub(super) fn add_after(&mut self, n_stated: usize, token: NamedToken) {
        match self.places.get(&token.token.content) {
            Some(place) if *place < n_stated => {}
            _ => self.replace(token),
        }
    }

    /// Adds a token, or its flags to the token that is there.
    pub(super) fn replace(&mut self, token: NamedToken) {
        match self.places.get(&token.token.content) {
            Some(place) => self.tokens[*place].token = token.token,
            None => self.complete(token),
        }
    }

    /// Makes the token with this text special, if it is there.
    pub(super) fn make_special(&mut self, content: &str) {
        if let Some(place) = self.places.get(content) {
            self.tokens[*place].token.special = true;
        }
    }
}
