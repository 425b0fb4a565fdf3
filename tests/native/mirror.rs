//! The responses of the mirror, and every fault that the tests of the page request from it, read byte by byte.

use crate::support::mirror::{Fault, Mirror};
use huggingtweets::hub::{Dtype, Endpoint, Listing, choose};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const BOT: &str = "huggingtweets/tiny";
const WEIGHTS: &str = "huggingtweets/tiny/pytorch_model.bin";
const WEIGHTS_PATH: &str = "/huggingtweets/tiny/resolve/main/pytorch_model.bin";
const LISTING_PATH: &str = "/api/models/huggingtweets/tiny?blobs=true";

/// A response, with the names of its headers in lower case.
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends `METHOD /path` and reads the response until the connection ends.
async fn ask(endpoint: &str, request: &str, headers: &[(&str, &str)]) -> Answer {
    let host = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut text = format!(
        "{request} HTTP/1.1\r\nHost: {host}\r\nOrigin: https://example.org\r\nConnection: close\r\n"
    );
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    stream
        .write_all(format!("{text}\r\n").as_bytes())
        .await
        .unwrap();
    let mut bytes = Vec::new();
    // A cut connection may end in an error after the bytes that count.
    let _ = stream.read_to_end(&mut bytes).await;
    let end = bytes
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("a whole head");
    let head = String::from_utf8(bytes[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    Answer {
        status: status.parse().unwrap(),
        headers: lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: bytes.split_off(end + 4),
    }
}

/// 100 000 bytes that differ from place to place.
fn weights() -> Vec<u8> {
    (0..100_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A mirror with one bot.
async fn start() -> Mirror {
    let mirror = Mirror::start().await;
    mirror.put(WEIGHTS, &weights());
    for (file, text) in [
        (
            "config.json",
            r#"{"model_type":"gpt2","architectures":["GPT2LMHeadModel"]}"#,
        ),
        ("tokenizer.json", "{}"),
        ("README.md", "# tiny"),
        (".gitattributes", "*.bin filter=lfs"),
        ("onnx/a b.onnx", "x"),
    ] {
        mirror.put(&format!("{BOT}/{file}"), text.as_bytes());
    }
    mirror
}

async fn get(mirror: &Mirror, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(mirror.endpoint(), &format!("GET {path}"), headers).await
}

#[tokio::test]
async fn a_file_comes_whole_with_length_tag_and_leave_for_every_page() {
    let mirror = start().await;
    let answer = get(&mirror, WEIGHTS_PATH, &[]).await;
    assert_eq!((answer.status, &answer.body), (200, &weights()));
    assert_eq!(answer.header("content-length"), "100000");
    assert_eq!(answer.header("etag"), format!("\"{}\"", sha256(&weights())));
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        "cross-origin"
    );
    let exposed = answer.header("access-control-expose-headers");
    for name in ["etag", "content-range", "accept-ranges", "content-length"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    let head = ask(mirror.endpoint(), &format!("HEAD {WEIGHTS_PATH}"), &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), "100000");
    assert_eq!(head.header("etag"), answer.header("etag"));
    let odd = get(
        &mirror,
        "/huggingtweets/tiny/resolve/main/onnx/a%20b.onnx",
        &[],
    )
    .await;
    assert_eq!((odd.status, odd.body), (200, b"x".to_vec()));
}

#[tokio::test]
async fn a_range_comes_alone_and_only_of_the_bytes_it_was_begun_with() {
    let mirror = start().await;
    let etag = format!("\"{}\"", sha256(&weights()));
    let rest = [("Range", "bytes=99000-"), ("If-Range", &etag)];
    let answer = get(&mirror, WEIGHTS_PATH, &rest).await;
    assert_eq!(answer.status, 206);
    assert_eq!(answer.header("content-range"), "bytes 99000-99999/100000");
    assert_eq!(answer.body, weights()[99_000..]);
    let part = get(&mirror, WEIGHTS_PATH, &[("Range", "bytes=5-9")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &weights()[5..10]));
    for other in ["\"another\"", "W/\"x\"", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let whole = get(
            &mirror,
            WEIGHTS_PATH,
            &[("Range", "bytes=5-"), ("If-Range", other)],
        )
        .await;
        assert_eq!((whole.status, whole.body.len()), (200, 100_000), "{other}");
    }
    let beyond = get(&mirror, WEIGHTS_PATH, &[("Range", "bytes=100000-")]).await;
    assert_eq!(beyond.status, 416);
    let known = get(
        &mirror,
        WEIGHTS_PATH,
        &[("If-None-Match", &format!("W/\"y\", {etag}"))],
    )
    .await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    let later = [
        ("If-None-Match", "\"y\""),
        ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),
    ];
    assert_eq!(get(&mirror, WEIGHTS_PATH, &later).await.status, 200);
}

#[tokio::test]
async fn a_page_elsewhere_may_ask_for_a_range_under_a_tag() {
    let mirror = start().await;
    let wish = [
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "if-range,range"),
    ];
    let answer = ask(mirror.endpoint(), &format!("OPTIONS {WEIGHTS_PATH}"), &wish).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let allowed = answer.header("access-control-allow-headers");
    assert!(
        allowed.contains("if-range") && allowed.contains("range,"),
        "{allowed}"
    );
}

#[tokio::test]
async fn the_listing_is_one_that_a_plan_can_be_made_of() {
    let mirror = start().await;
    let answer = get(&mirror, LISTING_PATH, &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let listing = Listing::from_json(&answer.body).unwrap();
    assert_eq!(listing.model_type.as_deref(), Some("gpt2"));
    let names: Vec<&str> = listing
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    let expected = [
        "README.md",
        "config.json",
        "onnx/a b.onnx",
        "pytorch_model.bin",
        "tokenizer.json",
    ];
    assert_eq!(names, expected);
    let file = listing.file("pytorch_model.bin").unwrap();
    assert_eq!(file.size_bytes, Some(100_000));
    assert_eq!(file.sha256, Some(sha256(&weights())));
    assert_eq!(
        listing.file("config.json").unwrap().sha256,
        None,
        "not in LFS"
    );
    let plan = choose(&listing, Dtype::Auto).unwrap();
    assert!(plan.size_bytes().is_some());
    // Every file of the plan is at the address that the endpoint gives.
    let endpoint: Endpoint = mirror.endpoint().parse().unwrap();
    let repo = BOT.parse().unwrap();
    assert!(endpoint.listing_url(&repo).ends_with(LISTING_PATH));
    for file in plan.files() {
        let url = endpoint.file_url(&repo, &file.name);
        let answer = get(&mirror, url.strip_prefix(mirror.endpoint()).unwrap(), &[]).await;
        assert_eq!(Some(answer.body.len() as u64), file.size_bytes, "{url}");
    }
    let short = get(&mirror, "/api/models/huggingtweets/tiny", &[])
        .await
        .json();
    assert_eq!(
        short["siblings"][0],
        serde_json::json!({ "rfilename": "README.md" })
    );
}

#[tokio::test]
async fn a_changed_file_has_another_tag_checksum_and_commit() {
    let mirror = start().await;
    let before = get(&mirror, LISTING_PATH, &[]).await.json();
    mirror.put(WEIGHTS, b"other bytes");
    let after = get(&mirror, LISTING_PATH, &[]).await.json();
    assert_ne!(before["sha"], after["sha"]);
    let answer = get(&mirror, WEIGHTS_PATH, &[]).await;
    assert_eq!(
        answer.header("etag"),
        format!("\"{}\"", sha256(b"other bytes"))
    );
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let mirror = start().await;
    for path in [
        "/huggingtweets/tiny/resolve/main/../../../../secret",
        "/huggingtweets/tiny/resolve/main/%2e%2e/%2e%2e/secret",
        "/huggingtweets/tiny/resolve/main/..%2f..%2fsecret",
        "/huggingtweets/tiny/resolve/main/%2fetc%2fpasswd",
        "/huggingtweets/tiny/resolve/main//etc/passwd",
        "/huggingtweets/tiny/resolve/main/.gitattributes",
        "/huggingtweets/tiny/resolve/main/onnx",
        "/huggingtweets/tiny/resolve/main/absent.bin",
        "/huggingtweets/tiny/resolve/other/config.json",
        "/%2e%2e/tiny/resolve/main/config.json",
        "/huggingtweets%2ftiny/x/resolve/main/config.json",
        "/huggingtweets/tiny/resolve/main/a%00",
        "/api/models/huggingtweets/absent",
        "/api/models/%2e%2e/%2e%2e",
        "/api/models/huggingtweets/..",
        "/",
    ] {
        let answer = get(&mirror, path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.len() < 100, "{path}");
    }
}

#[tokio::test]
async fn a_cut_comes_at_its_byte_and_the_rest_can_be_asked_for() {
    let mirror = start().await;
    for at in [0, 1, 10_000, 65_536, 99_999] {
        mirror.misbehave(WEIGHTS, Fault::CutAt(at));
        let answer = get(&mirror, WEIGHTS_PATH, &[]).await;
        assert_eq!(
            (answer.status, answer.header("content-length")),
            (200, "100000")
        );
        assert_eq!(answer.body.len() as u64, at, "of 100000");
        let rest = get(&mirror, WEIGHTS_PATH, &[("Range", &format!("bytes={at}-"))]).await;
        assert_eq!([answer.body, rest.body].concat(), weights());
    }
    // Counted from the start of the response, not of the file.
    mirror.misbehave(WEIGHTS, Fault::CutAt(7));
    let answer = get(&mirror, WEIGHTS_PATH, &[("Range", "bytes=50000-")]).await;
    assert_eq!(
        (answer.status, &answer.body[..]),
        (206, &weights()[50_000..50_007])
    );
}

#[tokio::test]
async fn ranges_can_be_ignored() {
    let mirror = start().await;
    mirror.misbehave(WEIGHTS, Fault::IgnoreRange);
    let answer = get(&mirror, WEIGHTS_PATH, &[("Range", "bytes=5-9")]).await;
    assert_eq!((answer.status, answer.body.len()), (200, 100_000));
    assert!(!answer.has("accept-ranges") && !answer.has("content-range"));
}

#[tokio::test]
async fn a_file_can_change_between_two_requests() {
    let mirror = start().await;
    mirror.misbehave(WEIGHTS, Fault::CutAt(1000));
    mirror.misbehave(WEIGHTS, Fault::Replace(vec![7; 100_000]));
    let first = get(&mirror, WEIGHTS_PATH, &[]).await;
    let etag = first.header("etag").to_owned();
    let resumed = [("Range", "bytes=1000-"), ("If-Range", etag.as_str())];
    let second = get(&mirror, WEIGHTS_PATH, &resumed).await;
    assert_eq!((second.status, second.body), (200, vec![7; 100_000]));
    assert_ne!(second.headers["etag"], etag);
    // A request without a tag gets a range of the new file, whose tag shows the change.
    let third = get(&mirror, WEIGHTS_PATH, &[("Range", "bytes=1000-")]).await;
    assert_eq!((third.status, third.headers["etag"] == etag), (206, false));
}

#[tokio::test]
async fn a_length_can_be_a_lie_in_both_directions() {
    let mirror = start().await;
    mirror.misbehave(WEIGHTS, Fault::Longer(500));
    let longer = get(&mirror, WEIGHTS_PATH, &[]).await;
    assert_eq!(
        (longer.header("content-length"), longer.body.len()),
        ("100500", 100_000)
    );
    mirror.misbehave(WEIGHTS, Fault::Shorter(500));
    let shorter = get(&mirror, WEIGHTS_PATH, &[]).await;
    assert_eq!(
        (shorter.header("content-length"), shorter.body.len()),
        ("99500", 99_500)
    );
}

#[tokio::test]
async fn a_file_can_come_compressed() {
    let mirror = start().await;
    mirror.misbehave(WEIGHTS, Fault::Gzip);
    let answer = get(&mirror, WEIGHTS_PATH, &[("Range", "bytes=5-")]).await;
    assert_eq!(
        (answer.status, answer.header("content-encoding")),
        (200, "gzip")
    );
    assert_eq!(
        answer.header("content-length"),
        answer.body.len().to_string()
    );
    assert!(answer.header("etag").starts_with("w/") && !answer.has("accept-ranges"));
    let mut plain = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(&answer.body[..]);
    decoder.read_to_end(&mut plain).unwrap();
    assert_eq!(plain, weights());
}

#[tokio::test]
async fn refusals_come_as_often_as_ordered_in_their_order() {
    let mirror = start().await;
    let late = Fault::Status {
        code: 429,
        retry_after: Some(7),
    };
    mirror.misbehave(WEIGHTS, Fault::status(503).times(2));
    mirror.misbehave(WEIGHTS, late);
    mirror.misbehave(WEIGHTS, Fault::status(429));
    mirror.misbehave(WEIGHTS, Fault::status(404));
    mirror.misbehave(BOT, Fault::status(500));
    let mut seen = Vec::new();
    for _ in 0..6 {
        let answer = get(&mirror, WEIGHTS_PATH, &[]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.has("etag"), answer.status == 200);
        seen.push((answer.status, answer.headers.get("retry-after").cloned()));
    }
    let seven = Some("7".to_owned());
    let expected = [
        (503, None),
        (503, None),
        (429, seven),
        (429, None),
        (404, None),
        (200, None),
    ];
    assert_eq!(seen, expected);
    assert_eq!(get(&mirror, LISTING_PATH, &[]).await.status, 500);
    mirror.misbehave(BOT, Fault::status(500).always());
    for _ in 0..3 {
        assert_eq!(get(&mirror, LISTING_PATH, &[]).await.status, 500);
    }
    mirror.behave();
    assert_eq!(get(&mirror, LISTING_PATH, &[]).await.status, 200);
}

#[tokio::test]
async fn a_web_page_can_come_instead() {
    let mirror = start().await;
    mirror.misbehave(WEIGHTS, Fault::Html);
    let answer = get(&mirror, WEIGHTS_PATH, &[("Range", "bytes=5-")]).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "text/html")
    );
    assert!(answer.body.starts_with(b"<!doctype html>") && !answer.has("etag"));
}

#[tokio::test]
async fn a_stall_is_a_pause_and_no_loss() {
    let mirror = start().await;
    let time = Duration::from_millis(700);
    mirror.misbehave(WEIGHTS, Fault::Stall { at: 30_000, time });
    let started = Instant::now();
    let answer = get(&mirror, WEIGHTS_PATH, &[]).await;
    assert!(started.elapsed() >= time);
    assert_eq!(answer.body, weights());
}

#[tokio::test]
async fn a_preflight_can_be_refused_and_faults_are_not_spent_on_other_methods() {
    let mirror = start().await;
    let wish = [("Access-Control-Request-Method", "GET")];
    let preflight = format!("OPTIONS {WEIGHTS_PATH}");
    mirror.misbehave(WEIGHTS, Fault::RefusePreflight);
    let refused = ask(mirror.endpoint(), &preflight, &wish).await;
    assert!(!refused.has("access-control-allow-origin") && refused.status == 403);
    mirror.misbehave(WEIGHTS, Fault::status(503));
    assert_eq!(ask(mirror.endpoint(), &preflight, &wish).await.status, 200);
    let head = ask(mirror.endpoint(), &format!("HEAD {WEIGHTS_PATH}"), &[]).await;
    assert_eq!(head.status, 200);
    assert_eq!(get(&mirror, WEIGHTS_PATH, &[]).await.status, 503);
}

#[tokio::test]
async fn requests_are_remembered_with_their_ranges() {
    let mirror = start().await;
    get(&mirror, LISTING_PATH, &[]).await;
    get(&mirror, WEIGHTS_PATH, &[]).await;
    ask(mirror.endpoint(), &format!("HEAD {WEIGHTS_PATH}"), &[]).await;
    get(
        &mirror,
        WEIGHTS_PATH,
        &[("Range", "bytes=5-"), ("If-Range", "\"x\"")],
    )
    .await;
    let asked: Vec<String> = mirror
        .asked()
        .iter()
        .map(|a| format!("{} {}", a.method, a.file))
        .collect();
    let expected = [
        format!("GET {BOT}"),
        format!("GET {WEIGHTS}"),
        format!("HEAD {WEIGHTS}"),
        format!("GET {WEIGHTS}"),
    ];
    assert_eq!(asked, expected);
    let gets = mirror.asked_for(WEIGHTS);
    assert_eq!(gets.len(), 2);
    assert_eq!(gets[0].range, None);
    assert_eq!(gets[1].range.as_deref(), Some("bytes=5-"));
    assert_eq!(gets[1].if_range.as_deref(), Some("\"x\""));
}

#[tokio::test]
async fn a_repository_is_added_without_a_copy_and_put_leaves_the_original_alone() {
    let mirror = Mirror::start().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny");
    mirror.add(BOT, &folder);
    let path = "/huggingtweets/tiny/resolve/main/config.json";
    let original = std::fs::read(folder.join("config.json")).unwrap();
    assert_eq!(get(&mirror, path, &[]).await.body, original);
    mirror.put("huggingtweets/tiny/config.json", b"{}");
    assert_eq!(get(&mirror, path, &[]).await.body, b"{}");
    assert_eq!(std::fs::read(folder.join("config.json")).unwrap(), original);
}

/// The running program, ended with the test.
struct Program(std::process::Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn serve_with_a_mirror_says_both_addresses_and_the_pages_last() {
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().join("dist");
    std::fs::create_dir(&dist).unwrap();
    std::fs::write(dist.join("index.html"), "<!doctype html>").unwrap();
    let repo = folder.path().join("models/huggingtweets/tiny");
    std::fs::create_dir_all(&repo).unwrap();
    std::fs::write(repo.join("config.json"), "{}").unwrap();
    let models = folder.path().join("models");
    let serve = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_huggingtweets"));
        command
            .args(["serve", "--no-build", "--dir"])
            .arg(&dist)
            .args(more);
        command
    };
    let with_mirror = |more: &[&str]| {
        let mut command = serve(more);
        command.arg("--mirror").arg(&models).stdout(Stdio::piped());
        let mut program = Program(command.spawn().unwrap());
        let lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
        (program, lines.map(Result::unwrap))
    };
    let (_program, mut lines) = with_mirror(&["--json"]);
    let serving: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    let mirror = serving["mirror"].as_str().unwrap().trim_end_matches('/');
    let listing = ask(mirror, "GET /api/models/huggingtweets/tiny", &[])
        .await
        .json();
    assert_eq!(listing["siblings"][0]["rfilename"], "config.json");
    let page = serving["address"].as_str().unwrap().trim_end_matches('/');
    assert_eq!(ask(page, "GET /", &[]).await.body, b"<!doctype html>");
    assert_eq!(
        ask(page, "GET /api/models/huggingtweets/tiny", &[])
            .await
            .status,
        404
    );
    let (_program, mut lines) = with_mirror(&[]);
    assert!(
        lines
            .next()
            .unwrap()
            .contains("?endpoint=http://127.0.0.1:")
    );
    assert!(lines.next().unwrap().starts_with("http://127.0.0.1:"));
    let absent = serve(&["--mirror", "/nowhere/models"]).output().unwrap();
    assert_eq!(absent.status.code(), Some(1));
    let error = String::from_utf8(absent.stderr).unwrap();
    assert!(
        error.contains("/nowhere/models") && error.contains("hint: give `--mirror`"),
        "{error}"
    );
}
