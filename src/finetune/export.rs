//! What a training leaves behind: the model as safetensors, an adapter as `peft` and as llama.cpp read it.

use std::io::Write;

use half::f16;
use serde_json::{Map, Value as Json, json};

use super::lora::Lora;
use super::ops::linear::{Base, Weight};
use super::params::{LoraParams, Method};
use super::{FineTune, FineTuneError, load};
use crate::kernels::training::dequantize;
use crate::weights::Checkpoint;
use crate::weights::dtype::StoredType;
use crate::weights::gguf::Value;
use crate::weights::gguf_layout::{Layout, TensorToWrite, padding};
use crate::weights::names::{self, Role, TensorSpec};

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatType {
    /// As they were trained.
    F32,
    /// Rounded, in half the space.
    F16,
}

impl FloatType {
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
        }
    }

    fn size_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    fn put(self, values: &[f32], out: &mut Vec<u8>) {
        match self {
            Self::F32 => out.extend(values.iter().flat_map(|x| x.to_le_bytes())),
            Self::F16 => out.extend(values.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes())),
        }
    }
}

/// LoRA's changes, each of the matrix beside it.
type Adapters<'a> = Vec<(TensorSpec, &'a Lora)>;

/// Numbers converted at a time.
const PART: usize = 1 << 14;

impl FineTune {
    /// Writes the whole model as `model.safetensors`, with the names and shapes of `transformers`. LoRA's changes are
    /// added to the matrices of `base`, or without it to the frozen ones, which may be quantized.
    ///
    /// # Errors
    /// [`FineTuneError::Weights`], [`FineTuneError::Io`].
    pub fn write_safetensors(
        &self,
        mut base: Option<&mut Checkpoint>,
        dtype: FloatType,
        out: &mut dyn Write,
    ) -> Result<(), FineTuneError> {
        let specs: Vec<TensorSpec> = names::tensors(self.config())
            .into_iter()
            .filter(|spec| self.has(&spec.name))
            .collect();
        let named = |spec: &TensorSpec| match spec.name.as_str() {
            "lm_head.weight" => spec.name.clone(),
            name => format!("transformer.{name}"),
        };
        let tensors: Vec<_> = specs
            .iter()
            .map(|it| (named(it), load::shape(it)))
            .collect();
        write_header(&tensors, dtype, out)?;
        for spec in &specs {
            let values = self.tensor(spec, base.as_deref_mut())?;
            write_numbers(&values, dtype, out)?;
        }
        Ok(out.flush()?)
    }

    fn has(&self, name: &str) -> bool {
        let ops = self.model.operations();
        ops.weight(name).is_some() || ops.parameter(name).is_some()
    }

    /// A tensor as Hugging Face's files have it, with LoRA's change.
    fn tensor(
        &self,
        spec: &TensorSpec,
        base: Option<&mut Checkpoint>,
    ) -> Result<Vec<f32>, FineTuneError> {
        let ops = self.model.operations();
        let threads = ops.context().threads();
        let Some(Weight { base: frozen, lora }) = ops.weight(&spec.name) else {
            let vector = ops.parameter(&spec.name);
            return Ok(vector.map_or_else(Vec::new, |it| it.value().clone()));
        };
        let mut values = match (frozen, base) {
            (Base::Floats(matrix), _) => matrix.value().clone(),
            (Base::Packed(_), Some(base)) => {
                load::in_hugging_faces_order(threads, spec, base.floats(&spec.name)?)
            }
            (Base::Packed(matrix), None) => {
                let mut rows = vec![0.0; matrix.rows() * matrix.cols()];
                dequantize(threads, matrix, 0..matrix.rows(), &mut rows);
                load::in_hugging_faces_order(threads, spec, rows)
            }
        };
        if let Some(lora) = lora {
            lora.add_to(&mut values);
        }
        Ok(values)
    }

    /// LoRA's matrices in the order of the model's, each with the name of the matrix that it changes.
    fn adapters(&self) -> Result<(Adapters<'_>, &LoraParams), FineTuneError> {
        let Method::Lora(params) = &self.params.method else {
            return Err(FineTuneError::NoAdapter);
        };
        let ops = self.model.operations();
        let specs = names::tensors(self.config()).into_iter();
        let adapters = specs.filter_map(|spec| {
            debug_assert!(spec.role != Role::Vector || ops.weight(&spec.name).is_none());
            let lora = ops.weight(&spec.name)?.lora.as_deref()?;
            Some((spec, lora))
        });
        Ok((adapters.collect(), params))
    }

    /// Writes `adapter_model.safetensors` as `peft` has it.
    ///
    /// # Errors
    /// [`FineTuneError::NoAdapter`] without LoRA, [`FineTuneError::Io`].
    pub fn write_adapter(
        &self,
        dtype: FloatType,
        out: &mut dyn Write,
    ) -> Result<(), FineTuneError> {
        let (adapters, _) = self.adapters()?;
        let both = || adapters.iter().flat_map(|(_, lora)| [&lora.a, &lora.b]);
        let tensors: Vec<_> = both()
            .map(|it| {
                let name = format!("base_model.model.transformer.{}", it.name());
                (name, it.shape().to_vec())
            })
            .collect();
        write_header(&tensors, dtype, out)?;
        for parameter in both() {
            write_numbers(&parameter.value(), dtype, out)?;
        }
        Ok(out.flush()?)
    }

    /// `adapter_config.json` as `peft` has it. `base_model`: the name or folder of the base.
    ///
    /// # Errors
    /// [`FineTuneError::NoAdapter`].
    pub fn adapter_config(&self, base_model: &str) -> Result<Json, FineTuneError> {
        let (_, params) = self.adapters()?;
        let targets: Vec<&str> = params.targets.iter().map(|target| target.name()).collect();
        Ok(json!({
            "auto_mapping": null,
            "base_model_name_or_path": base_model,
            "bias": "none",
            "fan_in_fan_out": true,
            "inference_mode": true,
            "init_lora_weights": true,
            "layers_pattern": null,
            "layers_to_transform": null,
            "lora_alpha": params.alpha,
            "lora_dropout": 0.0,
            "modules_to_save": null,
            "peft_type": "LORA",
            "r": params.rank,
            "revision": null,
            "target_modules": targets,
            "task_type": "CAUSAL_LM",
        }))
    }

    /// Writes the adapter as llama.cpp reads it.
    ///
    /// # Errors
    /// [`FineTuneError::NoAdapter`], [`FineTuneError::Io`].
    pub fn write_adapter_gguf(
        &self,
        name: &str,
        dtype: FloatType,
        out: &mut dyn Write,
    ) -> Result<(), FineTuneError> {
        let (adapters, params) = self.adapters()?;
        let text = |text: &str| Value::String(text.to_owned());
        let metadata = [
            ("general.architecture", text("gpt2")),
            ("general.type", text("adapter")),
            ("general.name", text(name)),
            ("adapter.type", text("lora")),
            // Without it llama.cpp takes the factor 1 instead of alpha / rank.
            ("adapter.lora.alpha", Value::Float(f64::from(params.alpha))),
        ]
        .map(|(key, value)| (key.to_owned(), value));
        let parts: Vec<_> = adapters
            .iter()
            .flat_map(|(spec, lora)| {
                let name = |part: &str| format!("{}.{part}", spec.gguf_name);
                [(name("lora_a"), &lora.a), (name("lora_b"), &lora.b)]
            })
            .collect();
        let tensors: Vec<_> = parts
            .iter()
            .map(|(name, parameter)| TensorToWrite {
                name: name.clone(),
                dims: parameter
                    .shape()
                    .iter()
                    .rev()
                    .map(|dim| *dim as u64)
                    .collect(),
                dtype: match dtype {
                    FloatType::F32 => StoredType::F32,
                    FloatType::F16 => StoredType::F16,
                },
            })
            .collect();
        let layout = Layout::new(&metadata, &tensors);
        out.write_all(&layout.header)?;
        for ((_, parameter), tensor) in parts.iter().zip(&tensors) {
            write_numbers(&parameter.value(), dtype, out)?;
            out.write_all(padding(tensor.size_bytes()))?;
        }
        Ok(out.flush()?)
    }
}

/// The header of a safetensors file with these tensors, one after another.
fn write_header(
    tensors: &[(String, Vec<usize>)],
    dtype: FloatType,
    out: &mut dyn Write,
) -> Result<(), FineTuneError> {
    let mut header = Map::new();
    // transformers refuses a file without it.
    header.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut end = 0_u64;
    for (name, shape) in tensors {
        let start = end;
        end += (shape.iter().product::<usize>() * dtype.size_bytes()) as u64;
        let entry = json!({ "dtype": dtype.name(), "shape": shape, "data_offsets": [start, end] });
        header.insert(name.clone(), entry);
    }
    let mut bytes = serde_json::to_vec(&header).map_err(std::io::Error::other)?;
    bytes.resize(bytes.len().next_multiple_of(8), b' ');
    out.write_all(&(bytes.len() as u64).to_le_bytes())?;
    Ok(out.write_all(&bytes)?)
}

fn write_numbers(values: &[f32], dtype: FloatType, out: &mut dyn Write) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * PART);
    for part in values.chunks(PART) {
        bytes.clear();
        dtype.put(part, &mut bytes);
        out.write_all(&bytes)?;
    }
    Ok(())
}
