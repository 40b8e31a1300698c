//! All that the sandbox needs to know to build one episode's world. Read first: [`WorldSpec`].

use crate::{
    ActuatorSpec, ArenaSpec, BodySpec, ClimateSpec, FoodSpec, MaterialSpec, MetabolismSpec, SensorSpec, ShapeSpec,
    TargetSpec, TimingSpec, ZoneSpec,
};
use forethought_interface::{Num, impl_numbers};

/// One world. Every number must be resolved before it is given to the sandbox.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldSpec {
    /// The arena.
    pub arena: ArenaSpec,
    /// The bodies, in scenario order.
    pub bodies: Vec<BodySpec>,
    /// The agents' bodies, in scenario order.
    pub agents: Vec<AgentBodySpec>,
    /// The targets.
    pub targets: Vec<TargetSpec>,
    /// The zones.
    pub zones: Vec<ZoneSpec>,
    /// The patches of food.
    pub foods: Vec<FoodSpec>,
    /// Day and night; always day without it.
    pub climate: Option<ClimateSpec>,
    /// How time passes.
    pub timing: TimingSpec,
}

/// An agent's body: what the world must know of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentBodySpec {
    /// The agent's name.
    pub name: String,
    /// Its shape.
    pub shape: ShapeSpec,
    /// Where it is at the start, in metres.
    pub position_m: [Num; 2],
    /// Its angle at the start, in radians.
    pub angle_rad: Num,
    /// Its material.
    pub material: MaterialSpec,
    /// Its colour, sRGB in `[0, 1]`.
    pub color: [Num; 3],
    /// How its action moves it.
    pub actuator: ActuatorSpec,
    /// What it senses, in the order of its observation.
    pub sensors: Vec<SensorSpec>,
    /// The target whose surroundings are its goal observation.
    pub target: Option<String>,
    /// What it lives on; it needs nothing and cannot die without it.
    pub metabolism: Option<MetabolismSpec>,
    /// Whether its stores of energy and health never run out, so that it cannot die: to explore.
    pub immortal: bool,
}

impl_numbers!(struct WorldSpec { arena, bodies, agents, targets, zones, foods, climate });
impl_numbers!(struct AgentBodySpec { shape, position_m, angle_rad, material, color, actuator, sensors, metabolism });
