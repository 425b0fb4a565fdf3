//! The `tokenizer.json` that `transformers` makes of a vocabulary: of a GPT-2's with its merges, and of a BERT's.

use serde_json::{Map, Value, json};

use crate::file_kind::FileKind;
use crate::json::map_of;
use crate::tokenizer::json::check_file_size;
use crate::tokenizer::{TokenizerError, parts};

use super::class::bert;

/// The lines of a text file.
pub(super) fn lines<'b>(
    file: &'static str,
    bytes: &'b [u8],
) -> Result<Vec<&'b str>, TokenizerError> {
    check_file_size(file, bytes)?;
    // A text of tokens may begin as JSON does, or be empty.
    if let found @ (FileKind::Html
    | FileKind::LfsPointer
    | FileKind::Compressed(_)
    | FileKind::Utf16
    | FileKind::Zip
    | FileKind::Gguf
    | FileKind::Safetensors) = FileKind::of(bytes)
    {
        return Err(TokenizerError::OtherFile { file, found });
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| TokenizerError::NotUtf8 { file })?;
    Ok(text.lines().collect())
}

/// The `tokenizer.json` that `transformers` makes of a GPT-2's vocabulary and merges.
pub(super) fn byte_level_bpe(vocab: Map<String, Value>, merges: Vec<&str>) -> Map<String, Value> {
    // Only the first line is a comment: `#` is also a token and may open a merge.
    let is_comment = |line: &&str| line.starts_with("#version");
    let skip = usize::from(merges.first().is_some_and(is_comment));
    let merges = merges
        .into_iter()
        .skip(skip)
        .filter(|line| !line.is_empty());
    let mut file = parts::byte_level(false);
    file.insert("version".to_owned(), "1.0".into());
    let merges = merges.map(Value::from).collect::<Value>();
    // Moved in, not copied.
    let model = [
        ("type", Value::from("BPE")),
        ("vocab", vocab.into()),
        ("merges", merges),
    ];
    let model = model
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    file.insert("model".to_owned(), Value::Object(map_of(model)));
    file
}

/// The `tokenizer.json` that `transformers` makes of a BERT vocabulary, as the Chinese GPT-2s have it.
pub(super) fn word_piece(tokens: &[&str], config: &Map<String, Value>) -> Map<String, Value> {
    // If a token occurs twice, its last line counts.
    let tokens = tokens.iter().zip(0..);
    let vocab = map_of(tokens.map(|(token, id)| ((*token).to_owned(), Value::from(id))));
    let unknown = config.get("unk_token").and_then(Value::as_str);
    let mut parts = bert(config);
    let own = json!({
        "version": "1.0",
        "added_tokens": [],
        "model": {
            "type": "WordPiece",
            "unk_token": unknown.unwrap_or("[UNK]"),
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        },
    });
    for key in ["version", "added_tokens", "model"] {
        parts[key] = own[key].clone();
    }
    with_vocab(parts, vocab)
}

/// The vocabulary is moved in, not copied.
fn with_vocab(mut parts: Value, vocab: Map<String, Value>) -> Map<String, Value> {
    parts["model"]["vocab"] = vocab.into();
    match parts {
        Value::Object(file) => file,
        _ => Map::new(),
    }
}
