#!/usr/bin/env bash
# candle-nn 0.11.1 (crates.io): `LayerNorm::forward` and `ops::softmax_last_dim` drop the gradient without an error.
#
# Both run as fused operations without a backward pass where the input is contiguous. `backward()` succeeds, and the
# variables below them have no gradient, so an optimizer leaves them as they are. The slow path of `LayerNorm` (an input
# that is not contiguous) and `ops::softmax` carry the gradient.
#
# Seen on 2026-11-29 with Rust 1.95 on the CPU, the variables with a gradient after `backward()`:
#   LayerNorm, contiguous input        none
#   LayerNorm, input not contiguous    x weight bias
#   softmax_last_dim                   none
#   softmax                            x
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
candle-core = { version = "=0.11.1", default-features = false }
candle-nn = { version = "=0.11.1", default-features = false }

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use candle_core::{D, Device, Result, Tensor, Var};
use candle_nn::{LayerNorm, Module, ops};

/// Prints the variables that have a gradient of `result`.
fn show(case: &str, result: &Tensor, variables: &[(&str, &Var)]) -> Result<()> {
    let gradients = result.sqr()?.sum_all()?.backward()?;
    let mut names: Vec<&str> = Vec::new();
    for (name, variable) in variables {
        if gradients.get(variable.as_tensor()).is_some() {
            names.push(name);
        }
    }
    let names = if names.is_empty() { "none".to_owned() } else { names.join(" ") };
    println!("{case}: {names}");
    Ok(())
}

fn main() -> Result<()> {
    let device = Device::Cpu;
    let x = Var::new(&[[1f32, 2.0], [3.0, 5.0]], &device)?;
    let weight = Var::new(&[1f32, 2.0], &device)?;
    let bias = Var::new(&[0f32, 1.0], &device)?;
    let norm = LayerNorm::new(weight.as_tensor().clone(), bias.as_tensor().clone(), 1e-5);
    let all = [("x", &x), ("weight", &weight), ("bias", &bias)];
    show("LayerNorm, contiguous input", &norm.forward(x.as_tensor())?, &all)?;
    show("LayerNorm, input not contiguous", &norm.forward(&x.t()?)?, &all)?;
    show("softmax_last_dim", &ops::softmax_last_dim(x.as_tensor())?, &[("x", &x)])?;
    show("softmax", &ops::softmax(x.as_tensor(), D::Minus1)?, &[("x", &x)])
}
RUST
seen=$(cargo run --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target")
expected="LayerNorm, contiguous input: none
LayerNorm, input not contiguous: x weight bias
softmax_last_dim: none
softmax: x"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "changed; expected:"; echo "$expected"; exit 1; } >&2
