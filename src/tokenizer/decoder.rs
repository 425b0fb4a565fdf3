//! `AddedTokenDecoder`: the decoder of a `tokenizer.json`, with added tokens shown as they are written.

use std::collections::BTreeMap;

use tokenizers::{Decoder, DecoderWrapper};

use crate::json::map_of;

use super::byte_alphabet::in_byte_alphabet;

/// A byte-level decoder reads `Ö` as the byte 0xD6, in an added token too: `ilÖveyou` would come out as bytes that are
/// not text, as it does in `transformers`. llama.cpp shows an added token as it stands, which is what people added. It is
/// plain text, so here it is written in the byte alphabet before it is decoded.
pub(super) struct AddedTokenDecoder {
    inner: DecoderWrapper,
    /// The texts of added tokens that the decoder would misread, each with its text in the byte alphabet.
    encoded: BTreeMap<String, String>,
}

impl AddedTokenDecoder {
    /// The decoder as the file describes it.
    pub(super) fn inner(&self) -> &DecoderWrapper {
        &self.inner
    }

    /// This decoder with added tokens of these texts, if it is byte-level; other decoders leave a token as it is.
    #[must_use]
    pub(super) fn with_added_tokens<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Self {
        let is_byte_level = matches!(self.inner, DecoderWrapper::ByteLevel(_));
        let texts = texts.filter(|text| is_byte_level && !text.is_ascii());
        Self {
            inner: self.inner.clone(),
            encoded: map_of(texts.map(|text| (text.to_owned(), in_byte_alphabet(text)))),
        }
    }
}

impl From<DecoderWrapper> for AddedTokenDecoder {
    fn from(inner: DecoderWrapper) -> Self {
        Self {
            inner,
            encoded: BTreeMap::new(),
        }
    }
}

impl Decoder for AddedTokenDecoder {
    fn decode_chain(&self, mut tokens: Vec<String>) -> tokenizers::Result<Vec<String>> {
        if tokens.is_empty() {
            // `BPEDecoder` subtracts 1 from the number of tokens.
            return Ok(tokens);
        }
        if !self.encoded.is_empty() {
            for token in &mut tokens {
                if let Some(encoded) = self.encoded.get(token) {
                    token.clone_from(encoded);
                }
            }
        }
        self.inner.decode_chain(tokens)
    }
}
