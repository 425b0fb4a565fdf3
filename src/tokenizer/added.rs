//! `AddedTokens`: the tokens that are recognised as a whole, wherever they stand in a text.

use ahash::AHashMap;
use daachorse::{DoubleArrayAhoCorasick, DoubleArrayAhoCorasickBuilder, MatchKind};

use super::{TokenizerError, Vocabulary};

/// Part of a text.
pub enum Piece<'t> {
    /// An added token.
    Token(u32),
    /// What lies between them, not empty.
    Text(&'t str),
}

/// The added tokens of a vocabulary.
pub struct AddedTokens {
    ids: AHashMap<String, u32>,
    /// None if there are none.
    search: Option<DoubleArrayAhoCorasick<u32>>,
}

impl AddedTokens {
    /// Of a checked vocabulary.
    ///
    /// # Errors
    /// [`TokenizerError::AddedTokens`] if there are more than can be searched for.
    pub fn new(vocabulary: &Vocabulary) -> Result<Self, TokenizerError> {
        let text = |id: u32| vocabulary.tokens[id as usize].clone();
        let ids: AHashMap<String, u32> = vocabulary
            .added
            .iter()
            .map(|&(id, _)| (text(id), id))
            .filter(|(token, _)| !token.is_empty())
            .collect();
        let search = if ids.is_empty() {
            None
        } else {
            let search = DoubleArrayAhoCorasickBuilder::new()
                .match_kind(MatchKind::LeftmostLongest)
                .build_with_values(ids.iter().map(|(token, id)| (token, *id)));
            Some(search.map_err(|error| TokenizerError::AddedTokens {
                reason: error.to_string(),
            })?)
        };
        Ok(Self { ids, search })
    }

    /// The id of an added token.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// The pieces of a text, in order; the first token that begins is taken, the longest of several.
    pub fn pieces<'t>(&self, text: &'t str) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        let mut done = 0;
        let found = self.search.iter().flat_map(|s| s.leftmost_find_iter(text));
        for found in found {
            if done < found.start() {
                pieces.push(Piece::Text(&text[done..found.start()]));
            }
            pieces.push(Piece::Token(found.value()));
            done = found.end();
        }
        if done < text.len() {
            pieces.push(Piece::Text(&text[done..]));
        }
        pieces
    }
}
