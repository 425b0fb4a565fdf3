//! The command line prints the JSON of its contract, an error and a hint per failure, and leaves nothing half-written.

use crate::support::program::{huggingtweets, json};
use crate::support::{pickled, tiny};
use std::path::{Path, PathBuf};
use std::process::Command;

use huggingtweets::bundled::BUNDLED_MODEL;
use serde_json::Value as Json;

/// The error and the hint of a failure, exit status 1, nothing on standard output.
fn failure(args: &[&str]) -> String {
    let output = huggingtweets(args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
    assert!(output.stdout.is_empty(), "{args:?}");
    let lines: Vec<_> = error.lines().collect();
    assert!(
        matches!(lines[..], [fact, hint] if fact.starts_with("error: ") && hint.starts_with("hint: ")),
        "{error}"
    );
    // The remedies of a page are none here.
    for words in ["press", "this page", "do_sample", ".;"] {
        assert!(!error.contains(words), "{error}");
    }
    assert!(error.len() < 600, "{error}");
    error
}

fn keys(value: &Json) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// A folder that goes with the test, and a small model in it.
fn model() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    std::fs::write(&path, tiny::gguf(|_| {})).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn bundled_model_has_the_size_that_is_stated() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("assets")
        .join(BUNDLED_MODEL.path);
    assert_eq!(
        std::fs::metadata(path).unwrap().len(),
        BUNDLED_MODEL.size_bytes
    );
}

#[test]
fn generate_without_a_model_uses_the_bundled_one() {
    let texts = json(&["generate", "--prompt", "My dream is", "--seed", "1"]);
    let texts = texts.as_array().unwrap();
    assert_eq!(texts.len(), 5);
    for text in texts {
        assert_eq!(keys(text), ["generated_text", "token_ids"]);
        let generated = text["generated_text"].as_str().unwrap();
        assert!(generated.starts_with("My dream is"), "{generated}");
        assert!(!text["token_ids"].as_array().unwrap().is_empty());
    }
}

/// A text, a name or a token may hold what a terminal obeys.
#[test]
fn nothing_that_a_terminal_obeys_reaches_it() {
    let (_folder, model) = model();
    let prompt = "a\u{1b}[2Jb\u{202e}c\u{9b}31md";
    let args = [
        "generate",
        "--model",
        &model,
        "--prompt",
        prompt,
        "--n",
        "1",
        "--max-new-tokens",
        "2",
    ];
    let is_obeyed = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text = String::from_utf8(huggingtweets(&args).stdout).unwrap();
    assert!(
        text.contains("[2Jb") && !text.contains(is_obeyed),
        "{text:?}"
    );
    let document = huggingtweets(&[&args[..], &["--json"]].concat()).stdout;
    let document = String::from_utf8(document).unwrap();
    assert!(!document.contains(is_obeyed), "{document:?}");
    let answer: Json = serde_json::from_str(&document).unwrap();
    let generated = answer[0]["generated_text"].as_str().unwrap();
    assert!(generated.starts_with(prompt), "{generated:?}");
    let error = failure(&[
        "tokenize",
        "--model",
        "no\u{1b}[2J\u{202e}thing",
        "--text",
        "a",
    ]);
    assert!(error.contains("no\u{fffd}[2Jthing"), "{error:?}");
}

/// A name without an owner is the Hub's, a handle has its `@`, as on the page and in the module.
#[test]
fn a_model_that_is_not_on_this_machine_is_told_how_to_get_here() {
    let hint = |model: &str| failure(&["tokenize", "--model", model, "--text", "a"]);
    for (model, download) in [
        ("gpt2", "hf download openai-community/gpt2 --local-dir gpt2"),
        (
            "distilgpt2",
            "hf download distilbert/distilgpt2 --local-dir distilgpt2",
        ),
        (
            "@jen_122",
            "hf download huggingtweets/jen_122 --local-dir jen_122",
        ),
        (
            "nobody/nothing",
            "hf download nobody/nothing --local-dir nothing",
        ),
    ] {
        assert!(hint(model).contains(download), "{}", hint(model));
    }
    for model in ["jen_122", "./nothing", "nothing.gguf", "/nothing/nowhere"] {
        assert!(
            hint(model).contains("give the path of a .gguf file"),
            "{}",
            hint(model)
        );
    }
}

#[test]
fn generate_takes_every_option_of_the_contract() {
    let (_folder, model) = model();
    let args = [
        "generate", "--model", &model, "--prompt", "hello", "--seed", "7",
    ];
    let with = |more: &[&str]| json(&[&args, more].concat());
    let drawn_on = |threads| {
        let sampling = ["--temperature", "0.9", "--top-k", "20", "--top-p", "0.9"];
        let size = ["--n", "2", "--max-new-tokens", "6", "--threads", threads];
        with(&[sampling, size].concat())
    };
    let drawn = drawn_on("1");
    assert_eq!(drawn.as_array().unwrap().len(), 2);
    for text in drawn.as_array().unwrap() {
        assert!(text["token_ids"].as_array().unwrap().len() <= 6);
    }
    let again = drawn_on("3");
    assert_eq!(
        again, drawn,
        "same seed, same texts, whatever the number of threads"
    );
    let greedy = |seed| {
        with(&[
            "--greedy",
            "--n",
            "1",
            "--max-new-tokens",
            "6",
            "--top-k",
            seed,
        ])
    };
    assert_eq!(greedy("1"), greedy("40"), "greedy draws nothing");
    // All greedy texts are the same, so there is one unless more are asked for.
    assert_eq!(with(&["--greedy"]).as_array().unwrap().len(), 1);
    let two = with(&["--greedy", "--n", "2"]);
    assert_eq!(two[0], two[1]);
}

/// As `| head` does.
#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
        .args(["logits", "--prompt", "hello", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(program.stdout.take());
    let output = program.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{error}");
}

#[test]
fn logits_has_no_prefix_and_one_score_per_token() {
    let (_folder, model) = model();
    let scores = json(&["logits", "--model", &model, "--prompt", "hello"]);
    assert_eq!(keys(&scores), ["logits", "token_ids"]);
    assert_eq!(scores["token_ids"], serde_json::json!([258, 111]));
    assert_eq!(scores["logits"].as_array().unwrap().len(), tiny::VOCAB_SIZE);
}

#[test]
fn tokenize_gives_ids_and_texts() {
    let (_folder, model) = model();
    let tokens = json(&[
        "tokenize",
        "--model",
        &model,
        "--text",
        "hell\u{e9}<|endoftext|>",
    ]);
    assert_eq!(
        tokens,
        serde_json::json!({
            "token_ids": [258, 0xC3, 0xA9, 260],
            "tokens": ["hell", "\u{FFFD}", "\u{FFFD}", "<|endoftext|>"],
        })
    );
    assert_eq!(
        json(&["tokenize", "--text", ""]),
        serde_json::json!({ "token_ids": [], "tokens": [] })
    );
}

#[test]
fn perplexity_is_over_documents_and_their_bytes() {
    let (folder, model) = model();
    let file = write(folder.path(), "t.txt", "hello\n\n\u{e9}\n".as_bytes());
    let result = json(&["perplexity", "--model", &model, "--text-file", &file]);
    assert_eq!(keys(&result), ["bits_per_byte", "nats_per_token", "tokens"]);
    assert_eq!(result["tokens"], 4, "hell o, and two bytes");
    let nats = result["nats_per_token"].as_f64().unwrap() * 4.0;
    let bits = nats / std::f64::consts::LN_2 / 7.0;
    assert!((result["bits_per_byte"].as_f64().unwrap() - bits).abs() < 1e-9);
    let long = write(folder.path(), "long.txt", "hello".repeat(100).as_bytes());
    let strided = json(&[
        "perplexity",
        "--model",
        &model,
        "--text-file",
        &long,
        "--stride",
        "16",
    ]);
    assert_eq!(strided["tokens"], 200);
}

#[test]
fn bench_measures_three_speeds_and_what_of_the_memorys_they_use() {
    let (_folder, model) = model();
    let speeds = json(&["bench", "--model", &model, "--threads", "2"]);
    assert_eq!(speeds["threads"], 2);
    assert_eq!(
        keys(&speeds),
        [
            "batch5_tokens_per_second",
            "decode_bytes_per_second",
            "decode_tokens_per_second",
            "prefill_tokens_per_second",
            "sum_bytes_per_second",
            "threads",
        ]
    );
    for (key, value) in speeds.as_object().unwrap() {
        assert!(value.as_f64().unwrap() > 0.0, "{key}");
    }
}

#[test]
fn text_for_people_names_the_model_and_the_seed() {
    let (_folder, model) = model();
    let output = huggingtweets(&[
        "generate", "--model", &model, "--prompt", "hello", "--seed", "3",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(
        text.contains("tiny.gguf") && text.contains("seed 3"),
        "{text}"
    );
}

#[test]
fn a_path_that_leads_to_no_model_says_so() {
    let (folder, model) = model();
    let path = folder.path();
    assert!(failure(&["bench", "--model", "/nowhere/x.gguf"]).contains("/nowhere/x.gguf"));
    let page = write(path, "page.gguf", b"<!DOCTYPE html><p>404");
    assert!(failure(&["generate", "--prompt", "a", "--model", &page]).contains("web page"));
    let llama =
        tiny::gguf(|m| m[0].1 = huggingtweets::weights::gguf::Value::String("llama".into()));
    let llama = write(path, "llama.gguf", &llama);
    assert!(failure(&["logits", "--prompt", "a", "--model", &llama]).contains("llama"));
    let cut = std::fs::read(&model).unwrap();
    let cut = write(path, "cut.gguf", &cut[..cut.len() / 2]);
    assert!(failure(&["tokenize", "--text", "a", "--model", &cut]).contains("ends at byte"));
    let empty = path.join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(failure(&["bench", "--model", empty.to_str().unwrap()]).contains("model.safetensors"));
}

#[test]
fn requests_that_cannot_be_met_say_so() {
    let (folder, model) = model();
    let generate = |more: &[&str]| {
        failure(&[&["generate", "--model", &model, "--prompt", "a"], more].concat())
    };
    assert!(generate(&["--top-p", "3"]).contains("`--top-p` is 3"));
    assert!(generate(&["--temperature", "-3"]).contains("`--temperature` is -3"));
    assert!(generate(&["--n", "11"]).contains("`--n` is 11"));
    assert!(generate(&["--max-new-tokens", "80"]).contains("80 tokens"));
    // The scores of tokens in the prompt become infinite, and the model is not at fault.
    for more in [
        &["--repetition-penalty", "1e-44"][..],
        &["--do-sample", "--temperature", "1e-44", "--num-beams", "2"],
    ] {
        let error = generate(&[more, &["--n", "1"]].concat());
        let is_named = ["`repetition_penalty`", "`temperature`"].map(|name| error.contains(name));
        assert!(is_named.contains(&true), "{error}");
        assert!(error.contains("closer to 1"), "{error}");
    }
    let long = "a".repeat(100_000);
    assert!(failure(&["generate", "--model", &model, "--prompt", &long]).contains("shorten"));
    assert!(failure(&["logits", "--model", &model, "--prompt", ""]).contains("empty"));
    let blank = write(folder.path(), "blank.txt", b"\n \n");
    let score = |file: &str| failure(&["perplexity", "--model", &model, "--text-file", file]);
    assert!(score(&blank).contains("no text"));
    assert!(score(&write(folder.path(), "l1.txt", b"caf\xE9")).contains("UTF-8"));
    assert!(score("/nowhere/t.txt").contains("/nowhere/t.txt"));
}

#[test]
fn what_is_passed_over_is_noted_once_on_standard_error() {
    let folder = model_folder(false);
    let path = folder.path();
    let stated =
        br#"{"top_k": -8, "do_sample": true, "guidance_scale": 2, "eos_token_id": [260, 900]}"#;
    write(path, "generation_config.json", stated);
    let (model, out) = (path.to_str().unwrap(), path.join("out.gguf"));
    let out = out.to_str().unwrap();
    for args in [
        &["generate", "--model", model, "--prompt", "a", "--json"][..],
        &["tokenize", "--model", model, "--text", "a", "--json"],
        &["quantize", model, out, "--json"],
        // The file tells what its own sources were.
        &["generate", "--model", out, "--prompt", "a", "--json"],
    ] {
        let output = huggingtweets(args);
        assert!(output.status.success(), "{args:?}");
        let _: Json = serde_json::from_slice(&output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let mut notes: Vec<&str> = error.lines().collect();
        notes.sort_unstable();
        let expected = [
            "note: generation_config.json: eos_token_id 900 is passed over, because the vocabulary has 261 tokens",
            "note: generation_config.json: guidance_scale 2 is passed over",
            "note: generation_config.json: top_k -8 is passed over",
        ];
        assert_eq!(notes, expected, "{args:?}");
    }
}

/// `transformers` refuses ids that no token has in these settings, and passes over them in the others.
#[test]
fn ids_beyond_the_vocabulary_are_told() {
    let (_folder, model) = model();
    let args = ["generate", "--model", &model, "--prompt", "a", "--n", "1"];
    let with = |flag: &'static str, value: &'static str| {
        let more = ["--max-new-tokens", "3", flag, value];
        [&args[..], &more].concat()
    };
    for (flag, value) in [
        ("--bad-words-ids", "[[1], [2, 261]]"),
        ("--sequence-bias", "[[[261], 1.0]]"),
        ("--forced-bos-token-id", "261"),
        ("--forced-eos-token-id", "[3, 261]"),
    ] {
        let error = failure(&with(flag, value));
        let name = flag.trim_start_matches("--").replace('-', "_");
        assert!(error.contains(&format!("`{name}` is 261")), "{error}");
        assert!(error.contains("token ids below 261"), "{error}");
    }
    for flag in [
        "--suppress-tokens",
        "--begin-suppress-tokens",
        "--eos-token-id",
    ] {
        let output = huggingtweets(&with(flag, "[261, 262]"));
        assert!(output.status.success(), "{flag}");
        let note = format!(
            "note: the command line: {flag} 261 is passed over, because the vocabulary has 261 tokens\n"
        );
        assert_eq!(String::from_utf8(output.stderr).unwrap(), note);
    }

    // What a file states never shuts its model; what remains of it counts, also in the GGUF made of it.
    let folder = model_folder(true);
    let path = folder.path();
    let stated = serde_json::json!({
        "bad_words_ids": [[97], [261], [2, 300]], "sequence_bias": [[[500], 1.0]], "suppress_tokens": [261],
        "begin_suppress_tokens": 261, "forced_bos_token_id": 261, "forced_eos_token_id": 261,
    });
    write(
        path,
        "generation_config.json",
        stated.to_string().as_bytes(),
    );
    let (model, out) = (path.to_str().unwrap(), path.join("out.gguf"));
    let out = out.to_str().unwrap();
    let notes = |args: &[&str]| {
        let output = huggingtweets(args);
        assert!(output.status.success(), "{args:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        for name in stated.as_object().unwrap().keys() {
            let id = if name == "sequence_bias" { 500 } else { 261 };
            let note = format!("note: generation_config.json: {name} {id} is passed over");
            assert_eq!(error.matches(&note).count(), 1, "{note}: {error}");
        }
    };
    notes(&["generate", "--prompt", "a", "--model", model]);
    notes(&["quantize", model, out, "--no-score"]);
    notes(&["generate", "--prompt", "a", "--model", out]);
}

#[test]
fn every_generation_setting_is_a_flag() {
    let (_folder, model) = model();
    let with = |more: &[&str]| {
        let args = [
            "generate",
            "--model",
            &model,
            "--prompt",
            "a",
            "--greedy",
            "--max-new-tokens",
            "6",
        ];
        json(&[&args, more].concat())
    };
    let plain = with(&[]);
    let first = plain[0]["token_ids"][0].to_string();
    let second = plain[0]["token_ids"][1].to_string();
    assert_ne!(
        with(&["--suppress-tokens", &first])[0]["token_ids"][0],
        plain[0]["token_ids"][0]
    );
    let ended = with(&["--eos-token-id", &second, "--min-length", "0"]);
    assert_eq!(ended[0]["token_ids"].as_array().unwrap().len(), 2);
    let beams = with(&["--num-beams", "3", "--n", "2", "--early-stopping", "never"]);
    assert_eq!(beams.as_array().unwrap().len(), 2);
    assert_ne!(beams[0], beams[1]);
    // As in transformers, a search that is asked for no number gives the best text.
    let best = with(&["--num-beams", "3", "--early-stopping", "never"]);
    assert_eq!(best.as_array().unwrap()[..], beams.as_array().unwrap()[..1]);
    let refused = |more: &[&str]| {
        failure(&[&["generate", "--model", &model, "--prompt", "a"], more].concat())
    };
    let few = refused(&["--num-beams", "2", "--n", "3"]);
    assert!(few.contains("--num-beams"), "{few}");
    let wrong = refused(&["--bad-words-ids", "[[1"]);
    assert!(wrong.contains("`--bad-words-ids` is [[1"), "{wrong}");
    assert_eq!(
        with(&["--return-full-text=false"])[0]["token_ids"],
        plain[0]["token_ids"]
    );
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &["generate"][..],
        &["generate", "--prompt", "a", "--seed", "x"],
        &["generate", "--prompt", "a", "--threads", "0"],
        &["nonsense"],
        &["perplexity"],
        &["quantize", "only-one"],
    ] {
        assert_eq!(huggingtweets(args).status.code(), Some(2), "{args:?}");
    }
}

/// The tiny model as a folder: the tensors of the GGUF under Hugging Face's names, tokenizer in either form.
fn model_folder(tokenizer_json: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut config = tiny::config().to_json();
    config["task_specific_params"] =
        serde_json::json!({ "text-generation": { "max_length": 33, "do_sample": true } });
    write(path, "config.json", config.to_string().as_bytes());
    write(path, "model.safetensors", &tiny::safetensors());
    let tokenizer = tiny::tokenizer();
    let vocab: serde_json::Map<String, Json> = tokenizer
        .tokens
        .iter()
        .enumerate()
        .map(|(id, token)| (token.clone(), id.into()))
        .collect();
    let merges = tokenizer.merges;
    if tokenizer_json {
        let json = serde_json::json!({
            "added_tokens": [{ "id": tiny::EOS, "content": "<|endoftext|>", "special": true }],
            "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true },
            "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true },
            "model": { "type": "BPE", "vocab": vocab, "merges": merges },
        });
        write(path, "tokenizer.json", json.to_string().as_bytes());
    } else {
        write(path, "vocab.json", Json::from(vocab).to_string().as_bytes());
        let text = format!("#version: 0.2\n{}\n", merges.join("\n"));
        write(path, "merges.txt", text.as_bytes());
    }
    folder
}

#[test]
fn a_folder_is_a_model_with_either_form_of_tokenizer() {
    let (_gguf, model) = model();
    let args = ["--prompt", "hello", "--seed", "3", "--max-new-tokens", "9"];
    let from = |model: &str| json(&[&["generate", "--model", model], &args[..]].concat());
    let folder = model_folder(true);
    let texts = from(folder.path().to_str().unwrap());
    assert_eq!(texts, from(model_folder(false).path().to_str().unwrap()));
    // The folder's own parameters have top_p 1 where the file without any has the bots' 0.95.
    let same = [&args[..], &["--top-p", "0.95"]].concat();
    let with = |model: &str| {
        json(
            &[
                &["generate", "--model", model, "--prefix", "<|endoftext|>"],
                &same[..],
            ]
            .concat(),
        )
    };
    assert_eq!(with(folder.path().to_str().unwrap()), with(&model));
}

#[test]
fn a_folder_with_a_gguf_opens_it_by_the_choice_of_the_page() {
    let folder = model_folder(true);
    let path = folder.path();
    let logits = |model: &Path| {
        let model = model.to_str().unwrap();
        json(&["logits", "--prompt", "hello", "--model", model])
    };
    let floats = logits(path);
    let quantize = |name: &str, dtype: &str| {
        let (model, out) = (path.to_str().unwrap(), path.join(name));
        json(&[
            "quantize",
            model,
            out.to_str().unwrap(),
            "--dtype",
            dtype,
            "--no-score",
        ]);
        out
    };
    // A type that is larger than the page asks for is taken only if there is nothing else.
    quantize("tiny.f32.gguf", "f32");
    assert_eq!(logits(path), floats);
    let q4_0 = quantize("tiny.Q4_0.gguf", "q4_0");
    assert_eq!(logits(path), logits(&q4_0));
    let q8_0 = quantize("tiny-q8_0.gguf", "q8_0");
    assert_ne!(logits(&q8_0), logits(&q4_0));
    assert_eq!(logits(path), logits(&q8_0));
    // And what is quantized is the best there is.
    let again = quantize("again.gguf", "q4_0");
    assert_eq!(std::fs::read(again).unwrap(), std::fs::read(&q4_0).unwrap());
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::remove_file(path.join(file)).unwrap();
    }
    assert_eq!(logits(path), logits(&q8_0));
}

#[test]
fn a_folder_without_one_of_its_files_names_it() {
    for (file, named) in [
        ("config.json", "config.json"),
        ("model.safetensors", "model.safetensors"),
        ("tokenizer.json", "tokenizer.json"),
    ] {
        let folder = model_folder(true);
        std::fs::remove_file(folder.path().join(file)).unwrap();
        let model = folder.path().to_str().unwrap();
        assert!(failure(&["generate", "--prompt", "a", "--model", model]).contains(named));
    }
}

#[test]
fn shards_are_read_and_an_index_cannot_lead_out_of_its_folder() {
    let folder = model_folder(true);
    let path = folder.path();
    std::fs::rename(
        path.join("model.safetensors"),
        path.join("part-1.safetensors"),
    )
    .unwrap();
    let index =
        |name: &str| serde_json::json!({ "weight_map": { "wte.weight": name } }).to_string();
    let model = path.to_str().unwrap();
    write(
        path,
        "model.safetensors.index.json",
        index("part-1.safetensors").as_bytes(),
    );
    json(&["logits", "--prompt", "a", "--model", model]);
    write(
        path,
        "model.safetensors.index.json",
        index("../part-1.safetensors").as_bytes(),
    );
    assert!(failure(&["logits", "--prompt", "a", "--model", model]).contains("index.json"));

    // transformers opens those of a folder inside of it too.
    std::fs::create_dir(path.join("sub")).unwrap();
    std::fs::rename(path.join("part-1.safetensors"), path.join("sub/part.st")).unwrap();
    write(
        path,
        "model.safetensors.index.json",
        index("sub/part.st").as_bytes(),
    );
    json(&["logits", "--prompt", "a", "--model", model]);
}

#[test]
fn a_tokenizer_of_sentence_piece_is_named_with_the_remedy() {
    let folder = model_folder(true);
    let from = folder.path().join("tokenizer.json");
    std::fs::rename(from, folder.path().join("sentencepiece.bpe.model")).unwrap();
    let model = folder.path().to_str().unwrap();
    let error = failure(&["tokenize", "--text", "a", "--model", model]);
    assert!(error.contains("sentencepiece.bpe.model"), "{error}");
    assert!(error.contains("save_pretrained"), "{error}");
}

fn utf16(text: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

/// What PowerShell writes, and a list where an object belongs.
#[test]
fn files_of_other_text_and_other_json_are_named_as_what_they_are() {
    for (file, is_needed) in [
        ("config.json", true),
        ("tokenizer.json", true),
        ("generation_config.json", false),
        ("tokenizer_config.json", false),
    ] {
        for is_list in [false, true] {
            let folder = model_folder(true);
            let model = folder.path().to_str().unwrap();
            let text = std::fs::read(folder.path().join(file)).unwrap_or(b"{}".to_vec());
            let (bytes, fact) = match is_list {
                true => (b"[1]".to_vec(), "it is a list, not an object"),
                false => (utf16(&text), "is UTF-16 text"),
            };
            write(folder.path(), file, &bytes);
            let args = ["tokenize", "--text", "a", "--model", model];
            let error = match is_needed {
                true => failure(&args),
                false => String::from_utf8(huggingtweets(&args).stderr).unwrap(),
            };
            assert!(error.contains(file) && error.contains(fact), "{error}");
            let remedy = if is_list { "again" } else { "UTF-8" };
            assert!(!is_needed || error.contains(remedy), "{error}");
        }
    }
    let folder = model_folder(false);
    let merges = std::fs::read(folder.path().join("merges.txt")).unwrap();
    write(folder.path(), "merges.txt", &utf16(&merges));
    let model = folder.path().to_str().unwrap();
    let error = failure(&["tokenize", "--text", "a", "--model", model]);
    assert!(error.contains("`merges.txt` is UTF-16 text"), "{error}");
}

/// As torch.load does, by the archive's directory.
#[test]
fn an_archive_of_pytorch_that_was_packed_again_is_the_same_model() {
    let folder = model_folder(true);
    let path = folder.path();
    let model = path.to_str().unwrap();
    let logits = || json(&["logits", "--prompt", "hello", "--model", model]);
    let quantized = || {
        let out = path.join("out.gguf");
        json(&["quantize", model, out.to_str().unwrap(), "--no-score"]);
        let file = std::fs::read(&out).unwrap();
        std::fs::remove_file(out).unwrap();
        file
    };
    let (expected, expected_file) = (logits(), quantized());
    let safetensors = std::fs::read(path.join("model.safetensors")).unwrap();
    std::fs::remove_file(path.join("model.safetensors")).unwrap();
    let entries = pickled::entries(&pytorch_model(&safetensors));
    let reversed: Vec<_> = entries.iter().rev().collect();
    let inner: Vec<_> = entries[1..].iter().chain(&entries[..1]).collect();
    for is_wide in [false, true] {
        for order in [&reversed, &inner] {
            write(path, "pytorch_model.bin", &pickled::packed(order, is_wide));
            assert_eq!(logits(), expected);
            assert!(quantized() == expected_file);
        }
    }
    // Without a directory that can be followed it is refused, as it is while it arrives.
    let mut damaged = pickled::packed(&reversed, false);
    let end = damaged.len() - 22;
    damaged[end + 16..end + 20].copy_from_slice(&[0xfe; 4]);
    write(path, "pytorch_model.bin", &damaged);
    let error = failure(&["logits", "--prompt", "a", "--model", model]);
    assert!(error.contains("numbers before their names"), "{error}");
}

/// The tensors of a safetensors file as PyTorch's.
fn pytorch_model(safetensors: &[u8]) -> Vec<u8> {
    let file = safetensors::SafeTensors::deserialize(safetensors).unwrap();
    let tensors = file.tensors();
    let named: Vec<_> = tensors
        .iter()
        .map(|(name, tensor)| (name.clone(), tensor.shape().to_vec()))
        .collect();
    let mut bytes = Vec::new();
    pickled::write(&named, |i, out| out(tensors[i].1.data()), &mut |piece| {
        bytes.extend_from_slice(piece);
    });
    bytes
}

#[test]
fn a_folder_with_pytorchs_file_alone_is_the_same_model() {
    let folder = model_folder(true);
    let path = folder.path();
    let model = path.to_str().unwrap();
    let args = ["--prompt", "hello", "--seed", "3", "--max-new-tokens", "9"];
    let texts = || json(&[&["generate", "--model", model], &args[..]].concat());
    let quantized = || {
        let out = path.join("out.gguf");
        json(&["quantize", model, out.to_str().unwrap()]);
        std::fs::read(out).unwrap()
    };
    let (expected, expected_file) = (texts(), quantized());
    let safetensors = std::fs::read(path.join("model.safetensors")).unwrap();
    std::fs::remove_file(path.join("model.safetensors")).unwrap();
    write(path, "pytorch_model.bin", &pytorch_model(&safetensors));
    assert_eq!(texts(), expected);
    assert!(quantized() == expected_file);

    // And in shards.
    std::fs::rename(path.join("pytorch_model.bin"), path.join("part-1.bin")).unwrap();
    let index = serde_json::json!({ "weight_map": { "wte.weight": "part-1.bin" } }).to_string();
    write(path, "pytorch_model.bin.index.json", index.as_bytes());
    assert_eq!(texts(), expected);

    // The beginning of a file from before PyTorch 1.6.
    let cut = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    write(path, "part-1.bin", cut);
    let error = failure(&["logits", "--prompt", "a", "--model", model]);
    assert!(error.contains("ends at byte"), "{error}");
}

#[test]
fn quantize_writes_a_file_that_generates() {
    let folder = model_folder(true);
    let model = folder.path().to_str().unwrap();
    let out = folder.path().join("out.gguf");
    let out = out.to_str().unwrap();
    for dtype in ["q8_0", "q4_0", "q4_k", "q6_k", "f16", "f32"] {
        let result = json(&["quantize", model, out, "--dtype", dtype]);
        assert_eq!(
            keys(&result),
            ["after", "before", "bytes", "errors", "max_error", "tensors"]
        );
        assert_eq!(result["tensors"], 28);
        assert_eq!(result["bytes"], std::fs::metadata(out).unwrap().len());
        let texts = json(&[
            "generate", "--model", out, "--prompt", "hello", "--seed", "1",
        ]);
        assert_eq!(texts.as_array().unwrap().len(), 5);
    }
    // Without the reading there is all the rest.
    let result = json(&["quantize", model, out, "--dtype", "f32", "--no-score"]);
    assert_eq!(keys(&result), ["bytes", "errors", "max_error", "tensors"]);
    // Float weights survive as they are, defaults and tokenizer with them.
    let args = ["--prompt", "hello", "--seed", "1"];
    let from = |model: &str| json(&[&["generate", "--model", model], &args[..]].concat());
    assert_eq!(from(out), from(model));
    // And a GGUF can be quantized again.
    let again = folder.path().join("again.gguf");
    json(&["quantize", out, again.to_str().unwrap(), "--dtype", "q8_0"]);
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn quantize_tells_each_tensors_error_and_what_the_model_makes_of_a_text_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.gguf");
    let out = out.to_str().unwrap();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/bundled.gguf");
    let mut after = Vec::new();
    for (dtype, rms) in [("q6_k", 0.001), ("q8_0", 0.03), ("q4_0", 0.12)] {
        let result = json(&["quantize", model, out, "--dtype", dtype]);
        let errors = result["errors"].as_array().unwrap();
        // Two embeddings, the last norm's two vectors, and twelve of each of fourteen blocks.
        assert_eq!(errors.len(), 4 + 12 * 14);
        for error in errors {
            assert_eq!(keys(error), ["dtype", "max_error", "name", "rms_error"]);
            let rms_error = error["rms_error"].as_f64().unwrap();
            // What was Q6_K before is that again; vectors and positions stay F32.
            let is_exact = error["dtype"] == "F32" || dtype == "q6_k";
            let range = if is_exact { 0.0..1e-6 } else { rms / 10.0..rms };
            assert!(range.contains(&rms_error), "{error} as {dtype}");
            assert!(error["max_error"].as_f64().unwrap() <= result["max_error"].as_f64().unwrap());
        }
        let bits = |when: &str| result[when]["bits_per_byte"].as_f64().unwrap();
        assert_eq!(result["before"]["dtype"], "q6_k");
        assert_eq!(result["after"]["dtype"], dtype);
        assert!((1.8..1.9).contains(&bits("before")), "{}", bits("before"));
        after.push(bits("after") - bits("before"));
        eprintln!("{dtype}: {} and {}", bits("before"), bits("after"));
    }
    // The same, nearly the same, worse.
    let [same, near, worse] = after[..] else {
        panic!("{after:?}")
    };
    assert!(same == 0.0 && near.abs() < 0.005, "{after:?}");
    assert!(worse > 0.005 && worse > 2.0 * near.abs(), "{after:?}");

    let text = huggingtweets(&["quantize", model, out, "--dtype", "q4_k"]).stdout;
    let text = String::from_utf8(text).unwrap();
    for line in ["blk.5.ffn_down.weight", "before Q6_K", "after  Q4_K"] {
        assert!(text.contains(line), "{text}");
    }
}

/// Names of partial files in a folder.
fn leftovers(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect()
}

#[test]
fn quantize_to_a_type_that_does_not_fit_names_the_smaller_one_once_at_the_end() {
    let folder = model_folder(true);
    let model = folder.path().to_str().unwrap();
    let out = folder.path().join("out.gguf");
    let out = out.to_str().unwrap();
    let hints = |dtype: &str| {
        let output = huggingtweets(&["quantize", model, out, "--dtype", dtype, "--no-score"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let n = lines.iter().filter(|line| line.contains("--dtype")).count();
        let is_last = lines.last().unwrap().starts_with("hint: ");
        (n, is_last, std::fs::metadata(out).unwrap().len())
    };
    // Rows of 32 fit the blocks of Q4_0, not those of Q4_K.
    let (n, is_last, wanted) = hints("q4_k");
    assert_eq!((n, is_last), (1, true));
    let (n, is_last, smaller) = hints("q4_0");
    assert_eq!((n, is_last), (0, false));
    assert!(smaller < wanted);
}

#[test]
fn quantize_notes_a_tokenizer_that_llama_cpp_reads_otherwise() {
    let folder = model_folder(true);
    let path = folder.path();
    let (model, out) = (path.to_str().unwrap(), path.join("out.gguf"));
    let out = out.to_str().unwrap();
    let notes = |args: &[&str]| {
        let output = huggingtweets(args);
        assert!(output.status.success(), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let quantize = || notes(&["quantize", model, out, "--no-score", "--force"]);
    assert_eq!(quantize(), "");
    write(
        path,
        "tokenizer_config.json",
        b"{\"add_prefix_space\": true}",
    );
    let note = quantize();
    assert!(note.starts_with("note: the GGUF: llama.cpp"), "{note}");
    assert_eq!(note.lines().count(), 1, "{note}");
    // It matters to llama.cpp alone.
    assert_eq!(notes(&["generate", "--prompt", "a", "--model", out]), "");
}

#[test]
fn quantize_leaves_nothing_half_written() {
    let folder = model_folder(true);
    let path = folder.path();
    let model = path.to_str().unwrap();
    let out = path.join("old.gguf");
    let out = out.to_str().unwrap();
    json(&["quantize", model, out, "--no-score"]);
    let before = std::fs::read(out).unwrap();
    // The last tensor is cut off: the failure comes in the middle of writing.
    let whole = std::fs::read(path.join("model.safetensors")).unwrap();
    let mut damaged = whole.clone();
    let at = whole.len() - 8;
    damaged[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    write(path, "model.safetensors", &damaged);
    assert!(failure(&["quantize", model, out]).contains("not finite"));
    assert_eq!(std::fs::read(out).unwrap(), before);
    write(path, "model.safetensors", &whole[..whole.len() - 8]);
    assert!(failure(&["quantize", model, out]).contains("ends at byte"));
    assert_eq!(std::fs::read(out).unwrap(), before);
    assert!(failure(&["quantize", model, "/nowhere/x.gguf"]).contains("/nowhere/x.gguf"));
    assert_eq!(leftovers(path), Vec::<String>::new());
}

#[test]
fn quantize_replaces_no_file_but_its_own_result_unless_it_is_forced() {
    let folder = model_folder(true);
    let path = folder.path();
    let model = path.to_str().unwrap();
    let refused = |out: &str, words: &str| {
        let before = std::fs::read(path.join(out)).ok();
        let out_path = path.join(out);
        for force in [&[][..], &["--force"]] {
            let is_forced = !force.is_empty();
            if is_forced && words.contains("there already") {
                continue;
            }
            let args = [&["quantize", model, out_path.to_str().unwrap()][..], force].concat();
            let error = failure(&args);
            assert!(error.contains(words), "{out}: {error}");
        }
        assert_eq!(std::fs::read(path.join(out)).ok(), before, "{out}");
    };
    for name in [
        "model.safetensors",
        "config.json",
        "x.bin",
        "notes.txt",
        "new",
    ] {
        refused(name, "ends in .gguf");
    }
    write(path, "notes.gguf", b"what was there before");
    refused("notes.gguf", "there already");
    // Another program's GGUF has no parameters under our keys.
    write(path, "other.gguf", &tiny::gguf(|_| {}));
    refused("other.gguf", "there already");
    let occupied = path.join("folder.gguf");
    std::fs::create_dir(&occupied).unwrap();
    assert!(failure(&["quantize", model, occupied.to_str().unwrap()]).contains("folder"));

    let out = path.join("out.gguf");
    let out = out.to_str().unwrap();
    let quantize = |input: &str, more: &[&str]| {
        let args = ["quantize", input, out, "--no-score"];
        json(&[&args, more].concat());
        std::fs::read(out).unwrap()
    };
    let q8_0 = quantize(model, &[]);
    let q4_0 = quantize(model, &["--dtype", "q4_0"]);
    assert_ne!(q8_0, q4_0);
    // An input is no result, even if it was one once.
    assert!(failure(&["quantize", out, out]).contains("model that is read"));
    #[cfg(unix)]
    {
        let link = path.join("link.gguf");
        std::os::unix::fs::symlink(out, &link).unwrap();
        assert!(failure(&["quantize", out, link.to_str().unwrap()]).contains("model that is read"));
    }
    assert_eq!(std::fs::read(out).unwrap(), q4_0);
    quantize(out, &["--dtype", "q8_0", "--force"]);
    write(path, "out.gguf", b"what was there before");
    assert_eq!(quantize(model, &["--force"]), q8_0);
    assert_eq!(leftovers(path), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_result_may_be_read_by_whoever_may_read_any_new_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = model_folder(true);
    let path = folder.path();
    let out = path.join("out.gguf");
    json(&[
        "quantize",
        path.to_str().unwrap(),
        out.to_str().unwrap(),
        "--no-score",
    ]);
    let plain = write(path, "plain", b"");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&out), mode(Path::new(&plain)));
}

#[test]
fn forcing_a_model_to_replace_itself_scores_it_before_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.gguf");
    std::fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/bundled.gguf"),
        &model,
    )
    .unwrap();
    let model = model.to_str().unwrap();
    let result = json(&["quantize", model, model, "--dtype", "q4_0", "--force"]);
    assert_eq!(result["before"]["dtype"], "q6_k");
    assert_eq!(result["after"]["dtype"], "q4_0");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    // A limit on file size stands in for the full disk: the same write fails in the same place.
    let folder = model_folder(true);
    let out = folder.path().join("out.gguf");
    let script = format!(
        "trap '' XFSZ; ulimit -f 8; exec {} quantize {} {}",
        env!("CARGO_BIN_EXE_huggingtweets"),
        folder.path().display(),
        out.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("cannot write") && error.contains("free space"),
        "{error}"
    );
    assert!(!out.exists());
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

/// A pipe would be waited for, and a device replaced by the result.
#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_neither_read_nor_replaced() {
    let (folder, model) = model();
    let pipe = folder.path().join("pipe.gguf");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let pipe = pipe.to_str().unwrap();
    let read = failure(&["generate", "--model", pipe, "--prompt", "a"]);
    assert!(read.contains("is neither a file nor a folder"), "{read}");
    for force in [&[][..], &["--force"]] {
        let written = failure(&[&["quantize", &model, pipe][..], force].concat());
        assert!(written.contains("it is not a regular file"), "{written}");
    }
}

#[test]
fn an_adapter_beside_the_model_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/repositories/safetensors-f32");
    for entry in std::fs::read_dir(fixture).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    write(
        folder.path(),
        "adapter_config.json",
        b"{\"peft_type\": \"LORA\"}",
    );
    let args = [
        "generate",
        "--model",
        folder.path().to_str().unwrap(),
        "--prompt",
        "a",
    ];
    let output = huggingtweets(&args);
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    assert!(
        notes.contains("note: adapter_config.json: the adapter (LoRA)"),
        "{notes}"
    );
}
