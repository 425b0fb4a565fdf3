//! Records of stored models are read back, those of earlier builds too, and nothing else is taken for a record.

use huggingtweets::hub::{Dtype, Endpoint, ModelRef};
use huggingtweets::store::{ArtifactRecord, Checksum, Download, RecordError, storage_key};
use serde_json::json;

fn model(text: &str) -> ModelRef {
    ModelRef::parse(text, &Endpoint::default(), Dtype::Auto).unwrap()
}

fn bot() -> ModelRef {
    model("huggingtweets/jen_122")
}

#[test]
fn a_record_comes_back_as_it_was() {
    let mut record = ArtifactRecord::new(bot());
    assert!(!record.is_complete());
    assert_eq!(
        ArtifactRecord::from_json(&record.to_json()),
        Ok(Some(record.clone()))
    );
    record.download = Some(Download {
        files: "00ff".to_owned(),
        loaded: 30_000_000,
        total: Some(510_000_000),
        validator: Some("\"abc\"".to_owned()),
        checksum: Some(Checksum::default().state()),
        journal: json!({ "fingerprint": u64::MAX }),
    });
    record.card = Some("# @jen".to_owned());
    assert_eq!(
        ArtifactRecord::from_json(&record.to_json()),
        Ok(Some(record.clone()))
    );
    record.complete(1234, Some("00".repeat(32)));
    assert!(record.is_complete());
    assert!(record.has_length(1234) && !record.has_length(1233) && !record.has_length(0));
    assert_eq!(
        ArtifactRecord::from_json(&record.to_json()),
        Ok(Some(record))
    );
}

/// A record as builds before `ModelRef` wrote it, with the key that they filed it under.
struct Earlier {
    key: &'static str,
    origin: &'static str,
    model: ModelRef,
}

fn earlier() -> Vec<Earlier> {
    let mirror: Endpoint = "http://127.0.0.1:9/hub".parse().unwrap();
    let of_mirror = |text: &str, dtype| ModelRef::parse(text, &mirror, dtype).unwrap();
    vec![
        Earlier {
            key: "9ab81d333ddfe87c1834be13f0a1c36d",
            origin: r#"{"model":"huggingtweets/jen_122","endpoint":"https://huggingface.co","file":null,"dtype":"auto"}"#,
            model: bot(),
        },
        Earlier {
            key: "b2cee6f1e3a7636ae4750f7a78b8689b",
            origin: r#"{"model":"me/bot","endpoint":"http://127.0.0.1:9/hub","file":"a/x.Q8_0.gguf","dtype":"q4_k"}"#,
            model: of_mirror(
                "http://127.0.0.1:9/hub/me/bot/resolve/main/a/x.Q8_0.gguf",
                Dtype::Q4K,
            ),
        },
        Earlier {
            key: "232a813aa416ff925e691caa0723c609",
            origin: r#"{"model":"https://example.org/x.gguf?download=true","endpoint":null,"file":null,"dtype":"auto"}"#,
            model: model("https://example.org/x.gguf?download=true"),
        },
        Earlier {
            key: "e59581909bbafd05314f4fbae6efe9d8",
            origin: r#"{"model":"https://example.org/models/tiny/","endpoint":null,"file":null,"dtype":"q8_0"}"#,
            model: ModelRef {
                dtype: Dtype::Q8_0,
                ..model("https://example.org/models/tiny/config.json")
            },
        },
        Earlier {
            key: "2c67ed80181d09eb516991755bdf5bc6",
            origin: r#"{"model":"models/x.gguf","endpoint":null,"file":null,"dtype":"auto"}"#,
            model: model("models/x.gguf"),
        },
    ]
}

#[test]
fn records_and_keys_of_earlier_builds_stay_valid() {
    for Earlier { key, origin, model } in earlier() {
        let part = r#"{"files":"00ff","loaded":3,"total":null,"validator":null,"checksum":null,"journal":null}"#;
        for part in ["null", part] {
            let json = format!(
                r##"{{"v":1,"origin":{origin},"name":"{}","card":"# @jen","part":{part}}}"##,
                model.name()
            );
            let record = ArtifactRecord::from_json(&json).unwrap().unwrap();
            assert_eq!(record.model, model);
            assert_eq!(record.is_complete(), part == "null");
            assert!(record.has_length(7), "without a known length any will do");
            assert_eq!(record.to_json(), json, "the same form is written");
        }
        assert_eq!(storage_key(&model), key, "{origin}");
    }
}

#[test]
fn every_model_has_a_key_of_its_own_that_is_a_plain_file_name() {
    let mirror = "http://localhost:8080".parse().unwrap();
    let models = [
        bot(),
        model("huggingtweets/jen_1222"),
        ModelRef {
            endpoint: mirror,
            ..bot()
        },
        model("https://huggingface.co/huggingtweets/jen_122/resolve/main/q8_0.gguf"),
        ModelRef {
            dtype: Dtype::Q4_0,
            ..bot()
        },
        model("https://example.org/huggingtweets/jen_122"),
    ];
    let keys: Vec<String> = models.iter().map(storage_key).collect();
    for (i, key) in keys.iter().enumerate() {
        assert!(
            key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit()),
            "{key}"
        );
        assert!(!keys[..i].contains(key));
    }
    assert_eq!(keys[0], storage_key(&bot()));
}

#[test]
fn other_texts_are_no_records_and_one_that_cannot_be_used_is_an_error() {
    let text = ArtifactRecord::new(bot()).to_json();
    let unnumbered = text.replacen("\"v\":1", "\"w\":1", 1);
    assert_ne!(unnumbered, text);
    let half = &text[..text.len() / 2];
    for bad in [unnumbered.as_str(), half, "", "[]", "null", "{\"v\":1}"] {
        assert_eq!(ArtifactRecord::from_json(bad), Ok(None), "{bad}");
    }
    for other in [text.replacen("\"v\":1", "\"v\":2", 1).as_str(), "{\"v\":2}"] {
        let refused = Err(RecordError::OtherVersion { version: 2 });
        assert_eq!(ArtifactRecord::from_json(other), refused, "{other}");
    }
    let nameless = text.replacen("huggingtweets/jen_122", "ftp://nowhere", 1);
    assert_eq!(
        ArtifactRecord::from_json(&nameless),
        Err(RecordError::NoModel),
        "the bytes of a record are not to be taken for bytes without a record"
    );
}

#[test]
fn a_checksum_resumed_anywhere_is_the_checksum_of_the_whole() {
    let bytes: Vec<u8> = (0..1000_u32).map(|i| (i * i % 251) as u8).collect();
    let mut whole = Checksum::default();
    whole.update(&bytes);
    let whole = whole.finish();
    for cut in [0, 1, 63, 64, 65, 500, 999, 1000] {
        let mut first = Checksum::default();
        first.update(&bytes[..cut]);
        let mut second = Checksum::resume(&first.state()).unwrap();
        second.update(&bytes[cut..]);
        assert_eq!(second.finish(), whole, "cut at {cut}");
    }
    // The example of FIPS 180-4.
    let mut abc = Checksum::default();
    abc.update(b"abc");
    assert_eq!(
        abc.finish(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_damaged_state_is_refused() {
    let state = Checksum::default().state();
    for bad in ["", "00", "zz", &state[2..], &format!("{state}00")] {
        assert!(Checksum::resume(bad).is_none(), "{bad}");
    }
}

#[test]
fn a_model_at_an_address_is_the_same_whichever_endpoint_the_page_has() {
    let mirror: Endpoint = "https://mirror.example/hub".parse().unwrap();
    for text in [
        "https://example.org/x.gguf",
        "https://example.org/models/tiny/",
    ] {
        let model = ModelRef::parse(text, &mirror, Dtype::Auto).unwrap();
        let record = ArtifactRecord::new(model.clone());
        let read = ArtifactRecord::from_json(&record.to_json())
            .unwrap()
            .unwrap();
        assert_eq!(read.model, model, "{text}");
    }
}
