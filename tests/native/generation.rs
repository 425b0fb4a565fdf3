//! Generation by the settings of a model's files: the texts that `transformers` writes, and the tokens that its filters
//! leave.

use crate::support::tiny::{LOAD, generate, run};
use huggingtweets::engine::{Companions, Engine};
use huggingtweets::generate::model_defaults::ModelDefaults;
use huggingtweets::generate::parameter::Parameter;
use huggingtweets::generate::params::GenerationParams;
use huggingtweets::generate::processors::Processors;
use huggingtweets::generate::sampler::Cut;
use huggingtweets::kernels::logits::Candidate;
use huggingtweets::protocol::Event;
use huggingtweets::tokenizer::byte_alphabet::char_of_byte;
use serde_json::{Value, json};
use std::io::Cursor;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/generation/generation.json")).unwrap()
}

/// An engine with the fixtures' tiny model open, whose `generation_config.json` states `settings`. Its vocabulary is the
/// 256 bytes.
fn engine(settings: &Value) -> Engine {
    let weights: &[u8] = include_bytes!("../fixtures/tiny/model.safetensors");
    let vocab: serde_json::Map<String, Value> = (0..=255)
        .map(|byte| (char_of_byte(byte).to_string(), json!(byte)))
        .collect();
    let mut companions = Companions::default();
    for (name, bytes) in [
        (
            "config.json",
            include_bytes!("../fixtures/tiny/config.json").to_vec(),
        ),
        ("generation_config.json", settings.to_string().into_bytes()),
        ("vocab.json", serde_json::to_vec(&vocab).unwrap()),
        ("merges.txt", b"#version: 0.2\n".to_vec()),
    ] {
        companions.insert(name, bytes);
    }
    let file = companions
        .open(vec![Box::new(Cursor::new(weights))])
        .unwrap();
    assert_eq!(file.notices, [], "{settings}");
    let mut engine = Engine::new();
    engine.load_model_file(LOAD, file, "tiny", weights.len() as u64, 0.0);
    run(&mut engine);
    engine
}

/// The tokens of each text, in order of sequence, as the last events state them.
fn token_ids(events: &[Event]) -> Vec<Vec<u32>> {
    let mut texts: Vec<(usize, Vec<u32>)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Result { sequence, .. } => Some((sequence.sequence, sequence.token_ids.clone())),
            _ => None,
        })
        .collect();
    texts.sort();
    texts.into_iter().map(|(_, ids)| ids).collect()
}

// https://github.com/microsoft/onnxruntime-genai/issues/2241
#[test]
fn texts_are_those_of_transformers_by_every_deterministic_setting() {
    let mut compared = 0;
    for group in fixture()["texts"].as_array().unwrap() {
        let settings = &group["settings"];
        let mut engine = engine(settings);
        let mut params = engine.open_model().unwrap().info.defaults.clone();
        if settings.get("num_return_sequences").is_none() {
            params.num_return_sequences = 1;
        }
        for text in group["texts"].as_array().unwrap() {
            let expected: Vec<Vec<u32>> = serde_json::from_value(text[1].clone()).unwrap();
            let events = generate(&mut engine, text[0].as_str().unwrap(), &params);
            let settings: String = settings.to_string().chars().take(300).collect();
            assert_eq!(token_ids(&events), expected, "{} {settings}", text[0]);
            compared += expected.len();
        }
    }
    assert!(compared > 400, "{compared} texts compared");
}

#[test]
fn a_beam_search_streams_its_texts_at_the_end() {
    let settings = json!({ "num_beams": 3, "max_new_tokens": 5, "num_return_sequences": 2 });
    let mut engine = engine(&settings);
    let params = engine.open_model().unwrap().info.defaults.clone();
    let events = generate(&mut engine, "ab", &params);
    let streamed: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::Token { token, .. } => Some(token.token_id),
            _ => None,
        })
        .collect();
    assert_eq!(streamed, token_ids(&events).concat());
    let Some(Event::Done { stats, .. }) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!(stats.new_tokens, streamed.len());
}

#[test]
fn drawn_beams_are_the_same_by_seed_and_follow_the_filters() {
    let mut engine = engine(&json!({
        "num_beams": 3, "do_sample": true, "top_k": 2, "max_new_tokens": 6, "num_return_sequences": 3,
    }));
    let open = engine.open_model().unwrap().info.defaults.clone();
    let mut with = |seed, top_k| {
        let params = GenerationParams {
            seed: Some(seed),
            top_k,
            ..open.clone()
        };
        token_ids(&generate(&mut engine, "The cat", &params))
    };
    assert_eq!(with(1, 0), with(1, 0));
    assert!((2..30).any(|seed| with(seed, 0) != with(1, 0)));
    let found = with(1, 0);
    assert!(found[0] != found[1] && found[1] != found[2] && found[0] != found[2]);
}

#[test]
fn a_search_that_is_stopped_gives_its_texts_so_far() {
    use huggingtweets::protocol::{Request, StopReason};
    let mut engine =
        engine(&json!({ "num_beams": 3, "num_return_sequences": 3, "max_new_tokens": 40 }));
    let params = engine.open_model().unwrap().info.defaults.clone();
    let mut events = engine.handle(Request::Generate {
        job: 7,
        prompt: "ab".to_owned(),
        params,
    });
    let clock = || 0.0;
    for _ in 0..5 {
        events.extend(engine.step(&clock));
    }
    events.extend(engine.handle(Request::Stop { job: 7 }));
    assert!(engine.is_idle());
    let reasons: Vec<StopReason> = events
        .iter()
        .filter_map(|event| match event {
            Event::Result { sequence, .. } => Some(sequence.stop_reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [StopReason::Stopped; 3]);
    assert_eq!(token_ids(&events).iter().map(Vec::len).max(), Some(5));
}

#[test]
fn filters_leave_what_those_of_transformers_leave() {
    let fixture = fixture();
    for case in fixture["cuts"].as_array().unwrap() {
        let settings = case["settings"].as_object().unwrap();
        let base = GenerationParams {
            do_sample: true,
            top_k: 0,
            ..GenerationParams::of_the_library()
        };
        let read = ModelDefaults::of_values(base, usize::MAX, "a file", settings);
        assert_eq!(read.notices, []);
        let logits: Vec<f32> = serde_json::from_value(case["logits"].clone()).unwrap();
        let mut kept: Vec<Candidate> = Vec::new();
        Cut::new(&read.params, 1).apply(&logits, &mut Vec::new(), &mut kept);
        kept.sort_by_key(|c| c.token_id);
        let total: f64 = kept.iter().map(|c| c.weight).sum();
        let expected: Vec<(u32, f64)> = serde_json::from_value(case["kept"].clone()).unwrap();
        let ids: Vec<u32> = kept.iter().map(|c| c.token_id).collect();
        let expected_ids: Vec<u32> = expected.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, expected_ids, "{settings:?}");
        for (candidate, (id, prob)) in kept.iter().zip(&expected) {
            let got = candidate.weight / total;
            assert!((got - prob).abs() < 2e-5, "{settings:?} {id}: {got} {prob}");
        }
    }
}

#[test]
fn a_text_ends_after_a_stop_string() {
    use huggingtweets::protocol::StopReason;
    let mut engine = engine(&json!({ "max_new_tokens": 12 }));
    let mut params = engine.open_model().unwrap().info.defaults.clone();
    params.num_return_sequences = 1;
    // Three letters come again and again, whatever the model would write.
    params.sequence_bias = vec![
        (b"xa".map(u32::from).to_vec(), 900.0),
        (b"ab".map(u32::from).to_vec(), 900.0),
        (b"bc".map(u32::from).to_vec(), 900.0),
        (b"ca".map(u32::from).to_vec(), 900.0),
    ];
    let ended = |engine: &mut Engine, params: &GenerationParams| {
        let events = generate(engine, "x", params);
        let ended = events.iter().find_map(|event| match event {
            Event::Result { sequence, .. } => {
                Some((sequence.generated_text.clone(), sequence.stop_reason))
            }
            _ => None,
        });
        ended.unwrap()
    };
    for (stops, text) in [
        (&["bca"][..], "xabca"),
        (&["zz", "cab"], "xabcab"),
        // It may begin in the prompt, and must reach into the new text.
        (&["xa"], "xa"),
        (&["x"], "xabcabcabcabc"),
    ] {
        params.stop_strings = stops.iter().map(|stop| (*stop).to_owned()).collect();
        for beams in [1, 2] {
            params.num_beams = beams;
            let (got, reason) = ended(&mut engine, &params);
            assert_eq!(got, text, "{stops:?}, {beams} beams");
            let is_stop = reason == StopReason::StopString;
            assert_eq!(is_stop, text.len() < 13, "{stops:?}, {beams} beams");
        }
    }
}

#[test]
fn settings_that_forbid_everything_are_named() {
    use huggingtweets::protocol::ErrorCode;
    for num_beams in [1, 2] {
        let mut engine = engine(&json!({ "num_beams": num_beams }));
        let mut params = engine.open_model().unwrap().info.defaults.clone();
        params.num_return_sequences = 1;
        params.suppress_tokens = (0..256).collect();
        let events = generate(&mut engine, "ab", &params);
        let Some(Event::Error { error, .. }) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!(error.code, ErrorCode::BadParameters);
        assert!(error.hint.contains("suppress_tokens"), "{error:?}");
    }
}

#[test]
fn more_sequences_than_beams_are_refused() {
    use huggingtweets::generate::GenerateError;
    let params = GenerationParams {
        num_beams: 2,
        num_return_sequences: 3,
        ..GenerationParams::default()
    };
    assert!(matches!(
        params.check(1024),
        Err(GenerateError::FewBeams {
            num_beams: 2,
            num_return_sequences: 3
        })
    ));
}

#[test]
fn every_parameter_is_read_as_it_is_written() {
    let params = GenerationParams {
        min_new_tokens: Some(3),
        no_repeat_ngram_size: 2,
        bad_words_ids: vec![vec![1, 2], vec![3]],
        sequence_bias: vec![(vec![5, 6], -1.5)],
        suppress_tokens: vec![9],
        begin_suppress_tokens: vec![8, 7],
        forced_bos_token_id: Some(4),
        forced_eos_token_id: vec![1, 0],
        exponential_decay_length_penalty: Some((3, 1.25)),
        eos_token_id: vec![10],
        stop_strings: vec![".".to_owned(), "é\n".to_owned()],
        num_beams: 4,
        length_penalty: -0.5,
        early_stopping: serde_json::from_value(json!("never")).unwrap(),
        renormalize_logits: true,
        min_p: 0.25,
        typical_p: 0.5,
        top_h: Some(0.5),
        epsilon_cutoff: 0.125,
        eta_cutoff: 0.0625,
        max_new_tokens: Some(7),
        seed: Some(u32::MAX),
        ..GenerationParams::default()
    };
    let (mut typed, mut stated) = (
        GenerationParams::of_the_library(),
        GenerationParams::of_the_library(),
    );
    for parameter in Parameter::ALL {
        assert_eq!(parameter.check(&params), Ok(()), "{parameter:?}");
        parameter
            .set(&parameter.text_of(&params), &mut typed)
            .unwrap();
        parameter
            .read(&parameter.value_of(&params), &mut stated)
            .unwrap();
        // Every parameter that this test sets differs from the library's, so none is forgotten above.
        assert_eq!(parameter.value_of(&typed), parameter.value_of(&params));
        assert_eq!(parameter.value_of(&stated), parameter.value_of(&params));
    }
    assert_eq!(typed, params);
    assert_eq!(stated, params);
    let sent = serde_json::to_value(&params).unwrap();
    assert_eq!(
        serde_json::from_value::<GenerationParams>(sent).unwrap(),
        params
    );
}

fn defaults(generation_config: &str) -> ModelDefaults {
    ModelDefaults::of_files(b"{}", Some(generation_config.as_bytes())).unwrap()
}

// https://github.com/huggingface/transformers/blob/main/src/transformers/generation/utils.py
#[test]
fn a_stated_number_of_fewest_new_tokens_counts_also_where_it_is_zero() {
    let of = |text: &str| defaults(text).params.min_new_tokens;
    assert_eq!(of(r#"{"min_new_tokens": 0, "min_length": 14}"#), Some(0));
    assert_eq!(of(r#"{"min_new_tokens": null, "min_length": 14}"#), None);
    assert_eq!(of(r#"{"min_length": 14}"#), None);
}

// https://github.com/huggingface/transformers/blob/main/src/transformers/generation/configuration_utils.py
#[test]
fn a_file_states_how_many_texts_are_written() {
    let of = |text: &str| {
        let ModelDefaults { params, notices } = defaults(text);
        let notices: Vec<String> = notices.iter().map(ToString::to_string).collect();
        (params.unasked_sequences(&params), notices)
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(of(r#"{"do_sample": true}"#), (5, none.clone()));
    let two = r#"{"do_sample": true, "num_return_sequences": 2}"#;
    assert_eq!(of(two), (2, none.clone()));
    assert_eq!(of(r#"{"num_beams": 4}"#), (1, none.clone()));
    let drawn = r#"{"num_beams": 4, "do_sample": true}"#;
    assert_eq!(of(drawn), (1, none.clone()));
    let three = r#"{"num_beams": 4, "num_return_sequences": 3}"#;
    assert_eq!(of(three), (3, none));
    let (n, notices) = of(r#"{"num_beams": 2, "num_return_sequences": 3}"#);
    assert_eq!(n, 2);
    assert!(notices[0].contains("num_return_sequences 3 is more than the 2 of num_beams"));
    let (n, notices) = of(r#"{"num_return_sequences": 3}"#);
    assert_eq!(n, 1);
    assert!(notices[0].contains("num_return_sequences 3 counts only"));
}

// https://github.com/huggingface/transformers/blob/main/src/transformers/generation/configuration_utils.py
#[test]
fn a_callers_search_gives_the_best_text_or_as_many_as_the_file_states() {
    let of = |text: &str| {
        let files = defaults(text).params;
        let search = GenerationParams {
            do_sample: false,
            num_beams: 4,
            ..files.clone()
        };
        search.unasked_sequences(&files)
    };
    assert_eq!(of(r#"{"do_sample": true}"#), 1);
    assert_eq!(of("{}"), 1);
    assert_eq!(of(r#"{"do_sample": true, "num_return_sequences": 3}"#), 3);
    assert_eq!(of(r#"{"do_sample": true, "num_return_sequences": 9}"#), 4);
}

#[test]
fn a_bias_of_minus_infinity_forbids_a_word() {
    let found = defaults(r#"{"sequence_bias": [[[22], -Infinity]], "length_penalty": Infinity}"#);
    assert_eq!(found.notices, []);
    found.params.check(64).unwrap();
    let mut scores = [1.0; 30];
    Processors::new(&found.params, &[], 1, 4).apply(&mut scores, &[0], &[]);
    assert_eq!(scores[22], f32::NEG_INFINITY);
    let found = defaults(r#"{"sequence_bias": [[[22], Infinity]]}"#);
    assert!(found.params.sequence_bias.is_empty());
    assert_eq!(
        found.notices[0].to_string(),
        "generation_config.json: sequence_bias [[[22],Infinity]] is passed over"
    );
}

#[test]
fn a_prompt_that_fills_the_context_has_one_new_token() {
    let mut engine = engine(&json!({ "max_length": 100_000 }));
    let open = engine.open_model().unwrap();
    let (n_ctx, mut params) = (open.info.config.n_ctx, open.info.defaults.clone());
    params.num_return_sequences = 1;
    let cut = token_ids(&generate(&mut engine, &"a".repeat(n_ctx), &params));
    params.clip_length = false;
    params.max_new_tokens = Some(1);
    let asked = token_ids(&generate(&mut engine, &"a".repeat(n_ctx), &params));
    assert_eq!(asked[0].len(), 1);
    assert_eq!(cut, asked);
}
