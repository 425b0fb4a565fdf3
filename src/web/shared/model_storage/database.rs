//! `ModelDatabase`: kept models in IndexedDB.
//!
//! Of each model `records` has a [`KeptModel`] as text under its key, and `parts` its bytes so far, as `Blob`s of
//! [`PART_BYTES`] under `[KEY, INDEX]`: read back, they are one `Blob` of which nothing is in memory. What belongs
//! together is written in one transaction, so a record never stands for bytes that are not there.
//!
//! Only who is about to write makes the database. A page that is left while it makes one may be put aside for the back
//! button as it is, and then nobody else can open that database; one that exists is opened at once.
//!
//! The crates for IndexedDB hide why a transaction was aborted, which is the only way to tell a full device.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest,
    IdbTransaction, IdbTransactionMode,
};

use super::storage_error;
use crate::store::KeptModel;
use crate::web::shared::js_error::WebError;
use crate::web::shared::tab_lock::TabLock;

const NAME: &str = "huggingtweets-models";
const RECORDS: &str = "records";
const PARTS: &str = "parts";

/// Bytes of a part.
const PART_BYTES: u64 = 4 << 20;

/// Parts that wait in memory before they are written.
const MAX_WAITING: usize = 4;

/// A database that is not open by then, in milliseconds, is done without.
const OPEN_MS: u32 = 10_000;

/// A connection to the database, closed when it is dropped.
pub(super) struct ModelDatabase {
    /// None while nothing was ever kept in it.
    connection: Option<IdbDatabase>,
    _lock: TabLock,
}

impl Drop for ModelDatabase {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.close();
        }
    }
}

impl ModelDatabase {
    /// The database to look at; it is not made.
    pub(super) async fn open() -> Result<Self, WebError> {
        let factory = factory().ok_or_else(none)?;
        let lock = TabLock::of_database().await.ok_or_else(none)?;
        let connection = match is_made(&factory).await {
            true => Some(connect(&factory).await?),
            false => None,
        };
        Ok(Self {
            connection,
            _lock: lock,
        })
    }

    /// The database to write to, made if need be.
    pub(super) async fn make() -> Result<Self, WebError> {
        let factory = factory().ok_or_else(none)?;
        let lock = TabLock::of_database().await.ok_or_else(none)?;
        Ok(Self {
            connection: Some(connect(&factory).await?),
            _lock: lock,
        })
    }

    /// Whether it takes `Blob`s, which some browsers' private windows refuse. Asked by whoever is about to write.
    pub(super) async fn takes_blobs(&self) -> Result<(), WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readwrite)?;
        let key = JsValue::from_str("probe");
        let probe = Blob::new().map_err(|e| storage_error(&e))?;
        put(&transaction, PARTS, &probe, &key)?;
        let gone = store(&transaction, PARTS)?.delete(&key);
        gone.map_err(|e| storage_error(&e))?;
        finished(&transaction).await
    }

    pub(super) async fn find(&self, key: &str) -> Result<Option<KeptModel>, WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readonly)?;
        let request = store(&transaction, RECORDS)?.get(&key.into());
        let text = answer(&request.map_err(|e| storage_error(&e))?).await?;
        Ok(KeptModel::from_json(&text.as_string().unwrap_or_default())?)
    }

    pub(super) async fn blob(&self, key: &str) -> Result<Option<Blob>, WebError> {
        let parts = self.parts(key).await?;
        let is_whole = parts.iter().enumerate().all(|(i, (index, part))| {
            *index == i as u32 && (i + 1 == parts.len() || part.size() == PART_BYTES as f64)
        });
        if !is_whole {
            return Ok(None);
        }
        let parts: Array = parts.into_iter().map(|(_, part)| part).collect();
        let blob = Blob::new_with_blob_sequence(&parts);
        blob.map(Some).map_err(|e| storage_error(&e))
    }

    pub(super) async fn size_bytes(&self, key: &str) -> Result<u64, WebError> {
        let parts = self.parts(key).await?;
        Ok(parts.iter().map(|(_, part)| part.size() as u64).sum())
    }

    pub(super) fn write(self: &Rc<Self>, key: &str) -> DatabaseWriter {
        DatabaseWriter {
            database: Rc::clone(self),
            key: key.to_owned(),
            waiting: BTreeMap::new(),
        }
    }

    pub(super) async fn remember(&self, key: &str, kept: &KeptModel) -> Result<(), WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readwrite)?;
        put(&transaction, RECORDS, &kept.to_json().into(), &key.into())?;
        finished(&transaction).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readwrite)?;
        let records = store(&transaction, RECORDS)?;
        records.delete(&key.into()).map_err(|e| storage_error(&e))?;
        let parts = store(&transaction, PARTS)?;
        let gone = parts.delete(&parts_of(key)?);
        gone.map_err(|e| storage_error(&e))?;
        finished(&transaction).await
    }

    /// The keys of all models, those without a record too.
    pub(super) async fn keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for name in [RECORDS, PARTS] {
            let request = self
                .transaction(IdbTransactionMode::Readonly)
                .and_then(|transaction| store(&transaction, name))
                .and_then(|store| store.get_all_keys().map_err(|e| storage_error(&e)));
            let Ok(request) = request else { continue };
            let found = answer(&request).await.unwrap_or_default();
            for key in found.dyn_into::<Array>().unwrap_or_default().iter() {
                let key = match key.dyn_ref::<Array>() {
                    Some(pair) => pair.get(0),
                    None => key,
                };
                keys.extend(key.as_string());
            }
        }
        keys
    }

    /// The parts of a model in their order, each with its index.
    async fn parts(&self, key: &str) -> Result<Vec<(u32, Blob)>, WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readonly)?;
        let store = store(&transaction, PARTS)?;
        let range = parts_of(key)?;
        let keys = store.get_all_keys_with_key(&range);
        let parts = store.get_all_with_key(&range);
        let keys = answer(&keys.map_err(|e| storage_error(&e))?);
        let parts = answer(&parts.map_err(|e| storage_error(&e))?);
        let (keys, parts): (Array, Array) =
            (keys.await?.unchecked_into(), parts.await?.unchecked_into());
        let index = |key: JsValue| Some(key.dyn_ref::<Array>()?.get(1).as_f64()? as u32);
        let pairs = keys.iter().zip(parts.iter());
        Ok(pairs
            .filter_map(|(key, part)| Some((index(key)?, part.dyn_into().ok()?)))
            .collect())
    }

    /// A transaction over both stores.
    fn transaction(&self, mode: IdbTransactionMode) -> Result<IdbTransaction, WebError> {
        let stores = Array::of2(&RECORDS.into(), &PARTS.into());
        let connection = self.connection.as_ref().ok_or_else(none)?;
        let begun = connection.transaction_with_str_sequence_and_mode(&stores, mode);
        begun.map_err(|e| storage_error(&e))
    }
}

fn none() -> WebError {
    WebError::Storage {
        reason: "there is no database, or no locks for it".to_owned(),
    }
}

fn factory() -> Option<IdbFactory> {
    let factory = Reflect::get(&js_sys::global(), &JsValue::from_str("indexedDB"));
    factory.ok()?.dyn_into().ok()
}

/// Whether the browser has the database; one that does not tell is taken to have it.
async fn is_made(factory: &IdbFactory) -> bool {
    let asked = Reflect::get(factory, &JsValue::from_str("databases"))
        .and_then(JsCast::dyn_into::<Function>)
        .and_then(|databases| databases.call0(factory))
        .and_then(JsCast::dyn_into::<Promise>);
    let Ok(asked) = asked else { return true };
    let Ok(all) = JsFuture::from(asked).await else {
        return true;
    };
    let all = all.dyn_into::<Array>().unwrap_or_default();
    all.iter().any(|database| {
        let name = Reflect::get(&database, &JsValue::from_str("name"));
        name.is_ok_and(|name| name == NAME)
    })
}

/// A connection to the database, made if need be.
async fn connect(factory: &IdbFactory) -> Result<IdbDatabase, WebError> {
    let request = factory.open_with_u32(NAME, 1);
    let request: IdbOpenDbRequest = request.map_err(|e| storage_error(&e))?;
    let make = {
        let request = request.clone();
        Closure::once(move |_: JsValue| {
            let made = request.result().ok().map(IdbDatabase::from);
            if let Some(made) = made {
                // Refused, they are missing when they are asked for.
                let _ = made.create_object_store(RECORDS);
                let _ = made.create_object_store(PARTS);
            }
        })
    };
    request.set_onupgradeneeded(Some(make.as_ref().unchecked_ref()));
    let opened = answer(&request);
    let give_up = request.onerror();
    let _timer = Timeout::new(OPEN_MS, move || {
        let words = JsValue::from_str("it did not open in time");
        // Nobody is left to hear of a failure.
        let _ = give_up.map(|give_up| give_up.call1(&JsValue::NULL, &words));
    });
    Ok(opened.await?.unchecked_into())
}

/// A model that is being written.
pub struct DatabaseWriter {
    database: Rc<ModelDatabase>,
    key: String,
    /// Parts that are not written yet, by index.
    waiting: BTreeMap<u32, Part>,
}

/// Some bytes of a part.
struct Part {
    /// All of it, outside this program's memory.
    bytes: Uint8Array,
    /// From where to where it was written to, in the order of time.
    written: Vec<(u32, u32)>,
}

impl DatabaseWriter {
    pub(super) fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        offset
            .checked_add(bytes.len() as u64)
            .filter(|end| *end < 1 << 40)
            .ok_or(io::ErrorKind::InvalidInput)?;
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            // Below 2^40 / 2^22.
            let index = (at / PART_BYTES) as u32;
            let start = (at % PART_BYTES) as u32;
            let n = rest.len().min((PART_BYTES as u32 - start) as usize);
            let end = start + n as u32;
            let part = self.waiting.entry(index).or_insert_with(|| Part {
                bytes: Uint8Array::new_with_length(PART_BYTES as u32),
                written: Vec::new(),
            });
            part.bytes.subarray(start, end).copy_from(&rest[..n]);
            match part.written.last_mut() {
                Some((_, last)) if *last == start => *last = end,
                _ => part.written.push((start, end)),
            }
            rest = &rest[n..];
            at += n as u64;
        }
        Ok(())
    }

    pub(super) async fn settle(&mut self) -> Result<(), WebError> {
        match self.waiting.len() > MAX_WAITING {
            true => self.flush(None).await,
            false => Ok(()),
        }
    }

    /// Writes the parts that wait, and with them the record.
    pub(super) async fn flush(&mut self, kept: Option<&KeptModel>) -> Result<(), WebError> {
        let mut blobs = Vec::new();
        for (index, part) in std::mem::take(&mut self.waiting) {
            blobs.push((index, self.blob(index, &part).await?));
        }
        let transaction = self.database.transaction(IdbTransactionMode::Readwrite)?;
        for (index, blob) in &blobs {
            put(&transaction, PARTS, blob, &part_key(&self.key, *index))?;
        }
        if let Some(kept) = kept {
            let record = kept.to_json().into();
            put(&transaction, RECORDS, &record, &self.key.as_str().into())?;
        }
        finished(&transaction).await
    }

    pub(super) async fn empty(&mut self, kept: &KeptModel) -> Result<(), WebError> {
        self.waiting.clear();
        self.database.delete(&self.key).await?;
        self.database.remember(&self.key, kept).await
    }

    /// The part with what the database already has of it.
    async fn blob(&self, index: u32, part: &Part) -> Result<Blob, WebError> {
        let mut len = part.written.iter().map(|(_, end)| *end).max().unwrap_or(0);
        let mut written = part.written.clone();
        written.sort_unstable();
        let gaps = gaps(&written);
        if let Some(old) = self.old_part(index, &gaps).await? {
            len = len.max(old.length());
            for (start, end) in gaps {
                let end = end.min(old.length());
                if start < end {
                    part.bytes.set(&old.subarray(start, end), start);
                }
            }
        }
        let bytes = Array::of1(&part.bytes.subarray(0, len));
        Blob::new_with_u8_array_sequence(&bytes).map_err(|e| storage_error(&e))
    }

    /// The bytes that the database has of a part, unless it has gaps no more.
    async fn old_part(
        &self,
        index: u32,
        gaps: &[(u32, u32)],
    ) -> Result<Option<Uint8Array>, WebError> {
        if gaps.is_empty() {
            return Ok(None);
        }
        let transaction = self.database.transaction(IdbTransactionMode::Readonly)?;
        let request = store(&transaction, PARTS)?.get(&part_key(&self.key, index));
        let old = answer(&request.map_err(|e| storage_error(&e))?).await?;
        let Ok(old) = old.dyn_into::<Blob>() else {
            return Ok(None);
        };
        let buffer = JsFuture::from(old.array_buffer()).await;
        Ok(Some(Uint8Array::new(
            &buffer.map_err(|e| storage_error(&e))?,
        )))
    }
}

/// What of a part lies between `written`, which is sorted.
fn gaps(written: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut gaps = Vec::new();
    let mut at = 0;
    for (start, end) in written.iter().copied().chain([(PART_BYTES as u32, 0)]) {
        if start > at {
            gaps.push((at, start));
        }
        at = at.max(end);
    }
    gaps
}

fn part_key(key: &str, index: u32) -> JsValue {
    Array::of2(&key.into(), &index.into()).into()
}

/// Every `[key, INDEX]`.
fn parts_of(key: &str) -> Result<JsValue, WebError> {
    // An array comes after every number.
    let last = Array::of2(&key.into(), &Array::new());
    let range = IdbKeyRange::bound(&part_key(key, 0), &last);
    Ok(range.map_err(|e| storage_error(&e))?.into())
}

fn store(transaction: &IdbTransaction, name: &str) -> Result<IdbObjectStore, WebError> {
    let store = transaction.object_store(name);
    store.map_err(|e| storage_error(&e))
}

fn put(
    transaction: &IdbTransaction,
    name: &str,
    value: &JsValue,
    key: &JsValue,
) -> Result<(), WebError> {
    let asked = store(transaction, name)?.put_with_key(value, key);
    asked.map(|_| ()).map_err(|e| storage_error(&e))
}

/// What a request gives; listened to from now on, whenever it is waited for.
fn answer(request: &IdbRequest) -> impl Future<Output = Result<JsValue, WebError>> + use<> {
    let settled = Promise::new(&mut |resolve: Function, reject: Function| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    let request = request.clone();
    async move {
        match JsFuture::from(settled).await {
            Ok(_) => request.result().map_err(|e| storage_error(&e)),
            Err(event) => Err(match request.error() {
                Ok(Some(error)) => storage_error(&error),
                _ => storage_error(&event),
            }),
        }
    }
}

/// Waits until all that a transaction was asked is on the device.
async fn finished(transaction: &IdbTransaction) -> Result<(), WebError> {
    let settled = Promise::new(&mut |resolve: Function, reject: Function| {
        transaction.set_oncomplete(Some(&resolve));
        transaction.set_onabort(Some(&reject));
    });
    match JsFuture::from(settled).await {
        Ok(_) => Ok(()),
        Err(event) => Err(match transaction.error() {
            Some(error) => storage_error(&error),
            None => storage_error(&event),
        }),
    }
}
