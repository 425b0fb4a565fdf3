//! What is remembered of a kept model survives storage, and nothing else is taken for it.

use huggingtweets::store::{Checksum, KeptModel, Origin, OtherVersion, Part};
use serde_json::json;

fn origin() -> Origin {
    Origin {
        model: "huggingtweets/jen_122".to_owned(),
        endpoint: Some("https://huggingface.co".to_owned()),
        file: None,
        dtype: "auto".to_owned(),
    }
}

#[test]
fn a_record_comes_back_as_it_was() {
    let mut kept = KeptModel::new(origin(), "huggingtweets/jen_122".to_owned());
    assert!(!kept.is_whole());
    assert_eq!(
        KeptModel::from_json(&kept.to_json()),
        Ok(Some(kept.clone()))
    );
    kept.part = Some(Part {
        files: "00ff".to_owned(),
        loaded: 30_000_000,
        total: Some(510_000_000),
        validator: Some("\"abc\"".to_owned()),
        checksum: Some(Checksum::default().state()),
        journal: json!({ "fingerprint": u64::MAX }),
    });
    kept.card = Some("# @jen".to_owned());
    assert_eq!(
        KeptModel::from_json(&kept.to_json()),
        Ok(Some(kept.clone()))
    );
    kept.part = None;
    assert!(kept.is_whole());
    assert_eq!(KeptModel::from_json(&kept.to_json()), Ok(Some(kept)));
}

#[test]
fn what_is_no_record_is_none_and_one_of_another_version_is_told() {
    let text = KeptModel::new(origin(), String::new()).to_json();
    let unnumbered = text.replacen("\"v\":1", "\"w\":1", 1);
    assert_ne!(unnumbered, text);
    let half = &text[..text.len() / 2];
    for bad in [unnumbered.as_str(), half, "", "[]", "null", "{\"v\":1}"] {
        assert_eq!(KeptModel::from_json(bad), Ok(None), "{bad}");
    }
    for other in [text.replacen("\"v\":1", "\"v\":2", 1).as_str(), "{\"v\":2}"] {
        let told = Err(OtherVersion { version: 2 });
        assert_eq!(KeptModel::from_json(other), told, "{other}");
    }
}

#[test]
fn every_wish_has_a_key_of_its_own_that_is_a_plain_file_name() {
    let of = |change: &dyn Fn(&mut Origin)| {
        let mut origin = origin();
        change(&mut origin);
        origin.key()
    };
    let keys = [
        of(&|_| {}),
        of(&|origin| origin.model = "huggingtweets/jen_1222".to_owned()),
        of(&|origin| origin.endpoint = Some("http://localhost:8080".to_owned())),
        of(&|origin| origin.endpoint = None),
        of(&|origin| origin.file = Some("q8_0.gguf".to_owned())),
        of(&|origin| origin.dtype = "q4_0".to_owned()),
    ];
    for (i, key) in keys.iter().enumerate() {
        assert!(
            key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit()),
            "{key}"
        );
        assert!(!keys[..i].contains(key));
    }
    assert_eq!(keys[0], origin().key());
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
    // FIPS 180-4's example.
    let mut abc = Checksum::default();
    abc.update(b"abc");
    assert_eq!(
        abc.finish(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_state_that_is_none_is_refused() {
    let state = Checksum::default().state();
    for bad in ["", "00", "zz", &state[2..], &format!("{state}00")] {
        assert!(Checksum::resume(bad).is_none(), "{bad}");
    }
}
