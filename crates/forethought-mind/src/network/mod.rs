//! Networks whose sizes are chosen at run time: plain weights, their forward pass, and the fused operations through which
//! dfdx trains them. Read first: [`Mlp`].

mod activation;
mod fused;
mod gemm;
mod mlp;
mod packed;
mod packed_mlp;
mod regression;
mod shelf;
mod simd;
#[cfg(test)]
pub(crate) mod stock;

pub(crate) use activation::silu;
pub(crate) use fused::{Trainee, apply, beside, mean_square, rows, unroll};
pub(crate) use gemm::{Operand, multiply};
pub use mlp::{Dense, Mlp};
pub(crate) use packed::Filling;
pub(crate) use packed_mlp::{Inputs, PackedMlp};
pub(crate) use regression::{Batch, Regression};
pub(crate) use shelf::Shelf;
pub(crate) use simd::Path;
