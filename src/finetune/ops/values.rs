//! The numbers of candle's tensors as slices, and back.

use candle_core::{CpuStorage, DType, Device, Layout, Result, Shape, Storage, Tensor, bail};

/// The numbers of a contiguous `f32` tensor.
///
/// # Errors
/// candle's, for another type or layout.
pub fn of_storage<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("a training's operation takes contiguous numbers of type F32"),
    }
}

/// Calls `with` with the numbers of a tensor.
///
/// # Errors
/// candle's, for another type or device.
pub fn with<T>(tensor: &Tensor, with: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(with(of_storage(storage, layout)?)),
        _ => bail!("a training's operation runs on the processor"),
    }
}

/// The tokens of (B, T).
///
/// # Errors
/// candle's, for another type or shape.
pub fn tokens(tokens: &Tensor) -> Result<Vec<u32>> {
    tokens.to_dtype(DType::U32)?.flatten_all()?.to_vec1()
}

/// What an operation gives back to candle.
pub fn result(values: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.into())
}

/// A tensor of these numbers with the shape of another.
///
/// # Errors
/// candle's, for another length.
pub fn like(values: Vec<f32>, other: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(values, other.shape(), &Device::Cpu)
}
