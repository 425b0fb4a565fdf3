//! Starts a script of this page as a worker, in the form that the browser allows.

use gloo::file::Blob;
use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::Worker;

use super::{address, browser_window};

/// The script of a blob that imports the script at `ADDRESS`. The policy is for hosts that demand Trusted Types; where
/// they allow none, importing fails and is reported.
const IMPORT: &str = "const createScriptURL = (address) => address;
try { self.huggingtweetsPolicy = self.trustedTypes?.createPolicy('huggingtweets', { createScriptURL }); } catch {}
importScripts(self.huggingtweetsPolicy?.createScriptURL(ADDRESS) ?? ADDRESS);
";

/// Starts the script `name`, beside the page, by its address, or by a blob where the browser refuses that address, as in
/// a sandboxed frame. A worker that was started by a blob must be told the folder of its files, which is given back.
///
/// # Errors
/// The browser's refusal. Some browsers report it later, as an error of the worker.
pub fn start(name: &str) -> Result<(Worker, Option<String>), JsValue> {
    // There, some browsers report the refusal later.
    let is_opaque = window().origin() == "null" && !browser_window::is_single_file();
    // The page in one file answers for any address.
    let script = address::own_file(name).unwrap_or_else(|| name.to_owned());
    let refused = match is_opaque {
        false => match Worker::new(&script) {
            Ok(worker) => return Ok((worker, None)),
            Err(refused) => refused,
        },
        true => JsValue::NULL,
    };
    let (Some(folder), Some(script)) = (address::folder(), address::absolute(&script)) else {
        return Err(refused);
    };
    let script = serde_json::Value::from(script).to_string();
    let text = IMPORT.replace("ADDRESS", &script);
    let blob = Blob::new_with_options(text.as_str(), Some("text/javascript"));
    // The address stays valid: the worker reads it after this function has returned, and starts its helpers from it.
    let url = web_sys::Url::create_object_url_with_blob(blob.as_ref())?;
    Ok((Worker::new(&url)?, Some(folder)))
}
