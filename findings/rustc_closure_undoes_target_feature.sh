#!/usr/bin/env bash
# rustc 1.95.0, x86-64: a closure in an `#[inline(always)]` function has none of the target features of the function that
# this one is inlined into. If the closure itself is not inlined, each intrinsic in it is a call, and nothing warns.
#
# The closure is a function of its own, compiled for the baseline, and an intrinsic is inlined only where its feature is
# enabled. A closure written inside of the function with the attribute has its features; one in a generic function, which
# serves vectors of several widths, cannot. As an `#[inline(always)]` function the same lines keep the features. Six-bit
# weights were multiplied at a hundredth of the speed.
#
# Seen on 2026-12-01: eight calls of the addition of AVX2 with the closure, none with the function.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > lib.rs <<'RUST'
use std::arch::x86_64::*;

#[inline(always)]
fn add(a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: called by functions with AVX2 alone.
    unsafe { _mm256_add_epi32(a, b) }
}

macro_rules! body {
    ($x:ident, $i:ident, $y:ident) => {
        for k in 0..16 {
            let z = $x[(k + $i) % 16];
            $x[k] = add(add(z, add($x[k], $y)), add(add(z, z), add($y, z)));
            $x[k * 3 % 16] = add($x[k * 5 % 16], add(z, $x[k * 7 % 16]));
        }
    };
}

#[inline(always)]
fn step(x: &mut [__m256i; 16], i: usize, y: __m256i) {
    body!(x, i, y);
}

#[inline(always)]
fn by_function(x: &mut [__m256i; 16], y: __m256i) {
    for i in 0..3 {
        step(x, i, y);
    }
    step(x, 5, y);
}

#[inline(always)]
fn by_closure(x: &mut [__m256i; 16], y: __m256i) {
    let mut step = |i: usize, y: __m256i| body!(x, i, y);
    for i in 0..3 {
        step(i, y);
    }
    step(5, y);
}

#[target_feature(enable = "avx2")]
pub fn with_avx2(x: &mut [__m256i; 16], y: __m256i) {
    WAY(x, y)
}
RUST
# The number of calls of the intrinsic.
calls() {
  sed "s/WAY/$1/" lib.rs > "$1.rs"
  rustc --edition 2024 --crate-type lib --target x86_64-unknown-linux-gnu -C opt-level=3 -A dead_code --emit asm "$1.rs" -o "$1.s"
  grep -cE '^\s+call.*mm256_add_epi32' "$1.s" || true
}
seen="$(calls by_closure) $(calls by_function)"
echo "calls of _mm256_add_epi32 with the closure, and with the function: $seen"
[ "$seen" = "8 0" ] || { echo "changed; expected 8 0" >&2; exit 1; }
