//! A GGUF file written from front to back.

use std::io::Write;

use huggingtweets::weights::gguf::Value;
use huggingtweets::weights::gguf_layout::{Layout, TensorToWrite, padding};

/// Writes metadata and tensors; `tensor` writes the bytes of the tensor with that index. The file's length in bytes.
pub fn write(
    mut out: impl Write,
    metadata: &[(String, Value)],
    tensors: &[TensorToWrite],
    mut tensor: impl FnMut(usize, &mut dyn Write),
) -> u64 {
    let layout = Layout::new(metadata, tensors);
    out.write_all(&layout.header).unwrap();
    for (i, info) in tensors.iter().enumerate() {
        tensor(i, &mut out);
        let end = layout.offsets[i] + info.size_bytes();
        out.write_all(padding(end)).unwrap();
    }
    out.flush().unwrap();
    layout.len
}
