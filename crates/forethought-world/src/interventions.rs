//! Interventions: what an experimenter does to an agent's body between two control steps, against the laws of its world.
//! Read first: [`Sandbox::place`] and [`Sandbox::set_solid`].

use crate::physics::{PhysicsItem, Roster};
use crate::surroundings::{Solid, Surroundings};
use crate::{Sandbox, StepRecord};
use bevy_rapier2d::rapier::dynamics::RigidBodyHandle;
use bevy_rapier2d::rapier::geometry::InteractionGroups;
use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
use forethought_interface::Pose;

impl Sandbox {
    /// Put an agent somewhere else, its velocity kept: [`Sandbox::record`], [`Sandbox::observe`] and the next control step
    /// find it there. What it felt by touch stays that of the latest control step. The steps before, their digest included,
    /// are as they were, and a reset forgets it. Where a solid already is, the physics pushes it out.
    ///
    /// False, and nothing is done, where there is no such agent or a number is not finite.
    pub fn place(&mut self, agent: usize, pose: Pose) -> bool {
        if !pose.position_m.iter().chain([&pose.angle_rad]).all(|value| value.is_finite()) {
            return false;
        }
        let frame = Frame::new(Vector::from_array(pose.position_m), pose.angle_rad);
        let placed = self.with_body(agent, |physics, handle| {
            if let Some(body) = physics.bodies.bodies.get_mut(handle) {
                body.set_position(frame, true);
            }
        });
        if placed {
            let mut surroundings = self.world.resource_mut::<Surroundings>();
            let index = surroundings.first_agent + agent;
            let solid = &mut surroundings.solids[index];
            let moved = solid.moved;
            solid.follow(frame);
            solid.moved |= moved;
            let pose = solid.pose;
            self.world.resource_mut::<StepRecord>().agents[agent].pose = pose;
        }
        placed
    }

    /// From now on let an agent's body pass through everything, or let nothing pass through it again. All else is as ever:
    /// its actuator drives it, its sensors see what is there. A reset forgets it.
    ///
    /// False, and nothing is done, where there is no such agent.
    pub fn set_solid(&mut self, agent: usize, solid: bool) -> bool {
        let groups = if solid { InteractionGroups::all() } else { InteractionGroups::none() };
        self.with_body(agent, |physics, handle| {
            let colliders = physics.bodies.bodies.get(handle).map_or(vec![], |body| body.colliders().to_vec());
            for collider in colliders {
                if let Some(collider) = physics.colliders.colliders.get_mut(collider) {
                    collider.set_collision_groups(groups);
                }
            }
        })
    }

    /// How far a point is from the nearest thing that an agent can bump into, in metres: bodies, other agents, the end of
    /// the arena, whether or not it has walls. Negative inside of one; beside a corner a little less than the distance.
    #[must_use]
    pub fn clearance_m(&self, agent: usize, point_m: [f32; 2]) -> f32 {
        let surroundings = self.world.resource::<Surroundings>();
        let (point, size) = (Vector::from_array(point_m), surroundings.size);
        let own = surroundings.first_agent + agent;
        let others = surroundings.solids.iter().enumerate().filter(|(index, _)| *index != own);
        let solids = others.flat_map(|(_, solid)| &solid.surfaces).map(|surface| surface.signed_distance(point));
        solids.fold(point.min(size - point).min_element(), f32::min)
    }

    /// The radius of the smallest disc around an agent's position that holds its body, in metres; 0 for no such agent.
    #[must_use]
    pub fn reach_m(&self, agent: usize) -> f32 {
        let surroundings = self.world.resource::<Surroundings>();
        surroundings.solids.get(surroundings.first_agent + agent).map_or(0.0, Solid::reach)
    }

    /// Do something to the body of an agent that there is.
    fn with_body(&mut self, agent: usize, act: impl FnOnce(&mut PhysicsItem, RigidBodyHandle)) -> bool {
        let Some(entity) = self.world.resource::<Roster>().agents.get(agent).copied() else { return false };
        self.with_solid(entity, act)
    }
}
