//! The same seed gives the same run bit for bit: after other episodes, in other threads, and without Bevy.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use bevy_rapier2d::rapier::prelude::*;
use common::*;
use forethought_interface::{Pose as At, derive_seed};
use forethought_world::{BodyKind, LidarSpec, MaterialSpec, Sandbox, SensorSpec, ShapeSpec, WorldSpec};

/// Balls, boxes and a triangle that bounce about between a wall, a moving gate and two agents.
fn busy(seed: u64) -> WorldSpec {
    let mut spec = arena(vec![agent("a", 1.0, 1.0), agent("b", 9.0, 9.0)]);
    spec.targets.push(target("goal", 8.0, 5.0));
    spec.agents[0].target = Some("goal".into());
    spec.bodies.push(body("wall", BodyKind::Static, cuboid(0.4, 6.0), 5.0, 3.0));
    let mut gate = body("gate", BodyKind::Kinematic, cuboid(0.3, 1.0), 5.0, 7.5);
    gate.angular_velocity_rad_s = num(1.5);
    spec.bodies.push(gate);
    let unit = |index: u64| (derive_seed(seed, "busy", index) % 1000) as f64 / 1000.0;
    for index in 0..8_u64 {
        let triangle = ShapeSpec::Polygon { vertices_m: vec![pair(-0.2, -0.2), pair(0.3, -0.1), pair(0.0, 0.3)] };
        let shape = match index % 3 {
            0 => disc(0.2),
            1 => cuboid(0.4, 0.3),
            _ => triangle,
        };
        let (x, y) = (2.0 + (index % 4) as f64 * 2.0, 2.5 + (index / 4) as f64 * 4.0);
        let mut body = body(&format!("body{index}"), BodyKind::Dynamic, shape, x, y + 0.3 * unit(index));
        body.velocity_m_s = pair(4.0 * unit(index + 10) - 2.0, 4.0 * unit(index + 20) - 2.0);
        body.material = MaterialSpec { restitution: num(0.9), ..MaterialSpec::default() };
        spec.bodies.push(body);
    }
    spec
}

const STEPS: u32 = 60;

/// The digest after each step.
fn run(sandbox: &mut Sandbox, seed: u64) -> Vec<u64> {
    sandbox.reset(&busy(seed), seed).unwrap();
    let mut digests = vec![sandbox.digest()];
    for _ in 0..STEPS {
        sandbox.control_step().unwrap();
        digests.push(sandbox.digest());
    }
    digests
}

fn fresh() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![scripted(restless), scripted(restless)]);
    sandbox
}

#[test]
fn a_reset_sandbox_is_a_fresh_one() {
    let expected: Vec<Vec<u64>> = (0..4).map(|seed| run(&mut fresh(), seed)).collect();
    assert!(expected.windows(2).all(|pair| pair[0][1] != pair[1][1]), "different seeds give different runs");
    let mut reused = fresh();
    // Twice the same, back and forth, and after an episode cut short.
    for seed in [0, 0, 1, 0, 2, 2, 3, 1, 0] {
        assert_eq!(run(&mut reused, seed), expected[seed as usize], "seed {seed}");
        reused.reset(&busy(99), 99).unwrap();
        for _ in 0..seed * 3 + 1 {
            reused.control_step().unwrap();
        }
    }
}

#[test]
fn threads_agree() {
    let expected = run(&mut fresh(), 7);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                scope.spawn(move || {
                    let mut sandbox = fresh();
                    for seed in 0..worker {
                        run(&mut sandbox, seed);
                    }
                    run(&mut sandbox, 7)
                })
            })
            .collect();
        for worker in workers {
            assert_eq!(worker.join().unwrap(), expected);
        }
    });
}

#[test]
fn a_sandbox_moves_between_threads() {
    let expected = run(&mut fresh(), 3);
    let mut sandbox = fresh();
    let moved = std::thread::spawn(move || {
        run(&mut sandbox, 1);
        sandbox
    });
    let mut sandbox = moved.join().unwrap();
    assert_eq!(run(&mut sandbox, 3), expected);
}

#[test]
fn the_digest_sees_the_last_bit() {
    let mut spec = busy(5);
    let mut sandbox = fresh();
    sandbox.reset(&spec, 5).unwrap();
    let before = sandbox.digest();
    spec.bodies[2].velocity_m_s[0] =
        num(f64::from(f32::from_bits(spec.bodies[2].velocity_m_s[0].value_f32().to_bits() + 1)));
    sandbox.reset(&spec, 5).unwrap();
    assert_ne!(sandbox.digest(), before);
    // The mind's seed changes the actions and with them the digest.
    sandbox.reset(&busy(5), 5).unwrap();
    sandbox.control_step().unwrap();
    let one = sandbox.digest();
    sandbox.reset(&busy(5), 6).unwrap();
    sandbox.control_step().unwrap();
    assert_ne!(sandbox.digest(), one);
}

#[test]
fn the_digest_sees_observations_and_actions() {
    let digest = |range_m: f64, action: f32| {
        let mut spec = arena(vec![agent("a", 5.0, 5.0)]);
        spec.agents[0].sensors = vec![SensorSpec::Lidar(LidarSpec { range_m: num(range_m), ..LidarSpec::default() })];
        let mut sandbox = Sandbox::new();
        sandbox.set_minds(vec![constant([action, 0.0])]);
        sandbox.reset(&spec, 1).unwrap();
        sandbox.control_step().unwrap();
        (sandbox.record().agents[0].pose, sandbox.digest())
    };
    let (pose, expected) = digest(6.0, 1.0);
    assert_eq!(digest(6.0, 1.0), (pose, expected));
    // Neither of these moves the agent any differently: a shorter ray, and an action that is cut to the same.
    for (other_pose, other) in [digest(5.5, 1.0), digest(6.0, 2.0)] {
        assert_eq!(other_pose, pose);
        assert_ne!(other, expected);
    }
}

/// Rapier alone on the scene of [`busy`], written out by hand.
struct Bare {
    world: PhysicsWorld,
    bodies: Vec<RigidBodyHandle>,
    agents: Vec<RigidBodyHandle>,
}

impl Bare {
    fn new(spec: &WorldSpec) -> Self {
        let mut world = PhysicsWorld { gravity: Vector::ZERO, ..PhysicsWorld::default() };
        world.integration_parameters.dt = 0.025;
        let material = |collider: ColliderBuilder, friction: f32, restitution: f32| {
            collider
                .friction(friction)
                .restitution(restitution)
                .friction_combine_rule(CoefficientCombineRule::Min)
                .restitution_combine_rule(CoefficientCombineRule::Max)
        };
        for (x, y, half_x, half_y) in
            [(-1.25, 5.0, 1.25, 7.5), (11.25, 5.0, 1.25, 7.5), (5.0, -1.25, 7.5, 1.25), (5.0, 11.25, 7.5, 1.25)]
        {
            // The place is the collider's: the body stands at the origin.
            let collider = ColliderBuilder::cuboid(half_x, half_y).translation(Vector::new(x, y));
            world.insert(RigidBodyBuilder::fixed(), material(collider, 1.0, 0.0));
        }
        let mut bodies = Vec::new();
        for body in &spec.bodies {
            let place = Vector::new(body.position_m[0].value_f32(), body.position_m[1].value_f32());
            let velocity = Vector::new(body.velocity_m_s[0].value_f32(), body.velocity_m_s[1].value_f32());
            let builder = match body.kind {
                BodyKind::Static => RigidBodyBuilder::fixed(),
                BodyKind::Dynamic => RigidBodyBuilder::dynamic().can_sleep(false),
                BodyKind::Kinematic => RigidBodyBuilder::kinematic_velocity_based().can_sleep(false),
            };
            let builder = builder.translation(place).linvel(velocity).angvel(body.angular_velocity_rad_s.value_f32());
            let collider = match &body.shape {
                ShapeSpec::Disc { radius_m } => ColliderBuilder::ball(radius_m.value_f32()),
                ShapeSpec::Cuboid { size_m } => {
                    ColliderBuilder::cuboid(size_m[0].value_f32() / 2.0, size_m[1].value_f32() / 2.0)
                }
                ShapeSpec::Polygon { vertices_m } => {
                    let corners = vertices_m.iter().map(|v| Vector::new(v[0].value_f32(), v[1].value_f32())).collect();
                    ColliderBuilder::convex_polyline(corners).unwrap()
                }
                _ => panic!("not in this scene"),
            };
            let collider = material(collider, 0.5, body.material.restitution.value_f32());
            bodies.push(world.insert(builder, collider).0);
        }
        let mut agents = Vec::new();
        for agent in &spec.agents {
            let place = Vector::new(agent.position_m[0].value_f32(), agent.position_m[1].value_f32());
            let builder = RigidBodyBuilder::dynamic().translation(place).lock_rotations().can_sleep(false);
            agents.push(world.insert(builder, material(ColliderBuilder::ball(0.3), 0.0, 0.0)).0);
        }
        for handle in &agents {
            let PhysicsWorld { bodies, colliders, .. } = &mut world;
            bodies[*handle].recompute_mass_properties_from_colliders(colliders);
        }
        Self { world, bodies, agents }
    }

    fn control_step(&mut self, actions: &[Vec<f32>]) {
        let approach = -(-0.025_f32 / 0.145).exp_m1();
        for _ in 0..4 {
            for (handle, action) in self.agents.iter().zip(actions) {
                let body = &mut self.world.bodies[*handle];
                let wanted = Vector::new(action[0], action[1]) * 3.0;
                let impulse = (wanted - body.linvel()) * (approach * body.mass());
                body.apply_impulse(impulse, true);
            }
            self.world.step();
        }
    }

    fn bits(&self, handles: &[RigidBodyHandle]) -> Vec<[u32; 3]> {
        let pose = |handle: &RigidBodyHandle| {
            let body = &self.world.bodies[*handle];
            [body.translation().x, body.translation().y, body.rotation().angle()].map(f32::to_bits)
        };
        handles.iter().map(pose).collect()
    }
}

#[test]
fn hosted_equals_bare_rapier() {
    let bits = |pose: &At| [pose.position_m[0], pose.position_m[1], pose.angle_rad].map(f32::to_bits);
    let mut sandbox = fresh();
    for seed in [11, 12, 11] {
        let spec = busy(seed);
        sandbox.reset(&spec, seed).unwrap();
        let mut bare = Bare::new(&spec);
        for step in 0..STEPS {
            let actions: Vec<Vec<f32>> = (0..2).map(|agent| restless(derive_seed(seed, "mind", agent), step)).collect();
            bare.control_step(&actions);
            sandbox.control_step().unwrap();
            let record = sandbox.record();
            let bodies: Vec<[u32; 3]> = record.bodies.iter().map(bits).collect();
            let agents: Vec<[u32; 3]> = record.agents.iter().map(|agent| bits(&agent.pose)).collect();
            assert_eq!(bodies, bare.bits(&bare.bodies), "bodies at step {step} of seed {seed}");
            assert_eq!(agents, bare.bits(&bare.agents), "agents at step {step} of seed {seed}");
        }
    }
}
