//! Random shooting: the gradient planner's samples without its gradients, to see what the gradients are worth: as many
//! more of them as the gradients would have cost, or just the same ones. Read first: [`plan`].

use super::{Imagination, Proposal, Starts};
use crate::actor::ActorSpec;
use rand::Rng;

/// How many random walks the budget allows.
pub(super) fn budget(spec: &ActorSpec) -> usize {
    spec.gradient.sequences_imagined()
}

/// Imagine `count` random walks and keep the best.
pub(super) fn plan(count: usize, imagination: &mut Imagination, starts: &mut Starts, rng: &mut impl Rng) -> Proposal {
    let population = imagination.population(&starts.draw(count, rng));
    let energies = imagination.energies(&population);
    Proposal::rank(&population, &energies)
}
