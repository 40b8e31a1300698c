//! Time: the physics step and the control period. Read first: [`TimingSpec`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How time passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimingSpec {
    /// One step of the physics in seconds.
    pub physics_step_s: f64,
    /// One control step in seconds: a whole multiple of `physics_step_s`.
    pub control_period_s: f64,
}

impl Default for TimingSpec {
    fn default() -> Self {
        Self { physics_step_s: 0.025, control_period_s: 0.1 }
    }
}

impl TimingSpec {
    /// Physics steps in one control step.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be small and positive")]
    pub fn physics_steps(&self) -> u32 {
        (self.control_period_s / self.physics_step_s).round() as u32
    }
}
