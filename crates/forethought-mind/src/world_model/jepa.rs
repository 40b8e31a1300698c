//! JEPA-1: encoder, action-conditioned predictor and the loss that trains both without collapse (Dawid & LeCun 2023,
//! Sec. 6, Fig. 10). Read first: [`Jepa::loss_and_gradient`].

use super::WorldModelSpec;
use crate::{
    network::{Dense, Mlp, Node, Parameter, linear, rows},
    training::LossWeights,
};
use dfdx::prelude::{Backward, Cpu, MeanTo, OwnedTape, PutTape, SplitTape, Tensor, TensorFromVec};
use forethought_energy::{Matrix, TapedMatrix, TapedScalar, vicreg};
use rand::Rng;

/// Where VICReg's hinge stops asking for more spread: every component's standard deviation.
const GAMMA: f32 = 1.0;

/// The networks in training.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Jepa {
    /// Percept to latent.
    pub(crate) encoder: Mlp,
    /// Latent and action to the latent's change.
    pub(crate) predictor: Mlp,
    /// Two successive latents to the action between them; not needed after training.
    pub(crate) inverse: Mlp,
}

/// Sequences to learn from, time first.
pub(crate) struct Sequences {
    /// `[(unroll + 1) * batch, percept]`.
    pub(crate) percepts: Vec<f32>,
    /// `[unroll * batch, action]`.
    pub(crate) actions: Vec<f32>,
    pub(crate) batch: usize,
    pub(crate) unroll: usize,
}

/// The loss and its terms, each before its weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Loss {
    pub(crate) total: f32,
    pub(crate) prediction: f32,
    pub(crate) variance: f32,
    pub(crate) covariance: f32,
    pub(crate) temporal_similarity: f32,
    pub(crate) inverse_dynamics: f32,
}

/// What one pass over some sequences gives.
pub(crate) struct Pass {
    pub(crate) loss: Loss,
    /// One per [`Jepa::parameters`], in that order.
    pub(crate) gradient: Vec<Vec<f32>>,
    /// `[(unroll + 1) * batch, latent]`.
    pub(crate) latents: Vec<f32>,
}

impl Jepa {
    pub(crate) fn random(spec: &WorldModelSpec, percept: usize, action: usize, rng: &mut impl Rng) -> Self {
        Self {
            encoder: Mlp::random(percept, &spec.encoder_hidden, spec.latent, 1.0, rng),
            // Small at first, so that an untrained predictor says that nothing changes.
            predictor: Mlp::random(spec.latent + action, &spec.predictor_hidden, spec.latent, 0.1, rng),
            inverse: Mlp::random(2 * spec.latent, &spec.inverse_hidden, action, 1.0, rng),
        }
    }

    fn layers(&self) -> impl Iterator<Item = &Dense> {
        self.encoder.layers.iter().chain(&self.predictor.layers).chain(&self.inverse.layers)
    }

    /// Weights and biases by turns, in a fixed order.
    pub(crate) fn parameters(&self) -> Vec<&Vec<f32>> {
        self.layers().flat_map(|layer| [&layer.weight, &layer.bias]).collect()
    }

    /// As [`Jepa::parameters`].
    pub(crate) fn parameters_mut(&mut self) -> Vec<&mut Vec<f32>> {
        let layers = self.encoder.layers.iter_mut().chain(&mut self.predictor.layers).chain(&mut self.inverse.layers);
        layers.flat_map(|layer| [&mut layer.weight, &mut layer.bias]).collect()
    }

    /// The loss on `sequences` and its gradient by dfdx: open-loop prediction over the whole sequence, with gradients
    /// through both sides; VICReg's variance and covariance; temporal similarity; inverse dynamics.
    pub(crate) fn loss_and_gradient(&self, sequences: &Sequences, weights: &LossWeights) -> Pass {
        let device = Cpu::default();
        let (batch, unroll) = (sequences.batch, sequences.unroll);
        let on_device = |mlp: &Mlp| -> Vec<Parameter> {
            let node = |values: &[f32], rows, columns| Node::new(&device, values.to_vec(), rows, columns);
            let layers = mlp.layers.iter();
            let layers = layers.map(|l| (node(&l.weight, l.inputs, l.outputs), node(&l.bias, 1, l.outputs)));
            layers.map(|(weight, bias)| Parameter { weight, bias }).collect()
        };
        let (encoder, predictor, inverse) =
            (on_device(&self.encoder), on_device(&self.predictor), on_device(&self.inverse));
        let mut tape = OwnedTape::default();

        let percepts = Node::new(&device, sequences.percepts.clone(), (unroll + 1) * batch, self.encoder.inputs());
        let latents = apply(&device, &self.encoder, &encoder, &[&percepts], None, &mut tape);

        let action_len = sequences.actions.len() / (unroll * batch);
        let mut prediction_terms = Vec::with_capacity(unroll);
        let mut state = rows(&device, &latents, 0, batch, &mut tape);
        for (step, actions) in sequences.actions.chunks_exact(batch * action_len).enumerate() {
            let target = rows(&device, &latents, (step + 1) * batch, batch, &mut tape);
            let change = apply(&device, &self.predictor, &predictor, &[&state], Some(actions), &mut tape);
            state = sum(&device, &state, &change, &mut tape);
            prediction_terms.push(mean_square(&state.tensor, &target.tensor, &mut tape));
        }

        let mut terms: Vec<Tensor<(), f32, Cpu>> = Vec::new();
        #[expect(clippy::cast_precision_loss, reason = "unrolled for a few steps")]
        let share = 1.0 / prediction_terms.len() as f32;
        terms.push(weighted_sum(&device, prediction_terms.iter().map(|term| (share, term)), &mut tape));
        terms.push(on_tape(&latents.tensor, &mut tape, |latents| vicreg::variance(latents, GAMMA)));
        terms.push(on_tape(&latents.tensor, &mut tape, vicreg::covariance));
        let before = rows(&device, &latents, 0, unroll * batch, &mut tape);
        let after = rows(&device, &latents, batch, unroll * batch, &mut tape);
        terms.push(mean_square(&after.tensor, &before.tensor, &mut tape));
        let recovered = apply(&device, &self.inverse, &inverse, &[&before, &after], None, &mut tape);
        let actions = device.tensor_from_vec(sequences.actions.clone(), (unroll * batch, action_len));
        terms.push(mean_square(&recovered.tensor, &actions, &mut tape));

        let factors = [
            weights.prediction,
            weights.variance,
            weights.covariance,
            weights.temporal_similarity,
            weights.inverse_dynamics,
        ];
        let total = weighted_sum(&device, factors.into_iter().zip(&terms), &mut tape);
        let value = |term: &Tensor<(), f32, Cpu>| term.as_vec()[0];
        let loss = Loss {
            total: value(&total),
            prediction: value(&terms[0]),
            variance: value(&terms[1]),
            covariance: value(&terms[2]),
            temporal_similarity: value(&terms[3]),
            inverse_dynamics: value(&terms[4]),
        };
        let gradients = total.put_tape(tape).backward();
        let parameters = encoder.iter().chain(&predictor).chain(&inverse);
        let gradient =
            parameters.flat_map(|p| [&p.weight, &p.bias]).map(|p| gradients.get(&p.tensor).as_vec()).collect();
        Pass { loss, gradient, latents: latents.data.to_vec() }
    }
}

/// A whole network on the tape.
fn apply(
    device: &Cpu,
    mlp: &Mlp,
    parameters: &[Parameter],
    inputs: &[&Node],
    constant: Option<&[f32]>,
    tape: &mut OwnedTape<f32, Cpu>,
) -> Node {
    let mut hidden = linear(device, inputs, constant, &parameters[0], mlp.activation(0), tape);
    for (index, parameter) in parameters.iter().enumerate().skip(1) {
        hidden = linear(device, &[&hidden], None, parameter, mlp.activation(index), tape);
    }
    hidden
}

fn sum(device: &Cpu, left: &Node, right: &Node, tape: &mut OwnedTape<f32, Cpu>) -> Node {
    let added = left.data.iter().zip(right.data.iter()).map(|(left, right)| left + right).collect();
    let node = Node::new(device, added, left.rows, left.columns);
    let (left, right, out) = (left.tensor.ghost(), right.tensor.ghost(), node.tensor.ghost());
    dfdx::prelude::Tape::add_backward_op(tape, move |gradients| {
        let delta = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        for side in [&left, &right] {
            gradients.get_or_alloc_mut(side)?.iter_mut().zip(&delta).for_each(|(sum, delta)| *sum += delta);
        }
        Ok(())
    });
    node
}

/// One of dfdx's own functions, on a tape that goes on afterwards.
fn on_tape(
    values: &Matrix,
    tape: &mut OwnedTape<f32, Cpu>,
    function: impl FnOnce(TapedMatrix) -> TapedScalar,
) -> Tensor<(), f32, Cpu> {
    let (out, after) = function(values.clone().put_tape(std::mem::take(tape))).split_tape();
    *tape = after;
    out
}

fn mean_square(left: &Matrix, right: &Matrix, tape: &mut OwnedTape<f32, Cpu>) -> Tensor<(), f32, Cpu> {
    on_tape(left, tape, |left| (left - right.clone()).square().mean())
}

fn weighted_sum<'a>(
    device: &Cpu,
    terms: impl Iterator<Item = (f32, &'a Tensor<(), f32, Cpu>)>,
    tape: &mut OwnedTape<f32, Cpu>,
) -> Tensor<(), f32, Cpu> {
    let mut total = device.tensor_from_vec(vec![0.0], ());
    for (weight, term) in terms {
        let (scaled, after) = (term.clone().put_tape(std::mem::take(tape)) * weight).split_tape();
        let (sum, after) = (total.put_tape(after) + scaled).split_tape();
        (total, *tape) = (sum, after);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let spec = WorldModelSpec {
            latent: 3,
            encoder_hidden: vec![6],
            predictor_hidden: vec![5, 4],
            inverse_hidden: vec![4],
        };
        let mut jepa = Jepa::random(&spec, 4, 2, &mut rng);
        jepa.predictor.layers[2].weight.iter_mut().for_each(|weight| *weight *= 10.0);
        let mut random = |count: usize| (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect::<Vec<f32>>();
        let (batch, unroll) = (6, 3);
        let (percepts, actions) = (random((unroll + 1) * batch * 4), random(unroll * batch * 2));
        let sequences = Sequences { percepts, actions, batch, unroll };
        let weights = LossWeights::default();
        let pass = jepa.loss_and_gradient(&sequences, &weights);
        for parameter in 0..pass.gradient.len() {
            let last = pass.gradient[parameter].len() - 1;
            for index in [0, last / 2, last] {
                let mut at = |offset: f32| {
                    jepa.parameters_mut()[parameter][index] += offset;
                    let total = jepa.loss_and_gradient(&sequences, &weights).loss.total;
                    jepa.parameters_mut()[parameter][index] -= offset;
                    total
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                let got = pass.gradient[parameter][index];
                assert!(
                    (slope - got).abs() < 2e-3 + 0.02 * slope.abs(),
                    "parameter {parameter}: {got} against {slope}"
                );
            }
        }
    }
}
