//! Comfort: be where it is warm. Read first: [`ComfortSpec`].

use super::Feeling;
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its imagined states of `max(0, 1 - w)²`, where `w`, the warmth of the place,
/// from 0 in the cold of the night to 1 by day or in a shelter, is decoded from the state (`interoception.warmth`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComfortSpec {
    /// How much it counts.
    #[serde(default = "one")]
    pub weight: Num,
}

fn one() -> Num {
    Num::Literal(1.0)
}

impl_numbers!(struct ComfortSpec { weight });

impl Feeling for ComfortSpec {
    const CHANNEL: &'static str = "warmth";

    fn cost_and_slope(&self, warmth: f32) -> (f32, f32) {
        let want = (1.0 - warmth).max(0.0);
        (want * want, -2.0 * want)
    }
}
