//! The tokenizer: the ids and texts of Python's tokenizers for every family, the same from every form of file, whole
//! characters in a stream, an error for the rest.

use std::path::{Path, PathBuf};

use crate::support::python;
use crate::support::random_texts::random_texts;
use crate::support::shared::shared;
use huggingtweets::tokenizer::byte_alphabet::char_of_byte;
use huggingtweets::tokenizer::{
    DecodeStream, END_OF_TEXT, GgufTokenizer, Tokenizer, TokenizerError, TokenizerFiles,
};
use serde_json::{Value, json};

/// A tokenizer of each family: `tests/fixtures/make_tokenizers.py`.
const FAMILIES: [&str; 9] = [
    "byte_level",
    "byte_level_flags",
    "byte_level_prefix_space",
    "byte_level_split",
    "byte_fallback",
    "word_piece",
    "unigram",
    "word_level",
    "suffix_bpe",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join("tokenizers").join(name)).unwrap()
}

fn family(name: &str) -> Tokenizer {
    Tokenizer::from_json(&fixture(&format!("{name}.json"))).unwrap()
}

/// Texts with their ids and what those decode to, from Python.
type Answers = Vec<(String, Vec<u32>, String)>;

fn expected(name: &str) -> Answers {
    serde_json::from_slice(&fixture(&format!("{name}.expected.json"))).unwrap()
}

/// 256 bytes, a few merges, and the end of text as the last id.
fn small_parts() -> (Vec<String>, Vec<String>) {
    let mut tokens: Vec<String> = (0..=255).map(|b| char_of_byte(b).to_string()).collect();
    let merges = ["h e", "l l", "he ll", "hell o", "Ġ w"];
    tokens.extend(merges.map(|merge| merge.replace(' ', "")));
    tokens.push(END_OF_TEXT.to_owned());
    (tokens, merges.map(str::to_owned).to_vec())
}

fn vocab_of(tokens: &[String]) -> Value {
    let tokens = tokens.iter().enumerate();
    let vocab: serde_json::Map<String, Value> = tokens
        .map(|(id, token)| (token.clone(), id.into()))
        .collect();
    vocab.into()
}

fn small_json() -> Value {
    let (tokens, merges) = small_parts();
    json!({
        "version": "1.0",
        "added_tokens": [{ "id": 261, "content": END_OF_TEXT, "special": true }],
        "normalizer": null,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": { "type": "BPE", "vocab": vocab_of(&tokens), "merges": merges },
    })
}

fn read(json: &Value) -> Result<Tokenizer, TokenizerError> {
    Tokenizer::from_json(json.to_string().as_bytes())
}

fn small() -> Tokenizer {
    read(&small_json()).unwrap()
}

/// A tokenizer made of files with these contents.
fn of_files(files: &[(&str, &str)]) -> Result<Tokenizer, TokenizerError> {
    let mut all = TokenizerFiles::default();
    for (name, text) in files {
        assert!(all.insert(name, text.as_bytes().to_vec()), "{name}");
    }
    all.read()
}

fn small_gguf() -> GgufTokenizer {
    let (tokens, merges) = small_parts();
    GgufTokenizer {
        model: "gpt2".to_owned(),
        tokens,
        merges,
        ..GgufTokenizer::default()
    }
}

/// As a GGUF's metadata holds it, read again.
fn through_gguf(tokenizer: &Tokenizer) -> Tokenizer {
    let gguf = tokenizer.to_gguf(tokenizer.len()).unwrap();
    gguf.read().unwrap()
}

fn streamed(tokenizer: &Tokenizer, ids: &[u32]) -> String {
    let mut stream = DecodeStream::new();
    let mut text: String = ids.iter().map(|id| stream.push(tokenizer, *id)).collect();
    text.push_str(&stream.finish(tokenizer));
    text
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
fn every_family_gives_the_ids_and_texts_of_pythons_tokenizers() {
    for name in FAMILIES {
        let tokenizer = family(name);
        for (text, ids, decoded) in expected(name) {
            assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{name}: {text:?}");
            assert_eq!(tokenizer.decode(&ids).unwrap(), decoded, "{name}: {text:?}");
        }
    }
}

#[test]
fn every_family_is_the_same_after_a_gguf() {
    for name in FAMILIES {
        let tokenizer = through_gguf(&family(name));
        let again = through_gguf(&tokenizer);
        for (text, ids, decoded) in expected(name) {
            assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{name}: {text:?}");
            assert_eq!(tokenizer.decode(&ids).unwrap(), decoded, "{name}: {text:?}");
            assert_eq!(again.encode(&text).unwrap(), ids, "{name}: {text:?}");
        }
    }
}

#[test]
fn a_gguf_holds_the_tokenizer_json_only_where_its_own_keys_do_not_suffice() {
    for name in FAMILIES {
        let gguf = family(name).to_gguf(0).unwrap();
        assert_eq!(gguf.json.is_none(), name == "byte_level", "{name}");
        let is_byte_level = name.starts_with("byte_level");
        assert_eq!(gguf.model == "gpt2", is_byte_level, "{name}");
    }
}

#[test]
fn every_familys_stream_gives_the_decoded_text() {
    for name in FAMILIES {
        let tokenizer = family(name);
        for (text, ids, decoded) in expected(name) {
            assert_eq!(streamed(&tokenizer, &ids), decoded, "{name}: {text:?}");
            // A prompt and what follows it, apart, are the whole: spaces between words are not lost.
            for cut in 0..ids.len() {
                let (prompt, rest) = ids.split_at(cut);
                let mut stream = DecodeStream::after(&tokenizer, prompt);
                let mut text = tokenizer.decode(prompt).unwrap();
                if text.ends_with(char::REPLACEMENT_CHARACTER) {
                    continue;
                }
                rest.iter()
                    .for_each(|id| text.push_str(&stream.push(&tokenizer, *id)));
                text.push_str(&stream.finish(&tokenizer));
                assert_eq!(text, decoded, "{name}: {cut} of {ids:?}");
            }
        }
    }
}

/// OpenAI's own ids for 79 texts. The vocabulary is cut to what they need, so that it has holes.
#[test]
fn the_published_texts_have_the_published_ids() {
    let tokenizer = Tokenizer::from_json(&fixture("gpt2_part.json")).unwrap();
    let vectors: Vec<(String, Vec<u32>)> =
        serde_json::from_slice(&fixture("gpt2_vectors.json")).unwrap();
    assert!(vectors.len() > 70);
    for tokenizer in [&tokenizer, &through_gguf(&tokenizer)] {
        assert_eq!(tokenizer.len(), 50_257);
        for (text, ids) in &vectors {
            assert_eq!(tokenizer.encode(text).unwrap(), *ids, "{text:?}");
            assert_eq!(tokenizer.decode(ids).unwrap(), *text);
            assert_eq!(streamed(tokenizer, ids), *text);
        }
        assert_eq!(tokenizer.encode(END_OF_TEXT).unwrap(), [50_256]);
    }
}

#[test]
fn ten_thousand_texts_of_every_family_are_those_of_pythons_tokenizers() {
    let Some(python) = python::with("tokenizers") else {
        return;
    };
    let texts = random_texts(10_000, 7);
    for name in FAMILIES {
        let tokenizer = family(name);
        let file = fixtures().join("tokenizers").join(format!("{name}.json"));
        let question = json!({ "tokenizer": file, "texts": texts });
        let answers = python::ask(&python, "ask_tokenizers.py", &question);
        let answers: Answers = serde_json::from_value(answers).unwrap();
        for (text, ids, decoded) in answers {
            assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{name}: {text:?}");
            assert_eq!(tokenizer.decode(&ids).unwrap(), decoded, "{name}: {text:?}");
            assert_eq!(streamed(&tokenizer, &ids), decoded, "{name}: {text:?}");
        }
    }
}

fn gpt2() -> Option<[(&'static str, String); 2]> {
    let read = |name| std::fs::read_to_string(shared(&format!("data/gpt2-bpe/{name}"))?).ok();
    Some([
        ("vocab.json", read("vocab.json")?),
        ("merges.txt", read("merges.txt")?),
    ])
}

#[test]
fn gpt2s_own_vocabulary_is_the_same_from_every_form() {
    let Some(files) = gpt2() else { return };
    let [(_, vocab), (_, merges)] = &files;
    let tokenizer = of_files(&[("vocab.json", vocab), ("merges.txt", merges)]).unwrap();
    assert_eq!(tokenizer.len(), 50_257);
    let gguf = tokenizer.to_gguf(50_257).unwrap();
    assert_eq!(gguf.json, None);
    assert_eq!(gguf.token_types[50_255..], [1, 3]);
    let json = Tokenizer::from_json(tokenizer.to_json().unwrap().as_bytes()).unwrap();
    let others = [json, gguf.read().unwrap()];
    for text in random_texts(2000, 11) {
        let ids = tokenizer.encode(&text).unwrap();
        assert_eq!(
            tokenizer.decode(&ids).unwrap(),
            text.replace(END_OF_TEXT, "")
        );
        for other in &others {
            assert_eq!(other.encode(&text).unwrap(), ids, "{text:?}");
        }
    }
}

#[test]
fn every_text_survives_encode_and_decode() {
    let tokenizer = small();
    for text in TEXTS {
        let ids = tokenizer.encode(text).unwrap();
        assert_eq!(tokenizer.decode(&ids).unwrap(), text);
        assert_eq!(streamed(&tokenizer, &ids), text);
    }
}

#[test]
fn merges_apply_in_order_of_rank() {
    let tokenizer = small();
    let ids = tokenizer.encode("hello world").unwrap();
    let texts: Vec<String> = ids.iter().map(|id| tokenizer.token_text(*id)).collect();
    assert_eq!(texts, ["hello", " w", "o", "r", "l", "d"]);
}

#[test]
fn all_forms_of_file_give_the_same_tokenizer() {
    let (tokens, merges) = small_parts();
    let whole = small();
    let pairs: Vec<(&str, &str)> = merges.iter().filter_map(|m| m.split_once(' ')).collect();
    let mut pairs_json = small_json();
    pairs_json["model"]["merges"] = json!(pairs);
    let vocab = vocab_of(&tokens).to_string();
    let merges_txt = format!("#version: 0.2\n{}\n", merges.join("\n"));
    let with_bom = |text: &str| format!("\u{feff}{text}");
    for other in [
        read(&pairs_json),
        Tokenizer::from_json(with_bom(&small_json().to_string()).as_bytes()),
        of_files(&[("vocab.json", &vocab), ("merges.txt", &merges_txt)]),
        of_files(&[
            ("vocab.json", &with_bom(&vocab)),
            ("merges.txt", &with_bom(&merges_txt.replace('\n', "\r\n"))),
        ]),
        // https://github.com/minimaxir/gpt-2-simple/issues/178
        of_files(&[("encoder.json", &vocab), ("vocab.bpe", &merges_txt)]),
        small_gguf().read(),
    ] {
        assert_eq!(other.unwrap().to_json().unwrap(), whole.to_json().unwrap());
    }
}

#[test]
fn a_merge_that_opens_with_a_hash_is_no_comment() {
    let (mut tokens, _) = small_parts();
    tokens.push("##".to_owned());
    let vocab = vocab_of(&tokens).to_string();
    let merges = "#version: 0.2\n# #\n";
    let tokenizer = of_files(&[("vocab.json", &vocab), ("merges.txt", merges)]).unwrap();
    assert_eq!(tokenizer.encode("##").unwrap(), [262]);
}

#[test]
fn end_of_text_is_one_special_token_wherever_it_stands() {
    for tokenizer in [small(), small_gguf().read().unwrap()] {
        let ids = tokenizer.encode("a<|endoftext|>b").unwrap();
        let eos = 261;
        assert_eq!(ids.len(), 3);
        assert_eq!(ids[1], eos);
        assert!(tokenizer.is_special(eos));
        assert_eq!(tokenizer.decode(&ids).unwrap(), "ab");
        assert_eq!(tokenizer.token_text(eos), END_OF_TEXT);
    }
}

/// The bytes' files, with these beside them.
fn bytes_with(more: &[(&str, Value)]) -> Tokenizer {
    let (tokens, merges) = small_parts();
    let vocab = vocab_of(&tokens).to_string();
    let merges = merges.join("\n");
    let more: Vec<(&str, String)> = more.iter().map(|(n, v)| (*n, v.to_string())).collect();
    let mut files = vec![("vocab.json", &*vocab), ("merges.txt", &*merges)];
    files.extend(more.iter().map(|(name, text)| (*name, &**text)));
    of_files(&files).unwrap()
}

/// <https://github.com/ggml-org/ggml/issues/371>
#[test]
fn added_tokens_json_and_special_tokens_map_add_their_tokens() {
    let tokenizer = bytes_with(&[
        (
            "added_tokens.json",
            json!({ "<|start|>": 262, "<|user|>": 264, "<|pad|>": 263 }),
        ),
        (
            "special_tokens_map.json",
            json!({ "bos_token": "<|start|>", "eos_token": END_OF_TEXT, "pad_token": { "content": "<|pad|>", "lstrip": true } }),
        ),
    ]);
    for tokenizer in [&tokenizer, &through_gguf(&tokenizer)] {
        // `transformers` drops the flags of the map where added_tokens.json has the token too.
        let ids = tokenizer.encode("<|start|>hello<|user|> <|pad|>").unwrap();
        assert_eq!(ids, [262, 259, 264, 32, 263]);
        assert_eq!(tokenizer.decode(&ids).unwrap(), "hello<|user|> ");
        assert_eq!(tokenizer.len(), 265);
    }
}

/// <https://github.com/huggingface/transformers/issues/2155>
#[test]
fn special_tokens_that_only_a_map_or_the_configuration_names_are_found_whole() {
    let specials = ["<s>", "<pad>", "</s>"].map(str::to_owned);
    let tokens = [&specials[..], &small_parts().0[..256]].concat();
    let vocab = vocab_of(&tokens).to_string();
    let files = [("vocab.json", &*vocab), ("merges.txt", "#version: 0.2\n")];
    let map = json!({ "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>" }).to_string();
    let with_map = [&files[..], &[("special_tokens_map.json", &*map)]].concat();
    let with_map = of_files(&with_map).unwrap();
    let mut without = of_files(&files).unwrap();
    assert_eq!(without.encode("<s>").unwrap().len(), 3);
    without.add_special_ids([0, 2, 70, 9999]).unwrap();
    for tokenizer in [&with_map, &without, &through_gguf(&without)] {
        let ids = tokenizer.encode("<s>hi</s>").unwrap();
        assert_eq!((ids[0], ids[3], ids.len()), (0, 2, 4));
        assert_eq!(tokenizer.decode(&ids).unwrap(), "hi");
        // A letter stays one, whatever the configuration says of it.
        assert_eq!(tokenizer.decode(&[70]).unwrap().chars().count(), 1);
    }
}

#[test]
fn words_at_which_texts_end_stay_words() {
    let vocab = json!([
        ["<unk>", -1.0],
        ["\u{2581}hello", -2.0],
        ["hello", -3.0],
        ["\u{2581}", -4.0]
    ]);
    let file = json!({
        "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null,
        "pre_tokenizer": { "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always", "split": true },
        "decoder": null, "model": { "type": "Unigram", "unk_id": 0, "vocab": vocab },
    });
    let mut tokenizer = of_files(&[("tokenizer.json", &file.to_string())]).unwrap();
    tokenizer.add_special_ids([0, 1, 2, 3]).unwrap();
    assert_eq!(tokenizer.encode("hello").unwrap(), [1]);
}

/// Twenty bytes of a file made a list of a million tokens, which took 350 MB and seemed to be of another model.
#[test]
fn a_vocabulary_that_is_a_list_is_filled_up_only_to_near_ids() {
    let file = json!({
        "model": { "type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0]] },
    });
    let added = json!({ "<near>": 4000, "<far>": 1_000_000 });
    let mut tokenizer = of_files(&[
        ("tokenizer.json", &file.to_string()),
        ("added_tokens.json", &added.to_string()),
    ])
    .unwrap();
    assert_eq!(tokenizer.encode("a<near><far>").unwrap(), [1, 4000, 4001]);
    assert_eq!(tokenizer.len(), 4002);
    // Nor do the ids between count as tokens that the weights lack.
    tokenizer.fit_to(8).unwrap();
    assert_eq!(tokenizer.encode("a").unwrap(), [1]);
    assert!(tokenizer.notices().is_empty());
}

#[test]
fn tokens_of_the_configuration_have_their_flags_and_ids() {
    let flags = json!({
        "added_tokens_decoder": {
            "300": { "content": "<mask>", "lstrip": true, "special": true },
            "290": { "content": "<word>", "single_word": true, "special": false },
        },
        "add_prefix_space": true,
    });
    let tokenizer = bytes_with(&[("tokenizer_config.json", flags)]);
    for tokenizer in [&tokenizer, &through_gguf(&tokenizer)] {
        assert_eq!(tokenizer.len(), 301);
        let ids = tokenizer.encode("a  <mask><word>").unwrap();
        assert_eq!(ids[2..], [300, 290]);
        assert_eq!(tokenizer.token_text(ids[0]), " ");
        assert_eq!(tokenizer.encode("x<word>").unwrap().len(), 8);
        assert_eq!(tokenizer.decode(&[299]).unwrap(), "", "a hole");
    }
}

/// <https://github.com/huggingface/transformers/issues/33371>
#[test]
fn flags_of_added_tokens_are_kept() {
    for tokenizer in [
        family("byte_level_flags"),
        through_gguf(&family("byte_level_flags")),
    ] {
        let of = |text: &str| {
            let ids = tokenizer.encode(text).unwrap();
            let texts = ids.iter().map(|id| tokenizer.token_text(*id));
            texts.collect::<Vec<String>>()
        };
        assert_eq!(of("a <mask> b"), ["a", "<mask>", " ", "b"]);
        assert_eq!(of("a <sep> b"), ["a", "<sep>", "b"]);
        assert_eq!(of("a xqbot")[2..], ["xqbot"]);
        assert!(!of("xqbots").contains(&"xqbot".to_owned()));
    }
}

/// <https://github.com/huggingface/tokenizers/issues/1392>
#[test]
fn added_tokens_are_shown_as_they_are_written() {
    let mut json = small_json();
    for (id, text) in [
        (262, "il\u{d6}veyou"),
        (263, "\u{111}em"),
        (264, "\u{120}x"),
    ] {
        let token = json!({ "id": id, "content": text, "special": false });
        json["added_tokens"].as_array_mut().unwrap().push(token);
    }
    let tokenizer = read(&json).unwrap();
    for tokenizer in [&tokenizer, &through_gguf(&tokenizer)] {
        let text = "il\u{d6}veyou \u{111}em, \u{120}x \u{120}";
        let ids = tokenizer.encode(text).unwrap();
        assert!([262, 263, 264].iter().all(|id| ids.contains(id)));
        assert_eq!(tokenizer.decode(&ids).unwrap(), text);
        assert_eq!(streamed(tokenizer, &ids), text);
    }
}

/// <https://github.com/ggml-org/llama.cpp/issues/15842>
#[test]
fn a_ggufs_control_and_user_defined_tokens_are_found_by_their_types() {
    let mut gguf = small_gguf();
    let more = ["<|start|>", "[PAD263]", "<|user|>"];
    gguf.tokens.extend(more.map(str::to_owned));
    gguf.token_types = [vec![1; 261], vec![3, 3, 5, 4]].concat();
    let tokenizer = gguf.clone().read().unwrap();
    let ids = tokenizer.encode("<|start|>hello[PAD263]<|user|>").unwrap();
    assert_eq!((ids[0], ids[1], *ids.last().unwrap()), (262, 259, 264));
    assert!(!ids.contains(&263));
    assert_eq!(tokenizer.decode(&ids).unwrap(), "hello[PAD263]<|user|>");
    assert_eq!(tokenizer.to_gguf(265).unwrap(), gguf);
    // Rows that the embedding is rounded up by.
    let rounded = tokenizer.to_gguf(267).unwrap();
    assert_eq!(rounded.tokens[265..], ["[PAD265]", "[PAD266]"]);
    assert_eq!(rounded.token_types[265..], [5, 5]);
}

/// The Chinese GPT-2s have no more than this.
#[test]
fn a_vocab_txt_is_read_as_berts() {
    let vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n天\n气\nhello\n##s\n!\n";
    let tokenizer = of_files(&[("vocab.txt", vocab)]).unwrap();
    for tokenizer in [&tokenizer, &through_gguf(&tokenizer)] {
        let ids = tokenizer.encode("天气 HELLOs![SEP]好").unwrap();
        assert_eq!(ids, [5, 6, 7, 8, 9, 3, 1]);
        assert_eq!(tokenizer.decode(&ids[..6]).unwrap(), "天 气 hellos!");
    }
    let config = json!({ "do_lower_case": false }).to_string();
    let cased = of_files(&[("vocab.txt", vocab), ("tokenizer_config.json", &config)]).unwrap();
    assert_eq!(cased.encode("HELLO").unwrap(), [1]);
}

#[test]
fn an_optional_file_that_is_not_json_shuts_no_model() {
    let (tokens, merges) = small_parts();
    let page = "<!doctype html><html></html>";
    let tokenizer = of_files(&[
        ("vocab.json", &vocab_of(&tokens).to_string()),
        ("merges.txt", &merges.join("\n")),
        ("added_tokens.json", page),
        ("special_tokens_map.json", page),
        ("tokenizer_config.json", "[]"),
    ])
    .unwrap();
    assert_eq!(tokenizer.encode("hello").unwrap(), [259]);
    let notices = tokenizer.notices();
    let about = |name: &str| notices.iter().find(|n| n.file == name).unwrap().to_string();
    assert_eq!(
        about("added_tokens.json"),
        "added_tokens.json: it is a web page, so it is passed over"
    );
    assert!(about("special_tokens_map.json").contains("a web page"));
    assert_eq!(
        about("tokenizer_config.json"),
        "tokenizer_config.json: it is a list, not an object, so it is passed over"
    );
    assert_eq!(notices.len(), 3);
}

/// A server that answers every request with its page seems to have every file.
#[test]
fn a_page_in_the_place_of_one_form_leaves_the_other_forms() {
    let (tokens, merges) = small_parts();
    let vocab = vocab_of(&tokens).to_string();
    let page = "<!doctype html><html></html>";
    let mut files = TokenizerFiles::default();
    files.insert("tokenizer.json", page.into());
    assert_eq!(
        files.others_to_try(),
        [
            "vocab.json",
            "merges.txt",
            "encoder.json",
            "vocab.bpe",
            "vocab.txt"
        ]
    );
    let error = error_of(files.read());
    assert_eq!(error.to_string(), "`tokenizer.json` is a web page");
    files.insert("vocab.json", vocab.into());
    files.insert("merges.txt", merges.join("\n").into());
    assert!(files.others_to_try().is_empty());
    let tokenizer = files.read().unwrap();
    assert_eq!(tokenizer.encode("hello").unwrap(), [259]);
    let notices: Vec<String> = tokenizer
        .notices()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        notices,
        ["tokenizer.json: it is a web page, so it is passed over"]
    );
}

#[test]
fn an_added_token_of_the_configuration_that_is_none_is_named() {
    let tokenizer = bytes_with(&[(
        "tokenizer_config.json",
        json!({ "added_tokens_decoder": { "262": { "content": "<a>" }, "x": { "content": "<b>" }, "4294967295": { "content": "<c>" } } }),
    )]);
    assert_eq!(tokenizer.encode("<a>").unwrap(), [262]);
    let notices: Vec<String> = tokenizer
        .notices()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "tokenizer_config.json: 4294967295 {\"content\":\"<c>\"} is passed over",
        "tokenizer_config.json: x {\"content\":\"<b>\"} is passed over",
    ];
    assert_eq!(notices, expected);
}

#[test]
fn truncation_padding_and_dropout_of_a_file_change_no_text() {
    let mut json = small_json();
    json["truncation"] =
        json!({ "max_length": 2, "strategy": "LongestFirst", "stride": 0, "direction": "Right" });
    json["padding"] = json!({ "strategy": { "Fixed": 64 }, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "!" });
    json["model"]["dropout"] = 0.9.into();
    let tokenizer = read(&json).unwrap();
    for _ in 0..10 {
        assert_eq!(tokenizer.encode("hello hello").unwrap(), [259, 32, 259]);
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
        assert_eq!(
            streamed(&tokenizer, &ids),
            tokenizer.decode(&ids).unwrap(),
            "{ids:?}"
        );
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
    for text in TEXTS {
        let mut stream = DecodeStream::new();
        let mut shown = String::new();
        for id in tokenizer.encode(text).unwrap() {
            shown.push_str(&stream.push(&tokenizer, id));
            assert!(text.starts_with(&shown), "{shown:?} of {text:?}");
        }
    }
}

#[test]
fn stream_shows_a_cut_character_only_at_the_end() {
    let tokenizer = small();
    let mut stream = DecodeStream::new();
    assert_eq!(stream.push(&tokenizer, 0xF0), "");
    assert_eq!(stream.push(&tokenizer, 0x9F), "");
    assert_eq!(stream.finish(&tokenizer), "\u{FFFD}");
    assert_eq!(stream.finish(&tokenizer), "");
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
    // An unknown word of any length is one token.
    let words = family("word_level");
    assert!(words.check_length(&"a".repeat(10_240), 10).is_ok());
}

/// As long as the check above lets through; the pattern's engine gives up on a text that it goes back and forth in.
#[test]
fn a_long_run_of_one_character_is_tokenized_whole() {
    let tokenizer = small();
    for c in [" ", "\n", "a", "!", "1", "\u{571f}", " a", "'s", "\u{a0} "] {
        let text = c.repeat(131_072 / c.len());
        let ids = tokenizer.encode(&text).unwrap();
        assert_eq!(tokenizer.decode(&ids).unwrap(), text, "{c:?}");
    }
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
    assert_eq!(tokenizer.token_text(262), "");
}

#[test]
fn weights_of_another_model_are_noticed() {
    let mut tokenizer = small();
    tokenizer.fit_to(262).unwrap();
    assert!(matches!(
        tokenizer.fit_to(200),
        Err(TokenizerError::VocabularyMismatch {
            tokens: 261,
            vocab_size: 200
        })
    ));
}

#[test]
fn a_row_without_a_token_is_shown_as_nothing() {
    let mut tokenizer = small();
    tokenizer.fit_to(264).unwrap();
    assert_eq!(tokenizer.len(), 264);
    assert_eq!(tokenizer.decode(&[259, 262, 263]).unwrap(), "hello");
    assert_eq!(streamed(&tokenizer, &[262, 259, 263]), "hello");
    assert_eq!(tokenizer.token_text(263), "");
    assert!(tokenizer.notices().is_empty());
}

#[test]
fn a_token_without_a_row_never_reaches_the_model() {
    for tokenizer in [small(), small_gguf().read().unwrap()] {
        let mut tokenizer = tokenizer;
        // ` w`, 260, and the end of text have no row.
        tokenizer.fit_to(260).unwrap();
        let error = tokenizer.encode("hello world").unwrap_err();
        assert_eq!(
            error.to_string(),
            "this text has the token ` w`, id 260, and the weights have only 260 tokens"
        );
        assert_eq!(tokenizer.encode("hello").unwrap(), [259]);
        assert!(tokenizer.encode(END_OF_TEXT).unwrap().len() > 1);
        assert_eq!(tokenizer.notices().len(), 1);
        let gguf = tokenizer.to_gguf(260).unwrap();
        assert_eq!(gguf.tokens.len(), 260);
        let mut again = gguf.read().unwrap();
        again.fit_to(260).unwrap();
        assert_eq!(again.encode("hello").unwrap(), [259]);
        assert!(again.encode(" world").is_err());
    }
}

/// A padding token is often added to a tokenizer whose model keeps its rows.
#[test]
fn added_tokens_without_a_row_are_left_out() {
    let mut tokenizer = bytes_with(&[(
        "added_tokens.json",
        json!({ "<|user|>": 262, "<|pad|>": 263 }),
    )]);
    assert_eq!(tokenizer.encode("<|user|><|pad|>").unwrap(), [262, 263]);
    tokenizer.fit_to(263).unwrap();
    let ids = tokenizer.encode("<|endoftext|><|user|><|pad|>").unwrap();
    assert_eq!((ids[0], ids[1], ids.len()), (261, 262, 9));
    assert_eq!(tokenizer.decode(&ids).unwrap(), "<|user|><|pad|>");
}

fn error_of(result: Result<Tokenizer, TokenizerError>) -> TokenizerError {
    match result {
        Ok(_) => panic!("it was read"),
        Err(error) => error,
    }
}

#[test]
fn files_that_are_no_tokenizer_are_refused() {
    let json = |bytes: &[u8]| error_of(Tokenizer::from_json(bytes));
    let files = |files: &[(&str, &str)]| error_of(of_files(files));
    for bytes in [&[b'['; 100_000][..], b"[]"] {
        assert!(matches!(json(bytes), TokenizerError::Malformed { .. }));
    }
    // https://github.com/huggingface/transformers.js/issues/1021, https://github.com/0hq/WebGPT/issues/26
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    for (text, found) in [
        ("", "empty"),
        ("<!doctype html>", "a web page"),
        (pointer, "a Git LFS pointer, not the file it points to"),
    ] {
        let error = json(text.as_bytes());
        assert_eq!(error.to_string(), format!("`tokenizer.json` is {found}"));
        if !text.is_empty() {
            let error = files(&[("vocab.json", "{\"a\": 0}"), ("merges.txt", text)]);
            assert_eq!(error.to_string(), format!("`merges.txt` is {found}"));
            let error = files(&[("vocab.txt", text)]);
            assert_eq!(error.to_string(), format!("`vocab.txt` is {found}"));
        }
    }
    let nested = format!(r#"{{"decoder":{}"#, "[".repeat(100_000));
    assert!(matches!(
        json(nested.as_bytes()),
        TokenizerError::Json { .. }
    ));
    for bytes in [&b"{}"[..], br#"{"model":[]}"#] {
        assert!(matches!(json(bytes), TokenizerError::Malformed { .. }));
    }
    assert!(matches!(
        json(&vec![b' '; (64 << 20) + 1]),
        TokenizerError::FileTooLong { .. }
    ));
    let mut not_utf8 = TokenizerFiles::default();
    not_utf8.insert("vocab.json", b"{}".to_vec());
    not_utf8.insert("merges.txt", b"\xFF".to_vec());
    assert!(matches!(
        error_of(not_utf8.read()),
        TokenizerError::NotUtf8 { file: "merges.txt" }
    ));
    assert!(matches!(
        files(&[("vocab.json", "[]"), ("merges.txt", "")]),
        TokenizerError::Malformed {
            origin: "vocab.json",
            ..
        }
    ));
    assert!(matches!(
        files(&[("vocab.json", "{}"), ("merges.txt", "")]),
        TokenizerError::VocabularySize { got: 0, .. }
    ));
    assert!(matches!(
        files(&[("vocab.json", "{}")]),
        TokenizerError::NoTokenizer
    ));
    assert!(matches!(
        files(&[("spiece.model", "")]),
        TokenizerError::SentencePiece { .. }
    ));
    assert!(!TokenizerFiles::default().insert("config.json", Vec::new()));
}

#[test]
fn ggufs_of_families_that_their_keys_do_not_describe_are_refused() {
    let gguf = GgufTokenizer {
        model: "llama".to_owned(),
        ..small_gguf()
    };
    assert!(matches!(
        error_of(gguf.read()),
        TokenizerError::Unsupported { .. }
    ));
}

#[test]
fn a_byte_without_a_token_is_an_error_and_never_left_out() {
    let (tokens, merges) = small_parts();
    let gguf = GgufTokenizer {
        tokens: tokens[1..].to_vec(),
        merges,
        ..small_gguf()
    };
    let tokenizer = gguf.read().unwrap();
    assert!(tokenizer.encode("a").is_ok());
    assert!(matches!(
        tokenizer.encode("a\0b"),
        Err(TokenizerError::MissingByte { byte: 0 })
    ));
}

#[test]
fn damaged_vocabularies_are_refused() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut json = small_json();
        change(&mut json);
        error_of(read(&json))
    };
    let gguf = |change: &dyn Fn(&mut GgufTokenizer)| {
        let mut gguf = small_gguf();
        change(&mut gguf);
        error_of(gguf.read())
    };
    assert!(matches!(
        gguf(&|gguf| gguf.tokens.push("a".to_owned())),
        TokenizerError::DuplicateToken { .. }
    ));
    assert!(matches!(
        with(&|json| json["model"]["vocab"]["zz"] = 7.into()),
        TokenizerError::DuplicateToken { .. }
    ));
    let long = "a".repeat(1025);
    assert!(matches!(
        gguf(&|gguf| gguf.tokens.push("a".repeat(1025))),
        TokenizerError::TokenTooLong { id: 262, .. }
    ));
    assert!(matches!(
        with(&|json| json["model"]["vocab"][&long] = 262.into()),
        TokenizerError::TokenTooLong { id: 262, .. }
    ));
    for id in [json!(1 << 20), json!(u64::MAX), json!(-1), json!("7")] {
        assert!(matches!(
            with(&|json| json["model"]["vocab"]["zz"] = id.clone()),
            TokenizerError::IdTooLarge { .. }
        ));
    }
    // Both halves are tokens, the whole is longer than any token: the crate's buffer would not hold it.
    let longer = format!("{END_OF_TEXT} {END_OF_TEXT}");
    for merge in [&*longer, "a b c", "ab", "a  b", ""] {
        let new = |gguf: &mut GgufTokenizer| gguf.merges = vec![merge.to_owned()];
        assert!(matches!(
            gguf(&new),
            TokenizerError::BadMerge { rank: 0, .. }
        ));
        let new = |json: &mut Value| json["model"]["merges"] = json!([merge]);
        assert!(matches!(
            with(&new),
            TokenizerError::BadMerge { rank: 0, .. }
        ));
    }
    assert!(matches!(
        gguf(&|gguf| gguf.merges.push("a b".to_owned())),
        TokenizerError::Malformed { .. }
    ));
    // Where the right half is to be cut off its prefix, in the middle of a character.
    assert!(matches!(
        with(&|json| {
            json["model"]["continuing_subword_prefix"] = "#".into();
            json["model"]["merges"] = json!(["h \u{e9}"]);
        }),
        TokenizerError::BadMerge { rank: 0, .. }
    ));
    assert!(matches!(
        with(&|json| json["pre_tokenizer"] = json!({ "type": "FixedLength", "length": 0 })),
        TokenizerError::Malformed { .. }
    ));
}

#[test]
fn every_error_says_what_to_do() {
    for error in [
        TokenizerError::NoTokenizer,
        TokenizerError::MissingByte { byte: 1 },
        error_of(Tokenizer::from_json(b"")),
    ] {
        assert!(!error.hint().is_empty());
        assert!(!error.to_string().contains(error.hint()));
    }
}
