//! The state of the page after each event and after each action of the visitor.

mod frame;
mod share;

use huggingtweets::bot;
use huggingtweets::generate::parameter::Parameter;
use huggingtweets::hub::{Dtype, Endpoint, ModelRef, Offer, Room, Shortage, TypeOffer};
use huggingtweets::protocol::{
    ErrorCode, ErrorReport, Event, FinishedSequence, GenerationParams, Gpt2Config, LoadStage,
    ModelInfo, NewToken, Notice as FileNotice, Request, Retention, RunStats, Speeds, Spread,
    StopReason, Workload,
};
use huggingtweets::state::address::Address;
use huggingtweets::state::measuring::Measuring;
use huggingtweets::state::model::ModelStatus;
use huggingtweets::state::model_choice::{BotShare, ModelChoice};
use huggingtweets::state::notice::{AddressPart, FolderProblem, Notice};
use huggingtweets::state::problem::Remedy;
use huggingtweets::state::settings::SettingError;
use huggingtweets::state::stored_words::StoredWords;
use huggingtweets::state::text_direction::text_direction;
use huggingtweets::state::tweet::TweetStatus;
use huggingtweets::state::wording;
use huggingtweets::state::{Command, PageState, Phase};

const SEED: u32 = 700;

fn bundled() -> ModelChoice {
    ModelChoice {
        name: "small".to_owned(),
        ..ModelChoice::new(ModelRef::bundled()).with_size(7_900_000)
    }
}

/// A file that the visitor picked.
fn picked() -> ModelChoice {
    let names = vec!["other.gguf".to_owned()];
    ModelChoice::new(ModelRef::of_files(None, names)).with_size(5)
}

/// The model that the visitor typed.
fn named(address: &str) -> ModelRef {
    ModelRef::parse(address, &Endpoint::default(), Dtype::Auto).unwrap()
}

fn typed(address: &str) -> ModelChoice {
    ModelChoice::new(named(address))
}

fn fresh() -> PageState {
    PageState::new(
        bot::bundled().to_vec(),
        bundled(),
        &Address::default(),
        None,
    )
}

fn info() -> ModelInfo {
    ModelInfo {
        name: "small".to_owned(),
        dtype: "q8_0".to_owned(),
        size_bytes: 7_900_000,
        n_params: 6_900_000,
        config: Gpt2Config {
            vocab_size: 8192,
            n_ctx: 128,
            n_embd: 256,
            n_layer: 6,
            n_head: 8,
            n_inner: 1024,
            layer_norm_epsilon: 1e-5,
            bos_token_id: Some(0),
            eos_token_ids: vec![0],
            arithmetic: Default::default(),
        },
        defaults: GenerationParams {
            max_length: 100,
            ..GenerationParams::default()
        },
        notices: Vec::new(),
        load_ms: 80.0,
        memory_bytes: 20_000_000,
        retention: Retention::None,
    }
}

fn started() -> Event {
    Event::Started {
        simd: "simd128".to_owned(),
        threads: 1,
    }
}

/// The job of the load that is going on.
fn load_job(state: &PageState) -> u32 {
    state.loading().unwrap().job
}

/// The model that is being loaded is open.
fn open(state: &mut PageState, model: ModelInfo) -> Vec<Command> {
    let job = load_job(state);
    state.update(Event::Ready { job, model }, 0.0)
}

/// A model with changed facts is loaded and open.
fn open_with(state: &mut PageState, change: impl FnOnce(&mut ModelInfo)) {
    let mut model = info();
    change(&mut model);
    state.load();
    open(state, model);
}

fn progress(state: &mut PageState, stage: LoadStage, now_ms: f64) {
    let job = load_job(state);
    assert_eq!(state.update(Event::Progress { job, stage }, now_ms), []);
}

/// The card of huggingtweets/somebot, for the load that is going on.
fn take_card(state: &mut PageState) {
    let card = Event::Card {
        job: load_job(state),
        repo: "huggingtweets/somebot".parse().unwrap(),
        markdown: include_str!("../fixtures/repositories/pytorch-zip/README.md").to_owned(),
    };
    state.update(card, 0.0);
}

/// The load that is going on fails, or has been stopped.
fn fail_load(state: &mut PageState, code: ErrorCode, retryable: bool) {
    let job = load_job(state);
    state.update(failure(Some(job), code, retryable), 0.0);
}

fn ready() -> PageState {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.load();
    open(&mut state, info());
    assert_eq!(state.phase(), Phase::Ready);
    state
}

/// The model of the one load among the commands, which asks to keep it and the storage if it can be kept.
fn loaded(commands: &[Command]) -> ModelRef {
    let request = match commands {
        [Command::Persist, Command::Send(request)] => request,
        [Command::Send(request) | Command::SendFiles(request)] => request,
        other => panic!("expected one load, got {other:?}"),
    };
    let Request::Load { model, keep, .. } = request else {
        panic!("expected a load, got {request:?}");
    };
    assert_eq!(*keep, model.is_storable());
    assert_eq!(
        *keep,
        commands.len() == 2,
        "storage is asked for: {commands:?}"
    );
    model.clone()
}

fn stop(job: u32) -> Command {
    Command::Send(Request::Stop { job })
}

fn token(job: u32, sequence: usize, text: &str) -> Event {
    Event::Token {
        job,
        token: NewToken {
            sequence,
            token_id: 5,
            text: text.to_owned(),
            prob: 0.5,
        },
    }
}

fn result(job: u32, sequence: usize, text: &str) -> Event {
    Event::Result {
        job,
        sequence: FinishedSequence {
            sequence,
            generated_text: text.to_owned(),
            token_ids: Vec::new(),
            stop_reason: StopReason::Length,
        },
    }
}

fn done(job: u32, stopped: bool) -> Event {
    Event::Done {
        job,
        stopped,
        stats: RunStats {
            prompt_tokens: 4,
            new_tokens: 10,
            decode_ms: 100.0,
            prefill_ms: 10.0,
            threads: 1,
            ..RunStats::default()
        },
    }
}

fn failure(job: Option<u32>, code: ErrorCode, retryable: bool) -> Event {
    Event::Error {
        job,
        error: ErrorReport {
            code,
            message: "it failed".to_owned(),
            hint: "do something".to_owned(),
            retryable,
        },
    }
}

fn params_of(commands: &[Command]) -> (u32, String, GenerationParams) {
    match commands {
        [
            Command::Send(Request::Generate {
                job,
                prompt,
                params,
            }),
        ] => (*job, prompt.clone(), params.clone()),
        other => panic!("expected one generate request, got {other:?}"),
    }
}

#[test]
fn the_page_starts_then_is_idle_and_loads_nothing_by_itself() {
    let mut state = fresh();
    assert_eq!(state.phase(), Phase::Starting);
    assert_eq!(state.texts().prompt, "My dream is");
    assert_eq!(state.update(started(), 0.0), []);
    assert_eq!(state.phase(), Phase::Idle);
}

#[test]
fn generate_before_the_model_is_there_loads_it_and_then_generates() {
    let mut state = fresh();
    state.update(started(), 0.0);
    let requests = state.generate(SEED);
    assert_eq!(loaded(&requests), bundled().model);
    assert_eq!(state.phase(), Phase::Loading);
    let (_, prompt, params) = params_of(&open(&mut state, info()));
    assert_eq!(prompt, "My dream is");
    assert_eq!(params.seed, Some(SEED));
    assert_eq!(params.num_return_sequences, 5);
    assert_eq!(params.max_length, 100, "the model's own length holds");
    assert_eq!(state.phase(), Phase::Generating);
}

#[test]
fn generate_before_the_worker_runs_waits_for_it() {
    let mut state = fresh();
    assert_eq!(state.generate(SEED), []);
    assert_eq!(state.phase(), Phase::Loading);
    assert_eq!(loaded(&state.update(started(), 0.0)), bundled().model);
    params_of(&open(&mut state, info()));
}

#[test]
fn generate_again_while_loading_asks_once() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.generate(SEED);
    assert_eq!(state.generate(SEED + 1), []);
    let (_, _, params) = params_of(&open(&mut state, info()));
    assert_eq!(params.seed, Some(SEED + 1), "the last wish wins");
}

#[test]
fn five_places_stand_from_the_start_and_fill_out_of_order() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    assert_eq!(state.texts().tweets.len(), 5);
    state.update(token(job, 3, " to"), 0.0);
    state.update(token(job, 0, " a"), 0.0);
    state.update(token(job, 3, " be"), 0.0);
    let fresh: Vec<_> = state
        .texts()
        .tweets
        .iter()
        .map(|tweet| tweet.continuation())
        .collect();
    assert_eq!(fresh, [" a", "", "", " to be", ""]);
    assert_eq!(state.texts().tweets[3].status, TweetStatus::Writing);
    assert_eq!(state.texts().tweets[1].status, TweetStatus::Waiting);
    let seeds: Vec<_> = state
        .texts()
        .tweets
        .iter()
        .map(|tweet| tweet.seed)
        .collect();
    assert_eq!(seeds, [700, 701, 702, 703, 704]);
}

#[test]
fn the_whole_text_replaces_the_pieces_without_repeating_the_prompt() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(token(job, 0, " to f"), 0.0);
    state.update(result(job, 0, "My dream is to fly"), 0.0);
    assert_eq!(state.texts().tweets[0].continuation(), " to fly");
    assert_eq!(state.texts().tweets[0].full_text(), "My dream is to fly");
}

#[test]
fn events_of_another_job_change_nothing() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    let before = state.clone();
    state.update(token(job + 1, 0, "x"), 0.0);
    state.update(token(job, 9, "x"), 0.0);
    state.update(done(job + 1, false), 0.0);
    assert_eq!(state, before);
}

#[test]
fn stop_keeps_what_was_written_and_is_asked_once() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(token(job, 2, " half"), 0.0);
    assert_eq!(state.stop(), [stop(job)]);
    assert_eq!(state.stop(), []);
    state.update(done(job, true), 0.0);
    assert_eq!(state.phase(), Phase::Ready);
    assert_eq!(state.texts().tweets[2].continuation(), " half");
    assert_eq!(
        state.texts().tweets[2].status,
        TweetStatus::Done(StopReason::Stopped)
    );
    assert!(state.status().starts_with("Stopped"));
}

#[test]
fn generate_while_writing_stops_first_and_then_starts() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.edit_prompt("I want");
    assert_eq!(state.generate(SEED + 9), [stop(job)]);
    let (next, prompt, _) = params_of(&state.update(done(job, true), 0.0));
    assert_ne!(next, job);
    assert_eq!(prompt, "I want");
}

#[test]
fn regenerate_writes_one_place_and_leaves_the_others() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    for i in 0..5 {
        state.update(result(job, i, "My dream is old"), 0.0);
    }
    state.update(done(job, false), 0.0);
    let (job, prompt, params) = params_of(&state.regenerate(2, 9000));
    assert_eq!(
        (prompt.as_str(), params.num_return_sequences, params.seed),
        ("My dream is", 1, Some(9000))
    );
    state.update(token(job, 0, " new"), 0.0);
    state.update(done(job, false), 0.0);
    let texts: Vec<_> = state
        .texts()
        .tweets
        .iter()
        .map(|tweet| tweet.continuation())
        .collect();
    assert_eq!(texts, [" old", " old", " new", " old", " old"]);
    assert_eq!(state.texts().tweets[2].seed, 9000);
}

#[test]
fn continue_sends_the_full_text_and_appends() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(token(job, 1, " to"), 0.0);
    state.update(result(job, 1, "My dream is to"), 0.0);
    state.update(done(job, false), 0.0);
    assert!(state.can_continue(1));
    let (job, prompt, params) = params_of(&state.continue_tweet(1, 9000));
    assert_eq!(prompt, "My dream is to");
    assert_eq!(params.max_new_tokens, Some(40));
    assert_eq!(
        params.min_length,
        4 + 1 + 8,
        "the text may not end where it ended"
    );
    state.update(token(job, 0, " fl"), 0.0);
    assert_eq!(state.texts().tweets[1].continuation(), " to fl");
    state.update(result(job, 0, "My dream is to fly"), 0.0);
    state.update(done(job, false), 0.0);
    assert_eq!(state.texts().tweets[1].full_text(), "My dream is to fly");
    assert_eq!(state.texts().tweets[1].prompt, "My dream is");
}

#[test]
fn continue_never_asks_for_more_than_the_context_holds() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    for _ in 0..120 {
        state.update(token(job, 0, " a"), 0.0);
    }
    for _ in 0..125 {
        state.update(token(job, 1, " a"), 0.0);
    }
    state.update(done(job, false), 0.0);
    let (_, _, params) = params_of(&state.continue_tweet(0, 1));
    // The last new token needs no place among the 128.
    assert_eq!(params.max_new_tokens, Some(129 - 4 - 120));
    assert!(!state.can_continue(1));
}

#[test]
fn a_typed_length_may_be_what_the_engine_takes_and_no_more() {
    for (parameter, most) in [(Parameter::MaxLength, 129), (Parameter::MaxNewTokens, 128)] {
        let mut state = ready();
        state.set_parameter(parameter, &most.to_string());
        assert_eq!(state.setting_error(parameter), None);
        let (_, _, params) = params_of(&state.generate(SEED));
        params.check(128).unwrap();
        state.set_parameter(parameter, &(most + 1).to_string());
        let error = state.setting_error(parameter).unwrap().to_string();
        assert!(error.contains(&format!("at most {most},")), "{error}");
    }
    let beyond = GenerationParams {
        max_length: 130,
        ..GenerationParams::default()
    };
    let error = beyond.check(128).unwrap_err();
    assert!(error.hint().contains("129 or less"), "{}", error.hint());
}

#[test]
fn a_search_that_is_asked_for_gives_one_text_unless_a_number_is_typed() {
    let typed = |settings: &[(Parameter, &str)]| {
        let mut state = ready();
        for (parameter, text) in settings {
            state.set_parameter(*parameter, text);
        }
        let (_, _, params) = params_of(&state.generate(SEED));
        assert_eq!(state.texts().tweets.len(), params.num_return_sequences);
        params.check(128).unwrap();
        params.num_return_sequences
    };
    let greedy = (Parameter::DoSample, "false");
    let beams = (Parameter::NumBeams, "4");
    assert_eq!(typed(&[]), 5);
    assert_eq!(typed(&[greedy]), 1);
    assert_eq!(typed(&[greedy, beams]), 1);
    assert_eq!(typed(&[beams]), 4, "drawn, and one per beam");
    let three = (Parameter::NumReturnSequences, "3");
    assert_eq!(typed(&[greedy, beams, three]), 3);
}

#[test]
fn a_crash_keeps_prompt_settings_and_text_and_offers_a_restart() {
    let mut state = ready();
    state.edit_prompt("Keep me");
    state.set_parameter(Parameter::Temperature, "0.7");
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(token(job, 0, " please"), 0.0);
    state.update(failure(None, ErrorCode::WorkerCrashed, true), 0.0);
    assert_eq!(state.phase(), Phase::Failed);
    assert_eq!(state.problem().unwrap().remedies, [Remedy::RestartWorker]);
    assert_eq!(state.texts().prompt, "Keep me");
    assert_eq!(state.texts().tweets[0].full_text(), "Keep me please");
    assert_eq!(state.texts().tweets[0].status, TweetStatus::Broken);
    assert!(state.settings().is_changed(Parameter::Temperature));

    assert_eq!(state.restart_worker(), [Command::RestartWorker]);
    assert_eq!(state.phase(), Phase::Starting);
    state.update(started(), 0.0);
    assert_eq!(state.phase(), Phase::Idle);
    assert_eq!(loaded(&state.generate(SEED)), bundled().model);
    let (_, _, params) = params_of(&open(&mut state, info()));
    assert_eq!(params.temperature, 0.7);
}

#[test]
fn a_failed_load_says_so_and_offers_what_can_help() {
    let url = "https://elsewhere.example/big.gguf";
    let mut state = fresh();
    state.update(started(), 0.0);
    state.open_model(typed(url));
    fail_load(&mut state, ErrorCode::NotAModel, false);
    assert_eq!(state.phase(), Phase::Failed);
    assert_eq!(state.problem().unwrap().remedies, [Remedy::UseBundled]);

    state.open_model(typed(url));
    assert!(
        state.problem().is_none(),
        "a new try takes the old error away"
    );
    fail_load(&mut state, ErrorCode::Download, true);
    assert_eq!(
        state.problem().unwrap().remedies,
        [Remedy::RetryLoad, Remedy::UseBundled]
    );
    assert_eq!(loaded(&state.retry_load()), named(url));
    fail_load(&mut state, ErrorCode::Download, true);
    assert_eq!(loaded(&state.use_bundled()), bundled().model);
}

#[test]
fn nothing_changes_until_a_model_is_accepted() {
    let shown = |state: &PageState| {
        let texts = state.texts().clone();
        (state.speaker(), state.choice().clone(), texts)
    };
    let mut state = fresh();
    state.update(started(), 0.0);
    state.choose_bot(1);
    state.edit_prompt("Hello");
    let before = shown(&state);
    // A file, a model by name, and one that brings the card of another bot.
    for choice in [picked(), typed("me/tiny"), typed("huggingtweets/somebot")] {
        state.open_model(choice);
        take_card(&mut state);
        fail_load(&mut state, ErrorCode::NotAModel, false);
        assert_eq!(shown(&state), before);
        assert_eq!(state.phase(), Phase::Failed);
        state.dismiss_problem();
        assert_eq!(
            (shown(&state), state.phase()),
            (before.clone(), Phase::Idle)
        );
    }
    // The same after a stop, also of a second load.
    state.open_model(typed("me/first"));
    state.open_model(picked());
    fail_load(&mut state, ErrorCode::Cancelled, true);
    assert_eq!(shown(&state), before);
    // A bot that is chosen during the load stays.
    state.open_model(picked());
    state.choose_bot(2);
    fail_load(&mut state, ErrorCode::NotAModel, false);
    assert_eq!(state.selected(), Some(2));
    assert_eq!(loaded(&state.generate(SEED)), bundled().model);
}

#[test]
fn an_export_that_is_opened_as_a_model_leads_to_the_maker() {
    let problem = |folder: Option<&str>, names: &[&str]| {
        let mut state = fresh();
        state.update(started(), 0.0);
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let model = ModelRef::of_files(folder.map(str::to_owned), names);
        state.open_model(ModelChoice::new(model));
        fail_load(&mut state, ErrorCode::NotAModel, false);
        state.problem().unwrap().clone()
    };
    for (name, what) in [
        ("twitter-2023.zip", "an archive of posts"),
        ("REPO.CAR", "a Bluesky account"),
        ("outbox.json", "a Mastodon account"),
        ("archive-1.tar.gz", "an archive of posts"),
        ("posts.csv", "a table of posts"),
        ("posts.json", "a list of posts"),
    ] {
        let problem = problem(None, &[name]);
        assert_eq!(problem.remedies[0], Remedy::OpenMaker, "{name}");
        assert!(problem.report.message.contains(what), "{problem:?}");
        assert!(problem.report.hint.contains("file ready"), "{problem:?}");
    }
    let folder = problem(Some("twitter"), &["Your archive.html"]);
    assert!(folder.report.hint.contains("drop the folder"), "{folder:?}");
    // Parts of a model, and what is neither.
    for names in [
        &["config.json"][..],
        &["vocab.json", "merges.txt"],
        &["notes.txt", "model.safetensors"],
        &["broken.gguf"],
        &["picture.png"],
    ] {
        assert_eq!(problem(None, names).remedies, [Remedy::UseBundled]);
    }
}

#[test]
fn an_open_model_that_is_deleted_is_no_longer_saved() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.open_model(typed("me/tiny"));
    let saved = ModelInfo {
        retention: Retention::PrivateFiles,
        ..info()
    };
    open(&mut state, saved);
    let retention = |state: &PageState| state.model_info().unwrap().retention;
    state.update_stored(vec![(named("me/tiny"), None)]);
    assert_eq!(retention(&state), Retention::PrivateFiles);
    state.update_stored(Vec::new());
    assert_eq!(retention(&state), Retention::Tab);
    assert_eq!(state.phase(), Phase::Ready, "it stays open");
}

#[test]
fn the_open_model_stays_until_another_has_opened() {
    let url = "https://elsewhere.example/big.gguf";
    let mut state = ready();
    let before = (state.model_info().cloned(), state.selected());
    state.open_model(typed(url));
    fail_load(&mut state, ErrorCode::Download, true);
    assert_eq!(state.phase(), Phase::Ready);
    assert_eq!((state.model_info().cloned(), state.selected()), before);
    assert!(state.is_bundled());
    let problem = state.problem().unwrap();
    assert_eq!(problem.stays.as_deref(), Some("small"));
    assert_eq!(
        problem.remedies,
        [Remedy::RetryLoad],
        "the bundled one is open"
    );
    // Loading it again loads what failed, not what is open.
    assert_eq!(loaded(&state.retry_load()), named(url));
    // The same after a stop, and after a pause that is given up.
    state.stop();
    fail_load(&mut state, ErrorCode::Cancelled, true);
    assert_eq!((state.model_info().cloned(), state.selected()), before);
    assert!(state.problem().is_none());
    params_of(&state.generate(SEED));
}

#[test]
fn a_pause_that_is_given_up_leads_back_to_the_open_model() {
    let mut state = ready();
    state.open_model(typed("me/tiny"));
    let stage = LoadStage::Downloading {
        loaded: 10,
        total: Some(20),
    };
    progress(&mut state, stage, 0.0);
    state.pause();
    fail_load(&mut state, ErrorCode::Cancelled, true);
    assert_eq!(state.phase(), Phase::Idle);
    assert_eq!(state.stop(), []);
    assert_eq!(state.phase(), Phase::Ready);
    assert!(state.is_bundled());
}

#[test]
fn a_model_that_was_closed_for_another_is_opened_again_if_that_one_fails() {
    let mut state = ready();
    state.open_model(typed("me/tiny"));
    progress(
        &mut state,
        LoadStage::Reading {
            loaded: 1,
            total: 2,
        },
        0.0,
    );
    let job = load_job(&state);
    let commands = state.update(failure(Some(job), ErrorCode::Truncated, true), 0.0);
    assert_eq!(loaded(&commands), bundled().model);
    assert!(state.problem().is_some());
    open(&mut state, info());
    assert_eq!(state.phase(), Phase::Ready);
    // One that would have to be downloaded again is not.
    state.open_model(typed("me/first"));
    open(&mut state, info());
    state.open_model(typed("me/second"));
    let stage = LoadStage::Reading {
        loaded: 1,
        total: 2,
    };
    progress(&mut state, stage, 0.0);
    let job = load_job(&state);
    let failed = failure(Some(job), ErrorCode::Truncated, true);
    assert_eq!(state.update(failed, 0.0), []);
    assert_eq!(state.phase(), Phase::Failed);
}

#[test]
fn a_model_without_a_card_speaks_under_its_own_name() {
    let mut state = ready();
    state.edit_prompt("Hello");
    state.open_model(picked());
    assert_eq!(state.selected(), None);
    open(&mut state, info());
    assert_eq!(state.speaker().names(), ["other.gguf"]);
    assert_eq!(state.speaker().handle(), None);
    assert_eq!(state.speaker().title(), "other.gguf · huggingtweets-web");
    assert_eq!(state.texts().prompt, "Hello");
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(result(job, 0, "Hello there"), 0.0);
    state.update(done(job, false), 0.0);
    // Its words are not those of a bot that is opened next, nor the other way round.
    state.choose_bot(1);
    assert!(state.is_bundled() && state.texts().tweets.is_empty());
    state.open_model(picked());
    assert_eq!(state.texts().tweets[0].continuation(), " there");
    state.use_bundled();
    assert_eq!(state.selected(), Some(1), "the last bot is open again");
}

#[test]
fn a_model_in_the_address_speaks_under_its_own_name_and_the_address_leads_back_to_it() {
    let address = Address::from_pairs([
        ("bot", "someone/unknown"),
        ("model", "https://elsewhere.example/big.gguf"),
    ]);
    let model = typed("https://elsewhere.example/big.gguf");
    let bots = bot::bundled().to_vec();
    let mut state = PageState::new(bots, bundled(), &address, Some(model.clone()));
    assert_eq!(state.speaker().names(), ["big.gguf"]);
    assert_eq!(state.notices(), [], "the model is what Generate fetches");
    state.update(started(), 0.0);
    state.choose_bot(2);
    assert!(state.is_bundled());
    assert_eq!(state.choose_home(), []);
    assert_eq!(state.speaker().names(), ["big.gguf"]);
    assert_eq!(loaded(&state.generate(SEED)), model.model);
    open(&mut state, info());
    // The same if it is chosen while another model is being loaded.
    state.open_model(typed("me/tiny"));
    state.choose_home();
    open(&mut state, info());
    assert_eq!(state.choice().model, model.model);
    assert_eq!(state.model_status(), &ModelStatus::Absent);
}

#[test]
fn another_bot_that_was_chosen_during_a_load_does_not_speak_with_that_model() {
    let mut state = ready();
    state.open_model(typed("me/tiny"));
    state.choose_bot(1);
    open(&mut state, info());
    assert_eq!(state.selected(), Some(1));
    assert!(state.is_bundled());
    assert_eq!(loaded(&state.generate(SEED)), bundled().model);
}

#[test]
fn the_notice_of_a_missing_bot_goes_when_it_has_come_or_another_model_is_chosen() {
    let address = Address::from_pairs([("bot", "huggingtweets/somebot")]);
    let mut state = PageState::new(bot::bundled().to_vec(), bundled(), &address, None);
    state.update(started(), 0.0);
    state.generate(SEED);
    assert_eq!(state.notices().len(), 1, "it has not come yet");
    let mut come = state.clone();
    open(&mut come, info());
    assert_eq!(come.notices(), []);
    state.use_bundled();
    assert_eq!(state.notices(), []);
}

#[test]
fn a_card_that_arrives_late_takes_over_the_texts_of_its_model() {
    let mut state = ready();
    state.open_model(typed("huggingtweets/somebot"));
    assert_eq!(state.speaker().names(), ["huggingtweets/somebot"]);
    state.edit_prompt("Hello");
    take_card(&mut state);
    assert!(state.speaker().bot().is_some());
    assert_eq!(state.texts().prompt, "Hello");
}

#[test]
fn the_remedy_of_a_failed_load_fits_where_the_model_came_from() {
    let hint = |choice: ModelChoice, code| {
        let mut state = fresh();
        state.update(started(), 0.0);
        state.open_model(choice);
        fail_load(&mut state, code, true);
        state.problem().unwrap().report.hint.clone()
    };
    assert!(hint(picked(), ErrorCode::Truncated).contains("choose it here"));
    assert!(hint(picked(), ErrorCode::Download).contains("choose it again"));
    assert!(hint(bundled(), ErrorCode::Truncated).contains("reload the page"));
    assert!(hint(typed("me/tiny"), ErrorCode::Storage).contains("Storage"));
    assert_eq!(hint(typed("me/tiny"), ErrorCode::Truncated), "do something");
}

#[test]
fn a_host_that_does_not_answer_is_told_and_each_new_attempt_has_its_number() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.open_model(typed("me/tiny"));
    progress(&mut state, LoadStage::Unanswered, 0.0);
    assert!(state.loading().unwrap().text().contains("has not answered"));
    let stage = LoadStage::Waiting {
        seconds: 2,
        attempt: 3,
        attempts: 6,
        loaded: 0,
    };
    progress(&mut state, stage, 0.0);
    let text = state.loading().unwrap().text();
    assert!(
        text.contains("attempt 3 of 6") && text.contains("2 s"),
        "{text}"
    );
}

#[test]
fn stored_models_of_one_repository_are_told_apart_by_file_and_type() {
    let words = |address: &str, dtype| {
        let model = ModelRef::parse(address, &Endpoint::default(), dtype).unwrap();
        StoredWords::new(&model)
    };
    let page = "https://huggingface.co/me/ggufs/blob/main/";
    let first = words(&format!("{page}a.Q4_K_M.gguf"), Dtype::Auto);
    let second = words(&format!("{page}b%E2%80%AE.gguf"), Dtype::Auto);
    assert_eq!(first.name, second.name);
    assert_eq!(first.label(), "me/ggufs, a.Q4_K_M.gguf");
    assert_eq!(second.label(), "me/ggufs, b.gguf");
    assert_eq!(second.file_name, "b.gguf");
    let typed = words("me/tiny", Dtype::Q4K);
    assert_eq!(typed.label(), "me/tiny, Q4_K");
    assert_eq!(typed.file_name, "tiny.q4_k.gguf");
    assert_eq!(words("me/tiny", Dtype::Auto).label(), "me/tiny");
    let elsewhere = words("https://elsewhere.example/tiny.gguf", Dtype::Auto);
    assert_eq!(elsewhere.host.as_deref(), Some("elsewhere.example"));
}

#[test]
fn a_name_in_a_sentence_cannot_turn_it() {
    let folder = Notice::Folder {
        name: "\u{202e}אבי".to_owned(),
        problem: FolderProblem::Empty,
    };
    assert!(folder.text().contains("\u{2068}אבי\u{2069}"));
    assert!(!wording::sentence("the tensor `\u{202e}x` is missing").contains('\u{202e}'));
    assert_eq!(
        wording::sentence("config.json is damaged"),
        "config.json is damaged."
    );
}

#[test]
fn backticks_are_for_the_command_line() {
    assert_eq!(
        wording::sentence("run `git lfs pull` for `wte`"),
        "Run “git lfs pull” for “wte”."
    );
}

#[test]
fn a_failed_load_forgets_the_wish_to_generate() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.generate(SEED);
    fail_load(&mut state, ErrorCode::Truncated, true);
    state.load();
    assert_eq!(open(&mut state, info()), []);
}

#[test]
fn cancelling_a_load_leads_back_to_idle() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.generate(SEED);
    let job = load_job(&state);
    assert_eq!(state.stop(), [stop(job)]);
    fail_load(&mut state, ErrorCode::Cancelled, true);
    assert_eq!(state.phase(), Phase::Idle);
    assert!(state.problem().is_none());
}

/// A download for Generate, three of eight megabytes far and paused.
fn paused() -> PageState {
    let mut state = fresh();
    state.update(started(), 0.0);
    let stage = LoadStage::Downloading {
        loaded: 3_000_000,
        total: Some(7_900_000),
    };
    state.generate(SEED);
    progress(&mut state, stage.clone(), 0.0);
    assert_eq!(state.pause(), [], "of the bundled model nothing would stay");
    state.open_model(typed("gpt2"));
    state.generate(SEED);
    assert_eq!(state.pause(), [], "nothing has arrived yet");
    progress(&mut state, stage, 0.0);
    let job = load_job(&state);
    assert_eq!(state.pause(), [stop(job)]);
    assert_eq!(state.pause(), [], "asked once");
    fail_load(&mut state, ErrorCode::Cancelled, true);
    assert_eq!(state.phase(), Phase::Idle);
    assert_eq!(state.status(), "Paused at 3.0 MB of 7.9 MB.");
    state
}

#[test]
fn a_paused_download_goes_on_with_what_it_was_for() {
    let mut state = paused();
    assert!(!state.is_text_waiting());
    assert_eq!(loaded(&state.resume()), named("gpt2"));
    assert!(state.is_text_waiting());
    assert!(state.paused().is_none());
}

#[test]
fn a_paused_download_can_be_given_up_and_generate_goes_on_with_it() {
    let mut state = paused();
    assert_eq!(state.stop(), []);
    assert!(state.paused().is_none());
    let mut state = paused();
    assert_eq!(loaded(&state.generate(SEED)), named("gpt2"));
}

#[test]
fn a_refused_job_shows_its_error_and_leaves_the_model_ready() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(failure(Some(job), ErrorCode::ContextOverflow, false), 0.0);
    assert_eq!(state.phase(), Phase::Ready);
    assert_eq!(
        state.problem().unwrap().report.code,
        ErrorCode::ContextOverflow
    );
    params_of(&state.generate(SEED));
    assert!(state.problem().is_none());
}

#[test]
fn opening_another_model_ends_the_text_first() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    let commands = state.open_model(picked());
    assert_eq!(commands[0], stop(job));
    assert_eq!(loaded(&commands[1..]), picked().model);
    assert!(
        matches!(commands[1], Command::SendFiles(_)),
        "the files go along"
    );
}

#[test]
fn every_bot_has_its_own_desk_and_a_typed_prompt_goes_along() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(result(job, 0, "My dream is mine"), 0.0);
    state.update(done(job, false), 0.0);
    assert_eq!(state.choose_bot(1), []);
    assert!(state.texts().tweets.is_empty());
    state.edit_prompt("Hello");
    state.choose_bot(2);
    assert_eq!(state.texts().prompt, "Hello");
    state.choose_bot(0);
    assert_eq!(state.texts().tweets[0].continuation(), " mine");
}

#[test]
fn choosing_another_bot_stops_the_text_of_the_first() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    assert_eq!(state.choose_bot(1), [stop(job)]);
    state.update(token(job, 0, " late"), 0.0);
    assert!(state.texts().tweets.is_empty());
    state.update(done(job, true), 0.0);
    state.choose_bot(0);
    assert_eq!(state.texts().tweets[0].continuation(), " late");
}

#[test]
fn a_space_at_the_end_of_the_prompt_is_not_sent() {
    let mut state = ready();
    state.edit_prompt("My dream is  \n");
    assert_eq!(params_of(&state.generate(SEED)).1, "My dream is");
}

#[test]
fn settings_are_sent_as_typed_and_marked_until_reset() {
    let mut state = ready();
    state.set_parameter(Parameter::Temperature, "0,8");
    state.set_parameter(Parameter::NumReturnSequences, "2");
    state.set_parameter(Parameter::DoSample, "false");
    assert_eq!(state.settings().n_changed(), 3);
    let (job, _, params) = params_of(&state.generate(SEED));
    assert_eq!(
        (
            params.temperature,
            params.num_return_sequences,
            params.do_sample
        ),
        (0.8, 2, false)
    );
    assert_eq!(state.texts().tweets.len(), 2);
    state.update(done(job, false), 0.0);
    state.set_parameter(Parameter::NumReturnSequences, "5");
    assert!(
        !state.settings().is_changed(Parameter::NumReturnSequences),
        "the default typed again is no change"
    );
    state.reset_settings();
    assert_eq!(state.settings().n_changed(), 0);
}

#[test]
fn a_setting_out_of_range_is_named_and_nothing_is_sent() {
    let mut state = ready();
    for (field, text) in [
        (Parameter::Temperature, "0"),
        (Parameter::TopP, "1.5"),
        (Parameter::TopK, "-1"),
        (Parameter::NumReturnSequences, "11"),
        (Parameter::Seed, "4294967296"),
        (Parameter::RepetitionPenalty, "NaN"),
        (Parameter::MaxLength, ""),
    ] {
        state.set_parameter(field, text);
        assert!(
            state.setting_error(field).is_some(),
            "{} {text}",
            field.name()
        );
        assert_eq!(state.generate(SEED), []);
        assert_eq!(state.problem().unwrap().remedies, [Remedy::ResetSettings]);
        state.reset_parameter(field);
        assert!(state.problem().is_none());
    }
    state.set_parameter(Parameter::MaxLength, "130");
    assert_eq!(
        state.setting_error(Parameter::MaxLength),
        Some(SettingError::Context {
            parameter: Parameter::MaxLength,
            most: 129
        })
    );
}

#[test]
fn a_pinned_seed_is_used_for_every_following_run() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(done(job, false), 0.0);
    state.pin_seed(3);
    let (job, _, params) = params_of(&state.generate(1));
    assert_eq!(params.seed, Some(703));
    state.update(done(job, false), 0.0);
    assert_eq!(params_of(&state.generate(2)).2.seed, Some(703));
}

#[test]
fn a_pinned_seed_stays_with_its_bot() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(done(job, false), 0.0);
    state.pin_seed(0);
    state.choose_bot(1);
    assert!(!state.settings().is_changed(Parameter::Seed));
    assert_eq!(params_of(&state.generate(9)).2.seed, Some(9));
}

#[test]
fn a_continued_tweet_has_no_seed_that_could_be_pinned() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(token(job, 0, " a"), 0.0);
    state.update(result(job, 0, " a"), 0.0);
    state.update(done(job, false), 0.0);
    assert_eq!(state.texts().tweets[0].own_seed(), Some(SEED));
    let (job, ..) = params_of(&state.continue_tweet(0, 9));
    state.update(done(job, false), 0.0);
    assert_eq!(state.texts().tweets[0].own_seed(), None);
    state.pin_seed(0);
    assert!(!state.settings().is_changed(Parameter::Seed));
}

#[test]
fn what_there_is_to_know_about_the_files_stays_with_the_open_model() {
    let mut state = ready();
    assert_eq!(state.model_notices(), []);
    let notice = FileNotice::new("config.json", "top_k -8 is passed over");
    open_with(&mut state, |info| info.notices.push(notice.clone()));
    assert_eq!(state.model_notices(), [notice]);
    state.load();
    assert_eq!(state.model_notices(), []);
}

#[test]
fn a_model_that_draws_nothing_writes_one_text_unless_more_are_asked_for() {
    let mut state = ready();
    assert_eq!(state.defaults().num_return_sequences, 5);
    open_with(&mut state, |info| info.defaults.do_sample = false);
    assert_eq!(state.defaults().num_return_sequences, 1);
    open_with(&mut state, |info| {
        info.defaults.do_sample = true;
        info.defaults.num_beams = 3;
    });
    assert_eq!(state.defaults().num_return_sequences, 3);
}

#[test]
fn every_parameter_reads_back_what_it_writes() {
    let params = GenerationParams {
        max_new_tokens: Some(12),
        seed: Some(7),
        prefix: "<|endoftext|>".to_owned(),
        ..GenerationParams::default()
    };
    let mut copy = GenerationParams {
        max_length: 1,
        top_p: 0.1,
        temperature: 2.0,
        ..GenerationParams::default()
    };
    for parameter in Parameter::ALL {
        parameter
            .set(&parameter.text_of(&params), &mut copy)
            .unwrap();
        if let Some(name) = parameter.address_name() {
            assert_eq!(Parameter::from_address_name(name), Some(parameter));
        }
    }
    assert_eq!(copy, params);
}

#[test]
fn an_address_opens_bot_prompt_and_settings() {
    let address = Address::from_pairs([
        ("bot", "huggingtweets/SnackMerritt"),
        ("text", "I think that"),
        ("n", "3"),
        ("seed", "42"),
        ("temperature", "0.9"),
        ("view", "embed"),
        ("unknown", "x"),
    ]);
    assert_eq!(address.notices, []);
    let mut state = PageState::new(bot::bundled().to_vec(), bundled(), &address, None);
    assert_eq!(state.bot().card.handle, "snackmerritt");
    assert_eq!(state.texts().prompt, "I think that");
    state.update(started(), 0.0);
    state.load();
    open(&mut state, info());
    let (_, _, params) = params_of(&state.generate(SEED));
    assert_eq!(
        (params.num_return_sequences, params.seed, params.temperature),
        (3, Some(42), 0.9)
    );
}

#[test]
fn wrong_parts_of_an_address_are_left_out_with_a_notice_each() {
    let address = Address::from_pairs([
        ("bot", "../../etc"),
        ("model", "javascript:alert(1).gguf"),
        ("n", "0"),
        ("seed", "soon"),
        ("top_p", "2"),
        ("top_k", "40"),
    ]);
    use AddressPart as Part;
    assert!(
        matches!(
            &address.notices[..],
            [
                Notice::Ignored(Part::Bot(_)),
                Notice::Ignored(Part::Model(_)),
                Notice::Ignored(Part::Parameter(n)),
                Notice::Ignored(Part::Parameter(seed)),
                Notice::Ignored(Part::Parameter(top_p)),
            ] if n.parameter == Parameter::NumReturnSequences
                && seed.parameter == Parameter::Seed
                && top_p.parameter == Parameter::TopP
        ),
        "{:?}",
        address.notices
    );
    assert_eq!((address.bot, address.model), (None, None));
    assert_eq!(address.settings, [(Parameter::TopK, "40".to_owned())]);
}

#[test]
fn what_is_shared_with_the_page_is_its_prompt() {
    let text =
        |pairs: &[(&'static str, &'static str)]| Address::from_pairs(pairs.iter().copied()).text;
    let shared = [
        ("title", "A title"),
        ("text", ""),
        ("url", "https://a.example/"),
    ];
    assert_eq!(text(&shared).as_deref(), Some("A title https://a.example/"));
    assert_eq!(
        text(&[("url", " as it is ")]).as_deref(),
        Some(" as it is ")
    );
    assert_eq!(text(&[("text", "")]).as_deref(), Some(""));
    assert_eq!(text(&[]), None);
    let long = "a".repeat(20_000);
    let address = Address::from_pairs([("title", long.as_str()), ("text", long.as_str())]);
    assert_eq!((address.text, address.notices.len()), (None, 1));
}

#[test]
fn a_bot_the_gallery_lacks_is_said_so_and_speaks_under_its_own_name() {
    let address = Address::from_pairs([("bot", "huggingtweets/nobody")]);
    let state = PageState::new(bot::bundled().to_vec(), bundled(), &address, None);
    assert_eq!(state.selected(), None);
    assert_eq!(state.speaker().names(), ["huggingtweets/nobody"]);
    assert!(matches!(
        state.notices(),
        [Notice::NotInGallery { repo, .. }] if repo == "huggingtweets/nobody"
    ));
}

#[test]
fn a_bot_made_on_this_device_speaks_with_its_own_model_and_no_host_is_asked_for_it() {
    let address = Address::from_pairs([("bot", "this-device/19ab-07")]);
    let mut state = PageState::new(bot::bundled().to_vec(), bundled(), &address, None);
    assert!(state.is_bundled() && state.notices().is_empty());
    state.miss_made_bot(Notice::NotHere);
    assert_eq!(state.notices(), [Notice::NotHere]);

    let card = include_str!("../fixtures/repositories/pytorch-zip/README.md");
    let made = bot::Bot::from_readme("this-device/19ab-07", card).unwrap();
    let choice = ModelChoice::made_here("19ab-07", "zoe-q8_0.gguf".to_owned(), 5);
    state.open_made_bot(made.clone(), choice.clone());
    assert!(state.notices().is_empty());
    assert_eq!((state.bot(), state.is_own()), (&made, true));
    // The bundled model may write under its name, and its own comes back.
    state.use_bundled();
    assert_eq!((state.bot(), state.is_own()), (&made, false));
    state.open_made_bot(made.clone(), choice);
    assert!(state.is_own() && made.is_own_work());
    // A file or folder that a visitor picks is nobody's.
    assert_eq!(picked().bot_repo(), None);
}

#[test]
fn a_mixed_bot_writes_only_with_its_adapters() {
    let card = include_str!("../fixtures/repositories/pytorch-zip/README.md");
    let bot_of = |folder| bot::Bot::from_readme(&bot::Bot::repo_here(folder), card).unwrap();
    let mixed = bot::Bot::mixed(&bot_of("a"), &bot_of("b")).unwrap();
    let share = |folder: &str| BotShare {
        folder: folder.to_owned(),
        percent: 50,
    };
    for fails in [false, true] {
        let mut state = ready();
        let choice = ModelChoice {
            shares: vec![share("a"), share("b")],
            ..ModelChoice::made_here("a.b", "base.gguf".to_owned(), 5)
        };
        state.open_made_bot(mixed.clone(), choice);
        let job = load_job(&state);
        // Pressed while it loads.
        state.generate(SEED);
        let commands = state.update(Event::Ready { job, model: info() }, 0.0);
        let [Command::SendFiles(Request::Adapt { job, adapters })] = &commands[..] else {
            panic!("{commands:?}");
        };
        assert_eq!(adapters.iter().map(|it| it.share).sum::<f32>(), 1.0);
        let job = *job;
        if fails {
            let commands = state.update(failure(Some(job), ErrorCode::NotAModel, false), 0.0);
            let writes = |it: &Command| matches!(it, Command::Send(Request::Generate { .. }));
            assert!(!commands.iter().any(writes), "{commands:?}");
            assert!(matches!(state.model_status(), ModelStatus::Failed(_)));
        } else {
            let commands = state.update(Event::Adapted { job }, 0.0);
            assert!(
                matches!(&commands[..], [Command::Send(Request::Generate { .. })]),
                "{commands:?}"
            );
            // The engine is busy, and the shares stay as they are.
            let shares = state.choice().shares.clone();
            assert!(!state.can_mix());
            assert!(state.mix(vec![share("a")]).is_empty());
            assert_eq!(state.choice().shares, shares);
        }
    }
}

#[test]
fn shares_stay_while_the_device_is_measured() {
    let mut state = ready();
    state.measure();
    assert!(!state.can_mix() && state.mix(Vec::new()).is_empty());
}

#[test]
fn the_bot_of_a_site_stands_first_and_speaks_with_its_own_model() {
    let card = include_str!("../fixtures/repositories/pytorch-zip/README.md");
    let repo = bot::Bot::repo_of_site("zoe-q8_0");
    let first = bot::Bot::from_readme(&repo, card).unwrap();
    assert!(first.is_own_work());
    let own = typed("https://example.com/site/first/zoe-q8_0.gguf").of_bot(&repo);
    let open = |address: &Address, model: Option<ModelChoice>| {
        let bots = [std::slice::from_ref(&first), bot::bundled()].concat();
        let mut state = PageState::new(bots, bundled(), address, model);
        state.set_site_model(own.clone());
        state
    };
    let mut state = open(&Address::default(), None);
    assert_eq!((state.bot(), state.choice()), (&first, &own));
    assert!(state.is_own());
    state.use_bundled();
    assert_eq!((state.bot(), state.is_own()), (&first, false));
    state.use_site_model();
    assert!(state.is_own());
    // Another bot speaks as on any site, and the first one gets its model back.
    let mut state = open(&Address::default(), None);
    state.choose_bot(1);
    assert!(state.is_bundled());
    state.choose_bot(0);
    assert_eq!(state.choice(), &own);
    // What the address names opens.
    let other = Address::from_pairs([("bot", "huggingtweets/jen_122")]);
    let state = open(&other, None);
    assert!(state.is_bundled() && state.bot() != &first);
    assert_eq!(
        open(&Address::default(), Some(picked())).choice(),
        &picked()
    );
}

#[test]
fn a_card_that_arrives_brings_its_bot_into_the_gallery_and_opens_it() {
    let mut state = ready();
    let n = state.bots().len();
    state.open_model(typed("huggingtweets/somebot"));
    let card = include_str!("../fixtures/repositories/pytorch-zip/README.md");
    let job = load_job(&state);
    let card_of = |repo: &str, markdown: &str| Event::Card {
        job,
        repo: repo.parse().unwrap(),
        markdown: markdown.to_owned(),
    };
    state.update(card_of("huggingtweets/somebot", card), 0.0);
    assert_eq!(state.bots().len(), n + 1);
    assert_eq!(state.bot().repo, "huggingtweets/somebot");
    assert!(state.is_own());
    // The same once more is the same bot.
    state.update(card_of("huggingtweets/somebot", card), 0.0);
    assert_eq!(state.bots().len(), n + 1);
    // A card that the original did not write names no bot.
    state.update(card_of("someone/gpt2", "# GPT-2"), 0.0);
    assert_eq!(state.bots().len(), n + 1);
}

#[test]
fn a_bot_whose_weights_are_kept_speaks_with_them_and_no_other_bot_does() {
    let mut state = fresh();
    state.update(started(), 0.0);
    let own = named("huggingtweets/jen_122");
    assert_eq!(state.bot().repo, "huggingtweets/jen_122");
    state.update_stored(vec![(own.clone(), None)]);
    assert!(state.is_own());
    assert_eq!(loaded(&state.generate(SEED)), own);
    open(&mut state, info());
    state.choose_bot(1);
    assert!(!state.is_own());
    assert!(state.is_bundled(), "another bot's words are not this one's");
    state.choose_bot(0);
    assert!(state.is_own());
}

#[test]
fn a_kept_bot_joins_the_gallery_without_being_opened() {
    let mut state = fresh();
    let card = include_str!("../fixtures/repositories/pytorch-zip/README.md");
    let kept = (named("huggingtweets/somebot"), Some(card.to_owned()));
    state.update_stored(vec![kept]);
    assert_eq!(state.bot().repo, "huggingtweets/jen_122");
    assert_eq!(state.bots().last().unwrap().repo, "huggingtweets/somebot");
    assert!(state.is_bundled());
}

#[test]
fn a_bot_that_the_gallery_lacks_is_fetched_only_when_asked_to_write() {
    let address = Address::from_pairs([("bot", "huggingtweets/somebot")]);
    let mut state = PageState::new(bot::bundled().to_vec(), bundled(), &address, None);
    assert!(
        state.notices()[0]
            .text()
            .contains("Press Generate to fetch it")
    );
    assert_eq!(state.update(started(), 0.0), []);
    assert_eq!(
        loaded(&state.generate(SEED)),
        named("huggingtweets/somebot")
    );
}

#[test]
fn the_bar_fills_through_bytes_and_layers_and_tells_the_time_left() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.load();
    assert_eq!(state.loading().unwrap().fraction(), None);
    let mut last = 0.0;
    for (stage, now_ms) in [
        (
            LoadStage::Downloading {
                loaded: 0,
                total: Some(1000),
            },
            0.0,
        ),
        (
            LoadStage::Downloading {
                loaded: 500,
                total: Some(1000),
            },
            2000.0,
        ),
        (
            LoadStage::Downloading {
                loaded: 1000,
                total: Some(1000),
            },
            4000.0,
        ),
        (
            LoadStage::Reading {
                loaded: 300,
                total: 600,
            },
            4100.0,
        ),
        (
            LoadStage::Reading {
                loaded: 600,
                total: 600,
            },
            4200.0,
        ),
    ] {
        progress(&mut state, stage, now_ms);
        let fraction = state.loading().unwrap().fraction().unwrap();
        assert!(fraction >= last, "{fraction} after {last}");
        last = fraction;
        if now_ms == 2000.0 {
            assert_eq!(
                state.loading().unwrap().time_left().unwrap(),
                "about 2.00 s left"
            );
        }
    }
    assert!((last - 1.0).abs() < 1e-9);
    open(&mut state, info());
    assert!(matches!(state.model_status(), ModelStatus::Ready(_)));
}

#[test]
fn a_download_that_began_again_and_one_of_another_tab_say_so_with_their_bytes() {
    let text = |stages: &[LoadStage]| {
        let mut state = fresh();
        state.update(started(), 0.0);
        state.load();
        for stage in stages {
            progress(&mut state, stage.clone(), 0.0);
        }
        let loading = state.loading().unwrap();
        (loading.text(), loading.fraction().is_some())
    };
    let (loaded, total) = (30_000_000, Some(136_000_000));
    let downloading = LoadStage::Downloading { loaded, total };
    assert_eq!(
        text(&[LoadStage::StartingOver, LoadStage::LookingUp, downloading]).0,
        "30.0 MB of 136 MB, again from the start: the file changed, or its server cannot continue a download"
    );
    assert_eq!(
        text(&[LoadStage::OtherTab { loaded, total }]),
        (
            "Another tab is downloading it, 30.0 MB of 136 MB".to_owned(),
            true
        )
    );
    let (said, has_bar) = text(&[LoadStage::OtherTab {
        loaded: 0,
        total: None,
    }]);
    assert!(said.contains("opens here as soon as") && !has_bar, "{said}");
}

#[test]
fn the_json_is_what_the_pipeline_answers() {
    let mut state = ready();
    state.set_parameter(Parameter::NumReturnSequences, "2");
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(result(job, 0, "My dream is \"a\""), 0.0);
    state.update(result(job, 1, "My dream is b"), 0.0);
    assert_eq!(
        state.texts().json(),
        "[\n  {\n    \"generated_text\": \"My dream is \\\"a\\\"\"\n  },\n  {\n    \"generated_text\": \"My dream is b\"\n  }\n]"
    );
}

#[test]
fn the_json_leaves_the_prompt_out_where_asked() {
    let mut state = ready();
    state.set_parameter(Parameter::NumReturnSequences, "1");
    state.set_parameter(Parameter::ReturnFullText, "false");
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(result(job, 0, " b"), 0.0);
    assert!(state.texts().json().contains("\"generated_text\": \" b\""));
    assert_eq!(state.texts().tweets[0].full_text(), "My dream is b");
}

#[test]
fn figures_are_written_as_people_write_them() {
    assert_eq!(wording::bytes(999), "999 B");
    assert_eq!(wording::bytes(7_912_345), "7.9 MB");
    assert_eq!(wording::bytes(131_000_000), "131 MB");
    assert_eq!(wording::bytes(1_500_000_000), "1.50 GB");
    assert_eq!(wording::count(1_234_567), "1,234,567");
    assert_eq!(wording::duration(840.0), "0.84 s");
    assert_eq!(wording::duration(-5.0), "0.00 s");
    assert_eq!(wording::percent(1, 0), "0 %");
    assert_eq!(wording::host_of("https://a.example:80/x"), "a.example:80");
    assert_eq!(wording::sentence("it broke"), "It broke.");
    assert_eq!(wording::sentence(""), "");
}

#[test]
fn a_prompt_that_cannot_fit_is_refused_before_anything_is_sent_or_drawn() {
    let mut state = ready();
    state.edit_prompt(&"word ".repeat(1_000_000));
    assert_eq!(state.generate(SEED), []);
    assert_eq!(
        state.problem().unwrap().report.code,
        ErrorCode::ContextOverflow
    );
    assert!(state.texts().tweets.is_empty());
    assert_eq!(
        state.texts().prompt.len(),
        5_000_000,
        "what was typed stays"
    );
}

#[test]
fn a_job_refused_before_its_first_token_leaves_no_empty_tweets() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(failure(Some(job), ErrorCode::BadParameters, false), 0.0);
    assert!(state.texts().tweets.is_empty());
}

#[test]
fn the_first_letter_tells_which_way_a_text_runs() {
    assert_eq!(text_direction("My dream is"), Some("ltr"));
    assert_eq!(text_direction("… 123 مرحبا hello"), Some("rtl"));
    assert_eq!(text_direction("שלום"), Some("rtl"));
    assert_eq!(text_direction("土屋"), Some("ltr"));
    assert_eq!(text_direction(" 😀 1"), None);
}

fn spread(median: f64) -> Spread {
    Spread {
        median,
        least: 0.9 * median,
        most: 1.1 * median,
    }
}

fn measured(job: u32) -> Event {
    Event::Measured {
        job,
        speeds: Speeds {
            prompt_tokens: 64,
            new_tokens: 64,
            rounds: 5,
            prefill: spread(500.0),
            decode: spread(150.0),
            batch5: spread(250.0),
            sum_bytes: spread(24e9),
            weight_bytes: 120_000_000,
            threads: 1,
            simd: "simd128".to_owned(),
        },
    }
}

fn measuring(job: u32, fraction: f64) -> Event {
    Event::Measuring {
        job,
        workload: Workload::FiveTexts,
        round: 2,
        rounds: 5,
        fraction,
    }
}

fn measure_job(commands: &[Command]) -> u32 {
    match commands {
        [Command::Send(Request::Measure { job })] => *job,
        other => panic!("expected one measure request, got {other:?}"),
    }
}

#[test]
fn measuring_does_not_drop_a_text_that_waits_for_the_model() {
    let mut state = fresh();
    state.update(started(), 0.0);
    loaded(&state.generate(1));
    assert_eq!(state.measure(), []);
    params_of(&open(&mut state, info()));
}

#[test]
fn measuring_loads_the_model_first_and_tells_how_far_it_is() {
    let mut state = fresh();
    state.update(started(), 0.0);
    assert_eq!(loaded(&state.measure()), bundled().model);
    assert!(matches!(state.measuring(), Measuring::Waiting { .. }));
    assert_eq!(state.measuring().text(), "Loading small: Opening the model");
    let job = measure_job(&open(&mut state, info()));
    assert_eq!(state.phase(), Phase::Ready, "nothing is written");
    assert_eq!(state.measuring().fraction(), Some(0.0));
    assert_eq!(state.measure(), [], "one at a time");
    state.update(measuring(job + 1, 0.9), 0.0);
    assert_eq!(state.measuring().fraction(), Some(0.0), "another job's");
    state.update(measuring(job, 0.3), 0.0);
    assert_eq!(state.measuring().fraction(), Some(0.3));
    assert_eq!(state.measuring().text(), "Round 2 of 5: writing five texts");
    assert_eq!(state.status(), "Measuring this device.");
    assert_eq!(state.update(measured(job), 0.0), []);
    assert_eq!(state.measuring(), Measuring::Idle);
    assert!(state.measured().is_some());
}

#[test]
fn what_was_measured_is_drawn_and_copied_with_its_conditions() {
    let mut state = ready();
    let job = measure_job(&state.measure());
    state.update(measured(job), 0.0);
    let found = state.measured().unwrap();
    let bars = found.token_bars();
    let values: Vec<&str> = bars.iter().map(|bar| bar.value.as_str()).collect();
    assert_eq!(values, ["500 tok/s", "150 tok/s", "250 tok/s"]);
    let shares: Vec<f64> = bars.iter().map(|bar| bar.share).collect();
    assert_eq!(shares, [1.0, 0.3, 0.5]);
    let [sum, decode] = found.memory_bars();
    assert_eq!(sum.value, "24.0 GB/s");
    assert_eq!(decode.value, "18.0 GB/s", "150 tokens of 120 MB");
    assert_eq!((sum.share, decode.share), (1.0, 0.75));
    assert_eq!(found.note(), None, "120 MB are in no cache");
    assert_eq!(
        found.to_text("Mozilla/5.0 (X11) Some/1", "2026-11-21"),
        "huggingtweets-web, 2026-11-21\n\
         Model: small, Q8_0, 6.9M weights, 7.9 MB\n\
         Engine: 1 thread, simd128\n\
         Reading the prompt: 500 tok/s (450 tok/s to 550 tok/s; prefill, 64 tokens)\n\
         Writing one text: 150 tok/s (135 tok/s to 165 tok/s; decode, 64 tokens)\n\
         Writing five texts: 250 tok/s (225 tok/s to 275 tok/s; together, all their tokens)\n\
         Adding up the weights: 24.0 GB/s (21.6 GB/s to 26.4 GB/s; a plain sum of 120 MB, one thread)\n\
         Writing one text reads: 18.0 GB/s, 75 % of that (the same 120 MB for each token)\n\
         Medians of 5 rounds, least to most in brackets\n\
         Browser: Mozilla/5.0 (X11) Some/1"
    );
}

#[test]
fn a_stopped_measurement_keeps_what_was_found_before() {
    let mut state = ready();
    let job = measure_job(&state.measure());
    state.update(measured(job), 0.0);
    let before = state.measured().cloned();
    let job = measure_job(&state.measure());
    assert_eq!(state.stop_measuring(), [stop(job)]);
    assert_eq!(state.stop_measuring(), [], "once");
    assert_eq!(state.measuring().text(), "Stopping");
    assert_eq!(state.update(done(job, true), 0.0), []);
    assert_eq!(state.measuring(), Measuring::Idle);
    assert_eq!(state.measured().cloned(), before);
    assert_eq!(state.status(), "Ready.");
}

#[test]
fn measuring_waits_for_a_text_and_can_be_called_off_meanwhile() {
    let mut state = ready();
    let (job, ..) = params_of(&state.generate(SEED));
    assert_eq!(state.measure(), [], "the text is not stopped for it");
    assert!(matches!(state.measuring(), Measuring::Waiting { .. }));
    assert!(!state.is_text_waiting(), "no text waits");
    assert_eq!(state.stop_measuring(), []);
    assert_eq!(state.measuring(), Measuring::Idle);
    state.measure();
    measure_job(&state.update(done(job, false), 0.0));
}

#[test]
fn generate_ends_a_measurement_and_then_writes() {
    let mut state = ready();
    let job = measure_job(&state.measure());
    assert_eq!(state.generate(SEED), [stop(job)]);
    params_of(&state.update(done(job, true), 0.0));
    assert_eq!(state.phase(), Phase::Generating);
    assert_eq!(state.measuring(), Measuring::Idle);
}

#[test]
fn another_model_ends_a_measurement() {
    let mut state = ready();
    let job = measure_job(&state.measure());
    let commands = state.open_model(picked());
    assert_eq!(commands[0], stop(job));
    loaded(&commands[1..]);
    state.update(done(job, true), 0.0);
    assert_eq!(state.measuring(), Measuring::Idle);
    assert_eq!(state.phase(), Phase::Loading);
}

#[test]
fn a_measurement_that_cannot_be_made_says_why() {
    let mut state = ready();
    let job = measure_job(&state.measure());
    state.update(failure(Some(job), ErrorCode::NotAModel, false), 0.0);
    assert_eq!(state.measuring(), Measuring::Idle);
    assert_eq!(state.problem().unwrap().report.message, "it failed");
    measure_job(&state.measure());
    state.update(failure(None, ErrorCode::WorkerCrashed, true), 0.0);
    assert_eq!(state.measuring(), Measuring::Idle);
    assert_eq!(state.problem().unwrap().remedies, [Remedy::RestartWorker]);
}

#[test]
fn a_large_model_takes_its_worker_along_when_it_is_closed() {
    let large = || ModelInfo {
        memory_bytes: 200_000_000,
        ..info()
    };
    let opened = || {
        let mut state = fresh();
        state.update(started(), 0.0);
        state.open_model(typed("gpt2"));
        assert_eq!(open(&mut state, large()), []);
        state
    };
    // A text that is being written ends there; its worker need not be told.
    let mut state = opened();
    let (job, ..) = params_of(&state.generate(SEED));
    state.update(token(job, 0, " to"), 0.0);
    assert_eq!(state.use_bundled(), [Command::RestartWorker]);
    assert!(!state.is_generating());
    let mut back = state.clone();
    back.open_model(typed("gpt2"));
    assert_eq!(
        back.texts().tweets[0].status,
        TweetStatus::Done(StopReason::Stopped)
    );
    assert_eq!(
        loaded(&state.update(started(), 0.0)),
        bundled().model,
        "the new worker opens it"
    );
    open(&mut state, info());
    assert_eq!(state.phase(), Phase::Ready);

    // A small one is opened by the worker that is there.
    assert_eq!(loaded(&state.open_model(typed("gpt2"))), named("gpt2"));

    // Another bot, which has no weights here, closes it too.
    let mut state = opened();
    let index = state.bot_index("huggingtweets/jen_122").unwrap();
    assert_eq!(
        state.update_stored(vec![(named("huggingtweets/jen_122"), None)]),
        []
    );
    assert_eq!(
        state.open_model(typed("huggingtweets/jen_122")),
        [Command::RestartWorker]
    );
    state.update(started(), 0.0);
    open(&mut state, large());
    params_of(&state.generate(SEED));
    assert_eq!(
        state.choose_bot((index + 1) % 5),
        [Command::RestartWorker],
        "the text of the old worker is not stopped first"
    );
    assert_eq!(state.update(started(), 0.0), []);
    assert_eq!(state.phase(), Phase::Idle);
}

#[test]
fn a_load_after_the_workers_end_starts_a_new_one_first() {
    let mut state = ready();
    state.update(failure(None, ErrorCode::WorkerCrashed, true), 0.0);
    assert_eq!(state.generate(SEED), [Command::RestartWorker]);
    assert_eq!(state.phase(), Phase::Loading);
    loaded(&state.update(started(), 0.0));
    params_of(&open(&mut state, info()));
}

#[test]
fn what_an_earlier_load_says_does_not_count_for_the_next() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.load();
    let first = load_job(&state);
    assert_eq!(
        loaded(&state.open_model(typed("gpt2"))),
        named("gpt2"),
        "a new load ends the first by itself"
    );
    let before = state.clone();
    for event in [
        Event::Progress {
            job: first,
            stage: LoadStage::LookingUp,
        },
        Event::Ready {
            job: first,
            model: info(),
        },
        failure(Some(first), ErrorCode::Cancelled, true),
        failure(Some(first), ErrorCode::Download, true),
    ] {
        assert_eq!(state.update(event, 0.0), []);
        assert_eq!(state, before);
    }
}

fn offer(dtype: Dtype) -> Offer {
    Offer {
        wanted: TypeOffer {
            dtype,
            download_bytes: Some(510_000_000),
            storage_bytes: Some(136_000_000),
            memory_bytes: Some(200_000_000),
            shortage: Some(Shortage::Storage),
        },
        types: Vec::new(),
        fallback: None,
        room: Room::default(),
    }
}

/// The job and the model of the one look-up that is sent last.
fn asked(commands: &[Command]) -> (u32, ModelRef) {
    match commands {
        [.., Command::Send(Request::LookUp { job, model, .. })] => (*job, model.clone()),
        other => panic!("expected a look-up, got {other:?}"),
    }
}

#[test]
fn a_look_up_is_asked_once_the_worker_runs_and_its_answer_kept_until_it_is_closed() {
    let mut state = fresh();
    assert_eq!(state.look_up(named("gpt2"), Some(8 << 30)), []);
    assert!(state.current_look_up().unwrap().is_asking);
    let (job, model) = asked(&state.update(started(), 0.0));
    assert_eq!(model, named("gpt2"));
    let answer = Event::Offered {
        job,
        offer: offer(Dtype::Auto),
    };
    state.update(answer, 0.0);
    let look_up = state.current_look_up().unwrap();
    assert_eq!(look_up.answer, Some(Ok(offer(Dtype::Auto))));
    assert!(!look_up.is_asking);

    // The last answer stays while another type is asked for.
    let another = ModelRef {
        dtype: Dtype::Q4K,
        ..named("gpt2")
    };
    let (job, _) = asked(&state.look_up(another, None));
    let look_up = state.current_look_up().unwrap();
    assert_eq!(look_up.answer, Some(Ok(offer(Dtype::Auto))));
    assert!(look_up.is_asking);

    // Another model's does not, and the question before is called off.
    let commands = state.look_up(named("me/tiny"), None);
    assert_eq!(commands[0], stop(job));
    let (next, _) = asked(&commands);
    assert_eq!(state.current_look_up().unwrap().answer, None);
    state.update(failure(Some(job), ErrorCode::Cancelled, true), 0.0);
    assert_eq!(state.current_look_up().unwrap().answer, None);
    state.update(failure(Some(next), ErrorCode::Download, true), 0.0);
    let answer = &state.current_look_up().unwrap().answer;
    assert!(matches!(answer, Some(Err(report)) if report.message == "it failed"));
    assert!(state.problem().is_none(), "the dialog shows it");
    assert_eq!(state.close_look_up(), []);
    assert!(state.current_look_up().is_none());
}

#[test]
fn a_look_up_outlives_the_worker_that_was_asked() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.open_model(typed("gpt2"));
    let model = ModelInfo {
        memory_bytes: 200_000_000,
        ..info()
    };
    open(&mut state, model);
    asked(&state.look_up(named("me/tiny"), None));
    assert_eq!(state.use_bundled(), [Command::RestartWorker]);
    let commands = state.update(started(), 0.0);
    let (_, model) = asked(&commands[..1]);
    assert_eq!(model, named("me/tiny"));
    assert_eq!(loaded(&commands[1..]), bundled().model);
}

#[test]
fn a_text_asked_for_while_another_model_was_measured_loads_its_own() {
    let mut state = ready();
    let own = named(&state.bots()[1].repo.clone());
    state.update_stored(vec![(own.clone(), None)]);
    let job = measure_job(&state.measure());
    state.choose_bot(1);
    assert!(state.is_own());
    assert_eq!(state.generate(SEED), [stop(job)]);
    assert_eq!(loaded(&state.update(done(job, true), 0.0)), own);
    params_of(&open(&mut state, info()));
}

#[test]
fn a_worker_that_ends_during_a_look_up_answers_it() {
    let mut state = fresh();
    state.update(started(), 0.0);
    asked(&state.look_up(named("gpt2"), None));
    state.update(failure(None, ErrorCode::WorkerCrashed, true), 0.0);
    let look_up = state.current_look_up().unwrap();
    assert!(matches!(look_up.answer, Some(Err(_))) && !look_up.is_asking);
}

#[test]
fn after_a_load_without_memory_the_next_load_gets_a_new_worker() {
    let mut state = fresh();
    state.update(started(), 0.0);
    state.open_model(picked());
    fail_load(&mut state, ErrorCode::OutOfMemory, false);
    assert!(state.use_bundled().contains(&Command::RestartWorker));
}
