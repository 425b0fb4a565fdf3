//! Generation: parameters read and checked as `transformers` does, filters in its order, draws that follow the
//! probabilities.

use crate::support::tiny;
use huggingtweets::generate::GenerateError;
use huggingtweets::generate::model_defaults::ModelDefaults;
use huggingtweets::generate::parameter::Parameter;
use huggingtweets::generate::params::GenerationParams;
use huggingtweets::generate::perplexity::{documents, score_document};
use huggingtweets::generate::processors::penalize_repetition;
use huggingtweets::generate::sampler::{Sampler, SamplerScratch};
use huggingtweets::kernels::logits::{self, Candidate};
use huggingtweets::notice::Notice;

const NEVER: f32 = f32::NEG_INFINITY;

/// Candidates after top-k and top-p, as (id, probability).
fn filtered(logits: &[f32], temperature: f32, top_k: usize, top_p: f32) -> Vec<(u32, f64)> {
    let mut candidates: Vec<Candidate> = Vec::new();
    logits::top_k(logits, temperature, top_k, &mut Vec::new(), &mut candidates);
    logits::top_p(&mut candidates, top_p);
    let total: f64 = candidates.iter().map(|c| c.weight).sum();
    candidates
        .iter()
        .map(|c| (c.token_id, c.weight / total))
        .collect()
}

fn ids(candidates: &[(u32, f64)]) -> Vec<u32> {
    let mut ids: Vec<u32> = candidates.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids
}

/// Logits whose softmax is `probs`.
fn logits_of(probs: &[f64]) -> Vec<f32> {
    probs.iter().map(|p| p.ln() as f32).collect()
}

#[test]
fn bots_parameters_are_the_defaults() {
    let p = GenerationParams::default();
    assert_eq!(
        (
            p.max_length,
            p.min_length,
            p.top_k,
            p.top_p,
            p.temperature,
            p.do_sample
        ),
        (160, 10, 50, 0.95, 1.0, true)
    );
    assert_eq!(p.prefix, "<|endoftext|>");
    assert_eq!(p.max_new_tokens, None);
}

#[test]
fn task_parameters_win_over_generation_config_which_wins_over_config() {
    let config = br#"{ "n_layer": 12, "max_length": 30, "temperature": 0.5, "top_k": 7,
        "task_specific_params": { "text-generation": { "do_sample": true, "max_length": 160,
        "min_length": 10, "prefix": "<|endoftext|>", "temperature": 1.0, "top_p": 0.95 } } }"#;
    let p = read(config, None);
    assert_eq!(
        (p.max_length, p.min_length, p.top_k, p.top_p),
        (160, 10, 7, 0.95)
    );
    assert_eq!((p.temperature, p.do_sample), (1.0, true));
    assert_eq!(p.prefix, "<|endoftext|>");
    // With a generation_config.json the keys of config.json itself no longer count.
    let generation =
        br#"{ "max_length": 99, "repetition_penalty": 1.5, "bos_token_id": 50256, "top_p": null }"#;
    let p = read(config, Some(generation));
    assert_eq!(
        (p.max_length, p.top_k, p.repetition_penalty),
        (160, 50, 1.5)
    );
}

#[test]
fn a_config_without_parameters_means_the_library_defaults() {
    let p = read(b"{}", None);
    assert_eq!((p.max_length, p.min_length, p.do_sample), (20, 0, false));
    assert_eq!((p.top_k, p.top_p, p.temperature), (50, 1.0, 1.0));
    assert_eq!(p.prefix, "");
    assert!(matches!(
        ModelDefaults::of_files(b"{", None),
        Err(GenerateError::Defaults {
            file: "config.json",
            ..
        })
    ));
}

/// The parameters that files state, all of which can be used.
fn read(config: &[u8], generation_config: Option<&[u8]>) -> GenerationParams {
    let read = ModelDefaults::of_files(config, generation_config).unwrap();
    assert_eq!(read.notices, []);
    read.params
}

/// The parameters of a `generation_config.json`, and the names of those that are passed over.
fn passed_over(stated: &str) -> (GenerationParams, Vec<String>) {
    let read = ModelDefaults::of_files(b"{}", Some(stated.as_bytes())).unwrap();
    let fact = |notice: &Notice| {
        assert_eq!(notice.file, "generation_config.json");
        let name = notice.fact.strip_suffix(" is passed over").unwrap();
        name.split(' ').next().unwrap().to_owned()
    };
    (read.params, read.notices.iter().map(fact).collect())
}

// https://github.com/modelscope/ms-swift/pull/9071
#[test]
fn null_and_minus_one_mean_no_limit() {
    for stated in [
        r#"{"top_k": -1}"#,
        r#"{"top_k": null}"#,
        r#"{"top_k": 0}"#,
        r#"{"top_k": -1.0, "do_sample": true}"#,
    ] {
        let (params, odd) = passed_over(stated);
        assert_eq!((params.top_k, odd.len()), (0, 0), "{stated}");
    }
    let (params, odd) = passed_over(
        r#"{"max_length": -1, "max_new_tokens": -1, "min_length": -1, "no_repeat_ngram_size": -1}"#,
    );
    assert_eq!(odd, [""; 0]);
    let checked = params.check(64).unwrap();
    assert_eq!(checked.max_new(3).unwrap(), 62);
    let (params, _) = passed_over(r#"{"max_length": -1, "max_new_tokens": null}"#);
    assert_eq!(params.check(64).unwrap().max_new(3).unwrap(), 62);
}

#[test]
fn whole_numbers_may_be_written_as_floats() {
    let (params, odd) = passed_over(r#"{"max_length": 30.0, "top_k": 7.0, "num_beams": 2.0}"#);
    assert_eq!(
        (params.max_length, params.top_k, params.num_beams),
        (30, 7, 2)
    );
    assert_eq!(odd, [""; 0]);
}

// https://github.com/paiml/aprender/issues/268
#[test]
fn an_odd_value_is_passed_over_by_name_and_the_rest_counts() {
    for (stated, names) in [
        (
            r#"{"do_sample": true, "temperature": 0, "max_length": 9}"#,
            &["temperature"][..],
        ),
        (
            r#"{"do_sample": true, "temperature": -3, "top_p": 1.5, "max_length": 9}"#,
            &["temperature", "top_p"],
        ),
        (
            r#"{"do_sample": true, "top_k": -7, "max_length": 9}"#,
            &["top_k"],
        ),
        (
            r#"{"top_k": "x", "do_sample": true, "max_length": 9}"#,
            &["top_k"],
        ),
        (
            r#"{"max_new_tokens": 0, "min_length": 2.5, "max_length": 9}"#,
            &["max_new_tokens", "min_length"],
        ),
        (
            r#"{"bad_words_ids": [[1], "x"], "max_length": 9}"#,
            &["bad_words_ids"],
        ),
        (
            r#"{"repetition_penalty": "high", "prefix": 4, "max_length": 9}"#,
            &["repetition_penalty", "prefix"],
        ),
        (
            r#"{"num_beams": 1000000, "early_stopping": "soon", "max_length": 9}"#,
            &["num_beams"],
        ),
        (
            r#"{"num_beams": 2, "early_stopping": "soon", "max_length": 9}"#,
            &["early_stopping"],
        ),
        (
            r#"{"temperature": NaN, "top_p": Infinity, "do_sample": true, "max_length": 9}"#,
            &[],
        ),
    ] {
        let (params, odd) = passed_over(stated);
        let mut names = names.to_vec();
        names.sort_unstable();
        let mut odd = odd;
        odd.sort_unstable();
        assert_eq!(odd, names, "{stated}");
        assert_eq!(params.max_length, 9);
        assert_eq!(
            (params.temperature, params.top_p, params.min_length),
            (1.0, 1.0, 0)
        );
        params.check(1024).unwrap();
    }
}

// https://github.com/huggingface/transformers/issues/36896
#[test]
fn what_only_sampling_uses_does_not_matter_without_it() {
    let (params, odd) =
        passed_over(r#"{"do_sample": false, "temperature": 0.0, "top_p": -1, "top_k": -5}"#);
    assert_eq!(odd, [""; 0]);
    // A visitor who turns sampling on finds values that can be used.
    let sampling = GenerationParams {
        do_sample: true,
        ..params.clone()
    };
    sampling.check(1024).unwrap();
    let typed = GenerationParams {
        temperature: 0.0,
        ..params
    };
    typed.check(1024).unwrap();
    assert!(
        GenerationParams {
            do_sample: true,
            ..typed
        }
        .check(1024)
        .is_err()
    );
}

#[test]
fn settings_that_are_not_done_are_passed_over_by_name_unless_they_change_nothing() {
    let (_, odd) = passed_over(
        r#"{"penalty_alpha": 0.6, "guidance_scale": 1.5, "num_beam_groups": 2, "max_time": 3.0, "dola_layers": "high"}"#,
    );
    let expected = [
        "dola_layers",
        "guidance_scale",
        "max_time",
        "num_beam_groups",
        "penalty_alpha",
    ];
    assert_eq!(odd, expected);
    // What older releases of transformers write into every file.
    let (_, odd) = passed_over(
        r#"{"penalty_alpha": null, "guidance_scale": 1, "num_beam_groups": 1, "diversity_penalty": 0.0,
            "encoder_no_repeat_ngram_size": 0, "remove_invalid_values": false, "output_scores": true,
            "transformers_version": "4.2.0", "pad_token_id": 0, "use_cache": true, "bad_words_ids": null}"#,
    );
    assert_eq!(odd, [""; 0]);
}

// https://github.com/huggingface/transformers.js/issues/1021, https://github.com/0hq/WebGPT/issues/26
#[test]
fn a_generation_config_that_is_none_is_passed_over_as_what_it_is() {
    let config = br#"{"max_length": 33}"#;
    for (bytes, named) in [
        (&b"<!doctype html><html></html>"[..], "a web page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
            "Git LFS pointer",
        ),
        (b"", "empty"),
        (b"{\"max_length\": 1", "line 1"),
        (b"[1]", "it is a list, not an object"),
    ] {
        let read = ModelDefaults::of_files(config, Some(bytes)).unwrap();
        assert_eq!(read.params.max_length, 33);
        let [notice] = &read.notices[..] else {
            panic!("{:?}", read.notices);
        };
        let text = notice.to_string();
        assert!(
            text.starts_with("generation_config.json: ") && text.contains(named),
            "{text}"
        );
    }
    let page = ModelDefaults::of_files(b"<html></html>", None).unwrap_err();
    assert!(page.to_string().contains("a web page"), "{page}");
}

// https://github.com/minimaxir/gpt-2-simple/issues/72
#[test]
fn a_default_length_is_cut_to_the_room_and_one_that_was_asked_for_is_refused() {
    let (params, _) = passed_over(r#"{"max_new_tokens": 64}"#);
    assert_eq!(params.check(64).unwrap().max_new(3).unwrap(), 62);
    assert!(matches!(
        params.check(64).unwrap().max_new(65),
        Err(GenerateError::ContextOverflow { .. })
    ));
    // A length beside it has no effect, so it does not refuse a prompt either.
    let mut asked = params;
    Parameter::MaxLength.set("20", &mut asked).unwrap();
    assert_eq!(asked.check(64).unwrap().max_new(3).unwrap(), 62);
    Parameter::MaxNewTokens.set("64", &mut asked).unwrap();
    assert!(matches!(
        asked.check(64).unwrap().max_new(3),
        Err(GenerateError::ContextOverflow { new_tokens: 64, .. })
    ));
    // A prompt that alone reaches a default length is still continued.
    let (params, _) = passed_over(r#"{"max_length": 20}"#);
    assert_eq!(params.check(64).unwrap().max_new(19).unwrap(), 1);
    assert_eq!(params.check(64).unwrap().max_new(20).unwrap(), 20);
    assert_eq!(params.check(64).unwrap().max_new(60).unwrap(), 5);
    let mut asked = params;
    Parameter::MaxLength.set("20", &mut asked).unwrap();
    assert!(matches!(
        asked.check(64).unwrap().max_new(20),
        Err(GenerateError::NoRoom { .. })
    ));
}

#[test]
fn every_parameter_out_of_range_is_named() {
    let p = GenerationParams::default;
    for (name, params) in [
        (
            "temperature",
            GenerationParams {
                temperature: 0.0,
                ..p()
            },
        ),
        (
            "temperature",
            GenerationParams {
                temperature: f32::NAN,
                ..p()
            },
        ),
        (
            "temperature",
            GenerationParams {
                temperature: f32::INFINITY,
                ..p()
            },
        ),
        (
            "top_p",
            GenerationParams {
                top_p: -0.01,
                ..p()
            },
        ),
        ("top_p", GenerationParams { top_p: 1.01, ..p() }),
        (
            "top_p",
            GenerationParams {
                top_p: f32::NAN,
                ..p()
            },
        ),
        (
            "repetition_penalty",
            GenerationParams {
                repetition_penalty: -1.0,
                ..p()
            },
        ),
        (
            "num_return_sequences",
            GenerationParams {
                num_return_sequences: 0,
                ..p()
            },
        ),
        (
            "num_return_sequences",
            GenerationParams {
                num_return_sequences: 11,
                ..p()
            },
        ),
        (
            "max_new_tokens",
            GenerationParams {
                max_new_tokens: Some(0),
                ..p()
            },
        ),
        (
            "max_length",
            GenerationParams {
                max_length: 0,
                ..p()
            },
        ),
    ] {
        match params.check(1024) {
            Err(GenerateError::BadParameter { name: got, .. }) => assert_eq!(got, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn max_new_tokens_wins_over_max_length() {
    let p = GenerationParams {
        max_new_tokens: Some(300),
        ..Default::default()
    };
    assert_eq!(p.check(1024).unwrap().max_new(4).unwrap(), 300);
    let p = GenerationParams {
        max_new_tokens: Some(1),
        max_length: 9999,
        ..Default::default()
    };
    assert_eq!(p.check(1024).unwrap().max_new(1023).unwrap(), 1);
    assert_eq!(
        GenerationParams::default()
            .check(1024)
            .unwrap()
            .max_new(4)
            .unwrap(),
        156
    );
}

#[test]
fn what_does_not_fit_the_context_is_an_error_before_anything_runs() {
    let p = GenerationParams {
        max_new_tokens: Some(126),
        ..Default::default()
    };
    assert!(matches!(
        p.check(128).unwrap().max_new(4),
        Err(GenerateError::ContextOverflow {
            prompt_tokens: 4,
            new_tokens: 126,
            n_ctx: 128
        })
    ));
    let p = GenerationParams {
        max_new_tokens: Some(usize::MAX),
        ..Default::default()
    };
    assert!(p.check(128).unwrap().max_new(4).is_err());
    assert!(matches!(
        GenerationParams::default().check(128),
        Err(GenerateError::MaxLengthBeyondContext {
            max_length: 160,
            n_ctx: 128
        })
    ));
    let clipped = GenerationParams::default().clipped(128);
    // The last new token needs no place in the context.
    assert_eq!(clipped.check(128).unwrap().max_new(4).unwrap(), 125);
    assert_eq!(clipped.check(128).unwrap().max_new(128).unwrap(), 1);
    assert!(matches!(
        clipped.check(128).unwrap().max_new(129),
        Err(GenerateError::ContextOverflow { .. })
    ));
    let p = GenerationParams {
        max_length: 20,
        ..Default::default()
    };
    assert!(matches!(
        p.check(128).unwrap().max_new(20),
        Err(GenerateError::NoRoom {
            prompt_tokens: 20,
            max_length: 20
        })
    ));
}

#[test]
fn repetition_penalty_divides_positive_and_multiplies_negative_logits_once() {
    let mut l = [2.0, -2.0, 3.0, 0.0];
    penalize_repetition(&mut l, &[0, 1, 0, 3, 99], 2.0);
    assert_eq!(l, [1.0, -4.0, 3.0, 0.0]);
    penalize_repetition(&mut l, &[0, 1], 1.0);
    assert_eq!(l, [1.0, -4.0, 3.0, 0.0]);
}

#[test]
fn top_k_keeps_the_k_most_probable_and_ties_with_the_last() {
    let l = [0.0, 3.0, 1.0, 2.0, 1.0];
    assert_eq!(ids(&filtered(&l, 1.0, 2, 1.0)), [1, 3]);
    assert_eq!(
        ids(&filtered(&l, 1.0, 3, 1.0)),
        [1, 2, 3, 4],
        "ties stay, as in transformers"
    );
    for all in [0, 5, 1000] {
        assert_eq!(ids(&filtered(&l, 1.0, all, 1.0)), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn top_p_keeps_the_crossing_token() {
    let l = logits_of(&[0.5, 0.3, 0.15, 0.05]);
    assert_eq!(ids(&filtered(&l, 1.0, 0, 0.4)), [0]);
    assert_eq!(ids(&filtered(&l, 1.0, 0, 0.6)), [0, 1]);
    assert_eq!(ids(&filtered(&l, 1.0, 0, 0.9)), [0, 1, 2]);
    assert_eq!(ids(&filtered(&l, 1.0, 0, 0.99)), [0, 1, 2, 3]);
    assert_eq!(
        ids(&filtered(&l, 1.0, 0, 1e-9)),
        [0],
        "one token always stays"
    );
}

#[test]
fn top_p_one_keeps_every_token() {
    let l: Vec<f32> = (0..1000).map(|i| -(i as f32) * 0.05).collect();
    assert_eq!(filtered(&l, 1.0, 0, 1.0).len(), 1000);
}

#[test]
fn top_p_counts_probabilities_among_the_top_k() {
    // Of all, the two most probable carry 0.6; of the top 3 they carry 0.75, so with 0.7 the third goes.
    let l = logits_of(&[0.4, 0.2, 0.2 - 1e-4, 0.1, 0.1]);
    assert_eq!(ids(&filtered(&l, 1.0, 3, 0.7)), [0, 1]);
    assert_eq!(ids(&filtered(&l, 1.0, 0, 0.7)), [0, 1, 2]);
}

#[test]
fn temperature_acts_before_top_p() {
    let l = logits_of(&[0.5, 0.3, 0.2]);
    assert_eq!(ids(&filtered(&l, 0.25, 0, 0.8)), [0]);
    assert_eq!(ids(&filtered(&l, 4.0, 0, 0.8)), [0, 1, 2]);
    let hot = filtered(&l, 2.0, 0, 1.0);
    let sum: f64 = [0.5f64, 0.3, 0.2].iter().map(|p| p.sqrt()).sum();
    assert!((hot[0].1 - 0.5f64.sqrt() / sum).abs() < 1e-6);
}

#[test]
fn top_p_over_a_large_vocabulary_equals_a_full_sort() {
    let mut state = 7u64;
    let l: Vec<f32> = (0..20_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1u64 << 24) as f32 * 6.0
        })
        .collect();
    for p in [0.01, 0.3, 0.9, 0.9999] {
        let mut order: Vec<u32> = (0..20_000).collect();
        order.sort_by(|a, b| l[*b as usize].total_cmp(&l[*a as usize]).then(a.cmp(b)));
        let most = f64::from(l[order[0] as usize]);
        let weight = |id: u32| libm::exp(f64::from(l[id as usize]) - most);
        let total: f64 = (0..20_000).map(weight).sum();
        let mut sum = 0.0;
        let mut expected = Vec::new();
        for id in order {
            expected.push(id);
            sum += weight(id);
            if sum >= f64::from(p) * total {
                break;
            }
        }
        let got: Vec<u32> = filtered(&l, 1.0, 0, p).iter().map(|(id, _)| *id).collect();
        assert_eq!(got, expected, "top_p {p}");
    }
}

#[test]
fn forbidden_tokens_are_never_candidates() {
    let mut l = [1.0, 9.0, 2.0];
    logits::forbid(&mut l, 1);
    logits::forbid(&mut l, 77);
    assert_eq!(ids(&filtered(&l, 1.0, 0, 1.0)), [0, 2]);
    assert_eq!(ids(&filtered(&l, 1.0, 2, 1.0)), [0, 2]);
    assert_eq!(logits::most_probable(&l), Some(2));
    assert_eq!(logits::most_probable(&[NEVER, NEVER]), None);
}

#[test]
fn greedy_takes_the_lowest_id_among_equals() {
    let params = GenerationParams {
        do_sample: false,
        ..Default::default()
    };
    let choice = Sampler::new(&params, 3, 0)
        .draw(&[0.0, 2.0, 2.0, NEVER], &mut SamplerScratch::default())
        .unwrap();
    assert_eq!(choice.token_id, 1);
    let e2 = 2f64.exp();
    assert!((f64::from(choice.prob) - e2 / (1.0 + 2.0 * e2)).abs() < 1e-6);
}

#[test]
fn broken_logits_are_refused() {
    for broken in [[f32::NAN, 0.0], [f32::INFINITY, 0.0], [NEVER, NEVER]] {
        for do_sample in [false, true] {
            let params = GenerationParams {
                do_sample,
                ..Default::default()
            };
            let result = Sampler::new(&params, 0, 0).draw(&broken, &mut SamplerScratch::default());
            assert!(
                matches!(result, Err(GenerateError::BrokenLogits)),
                "{broken:?}"
            );
        }
    }
}

#[test]
fn sequence_i_draws_with_seed_plus_i() {
    let params = GenerationParams {
        top_k: 0,
        top_p: 1.0,
        ..Default::default()
    };
    let l = [0.0; 1000];
    let draws = |seed, sequence| -> Vec<u32> {
        let mut sampler = Sampler::new(&params, seed, sequence);
        let mut scratch = SamplerScratch::default();
        (0..20)
            .map(|_| sampler.draw(&l, &mut scratch).unwrap().token_id)
            .collect()
    };
    assert_eq!(draws(5, 2), draws(7, 0));
    assert_eq!(draws(u32::MAX, 1), draws(0, 0), "wraps");
    assert_ne!(draws(5, 0), draws(5, 1));
}

#[test]
fn draws_of_a_seed_never_change() {
    // Whoever shared a seed wants the same text again: a change here is a change for all of them.
    let params = GenerationParams {
        top_k: 0,
        top_p: 1.0,
        ..Default::default()
    };
    let mut sampler = Sampler::new(&params, 42, 0);
    let mut scratch = SamplerScratch::default();
    let l = [0.0; 1000];
    let draws: Vec<u32> = (0..5)
        .map(|_| sampler.draw(&l, &mut scratch).unwrap().token_id)
        .collect();
    assert_eq!(draws, [681, 950, 427, 627, 288]);
}

#[test]
fn sampled_frequencies_follow_the_probabilities() {
    // χ² with 9 degrees of freedom exceeds 33.7 with probability 1e-4; five fixed seeds, so a failure is a defect.
    let probs: [f64; 12] = [
        0.3,
        0.2,
        0.12,
        0.1,
        0.08,
        0.06,
        0.05,
        0.04,
        0.03,
        0.02 - 1e-6,
        1e-6 / 2.0,
        1e-6 / 2.0,
    ];
    let l = logits_of(&probs);
    let params = GenerationParams {
        top_k: 10,
        top_p: 1.0,
        ..Default::default()
    };
    const DRAWS: u32 = 20_000;
    for seed in [0, 1, 42, 12_345, u32::MAX] {
        let mut sampler = Sampler::new(&params, seed, 0);
        let mut scratch = SamplerScratch::default();
        let mut counts = [0u32; 12];
        for _ in 0..DRAWS {
            let choice = sampler.draw(&l, &mut scratch).unwrap();
            let id = choice.token_id as usize;
            counts[id] += 1;
            assert!((f64::from(choice.prob) - probs[id]).abs() < 1e-4);
        }
        assert_eq!(counts[10..], [0, 0], "cut by top_k");
        let chi2: f64 = (0..10)
            .map(|i| {
                let expected = probs[i] * f64::from(DRAWS);
                (f64::from(counts[i]) - expected).powi(2) / expected
            })
            .sum();
        assert!(chi2 < 33.7, "seed {seed}: χ² = {chi2:.1}, {counts:?}");
    }
}

#[test]
fn first_draws_of_neighbouring_seeds_follow_the_probabilities() {
    // Sequence i takes seed + i: the first numbers of neighbouring seeds must be independent too.
    let l = [0.0; 10];
    let params = GenerationParams {
        top_k: 0,
        top_p: 1.0,
        ..Default::default()
    };
    let mut scratch = SamplerScratch::default();
    let mut counts = [0u32; 10];
    for seed in 0..20_000 {
        let choice = Sampler::new(&params, seed, 0)
            .draw(&l, &mut scratch)
            .unwrap();
        counts[choice.token_id as usize] += 1;
    }
    let chi2: f64 = counts
        .iter()
        .map(|&n| (f64::from(n) - 2000.0).powi(2) / 2000.0)
        .sum();
    assert!(chi2 < 33.7, "χ² = {chi2:.1}, {counts:?}");
}

#[test]
fn documents_are_parted_by_blank_lines() {
    assert_eq!(
        documents("\n\na b\nc\n\n \t\n\r\nd\r\n\ne"),
        ["a b\nc", "d", "e"]
    );
    assert!(documents(" \n\n").is_empty());
}

#[test]
fn perplexity_of_constant_scores_is_known() {
    // Two tokens of equal probability, all others e⁻³²: one bit per byte.
    let (a, b) = (u32::from(b'a'), u32::from(b'b'));
    let engine = tiny::engine(tiny::Weights::scores(&[(a, 2.0), (b, 2.0)]));
    let open = engine.open_model().unwrap();
    let score = score_document(&open.model, &open.tokenizer, "abbabaab", 32).unwrap();
    assert_eq!((score.tokens, score.bytes), (8, 8));
    assert!((score.bits_per_byte() - 1.0).abs() < 1e-6);
    assert!((score.nats_per_token() - std::f64::consts::LN_2).abs() < 1e-6);
}

#[test]
fn windows_score_every_token_once_and_as_the_whole_document_does() {
    let engine = tiny::engine(tiny::Weights::Random);
    let open = engine.open_model().unwrap();
    let score =
        |text: &str, stride| score_document(&open.model, &open.tokenizer, text, stride).unwrap();
    let text: String = (0..200u8)
        .map(|i| char::from(b'a' + i.wrapping_mul(7) % 26))
        .collect();
    // 79 tokens fill the context with the opening token, so no stride makes a second window.
    assert_eq!(score(&text[..79], 1), score(&text[..79], 80));
    for stride in [1, 7, 32, 80] {
        let all = score(&text, stride);
        assert_eq!((all.tokens, all.bytes), (200, 200));
        assert!(all.nats.is_finite());
    }
    assert_eq!(score(&text[..80], 80).nats, score(&text[..80], 1).nats);
    assert!(matches!(
        score_document(&open.model, &open.tokenizer, "a", 81),
        Err(GenerateError::BadParameter { name: "stride", .. })
    ));
    assert!(score_document(&open.model, &open.tokenizer, "a", 0).is_err());
}

#[test]
fn perplexity_adds_up_the_probabilities_generation_reports() {
    let mut engine = tiny::engine(tiny::Weights::Random);
    let mut compared = 0;
    for seed in 0..200 {
        let params = GenerationParams {
            max_new_tokens: Some(3),
            min_length: 0,
            top_k: 0,
            top_p: 1.0,
            num_return_sequences: 1,
            seed: Some(seed),
            ..GenerationParams::default()
        };
        let mut nats = 0.0;
        let mut ids = Vec::new();
        for event in tiny::generate(&mut engine, "", &params) {
            if let huggingtweets::protocol::Event::Token { token, .. } = event {
                let huggingtweets::protocol::NewToken { token_id, prob, .. } = token;
                nats -= f64::from(prob).ln();
                ids.push(token_id);
            }
        }
        let open = engine.open_model().unwrap();
        // Only a text that encodes to the very same ids can be compared.
        let text = open.tokenizer.decode(&ids).unwrap();
        if open.tokenizer.encode(&text).unwrap() == ids {
            let score = score_document(&open.model, &open.tokenizer, &text, 64).unwrap();
            assert!((score.nats - nats).abs() < 1e-3, "{} {nats}", score.nats);
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared} texts compared");
}

#[test]
fn filters_leave_what_transformers_leaves() {
    let fixture: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/sampling/filters.json")).unwrap();
    let eos = u32::try_from(fixture["eos"].as_u64().unwrap()).unwrap();
    for case in fixture["cases"].as_array().unwrap() {
        let mut l: Vec<f32> = serde_json::from_value(case["logits"].clone()).unwrap();
        let context: Vec<u32> = serde_json::from_value(case["context"].clone()).unwrap();
        let kept: Vec<(u32, f64)> = serde_json::from_value(case["kept"].clone()).unwrap();
        let float = |key: &str| case[key].as_f64().unwrap() as f32;
        let size = |key: &str| usize::try_from(case[key].as_u64().unwrap()).unwrap();
        penalize_repetition(&mut l, &context, float("repetition_penalty"));
        if context.len() < size("min_length") {
            logits::forbid(&mut l, eos);
        }
        let mut got = filtered(&l, float("temperature"), size("top_k"), float("top_p"));
        got.sort_by_key(|(id, _)| *id);
        assert_eq!(ids(&got), ids(&kept), "{case}");
        for ((_, got), (id, expected)) in got.iter().zip(&kept) {
            assert!((got - expected).abs() < 1e-5, "{id}: {got} {expected}");
        }
    }
}
