//! The trainer's worker without a browser: a bot is trained, interrupted, continued, sampled and written.

use std::io::Cursor;

use huggingtweets::bundled::BUNDLED_MODEL;
use huggingtweets::engine::{AdapterFiles, BaseModel, Companions, Engine, ModelFile};
use huggingtweets::finetune::FineTuneParams;
use huggingtweets::finetune::export::FloatType;
use huggingtweets::finetune::params::Method;
use huggingtweets::hub::Dtype;
use huggingtweets::parallel::Threads;
use huggingtweets::protocol::{Event, Request};
use huggingtweets::runs::{Artifact, RunRecord, State};
use huggingtweets::trainer::copy_check::{CopyCheck, CopyReport, N_TEXTS};
use huggingtweets::trainer::output::{base_artifact, hashed};
use huggingtweets::trainer::{Training, TrainingPlan};
use huggingtweets::weights::Checkpoint;
use safetensors::SafeTensors;

const BUNDLED: &[u8] = include_bytes!("../../assets/model/bundled.gguf");
const NOW_MS: i64 = 1_796_000_000_000;

/// Posts between separators, enough for six steps.
fn text() -> String {
    let posts = (0..40).map(|i| format!("post number {i} of somebody who counts posts"));
    posts.fold("<|endoftext|>".to_owned(), |text, post| {
        text + &post + "<|endoftext|>"
    })
}

fn plan(params: FineTuneParams) -> TrainingPlan {
    TrainingPlan {
        bot: "made".to_owned(),
        handles: vec!["zoe".to_owned(), "abe".to_owned()],
        base: "bundled".to_owned(),
        params: FineTuneParams {
            block_len: Some(64),
            seed: 7,
            ..params
        },
        little_memory: false,
        dtype: Dtype::F32,
        dataset: Artifact {
            name: "dataset-abe-zoe".to_owned(),
            kind: "train-dataset".to_owned(),
            version: "v0".to_owned(),
            files: Vec::new(),
            metadata: serde_json::Map::new(),
            made_by: None,
        },
        preprocess: None,
        card: "# card".to_owned(),
    }
}

fn begin(plan: &TrainingPlan) -> Training {
    let base = BaseModel::from_gguf(Box::new(Cursor::new(BUNDLED))).unwrap();
    let file = hashed("bundled.gguf", &mut Cursor::new(BUNDLED)).unwrap();
    assert_eq!(file.size_bytes, BUNDLED_MODEL.size_bytes);
    let base_file = base_artifact("bundled", vec![file]);
    let threads = Threads::new(2);
    Training::begin(plan.clone(), &text(), base, &base_file, threads, NOW_MS).unwrap()
}

fn steps(training: &mut Training, n: u32) {
    for _ in 0..n {
        training.step(&|| 0.0, NOW_MS).unwrap();
    }
}

/// The floats and the GGUF.
fn written(training: &mut Training) -> (Vec<u8>, Vec<u8>) {
    let (mut floats, mut gguf) = (Vec::new(), Vec::new());
    let model = training.write_model(FloatType::F32, &mut floats, &mut gguf);
    model.unwrap();
    (floats, gguf)
}

#[test]
fn an_interrupted_training_writes_the_bot_of_one_that_was_not() {
    for params in [FineTuneParams::full(), FineTuneParams::lora()] {
        let plan = plan(params);
        let mut whole = begin(&plan);
        let n_steps = whole.fine_tune().n_steps();
        assert!(n_steps >= 6, "{n_steps}");
        steps(&mut whole, n_steps);

        let mut first = begin(&plan);
        steps(&mut first, 5);
        let mut checkpoint = Vec::new();
        first.write_checkpoint(&mut checkpoint).unwrap();
        let record = RunRecord::from_json(first.record().to_json().as_bytes()).unwrap();
        let mut second = begin(&plan);
        second
            .restore(&mut checkpoint.as_slice(), Some(record))
            .unwrap();
        // A text on the way changes nothing.
        second.sample(0).unwrap();
        steps(&mut second, n_steps - 5);

        assert!(written(&mut whole) == written(&mut second));
        for training in [&mut whole, &mut second] {
            training.end(NOW_MS);
        }
        let metrics = |training: &Training| {
            let mut metrics = training.record().run.metrics.clone();
            for metric in &mut metrics {
                // Of the time, which is counted anew.
                metric.values.remove("train/tokens_per_second");
            }
            metrics
        };
        assert_eq!(metrics(&whole), metrics(&second));
        // Also what went through a file in between.
        let [one, other] = [&whole, &second].map(|training| &training.record().run);
        assert_eq!(one.config, other.config);
        assert_eq!(one.summary["tokens"], other.summary["tokens"]);
        let seconds = |training: &Training| training.record().run.summary["seconds"].as_f64();
        assert!(seconds(&second) >= seconds(&first), "{other:?}");
        assert_eq!(second.record().run.state, State::Finished);
    }
}

#[test]
fn what_is_written_opens_as_a_bot_and_both_forms_have_the_same_numbers() {
    let mut training = begin(&plan(FineTuneParams::lora()));
    steps(&mut training, 2);
    training.end(NOW_MS);
    assert_eq!(training.record().run.state, State::Stopped);
    let (floats, gguf) = written(&mut training);
    assert_eq!(training.gguf_name(), "abe-zoe-f32.gguf");

    let weights = [("model.safetensors", &floats), ("abe-zoe-f32.gguf", &gguf)];
    let weights = weights.map(|(name, bytes)| hashed(name, &mut bytes.as_slice()).unwrap());
    let mut finished = training.into_finished(weights.to_vec()).unwrap();
    assert_eq!(finished.record.run.outputs, ["model-abe-zoe:v0"]);
    assert_eq!(finished.record.artifacts.last().unwrap().files, weights);
    finished.take_copies(CopyReport {
        texts: 100,
        copied: 3,
        longest: 12,
    });
    assert_eq!(finished.record.run.summary["texts_copied"], 3);
    let (record, files) = (&finished.record, finished.files());
    let (_, card) = files.iter().find(|(name, _)| name == "README.md").unwrap();
    let card = String::from_utf8_lossy(card);
    assert!(card.contains("3 repeat 8 or more words"), "{card}");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let run = format!("runs/{}/run.json", record.run.id);
    for name in [
        "config.json",
        "README.md",
        &run,
        "adapter/adapter_config.json",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }

    let mut companions = Companions::default();
    for (name, bytes) in files {
        companions.insert(&name, bytes);
    }
    let folder = Checkpoint::from_floats(&companions.config, vec![Box::new(Cursor::new(floats))]);
    let single = Checkpoint::from_gguf(Box::new(Cursor::new(gguf.clone())));
    let (mut folder, mut single) = (folder.unwrap(), single.unwrap());
    for name in ["wte.weight", "h.3.mlp.c_fc.weight", "ln_f.bias"] {
        assert_eq!(folder.floats(name).unwrap(), single.floats(name).unwrap());
    }
    let opened = ModelFile::from_gguf(Box::new(Cursor::new(gguf)));
    assert!(opened.is_ok(), "{:?}", opened.err());
}

#[test]
fn a_sample_begins_with_the_prompt_and_is_the_same_again() {
    let training = begin(&plan(FineTuneParams::full()));
    let samples = [0, 1, 0].map(|number| training.sample(number).unwrap());
    assert!(samples.iter().all(|it| it.starts_with("My dream is")));
    assert!(samples[0].len() > "My dream is".len(), "{samples:?}");
    assert_eq!(samples[0], samples[2]);
    assert_ne!(samples[0], samples[1]);
}

#[test]
fn what_a_training_takes_is_known_before_it_begins() {
    let training = begin(&plan(FineTuneParams::full()));
    let time = std::cell::Cell::new(0.0);
    let clock = || time.replace(time.get() + 100.0);
    let prepared = training.prepared(&clock).unwrap();
    assert_eq!(prepared.n_steps, training.fine_tune().n_steps());
    assert_eq!(prepared.step_tokens, 64);
    // The loss of a block took a tenth of a second by this clock.
    assert!((0.25..0.4).contains(&prepared.step_seconds), "{prepared:?}");
    let Method::Full = training.fine_tune().params().method else {
        panic!("every weight was to be trained");
    };
    // 16 bytes per number: itself, its gradient, two moments.
    let n_params = training.fine_tune().config().n_params();
    assert!(prepared.memory_bytes > 16 * n_params, "{prepared:?}");
}

#[test]
fn the_next_logits_give_the_loss_of_the_next_token() {
    let training = begin(&plan(FineTuneParams::lora()));
    let (first, second) = (40_u32, 300_u32);
    let logits = training.fine_tune().next_logits(&[first]).unwrap();
    let loss = training.fine_tune().evaluate(&[first, second]).unwrap();
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|x| f64::from(x - most).exp()).sum();
    let expected = sum.ln() - f64::from(logits[second as usize] - most);
    assert!(
        (f64::from(loss) - expected).abs() < 1e-4,
        "{loss} {expected}"
    );
}

#[test]
fn a_hundred_texts_are_compared_with_the_posts() {
    let check = |text: &str| {
        let (bot, size_bytes) = (Box::new(Cursor::new(BUNDLED)), BUNDLED_MODEL.size_bytes);
        let mut check = CopyCheck::begin(bot, size_bytes, text, Threads::new(2));
        loop {
            if let Some(report) = check.step(&|| 0.0).unwrap() {
                return report;
            }
        }
    };
    let report =
        check("<|endoftext|>a post with nothing in it that a dream could be made of<|endoftext|>");
    assert_eq!(report.texts, N_TEXTS);
    assert_eq!(report.copied, 0);
    assert_eq!(check("<|endoftext|>words<|endoftext|>").copied, 0);
    // "My dream is" stands in every text.
    let dream = check("<|endoftext|>my dream is<|endoftext|>");
    assert_eq!(dream.longest, 3);
}

/// Logits of the token after a text.
fn logits(engine: &mut Engine, text: &str) -> Vec<f32> {
    let text = text.to_owned();
    let mut events = engine.handle(Request::Logits { job: 9, text });
    while !engine.is_idle() {
        events.extend(engine.step(&|| 0.0));
    }
    match events.pop() {
        Some(Event::Logits { logits, .. }) => logits,
        other => panic!("{other:?}"),
    }
}

fn engine_with(gguf: &'static [u8]) -> Engine {
    let mut engine = Engine::new();
    let size = gguf.len() as u64;
    engine.load(1, Box::new(Cursor::new(gguf)), "model", size, Vec::new());
    while !engine.is_idle() {
        engine.step(&|| 0.0);
    }
    engine
}

#[test]
fn an_adapter_beside_its_base_writes_as_the_merged_bot_and_shares_add_up() {
    let mut training = begin(&plan(FineTuneParams::lora()));
    steps(&mut training, 6);
    training.end(NOW_MS);
    let (_, merged) = written(&mut training);
    let finished = training.into_finished(Vec::new()).unwrap();
    let files = finished.files();
    let file = |name: &str| files.iter().find(|(it, _)| it == name).unwrap().1.clone();
    let adapter = |share: f32| AdapterFiles {
        name: format!("{share}"),
        share,
        config_json: file("adapter/adapter_config.json"),
        weights: file("adapter/adapter_model.safetensors"),
    };
    let text = "<|endoftext|>post number 3 of";
    let merged = logits(&mut engine_with(merged.leak()), text);
    let mut engine = engine_with(BUNDLED);
    let base = logits(&mut engine, text);
    let mut with = |adapters: &[AdapterFiles]| {
        assert_eq!(engine.adapt(2, adapters), [Event::Adapted { job: 2 }]);
        logits(&mut engine, text)
    };
    let distance = |one: &[f32], other: &[f32]| -> f32 {
        let squares = one.iter().zip(other).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f32>().sqrt()
    };
    let adapted = with(&[adapter(1.0)]);
    // What is left is the rounding of the base's weights and inputs.
    let (near, far) = (distance(&adapted, &merged), distance(&base, &merged));
    assert!(near < 0.1 * far, "{near} {far}");
    let halves = with(&[
        adapter(0.5),
        AdapterFiles {
            name: "other".to_owned(),
            ..adapter(0.5)
        },
    ]);
    assert!(distance(&halves, &adapted) < 0.02 * far, "{halves:?}");
    let half = with(&[adapter(0.5)]);
    assert!(distance(&half, &base) > 0.1 * far && distance(&half, &adapted) > 0.1 * far);
    assert_eq!(with(&[adapter(0.0)]), base);
    assert_eq!(with(&[]), base);

    // What does not fit is refused, and the model goes on as it was.
    let other = AdapterFiles {
        name: "other".to_owned(),
        config_json: br#"{"peft_type": "LORA", "r": 4, "lora_alpha": 8}"#.to_vec(),
        ..adapter(1.0)
    };
    let refused = |engine: &mut Engine, files: AdapterFiles, words: &str| {
        let events = engine.adapt(3, &[files]);
        let [Event::Error { error, .. }] = &events[..] else {
            panic!("{events:?}");
        };
        assert!(
            error.message.contains(words) && !error.hint.is_empty(),
            "{error:?}"
        );
    };
    refused(&mut engine, other, "does not fit the open model");
    let cut = |config: &str, n: usize| AdapterFiles {
        name: "cut".to_owned(),
        config_json: config.as_bytes().to_vec(),
        weights: file("adapter/adapter_model.safetensors")[..n].to_vec(),
        share: 1.0,
    };
    refused(
        &mut engine,
        cut("{}", 0),
        "adapter_config.json cannot be read",
    );
    let lora = r#"{"peft_type": "LORA", "r": 8, "lora_alpha": 16}"#;
    refused(
        &mut engine,
        cut(lora, 1000),
        "adapter_model.safetensors cannot be read",
    );
    let dora = r#"{"peft_type": "LORA", "r": 8, "lora_alpha": 16, "use_dora": true}"#;
    refused(&mut engine, cut(dora, 1000), "DoRA");
    // A matrix of the pair alone would change nothing.
    for missing in [
        "h.0.attn.c_attn.lora_A.weight",
        "h.0.attn.c_attn.lora_B.weight",
    ] {
        let whole = file("adapter/adapter_model.safetensors");
        let tensors = SafeTensors::deserialize(&whole).unwrap().tensors();
        let rest = tensors
            .into_iter()
            .filter(|(name, _)| !name.ends_with(missing));
        let files = AdapterFiles {
            weights: safetensors::serialize(rest, None).unwrap(),
            name: "half".to_owned(),
            ..adapter(1.0)
        };
        refused(&mut engine, files, &format!("{missing}` is missing"));
    }
    assert_eq!(logits(&mut engine, text), base);

    // A file that is no model leaves the adapters of the open one as they are.
    assert_eq!(
        engine.adapt(5, &[adapter(1.0)]),
        [Event::Adapted { job: 5 }]
    );
    engine.load(6, Box::new(Cursor::new(b"no model")), "file", 8, Vec::new());
    while !engine.is_idle() {
        engine.step(&|| 0.0);
    }
    assert!(engine.knows_adapter("1") && !engine.knows_adapter("half"));
    assert_eq!(logits(&mut engine, text), adapted);
    assert_eq!(
        engine_with(BUNDLED).adapt(4, &[]),
        [Event::Adapted { job: 4 }]
    );
}
