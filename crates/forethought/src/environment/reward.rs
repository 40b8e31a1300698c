//! What a control step is worth to an agent. Read first: `Rewards::count`.
//!
//! The reward is for learners that need one; minds have drives instead. It is the sum of what follows, and adds up over an
//! episode to how much nearer the agent came and how much better it fares, whatever the way there.

use super::Step;
use crate::crowd::Crowd;
use forethought_interface::Outcome;
use forethought_world::{StepRecord, WorldSpec};

/// For each metre that it is nearer to its target, as the crow flies; the same is lost for each metre that it is farther.
pub const PROGRESS_PER_M: f64 = 1.0;
/// For being within its target's radius for the first time; without a target, for the success that ends the episode.
pub const ARRIVAL: f64 = 10.0;
/// For a failure that ends the episode, death included.
pub const FAILURE: f64 = -10.0;
/// For a whole store of energy, and for a whole health: more of them than before is worth its share, and less costs it.
pub const VITALS: f64 = 10.0;
/// For each collision with another agent that begins.
pub const COLLISION: f64 = -1.0;

/// The rewards of all agents, and what they are counted from.
#[derive(Debug, Default)]
pub(super) struct Rewards {
    before: Vec<Standing>,
    latest: Vec<f64>,
}

/// How an agent stands.
#[derive(Debug, Clone, Copy)]
struct Standing {
    /// How far its target is, in metres; none without one.
    distance_m: Option<f64>,
    /// Energy and health, each a share of 1, together; none without a metabolism.
    vitals: Option<f64>,
    arrived: bool,
}

impl Rewards {
    /// An episode begins.
    pub fn begin(&mut self, world: &WorldSpec, record: &StepRecord, goals_m: &[Option<[f32; 2]>]) {
        self.latest = vec![0.0; world.agents.len()];
        self.before = (0..world.agents.len()).map(|agent| standing(record, agent, goals_m, false)).collect();
    }

    /// Count the latest control step.
    pub fn count(&mut self, record: &StepRecord, goals_m: &[Option<[f32; 2]>], crowd: &Crowd, step: &Step) {
        let ended = step.outcome.filter(|_| step.terminated);
        for (agent, (before, reward)) in self.before.iter_mut().zip(&mut self.latest).enumerate() {
            let now = standing(record, agent, goals_m, crowd.arrived_after(agent).is_some());
            let more = |now: Option<f64>, then: Option<f64>| now.zip(then).map_or(0.0, |(now, then)| now - then);
            let seeks = now.distance_m.is_some();
            let came = if seeks { now.arrived && !before.arrived } else { ended == Some(Outcome::Success) };
            *reward = PROGRESS_PER_M * more(before.distance_m, now.distance_m)
                + VITALS * more(now.vitals, before.vitals)
                + COLLISION * f64::from(crowd.collided(agent));
            *reward += if came { ARRIVAL } else { 0.0 };
            *reward += if ended == Some(Outcome::Failure) { FAILURE } else { 0.0 };
            *before = now;
        }
    }

    /// What the latest control step was worth to each agent.
    pub fn latest(&self) -> &[f64] {
        &self.latest
    }
}

fn standing(record: &StepRecord, agent: usize, goals_m: &[Option<[f32; 2]>], arrived: bool) -> Standing {
    let body = record.agents.get(agent);
    let distance_m = body.zip(goals_m.get(agent).copied().flatten()).map(|(body, goal)| {
        let [x, y] = body.pose.position_m;
        f64::from(x - goal[0]).hypot(f64::from(y - goal[1]))
    });
    let vitals = body.and_then(|body| body.vitals).map(|vitals| f64::from(vitals.energy) + f64::from(vitals.health));
    Standing { distance_m, vitals, arrived }
}
