//! Every operation has the values and gradients of its plain twin.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};

use super::Trained;
use super::layer::Keep;
use super::linear::{Base, Weight};
use crate::finetune::context::{Context, Pass};
use crate::finetune::lora::Lora;
use crate::finetune::parameter::Parameter;
use crate::finetune::params::LoraParams;
use crate::kernels::PackedWeight;
use crate::kernels::pack::{Packer, WeightType};
use crate::model::config::{Activation, Gpt2Config};
use crate::model::gpt2::Gpt2;
use crate::model::linear::{LayerNorm, Linear};
use crate::model::operations::{Heads, Operations};
use crate::model::plain::Plain;
use crate::parallel::Threads;

type Done = candle_core::Result<()>;

const B: usize = 2;
const T: usize = 9;
const C: usize = 32;
const I: usize = 64;
const V: usize = 40;

fn config() -> Gpt2Config {
    let json = format!(
        r#"{{"model_type":"gpt2","vocab_size":{V},"n_positions":12,"n_embd":{C},"n_layer":2,"n_head":4,"n_inner":{I}}}"#
    );
    Gpt2Config::from_json(json.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
}

fn numbers(n: usize, name: &str) -> Vec<f32> {
    let mut state = name.bytes().fold(17_u64, |hash, byte| {
        hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    (0..n)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            ((state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0) * 0.5
        })
        .collect()
}

fn tokens() -> Tensor {
    let ids: Vec<u32> = (0..(B * T) as u32).map(|i| i * i * 7 % V as u32).collect();
    Tensor::from_vec(ids, (B, T), &Device::Cpu).unwrap_or_else(|e| panic!("{e}"))
}

/// A model's weights as candle's variables and as parameters.
struct Twins {
    vars: VarMap,
    ops: Trained,
}

impl Twins {
    /// With these frozen matrices packed, and LoRA beside matrices if there is any.
    fn new(context: Arc<Context>, packed: Option<WeightType>, lora: Option<&LoraParams>) -> Self {
        let vars = VarMap::new();
        let (mut matrices, mut vectors) = (HashMap::new(), HashMap::new());
        for spec in crate::weights::names::tensors(&config()) {
            if spec.is_optional {
                continue;
            }
            let shape: Vec<usize> = spec
                .hugging_face_shape()
                .iter()
                .map(|n| *n as usize)
                .collect();
            let mut values = numbers(shape.iter().product(), &spec.name);
            if spec.name.contains("ln_") && spec.name.ends_with("weight") {
                values.iter_mut().for_each(|x| *x += 1.0);
            }
            if shape.len() == 1 {
                set(&vars, &spec.name, &values, &shape);
                vectors.insert(
                    spec.name.clone(),
                    parameter(&spec.name, shape, values, lora),
                );
                continue;
            }
            let packed = packed.filter(|_| spec.role.is_quantizable());
            let base = match packed {
                None => Base::Floats(parameter(&spec.name, shape.clone(), values.clone(), lora)),
                Some(dtype) => {
                    let (weight, rows) = pack(dtype, spec.rows, spec.cols, &spec.name);
                    values = match spec.role.is_transposed_in_hugging_face() {
                        true => transposed(&rows, spec.rows, spec.cols),
                        false => rows,
                    };
                    Base::Packed(weight.into())
                }
            };
            set(&vars, &spec.name, &values, &shape);
            let is_in_block = spec.name.starts_with("h.");
            let lora = lora.filter(|_| is_in_block).map(|params| {
                let lora = Lora::new(params, &spec.name, spec.cols, spec.rows, 3);
                // B is 0 at the start, which would hide A's gradient.
                let b = numbers(spec.rows * params.rank, lora.b.name());
                set_numbers(&lora.b, &b);
                Arc::new(lora)
            });
            matrices.insert(spec.name.clone(), Weight { base, lora });
        }
        let ops = Trained::new(context, matrices, vectors).unwrap_or_else(|e| panic!("{e}"));
        Self { vars, ops }
    }

    fn plain(&self) -> Plain<'static> {
        Plain::new(VarBuilder::from_varmap(
            &self.vars,
            DType::F32,
            &Device::Cpu,
        ))
    }

    fn var(&self, name: &str) -> Tensor {
        let data = self.vars.data().lock().unwrap_or_else(|e| panic!("{e}"));
        data[name].as_tensor().clone()
    }

    fn norm(&self, name: &str) -> (LayerNorm<Tensor>, LayerNorm<Arc<Parameter>>) {
        let names = ["weight", "bias"].map(|part| format!("{name}.{part}"));
        let [weight, bias] = names.clone().map(|name| self.var(&name));
        let plain = LayerNorm {
            weight,
            bias,
            epsilon: 1e-5,
        };
        let [weight, bias] = names.map(|name| Arc::clone(&self.ops.vectors[&name]));
        (
            plain,
            LayerNorm {
                weight,
                bias,
                epsilon: 1e-5,
            },
        )
    }

    /// The map with its LoRA in the plain one's weight.
    fn linear(&self, name: &str) -> (Linear<Tensor, Tensor>, Linear<Weight, Arc<Parameter>>) {
        let (weight_name, bias_name) = (format!("{name}.weight"), format!("{name}.bias"));
        let weight = self.ops.matrices[&weight_name].clone();
        let trained = Linear {
            weight,
            bias: Arc::clone(&self.ops.vectors[&bias_name]),
        };
        let plain = Linear {
            weight: self.var(&weight_name),
            bias: self.var(&bias_name),
        };
        (plain, trained)
    }

    /// Asserts that each trained parameter has the gradient of the variable with its name.
    fn check_gradients(&self, store: &candle_core::backprop::GradStore, names: &[&str]) -> Done {
        for name in names {
            let parameter = match self.ops.matrices.get(*name) {
                Some(Weight {
                    base: Base::Floats(matrix),
                    ..
                }) => matrix,
                _ => &self.ops.vectors[*name],
            };
            let Some(expected) = store.get(&self.var(name)) else {
                panic!("{name} has no gradient in the plain model");
            };
            let expected: Vec<f32> = expected.flatten_all()?.to_vec1()?;
            assert_close(name, &parameter.grad(), &expected, 2e-5);
        }
        Ok(())
    }
}

fn parameter(
    name: &str,
    shape: Vec<usize>,
    values: Vec<f32>,
    lora: Option<&LoraParams>,
) -> Arc<Parameter> {
    match lora {
        None => Parameter::trained(name, shape, values).into(),
        Some(_) => Parameter::frozen(name, shape, values).into(),
    }
}

fn set(vars: &VarMap, name: &str, values: &[f32], shape: &[usize]) {
    let tensor =
        Tensor::from_slice(values, shape, &Device::Cpu).and_then(|it| Var::from_tensor(&it));
    let var = tensor.unwrap_or_else(|e| panic!("{e}"));
    let mut data = vars.data().lock().unwrap_or_else(|e| panic!("{e}"));
    data.insert(name.to_owned(), var);
}

fn set_numbers(parameter: &Parameter, values: &[f32]) {
    let mut is_value = true;
    let _ = parameter.for_each_state(|numbers| {
        if std::mem::take(&mut is_value) {
            numbers.copy_from_slice(values);
        }
        Ok::<(), ()>(())
    });
}

/// A packed matrix with arbitrary weights, and its rows as floats.
fn pack(dtype: WeightType, rows: usize, cols: usize, name: &str) -> (PackedWeight, Vec<f32>) {
    let n_blocks = rows * cols / dtype.block_len();
    let noise = numbers(n_blocks * dtype.block_bytes(), name);
    let mut bytes: Vec<u8> = noise.iter().map(|x| (x * 255.0) as i32 as u8).collect();
    for block in bytes.chunks_exact_mut(dtype.block_bytes()) {
        // Scale 2⁻⁷ as an f16.
        block[..2].copy_from_slice(&[0x00, 0x20]);
    }
    let mut packer = Packer::new(dtype, rows, cols).unwrap_or_else(|e| panic!("{e}"));
    packer
        .read(rows, &mut &bytes[..])
        .unwrap_or_else(|e| panic!("{e}"));
    let packed = packer.finish();
    let mut floats = vec![0.0; rows * cols];
    for (row, out) in floats.chunks_exact_mut(cols).enumerate() {
        packed.row(row, out);
    }
    (packed, floats)
}

fn transposed(x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    (0..cols)
        .flat_map(|j| (0..rows).map(move |i| x[i * cols + j]))
        .collect()
}

fn assert_close(what: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1e-3_f32, |max, x| max.max(x.abs()));
    let apart = got.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let (worst, apart) = apart
        .enumerate()
        .fold((0, 0.0), |a, b| if b.1 > a.1 { b } else { a });
    assert!(
        apart <= tolerance * size,
        "{what}[{worst}]: {} and {}, {apart} apart",
        got[worst],
        expected[worst]
    );
}

fn context() -> Arc<Context> {
    Context::new(Threads::default())
}

fn train(context: &Context, dropout: f32) {
    context.begin(Pass::Train {
        dropout,
        seed: 5,
        number: 6,
        scale: 1.0,
    });
}

/// A variable (B, T, n).
fn input(n: usize, name: &str) -> candle_core::Result<Var> {
    Var::from_vec(numbers(B * T * n, name), (B, T, n), &Device::Cpu)
}

/// A number that depends on every number of `x` in its own way.
fn weighted(x: &Tensor) -> candle_core::Result<Tensor> {
    let weights = Tensor::from_vec(numbers(x.elem_count(), "weights"), x.shape(), &Device::Cpu)?;
    (x * weights)?.sum_all()
}

/// Compares values and the gradients of inputs.
fn compare(
    inputs: &[&Var],
    trained: &Tensor,
    plain: &Tensor,
    tolerance: f32,
) -> candle_core::Result<candle_core::backprop::GradStore> {
    let flat = |x: &Tensor| x.flatten_all()?.to_vec1::<f32>();
    assert_close("value", &flat(trained)?, &flat(plain)?, tolerance);
    let (got, expected) = (weighted(trained)?.backward()?, weighted(plain)?.backward()?);
    for (i, input) in inputs.iter().enumerate() {
        let (Some(got), Some(expected)) = (got.get(input), expected.get(input)) else {
            panic!("input {i} has no gradient");
        };
        assert_close(
            &format!("gradient of input {i}"),
            &flat(got)?,
            &flat(expected)?,
            2e-5,
        );
    }
    Ok(expected)
}

fn failed(error: impl std::fmt::Display) -> candle_core::Error {
    candle_core::Error::Msg(error.to_string())
}

#[test]
fn a_linear_map_of_a_norm_is_its_plain_twin() -> Done {
    let context = context();
    let twins = Twins::new(Arc::clone(&context), None, None);
    train(&context, 0.0);
    let x = input(C, "x")?;
    let (plain_norm, norm) = twins.norm("h.0.ln_1");
    let (plain_map, map) = twins.linear("h.0.attn.c_attn");
    let got = twins.ops.linear_of_norm(&norm, &map, &x).map_err(failed)?;
    let expected = twins
        .plain()
        .linear_of_norm(&plain_norm, &plain_map, &x)
        .map_err(failed)?;
    let store = compare(&[&x], &got, &expected, 2e-5)?;
    twins.check_gradients(
        &store,
        &[
            "h.0.ln_1.weight",
            "h.0.ln_1.bias",
            "h.0.attn.c_attn.weight",
            "h.0.attn.c_attn.bias",
        ],
    )
}

#[test]
fn attention_is_its_plain_twin() -> Done {
    let context = context();
    let twins = Twins::new(Arc::clone(&context), None, None);
    train(&context, 0.0);
    let qkv = input(3 * C, "qkv")?;
    let heads = Heads {
        n_head: 4,
        score_scale: 0.7,
    };
    let got = twins.ops.attention(heads, &qkv).map_err(failed)?;
    let expected = twins.plain().attention(heads, &qkv).map_err(failed)?;
    compare(&[&qkv], &got, &expected, 2e-5).map(drop)
}

#[test]
fn an_added_linear_map_is_its_plain_twin_with_every_activation() -> Done {
    for name in [
        "linear", "gelu_new", "gelu", "relu", "silu", "tanh", "mish", "laplace",
    ] {
        let activation = Activation::of_name(name).unwrap_or_default();
        let context = context();
        let twins = Twins::new(Arc::clone(&context), None, None);
        train(&context, 0.0);
        let (x, y) = (input(C, "x")?, input(I, "y")?);
        let (plain_map, map) = twins.linear("h.1.mlp.c_proj");
        let got = twins
            .ops
            .add_linear(&x, &map, activation, &y)
            .map_err(failed)?;
        let expected = twins
            .plain()
            .add_linear(&x, &plain_map, activation, &y)
            .map_err(failed)?;
        let store = compare(&[&x, &y], &got, &expected, 2e-5)?;
        twins.check_gradients(&store, &["h.1.mlp.c_proj.weight", "h.1.mlp.c_proj.bias"])?;
    }
    Ok(())
}

#[test]
fn what_is_dropped_is_dropped_in_the_gradient_too() -> Done {
    let context = context();
    let twins = Twins::new(Arc::clone(&context), None, None);
    train(&context, 0.4);
    let Some(dropout) = context.next_dropout() else {
        panic!("the pass drops some numbers");
    };
    train(&context, 0.4);
    let (x, y) = (input(C, "x")?, input(C, "y")?);
    let (plain_map, map) = twins.linear("h.1.attn.c_proj");
    let got = twins
        .ops
        .add_linear(&x, &map, Activation::Linear, &y)
        .map_err(failed)?;
    let factors: Vec<f32> = (0..B * T * C).map(|i| dropout.factor(i as u32)).collect();
    let factors = Tensor::from_vec(factors, (B, T, C), &Device::Cpu)?;
    let zero = x.as_detached_tensor().zeros_like()?;
    let linear = twins
        .plain()
        .add_linear(&zero, &plain_map, Activation::Linear, &y)
        .map_err(failed)?;
    let expected = (x.as_tensor() + (linear * factors)?)?;
    let store = compare(&[&x, &y], &got, &expected, 2e-5)?;
    twins.check_gradients(&store, &["h.1.attn.c_proj.weight", "h.1.attn.c_proj.bias"])
}

#[test]
fn the_loss_in_slices_is_its_plain_twin() -> Done {
    // All positions at once, four of the eighteen, and one.
    for most_logits in [1 << 20, 4 * V, 1] {
        let context = Context::with_most_logits(Threads::default(), most_logits);
        let twins = Twins::new(Arc::clone(&context), None, None);
        train(&context, 0.0);
        let x = input(C, "x")?;
        let (plain_norm, norm) = twins.norm("ln_f");
        let head = twins.ops.matrices["wte.weight"].clone();
        let got = twins
            .ops
            .loss(&norm, &head, &x, &tokens())
            .map_err(failed)?;
        let plain_head = twins.var("wte.weight");
        let expected = twins
            .plain()
            .loss(&plain_norm, &plain_head, &x, &tokens())
            .map_err(failed)?;
        let (loss, plain) = (got.to_scalar::<f32>()?, expected.to_scalar::<f32>()?);
        assert!((loss - plain).abs() < 1e-5, "{loss}, {plain}");
        let (got, store) = (got.backward()?, expected.backward()?);
        let flat = |store: &candle_core::backprop::GradStore| match store.get(&x) {
            Some(grad) => grad.flatten_all()?.to_vec1::<f32>(),
            None => panic!("x has no gradient"),
        };
        assert_close("gradient of x", &flat(&got)?, &flat(&store)?, 2e-5);
        twins.check_gradients(&store, &["ln_f.weight", "ln_f.bias", "wte.weight"])?;
    }
    Ok(())
}

#[test]
fn the_whole_model_has_the_loss_and_every_gradient_of_the_plain_one() -> Done {
    let context = context();
    let twins = Twins::new(Arc::clone(&context), None, None);
    let names: Vec<String> = twins
        .ops
        .matrices
        .keys()
        .chain(twins.ops.vectors.keys())
        .cloned()
        .collect();
    let vb = VarBuilder::from_varmap(&twins.vars, DType::F32, &Device::Cpu);
    // A `VarMap` has whatever is asked for; the head is tied only without one.
    let tensors: HashMap<String, Tensor> =
        names.iter().map(|it| (it.clone(), twins.var(it))).collect();
    drop(vb);
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let plain = Gpt2::new(&config(), vb).map_err(failed)?;
    let expected = plain.loss(&tokens()).map_err(failed)?;
    let store = expected.backward()?;

    let Twins { vars, ops } = twins;
    let model = Gpt2::with_operations(&config(), ops).map_err(failed)?;
    train(&context, 0.0);
    let got = model.loss(&tokens()).map_err(failed)?;
    let (loss, plain) = (got.to_scalar::<f32>()?, expected.to_scalar::<f32>()?);
    assert!((loss - plain).abs() < 1e-5, "{loss}, {plain}");
    got.backward()?;
    let data = vars.data().lock().unwrap_or_else(|e| panic!("{e}"));
    for name in names {
        let parameter = match model.operations().weight(&name) {
            Some(Weight {
                base: Base::Floats(matrix),
                ..
            }) => matrix,
            _ => &model.operations().vectors[&name],
        };
        let Some(expected) = store.get(&data[&name]) else {
            panic!("{name} has no gradient in the plain model");
        };
        let grad = parameter.grad();
        assert!(grad.iter().any(|x| *x != 0.0), "{name} has no gradient");
        let expected: Vec<f32> = expected.flatten_all()?.to_vec1()?;
        assert_close(&name, &grad, &expected, 5e-5);
    }
    Ok(())
}

#[test]
fn lora_over_frozen_weights_is_a_changed_matrix() -> Done {
    let params = LoraParams {
        rank: 3,
        alpha: 5.0,
        ..LoraParams::default()
    };
    // Inputs are rounded to 8 bits before they meet packed weights, but gradients are not.
    for (packed, tolerance) in [(None, 2e-5), (Some(WeightType::Q8_0), 2e-2)] {
        let context = context();
        let twins = Twins::new(Arc::clone(&context), packed, Some(&params));
        train(&context, 0.0);
        let x = input(C, "x")?;
        let (plain_norm, norm) = twins.norm("h.0.ln_2");
        let (plain_map, map) = twins.linear("h.0.mlp.c_fc");
        let Some(lora) = map.weight.lora.clone() else {
            panic!("the map has LoRA");
        };
        let var = |it: &Parameter| Var::from_vec(it.value().clone(), it.shape(), &Device::Cpu);
        let (a, b) = (var(&lora.a)?, var(&lora.b)?);
        let change = (b.matmul(&a)?.t()? * f64::from(lora.scale))?; // (in, out)
        let plain_map = Linear {
            weight: (plain_map.weight + change)?,
            ..plain_map
        };
        let got = twins.ops.linear_of_norm(&norm, &map, &x).map_err(failed)?;
        let expected = twins
            .plain()
            .linear_of_norm(&plain_norm, &plain_map, &x)
            .map_err(failed)?;
        let store = compare(&[&x], &got, &expected, tolerance)?;
        for (parameter, var) in [(&lora.a, &a), (&lora.b, &b)] {
            let expected = store.get(var).map(|it| it.flatten_all()?.to_vec1::<f32>());
            let Some(expected) = expected.transpose()? else {
                panic!("{} has no gradient in the plain model", parameter.name());
            };
            assert_close(parameter.name(), &parameter.grad(), &expected, 2e-5);
        }
        assert_eq!(twins.ops.vectors["h.0.mlp.c_fc.bias"].grad(), [0.0; 0]);
        // What is merged is what was computed with.
        let Base::Floats(matrix) = &map.weight.base else {
            continue;
        };
        let mut merged = matrix.value().clone();
        lora.add_to(&mut merged);
        let expected: Vec<f32> = plain_map.weight.flatten_all()?.to_vec1()?;
        assert_close("merged", &merged, &expected, 1e-6);
    }
    Ok(())
}

#[test]
fn a_packed_head_has_the_gradient_of_its_floats() -> Done {
    let context = Context::with_most_logits(Threads::default(), 5 * V);
    let params = LoraParams::default();
    let twins = Twins::new(Arc::clone(&context), Some(WeightType::Q8_0), Some(&params));
    train(&context, 0.0);
    let x = input(C, "x")?;
    let (plain_norm, norm) = twins.norm("ln_f");
    let head = twins.ops.matrices["wte.weight"].clone();
    let got = twins
        .ops
        .loss(&norm, &head, &x, &tokens())
        .map_err(failed)?;
    let plain_head = twins.var("wte.weight");
    let expected = twins
        .plain()
        .loss(&plain_norm, &plain_head, &x, &tokens())
        .map_err(failed)?;
    let (loss, plain) = (got.to_scalar::<f32>()?, expected.to_scalar::<f32>()?);
    assert!((loss - plain).abs() < 3e-2, "{loss}, {plain}");
    let (got, store) = (got.backward()?, expected.backward()?);
    let (Some(got), Some(expected)) = (got.get(&x), store.get(&x)) else {
        panic!("x has no gradient");
    };
    let flat = |x: &Tensor| x.flatten_all()?.to_vec1::<f32>();
    // The probabilities are those of rounded inputs.
    assert_close("gradient of x", &flat(got)?, &flat(expected)?, 5e-2);
    Ok(())
}

#[test]
fn an_embedding_is_its_plain_twin() -> Done {
    let context = context();
    let twins = Twins::new(Arc::clone(&context), None, None);
    train(&context, 0.0);
    let (wte, wpe) = ("wte.weight", "wpe.weight");
    let got = {
        let matrices = &twins.ops.matrices;
        twins
            .ops
            .embed(&matrices[wte], &matrices[wpe], &tokens())
            .map_err(failed)?
    };
    let expected = twins
        .plain()
        .embed(&twins.var(wte), &twins.var(wpe), &tokens())
        .map_err(failed)?;
    let store = compare(&[], &got, &expected, 1e-6)?;
    assert_eq!(got.dim(D::Minus1)?, C);
    twins.check_gradients(&store, &[wte, wpe])
}

#[test]
fn a_layer_computed_again_has_the_same_bits_with_dropout() -> Done {
    let of = |keep: Keep| -> candle_core::Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
        let context = context();
        let mut twins = Twins::new(Arc::clone(&context), None, None);
        twins.ops.set_keep(keep);
        train(&context, 0.2);
        let model = Gpt2::with_operations(&config(), twins.ops).map_err(failed)?;
        let loss = model.loss(&tokens()).map_err(failed)?;
        loss.backward()?;
        let grad = |name: &str| match model.operations().weight(name) {
            Some(Weight {
                base: Base::Floats(matrix),
                ..
            }) => matrix.grad(),
            _ => Vec::new(),
        };
        let (wte, c_fc) = (grad("wte.weight"), grad("h.0.mlp.c_fc.weight"));
        Ok((vec![loss.to_scalar()?], wte, c_fc))
    };
    let all = of(Keep::All)?;
    assert!(all.1.iter().any(|x| *x != 0.0));
    assert_eq!(of(Keep::Input)?, all);
    Ok(())
}
