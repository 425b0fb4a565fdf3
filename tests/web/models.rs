//! Models from a mirror of the Hub: every format works, is fetched once, is resumed, and is never mixed with another.

use std::time::Duration;

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::harness::{
    Browser, Fault, Mirror, Misbehaviour, Page, SOON, Site, in_both_browsers, repositories,
    wait_until,
};
use crate::isolation::press;
use crate::module::module;
use crate::support::checkpoints::with_adapter_and_head;
use crate::support::gpt2_124m;
use huggingtweets::site::Isolation;

in_both_browsers!(
    every_form_of_repository_scores_as_pytorch_does,
    a_model_comes_once_and_then_without_its_host,
    a_broken_download_goes_on_where_it_broke,
    whatever_a_host_does_the_model_is_right_or_refused,
    the_files_of_a_folder_can_be_picked,
    what_the_weights_tell_is_shown_also_when_the_model_is_opened_from_storage,
    a_visitor_opens_any_bot_sees_its_size_first_and_deletes_it,
);

pub const REPO: &str = "huggingtweets/tiny";
pub const WEIGHTS: &str = "huggingtweets/tiny/pytorch_model.bin";

/// Largest difference from the scores of PyTorch: for float weights, and for weights quantized to Q8_0.
pub const FLOATS: f32 = 1e-3;
pub const QUANTIZED: f32 = 0.4;

/// An isolated page that has started.
async fn started(browser: Browser) -> Option<(Site, Page)> {
    let site = Site::start_in(browser, Isolation::On).await?;
    let page = site.open("/").await;
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    Some((site, page))
}

/// A mirror with the repository in this format, for the page to fetch from. Models of two mirrors are kept apart.
async fn mirror_for(page: &mut Page, form: &str) -> Mirror {
    let mirror = Mirror::start().await;
    mirror.add(REPO, &repositories().join(form));
    page.expect_requests_to(mirror.endpoint());
    mirror
}

pub async fn start(browser: Browser, form: &str) -> Option<(Site, Page, Mirror)> {
    let (site, mut page) = started(browser).await?;
    let mirror = mirror_for(&mut page, form).await;
    Some((site, page, mirror))
}

/// The body of a script that opens the repository and gives its scores for the prompt.
pub fn scores(mirror: &Mirror, options: &Value, prompt: &str) -> String {
    let mut all = json!({ "endpoint": mirror.endpoint() });
    all.as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    format!(
        "const generator = await pipeline('text-generation', '{REPO}', {all}); \
         const logits = Array.from(await generator.logits({prompt:?})); \
         const {{ dtype }} = generator.config; \
         await generator.dispose(); \
         return {{ logits, dtype }};"
    )
}

pub fn expected(form: &str) -> Value {
    let path = repositories().join(form).join("expected.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The largest difference between two lists of scores.
pub fn difference(got: &Value, expected: &Value) -> f32 {
    let floats = |list: &Value| -> Vec<f32> {
        let list = list.as_array().unwrap().iter();
        list.map(|x| x.as_f64().unwrap() as f32).collect()
    };
    let (got, expected) = (floats(got), floats(expected));
    assert_eq!(got.len(), expected.len());
    let pairs = got.iter().zip(&expected);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

pub fn of_file<'a>(expected: &'a Value, file: Option<&str>) -> &'a Value {
    let by_file = expected["logits"].as_object().unwrap();
    file.map_or_else(|| by_file.values().next().unwrap(), |name| &by_file[name])
}

async fn every_form_of_repository_scores_as_pytorch_does(browser: Browser) {
    let Some((_site, mut page)) = started(browser).await else {
        return;
    };
    for (form, dtype, file, tolerance) in [
        ("pytorch-zip", "f32", None, FLOATS),
        ("pytorch-zip", "q8_0", None, QUANTIZED),
        ("pytorch-zip-2021", "f32", None, FLOATS),
        ("pytorch-sharded", "f32", None, FLOATS),
        ("safetensors-f32", "f32", None, FLOATS),
        ("safetensors-f16", "f16", None, FLOATS),
        ("safetensors-bf16", "f32", None, FLOATS),
        ("safetensors-sharded", "f32", None, FLOATS),
        ("gguf", "auto", Some("tiny-Q8_0.gguf"), QUANTIZED),
        ("gguf", "q4_0", Some("tiny-q4_0.gguf"), QUANTIZED),
    ] {
        let mirror = mirror_for(&mut page, form).await;
        let expected = expected(form);
        let prompt = expected["prompt"].as_str().unwrap();
        let answer = module(&page, &scores(&mirror, &json!({ "dtype": dtype }), prompt)).await;
        if dtype != "auto" {
            assert_eq!(answer["dtype"], dtype, "{form}");
        }
        let difference = difference(&answer["logits"], of_file(&expected, file));
        println!("{form} as {dtype}: largest difference {difference:.1e}");
        assert!(difference < tolerance, "{form} as {dtype}: {difference}");
    }
    page.close_clean().await;
}

async fn a_model_comes_once_and_then_without_its_host(browser: Browser) {
    let Some((_site, page, mirror)) = start(browser, "pytorch-zip").await else {
        return;
    };
    let script = scores(&mirror, &json!({}), "My dream is");
    let first = module(&page, &script).await;
    let n_asked = mirror.asked().len();
    assert!(n_asked > 3, "list, companions, weights");
    mirror.misbehave(REPO, Fault::status(503).always());
    let second = module(&page, &script).await;
    assert_eq!(second["logits"], first["logits"]);
    assert_eq!(mirror.asked().len(), n_asked, "everything was there");

    // The model in another type is kept apart.
    mirror.behave();
    let other = module(
        &page,
        &scores(&mirror, &json!({ "dtype": "f32" }), "My dream is"),
    )
    .await;
    assert_eq!(other["dtype"], "f32");
    assert!(mirror.asked().len() > n_asked);

    // Without the cache it is fetched each time.
    let unkept = scores(&mirror, &json!({ "cache": false }), "My dream is");
    for _ in 0..2 {
        let before = mirror.asked_for(WEIGHTS).len();
        assert_eq!(module(&page, &unkept).await["logits"], first["logits"]);
        assert!(mirror.asked_for(WEIGHTS).len() > before);
    }

    // Two pipelines at the same time fetch it once.
    let before = mirror.asked_for(WEIGHTS).len();
    let both = module(
        &page,
        &format!(
            "const open = () => pipeline('text-generation', '{REPO}', {{ endpoint: '{}', dtype: 'q4_0' }}); \
             const [a, b] = await Promise.all([open(), open()]); \
             const same = String(await a.logits('My')) === String(await b.logits('My')); \
             await a.dispose(); await b.dispose(); \
             return {{ same }};",
            mirror.endpoint()
        ),
    )
    .await;
    assert_eq!(both["same"], true);
    assert_eq!(mirror.asked_for(WEIGHTS).len(), before + 1);
    page.close_clean().await;
}

async fn a_broken_download_goes_on_where_it_broke(browser: Browser) {
    let Some((_site, page, mirror)) = start(browser, "pytorch-zip").await else {
        return;
    };
    let expected = expected("pytorch-zip");
    let options = json!({ "dtype": "f32" });
    mirror.misbehave(WEIGHTS, Fault::CutAt(10_000));
    mirror.misbehave(WEIGHTS, Fault::CutAt(50_000));
    mirror.misbehave(WEIGHTS, Fault::status(503));
    let answer = module(&page, &scores(&mirror, &options, "My dream is")).await;
    assert!(difference(&answer["logits"], of_file(&expected, None)) < FLOATS);
    let asked = mirror.asked_for(WEIGHTS);
    assert_eq!(asked[0].range, None);
    for again in &asked[1..] {
        assert!(again.start() > 0, "{asked:?}");
    }
}

async fn whatever_a_host_does_the_model_is_right_or_refused(browser: Browser) {
    let other = std::fs::read(repositories().join("safetensors-f32/model.safetensors")).unwrap();
    let faults: [(&str, Vec<Misbehaviour>, Option<&str>); 8] = [
        (
            "changes",
            // The new file has the weights of another model.
            vec![Fault::CutAt(20_000).into(), Fault::Replace(other).into()],
            Some("not_a_model"),
        ),
        (
            "ignores ranges",
            vec![Fault::CutAt(20_000).into(), Fault::IgnoreRange.into()],
            None,
        ),
        ("is compressed", vec![Fault::Gzip.into()], None),
        (
            "is busy",
            vec![Fault::status(429).into(), Fault::status(503).into()],
            None,
        ),
        (
            "is gone",
            vec![Fault::status(404).always()],
            Some("download"),
        ),
        (
            "is a web page",
            vec![Fault::Html.into()],
            Some("not_a_model"),
        ),
        (
            "lies longer",
            vec![Fault::Longer(1000).always()],
            Some("download"),
        ),
        (
            "lies shorter",
            vec![Fault::Shorter(1000).always()],
            Some("truncated"),
        ),
    ];
    let expected = expected("pytorch-zip");
    let right = std::fs::read(repositories().join("pytorch-zip/pytorch_model.bin")).unwrap();
    let Some((_site, mut page)) = started(browser).await else {
        return;
    };
    for (what, faults, code) in faults {
        let mirror = mirror_for(&mut page, "pytorch-zip").await;
        for fault in faults {
            mirror.misbehave(WEIGHTS, fault);
        }
        let script = scores(&mirror, &json!({ "dtype": "f32" }), "My dream is");
        let answer = module(
            &page,
            &format!(
                "try {{ {script} }} catch ({{ code, message }}) {{ return {{ code, message }}; }}"
            ),
        )
        .await;
        println!(
            "a host that {what}: {}, {}",
            answer["code"], answer["message"]
        );
        if answer["code"].is_null() {
            let difference = difference(&answer["logits"], of_file(&expected, None));
            assert!(difference < FLOATS, "{what}: {difference}");
        }
        if let Some(code) = code {
            // A resumed download is as good as the expected refusal.
            assert!(
                answer["code"].is_null() || answer["code"] == code,
                "{what}: {answer}"
            );
        } else {
            assert!(answer["code"].is_null(), "{what}: {answer}");
        }
        // After any outcome the next attempt on a correct host succeeds.
        mirror.behave();
        mirror.put(WEIGHTS, &right);
        let answer = module(&page, &script).await;
        let difference = difference(&answer["logits"], of_file(&expected, None));
        assert!(difference < FLOATS, "after {what}: {difference}");
    }
}

// https://github.com/huggingface/transformers/blob/main/src/transformers/generation/configuration_utils.py
#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_number_gives_as_many_texts_as_in_transformers() {
    let (_site, page, mirror) = start(Browser::Chromium, "safetensors-f32").await.unwrap();
    let search = "{ num_beams: 4, do_sample: false }";
    for (stated, options, n) in [
        (json!({ "do_sample": true }), "{}", 1),
        (json!({ "do_sample": true }), search, 1),
        (
            json!({ "do_sample": true }),
            "{ num_return_sequences: 3 }",
            3,
        ),
        (
            json!({ "do_sample": true, "num_return_sequences": 2 }),
            "{}",
            2,
        ),
        (json!({ "num_beams": 4 }), "{}", 1),
        (
            json!({ "num_beams": 4, "num_return_sequences": 3 }),
            "{}",
            3,
        ),
        (
            json!({ "do_sample": true, "num_return_sequences": 9 }),
            search,
            4,
        ),
    ] {
        let file = "huggingtweets/tiny/generation_config.json";
        mirror.put(file, stated.to_string().as_bytes());
        let script = format!(
            "const generator = await pipeline('text-generation', '{REPO}', {{ endpoint: '{}', cache: false }}); \
             const texts = await generator('My dream is', {{ max_new_tokens: 3, ...{options} }}); \
             await generator.dispose(); \
             return texts.length;",
            mirror.endpoint()
        );
        assert_eq!(module(&page, &script).await, n, "{stated} {options}");
    }
}

/// A page, and a mirror with a model of 136 MB.
pub async fn large(site: &Site) -> (Page, Mirror, &'static str) {
    let mirror = Mirror::start().await;
    let weights = "huggingtweets/tiny/model.Q8_0.gguf";
    let mut bytes = Vec::new();
    gpt2_124m::write(&mut bytes);
    mirror.put(weights, &bytes);
    let mut page = site.open("/").await;
    page.expect_requests_to(mirror.endpoint());
    page.wait_for_state(&["idle", "loading", "ready"]).await;
    (page, mirror, weights)
}

/// The download pauses, so that the tab is closed in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_tab_loses_nothing_and_the_next_one_goes_on() {
    let site = Site::start().await;
    let (page, mirror, weights) = large(&site).await;
    mirror.misbehave(
        weights,
        Fault::Stall {
            at: 30_000_000,
            time: Duration::from_secs(300),
        },
    );
    let address = site.address_of(&format!(
        "/?model={REPO}&endpoint={}&n=1&max_new_tokens=4",
        mirror.endpoint()
    ));
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    page.click("generate").await;
    wait_until("the middle", Duration::from_secs(60), || async {
        let text = page.eval("return document.querySelector('[data-testid=progress]')?.getAttribute('aria-valuetext')").await;
        // "28.3 MB of 137 MB"
        let loaded = text.as_str()?.split_once(" MB of")?.0.parse::<f64>().ok()?;
        (loaded > 20.0).then_some(())
    })
    .await;
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    let texts = page.generate().await;
    assert_eq!(texts.len(), 1);
    let asked = mirror.asked_for(weights);
    let start = asked.last().unwrap().start();
    println!("went on at byte {start}");
    assert!(start > 10_000_000, "{asked:?}");
}

/// Opens the dialog for the name of a model.
pub async fn open_dialog(page: &Page) {
    press(page, "//header//button[contains(., 'Open a model')]").await;
    wait_until("the dialog", SOON, || async {
        let found = page.client.find(Locator::Id("model-address")).await;
        found.ok()?.is_displayed().await.ok()?.then_some(())
    })
    .await;
}

/// Looks a model up in the dialog, by name or handle.
pub async fn look_up(page: &Page, name: &str) {
    open_dialog(page).await;
    let field = Locator::Id("model-address");
    let field = page.client.find(field).await.unwrap();
    field.send_keys(name).await.unwrap();
    press(page, "//dialog[@open]//button[@data-testid='look-up']").await;
    page.wait_for_text("offer", SOON, |text| text.contains("was found"))
        .await;
}

async fn the_files_of_a_folder_can_be_picked(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    for form in ["safetensors-sharded", "pytorch-zip"] {
        let page = site.open("/?n=1&max_new_tokens=4").await;
        page.wait_for_state(&["idle", "loading", "ready"]).await;
        open_dialog(&page).await;
        let files = std::fs::read_dir(repositories().join(form)).unwrap();
        let files: Vec<_> = files
            .map(|file| file.unwrap().path().display().to_string())
            .collect();
        let picker = Locator::Css("dialog[open] input[type=file]");
        let picker = page.client.find(picker).await.unwrap();
        picker.send_keys(&files.join("\n")).await.unwrap();
        page.wait_for_state(&["ready"]).await;
        assert_eq!(page.generate().await.len(), 1, "{form}");
        page.close_clean().await;
    }
}

async fn what_the_weights_tell_is_shown_also_when_the_model_is_opened_from_storage(
    browser: Browser,
) {
    let Some((site, page, mirror)) = start(browser, "safetensors-f32").await else {
        return;
    };
    let weights = "huggingtweets/tiny/model.safetensors";
    let file = repositories().join("safetensors-f32/model.safetensors");
    mirror.put(
        weights,
        &with_adapter_and_head(&std::fs::read(file).unwrap()),
    );
    let is_told = |text: &str| text.contains("LoRA") && text.contains("lm_head.weight");
    let script = format!(
        "const open = async () => {{ \
           const generator = await pipeline('text-generation', '{REPO}', {{ endpoint: '{}' }}); \
           await generator.dispose(); \
           return generator.notices.join(' '); \
         }}; \
         return [await open(), await open()];",
        mirror.endpoint()
    );
    let told = module(&page, &script).await;
    assert_eq!(mirror.asked_for(weights).len(), 1);
    for told in told.as_array().unwrap() {
        assert!(is_told(told.as_str().unwrap()), "{told}");
    }
    let address = format!(
        "/?model={REPO}&endpoint={}&n=1&max_new_tokens=4",
        mirror.endpoint()
    );
    page.goto(&site.address_of(&address)).await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.generate().await.len(), 1);
    page.wait_for_text("model-notices", SOON, is_told).await;
    assert_eq!(mirror.asked_for(weights).len(), 1);
}

async fn a_visitor_opens_any_bot_sees_its_size_first_and_deletes_it(browser: Browser) {
    let Some(site) = Site::start_in(browser, Isolation::On).await else {
        return;
    };
    let mirror = Mirror::start().await;
    mirror.add(
        "huggingtweets/tiny_bot",
        &repositories().join("pytorch-zip"),
    );
    let weights = "huggingtweets/tiny_bot/pytorch_model.bin";
    let mut page = site.open("/").await;
    page.expect_requests_to(mirror.endpoint());
    let address = site.address_of(&format!(
        "/?endpoint={}&n=1&max_new_tokens=4",
        mirror.endpoint()
    ));
    page.goto(&address).await;
    page.wait_for_state(&["idle"]).await;
    // A handle, as on the site.
    look_up(&page, "@tiny_bot").await;
    assert_eq!(mirror.asked_for(weights).len(), 0, "only looked up");
    if browser == Browser::Chromium {
        page.screenshot("offer").await;
    }
    press(&page, "//dialog[@open]//button[starts-with(., 'Download')]").await;
    page.wait_for_state(&["ready"]).await;
    assert_eq!(mirror.asked_for(weights).len(), 1);
    // The bot is in the gallery under its own name and writes with its own weights.
    let name = page.text("model-name").await;
    assert_eq!(name, "huggingtweets/tiny_bot");
    assert_eq!(page.generate().await.len(), 1);

    // The next visit needs no host.
    mirror.misbehave("huggingtweets/tiny_bot", Fault::status(503).always());
    page.goto(&format!("{address}&bot=huggingtweets/tiny_bot"))
        .await;
    page.wait_for_state(&["idle"]).await;
    assert_eq!(page.generate().await.len(), 1);
    assert_eq!(mirror.asked_for(weights).len(), 1);

    press(&page, "//header//button[contains(., 'Storage')]").await;
    page.wait_for_text("storage", SOON, |text| {
        text.contains("huggingtweets/tiny_bot")
    })
    .await;
    if browser == Browser::Chromium {
        page.screenshot("storage-with-a-model").await;
    }
    press(
        &page,
        "//dialog[@open]//button[@aria-label='Delete huggingtweets/tiny_bot']",
    )
    .await;
    page.wait_for_text("storage", SOON, |text| {
        !text.contains("huggingtweets/tiny_bot")
    })
    .await;
    // It stays open, and is told to be in this tab only.
    wait_until("the model's place", SOON, || async {
        let about = "return document.querySelector('.model-about').textContent";
        let about = page.eval(about).await;
        let about = about.as_str()?;
        (about.contains("in this tab only") && !about.contains("saved here")).then_some(())
    })
    .await;
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_device_is_said_so_and_what_has_come_stays() {
    let site = Site::start().await;
    let (page, mirror, weights) = large(&site).await;
    let origin = site.address_of("/").trim_end_matches('/').to_owned();
    let quota = |bytes: Option<u64>| match bytes {
        Some(bytes) => json!({ "origin": origin, "quotaSize": bytes }),
        None => json!({ "origin": origin }),
    };
    page.devtools("Storage.overrideQuotaForOrigin", quota(Some(60_000_000)))
        .await;
    let script = format!(
        "try {{ \
           const generator = await pipeline('text-generation', '{REPO}', {{ endpoint: '{}' }}); \
           const {{ memory_bytes }} = generator.stats; \
           await generator.dispose(); \
           return {{ memory_bytes }}; \
         }} catch ({{ code, message }}) {{ return {{ code, message }}; }}",
        mirror.endpoint()
    );
    let answer = module(&page, &script).await;
    println!("{answer}");
    assert_eq!(answer["code"], "storage", "{answer}");
    page.devtools("Storage.overrideQuotaForOrigin", quota(None))
        .await;
    let answer = module(&page, &script).await;
    assert!(
        answer["memory_bytes"].as_u64() > Some(100_000_000),
        "{answer}"
    );
    let asked = mirror.asked_for(weights);
    assert!(asked.last().unwrap().range.is_some(), "{asked:?}");
}
