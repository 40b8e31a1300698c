//! Energy-based models: energies, with or without latent variables; inference; the losses that shape them, the mind's among them;
//! measures of collapse; and a gallery of examples.
//!
//! Read first: [`Energy`](energy::Energy) and [`LatentEnergy`](latent::LatentEnergy) (what a model is), [`inference`] (what it is asked),
//! [`objectives`] and [`contrastive`] (what it learns from), [`gibbs`] (what it says of probabilities), [`collapse`] (what is watched).

pub mod collapse;
pub mod contrastive;
pub mod distance;
pub mod energy;
pub mod gallery;
pub mod gibbs;
pub mod inference;
pub mod latent;
pub mod models;
pub mod network;
pub mod nodes;
pub mod objectives;
pub mod ops;
pub mod random;

use dfdx::prelude::{Cpu, HasShape, OwnedTape, Shape, Tensor};

/// A matrix `[rows, columns]` without a tape.
pub type Matrix = Tensor<(usize, usize), f32, Cpu>;
/// A matrix `[rows, columns]` that records the way back.
pub type TapedMatrix = Tensor<(usize, usize), f32, Cpu, OwnedTape<f32, Cpu>>;
/// A scalar without a tape.
pub type Scalar = Tensor<(), f32, Cpu>;
/// A scalar that records the way back.
pub type TapedScalar = Tensor<(), f32, Cpu, OwnedTape<f32, Cpu>>;
/// A number for each row, `[rows]`, without a tape.
pub type Column = Tensor<(usize,), f32, Cpu>;
/// A number for each row, `[rows]`, that records the way back.
pub type TapedColumn = Tensor<(usize,), f32, Cpu, OwnedTape<f32, Cpu>>;
/// What records the way back.
pub type PassTape = OwnedTape<f32, Cpu>;

/// The numbers of a tensor whose rows lie one after the other, at the speed of a copy (`as_vec` goes index by index).
#[must_use]
pub fn numbers<S: Shape, T>(tensor: &Tensor<S, f32, Cpu, T>) -> Vec<f32> {
    let mut numbers = vec![0.0; tensor.shape().num_elements()];
    tensor.copy_into(&mut numbers);
    numbers
}
