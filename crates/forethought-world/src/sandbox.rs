//! The sandbox: one world, reused from episode to episode. Read first: [`Sandbox`].

use crate::actuators::{Actuator, Command};
use crate::check::check_world;
use crate::digest::Digest;
use crate::geometry::vector;
use crate::hands::Hands;
use crate::physics::{self, Laws, Roster, Timetable, distance_m};
use crate::pursuit::Pursuers;
use crate::schedule::{Attention, GoalFrame, Minds, Sensing, Sensor, Trouble, moment, record, schedule, sense};
use crate::sensors::{Contacts, Senses};
use crate::surroundings::Surroundings;
use crate::{AgentRecord, StepRecord, WorldError, WorldSpec};
use bevy::platform::cell::SyncCell;
use bevy::prelude::{Schedule, World};
use bevy_rapier2d::plugin::context::{RapierContextEntityLink, RapierRigidBodySet};
use bevy_rapier2d::rapier::math::Pose as Frame;
use forethought_interface::{Detail, Observation, Think, derive_seed};

/// A world, the minds of its agents, and the schedule that takes them from one control step to the next.
///
/// Build one for each thread and reuse it: [`Sandbox::reset`] leaves nothing of the last episode behind.
pub struct Sandbox {
    pub(crate) world: World,
    schedule: Schedule,
    built: bool,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty sandbox without minds.
    #[must_use]
    pub fn new() -> Self {
        Self::scheduled(Sensing::First)
    }

    /// The same for whoever is to see what agents sense before they think: after each control step [`Sandbox::record`] has what they
    /// sense then, with which the next one begins. Episodes are the same bits as ever, and nothing is sensed twice. What a hand or an
    /// experimenter changes between two steps is sensed a step late.
    #[must_use]
    pub fn sensing_ahead() -> Self {
        Self::scheduled(Sensing::Ahead)
    }

    fn scheduled(sensing: Sensing) -> Self {
        let mut world = World::new();
        world.insert_resource(Minds(SyncCell::new(Vec::new())));
        world.init_resource::<Attention>();
        world.init_resource::<Hands>();
        world.init_resource::<Trouble>();
        world.init_resource::<Digest>();
        world.init_resource::<Surroundings>();
        world.init_resource::<StepRecord>();
        world.init_resource::<Roster>();
        world.init_resource::<Laws>();
        world.init_resource::<Timetable>();
        world.init_resource::<Pursuers>();
        Self { world, schedule: schedule(sensing), built: false }
    }

    /// The minds from the next [`Sandbox::reset`] on: one for each agent, in scenario order.
    pub fn set_minds(&mut self, minds: Vec<Box<dyn Think>>) {
        self.world.insert_resource(Minds(SyncCell::new(minds)));
    }

    /// How much of their thoughts the minds are to show.
    pub fn set_detail(&mut self, detail: Detail) {
        self.world.insert_resource(Attention(detail));
    }

    /// Build the world anew for an episode with this seed. [`Sandbox::record`] is then that of step 0. Each mind
    /// begins with a seed derived from the episode's and the agent's number.
    ///
    /// Without any minds the world can be looked at but not stepped.
    ///
    /// # Errors
    /// [`WorldError::Invalid`] with every impossible value of the specification; [`WorldError::MindCount`] where there
    /// are minds, but not one for each agent.
    pub fn reset(&mut self, spec: &WorldSpec, seed: u64) -> Result<(), WorldError> {
        self.built = false;
        let problems = check_world(spec);
        if !problems.is_empty() {
            return Err(WorldError::Invalid(problems));
        }
        let minds = self.minds();
        if !minds.is_empty() {
            check_count(spec.agents.len(), minds.len())?;
        }
        for (index, mind) in minds.iter_mut().enumerate() {
            mind.begin(derive_seed(seed, "mind", index as u64));
        }
        physics::build(&mut self.world, spec);
        self.world.insert_resource(Surroundings::new(spec, seed));
        let pursuers = Pursuers::new(spec, seed, &self.world);
        self.world.insert_resource(pursuers);
        self.seat_agents(spec);
        self.world.insert_resource(Trouble::default());
        self.world.resource_mut::<Digest>().restart();
        self.world.insert_resource(StepRecord {
            agents: vec![AgentRecord::default(); spec.agents.len()],
            ..StepRecord::default()
        });
        // Both fail only where a resource is missing, and all are there from the start.
        let opened = self.world.run_system_cached(sense).is_ok() && self.world.run_system_cached(record).is_ok();
        debug_assert!(opened, "the opening systems run");
        self.built = true;
        Ok(())
    }

    /// One control step: sense, think, act, simulate, record.
    ///
    /// # Errors
    /// Where a mind cannot think or acts impossibly, where the physics diverges, or where there is nothing to step or
    /// not one mind for each agent. After an error the sandbox needs a reset.
    pub fn control_step(&mut self) -> Result<(), WorldError> {
        if !self.built {
            return Err(WorldError::Empty);
        }
        let agents = self.record().agents.len();
        check_count(agents, self.minds().len())?;
        self.schedule.run(&mut self.world);
        match self.world.resource_mut::<Trouble>().0.take() {
            Some(error) => {
                self.built = false;
                Err(error)
            }
            None => Ok(()),
        }
    }

    /// The world after the latest control step, and what led there.
    #[must_use]
    pub fn record(&self) -> &StepRecord {
        self.world.resource()
    }

    /// A hash over every step of this episode so far: the bits of all poses, velocities, observations and actions, and of vitals
    /// and food where there are any.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.world.resource::<Digest>().value()
    }

    /// What this agent senses now: after the latest control step, without thinking. Empty where there is no such agent.
    #[must_use]
    pub fn observe(&self, agent: usize) -> Observation {
        self.sensed(agent).unwrap_or_default()
    }

    fn sensed(&self, agent: usize) -> Option<Observation> {
        let surroundings = self.world.resource::<Surroundings>();
        let entity = self.world.resource::<Roster>().agents.get(agent)?;
        let (handle, senses, contacts, _) = self.world.entity(*entity).get_components::<Sensor>().ok()?;
        let context = self.world.get::<RapierContextEntityLink>(*entity)?;
        let body = self.world.get::<RapierRigidBodySet>(context.0)?.bodies.get(handle.0)?;
        let mut values = Vec::new();
        senses.measure(&moment(agent, body, contacts, surroundings), &mut values);
        Some(Observation { values })
    }

    /// Whether the centre of this body or agent is inside this zone; none where one of the names is unknown.
    #[must_use]
    pub fn inside_zone(&self, body_or_agent: &str, zone: &str) -> Option<bool> {
        let surroundings = self.world.resource::<Surroundings>();
        let solid = surroundings.solids.iter().find(|solid| solid.name == body_or_agent)?;
        let zone = surroundings.zones.iter().find(|candidate| candidate.name == zone)?;
        Some(zone.contains(solid.frame.translation))
    }

    /// The sum of the contact impulses between this agent and this body or agent in the latest control step, in N s; none where
    /// one of the names is unknown.
    #[must_use]
    pub fn bumped_into_n_s(&self, agent: &str, other: &str) -> Option<f32> {
        let surroundings = self.world.resource::<Surroundings>();
        let roster = self.world.resource::<Roster>();
        let entity = |name: &str| {
            let index = surroundings.solids.iter().position(|solid| solid.name == name)?;
            roster.bodies.iter().chain(&roster.agents).nth(index).copied()
        };
        let contacts = self.world.get::<Contacts>(entity(agent)?)?;
        Some(contacts.with(entity(other)?))
    }

    /// Whether these two agents bumped into each other in the latest control step; not where one of the numbers is unknown.
    #[must_use]
    pub fn agents_bumped(&self, agent: usize, other: usize) -> bool {
        let agents = &self.world.resource::<Roster>().agents;
        let contacts = |agent: usize| self.world.get::<Contacts>(*agents.get(agent)?);
        let bumped = |agent, other: usize| Some(contacts(agent)?.with(*agents.get(other)?) > 0.0);
        bumped(agent, other) == Some(true)
    }

    /// The distance from this agent's outline to the nearest body or agent that can move, in metres: 0 where they touch or
    /// overlap, none where nothing else can move or there is no such agent.
    #[must_use]
    pub fn mover_distance_m(&self, agent: usize) -> Option<f32> {
        let surroundings = self.world.resource::<Surroundings>();
        let own = surroundings.first_agent + agent;
        let agent = surroundings.solids.get(own)?;
        let movers = surroundings.solids.iter().enumerate().filter(|(index, solid)| !solid.fixed && *index != own);
        movers.filter_map(|(_, other)| distance_m(agent, other)).reduce(f32::min)
    }

    fn minds(&mut self) -> &mut Vec<Box<dyn Think>> {
        self.world.resource_mut::<Minds>().into_inner().0.get()
    }

    /// Give the agents' bodies their actuators and senses.
    pub(crate) fn seat_agents(&mut self, spec: &WorldSpec) {
        let agents = self.world.resource::<Roster>().agents.clone();
        let dt = self.world.resource::<Laws>().dt;
        for (agent, entity) in spec.agents.iter().zip(agents) {
            let target = agent.target.as_ref().and_then(|name| spec.targets.iter().find(|target| target.name == *name));
            let goal = target.map(|target| Frame::new(vector(&target.position_m), agent.angle_rad.value_f32()));
            let senses = Senses::new(&agent.sensors, self.world.resource());
            self.world.entity_mut(entity).insert((
                Actuator::new(&agent.actuator, dt),
                Command::default(),
                Contacts::default(),
                senses,
                GoalFrame(goal),
            ));
        }
    }
}

fn check_count(agents: usize, minds: usize) -> Result<(), WorldError> {
    if agents == minds { Ok(()) } else { Err(WorldError::MindCount { agents, minds }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ArenaSpec, BodyKind, BodySpec, Boundary, MaterialSpec, ShapeSpec, TimingSpec};
    use bevy_rapier2d::dynamics::RapierRigidBodyHandle;
    use bevy_rapier2d::rapier::math::Vector;
    use forethought_interface::Num;

    fn with_one_ball() -> WorldSpec {
        let [zero, one, five] = [0.0, 1.0, 5.0].map(Num::Literal);
        let pair = |num: &Num| [num.clone(), num.clone()];
        WorldSpec {
            arena: ArenaSpec {
                size_m: [10.0, 10.0].map(Num::Literal),
                gravity_m_s2: pair(&zero),
                boundary: Boundary::Walls,
            },
            bodies: vec![BodySpec {
                name: "ball".into(),
                shape: ShapeSpec::Disc { radius_m: one },
                kind: BodyKind::Dynamic,
                position_m: pair(&five),
                angle_rad: zero.clone(),
                velocity_m_s: pair(&zero),
                angular_velocity_rad_s: zero.clone(),
                then: Vec::new(),
                pursues: None,
                material: MaterialSpec::default(),
                color: [zero.clone(), zero.clone(), zero],
            }],
            agents: Vec::new(),
            targets: Vec::new(),
            zones: Vec::new(),
            foods: Vec::new(),
            climate: None,
            timing: TimingSpec::default(),
        }
    }

    #[test]
    fn a_sandbox_can_be_sent() {
        fn sent<T: Send>(_: &T) {}
        sent(&Sandbox::new());
    }

    /// Rapier quietly stops a body whose state is no longer finite; the sandbox must not.
    #[test]
    fn a_body_that_diverges_is_named() {
        let mut sandbox = Sandbox::new();
        sandbox.reset(&with_one_ball(), 1).unwrap();
        sandbox.control_step().unwrap();
        let entity = sandbox.world.resource::<Roster>().bodies[0];
        let handle = sandbox.world.get::<RapierRigidBodyHandle>(entity).unwrap().0;
        let context = sandbox.world.get::<RapierContextEntityLink>(entity).unwrap().0;
        let mut bodies = sandbox.world.get_mut::<RapierRigidBodySet>(context).unwrap();
        bodies.bodies.get_mut(handle).unwrap().add_force(Vector::NAN, true);
        assert_eq!(sandbox.control_step(), Err(WorldError::Diverged { what: "ball".into(), step: 2 }));
        assert_eq!(sandbox.control_step(), Err(WorldError::Empty));
    }

    #[test]
    fn episodes_leave_nothing_behind() {
        let mut sandbox = Sandbox::new();
        let mut entities = || {
            sandbox.reset(&with_one_ball(), 1).unwrap();
            sandbox.control_step().unwrap();
            sandbox.world.entities().count_spawned()
        };
        let first = entities();
        for _ in 0..20 {
            assert_eq!(entities(), first);
        }
    }
}
