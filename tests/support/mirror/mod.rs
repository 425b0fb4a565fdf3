//! The mirror of `site::mirror` on a port of its own, with faults that a test requests.
//!
//! ```ignore
//! let mirror = Mirror::start().await;
//! mirror.add("huggingtweets/tiny", &repositories().join("pytorch-zip"));
//! mirror.misbehave("huggingtweets/tiny/pytorch_model.bin", Fault::CutAt(10_000));
//! mirror.misbehave("huggingtweets/tiny/pytorch_model.bin", Fault::status(503).times(2));
//! let page = site.open(&format!("/?endpoint={}&model=huggingtweets/tiny", mirror.endpoint())).await;
//! ```
//!
//! The faults of a file are a queue: in this example the first request is cut, the next two are refused and the fourth
//! is answered in full. Each request goes to the mirror's own router; a fault changes the request or the response.

mod fault;

pub use fault::{Fault, Misbehaviour};

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures_util::StreamExt as _;
use huggingtweets::site::{Port, Server, mirror};
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A mirror that serves until the test ends.
pub struct Mirror {
    address: String,
    shared: Arc<Shared>,
}

/// The state shared by requests and test.
struct Shared {
    folder: TempDir,
    faults: Mutex<HashMap<String, VecDeque<Misbehaviour>>>,
    asked: Mutex<Vec<Asked>>,
    /// For [`Fault::Hold`].
    is_let_go: Arc<AtomicBool>,
    /// Counts the bodies being sent.
    under_way: Arc<()>,
}

/// A request, as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, `HEAD` or `OPTIONS`.
    pub method: String,
    /// `OWNER/NAME/FILE`, or `OWNER/NAME` for the listing; any other path unchanged.
    pub file: String,
    /// The header of that name.
    pub range: Option<String>,
    /// The header of that name.
    pub if_range: Option<String>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let text = |name| {
            let value = request.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        Self {
            method: request.method().to_string(),
            file: file_of(request.uri().path()),
            range: text(header::RANGE),
            if_range: text(header::IF_RANGE),
        }
    }

    /// The first byte that was asked for. Chromium continues a response that it has kept in part by itself, and then
    /// also names the last byte: `bytes=10000-109999`.
    pub fn start(&self) -> u64 {
        let Some(range) = &self.range else { return 0 };
        let start = range.strip_prefix("bytes=").and_then(|r| r.split_once('-'));
        let start = start.and_then(|(start, _)| start.parse().ok());
        start.unwrap_or_else(|| panic!("`{range}` names a first byte"))
    }
}

/// The repositories among the fixtures, a folder per format.
pub fn repositories() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/repositories")
}

impl Mirror {
    /// Serves an empty folder.
    pub async fn start() -> Self {
        let folder =
            tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
        let router = mirror::router(folder.path()).expect("the folder is there");
        let shared = Arc::new(Shared {
            folder,
            faults: Mutex::default(),
            asked: Mutex::default(),
            is_let_go: Arc::default(),
            under_way: Arc::default(),
        });
        let router = router.layer(from_fn_with_state(Arc::clone(&shared), answer));
        let server = Server::bind_router(Port::Exactly(0), router, "/")
            .await
            .expect("a port is free");
        let address = server.address();
        tokio::spawn(server.run());
        Self { address, shared }
    }

    /// Its address, for `?endpoint=`.
    pub fn endpoint(&self) -> &str {
        self.address.trim_end_matches('/')
    }

    /// Serves the files of `folder` as `repo`, `OWNER/NAME`. On the same disk they are linked, not copied.
    pub fn add(&self, repo: &str, folder: &Path) {
        let target = self.shared.folder.path().join(repo);
        std::fs::create_dir_all(&target).expect("a folder can be made");
        for entry in std::fs::read_dir(folder).expect("the repository is there") {
            let from = entry.expect("it can be read").path();
            let to = target.join(from.file_name().expect("it has a name"));
            // Writing to a link would change the original.
            let _ = std::fs::remove_file(&to);
            if from.is_file() && std::fs::hard_link(&from, &to).is_err() {
                std::fs::copy(&from, &to).expect("the file can be copied");
            }
        }
    }

    /// Serves these bytes as `OWNER/NAME/FILE` from now on; the original of a linked file stays unchanged.
    pub fn put(&self, file: &str, bytes: &[u8]) {
        self.shared.put(file, bytes);
    }

    /// Serves a sparse file of `len` zeros as `OWNER/NAME/FILE`.
    pub fn put_length(&self, file: &str, len: u64) {
        let path = self.shared.folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("it has an owner"))
            .expect("a folder can be made");
        let file = std::fs::File::create(path).expect("the file can be made");
        file.set_len(len).expect("it can have any length");
    }

    /// Adds a fault to the queue of `OWNER/NAME/FILE`, or of the listing of `OWNER/NAME`.
    ///
    /// [`Fault::RefusePreflight`] applies to `OPTIONS`, every other fault to `GET`; requests of other methods are
    /// answered in full and take no fault from the queue.
    pub fn misbehave(&self, file: &str, fault: impl Into<Misbehaviour>) {
        let mut faults = self.shared.faults.lock().unwrap();
        faults
            .entry(file.to_owned())
            .or_default()
            .push_back(fault.into());
    }

    /// Empties the queues of faults.
    pub fn behave(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// Ends every [`Fault::Hold`].
    pub fn let_go(&self) {
        self.shared.is_let_go.store(true, Ordering::Relaxed);
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Number of answers being sent: neither complete nor aborted by the client.
    pub fn n_under_way(&self) -> usize {
        Arc::strong_count(&self.shared.under_way) - 1
    }

    /// The requests (`GET`) for one file, or for a listing.
    pub fn asked_for(&self, file: &str) -> Vec<Asked> {
        let mut asked = self.asked();
        asked.retain(|asked| asked.file == file && asked.method == "GET");
        asked
    }
}

impl Shared {
    fn put(&self, file: &str, bytes: &[u8]) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("it has an owner"))
            .expect("a folder can be made");
        // A new file replaces the old one: the original of a link is not touched, and no reader sees a part of the file.
        let new = path.with_extension("new");
        std::fs::write(&new, bytes).expect("the file can be written");
        std::fs::rename(&new, &path).expect("the file can be put there");
    }

    fn next_fault(&self, asked: &Asked) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let queue = faults.get_mut(&asked.file)?;
        let is_about = |fault: &Fault| match fault {
            Fault::RefusePreflight => asked.method == "OPTIONS",
            _ => asked.method == "GET",
        };
        if !is_about(&queue.front()?.fault) {
            return None;
        }
        let first = queue.front_mut()?;
        let fault = first.fault.clone();
        first.times = first.times.saturating_sub(1);
        if first.times == 0 {
            queue.pop_front();
        }
        Some(fault)
    }
}

/// `OWNER/NAME/FILE` and `OWNER/NAME` of `/OWNER/NAME/resolve/main/FILE` and `/api/models/OWNER/NAME`.
fn file_of(path: &str) -> String {
    if let Some(repo) = path.strip_prefix("/api/models/") {
        return repo.to_owned();
    }
    match path.trim_start_matches('/').split_once("/resolve/main/") {
        Some((repo, file)) => format!("{repo}/{file}"),
        None => path.to_owned(),
    }
}

async fn answer(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    shared.asked.lock().unwrap().push(asked.clone());
    let under_way = Arc::clone(&shared.under_way);
    let mut answer = match shared.next_fault(&asked) {
        None => next.run(request).await,
        Some(fault) => {
            if let Fault::Replace(bytes) = &fault {
                shared.put(&asked.file, bytes);
            }
            fault.change_question(request.headers_mut());
            let answer = next.run(request).await;
            fault.change_answer(answer, &shared.is_let_go).await
        }
    };
    // A streamed body has no length.
    if let Some(length) = answer.body().size_hint().exact() {
        let headers = answer.headers_mut();
        headers
            .entry(header::CONTENT_LENGTH)
            .or_insert(length.into());
    }
    answer.map(|body| {
        let pieces = body.into_data_stream();
        Body::from_stream(pieces.inspect(move |_| {
            // Dropped with the stream.
            let _ = &under_way;
        }))
    })
}
