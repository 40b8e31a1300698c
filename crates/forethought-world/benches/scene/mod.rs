//! The scenes that are measured: two rooms of together 10 m by 10 m, eight bodies adrift and an agent that follows a velocity
//! command; hosted by the sandbox, and in Rapier alone with its own ray casts. And a crowd of any size.
//! Read first: [`spec`] and [`crowd`].

#![allow(dead_code, reason = "each bench uses its part")]

use bevy_rapier2d::rapier::prelude::*;
use forethought_interface::{Action, Detail, Num, Observation, Think, ThinkError, Thought};
use forethought_world::{
    ActuatorSpec, AgentBodySpec, ArenaSpec, BodyKind, BodySpec, Boundary, DoorSpec, MaterialSpec, SensorSpec,
    ShapeSpec, TimingSpec, VelocityCommandSpec, WorldSpec,
};

/// Physics and control step.
const DT: f32 = 0.025;
const ACTION: [f32; 2] = [0.6, 0.3];
/// Steps before the scene starts anew, so that both always simulate the same lively first minute.
pub const EPISODE: u32 = 2400;

/// Always wants the same velocity.
pub struct Constant;

impl Think for Constant {
    fn begin(&mut self, _: u64) {}

    fn think(&mut self, _: &Observation, _: Option<&Observation>, _: Detail) -> Result<Thought, ThinkError> {
        Ok(Thought { action: Action { values: ACTION.to_vec() }, ..Thought::default() })
    }
}

/// Goes round in circles, from a heading of its own.
pub struct Circling(f32);

impl Circling {
    /// The mind of agent `index`.
    pub fn new(index: usize) -> Self {
        Self(index as f32 * 2.4)
    }
}

impl Think for Circling {
    fn begin(&mut self, _: u64) {}

    fn think(&mut self, _: &Observation, _: Option<&Observation>, _: Detail) -> Result<Thought, ThinkError> {
        self.0 += 0.05;
        let values = vec![0.6 * self.0.cos(), 0.6 * self.0.sin()];
        Ok(Thought { action: Action { values }, ..Thought::default() })
    }
}

/// Eight bodies: place, velocity, and whether it is a box (else a ball). The agent is one more, the wall another.
fn bodies() -> Vec<([f32; 2], [f32; 2], bool)> {
    let body = |k: u8| {
        let (column, row) = (f32::from(k % 4), f32::from(k / 4));
        let place = [[1.2, 3.6, 6.4, 8.8][usize::from(k % 4)], [2.5, 7.5][usize::from(k / 4)]];
        (place, [1.5 - column, 0.8 - row * 1.6], k.is_multiple_of(2))
    };
    (0..8).map(body).collect()
}

fn num(value: f32) -> Num {
    Num::Literal(f64::from(value))
}

fn material() -> MaterialSpec {
    MaterialSpec { restitution: num(0.9), friction: num(0.0), ..MaterialSpec::default() }
}

fn body_spec(name: String, place: [f32; 2], velocity: [f32; 2], cuboid: bool) -> BodySpec {
    BodySpec {
        name,
        shape: if cuboid {
            ShapeSpec::Cuboid { size_m: [num(0.6), num(0.6)] }
        } else {
            ShapeSpec::Disc { radius_m: num(0.3) }
        },
        kind: BodyKind::Dynamic,
        position_m: place.map(num),
        angle_rad: num(0.0),
        velocity_m_s: velocity.map(num),
        angular_velocity_rad_s: num(0.0),
        then: Vec::new(),
        pursues: None,
        material: material(),
        color: [num(0.5), num(0.5), num(0.5)],
    }
}

fn agent_spec(name: String, place: [f32; 2], sensors: Vec<SensorSpec>) -> AgentBodySpec {
    AgentBodySpec {
        name,
        shape: ShapeSpec::Disc { radius_m: num(0.3) },
        position_m: place.map(num),
        angle_rad: num(0.0),
        material: material(),
        color: [num(0.9), num(0.4), num(0.1)],
        actuator: ActuatorSpec::VelocityCommand(VelocityCommandSpec::default()),
        sensors,
        target: None,
        metabolism: None,
        immortal: false,
    }
}

fn world(side_m: f32, bodies: Vec<BodySpec>, agents: Vec<AgentBodySpec>) -> WorldSpec {
    let period = f64::from(DT);
    WorldSpec {
        arena: ArenaSpec {
            size_m: [num(side_m), num(side_m)],
            gravity_m_s2: [num(0.0), num(0.0)],
            boundary: Boundary::Walls,
        },
        bodies,
        agents,
        targets: Vec::new(),
        zones: Vec::new(),
        foods: Vec::new(),
        climate: None,
        timing: TimingSpec { physics_step_s: period, control_period_s: period },
    }
}

/// The scene for the sandbox.
pub fn spec(sensors: Vec<SensorSpec>) -> WorldSpec {
    let doors = vec![DoorSpec { at_m: num(5.0), width_m: num(1.8) }];
    let wall = BodySpec {
        shape: ShapeSpec::Wall { length_m: num(10.0), thickness_m: num(0.4), doors },
        kind: BodyKind::Static,
        angle_rad: num(std::f32::consts::FRAC_PI_2),
        ..body_spec("wall".into(), [5.0, 5.0], [0.0, 0.0], true)
    };
    let adrift = bodies().into_iter().enumerate();
    let adrift = adrift.map(|(k, (place, velocity, cuboid))| body_spec(format!("body{k}"), place, velocity, cuboid));
    let agents = vec![agent_spec("agent".into(), [3.5, 3.5], sensors)];
    world(10.0, std::iter::once(wall).chain(adrift).collect(), agents)
}

/// So many bodies adrift and agents among them in an arena without inner walls. It is as crowded however many there are:
/// each begins in a cell of its own, and the arena grows with them.
pub fn crowd(bodies: usize, agents: usize, sensors: &[SensorSpec]) -> WorldSpec {
    const CELL_M: f32 = 2.5;
    let count = bodies + agents;
    let cells = (1..).find(|cells| cells * cells >= count).unwrap_or(1);
    let (mut adrift, mut driven) = (Vec::new(), Vec::new());
    for k in 0..count {
        let place = [k % cells, k / cells].map(|cell| (cell as f32 + 0.5) * CELL_M);
        // Agents are spread evenly among the bodies.
        if (k + 1) * agents / count > k * agents / count {
            driven.push(agent_spec(format!("agent{k}"), place, sensors.to_vec()));
        } else {
            let (sin, cos) = (k as f32 * 2.4).sin_cos();
            adrift.push(body_spec(format!("body{k}"), place, [1.5 * cos, 1.5 * sin], k.is_multiple_of(2)));
        }
    }
    world(cells as f32 * CELL_M, adrift, driven)
}

/// The scene in Rapier alone.
pub struct Bare {
    world: PhysicsWorld,
    agent: RigidBodyHandle,
    directions: Vec<Vector>,
}

impl Bare {
    /// At its beginning.
    pub fn new() -> Self {
        let mut world = PhysicsWorld::new();
        world.gravity = Vector::ZERO;
        world.integration_parameters.dt = DT;
        for (x, y, half_x, half_y) in [
            (-1.25, 5.0, 1.25, 7.5),
            (11.25, 5.0, 1.25, 7.5),
            (5.0, -1.25, 7.5, 1.25),
            (5.0, 11.25, 7.5, 1.25),
            (5.0, 2.05, 0.2, 2.05),
            (5.0, 7.95, 0.2, 2.05),
        ] {
            let wall = ColliderBuilder::cuboid(half_x, half_y).translation(Vector::new(x, y));
            world.insert(RigidBodyBuilder::fixed(), with_material(wall));
        }
        for (place, velocity, cuboid) in bodies() {
            let body = RigidBodyBuilder::dynamic().translation(place.into()).linvel(velocity.into()).can_sleep(false);
            let shape = if cuboid { ColliderBuilder::cuboid(0.3, 0.3) } else { ColliderBuilder::ball(0.3) };
            world.insert(body, with_material(shape));
        }
        let body = RigidBodyBuilder::dynamic().translation(Vector::new(3.5, 3.5)).lock_rotations().can_sleep(false);
        let agent = world.insert(body, with_material(ColliderBuilder::ball(0.3))).0;
        let directions = (0..32_u8).map(|k| Vector::from_angle(f32::from(k) * std::f32::consts::TAU / 32.0)).collect();
        Self { world, agent, directions }
    }

    /// Push the agent towards its velocity, and step.
    pub fn drive_and_step(&mut self) {
        let body = &mut self.world.bodies[self.agent];
        let impulse = (Vector::from(ACTION) * 3.0 - body.linvel()) * (0.158 * body.mass());
        body.apply_impulse(impulse, true);
        self.world.step();
    }

    /// How far the agent's rays reach.
    pub fn ranges(&self, ranges: &mut [f32; 32]) {
        let filter = QueryFilter::default().exclude_rigid_body(self.agent);
        let query = self.world.query_pipeline().with_filter(filter);
        let from = self.world.bodies[self.agent].translation();
        for (range, direction) in ranges.iter_mut().zip(&self.directions) {
            *range = query.cast_ray(&Ray::new(from, *direction), 15.0, true).map_or(15.0, |(_, at)| at);
        }
    }
}

fn with_material(collider: ColliderBuilder) -> ColliderBuilder {
    collider
        .restitution(0.9)
        .friction(0.0)
        .friction_combine_rule(CoefficientCombineRule::Min)
        .restitution_combine_rule(CoefficientCombineRule::Max)
}
