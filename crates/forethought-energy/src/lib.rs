//! Energy-based models: energies between latents, the losses that keep a joint embedding from collapsing, and measures
//! of collapse. The mind's losses are these.
//!
//! Read first: [`objectives`] (what is trained) and [`collapse`] (what is watched).

pub mod collapse;
pub mod distance;
pub mod gallery;
pub mod models;
pub mod objectives;

use dfdx::prelude::{Cpu, HasShape, OwnedTape, Shape, Tensor};

/// A matrix `[rows, columns]` without a tape.
pub type Matrix = Tensor<(usize, usize), f32, Cpu>;
/// A matrix `[rows, columns]` that records the way back.
pub type TapedMatrix = Tensor<(usize, usize), f32, Cpu, OwnedTape<f32, Cpu>>;
/// A scalar without a tape.
pub type Scalar = Tensor<(), f32, Cpu>;
/// A scalar that records the way back.
pub type TapedScalar = Tensor<(), f32, Cpu, OwnedTape<f32, Cpu>>;

/// The numbers of a tensor whose rows lie one after the other, at the speed of a copy (`as_vec` goes index by index).
#[must_use]
pub fn numbers<S: Shape>(tensor: &Tensor<S, f32, Cpu>) -> Vec<f32> {
    let mut numbers = vec![0.0; tensor.shape().num_elements()];
    tensor.copy_into(&mut numbers);
    numbers
}
