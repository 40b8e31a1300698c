//! Velocity command: the action is where to go and how fast. Read first: [`VelocityCommandSpec`].

use bevy_rapier2d::rapier::math::Vector;
use bevy_rapier2d::rapier::prelude::RigidBody;
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

/// The actuator for one physics step length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VelocityCommand {
    max_speed: f32,
    /// The part of the way to the wanted velocity that one physics step goes.
    approach: f32,
}

impl VelocityCommand {
    pub(crate) fn new(spec: &VelocityCommandSpec, dt: f32) -> Self {
        Self { max_speed: spec.max_speed_m_s.value_f32(), approach: approach(dt, spec.time_constant_s.value_f32()) }
    }

    /// An impulse rather than a new velocity, so that walls still stop the body and others can push it.
    pub(crate) fn drive(&self, action: [f32; 2], body: &mut RigidBody) {
        let wanted = Vector::from_array(action) * self.max_speed;
        body.apply_impulse((wanted - body.linvel()) * (self.approach * body.mass()), true);
    }
}

/// How far an exponential approach goes in `dt`: exact for any step, unlike `dt / time_constant`.
pub(crate) fn approach(dt: f32, time_constant: f32) -> f32 {
    -(-dt / time_constant).exp_m1()
}
