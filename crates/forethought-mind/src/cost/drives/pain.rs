//! Pain: be where nothing harms. Read first: [`PainSpec`].

use super::Feeling;
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its imagined states of `max(0, h)`, where `h`, the health lost a second, is
/// decoded from the state (`interoception.harm_per_s`, in 1/s).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PainSpec {
    /// How much it counts.
    #[serde(default = "one")]
    pub weight: Num,
}

fn one() -> Num {
    Num::Literal(1.0)
}

impl_numbers!(struct PainSpec { weight });

impl Feeling for PainSpec {
    const CHANNEL: &'static str = "harm_per_s";

    fn cost_and_slope(&self, harm_per_s: f32) -> (f32, f32) {
        if harm_per_s > 0.0 { (harm_per_s, 1.0) } else { (0.0, 0.0) }
    }
}
