//! What every planner works with: futures to judge, action sequences, and where random ones come from.
//! Read first: [`Imagination`].

use super::Uncertainty;
use crate::{
    actor::exploration::{ExplorationSpec, Walk},
    cost::{self, Cost, Extent, Imagined, subgoals::Subgoals},
    world_model::{
        hjepa::Level,
        predictor::{Predictor, part_of, rollout, side_by_side},
    },
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
    /// The predictor under each value of its latent variable, `predictor` first; just that one without a latent variable.
    pub(crate) under: &'a [Arc<Predictor>],
    /// What to make of energies that differ with it.
    pub(crate) uncertainty: Uncertainty,
    pub(crate) cost: &'a Cost,
    /// What a level above wants, besides the cost.
    pub(crate) subgoals: Option<&'a Subgoals>,
    /// The present, `[latent]`.
    pub(crate) latent: &'a [f32],
    /// The goal, `[latent]`; empty without one.
    pub(crate) goal: &'a [f32],
    /// The floor plan, for a predictor that reads it.
    pub(crate) map: &'a [f32],
    /// Predictions in each future.
    pub(crate) steps: usize,
    /// Control steps that each spans.
    pub(crate) stride: usize,
    /// What each value of an action may be: none for a level whose actions fill `[-1, 1]`.
    pub(crate) range: &'a [[f32; 2]],
    /// Predictor calls so far: one is one transition of one future, forward or backward.
    pub(crate) evaluations: u64,
}

impl Imagination<'_> {
    fn count(&mut self, batch: usize, passes: usize) {
        self.evaluations += (self.steps * batch * passes * self.under.len()) as u64;
    }

    /// Keep `tanh(u)` where the experience has been.
    pub(crate) fn keep_in_range(&self, u: &mut [f32]) {
        if self.range.is_empty() {
            return;
        }
        let bounds: Vec<[f32; 2]> =
            self.range.iter().map(|range| range.map(|end| end.clamp(-0.99, 0.99).atanh())).collect();
        for (u, [low, high]) in u.iter_mut().zip(bounds.iter().cycle()) {
            *u = u.max(*low).min(*high);
        }
    }

    /// One prediction from each of these states, `[batch, latent]`, under an action each.
    pub(crate) fn step(&mut self, states: &[f32], actions: &[f32]) -> Vec<f32> {
        self.evaluations += (states.len() / self.latent.len()) as u64;
        self.predictor.imagine(states, actions, self.map)
    }

    /// Sequences `[horizon, action]` side by side, the actions of each prediction together.
    pub(crate) fn population(&self, sequences: &[Vec<f32>]) -> Population {
        Population::from_sequences(sequences, self.predictor.action_len())
    }

    /// The energy of each sequence: `[batch]`.
    pub(crate) fn energies(&mut self, population: &Population) -> Vec<f32> {
        let batch = population.batch;
        self.count(batch, 1);
        let start = self.latent.repeat(batch);
        let judged = |predictor: &Arc<Predictor>| {
            let latents = predictor.imagine(&start, &population.actions, self.map);
            self.judge(&latents, &population.actions, batch)
        };
        self.uncertainty.energies(self.under.iter().map(judged).collect())
    }

    /// The energy of each sequence `tanh(u)`, `[batch]`, and the gradient with respect to `u`, `[steps, batch, actions]`,
    /// by dfdx. Spread over the threads of the current rayon pool.
    pub(crate) fn energies_and_gradient(&mut self, u: &[f32], batch: usize) -> (Vec<f32>, Vec<f32>) {
        self.count(batch, 2);
        let (this, width) = (&*self, self.predictor.action_len());
        let parts = this.predictor.in_parts(batch, this.steps, |futures| {
            this.energies_and_gradient_over(part_of(u, batch, &futures, width).into_owned(), futures.len())
        });
        let (energies, gradients): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        (energies.concat(), side_by_side(gradients, self.steps))
    }

    /// Over all values of the latent variable. Futures do not depend on each other, so that the gradient of each is the sum of
    /// those under each value, weighed by how its energy depends on them.
    fn energies_and_gradient_over(&self, u: Vec<f32>, batch: usize) -> (Vec<f32>, Vec<f32>) {
        if let [only] = self.under {
            return self.energies_and_gradient_under(only, u, batch);
        }
        let width = self.predictor.action_len();
        let each = self.under.iter().map(|predictor| self.energies_and_gradient_under(predictor, u.clone(), batch));
        let (energies, gradients): (Vec<Vec<f32>>, Vec<Vec<f32>>) = each.unzip();
        let mut gradient = vec![0.0; u.len()];
        for future in 0..batch {
            let under: Vec<f32> = energies.iter().map(|energies| energies[future]).collect();
            for (slope, part) in self.uncertainty.slopes(&under).into_iter().zip(&gradients) {
                for step in 0..self.steps {
                    let at = (step * batch + future) * width..(step * batch + future + 1) * width;
                    let sums = gradient[at.clone()].iter_mut().zip(&part[at]);
                    sums.for_each(|(sum, value)| *sum += slope * value);
                }
            }
        }
        (self.uncertainty.energies(energies), gradient)
    }

    fn energies_and_gradient_under(
        &self,
        predictor: &Arc<Predictor>,
        u: Vec<f32>,
        batch: usize,
    ) -> (Vec<f32>, Vec<f32>) {
        let device = Cpu::default();
        let start = device.tensor_from_vec(self.latent.repeat(batch), (batch, self.latent.len()));
        let leaf = device.tensor_from_vec(u, (self.steps * batch, self.predictor.action_len()));
        let (actions, tape) = leaf.leaky_trace().tanh().split_tape();
        let (latents, tape) = rollout(predictor, &start, actions.clone().put_tape(tape), self.map).split_tape();
        let energies = self.judge(&numbers(&latents), &numbers(&actions), batch);
        let mut total = self.cost.total(latents.clone().put_tape(tape), &actions, self.goal, self.extent());
        if let Some(subgoals) = self.subgoals {
            total = cost::add(total, |tape| subgoals.total(latents.put_tape(tape)));
        }
        let gradients = total.backward();
        (energies, gradients.get(&leaf).as_vec())
    }

    fn judge(&self, latents: &[f32], actions: &[f32], batch: usize) -> Vec<f32> {
        let imagined = Imagined { latents, actions, batch, extent: self.extent() };
        let mut energies = self.cost.energies(&imagined, self.goal);
        if let Some(subgoals) = self.subgoals {
            subgoals.add_energies(latents, &mut energies);
        }
        energies
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
    /// How many values the agent's own action has.
    pub(crate) action_len: usize,
    /// Control steps of each.
    pub(crate) horizon: usize,
    /// The levels of abstraction, from the second up to the one that plans: none for a plan of the agent's own actions.
    pub(crate) levels: &'a [Arc<Level>],
    /// What is left of the last plan, in this level's actions; empty without one.
    pub(crate) warm: &'a [f32],
    /// Sequences from elsewhere, which come first.
    pub(crate) given: Vec<Vec<f32>>,
}

impl Starts<'_> {
    /// `count` sequences: those given, and walks, one in eight of which go on where the last plan ends.
    pub(crate) fn draw(&mut self, count: usize, rng: &mut impl Rng) -> Vec<Vec<f32>> {
        let given = std::mem::take(&mut self.given);
        let drawn = given.len().min(count)..count;
        given.into_iter().take(count).chain(drawn.map(|index| self.walk(index % 8 == 0, self.horizon, rng))).collect()
    }

    /// One sequence over so many control steps, in this level's actions.
    pub(crate) fn walk(&self, warm: bool, horizon: usize, rng: &mut impl Rng) -> Vec<f32> {
        let warm = if warm { self.warm } else { &[] };
        let mut sequence = Vec::with_capacity(horizon * self.action_len);
        if self.levels.is_empty() {
            sequence.extend_from_slice(warm);
        }
        let mut walk = Walk::steady(self.exploration, self.action_len, rng);
        while sequence.len() < horizon * self.action_len {
            walk.next_into(rng, &mut sequence);
        }
        let mut sequence = self.abstracted(sequence);
        if !self.levels.is_empty() {
            let kept = warm.len().min(sequence.len());
            sequence[..kept].copy_from_slice(&warm[..kept]);
        }
        sequence
    }

    /// One action of this level, which spans so many control steps: full speed ahead, somewhere.
    pub(crate) fn dash(&self, span: usize, rng: &mut impl Rng) -> Vec<f32> {
        let mut walk = Walk::brisk(self.exploration, self.action_len, rng);
        let mut actions = Vec::with_capacity(span * self.action_len);
        (0..span).for_each(|_| walk.next_into(rng, &mut actions));
        self.abstracted(actions)
    }

    /// The agent's own actions in this level's: code of code of chunks.
    pub(crate) fn abstracted(&self, actions: Vec<f32>) -> Vec<f32> {
        self.levels.iter().fold(actions, |actions, level| level.abstract_actions(&actions))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cost::drives::{DriveSpec, EffortSpec, KeepClearSpec, Likeness, ReachSpec},
        network::Mlp,
        world_model::clearance::{Clearance, ClearanceCard},
    };
    use forethought_interface::Num;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const BATCH: usize = 5;

    fn cost() -> Cost {
        let number = Num::Literal;
        let drives = [
            DriveSpec::Reach(ReachSpec { target: "goal".into(), weight: number(1.0), by: Likeness::Latent }),
            DriveSpec::Effort(EffortSpec { weight: number(0.1) }),
            DriveSpec::KeepClear(KeepClearSpec { distance_m: number(1.0), weight: number(4.0) }),
        ];
        let mlp = Mlp::random(4, &[8], 1, 1.0, &mut ChaCha8Rng::seed_from_u64(1));
        let clearance = Clearance::new(ClearanceCard { hidden: vec![8], r2: 1.0 }, mlp);
        Cost::new(&drives, Some(Arc::new(clearance)))
    }

    fn imagination<'a>(under: &'a [Arc<Predictor>], cost: &'a Cost, uncertainty: Uncertainty) -> Imagination<'a> {
        Imagination {
            predictor: &under[0],
            under,
            uncertainty,
            cost,
            subgoals: None,
            latent: &[0.1, -0.2, 0.3, 0.4],
            goal: &[0.5, 0.1, -0.3, 0.2],
            map: &[],
            steps: 3,
            stride: 1,
            range: &[],
            evaluations: 0,
        }
    }

    /// As tests need to see something of it, the networks are not as quiet as at the start of a training.
    fn predictors(count: u64) -> Vec<Arc<Predictor>> {
        let network = |seed| Mlp::random(6, &[12], 4, 0.7, &mut ChaCha8Rng::seed_from_u64(seed));
        (0..count).map(|seed| Arc::new(Predictor::new(network(seed), 2, None))).collect()
    }

    #[test]
    fn the_gradient_over_all_codes_agrees_with_finite_differences() {
        let (under, cost) = (predictors(3), cost());
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut u: Vec<f32> = (0..3 * BATCH * 2).map(|_| rng.gen_range(-1.0..1.0)).collect();
        let risk_averse = Uncertainty::RiskAverse { spread: 2.0 };
        for uncertainty in [Uncertainty::Mean, Uncertainty::Min, risk_averse, Uncertainty::WorstCase] {
            let mut imagination = imagination(&under, &cost, uncertainty);
            let (energies, gradient) = imagination.energies_and_gradient(&u, BATCH);
            assert_eq!(imagination.evaluations, 3 * 3 * BATCH as u64 * 2, "there and back, under each of three codes");
            let mut judge = |u: &[f32]| {
                let actions = u.iter().map(|u| u.tanh()).collect();
                imagination.energies(&Population { actions, batch: BATCH, acting: 2 })
            };
            assert!(judge(&u).iter().zip(&energies).all(|(a, b)| (a - b).abs() < 1e-5));
            for index in 0..u.len() {
                let mut at = |offset: f32| {
                    u[index] += offset;
                    let sum: f32 = judge(&u).iter().sum();
                    u[index] -= offset;
                    sum
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                let got = gradient[index];
                assert!((slope - got).abs() < 5e-3 + 0.03 * slope.abs(), "{uncertainty:?}, {index}: {got}, {slope}");
            }
        }
    }

    #[test]
    fn without_a_latent_variable_nothing_differs_and_nothing_costs_more() {
        let (under, cost) = (predictors(1), cost());
        let u = vec![0.3; 3 * BATCH * 2];
        let mut mean = imagination(&under, &cost, Uncertainty::Mean);
        let mut worst = imagination(&under, &cost, Uncertainty::WorstCase);
        assert_eq!(mean.energies_and_gradient(&u, BATCH), worst.energies_and_gradient(&u, BATCH));
        assert_eq!((mean.evaluations, worst.evaluations), (3 * BATCH as u64 * 2, 3 * BATCH as u64 * 2));
    }
}
