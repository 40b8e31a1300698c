//! Differential drive: a left and a right wheel. Read first: [`DifferentialDriveSpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The action `[left, right]` times `max_wheel_speed_m_s` are the wheels' speeds along the ground. The body goes
/// forward (its x axis) at their mean and turns at their difference over `wheel_base_m`; wheels do not slip sideways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DifferentialDriveSpec {
    /// Each wheel's speed at full command, in m/s.
    pub max_wheel_speed_m_s: Num,
    /// The distance between the wheels, in metres.
    pub wheel_base_m: Num,
    /// How fast the wheels follow the command, in seconds.
    pub time_constant_s: Num,
}

impl Default for DifferentialDriveSpec {
    fn default() -> Self {
        Self {
            max_wheel_speed_m_s: Num::Literal(3.0),
            wheel_base_m: Num::Literal(0.5),
            time_constant_s: Num::Literal(0.145),
        }
    }
}

impl_numbers!(struct DifferentialDriveSpec { max_wheel_speed_m_s, wheel_base_m, time_constant_s });
