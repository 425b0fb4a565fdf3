//! What a model consists of: the plan of its files, and the small ones among them.

use js_sys::Uint8Array;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::{Acquisition, Place, last_part, not_a_model, url};
use crate::engine::Companions;
use crate::hub::{
    self, ListedFile, Listing, ModelAddress, NEEDS, Need, Parts, Plan, ShardIndex, Weights,
};
use crate::protocol::LoadStage;
use crate::store::{Checksum, KeptModel, MAX_CARD_BYTES};
use crate::web::shared::js_error::{WebError, reason};
use crate::web::worker::download::{download_small, exists};

/// Most bytes of a list of files, a configuration, a tokenizer.
const MAX_SMALL_BYTES: usize = 64 << 20;

impl Acquisition<'_> {
    /// Which files to fetch.
    pub(super) async fn plan(&self) -> Result<Plan, WebError> {
        let (address, endpoint) = match &self.place {
            Place::Web { address, endpoint } => (address, endpoint),
            Place::Picked { files, .. } => {
                let sizes = files.iter();
                let sizes = sizes.map(|(name, blob)| (name.clone(), Some(blob.size() as u64)));
                return hub::choose(&Listing::of_files(sizes), self.dtype)
                    .map_err(|e| not_a_model(&e));
            }
        };
        match address {
            ModelAddress::Repository { repo, file } => {
                let url = endpoint.listing_url(repo);
                let json = self.small_at(&url, MAX_SMALL_BYTES).await?;
                let json = json.ok_or(WebError::Status {
                    status: 404,
                    retry_after_s: None,
                })?;
                let listing = Listing::from_json(&json).map_err(|e| not_a_model(&e))?;
                let plan = match file {
                    Some(file) => hub::choose_file(&listing, file),
                    None => hub::choose(&listing, self.dtype),
                };
                plan.map_err(|e| not_a_model(&e))
            }
            ModelAddress::Gguf { url } => Ok(gguf_at(url)),
            ModelAddress::OwnGguf { path } => Ok(gguf_at(path)),
            ModelAddress::Folder { url } => {
                let mut found = Vec::new();
                for need in NEEDS.into_iter().chain([Need::WEIGHTS]) {
                    for names in need.one_of {
                        let mut all = Vec::new();
                        for name in *names {
                            let told = exists(&format!("{url}{name}"), self.abort).await?;
                            all.extend(told.map(|told| ((*name).to_owned(), told.size_bytes)));
                        }
                        if all.len() == names.len() {
                            found.extend(all);
                            break;
                        }
                    }
                }
                hub::choose(&Listing::of_files(found), self.dtype).map_err(|e| not_a_model(&e))
            }
        }
    }

    /// A small file of the model; `None` if it is not there.
    async fn small(&self, file: &str, most: usize) -> Result<Option<Vec<u8>>, WebError> {
        match &self.place {
            Place::Picked { .. } => {
                let Some(blob) = self.picked(file) else {
                    return Ok(None);
                };
                if blob.size() > most as f64 {
                    return Err(WebError::TooLarge { most });
                }
                let buffer = JsFuture::from(blob.array_buffer()).await;
                let buffer = buffer.map_err(|e| WebError::Read { reason: reason(&e) })?;
                Ok(Some(Uint8Array::new(&buffer).to_vec()))
            }
            Place::Web { address, endpoint } => {
                self.small_at(&url(address, endpoint, file), most).await
            }
        }
    }

    async fn small_at(&self, url: &str, most: usize) -> Result<Option<Vec<u8>>, WebError> {
        download_small(url, most, self.abort, &|seconds| {
            self.stage(LoadStage::Waiting { seconds, loaded: 0 });
        })
        .await
    }

    pub(super) fn picked(&self, file: &str) -> Option<&Blob> {
        let Place::Picked { files, .. } = &self.place else {
            return None;
        };
        let found = files.iter().find(|(name, _)| name == file);
        found.map(|(_, blob)| blob)
    }

    /// The small files; the card is noted in `kept`.
    pub(super) async fn companions(
        &self,
        plan: &Plan,
        kept: &mut KeptModel,
    ) -> Result<Companions, WebError> {
        let mut companions = Companions::default();
        for file in &plan.companions {
            let most = match file.name.as_str() {
                "README.md" => MAX_CARD_BYTES,
                _ => MAX_SMALL_BYTES,
            };
            let bytes = match self.small(&file.name, most).await {
                // A bot without its card still speaks.
                Err(WebError::TooLarge { .. }) if most == MAX_CARD_BYTES => continue,
                bytes => bytes?,
            };
            let Some(bytes) = bytes else { continue };
            match file.name.as_str() {
                "README.md" => kept.card = Some(String::from_utf8_lossy(&bytes).into_owned()),
                name => companions.insert(name, bytes),
            }
        }
        Ok(companions)
    }

    /// The files that hold the weights, in their order.
    pub(super) async fn weight_files(&self, plan: &Plan) -> Result<Vec<ListedFile>, WebError> {
        let parts = match &plan.weights {
            Weights::Gguf(file) => return Ok(vec![file.clone()]),
            Weights::Safetensors(parts) | Weights::Pytorch(parts) => parts,
        };
        match parts {
            Parts::Whole(file) => Ok(vec![file.clone()]),
            Parts::Sharded { shards, .. } if !shards.is_empty() => Ok(shards.clone()),
            // Of a folder that lists nothing, the index itself has to be asked.
            Parts::Sharded { index, .. } => {
                let json = self.small(&index.name, MAX_SMALL_BYTES).await?;
                let index = ShardIndex::from_json(&index.name, &json.unwrap_or_default())
                    .map_err(|e| not_a_model(&e))?;
                let of_name = |name| ListedFile {
                    name,
                    size_bytes: None,
                    sha256: None,
                };
                Ok(index.files.into_iter().map(of_name).collect())
            }
        }
    }

    /// Stands for the files that hold the weights: [`crate::store::Part::files`].
    pub(super) async fn identity(&self, files: &[ListedFile]) -> Result<String, WebError> {
        let mut identity = Checksum::default();
        for file in files {
            let ListedFile {
                name,
                size_bytes,
                sha256,
            } = file;
            identity.update(format!("{name}\n{size_bytes:?}\n{sha256:?}\n").as_bytes());
            // Of several files without a list the server alone can tell two versions apart; of one it does so when
            // the rest is fetched.
            if let Place::Web {
                address: ModelAddress::Folder { url },
                ..
            } = &self.place
                && files.len() > 1
            {
                let told = exists(&format!("{url}{name}"), self.abort).await?;
                identity.update(format!("{told:?}\n").as_bytes());
            }
        }
        Ok(identity.finish())
    }
}

fn gguf_at(url: &str) -> Plan {
    Plan {
        weights: Weights::Gguf(ListedFile {
            name: last_part(url),
            size_bytes: None,
            sha256: None,
        }),
        companions: Vec::new(),
    }
}
