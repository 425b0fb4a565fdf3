//! The engine: requests in, events out, one job at a time, and a failure ends only its own job.

use crate::support::tiny::{
    self, EOS, LOAD, Weights, clock, engine, file_of, generate, run, texts,
};
use huggingtweets::engine::{Engine, ModelFile, defaults};
use huggingtweets::generate::params::{EarlyStopping, GenerationParams};
use huggingtweets::infer::{Logits, PREFILL_CHUNK, Session};
use huggingtweets::parallel::Threads;
use huggingtweets::protocol::{
    ErrorCode, ErrorReport, Event, LoadStage, ModelRef, NewToken, Request, StopReason,
};
use huggingtweets::tokenizer::GgufTokenizer;
use huggingtweets::tokenizer::byte_alphabet::char_of_byte;
use huggingtweets::weights::Checkpoint;
use huggingtweets::weights::gguf::Value;
use std::sync::Arc;

fn params(max_new_tokens: usize) -> GenerationParams {
    GenerationParams {
        max_new_tokens: Some(max_new_tokens),
        min_length: 0,
        seed: Some(5),
        ..GenerationParams::default()
    }
}

fn ask(job: u32, prompt: &str, params: &GenerationParams) -> Request {
    Request::Generate {
        job,
        prompt: prompt.to_owned(),
        params: params.clone(),
    }
}

/// The one error among the events.
fn error(events: &[Event]) -> ErrorReport {
    let errors: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Error { error, .. } => Some(error.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(errors.len(), 1, "{events:?}");
    let error = errors.into_iter().next().unwrap();
    // Page and module make sentences of both: a file's name at the beginning keeps its letters.
    for text in [&error.message, &error.hint] {
        assert!(!text.ends_with('.') && text.len() > 6, "{error:?}");
    }
    error
}

fn stop_reasons(events: &[Event]) -> Vec<StopReason> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Result { sequence, .. } => Some(sequence.stop_reason),
            _ => None,
        })
        .collect()
}

/// Ids and joined pieces of one sequence.
fn streamed(events: &[Event], wanted: usize) -> (Vec<u32>, String) {
    let mut ids = Vec::new();
    let mut text = String::new();
    for event in events {
        if let Event::Token { token, .. } = event
            && token.sequence == wanted
        {
            ids.push(token.token_id);
            text.push_str(&token.text);
        }
    }
    (ids, text)
}

#[test]
fn loading_tells_bytes_of_bytes_and_then_what_was_opened() {
    let mut engine = Engine::new();
    engine.set_memory_meter(|| 77);
    let mut events = engine.load_model_file(LOAD, file_of(Weights::Random), "tiny", 1234, 0.0);
    events.extend(run(&mut engine));
    let read: Vec<(u64, u64)> = events
        .iter()
        .filter_map(|event| match event {
            Event::Progress {
                stage: LoadStage::Reading { loaded, total },
                ..
            } => Some((*loaded, *total)),
            _ => None,
        })
        .collect();
    let total = 4 * tiny::config().n_params();
    assert_eq!(read.first(), Some(&(0, total)));
    assert_eq!(read.last(), Some(&(total, total)));
    assert!(read.is_sorted() && read.len() > 10, "{read:?}");
    let Some(Event::Ready { model, .. }) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!((model.name.as_str(), model.size_bytes), ("tiny", 1234));
    assert_eq!((model.dtype.as_str(), model.memory_bytes), ("f32", 77));
    assert_eq!(model.n_params, tiny::config().n_params());
    assert_eq!(model.defaults.max_length, 81, "clipped to the context");
    assert!(model.load_ms > 0.0);
}

#[test]
fn a_generation_tells_tokens_results_and_once_done() {
    let mut engine = engine(Weights::Random);
    let events = generate(&mut engine, "hello", &params(12));
    let Some(Event::Done {
        job: 7,
        stopped: false,
        stats,
    }) = events.last()
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        (stats.prompt_tokens, stats.seed),
        (3, 5),
        "<|endoftext|> hell o"
    );
    let tokens = events
        .iter()
        .filter(|event| matches!(event, Event::Token { .. }))
        .count();
    assert_eq!(stats.new_tokens, tokens);
    assert!(stats.prefill_ms > 0.0 && stats.decode_ms > 0.0);
    assert_eq!(texts(&events).len(), 5);
    assert_eq!(
        events
            .iter()
            .filter(|e| matches!(e, Event::Done { .. }))
            .count(),
        1
    );
    assert!(engine.is_idle());
    assert_eq!(engine.step(&clock()), [], "no event after done");
    assert_eq!(engine.handle(Request::Stop { job: 7 }), []);
}

#[test]
fn the_same_seed_gives_the_same_texts_on_one_to_eight_threads() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/bundled.gguf");
    let mut engine = Engine::new();
    engine.load(
        LOAD,
        Box::new(std::fs::File::open(file).unwrap()),
        "bundled",
        0,
        Vec::new(),
    );
    run(&mut engine);
    let mut texts_on = |n_threads| {
        engine.set_threads(Threads::new(n_threads));
        let events = generate(&mut engine, "My dream is", &params(24));
        let Some(Event::Done { stats, .. }) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!(stats.threads, n_threads);
        texts(&events)
    };
    let expected = texts_on(1);
    for n_threads in 2..=8 {
        assert_eq!(texts_on(n_threads), expected, "{n_threads} threads");
    }
}

#[test]
fn streamed_pieces_are_the_generated_text() {
    let mut engine = engine(Weights::Random);
    let events = generate(&mut engine, "h\u{1F338}", &params(40));
    for (i, text) in texts(&events).iter().enumerate() {
        let (ids, streamed) = streamed(&events, i);
        let tokenizer = &engine.open_model().unwrap().tokenizer;
        assert_eq!(format!("h\u{1F338}{streamed}"), *text);
        assert_eq!(streamed, tokenizer.decode(&ids).unwrap());
    }
}

#[test]
fn emoji_arrive_whole() {
    let tweet = "\u{571f} \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} \u{1F1EF}\u{1F1F5}\u{1F338}!";
    let script: Vec<u32> = tweet.bytes().map(u32::from).collect();
    let n = script.len();
    let mut engine = engine(Weights::Script(script));
    let p = GenerationParams {
        do_sample: false,
        num_return_sequences: 1,
        ..params(n)
    };
    let events = generate(&mut engine, "", &p);
    assert_eq!(texts(&events), [tweet]);
    let pieces: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Token { token, .. } => Some(token.text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(pieces.len(), n);
    assert_eq!(pieces.concat(), tweet);
    assert!(!tweet.contains('\u{FFFD}') && pieces.contains(&"\u{1F338}"));
    // Cut in the middle of a character, the rest is shown once, at the end.
    let cut = GenerationParams {
        max_new_tokens: Some(2),
        ..p
    };
    assert_eq!(texts(&generate(&mut engine, "", &cut)), ["\u{FFFD}"]);
}

#[test]
fn five_sequences_at_once_equal_five_alone() {
    let mut engine = engine(Weights::Random);
    let together = texts(&generate(&mut engine, "hello w", &params(30)));
    for (i, text) in together.iter().enumerate() {
        let alone = GenerationParams {
            num_return_sequences: 1,
            seed: Some(5 + i as u32),
            ..params(30)
        };
        assert_eq!(
            texts(&generate(&mut engine, "hello w", &alone)),
            std::slice::from_ref(text)
        );
    }
    assert_ne!(together[0], together[1]);
}

#[test]
fn a_long_prompt_in_pieces_equals_the_prompt_in_one_session() {
    let mut engine = engine(Weights::Random);
    // More than one piece with the prefix.
    let prompt = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(2);
    let prompt = &prompt[..PREFILL_CHUNK + 1];
    let greedy = GenerationParams {
        do_sample: false,
        num_return_sequences: 1,
        ..params(10)
    };
    let text = texts(&generate(&mut engine, prompt, &greedy)).remove(0);
    // The same text, one token at a time: each prompt is one token longer.
    let mut grown = prompt.to_owned();
    let one = GenerationParams {
        max_new_tokens: Some(1),
        ..greedy
    };
    while grown.len() < text.len() && text.is_ascii() {
        grown = texts(&generate(&mut engine, &grown, &one)).remove(0);
    }
    if text.is_ascii() {
        assert_eq!(grown, text);
    }
}

#[test]
fn same_seed_same_text_and_a_seed_of_its_own_is_told() {
    let mut engine = engine(Weights::Random);
    let free = GenerationParams {
        seed: None,
        ..params(20)
    };
    let events = generate(&mut engine, "he", &free);
    let Some(Event::Done { stats, .. }) = events.last() else {
        panic!("{events:?}");
    };
    let again = GenerationParams {
        seed: Some(stats.seed),
        ..free.clone()
    };
    assert_eq!(texts(&generate(&mut engine, "he", &again)), texts(&events));
    assert_ne!(texts(&generate(&mut engine, "he", &free)), texts(&events));
}

#[test]
fn end_of_text_is_forbidden_until_min_length_counting_prompt_and_prefix() {
    let mut engine = engine(Weights::scores(&[(EOS, 9.0), (u32::from(b'a'), 1.0)]));
    let p = GenerationParams {
        do_sample: false,
        num_return_sequences: 1,
        min_length: 10,
        ..params(30)
    };
    let events = generate(&mut engine, "bc", &p);
    // Prefix and prompt are 3 tokens: 7 more, and the end of text may be the 11th.
    assert_eq!(texts(&events), ["bcaaaaaaa"]);
    assert_eq!(stop_reasons(&events), [StopReason::EndOfText]);
    assert_eq!(streamed(&events, 0).0.last(), Some(&EOS));
    let p = GenerationParams { min_length: 0, ..p };
    assert_eq!(texts(&generate(&mut engine, "bc", &p)), ["bc"]);
}

#[test]
fn finished_sequences_leave_and_the_others_go_on() {
    let mut engine = engine(Weights::scores(&[(EOS, 0.0), (u32::from(b'a'), 2.0)]));
    let events = generate(&mut engine, "", &params(25));
    let lengths: Vec<usize> = (0..5).map(|i| streamed(&events, i).0.len()).collect();
    assert!(lengths.iter().any(|n| *n != lengths[0]), "{lengths:?}");
    for (i, text) in texts(&events).iter().enumerate() {
        assert!(text.len() == lengths[i] || text.len() + 1 == lengths[i]);
    }
}

#[test]
fn length_is_max_new_tokens_or_max_length() {
    let mut engine = engine(Weights::scores(&[(u32::from(b'a'), 2.0)]));
    let events = generate(&mut engine, "bc", &params(4));
    assert_eq!(texts(&events), ["bcaaaa"; 5]);
    assert_eq!(stop_reasons(&events), [StopReason::Length; 5]);
    let p = GenerationParams {
        max_new_tokens: None,
        max_length: 8,
        ..params(1)
    };
    assert_eq!(texts(&generate(&mut engine, "bc", &p))[0], "bcaaaaa");
}

#[test]
fn the_whole_context_can_be_filled() {
    let mut engine = engine(Weights::scores(&[(u32::from(b'a'), 2.0)]));
    let events = generate(&mut engine, "bc", &params(78));
    // The last new token needs no place.
    assert_eq!(texts(&events)[4].len(), 80);
    assert_eq!(
        error(&generate(&mut engine, "bc", &params(79))).code,
        ErrorCode::ContextOverflow
    );
}

#[test]
fn stop_at_newline_ends_before_the_first_line_break() {
    let scores = [(u32::from(b'\n'), 1.0), (u32::from(b'a'), 1.0)];
    let mut engine = engine(Weights::scores(&scores));
    let p = GenerationParams {
        stop_at_newline: true,
        ..params(50)
    };
    let events = generate(&mut engine, "b\nc", &p);
    assert_eq!(stop_reasons(&events), [StopReason::Newline; 5]);
    for text in texts(&events) {
        let continuation = text.strip_prefix("b\nc").unwrap();
        assert!(continuation.chars().all(|c| c == 'a'), "{continuation:?}");
    }
}

#[test]
fn return_full_text_false_gives_the_continuation() {
    let mut engine = engine(Weights::scores(&[(u32::from(b'a'), 2.0)]));
    let p = GenerationParams {
        return_full_text: false,
        ..params(3)
    };
    assert_eq!(texts(&generate(&mut engine, " b ", &p))[0], "aaa");
    assert_eq!(
        texts(&generate(&mut engine, " b ", &params(3)))[0],
        " b aaa",
        "exactly as typed"
    );
}

#[test]
fn an_empty_prompt_without_prefix_starts_from_the_opening_token() {
    let mut engine = engine(Weights::Random);
    let with = texts(&generate(&mut engine, "", &params(9)));
    let without = GenerationParams {
        prefix: String::new(),
        ..params(9)
    };
    assert_eq!(texts(&generate(&mut engine, "", &without)), with);
}

#[test]
fn repetition_penalty_counts_prompt_and_new_tokens() {
    let scores: Vec<(u32, f32)> = (b'a'..=b'z').map(|b| (u32::from(b), 5.0)).collect();
    let mut engine = engine(Weights::scores(&scores));
    let p = GenerationParams {
        do_sample: false,
        repetition_penalty: 2.0,
        num_return_sequences: 1,
        ..params(6)
    };
    assert_eq!(texts(&generate(&mut engine, "abc", &p)), ["abcdefghi"]);
}

#[test]
fn probabilities_are_those_after_the_filters() {
    let scores = [
        (u32::from(b'a'), 3f32.ln()),
        (u32::from(b'b'), 0.0),
        (u32::from(b'c'), -4.0),
    ];
    let mut engine = engine(Weights::scores(&scores));
    let p = GenerationParams {
        top_k: 2,
        top_p: 1.0,
        ..params(20)
    };
    for event in generate(&mut engine, "", &p) {
        if let Event::Token { token, .. } = event {
            let NewToken { token_id, prob, .. } = token;
            let expected = if token_id == u32::from(b'a') {
                0.75
            } else {
                0.25
            };
            assert!((prob - expected).abs() < 1e-4, "{token_id}: {prob}");
        }
    }
}

#[test]
fn stop_ends_between_tokens_and_keeps_what_was_written() {
    let mut engine = engine(Weights::Random);
    assert_eq!(engine.handle(ask(3, "hello", &params(50))), []);
    let clock = clock();
    let mut events = Vec::new();
    for _ in 0..4 {
        events.extend(engine.step(&clock));
    }
    assert_eq!(engine.handle(Request::Stop { job: 99 }), [], "another job");
    assert!(!engine.is_idle());
    events.extend(engine.handle(Request::Stop { job: 3 }));
    assert!(matches!(
        events.last(),
        Some(Event::Done {
            job: 3,
            stopped: true,
            ..
        })
    ));
    assert!(engine.is_idle());
    assert_eq!(engine.step(&clock), []);
    for (i, text) in texts(&events).iter().enumerate() {
        assert_eq!(*text, format!("hello{}", streamed(&events, i).1));
    }
    assert_eq!(texts(&generate(&mut engine, "hello", &params(5))).len(), 5);
}

#[test]
fn stop_before_the_first_step_gives_the_prompt_back() {
    let mut engine = engine(Weights::Random);
    engine.handle(ask(3, "hello", &params(50)));
    let events = engine.handle(Request::Stop { job: 3 });
    assert_eq!(texts(&events), ["hello"; 5]);
    assert_eq!(stop_reasons(&events), [StopReason::Stopped; 5]);
}

#[test]
fn a_second_job_is_refused_and_the_first_goes_on() {
    let mut engine = engine(Weights::Random);
    engine.handle(ask(1, "he", &params(10)));
    let refusal = engine.handle(ask(2, "he", &params(10)));
    assert!(matches!(refusal[..], [Event::Error { job: Some(2), .. }]));
    assert_eq!(error(&refusal).code, ErrorCode::Busy);
    assert!(error(&refusal).retryable);
    let load = engine.load_model_file(LOAD, file_of(Weights::Random), "other", 1, 0.0);
    assert_eq!(error(&load).code, ErrorCode::Busy);
    let events = run(&mut engine);
    assert!(matches!(
        events.last(),
        Some(Event::Done {
            job: 1,
            stopped: false,
            ..
        })
    ));
}

/// The events of one request.
fn answer(engine: &mut Engine, request: Request) -> Vec<Event> {
    let mut events = engine.handle(request);
    events.extend(run(engine));
    events
}

fn score(text: &str) -> Request {
    Request::Logits {
        job: 4,
        text: text.to_owned(),
    }
}

#[test]
fn logits_of_a_long_text_in_pieces_are_those_of_one_session() {
    let mut engine = engine(Weights::Random);
    // More than one piece, no prefix.
    let text = "hello w".repeat(24);
    let open = engine.open_model().unwrap();
    let ids = open.tokenizer.encode(&text).unwrap();
    assert!(
        ids.len() > PREFILL_CHUNK && ids.len() <= 80,
        "{}",
        ids.len()
    );
    let mut session = Session::new(Arc::clone(&open.model), 1, ids.len(), 0).unwrap();
    let expected = session.prefill(&ids, Logits::Last).unwrap().to_vec();
    let events = answer(&mut engine, score(&text));
    assert_eq!(
        events,
        [Event::Logits {
            job: 4,
            logits: expected
        }]
    );
}

#[test]
fn logits_can_be_stopped_and_are_refused_for_no_text_and_too_much() {
    let mut engine = engine(Weights::Random);
    assert_eq!(engine.handle(score(&"hello w".repeat(24))), []);
    assert_eq!(engine.step(&clock()), [], "one piece of two");
    assert_eq!(
        error(&engine.handle(ask(5, "he", &params(10)))).code,
        ErrorCode::Busy
    );
    let stopped = engine.handle(Request::Stop { job: 4 });
    assert!(matches!(
        stopped[..],
        [Event::Done {
            job: 4,
            stopped: true,
            ..
        }]
    ));
    assert!(engine.is_idle());
    let empty = error(&engine.handle(score("")));
    assert_eq!(empty.code, ErrorCode::BadParameters);
    assert_eq!(empty.hint, "give at least one character");
    let long = error(&engine.handle(score(&"hello w".repeat(40))));
    assert_eq!(long.code, ErrorCode::ContextOverflow);
    assert_eq!(texts(&generate(&mut engine, "hello", &params(5))).len(), 5);
}

#[test]
fn a_measurement_tells_how_far_it_is_and_finds_every_figure() {
    let mut engine = engine(Weights::Random);
    let mut events = answer(&mut engine, Request::Measure { job: 9 });
    let Some(Event::Measured { job: 9, speeds }) = events.pop() else {
        panic!("no figures: {:?}", events.last());
    };
    for spread in [
        speeds.prefill,
        speeds.decode,
        speeds.batch5,
        speeds.sum_bytes,
    ] {
        assert!(
            0.0 < spread.least && spread.least <= spread.median,
            "{spread:?}"
        );
        assert!(
            spread.median <= spread.most && spread.most.is_finite(),
            "{spread:?}"
        );
    }
    // Half of the context of 80 each; here the prompt is a prefix of one token and words of two.
    assert_eq!((speeds.prompt_tokens, speeds.new_tokens), (39, 40));
    assert_eq!(speeds.rounds, 5);
    // The clock gains a millisecond per look, and it is looked at once per token of one text, once per token of
    // five: so both write 1000 steps a second, less what it takes to look before each run.
    assert!(
        speeds.decode.median <= 1000.0 && speeds.batch5.median <= 5000.0,
        "{speeds:?}"
    );
    assert!(
        speeds.batch5.median > 4.5 * speeds.decode.median,
        "{speeds:?}"
    );
    let weights: usize = engine
        .open_model()
        .unwrap()
        .model
        .matrices()
        .map(|matrix| matrix.rows() * matrix.cols() * 4)
        .sum();
    assert!(speeds.weight_bytes >= weights as u64, "{speeds:?}");
    let mut last = 0.0;
    let mut seen = Vec::new();
    for event in &events {
        let Event::Measuring {
            job: 9,
            workload,
            round,
            rounds: 5,
            fraction,
        } = event
        else {
            panic!("{event:?}");
        };
        assert!((last..=1.0).contains(fraction), "{last} then {fraction}");
        last = *fraction;
        if !seen.contains(&(*round, *workload)) {
            seen.push((*round, *workload));
        }
    }
    assert_eq!(
        seen.len(),
        6 * 3,
        "an unmeasured round and five, of three workloads: {seen:?}"
    );
    assert!(last > 0.9, "{last}");
}

#[test]
fn a_slow_device_is_measured_in_fewer_rounds() {
    let mut engine = engine(Weights::Random);
    let mut events = engine.handle(Request::Measure { job: 9 });
    let now = std::cell::Cell::new(0.0);
    while !engine.is_idle() {
        events.extend(engine.step(&|| {
            now.set(now.get() + 70.0);
            now.get()
        }));
    }
    let Some(Event::Measured { speeds, .. }) = events.last() else {
        panic!("no figures: {:?}", events.last());
    };
    assert_eq!(speeds.rounds, 2, "a round takes 5 to 10 s: {speeds:?}");
}

#[test]
fn a_measurement_can_be_stopped_at_any_step_and_leaves_the_engine_usable() {
    let mut engine = engine(Weights::Random);
    for steps in [0, 1, 5, 20] {
        engine.handle(Request::Measure { job: 9 });
        let clock = clock();
        for _ in 0..steps {
            engine.step(&clock);
        }
        assert!(!engine.is_idle());
        assert_eq!(engine.handle(Request::Stop { job: 8 }), [], "another job");
        let second = engine.handle(Request::Measure { job: 10 });
        assert_eq!(error(&second).code, ErrorCode::Busy);
        let load = engine.load_model_file(LOAD, file_of(Weights::Random), "other", 1, 0.0);
        assert_eq!(error(&load).code, ErrorCode::Busy);
        let stopped = engine.handle(Request::Stop { job: 9 });
        assert!(matches!(
            stopped[..],
            [Event::Done {
                job: 9,
                stopped: true,
                ..
            }]
        ));
        assert!(engine.is_idle());
        assert_eq!(texts(&generate(&mut engine, "hello", &params(5))).len(), 5);
    }
    let measure = Request::Measure { job: 1 };
    assert_eq!(
        error(&Engine::new().handle(measure)).code,
        ErrorCode::NoModel
    );
}

#[test]
fn without_a_model_nothing_is_answered_but_why() {
    let mut engine = Engine::new();
    assert_eq!(
        error(&engine.handle(ask(1, "he", &params(10)))).code,
        ErrorCode::NoModel
    );
    let tokenize = Request::Tokenize {
        job: 2,
        text: "he".to_owned(),
    };
    assert_eq!(error(&engine.handle(tokenize)).code, ErrorCode::NoModel);
    for request in [
        Request::Load {
            job: 3,
            model: ModelRef::bundled(),
            keep: false,
        },
        Request::LookUp {
            job: 3,
            model: ModelRef::bundled(),
            device_memory_bytes: None,
        },
    ] {
        assert_eq!(error(&engine.handle(request)).code, ErrorCode::BadMessage);
    }
}

#[test]
fn a_job_during_a_load_is_refused_and_a_stop_ends_the_load() {
    let mut engine = engine(Weights::Random);
    engine.load_model_file(LOAD, file_of(Weights::Random), "next", 1, 0.0);
    assert!(engine.open_model().is_none(), "the old model goes first");
    engine.step(&clock());
    assert_eq!(
        error(&engine.handle(ask(1, "he", &params(10)))).code,
        ErrorCode::Busy
    );
    assert_eq!(
        error(&engine.handle(Request::Stop { job: LOAD })).code,
        ErrorCode::Cancelled
    );
    assert!(engine.is_idle());
    assert_eq!(
        error(&engine.handle(ask(1, "he", &params(10)))).code,
        ErrorCode::NoModel
    );
}

#[test]
fn a_file_that_is_no_model_closes_none() {
    let mut engine = engine(Weights::scores(&[(u32::from(b'a'), 2.0)]));
    let page = b"<!doctype html>".to_vec();
    let size = page.len() as u64;
    engine.load(
        LOAD,
        Box::new(std::io::Cursor::new(page)),
        "page",
        size,
        Vec::new(),
    );
    let events = run(&mut engine);
    assert_eq!(error(&events).code, ErrorCode::NotAModel);
    assert_eq!(texts(&generate(&mut engine, "", &params(2)))[0], "aa");
}

#[test]
fn a_second_load_replaces_the_model() {
    let mut engine = engine(Weights::scores(&[(u32::from(b'a'), 2.0)]));
    let next = Weights::scores(&[(u32::from(b'z'), 2.0)]);
    engine.load_model_file(LOAD, file_of(next), "next", 1, 0.0);
    run(&mut engine);
    assert_eq!(engine.open_model().unwrap().info.name, "next");
    assert_eq!(texts(&generate(&mut engine, "", &params(2)))[0], "zz");
}

#[test]
fn a_failed_load_leaves_the_engine_usable() {
    let mut engine = Engine::new();
    engine.load_model_file(LOAD, file_of(Weights::Missing), "broken", 1, 0.0);
    let events = run(&mut engine);
    assert_eq!(error(&events).code, ErrorCode::NotAModel);
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Ready { .. }))
    );
    engine.load(
        LOAD,
        Box::new(std::io::Cursor::new(b"<!doctype html>".to_vec())),
        "page",
        15,
        Vec::new(),
    );
    assert_eq!(error(&run(&mut engine)).code, ErrorCode::NotAModel);
    engine.load_model_file(LOAD, file_of(Weights::Random), "good", 1, 0.0);
    run(&mut engine);
    assert_eq!(texts(&generate(&mut engine, "he", &params(5))).len(), 5);
}

#[test]
fn every_failed_job_leaves_the_engine_usable() {
    let mut engine = engine(Weights::Random);
    let bad = GenerationParams {
        top_p: 2.0,
        ..params(5)
    };
    assert_eq!(
        error(&generate(&mut engine, "he", &bad)).code,
        ErrorCode::BadParameters
    );
    let beyond = GenerationParams {
        max_new_tokens: None,
        ..params(5)
    };
    assert_eq!(
        error(&generate(&mut engine, "he", &beyond)).code,
        ErrorCode::BadParameters
    );
    let full = GenerationParams {
        max_new_tokens: None,
        max_length: 5,
        ..params(5)
    };
    assert_eq!(
        error(&generate(&mut engine, "abcdefgh", &full)).code,
        ErrorCode::ContextOverflow
    );
    let long = "word ".repeat(1_000_000);
    let started = std::time::Instant::now();
    assert_eq!(
        error(&generate(&mut engine, &long, &params(5))).code,
        ErrorCode::ContextOverflow
    );
    let text = Request::Tokenize { job: 1, text: long };
    assert_eq!(error(&engine.handle(text)).code, ErrorCode::ContextOverflow);
    assert!(
        started.elapsed().as_millis() < 500,
        "refused by length alone"
    );
    assert!(engine.is_idle());
    assert_eq!(texts(&generate(&mut engine, "he", &params(5))).len(), 5);
}

#[test]
fn scores_that_are_no_numbers_end_the_job_with_an_error() {
    let mut engine = engine(Weights::NotANumber);
    let events = generate(&mut engine, "he", &params(5));
    assert_eq!(error(&events).code, ErrorCode::NotAModel);
    assert!(engine.is_idle());
}

#[test]
fn detokenize_gives_the_text_back() {
    let mut engine = engine(Weights::Random);
    let text = "hell w\u{e9}";
    let events = engine.handle(Request::Tokenize {
        job: 1,
        text: text.to_owned(),
    });
    let [Event::Tokens { token_ids, .. }] = events.as_slice() else {
        panic!("{events:?}");
    };
    let request = Request::Detokenize {
        job: 2,
        token_ids: token_ids.clone(),
    };
    let expected = Event::Text {
        job: 2,
        text: text.to_owned(),
    };
    assert_eq!(engine.handle(request), [expected]);
    let request = Request::Detokenize {
        job: 3,
        token_ids: vec![u32::MAX],
    };
    assert!(matches!(
        engine.handle(request).as_slice(),
        [Event::Error { job: Some(3), .. }]
    ));
}

#[test]
fn tokenize_answers_ids_and_texts() {
    let mut engine = engine(Weights::Random);
    let request = Request::Tokenize {
        job: 4,
        text: "hell w\u{e9}".to_owned(),
    };
    let events = engine.handle(request);
    assert_eq!(
        events,
        [Event::Tokens {
            job: 4,
            token_ids: vec![258, 259, 0xC3, 0xA9],
            tokens: vec![
                "hell".into(),
                " w".into(),
                "\u{FFFD}".into(),
                "\u{FFFD}".into()
            ],
        }]
    );
}

/// The events of loading a file of these bytes.
fn load(engine: &mut Engine, bytes: Vec<u8>) -> Vec<Event> {
    let size = bytes.len() as u64;
    let reader = Box::new(std::io::Cursor::new(bytes));
    let mut events = engine.load(LOAD, reader, "a file", size, Vec::new());
    events.extend(run(engine));
    events
}

#[test]
fn a_gguf_file_gives_the_same_texts_as_the_tensors_it_was_written_from() {
    let mut from_file = Engine::new();
    let events = load(&mut from_file, tiny::gguf(|_| {}));
    let Some(Event::Ready { model, .. }) = events.last() else {
        panic!("{events:?}");
    };
    assert_eq!(
        (model.dtype.as_str(), &model.config),
        ("f32", &tiny::config())
    );
    let mut in_memory = engine(Weights::Random);
    assert_eq!(
        texts(&generate(&mut from_file, "hello", &params(20))),
        texts(&generate(&mut in_memory, "hello", &params(20)))
    );
}

#[test]
fn defaults_of_a_gguf_file_are_those_written_into_it() {
    let stated = GenerationParams {
        max_new_tokens: Some(40),
        max_length: 60,
        min_length: 3,
        do_sample: false,
        temperature: 0.5,
        top_k: 7,
        top_p: 0.25,
        repetition_penalty: 1.5,
        num_return_sequences: 2,
        prefix: "[1]".to_owned(),
        clip_length: true,
        no_repeat_ngram_size: 3,
        bad_words_ids: vec![vec![1, 2], vec![3]],
        suppress_tokens: vec![4],
        num_beams: 2,
        length_penalty: -0.5,
        early_stopping: EarlyStopping::Never,
        min_p: 0.25,
        exponential_decay_length_penalty: Some((3, 1.5)),
        stop_strings: vec![".".to_owned()],
        ..GenerationParams::default()
    };
    let mut engine = Engine::new();
    let bytes = tiny::gguf(|metadata| metadata.extend(defaults::to_metadata(&stated)));
    load(&mut engine, bytes);
    assert_eq!(engine.open_model().unwrap().info.defaults, stated);
    assert_eq!(engine.open_model().unwrap().info.notices, []);
    // Values of other types and sizes are passed over, never believed.
    let odd = tiny::gguf(|metadata| {
        metadata.push((
            "huggingtweets.generation.top_k".to_owned(),
            Value::String("many".to_owned()),
        ));
        metadata.push((
            "huggingtweets.generation.max_length".to_owned(),
            Value::UInt(u64::MAX),
        ));
        metadata.push((
            "huggingtweets.generation.suppress_tokens".to_owned(),
            Value::Floats(vec![0.0; (1 << 16) + 1]),
        ));
        metadata.push((
            "huggingtweets.generation.stop_strings".to_owned(),
            Value::Strings(vec![".".to_owned()]),
        ));
    });
    load(&mut engine, odd);
    let info = &engine.open_model().unwrap().info;
    assert_eq!((info.defaults.top_k, info.defaults.max_length), (50, 81));
    assert_eq!(info.defaults.stop_strings, ["."]);
    let told: Vec<String> = info.notices.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the GGUF: top_k \"many\" is passed over",
            "the GGUF: max_length 18446744073709551615 is passed over",
            "the GGUF: suppress_tokens {} is passed over",
        ]
    );
}

#[test]
fn files_that_cannot_be_loaded_say_what_they_are() {
    let mut engine = Engine::new();
    let whole = tiny::gguf(|_| {});
    let set = |key: &'static str, value: Value| {
        tiny::gguf(move |metadata| {
            metadata.iter_mut().find(|(k, _)| k == key).unwrap().1 = value;
        })
    };
    let without = |key: &'static str| tiny::gguf(move |m| m.retain(|(k, _)| k != key));
    for (bytes, code) in [
        (whole[..whole.len() - 1000].to_vec(), ErrorCode::Truncated),
        (whole[..10].to_vec(), ErrorCode::Truncated),
        (Vec::new(), ErrorCode::NotAModel),
        (
            b"<!doctype html><title>404</title>".to_vec(),
            ErrorCode::NotAModel,
        ),
        (vec![0x55; 4096], ErrorCode::NotAModel),
        (
            set("general.architecture", Value::String("llama".to_owned())),
            ErrorCode::UnsupportedModel,
        ),
        (
            set("tokenizer.ggml.model", Value::String("llama".to_owned())),
            ErrorCode::UnsupportedModel,
        ),
        (without("tokenizer.ggml.merges"), ErrorCode::NotAModel),
        (without("gpt2.block_count"), ErrorCode::NotAModel),
        (
            set("gpt2.block_count", Value::UInt(3)),
            ErrorCode::NotAModel,
        ),
        (
            set("gpt2.embedding_length", Value::UInt(64)),
            ErrorCode::NotAModel,
        ),
        (
            set("gpt2.attention.head_count", Value::UInt(0)),
            ErrorCode::NotAModel,
        ),
        (
            set("gpt2.context_length", Value::UInt(u64::MAX)),
            ErrorCode::NotAModel,
        ),
        (
            set("tokenizer.ggml.tokens", Value::UInt(1)),
            ErrorCode::NotAModel,
        ),
        (
            set(
                "tokenizer.ggml.tokens",
                Value::Strings(vec!["a".to_owned()]),
            ),
            ErrorCode::NotAModel,
        ),
    ] {
        let report = error(&load(&mut engine, bytes));
        assert_eq!(report.code, code, "{report:?}");
        assert!(engine.is_idle());
    }
    assert!(matches!(
        load(&mut engine, whole).last(),
        Some(Event::Ready { .. })
    ));
}

#[test]
fn no_damaged_byte_of_a_header_makes_the_engine_panic() {
    // Every 97th byte of the header, and a few of the tensors, turned over; the file is 200 kB.
    let whole = tiny::gguf(|_| {});
    for i in (0..whole.len()).step_by(97).take(150) {
        let mut damaged = whole.clone();
        damaged[i] ^= 0xFF;
        let mut engine = Engine::new();
        let events = load(&mut engine, damaged);
        assert!(matches!(
            events.last(),
            Some(Event::Ready { .. } | Event::Error { .. })
        ));
    }
}

#[test]
fn greedy_tokens_are_those_of_pytorch() {
    let fixture: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/tiny.json")).unwrap();
    let ids =
        |key: &str| -> Vec<u32> { serde_json::from_value(fixture["greedy"][key].clone()).unwrap() };
    // The fixture's vocabulary is the 256 bytes, the last of which ends a text.
    let tokens = (0..=255).map(|b| char_of_byte(b).to_string()).collect();
    let tokenizer = GgufTokenizer {
        model: "gpt2".to_owned(),
        tokens,
        token_types: [vec![1; 255], vec![3]].concat(),
        ..GgufTokenizer::default()
    };
    let tokenizer = tokenizer.read().unwrap();
    let weights: &[u8] = include_bytes!("../fixtures/tiny/model.safetensors");
    let checkpoint = Checkpoint::from_floats(
        include_bytes!("../fixtures/tiny/config.json"),
        vec![Box::new(std::io::Cursor::new(weights))],
    )
    .unwrap();
    let defaults = GenerationParams::default();
    let config = checkpoint.config().clone();
    let file = ModelFile::from_checkpoint(checkpoint, config, tokenizer, defaults).unwrap();
    let mut engine = Engine::new();
    engine.load_model_file(LOAD, file, "fixture", weights.len() as u64, 0.0);
    run(&mut engine);
    let prompt: Vec<u8> = ids("prompt").iter().map(|id| *id as u8).collect();
    let greedy = GenerationParams {
        do_sample: false,
        num_return_sequences: 2,
        prefix: String::new(),
        ..params(64)
    };
    let events = generate(&mut engine, std::str::from_utf8(&prompt).unwrap(), &greedy);
    for sequence in 0..2 {
        assert_eq!(streamed(&events, sequence).0, ids("token_ids"));
    }
}
