//! Before a model is fetched the page states its size and memory, offers a smaller type, and respects saved data.

use huggingtweets::hub::{Dtype, Listing, Offer, Room};
use huggingtweets::model::config::Gpt2Config;
use serde_json::json;

use crate::harness::{Mirror, Page, SOON, Site, repositories, wait_until};
use crate::isolation::{press, wait_for_service_worker};
use crate::models::{REPO, look_up};
use crate::module::module;
use crate::offline::{copy_of, kept, listed};
use crate::support::checkpoints::model_files;

/// A page that has looked the repository up, on a device with `device` bytes of memory.
async fn looked_up(site: &Site, mirror: &Mirror, device: u64) -> Page {
    let mut page = site.open("/").await;
    page.expect_requests_to(mirror.endpoint());
    let gib = device as f64 / f64::from(1 << 30);
    let script = format!(
        "Object.defineProperty(Navigator.prototype, 'deviceMemory', {{ get: () => {gib} }})"
    );
    page.run_first(&script).await;
    let address = format!("/?endpoint={}&n=1&max_new_tokens=4", mirror.endpoint());
    page.goto(&site.address_of(&address)).await;
    page.wait_for_state(&["idle"]).await;
    look_up(&page, REPO).await;
    page
}

/// Eight layers of width 512 under a tokenizer of the fixtures.
fn add_model(mirror: &Mirror) -> (Vec<u8>, u64) {
    let config = Gpt2Config {
        vocab_size: 272,
        n_ctx: 64,
        n_embd: 512,
        n_layer: 8,
        n_head: 8,
        n_inner: 2048,
        layer_norm_epsilon: 1e-5,
        bos_token_id: Some(271),
        eos_token_ids: vec![271],
        arithmetic: Default::default(),
    };
    let (config, weights) = model_files(&config);
    let tokenizer = repositories().join("pytorch-zip/tokenizer.json");
    mirror.put(&format!("{REPO}/config.json"), &config);
    mirror.put(&format!("{REPO}/model.safetensors"), &weights);
    mirror.put(
        &format!("{REPO}/tokenizer.json"),
        &std::fs::read(tokenizer).unwrap(),
    );
    (config, weights.len() as u64)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_too_large_for_the_device_is_offered_in_four_bits_and_opens_so() {
    let site = Site::start().await;
    let mirror = Mirror::start().await;
    let (config, size) = add_model(&mirror);
    let names = ["config.json", "tokenizer.json", "model.safetensors"];
    let listing = Listing::of_files(names.map(|name| (name.to_owned(), Some(size))));
    let of = |dtype| Offer::new(&listing, None, Some(&config), dtype, Room::default()).unwrap();
    let needed = |dtype| of(dtype).wanted.memory_bytes.unwrap();
    assert!(needed(Dtype::Q4K) + 5_000_000 < needed(Dtype::Q6K));

    let page = looked_up(&site, &mirror, 2 * (needed(Dtype::Q4K) + 1000)).await;
    let text = page.text("offer").await;
    assert!(
        text.contains("more memory than this device") && text.contains("As Q4_K it fits"),
        "{text}"
    );
    for width in [1280, 360] {
        page.resize(width, 900).await;
        page.screenshot(&format!("offer-too-large-{width}")).await;
    }
    page.resize(1280, 900).await;
    // Another type is another offer, without another request.
    let n_asked = mirror.asked().len();
    press(&page, "//dialog[@open]//option[@value='q4_0']").await;
    let text = page
        .wait_for_text("offer", SOON, |text| !text.contains("more memory"))
        .await;
    assert!(!text.contains("anyway"), "{text}");
    press(&page, "//dialog[@open]//option[@value='auto']").await;
    page.wait_for_text("offer", SOON, |text| text.contains("anyway"))
        .await;
    assert_eq!(mirror.asked().len(), n_asked);

    press(&page, "//dialog[@open]//button[contains(., 'as Q4_K')]").await;
    page.wait_for_state(&["ready"]).await;
    assert_eq!(page.generate().await.len(), 1);
    let script = "return document.body.innerText.includes('Q4_K')";
    assert_eq!(page.eval(script).await, true);
    // Offers and load share one answer of the host.
    for file in [REPO.to_owned(), format!("{REPO}/config.json")] {
        let asked = mirror.asked_for(&file);
        assert_eq!(asked.len(), 1, "{asked:?}");
    }
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gpt2_of_355m_is_weighed_before_it_is_fetched() {
    let site = Site::start().await;
    let mirror = Mirror::start().await;
    let config = json!({ "model_type": "gpt2", "n_layer": 24, "n_head": 16, "n_embd": 1024 });
    mirror.put(
        &format!("{REPO}/config.json"),
        config.to_string().as_bytes(),
    );
    mirror.put(&format!("{REPO}/tokenizer.json"), b"{}");
    // The length in 16 bits; the bytes are not requested.
    mirror.put_length(&format!("{REPO}/pytorch_model.bin"), 709_700_000);
    let page = looked_up(&site, &mirror, 8 << 30).await;
    let text = page.text("offer").await;
    for words in ["383 MB on this device", "MB of memory", "Download 710 MB"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("more memory"), "{text}");
    let page = looked_up(&site, &mirror, 600 << 20).await;
    let text = page.text("offer").await;
    for words in [
        "As Q4_K it fits: 206 MB",
        "Download 710 MB as Q4_K",
        "anyway",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let asked = mirror.asked_for(&format!("{REPO}/pytorch_model.bin"));
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_browser_can_hold_is_refused_with_the_type_that_fits_and_nothing_is_fetched() {
    let site = Site::start().await;
    let mirror = Mirror::start().await;
    let config = json!({ "model_type": "gpt2", "n_layer": 48, "n_head": 25, "n_embd": 1600 });
    mirror.put(
        &format!("{REPO}/config.json"),
        config.to_string().as_bytes(),
    );
    mirror.put(&format!("{REPO}/tokenizer.json"), b"{}");
    mirror.put_length(&format!("{REPO}/pytorch_model.bin"), 6_230_000_000);
    let mut page = site.open("/").await;
    page.expect_requests_to(mirror.endpoint());
    let endpoint = mirror.endpoint();
    let refusal = module(
        &page,
        &format!(
            "try {{ await pipeline('text-generation', '{REPO}', {{ endpoint: '{endpoint}', dtype: 'f32' }}); }} \
             catch ({{ code, message, hint }}) {{ return {{ code, message, hint }}; }}"
        ),
    )
    .await;
    assert_eq!(refusal["code"], "unsupported_model", "{refusal}");
    assert!(refusal["message"].as_str().unwrap().contains("of memory"));
    assert!(refusal["hint"].as_str().unwrap().contains("q8_0"));
    // The page refuses a model that fits in no type, and offers the bundled one.
    let config = json!({ "model_type": "gpt2", "n_layer": 96, "n_head": 96, "n_embd": 12_288 });
    mirror.put(
        &format!("{REPO}/config.json"),
        config.to_string().as_bytes(),
    );
    let address = format!("/?model={REPO}&endpoint={endpoint}&n=1&max_new_tokens=4");
    page.goto(&site.address_of(&address)).await;
    page.wait_for_state(&["idle", "loading", "failed"]).await;
    page.click("generate").await;
    page.wait_for_state(&["failed"]).await;
    let text = page.text("error").await;
    assert!(
        text.contains("of memory") && text.contains("smaller model"),
        "{text}"
    );
    press(
        &page,
        "//*[@data-testid='error']//button[contains(., 'small model')]",
    )
    .await;
    page.wait_for_state(&["ready"]).await;
    assert_eq!(page.generate().await.len(), 1);
    let asked = mirror.asked_for(&format!("{REPO}/pytorch_model.bin"));
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bots_own_weights_are_weighed_before_they_are_fetched() {
    let site = Site::start().await;
    let mirror = Mirror::start().await;
    mirror.add("huggingtweets/jen_122", &repositories().join("pytorch-zip"));
    let mut page = site.open("/").await;
    page.expect_requests_to(mirror.endpoint());
    let query = "/?bot=huggingtweets/jen_122&n=1&max_new_tokens=4";
    let address = format!("{query}&endpoint={}", mirror.endpoint());
    page.goto(&site.address_of(&address)).await;
    page.wait_for_state(&["idle"]).await;
    press(&page, "//button[contains(., 'Download the real bot')]").await;
    let text = page
        .wait_for_text("offer", SOON, |text| text.contains("was found"))
        .await;
    assert!(
        text.starts_with("huggingtweets/jen_122") && text.contains("of memory"),
        "{text}"
    );
    let asked = || mirror.asked_for("huggingtweets/jen_122/pytorch_model.bin");
    assert!(asked().is_empty(), "{:?}", asked());
    press(
        &page,
        "//dialog[@open]//button[starts-with(normalize-space(), 'Download')]",
    )
    .await;
    page.wait_for_state(&["ready"]).await;
    let script = "return document.querySelector('.model-truth').textContent";
    let truth = page.eval(script).await;
    assert!(
        truth.as_str().unwrap().contains("real bot writes here"),
        "{truth}"
    );
    page.close_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_saves_data_is_reminded_and_gets_nothing_large_unasked() {
    let site = Site::start().await;
    let mirror = Mirror::start().await;
    mirror.add(REPO, &repositories().join("pytorch-zip"));
    // The service worker has a navigator of its own.
    let (folder, path) = copy_of(&site.dist(), "saves-data");
    let script = std::fs::read_to_string(folder.join("sw.js")).unwrap();
    let says = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } });";
    std::fs::write(folder.join("sw.js"), format!("{says}\n{script}")).unwrap();

    let mut page = site.open(&path).await;
    page.expect_requests_to(mirror.endpoint());
    page.run_first(says).await;
    let address = format!("{path}?endpoint={}", mirror.endpoint());
    page.goto(&site.address_of(&address)).await;
    page.wait_for_state(&["idle"]).await;
    wait_for_service_worker(&page).await;
    wait_until("all but the model to be kept", SOON, || async {
        kept(&page, &path)
            .await
            .contains("index.html")
            .then_some(())
    })
    .await;
    let is_model = |name: &String| name.starts_with("model/");
    assert!(listed(&folder).into_keys().any(|name| is_model(&name)));
    assert!(!kept(&page, &path).await.iter().any(is_model));
    let n_models = || {
        site.requests()
            .iter()
            .filter(|path| path.contains("/model/"))
            .count()
    };
    assert_eq!(n_models(), 0, "{:?}", site.requests());

    look_up(&page, REPO).await;
    page.wait_for_text("offer", SOON, |text| {
        text.contains("asked your browser to save data")
    })
    .await;
}
