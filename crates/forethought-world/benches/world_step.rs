//! One headless step of a small world, 10 bodies and 32 rays, beside Rapier alone on the same scene with its own ray
//! casts. One physics step is one control step here, so that both do the same work.

#![allow(clippy::expect_used, missing_docs, reason = "a bench may panic, and criterion's macro writes no docs")]

use bevy_rapier2d::rapier::prelude::*;
use criterion::{Criterion, criterion_group, criterion_main};
use forethought_interface::{Action, Detail, Num, Observation, Think, ThinkError, Thought};
use forethought_world::{
    ActuatorSpec, AgentBodySpec, ArenaSpec, BodyKind, BodySpec, Boundary, LidarSpec, MaterialSpec, ProprioceptionSpec,
    RasterSpec, Sandbox, SensorSpec, ShapeSpec, TimingSpec, VelocityCommandSpec, WorldSpec,
};
use std::hint::black_box;

const DT: f32 = 0.025;
const ACTION: [f32; 2] = [0.6, 0.3];
/// Steps before the scene starts anew, so that both always simulate the same lively first minute.
const EPISODE: u32 = 2400;

struct Constant;

impl Think for Constant {
    fn begin(&mut self, _: u64) {}

    fn think(&mut self, _: &Observation, _: Option<&Observation>, _: Detail) -> Result<Thought, ThinkError> {
        Ok(Thought { action: Action { values: ACTION.to_vec() }, ..Thought::default() })
    }
}

/// Nine bodies: place, velocity, and whether it is a box (else a ball). The agent is the tenth.
fn bodies() -> Vec<([f32; 2], [f32; 2], bool)> {
    let body = |k: u16| {
        let (column, row) = (f32::from(k % 3), f32::from(k / 3));
        let velocity = [1.5 - column, 0.8 - row * 0.7];
        ([2.0 + 3.0 * column, 2.0 + 3.0 * row], velocity, k.is_multiple_of(2))
    };
    (0..9).map(body).collect()
}

fn num(value: f32) -> Num {
    Num::Literal(f64::from(value))
}

fn material() -> MaterialSpec {
    MaterialSpec { restitution: num(0.9), friction: num(0.0), ..MaterialSpec::default() }
}

fn spec(sensors: Vec<SensorSpec>) -> WorldSpec {
    let body = |(index, (place, velocity, cuboid)): (usize, ([f32; 2], [f32; 2], bool))| BodySpec {
        name: format!("body{index}"),
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
        material: material(),
        color: [num(0.5), num(0.5), num(0.5)],
    };
    let period = f64::from(DT);
    WorldSpec {
        arena: ArenaSpec {
            size_m: [num(10.0), num(10.0)],
            gravity_m_s2: [num(0.0), num(0.0)],
            boundary: Boundary::Walls,
        },
        bodies: bodies().into_iter().enumerate().map(body).collect(),
        agents: vec![AgentBodySpec {
            name: "agent".into(),
            shape: ShapeSpec::Disc { radius_m: num(0.3) },
            position_m: [num(3.5), num(3.5)],
            angle_rad: num(0.0),
            material: material(),
            color: [num(0.9), num(0.4), num(0.1)],
            actuator: ActuatorSpec::VelocityCommand(VelocityCommandSpec::default()),
            sensors,
            target: None,
        }],
        targets: Vec::new(),
        zones: Vec::new(),
        timing: TimingSpec { physics_step_s: period, control_period_s: period },
    }
}

struct Bare {
    world: PhysicsWorld,
    agent: RigidBodyHandle,
    directions: Vec<Vector>,
}

impl Bare {
    fn new() -> Self {
        let mut world = PhysicsWorld::new();
        world.gravity = Vector::ZERO;
        world.integration_parameters.dt = DT;
        for (x, y, half_x, half_y) in
            [(-1.25, 5.0, 1.25, 7.5), (11.25, 5.0, 1.25, 7.5), (5.0, -1.25, 7.5, 1.25), (5.0, 11.25, 7.5, 1.25)]
        {
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

    fn drive_and_step(&mut self) {
        let body = &mut self.world.bodies[self.agent];
        let impulse = (Vector::from(ACTION) * 3.0 - body.linvel()) * (0.158 * body.mass());
        body.apply_impulse(impulse, true);
        self.world.step();
    }

    fn ranges(&self, ranges: &mut [f32; 32]) {
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

fn sandbox_step(criterion: &mut Criterion, name: &str, sensors: Vec<SensorSpec>) {
    let spec = spec(sensors);
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![Box::new(Constant)]);
    criterion.bench_function(name, |bencher| {
        sandbox.reset(&spec, 1).expect("the world is in order");
        bencher.iter(|| {
            if sandbox.record().step == EPISODE {
                sandbox.reset(&spec, 1).expect("the world is in order");
            }
            sandbox.control_step().expect("the step succeeds");
            black_box(sandbox.record().agents[0].pose);
        });
    });
}

fn world_step(criterion: &mut Criterion) {
    let lidar = || SensorSpec::Lidar(LidarSpec::default());
    let proprioception = || SensorSpec::Proprioception(ProprioceptionSpec::default());
    sandbox_step(criterion, "sandbox, 10 bodies, 32 rays", vec![proprioception(), lidar()]);
    sandbox_step(criterion, "sandbox, 10 bodies, no rays", vec![proprioception()]);
    sandbox_step(criterion, "sandbox, 10 bodies, 64x64 raster", vec![SensorSpec::Raster(RasterSpec::default())]);
    for rays in [true, false] {
        let name = if rays { "rapier alone, 10 bodies, 32 rays" } else { "rapier alone, 10 bodies, no rays" };
        criterion.bench_function(name, |bencher| {
            let (mut bare, mut steps, mut ranges) = (Bare::new(), 0, [0.0; 32]);
            bencher.iter(|| {
                if steps == EPISODE {
                    (bare, steps) = (Bare::new(), 0);
                }
                if rays {
                    bare.ranges(black_box(&mut ranges));
                }
                bare.drive_and_step();
                steps += 1;
            });
        });
    }
    criterion.bench_function("reset, 10 bodies", |bencher| {
        let (spec, mut sandbox) = (spec(vec![proprioception(), lidar()]), Sandbox::new());
        sandbox.set_minds(vec![Box::new(Constant)]);
        bencher.iter(|| sandbox.reset(&spec, 1).expect("the world is in order"));
    });
}

criterion_group!(benches, world_step);
criterion_main!(benches);
