//! One tokenizer in every form that a model's files give it: the same ids and the same text from a folder and from the
//! GGUF made of it; from folders as people have them, those of `transformers`.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use crate::support::checkpoints::{fixtures, model_files};
use crate::support::random_texts::random_texts;
use crate::support::{program, python};
use huggingtweets::engine::{Companions, ModelFile, conversion};
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::tokenizer::byte_alphabet::char_of_byte;
use huggingtweets::tokenizer::{END_OF_TEXT, GgufTokenizer, Tokenizer};
use huggingtweets::weights::Checkpoint;
use huggingtweets::weights::gguf::Value as GgufValue;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Map, Value, json};

/// A model of which only tokenizer and size matter.
struct Folder {
    files: Vec<(&'static str, Vec<u8>)>,
    weights: Vec<u8>,
    rows: usize,
}

impl Folder {
    /// With `rows` in the embedding and these keys in the configuration.
    fn new(rows: usize, more: Value) -> Self {
        let (config, weights) = model_files(&Gpt2Config {
            vocab_size: rows,
            n_ctx: 32,
            n_embd: 32,
            n_layer: 1,
            n_head: 2,
            n_inner: 32,
            layer_norm_epsilon: 1e-5,
            bos_token_id: Some(0),
            eos_token_ids: vec![0],
            arithmetic: Default::default(),
        });
        let mut config: Map<String, Value> = serde_json::from_slice(&config).unwrap();
        config.insert("architectures".to_owned(), json!(["GPT2LMHeadModel"]));
        config.extend(more.as_object().unwrap().clone());
        Self {
            files: vec![("config.json", Value::Object(config).to_string().into())],
            weights,
            rows,
        }
    }

    fn with(mut self, name: &'static str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name, content.into()));
        self
    }

    fn companions(&self) -> Companions {
        let mut companions = Companions::default();
        for (name, bytes) in &self.files {
            companions.insert(name, bytes.clone());
        }
        companions
    }

    fn tokenizer(&self) -> Tokenizer {
        let weights = Cursor::new(self.weights.clone());
        let file = self.companions().open(vec![Box::new(weights)]).unwrap();
        file.tokenizer
    }

    fn gguf(&self) -> Vec<u8> {
        let companions = self.companions();
        let conversion = conversion::of_floats(&companions, "model", WeightType::Q8_0, 1, None);
        let (mut conversion, _) = conversion.unwrap();
        let mut out = Vec::new();
        conversion.push(&self.weights, &mut out).unwrap();
        conversion.end_file().unwrap();
        conversion.finish();
        out
    }

    fn write_to(&self, folder: &Path) {
        for (name, bytes) in &self.files {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
}

fn open(gguf: &[u8]) -> Tokenizer {
    let reader = Cursor::new(gguf.to_vec());
    ModelFile::from_gguf(Box::new(reader)).unwrap().tokenizer
}

/// A GGUF of a GGUF.
fn converted_again(gguf: &[u8]) -> Vec<u8> {
    let reader = Box::new(Cursor::new(gguf.to_vec()));
    let (mut conversion, _) = conversion::of_gguf(reader, "model", WeightType::F16).unwrap();
    let mut out = Vec::new();
    conversion.push(gguf, &mut out).unwrap();
    conversion.end_file().unwrap();
    conversion.finish();
    out
}

fn metadata(gguf: &[u8]) -> std::collections::BTreeMap<String, GgufValue> {
    let reader = Box::new(Cursor::new(gguf.to_vec()));
    Checkpoint::from_gguf(reader).unwrap().metadata().clone()
}

const MERGES: [&str; 6] = ["h e", "l l", "he ll", "hell o", "Ġ h", "Ġ hello"];

/// The bytes, some merges, and these tokens.
fn vocab(more: &[&str]) -> Map<String, Value> {
    let bytes = (0..=255).map(|byte| char_of_byte(byte).to_string());
    let merged = MERGES.map(|merge| merge.replace(' ', ""));
    let more = more.iter().map(|token| (*token).to_owned());
    let tokens = bytes.chain(merged).chain(more).zip(0..);
    tokens.map(|(token, id)| (token, Value::from(id))).collect()
}

fn merges() -> String {
    format!("#version: 0.2\n{}\n", MERGES.join("\n"))
}

/// Folders of every family, with what people put beside.
fn folders() -> Vec<(String, Folder)> {
    let mut folders = Vec::new();
    for name in [
        "byte_level",
        "byte_level_flags",
        "byte_level_prefix_space",
        "byte_level_split",
        "byte_fallback",
        "word_piece",
        "unigram",
        "word_level",
        "suffix_bpe",
    ] {
        let file = fixtures().join("tokenizers").join(format!("{name}.json"));
        let json = std::fs::read(file).unwrap();
        let rows = Tokenizer::from_json(&json).unwrap().len();
        let class = json!({ "tokenizer_class": "PreTrainedTokenizerFast" }).to_string();
        let own = Folder::new(rows, json!({})).with("tokenizer.json", json.clone());
        folders.push((
            format!("{name}, fast"),
            own.with("tokenizer_config.json", class),
        ));
        let added = json!({ "<|start|>": rows, "<|user|>": rows + 1, "<pad>": rows + 3 });
        let map = json!({ "bos_token": "<|start|>", "pad_token": { "content": "<pad>", "lstrip": true } });
        let more = Folder::new(rows + 7, json!({}))
            .with("tokenizer.json", json)
            .with("added_tokens.json", added.to_string())
            .with("special_tokens_map.json", map.to_string());
        folders.push((format!("{name}, added"), more));
    }
    let parts = |rows: usize| {
        Folder::new(rows, json!({}))
            .with(
                "vocab.json",
                Value::Object(vocab(&[END_OF_TEXT])).to_string(),
            )
            .with("merges.txt", merges())
    };
    folders.push(("parts".to_owned(), parts(263)));
    folders.push(("parts, rounded up".to_owned(), parts(320)));
    let config = json!({
        "add_prefix_space": true,
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "additional_special_tokens": ["<s>", "</s>"],
        "added_tokens_decoder": {
            "263": { "content": "<mask>", "lstrip": true, "special": true },
            "264": { "content": "<sep>", "lstrip": true, "rstrip": true, "special": true },
            "265": { "content": "xqbot", "single_word": true, "special": false },
            "270": { "content": "il\u{d6}veyou", "special": false, "normalized": false },
            "271": { "content": "ab", "special": false, "normalized": true },
        },
    });
    let flags = parts(300).with("tokenizer_config.json", config.to_string());
    folders.push(("parts, flags".to_owned(), flags));
    folders
}

/// <https://github.com/ggml-org/llama.cpp/issues/15842>
#[test]
fn a_folder_and_the_gguf_made_of_it_give_the_same_ids_and_text() {
    let texts = random_texts(400, 3);
    for (name, folder) in folders() {
        let tokenizer = folder.tokenizer();
        let gguf = folder.gguf();
        let mut seen = 0;
        for other in [open(&gguf), open(&converted_again(&gguf))] {
            for text in &texts {
                let (ids, others) = (tokenizer.encode(text), other.encode(text));
                let (Ok(ids), Ok(others)) = (&ids, &others) else {
                    assert_eq!(ids.is_ok(), others.is_ok(), "{name}: {text:?}");
                    continue;
                };
                assert_eq!(ids, others, "{name}: {text:?}");
                let shown = tokenizer.decode(ids).unwrap();
                assert_eq!(other.decode(ids).unwrap(), shown, "{name}: {text:?}");
                seen += 1;
            }
        }
        assert!(seen > 700, "{name}: {seen}");
    }
}

/// The metadata of a folder's GGUF.
fn written(folder: &Folder) -> impl Fn(&str) -> Option<u64> + use<> {
    let metadata = metadata(&folder.gguf());
    move |key: &str| metadata.get(&format!("tokenizer.ggml.{key}"))?.as_u64()
}

#[test]
fn a_gguf_names_the_special_tokens_that_the_files_name_and_no_others() {
    let parts = Folder::new(266, json!({ "bos_token_id": 262, "eos_token_id": 262 }))
        .with(
            "vocab.json",
            Value::Object(vocab(&[END_OF_TEXT, "<unk>", "<pad>"])).to_string(),
        )
        .with("merges.txt", merges());
    let id = written(&parts);
    assert_eq!(
        (id("bos_token_id"), id("eos_token_id")),
        (Some(262), Some(262))
    );
    assert_eq!(
        (id("unknown_token_id"), id("padding_token_id")),
        (None, None)
    );
    let map = json!({ "unk_token": "<unk>", "pad_token": { "content": "<pad>" } });
    let parts = parts.with("special_tokens_map.json", map.to_string());
    let id = written(&parts);
    assert_eq!(
        (id("unknown_token_id"), id("padding_token_id")),
        (Some(263), Some(264))
    );
    let again = metadata(&converted_again(&parts.gguf()));
    let padding = again.get("tokenizer.ggml.padding_token_id");
    assert_eq!(padding.and_then(GgufValue::as_u64), Some(264));
}

/// llama.cpp puts nothing in front of a text by itself unless the file says so.
#[test]
fn a_gguf_asks_for_a_first_token_where_the_bots_prefix_is_one() {
    for (prefix, adds) in [(Some(END_OF_TEXT), true), (None, false), (Some("x"), false)] {
        let prefix = json!({ "text-generation": { "prefix": prefix.unwrap_or_default() } });
        let config =
            json!({ "bos_token_id": 262, "eos_token_id": 262, "task_specific_params": prefix });
        let folder = Folder::new(263, config)
            .with(
                "vocab.json",
                Value::Object(vocab(&[END_OF_TEXT])).to_string(),
            )
            .with("merges.txt", merges());
        let metadata = metadata(&folder.gguf());
        assert_eq!(
            metadata["tokenizer.ggml.add_bos_token"],
            GgufValue::Bool(adds)
        );
        assert_eq!(
            metadata["tokenizer.ggml.pre"],
            GgufValue::String("gpt-2".to_owned())
        );
    }
}

/// A folder of GPT-2's vocabulary files with this `tokenizer_config.json`.
fn folder_with(config: Value) -> Folder {
    Folder::new(263, json!({}))
        .with(
            "vocab.json",
            Value::Object(vocab(&[END_OF_TEXT])).to_string(),
        )
        .with("merges.txt", merges())
        .with("tokenizer_config.json", config.to_string())
}

#[test]
fn a_gguf_says_that_a_space_is_put_in_front() {
    for adds in [true, false] {
        let folder = folder_with(json!({ "add_prefix_space": adds }));
        let gguf = folder.gguf();
        let key = metadata(&gguf).contains_key("tokenizer.ggml.add_space_prefix");
        assert_eq!(key, adds);
        let ids = open(&gguf).encode("hello").unwrap();
        assert_eq!(ids, [if adds { 261 } else { 259 }]);
        assert_eq!(folder.tokenizer().encode("hello").unwrap(), ids);
    }
}

/// As `transformers` 5 does, where `"a<|endoftext|>b"` then has no special token.
#[test]
fn special_tokens_are_text_where_the_configuration_splits_them() {
    for is_split in [true, false] {
        let folder = folder_with(json!({ "split_special_tokens": is_split }));
        let gguf = folder.gguf();
        for tokenizer in [
            folder.tokenizer(),
            open(&gguf),
            open(&converted_again(&gguf)),
        ] {
            let ids = tokenizer.encode(END_OF_TEXT).unwrap();
            assert_eq!(ids.len() > 1, is_split);
            assert_eq!(tokenizer.splits_special_tokens(), is_split);
            // It is special all the same.
            let end = tokenizer.token_id(END_OF_TEXT).unwrap();
            assert_eq!(tokenizer.decode(&[end]).unwrap(), "");
        }
    }
}

/// What the rules of a tokenizer mean to llama.cpp, which reads GGUF's own keys alone.
#[test]
fn a_tokenizer_that_llama_cpp_reads_otherwise_is_noticed() {
    let with = |name: &'static str, value: &Value| {
        let mut file: Value =
            serde_json::from_str(&byte_level_json(json!([]), Value::Null)).unwrap();
        file[name] = value.clone();
        let tokenizer = Tokenizer::from_json(file.to_string().as_bytes()).unwrap();
        tokenizer.notice_of_llama_cpp().map(|notice| notice.fact)
    };
    let split = |pattern: &str| {
        let split = json!({
            "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false,
        });
        let bytes = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false });
        json!({ "type": "Sequence", "pretokenizers": [split, bytes] })
    };
    let spaced = json!({ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true });
    let qwen2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    assert_eq!(with("normalizer", &Value::Null), None);
    assert_eq!(with("pre_tokenizer", &split(qwen2)), None);
    for (name, value) in [
        ("pre_tokenizer", split("[aeiou]")),
        ("pre_tokenizer", spaced),
        ("normalizer", json!({ "type": "Lowercase" })),
    ] {
        let fact = with(name, &value).unwrap();
        assert!(fact.contains("other tokens"), "{fact}");
    }
    let words = json!({
        "pre_tokenizer": { "type": "Whitespace" },
        "model": { "type": "WordLevel", "vocab": { "a": 0, "[UNK]": 1 }, "unk_token": "[UNK]" },
    });
    let words = Tokenizer::from_json(words.to_string().as_bytes()).unwrap();
    let fact = words.notice_of_llama_cpp().unwrap().fact;
    assert!(fact.contains("no tokens"), "{fact}");
}

/// <https://github.com/huggingface/transformers/issues/7901>
#[test]
fn the_ids_that_the_configurations_open_and_end_texts_with_are_not_shown() {
    let folder = Folder::new(266, json!({ "bos_token_id": 263, "eos_token_id": 264 }))
        .with(
            "vocab.json",
            Value::Object(vocab(&[END_OF_TEXT, "<s>", "</s>", "<end>"])).to_string(),
        )
        .with("merges.txt", merges())
        .with(
            "generation_config.json",
            json!({ "eos_token_id": [264, 265, 71] }).to_string(),
        );
    for tokenizer in [folder.tokenizer(), open(&folder.gguf())] {
        let ids = tokenizer.encode("<s>hello</s><end>h").unwrap();
        assert_eq!(ids, [263, 259, 264, 265, 104]);
        // 71 is the letter G, which stays text.
        assert_eq!(
            tokenizer.decode(&[263, 259, 264, 265, 71]).unwrap(),
            "helloG"
        );
    }
}

/// GPT-2's class puts a space in front of a text only where its configuration says so; for others the file says it.
#[test]
fn the_class_that_either_configuration_states_decides_on_the_space_in_front() {
    let file = std::fs::read(fixtures().join("tokenizers/byte_level_prefix_space.json")).unwrap();
    let fast = "PreTrainedTokenizerFast";
    let gpt2s = json!({ "tokenizer_class": "GPT2TokenizerFast" });
    let spaced = json!({ "tokenizer_class": "GPT2Tokenizer", "add_prefix_space": true });
    for (in_model, in_tokenizer, adds) in [
        (None, None, false),
        (Some(fast), None, true),
        (Some(fast), Some(&gpt2s), false),
        (None, Some(&spaced), true),
    ] {
        let class = in_model.map_or(json!({}), |class| json!({ "tokenizer_class": class }));
        let mut folder = Folder::new(600, class).with("tokenizer.json", file.clone());
        if let Some(config) = in_tokenizer {
            folder = folder.with("tokenizer_config.json", config.to_string());
        }
        for tokenizer in [folder.tokenizer(), open(&folder.gguf())] {
            let ids = tokenizer.encode("hello").unwrap();
            let text = tokenizer.decode(&ids).unwrap();
            assert_eq!(text.starts_with(' '), adds, "{in_model:?} {in_tokenizer:?}");
        }
    }
}

/// Whether the files say so or not.
/// transformers 5.24 adds both at once, and the tokenizers crate keeps the later; a token that a file has already added
/// stays as it is.
#[test]
fn a_token_that_is_named_twice_has_the_flags_of_the_list_unless_a_file_has_added_it() {
    let eos = json!({ "__type": "AddedToken", "content": "</s>", "lstrip": true, "rstrip": false, "single_word": false, "normalized": true });
    let config = |more: Value| {
        let mut config = json!({ "eos_token": eos, "extra_special_tokens": ["</s>"] });
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        config.to_string()
    };
    let folder = |more: Value| {
        Folder::new(300, json!({}))
            .with(
                "vocab.json",
                Value::Object(vocab(&[END_OF_TEXT])).to_string(),
            )
            .with("merges.txt", merges())
            .with("tokenizer_config.json", config(more))
            .tokenizer()
    };
    let tab = 9;
    let ids = folder(json!({})).encode("a\t</s>").unwrap();
    assert_eq!(ids[..2], [97, tab], "{ids:?}");
    let decoder = json!({ "added_tokens_decoder": { "270": { "content": "</s>", "lstrip": true, "special": true } } });
    let ids = folder(decoder).encode("a\t</s>").unwrap();
    assert_eq!(ids, [97, 270]);
}

#[test]
fn an_added_token_that_texts_end_with_is_not_shown() {
    let added =
        json!({ "added_tokens_decoder": { "263": { "content": "<end>", "special": false } } });
    let folder = Folder::new(264, json!({ "bos_token_id": 262, "eos_token_id": 263 }))
        .with(
            "vocab.json",
            Value::Object(vocab(&[END_OF_TEXT])).to_string(),
        )
        .with("merges.txt", merges())
        .with("tokenizer_config.json", added.to_string());
    for tokenizer in [folder.tokenizer(), open(&folder.gguf())] {
        let ids = tokenizer.encode("hello<end>").unwrap();
        assert_eq!(ids, [259, 263]);
        assert_eq!(tokenizer.decode(&ids).unwrap(), "hello");
    }
}

/// <https://github.com/huggingface/transformers.js/issues/1021>
#[test]
fn the_program_takes_the_form_of_tokenizer_that_is_no_page() {
    let folder = Folder::new(263, json!({}))
        .with("tokenizer.json", "<!doctype html><html></html>")
        .with(
            "vocab.json",
            Value::Object(vocab(&[END_OF_TEXT])).to_string(),
        )
        .with("merges.txt", merges());
    let path = tempfile::tempdir().unwrap();
    folder.write_to(path.path());
    std::fs::write(path.path().join("model.safetensors"), &folder.weights).unwrap();
    let model = path.path().to_str().unwrap();
    let answer =
        program::huggingtweets(&["tokenize", "--model", model, "--text", "hello", "--json"]);
    let said = String::from_utf8_lossy(&answer.stderr);
    assert_eq!(
        said,
        "note: tokenizer.json: it is a web page, so it is passed over\n"
    );
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(answer["token_ids"], json!([259]));
}

/// Flags of added tokens are not among GGUF's keys, so folders with flags are left out.
#[test]
fn llama_cpp_gives_the_ids_and_texts_of_the_folder_that_a_gguf_was_made_of() {
    let Some(python) = python::with("llama_cpp") else {
        return;
    };
    let path = tempfile::tempdir().unwrap();
    let model = path.path().join("model.gguf");
    let texts = random_texts(100, 9);
    for (name, folder) in folders() {
        if !["byte_level, fast", "parts", "parts, rounded up"].contains(&&*name) {
            continue;
        }
        std::fs::write(&model, folder.gguf()).unwrap();
        let tokenizer = folder.tokenizer();
        let question = json!({ "model": model, "ids": [97], "texts": texts });
        let answer = python::ask(&python, "ask_llama_cpp.py", &question);
        for (text, theirs) in texts.iter().zip(answer["token_ids"].as_array().unwrap()) {
            let ours = tokenizer.encode(text).unwrap();
            assert_eq!(json!(ours), *theirs, "{name}: {text:?}");
        }
    }
}

/// A folder drawn by its seed, of what people's folders have; also what `transformers` needs to open it.
fn drawn(seed: u64) -> Folder {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut one_in = |n: u32| random.next_u32().is_multiple_of(n);
    let has_specials = one_in(2);
    let mut own = vec![END_OF_TEXT];
    if has_specials {
        own.extend(["<s>", "</s>", "<unk>"]);
    }
    let vocab = vocab(&own);
    let n = vocab.len();
    let mut folder = Folder::new(n + 16, json!({ "bos_token_id": 262, "eos_token_id": 262 }));
    let token = |content: &str, special: bool, flags: &[&str]| {
        let mut token = json!({ "content": content, "special": special, "normalized": !special });
        for flag in ["lstrip", "rstrip", "single_word"] {
            token[flag] = flags.contains(&flag).into();
        }
        token
    };
    let tokens = [
        token("<mask>", true, &["lstrip"]),
        token("<sep>", true, &["lstrip", "rstrip"]),
        token("xqbot", false, &["single_word"]),
        token("<|user|>", false, &[]),
    ];
    let mut config = Map::new();
    if one_in(3) {
        let prefix_space = one_in(2);
        config.insert("add_prefix_space".to_owned(), prefix_space.into());
    }
    if one_in(2) {
        config.insert("tokenizer_class".to_owned(), "GPT2Tokenizer".into());
    }
    let mut roles = Map::new();
    if one_in(8) {
        roles.insert("eos_token".to_owned(), Value::Null);
    }
    if has_specials {
        for (role, text) in [
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
        ] {
            if one_in(2) {
                let value = match one_in(2) {
                    true => text.into(),
                    false => {
                        json!({ "content": text, "lstrip": one_in(4), "rstrip": false, "single_word": false, "normalized": true })
                    }
                };
                roles.insert(role.to_owned(), value);
            }
        }
    }
    if one_in(3) {
        roles.insert("pad_token".to_owned(), "<pad>".into());
    }
    if one_in(3) {
        roles.insert(
            "additional_special_tokens".to_owned(),
            json!(["<|start|>", "[SEP]"]),
        );
    }
    let in_json = one_in(2);
    if in_json && one_in(4) {
        let class = "PreTrainedTokenizerFast";
        config.insert("tokenizer_class".to_owned(), class.into());
    }
    if one_in(4) {
        let more = json!(["</s>", "<|start|>"]);
        config.insert("extra_special_tokens".to_owned(), more);
    }
    let has_other_flags = one_in(3);
    let json_space = one_in(3);
    let mut decoder: Map<String, Value> = tokens
        .iter()
        .enumerate()
        .map(|(i, t)| ((n + i).to_string(), t.clone()))
        .collect();
    // Who writes this list writes all tokens of the tokenizer.json too; one that lacks some loses them in
    // `transformers` and keeps them here.
    decoder.insert("262".to_owned(), token(END_OF_TEXT, true, &[]));
    let added: Map<String, Value> = tokens
        .iter()
        .enumerate()
        .map(|(i, t)| (t["content"].as_str().unwrap().to_owned(), (n + i).into()))
        .collect();
    if in_json {
        let mut list = vec![
            json!({ "id": 262, "content": END_OF_TEXT, "special": true, "normalized": true, "lstrip": false, "rstrip": false, "single_word": false }),
        ];
        if one_in(2) {
            list.extend(tokens.iter().enumerate().map(|(i, t)| {
                let mut t = t.clone();
                t["id"] = (n + i).into();
                if has_other_flags {
                    t["lstrip"] = json!(i == 3);
                }
                t
            }));
        }
        let file = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": list,
            "normalizer": null,
            "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": json_space, "trim_offsets": true, "use_regex": true },
            "post_processor": null,
            "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
            "model": { "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": MERGES },
        });
        folder = folder.with("tokenizer.json", file.to_string());
    } else {
        folder = folder.with("vocab.json", Value::Object(vocab).to_string());
        let text = merges();
        let text = if one_in(3) {
            text.replace('\n', "\r\n")
        } else {
            text
        };
        let text = if one_in(3) {
            text.split_once('\n').unwrap().1.to_owned()
        } else {
            text
        };
        folder = folder.with("merges.txt", text);
    }
    if one_in(3) {
        folder = folder.with("added_tokens.json", Value::Object(added).to_string());
    }
    if one_in(3) {
        config.insert("added_tokens_decoder".to_owned(), decoder.into());
    }
    if one_in(2) {
        folder = folder.with("special_tokens_map.json", Value::Object(roles).to_string());
    } else {
        let with_type = roles.into_iter().map(|(role, mut value)| {
            if value.is_object() {
                value["__type"] = "AddedToken".into();
            }
            (role, value)
        });
        config.extend(with_type);
    }
    if !config.is_empty() || one_in(2) {
        folder = folder.with("tokenizer_config.json", Value::Object(config).to_string());
    }
    folder
}

fn describe(folder: &Folder) -> String {
    let files = folder.files.iter();
    let files =
        files.filter(|(name, _)| !matches!(*name, "config.json" | "merges.txt" | "vocab.json"));
    let text = |(name, bytes): &(&str, Vec<u8>)| {
        let mut file: Value = serde_json::from_slice(bytes).unwrap();
        if let Some(model) = file.get_mut("model") {
            *model = Value::Null;
        }
        format!("\n  {name}: {file}")
    };
    files.map(text).collect()
}

#[test]
fn drawn_folders_have_the_ids_that_transformers_gives_them() {
    let Some(python) = python::with("transformers") else {
        return;
    };
    let all = tempfile::tempdir().unwrap();
    let seeds = 0..300;
    let paths: Vec<PathBuf> = seeds
        .clone()
        .map(|seed| all.path().join(seed.to_string()))
        .collect();
    let folders: Vec<Folder> = seeds.map(drawn).collect();
    for (folder, path) in folders.iter().zip(&paths) {
        std::fs::create_dir(path).unwrap();
        folder.write_to(path);
    }
    let texts = random_texts(40, 5);
    let question = json!({ "folders": paths, "texts": texts });
    let answers = python::ask(&python, "ask_transformers.py", &question);
    let mut faults = Vec::new();
    for (folder, answer) in folders.iter().zip(answers.as_array().unwrap()) {
        let Some(rows) = answer.as_array() else {
            faults.push(format!("{answer}{}", describe(folder)));
            continue;
        };
        // The configuration's ids are special here and not there, so they are left out.
        let mut tokenizer = folder.companions().tokenizer.read().unwrap();
        tokenizer.fit_to(folder.rows).unwrap();
        for row in rows {
            let (text, theirs): (&str, Vec<u32>) = (
                row[0].as_str().unwrap(),
                serde_json::from_value(row[1].clone()).unwrap(),
            );
            let ours = tokenizer.encode(text);
            let shown = tokenizer.decode(&theirs).ok();
            if ours.as_ref().ok() != Some(&theirs) || shown.as_deref() != row[2].as_str() {
                faults.push(format!(
                    "{text:?}: {ours:?} {shown:?}, not {theirs:?} {}{}",
                    row[2],
                    describe(folder)
                ));
                break;
            }
        }
    }
    eprintln!("{} of {} folders differ", faults.len(), folders.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The 256 bytes, which are their own ids, and some merges.
fn byte_vocabulary() -> (Map<String, Value>, [&'static str; 4]) {
    let bytes = (0..=255u8).map(|byte| char_of_byte(byte).to_string());
    let merges = ["h e", "1 2", "12 3", "Ġ A"];
    let joined = merges.iter().map(|merge| merge.replace(' ', ""));
    let tokens = bytes.chain(joined).chain([END_OF_TEXT.to_owned()]);
    let vocab = tokens.zip(0..);
    let vocab = vocab.map(|(token, id): (String, u32)| (token, json!(id)));
    (vocab.collect(), merges)
}

fn byte_level_json(added: Value, normalizer: Value) -> String {
    let (vocab, merges) = byte_vocabulary();
    let part = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true });
    let file = json!({
        "added_tokens": added, "normalizer": normalizer, "pre_tokenizer": part, "decoder": part,
        "model": { "type": "BPE", "vocab": vocab, "merges": merges },
    });
    file.to_string()
}

fn pieces(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let ids = tokenizer.encode(text).unwrap();
    ids.iter().map(|id| tokenizer.token_text(*id)).collect()
}

// https://github.com/ggml-org/llama.cpp/pull/6920
#[test]
fn a_gguf_splits_texts_in_the_way_that_it_names() {
    let (vocab, merges) = byte_vocabulary();
    let tokens = vocab.into_iter().map(|(token, id)| (id.as_u64(), token));
    let mut tokens: Vec<_> = tokens.collect();
    tokens.sort();
    let named = |pre: Option<&str>| {
        let gguf = GgufTokenizer {
            model: "gpt2".to_owned(),
            pre: pre.map(str::to_owned),
            tokens: tokens.iter().map(|(_, token)| token.clone()).collect(),
            merges: merges.map(str::to_owned).to_vec(),
            ..GgufTokenizer::default()
        };
        gguf.read().unwrap()
    };
    let text = "1234 A";
    let together = vec!["123", "4", " A"];
    for (pre, expected) in [
        (None, together.clone()),
        (Some("gpt-2"), together.clone()),
        (Some("llama-bpe"), together.clone()),
        (Some("qwen2"), vec!["1", "2", "3", "4", " A"]),
        (Some("smollm"), vec!["1", "2", "3", "4", " A"]),
        (Some("deepseek-llm"), together.clone()),
        (Some("granite-embed-multi-97m"), together.clone()),
        (Some("jais-2"), together.clone()),
        (Some("chameleon"), vec!["1", "2", "3", "4", " A"]),
        // Thousands are split from the end, so the merges of 123 meet no word.
        (Some("superbpe"), vec!["1", "2", "3", "4", " A"]),
    ] {
        let tokenizer = named(pre);
        assert_eq!(pieces(&tokenizer, text), expected, "{pre:?}");
        assert!(tokenizer.notices().is_empty(), "{pre:?}");
        // The name goes on, and the ids stay.
        let written = tokenizer.to_gguf(tokenizer.len()).unwrap();
        assert_eq!(written.pre.as_deref(), pre);
        assert_eq!(pieces(&written.read().unwrap(), text), expected, "{pre:?}");
    }
    let unknown = named(Some("zork"));
    assert_eq!(pieces(&unknown, text), together);
    let [notice] = unknown.notices() else {
        panic!("{:?}", unknown.notices());
    };
    assert!(notice.fact.contains("`zork`"), "{notice}");
}

// https://github.com/huggingface/transformers/blob/main/src/transformers/models/roberta/tokenization_roberta.py
#[test]
fn byte_level_classes_have_their_own_special_tokens_and_put_a_space_in_front() {
    let (vocab, merges) = byte_vocabulary();
    let n = vocab.len() as u32;
    let config = |class: &str| json!({ "tokenizer_class": class, "add_prefix_space": true });
    let lists = |class: &str| {
        Folder::new(300, json!({}))
            .with("vocab.json", Value::from(vocab.clone()).to_string())
            .with("merges.txt", merges.join("\n"))
            .with("tokenizer_config.json", config(class).to_string())
            .tokenizer()
    };
    let whole = |class: &str| {
        Folder::new(300, json!({}))
            .with("tokenizer.json", byte_level_json(json!([]), Value::Null))
            .with("tokenizer_config.json", config(class).to_string())
            .tokenizer()
    };
    for class in ["RobertaTokenizer", "BartTokenizerFast"] {
        for tokenizer in [lists(class), whole(class)] {
            for (token, id) in ["<s>", "</s>", "<unk>", "<pad>", "<mask>"].iter().zip(n..) {
                assert_eq!(tokenizer.token_id(token), Some(id), "{class}");
                assert!(tokenizer.is_special(id), "{class} {token}");
            }
        }
    }
    for class in ["RobertaTokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer"] {
        for tokenizer in [lists(class), whole(class)] {
            assert_eq!(pieces(&tokenizer, "A"), [" A"], "{class}");
        }
    }
    // This class takes a tokenizer.json as it is.
    assert_eq!(pieces(&whole("PreTrainedTokenizerFast"), "A"), ["A"]);
}

// https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/tokenization_bert.py
#[test]
fn the_options_of_a_berts_configuration_count_beside_its_tokenizer_json() {
    let words = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Ab", "ab", "e", "é", "今天", "今", "天",
    ];
    let ids = words.iter().zip(0..);
    let vocab: Map<String, Value> = ids.map(|(w, id)| ((*w).to_owned(), json!(id))).collect();
    let of = |class: &str, options: Value| {
        let file = json!({
            "added_tokens": [],
            "normalizer": {
                "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                "lowercase": true,
            },
            "pre_tokenizer": { "type": "BertPreTokenizer" },
            "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
            "model": {
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": vocab,
            },
        });
        let mut config = options.as_object().unwrap().clone();
        config.insert("tokenizer_class".to_owned(), class.into());
        let folder = Folder::new(32, json!({}))
            .with("tokenizer.json", file.to_string())
            .with("tokenizer_config.json", Value::from(config).to_string());
        folder.tokenizer().encode("Ab é 今天").unwrap()
    };
    let bert = |options| of("BertTokenizer", options);
    assert_eq!(bert(json!({})), [6, 7, 10, 11]);
    assert_eq!(bert(json!({ "do_lower_case": false })), [5, 8, 10, 11]);
    assert_eq!(bert(json!({ "strip_accents": false })), [6, 8, 10, 11]);
    assert_eq!(bert(json!({ "tokenize_chinese_chars": false })), [6, 7, 9]);
    let other = of("PreTrainedTokenizerFast", json!({ "do_lower_case": false }));
    assert_eq!(other, [6, 7, 10, 11]);
}

#[test]
fn of_added_tokens_that_a_normalizer_makes_alike_the_first_is_found() {
    let n = byte_vocabulary().0.len() as u32;
    let added = |content: &str, id: u32, lstrip: bool| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": lstrip, "rstrip": false, "normalized": true,
            "special": false,
        })
    };
    let added = json!([
        added("<MASK>", n, false),
        added("<mask>", n + 1, true),
        added("<Mask>", n + 2, true)
    ]);
    let file = byte_level_json(added, json!({ "type": "Lowercase" }));
    let folder = Folder::new(300, json!({})).with("tokenizer.json", file);
    // The crate's hashes differ from one to the next.
    for _ in 0..16 {
        for tokenizer in [folder.tokenizer(), open(&folder.gguf())] {
            let ids = tokenizer.encode("1 <mask>").unwrap();
            assert_eq!(ids, [b'1'.into(), b' '.into(), n]);
        }
    }
}
