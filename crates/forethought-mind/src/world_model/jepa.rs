//! JEPA-1: encoder, action-conditioned predictor and the loss that trains both without collapse (Dawid & LeCun 2023,
//! Sec. 6, Fig. 10). Read first: [`Trainees::loss_and_gradient`].

use super::WorldModelSpec;
use crate::{
    network::{Dense, Filling, Mlp, Trainee, apply, beside, mean_square, rows, unroll},
    training::LossWeights,
};
use dfdx::prelude::{Backward, Cpu, OwnedTape, PutTape, SplitTape, Tensor, TensorFromVec};
use forethought_energy::{Matrix, TapedMatrix, TapedScalar, numbers, vicreg};
use rand::Rng;
use rayon::prelude::*;

/// Where VICReg's hinge stops asking for more spread: every component's standard deviation.
const GAMMA: f32 = 1.0;

/// The networks in training.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Jepa {
    /// Percept to latent.
    pub(crate) encoder: Mlp,
    /// Latent and the actions of a stride to the latent's change.
    pub(crate) predictor: Mlp,
    /// Two successive latents to the actions between them; not needed after training.
    pub(crate) inverse: Mlp,
}

/// The networks packed for training: what passes over a batch read.
#[derive(Debug, Clone)]
pub(crate) struct Trainees {
    encoder: Trainee,
    predictor: Trainee,
    inverse: Trainee,
}

/// Sequences to learn from, time first.
pub(crate) struct Sequences {
    /// `[(unroll + 1) * batch, percept]`.
    pub(crate) percepts: Vec<f32>,
    /// `[unroll * batch, stride * action]`.
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
    /// Of encoder, predictor and inverse dynamics: each as its part of [`Jepa::parameters`], one after the other.
    pub(crate) gradient: [Vec<f32>; 3],
    /// `[(unroll + 1) * batch, latent]`.
    pub(crate) latents: Vec<f32>,
}

impl Jepa {
    pub(crate) fn random(spec: &WorldModelSpec, percept: usize, action: usize, rng: &mut impl Rng) -> Self {
        Self {
            encoder: Mlp::random(percept, &spec.encoder_hidden, spec.latent, 1.0, rng),
            // Small at first, so that an untrained predictor says that nothing changes.
            predictor: Mlp::random(spec.latent + spec.stride * action, &spec.predictor_hidden, spec.latent, 0.1, rng),
            inverse: Mlp::random(2 * spec.latent, &spec.inverse_hidden, spec.stride * action, 1.0, rng),
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
}

impl Trainees {
    pub(crate) fn new(jepa: &Jepa) -> Self {
        Self {
            encoder: Trainee::new(&jepa.encoder, 0),
            predictor: Trainee::new(&jepa.predictor, jepa.predictor.inputs() - jepa.predictor.outputs()),
            inverse: Trainee::new(&jepa.inverse, 0),
        }
    }

    /// Take over the weights of an update, on the threads of the current rayon pool.
    pub(crate) fn refill(&mut self, jepa: &Jepa) {
        let networks = self.encoder.refill(&jepa.encoder).chain(self.predictor.refill(&jepa.predictor));
        let panels: Vec<Filling> = networks.chain(self.inverse.refill(&jepa.inverse)).collect();
        panels.into_par_iter().with_min_len(8).for_each(Filling::fill);
    }

    /// Take back a pass's gradient, to be used again; what is left is its latents.
    pub(crate) fn recycle(&self, pass: Pass) -> Vec<f32> {
        let networks = [&self.encoder, &self.predictor, &self.inverse];
        networks.into_iter().zip(pass.gradient).for_each(|(network, gradient)| network.recycle(gradient));
        pass.latents
    }

    /// The loss on `sequences` and its gradient by dfdx: open-loop prediction over the whole sequence, with gradients
    /// through both sides; VICReg's variance and covariance; temporal similarity; inverse dynamics.
    pub(crate) fn loss_and_gradient(&self, sequences: Sequences, weights: &LossWeights) -> Pass {
        let Sequences { percepts, actions, batch, unroll: steps } = sequences;
        let device = Cpu::default();
        let mut tape = OwnedTape::default();
        let action_len = actions.len() / (steps * batch);
        let acted = device.tensor_from_vec(actions.clone(), (steps * batch, action_len));

        let latents = apply(&self.encoder, percepts, None, &mut tape);
        let values = numbers(&latents);
        let start = rows(&latents, &values, 0, batch, &mut tape);
        let before = rows(&latents, &values, 0, steps * batch, &mut tape);
        let after = rows(&latents, &values, batch, steps * batch, &mut tape);
        let predicted = unroll(&self.predictor, &start, actions, &mut tape);
        let pairs = beside(&before, &after, &mut tape);
        let recovered = apply(&self.inverse, numbers(&pairs), Some(&pairs), &mut tape);
        let terms = [
            mean_square(&predicted, &after, &mut tape),
            on_tape(&latents, &mut tape, |latents| vicreg::variance(latents, GAMMA)),
            on_tape(&latents, &mut tape, vicreg::covariance),
            mean_square(&after, &before, &mut tape),
            mean_square(&recovered, &acted, &mut tape),
        ];

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
        let mut gradients = total.put_tape(tape).backward();
        let gradient = [&self.encoder, &self.predictor, &self.inverse].map(|network| network.gradient(&mut gradients));
        Pass { loss, gradient, latents: values }
    }
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
            stride: 2,
            encoder_hidden: vec![6],
            predictor_hidden: vec![5, 4],
            inverse_hidden: vec![4],
        };
        let mut jepa = Jepa::random(&spec, 4, 1, &mut rng);
        jepa.predictor.layers[2].weight.iter_mut().for_each(|weight| *weight *= 10.0);
        let mut random = |count: usize| (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect::<Vec<f32>>();
        let (batch, unroll) = (6, 3);
        let (percepts, actions) = (random((unroll + 1) * batch * 4), random(unroll * batch * 2));
        let weights = LossWeights::default();
        let pass = |jepa: &Jepa| {
            let sequences = Sequences { percepts: percepts.clone(), actions: actions.clone(), batch, unroll };
            Trainees::new(jepa).loss_and_gradient(sequences, &weights)
        };
        let gradient = pass(&jepa).gradient.concat();
        let mut first = 0;
        for parameter in 0..jepa.parameters().len() {
            let last = jepa.parameters()[parameter].len() - 1;
            for index in [0, last / 2, last] {
                let mut at = |offset: f32| {
                    jepa.parameters_mut()[parameter][index] += offset;
                    let total = pass(&jepa).loss.total;
                    jepa.parameters_mut()[parameter][index] -= offset;
                    total
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                let got = gradient[first + index];
                assert!(
                    (slope - got).abs() < 2e-3 + 0.02 * slope.abs(),
                    "parameter {parameter}: {got} against {slope}"
                );
            }
            first += last + 1;
        }
        assert_eq!(first, gradient.len());
    }
}
