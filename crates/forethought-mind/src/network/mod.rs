//! Networks whose sizes are chosen at run time: plain weights, their forward pass, and the fused operations through which
//! dfdx trains them. Read first: [`Mlp`].

mod activation;
mod fused;
mod gemm;
mod mlp;
mod packed;
mod simd;

pub(crate) use activation::{Activation, silu, silu_with_slope};
pub(crate) use fused::{Node, Parameter, linear, rows};
pub(crate) use gemm::{Operand, multiply};
pub use mlp::{Dense, Mlp};
pub(crate) use packed::Packed;
pub(crate) use simd::Path;
