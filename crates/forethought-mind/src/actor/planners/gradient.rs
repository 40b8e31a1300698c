//! The gradient planner: minimise the energy of imagined futures by gradient through the model (Dawid & LeCun 2023,
//! Sec. 2.3, Mode-2). Read first: [`GradientSpec`] and [`plan`].

use super::{Imagination, Proposal, Starts};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Random walks are imagined; the best, or all, are refined by Adam on the action sequence, through the model. Few steps at
/// a high rate on every start do better than many steps on the best: they keep searching.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GradientSpec {
    /// How many action sequences are imagined first.
    pub starts: u32,
    /// How many of the best are refined; all of them where this is no less than `starts`.
    pub refined: u32,
    /// Gradient steps on each.
    pub iterations: u32,
    /// Adam's learning rate on `u`, where the action is `tanh(u)`.
    pub learning_rate: f32,
}

impl Default for GradientSpec {
    fn default() -> Self {
        Self { starts: 12, refined: 12, iterations: 3, learning_rate: 0.3 }
    }
}

impl GradientSpec {
    /// The budget: how many sequences could be imagined for what this planner's forward and backward passes cost.
    pub(crate) fn sequences_imagined(&self) -> usize {
        let chosen = if self.chooses() { self.starts } else { 0 };
        (chosen + self.refined.min(self.starts) * (2 * self.iterations + 1)) as usize
    }

    /// Whether starts are imagined only to choose from them.
    fn chooses(&self) -> bool {
        self.refined < self.starts
    }
}

/// Actions this near the bound could hardly be moved from it by gradient.
pub(super) const BOUND: f32 = 0.97;
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;

/// Imagine the starts, refine the best, keep what was lowest.
pub(crate) fn plan(
    settings: &GradientSpec,
    imagination: &mut Imagination,
    starts: &mut Starts,
    rng: &mut impl Rng,
) -> Proposal {
    let mut population = imagination.population(&starts.draw(settings.starts as usize, rng));
    let mut proposal = Proposal::default();
    if settings.chooses() {
        let energies = imagination.energies(&population);
        proposal = Proposal::rank(&population, &energies);
        let best = super::imagination::order(&energies).into_iter().take(settings.refined as usize);
        let chosen: Vec<Vec<f32>> = best.map(|index| population.sequence(index)).collect();
        population = imagination.population(&chosen);
    }
    let mut u: Vec<f32> = population.actions.iter().map(|action| action.clamp(-BOUND, BOUND).atanh()).collect();
    let (mut first, mut second) = (vec![0.0_f32; u.len()], vec![0.0_f32; u.len()]);
    for iteration in 0..settings.iterations {
        let (energies, gradient) = imagination.energies_and_gradient(&u, population.batch);
        if iteration > 0 || !settings.chooses() {
            proposal.merge(Proposal::rank(&population, &energies));
        }
        #[expect(clippy::cast_precision_loss, reason = "a few iterations")]
        let done = (iteration + 1) as f32;
        let (correct1, correct2) = (1.0 - BETA1.powf(done), 1.0 - BETA2.powf(done));
        for (i, g) in gradient.iter().enumerate() {
            first[i] += (1.0 - BETA1) * (g - first[i]);
            second[i] += (1.0 - BETA2) * (g * g - second[i]);
            u[i] -= settings.learning_rate * (first[i] / correct1) / ((second[i] / correct2).sqrt() + 1e-8);
        }
        imagination.keep_in_range(&mut u);
        population.actions = u.iter().map(|u| u.tanh()).collect();
    }
    if population.batch > 0 {
        let energies = imagination.energies(&population);
        proposal.merge(Proposal::rank(&population, &energies));
    }
    proposal
}
