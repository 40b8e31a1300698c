//! The gradient planner. Read first: [`GradientSpec`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Many random walks are imagined; the best are refined by Adam on the action sequence, through the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GradientSpec {
    /// How many action sequences are imagined first.
    pub starts: u32,
    /// How many of the best are refined.
    pub refined: u32,
    /// Gradient steps on each.
    pub iterations: u32,
    /// Adam's learning rate on `u`, where the action is `tanh(u)`.
    pub learning_rate: f32,
}

impl Default for GradientSpec {
    fn default() -> Self {
        Self { starts: 64, refined: 8, iterations: 8, learning_rate: 0.15 }
    }
}
