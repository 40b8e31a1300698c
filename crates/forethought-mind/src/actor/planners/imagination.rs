//! What every planner works with: futures to judge, action sequences, and where random ones come from.
//! Read first: [`Imagination`].

use crate::{
    actor::exploration::{ExplorationSpec, Walk},
    cost::{Extent, Imagined, IntrinsicCost},
    world_model::predictor::{Predictor, part_of, rollout, side_by_side},
};
use dfdx::prelude::{Backward, Cpu, PutTape, SplitTape, TensorFromVec, Trace};
use forethought_energy::numbers;
use rand::Rng;
use std::sync::Arc;

/// How many candidates a thought shows at most.
const SHOWN: usize = 24;

/// The present, the goal and the means to imagine what comes.
pub(crate) struct Imagination<'a> {
    pub(crate) predictor: &'a Arc<Predictor>,
    pub(crate) cost: &'a IntrinsicCost,
    /// The present, `[latent]`.
    pub(crate) latent: &'a [f32],
    /// The goal, `[latent]`; empty without one.
    pub(crate) goal: &'a [f32],
    /// Predictions in each future.
    pub(crate) steps: usize,
    /// Control steps that each spans.
    pub(crate) stride: usize,
    /// Predictor calls so far: one is one transition of one future, forward or backward.
    pub(crate) evaluations: u64,
}

impl Imagination<'_> {
    fn count(&mut self, batch: usize, passes: usize) {
        self.evaluations += (self.steps * batch * passes) as u64;
    }

    /// Sequences `[horizon, action]` side by side, the actions of each prediction together.
    pub(crate) fn population(&self, sequences: &[Vec<f32>]) -> Population {
        Population::from_sequences(sequences, self.predictor.action_len())
    }

    /// The energy of each sequence: `[batch]`.
    pub(crate) fn energies(&mut self, population: &Population) -> Vec<f32> {
        let batch = population.batch;
        self.count(batch, 1);
        let latents = self.predictor.imagine(&self.latent.repeat(batch), &population.actions);
        self.judge(&latents, &population.actions, batch)
    }

    /// The energy of each sequence `tanh(u)`, `[batch]`, and the gradient with respect to `u`, `[steps, batch, actions]`,
    /// by dfdx. Spread over the threads of the current rayon pool.
    pub(crate) fn energies_and_gradient(&mut self, u: &[f32], batch: usize) -> (Vec<f32>, Vec<f32>) {
        self.count(batch, 2);
        let (this, width) = (&*self, self.predictor.action_len());
        let parts = this.predictor.in_parts(batch, this.steps, |futures| {
            this.energies_and_gradient_of(part_of(u, batch, &futures, width).into_owned(), futures.len())
        });
        let (energies, gradients): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        (energies.concat(), side_by_side(gradients, self.steps))
    }

    fn energies_and_gradient_of(&self, u: Vec<f32>, batch: usize) -> (Vec<f32>, Vec<f32>) {
        let device = Cpu::default();
        let start = device.tensor_from_vec(self.latent.repeat(batch), (batch, self.latent.len()));
        let leaf = device.tensor_from_vec(u, (self.steps * batch, self.predictor.action_len()));
        let (actions, tape) = leaf.leaky_trace().tanh().split_tape();
        let (latents, tape) = rollout(self.predictor, &start, actions.clone().put_tape(tape)).split_tape();
        let energies = self.judge(&numbers(&latents), &numbers(&actions), batch);
        let gradients = self.cost.total(latents.put_tape(tape), &actions, self.goal, self.extent()).backward();
        (energies, gradients.get(&leaf).as_vec())
    }

    fn judge(&self, latents: &[f32], actions: &[f32], batch: usize) -> Vec<f32> {
        self.cost.energies(&Imagined { latents, actions, batch, extent: self.extent() }, self.goal)
    }

    fn extent(&self) -> Extent {
        Extent { steps: self.steps, stride: self.stride }
    }
}

/// Action sequences side by side, time first: `[steps, batch, actions]`, where `actions` are those of one prediction.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Population {
    pub(crate) actions: Vec<f32>,
    pub(crate) batch: usize,
    /// Values that one prediction acts on: those of all its control steps.
    pub(crate) acting: usize,
}

impl Population {
    /// From sequences `[steps, actions]`, all of one length.
    pub(crate) fn from_sequences(sequences: &[Vec<f32>], acting: usize) -> Self {
        let steps = sequences.first().map_or(0, Vec::len) / acting.max(1);
        let mut actions = Vec::with_capacity(sequences.len() * steps * acting);
        for step in 0..steps {
            for sequence in sequences {
                actions.extend_from_slice(&sequence[step * acting..(step + 1) * acting]);
            }
        }
        Self { actions, batch: sequences.len(), acting }
    }

    /// Sequence `index`: `[steps, actions]`.
    pub(crate) fn sequence(&self, index: usize) -> Vec<f32> {
        let steps = self.actions.chunks_exact(self.batch * self.acting);
        steps.flat_map(|step| &step[index * self.acting..(index + 1) * self.acting]).copied().collect()
    }
}

/// Where random action sequences come from: the exploration's steadier walks, and what is left of the last plan.
pub(crate) struct Starts<'a> {
    pub(crate) exploration: &'a ExplorationSpec,
    pub(crate) action_len: usize,
    pub(crate) horizon: usize,
    /// What is left of the last plan, `[less than horizon, action]`; empty without one.
    pub(crate) warm: &'a [f32],
}

impl Starts<'_> {
    /// `count` sequences: walks, one in eight of which go on where the last plan ends.
    pub(crate) fn draw(&mut self, count: usize, rng: &mut impl Rng) -> Vec<Vec<f32>> {
        (0..count)
            .map(|index| {
                let mut sequence = Vec::with_capacity(self.horizon * self.action_len);
                if index % 8 == 0 {
                    sequence.extend_from_slice(self.warm);
                }
                let mut walk = Walk::steady(self.exploration, self.action_len, rng);
                while sequence.len() < self.horizon * self.action_len {
                    walk.next_into(rng, &mut sequence);
                }
                sequence
            })
            .collect()
    }
}

/// What a planner found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Proposal {
    /// Sequences `[horizon, action]` with their energies, best first; never empty.
    pub(crate) candidates: Vec<(Vec<f32>, f32)>,
    /// The lowest energy after each iteration.
    pub(crate) energy_by_iteration: Vec<f32>,
}

impl Proposal {
    /// Rank a population, best first. What is not finite comes last.
    pub(crate) fn rank(population: &Population, energies: &[f32]) -> Self {
        let candidates =
            order(energies).into_iter().take(SHOWN).map(|i| (population.sequence(i), energies[i])).collect();
        let mut proposal = Self { candidates, energy_by_iteration: vec![] };
        proposal.note_iteration();
        proposal
    }

    /// Take in more candidates.
    pub(crate) fn merge(&mut self, other: Self) {
        self.candidates.extend(other.candidates);
        self.candidates.sort_by(|a, b| rank_key(a.1).total_cmp(&rank_key(b.1)));
        self.candidates.truncate(SHOWN);
        self.note_iteration();
    }

    fn note_iteration(&mut self) {
        self.energy_by_iteration.extend(self.candidates.first().map(|best| best.1));
    }
}

fn rank_key(energy: f32) -> f32 {
    if energy.is_finite() { energy } else { f32::INFINITY }
}

/// Indices by energy, lowest first; equal ones in their order.
pub(crate) fn order(energies: &[f32]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..energies.len()).collect();
    indices.sort_by(|a, b| rank_key(energies[*a]).total_cmp(&rank_key(energies[*b])));
    indices
}

/// Noise `[horizon, action]` with deviation 1 that keeps its direction for a while, as exploration does: independent noise
/// averages to standing still.
pub(crate) fn coloured_noise(horizon: usize, action_len: usize, rng: &mut impl Rng) -> Vec<f32> {
    const MEMORY: f32 = 0.9;
    let mut noise: Vec<f32> = Vec::with_capacity(horizon * action_len);
    for index in 0..horizon * action_len {
        let fresh = crate::actor::exploration::normal(rng);
        let value = match index.checked_sub(action_len) {
            None => fresh,
            Some(before) => MEMORY * noise[before] + (1.0 - MEMORY * MEMORY).sqrt() * fresh,
        };
        noise.push(value);
    }
    noise
}
