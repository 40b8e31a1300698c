//! Arguments that several commands share. Read first: [`Choices`].

use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
use forethought::{
    Error,
    learning::LearnOptions,
    locate,
    setup::{Changes, Setup, SetupOptions},
    tasks::TasksBy,
    workers::default_jobs,
};
use forethought_mind::{
    actor::{Mode, planners::PlannerName},
    learning::Pace,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Who acts, from which seed.
#[derive(Debug, Args)]
pub struct Choices {
    /// Where all randomness comes from; episode I uses the seed derived from this and I alone
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// The planner of all agents, in place of the scenario's
    #[arg(long, value_name = "NAME", value_parser = actor_parser())]
    pub actor: Option<PlannerName>,

    /// The model of all agents, in place of the scenario's
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// How all agents come to their actions, in place of the scenario's: by their policy at once, or by planning
    #[arg(long, value_name = "MODE", value_parser = mode_parser())]
    pub mode: Option<Mode>,

    /// Control steps that all agents imagine, in place of the scenario's
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
    pub horizon: Option<u32>,

    /// Whether the critic stands at the end of what is imagined, in place of the scenario's
    #[arg(long, value_name = "BOOL")]
    pub critic: Option<bool>,

    /// The one task that all agents are at throughout, of those of their configurators
    #[arg(long, value_name = "NAME")]
    pub task: Option<String>,

    /// What sets the tasks of all agents with a configurator, in place of the scenario's: its rules, or what their models have
    /// learnt; `none` to do without tasks
    #[arg(long, value_name = "BY", value_parser = tasks_parser(), conflicts_with = "task")]
    pub configurator: Option<TasksBy>,

    /// Drives that all agents live without, separated by commas: `hunger`, `pain`, ...
    #[arg(long, value_name = "DRIVES", value_delimiter = ',')]
    pub without: Vec<String>,
}

impl Choices {
    /// A scenario, ready to run.
    pub fn setup(&self, scenario: &str) -> Result<Setup, Error> {
        Setup::load(&locate::scenario_file(scenario)?, &self.options())
    }

    /// The same as a setup has it.
    pub fn options(&self) -> SetupOptions {
        let changes = Changes {
            mode: self.mode,
            horizon: self.horizon,
            critic: self.critic,
            task: self.task.clone(),
            configurator: self.configurator,
            without: self.without.clone(),
        };
        SetupOptions { seed: self.seed, actor: self.actor, model: self.model.clone(), changes }
    }
}

/// Whether agents learn while they live.
#[derive(Debug, Args)]
pub struct Learn {
    /// Let model, critic and policy go on learning from what the agent goes through, and keep what is learnt in this file
    #[arg(long, value_name = "MODEL", num_args = 0..=1)]
    learn: Option<Option<PathBuf>>,
}

impl Learn {
    /// Whether they do.
    pub fn is_on(&self) -> bool {
        self.learn.is_some()
    }

    /// Whether a file was named to keep it in.
    pub fn names_a_file(&self) -> bool {
        matches!(self.learn, Some(Some(_)))
    }

    /// Let a setup's agents learn, where that was asked for; without a file of its own what is learnt is kept beside `out`, or in
    /// `learnt/`.
    pub fn apply(
        &self,
        mut setup: Setup,
        choices: &Choices,
        out: Option<&Path>,
        threads: usize,
        pace: Pace,
    ) -> Result<Arc<Setup>, Error> {
        let Some(file) = &self.learn else { return Ok(Arc::new(setup)) };
        let named = file.as_ref().map(|file| match file.extension() {
            Some(extension) if extension == "safetensors" => Ok(file.clone()),
            _ => Err(Error::LearnWhere(file.clone())),
        });
        let beside = || match out {
            Some(out) => {
                let mut name = out.file_name().unwrap_or_default().to_owned();
                name.push(".learnt.safetensors");
                out.with_file_name(name)
            }
            None => Path::new("learnt").join(setup.name()).with_extension("safetensors"),
        };
        let out = named.unwrap_or_else(|| Ok(beside()))?;
        let options = LearnOptions { out, model: choices.model.clone(), threads, pace };
        setup.learn(&options)?;
        Ok(Arc::new(setup))
    }
}

/// How many threads.
#[derive(Debug, Args)]
pub struct Jobs {
    /// Worker threads [default: one for each core]; results are the same for any number
    #[arg(long, short, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Jobs {
    /// The number of threads.
    pub fn count(&self) -> usize {
        self.jobs.map_or_else(default_jobs, usize::from)
    }
}

/// An actor by its name; help and errors list them all.
pub fn actor_parser() -> impl TypedValueParser<Value = PlannerName> {
    PossibleValuesParser::new(PlannerName::ALL.map(PlannerName::as_str))
        .map(|name| PlannerName::from_name(&name).unwrap_or_default())
}

/// A mode by its name.
fn mode_parser() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(Mode::ALL.map(Mode::as_str)).map(|name| Mode::from_name(&name).unwrap_or_default())
}

/// What sets tasks, by its name.
fn tasks_parser() -> impl TypedValueParser<Value = TasksBy> {
    PossibleValuesParser::new(TasksBy::ALL.map(TasksBy::as_str))
        .map(|name| TasksBy::from_name(&name).unwrap_or_default())
}
