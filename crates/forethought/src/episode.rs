//! One episode from its start to its end. Read first: [`Runner::run`].

use crate::{
    conditions,
    crowd::{Crossing, Crowd},
    error::Error,
    life::Life,
    scenario::Episode,
    setup::{Setup, drives_of},
    tasks::TaskLog,
};
use forethought_interface::{Detail, FactorValues, Outcome};
use forethought_mind::cost::drives::DriveSpec;
use forethought_world::{Sandbox, StepRecord};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Instant};

/// How an episode ended: as [`Outcome`], or with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A success condition held.
    Success,
    /// A failure condition held.
    Failure,
    /// The step limit came first.
    TimeLimit,
    /// The physics diverged, a mind could not think, or the program failed.
    Error,
}

impl Ending {
    /// As files have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::TimeLimit => "time_limit",
            Self::Error => "error",
        }
    }
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure => Self::Failure,
            Outcome::TimeLimit => Self::TimeLimit,
        }
    }
}

/// What one episode came to: a line of `episodes.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeResult {
    /// The episode's number.
    pub episode: u64,
    /// Its own seed, derived from the run's seed and its number.
    pub seed: u64,
    /// How it ended.
    pub outcome: Ending,
    /// Control steps until then.
    pub steps: u32,
    /// A hash over the whole trajectory, in hexadecimal.
    pub digest: String,
    /// Seconds of wall clock.
    pub wall_secs: f64,
    /// How long each thought took that planned anew, in milliseconds.
    pub decision_ms: Vec<f32>,
    /// How long all thoughts took together, in milliseconds.
    pub think_ms: f64,
    /// Predictor calls of all thoughts.
    pub model_evaluations: u64,
    /// How far the first agent with a target was from it at the end, in metres.
    pub distance_m: Option<f32>,
    /// The life of the first agent with a metabolism.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
    /// What the agents with a configurator were at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TaskLog>,
    /// What became of the agents, where several have targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossing: Option<Crossing>,
    /// The factors of variation as drawn.
    pub factors: FactorValues,
    /// What went wrong, where `outcome` is `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl EpisodeResult {
    /// The result of an episode that went wrong.
    #[must_use]
    pub fn failed(episode: u64, seed: u64, error: String) -> Self {
        Self {
            episode,
            seed,
            outcome: Ending::Error,
            steps: 0,
            digest: hex(0),
            wall_secs: 0.0,
            decision_ms: Vec::new(),
            think_ms: 0.0,
            model_evaluations: 0,
            distance_m: None,
            life: None,
            tasks: None,
            crossing: None,
            factors: FactorValues::new(),
            error: Some(error),
        }
    }
}

/// A digest as text.
#[must_use]
pub fn hex(digest: u64) -> String {
    format!("{digest:016x}")
}

/// Runs episodes one after another in one sandbox: one for each thread.
pub struct Runner {
    setup: Arc<Setup>,
    sandbox: Sandbox,
    /// The drives that the minds in the sandbox were made with.
    drives: Option<Vec<Vec<DriveSpec>>>,
}

/// An episode under way.
pub struct Current {
    /// The episode as drawn.
    pub drawn: Episode,
    crowd: Crowd,
    result: EpisodeResult,
    started: Instant,
}

impl Current {
    /// The episode's number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.result.episode
    }
}

impl Runner {
    /// A runner for this setup.
    #[must_use]
    pub fn new(setup: Arc<Setup>, detail: Detail) -> Self {
        let mut sandbox = Sandbox::new();
        sandbox.set_detail(detail);
        Self { setup, sandbox, drives: None }
    }

    /// Run episode `index` of the run from its start to its end.
    ///
    /// # Errors
    /// Where the episode cannot be drawn, the physics diverges or a mind cannot think.
    pub fn run(&mut self, index: u64) -> Result<EpisodeResult, Error> {
        let mut current = self.begin(index)?;
        loop {
            if let Some(outcome) = self.step(&mut current)? {
                return Ok(self.end(current, outcome));
            }
        }
    }

    /// Set the stage for episode `index`.
    ///
    /// # Errors
    /// Where the episode cannot be drawn or built.
    pub fn begin(&mut self, index: u64) -> Result<Current, Error> {
        let started = Instant::now();
        let drawn = self.setup.draw(index)?;
        self.seat_minds(&drawn)?;
        self.sandbox.reset(&drawn.world, drawn.seed)?;
        let result = EpisodeResult {
            error: None,
            factors: drawn.factors.iter().cloned().collect(),
            ..EpisodeResult::failed(index, drawn.seed, String::new())
        };
        Ok(Current { crowd: Crowd::new(&drawn.world), drawn, result, started })
    }

    /// One control step: sense, think, act, simulate. Says how the episode ended, if it did.
    ///
    /// # Errors
    /// Where the physics diverges or a mind cannot think.
    pub fn step(&mut self, current: &mut Current) -> Result<Option<Outcome>, Error> {
        self.sandbox.control_step()?;
        let period_s = current.drawn.world.timing.control_period_s;
        current.result.count(self.sandbox.record(), period_s);
        let Current { drawn, crowd, result, .. } = current;
        TaskLog::count(&mut result.tasks, &drawn.world.agents, self.sandbox.record());
        crowd.count(&drawn.world, &self.sandbox);
        let outcome = conditions::outcome(&drawn.episode, &drawn.world, &self.sandbox, crowd);
        if let (Some(outcome), Some(learning)) = (outcome, &self.setup.learning) {
            learning.ended(outcome == Outcome::Success);
        }
        Ok(outcome)
    }

    /// What the episode came to.
    #[must_use]
    pub fn end(&self, current: Current, outcome: Outcome) -> EpisodeResult {
        let world = &current.drawn.world;
        let seeker = world.agents.iter().find_map(|agent| agent.target.as_ref().map(|target| (&agent.name, target)));
        EpisodeResult {
            outcome: outcome.into(),
            digest: hex(self.sandbox.digest()),
            wall_secs: current.started.elapsed().as_secs_f64(),
            distance_m: seeker
                .and_then(|(agent, target)| conditions::distance_m(agent, target, world, &self.sandbox))
                .map(|(distance_m, _)| distance_m),
            tasks: current.result.tasks.map(TaskLog::ended),
            crossing: current.crowd.crossing(),
            ..current.result
        }
    }

    /// The world as the latest control step left it.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The same, for a hand in it.
    pub fn sandbox_mut(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }

    /// Make the minds anew with the next episode, whatever was changed of them.
    pub fn forget_minds(&mut self) {
        self.drives = None;
    }

    /// Minds are kept from episode to episode, unless a drive's weight varies with a factor.
    fn seat_minds(&mut self, drawn: &Episode) -> Result<(), Error> {
        let drives = self.setup.loaded.scenario.agents.iter().map(|agent| drives_of(agent, drawn)).collect();
        if self.drives.as_ref() != Some(&drives) {
            self.sandbox.set_minds(self.setup.minds(drawn)?);
            self.drives = Some(drives);
        }
        Ok(())
    }
}

impl EpisodeResult {
    /// Count one control step of `period_s` seconds.
    fn count(&mut self, record: &StepRecord, period_s: f64) {
        self.steps = record.step;
        if let Some(vitals) = record.agents.iter().find_map(|agent| agent.vitals.as_ref()) {
            self.life.get_or_insert_default().count(vitals, period_s);
        }
        for agent in &record.agents {
            let Some(thought) = &agent.thought else { continue };
            let think_ms = agent.think_time.as_secs_f64() * 1e3;
            self.think_ms += think_ms;
            self.model_evaluations += thought.model_evaluations;
            if thought.planned {
                self.decision_ms.push(rounded(think_ms));
            }
        }
    }
}

/// To whole microseconds: the clock is no finer, and the files stay short.
fn rounded(ms: f64) -> f32 {
    ((ms * 1e3).round() / 1e3) as f32
}
