//! The ES module: the numbers and texts of the native program, refusals, aborts, and the declared types.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Page, SOON, Site, wait_until};
use huggingtweets::generate::not_done::NOT_DONE;
use huggingtweets::site::Isolation;

/// The return value of a script `body`. In its scope are `module` with its `pipeline` and `HuggingtweetsError`, and two
/// helpers: `refusal(promise)` gives the name, code, message, hint and cause of the rejection, `greedy(n)` options for
/// `n` new tokens.
pub async fn module(page: &Page, body: &str) -> Value {
    page.client
        .update_timeouts(fantoccini::wd::TimeoutConfiguration::new(
            Some(Duration::from_secs(120)),
            None,
            None,
        ))
        .await
        .unwrap();
    let script = format!(
        r"const done = arguments[arguments.length - 1];
        const refusal = (promise) => promise.then(
          () => null, ({{ name, code, message, hint, cause }}) => ({{ name, code, message, hint, cause: cause && String(cause) }}));
        const greedy = (n) => ({{ do_sample: false, max_new_tokens: n }});
        (async () => {{
          const module = await import(new URL('./huggingtweets.js', document.baseURI).href);
          const {{ pipeline, HuggingtweetsError }} = module;
          {body}
        }})().then(done, (error) => done({{ failed: `${{error}}\n${{error.stack}}` }}));"
    );
    let answer = page.client.execute_async(&script, vec![]).await.unwrap();
    assert_eq!(answer.get("failed"), None, "{answer}");
    answer
}

/// The answer of the native program.
fn native(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
        .args(arguments)
        .arg("--json")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    let values = value.as_array().unwrap().iter();
    values.map(|x| x.as_f64().unwrap() as f32).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn logits_and_texts_of_the_module_are_those_of_the_native_program_bit_for_bit() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"const generator = await pipeline('text-generation');
        const long = 'My dream is to '.repeat(8);
        const scores = async (text) => {
          const logits = await generator.logits(text);
          return { kind: logits.constructor.name, n: logits.length, values: Array.from(logits) };
        };
        const out = {
          long, n_vocab: generator.config.vocab_size,
          short_logits: await scores('My dream is'), long_logits: await scores(long),
          greedy: await generator('My dream is', greedy(40)),
          sampled: await generator('I like', { num_return_sequences: 3, max_new_tokens: 24, seed: 7 }),
        };
        await generator.dispose();
        return out;",
    )
    .await;
    let long = answer["long"].as_str().unwrap();
    for (name, prompt) in [("short_logits", "My dream is"), ("long_logits", long)] {
        let theirs = native(&["logits", "--prompt", prompt]);
        let (ours, theirs) = (floats(&answer[name]["values"]), floats(&theirs["logits"]));
        assert_eq!(answer[name]["kind"], "Float32Array");
        assert_eq!(answer[name]["n"], answer["n_vocab"]);
        assert_eq!(ours.len(), theirs.len());
        let worst = (0..ours.len())
            .max_by(|a, b| {
                let off = |i: usize| (ours[i] - theirs[i]).abs();
                off(*a).total_cmp(&off(*b))
            })
            .unwrap();
        assert!(
            ours.iter()
                .zip(&theirs)
                .all(|(a, b)| a.to_bits() == b.to_bits()),
            "{name}: worst at {worst}: {} in the browser, {} natively",
            ours[worst],
            theirs[worst]
        );
    }
    let text = |value: &Value| value["generated_text"].clone();
    let greedy = native(&[
        "generate",
        "--prompt",
        "My dream is",
        "--n",
        "1",
        "--greedy",
        "--max-new-tokens",
        "40",
    ]);
    assert_eq!(text(&answer["greedy"][0]), text(&greedy[0]));
    let sampled = native(&[
        "generate",
        "--prompt",
        "I like",
        "--n",
        "3",
        "--seed",
        "7",
        "--max-new-tokens",
        "24",
    ]);
    for i in 0..3 {
        assert_eq!(text(&answer["sampled"][i]), text(&sampled[i]));
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_prompts_gives_a_list_of_lists_and_every_token_by_itself() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"const generator = await pipeline('text-generation');
        const options = { num_return_sequences: 2, max_new_tokens: 8, min_length: 100, seed: 3, return_full_text: false };
        const tokens = [];
        const before = generator.stats;
        const lists = await generator(['I want', 'I like'], { ...options, on_token: (token) => tokens.push(token) });
        const stats = generator.stats;
        const alone = [await generator('I want', options), await generator('I like', options)];
        const none = await generator([]);
        await generator.dispose();
        return { lists, tokens, before, stats, alone, none };",
    )
    .await;
    assert_eq!(
        answer["lists"], answer["alone"],
        "a prompt of a list is a call of its own"
    );
    assert_eq!(answer["none"], json!([]));
    let tokens = answer["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 2 * 2 * 8, "prompts × texts × tokens");
    for (prompt, list) in answer["lists"].as_array().unwrap().iter().enumerate() {
        for (sequence, text) in list.as_array().unwrap().iter().enumerate() {
            let streamed: String = tokens
                .iter()
                .filter(|t| t["prompt_index"] == prompt && t["sequence"] == sequence)
                .map(|t| t["text"].as_str().unwrap())
                .collect();
            assert_eq!(text["generated_text"], streamed);
        }
    }
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let stats = &answer["stats"];
    assert_eq!(
        names(stats),
        [
            "prompt_tokens",
            "new_tokens",
            "load_ms",
            "prefill_ms",
            "decode_ms",
            "threads",
            "simd",
            "memory_bytes",
        ]
        .map(str::to_owned)
        .into()
    );
    assert_eq!(names(stats), names(&answer["before"]));
    assert_eq!(answer["before"]["new_tokens"], 0);
    assert_eq!(stats["new_tokens"], 32, "of all texts of all prompts");
    for name in [
        "prompt_tokens",
        "load_ms",
        "prefill_ms",
        "decode_ms",
        "threads",
    ] {
        assert!(stats[name].as_f64().unwrap() > 0.0, "{name}: {stats}");
    }
    assert!(
        stats["memory_bytes"].as_u64().unwrap() > 8_000_000,
        "{stats}"
    );
    assert!(!stats["simd"].as_str().unwrap().is_empty(), "{stats}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_to_ids_and_back_is_the_identity() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let texts = [
        "My dream is",
        " two  spaces\n\nand lines\t",
        "héllo wörld",
        "🤖 AI BOT 🤖🏳️‍🌈",
        "日本語 العربية",
        "",
    ];
    let body = format!(
        "const generator = await pipeline('text-generation');
         const back = [];
         for (const text of {}) back.push(await generator.tokenizer.decode(await generator.tokenizer.encode(text)));
         const ids = await generator.tokenizer.encode('My dream is');
         const typed = await generator.tokenizer.decode(new Uint32Array(ids));
         await generator.dispose();
         return {{ back, typed, ids }};",
        json!(texts)
    );
    let answer = module(&page, &body).await;
    assert_eq!(answer["back"], json!(texts));
    assert_eq!(answer["typed"], "My dream is");
    let theirs = native(&["tokenize", "--text", "My dream is"]);
    assert_eq!(answer["ids"], theirs["token_ids"]);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_source_of_a_model_gives_the_same_text() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"const address = new URL('./model/bundled.gguf', document.baseURI);
        const bytes = await (await fetch(address)).arrayBuffer();
        const sources = [undefined, null, 'model/bundled.gguf', address, bytes, new Blob([bytes]), new File([bytes], 'a.gguf')];
        const texts = [];
        for (const source of sources) {
          const generator = await pipeline('text-generation', source);
          texts.push((await generator('My dream is', greedy(12)))[0].generated_text);
          await generator.dispose();
        }
        return { texts };",
    )
    .await;
    let texts = answer["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 7);
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_call_rejects_with_an_abort_error_and_the_next_one_works() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"const generator = await pipeline('text-generation');
        const endless = { max_new_tokens: 100, min_length: 200, num_return_sequences: 5 };
        const out = {};
        out.before = await refusal(generator('I want', { ...endless, signal: AbortSignal.abort() }));

        const during = new AbortController();
        let tokens = 0;
        out.during = await refusal(generator('I want', {
          ...endless, signal: during.signal, on_token: () => { if (++tokens === 10) during.abort(); },
        }));
        out.tokens = tokens;

        // An aborted call that waits behind another one rejects at once, and the other one goes on.
        const order = [];
        const first = generator('I want', endless).then(() => order.push('first'));
        const waiting = new AbortController();
        const second = refusal(generator('I like', { ...endless, signal: waiting.signal }))
          .then((error) => { order.push('second'); return error; });
        waiting.abort();
        out.waiting = await second;
        await first;
        out.order = order;

        out.list = await refusal(generator(['I want', 'I like'], { ...endless, signal: AbortSignal.timeout(1) }));
        const logits = new AbortController();
        const scored = refusal(generator.logits('My dream is '.repeat(20), { signal: logits.signal }));
        logits.abort();
        out.logits = await scored;
        out.load = await refusal(pipeline('text-generation', null, { signal: AbortSignal.abort() }));
        const loading = new AbortController();
        out.loading = await refusal(pipeline('text-generation', null, {
          signal: loading.signal, progress_callback: () => loading.abort(),
        }));

        // Between tokens that arrive together.
        let n_calls = 0;
        const on_token = () => {
          n_calls += 1;
          if (n_calls >= 4) throw new RangeError('mine');
        };
        out.thrown = await refusal(generator('I want', { ...endless, on_token }));
        out.after = await generator('My dream is', greedy(4));
        out.n_calls = n_calls;
        await generator.dispose();
        return out;",
    )
    .await;
    for name in [
        "before", "during", "waiting", "list", "logits", "load", "loading",
    ] {
        assert_eq!(answer[name]["name"], "AbortError", "{name}: {answer}");
    }
    let tokens = answer["tokens"].as_u64().unwrap();
    assert!((10..100).contains(&tokens), "{tokens} of 500 tokens");
    assert_eq!(answer["order"], json!(["second", "first"]));
    assert_eq!(answer["thrown"]["name"], "RangeError");
    assert_eq!(answer["thrown"]["message"], "mine");
    assert_eq!(answer["n_calls"], 4);
    assert_eq!(answer["after"].as_array().unwrap().len(), 1);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_generators_write_at_once_and_one_may_end_without_the_other() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"const [one, two] = await Promise.all([pipeline('text-generation'), pipeline('text-generation')]);
        const options = { seed: 5, num_return_sequences: 2, max_new_tokens: 30 };
        const alone = await one('I want', options);
        const [a, b] = await Promise.all([one('I want', options), two('I want', options)]);
        const endless = { max_new_tokens: 100, min_length: 200, num_return_sequences: 5 };
        const running = refusal(one('I want', endless));
        const queued = refusal(one.tokenizer.encode('I want'));
        const untouched = two('I want', options);
        await one.dispose();
        await one.dispose();
        const out = {
          alone, a, b, running: await running, queued: await queued, later: await refusal(one('I want')),
          later_logits: await refusal(one.logits('I want')), untouched: await untouched,
        };
        await two.dispose();
        return out;",
    )
    .await;
    for name in ["a", "b", "untouched"] {
        assert_eq!(answer[name], answer["alone"], "{name}");
    }
    for name in ["running", "queued", "later", "later_logits"] {
        assert_eq!(
            answer[name]["name"], "HuggingtweetsError",
            "{name}: {answer}"
        );
        assert_eq!(answer[name]["code"], "no_model", "{name}: {answer}");
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_names_no_model_is_refused_with_its_own_message_and_hint() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"return [
          await refusal(pipeline('text-generation', 'no model!')),
          await refusal(pipeline('text-generation', 'me/bot', { endpoint: 'ftp://example.org' })),
        ];",
    )
    .await;
    let [model, endpoint] = &answer.as_array().unwrap()[..] else {
        panic!("{answer}");
    };
    assert_eq!(model["code"], "not_a_model", "{answer}");
    assert_eq!(
        model["message"],
        "\"no model!\" has no owner, and is no model that the Hub knows without one."
    );
    assert_eq!(
        model["hint"],
        "Type OWNER/NAME for a model, or an @ and the handle for a bot, such as @jen_122."
    );
    assert_eq!(endpoint["code"], "not_a_model", "{answer}");
    let message = endpoint["message"].as_str().unwrap();
    assert!(message.contains("ftp"), "{message}");
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values_are_refused_by_name_and_unknown_names_are_ignored() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"const out = { types: [], ranges: [], shapes: [] };
        const wrong = [
          { dtype: 'q9' }, { threads: 0 }, { threads: 1.5 }, { threads: 'many' }, { simd: 'avx' }, { cache: 'yes' },
          { endpoint: 3 }, { progress_callback: 1 }, { signal: {} },
        ];
        for (const options of wrong) out.types.push([Object.keys(options)[0], await refusal(pipeline('text-generation', null, options))]);
        out.shapes.push(await refusal(pipeline('text-generation', null, 3)));
        out.shapes.push(await refusal(pipeline('translation')));
        const generator = await pipeline('text-generation', null, {
          dtype: 'q8_0', threads: 1, simd: 'simd128', cache: false, device: 'wasm', revision: 'main', signal: null,
        });
        const wrongCalls = [
          { max_new_tokens: -1 }, { max_new_tokens: 2.5 }, { max_length: '9' }, { min_length: NaN }, { do_sample: 1 },
          { temperature: 'hot' }, { temperature: Infinity }, { top_k: 1e10 }, { top_p: '0.5' }, { repetition_penalty: [] },
          { num_return_sequences: -2 }, { return_full_text: 'yes' }, { prefix: 4 }, { seed: -1 }, { seed: 2 ** 32 },
          { bad_words_ids: [1] }, { suppress_tokens: ['a'] }, { early_stopping: 'soon' }, { stop_strings: [''] },
          { stop_at_newline: 0 }, { on_token: 'log' }, { signal: 'now' },
        ];
        for (const options of wrongCalls) out.types.push([Object.keys(options)[0], await refusal(generator('a', options))]);
        for (const prompt of [undefined, 3, { role: 'user', content: 'a' }, ['a', 3], [{ role: 'user', content: 'a' }]]) {
          out.shapes.push(await refusal(generator(prompt)));
        }
        out.shapes.push(await refusal(generator.logits(3)), await refusal(generator.tokenizer.encode(null)),
          await refusal(generator.tokenizer.decode([-1])), await refusal(generator.tokenizer.decode(['a'])));
        const outOfRange = [
          { temperature: 0 }, { top_p: -0.5 }, { top_p: 1.5 }, { repetition_penalty: 0 }, { num_return_sequences: 11 },
          { num_return_sequences: 0 }, { max_new_tokens: 0 }, { max_length: 5000 },
        ];
        for (const options of outOfRange) out.ranges.push([Object.keys(options)[0], await refusal(generator('a', options))]);
        out.notDone = await refusal(generator('a', { penalty_alpha: 0.6 }));
        out.empty = await refusal(generator.logits(''));
        out.long = await refusal(generator('a', { max_new_tokens: 100000 }));
        const same = { ...greedy(6), temperature: undefined, prefix: null, penalty_alpha: 0, no_such_name: true };
        out.same = [await generator('My dream is', greedy(6)), await generator('My dream is', same)];
        await generator.dispose();
        return out;",
    )
    .await;
    for pair in answer["types"].as_array().unwrap() {
        assert_eq!(pair[1]["name"], "TypeError", "{pair}");
        let named = format!("`{}` must be", pair[0].as_str().unwrap());
        assert!(
            pair[1]["message"].as_str().unwrap().starts_with(&named),
            "{pair}"
        );
    }
    for shape in answer["shapes"].as_array().unwrap() {
        assert_eq!(shape["name"], "TypeError", "{answer}");
    }
    for pair in answer["ranges"].as_array().unwrap() {
        assert_eq!(pair[1]["code"], "bad_parameters", "{pair}");
        let message = pair[1]["message"].as_str().unwrap();
        assert!(message.contains(pair[0].as_str().unwrap()), "{pair}");
    }
    assert_eq!(answer["notDone"]["name"], "TypeError", "{answer}");
    let not_done = answer["notDone"]["message"].as_str().unwrap();
    assert!(not_done.contains("`penalty_alpha`"), "{not_done}");
    assert_eq!(answer["empty"]["code"], "bad_parameters", "{answer}");
    assert_eq!(answer["empty"]["message"], "The text is empty.");
    assert_eq!(answer["empty"]["hint"], "Give at least one character.");
    assert_eq!(answer["long"]["code"], "context_overflow", "{answer}");
    assert_eq!(answer["same"][0], answer["same"][1]);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_another_version_or_shape_is_answered_and_the_worker_goes_on() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answers = module(
        &page,
        r"const worker = new Worker(new URL('worker_loader.js', document.baseURI));
        const events = [];
        worker.onmessage = ({ data }) => events.push(...data);
        const next = async (type) => {
          for (;;) {
            const at = events.findIndex((event) => event.type === type);
            if (at >= 0) return events.splice(at, 1)[0];
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        };
        worker.postMessage({ type: 'start', threads: 1 });
        await next('started');
        const messages = [
          { v: 1, type: 'measure', job: 1 },
          { type: 'measure', job: 1 },
          { v: 2, type: 'sing', job: 1 },
          { v: 2, type: 3, job: 1 },
          { v: 2, type: 'measure', job: -1 },
          { v: 2, type: 'tokenize', job: 1 },
          { v: 2, measure: { job: 1 } },
          { v: 2 }, null, 'measure', 7,
        ];
        const codes = [];
        for (const message of messages) {
          worker.postMessage(message);
          codes.push((await next('error')).error.code);
        }
        worker.postMessage({ v: 2, type: 'measure', job: 9, further: [1] });
        const { v, type, job, error } = await next('error');
        worker.terminate();
        return { codes, last: { v, type, job, code: error.code } };",
    )
    .await;
    let last = json!({ "v": 2, "type": "error", "job": 9, "code": "no_model" });
    assert_eq!(answers["last"], last, "{answers}");
    let codes = answers["codes"].as_array().unwrap();
    assert_eq!(codes, &vec![json!("bad_message"); 11]);
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_and_simd_reach_the_loader_in_its_first_message() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"const starts = [];
        const Real = Worker;
        globalThis.Worker = class extends Real {
          postMessage(message, ...rest) {
            // The page around the module may start its own worker meanwhile; that message has no threads.
            if (message.type === 'start' && 'threads' in message) starts.push(message);
            super.postMessage(message, ...rest);
          }
        };
        // The first pipeline takes the worker started by the import.
        for (const options of [{}, {}, { threads: 2, simd: 'simd128' }]) {
          const generator = await pipeline('text-generation', null, options);
          await generator.dispose();
        }
        globalThis.Worker = Real;
        return starts.map(({ threads, simd }) => [threads, simd]);",
    )
    .await;
    assert_eq!(answer, json!([["auto", "auto"], [2, "simd128"]]));
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_simd128_gets_it_from_the_first_pipeline_on() {
    for isolation in [Isolation::On, Isolation::Off] {
        let site = Site::start_with(isolation).await;
        // A document without a service worker.
        let page = site.open("/huggingtweets.js").await;
        for (simd, expected) in [
            ("simd128", "simd128"),
            ("relaxed", "relaxed"),
            ("auto", "relaxed"),
        ] {
            let script = format!(
                "const generator = await pipeline('text-generation', null, {{ simd: '{simd}' }}); \
                 const {{ simd }} = generator.stats; await generator.dispose(); return simd;"
            );
            page.client.refresh().await.unwrap();
            assert_eq!(module(&page, &script).await, expected, "Chromium has both");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_pipelines_worker_is_begun_at_the_import() {
    let site = Site::start().await;
    // A document of the site without a worker of its own.
    let page = site.open("/huggingtweets.js").await;
    // Each worker fetches one program, and shares it with its helpers.
    let n_workers = || {
        let requests = site.requests();
        let programs = requests.iter().filter(|path| path.ends_with("_bg.wasm"));
        programs.count()
    };
    assert_eq!(n_workers(), 0);
    module(&page, "return null;").await;
    wait_until("the worker to fetch its program", SOON, || async {
        (n_workers() > 0).then_some(())
    })
    .await;
    assert_eq!(n_workers(), 1);
    let answer = module(
        &page,
        "const generator = await pipeline('text-generation'); \
         const [{ generated_text }] = await generator('My dream is', greedy(4)); \
         await generator.dispose(); \
         return generated_text.startsWith('My dream is');",
    )
    .await;
    assert_eq!(answer, true);
    assert_eq!(n_workers(), 1);
}

/// Options of [`NOT_DONE`] that the module does by itself.
const DONE: [&str; 2] = ["stopping_criteria", "streamer"];
/// Options of transformers.js that the types allow and the module ignores.
const IGNORED: [&str; 4] = [
    "device",
    "session_options",
    "use_external_data_format",
    "cache_dir",
];

/// The names in a declaration of the types, such as `interface Stats` or `class HuggingtweetsError`.
fn declared(types: &str, declaration: &str) -> BTreeSet<String> {
    let start = types
        .find(&format!("export {declaration} "))
        .unwrap_or_else(|| panic!("no `{declaration}`"));
    let body = &types[start..start + types[start..].find("\n}").unwrap()];
    body.lines()
        .skip(1)
        .filter_map(|line| line.strip_prefix("  "))
        .map(|line| line.strip_prefix("readonly ").unwrap_or(line))
        .filter_map(|line| {
            let end = line.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            let is_member = line[end..].starts_with([':', '?', '(']);
            (end > 0 && is_member).then(|| line[..end].to_owned())
        })
        .filter(|name| name != "constructor")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_types_name_every_member_there_is_and_no_other() {
    let site = Site::start().await;
    let page = site.open("/").await;
    let answer = module(
        &page,
        r"// What the module reads of its options is what it knows.
        const spy = (read) => new Proxy({}, { get: (_, name) => { read.add(name); } });
        const opening = new Set(), calling = new Set();
        const generator = await pipeline('text-generation', null, spy(opening));
        await generator('a', spy(calling)).catch(() => {});
        let token;
        const progress = {};
        const progress_callback = (event) => { progress[event.status] = Object.keys(event); };
        await (await pipeline('text-generation', null, { progress_callback })).dispose();
        const [text] = await generator('a', { ...greedy(2), on_token: (t) => { token = t; } });
        const error = await generator.logits('').catch((error) => error);
        const out = {
          'interface PipelineOptions': [...opening], 'interface GenerationOptions': [...calling],
          'interface FileProgress': progress.initiate, 'interface BytesProgress': progress.progress,
          'interface TotalProgress': progress.progress_total, 'interface ReadyProgress': progress.ready,
          'interface Token': Object.keys(token),
          'interface GeneratedText': Object.keys(text), 'interface Stats': Object.keys(generator.stats),
          'interface Config': Object.keys(generator.config), 'interface Tokenizer': Object.keys(generator.tokenizer),
          'interface TextGenerationPipeline': Object.keys(generator),
          'class HuggingtweetsError': Object.keys(error).filter((name) => name !== 'name'),
          exports: Object.keys(module),
        };
        await generator.dispose();
        return out;",
    )
    .await;
    let types = page
        .client
        .execute_async(
            "const done = arguments[0]; fetch('huggingtweets.d.ts').then((r) => r.text()).then(done)",
            vec![],
        )
        .await
        .unwrap();
    let types = types.as_str().unwrap();
    for (declaration, names) in answer.as_object().unwrap() {
        let mut there: BTreeSet<String> = serde_json::from_value(names.clone()).unwrap();
        // These are read to be refused.
        there.retain(|name| {
            DONE.contains(&name.as_str()) || !NOT_DONE.iter().any(|(not_done, _)| not_done == name)
        });
        let named: BTreeSet<String> = if declaration == "exports" {
            let exported = ["export function ", "export class ", "export const "];
            let lines = types.lines();
            lines
                .filter_map(|line| exported.iter().find_map(|start| line.strip_prefix(start)))
                .map(|line| line.split(['(', ' ', ':']).next().unwrap().to_owned())
                .collect()
        } else {
            let mut named = declared(types, declaration);
            if types.contains(&format!("export {declaration} extends Bytes ")) {
                named.extend(declared(types, "interface Bytes"));
            }
            named.retain(|name| !IGNORED.contains(&name.as_str()));
            named
        };
        assert_eq!(named, there, "{declaration}: types, then the module");
    }
    page.close_clean().await;
}
