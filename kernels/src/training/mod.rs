//! Operations of training, in `f32`: matrix products, attention, LayerNorm, activations, dropout and cross-entropy with
//! their gradients, and the optimiser's update.
//!
//! Every sum has an order that neither the number of threads nor the division of the work among them changes. In
//! products a term is one fused multiply-add where the machine has it (AVX2 with FMA natively, relaxed SIMD in the
//! browser), else a multiplication and an addition: the two kinds of build differ in the last bits, and builds of one
//! kind agree.

pub mod activation;
pub mod adam;
pub mod attention;
pub mod cross_entropy;
pub mod dropout;
mod matrix;
pub mod norm;
pub mod product;
mod rows;
pub mod tile;

pub use attention::{Attention, Qkv};
pub use dropout::Dropout;
pub use product::{Matrix, Start, product};
pub use rows::{column_sums, dequantize, for_rows, for_rows_of_two, squares};
