//! A network packed for tiles of rows: few enough that their numbers stay in the near caches while they pass through all
//! layers. Planning, which wants gradients by actions, and training, which wants them by weights, are both made of this.
//! Read first: [`PackedMlp::forward`] and [`PackedMlp::deltas`].

use super::{
    Mlp, Path,
    activation::{silu, silu_with_slope},
    packed::{Filling, Packed, Rows, RowsMut, add_transposed_product, row_stride},
};
use std::ops::Range;

/// A network's weights, there and back. Its inputs are the main ones, which meet packed weights, and after them a few that
/// stand beside, which do not.
#[derive(Debug, Clone)]
pub(crate) struct PackedMlp {
    layers: Vec<Layer>,
    /// The first layer's weights for what stands beside, `[beside, outputs]`.
    from_beside: Vec<f32>,
    beside: usize,
    pub(crate) path: Path,
}

#[derive(Debug, Clone)]
struct Layer {
    inputs: usize,
    outputs: usize,
    /// `[inputs, outputs]`; of the first layer the main inputs only.
    there: Packed,
    /// Its transpose.
    back: Packed,
    bias: Vec<f32>,
}

/// What a network was given: the main inputs, and `[rows, beside]` row by row.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) main: Rows<'a>,
    pub(crate) beside: &'a [f32],
}

impl PackedMlp {
    /// Pack a network whose last `beside` inputs stand beside the others.
    pub(crate) fn new(mlp: &Mlp, beside: usize) -> Self {
        let layers = mlp.layers.iter().enumerate().map(|(index, layer)| {
            let (inputs, outputs) = (layer.inputs - if index == 0 { beside } else { 0 }, layer.outputs);
            let weight = &layer.weight[..inputs * outputs];
            let (there, back) = (Packed::new(weight, inputs, outputs), Packed::transposed(weight, inputs, outputs));
            Layer { inputs, outputs, there, back, bias: layer.bias.clone() }
        });
        let layers: Vec<Layer> = layers.collect();
        let from_beside = mlp.layers[0].weight[layers[0].inputs * layers[0].outputs..].to_vec();
        Self { layers, from_beside, beside, path: Path::best() }
    }

    /// Take over the weights of a network of the same shape: what is left to do is given back, to be done in any order.
    pub(crate) fn refill<'a>(&'a mut self, mlp: &'a Mlp) -> impl Iterator<Item = Filling<'a>> {
        self.from_beside.copy_from_slice(&mlp.layers[0].weight[self.layers[0].inputs * self.layers[0].outputs..]);
        self.layers.iter_mut().zip(&mlp.layers).flat_map(|(layer, from)| {
            layer.bias.copy_from_slice(&from.bias);
            let weight = &from.weight[..layer.inputs * layer.outputs];
            layer.there.fillings(weight, false).chain(layer.back.fillings(weight, true))
        })
    }

    /// How many of the inputs are main ones.
    pub(crate) fn main(&self) -> usize {
        self.layers[0].inputs
    }

    /// How many inputs stand beside them.
    pub(crate) fn beside(&self) -> usize {
        self.beside
    }

    /// How many values come out.
    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// How many weights and biases there are.
    pub(crate) fn parameters(&self) -> usize {
        self.from_beside.len() + self.layers.iter().map(|layer| (layer.inputs + 1) * layer.outputs).sum::<usize>()
    }

    /// How many numbers the hidden layers of a tile take: `[layer, rows, outputs]`, rows as [`row_stride`] has them.
    pub(crate) fn hidden(&self, rows: usize) -> usize {
        self.hidden_layer(self.layers.len() - 1, rows).start
    }

    /// Where one of the hidden layers stands among them.
    fn hidden_layer(&self, index: usize, rows: usize) -> Range<usize> {
        let size = |layer: &Layer| rows * row_stride(layer.outputs);
        let start = self.layers[..index].iter().map(size).sum();
        start..start + size(&self.layers[index])
    }

    /// Add to `out`, `[rows, outputs]` row by row, what the network makes of a tile. `hidden` takes what the activations
    /// give, and `slopes` their derivatives, unless it is empty.
    pub(crate) fn forward(&self, inputs: Inputs, mut hidden: &mut [f32], mut slopes: &mut [f32], out: &mut [f32]) {
        let rows = out.len() / self.outputs();
        let mut values = inputs.main;
        for (index, layer) in self.layers.iter().enumerate() {
            if index + 1 == self.layers.len() {
                self.path.run(|| {
                    for row in out.chunks_exact_mut(layer.outputs) {
                        row.iter_mut().zip(&layer.bias).for_each(|(out, bias)| *out += bias);
                    }
                });
                self.add_beside(index, inputs.beside, (out, layer.outputs));
                return layer.there.add_product(self.path, values, (out, layer.outputs));
            }
            let stride = row_stride(layer.outputs);
            let this = hidden.split_off_mut(..rows * stride).unwrap_or_default();
            this.chunks_exact_mut(stride).for_each(|row| row[..layer.outputs].copy_from_slice(&layer.bias));
            self.add_beside(index, inputs.beside, (this, stride));
            layer.there.add_product(self.path, values, (this, stride));
            match slopes.split_off_mut(..rows * stride) {
                Some(slopes) => silu_with_slope(self.path, (this, stride), slopes, layer.outputs),
                None => silu(self.path, (this, stride), layer.outputs),
            }
            values = (this, stride);
        }
    }

    /// Add what the inputs beside the main ones make, which the first layer sees.
    fn add_beside(&self, index: usize, beside: &[f32], (out, stride): RowsMut) {
        if index > 0 || self.beside == 0 {
            return;
        }
        let outputs = self.layers[0].outputs;
        self.path.run(|| {
            for (row, beside) in out.chunks_exact_mut(stride).zip(beside.chunks_exact(self.beside)) {
                for (value, weights) in beside.iter().zip(self.from_beside.chunks_exact(outputs)) {
                    row.iter_mut().zip(weights).for_each(|(out, weight)| *out += value * weight);
                }
            }
        });
    }

    /// The way back through a tile: from the loss's derivatives by what came out to those by each hidden layer's sums,
    /// `deltas`, which stand as the hidden layers did.
    pub(crate) fn deltas(&self, slopes: &[f32], at_out: Rows, deltas: &mut [f32]) {
        let rows = at_out.0.len() / at_out.1;
        for index in (0..self.layers.len() - 1).rev() {
            let (width, stride) = (self.layers[index].outputs, row_stride(self.layers[index].outputs));
            let range = self.hidden_layer(index, rows);
            let (before, after) = deltas.split_at_mut(range.end);
            let delta = &mut before[range.start..];
            let arriving = if index + 2 == self.layers.len() {
                at_out
            } else {
                (&after[..self.hidden_layer(index + 1, rows).len()], row_stride(self.layers[index + 1].outputs))
            };
            self.layers[index + 1].back.product(self.path, arriving, (&mut *delta, stride));
            self.path.run(|| {
                for (delta, slopes) in delta.chunks_exact_mut(stride).zip(slopes[range].chunks_exact(stride)) {
                    delta[..width].iter_mut().zip(&slopes[..width]).for_each(|(delta, slope)| *delta *= slope);
                }
            });
        }
    }

    /// Of the numbers of a tile's hidden layers those of layer `index`; those at the output follow the last.
    fn of_layer<'a>(&self, index: usize, hidden: &'a [f32], at_out: Rows<'a>) -> Rows<'a> {
        if index + 1 == self.layers.len() {
            return at_out;
        }
        let rows = at_out.0.len() / at_out.1;
        (&hidden[self.hidden_layer(index, rows)], row_stride(self.layers[index].outputs))
    }

    /// Add the loss's derivatives by the main inputs to `out`.
    pub(crate) fn add_to_main(&self, deltas: &[f32], at_out: Rows, out: RowsMut) {
        self.layers[0].back.add_product(self.path, self.of_layer(0, deltas, at_out), out);
    }

    /// The loss's derivatives by the inputs beside them, `[rows, beside]`.
    pub(crate) fn to_beside(&self, deltas: &[f32], at_out: Rows, out: &mut [f32]) {
        let (delta, stride) = self.of_layer(0, deltas, at_out);
        let outputs = self.layers[0].outputs;
        self.path.run(|| {
            for (out, delta) in out.chunks_exact_mut(self.beside).zip(delta.chunks_exact(stride)) {
                for (out, weights) in out.iter_mut().zip(self.from_beside.chunks_exact(outputs)) {
                    *out = dot(&delta[..outputs], weights);
                }
            }
        });
    }

    /// Add the loss's derivatives by weights and biases to `gradient`: weights, `[inputs, outputs]`, and biases by turns.
    /// Rows of `at_out` are as far apart as [`row_stride`] says.
    pub(crate) fn add_to_weights(
        &self,
        inputs: Inputs,
        hidden: &[f32],
        deltas: &[f32],
        at_out: Rows,
        mut gradient: &mut [f32],
    ) {
        for (index, layer) in self.layers.iter().enumerate() {
            let delta = self.of_layer(index, deltas, at_out);
            let values = match index {
                0 => inputs.main,
                _ => self.of_layer(index - 1, hidden, at_out),
            };
            let mut part = |length: usize| gradient.split_off_mut(..length).unwrap_or_default();
            add_transposed_product(self.path, values, delta, layer.inputs, part(layer.inputs * layer.outputs));
            if index == 0 && self.beside > 0 {
                let beside = (inputs.beside, self.beside);
                add_transposed_product(self.path, beside, delta, self.beside, part(self.beside * layer.outputs));
            }
            let bias = part(layer.outputs);
            self.path.run(|| {
                for row in delta.0.chunks_exact(delta.1) {
                    bias.iter_mut().zip(row).for_each(|(sum, delta)| *sum += delta);
                }
            });
        }
    }
}

/// A scalar product in 16 sums, so that the compiler vectorises it.
#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (lefts, left_rest) = left.as_chunks::<16>();
    let (rights, right_rest) = right.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for (left, right) in lefts.iter().zip(rights) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    sums.iter().sum::<f32>() + left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum::<f32>()
}
