//! `ModelDatabase`: artifacts in IndexedDB.
//!
//! The object store `records` has an [`ArtifactRecord`] as text under each key, and the object store `parts` the bytes so
//! far, as `Blob`s of [`BLOCK_BYTES`] under `[KEY, INDEX]`: together they are one `Blob` whose bytes stay out of memory.
//! A record is written in one transaction with the bytes that it describes.
//!
//! Only a writer creates the database. A page that is left while it creates one may be frozen for the back button, and
//! the database then stays closed to all others; an existing database opens at once.
//!
//! The crates for IndexedDB hide the error of an aborted transaction, which is the only sign of a full device.

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

use super::browser::{KIND, storage_error};
use crate::store::ArtifactRecord;
use crate::web::shared::js_error::WebError;
use crate::web::shared::tab_lock::TabLock;

const RECORDS: &str = "records";
const BLOCKS: &str = "parts";

/// Bytes of a block.
const BLOCK_BYTES: u64 = 4 << 20;

/// Blocks that wait in memory before they are written.
const MAX_WAITING: usize = 4;

/// Longest wait for the database to open, in milliseconds.
const OPEN_MS: u32 = 10_000;

/// A connection to the database, closed when it is dropped.
pub(super) struct ModelDatabase {
    /// `None` before the first model is stored.
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
    /// The database to read; it is not created.
    pub(super) async fn open() -> Result<Self, WebError> {
        let factory = factory().ok_or_else(none)?;
        let lock = TabLock::of_database().await.ok_or_else(none)?;
        let connection = match exists(&factory).await {
            true => Some(connect(&factory).await?),
            false => None,
        };
        Ok(Self {
            connection,
            _lock: lock,
        })
    }

    /// The database to write to, created if need be.
    pub(super) async fn create() -> Result<Self, WebError> {
        let factory = factory().ok_or_else(none)?;
        let lock = TabLock::of_database().await.ok_or_else(none)?;
        Ok(Self {
            connection: Some(connect(&factory).await?),
            _lock: lock,
        })
    }

    /// Checks that it takes `Blob`s, which some browsers' private windows refuse.
    pub(super) async fn takes_blobs(&self) -> Result<(), WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readwrite)?;
        let key = JsValue::from_str("probe");
        let probe = Blob::new().map_err(|e| storage_error(&e))?;
        put(&transaction, BLOCKS, &probe, &key)?;
        let gone = store(&transaction, BLOCKS)?.delete(&key);
        gone.map_err(|e| storage_error(&e))?;
        finished(&transaction).await
    }

    pub(super) async fn find(&self, key: &str) -> Result<Option<ArtifactRecord>, WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readonly)?;
        let request = store(&transaction, RECORDS)?.get(&key.into());
        let text = answer(&request.map_err(|e| storage_error(&e))?).await?;
        Ok(ArtifactRecord::from_json(
            &text.as_string().unwrap_or_default(),
        )?)
    }

    pub(super) async fn blob(&self, key: &str) -> Result<Option<Blob>, WebError> {
        let parts = self.blocks(key).await?;
        let is_whole = parts.iter().enumerate().all(|(i, (index, part))| {
            *index == i as u32 && (i + 1 == parts.len() || part.size() == BLOCK_BYTES as f64)
        });
        if !is_whole {
            return Ok(None);
        }
        let parts: Array = parts.into_iter().map(|(_, part)| part).collect();
        let blob = Blob::new_with_blob_sequence(&parts);
        blob.map(Some).map_err(|e| storage_error(&e))
    }

    pub(super) async fn size_bytes(&self, key: &str) -> Result<u64, WebError> {
        let parts = self.blocks(key).await?;
        Ok(parts.iter().map(|(_, part)| part.size() as u64).sum())
    }

    pub(super) fn write(self: &Rc<Self>, key: &str) -> DatabaseWriter {
        DatabaseWriter {
            database: Rc::clone(self),
            key: key.to_owned(),
            waiting: BTreeMap::new(),
        }
    }

    pub(super) async fn write_record(
        &self,
        key: &str,
        record: &ArtifactRecord,
    ) -> Result<(), WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readwrite)?;
        put(&transaction, RECORDS, &record.to_json().into(), &key.into())?;
        finished(&transaction).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readwrite)?;
        let records = store(&transaction, RECORDS)?;
        records.delete(&key.into()).map_err(|e| storage_error(&e))?;
        let parts = store(&transaction, BLOCKS)?;
        let gone = parts.delete(&range_of(key)?);
        gone.map_err(|e| storage_error(&e))?;
        finished(&transaction).await
    }

    /// The keys of all models, also of those without a record.
    pub(super) async fn keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for name in [RECORDS, BLOCKS] {
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

    /// The blocks of a model in their order, each with its index.
    async fn blocks(&self, key: &str) -> Result<Vec<(u32, Blob)>, WebError> {
        let transaction = self.transaction(IdbTransactionMode::Readonly)?;
        let store = store(&transaction, BLOCKS)?;
        let range = range_of(key)?;
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
        let stores = Array::of2(&RECORDS.into(), &BLOCKS.into());
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

/// Whether the database exists; assumed where the browser does not tell.
async fn exists(factory: &IdbFactory) -> bool {
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
        name.is_ok_and(|name| name == database_name().as_str())
    })
}

fn database_name() -> String {
    format!("huggingtweets-{}", KIND.folder())
}

/// A connection to the database, created if need be.
async fn connect(factory: &IdbFactory) -> Result<IdbDatabase, WebError> {
    let request = factory.open_with_u32(&database_name(), 1);
    let request: IdbOpenDbRequest = request.map_err(|e| storage_error(&e))?;
    let make = {
        let request = request.clone();
        Closure::once(move |_: JsValue| {
            let made = request.result().ok().map(IdbDatabase::from);
            if let Some(made) = made {
                // A store that could not be created is reported by the first access.
                let _ = made.create_object_store(RECORDS);
                let _ = made.create_object_store(BLOCKS);
            }
        })
    };
    request.set_onupgradeneeded(Some(make.as_ref().unchecked_ref()));
    let opened = answer(&request);
    let give_up = request.onerror();
    let _timer = Timeout::new(OPEN_MS, move || {
        let words = JsValue::from_str("it did not open in time");
        // The function is our own and does not throw.
        let _ = give_up.map(|give_up| give_up.call1(&JsValue::NULL, &words));
    });
    Ok(opened.await?.unchecked_into())
}

/// An artifact that is being written.
pub struct DatabaseWriter {
    database: Rc<ModelDatabase>,
    key: String,
    /// Blocks that are not written yet, by index.
    waiting: BTreeMap<u32, Block>,
}

/// A block with some of its bytes.
struct Block {
    /// The whole block, outside this program's memory.
    bytes: Uint8Array,
    /// The ranges that were written, in the order of time.
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
            // The index is below 2^40 / 2^22.
            let index = (at / BLOCK_BYTES) as u32;
            let start = (at % BLOCK_BYTES) as u32;
            let n = rest.len().min((BLOCK_BYTES as u32 - start) as usize);
            let end = start + n as u32;
            let part = self.waiting.entry(index).or_insert_with(|| Block {
                bytes: Uint8Array::new_with_length(BLOCK_BYTES as u32),
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

    /// Writes the waiting blocks, and the record with them.
    pub(super) async fn flush(&mut self, record: Option<&ArtifactRecord>) -> Result<(), WebError> {
        let mut blobs = Vec::new();
        for (index, part) in std::mem::take(&mut self.waiting) {
            blobs.push((index, self.blob(index, &part).await?));
        }
        let transaction = self.database.transaction(IdbTransactionMode::Readwrite)?;
        for (index, blob) in &blobs {
            put(&transaction, BLOCKS, blob, &block_key(&self.key, *index))?;
        }
        if let Some(record) = record {
            let record = record.to_json().into();
            put(&transaction, RECORDS, &record, &self.key.as_str().into())?;
        }
        finished(&transaction).await
    }

    pub(super) async fn restart(&mut self, record: &ArtifactRecord) -> Result<(), WebError> {
        self.waiting.clear();
        self.database.delete(&self.key).await?;
        self.database.write_record(&self.key, record).await
    }

    /// The block, its gaps filled from the database.
    async fn blob(&self, index: u32, part: &Block) -> Result<Blob, WebError> {
        let mut len = part.written.iter().map(|(_, end)| *end).max().unwrap_or(0);
        let mut written = part.written.clone();
        written.sort_unstable();
        let gaps = gaps(&written);
        if let Some(old) = self.old_block(index, &gaps).await? {
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

    /// The bytes of a block in the database, if the new block has gaps.
    async fn old_block(
        &self,
        index: u32,
        gaps: &[(u32, u32)],
    ) -> Result<Option<Uint8Array>, WebError> {
        if gaps.is_empty() {
            return Ok(None);
        }
        let transaction = self.database.transaction(IdbTransactionMode::Readonly)?;
        let request = store(&transaction, BLOCKS)?.get(&block_key(&self.key, index));
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

/// The ranges of a block between the sorted ranges `written`.
fn gaps(written: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut gaps = Vec::new();
    let mut at = 0;
    for (start, end) in written.iter().copied().chain([(BLOCK_BYTES as u32, 0)]) {
        if start > at {
            gaps.push((at, start));
        }
        at = at.max(end);
    }
    gaps
}

fn block_key(key: &str, index: u32) -> JsValue {
    Array::of2(&key.into(), &index.into()).into()
}

/// The range of all keys `[key, INDEX]`.
fn range_of(key: &str) -> Result<JsValue, WebError> {
    // An array comes after every number.
    let last = Array::of2(&key.into(), &Array::new());
    let range = IdbKeyRange::bound(&block_key(key, 0), &last);
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

/// The result of a request; its events are heard from now on, whenever the result is awaited.
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

/// Waits until the writes of a transaction have reached the device.
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
