//! What the tokenizer claims: GPT-2's ids, the same from every file form, whole characters in a stream, errors for the rest.

use crate::support::shared;
use huggingtweets::tokenizer::vocabulary::{byte_of_char, char_of_byte};
use huggingtweets::tokenizer::{
    DecodeStream, END_OF_TEXT, Tokenizer, TokenizerError, Vocabulary, Words,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{
    AddedToken, Model, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    TokenizerImpl,
};

/// The bytes of a file that is not part of the repository.
fn shared(file: &str) -> Option<Vec<u8>> {
    shared::shared(file).map(|path| std::fs::read(path).unwrap())
}

/// 256 bytes, a few merges, and the end of text as the last id.
fn small_parts() -> (Vec<String>, Vec<(String, String)>) {
    let mut tokens: Vec<String> = (0..=255).map(|b| char_of_byte(b).to_string()).collect();
    let merges = [
        ("h", "e"),
        ("l", "l"),
        ("he", "ll"),
        ("hell", "o"),
        ("Ġ", "w"),
    ];
    for (left, right) in merges {
        tokens.push(format!("{left}{right}"));
    }
    tokens.push(END_OF_TEXT.to_owned());
    let merges = merges
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    (tokens, merges)
}

fn small_json() -> serde_json::Value {
    let (tokens, merges) = small_parts();
    let vocab: serde_json::Map<String, serde_json::Value> = tokens
        .iter()
        .enumerate()
        .map(|(id, token)| (token.clone(), id.into()))
        .collect();
    serde_json::json!({
        "version": "1.0",
        "added_tokens": [{ "id": 261, "content": END_OF_TEXT, "special": true }],
        "normalizer": null,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true },
        "model": { "type": "BPE", "vocab": vocab, "merges": merges },
    })
}

fn small() -> Tokenizer {
    let json = small_json().to_string();
    Tokenizer::new(Vocabulary::from_tokenizer_json(json.as_bytes()).unwrap()).unwrap()
}

const TEXTS: [&str; 9] = [
    "hello world",
    "",
    " ",
    "na\u{ef}ve caf\u{e9} \u{571f}\u{5c4b}\u{5c1a}\u{53f2}",
    "\u{1F338}",
    "family \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{200D}\u{1F466}!",
    "flags \u{1F1EF}\u{1F1F5}\u{1F1E9}\u{1F1EA} and half \u{1F1EB}",
    "thumb \u{1F44D}\u{1F3FD} heart \u{2764}\u{FE0F} e\u{301}\u{200D}",
    "line\nline\r\n\ttab \u{0} \u{FFFD}",
];

#[test]
fn byte_alphabet_is_a_bijection() {
    for byte in 0..=255 {
        assert_eq!(byte_of_char(char_of_byte(byte)), Some(byte));
    }
    assert_eq!((char_of_byte(b' '), char_of_byte(b'\n')), ('Ġ', 'Ċ'));
    assert_eq!(byte_of_char('\u{144}'), None);
    assert_eq!(byte_of_char(' '), None);
}

#[test]
fn every_text_survives_encode_and_decode() {
    let tokenizer = small();
    for text in TEXTS {
        let ids = tokenizer.encode(text).unwrap();
        assert_eq!(tokenizer.decode(&ids).unwrap(), text);
    }
}

#[test]
fn merges_apply_in_order_of_rank() {
    let tokenizer = small();
    let ids = tokenizer.encode("hello world").unwrap();
    let texts: Vec<String> = ids.iter().map(|id| tokenizer.token_text(*id)).collect();
    assert_eq!(texts, ["hello", " w", "o", "r", "l", "d"]);
}

/// A thousand words of four letters' merges, by both.
#[test]
fn merges_are_those_of_the_tokenizers_crate() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..20 {
        let mut tokens: Vec<String> = (0..=255).map(|b| char_of_byte(b).to_string()).collect();
        let mut parts: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let mut merges = Vec::new();
        while merges.len() < 60 {
            let mut part = || parts[random.next_u32() as usize % parts.len()].clone();
            let (left, right) = (part(), part());
            let both = format!("{left}{right}");
            if both.len() <= 12 {
                // Two pairs may make one token.
                if !parts.contains(&both) {
                    parts.push(both.clone());
                    tokens.push(both);
                }
                merges.push((left, right));
            }
        }
        let vocab: Vocab = tokens.iter().cloned().zip(0..).collect();
        let theirs = BPE::builder().vocab_and_merges(vocab, merges.clone());
        let theirs = theirs.build().unwrap();
        let ours = Tokenizer::new(Vocabulary::new(tokens, &merges, vec![]).unwrap()).unwrap();
        for _ in 0..50 {
            let letters = 0..random.next_u32() % 40;
            let letter = |_| ['a', 'b', 'c', 'd'][random.next_u32() as usize % 4];
            let word: String = letters.map(letter).collect();
            let ids: Vec<u32> = theirs
                .tokenize(&word)
                .unwrap()
                .iter()
                .map(|t| t.id)
                .collect();
            assert_eq!(ours.encode(&word).unwrap(), ids, "{word} by {merges:?}");
        }
    }
}

/// By the pattern itself, in a regex engine.
fn words_of_the_crate(text: &str) -> Vec<String> {
    let mut cut = PreTokenizedString::from(text);
    let byte_level = ByteLevel::new(false, true, true);
    byte_level.pre_tokenize(&mut cut).unwrap();
    let splits = cut.get_splits(OffsetReferential::Original, OffsetType::Byte);
    let words = splits
        .iter()
        .map(|(_, (start, end), _)| &text[*start..*end]);
    words.map(str::to_owned).collect()
}

#[test]
fn every_character_is_to_a_word_what_the_pattern_says() {
    // Letter, number and space beside it tell the kinds apart.
    let of = |c: char| format!("a{c}1{c} {c}!{c}\n");
    let chars: Vec<char> = (0..=u32::from(char::MAX))
        .filter_map(char::from_u32)
        .collect();
    assert_eq!(chars.len(), 1_112_064);
    let same = |text: &str| Words::of(text).eq(words_of_the_crate(text));
    let others: Vec<char> = chars
        .chunks(1024)
        .filter(|chars| !same(&chars.iter().copied().map(of).collect::<String>()))
        .flatten()
        .copied()
        .filter(|c| !same(&of(*c)))
        .collect();
    // Letters and numbers of Unicode 17 and 18, which the engine's tables of Unicode 16 do not have yet.
    for c in &others {
        assert!(
            Words::of(&format!("a{c}")).count() == 1 || Words::of(&format!("1{c}")).count() == 1
        );
        assert_eq!(words_of_the_crate(&format!("!{c}")).len(), 1, "{c:?}");
    }
    assert!(others.len() < 20_000, "{} characters", others.len());
}

#[test]
fn random_texts_have_the_words_that_the_pattern_finds() {
    const PARTS: [&str; 24] = [
        " ",
        " ",
        "  ",
        "\n",
        "\t",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        "a",
        "Z",
        "\u{e9}",
        "e\u{301}",
        "\u{571f}",
        "1",
        "\u{bd}",
        "\u{2167}",
        "'",
        "'s",
        "'ll",
        "'RE",
        "\u{2019}t",
        "!",
        "\u{1F338}",
        "_",
    ];
    let mut random = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..20_000 {
        let n = random.next_u32() % 16;
        let text: String = (0..n)
            .map(|_| PARTS[random.next_u32() as usize % PARTS.len()])
            .collect();
        let words: Vec<&str> = Words::of(&text).collect();
        assert_eq!(words, words_of_the_crate(&text), "{text:?}");
    }
}

#[test]
fn added_tokens_are_found_as_the_tokenizers_crate_finds_them() {
    const ADDED: [&str; 5] = ["<a>", "<a><b>", "a<", "\u{e9}<a>", " <b>"];
    let (mut tokens, merges) = small_parts();
    let first = u32::try_from(tokens.len()).unwrap();
    tokens.extend(ADDED.map(str::to_owned));
    let vocab: Vocab = tokens.iter().cloned().zip(0..).collect();
    let theirs = BPE::builder().vocab_and_merges(vocab, merges.clone());
    type Crate = TokenizerImpl<BPE, NFC, ByteLevel, ByteLevel, ByteLevel>;
    let mut theirs = Crate::new(theirs.build().unwrap());
    theirs.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
    let plain = |token: &str| AddedToken::from(token, true).normalized(false);
    theirs.add_tokens(ADDED.map(plain)).unwrap();
    // One of them twice, as a damaged file may have it.
    let added = (first..).take(ADDED.len()).chain([first]);
    let added = added.map(|id| (id, true)).collect();
    let ours = Tokenizer::new(Vocabulary::new(tokens, &merges, added).unwrap()).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(13);
    for _ in 0..5_000 {
        let n = random.next_u32() % 20;
        let text: String = (0..n)
            .map(|_| ["a", "<", ">", "b", "\u{e9}", " ", "<a>"][random.next_u32() as usize % 7])
            .collect();
        let ids = theirs.encode_fast(&*text, false).unwrap();
        assert_eq!(ours.encode(&text).unwrap(), ids.get_ids(), "{text:?}");
    }
}

#[test]
fn all_file_forms_give_the_same_tokenizer() {
    let (tokens, merges) = small_parts();
    let from_json = Vocabulary::from_tokenizer_json(small_json().to_string().as_bytes()).unwrap();
    let lines: Vec<String> = merges.iter().map(|(a, b)| format!("{a} {b}")).collect();
    let mut old_json = small_json();
    old_json["model"]["merges"] = lines.clone().into();
    let vocab = small_json()["model"]["vocab"].to_string();
    let merges_txt = format!("#version: 0.2\n{}\n", lines.join("\n"));
    for other in [
        Vocabulary::from_tokenizer_json(old_json.to_string().as_bytes()).unwrap(),
        Vocabulary::from_vocab_and_merges(vocab.as_bytes(), merges_txt.as_bytes()).unwrap(),
        Vocabulary::from_gguf(tokens, &lines).unwrap(),
    ] {
        assert_eq!(other, from_json);
    }
}

#[test]
fn a_merge_that_opens_with_a_hash_is_no_comment() {
    let (mut tokens, _) = small_parts();
    tokens.push("##".to_owned());
    let vocab: serde_json::Map<String, serde_json::Value> = tokens
        .iter()
        .enumerate()
        .map(|(id, token)| (token.clone(), id.into()))
        .collect();
    let vocab = serde_json::Value::from(vocab).to_string();
    let v = Vocabulary::from_vocab_and_merges(vocab.as_bytes(), b"#version: 0.2\n# #\n").unwrap();
    assert_eq!(v.merges().collect::<Vec<_>>(), [("#", "#")]);
}

#[test]
fn end_of_text_is_one_special_token_wherever_it_stands() {
    let tokenizer = small();
    let ids = tokenizer.encode("a<|endoftext|>b").unwrap();
    let eos = 261;
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[1], eos);
    assert!(tokenizer.is_special(eos));
    assert_eq!(tokenizer.decode(&ids).unwrap(), "ab");
    assert_eq!(tokenizer.token_text(eos), END_OF_TEXT);
}

#[test]
fn streamed_text_equals_decoded_text() {
    let tokenizer = small();
    for text in TEXTS {
        let ids = tokenizer.encode(text).unwrap();
        let mut stream = DecodeStream::new();
        let mut streamed = String::new();
        for id in &ids {
            streamed.push_str(&stream.push(&tokenizer, *id));
            assert!(text.starts_with(&streamed), "{streamed:?} of {text:?}");
        }
        streamed.push_str(&stream.finish());
        assert_eq!(streamed, text);
    }
}

#[test]
fn streamed_bytes_of_any_order_equal_decoded_ones() {
    // Random ids give every kind of broken UTF-8; the generator is a plain LCG, the seeds are fixed.
    let tokenizer = small();
    let mut state = 1u64;
    for _ in 0..2000 {
        let mut ids = Vec::new();
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let r = (state >> 33) as u32;
            // Mostly bytes of multi-byte characters.
            ids.push(if r.is_multiple_of(4) {
                r % 262
            } else {
                0x80 + r % 0x78
            });
        }
        let mut stream = DecodeStream::new();
        let mut streamed = String::new();
        for id in &ids {
            streamed.push_str(&stream.push(&tokenizer, *id));
        }
        streamed.push_str(&stream.finish());
        assert_eq!(streamed, tokenizer.decode(&ids).unwrap(), "{ids:?}");
    }
}

#[test]
fn stream_gives_no_half_character_and_no_half_flag() {
    let tokenizer = small();
    let mut stream = DecodeStream::new();
    let pieces: Vec<String> = tokenizer
        .encode("\u{1F1EF}\u{1F1F5}x")
        .unwrap()
        .iter()
        .map(|id| stream.push(&tokenizer, *id))
        .collect();
    let shown: Vec<&str> = pieces
        .iter()
        .map(String::as_str)
        .filter(|p| !p.is_empty())
        .collect();
    assert_eq!(shown, ["\u{1F1EF}\u{1F1F5}", "x"]);
}

#[test]
fn stream_shows_a_cut_character_only_at_the_end() {
    let tokenizer = small();
    let mut stream = DecodeStream::new();
    assert_eq!(stream.push(&tokenizer, 0xF0), "");
    assert_eq!(stream.push(&tokenizer, 0x9F), "");
    assert_eq!(stream.finish(), "\u{FFFD}");
    assert_eq!(stream.finish(), "");
}

#[test]
fn real_vocabulary_gives_the_published_ids() {
    let (Some(vocab), Some(merges), Some(vectors)) = (
        shared("data/gpt2-bpe/vocab.json"),
        shared("data/gpt2-bpe/merges.txt"),
        shared("data/gpt2-bpe/reference-vectors.json"),
    ) else {
        return;
    };
    let vocabulary = Vocabulary::from_vocab_and_merges(&vocab, &merges).unwrap();
    // The vectors were made without special tokens; with them, only texts that hold one differ.
    let owned = |(left, right): (&str, &str)| (left.to_owned(), right.to_owned());
    let merges: Vec<_> = vocabulary.merges().map(owned).collect();
    let plain = Vocabulary::new(vocabulary.tokens().to_vec(), &merges, vec![]);
    let plain = Tokenizer::new(plain.unwrap()).unwrap();
    let tokenizer = Tokenizer::new(vocabulary).unwrap();
    assert_eq!(tokenizer.len(), 50_257);
    let vectors: serde_json::Value = serde_json::from_slice(&vectors).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 79);
    for vector in vectors {
        let text = vector["text"].as_str().unwrap();
        let ids: Vec<u32> = serde_json::from_value(vector["ids"].clone()).unwrap();
        assert_eq!(plain.encode(text).unwrap(), ids, "{text:?}");
        if !text.contains(END_OF_TEXT) {
            assert_eq!(tokenizer.encode(text).unwrap(), ids, "{text:?}");
        }
        assert_eq!(tokenizer.decode(&ids).unwrap(), text);
        let mut stream = DecodeStream::new();
        let mut streamed: String = ids.iter().map(|id| stream.push(&tokenizer, *id)).collect();
        streamed.push_str(&stream.finish());
        assert_eq!(streamed, text);
    }
    assert_eq!(tokenizer.encode(END_OF_TEXT).unwrap(), [50_256]);
}

#[test]
fn text_that_cannot_fit_is_refused_by_its_length() {
    let tokenizer = small();
    // The longest token is `<|endoftext|>`, 13 bytes.
    assert!(tokenizer.check_length(&"a".repeat(130), 10).is_ok());
    let error = tokenizer.check_length(&"a".repeat(131), 10).unwrap_err();
    assert!(matches!(
        error,
        TokenizerError::TextTooLong {
            got: 131,
            most: 130,
            n_ctx: 10
        }
    ));
}

#[test]
fn ids_outside_the_vocabulary_are_refused() {
    let tokenizer = small();
    assert!(matches!(
        tokenizer.decode(&[262]),
        Err(TokenizerError::TokenOutOfRange {
            token_id: 262,
            n_tokens: 262
        })
    ));
    assert_eq!(tokenizer.token_bytes(262), b"");
}

#[test]
fn weights_of_another_model_are_noticed() {
    let tokenizer = small();
    assert!(tokenizer.check_vocab_size(262).is_ok());
    assert!(tokenizer.check_vocab_size(264).is_ok(), "rounded up");
    assert!(matches!(
        tokenizer.check_vocab_size(261),
        Err(TokenizerError::VocabularyMismatch {
            tokens: 262,
            vocab_size: 261
        })
    ));
}

#[test]
fn files_that_are_no_tokenizer_are_refused() {
    let read = |bytes: &[u8]| Vocabulary::from_tokenizer_json(bytes).unwrap_err();
    assert!(matches!(
        read(b""),
        TokenizerError::Json {
            file: "tokenizer.json",
            ..
        }
    ));
    assert!(matches!(read(b"{}"), TokenizerError::Json { .. }));
    assert!(matches!(
        read(&[b'['; 100_000]),
        TokenizerError::Json { .. }
    ));
    assert!(matches!(
        Vocabulary::from_vocab_and_merges(b"{}", b"\xFF"),
        Err(TokenizerError::NotUtf8 { file: "merges.txt" })
    ));
    assert!(matches!(
        Vocabulary::from_vocab_and_merges(b"[]", b""),
        Err(TokenizerError::Json {
            file: "vocab.json",
            ..
        })
    ));
    assert!(matches!(
        Vocabulary::from_vocab_and_merges(b"{}", b""),
        Err(TokenizerError::VocabularySize { got: 0, .. })
    ));
    assert!(matches!(
        read(&vec![b' '; (64 << 20) + 1]),
        TokenizerError::FileTooLong { .. }
    ));
}

#[test]
fn tokenizers_of_other_families_are_refused() {
    let with = |pointer: &str, value: serde_json::Value| {
        let mut json = small_json();
        *json.pointer_mut(pointer).unwrap() = value;
        Vocabulary::from_tokenizer_json(json.to_string().as_bytes()).unwrap_err()
    };
    for (pointer, value) in [
        ("/model/type", "WordPiece".into()),
        ("/pre_tokenizer/type", "Metaspace".into()),
        ("/pre_tokenizer/add_prefix_space", true.into()),
        ("/pre_tokenizer", serde_json::Value::Null),
        ("/normalizer", serde_json::json!({ "type": "Lowercase" })),
    ] {
        assert!(
            matches!(with(pointer, value), TokenizerError::Unsupported { .. }),
            "{pointer}"
        );
    }
}

#[test]
fn a_byte_without_a_token_is_an_error_and_never_left_out() {
    let (tokens, merges) = small_parts();
    let vocabulary = Vocabulary::new(tokens[1..].to_vec(), &merges, vec![]).unwrap();
    let tokenizer = Tokenizer::new(vocabulary).unwrap();
    assert!(tokenizer.encode("a").is_ok());
    assert!(matches!(
        tokenizer.encode("a\0b"),
        Err(TokenizerError::MissingByte { byte: 0 })
    ));
}

#[test]
fn damaged_vocabularies_are_refused() {
    let (tokens, merges) = small_parts();
    let new = |tokens: &[String], merges: &[(String, String)], added| {
        Vocabulary::new(tokens.to_vec(), merges, added).unwrap_err()
    };
    let mut twice = tokens.clone();
    twice.push("a".to_owned());
    assert!(matches!(
        new(&twice, &merges, vec![]),
        TokenizerError::DuplicateToken { .. }
    ));
    let mut long = tokens.clone();
    long.push("a".repeat(1025));
    assert!(matches!(
        new(&long, &merges, vec![]),
        TokenizerError::TokenTooLong { id: 262, .. }
    ));
    // Both halves are tokens, the whole is longer than any token.
    let longer = [(END_OF_TEXT.to_owned(), END_OF_TEXT.to_owned())];
    assert!(matches!(
        new(&tokens, &longer, vec![]),
        TokenizerError::BadMerge { rank: 0, .. }
    ));
    assert!(matches!(
        Vocabulary::from_gguf(tokens.clone(), &["a b c".to_owned()]),
        Err(TokenizerError::BadMerge { rank: 0, .. })
    ));
    assert!(matches!(
        new(&tokens, &merges, vec![(262, true)]),
        TokenizerError::Hole { id: 262 }
    ));
    assert!(matches!(
        Vocabulary::from_vocab_and_merges(br#"{"a":7}"#, b""),
        Err(TokenizerError::Hole { id: 7 })
    ));
}
