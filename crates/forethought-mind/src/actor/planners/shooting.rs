//! Random shooting: the gradient planner's samples without its gradients, to see what the gradients are worth.
//! Read first: [`plan`].

use super::{Imagination, Population, Proposal, Starts};
use crate::actor::ActorSpec;
use rand::Rng;

/// Imagine as many random walks as the budget allows and keep the best.
pub(super) fn plan(
    spec: &ActorSpec,
    imagination: &mut Imagination,
    starts: &mut Starts,
    rng: &mut impl Rng,
) -> Proposal {
    let sequences = starts.draw(spec.gradient.sequences_imagined(), rng);
    let population = Population::from_sequences(&sequences, starts.action_len);
    let energies = imagination.energies(&population);
    Proposal::rank(&population, &energies)
}
