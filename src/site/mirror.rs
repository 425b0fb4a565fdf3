//! Serves a folder of model repositories under the Hub's paths, for `?endpoint=`.
//!
//! It has a port of its own, because the Hub is another origin than the page: CORS applies, and the page's service
//! worker does not answer for it.

use super::{SiteError, files};
use axum::Router;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tower_http::cors::{Any, CorsLayer};
use tower_http::services::ServeFile;
use tower_http::set_header::SetResponseHeaderLayer;
use walkdir::WalkDir;

/// Endings of the files that the Hub keeps in LFS, with their SHA-256; it keeps every file above 10 MB there too.
const LFS_ENDINGS: [&str; 8] = [
    "bin",
    "gguf",
    "h5",
    "msgpack",
    "onnx",
    "pt",
    "safetensors",
    "zip",
];

/// The answer for a file that is not there.
const NOT_FOUND: (StatusCode, &str) = (StatusCode::NOT_FOUND, "Entry not found");

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// A router for `DIR/OWNER/NAME/…`: `/OWNER/NAME/resolve/main/FILE` with ranges, `If-Range` and an `ETag` of the
/// file's SHA-256; `/api/models/OWNER/NAME`, with `?blobs=true` sizes and checksums. Any page may read it.
///
/// Names that begin with a dot are not served. Links in the folder are followed.
///
/// # Errors
/// [`SiteError::NoMirror`] if `dir` is not a folder.
pub fn router(dir: &Path) -> Result<Router, SiteError> {
    if !dir.is_dir() {
        return Err(SiteError::NoMirror {
            dir: dir.to_owned(),
        });
    }
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH])
        .expose_headers([
            header::ETAG,
            header::CONTENT_RANGE,
            header::ACCEPT_RANGES,
            header::CONTENT_LENGTH,
            header::RETRY_AFTER,
        ])
        .max_age(Duration::from_secs(3600));
    let mirror = Arc::new(Mirror {
        dir: dir.to_owned(),
        checksums: Mutex::default(),
    });
    Ok(Router::new()
        .route("/api/models/{owner}/{name}", get(list))
        .route("/{owner}/{name}/resolve/main/{*file}", get(file))
        .with_state(mirror)
        .layer(cors)
        .layer(SetResponseHeaderLayer::overriding(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        ))
        .layer(SetResponseHeaderLayer::overriding(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        )))
}

struct Mirror {
    dir: PathBuf,
    /// Each checksum has its own lock, so that a file is hashed once and requests for other files do not wait.
    checksums: Mutex<HashMap<PathBuf, Arc<Mutex<Option<Checksum>>>>>,
}

/// The SHA-256 of a file, with the file's length and time, by which a change is noticed.
struct Checksum {
    len: u64,
    modified: SystemTime,
    /// 64 hexadecimal digits.
    sha256: String,
}

impl Mirror {
    /// The path of `parts`, if each is a plain name.
    fn path(&self, parts: &[&str]) -> Option<PathBuf> {
        let is_plain = |part: &&str| {
            !part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\\', ':', '\0'])
        };
        let path = self.dir.join(parts.join("/"));
        parts.iter().all(is_plain).then_some(path)
    }

    /// Blocks while a file is read for the first time, or the first time after a change.
    fn sha256(&self, path: &Path) -> io::Result<String> {
        let known = {
            let mut all = self
                .checksums
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(path.to_owned()).or_default())
        };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let meta = fs::metadata(path)?;
        let (len, modified) = (meta.len(), meta.modified()?);
        if let Some(known) = &*known
            && (known.len, known.modified) == (len, modified)
        {
            return Ok(known.sha256.clone());
        }
        let mut hasher = Sha256::new();
        let mut file = File::open(path)?;
        let mut bytes = vec![0; 1 << 16];
        loop {
            match file.read(&mut bytes)? {
                0 => break,
                n => hasher.update(&bytes[..n]),
            }
        }
        let sha256 = base16ct::lower::encode_string(&hasher.finalize());
        *known = Some(Checksum {
            len,
            modified,
            sha256: sha256.clone(),
        });
        Ok(sha256)
    }

    /// The Hub's answer for a repository.
    fn listing(&self, id: &str, folder: &Path, blobs: bool) -> io::Result<Value> {
        let mut siblings = Vec::new();
        let mut commit = Sha256::new();
        for (name, size) in repository_files(folder)? {
            let mut sibling = json!({ "rfilename": name });
            if blobs {
                let sha256 = self.sha256(&folder.join(&name))?;
                commit.update(format!("{name}\0{sha256}\n"));
                sibling["size"] = json!(size);
                if is_in_lfs(&name, size) {
                    sibling["lfs"] = json!({ "sha256": sha256, "size": size, "pointerSize": 134 });
                }
            }
            siblings.push(sibling);
        }
        let mut listing = json!({ "id": id, "modelId": id, "private": false, "gated": false, "siblings": siblings });
        if blobs {
            // A stand-in for the hash of a commit; it changes with any file.
            let commit = base16ct::lower::encode_string(&commit.finalize());
            listing["sha"] = json!(commit[..40]);
        }
        let config = fs::read(folder.join("config.json")).unwrap_or_default();
        if let Ok(config) = serde_json::from_slice::<Value>(&config) {
            listing["config"] = json!({ "architectures": config["architectures"], "model_type": config["model_type"] });
        }
        Ok(listing)
    }
}

/// The files below a folder with their sizes, in the order of their names. Links to folders are not entered: they may
/// form a circle.
fn repository_files(folder: &Path) -> io::Result<BTreeMap<String, u64>> {
    let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    let walk = WalkDir::new(folder).min_depth(1).into_iter();
    let mut sizes = BTreeMap::new();
    for entry in walk.filter_entry(|entry| !is_hidden(entry.file_name())) {
        let entry = entry?;
        // A link to a file is a file here.
        let Ok(meta) = fs::metadata(entry.path()) else {
            continue;
        };
        let is_unicode = entry.path().to_str().is_some();
        if meta.is_file() && is_unicode {
            sizes.insert(files::name_from(folder, entry.path()), meta.len());
        }
    }
    Ok(sizes)
}

fn is_in_lfs(name: &str, size: u64) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default();
    size > 10_000_000 || LFS_ENDINGS.contains(&ending)
}

async fn list(
    State(mirror): State<Arc<Mirror>>,
    UrlPath((owner, name)): UrlPath<(String, String)>,
    uri: Uri,
) -> Response {
    let Some(folder) = mirror.path(&[&owner, &name]).filter(|path| path.is_dir()) else {
        let error = json!({ "error": "Repository not found" });
        return (StatusCode::NOT_FOUND, JSON, error.to_string()).into_response();
    };
    let blobs = uri.query().is_some_and(|query| {
        query
            .split('&')
            .any(|pair| pair.eq_ignore_ascii_case("blobs=true"))
    });
    let listed = blocking(move || mirror.listing(&format!("{owner}/{name}"), &folder, blobs)).await;
    match listed {
        Ok(listing) => (JSON, listing.to_string()).into_response(),
        Err(error) => unreadable(&error),
    }
}

async fn file(
    State(mirror): State<Arc<Mirror>>,
    UrlPath((owner, name, file)): UrlPath<(String, String, String)>,
    mut request: Request,
) -> Response {
    let mut parts = vec![owner.as_str(), name.as_str()];
    parts.extend(file.split('/'));
    let Some(path) = mirror.path(&parts).filter(|path| path.is_file()) else {
        return NOT_FOUND.into_response();
    };
    let hashed = {
        let path = path.clone();
        blocking(move || mirror.sha256(&path)).await
    };
    let etag = match hashed {
        Ok(sha256) => format!("\"{sha256}\""),
        Err(error) => return unreadable(&error),
    };
    let etag_value = HeaderValue::from_str(&etag).expect("hexadecimal digits in quotes");
    if is_known(request.headers(), &etag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag_value)]).into_response();
    }
    obey_if_range(request.headers_mut(), &etag);
    match ServeFile::new(&path).try_call(request).await {
        Ok(response) => {
            let mut response = response.map(axum::body::Body::new);
            response.headers_mut().insert(header::ETAG, etag_value);
            response
        }
        Err(error) => unreadable(&error),
    }
}

/// Whether the client has these bytes already.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get(header::IF_NONE_MATCH);
    let Some(Ok(tags)) = tags.map(HeaderValue::to_str) else {
        return false;
    };
    let mut tags = tags
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == etag || tag == "*")
}

/// `ServeFile` knows ranges and dates but no `ETag`: a range of other bytes than these is dropped, so that the whole file
/// is the answer; a date beside a tag is dropped too.
fn obey_if_range(headers: &mut HeaderMap, etag: &str) {
    if headers.get(header::IF_RANGE).is_some_and(|tag| tag != etag) {
        headers.remove(header::RANGE);
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        headers.remove(header::IF_MODIFIED_SINCE);
    }
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(read).await?
}

fn unreadable(error: &io::Error) -> Response {
    match error.kind() {
        // The file was removed since the lookup.
        io::ErrorKind::NotFound => NOT_FOUND.into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
