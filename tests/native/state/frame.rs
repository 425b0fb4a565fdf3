//! The page in a frame of another page: the host's messages, and what they change.

use std::collections::BTreeMap;

use super::{SEED, failure, fresh, ready, started};
use huggingtweets::generate::parameter::Parameter;
use huggingtweets::protocol::{ErrorCode, Event, FinishedSequence, Request, RunStats, StopReason};
use huggingtweets::state::frame_message::{
    Answer, Control, FRAME_VERSION, FloodGate, FrameEvent, FrameMessage, GeneratedText,
    HostMessage, HostTheme, Wrapped,
};
use huggingtweets::state::{Command, PageState, Phase};
use serde_json::{Map, Value, json};

fn read(message: Value) -> Option<HostMessage> {
    let wrapped: Wrapped<HostMessage> = serde_json::from_value(message).ok()?;
    (wrapped.huggingtweets.v == FRAME_VERSION).then_some(wrapped.huggingtweets.message)
}

fn options(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// The job of the run that a press of Generate has begun.
fn run_job(commands: &[Command]) -> u32 {
    match commands {
        [Command::Send(Request::Generate { job, .. })] => *job,
        other => panic!("{other:?}"),
    }
}

fn done(job: u32, stopped: bool) -> Event {
    Event::Done {
        job,
        stopped,
        stats: RunStats::default(),
    }
}

#[test]
fn messages_of_the_host_are_read_as_the_element_writes_them() {
    let set = json!({ "huggingtweets": {
        "v": 1, "type": "set", "settings": { "n": "2", "seed": "" }, "styles": { "accent": "red" },
        "theme": "dark", "is_right_to_left": true,
    } });
    match read(set) {
        Some(HostMessage::Set(look)) => {
            assert_eq!(look.theme, HostTheme::Dark);
            assert!(look.is_right_to_left);
            assert_eq!(look.styles["accent"], "red");
        }
        other => panic!("{other:?}"),
    }
    let focus = json!({ "huggingtweets": { "v": 1, "type": "focus", "on": "prompt", "selection": [1, 3] } });
    let expected = HostMessage::Focus {
        on: Control::Prompt,
        selection: [1, 3],
    };
    assert_eq!(read(focus), Some(expected));
    let load = json!({ "huggingtweets": { "v": 1, "type": "load" } });
    assert_eq!(read(load), Some(HostMessage::Load));
}

#[test]
fn message_of_another_version_or_shape_is_no_message() {
    for message in [
        json!({ "huggingtweets": { "v": 2, "type": "load" } }),
        json!({ "huggingtweets": { "v": 1, "type": "explode" } }),
        json!({ "huggingtweets": { "v": 1, "type": "write", "text": 5 } }),
        json!({ "huggingtweets": { "type": "load" } }),
        json!({ "huggingtweets": "load" }),
        json!({ "v": 1, "type": "load" }),
        json!(null),
    ] {
        assert_eq!(read(message.clone()), None, "{message}");
    }
}

#[test]
fn messages_to_the_host_have_the_names_of_the_contract() {
    let texts = Answer::Texts(vec![GeneratedText {
        generated_text: "a".to_owned(),
    }]);
    let answer = FrameMessage::Answer {
        call: 3,
        answer: texts,
    };
    assert_eq!(
        serde_json::to_value(Wrapped::new(answer)).unwrap(),
        json!({ "huggingtweets": { "v": 1, "type": "answer", "call": 3, "texts": [{ "generated_text": "a" }] } })
    );
    let events = FrameMessage::Events {
        list: vec![FrameEvent::Progress {
            status: "progress",
            file: "m".to_owned(),
            loaded: 1,
            total: None,
        }],
    };
    assert_eq!(
        serde_json::to_value(events).unwrap(),
        json!({ "type": "events", "list": [{ "name": "progress", "detail": { "status": "progress", "file": "m", "loaded": 1 } }] })
    );
}

#[test]
fn a_flood_is_let_through_up_to_a_limit_each_second() {
    let mut gate = FloodGate::default();
    let passed =
        |gate: &mut FloodGate, now_ms: f64| (0..5000).filter(|_| gate.allows(now_ms)).count();
    let first = passed(&mut gate, 10.0);
    assert!((60..1000).contains(&first), "{first}");
    assert_eq!(passed(&mut gate, 900.0), 0);
    assert_eq!(passed(&mut gate, 1200.0), first);
}

#[test]
fn settings_of_the_host_are_followed_and_an_empty_one_is_the_default() {
    let mut state = fresh();
    let text = |state: &PageState| {
        state
            .settings()
            .text(Parameter::NumReturnSequences, &state.defaults())
    };
    let settings = |n: &str| BTreeMap::from([("n".to_owned(), n.to_owned())]);
    state.follow_host(&settings("2"));
    assert_eq!(text(&state), "2");
    state.follow_host(&settings(""));
    assert_eq!(text(&state), "5");
    state.follow_host(&BTreeMap::from([("colour".to_owned(), "red".to_owned())]));
    assert_eq!(state.settings().n_changed(), 0);
}

#[test]
fn options_of_a_call_last_as_long_as_the_call() {
    let mut state = ready();
    let wanted = options(
        json!({ "num_return_sequences": 1, "max_new_tokens": 3, "do_sample": false, "seed": 9, "other": 1, "top_k": null }),
    );
    let before = state.take_options(&wanted).unwrap();
    let commands = state.generate(SEED);
    match &commands[..] {
        [Command::Send(Request::Generate { params, .. })] => {
            assert_eq!(params.num_return_sequences, 1);
            assert_eq!(params.max_new_tokens, Some(3));
            assert_eq!(params.seed, Some(9));
            assert!(!params.do_sample);
        }
        other => panic!("{other:?}"),
    }
    let job = run_job(&commands);
    let sequence = FinishedSequence {
        sequence: 0,
        generated_text: "My dream is out".to_owned(),
        token_ids: vec![1],
        stop_reason: StopReason::Length,
    };
    assert!(state.has_text_to_write());
    state.update(Event::Result { job, sequence }, 0.0);
    state.update(done(job, false), 0.0);
    assert!(!state.has_text_to_write());
    let expected = Answer::Texts(vec![GeneratedText {
        generated_text: "My dream is out".to_owned(),
    }]);
    assert_eq!(state.answer(true), expected);
    state.restore_settings(before);
    assert_eq!(state.settings().n_changed(), 0);
}

#[test]
fn an_option_out_of_range_is_refused_and_changes_nothing() {
    let mut state = ready();
    let refused = state.take_options(&options(json!({ "max_new_tokens": 3, "temperature": -1 })));
    assert_eq!(refused.unwrap_err().code, ErrorCode::BadParameters);
    assert_eq!(state.settings().n_changed(), 0);
}

#[test]
fn a_call_that_is_stopped_or_fails_is_answered_with_its_failure() {
    let code = |answer| match answer {
        Answer::Error(report) => report.code,
        Answer::Texts(texts) => panic!("{texts:?}"),
    };
    let mut state = ready();
    let job = run_job(&state.generate(SEED));
    state.stop();
    state.update(done(job, true), 0.0);
    assert_eq!(code(state.answer(true)), ErrorCode::Cancelled);
    let job = run_job(&state.generate(SEED));
    state.update(failure(Some(job), ErrorCode::ContextOverflow, false), 0.0);
    assert_eq!(code(state.answer(true)), ErrorCode::ContextOverflow);
    // A load that is cancelled leaves the texts of before.
    let mut state = fresh();
    state.update(started(), 0.0);
    state.generate(SEED);
    assert!(state.has_text_to_write());
    state.stop();
    assert_eq!(code(state.answer(false)), ErrorCode::Cancelled);
}

#[test]
fn a_model_that_another_frame_closed_is_loaded_again_by_the_next_text() {
    let mut state = ready();
    state.update(Event::Closed {}, 0.0);
    assert_eq!(state.phase(), Phase::Idle);
    let commands = state.generate(SEED);
    assert!(matches!(
        commands[..],
        [Command::Send(Request::Load { .. })]
    ));
    // While a text is written, the engine itself takes care of the model.
    let mut state = ready();
    state.generate(SEED);
    state.update(Event::Closed {}, 0.0);
    assert_eq!(state.phase(), Phase::Generating);
    assert!(state.model_info().is_some());
}

#[test]
fn a_lost_engine_is_replaced_at_once_unless_it_was_at_work() {
    let mut state = ready();
    assert_eq!(state.lose_engine(), [Command::RestartWorker]);
    assert!(state.problem().is_none());
    let mut state = ready();
    state.generate(SEED);
    assert_eq!(state.lose_engine(), []);
    assert!(!state.has_text_to_write());
    assert_eq!(
        state.problem().map(|problem| problem.report.code),
        Some(ErrorCode::WorkerCrashed)
    );
    assert_eq!(state.restart_worker(), [Command::RestartWorker]);
}
