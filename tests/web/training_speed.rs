//! Speed and memory of trainings in Chromium, by the maker's own figures; PyTorch's are those of `finetune_speed` natively.
//!
//! `cargo test --release --test web training_speed -- --ignored --nocapture --test-threads 1`

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::{Browser, RUN};
use crate::maker::{import, open, posts_of};
use crate::support::gpt2_124m;
use crate::training::write_text;

/// Trains for `n_steps`, and prints the highest speed that the maker shows.
async fn measure(what: &str, base: Option<&Path>, method: usize, n_steps: u32) {
    let (_site, page) = open(Browser::Chromium).await.unwrap();
    import(&page, &posts_of("una", 3000)).await;
    write_text(&page).await;
    if let Some(base) = base {
        let input = page.find("maker-base").await;
        input.send_keys(&base.to_string_lossy()).await.unwrap();
        page.wait_for_text("maker-base-name", RUN, |name| {
            !name.starts_with("the model that comes")
        })
        .await;
    }
    page.click_nth("maker-method", method).await;
    page.click("maker-train").await;
    let mut best = 0.0_f64;
    let mut step = 0;
    while step < n_steps {
        // The question takes a part of the processors too.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let Some(shown) = page.texts("maker-step").await.into_iter().next() else {
            continue;
        };
        let number = |text: &str| text.replace(',', "").parse().ok();
        step = shown.split(' ').next().and_then(number).unwrap_or_default();
        let speed = page.text("maker-speed").await;
        let speed = speed.split(' ').next().and_then(|it| it.parse().ok());
        best = best.max(speed.unwrap_or_default());
    }
    let threads = page.eval("return navigator.hardwareConcurrency").await;
    let memory = page.text("maker-memory").await;
    println!("{what}: {best:.0} tokens per second, {threads} processors, {memory}");
}

fn gpt2_file() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gpt2-124m-q8_0.gguf");
    gpt2_124m::write(BufWriter::new(File::create(&path).unwrap()));
    path
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes"]
async fn every_weight_of_the_bundled_model() {
    measure("bundled model, every weight", None, 0, 160).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes"]
async fn lora_of_gpt2() {
    measure("GPT-2 124M, LoRA", Some(&gpt2_file()), 1, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes"]
async fn every_weight_of_gpt2() {
    measure("GPT-2 124M, every weight", Some(&gpt2_file()), 0, 4).await;
}
