//! Checkpoints: the state of a training as a stream of bytes, from which it goes on with the same results.
//!
//! Eight bytes of magic number and version, the length of a JSON header, the header, the numbers and moments of every
//! trained tensor as little-endian `f32`, and SHA-256 of all before. The text and the base model are not in it.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{FineTune, FineTuneError, FineTuneParams};
use crate::model::config::Gpt2Config;

const MAGIC: &[u8; 8] = b"HTFT\x01\0\0\0";
/// Most bytes of a header: GPT-2 XL with LoRA has 400 tensors.
const MAX_HEADER_BYTES: u64 = 1 << 22;
/// Numbers converted at a time.
const PART: usize = 1 << 14;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    step: u32,
    params: FineTuneParams,
    config: Gpt2Config,
    /// SHA-256 of the tokens in their order.
    text: String,
    /// Of the frozen weights.
    frozen_sum: u32,
    /// Names and lengths.
    tensors: Vec<(String, usize)>,
}

impl FineTune {
    fn header(&self) -> Header {
        Header {
            step: self.step,
            params: self.params.clone(),
            config: self.config().clone(),
            text: self.batches.fingerprint(),
            frozen_sum: self.frozen_sum,
            tensors: self
                .trained
                .iter()
                .map(|it| (it.name().to_owned(), it.value().len()))
                .collect(),
        }
    }

    /// Bytes of a checkpoint, but for a few kB.
    pub fn checkpoint_bytes(&self) -> u64 {
        let numbers: usize = self.trained.iter().map(|it| it.value().len()).sum();
        12 * numbers as u64
    }

    /// Writes the state after the last step.
    ///
    /// # Errors
    /// [`FineTuneError::Io`].
    pub fn write_checkpoint(&self, out: &mut dyn Write) -> Result<(), FineTuneError> {
        let mut out = HashedWrite::new(out);
        out.write(MAGIC)?;
        let header = serde_json::to_vec(&self.header()).map_err(std::io::Error::other)?;
        out.write(&(header.len() as u64).to_le_bytes())?;
        out.write(&header)?;
        let mut bytes = Vec::with_capacity(4 * PART);
        for parameter in &self.trained {
            parameter.for_each_state(|numbers| {
                for part in numbers.chunks(PART) {
                    bytes.clear();
                    bytes.extend(part.iter().flat_map(|x| x.to_le_bytes()));
                    out.write(&bytes)?;
                }
                Ok::<_, std::io::Error>(())
            })?;
        }
        let hash = out.hash.finalize();
        out.out.write_all(&hash)?;
        Ok(out.out.flush()?)
    }

    /// Goes on from a checkpoint of this training: the next step is the one after its last.
    ///
    /// # Errors
    /// [`FineTuneError::OtherTraining`], after which this training is as before; [`FineTuneError::BadCheckpoint`] and
    /// [`FineTuneError::Io`], after which it is of no more use.
    pub fn restore(&mut self, from: &mut dyn Read) -> Result<(), FineTuneError> {
        let mut from = HashedRead {
            from,
            hash: Sha256::new(),
        };
        let mut magic = [0; 8];
        from.read(&mut magic)?;
        if magic != *MAGIC {
            return Err(bad("it does not begin as one"));
        }
        let mut len = [0; 8];
        from.read(&mut len)?;
        let len = u64::from_le_bytes(len);
        if len > MAX_HEADER_BYTES {
            return Err(bad("its header is too long"));
        }
        let mut header = vec![0; usize::try_from(len).map_err(|_| bad("its header is too long"))?];
        from.read(&mut header)?;
        let header: Header =
            serde_json::from_slice(&header).map_err(|_| bad("its header cannot be read"))?;
        let own = self.header();
        let differs = |what| Err(FineTuneError::OtherTraining { what });
        if header.params != own.params {
            return differs("figures");
        } else if header.config != own.config {
            return differs("shape");
        } else if header.text != own.text {
            return differs("text");
        } else if header.frozen_sum != own.frozen_sum || header.tensors != own.tensors {
            return differs("base model");
        } else if header.step > self.n_steps() {
            return Err(bad("it has more steps than the training"));
        }
        let mut bytes = vec![0; 4 * PART];
        for parameter in &self.trained {
            parameter.for_each_state(|numbers| {
                for part in numbers.chunks_mut(PART) {
                    let bytes = &mut bytes[..4 * part.len()];
                    from.read(bytes)?;
                    for (x, bytes) in part.iter_mut().zip(bytes.as_chunks().0) {
                        *x = f32::from_le_bytes(*bytes);
                    }
                }
                Ok::<_, FineTuneError>(())
            })?;
        }
        let expected = from.hash.clone().finalize();
        let mut hash = [0; 32];
        from.read(&mut hash)?;
        if hash[..] != expected[..] {
            return Err(bad("its bytes have changed"));
        }
        self.step = header.step;
        Ok(())
    }
}

fn bad(what: &'static str) -> FineTuneError {
    FineTuneError::BadCheckpoint { what }
}

/// Hashes what it writes.
struct HashedWrite<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
}

impl<'a> HashedWrite<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            hash: Sha256::new(),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes)
    }
}

/// Hashes what it reads.
struct HashedRead<'a> {
    from: &'a mut dyn Read,
    hash: Sha256,
}

impl HashedRead<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), FineTuneError> {
        self.from
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => bad("it ends too early"),
                _ => FineTuneError::Io(error),
            })?;
        self.hash.update(&*bytes);
        Ok(())
    }
}
