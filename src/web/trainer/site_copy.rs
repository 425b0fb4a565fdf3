//! The site that this worker belongs to, with a trained bot as its first, in one zip for any static host.

use std::io::{self, Read as _, Write as _};

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DedicatedWorkerGlobalScope, Response, Url};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::failure::Failure;
use super::folder::TrainingFolder;
use super::out_file::OutFile;
use crate::trainer::TrainedBot;
use crate::trainer::output::hashed;
use crate::trainer::site::{self, INDEX, SERVICE_WORKER};
use crate::web::shared::js_error::reason;
use crate::web::worker::blob_reader::BlobReader;

/// The folder of the bot's file.
const FOLDER: &str = "first";
/// The bot's card.
const CARD: &str = "README.md";

/// The zip: every file of the site below the address `folder_url`, and the bot.
///
/// # Errors
/// [`Failure`].
pub async fn pack(
    bot: &TrainedBot,
    folder: &TrainingFolder,
    folder_url: &str,
) -> Result<Blob, Failure> {
    let script = text(&fetch(folder_url, SERVICE_WORKER).await?)?;
    let names = site::files(&script).ok_or_else(unfinished)?;
    let mut card = String::new();
    BlobReader::new(folder.blob(CARD).await?)?.read_to_string(&mut card)?;
    let file = format!("{FOLDER}/{}", bot.gguf);
    let weights = hashed(&file, &mut BlobReader::new(folder.blob(&bot.gguf).await?)?)?;
    let page = text(&fetch(folder_url, INDEX).await?)?;
    let page = site::index(&page, &card, &file).ok_or_else(unfinished)?;
    let hash = base16ct::lower::decode_vec(&weights.sha256).unwrap_or_default();
    let script = site::service_worker(&script, &page, &file, weights.size_bytes, &hash);
    let script = script.ok_or_else(unfinished)?;

    let mut zip = ZipWriter::new_stream(OutFile::blob());
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in [(INDEX, &page), (SERVICE_WORKER, &script)] {
        zip.start_file(name, stored).map_err(io::Error::from)?;
        zip.write_all(content.as_bytes())?;
    }
    for name in names.iter().filter(|name| *name != INDEX) {
        let content = fetch(folder_url, name).await?;
        zip.start_file(name, stored).map_err(io::Error::from)?;
        zip.write_all(&content)?;
    }
    zip.start_file(&file, stored).map_err(io::Error::from)?;
    io::copy(
        &mut BlobReader::new(folder.blob(&bot.gguf).await?)?,
        &mut zip,
    )?;
    let blob = zip
        .finish()
        .map_err(io::Error::from)?
        .into_inner()
        .finish()?;
    Ok(blob
        .ok_or(io::ErrorKind::Unsupported)
        .map_err(io::Error::from)?)
}

/// The bytes of a file of the site.
async fn fetch(folder_url: &str, name: &str) -> Result<Vec<u8>, Failure> {
    let failed = |reason: String| Failure {
        message: format!("the site’s own file `{name}` did not arrive: {reason}"),
        hint: "check the connection, then save again".to_owned(),
    };
    let told = |error: JsValue| failed(reason(&error));
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let address = Url::new_with_base(name, folder_url).map_err(told)?.href();
    let answer = JsFuture::from(scope.fetch_with_str(&address)).await;
    let answer: Response = answer.map_err(told)?.unchecked_into();
    if !answer.ok() {
        return Err(failed(format!("the server answered {}", answer.status())));
    }
    let bytes = JsFuture::from(answer.array_buffer().map_err(told)?).await;
    Ok(Uint8Array::new(&bytes.map_err(told)?).to_vec())
}

fn text(bytes: &[u8]) -> Result<String, Failure> {
    String::from_utf8(bytes.to_vec()).map_err(|_| unfinished())
}

fn unfinished() -> Failure {
    Failure {
        message: "this site has no list of its files".to_owned(),
        hint: "a copy can be made of a finished build on a host, not of the page in one file: wait until the build is there, then save again".to_owned(),
    }
}
