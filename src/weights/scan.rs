//! `scan`: finds the tensors in a file that can be seeked in, by the parser of arriving files; seeking passes over the
//! numbers.

use std::io::{self, Read, Seek, SeekFrom};

use super::error::WeightsError;
use super::expected::ExpectedTensors;
use super::file_parser::FileParser;
use super::location::TensorLocation;
use super::remarks::Remarks;

/// Bytes read at a time: enough for most headers inside PyTorch's archives.
const READ_BYTES: u64 = 1 << 12;

/// The expected tensors that a file of float weights holds, in the order of the file, and what the other
/// names tell.
///
/// # Errors
/// As [`FileParser::parse`] and [`FileParser::end`], and [`WeightsError::Read`].
pub(super) fn scan<R: Read + Seek>(
    reader: &mut R,
    expected: &ExpectedTensors,
) -> Result<(Vec<TensorLocation>, Remarks), WeightsError> {
    let failed = |source: io::Error| WeightsError::Read { source };
    let file_len = reader.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut parser = FileParser::start();
    let (mut located, mut remarks) = (Vec::new(), Remarks::default());
    let mut pos = 0;
    let mut buffer = Vec::new();
    while pos < file_len {
        let data_left = parser.data_left();
        if data_left > file_len - pos {
            return Err(WeightsError::Truncated {
                got: file_len,
                expected: pos.saturating_add(data_left),
            });
        }
        if data_left > 0 {
            parser.skip(data_left);
            pos += data_left;
        }
        buffer.clear();
        reader
            .seek(SeekFrom::Start(pos))
            .and_then(|_| reader.by_ref().take(READ_BYTES).read_to_end(&mut buffer))
            .map_err(failed)?;
        let mut bytes = &buffer[..];
        while !bytes.is_empty() && parser.data_left() == 0 {
            let parsed = parser.parse(bytes, expected)?;
            bytes = &bytes[parsed.n_used..];
            pos += parsed.n_used as u64;
            located.extend(parsed.located);
            remarks.add(parsed.remarks);
        }
        if buffer.is_empty() {
            // The file became shorter while it was read.
            break;
        }
    }
    parser.end(pos)?;
    Ok((located, remarks))
}
