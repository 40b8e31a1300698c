//! Velocity command: the action is where to go and how fast. Read first: [`VelocityCommandSpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The action `[x, y]` times `max_speed_m_s` is the wanted velocity, and the body's velocity approaches it
/// exponentially: `dv/dt = (wanted - v) / time_constant_s`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VelocityCommandSpec {
    /// The speed along each axis at full command, in m/s.
    pub max_speed_m_s: Num,
    /// How fast the velocity follows the command, in seconds.
    pub time_constant_s: Num,
}

impl Default for VelocityCommandSpec {
    fn default() -> Self {
        Self { max_speed_m_s: Num::Literal(3.0), time_constant_s: Num::Literal(0.145) }
    }
}

impl_numbers!(struct VelocityCommandSpec { max_speed_m_s, time_constant_s });
