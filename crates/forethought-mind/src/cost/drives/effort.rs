//! Effort: spend little. Read first: [`EffortSpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its actions `a` of `|a|²`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EffortSpec {
    /// How much it counts.
    pub weight: Num,
}

impl_numbers!(struct EffortSpec { weight });
