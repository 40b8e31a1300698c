//! Model-predictive path integral control (Williams et al., 2017). Read first: [`MppiSpec`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Samples around the last plan are averaged with weights `exp(-(energy - lowest) / temperature)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MppiSpec {
    /// How many times samples are drawn and averaged; the budget of model evaluations is split between them.
    pub iterations: u32,
    /// The temperature, as a share of the samples' standard deviation of energy.
    pub temperature: f32,
    /// Standard deviation of the noise on the actions.
    pub noise: f32,
}

impl Default for MppiSpec {
    fn default() -> Self {
        Self { iterations: 4, temperature: 0.1, noise: 0.6 }
    }
}
