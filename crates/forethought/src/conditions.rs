//! Whether an episode has ended, and how. Read first: [`outcome`].

use crate::{
    crowd::Crowd,
    scenario::{Condition, EpisodeSpec},
};
use forethought_interface::{Outcome, Vitals};
use forethought_world::{Sandbox, WorldSpec};

/// How the episode has ended after the latest control step, which `crowd` has counted, if it has. Success counts before failure.
#[must_use]
pub fn outcome(end: &EpisodeSpec, world: &WorldSpec, sandbox: &Sandbox, crowd: &Crowd) -> Option<Outcome> {
    let now = |condition: &Condition| holds(condition, world, sandbox, crowd);
    if succeeded(end, world, sandbox, crowd) {
        Some(Outcome::Success)
    } else if end.failure.iter().any(now) {
        Some(Outcome::Failure)
    } else if sandbox.record().step >= end.max_steps {
        Some(Outcome::TimeLimit)
    } else {
        None
    }
}

/// Whether all success conditions hold; never without any.
#[must_use]
pub fn succeeded(end: &EpisodeSpec, world: &WorldSpec, sandbox: &Sandbox, crowd: &Crowd) -> bool {
    !end.success.is_empty() && end.success.iter().all(|condition| holds(condition, world, sandbox, crowd))
}

/// Whether the condition holds now. A name that the world does not know never holds; scenario checks report it.
fn holds(condition: &Condition, world: &WorldSpec, sandbox: &Sandbox, crowd: &Crowd) -> bool {
    match condition {
        Condition::Reached { agent, target } => {
            distance_m(agent, target, world, sandbox).is_some_and(|(distance_m, radius_m)| distance_m <= radius_m)
        }
        Condition::Inside { body, zone } => sandbox.inside_zone(body, zone).unwrap_or(false),
        Condition::Bumped { agent, into: Some(into), impulse_n_s } => {
            sandbox.bumped_into_n_s(agent, into).is_some_and(|bumped| bumped > impulse_n_s.value_f32())
        }
        Condition::Bumped { agent, into: None, impulse_n_s } => agent_index(agent, world)
            .is_some_and(|i| sandbox.record().agents[i].bump_impulse_n_s > impulse_n_s.value_f32()),
        Condition::LeftArena { agent } => agent_index(agent, world).is_some_and(|i| {
            let [x, y] = sandbox.record().agents[i].pose.position_m;
            let [width, height] = [world.arena.size_m[0].value_f32(), world.arena.size_m[1].value_f32()];
            !(0.0..=width).contains(&x) || !(0.0..=height).contains(&y)
        }),
        Condition::Died { agent } => vitals(agent, world, sandbox).is_some_and(|vitals| !vitals.alive()),
        Condition::Survived { agent, steps } => {
            let alive = vitals(agent, world, sandbox).is_some_and(|vitals| vitals.alive());
            alive && sandbox.record().step >= *steps
        }
        Condition::AllArrived => crowd.all_arrived(),
    }
}

/// The distance between an agent and a target, and the target's radius, in metres.
#[must_use]
pub fn distance_m(agent: &str, target: &str, world: &WorldSpec, sandbox: &Sandbox) -> Option<(f32, f32)> {
    let target = world.targets.iter().find(|candidate| candidate.name == target)?;
    let [x, y] = sandbox.record().agents[agent_index(agent, world)?].pose.position_m;
    let [target_x, target_y] = [target.position_m[0].value_f32(), target.position_m[1].value_f32()];
    Some(((x - target_x).hypot(y - target_y), target.radius_m.value_f32()))
}

/// How an agent with a metabolism is.
fn vitals(agent: &str, world: &WorldSpec, sandbox: &Sandbox) -> Option<Vitals> {
    sandbox.record().agents[agent_index(agent, world)?].vitals
}

fn agent_index(name: &str, world: &WorldSpec) -> Option<usize> {
    world.agents.iter().position(|agent| agent.name == name)
}
