//! Differential drive: a left and a right wheel. Read first: [`DifferentialDriveSpec`].

use super::velocity_command::approach;
use crate::geometry::direction;
use bevy_rapier2d::rapier::math::Rotation;
use bevy_rapier2d::rapier::prelude::RigidBody;
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

/// The actuator for one physics step length. The axle is at the body's centre of mass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DifferentialDrive {
    max_wheel_speed: f32,
    wheel_base: f32,
    dt: f32,
    approach: f32,
}

impl DifferentialDrive {
    pub(crate) fn new(spec: &DifferentialDriveSpec, dt: f32) -> Self {
        Self {
            max_wheel_speed: spec.max_wheel_speed_m_s.value_f32(),
            wheel_base: spec.wheel_base_m.value_f32(),
            dt,
            approach: approach(dt, spec.time_constant_s.value_f32()),
        }
    }

    /// While the body turns, its wheels carry its speed around with it. Over a step the body therefore moves along
    /// its heading in the middle of that step, and its speed is read along the middle heading of the step before:
    /// positions then lie on the very circle that real wheels would draw, and turning costs no speed.
    pub(crate) fn drive(&self, [left, right]: [f32; 2], body: &mut RigidBody) {
        let wanted_speed = (left + right) / 2.0 * self.max_wheel_speed;
        let wanted_turn = (right - left) * self.max_wheel_speed / self.wheel_base;
        let (turn, heading) = (body.angvel(), *body.rotation());
        let speed = body.linvel().dot(direction(heading * Rotation::new(-turn * self.dt / 2.0)));
        let next_speed = speed + (wanted_speed - speed) * self.approach;
        let next_turn = turn + (wanted_turn - turn) * self.approach;
        let along = direction(heading * Rotation::new(next_turn * self.dt / 2.0));
        body.apply_impulse((along * next_speed - body.linvel()) * body.mass(), true);
        let inertia = 1.0 / body.mass_properties().effective_world_inv_inertia;
        if inertia.is_finite() {
            body.apply_torque_impulse((next_turn - turn) * inertia, true);
        }
    }
}
