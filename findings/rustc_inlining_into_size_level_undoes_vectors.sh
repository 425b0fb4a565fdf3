#!/usr/bin/env bash
# rustc 1.95.0: a loop of a package with `opt-level = 3` loses its vectors when it is inlined into one with `opt-level = "z"`.
#
# With `lto = "fat"` loops become SIMD only in the link, after functions were inlined, and a function keeps the level of its
# own package. So the level of a package that computes says nothing about its loops: `#[inline(never)]` brings the vectors
# back.
#
# Seen on 2026-11-30 with rustc 1.95.0 for wasm32-unknown-unknown with simd128: no `f32x4.sqrt` in the program with an
# inlined loop of square roots, one with a loop that is not inlined.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
unset CARGO_TARGET_DIR CARGO_BUILD_BUILD_DIR RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
mkdir -p "$folder"/{src,fast/src,small/src}
cd "$folder"
for name in fast small; do
  printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2024"\n' "$name" > "$name/Cargo.toml"
done
printf '[dependencies]\nfast = { path = "../fast" }\n' >> small/Cargo.toml
cat > Cargo.toml <<'T'
[package]
name = "program"
version = "0.1.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[dependencies]
small = { path = "small" }
[profile.release]
lto = "fat"
opt-level = 3
[profile.release.package]
small.opt-level = "z"
T
echo '#[inline(never)] pub fn roots(x: &mut [f32]) { fast::roots(x); }' > small/src/lib.rs
cat > src/lib.rs <<'T'
#[unsafe(no_mangle)]
pub extern "C" fn roots(start: *mut f32, n: usize) {
    // SAFETY: nobody calls this; only the linker's output is looked at.
    small::roots(unsafe { std::slice::from_raw_parts_mut(start, n) });
}
T
# The number of `f32x4.sqrt` in the program.
vectors() {
  printf '%s\npub fn roots(x: &mut [f32]) { for x in x { *x = x.sqrt(); } }\n' "$1" > fast/src/lib.rs
  rm -rf target
  RUSTFLAGS='-C target-feature=+simd128' cargo build --release --target wasm32-unknown-unknown --quiet
  python3 -c 'import sys; print(open(sys.argv[1], "rb").read().count(bytes([0xfd, 0xe3, 0x01])))' \
    target/wasm32-unknown-unknown/release/program.wasm
}
seen="$(vectors '') $(vectors '#[inline(never)]')"
echo "f32x4.sqrt where the loop is inlined, and where it is not: $seen"
[ "$seen" = "0 1" ] || { echo "changed; expected 0 1" >&2; exit 1; }
