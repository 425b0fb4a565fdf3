//! What somebody writes who comes from transformers.js: its progress, streamers, interruption and tokenizer.

use serde_json::{Value, json};

use crate::harness::{Mirror, Page, Site, repositories};
use crate::module::module;

/// What `body` returns on a page of the site.
async fn on_a_page(body: &str) -> Value {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(&page, body).await;
    page.close_clean().await;
    answer
}

/// The events of opening a repository in this form, in order.
async fn events_of(page: &mut Page, form: &str) -> Vec<Value> {
    let mirror = Mirror::start().await;
    mirror.add("huggingtweets/tiny", &repositories().join(form));
    page.expect_requests_to(mirror.endpoint());
    let body = format!(
        "const events = []; \
         const generator = await pipeline('text-generation', 'huggingtweets/tiny', {{ \
           endpoint: '{}', cache: false, progress_callback: (event) => events.push(event) }}); \
         await generator.dispose(); \
         return events;",
        mirror.endpoint()
    );
    module(page, &body).await.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_the_weights_is_initiated_downloaded_and_done_before_ready() {
    let site = Site::start().await;
    let mut page = site.open("/").await;
    for (form, files) in [
        ("safetensors-f32", vec!["model.safetensors"]),
        (
            "safetensors-sharded",
            vec![
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ],
        ),
    ] {
        let events = events_of(&mut page, form).await;
        let (ready, before) = events.split_last().unwrap();
        let expected =
            json!({ "status": "ready", "task": "text-generation", "model": "huggingtweets/tiny" });
        assert_eq!(*ready, expected);
        assert!(
            before
                .iter()
                .all(|event| event["name"] == "huggingtweets/tiny"),
            "{before:?}"
        );
        let mut steps = Vec::new();
        for event in before {
            let step = (event["file"].as_str(), event["status"].as_str().unwrap());
            if step.1 != "progress_total" && steps.last() != Some(&step) {
                steps.push(step);
            }
        }
        let all = ["initiate", "download", "progress", "done"];
        let expected: Vec<_> = files
            .iter()
            .flat_map(|file| all.map(|status| (Some(*file), status)))
            .collect();
        assert_eq!(steps, expected, "{form}");

        let size = |file: &str| {
            let path = repositories().join(form).join(file);
            std::fs::metadata(path).unwrap().len()
        };
        for file in &files {
            let last = before
                .iter()
                .rfind(|event| event["status"] == "progress" && event["file"] == *file)
                .unwrap();
            assert_eq!(last["loaded"], size(file), "{last}");
            assert_eq!(last["total"], size(file), "{last}");
            assert_eq!(last["progress"], 100, "{last}");
        }
        let total = before
            .iter()
            .rfind(|event| event["status"] == "progress_total")
            .unwrap();
        let sum: u64 = files.iter().map(|file| size(file)).sum();
        assert_eq!(total["loaded"], sum, "{total}");
        assert_eq!(total["total"], sum, "{total}");
        assert_eq!(total["files"].as_object().unwrap().len(), files.len());
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_from_the_disk_is_ready_without_a_download() {
    let answer = on_a_page(
        r"const file = await (await fetch(new URL('./model/bundled.gguf', document.baseURI))).blob();
        const events = [];
        const generator = await pipeline('text-generation', new File([file], 'mine.gguf'), { progress_callback: (event) => events.push(event) });
        await generator.dispose();
        return events;",
    )
    .await;
    let ready = json!([{ "status": "ready", "task": "text-generation", "model": "mine.gguf" }]);
    assert_eq!(answer, ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_gives_the_tokens_of_the_call_and_ends_it_when_left() {
    let answer = on_a_page(
        r"const generator = await pipeline('text-generation');
        const out = {};
        const options = { seed: 3, max_new_tokens: 12, min_length: 100, num_return_sequences: 2 };
        out.streamed = [];
        for await (const token of generator.stream('I want', options)) out.streamed.push(token);
        out.called = [];
        await generator('I want', { ...options, on_token: (token) => out.called.push(token) });
        out.prompts = new Set();
        for await (const { prompt_index } of generator.stream(['I want', 'I like'], options)) out.prompts.add(prompt_index);
        out.prompts = [...out.prompts];

        const endless = { max_new_tokens: 100, min_length: 200, num_return_sequences: 5 };
        out.left = 0;
        for await (const _ of generator.stream('I want', endless)) if (++out.left === 3) break;
        out.after = (await generator('I want', { max_new_tokens: 2 })).length;

        const abort = new AbortController();
        out.aborted = await refusal((async () => {
          for await (const _ of generator.stream('I want', { ...endless, signal: abort.signal })) abort.abort('enough');
        })());
        out.before = await refusal(generator.stream('I want', { signal: AbortSignal.abort('early') }).next());
        out.wrong = await refusal(generator.stream('I want', { top_p: 2 }).next());
        await generator.dispose();
        out.disposed = await refusal(generator.stream('I want').next());
        return out;",
    )
    .await;
    assert_eq!(answer["streamed"], answer["called"]);
    assert_eq!(answer["streamed"].as_array().unwrap().len(), 24);
    assert_eq!(answer["prompts"], json!([0, 1]));
    assert_eq!((&answer["left"], &answer["after"]), (&json!(3), &json!(1)));
    for (name, cause) in [("aborted", "enough"), ("before", "early")] {
        assert_eq!(answer[name]["name"], "AbortError", "{answer}");
        assert_eq!(answer[name]["cause"], cause, "{answer}");
    }
    assert_eq!(answer["wrong"]["code"], "bad_parameters", "{answer}");
    assert_eq!(answer["disposed"]["code"], "no_model", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamer_gets_the_text_that_the_call_returns() {
    let answer = on_a_page(
        r"const { TextStreamer, BaseStreamer } = module;
        const generator = await pipeline('text-generation');
        const options = { seed: 3, max_new_tokens: 12 };
        const out = { text: (await generator('I want', options))[0].generated_text };
        const collect = async (extra, more) => {
          const texts = [], ids = [];
          const callbacks = { callback_function: (text) => texts.push(text), token_callback_function: (new_ids) => ids.push(...new_ids) };
          await generator('I want', { ...options, ...(extra ? { streamer: new TextStreamer(generator.tokenizer, { ...callbacks, ...extra }) } : callbacks) });
          return { text: texts.join(''), pieces: texts.length, ids: ids.map(Number), kinds: [...new Set(ids.map((id) => typeof id))] };
        };
        out.with_prompt = await collect({});
        out.without_prompt = await collect({ skip_prompt: true });
        out.bare = await collect(null);

        class Shouter extends TextStreamer {
          on_finalized_text(text, is_end) { super.on_finalized_text(is_end ? '!' : text.toUpperCase(), is_end); }
        }
        let shouted = '';
        await generator('I want', { ...options, streamer: new Shouter(generator.tokenizer, { callback_function: (text) => { shouted += text; } }) });
        out.shouted = shouted;

        class Own extends BaseStreamer {
          puts = [];
          ends = 0;
          put(value) { this.puts.push(value.map((ids) => ids.map(Number))); }
          end() { this.ends += 1; }
        }
        const own = new Own();
        await generator('I want', { ...options, streamer: own });
        out.own = { puts: own.puts, ends: own.ends };
        out.ids = await generator.tokenizer.encode('I want');
        out.refused = [
          await refusal(generator(['I want', 'I like'], { ...options, streamer: own })),
          await refusal(generator('I want', { num_return_sequences: 2, callback_function: () => {} })),
          await refusal(generator('I want', { streamer: {} })),
        ];
        out.abstract = await refusal(generator('I want', { streamer: new BaseStreamer() }));
        await generator.dispose();
        return out;",
    )
    .await;
    let text = answer["text"].as_str().unwrap();
    let continuation = text.strip_prefix("I want").unwrap();
    assert_eq!(answer["with_prompt"]["text"], text);
    assert_eq!(answer["without_prompt"]["text"], continuation);
    assert_eq!(answer["bare"]["text"], continuation);
    assert!(answer["bare"]["pieces"].as_u64().unwrap() > 5, "{answer}");
    assert_eq!(answer["bare"]["ids"].as_array().unwrap().len(), 12);
    assert_eq!(answer["bare"]["kinds"], json!(["bigint"]));
    assert_eq!(answer["shouted"], format!("{}!", text.to_uppercase()));
    let puts = answer["own"]["puts"].as_array().unwrap();
    assert_eq!(puts[0], json!([answer["ids"]]), "the prompt comes first");
    assert_eq!((puts.len(), &answer["own"]["ends"]), (13, &json!(1)));
    for refused in answer["refused"].as_array().unwrap() {
        assert_eq!(refused["name"], "TypeError", "{answer}");
        assert!(
            refused["message"].as_str().unwrap().contains("streamer"),
            "{refused}"
        );
    }
    assert!(
        answer["abstract"]["message"]
            .as_str()
            .unwrap()
            .contains("put()")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_call_resolves_with_the_text_so_far() {
    let answer = on_a_page(
        r"const { InterruptableStoppingCriteria } = module;
        const generator = await pipeline('text-generation');
        const endless = { seed: 3, max_new_tokens: 100, min_length: 200, return_full_text: false };
        const whole = (await generator('I want', endless))[0].generated_text;
        const criteria = new InterruptableStoppingCriteria();
        let n_tokens = 0;
        const on_token = () => { if (++n_tokens === 5) criteria.interrupt(); };
        const [{ generated_text }] = await generator('I want', { ...endless, on_token, stopping_criteria: criteria });
        criteria.reset();
        const [again] = await generator('I want', { ...endless, stopping_criteria: [criteria] });
        const other = await refusal(generator('I want', { stopping_criteria: { _call: () => [true] } }));
        const { new_tokens } = generator.stats;
        await generator.dispose();
        return { whole, part: generated_text, again: again.generated_text, n_tokens, other, new_tokens };",
    )
    .await;
    let (whole, part) = (
        answer["whole"].as_str().unwrap(),
        answer["part"].as_str().unwrap(),
    );
    assert!(
        !part.is_empty() && part.len() < whole.len() && whole.starts_with(part),
        "{answer}"
    );
    assert!(answer["n_tokens"].as_u64().unwrap() < 100, "{answer}");
    assert_eq!(answer["again"], whole);
    assert_eq!(answer["new_tokens"], 100);
    assert_eq!(answer["other"]["name"], "TypeError", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokenizer_is_called_as_in_transformers_js() {
    let answer = on_a_page(
        r"const generator = await pipeline('text-generation');
        const { tokenizer } = generator;
        const ids = await tokenizer.encode('My dream is');
        const out = {
          ids, one: await tokenizer('My dream is'), both: await tokenizer(['My dream is', 'I'], { return_tensor: false }),
          back: await tokenizer.batch_decode([ids, ids.map(BigInt)], { skip_special_tokens: true }),
          refused: [
            await refusal(tokenizer('a', { padding: true })), await refusal(tokenizer.encode('a', { text_pair: 'b' })),
            await refusal(tokenizer.decode(ids, { skip_special_tokens: false })), await refusal(tokenizer(['a', 3])),
          ],
        };
        const abort = new AbortController();
        const waiting = refusal(tokenizer.encode('a', { signal: abort.signal }));
        abort.abort();
        out.aborted = await waiting;
        await generator.dispose();
        return out;",
    )
    .await;
    let ones: Vec<u32> = answer["ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|_| 1)
        .collect();
    assert_eq!(
        answer["one"],
        json!({ "input_ids": answer["ids"], "attention_mask": ones })
    );
    assert_eq!(answer["both"]["input_ids"][0], answer["ids"]);
    assert_eq!(
        answer["both"]["attention_mask"][1]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(answer["back"], json!(["My dream is", "My dream is"]));
    for refused in answer["refused"].as_array().unwrap() {
        assert_eq!(refused["name"], "TypeError", "{answer}");
    }
    assert_eq!(answer["aborted"]["name"], "AbortError", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_settings_of_transformers_js_are_taken_or_refused_by_name() {
    let site = Site::start().await;
    let mut page = site.open("/").await;
    let mirror = Mirror::start().await;
    mirror.add(
        "huggingtweets/tiny",
        &repositories().join("safetensors-f32"),
    );
    page.expect_requests_to(mirror.endpoint());
    let body = format!(
        r"const {{ env }} = module;
        env.allowLocalModels = false;
        env.useBrowserCache = false;
        env.remoteHost = '{}';
        env.backends.onnx.wasm.numThreads = 1;
        const out = {{ dtypes: [], refused: [] }};
        for (const dtype of ['fp32', 'fp16', 'q8', 'q4']) {{
          const generator = await pipeline('text-generation', 'huggingtweets/tiny', {{ dtype, device: 'webgpu', revision: 'main' }});
          out.dtypes.push([dtype, generator.config.dtype, generator.stats.threads]);
          out.task = generator.task;
          out.has_disposal = !Symbol.asyncDispose || generator[Symbol.asyncDispose] === generator.dispose;
          await generator.dispose();
        }}
        for (const options of [{{ dtype: 'bnb4' }}, {{ revision: 'dev' }}, {{ local_files_only: true }}, {{ config: {{}} }}, {{ model_file_name: 'a' }}, {{ subfolder: 'b' }}]) {{
          out.refused.push([Object.keys(options)[0], await refusal(pipeline('text-generation', null, options))]);
        }}
        return out;",
        mirror.endpoint()
    );
    let answer = module(&page, &body).await;
    let expected = [
        ("fp32", "f32"),
        ("fp16", "f16"),
        ("q8", "q8_0"),
        ("q4", "q4_0"),
    ]
    .map(|(theirs, ours)| json!([theirs, ours, 1]));
    assert_eq!(answer["dtypes"], json!(expected));
    assert_eq!(answer["task"], "text-generation");
    assert_eq!(answer["has_disposal"], true);
    for pair in answer["refused"].as_array().unwrap() {
        assert_eq!(pair[1]["name"], "TypeError", "{pair}");
        let name = format!("`{}`", pair[0].as_str().unwrap());
        assert!(
            pair[1]["message"].as_str().unwrap().contains(&name),
            "{pair}"
        );
    }
    page.close_clean().await;
}
