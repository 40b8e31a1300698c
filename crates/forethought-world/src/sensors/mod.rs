//! What an agent can sense. One file a sensor: its settings, its measurement and its tests. Read first: [`SensorSpec`].

mod lidar;
mod proprioception;
mod raster;
mod touch;

pub use lidar::LidarSpec;
pub use proprioception::ProprioceptionSpec;
pub use raster::RasterSpec;
pub use touch::TouchSpec;

use forethought_interface::Numbers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sensor of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum SensorSpec {
    /// Where the agent's own body is and how it moves.
    Proprioception(ProprioceptionSpec),
    /// Distances along rays.
    Lidar(LidarSpec),
    /// What the body bumped into during the last control step.
    Touch(TouchSpec),
    /// A picture of the world around the agent, from above.
    Raster(RasterSpec),
}

impl Numbers for SensorSpec {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut forethought_interface::Num)) {
        match self {
            Self::Proprioception(spec) => spec.numbers(path, visit),
            Self::Lidar(spec) => spec.numbers(path, visit),
            Self::Touch(spec) => spec.numbers(path, visit),
            Self::Raster(spec) => spec.numbers(path, visit),
        }
    }
}
