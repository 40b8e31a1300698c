//! A scenario made ready to run: loaded, its actor chosen, its models in memory. Read first: [`Setup`].

use crate::{
    episode::hex,
    error::Error,
    learning::LearningRun,
    recall::recall_of,
    scenario::{self, AgentSpec, Episode, LoadedScenario, Setting},
    tasks::TasksBy,
};
use forethought_interface::{FactorValues, Numbers, Think, derive_seed};
use forethought_mind::{
    Mind, MindError, Model, Practice,
    actor::{ActorSpec, Mode, planners::PlannerName},
    configurator::{ConfiguratorSpec, TaskPractice},
    cost::drives::DriveSpec,
    memory::ShortTermMemory,
    training::{LearnedConfiguratorSpec, PracticeSpec, TaskMoment},
};
use forethought_world::{action_len, observation_layout};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use xxhash_rust::xxh3::Xxh3;

/// What to run: everything that all episodes of a run share. Its workers share one.
#[derive(Clone)]
pub struct Setup {
    /// The scenario.
    pub loaded: LoadedScenario,
    /// The run's seed: episode `i` uses the seed derived from this and `i`, and nothing else.
    pub seed: u64,
    /// What `--actor` said; without it each agent uses its own planner.
    pub actor: Option<PlannerName>,
    /// What else was changed of how all agents act.
    pub changes: Changes,
    /// Fields of the scenario that were set to other values.
    pub settings: Vec<Setting>,
    /// A hash over all model files; 0 without any.
    pub model_hash: u64,
    /// How its agents learn while they live; none where they do not.
    pub learning: Option<Arc<LearningRun>>,
    models: Vec<Option<Arc<Model>>>,
}

/// What a user may choose about a run.
#[derive(Debug, Clone, Default)]
pub struct SetupOptions {
    /// The run's seed.
    pub seed: u64,
    /// The planner of all agents.
    pub actor: Option<PlannerName>,
    /// The model of all agents, in place of those that the scenario names.
    pub model: Option<PathBuf>,
    /// What else to change of how all agents act.
    pub changes: Changes,
    /// Fields of the scenario to set to other values.
    pub settings: Vec<Setting>,
}

/// Models in memory, by their files: setups that are loaded with the same one share them.
#[derive(Default)]
pub struct Models(BTreeMap<PathBuf, Arc<Model>>);

/// What to change of how the agents of a scenario act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Mode-1 or Mode-2.
    pub mode: Option<Mode>,
    /// Control steps of each imagined future.
    pub horizon: Option<u32>,
    /// Whether the critic's estimate stands at its end.
    pub critic: Option<bool>,
    /// The one task that the agent is at throughout, of those of its configurator.
    pub task: Option<String>,
    /// What sets the tasks, where not what the scenario says.
    pub configurator: Option<TasksBy>,
    /// Drives that it lives without, by name.
    pub without: Vec<String>,
}

impl Changes {
    fn apply(&self, actor: &mut ActorSpec) {
        actor.mode = self.mode.unwrap_or(actor.mode);
        actor.horizon = self.horizon.unwrap_or(actor.horizon);
        actor.critic = self.critic.unwrap_or(actor.critic);
    }

    /// As a manifest has it; nothing where nothing is changed.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        let without = (!self.without.is_empty()).then(|| format!("without {}", self.without.join(" and ")));
        let parts = [
            self.mode.map(|mode| mode.as_str().to_owned()),
            self.horizon.map(|horizon| format!("horizon {horizon}")),
            self.critic.map(|critic| format!("critic {critic}")),
            self.task.as_ref().map(|task| format!("task {task}")),
            self.configurator.map(|by| format!("configurator {}", by.as_str())),
            without,
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl Setup {
    /// Load a scenario and the models that its agents need.
    ///
    /// # Errors
    /// A scenario with problems, a model that is missing or does not fit.
    pub fn load(path: &Path, options: &SetupOptions) -> Result<Self, Error> {
        Self::load_sharing(path, options, &mut Models::default())
    }

    /// The same, with the models that others have loaded before.
    ///
    /// # Errors
    /// As [`Setup::load`].
    pub fn load_sharing(path: &Path, options: &SetupOptions, known: &mut Models) -> Result<Self, Error> {
        // A scenario's own models matter only to those who use them.
        let others = options.model.is_some() || options.actor == Some(PlannerName::Random);
        let loaded = scenario::load_set(path, &options.settings, !others).map_err(Error::Scenario)?;
        Self::sharing(loaded, options, known)
    }

    /// A scenario that was loaded before, with the models that its agents need.
    ///
    /// # Errors
    /// A model that is missing or does not fit.
    pub fn of(loaded: LoadedScenario, options: &SetupOptions) -> Result<Self, Error> {
        Self::sharing(loaded, options, &mut Models::default())
    }

    fn sharing(loaded: LoadedScenario, options: &SetupOptions, known: &mut Models) -> Result<Self, Error> {
        let mut hash = Xxh3::new();
        // Agents with the same file share one model, and it is hashed once.
        let mut hashed = BTreeSet::new();
        let mut models = Vec::new();
        for agent in &loaded.scenario.agents {
            let Some(file) = model_file(&loaded, agent, options) else {
                models.push(None);
                continue;
            };
            let model = match known.0.get(&file) {
                Some(model) => model.clone(),
                None => load_model(&file, &loaded)?,
            };
            if hashed.insert(file.clone()) {
                hash.update(&std::fs::read(&file).map_err(Error::io("read", &file))?);
            }
            known.0.insert(file, model.clone());
            models.push(Some(model));
        }
        let model_hash = if models.iter().any(Option::is_some) { hash.digest() } else { 0 };
        let SetupOptions { seed, actor, ref changes, ref settings, .. } = *options;
        let (changes, settings) = (changes.clone(), settings.clone());
        let setup = Self { loaded, seed, actor, changes, settings, model_hash, learning: None, models };
        let has_tasks = |agent: &AgentSpec| agent.configurator.is_some();
        let asked_for =
            setup.changes.task.is_some() || setup.changes.configurator.is_some_and(|by| by != TasksBy::Nothing);
        if asked_for && !setup.loaded.scenario.agents.iter().any(has_tasks) {
            let problem = "none of its agents has a configurator: leave out --task and --configurator";
            return Err(Error::NoTasks { scenario: setup.name().to_owned(), problem });
        }
        // A model that does not fit is told now, not by each worker.
        setup.minds(&setup.draw(0)?)?;
        Ok(setup)
    }

    /// The same run from another seed.
    #[must_use]
    pub fn seeded(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }

    /// The scenario's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.loaded.scenario.name
    }

    /// The models in memory, one for each agent that has one; agents with the same file share it.
    #[must_use]
    pub fn models(&self) -> &[Option<Arc<Model>>] {
        &self.models
    }

    /// The actor as reports name it: `--actor`, or the planner of the first agent, and what else was changed of it.
    #[must_use]
    pub fn actor_name(&self) -> String {
        let own = self.loaded.scenario.agents.first().map(|agent| agent.actor.planner);
        let planner = self.actor.or(own).unwrap_or_default().as_str();
        self.changes.describe().map_or_else(|| planner.to_owned(), |changes| format!("{planner}, {changes}"))
    }

    /// The model of the first agent, whatever its actor: `chosen`, or the one that the scenario names.
    ///
    /// # Errors
    /// Where there is none, or it does not fit the agent's body.
    pub fn model_of_first(&self, chosen: Option<&Path>) -> Result<Arc<Model>, Error> {
        let agent = &self.loaded.scenario.agents[0];
        let file = named_file(&self.loaded, agent, chosen);
        let file = file.ok_or_else(|| Error::NoModel { scenario: self.name().to_owned() })?;
        let model = load_model(&file, &self.loaded)?;
        self.fits(0, &model)?;
        Ok(model)
    }

    /// See that a model fits the body and the memory of agent `index`.
    ///
    /// # Errors
    /// Where it does not.
    pub(crate) fn fits(&self, index: usize, model: &Model) -> Result<(), Error> {
        let world = self.draw(0)?.world;
        let (agent, body) = (&self.loaded.scenario.agents[index], &world.agents[index]);
        let recall = recall_of(agent, body, &world.timing)?;
        let recalls = recall.map_or_else(Vec::new, |recall| recall.channels());
        let misfit = model.misfit(&observation_layout(body), action_len(&body.actuator));
        match misfit.or_else(|| model.misfit_of_memory(&recalls)) {
            None => Ok(()),
            Some(how) => Err(Error::Mind { agent: agent.name.clone(), source: MindError::Misfit(how) }),
        }
    }

    /// Draw episode `index` of this run.
    ///
    /// # Errors
    /// Where an expression has no value for the factors drawn.
    pub fn draw(&self, index: u64) -> Result<Episode, Error> {
        self.drawn(self.loaded.draw(derive_seed(self.seed, "episode", index)), index)
    }

    /// Draw training episode `index`: never one of a run's own episodes.
    ///
    /// # Errors
    /// As [`Setup::draw`].
    pub fn draw_training(&self, index: u64) -> Result<Episode, Error> {
        self.drawn(self.loaded.draw_exploring(derive_seed(self.seed, "train", index)), index)
    }

    pub(crate) fn drawn(&self, drawn: Result<Episode, scenario::DrawError>, index: u64) -> Result<Episode, Error> {
        drawn.map_err(|problem| Error::Draw {
            scenario: self.name().to_owned(),
            episode: index,
            problem: problem.to_string(),
        })
    }

    /// Draw life `index` of practice: never one of a run's own episodes. This share of them is drawn as for exploration.
    ///
    /// # Errors
    /// As [`Setup::draw`].
    pub fn draw_practice(&self, index: u64, explored: f64) -> Result<Episode, Error> {
        let seed = derive_seed(self.seed, "practice", index);
        let exploring = ChaCha8Rng::seed_from_u64(derive_seed(seed, "explored", 0)).gen_bool(explored.clamp(0.0, 1.0));
        let drawn = if exploring { self.loaded.draw_exploring(seed) } else { self.loaded.draw(seed) };
        self.drawn(drawn, index)
    }

    /// A mind for each agent of this life of practice, and where its memories can be had afterwards.
    ///
    /// # Errors
    /// Where the model does not fit an agent's body.
    pub fn practising(
        &self,
        model: &Arc<Model>,
        episode: &Episode,
        spec: &PracticeSpec,
        by_policy: bool,
    ) -> Result<Vec<Practising>, Error> {
        let agents = self.loaded.scenario.agents.iter().enumerate();
        agents
            .map(|(index, agent)| {
                let mut actor = spec.actor.as_deref().unwrap_or(&agent.actor).clone();
                (actor.mode, actor.critic) = (Mode::Mode2, actor.critic && model.critic().is_some());
                actor.proposed = if model.policy().is_some() { actor.proposed } else { 0 };
                let mind = self.living_without(index, Some(model.clone()), &actor, episode, &spec.without)?;
                let (practice, memory) = Practice::new(mind, model.clone(), spec, by_policy);
                Ok((Box::new(practice) as Box<dyn Think>, memory))
            })
            .collect()
    }

    /// The first agent's drives, but those that it practises without.
    ///
    /// # Errors
    /// As [`Setup::draw`].
    pub fn practised_drives(&self, spec: &PracticeSpec) -> Result<Vec<DriveSpec>, Error> {
        Ok(left_without(self.drives_of(0, &self.draw(0)?), &spec.without))
    }

    /// The drives of agent `index` in this episode, but those that it is to live without.
    fn drives_of(&self, index: usize, episode: &Episode) -> Vec<DriveSpec> {
        left_without(drives_of(&self.loaded.scenario.agents[index], episode), &self.changes.without)
    }

    /// A mind for each agent of a life in which tasks are tried, and where the memories of those that have the first agent's
    /// tasks can be had afterwards; the others act as their drives and their actors say.
    ///
    /// # Errors
    /// Where the model does not fit an agent's body, or its tasks.
    pub fn trying_tasks(
        &self,
        model: &Arc<Model>,
        episode: &Episode,
        spec: &LearnedConfiguratorSpec,
    ) -> Result<Vec<Trying>, Error> {
        let tasks = self.tasks_of_first();
        let agents = self.loaded.scenario.agents.iter().enumerate();
        agents
            .map(|(index, agent)| {
                let mind = self.untasked(index, Some(model.clone()), &agent.actor, episode)?;
                let own = agent.configurator.as_ref().filter(|own| names(own) == tasks);
                let tried = match own {
                    Some(own) => mind.trying_tasks(own, spec).map_err(self.refused(index)),
                    None => Ok(mind),
                };
                let mind = tried?;
                if own.is_none() {
                    return Ok((Box::new(mind) as Box<dyn Think>, None));
                }
                let (practice, memory) = TaskPractice::new(mind, model.clone());
                Ok((Box::new(practice) as Box<dyn Think>, Some(memory)))
            })
            .collect()
    }

    /// The first agent's tasks, by name.
    #[must_use]
    pub fn tasks_of_first(&self) -> Vec<String> {
        let first = self.loaded.scenario.agents.first();
        first.and_then(|agent| agent.configurator.as_ref()).map_or_else(Vec::new, names)
    }

    /// The drives but `Reach` and `Novelty` of agent `index`, by name.
    ///
    /// # Errors
    /// Where an expression has no value.
    pub(crate) fn needs_of(&self, index: usize) -> Result<Vec<String>, Error> {
        let actor = ActorSpec { planner: PlannerName::Random, ..self.loaded.scenario.agents[index].actor.clone() };
        Ok(self.untasked(index, None, &actor, &self.draw(0)?)?.needs())
    }

    /// The mind of agent `index` in this episode, without a configurator.
    fn untasked(
        &self,
        index: usize,
        model: Option<Arc<Model>>,
        actor: &ActorSpec,
        episode: &Episode,
    ) -> Result<Mind, Error> {
        self.living_without(index, model, actor, episode, &[])
    }

    /// As [`Setup::untasked`], and without these drives either.
    fn living_without(
        &self,
        index: usize,
        model: Option<Arc<Model>>,
        actor: &ActorSpec,
        episode: &Episode,
        without: &[String],
    ) -> Result<Mind, Error> {
        let (agent, body) = (&self.loaded.scenario.agents[index], &episode.world.agents[index]);
        let exploration = &self.loaded.scenario.training.exploration;
        let (layout, action_len) = (observation_layout(body), action_len(&body.actuator));
        let recall = recall_of(agent, body, &episode.world.timing)?;
        let drives = left_without(self.drives_of(index, episode), without);
        let mind = Mind::new(model, &layout, action_len, actor, &drives, exploration);
        mind.and_then(|mind| mind.recalling(recall)).map_err(self.refused(index))
    }

    /// What says that agent `index` cannot think.
    fn refused(&self, index: usize) -> impl FnOnce(MindError) -> Error {
        let agent = self.loaded.scenario.agents[index].name.clone();
        move |source| Error::Mind { agent, source }
    }

    /// The mind of agent `index` in this episode.
    fn mind(
        &self,
        index: usize,
        model: Option<Arc<Model>>,
        actor: &ActorSpec,
        episode: &Episode,
    ) -> Result<Mind, Error> {
        let mind = self.untasked(index, model, actor, episode)?;
        let own = self.loaded.scenario.agents[index].configurator.clone();
        let own = match (own, self.changes.configurator) {
            (Some(own), Some(by)) => by.apply(own),
            (own, _) => own,
        };
        match own {
            Some(mut own) => {
                own.forget(&self.changes.without);
                mind.configured_by(&own, self.changes.task.as_deref()).map_err(self.refused(index))
            }
            None => Ok(mind),
        }
    }

    /// A mind for each agent of this episode.
    ///
    /// # Errors
    /// Where an agent's model is missing or does not fit its body.
    pub fn minds(&self, episode: &Episode) -> Result<Vec<Box<dyn Think>>, Error> {
        let models = self.models.iter().enumerate();
        models
            .map(|(index, model)| {
                let learning = self.learning.as_ref().filter(|learning| learning.teaches(model.as_ref()));
                let model = learning.map_or_else(|| model.clone(), |learning| Some(learning.model()));
                let mind = self.acting(index, model, episode)?;
                Ok(match learning {
                    Some(learning) => learning.seat(mind, index),
                    None => Box::new(mind) as Box<dyn Think>,
                })
            })
            .collect()
    }

    /// The mind of one agent of this episode, to itself; none where there is no such agent.
    ///
    /// # Errors
    /// As [`Setup::minds`].
    pub fn mind_of(&self, agent: usize, episode: &Episode) -> Result<Option<Mind>, Error> {
        let model = self.models.get(agent);
        model.map(|model| self.acting(agent, model.clone(), episode)).transpose()
    }

    /// The mind of agent `index` with what was changed of how all agents act.
    fn acting(&self, index: usize, model: Option<Arc<Model>>, episode: &Episode) -> Result<Mind, Error> {
        let mut actor = self.loaded.scenario.agents[index].actor.clone();
        actor.planner = self.actor.unwrap_or(actor.planner);
        self.changes.apply(&mut actor);
        self.mind(index, model, &actor, episode)
    }
}

/// A mind, and where the memories of one that tries its tasks can be had afterwards.
pub type Trying = (Box<dyn Think>, Option<Arc<Mutex<Vec<TaskMoment>>>>);

/// A practising mind, and where its memories can be had afterwards.
pub type Practising = (Box<dyn Think>, Arc<Mutex<ShortTermMemory>>);

/// Drives but those of these names.
fn left_without(mut drives: Vec<DriveSpec>, names: &[String]) -> Vec<DriveSpec> {
    drives.retain(|drive| !names.iter().any(|name| name == drive.name()));
    drives
}

/// The tasks of a configurator, by name.
fn names(configurator: &ConfiguratorSpec) -> Vec<String> {
    configurator.tasks.iter().map(|task| task.name.clone()).collect()
}

/// An agent's drives with their numbers resolved for this episode.
#[must_use]
pub fn drives_of(agent: &AgentSpec, episode: &Episode) -> Vec<DriveSpec> {
    let factors: FactorValues = episode.factors.iter().cloned().collect();
    let mut drives = agent.drives.clone();
    for drive in &mut drives {
        drive.numbers("", &mut |_, number| {
            // A number that has no value stays an expression, is NaN and fails in the mind's own checks.
            let _ = number.resolve(&factors);
        });
    }
    drives
}

/// The model file that an agent needs; none for one that acts at random.
fn model_file(loaded: &LoadedScenario, agent: &AgentSpec, options: &SetupOptions) -> Option<PathBuf> {
    if options.actor.unwrap_or(agent.actor.planner) == PlannerName::Random {
        return None;
    }
    named_file(loaded, agent, options.model.as_deref())
}

/// The model file that was chosen for an agent, or that its scenario names.
pub(crate) fn named_file(loaded: &LoadedScenario, agent: &AgentSpec, chosen: Option<&Path>) -> Option<PathBuf> {
    let folder = loaded.path.parent().unwrap_or(Path::new("."));
    chosen.map(Path::to_owned).or_else(|| agent.model.as_ref().map(|model| folder.join(model)))
}

fn load_model(file: &Path, loaded: &LoadedScenario) -> Result<Arc<Model>, Error> {
    let model = Model::load(file).map_err(Error::Model)?;
    if model.card().scenario_hash != hex(loaded.hash) {
        tracing::info!(
            model = %file.display(),
            "the model was trained on another scenario than {}, or before the scenario was changed",
            loaded.scenario.name
        );
    }
    Ok(Arc::new(model))
}
