//! Proprioception: where the agent's own body is and how it moves. Read first: [`ProprioceptionSpec`].

use forethought_interface::impl_numbers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channels `proprioception.position_m` `[2]`, `proprioception.velocity_m_s` `[2]` and, where `heading` is set,
/// `proprioception.heading` `[3]` (cosine and sine of the angle, angular velocity in rad/s).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProprioceptionSpec {
    /// Sense the body's angle too; needed by an actuator that turns the body.
    pub heading: bool,
}

impl_numbers!(
    struct ProprioceptionSpec {}
);
