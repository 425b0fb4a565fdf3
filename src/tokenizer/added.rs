//! `AddedTokens`: the tokens that are recognised as a whole, wherever they stand in a text.

use std::collections::BTreeSet;

use daachorse::{DoubleArrayAhoCorasick, DoubleArrayAhoCorasickBuilder, MatchKind};

use super::{TokenizerError, Vocabulary};

/// Part of a text.
pub enum Piece<'t> {
    /// An added token.
    Token(u32),
    /// What lies between them, not empty.
    Text(&'t str),
}

/// The added tokens of a vocabulary; `None` if it has none.
pub struct AddedTokens(Option<DoubleArrayAhoCorasick<u32>>);

impl AddedTokens {
    /// Of a checked vocabulary.
    ///
    /// # Errors
    /// [`TokenizerError::AddedTokens`] if there are more than can be searched for.
    pub fn new(vocabulary: &Vocabulary) -> Result<Self, TokenizerError> {
        let text = |id: u32| &*vocabulary.tokens[id as usize];
        // A file may list one twice.
        let ids: BTreeSet<u32> = vocabulary.added.iter().map(|(id, _)| *id).collect();
        let tokens: Vec<(&str, u32)> = ids
            .into_iter()
            .map(|id| (text(id), id))
            .filter(|(token, _)| !token.is_empty())
            .collect();
        if tokens.is_empty() {
            return Ok(Self(None));
        }
        let search = DoubleArrayAhoCorasickBuilder::new()
            .match_kind(MatchKind::LeftmostLongest)
            .build_with_values(tokens)
            .map_err(|error| TokenizerError::AddedTokens {
                reason: error.to_string(),
            })?;
        Ok(Self(Some(search)))
    }

    /// The pieces of a text, in order; the first token that begins is taken, the longest of several.
    pub fn pieces<'t>(&self, text: &'t str) -> Vec<Piece<'t>> {
        let mut pieces = Vec::new();
        let mut done = 0;
        let search = self.0.iter();
        for found in search.flat_map(|search| search.leftmost_find_iter(text)) {
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
