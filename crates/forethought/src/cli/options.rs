//! Arguments that several commands share. Read first: [`Choices`].

use super::bad_usage;
use crate::{
    Error,
    batch::{Grid, Point},
    learning::LearnOptions,
    locate,
    scenario::Axis,
    setup::{Changes, Models, Setup, SetupOptions},
    tasks::TasksBy,
    workers::default_jobs,
};
use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
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

    /// A field of the scenario and its value, in place of what the file says: `agents[0].actor.horizon=8`. In `batch` several
    /// values, separated by commas, are a sweep
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = Axis::parse)]
    pub axes: Vec<Axis>,
}

impl Choices {
    /// A scenario, ready to run.
    pub fn setup(&self, scenario: &str) -> Result<Setup, Error> {
        self.setup_by(scenario, None)
    }

    /// The same with this actor in place of what was chosen.
    pub fn setup_by(&self, scenario: &str, actor: Option<PlannerName>) -> Result<Setup, Error> {
        let point = self.point(locate::scenario_file(scenario)?);
        self.setup_of(&Point { actor: actor.or(point.actor), ..point }, &mut Models::default())
    }

    /// The same as a setup has it.
    #[cfg(feature = "view")]
    pub fn options(&self) -> SetupOptions {
        self.options_of(&self.point(PathBuf::new()))
    }

    /// One scenario with what is set of it.
    fn point(&self, scenario: PathBuf) -> Point {
        let grid = Grid { scenarios: vec![scenario], axes: self.axes.clone(), ..Grid::default() };
        match grid.points() {
            Ok(mut points) if points.len() == 1 => points.remove(0),
            Ok(_) => bad_usage("--set with several values is a sweep, for `batch`: give one value"),
            Err(problem) => bad_usage(problem),
        }
    }

    /// One combination of a sweep, ready to run, with models that others have loaded before.
    pub fn setup_of(&self, point: &Point, known: &mut Models) -> Result<Setup, Error> {
        Setup::load_sharing(&point.scenario, &self.options_of(point), known)
    }

    fn options_of(&self, point: &Point) -> SetupOptions {
        let changes = Changes {
            mode: self.mode,
            horizon: self.horizon,
            critic: self.critic,
            task: self.task.clone(),
            configurator: self.configurator,
            without: self.without.clone(),
        };
        SetupOptions {
            seed: point.seed.unwrap_or(self.seed),
            actor: point.actor.or(self.actor),
            model: self.model.clone(),
            changes,
            settings: point.settings.clone(),
        }
    }

    /// The command that runs an episode of this combination again, without the episode's number.
    pub fn replay(&self, point: &Point) -> String {
        let mut words = vec!["forethought".to_owned(), "run".into(), point.scenario.display().to_string()];
        give(&mut words, "seed", Some(point.seed.unwrap_or(self.seed).to_string()));
        give(&mut words, "actor", point.actor.or(self.actor).map(|actor| actor.as_str().to_owned()));
        give(&mut words, "model", self.model.as_ref().map(|model| model.display().to_string()));
        self.give_changes(&mut words);
        for setting in &point.settings {
            give(&mut words, "set", Some(setting.to_string()));
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// The words that choose a whole grid, but for its scenarios and a model.
    pub fn words(&self, grid: &Grid) -> Vec<String> {
        let mut words = Vec::new();
        let several = |values: Vec<String>| (!values.is_empty()).then(|| values.join(","));
        match several(grid.seeds.iter().map(ToString::to_string).collect()) {
            None => give(&mut words, "seed", Some(self.seed.to_string())),
            seeds => give(&mut words, "seeds", seeds),
        }
        match several(grid.actors.iter().map(|actor| actor.as_str().to_owned()).collect()) {
            None => give(&mut words, "actor", self.actor.map(|actor| actor.as_str().to_owned())),
            actors => give(&mut words, "actors", actors),
        }
        self.give_changes(&mut words);
        for axis in &grid.axes {
            give(&mut words, "set", Some(format!("{}={}", axis.path, axis.values.join(","))));
        }
        words
    }

    fn give_changes(&self, words: &mut Vec<String>) {
        give(words, "mode", self.mode.map(|mode| mode.as_str().to_owned()));
        give(words, "horizon", self.horizon.map(|horizon| horizon.to_string()));
        give(words, "critic", self.critic.map(|critic| critic.to_string()));
        give(words, "task", self.task.clone());
        give(words, "configurator", self.configurator.map(|by| by.as_str().to_owned()));
        give(words, "without", (!self.without.is_empty()).then(|| self.without.join(",")));
    }
}

/// An option and its value, where it has one.
fn give(words: &mut Vec<String>, name: &str, value: Option<String>) {
    words.extend(value.map(|value| [format!("--{name}"), value]).into_iter().flatten());
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
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
