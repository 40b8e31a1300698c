//! A trained encoder, ready for planning: values, and on dfdx's tape the gradient by what went in. Its weights get none.
//! Read first: [`Encoder::forward`] and [`Encoder::back`].

use crate::network::{Inputs, Mlp, PackedMlp};
use std::sync::Arc;

/// Rows that pass through the network together.
const TILE: usize = 48;

/// A network from `[rows, inputs]` to `[rows, outputs]`.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    mlp: Mlp,
    packed: Arc<PackedMlp>,
}

impl PartialEq for Encoder {
    fn eq(&self, other: &Self) -> bool {
        self.mlp == other.mlp
    }
}

/// What the way back needs of the way there: the activations' slopes, tile by tile.
pub(crate) struct Slopes(Vec<f32>);

impl Encoder {
    pub(crate) fn new(mlp: Mlp) -> Self {
        let packed = Arc::new(PackedMlp::new(&mlp, 0));
        Self { mlp, packed }
    }

    pub(crate) fn mlp(&self) -> &Mlp {
        &self.mlp
    }

    /// What comes out, and what the way back needs where `save` asks for it.
    pub(crate) fn forward(&self, input: &[f32], save: bool) -> (Vec<f32>, Slopes) {
        let (inputs, outputs) = (self.packed.main(), self.packed.outputs());
        let rows = input.len() / inputs;
        let mut out = vec![0.0; rows * outputs];
        // No more than there are rows for: one row of a policy would else spend its time on clearing memory.
        let mut hidden = vec![0.0; self.packed.hidden(rows.min(TILE))];
        let mut slopes = vec![0.0; if save { self.packed.hidden(rows) } else { 0 }];
        let mut rest = &mut slopes[..];
        for (input, out) in input.chunks(TILE * inputs).zip(out.chunks_mut(TILE * outputs)) {
            let width = self.packed.hidden(out.len() / outputs);
            let inputs = Inputs { main: (input, inputs), beside: &[] };
            let slopes = rest.split_off_mut(..width).unwrap_or_default();
            self.packed.forward(inputs, &mut hidden[..width], slopes, out);
        }
        (out, Slopes(slopes))
    }

    /// From the derivatives by what came out, `[rows, outputs]`, to those by what went in, `[rows, inputs]`.
    pub(crate) fn back(&self, slopes: &Slopes, at_out: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (self.packed.main(), self.packed.outputs());
        let rows = at_out.len() / outputs;
        let mut to_input = vec![0.0; rows * inputs];
        let mut deltas = vec![0.0; self.packed.hidden(rows.min(TILE))];
        let mut rest = &slopes.0[..];
        for (at_out, to) in at_out.chunks(TILE * outputs).zip(to_input.chunks_mut(TILE * inputs)) {
            let width = self.packed.hidden(at_out.len() / outputs);
            let slopes = rest.split_off(..width).unwrap_or_default();
            let (deltas, at_out) = (&mut deltas[..width], (at_out, outputs));
            self.packed.deltas(slopes, at_out, deltas);
            self.packed.add_to_main(deltas, at_out, (to, inputs));
        }
        to_input
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn values_are_the_networks_and_the_way_back_agrees_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mlp = Mlp::random(5, &[20, 17], 3, 1.0, &mut rng);
        let encoder = Encoder::new(mlp.clone());
        // More than a tile.
        let mut input: Vec<f32> = (0..60 * 5).map(|_| rng.gen_range(-1.0..1.0)).collect();
        let weights: Vec<f32> = (0..60 * 3).map(|_| rng.gen_range(-1.0..1.0)).collect();
        let (out, slopes) = encoder.forward(&input, true);
        assert!(out.iter().zip(mlp.forward(&input)).all(|(got, expected)| (got - expected).abs() < 1e-5));
        assert_eq!(encoder.forward(&input, false).0, out);
        let back = encoder.back(&slopes, &weights);
        let weighted = |input: &[f32]| -> f32 { mlp.forward(input).iter().zip(&weights).map(|(o, w)| o * w).sum() };
        for index in [0, 7, 123, 244, 299] {
            let mut at = |offset: f32| {
                input[index] += offset;
                let value = weighted(&input);
                input[index] -= offset;
                value
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((slope - back[index]).abs() < 1e-2, "{index}: {} against {slope}", back[index]);
        }
    }
}
