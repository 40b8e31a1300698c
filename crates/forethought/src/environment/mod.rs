//! A scenario as reinforcement learning has it: reset, step, observation, reward. Whoever holds it acts for its agents; no mind
//! thinks. Read first: [`Environment`].
//!
//! The same actions as a mind's in the same episode come to the same digest as [`crate::episode::Runner`] with that mind.

mod puppet;
mod reward;

pub use reward::{ARRIVAL, COLLISION, FAILURE, PROGRESS_PER_M, VITALS};

use crate::{
    conditions,
    crowd::Crowd,
    error::Error,
    scenario::{Condition, Episode},
    setup::Setup,
};
use forethought_interface::{Channel, ObservationLayout, Outcome, derive_seed};
use forethought_world::{AgentBodySpec, Sandbox, StepRecord, action_len, observation_layout};
use puppet::Puppet;
use reward::Rewards;
use std::{ops::Range, sync::Arc};

/// The channel that tells an agent where its target is, after all that it senses.
pub const GOAL: &str = "goal.position_m";

/// Which worlds episodes are drawn from. None of one is ever one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Split {
    /// Worlds of training, with factors as the scenario has them where agents explore.
    #[default]
    Train,
    /// Worlds of training, with factors as in evaluation.
    Practice,
    /// Worlds of evaluation: episode `i` of seed `s` is the one that a batch of seed `s` runs as its episode `i`.
    Episode,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Practice, Self::Episode];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Practice => "practice",
            Self::Episode => "episode",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.as_str() == name)
    }
}

/// What an agent of an environment senses and does.
#[derive(Debug, Clone, PartialEq)]
pub struct Seat {
    /// Its name.
    pub name: String,
    /// What it senses, in the order of its observations; where it is told its goal, [`GOAL`] is last.
    pub layout: ObservationLayout,
    /// Where its observation stands in that of the environment.
    pub observed: Range<usize>,
    /// Where its action stands in that of the environment.
    pub acts: Range<usize>,
    /// Whether it has a target.
    pub has_goal: bool,
}

/// What a control step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How the episode ended, if it did.
    pub outcome: Option<Outcome>,
    /// Whether it ended for good: success or failure.
    pub terminated: bool,
    /// Whether it was cut off where it could have gone on: at its step limit, or where agents have lived for as long as was asked.
    pub truncated: bool,
}

/// A scenario whose agents are led from outside. One for each thread; its agents are led all at once.
pub struct Environment {
    setup: Arc<Setup>,
    sandbox: Sandbox,
    seats: Vec<Seat>,
    puppets: Vec<Puppet>,
    /// Whether an agent with a target is told where it is.
    told_goal: bool,
    rewards: Rewards,
    current: Option<Current>,
    over: bool,
}

/// An episode under way, or over.
struct Current {
    drawn: Episode,
    crowd: Crowd,
    /// Where each agent's target is, in metres.
    goals_m: Vec<Option<[f32; 2]>>,
    /// Whether success is to have lived so long.
    lives: bool,
    outcome: Option<Outcome>,
}

impl Environment {
    /// An environment of this scenario. With `told_goal` an agent with a target observes where it is, in metres, after all that it
    /// senses: without, only [`Environment::goal_into`] tells.
    ///
    /// # Errors
    /// Where the scenario's first episode cannot be drawn.
    pub fn new(setup: Arc<Setup>, told_goal: bool) -> Result<Self, Error> {
        let drawn = setup.draw(0)?;
        let (mut seen, mut done) = (0, 0);
        let mut seat = |agent: &AgentBodySpec| {
            let mut layout = observation_layout(agent);
            let has_goal = agent.target.is_some();
            if has_goal && told_goal {
                layout.channels.push(Channel { name: GOAL.to_owned(), shape: vec![2] });
            }
            let (observed, acts) = (seen..seen + layout.len(), done..done + action_len(&agent.actuator));
            (seen, done) = (observed.end, acts.end);
            Seat { name: agent.name.clone(), layout, observed, acts, has_goal }
        };
        let seats: Vec<Seat> = drawn.world.agents.iter().map(&mut seat).collect();
        let puppets: Vec<Puppet> = seats.iter().map(|seat| Puppet::new(seat.acts.len())).collect();
        let mut sandbox = Sandbox::sensing_ahead();
        sandbox.set_minds(puppets.iter().map(Puppet::mind).collect());
        let rewards = Rewards::default();
        Ok(Self { setup, sandbox, seats, puppets, told_goal, rewards, current: None, over: true })
    }

    /// What it was made of.
    #[must_use]
    pub fn setup(&self) -> &Arc<Setup> {
        &self.setup
    }

    /// Its agents, in scenario order.
    #[must_use]
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// How many values the observations of all agents have together.
    #[must_use]
    pub fn observation_len(&self) -> usize {
        self.seats.last().map_or(0, |seat| seat.observed.end)
    }

    /// How many values the actions of all agents have together.
    #[must_use]
    pub fn action_len(&self) -> usize {
        self.seats.last().map_or(0, |seat| seat.acts.end)
    }

    /// Begin episode `index` of this seed, in worlds of this kind.
    ///
    /// # Errors
    /// Where the episode cannot be drawn or built.
    pub fn begin(&mut self, seed: u64, split: Split, index: u64) -> Result<(), Error> {
        (self.current, self.over) = (None, true);
        let of_episode = derive_seed(seed, split.as_str(), index);
        let scenario = &self.setup.loaded;
        let drawn = match split {
            Split::Train => scenario.draw_exploring(of_episode),
            Split::Practice | Split::Episode => scenario.draw(of_episode),
        };
        let drawn = self.setup.drawn(drawn, index)?;
        self.sandbox.reset(&drawn.world, drawn.seed)?;
        let place = |name: &String| {
            let target = drawn.world.targets.iter().find(|target| target.name == *name)?;
            Some([target.position_m[0].value_f32(), target.position_m[1].value_f32()])
        };
        let goals_m: Vec<Option<[f32; 2]>> =
            drawn.world.agents.iter().map(|agent| agent.target.as_ref().and_then(place)).collect();
        let lives = drawn.episode.success.iter().any(|condition| matches!(condition, Condition::Survived { .. }));
        let crowd = Crowd::new(&drawn.world);
        self.rewards.begin(&drawn.world, self.sandbox.record(), &goals_m);
        self.current = Some(Current { drawn, crowd, goals_m, lives, outcome: None });
        self.over = false;
        Ok(())
    }

    /// One control step in which the agents do this: `actions` `[action_len]`, those of all agents, each value in `[-1, 1]` or cut to
    /// that. Their rewards are in [`Environment::rewards`] afterwards, and what they sense in [`Environment::observe_into`].
    ///
    /// # Errors
    /// Where no episode is under way, or an action has the wrong length or is not finite: then nothing has happened. Where the
    /// physics diverges: then the episode is over.
    pub fn step(&mut self, actions: &[f32]) -> Result<Step, Error> {
        let Some(current) = self.current.as_mut().filter(|_| !self.over) else { return Err(Error::NoEpisode) };
        check_actions(&self.seats, actions)?;
        for (seat, puppet) in self.seats.iter().zip(&self.puppets) {
            puppet.act(&actions[seat.acts.clone()]);
        }
        self.over = true;
        self.sandbox.control_step()?;
        let Current { drawn, crowd, goals_m, lives, outcome } = current;
        crowd.count(&drawn.world, &self.sandbox);
        *outcome = conditions::outcome(&drawn.episode, &drawn.world, &self.sandbox, crowd);
        let truncated = match outcome {
            Some(Outcome::TimeLimit) => true,
            Some(Outcome::Success) => *lives,
            Some(Outcome::Failure) | None => false,
        };
        let step = Step { outcome: *outcome, terminated: outcome.is_some() && !truncated, truncated };
        self.rewards.count(self.sandbox.record(), goals_m, crowd, &step);
        self.over = outcome.is_some();
        Ok(step)
    }

    /// What the latest step was worth to each agent: see [`reward`](PROGRESS_PER_M).
    #[must_use]
    pub fn rewards(&self) -> &[f64] {
        self.rewards.latest()
    }

    /// Write what all agents sense now, `[observation_len]`.
    pub fn observe_into(&self, observation: &mut [f32]) {
        for (index, seat) in self.seats.iter().enumerate() {
            let sensed = self.sandbox.record().agents.get(index).map(|agent| agent.observation.values.as_slice());
            self.fill(index, sensed.unwrap_or_default(), &mut observation[seat.observed.clone()]);
        }
    }

    /// Write what each agent would sense at rest at its target, as [`Environment::observe_into`] writes what it senses; not a number
    /// for those without one.
    pub fn goal_into(&self, goal: &mut [f32]) {
        for (index, seat) in self.seats.iter().enumerate() {
            let sensed = self.sandbox.record().agents.get(index).and_then(|agent| agent.goal.as_ref());
            let values = sensed.map_or(&[][..], |goal| &goal.values);
            self.fill(index, values, &mut goal[seat.observed.clone()]);
        }
    }

    /// Senses, and then where the goal is.
    fn fill(&self, agent: usize, sensed: &[f32], out: &mut [f32]) {
        out.fill(f32::NAN);
        out[..sensed.len()].copy_from_slice(sensed);
        if self.seats[agent].has_goal && self.told_goal {
            let end = out.len() - 2;
            out[end..].copy_from_slice(&self.goal_m(agent).unwrap_or([f32::NAN; 2]));
        }
    }

    /// Where this agent's target is, in metres; none without one.
    #[must_use]
    pub fn goal_m(&self, agent: usize) -> Option<[f32; 2]> {
        self.current.as_ref()?.goals_m.get(agent).copied().flatten()
    }

    /// The episode as drawn; none before the first.
    #[must_use]
    pub fn drawn(&self) -> Option<&Episode> {
        self.current.as_ref().map(|current| &current.drawn)
    }

    /// How the episode ended, if it has.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.current.as_ref()?.outcome
    }

    /// Whether an episode is under way.
    #[must_use]
    pub fn under_way(&self) -> bool {
        !self.over
    }

    /// The world after the latest control step.
    #[must_use]
    pub fn record(&self) -> &StepRecord {
        self.sandbox.record()
    }

    /// A hash over the whole trajectory so far, as batches have it.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.sandbox.digest()
    }
}

fn check_actions(seats: &[Seat], actions: &[f32]) -> Result<(), Error> {
    let wanted = seats.last().map_or(0, |seat| seat.acts.end);
    let refuse = |seat: &Seat, problem: String| Error::Action { agent: seat.name.clone(), problem };
    match seats.last() {
        Some(last) if actions.len() != wanted => {
            Err(refuse(last, format!("all agents together take {wanted} values, and there are {}", actions.len())))
        }
        _ => seats.iter().try_for_each(|seat| {
            let bad = actions[seat.acts.clone()].iter().enumerate().find(|(_, value)| !value.is_finite());
            bad.map_or(Ok(()), |(at, value)| Err(refuse(seat, format!("its value {at} is {value}"))))
        }),
    }
}

#[cfg(test)]
mod tests;
