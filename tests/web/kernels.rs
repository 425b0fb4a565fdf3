//! The kernels in WebAssembly, with SIMD, with relaxed SIMD and without, agree bit by bit with the native build.

use crate::harness::Site;
use huggingtweets::site::toolchain::{self, TARGET};
use huggingtweets::site::{Progress, SourceTree};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Gives the checksums of the kernels in use, of their scalar twins, and the expected checksum.
const CHECKSUMS: &str = r"
    const [path, done] = arguments;
    WebAssembly.instantiateStreaming(fetch(new URL(path, document.baseURI)))
      .then(({ instance: { exports } }) => done([exports.checksum(), exports.scalar_checksum(), exports.expected_checksum()].map(String)))
      .catch((error) => done(String(error)));";

/// Builds `tests/kernel_bench` for these instructions and with this feature into the folder served at `/made/`.
fn build(instructions: &str, feature: &str) -> String {
    let tree = SourceTree::find().expect("tests run in the repository");
    let toolchain = toolchain::find(&tree, Progress::new()).expect("the page could be built");
    let target = tree.root().join("target/kernel_bench");
    let mut cargo = Command::new(&toolchain.rust.cargo);
    cargo
        .current_dir(tree.root().join("tests/kernel_bench"))
        .args([
            "build",
            "--release",
            "--lib",
            "--locked",
            "--target",
            TARGET,
            "--features",
            feature,
        ]);
    toolchain.apply(&mut cargo, &target);
    cargo.env(
        "CARGO_ENCODED_RUSTFLAGS",
        format!("-Ctarget-feature={instructions}"),
    );
    let output = cargo.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let name = format!("kernels{instructions}{feature}.wasm");
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
    std::fs::copy(target.join(TARGET).join("release/kernel_bench.wasm"), made)
        .expect("cargo has written it");
    format!("/made/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wasm_build_of_the_kernels_agrees_on_every_bit() {
    let site = Site::start().await;
    let page = site.open("/huggingtweets.js").await;
    for (instructions, feature) in [("+simd128", ""), ("-simd128", ""), ("+simd128", "relaxed")] {
        let path = build(instructions, feature);
        let arguments = vec![json!(path)];
        let sums = page.client.execute_async(CHECKSUMS, arguments).await;
        let sums = sums.expect("the page answers");
        let sums = sums.as_array().unwrap_or_else(|| panic!("{path}: {sums}"));
        assert_eq!(sums.len(), 3);
        assert!(
            sums.iter().all(|sum: &Value| *sum == sums[2]),
            "{path}: {sums:?}"
        );
    }
}
