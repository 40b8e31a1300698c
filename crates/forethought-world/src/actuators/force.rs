//! Force: the action pushes. Read first: [`ForceSpec`].

use bevy_rapier2d::rapier::math::Vector;
use bevy_rapier2d::rapier::prelude::RigidBody;
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The action `[x, y]` times `max_force_n` is a force on the body's centre of mass, in the world's frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ForceSpec {
    /// The force along each axis at full command, in newtons.
    pub max_force_n: Num,
}

impl Default for ForceSpec {
    fn default() -> Self {
        Self { max_force_n: Num::Literal(5.0) }
    }
}

impl_numbers!(struct ForceSpec { max_force_n });

/// The actuator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Force {
    max_force: f32,
}

impl Force {
    pub(crate) fn new(spec: &ForceSpec) -> Self {
        Self { max_force: spec.max_force_n.value_f32() }
    }

    pub(crate) fn drive(&self, action: [f32; 2], body: &mut RigidBody) {
        body.reset_forces(true);
        body.add_force(Vector::from_array(action) * self.max_force, true);
    }
}
