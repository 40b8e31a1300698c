//! Bodies: walls, boxes, balls, gates. Read first: [`BodySpec`].

use crate::PursuitSpec;
use crate::shape::{ShapeSpec, origin, zero};
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A body of the sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BodySpec {
    /// A name, unique among the scenario's bodies.
    pub name: String,
    /// Its shape.
    pub shape: ShapeSpec,
    /// Whether and how it moves.
    #[serde(default)]
    pub kind: BodyKind,
    /// Where it is at the start, in metres.
    pub position_m: [Num; 2],
    /// Its angle at the start, in radians, anticlockwise.
    #[serde(default = "zero")]
    pub angle_rad: Num,
    /// Its velocity at the start in m/s (`Dynamic`), or all the time (`Kinematic`).
    #[serde(default = "origin")]
    pub velocity_m_s: [Num; 2],
    /// Its angular velocity at the start in rad/s (`Dynamic`), or all the time (`Kinematic`).
    #[serde(default = "zero")]
    pub angular_velocity_rad_s: Num,
    /// How it moves later on, phase after phase; for `Kinematic` bodies only. With a velocity over a factor that nothing shows
    /// before, what comes cannot be foretold.
    #[serde(default)]
    pub then: Vec<PhaseSpec>,
    /// How it hunts agents; for `Dynamic` bodies only.
    #[serde(default)]
    pub pursues: Option<PursuitSpec>,
    /// Its material.
    #[serde(default)]
    pub material: MaterialSpec,
    /// Its colour, sRGB in `[0, 1]`.
    #[serde(default = "grey")]
    pub color: [Num; 3],
}

fn grey() -> [Num; 3] {
    [0.45, 0.47, 0.50].map(Num::Literal)
}

/// Whether and how a body moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BodyKind {
    /// It never moves.
    #[default]
    Static,
    /// Forces and contacts move it.
    Dynamic,
    /// It moves at its given velocity, and nothing stops it.
    Kinematic,
}

/// A later phase of a `Kinematic` body's motion; it lasts until the next one begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpec {
    /// When it begins, in seconds from the episode's start: at the first physics step that begins no earlier.
    pub from_s: Num,
    /// The velocity from then on, in m/s.
    #[serde(default = "origin")]
    pub velocity_m_s: [Num; 2],
    /// The angular velocity from then on, in rad/s.
    #[serde(default = "zero")]
    pub angular_velocity_rad_s: Num,
}

/// What a body is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MaterialSpec {
    /// Mass per area in kg/m².
    pub density_kg_m2: Num,
    /// Coulomb friction coefficient; 0 slides freely. Of two that touch, the smaller counts.
    pub friction: Num,
    /// Restitution in `[0, 1]`: 0 stops dead, 1 bounces back at full speed. Of two that touch, the larger counts.
    pub restitution: Num,
    /// Linear damping in 1/s.
    pub linear_damping_per_s: Num,
    /// Angular damping in 1/s.
    pub angular_damping_per_s: Num,
}

impl Default for MaterialSpec {
    fn default() -> Self {
        Self {
            density_kg_m2: Num::Literal(1.0),
            friction: Num::Literal(0.5),
            restitution: zero(),
            linear_damping_per_s: zero(),
            angular_damping_per_s: zero(),
        }
    }
}

/// A target: a place to reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSpec {
    /// A name, unique among the scenario's targets.
    pub name: String,
    /// How many of them there are; with more than one, each `{i}` within stands for the number of the one that is meant, from 0.
    #[serde(default = "once")]
    pub copies: u32,
    /// Its centre in metres.
    pub position_m: [Num; 2],
    /// How near an agent's centre must come, in metres.
    pub radius_m: Num,
}

fn once() -> u32 {
    1
}

/// A zone: an area that bodies pass through, that episode ends can refer to, and that may harm or shelter who is in it: agents
/// with a metabolism whose centre is inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneSpec {
    /// A name, unique among the scenario's zones.
    pub name: String,
    /// Its shape.
    pub shape: ShapeSpec,
    /// Where it is, in metres.
    pub position_m: [Num; 2],
    /// Its angle in radians.
    #[serde(default = "zero")]
    pub angle_rad: Num,
    /// Health lost a second in it, of 1 in all.
    #[serde(default = "zero")]
    pub harm_per_s: Num,
    /// The share of the night's harm that it keeps off: 1 all of it. Any but 0 makes it a shelter.
    #[serde(default = "zero")]
    pub shelter: Num,
    /// Its colour, sRGB in `[0, 1]`.
    #[serde(default = "pale")]
    pub color: [Num; 3],
}

fn pale() -> [Num; 3] {
    [0.85, 0.80, 0.55].map(Num::Literal)
}

impl_numbers!(struct BodySpec { shape, position_m, angle_rad, velocity_m_s, angular_velocity_rad_s, then, pursues, material, color });
impl_numbers!(struct PhaseSpec { from_s, velocity_m_s, angular_velocity_rad_s });
impl_numbers!(struct MaterialSpec { density_kg_m2, friction, restitution, linear_damping_per_s, angular_damping_per_s });
impl_numbers!(struct TargetSpec { position_m, radius_m });
impl_numbers!(struct ZoneSpec { shape, position_m, angle_rad, harm_per_s, shelter, color });
