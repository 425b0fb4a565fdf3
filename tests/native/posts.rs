//! The commands on people's posts: `clean`, `dataset` and `card write`, with the JSON and the exit codes of the contract.

use crate::support::program::huggingtweets;
use std::path::Path;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

fn export(name: &str) -> String {
    format!("{}/posts/tests/exports/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What must be read from each export, by its name.
fn expected() -> serde_json::Map<String, Json> {
    let bytes = std::fs::read(export("expected.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The document that `--json` prints. Notes on standard error are allowed.
fn json(args: &[&str]) -> Json {
    let output = huggingtweets(&[args, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The error and the hint of a failure with exit status 1.
fn failure(args: &[&str]) -> String {
    let output = huggingtweets(args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
    assert!(output.stdout.is_empty(), "{args:?}");
    assert!(
        error.contains("error: ") && error.contains("\nhint: "),
        "{error}"
    );
    error
}

/// A text of `n` posts of 100 characters.
fn text_file(folder: &Path, name: &str, n: usize) -> String {
    let lines: String = (0..n)
        .map(|i| format!("{:<99}.\n", format!("post number {i}")))
        .collect();
    let lines = lines.replace("  ", " x");
    let path = folder.join(name);
    std::fs::write(&path, lines).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn clean_prints_each_exports_account_with_its_counts_and_tweets() {
    for (file, expected) in expected() {
        let cleaned = json(&["clean", &export(&file)]);
        let [account] = cleaned.as_array().unwrap().as_slice() else {
            panic!("{file}: {cleaned}");
        };
        let keys: Vec<&str> = account
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut sorted = [
            "name",
            "handle",
            "downloaded",
            "retweets",
            "short",
            "kept",
            "tweets",
        ];
        sorted.sort_unstable();
        let mut keys_sorted = keys.clone();
        keys_sorted.sort_unstable();
        assert_eq!(keys_sorted, sorted, "{file}");
        for key in ["downloaded", "retweets", "short", "kept", "tweets"] {
            assert_eq!(account[key], expected[key], "{file}: {key}");
        }
        for key in ["name", "handle"] {
            match &expected[key] {
                // Nothing in the file says whose posts they are.
                Json::Null => assert!(!account[key].as_str().unwrap().is_empty(), "{file}"),
                stated => assert_eq!(&account[key], stated, "{file}"),
            }
        }
    }
}

#[test]
fn clean_reads_an_unpacked_folder_as_its_zip() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("some folder/data");
    std::fs::create_dir_all(data.join("tweets_media")).unwrap();
    let tweets = std::fs::read(export("tweets.js")).unwrap();
    std::fs::write(data.join("tweets.js"), tweets).unwrap();
    std::fs::write(data.join("deleted-tweets.js"), "broken").unwrap();
    let account = r#"window.YTD.account.part0 = [{"account":{"username":"Ada_Testwell","accountDisplayName":"Ada"}}]"#;
    std::fs::write(data.join("account.js"), account).unwrap();
    let path = folder.path().to_str().unwrap();
    let cleaned = json(&["clean", path]);
    let whole = json(&["clean", &export("x_2020.zip")]);
    assert_eq!(cleaned[0]["tweets"], whole[0]["tweets"]);
    assert_eq!(cleaned[0]["handle"], "ada_testwell");
    assert_eq!(cleaned[0]["name"], "Ada");
}

#[test]
fn accounts_stand_in_the_order_of_input_and_none_twice() {
    let files = [
        export("mastodon.zip"),
        export("plain.txt"),
        export("texts.json"),
    ];
    let cleaned = json(&["clean", &files[0], &files[1], &files[2]]);
    let handles: Vec<&Json> = (0..3).map(|i| &cleaned[i]["handle"]).collect();
    assert_eq!(handles, ["ada_testwell", "plain", "texts"]);
    let error = failure(&["clean", &export("x_2020.zip"), &export("x_2019_root.zip")]);
    assert!(error.contains("@ada_testwell"), "{error}");
}

#[test]
fn clean_for_people_is_the_table_of_the_card() {
    let output = huggingtweets(&["clean", &export("x_2020.zip")]);
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(row("Tweets downloaded").ends_with(" 10"), "{text}");
    assert!(row("Retweets").ends_with(" 1"), "{text}");
    assert!(row("Short tweets").ends_with(" 2"), "{text}");
    assert!(row("Tweets kept").ends_with(" 7"), "{text}");
    assert!(row("Data").contains("Ada Testwell"), "{text}");
}

#[test]
fn dataset_writes_the_text_that_its_json_describes() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        text_file(folder.path(), "ada.txt", 500),
        text_file(folder.path(), "bob.txt", 120),
    ];
    let out = folder.path().join("text.txt");
    let out_arg = out.to_str().unwrap();
    let args = [
        "dataset", &files[0], &files[1], "--seed", "42", "--out", out_arg,
    ];
    let result = json(&args);
    let text = std::fs::read_to_string(&out).unwrap();
    let hash = base16ct::lower::encode_string(&Sha256::digest(text.as_bytes()));
    assert_eq!(
        result,
        json!({ "seed": 42, "characters": text.chars().count(), "posts": 620, "sha256": hash })
    );
    // Ada's posts four times, Bob's as many characters.
    assert_eq!(text.split("<|endoftext|>").count(), 2 + 8 * 500);
    assert_eq!(json(&args), result);
    let mut other = args;
    other[4] = "43";
    assert_ne!(json(&other)["sha256"], result["sha256"]);
}

#[test]
fn dataset_refuses_too_little_text_with_the_accounts_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let file = text_file(folder.path(), "ada.txt", 50);
    let out = folder.path().join("text.txt");
    let out = out.to_str().unwrap();
    let error = failure(&["dataset", &file, "--seed", "1", "--out", out]);
    // 50 posts of 100 characters and 49 separators of 13.
    assert!(
        error.contains("5637 characters") && error.contains("50 are kept"),
        "{error}"
    );
    assert!(
        std::fs::read_dir(folder.path()).unwrap().count() == 1,
        "something was written"
    );
    let output = huggingtweets(&[
        "dataset",
        &file,
        "--seed",
        "1",
        "--out",
        out,
        "--little-text",
    ]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("40000"));
}

#[test]
fn dataset_keeps_posts_apart_and_records_what_was_made_of_what() {
    let folder = tempfile::tempdir().unwrap();
    let file = text_file(folder.path(), "ada.txt", 500);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let result = json(&[
        "dataset",
        &file,
        "--seed",
        "5",
        "--epochs",
        "2",
        "--out",
        &path("train.json"),
        "--validation",
        "0.1",
        "--validation-out",
        &path("valid.json"),
        "--record",
        &path("record.json"),
        "--consent",
        "agreed",
    ]);
    let read = |name: &str| -> Json {
        serde_json::from_slice(&std::fs::read(path(name)).unwrap()).unwrap()
    };
    let (train, valid, record) = (read("train.json"), read("valid.json"), read("record.json"));
    assert_eq!(train.as_array().unwrap().len(), 900);
    let valid = valid.as_array().unwrap();
    assert_eq!(valid.len(), 50);
    assert!(
        valid
            .iter()
            .all(|post| !train.as_array().unwrap().contains(post))
    );
    assert_eq!(record["run"]["config"]["consent"], "agreed");
    assert_eq!(record["run"]["config"]["dataset"]["seed"], 5);
    assert_eq!(record["run"]["counts"][0]["kept"], 500);
    assert_eq!(record["artifacts"][1]["sha256"], result["sha256"]);
    assert_eq!(record["run"]["outputs"], json!(["dataset-ada:v0"]));
}

#[test]
fn card_write_is_the_inverse_of_card_read() {
    let folder = tempfile::tempdir().unwrap();
    let facts = json!({
        "generation": 4, "label": "AI CYBORG", "names": ["Ada 🧪", "Bob | Co"], "handle": "ada-bob", "handles": ["ada", "bob"],
        "avatars": ["https://e.example/a.jpg", "https://e.example/b.jpg"], "thumbnail": "https://e.example/t.png",
        "table": [
            { "name": "Ada 🧪", "downloaded": 10, "retweets": 1, "short": 2, "kept": 7 },
            { "name": "Bob | Co", "downloaded": 20, "retweets": 3, "short": 4, "kept": 13 },
        ],
        "links": { "data": "https://e.example/runs/aaaaaaaa/artifacts", "training": "https://e.example/runs/bbbbbbbb", "model": "https://e.example/runs/bbbbbbbb/artifacts" },
        "widget": ["My dream is"],
    });
    let bot = folder.path().join("bot.json");
    std::fs::write(&bot, facts.to_string()).unwrap();
    let bot = bot.to_str().unwrap();
    for extra in [&[][..], &["--as-original"]] {
        let output = huggingtweets(&[&["card", "write", bot], extra].concat());
        assert!(output.status.success());
        let card = folder.path().join("README.md");
        std::fs::write(&card, &output.stdout).unwrap();
        assert_eq!(json(&["card", "read", card.to_str().unwrap()]), facts);
        let as_json = json(&[&["card", "write", bot], extra].concat());
        assert_eq!(as_json.as_str().unwrap().as_bytes(), output.stdout);
    }
    let error = failure(&["card", "write", &export("plain.txt")]);
    assert!(error.contains("card read"), "{error}");
}

#[test]
fn exports_that_cannot_be_read_say_so_and_partial_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let whole = std::fs::read(export("api.json")).unwrap();
    let cut = write("cut.json", &whole[..whole.len() / 2]);
    let error = failure(&["clean", &cut]);
    assert!(
        error.contains("ends in the middle") && error.contains("--partial"),
        "{error}"
    );
    let partial = json(&["clean", &cut, "--partial"]);
    let n = partial[0]["downloaded"].as_u64().unwrap();
    assert!((2..11).contains(&n), "{n}");
    failure(&["clean", &write("page.html", b"<!doctype html>")]);
    failure(&["clean", &write("empty.txt", b"")]);
    failure(&[
        "clean",
        &folder.path().join("missing.zip").to_string_lossy(),
    ]);
    let text = text_file(folder.path(), "ada.txt", 500);
    let error = failure(&["dataset", &text, "--seed", "1", "--out", &text]);
    assert!(error.contains("read from"), "{error}");
    for args in [
        &["clean"][..],
        &["dataset", &text, "--out", "x"],
        &["dataset", &text, "--seed", "-1", "--out", "x"],
        &["card", "write"],
        &["clean", &text, "--from", "yesterday"],
    ] {
        assert_eq!(huggingtweets(args).status.code(), Some(2), "{args:?}");
    }
}
