//! What the tests share: minds that follow a script, and small worlds.
#![allow(dead_code, reason = "each test file uses its own part")]

use forethought_interface::{Action, Detail, Num, Observation, Think, ThinkError, Thought};
use forethought_world::{
    ActuatorSpec, AgentBodySpec, ArenaSpec, BodyKind, BodySpec, Boundary, FoodSpec, LidarSpec, MaterialSpec,
    ProprioceptionSpec, SensorSpec, ShapeSpec, TargetSpec, TimingSpec, TouchSpec, VelocityCommandSpec, WorldSpec,
    ZoneSpec,
};

/// A mind that acts by a script: the action at each step of the episode, given its seed.
pub struct Scripted<F: Fn(u64, u32) -> Vec<f32> + Send> {
    script: F,
    seed: u64,
    step: u32,
}

impl<F: Fn(u64, u32) -> Vec<f32> + Send> Think for Scripted<F> {
    fn begin(&mut self, seed: u64) {
        (self.seed, self.step) = (seed, 0);
    }

    fn think(&mut self, _: &Observation, _: Option<&Observation>, _: Detail) -> Result<Thought, ThinkError> {
        let action = Action { values: (self.script)(self.seed, self.step) };
        self.step += 1;
        Ok(Thought { action, ..Thought::default() })
    }
}

pub fn scripted(script: impl Fn(u64, u32) -> Vec<f32> + Send + 'static) -> Box<dyn Think> {
    Box::new(Scripted { script, seed: 0, step: 0 })
}

pub fn constant(action: [f32; 2]) -> Box<dyn Think> {
    scripted(move |_, _| action.to_vec())
}

/// An action that jumps about, the same for the same seed and step.
pub fn restless(seed: u64, step: u32) -> Vec<f32> {
    let bits = forethought_interface::derive_seed(seed, "action", u64::from(step));
    let unit = |shift: u32| ((bits >> shift) & 0xffff) as f32 / 32768.0 - 1.0;
    vec![unit(0), unit(16)]
}

pub fn num(value: f64) -> Num {
    Num::Literal(value)
}

pub fn pair(x: f64, y: f64) -> [Num; 2] {
    [num(x), num(y)]
}

pub fn disc(radius: f64) -> ShapeSpec {
    ShapeSpec::Disc { radius_m: num(radius) }
}

pub fn cuboid(width: f64, height: f64) -> ShapeSpec {
    ShapeSpec::Cuboid { size_m: pair(width, height) }
}

pub fn body(name: &str, kind: BodyKind, shape: ShapeSpec, x: f64, y: f64) -> BodySpec {
    BodySpec {
        name: name.into(),
        shape,
        kind,
        position_m: pair(x, y),
        angle_rad: num(0.0),
        velocity_m_s: pair(0.0, 0.0),
        angular_velocity_rad_s: num(0.0),
        then: Vec::new(),
        pursues: None,
        material: MaterialSpec::default(),
        color: [num(0.4), num(0.4), num(0.4)],
    }
}

pub fn agent(name: &str, x: f64, y: f64) -> AgentBodySpec {
    AgentBodySpec {
        name: name.into(),
        shape: disc(0.3),
        position_m: pair(x, y),
        angle_rad: num(0.0),
        material: MaterialSpec { friction: num(0.0), ..MaterialSpec::default() },
        color: [num(0.9), num(0.4), num(0.1)],
        actuator: ActuatorSpec::VelocityCommand(VelocityCommandSpec::default()),
        sensors: vec![
            SensorSpec::Proprioception(ProprioceptionSpec::default()),
            SensorSpec::Lidar(LidarSpec::default()),
            SensorSpec::Touch(TouchSpec::default()),
        ],
        target: None,
        metabolism: None,
        immortal: false,
    }
}

pub fn target(name: &str, x: f64, y: f64) -> TargetSpec {
    TargetSpec { name: name.into(), copies: 1, position_m: pair(x, y), radius_m: num(0.5) }
}

/// An empty arena of 10 by 10 metres with these agents.
pub fn arena(agents: Vec<AgentBodySpec>) -> WorldSpec {
    WorldSpec {
        arena: ArenaSpec { size_m: pair(10.0, 10.0), gravity_m_s2: pair(0.0, 0.0), boundary: Boundary::Walls },
        bodies: Vec::new(),
        agents,
        targets: Vec::new(),
        zones: Vec::new(),
        foods: Vec::new(),
        climate: None,
        timing: TimingSpec::default(),
    }
}

/// A round zone.
pub fn zone(name: &str, radius: f64, x: f64, y: f64) -> ZoneSpec {
    ZoneSpec {
        name: name.into(),
        shape: disc(radius),
        position_m: pair(x, y),
        angle_rad: num(0.0),
        harm_per_s: num(0.0),
        shelter: num(0.0),
        color: [num(0.5), num(0.5), num(0.5)],
    }
}

/// One item of food of 30 J that lies here and grows again after a second.
pub fn food(name: &str, x: f64, y: f64) -> FoodSpec {
    FoodSpec {
        name: name.into(),
        count: num(1.0),
        size_m: Some(pair(0.001, 0.001)),
        position_m: Some(pair(x, y)),
        places_m: vec![],
        radius_m: num(0.3),
        energy_j: num(30.0),
        regrows_s: num(1.0),
        clear_m: num(0.0),
        seed: num(0.0),
        color: [num(0.3), num(0.6), num(0.2)],
    }
}
