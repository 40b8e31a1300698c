//! Networks out of dfdx's own operations only, to test the fused ones against. Read first: [`Stock::forward`].

use super::Mlp;
use dfdx::prelude::*;
use forethought_energy::{Matrix, TapedMatrix};

type Vector = Tensor<(usize,), f32, Cpu>;

/// Weights `[inputs, outputs]` and biases `[outputs]` as tensors.
pub(crate) struct Stock(Vec<(Matrix, Vector)>);

impl Stock {
    pub(crate) fn new(mlp: &Mlp) -> Self {
        let device = Cpu::default();
        let layers = mlp.layers.iter().map(|layer| {
            let weight = device.tensor_from_vec(layer.weight.clone(), (layer.inputs, layer.outputs));
            (weight, device.tensor_from_vec(layer.bias.clone(), (layer.outputs,)))
        });
        Self(layers.collect())
    }

    /// `[rows, inputs]` to `[rows, outputs]`, with SiLU between the layers.
    pub(crate) fn forward(&self, input: TapedMatrix) -> TapedMatrix {
        let rows = input.shape().0;
        let mut hidden = input;
        for (index, (weight, bias)) in self.0.iter().enumerate() {
            let shape = (rows, weight.shape().1);
            let (product, tape) = hidden.matmul(weight.clone()).split_tape();
            let (bias, tape) = bias.clone().put_tape(tape).broadcast_like::<_, Axis<0>>(&shape).split_tape();
            let (sum, tape) = (product.put_tape(tape) + bias).split_tape();
            hidden = if index + 1 < self.0.len() {
                let (gate, tape) = sum.clone().put_tape(tape).sigmoid().split_tape();
                sum.put_tape(tape) * gate
            } else {
                sum.put_tape(tape)
            };
        }
        hidden
    }

    /// The gradient by weights and biases, by turns.
    pub(crate) fn gradient(&self, gradients: &Gradients<f32, Cpu>) -> Vec<f32> {
        let both =
            |(weight, bias): &(Matrix, _)| [gradients.get(weight).as_vec(), gradients.get(bias).as_vec()].concat();
        self.0.iter().flat_map(both).collect()
    }
}

/// The largest difference, relative to the largest number.
pub(crate) fn difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    let largest = right.iter().fold(1e-6_f32, |largest, value| largest.max(value.abs()));
    left.iter().zip(right).fold(0.0_f32, |worst, (l, r)| worst.max((l - r).abs() / largest))
}
