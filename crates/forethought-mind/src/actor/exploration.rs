//! Exploration: random walks that keep their heading for a while. Read first: [`ExplorationSpec`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A correlated random walk over actions: the experience that a world model is trained on, and the shape of the
/// planners' random starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExplorationSpec {
    /// Standard deviation of the heading's change each control step, in radians.
    pub heading_noise_rad: f32,
    /// Probability, each control step, of a fresh heading and speed.
    pub fresh_probability: f32,
}

impl Default for ExplorationSpec {
    fn default() -> Self {
        Self { heading_noise_rad: 0.25, fresh_probability: 0.06 }
    }
}
