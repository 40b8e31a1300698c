//! JEPA-1: encoder, action-conditioned predictor and the loss that trains both without collapse (Dawid & LeCun 2023,
//! Sec. 6, Fig. 10). Read first: [`Trainees::loss_and_gradient`].

use super::WorldModelSpec;
use crate::{
    network::{Dense, Filling, Mlp, Trainee, apply, beside, mean_square, rows, unroll},
    training::{
        LossWeights, Objective, Terms,
        objectives::{Latents, PassTape, Term},
    },
};
use dfdx::prelude::{Backward, Cpu, HasShape, PutTape, SplitTape, TensorFromVec};
use forethought_energy::{Matrix, Scalar, numbers};
use rand::Rng;
use rayon::prelude::*;

/// The networks in training.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Jepa {
    /// Percept to latent.
    pub(crate) encoder: Mlp,
    /// Latent and the actions of a stride to the latent's change.
    pub(crate) predictor: Mlp,
    /// Two successive latents to the actions between them; not needed after training.
    pub(crate) inverse: Mlp,
    /// What the latents go through before the objective's terms; not needed after training.
    pub(crate) expander: Option<Mlp>,
    /// A second encoder that follows the first slowly and gives what predictions are compared with; not needed after training.
    pub(crate) target: Option<Mlp>,
}

/// The networks packed for training: what passes over a batch read.
#[derive(Debug, Clone)]
pub(crate) struct Trainees {
    encoder: Trainee,
    predictor: Trainee,
    inverse: Trainee,
    expander: Option<Trainee>,
    target: Option<Trainee>,
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
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Loss {
    pub(crate) total: f32,
    pub(crate) terms: Terms,
}

/// What one pass over some sequences gives.
pub(crate) struct Pass {
    pub(crate) loss: Loss,
    /// Of each trained network as its part of [`Jepa::parameters`], one after the other.
    pub(crate) gradient: Vec<Vec<f32>>,
    /// `[(unroll + 1) * batch, latent]`.
    pub(crate) latents: Vec<f32>,
}

impl Jepa {
    pub(crate) fn random(
        spec: &WorldModelSpec,
        percept: usize,
        action: usize,
        objective: &Objective,
        rng: &mut impl Rng,
    ) -> Self {
        let encoder = Mlp::random(percept, &spec.encoder_hidden, spec.latent, 1.0, rng);
        Self {
            target: objective.momentum().map(|_| encoder.clone()),
            encoder,
            // Small at first, so that an untrained predictor says that nothing changes.
            predictor: Mlp::random(spec.latent + spec.stride * action, &spec.predictor_hidden, spec.latent, 0.1, rng),
            inverse: Mlp::random(2 * spec.latent, &spec.inverse_hidden, spec.stride * action, 1.0, rng),
            expander: objective
                .expander()
                .split_last()
                .map(|(outputs, hidden)| Mlp::random(spec.latent, hidden, *outputs, 1.0, rng)),
        }
    }

    /// Weights and biases that are trained, by turns, in a fixed order.
    pub(crate) fn parameters(&self) -> Vec<&Vec<f32>> {
        [&self.encoder, &self.predictor, &self.inverse].into_iter().chain(&self.expander).flat_map(parameters).collect()
    }

    /// As [`Jepa::parameters`].
    pub(crate) fn parameters_mut(&mut self) -> Vec<&mut Vec<f32>> {
        let networks = [&mut self.encoder, &mut self.predictor, &mut self.inverse];
        networks.into_iter().chain(&mut self.expander).flat_map(parameters_mut).collect()
    }

    /// Weights and biases that follow the encoder's, by turns.
    pub(crate) fn followers(&self) -> Vec<&Vec<f32>> {
        self.target.iter().flat_map(parameters).collect()
    }

    /// As [`Jepa::followers`].
    pub(crate) fn followers_mut(&mut self) -> Vec<&mut Vec<f32>> {
        self.target.iter_mut().flat_map(parameters_mut).collect()
    }

    /// Let the target encoder follow: `target = momentum * target + (1 - momentum) * encoder` (Grill et al., 2020, Eq. 1).
    pub(crate) fn follow(&mut self, momentum: f32) {
        let Self { encoder, target, .. } = self;
        for (slow, fast) in target.iter_mut().flat_map(parameters_mut).zip(parameters(encoder)) {
            slow.iter_mut().zip(fast).for_each(|(slow, fast)| *slow += (1.0 - momentum) * (fast - *slow));
        }
    }
}

fn parameters(network: &Mlp) -> impl Iterator<Item = &Vec<f32>> {
    network.layers.iter().flat_map(|Dense { weight, bias, .. }| [weight, bias])
}

fn parameters_mut(network: &mut Mlp) -> impl Iterator<Item = &mut Vec<f32>> {
    network.layers.iter_mut().flat_map(|Dense { weight, bias, .. }| [weight, bias])
}

impl Trainees {
    pub(crate) fn new(jepa: &Jepa) -> Self {
        Self {
            encoder: Trainee::new(&jepa.encoder, 0),
            predictor: Trainee::new(&jepa.predictor, jepa.predictor.inputs() - jepa.predictor.outputs()),
            inverse: Trainee::new(&jepa.inverse, 0),
            expander: jepa.expander.as_ref().map(|expander| Trainee::new(expander, 0)),
            target: jepa.target.as_ref().map(|target| Trainee::new(target, 0)),
        }
    }

    /// Those that get a gradient, in the order of [`Jepa::parameters`].
    fn trained(&self) -> impl Iterator<Item = &Trainee> {
        [&self.encoder, &self.predictor, &self.inverse].into_iter().chain(&self.expander)
    }

    /// Take over the weights of an update, on the threads of the current rayon pool.
    pub(crate) fn refill(&mut self, jepa: &Jepa) {
        let networks = self.encoder.refill(&jepa.encoder).chain(self.predictor.refill(&jepa.predictor));
        let more = self.expander.iter_mut().zip(&jepa.expander).chain(self.target.iter_mut().zip(&jepa.target));
        let more = more.flat_map(|(trainee, network)| trainee.refill(network));
        let panels: Vec<Filling> = networks.chain(self.inverse.refill(&jepa.inverse)).chain(more).collect();
        panels.into_par_iter().with_min_len(8).for_each(Filling::fill);
    }

    /// Take back a pass's gradient, to be used again; what is left is its latents.
    pub(crate) fn recycle(&self, pass: Pass) -> Vec<f32> {
        self.trained().zip(pass.gradient).for_each(|(network, gradient)| network.recycle(gradient));
        pass.latents
    }

    /// The loss on `sequences` and its gradient by dfdx: open-loop prediction over the whole sequence, the objective's terms,
    /// temporal similarity and inverse dynamics. What the objective draws at random comes from `seed`.
    pub(crate) fn loss_and_gradient(
        &self,
        sequences: Sequences,
        weights: &LossWeights,
        objective: &Objective,
        seed: u64,
    ) -> Pass {
        let Sequences { percepts, actions, batch, unroll: steps } = sequences;
        let device = Cpu::default();
        let mut tape = PassTape::default();
        let action_len = actions.len() / (steps * batch);
        let acted = device.tensor_from_vec(actions.clone(), (steps * batch, action_len));
        let followed = self.target.as_ref().map(|target| {
            let later = percepts[percepts.len() / (steps + 1)..].to_vec();
            apply(target, later, None, &mut PassTape::default())
        });

        let latents = apply(&self.encoder, percepts, None, &mut tape);
        let values = numbers(&latents);
        let start = rows(&latents, &values, 0, batch, &mut tape);
        let before = rows(&latents, &values, 0, steps * batch, &mut tape);
        let after = rows(&latents, &values, batch, steps * batch, &mut tape);
        let predicted = unroll(&self.predictor, &start, actions, &mut tape);
        let pairs = beside(&before, &after, &mut tape);
        let recovered = apply(&self.inverse, numbers(&pairs), Some(&pairs), &mut tape);
        let target = match followed {
            Some(followed) => followed,
            None if objective.stops_gradient() => detached(&after),
            None => after.clone(),
        };
        let compared = if weights.stop_gradient { detached(&target) } else { target.clone() };

        let prediction = mean_square(&predicted, &compared, &mut tape);
        let mut terms = vec![Term::new("prediction", weights.prediction, prediction)];
        let seen = Latents {
            encoded: &latents,
            predicted: &predicted,
            target: &target,
            batch,
            expander: self.expander.as_ref(),
            seed,
        };
        terms.extend(objective.terms(&seen, &mut tape));
        let similarity = mean_square(&after, &before, &mut tape);
        terms.push(Term::new("temporal_similarity", weights.temporal_similarity, similarity));
        let inverse = mean_square(&recovered, &acted, &mut tape);
        terms.push(Term::new("inverse_dynamics", weights.inverse_dynamics, inverse));

        let total = weighted_sum(&device, &terms, &mut tape);
        let value = |term: &Scalar| term.as_vec()[0];
        let named = terms.iter().map(|term| (term.name, value(&term.value))).collect();
        let loss = Loss { total: value(&total), terms: Terms(named) };
        let mut gradients = total.put_tape(tape).backward();
        let gradient = self.trained().map(|network| network.gradient(&mut gradients)).collect();
        Pass { loss, gradient, latents: values }
    }
}

/// The same numbers, from which no gradient comes (stop-gradient).
fn detached(values: &Matrix) -> Matrix {
    Cpu::default().tensor_from_vec(numbers(values), *values.shape())
}

fn weighted_sum(device: &Cpu, terms: &[Term], tape: &mut PassTape) -> Scalar {
    let mut total = device.tensor_from_vec(vec![0.0], ());
    for Term { weight, value, .. } in terms {
        let (scaled, after) = (value.clone().put_tape(std::mem::take(tape)) * *weight).split_tape();
        let (sum, after) = (total.put_tape(after) + scaled).split_tape();
        (total, *tape) = (sum, after);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::objectives::{
        BarlowTwinsSpec, ByolSpec, InfoNceSpec, PairwiseHingeSpec, SigRegSpec, SimSiamSpec, VicRegSpec,
    };
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn check_gradient(objective: &Objective, weights: &LossWeights) {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let spec = WorldModelSpec {
            latent: 3,
            stride: 2,
            encoder_hidden: vec![6],
            predictor_hidden: vec![5, 4],
            inverse_hidden: vec![4],
        };
        let mut jepa = Jepa::random(&spec, 4, 1, objective, &mut rng);
        jepa.predictor.layers[2].weight.iter_mut().for_each(|weight| *weight *= 10.0);
        let mut random = |count: usize| (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect::<Vec<f32>>();
        let (batch, unroll) = (6, 3);
        let (percepts, actions) = (random((unroll + 1) * batch * 4), random(unroll * batch * 2));
        let pass = |jepa: &Jepa| {
            let sequences = Sequences { percepts: percepts.clone(), actions: actions.clone(), batch, unroll };
            Trainees::new(jepa).loss_and_gradient(sequences, weights, objective, 5)
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
                    "{objective:?}, parameter {parameter}: {got} against {slope}"
                );
            }
            first += last + 1;
        }
        assert_eq!(first, gradient.len());
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let expanded = VicRegSpec { expander: vec![7, 5], ..VicRegSpec::default() };
        let barlow = BarlowTwinsSpec { expander: vec![5], ..BarlowTwinsSpec::default() };
        for objective in [
            Objective::default(),
            Objective::VicReg(expanded),
            Objective::BarlowTwins(barlow),
            Objective::SigReg(SigRegSpec { weight: 0.2, ..SigRegSpec::default() }),
            Objective::InfoNce(InfoNceSpec { temperature: 0.5, ..InfoNceSpec::default() }),
            Objective::PairwiseHinge(PairwiseHingeSpec { margin: 3.0, ..PairwiseHingeSpec::default() }),
            Objective::Byol(ByolSpec::default()),
        ] {
            check_gradient(&objective, &LossWeights::default());
        }
    }

    /// Where the target's gradient is stopped, prediction reaches the encoder through the start alone; BYOL's target is then
    /// no other than SimSiam's, as long as the second encoder is the first.
    #[test]
    fn a_stopped_gradient_does_not_come_through_the_target() {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let spec = WorldModelSpec { latent: 3, encoder_hidden: vec![6], ..WorldModelSpec::default() };
        let (byol, simsiam) = (Objective::Byol(ByolSpec::default()), Objective::SimSiam(SimSiamSpec::default()));
        let jepa = Jepa::random(&spec, 4, 1, &byol, &mut rng);
        let mut random = |count: usize| (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect::<Vec<f32>>();
        let (percepts, actions) = (random(3 * 6 * 4), random(2 * 6 * 4));
        let pass = |jepa: &Jepa, objective: &Objective, stop_gradient: bool| {
            let weights = LossWeights {
                stop_gradient,
                temporal_similarity: 0.0,
                inverse_dynamics: 0.0,
                ..LossWeights::default()
            };
            let sequences = Sequences { percepts: percepts.clone(), actions: actions.clone(), batch: 6, unroll: 2 };
            Trainees::new(jepa).loss_and_gradient(sequences, &weights, objective, 5)
        };
        let alone = Jepa { target: None, ..jepa.clone() };
        assert_eq!(pass(&jepa, &byol, false).gradient, pass(&alone, &simsiam, false).gradient);
        let none = Objective::VicReg(VicRegSpec { variance: 0.0, covariance: 0.0, ..VicRegSpec::default() });
        assert_ne!(pass(&alone, &none, false).gradient[0], pass(&alone, &none, true).gradient[0]);
        assert_eq!(pass(&alone, &none, false).loss, pass(&alone, &none, true).loss);
    }

    #[test]
    fn the_target_encoder_follows_as_said() {
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let byol = Objective::Byol(ByolSpec::default());
        let mut jepa = Jepa::random(&WorldModelSpec::default(), 4, 1, &byol, &mut rng);
        assert_eq!(jepa.followers().len(), 6);
        jepa.encoder.layers[1].weight[7] += 1.0;
        let before = jepa.followers()[2][7];
        jepa.follow(0.75);
        assert!((jepa.followers()[2][7] - (before + 0.25)).abs() < 1e-6);
        let still = jepa.clone();
        jepa.follow(1.0);
        assert_eq!(jepa, still);
        jepa.follow(0.0);
        assert!((jepa.followers()[2][7] - (before + 1.0)).abs() < 1e-6);
        assert!(Jepa::random(&WorldModelSpec::default(), 4, 1, &Objective::default(), &mut rng).target.is_none());
    }
}
