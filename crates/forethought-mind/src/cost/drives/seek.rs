//! Seek: be where it smells of something. Read first: [`SeekSpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its imagined states of `max(0, 1 - b)²`, where `b`, the strongest beam of a
/// scent, from 0 where nothing is smelt to 1 where its source is, is decoded from the state. What it is good for shows later: a
/// configurator says when to seek it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeekSpec {
    /// The scent, as its channel is named: `scent.shelter` or `scent.food`.
    pub scent: String,
    /// How much it counts.
    #[serde(default = "one")]
    pub weight: Num,
}

fn one() -> Num {
    Num::Literal(1.0)
}

impl_numbers!(struct SeekSpec { weight });

impl SeekSpec {
    pub(super) fn cost_and_slope(&self, strongest: f32) -> (f32, f32) {
        let want = (1.0 - strongest).max(0.0);
        (want * want, -2.0 * want)
    }
}
