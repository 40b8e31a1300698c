//! What an agent can do to its body. One file an actuator: its settings, its force and its tests.
//! Read first: [`ActuatorSpec`].

mod differential_drive;
mod force;
mod velocity_command;

pub use differential_drive::DifferentialDriveSpec;
pub use force::ForceSpec;
pub use velocity_command::VelocityCommandSpec;

use bevy::prelude::Component;
use bevy_rapier2d::rapier::prelude::{RigidBody, RigidBodyBuilder};
use differential_drive::DifferentialDrive;
use force::Force;
use forethought_interface::{Action, Numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use velocity_command::VelocityCommand;

pub(crate) use velocity_command::approach;

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

/// How many values an action has for this actuator.
#[must_use]
pub fn action_len(actuator: &ActuatorSpec) -> usize {
    match actuator {
        ActuatorSpec::VelocityCommand(_) | ActuatorSpec::Force(_) | ActuatorSpec::DifferentialDrive(_) => 2,
    }
}

impl ActuatorSpec {
    /// What the actuator asks of its body.
    pub(crate) fn prepare(&self, body: RigidBodyBuilder) -> RigidBodyBuilder {
        match self {
            Self::VelocityCommand(_) => body.lock_rotations(),
            Self::Force(_) => body,
            // Rapier would hold the body's turning below an eighth of a turn a physics step.
            Self::DifferentialDrive(_) => body.allow_fast_rotation(true),
        }
    }
}

/// An actuator ready to drive a body.
#[derive(Component, Debug, Clone, Copy)]
pub(crate) enum Actuator {
    VelocityCommand(VelocityCommand),
    Force(Force),
    DifferentialDrive(DifferentialDrive),
}

/// The action of the current control step, each value within `[-1, 1]`.
#[derive(Component, Debug, Clone, Copy, Default)]
pub(crate) struct Command(pub [f32; 2]);

impl Actuator {
    /// `dt` is the physics step in seconds.
    pub(crate) fn new(spec: &ActuatorSpec, dt: f32) -> Self {
        match spec {
            ActuatorSpec::VelocityCommand(spec) => Self::VelocityCommand(VelocityCommand::new(spec, dt)),
            ActuatorSpec::Force(spec) => Self::Force(Force::new(spec)),
            ActuatorSpec::DifferentialDrive(spec) => Self::DifferentialDrive(DifferentialDrive::new(spec, dt)),
        }
    }

    /// Act on the body for the physics step that follows.
    pub(crate) fn drive(&self, command: Command, body: &mut RigidBody) {
        match self {
            Self::VelocityCommand(actuator) => actuator.drive(command.0, body),
            Self::Force(actuator) => actuator.drive(command.0, body),
            Self::DifferentialDrive(actuator) => actuator.drive(command.0, body),
        }
    }
}

impl Command {
    /// A mind's action, each value cut to `[-1, 1]`.
    ///
    /// # Errors
    /// A sentence where the action has the wrong length or holds something that is no number.
    pub(crate) fn new(action: &Action) -> Result<Self, String> {
        let values: [f32; 2] = action
            .values
            .as_slice()
            .try_into()
            .map_err(|_| format!("it has {} values where the actuator takes 2", action.values.len()))?;
        if let Some((index, value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(format!("its value {index} is {value}"));
        }
        Ok(Self(values.map(|value| value.clamp(-1.0, 1.0))))
    }
}
