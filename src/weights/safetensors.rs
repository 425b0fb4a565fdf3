//! safetensors: reads the header of one file and checks that the file is as long as it says.

use std::io::{Read, Seek, SeekFrom};

use safetensors::tensor::{Metadata, SafeTensorError, TensorInfo};

use super::error::{FileKind, WeightsError};

/// A header lists names and shapes; GPT-2 XL's takes 50 kB.
const MAX_HEADER_BYTES: u64 = 1 << 24;

/// The header of a safetensors file.
#[derive(Debug)]
pub struct Header {
    metadata: Metadata,
    data_start: u64,
}

impl Header {
    /// Reads the header and checks that all tensors lie inside the file.
    ///
    /// # Errors
    /// [`WeightsError::NotSafetensors`], [`WeightsError::Truncated`], [`WeightsError::BadSafetensors`],
    /// [`WeightsError::Malformed`], [`WeightsError::Read`].
    pub fn read<R: Read + Seek>(reader: &mut R) -> Result<Self, WeightsError> {
        let read = |source| WeightsError::Read { source };
        let file_len = reader.seek(SeekFrom::End(0)).map_err(read)?;
        reader.seek(SeekFrom::Start(0)).map_err(read)?;
        let mut head = Vec::new();
        reader
            .by_ref()
            .take(64)
            .read_to_end(&mut head)
            .map_err(read)?;
        let header_len = match head.first_chunk::<8>() {
            Some(len) if head.get(8).is_none_or(|b| *b == b'{') => u64::from_le_bytes(*len),
            _ => {
                return Err(WeightsError::NotSafetensors {
                    found: FileKind::of(&head),
                });
            }
        };
        if header_len > MAX_HEADER_BYTES {
            return Err(WeightsError::Malformed {
                offset: 0,
                what: "the header is longer than 16 MiB",
            });
        }
        let data_start = 8 + header_len;
        if data_start > file_len {
            return Err(WeightsError::Truncated {
                got: file_len,
                expected: data_start,
            });
        }
        let mut json = vec![0; usize::try_from(header_len).expect("capped above")];
        reader.seek(SeekFrom::Start(8)).map_err(read)?;
        reader.read_exact(&mut json).map_err(read)?;
        // Deserializing checks that the tensors cover the data without gaps or overlaps.
        let metadata: Metadata =
            serde_json::from_slice(&json).map_err(|e| WeightsError::BadSafetensors {
                source: SafeTensorError::InvalidHeaderDeserialization(e),
            })?;
        let expected = data_start.saturating_add(metadata.data_len() as u64);
        if file_len < expected {
            return Err(WeightsError::Truncated {
                got: file_len,
                expected,
            });
        }
        Ok(Self {
            metadata,
            data_start,
        })
    }

    /// Every tensor by its stored name, with its first byte counted from the start of the file.
    pub fn tensors(&self) -> impl Iterator<Item = (String, &TensorInfo, u64)> {
        self.metadata
            .tensors()
            .into_iter()
            .map(|(name, info)| (name, info, self.data_start + info.data_offsets.0 as u64))
    }
}
