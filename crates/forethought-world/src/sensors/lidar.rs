//! Lidar: distances along rays. Read first: [`LidarSpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channel `lidar.range_m` `[rays]`: the distance from the agent's centre to the first surface along each ray,
/// at most `range_m`. Ray 0 looks along the body's x axis, the others follow anticlockwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LidarSpec {
    /// How many rays, spread evenly over `field_of_view_rad`.
    pub rays: u32,
    /// The longest distance in metres.
    pub range_m: Num,
    /// The angle that the rays cover, in radians, centred on the body's x axis; the default is all around.
    pub field_of_view_rad: Num,
}

impl Default for LidarSpec {
    fn default() -> Self {
        Self { rays: 32, range_m: Num::Literal(15.0), field_of_view_rad: Num::Literal(std::f64::consts::TAU) }
    }
}

impl_numbers!(struct LidarSpec { range_m, field_of_view_rad });
