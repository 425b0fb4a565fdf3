//! What the page shows of a training for what its worker tells.

use super::*;

fn step(step: u32, loss: f32) -> Event {
    Event::Step {
        report: StepReport {
            step,
            n_steps: 1000,
            loss,
            learning_rate: 1e-4,
            grad_norm: 1.0,
            tokens: 128,
        },
        tokens_per_second: 256.0,
        memory_bytes: 200_000_000,
    }
}

fn prepared() -> Event {
    Event::Prepared(Prepared {
        steps_done: 0,
        n_steps: 1000,
        step_tokens: 128,
        memory_bytes: 200_000_000,
        step_seconds: 0.5,
    })
}

fn trained() -> TrainedBot {
    let run = crate::runs::Run {
        id: "run".to_owned(),
        job_type: crate::runs::JobType::Train,
        name: "@zoe-train".to_owned(),
        state: crate::runs::State::Finished,
        begun_ms: 0,
        ended_ms: Some(1),
        config: Default::default(),
        versions: Default::default(),
        seeds: Default::default(),
        metrics: Vec::new(),
        summary: Default::default(),
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    TrainedBot {
        record: crate::runs::RunRecord {
            run,
            artifacts: Vec::new(),
        },
        files: Vec::new(),
        gguf: String::new(),
        earlier: Vec::new(),
    }
}

#[test]
fn steps_begin_at_once_only_if_asked() {
    for begins in [true, false] {
        let mut state = TrainingState::default();
        state.prepare(begins);
        assert_eq!(state.hear(prepared()), begins);
        let phase = match begins {
            true => Phase::Running,
            false => Phase::Ready,
        };
        assert_eq!(state.phase, phase);
    }
}

#[test]
fn a_zip_that_is_not_made_leaves_the_training_as_it_is() {
    let mut state = TrainingState {
        phase: Phase::Paused,
        ..TrainingState::default()
    };
    state.pack();
    assert!(state.is_packing);
    state.hear(Event::NotPacked {
        message: "no network".to_owned(),
        hint: "try again".to_owned(),
    });
    assert_eq!((state.phase, state.is_packing), (Phase::Paused, false));
    assert!(state.failure.is_some());
    state.pack();
    assert_eq!(state.failure, None);
    state.hear(Event::Packed {
        name: "me.zip".to_owned(),
    });
    assert!(!state.is_packing);
}

#[test]
fn a_pause_waits_for_the_step_and_gives_way_to_the_end() {
    let mut state = TrainingState {
        phase: Phase::Pausing,
        ..TrainingState::default()
    };
    assert!(state.is_busy());
    state.hear(Event::Paused);
    assert_eq!(state.phase, Phase::Paused);
    state.phase = Phase::Pausing;
    state.hear(Event::Writing { texts: 3 });
    state.hear(Event::Paused);
    assert_eq!(state.phase, Phase::Writing { texts: 3 });
}

#[test]
fn what_a_closed_tab_has_left_brings_its_figures_back_and_says_what_another_choice_costs() {
    let mut state = TrainingState::default();
    assert_eq!(state.interrupted_words("bundled", "bundled"), None);
    let settings = TrainingSettings {
        is_lora: true,
        learning_rate: Some(5e-4),
        rank: 4,
        passes: 2,
        ..TrainingSettings::default()
    };
    state.take_interrupted(Interrupted {
        params: settings.params(7),
        base: "owner/model".to_owned(),
        steps_done: 6,
        n_steps: 65,
    });
    assert_eq!(state.settings, settings);
    let words =
        |state: &TrainingState, base| state.interrupted_words(base, "bundled").unwrap_or_default();
    assert!(words(&state, "owner/model").ends_with("9 % of its steps; “Train” goes on with it."));
    assert!(
        words(&state, "bundled").contains("from owner/model was"),
        "{}",
        words(&state, "bundled")
    );
    state.settings.passes = 3;
    let told = words(&state, "owner/model");
    assert!(
        told.contains("with other settings") && !told.contains("“Train”"),
        "{told}"
    );
    if let Some(left) = &mut state.interrupted {
        left.base = "bundled".to_owned();
    }
    let told = words(&state, "owner/model");
    assert!(
        told.contains("from the model that comes with the page was"),
        "{told}"
    );
}

#[test]
fn a_paused_training_says_where_it_stands_and_no_time() {
    let mut state = TrainingState::default();
    state.prepare(true);
    state.hear(prepared());
    state.hear(step(11, 3.0));
    state.go(Phase::Pausing);
    state.hear(Event::Paused);
    let words = state.status_words(100).unwrap_or_default();
    assert_eq!(words, "Paused at step 11 of 1,000.");
    assert_eq!(
        state.speed_words().as_deref(),
        Some("256 tokens per second")
    );
}

#[test]
fn a_bot_that_cannot_be_written_leaves_the_training_and_a_failure_leaves_no_progress() {
    let told = || ("no room".to_owned(), "free space".to_owned());
    let mut state = TrainingState::default();
    state.prepare(true);
    state.hear(prepared());
    state.hear(step(11, 3.0));
    state.go(Phase::Writing { texts: 0 });
    let (message, hint) = told();
    state.hear(Event::NotFinished {
        left: Left::Training,
        message,
        hint,
    });
    assert_eq!(state.phase, Phase::Paused);
    assert!(state.failure.is_some() && state.report.is_some());
    state.go(Phase::Running);
    assert_eq!(state.failure, None);
    let (message, hint) = told();
    state.hear(Event::Failed { message, hint });
    assert_eq!((state.phase, state.report), (Phase::Idle, None));
    assert!(state.failure.is_some() && state.losses.is_empty());
}

#[test]
fn a_bot_whose_weights_alone_are_written_waits_for_another_try() {
    let mut state = TrainingState::default();
    state.prepare(true);
    state.hear(prepared());
    state.hear(step(11, 3.0));
    state.go(Phase::Writing { texts: 0 });
    state.hear(Event::Writing { texts: 100 });
    state.hear(Event::NotFinished {
        left: Left::Weights,
        message: "no room".to_owned(),
        hint: "free space".to_owned(),
    });
    assert_eq!(state.phase, Phase::Unwritten);
    assert!(state.failure.is_some() && state.report.is_some() && !state.is_busy());
    assert!(
        state
            .status_words(100)
            .is_some_and(|it| it.contains("not all written"))
    );
    state.go(Phase::Writing { texts: 0 });
    assert_eq!(state.failure, None);
}

#[test]
fn a_bot_is_listed_until_its_files_are_replaced() {
    let listed = || {
        let mut state = TrainingState {
            trained: Some(trained()),
            ..TrainingState::default()
        };
        state.prepare(true);
        state.hear(prepared());
        state.go(Phase::Writing { texts: 0 });
        state
    };
    let not_finished = || Event::NotFinished {
        left: Left::Training,
        message: "no room".to_owned(),
        hint: "free space".to_owned(),
    };
    let mut state = listed();
    state.hear(not_finished());
    assert!(state.trained.is_some());
    let mut state = listed();
    state.hear(Event::Replacing);
    assert_eq!(state.trained, None);
    state.hear(not_finished());
    state.reset();
    assert_eq!(state.trained, None);
}

#[test]
fn leaving_a_bot_is_asked_about_only_where_it_costs_something() {
    let words = |phase, not_kept: bool, is_kept| {
        let state = TrainingState {
            phase,
            not_kept: not_kept.then(|| "no room".to_owned()),
            ..TrainingState::default()
        };
        state.leaving(is_kept).map_or("", |it| it.words)
    };
    let begins = Phase::Preparing { begins: true };
    let measures = Phase::Preparing { begins: false };
    for phase in [Phase::Idle, measures, Phase::Ready, Phase::Paused] {
        assert_eq!(words(phase, false, true), "");
        assert!(words(phase, false, false).contains("gone"));
    }
    assert!(words(begins, false, true).contains("about to begin"));
    // A running training tries again to keep its state when it is paused.
    for not_kept in [false, true] {
        assert!(words(Phase::Running, not_kept, true).contains("is paused and kept"));
    }
    assert!(words(Phase::Writing { texts: 3 }, false, true).contains("not all written"));
    for phase in [Phase::Pausing, Phase::Paused, Phase::Unwritten] {
        assert!(words(phase, true, true).contains("are lost"), "{phase:?}");
    }
    let mut state = TrainingState::default();
    state.pack();
    assert!(
        state
            .leaving(true)
            .is_some_and(|it| it.words.contains("zip"))
    );
}

#[test]
fn steps_are_lost_with_a_training_whose_state_is_not_kept() {
    let loses = |phase, not_kept: Option<&str>, is_kept| {
        let state = TrainingState {
            phase,
            not_kept: not_kept.map(str::to_owned),
            ..TrainingState::default()
        };
        state.loses_steps(is_kept)
    };
    assert!(!loses(Phase::Paused, None, true));
    assert!(loses(Phase::Paused, Some("no room"), true));
    assert!(loses(Phase::Unwritten, None, false));
    assert!(!loses(Phase::Ready, None, false));
}

#[test]
fn the_models_are_called_by_names_that_people_know() {
    assert_eq!(
        base_words("bundled", "bundled"),
        "the model that comes with the page"
    );
    assert!(base_words("@dee", "bundled").contains("@dee"));
}

#[test]
fn costs_and_speed_are_told_in_words() {
    let mut state = TrainingState::default();
    state.prepare(true);
    state.hear(prepared());
    let words = state.cost_words().unwrap_or_default();
    assert!(
        words.contains("1,000 steps of 128 tokens, about 8 min"),
        "{words}"
    );
    state.hear(step(500, 3.0));
    let words = state.speed_words().unwrap_or_default();
    assert_eq!(words, "256 tokens per second, 4 min left");
}

#[test]
fn a_long_curve_has_few_points_and_the_same_mean() {
    let mut state = TrainingState::default();
    for i in 1..=1000 {
        state.hear(step(i, i as f32));
    }
    let curve = state.curve();
    assert!(curve.len() <= MOST_POINTS, "{}", curve.len());
    assert_eq!(curve[0], (2.0, 2.0));
}
