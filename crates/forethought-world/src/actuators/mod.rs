//! What an agent can do to its body. One file an actuator: its settings, its force and its tests.
//! Read first: [`ActuatorSpec`].

mod differential_drive;
mod force;
mod velocity_command;

pub use differential_drive::DifferentialDriveSpec;
pub use force::ForceSpec;
pub use velocity_command::VelocityCommandSpec;

use forethought_interface::Numbers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an agent's action moves its body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ActuatorSpec {
    /// Two action values command the velocity; the body never turns.
    VelocityCommand(VelocityCommandSpec),
    /// Two action values push the body's centre; contacts may turn it.
    Force(ForceSpec),
    /// Two action values drive a left and a right wheel.
    DifferentialDrive(DifferentialDriveSpec),
}

impl Numbers for ActuatorSpec {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut forethought_interface::Num)) {
        match self {
            Self::VelocityCommand(spec) => spec.numbers(path, visit),
            Self::Force(spec) => spec.numbers(path, visit),
            Self::DifferentialDrive(spec) => spec.numbers(path, visit),
        }
    }
}
