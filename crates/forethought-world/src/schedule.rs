//! A control step as one schedule: sense, think, act, simulate, live, record. Read first: [`schedule`].

use crate::actuators::{Actuator, Command};
use crate::digest::Digest;
use crate::hands::Hands;
use crate::physics::{Fixed, Laws, Physics, Roster, SolidIndex, Timetable};
use crate::pursuit::Pursuers;
use crate::sensors::{Contacts, Moment, Senses};
use crate::surroundings::Surroundings;
use crate::{StepRecord, WorldError};
use bevy::ecs::schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel, SingleThreadedExecutor};
use bevy::ecs::system::SystemParam;
use bevy::platform::cell::SyncCell;
use bevy::prelude::{
    Component, Entity, IntoScheduleConfigs, Local, Name, Query, Res, ResMut, Resource, Schedule, SystemSet, Without,
};
use bevy_rapier2d::dynamics::RapierRigidBodyHandle;
use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
use bevy_rapier2d::rapier::prelude::RigidBody;
use forethought_interface::{Detail, FoodItem, Think};
use std::time::Instant;

#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
struct ControlStep;

/// The stages of a control step, in this order.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
enum Stage {
    /// Each agent's observation, and its goal observation where the surroundings changed.
    Sense,
    /// Each mind's thought.
    Think,
    /// Each thought's action, checked and cut to what the actuator takes.
    Act,
    /// The physics steps of this control step, the actuators driving before each one.
    Simulate,
    /// What the agents' bodies spend, eat and suffer.
    Live,
    /// What came of it.
    Record,
}

/// When agents sense what a control step begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sensing {
    /// As it begins.
    First,
    /// At the end of the one before, for whoever is to see it in between.
    Ahead,
}

/// The schedule of one control step. One thread runs it whatever bevy's features are, and two systems whose order is
/// left open are an error, so that there is one order of events and no other.
pub(crate) fn schedule(sensing: Sensing) -> Schedule {
    let mut schedule = Schedule::new(ControlStep);
    let stages = match sensing {
        Sensing::First => (Stage::Sense, Stage::Think, Stage::Act, Stage::Simulate, Stage::Live, Stage::Record).chain(),
        Sensing::Ahead => (Stage::Think, Stage::Act, Stage::Simulate, Stage::Live, Stage::Record, Stage::Sense).chain(),
    };
    schedule
        .set_executor(SingleThreadedExecutor::new())
        .set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            hierarchy_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        })
        .configure_sets(stages)
        .add_systems((
            sense.in_set(Stage::Sense),
            think.in_set(Stage::Think),
            act.in_set(Stage::Act),
            simulate.in_set(Stage::Simulate),
            live.in_set(Stage::Live),
            finish.in_set(Stage::Record),
        ));
    schedule
}

/// The minds, one for each agent in scenario order. A mind need not be `Sync`: only one system ever holds it.
#[derive(Resource)]
pub(crate) struct Minds(pub SyncCell<Vec<Box<dyn Think>>>);

/// How much of their thoughts the minds are to show.
#[derive(Resource, Clone, Copy, Default)]
pub(crate) struct Attention(pub Detail);

/// What went wrong in this control step: the stages after it do nothing. They see for themselves, for a condition in the
/// schedule costs as much as a stage.
#[derive(Resource, Default)]
pub(crate) struct Trouble(pub Option<WorldError>);

/// Where an agent's goal observation is taken; none without a target.
#[derive(Component, Clone, Copy)]
pub(crate) struct GoalFrame(pub Option<Frame>);

pub(crate) type Sensor<'a> = (&'a RapierRigidBodyHandle, &'a Senses, &'a Contacts, &'a GoalFrame);

pub(crate) fn sense(
    mut record: ResMut<StepRecord>,
    roster: Res<Roster>,
    surroundings: Res<Surroundings>,
    physics: Query<Physics>,
    agents: Query<Sensor>,
) {
    let Ok(physics) = physics.single() else { return };
    let record = &mut *record;
    for (index, (agent, entity)) in record.agents.iter_mut().zip(&roster.agents).enumerate() {
        let Ok((handle, senses, contacts, goal_frame)) = agents.get(*entity) else { continue };
        let Some(body) = physics.bodies.bodies.get(handle.0) else { continue };
        let moment = moment(index, body, contacts, &surroundings);
        senses.measure(&moment, &mut agent.observation.values);
        if let GoalFrame(Some(frame)) = goal_frame
            && (agent.goal.is_none() || surroundings.others_moved(moment.own) || surroundings.needs.any())
        {
            let there =
                Moment { frame: *frame, velocity: Vector::ZERO, angular_velocity: 0.0, contacts: &[], ..moment };
            senses.measure(&there, &mut agent.goal.get_or_insert_default().values);
        }
    }
}

/// What there is to sense for this agent now.
pub(crate) fn moment<'a>(
    agent: usize,
    body: &RigidBody,
    contacts: &'a Contacts,
    surroundings: &'a Surroundings,
) -> Moment<'a> {
    Moment {
        own: surroundings.first_agent + agent,
        frame: *body.position(),
        velocity: body.linvel(),
        angular_velocity: body.angvel(),
        contacts: &contacts.0,
        surroundings,
    }
}

fn think(
    mut record: ResMut<StepRecord>,
    mut minds: ResMut<Minds>,
    attention: Res<Attention>,
    roster: Res<Roster>,
    names: Query<&Name>,
    mut trouble: ResMut<Trouble>,
) {
    for ((agent, mind), entity) in record.agents.iter_mut().zip(minds.0.get()).zip(&roster.agents) {
        let began = Instant::now();
        let thought = mind.think(&agent.observation, agent.goal.as_ref(), attention.0);
        agent.think_time = began.elapsed();
        match thought {
            Ok(thought) => agent.thought = Some(thought),
            Err(error) => {
                trouble.0 = Some(WorldError::Think(error, name_of(*entity, &names)));
                return;
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a system's parameters are its access")]
fn act(
    mut record: ResMut<StepRecord>,
    mut minds: ResMut<Minds>,
    hands: Res<Hands>,
    roster: Res<Roster>,
    surroundings: Res<Surroundings>,
    mut commands: Query<&mut Command>,
    names: Query<&Name>,
    mut trouble: ResMut<Trouble>,
) {
    if trouble.0.is_some() {
        return;
    }
    for (index, (agent, entity)) in record.agents.iter_mut().zip(&roster.agents).enumerate() {
        let Some(thought) = &mut agent.thought else { continue };
        if let Some(Some(action)) = hands.0.get(index) {
            thought.action.values = action.to_vec();
            if let Some(mind) = minds.0.get().get_mut(index).and_then(|mind| mind.inspect()) {
                mind.acted(&thought.action);
            }
        }
        match (Command::new(&thought.action), commands.get_mut(*entity)) {
            // The dead move no more.
            (Ok(new), Ok(mut command)) => {
                *command = if surroundings.needs.alive(index) { new } else { Command::default() };
            }
            (Err(reason), _) => {
                trouble.0 = Some(WorldError::Action { agent: name_of(*entity, &names), reason });
                return;
            }
            (Ok(_), Err(_)) => {}
        }
    }
}

type Driven<'a> = (&'a RapierRigidBodyHandle, &'a Actuator, &'a Command, &'a mut Contacts);

#[expect(clippy::too_many_arguments, reason = "a system's parameters are its access")]
fn simulate(
    laws: Res<Laws>,
    roster: Res<Roster>,
    record: Res<StepRecord>,
    mut timetable: ResMut<Timetable>,
    mut pursuers: ResMut<Pursuers>,
    mut physics: Query<Physics>,
    mut agents: Query<Driven>,
    movers: Query<(&RapierRigidBodyHandle, &SolidIndex), Without<Fixed>>,
    mut surroundings: ResMut<Surroundings>,
    names: Query<&Name>,
    mut trouble: ResMut<Trouble>,
) {
    if trouble.0.is_some() {
        return;
    }
    let Ok(mut physics) = physics.single_mut() else { return };
    for (_, _, _, mut contacts) in &mut agents {
        contacts.0.clear();
    }
    pursuers.decide(&surroundings, laws.period_s as f32);
    for substep in 0..laws.substeps {
        timetable
            .begin_due(u64::from(record.step) * u64::from(laws.substeps) + u64::from(substep), &mut physics.bodies);
        // In scenario order: Rapier notes in which order bodies are woken.
        for entity in &roster.agents {
            if let Ok((handle, actuator, command, _)) = agents.get(*entity)
                && let Some(body) = physics.bodies.bodies.get_mut(handle.0)
            {
                actuator.drive(*command, body);
            }
        }
        pursuers.drive(&mut physics.bodies.bodies);
        physics.step(laws.gravity);
        if let Some(body) = physics.diverged() {
            let what = Entity::try_from_bits(body.user_data as u64).map_or_else(String::new, |e| name_of(e, &names));
            trouble.0 = Some(WorldError::Diverged { what, step: record.step + 1 });
            return;
        }
        for (handle, _, _, mut contacts) in &mut agents {
            physics.contacts(handle.0, &mut contacts.0);
        }
    }
    for (handle, index) in &movers {
        if let Some(body) = physics.bodies.bodies.get(handle.0) {
            surroundings.solids[index.0].follow(*body.position());
        }
    }
}

/// Vitals, food, day and night go on by a control step.
fn live(
    laws: Res<Laws>,
    trouble: Res<Trouble>,
    record: Res<StepRecord>,
    roster: Res<Roster>,
    mut pursuers: ResMut<Pursuers>,
    commands: Query<&Command>,
    mut surroundings: ResMut<Surroundings>,
) {
    if trouble.0.is_some() {
        return;
    }
    pursuers.bite(&surroundings);
    if !surroundings.needs.any() {
        return;
    }
    let effort = |agent: usize| {
        let command = roster.agents.get(agent).and_then(|entity| commands.get(*entity).ok());
        let Command(values) = command.copied().unwrap_or_default();
        values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32
    };
    let time_s = f64::from(record.step + 1) * laws.period_s;
    surroundings.live(time_s, laws.period_s as f32, effort, &pursuers.bites_per_s);
}

/// The step is done: count it and record it.
fn finish(laws: Res<Laws>, trouble: Res<Trouble>, mut recording: Recording) {
    if trouble.0.is_none() {
        recording.record.step += 1;
        recording.record.time_s = f64::from(recording.record.step) * laws.period_s;
        record(recording);
    }
}

/// What is recorded, and from what.
#[derive(SystemParam)]
pub(crate) struct Recording<'w, 's> {
    record: ResMut<'w, StepRecord>,
    digest: ResMut<'w, Digest>,
    velocities: Local<'s, Vec<[f32; 3]>>,
    surroundings: Res<'w, Surroundings>,
    attention: Res<'w, Attention>,
    physics: Query<'w, 's, Physics>,
    roster: Res<'w, Roster>,
    bodies: Query<'w, 's, &'static RapierRigidBodyHandle>,
    agents: Query<'w, 's, (&'static Senses, &'static Contacts)>,
}

pub(crate) fn record(recording: Recording) {
    let Recording { mut record, mut digest, mut velocities, surroundings, attention, physics, roster, bodies, agents } =
        recording;
    let Ok(physics) = physics.single() else { return };
    let body_of = |entity: &Entity| bodies.get(*entity).ok().and_then(|handle| physics.bodies.bodies.get(handle.0));
    let record = &mut *record;
    record.bodies.clear();
    record.bodies.extend(surroundings.solids[..surroundings.first_agent].iter().map(|solid| solid.pose));
    velocities.clear();
    velocities.extend(roster.bodies.iter().filter_map(body_of).map(|body| {
        let [x, y] = body.linvel().to_array();
        [x, y, body.angvel()]
    }));
    for (index, (agent, entity)) in record.agents.iter_mut().zip(&roster.agents).enumerate() {
        let (Some(body), Ok((senses, contacts))) = (body_of(entity), agents.get(*entity)) else { continue };
        agent.pose = surroundings.solids[surroundings.first_agent + index].pose;
        agent.velocity_m_s = body.linvel().to_array();
        agent.angular_velocity_rad_s = body.angvel();
        agent.bump_impulse_n_s = contacts.total();
        agent.vitals = surroundings.needs.vitals.get(index).copied().flatten();
        agent.rays = match attention.0 {
            Detail::Brief => Vec::new(),
            Detail::Full => senses.rays(surroundings.first_agent + index, body.position(), &surroundings),
        };
        agent.contacts.clear();
        if attention.0 == Detail::Full {
            let places = contacts.0.iter().map(|contact| body.position().transform_point(contact.place).to_array());
            agent.contacts.extend(places);
        }
    }
    let needs = &surroundings.needs;
    record.light = needs.has_climate().then_some(needs.sky.light);
    record.foods.clear();
    let items = needs.patches.iter().flat_map(|patch| &patch.items);
    record.foods.extend(items.map(|item| FoodItem { position_m: item.place.to_array(), present: item.present }));
    digest.add(record, &velocities);
}

fn name_of(entity: Entity, names: &Query<&Name>) -> String {
    names.get(entity).map_or_else(|_| String::new(), ToString::to_string)
}
