//! Hunger: keep the energy store full. Read first: [`HungerSpec`].

use super::Feeling;
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its imagined states of `max(0, 1 - e / full)²`, where `e`, the energy store's
/// share of its capacity, is decoded from the state (`interoception.energy`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HungerSpec {
    /// From this share of the capacity on, the agent is full.
    #[serde(default = "one")]
    pub full: Num,
    /// How much it counts.
    #[serde(default = "one")]
    pub weight: Num,
}

fn one() -> Num {
    Num::Literal(1.0)
}

impl_numbers!(struct HungerSpec { full, weight });

impl Feeling for HungerSpec {
    const CHANNEL: &'static str = "energy";

    fn cost_and_slope(&self, energy: f32) -> (f32, f32) {
        let full = self.full.value_f32();
        let want = (1.0 - energy / full).max(0.0);
        (want * want, -2.0 * want / full)
    }
}
