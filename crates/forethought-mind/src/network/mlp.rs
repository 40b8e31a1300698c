//! A multi-layer perceptron as plain numbers. Read first: [`Mlp`].

use super::{Operand, Path, multiply, silu};
use rand::Rng;

/// One layer: `[rows, inputs] · weight + bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// How many values go in.
    pub inputs: usize,
    /// How many come out.
    pub outputs: usize,
    /// `[inputs, outputs]`, row by row.
    pub weight: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
}

impl Dense {
    /// `out = values · weight + bias` for `[rows, inputs]`.
    pub(crate) fn apply(&self, values: &[f32], out: &mut [f32]) {
        let rows = out.len() / self.outputs.max(1);
        for row in out.chunks_exact_mut(self.outputs) {
            row.copy_from_slice(&self.bias);
        }
        let left = Operand::new(values, rows, self.inputs);
        multiply(out, left, Operand::new(&self.weight, self.inputs, self.outputs), true);
    }
}

/// Layers in sequence, with SiLU between them and nothing after the last.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    /// In order of use; at least one.
    pub layers: Vec<Dense>,
}

impl Mlp {
    /// Random weights, uniform within `sqrt(3 / inputs)` so that each has variance `1 / inputs` (LeCun et al., 1998), and
    /// zero biases. The last layer's weights are multiplied by `last_scale`.
    pub(crate) fn random(inputs: usize, hidden: &[usize], outputs: usize, last_scale: f32, rng: &mut impl Rng) -> Self {
        let sizes: Vec<usize> = std::iter::once(inputs).chain(hidden.iter().copied()).chain([outputs]).collect();
        let count = sizes.len() - 1;
        let layers = sizes.windows(2).enumerate().map(|(index, pair)| {
            #[expect(clippy::cast_precision_loss, reason = "layers have far fewer than 2^24 inputs")]
            let bound = (3.0 / pair[0] as f32).sqrt() * if index + 1 == count { last_scale } else { 1.0 };
            let weight = (0..pair[0] * pair[1]).map(|_| rng.gen_range(-1.0..1.0_f32) * bound).collect();
            Dense { inputs: pair[0], outputs: pair[1], weight, bias: vec![0.0; pair[1]] }
        });
        Self { layers: layers.collect() }
    }

    /// Weights and biases by turns.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &Vec<f32>> {
        self.layers.iter().flat_map(|Dense { weight, bias, .. }| [weight, bias])
    }

    /// As [`Mlp::parameters`].
    pub(crate) fn parameters_mut(&mut self) -> impl Iterator<Item = &mut Vec<f32>> {
        self.layers.iter_mut().flat_map(|Dense { weight, bias, .. }| [weight, bias])
    }

    /// How many values go in.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// How many come out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    #[must_use]
    pub fn forward(&self, values: &[f32]) -> Vec<f32> {
        let rows = values.len() / self.inputs().max(1);
        let mut current = values.to_vec();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut next = vec![0.0; rows * layer.outputs];
            layer.apply(&current, &mut next);
            if index + 1 < self.layers.len() {
                silu(Path::best(), (&mut next, layer.outputs), layer.outputs);
            }
            current = next;
        }
        current
    }
}
