//! `Tokenizer`: text to token ids and back.
