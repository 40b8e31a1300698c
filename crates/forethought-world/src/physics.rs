//! The physics: how a specification becomes Rapier bodies, and how they step. Read first: [`build`], then
//! [`Physics`].
//!
//! bevy_rapier's components hold Rapier's state, but this module fills them and steps them itself. bevy_rapier would
//! insert bodies in the order of an ECS query, which depends on what its `App` has been through, and Rapier's results
//! depend on that order. Here each episode starts from fresh containers, filled in one order: the arena's walls, the
//! bodies, the agents. A run is then the same bit for bit as Rapier alone on the same scene (`tests/determinism.rs`).
//!
//! Nothing sleeps: Rapier would stop bodies slower than 0.05 m/s and 0.5 rad/s, which in a world without gravity is
//! still motion, and at these sizes a body at rest costs next to nothing.
//!
//! How materials meet: friction is the *smaller* of the two coefficients, so that a frictionless agent slides along
//! anything; restitution is the *larger* one, so that a bouncy ball bounces off anything. The arena's own walls have
//! friction 1 and restitution 0, which leaves the choice to whatever touches them.

use crate::geometry::{Part, vector};
use crate::sensors::Contact;
use crate::surroundings::{Solid, boundary};
use crate::{BodyKind, MaterialSpec, PhaseSpec, ShapeSpec, WorldSpec, geometry};
use bevy::ecs::query::QueryData;
use bevy::prelude::{Component, Entity, Name, Resource, With, World};
use bevy_rapier2d::dynamics::RapierRigidBodyHandle;
use bevy_rapier2d::parry::query;
use bevy_rapier2d::plugin::context::{
    RapierContextColliders, RapierContextEntityLink, RapierContextJoints, RapierContextSimulation, RapierRigidBodySet,
    SimulationToRenderTime,
};
use bevy_rapier2d::rapier::geometry::{BroadPhaseBvh, BvhOptimizationStrategy};
use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
use bevy_rapier2d::rapier::prelude::{
    CoefficientCombineRule, ColliderBuilder, RigidBody, RigidBodyBuilder, RigidBodyHandle, SharedShape,
};
use forethought_interface::Num;

/// What every step needs to know.
#[derive(Resource, Clone, Copy, Default)]
pub(crate) struct Laws {
    pub gravity: Vector,
    /// The physics step in seconds.
    pub dt: f32,
    /// Physics steps in a control step.
    pub substeps: u32,
    /// The control period in seconds.
    pub period_s: f64,
}

/// Which of [`crate::surroundings::Surroundings::solids`] an entity is.
#[derive(Component, Clone, Copy)]
pub(crate) struct SolidIndex(pub usize);

/// On entities that never move.
#[derive(Component)]
pub(crate) struct Fixed;

/// Every solid's entity in scenario order: the only order in which anything is done to the physics.
#[derive(Resource, Default)]
pub(crate) struct Roster {
    pub bodies: Vec<Entity>,
    pub agents: Vec<Entity>,
}

/// The later phases of the kinematic bodies, in the order in which they begin.
#[derive(Resource, Default)]
pub(crate) struct Timetable {
    phases: Vec<Phase>,
    /// How many have begun.
    begun: usize,
}

/// A body's later phase.
struct Phase {
    /// The physics step of the episode, counted from 0, at which it begins.
    step: u64,
    body: RigidBodyHandle,
    velocity: Vector,
    angular_velocity: f32,
}

impl Timetable {
    /// Let the phases begin that are due by this physics step.
    pub(crate) fn begin_due(&mut self, step: u64, bodies: &mut RapierRigidBodySet) {
        while let Some(phase) = self.phases.get(self.begun).filter(|phase| phase.step <= step) {
            self.begun += 1;
            if let Some(body) = bodies.bodies.get_mut(phase.body) {
                body.set_linvel(phase.velocity, true);
                body.set_angvel(phase.angular_velocity, true);
            }
        }
    }

    /// The phases that begin before this physics step are behind.
    pub(crate) fn skip(&mut self, step: u64) {
        self.begun = self.phases.iter().filter(|phase| phase.step < step).count();
    }

    fn add(&mut self, body: RigidBodyHandle, phase: &PhaseSpec, dt: f64) {
        // A phase that is to begin at a step's very time is not put off by rounding.
        let step = (phase.from_s.value() / dt - 1e-6).ceil().max(0.0) as u64;
        let (velocity, angular_velocity) = (vector(&phase.velocity_m_s), phase.angular_velocity_rad_s.value_f32());
        self.phases.push(Phase { step, body, velocity, angular_velocity });
    }
}

/// From how many solids on Rapier's tree is kept in shape as they move. Below, that takes up to a fifth of a step and saves
/// less than it takes.
const WORTH_UPKEEP: usize = 64;

fn upkeep(solids: usize) -> BvhOptimizationStrategy {
    if solids < WORTH_UPKEEP { BvhOptimizationStrategy::None } else { BvhOptimizationStrategy::SubtreeOptimizer }
}

/// Despawn the last episode's world and build this one's, in scenario order.
pub(crate) fn build(world: &mut World, spec: &WorldSpec) {
    clear(world);
    let laws = Laws {
        gravity: vector(&spec.arena.gravity_m_s2),
        dt: spec.timing.physics_step_s as f32,
        substeps: spec.timing.physics_steps(),
        period_s: spec.timing.control_period_s,
    };
    let mut fresh = Fresh::default();
    fresh.simulation.integration_parameters.dt = laws.dt;
    for wall in boundary(&spec.arena).iter().flatten() {
        let body = fresh.bodies.bodies.insert(RigidBodyBuilder::fixed());
        fresh.attach(body, wall, &BOUNDARY_MATERIAL);
    }
    let context = world.spawn_empty().id();
    let (mut roster, mut timetable) = (Roster::default(), Timetable::default());
    let solids = spec.bodies.len() + spec.agents.len();
    fresh.simulation.broad_phase = BroadPhaseBvh::with_optimization_strategy(upkeep(solids));
    for body in &spec.bodies {
        let builder = match body.kind {
            BodyKind::Static => RigidBodyBuilder::fixed(),
            BodyKind::Dynamic => RigidBodyBuilder::dynamic(),
            BodyKind::Kinematic => RigidBodyBuilder::kinematic_velocity_based(),
        };
        let builder = match body.kind {
            BodyKind::Static => builder,
            BodyKind::Dynamic | BodyKind::Kinematic => builder
                .linvel(vector(&body.velocity_m_s))
                .angvel(body.angular_velocity_rad_s.value_f32())
                .can_sleep(false),
        };
        let builder = if body.pursues.is_some() { builder.lock_rotations() } else { builder };
        let place = (&body.position_m, &body.angle_rad);
        let entity = fresh.insert(world, context, &body.name, builder, place, &body.shape, &body.material);
        if body.kind == BodyKind::Static {
            world.entity_mut(entity).insert(Fixed);
        }
        if let Some(handle) = world.get::<RapierRigidBodyHandle>(entity).map(|handle| handle.0) {
            body.then.iter().for_each(|phase| timetable.add(handle, phase, spec.timing.physics_step_s));
        }
        world.entity_mut(entity).insert(SolidIndex(roster.bodies.len()));
        roster.bodies.push(entity);
    }
    for agent in &spec.agents {
        let builder = agent.actuator.prepare(RigidBodyBuilder::dynamic().can_sleep(false));
        let place = (&agent.position_m, &agent.angle_rad);
        let entity = fresh.insert(world, context, &agent.name, builder, place, &agent.shape, &agent.material);
        world.entity_mut(entity).insert(SolidIndex(spec.bodies.len() + roster.agents.len()));
        roster.agents.push(entity);
    }
    let Fresh { simulation, bodies, colliders } = fresh;
    let rest = (RapierContextJoints::default(), SimulationToRenderTime::default());
    world.entity_mut(context).insert((simulation, colliders, bodies, rest));
    timetable.phases.sort_by_key(|phase| phase.step);
    world.insert_resource(laws);
    world.insert_resource(roster);
    world.insert_resource(timetable);
}

/// Leave nothing of the last episode but allocations.
pub(crate) fn clear(world: &mut World) {
    let old = world.remove_resource::<Roster>().unwrap_or_default();
    let contexts: Vec<Entity> = world.query_filtered::<Entity, With<RapierContextSimulation>>().iter(world).collect();
    for entity in old.bodies.into_iter().chain(old.agents).chain(contexts) {
        world.despawn(entity);
    }
    world.clear_trackers();
}

/// Rapier's state before the first step.
#[derive(Default)]
struct Fresh {
    simulation: RapierContextSimulation,
    bodies: RapierRigidBodySet,
    colliders: RapierContextColliders,
}

/// Friction, restitution and density of the arena's walls.
const BOUNDARY_MATERIAL: [f32; 3] = [1.0, 0.0, 1.0];

impl Fresh {
    #[expect(clippy::too_many_arguments, reason = "each is one field of a body's specification")]
    fn insert(
        &mut self,
        world: &mut World,
        context: Entity,
        name: &str,
        builder: RigidBodyBuilder,
        (position, angle): (&[Num; 2], &Num),
        shape: &ShapeSpec,
        material: &MaterialSpec,
    ) -> Entity {
        let entity = world.spawn_empty().id();
        let builder = builder
            .pose(Frame::new(vector(position), angle.value_f32()))
            .linear_damping(material.linear_damping_per_s.value_f32())
            .angular_damping(material.angular_damping_per_s.value_f32())
            .user_data(u128::from(entity.to_bits()));
        let body = self.bodies.bodies.insert(builder);
        let coefficients = [&material.friction, &material.restitution, &material.density_kg_m2].map(Num::value_f32);
        for part in geometry::parts(shape) {
            self.attach(body, &part, &coefficients);
        }
        // Rapier would weigh the body in its first step, but the first action comes before that.
        if let Some(body) = self.bodies.bodies.get_mut(body) {
            body.recompute_mass_properties_from_colliders(&self.colliders.colliders);
        }
        let parts = (Name::new(name.to_owned()), RapierRigidBodyHandle(body), RapierContextEntityLink(context));
        world.entity_mut(entity).insert(parts);
        entity
    }

    fn attach(&mut self, body: RigidBodyHandle, part: &Part, [friction, restitution, density]: &[f32; 3]) {
        let Some((shape, frame)) = solid_shape(part) else { return };
        let collider = ColliderBuilder::new(shape)
            .position(frame)
            .friction(*friction)
            .restitution(*restitution)
            .density(*density)
            .friction_combine_rule(CoefficientCombineRule::Min)
            .restitution_combine_rule(CoefficientCombineRule::Max)
            .user_data(self.bodies.bodies.get(body).map_or(0, |body| body.user_data));
        self.colliders.colliders.insert_with_parent(collider, body, &mut self.bodies.bodies);
    }
}

/// A part as Rapier knows it, and its place on the body; none for a polygon that is degenerate.
pub(crate) fn solid_shape(part: &Part) -> Option<(SharedShape, Frame)> {
    match part {
        Part::Disc { center, radius } => Some((SharedShape::ball(*radius), Frame::from_translation(*center))),
        Part::Cuboid { frame, half } => Some((SharedShape::cuboid(half.x, half.y), *frame)),
        Part::Polygon { vertices } => {
            SharedShape::convex_polyline(vertices.clone()).map(|shape| (shape, Frame::IDENTITY))
        }
    }
}

/// The distance between the outlines of two solids where they are now, in metres: 0 where they touch or overlap, none where
/// one has no parts.
pub(crate) fn distance_m(one: &Solid, other: &Solid) -> Option<f32> {
    let pairs = one.parts.iter().flat_map(|part| other.parts.iter().map(move |other| (part, other)));
    let distance = |(part, other_part)| {
        let ((shape, at), (other_shape, other_at)) = (solid_shape(part)?, solid_shape(other_part)?);
        query::distance(&(one.frame * at), &*shape, &(other.frame * other_at), &*other_shape).ok()
    };
    pairs.filter_map(distance).reduce(f32::min)
}

/// Rapier's state as bevy_rapier keeps it.
#[derive(QueryData)]
#[query_data(mutable)]
pub(crate) struct Physics {
    pub simulation: &'static mut RapierContextSimulation,
    pub colliders: &'static mut RapierContextColliders,
    pub joints: &'static mut RapierContextJoints,
    pub bodies: &'static mut RapierRigidBodySet,
}

impl PhysicsItem<'_, '_> {
    /// One physics step.
    pub(crate) fn step(&mut self, gravity: Vector) {
        let simulation = &mut *self.simulation;
        let joints = &mut *self.joints;
        simulation.pipeline.step(
            gravity,
            &simulation.integration_parameters,
            &mut simulation.islands,
            &mut simulation.broad_phase,
            &mut simulation.narrow_phase,
            &mut self.bodies.bodies,
            &mut self.colliders.colliders,
            &mut joints.impulse_joints,
            &mut joints.multibody_joints,
            &mut simulation.ccd_solver,
            &(),
            &(),
        );
    }

    /// A body that this step disabled because its state was no longer finite.
    pub(crate) fn diverged(&self) -> Option<&RigidBody> {
        let quarantine = self.simulation.pipeline.quarantine();
        let owner = |collider| self.colliders.colliders.get(collider).and_then(|collider| collider.parent());
        let collider_owner = quarantine.colliders().first().copied().and_then(owner);
        let body = quarantine.bodies().first().copied().or(collider_owner);
        body.and_then(|body| self.bodies.bodies.get(body))
    }

    /// Add what touches this body after a physics step.
    pub(crate) fn contacts(&self, body: RigidBodyHandle, contacts: &mut Vec<Contact>) {
        let Some(body) = self.bodies.bodies.get(body) else { return };
        for own in body.colliders() {
            for pair in self.simulation.narrow_phase.contact_pairs_with(*own) {
                let other = if pair.collider1 == *own { pair.collider2 } else { pair.collider1 };
                let with = self.colliders.colliders.get(other).map_or(0, |collider| collider.user_data);
                for manifold in pair.solver_manifolds() {
                    for point in manifold.points.iter().filter(|point| point.data.impulse > 0.0) {
                        let local = if pair.collider1 == *own { point.local_p1 } else { point.local_p2 };
                        let Some(collider) = self.colliders.colliders.get(*own) else { continue };
                        let place = body.position().inverse_transform_point(collider.position().transform_point(local));
                        contacts.push(Contact { place, impulse: point.data.impulse, with });
                    }
                }
            }
        }
    }
}
