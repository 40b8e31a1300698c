//! A hand in the world: what a user moves, pushes, adds and takes away between two control steps, and how an agent is led.
//! Read first: [`Sandbox::rebuild`] and [`Sandbox::lead`].
//!
//! An episode that was touched is no longer the one that its seed gives; a reset forgets all of it, but for who is led.

use crate::check::check_world;
use crate::food::Patch;
use crate::physics::{self, Laws, Physics, PhysicsItem, Roster, Timetable};
use crate::pursuit::Pursuers;
use crate::schedule::{GoalFrame, Minds, record, sense};
use crate::sensors::{Contacts, Moment, Senses};
use crate::surroundings::Surroundings;
use crate::{FoodSpec, Sandbox, StepRecord, WorldError, WorldSpec};
use bevy::prelude::{Entity, Mut, Resource};
use bevy_rapier2d::dynamics::RapierRigidBodyHandle;
use bevy_rapier2d::rapier::dynamics::RigidBodyHandle;
use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
use forethought_interface::{Observation, Pose, Thing, Think};
use std::time::Instant;

/// What a hand lets each agent do, in place of what its mind decided.
#[derive(Resource, Default)]
pub(crate) struct Hands(pub Vec<Option<[f32; 2]>>);

impl Sandbox {
    /// The mind of this agent, if there is one.
    pub fn mind(&mut self, agent: usize) -> Option<&mut (dyn Think + 'static)> {
        self.world.resource_mut::<Minds>().into_inner().0.get().get_mut(agent).map(|mind| &mut **mind)
    }

    /// Lead an agent: from the next control step on its body does this, whatever its mind decides; none lets the mind lead it
    /// again. Its mind goes on thinking.
    pub fn lead(&mut self, agent: usize, action: Option<[f32; 2]>) {
        let mut hands = self.world.resource_mut::<Hands>();
        if hands.0.len() <= agent {
            hands.0.resize(agent + 1, None);
        }
        hands.0[agent] = action.map(|action| action.map(|value| if value.is_finite() { value } else { 0.0 }));
    }

    /// What this agent would sense at rest in another place, turned as it is and touching nothing; none for no such agent.
    #[must_use]
    pub fn sense_at(&self, agent: usize, position_m: [f32; 2]) -> Option<Observation> {
        let surroundings = self.world.resource::<Surroundings>();
        let entity = *self.world.resource::<Roster>().agents.get(agent)?;
        let (senses, contacts) = self.world.entity(entity).get_components::<(&Senses, &Contacts)>().ok()?;
        let frame = surroundings.solids.get(surroundings.first_agent + agent)?.frame;
        let frame = Frame::from_parts(Vector::from_array(position_m), frame.rotation);
        let (velocity, own) = (Vector::ZERO, surroundings.first_agent + agent);
        let there = Moment { own, frame, velocity, angular_velocity: 0.0, contacts: &contacts.0[..0], surroundings };
        let mut values = Vec::new();
        senses.measure(&there, &mut values);
        Some(Observation { values })
    }

    /// Put a body somewhere else, its velocity kept: as [`Sandbox::place`] does with an agent.
    ///
    /// False, and nothing is done, where there is no such body or a number is not finite.
    pub fn place_body(&mut self, body: usize, pose: Pose) -> bool {
        if !pose.position_m.iter().chain([&pose.angle_rad]).all(|value| value.is_finite()) {
            return false;
        }
        let Some(entity) = self.world.resource::<Roster>().bodies.get(body).copied() else { return false };
        let frame = Frame::new(Vector::from_array(pose.position_m), pose.angle_rad);
        let placed = self.with_solid(entity, |physics, handle| {
            if let Some(body) = physics.bodies.bodies.get_mut(handle) {
                body.set_position(frame, true);
            }
        });
        if placed {
            let mut surroundings = self.world.resource_mut::<Surroundings>();
            let solid = &mut surroundings.solids[body];
            let moved = solid.moved;
            solid.follow(frame);
            solid.moved |= moved;
            let pose = solid.pose;
            self.world.resource_mut::<StepRecord>().bodies[body] = pose;
        }
        placed
    }

    /// Give an agent or a body this velocity on top of its own, in m/s. Nothing happens to what never moves.
    ///
    /// False where there is no such thing, or it cannot be pushed.
    pub fn push(&mut self, what: Thing, by_m_s: [f32; 2]) -> bool {
        let roster = self.world.resource::<Roster>();
        let entity = match what {
            Thing::Agent(agent) => roster.agents.get(agent).copied(),
            Thing::Body(body) => roster.bodies.get(body).copied(),
            Thing::Target(_) | Thing::Food(_) | Thing::Zone(_) => None,
        };
        let by = Vector::from_array(by_m_s);
        let Some(entity) = entity.filter(|_| by.is_finite()) else { return false };
        let mut pushed = false;
        self.with_solid(entity, |physics, handle| {
            if let Some(body) = physics.bodies.bodies.get_mut(handle).filter(|body| body.is_dynamic()) {
                body.set_linvel(body.linvel() + by, true);
                pushed = true;
            }
        });
        pushed
    }

    /// Put a target somewhere else, for these agents, whose target it is.
    ///
    /// False, and nothing is done, where there is no such target or a number is not finite.
    pub fn place_target(&mut self, target: usize, position_m: [f32; 2], seekers: &[usize]) -> bool {
        let place = Vector::from_array(position_m);
        let known = target < self.world.resource::<Surroundings>().targets.len();
        if !known || !place.is_finite() {
            return false;
        }
        self.world.resource_mut::<Surroundings>().targets[target].0 = place;
        for &agent in seekers {
            let Some(entity) = self.world.resource::<Roster>().agents.get(agent).copied() else { continue };
            if let Some(mut goal) = self.world.get_mut::<GoalFrame>(entity)
                && let Some(frame) = &mut goal.0
            {
                frame.translation = place;
            }
            // What would be sensed there is asked anew.
            if let Some(record) = self.world.resource_mut::<StepRecord>().agents.get_mut(agent) {
                record.goal = None;
            }
        }
        true
    }

    /// Put a zone somewhere else, turned as it is.
    ///
    /// False, and nothing is done, where there is no such zone or a number is not finite.
    pub fn place_zone(&mut self, zone: usize, position_m: [f32; 2]) -> bool {
        let place = Vector::from_array(position_m);
        let mut surroundings = self.world.resource_mut::<Surroundings>();
        let Some(zone) = surroundings.zones.get_mut(zone).filter(|_| place.is_finite()) else { return false };
        zone.follow(Frame::from_parts(place, zone.frame.rotation));
        true
    }

    /// Show in the record what the minds would think if they planned anew here and now. Nobody remembers it, and nothing that
    /// happens depends on it.
    pub fn preview(&mut self) {
        // Fails only where a resource is missing, and all are there from the start.
        let _ = self.world.run_system_cached(sense);
        self.world.resource_scope(|world, mut record: Mut<StepRecord>| {
            let mut minds = world.resource_mut::<Minds>();
            for (agent, mind) in record.agents.iter_mut().zip(minds.0.get()) {
                let began = Instant::now();
                let thought = mind.inspect().and_then(|mind| mind.preview(&agent.observation, agent.goal.as_ref()));
                if thought.is_some() {
                    (agent.thought, agent.think_time) = (thought, began.elapsed());
                }
            }
        });
    }

    /// Put an item of food somewhere else.
    ///
    /// False, and nothing is done, where there is no such item or a number is not finite.
    pub fn place_food(&mut self, item: usize, position_m: [f32; 2]) -> bool {
        let place = Vector::from_array(position_m);
        let Some((patch, index)) = self.food_at(item).filter(|_| place.is_finite()) else { return false };
        self.world.resource_mut::<Surroundings>().needs.patches[patch].items[index].place = place;
        self.record_foods();
        true
    }

    /// The patch that this item belongs to.
    #[must_use]
    pub fn patch_of(&self, item: usize) -> Option<usize> {
        self.food_at(item).map(|(patch, _)| patch)
    }

    /// Take an item of food away for good.
    ///
    /// False, and nothing is done, where there is no such item.
    pub fn remove_food(&mut self, item: usize) -> bool {
        let Some((patch, index)) = self.food_at(item) else { return false };
        self.world.resource_mut::<Surroundings>().needs.patches[patch].items.remove(index);
        self.record_foods();
        true
    }

    /// One more patch of food, after those that there are.
    pub fn add_food(&mut self, spec: &FoodSpec, seed: u64) {
        let mut surroundings = self.world.resource_mut::<Surroundings>();
        let index = surroundings.needs.patches.len();
        let patch = Patch::new(spec, index, seed, surroundings.size, &surroundings.solids);
        surroundings.needs.patches.push(patch);
        self.record_foods();
    }

    /// Go on in another world: `after`, which differs from `before` in its bodies, be they more, fewer or others. Bodies keep
    /// their velocities by name, agents theirs; minds, vitals, food and time go on as they were, but pursuers begin anew. The
    /// numbers of `after` say where everything is.
    ///
    /// # Errors
    /// [`WorldError::Invalid`] where that is no possible world; then nothing has changed.
    pub fn rebuild(&mut self, before: &WorldSpec, after: &WorldSpec, seed: u64) -> Result<(), WorldError> {
        let problems = check_world(after);
        if !problems.is_empty() {
            return Err(WorldError::Invalid(problems));
        }
        let roster = self.world.resource::<Roster>();
        let (bodies, agents) = (roster.bodies.clone(), roster.agents.clone());
        let old: Vec<(&str, Motion)> =
            before.bodies.iter().zip(&bodies).map(|(body, entity)| (&*body.name, self.motion(*entity))).collect();
        let of_agents: Vec<Motion> = agents.iter().map(|agent| self.motion(*agent)).collect();
        physics::build(&mut self.world, after);
        let mut surroundings = Surroundings::new(after, seed);
        surroundings.needs = std::mem::take(&mut self.world.resource_mut::<Surroundings>().needs);
        self.world.insert_resource(surroundings);
        let pursuers = Pursuers::new(after, seed, &self.world);
        self.world.insert_resource(pursuers);
        self.seat_agents(after);
        let roster = self.world.resource::<Roster>();
        let (bodies, agents) = (roster.bodies.clone(), roster.agents.clone());
        for (body, entity) in after.bodies.iter().zip(bodies) {
            if let Some((_, motion)) = old.iter().find(|(name, _)| *name == body.name) {
                self.set_motion(entity, *motion);
            }
        }
        agents.into_iter().zip(of_agents).for_each(|(entity, motion)| self.set_motion(entity, motion));
        self.skip_phases();
        // Fails only where a resource is missing, and all are there from the start.
        let _ = self.world.run_system_cached(record);
        Ok(())
    }

    /// Let senses that know the world by heart, such as a floor plan, learn it anew.
    pub fn renew_senses(&mut self, spec: &WorldSpec) {
        let entities = self.world.resource::<Roster>().agents.clone();
        for (agent, entity) in spec.agents.iter().zip(entities) {
            let senses = Senses::new(&agent.sensors, self.world.resource());
            self.world.entity_mut(entity).insert(senses);
        }
    }

    /// Which patch, and which of its items.
    fn food_at(&self, item: usize) -> Option<(usize, usize)> {
        let mut left = item;
        for (index, patch) in self.world.resource::<Surroundings>().needs.patches.iter().enumerate() {
            if left < patch.items.len() {
                return Some((index, left));
            }
            left -= patch.items.len();
        }
        None
    }

    fn record_foods(&mut self) {
        let foods = self.world.resource::<Surroundings>().needs.foods();
        self.world.resource_mut::<StepRecord>().foods = foods;
    }

    fn motion(&mut self, entity: Entity) -> Motion {
        let mut motion = (Vector::ZERO, 0.0);
        self.with_solid(entity, |physics, handle| {
            if let Some(body) = physics.bodies.bodies.get(handle) {
                motion = (body.linvel(), body.angvel());
            }
        });
        motion
    }

    fn set_motion(&mut self, entity: Entity, (velocity, turning): Motion) {
        self.with_solid(entity, |physics, handle| {
            if let Some(body) = physics.bodies.bodies.get_mut(handle).filter(|body| !body.is_fixed()) {
                body.set_linvel(velocity, true);
                body.set_angvel(turning, true);
            }
        });
    }

    /// The phases of kinematic bodies that have begun are behind.
    fn skip_phases(&mut self) {
        let step = u64::from(self.record().step) * u64::from(self.world.resource::<Laws>().substeps);
        self.world.resource_mut::<Timetable>().skip(step);
    }

    /// Do something to the physical body of an entity that has one.
    pub(crate) fn with_solid(&mut self, entity: Entity, act: impl FnOnce(&mut PhysicsItem, RigidBodyHandle)) -> bool {
        let Some(handle) = self.world.get::<RapierRigidBodyHandle>(entity).map(|handle| handle.0) else { return false };
        let mut physics = self.world.query::<Physics>();
        let Ok(mut physics) = physics.single_mut(&mut self.world) else { return false };
        act(&mut physics, handle);
        true
    }
}

/// A velocity in m/s and an angular velocity in rad/s.
type Motion = (Vector, f32);
