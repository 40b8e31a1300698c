//! A JEPA, the same on every level: encoder, action-conditioned predictor and the loss that trains both without collapse
//! (Dawid & LeCun 2023, Sec. 6, Fig. 10). Read first: [`Trainees::loss_and_gradient`].

use super::{LatentVariableSpec, LevelSpec, WorldModelSpec, latent_variable};
use crate::{
    network::{Filling, Mlp, Trainee, apply, beside, mean_square, rows, unroll},
    training::{
        LossWeights, Objective, Terms,
        objectives::{Latents, PassTape, Term},
    },
};
use dfdx::prelude::{Backward, Cpu, HasShape, PutTape, SplitTape, TensorFromVec};
use forethought_energy::{Matrix, Scalar, numbers};
use forethought_interface::derive_seed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
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
    /// A chunk of actions to an abstract action, before its squashing; none on the first level, where actions are as they are.
    pub(crate) action: Option<Mlp>,
    /// A latent to where the agent is, where a floor plan is read; the readout takes its place after training.
    pub(crate) place: Option<Mlp>,
    /// A latent to what the body feels, on the first level of an agent with such senses.
    pub(crate) body: Option<Mlp>,
    /// What the predictor is told besides.
    latent_variable: Option<LatentVariableSpec>,
}

/// What goes into a level's networks and how wide they are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// Values that the encoder reads.
    pub(crate) percept: usize,
    pub(crate) latent: usize,
    /// Values of all actions below that one prediction spans.
    pub(crate) chunk: usize,
    /// Values of a glimpse of the floor plan.
    pub(crate) glimpse: usize,
    /// Values that the body feels.
    pub(crate) felt: usize,
    latent_variable: Option<LatentVariableSpec>,
    /// Width and hidden layers of the abstract action.
    action: Option<(usize, Vec<usize>)>,
    encoder_hidden: Vec<usize>,
    predictor_hidden: Vec<usize>,
    inverse_hidden: Vec<usize>,
}

impl Shape {
    /// JEPA-1's.
    pub(crate) fn first(spec: &WorldModelSpec, percept: usize, action_len: usize, glimpse: usize, felt: usize) -> Self {
        Self {
            percept,
            latent: spec.latent,
            chunk: spec.stride * action_len,
            glimpse,
            felt,
            latent_variable: spec.latent_variable.clone(),
            action: None,
            encoder_hidden: spec.encoder_hidden.clone(),
            predictor_hidden: spec.predictor_hidden.clone(),
            inverse_hidden: spec.inverse_hidden.clone(),
        }
    }

    /// That of a level upon this one.
    pub(crate) fn above(&self, spec: &LevelSpec) -> Self {
        Self {
            percept: self.latent,
            latent: spec.latent,
            chunk: spec.stride * self.acting(),
            glimpse: self.glimpse,
            felt: 0,
            latent_variable: None,
            action: Some((spec.action, spec.action_hidden.clone())),
            encoder_hidden: spec.encoder_hidden.clone(),
            predictor_hidden: spec.predictor_hidden.clone(),
            inverse_hidden: spec.inverse_hidden.clone(),
        }
    }

    /// Those of all levels, from the first up.
    pub(crate) fn all(
        spec: &WorldModelSpec,
        percept: usize,
        action_len: usize,
        glimpse: usize,
        felt: usize,
    ) -> Vec<Self> {
        let mut shapes = vec![Self::first(spec, percept, action_len, glimpse, felt)];
        for level in &spec.levels {
            let above = shapes[shapes.len() - 1].above(level);
            shapes.push(above);
        }
        shapes
    }

    /// Values that one prediction acts on.
    pub(crate) fn acting(&self) -> usize {
        self.action.as_ref().map_or(self.chunk, |(width, _)| *width)
    }

    /// Values that the latent variable may have; 0 without one.
    pub(crate) fn codes(&self) -> usize {
        self.latent_variable.as_ref().map_or(0, |spec| spec.codes)
    }

    /// Layer sizes of the encoder, the predictor, the inverse dynamics and the action encoder: inputs, hidden, outputs.
    pub(crate) fn networks(&self) -> (Sizes<'_>, Sizes<'_>, Sizes<'_>, Option<Sizes<'_>>) {
        let predicting = self.latent + self.acting() + self.codes() + self.glimpse;
        (
            (self.percept, &self.encoder_hidden, self.latent),
            (predicting, &self.predictor_hidden, self.latent),
            (2 * self.latent, &self.inverse_hidden, self.chunk),
            self.action.as_ref().map(|(width, hidden)| (self.chunk, &hidden[..], *width)),
        )
    }
}

/// Inputs, hidden layers, outputs.
pub(crate) type Sizes<'a> = (usize, &'a [usize], usize);

/// The networks packed for training: what passes over a batch read.
#[derive(Debug, Clone)]
pub(crate) struct Trainees {
    encoder: Trainee,
    predictor: Trainee,
    inverse: Trainee,
    expander: Option<Trainee>,
    target: Option<Trainee>,
    action: Option<Trainee>,
    place: Option<Trainee>,
    body: Option<Trainee>,
    latent_variable: Option<LatentVariableSpec>,
}

/// Sequences to learn from, time first.
pub(crate) struct Sequences {
    /// `[(unroll + 1) * batch, percept]`.
    pub(crate) percepts: Vec<f32>,
    /// `[unroll * batch, chunk]`.
    pub(crate) actions: Vec<f32>,
    /// What the floor plan shows before each prediction, `[unroll * batch, glimpse]`; empty without one.
    pub(crate) glimpses: Vec<f32>,
    /// Where the agent is, `[(unroll + 1) * batch, 2]`, the arena from -1 to 1; empty without a floor plan.
    pub(crate) places: Vec<f32>,
    /// What the body feels, `[(unroll + 1) * batch, felt]`, normalised; empty without such senses.
    pub(crate) felt: Vec<f32>,
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
    pub(crate) fn random(shape: &Shape, objective: &Objective, rng: &mut impl Rng) -> Self {
        let (encoder, predictor, inverse, action) = shape.networks();
        let mut network =
            |(inputs, hidden, outputs): Sizes, last_scale| Mlp::random(inputs, hidden, outputs, last_scale, rng);
        let encoder = network(encoder, 1.0);
        Self {
            target: objective.momentum().map(|_| encoder.clone()),
            encoder,
            // Small at first, so that an untrained predictor says that nothing changes.
            predictor: network(predictor, 0.1),
            inverse: network(inverse, 1.0),
            expander: objective
                .expander()
                .split_last()
                .map(|(outputs, hidden)| network((shape.latent, hidden, *outputs), 1.0)),
            action: action.map(|sizes| network(sizes, 1.0)),
            place: (shape.glimpse > 0).then(|| network((shape.latent, &[], 2), 1.0)),
            body: (shape.felt > 0).then(|| network((shape.latent, &[], shape.felt), 1.0)),
            latent_variable: shape.latent_variable.clone(),
        }
    }

    /// Weights and biases that are trained, by turns, in a fixed order.
    pub(crate) fn parameters(&self) -> Vec<&Vec<f32>> {
        let more = self.expander.iter().chain(&self.action).chain(&self.place).chain(&self.body);
        [&self.encoder, &self.predictor, &self.inverse].into_iter().chain(more).flat_map(Mlp::parameters).collect()
    }

    /// As [`Jepa::parameters`].
    pub(crate) fn parameters_mut(&mut self) -> Vec<&mut Vec<f32>> {
        let networks = [&mut self.encoder, &mut self.predictor, &mut self.inverse];
        let more = self.expander.iter_mut().chain(&mut self.action).chain(&mut self.place).chain(&mut self.body);
        networks.into_iter().chain(more).flat_map(Mlp::parameters_mut).collect()
    }

    /// Weights and biases that follow the encoder's, by turns.
    pub(crate) fn followers(&self) -> Vec<&Vec<f32>> {
        self.target.iter().flat_map(Mlp::parameters).collect()
    }

    /// As [`Jepa::followers`].
    pub(crate) fn followers_mut(&mut self) -> Vec<&mut Vec<f32>> {
        self.target.iter_mut().flat_map(Mlp::parameters_mut).collect()
    }

    /// Let the target encoder follow: `target = momentum * target + (1 - momentum) * encoder` (Grill et al., 2020, Eq. 1).
    pub(crate) fn follow(&mut self, momentum: f32) {
        let Self { encoder, target, .. } = self;
        for (slow, fast) in target.iter_mut().flat_map(Mlp::parameters_mut).zip(encoder.parameters()) {
            slow.iter_mut().zip(fast).for_each(|(slow, fast)| *slow += (1.0 - momentum) * (fast - *slow));
        }
    }
}

impl Trainees {
    pub(crate) fn new(jepa: &Jepa) -> Self {
        Self {
            encoder: Trainee::new(&jepa.encoder, 0),
            predictor: Trainee::new(&jepa.predictor, jepa.predictor.inputs() - jepa.predictor.outputs()),
            inverse: Trainee::new(&jepa.inverse, 0),
            expander: jepa.expander.as_ref().map(|expander| Trainee::new(expander, 0)),
            target: jepa.target.as_ref().map(|target| Trainee::new(target, 0)),
            action: jepa.action.as_ref().map(|action| Trainee::new(action, 0)),
            place: jepa.place.as_ref().map(|place| Trainee::new(place, 0)),
            body: jepa.body.as_ref().map(|body| Trainee::new(body, 0)),
            latent_variable: jepa.latent_variable.clone(),
        }
    }

    /// Those that get a gradient, in the order of [`Jepa::parameters`].
    fn trained(&self) -> impl Iterator<Item = &Trainee> {
        [&self.encoder, &self.predictor, &self.inverse]
            .into_iter()
            .chain(&self.expander)
            .chain(&self.action)
            .chain(&self.place)
            .chain(&self.body)
    }

    /// Take over the weights of an update, on the threads of the current rayon pool.
    pub(crate) fn refill(&mut self, jepa: &Jepa) {
        let networks = self.encoder.refill(&jepa.encoder).chain(self.predictor.refill(&jepa.predictor));
        let more = self.expander.iter_mut().zip(&jepa.expander).chain(self.target.iter_mut().zip(&jepa.target));
        let more = more.chain(self.action.iter_mut().zip(&jepa.action));
        let more = more.chain(self.place.iter_mut().zip(&jepa.place)).chain(self.body.iter_mut().zip(&jepa.body));
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
    /// temporal similarity and inverse dynamics. With a latent variable the prediction of each sequence is that under the code
    /// which predicts it best, or now and then under any. What is drawn at random comes from `seed`.
    pub(crate) fn loss_and_gradient(
        &self,
        sequences: Sequences,
        weights: &LossWeights,
        objective: &Objective,
        seed: u64,
    ) -> Pass {
        self.pass(sequences, weights, objective, seed, None)
    }

    /// For each sequence the code under which it is predicted best; none without a latent variable.
    pub(crate) fn best_codes(&self, sequences: &Sequences) -> Vec<usize> {
        let Sequences { percepts, actions, glimpses, batch, unroll: steps, .. } = sequences;
        let tape = &mut PassTape::default();
        let latents = apply(&self.encoder, percepts.clone(), None, tape);
        let values = numbers(&latents);
        let start = rows(&latents, &values, 0, *batch, tape);
        let action = self.action.as_ref();
        let acting = action.map(|network| numbers(&squash(&apply(network, actions.clone(), None, tape), tape)));
        let acting = acting.as_ref().unwrap_or(actions);
        match &self.latent_variable {
            None => vec![],
            Some(spec) => self.best_of(spec, &start, acting, glimpses, &values[values.len() / (steps + 1)..]),
        }
    }

    /// As [`Trainees::best_codes`], by what is at hand in a pass: `start` `[batch, latent]`, `acting` `[steps * batch, action]`,
    /// `glimpses` and `target` `[steps * batch, latent]`.
    fn best_of(
        &self,
        spec: &LatentVariableSpec,
        start: &Matrix,
        acting: &[f32],
        glimpses: &[f32],
        target: &[f32],
    ) -> Vec<usize> {
        let (batch, latent) = *start.shape();
        let steps = target.len() / (batch * latent);
        let error = |code: usize| {
            let told = latent_variable::one_hot(&vec![code; batch], spec.codes, steps);
            let beside = side_by_side(acting.to_vec(), &told, steps * batch);
            let beside = side_by_side(beside, glimpses, steps * batch);
            let predicted = numbers(&unroll(&self.predictor, start, beside, None, &mut PassTape::default()));
            let mut errors = vec![0.0; batch];
            for (row, (got, wanted)) in predicted.chunks_exact(latent).zip(target.chunks_exact(latent)).enumerate() {
                errors[row % batch] += got.iter().zip(wanted).map(|(got, wanted)| (got - wanted).powi(2)).sum::<f32>();
            }
            errors
        };
        latent_variable::best(&(0..spec.codes).map(error).collect::<Vec<_>>())
    }

    /// As [`Trainees::loss_and_gradient`], under these codes if there are any.
    fn pass(
        &self,
        sequences: Sequences,
        weights: &LossWeights,
        objective: &Objective,
        seed: u64,
        given: Option<Vec<usize>>,
    ) -> Pass {
        let Sequences { percepts, actions, glimpses, places, felt, batch, unroll: steps } = sequences;
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
        let codes =
            self.action.as_ref().map(|network| squash(&apply(network, actions.clone(), None, &mut tape), &mut tape));
        let mut acting = codes.as_ref().map_or(actions, numbers);
        let target = match followed {
            Some(followed) => followed,
            None if objective.stops_gradient() => detached(&after),
            None => after.clone(),
        };
        let compared = if weights.stop_gradient { detached(&target) } else { target.clone() };
        let mut told_bits = None;
        if let Some(spec) = &self.latent_variable {
            let mut told = given.unwrap_or_else(|| self.best_of(spec, &start, &acting, &glimpses, &numbers(&target)));
            told_bits = Some(latent_variable::bits(&latent_variable::shares(&told, spec.codes)));
            spec.disturb(&mut told, &mut ChaCha8Rng::seed_from_u64(derive_seed(seed, "codes", 0)));
            acting = side_by_side(acting, &latent_variable::one_hot(&told, spec.codes, steps), steps * batch);
        }
        let acting = side_by_side(acting, &glimpses, steps * batch);
        let predicted = unroll(&self.predictor, &start, acting, codes.as_ref(), &mut tape);
        let pairs = beside(&before, &after, &mut tape);
        let recovered = apply(&self.inverse, numbers(&pairs), Some(&pairs), &mut tape);

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
        let heads = [
            (&self.place, places, weights.place, ["place", "predicted_place"]),
            (&self.body, felt, weights.interoception, ["interoception", "predicted_interoception"]),
        ];
        for (head, truth, weight, names) in heads {
            let Some(head) = head else { continue };
            // Of what is encoded, and of what is predicted.
            let later = truth[truth.len() / (steps + 1)..].to_vec();
            for (name, latents, truth) in [(names[0], &latents, truth), (names[1], &predicted, later)] {
                let decoded = apply(head, numbers(latents), Some(latents), &mut tape);
                let truth = device.tensor_from_vec(truth, *decoded.shape());
                terms.push(Term::new(name, weight, mean_square(&decoded, &truth, &mut tape)));
            }
        }

        let total = weighted_sum(&device, &terms, &mut tape);
        let value = |term: &Scalar| term.as_vec()[0];
        let named = terms.iter().map(|term| (term.name, value(&term.value)));
        // No term of the loss, but told with them.
        let named = named.chain(told_bits.map(|bits| ("latent_variable_bits", bits))).collect();
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

/// Actions with what is seen, row by row.
fn side_by_side(actions: Vec<f32>, glimpses: &[f32], rows: usize) -> Vec<f32> {
    if glimpses.is_empty() {
        return actions;
    }
    let (acting, seen) = (actions.len() / rows, glimpses.len() / rows);
    let mut joined = Vec::with_capacity(actions.len() + glimpses.len());
    for (actions, glimpse) in actions.chunks_exact(acting).zip(glimpses.chunks_exact(seen)) {
        joined.extend_from_slice(actions);
        joined.extend_from_slice(glimpse);
    }
    joined
}

/// `tanh`.
fn squash(values: &Matrix, tape: &mut PassTape) -> Matrix {
    let (out, after) = values.clone().put_tape(std::mem::take(tape)).tanh().split_tape();
    *tape = after;
    out
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
        let spec = WorldModelSpec {
            latent: 3,
            stride: 2,
            encoder_hidden: vec![6],
            predictor_hidden: vec![5, 4],
            inverse_hidden: vec![4],
            ..WorldModelSpec::default()
        };
        let first = Shape::first(&spec, 4, 1, 2, 2);
        let level = LevelSpec {
            stride: 2,
            latent: 3,
            action: 2,
            action_hidden: vec![3],
            encoder_hidden: vec![4],
            predictor_hidden: vec![5, 4],
            inverse_hidden: vec![4],
            ..LevelSpec::default()
        };
        let told = WorldModelSpec { latent_variable: Some(LatentVariableSpec { codes: 3, random_share: 0.5 }), ..spec };
        for shape in [first.above(&level), first, Shape::first(&told, 4, 1, 2, 2)] {
            check_gradient_of(&shape, objective, weights);
        }
    }

    fn check_gradient_of(shape: &Shape, objective: &Objective, weights: &LossWeights) {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        // A large weight on a small network bends more between the two sides of a difference than may be.
        let weights = &LossWeights { place: 1.0, interoception: 1.0, ..weights.clone() };
        let mut jepa = Jepa::random(shape, objective, &mut rng);
        jepa.predictor.layers[2].weight.iter_mut().for_each(|weight| *weight *= 10.0);
        let mut random = |count: usize| (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect::<Vec<f32>>();
        let (batch, unroll) = (6, 3);
        let percepts = random((unroll + 1) * batch * shape.percept);
        let (actions, glimpses) = (random(unroll * batch * shape.chunk), random(unroll * batch * shape.glimpse));
        let places = random((unroll + 1) * batch * 2);
        let felt = random((unroll + 1) * batch * shape.felt);
        let pass = |jepa: &Jepa| {
            let (percepts, actions) = (percepts.clone(), actions.clone());
            let (glimpses, places, felt) = (glimpses.clone(), places.clone(), felt.clone());
            let sequences = Sequences { percepts, actions, glimpses, places, felt, batch, unroll };
            // Which code wins must not change between the two sides of a difference.
            Trainees::new(jepa).pass(sequences, weights, objective, 5, Some(vec![0, 1, 2, 1, 0, 2]))
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
                let slope = (at(3e-3) - at(-3e-3)) / 6e-3;
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
        let jepa = Jepa::random(&Shape::first(&spec, 4, 1, 0, 0), &byol, &mut rng);
        let mut random = |count: usize| (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect::<Vec<f32>>();
        let (percepts, actions) = (random(3 * 6 * 4), random(2 * 6 * 4));
        let pass = |jepa: &Jepa, objective: &Objective, stop_gradient: bool| {
            let weights = LossWeights {
                stop_gradient,
                temporal_similarity: 0.0,
                inverse_dynamics: 0.0,
                ..LossWeights::default()
            };
            let (percepts, actions) = (percepts.clone(), actions.clone());
            let (glimpses, places, felt) = (vec![], vec![], vec![]);
            let sequences = Sequences { percepts, actions, glimpses, places, felt, batch: 6, unroll: 2 };
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
        let shape = Shape::first(&WorldModelSpec::default(), 4, 1, 0, 0);
        let mut jepa = Jepa::random(&shape, &byol, &mut rng);
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
        assert!(Jepa::random(&shape, &Objective::default(), &mut rng).target.is_none());
    }
}
