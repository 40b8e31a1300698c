//! Reach: be where the goal observation would be sensed. Read first: [`ReachSpec`].

use crate::cost::{Extent, Imagined, nearness::Nearness};
use dfdx::prelude::SumTo;
use forethought_energy::{TapedMatrix, TapedScalar};
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its imagined latents `s` of `sqrt(|s - s_goal|² + 1e-3)`, where
/// `s_goal` encodes what the agent would sense at the target. The top of several levels minimises the
/// saturating form `d / (d + half)` of the distance `d` instead, and where the model reads a floor plan, `d` is that of the places
/// decoded from `s` and `s_goal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReachSpec {
    /// The target's name.
    pub target: String,
    /// How much it counts.
    #[serde(default = "one")]
    pub weight: Num,
    /// In what a state has to be like the goal.
    #[serde(default)]
    pub by: Likeness,
}

/// In what a state has to be like the goal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Likeness {
    /// In all that its latent holds.
    #[default]
    Latent,
    /// In its place, as decoded from the latent: distances are in metres. Where others pass by, what else would be sensed at the
    /// goal says little of how far off it is. The critic knows nothing of it.
    Place,
}

fn one() -> Num {
    Num::Literal(1.0)
}

impl_numbers!(struct ReachSpec { weight });

impl ReachSpec {
    pub(crate) fn add_energies(&self, imagined: &Imagined, goal: &[f32], nearness: &Nearness, energies: &mut [f32]) {
        let share = imagined.extent.share(&self.weight);
        let goal_read = nearness.read(goal);
        for step in imagined.latents.chunks_exact(imagined.batch * goal.len()) {
            for (energy, latent) in energies.iter_mut().zip(step.chunks_exact(goal.len())) {
                *energy += share * nearness.of(latent, &goal_read);
            }
        }
    }

    pub(crate) fn total(&self, latents: TapedMatrix, goal: &[f32], nearness: &Nearness, extent: Extent) -> TapedScalar {
        nearness.of_rows(latents, goal).sum() * extent.share(&self.weight)
    }
}
