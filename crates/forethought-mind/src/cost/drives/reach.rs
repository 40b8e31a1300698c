//! Reach: be where the goal observation would be sensed. Read first: [`ReachSpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its imagined latents `s` of `sqrt(|s - s_goal|² + 1e-3)`, where
/// `s_goal` encodes what the agent would sense at the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReachSpec {
    /// The target's name.
    pub target: String,
    /// How much it counts.
    #[serde(default = "one")]
    pub weight: Num,
}

fn one() -> Num {
    Num::Literal(1.0)
}

impl_numbers!(struct ReachSpec { weight });
