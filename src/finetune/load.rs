//! The weights of a base model as a training needs them.

use std::collections::HashMap;
use std::sync::Arc;

use super::context::Context;
use super::error::FineTuneError;
use super::lora::Lora;
use super::ops::Trained;
use super::ops::linear::{Base, Weight};
use super::parameter::Parameter;
use super::params::{FineTuneParams, Frozen, LoraParams, LoraTarget, Method};
use crate::kernels::pack::WeightType;
use crate::kernels::training::for_rows;
use crate::parallel::Threads;
use crate::weights::Checkpoint;
use crate::weights::dtype::StoredType;
use crate::weights::names::{Role, TensorSpec};

/// A base model's operations, what is trained in it, in a fixed order, and a sum that tells it from another base.
pub struct Loaded {
    pub ops: Trained,
    pub trained: Vec<Arc<Parameter>>,
    pub frozen_sum: u32,
}

/// Reads the weights of `base`.
///
/// # Errors
/// [`FineTuneError::Weights`].
pub fn load(
    base: &mut Checkpoint,
    params: &FineTuneParams,
    threads: Threads,
) -> Result<Loaded, FineTuneError> {
    let mut matrices = HashMap::new();
    let mut vectors = HashMap::new();
    let mut trained = Vec::new();
    let mut frozen_sum = 0_u32;
    let mut add_sum = |sum: u32| frozen_sum = frozen_sum.rotate_left(1).wrapping_add(sum);
    for (spec, stored) in base.tensors() {
        let name = spec.name.clone();
        let floats = |values: Vec<f32>| -> Arc<Parameter> {
            let shape = shape(&spec);
            match params.method {
                Method::Full => Parameter::trained(name.clone(), shape, values).into(),
                Method::Lora(_) => Parameter::frozen(name.clone(), shape, values).into(),
            }
        };
        if spec.role == Role::Vector {
            let vector = floats(base.floats(&spec.name)?);
            add_sum(sum_of_bits(&vector));
            if vector.is_trained() {
                trained.push(Arc::clone(&vector));
            }
            vectors.insert(spec.name.clone(), vector);
            continue;
        }
        let matrix = match packed_type(&spec, stored, params) {
            Some(dtype) => {
                let packed = base.matrix_as(&spec.name, dtype)?;
                add_sum(packed.sum_words());
                Base::Packed(packed.into())
            }
            None => {
                let values = in_hugging_faces_order(&threads, &spec, base.floats(&spec.name)?);
                let matrix = floats(values);
                add_sum(sum_of_bits(&matrix));
                if matrix.is_trained() {
                    trained.push(Arc::clone(&matrix));
                }
                Base::Floats(matrix)
            }
        };
        let lora = match &params.method {
            Method::Lora(lora) if is_target(&spec, lora) => {
                let lora = Lora::new(lora, &spec.name, spec.cols, spec.rows, params.seed);
                trained.extend([Arc::clone(&lora.a), Arc::clone(&lora.b)]);
                Some(Arc::new(lora))
            }
            _ => None,
        };
        matrices.insert(spec.name.clone(), Weight { base: matrix, lora });
    }
    Ok(Loaded {
        ops: Trained::new(Context::new(threads), matrices, vectors)?,
        trained,
        // What is trained differs from step to step, and belongs to the checkpoint.
        frozen_sum: match params.method {
            Method::Full => 0,
            Method::Lora(_) => frozen_sum,
        },
    })
}

/// Its sizes in Hugging Face's files.
pub fn shape(spec: &TensorSpec) -> Vec<usize> {
    let sizes = spec.hugging_face_shape().into_iter();
    sizes
        .map(|size| usize::try_from(size).unwrap_or(usize::MAX))
        .collect()
}

/// Rows as computed with, linear maps as (out, in), in the order of Hugging Face's files, (in, out).
pub fn in_hugging_faces_order(threads: &Threads, spec: &TensorSpec, rows: Vec<f32>) -> Vec<f32> {
    if !spec.role.is_transposed_in_hugging_face() {
        return rows;
    }
    let mut transposed = vec![0.0; rows.len()];
    for_rows(threads, &mut transposed, spec.rows, |col, out| {
        for (out, row) in out.iter_mut().zip(rows.chunks_exact(spec.cols)) {
            *out = row[col];
        }
    });
    transposed
}

/// The type in which a frozen matrix is packed; `None` if it is kept as floats.
fn packed_type(
    spec: &TensorSpec,
    stored: StoredType,
    params: &FineTuneParams,
) -> Option<WeightType> {
    let is_packed = matches!(&params.method, Method::Lora(lora) if lora.frozen == Frozen::Quantized)
        && spec.role.is_quantizable();
    let dtype = match stored.weight_type() {
        WeightType::F32 | WeightType::F16 => WeightType::Q8_0,
        quantized => quantized,
    };
    (is_packed && spec.cols.is_multiple_of(dtype.block_len())).then_some(dtype)
}

fn is_target(spec: &TensorSpec, lora: &LoraParams) -> bool {
    let Some(stem) = spec.name.strip_suffix(".weight") else {
        return false;
    };
    let in_block = stem
        .strip_prefix("h.")
        .and_then(|rest| rest.split_once('.'));
    let target = in_block.and_then(|(_, name)| LoraTarget::of_name(name));
    target.is_some_and(|target| lora.targets.contains(&target))
}

fn sum_of_bits(parameter: &Parameter) -> u32 {
    let value = parameter.value();
    value.iter().fold(0, |sum, x| sum.wrapping_add(x.to_bits()))
}
