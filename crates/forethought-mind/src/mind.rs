//! One control step of the mind, as a paragraph. Read first: [`Mind`].

mod introspection;
mod questions;

pub use questions::{Proposed, QuestionError};

use crate::{
    actor::{
        ActorSpec, Mode,
        exploration::{ExplorationSpec, Walk},
        hierarchy::{Hierarchy, Means},
        planners::{self, Imagination, PlannerName, Proposal, Starts, coloured_noise},
    },
    configurator::{
        self, Adviser, By, Chooser, Configurator, ConfiguratorSpec, Deliberation, Outlook, Reason, TaskSpec, Trial,
    },
    cost::{Cost, Extent, Imagined, drives::DriveSpec},
    memory::{Moment, ShortTermMemory},
    recall::Recall,
    training::LearnedConfiguratorSpec,
    world_model::{
        Model,
        interoception::{body_senses, is_of},
        predictor::Predictor,
    },
};
use forethought_energy::distance::Distance;
use forethought_interface::{
    ActedBy, Action, Detail, Inspect, Observation, ObservationLayout, Rollout, Task, Think, ThinkError, Thought,
};
use introspection::Foresight;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{borrow::Cow, collections::VecDeque, sync::Arc};

/// Why a mind cannot be put together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MindError {
    /// Planning needs a model.
    #[error(
        "the `{actor}` actor needs a trained model and the agent has none: train one with `forethought train SCENARIO --out MODEL.safetensors` and name it in the scenario, or use `--actor random`"
    )]
    NoModel {
        /// The planner's name.
        actor: &'static str,
    },
    /// The model was trained for another body.
    #[error("the model does not fit the agent: {0}; train it on this scenario")]
    Misfit(String),
    /// Futures are imagined in whole strides.
    #[error(
        "an `actor.horizon` of {horizon} control steps cannot be imagined in predictions of {stride}: write a multiple of {stride}"
    )]
    Horizon {
        /// The actor's.
        horizon: u32,
        /// The model's.
        stride: usize,
    },
    /// Levels that are not there cannot plan.
    #[error(
        "the `hierarchical` actor needs a model of two levels or more and this one has one: give the scenario `training: (world_model: (levels: [(stride: 2)]))` and train it, or use `--actor gradient`"
    )]
    NoLevels,
    /// What was never near cannot be kept clear of.
    #[error(
        "the drive `KeepClear` needs a model that knows how near moving things are, and this one saw none move in training: train it on a scenario with a body that moves, or remove the drive"
    )]
    NoClearance,
    /// There is nothing to foretell costs with.
    #[error(
        "`actor.critic` needs a model with a critic, and this one has none: give the scenario `training: (practice: ())` and train it, or write `critic: false`"
    )]
    NoCritic,
    /// There is nothing to act with at once.
    #[error(
        "{what} needs a model with a policy, and this one has none: give the scenario `training: (practice: ())` and train it, or use `--mode mode-2`"
    )]
    NoPolicy {
        /// What wants one.
        what: &'static str,
    },
    /// Without a critic nothing is expected.
    #[error(
        "the mixed mode judges its policy by the critic: give the agent `actor: (critic: true)`, or use another mode"
    )]
    NoJudge,
    /// What is never felt cannot be minded.
    #[error(
        "the drive `{drive}` judges the sense `{channel}`, which the agent's model does not know: give the agent a sensor for it, `Interoception()` or a `Scent`, and train it on this scenario"
    )]
    NoFeeling {
        /// The drive's name.
        drive: &'static str,
        /// The sense.
        channel: String,
    },
    /// A memory of what the agent does not sense.
    #[error("`memory` cannot work: {0}; add the sensor, or leave it out of `memory.recall`")]
    Memory(String),
    /// Tasks or rules that the agent cannot follow.
    #[error("configurator.{path}: {what}")]
    Configurator {
        /// Where in the configurator.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// There is nothing to choose a task by.
    #[error(
        "its configurator is a learned one, and its model has none: train one with `forethought train SCENARIO --from MODEL.safetensors --only configurator --out MODEL.safetensors`, or use `--configurator rules`"
    )]
    NoConfigurator,
    /// It was learnt for another agent.
    #[error(
        "its model has learnt to choose among the tasks {known}, and the agent's are {own}: train it for these with `forethought train SCENARIO --from MODEL.safetensors --only configurator --out MODEL.safetensors`, or use `--configurator rules`"
    )]
    OtherTasks {
        /// The model's.
        known: String,
        /// The agent's.
        own: String,
    },
    /// Without a drive there is nothing to plan for.
    #[error("the `{actor}` actor has nothing to plan for: give the agent a drive, such as `Reach(target: \"goal\")`")]
    NoDrive {
        /// The planner's name.
        actor: &'static str,
    },
}

/// The signal of how familiar the present place is.
const NOVELTY: &str = "novelty";
/// The drive that judges by the goal, not by what the body feels.
const REACH: &str = "reach";

/// The noise on what the policy proposes, as a standard deviation of action values.
const PROPOSAL_NOISE: f32 = 0.3;

/// The mind of one agent: observation in, action out.
#[derive(Debug, Clone)]
pub struct Mind {
    model: Option<Arc<Model>>,
    actor: ActorSpec,
    cost: Cost,
    exploration: ExplorationSpec,
    action_len: usize,
    rng: ChaCha8Rng,
    walk: Walk,
    plan: Option<Plan>,
    hierarchy: Hierarchy,
    /// The latest goal and its latent.
    goal: Option<(Observation, Arc<[f32]>)>,
    configurator: Option<Configurator>,
    /// The agent's own settings, which tasks change.
    own: Box<(ActorSpec, Cost)>,
    /// What perception does not attend to.
    ignored: Vec<usize>,
    surprise: Surprise,
    /// Whether the task began at this step.
    changed: bool,
    /// The body's own senses by name, and where they stand in an observation.
    body: Vec<(String, usize)>,
    deliberation: Deliberation,
    /// What the drive for novelty reads; empty without it.
    memory: ShortTermMemory,
    /// The control step.
    step: u32,
    /// What it keeps in mind of where things are.
    recall: Option<Recall>,
    /// For those who look on: nothing is decided by it.
    foresight: Foresight,
}

/// What a mind perceives at a control step.
#[derive(Debug, Clone)]
pub(crate) struct Present {
    percept: Vec<f32>,
    pub(crate) latent: Vec<f32>,
    /// Empty without a goal.
    pub(crate) goal: Arc<[f32]>,
    /// Empty without a floor plan.
    pub(crate) map: Vec<f32>,
    /// What the body really feels, by the name of its sense.
    pub(crate) felt: Vec<(String, f32)>,
    /// The latent with nothing ignored; empty where that is the same, and where nobody decides by it.
    unattended: Vec<f32>,
}

impl Present {
    /// The latent with nothing ignored.
    pub(crate) fn whole(&self) -> &[f32] {
        if self.unattended.is_empty() { &self.latent } else { &self.unattended }
    }
}

/// A plan being carried out.
#[derive(Debug, Clone)]
struct Plan {
    proposal: Proposal,
    rollouts: Vec<Rollout>,
    /// Steps carried out.
    done: usize,
}

impl Mind {
    /// A mind for an agent with these senses, actions, settings and drives. Minds that use one model share it.
    ///
    /// # Errors
    /// [`MindError`] where the planner needs a model or a drive that is not there, or the model is of another body.
    pub fn new(
        model: Option<Arc<Model>>,
        layout: &ObservationLayout,
        action_len: usize,
        actor: &ActorSpec,
        drives: &[DriveSpec],
        exploration: &ExplorationSpec,
    ) -> Result<Self, MindError> {
        let planner = actor.planner;
        if planner != PlannerName::Random {
            let model = model.as_ref().ok_or(MindError::NoModel { actor: planner.as_str() })?;
            if let Some(difference) = model.misfit(layout, action_len) {
                return Err(MindError::Misfit(difference));
            }
            check_actor(actor, model)?;
            if model.clearance().is_none() && drives.iter().any(|drive| matches!(drive, DriveSpec::KeepClear(_))) {
                return Err(MindError::NoClearance);
            }
            let felt = |channel: &str| model.interoception().is_some_and(|body| body.range_of(channel).is_some());
            let unfelt = drives.iter().find(|drive| drive.channel().is_some_and(|channel| !felt(channel)));
            if let Some(drive) = unfelt {
                let channel = drive.channel().unwrap_or_default().to_owned();
                return Err(MindError::NoFeeling { drive: drive.name(), channel });
            }
            if drives.is_empty() {
                return Err(MindError::NoDrive { actor: planner.as_str() });
            }
        }
        let clearance = model.as_ref().and_then(|model| model.clearance().cloned());
        let body = model.as_ref().and_then(|model| model.interoception().cloned());
        let critic = model.as_ref().filter(|_| actor.critic).and_then(|model| model.critic().cloned());
        let cost = Cost::new(drives, clearance).felt_by(body).foreseen_by(critic);
        let cost = cost.placed_by(model.as_ref().map(|model| &model.card().readout));
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let walk = Walk::new(exploration, action_len, &mut rng);
        let memory = ShortTermMemory::new(cost.novelty().map_or(0, |novelty| novelty.remembers));
        Ok(Self {
            model,
            actor: actor.clone(),
            cost: cost.clone(),
            exploration: exploration.clone(),
            action_len,
            rng,
            walk,
            plan: None,
            hierarchy: Hierarchy::default(),
            goal: None,
            configurator: None,
            own: Box::new((actor.clone(), cost.clone())),
            ignored: vec![],
            surprise: Surprise::default(),
            changed: false,
            body: body_senses(layout),
            deliberation: Deliberation::default(),
            memory,
            step: 0,
            recall: None,
            foresight: Foresight::default(),
        })
    }

    /// The same with this memory of what is out of sight, or without one: of what its model was trained with.
    ///
    /// # Errors
    /// [`MindError::Misfit`] where the model that it plans with was trained to perceive otherwise.
    pub fn recalling(mut self, recall: Option<Recall>) -> Result<Self, MindError> {
        let model = self.model.as_ref().filter(|_| self.actor.planner != PlannerName::Random);
        let recalls = recall.as_ref().map_or_else(Vec::new, Recall::channels);
        if let Some(difference) = model.and_then(|model| model.misfit_of_memory(&recalls)) {
            return Err(MindError::Misfit(difference));
        }
        self.recall = recall;
        Ok(self)
    }

    /// What is sensed, completed by what is out of sight and remembered: once in a control step.
    fn complete<'a>(&mut self, observation: &'a Observation) -> Cow<'a, Observation> {
        match &mut self.recall {
            Some(recall) => recall.complete(observation),
            None => Cow::Borrowed(observation),
        }
    }

    /// The same with a configurator that sets its task, or with `fixed` always the task of that name.
    ///
    /// # Errors
    /// [`MindError::Configurator`] where it does not fit the agent's drives and senses, or its tasks the model;
    /// [`MindError::NoConfigurator`] and [`MindError::OtherTasks`] where the model has not learnt what it asks for.
    pub fn configured_by(mut self, spec: &ConfiguratorSpec, fixed: Option<&str>) -> Result<Self, MindError> {
        let refuse = |(path, what)| MindError::Configurator { path, what };
        let drives: Vec<&str> = self.cost.drives().iter().map(DriveSpec::name).collect();
        let senses: Vec<String> = self.body.iter().map(|(name, _)| name.clone()).collect();
        if let Some(fault) = configurator::fault(spec, &drives, &senses) {
            return Err(refuse(fault));
        }
        let mut spec = spec.clone();
        if let Some(name) = fixed {
            spec.rules.clear();
            spec.by = By::Rules;
            spec.tasks.retain(|task| task.name == name);
            if spec.tasks.is_empty() {
                return Err(refuse(("tasks".into(), format!("there is no task `{name}`"))));
            }
        }
        let mut chooser = None;
        if let Some(model) = self.model.clone().filter(|_| self.actor.planner != PlannerName::Random) {
            if spec.by == By::Learned {
                chooser = Some(Chooser::Adviser(adviser(&model, &spec.tasks)?));
            }
            for (index, task) in spec.tasks.iter().enumerate() {
                check_actor(&task.configure(&self.actor), &model)
                    .map_err(|error| refuse((format!("tasks[{index}]"), error.to_string())))?;
            }
        }
        self.configurator = Some(Configurator::new(&spec, chooser));
        self.take_up();
        Ok(self)
    }

    /// The same with a configurator that tries the tasks: at random, or mostly as its model has learnt them so far.
    ///
    /// # Errors
    /// As [`Mind::configured_by`].
    pub fn trying_tasks(self, spec: &ConfiguratorSpec, how: &LearnedConfiguratorSpec) -> Result<Self, MindError> {
        let spec = ConfiguratorSpec { by: By::Rules, ..spec.clone() };
        let mut mind = self.configured_by(&spec, None)?;
        let learnt = mind.model.as_ref().filter(|model| model.configurator().is_some());
        let adviser = learnt.map(|model| adviser(model, &spec.tasks)).transpose()?;
        let trial = Trial::new(how, spec.tasks.len(), adviser);
        mind.configurator = Some(Configurator::new(&spec, Some(Chooser::Trial(Box::new(trial)))));
        Ok(mind)
    }

    /// Configure everything for the task that is on.
    fn take_up(&mut self) {
        let Some(task) = self.configurator.as_ref().and_then(Configurator::task) else { return };
        let (actor, cost) = &*self.own;
        self.actor = task.configure(actor);
        self.cost.weigh(cost, &task.weights);
        let model = self.model.as_ref();
        self.ignored = model.map_or_else(Vec::new, |model| model.card().perception.indices_of(&task.ignores));
        self.drop_plan();
    }

    /// Let the configurator decide which task is on.
    fn configure(&mut self, model: &Model, present: &Present) {
        let Some(mut configurator) = self.configurator.take() else { return };
        let changed = if configurator.is_by_rules() {
            configurator.configure(&|name| self.signal(name, model, present), self.step)
        } else {
            configurator.choose(&self.signs(present), self.step)
        };
        self.configurator = Some(configurator);
        if changed {
            self.take_up();
        }
        self.changed = changed || self.step == 0;
    }

    /// What a learned configurator decides by: the state with nothing ignored, and how familiar its place is.
    pub(crate) fn signs(&self, present: &Present) -> Vec<f32> {
        let mut signs = present.whole().to_vec();
        signs.push(self.familiarity(&present.latent).unwrap_or(0.0));
        signs
    }

    /// What a rule decides by, by its name; worked out only where a rule asks for it.
    fn signal(&self, name: &str, model: &Model, present: &Present) -> Option<f32> {
        if let Some((_, value)) = present.felt.iter().find(|(sense, _)| sense == name) {
            return Some(*value);
        }
        if let Some(drive) = name.strip_prefix("critic.") {
            let critic = model.critic()?;
            if drive == REACH {
                return critic.of_goal(&present.latent, &present.goal).first().copied();
            }
            let at = critic.card().drives.iter().position(|known| known == drive)?;
            return critic.of_drives(&present.latent).get(at).copied();
        }
        match name {
            "surprise" => Some(self.surprise.ratio),
            NOVELTY => self.familiarity(&present.latent),
            _ => {
                let at = self.needs().iter().position(|need| need == name)?;
                self.costs(present, &[]).get(at).copied()
            }
        }
    }

    /// How familiar the place of a state `[latent]` is; none without a drive for novelty.
    fn familiarity(&self, latent: &[f32]) -> Option<f32> {
        self.cost.familiarity(latent, self.memory.iter().filter_map(|moment| moment.place_m))
    }

    /// See in short-term memory where the agent was lately: what plans are judged by.
    fn look_back(&mut self) {
        self.cost.recall(self.memory.iter().filter_map(|moment| moment.place_m));
    }

    /// The latents of what is sensed, completed from memory, and of the goal, and the floor plan: once in a control step.
    pub(crate) fn perceive(
        &mut self,
        model: &Model,
        observation: &Observation,
        goal: Option<&Observation>,
    ) -> Result<Present, ThinkError> {
        let perception = &model.card().perception;
        let observation = &*self.complete(observation);
        let mut percept = perception.perceive(observation)?;
        let by_rules = self.configurator.as_ref().is_none_or(Configurator::is_by_rules);
        let unattended = if by_rules || self.ignored.is_empty() { vec![] } else { model.encode(&percept) };
        self.ignore(&mut percept);
        let latent = model.encode(&percept);
        let goal = match goal {
            Some(goal) => self.goal_latent(model, goal)?,
            None if self.cost.needs_goal() => return Err(ThinkError::NoGoal { drive: "Reach".into() }),
            None => Arc::new([]),
        };
        if latent.iter().chain(&*goal).any(|value| !value.is_finite()) {
            return Err(ThinkError::Diverged { what: "the latent of the observation".into() });
        }
        let felt = self.body.iter().map(|(name, at)| (name.clone(), observation.values[*at])).collect();
        Ok(Present { percept, latent, goal, map: perception.map(observation).to_vec(), felt, unattended })
    }

    /// Leave out of a percept what the task ignores.
    fn ignore(&self, percept: &mut [f32]) {
        // The mean of a sense is what it mostly tells.
        self.ignored.iter().for_each(|index| percept[*index] = 0.0);
    }

    /// The latent of a goal, which mostly stays the same from step to step.
    fn goal_latent(&mut self, model: &Model, goal: &Observation) -> Result<Arc<[f32]>, ThinkError> {
        match &self.goal {
            Some((same, latent)) if same == goal => Ok(latent.clone()),
            _ => {
                let latent: Arc<[f32]> = model.encode(&model.card().perception.perceive(goal)?).into();
                self.goal = Some((goal.clone(), latent.clone()));
                Ok(latent)
            }
        }
    }

    /// One control step: see what has come, set the task, act.
    pub(crate) fn live(&mut self, model: &Model, present: Present, detail: Detail) -> Result<Thought, ThinkError> {
        let surprises = self.configurator.as_ref().is_some_and(|configurator| configurator.asks_for("surprise"));
        if surprises {
            self.surprise.see(model, &present.latent, &present.map);
        }
        self.configure(model, &present);
        let place_m = self.cost.place_m(&present.latent);
        let latent = if surprises { present.latent.clone() } else { vec![] };
        let shown = (detail == Detail::Full).then(|| present.clone());
        let mut thought = self.act(model, present, detail)?;
        if surprises {
            self.surprise.lately.remember(model.stride(), &latent, &thought.action.values);
        }
        if place_m.is_some() {
            self.memory.remember(Moment { place_m, ..Moment::default() });
        }
        if detail == Detail::Full {
            thought.remembered = self.recall.as_ref().map_or_else(Vec::new, Recall::remembered);
        }
        if let Some(present) = shown {
            let inside = self.introspect(model, &present, &thought.action.values);
            let needs = inside.drives.iter().filter(|drive| drive.name != REACH);
            thought.drives = needs.map(|drive| (drive.name.clone(), drive.cost)).collect();
            thought.introspection = Some(Box::new(inside));
        }
        thought.task = self.configurator.as_ref().and_then(|configurator| {
            let (name, reason) = (configurator.task()?.name.clone(), configurator.reason().to_owned());
            Some(Task { name, reason, began: self.changed })
        });
        self.step += 1;
        Ok(thought)
    }

    /// What to do now.
    pub(crate) fn act(&mut self, model: &Model, present: Present, detail: Detail) -> Result<Thought, ThinkError> {
        match self.actor.mode {
            // So a task may have it; without a configurator nothing is perceived for that.
            _ if self.actor.planner == PlannerName::Random => Ok(self.explore()),
            Mode::Mode1 => self.react(model, &present),
            Mode::Mixed => self.deliberate(model, present, detail),
            Mode::Mode2 if self.actor.planner == PlannerName::Hierarchical => {
                self.think_in_levels(model, present, detail)
            }
            Mode::Mode2 => self.think_ahead(model, &present, detail),
        }
    }

    /// Mode-1: what the policy does here.
    pub(crate) fn react(&mut self, model: &Model, present: &Present) -> Result<Thought, ThinkError> {
        let Some(policy) = model.policy() else { return Ok(Thought::default()) };
        let mut values = policy.act(&present.latent, &present.goal);
        values.truncate(self.action_len);
        if self.actor.restless > 0.0 {
            let mut walk = Vec::with_capacity(self.action_len);
            self.walk.next_into(&mut self.rng, &mut walk);
            let moves = values.iter_mut().zip(walk);
            moves.for_each(|(value, step)| *value = (*value + self.actor.restless * step).clamp(-1.0, 1.0));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(ThinkError::Diverged { what: "the policy's action".into() });
        }
        Ok(Thought { action: Action { values }, acted_by: ActedBy::Mode1, ..Thought::default() })
    }

    /// Mixed mode: by the policy where it can be relied on, by planning elsewhere.
    fn deliberate(&mut self, model: &Model, present: Present, detail: Detail) -> Result<Thought, ThinkError> {
        let Some(policy) = model.policy() else { return Ok(Thought::default()) };
        self.look_back();
        let outlook = Outlook {
            predictor: model.predictor(),
            policy,
            cost: &self.cost,
            latent: &present.latent,
            goal: &present.goal,
            map: &present.map,
            extent: Extent { steps: self.actor.horizon as usize / model.stride(), stride: model.stride() },
            // Asked for at every control step, and worth working out only where it decides something.
            at_stake: self.actor.mixed.stakes.map_or(0.0, |_| self.at_stake(&present)),
        };
        let (reason, evaluations) = self.deliberation.choose(&self.actor.mixed, self.step, &outlook);
        let mut thought = match reason {
            Some(_) if self.actor.planner == PlannerName::Hierarchical => {
                self.think_in_levels(model, present, detail)?
            }
            Some(_) => self.think_ahead(model, &present, detail)?,
            None => {
                self.drop_plan();
                self.react(model, &present)?
            }
        };
        thought.model_evaluations += evaluations;
        thought.deliberation = reason.map(Reason::as_str);
        Ok(thought)
    }

    /// What the drives but `Reach` cost in this state, weighed.
    fn at_stake(&self, present: &Present) -> f32 {
        self.weighed_as(&self.cost, present, &[])
    }

    /// The same under this action, as the agent's own drives weigh, whatever the task.
    pub(crate) fn own_cost(&self, present: &Present, action: &[f32]) -> f32 {
        self.weighed_as(&self.own.1, present, action)
    }

    /// What the drives cost together in this state under this action, as those of `cost` weigh.
    fn weighed_as(&self, cost: &Cost, present: &Present, action: &[f32]) -> f32 {
        let weights = cost.needs().map(DriveSpec::weight);
        self.costs(present, action).iter().zip(weights).map(|(cost, weight)| cost * weight.value_f32()).sum()
    }

    /// Where its task stands among its configurator's; 0 without one.
    pub(crate) fn task_index(&self) -> usize {
        self.configurator.as_ref().map_or(0, Configurator::task_index)
    }

    /// Mode-2: go on with the plan, or plan anew where it has been followed long enough.
    pub(crate) fn think_ahead(
        &mut self,
        model: &Model,
        present: &Present,
        detail: Detail,
    ) -> Result<Thought, ThinkError> {
        if self.carries_on() {
            return Ok(self.carry_on(detail));
        }
        let (plan, model_evaluations) = self.plan(model, present, detail)?;
        self.plan = Some(plan);
        Ok(Thought { planned: true, model_evaluations, ..self.carry_on(detail) })
    }

    /// Whether there is a plan to go on with, for which nothing need be perceived.
    fn carries_on(&self) -> bool {
        self.actor.planner != PlannerName::Hierarchical
            && self.plan.as_ref().is_some_and(|plan| plan.done < self.actor.replan_every as usize)
    }

    /// The next step of the plan.
    fn carry_on(&mut self, detail: Detail) -> Thought {
        let Some(plan) = &mut self.plan else { return Thought::default() };
        let (actions, energy) = &plan.proposal.candidates[0];
        let step = plan.done * self.action_len;
        plan.done += 1;
        Thought {
            action: Action { values: actions[step..step + self.action_len].to_vec() },
            acted_by: ActedBy::Mode2,
            rollouts: if detail == Detail::Full { plan.rollouts.clone() } else { vec![] },
            energy_by_iteration: plan.proposal.energy_by_iteration.clone(),
            energy: *energy,
            ..Thought::default()
        }
    }

    /// Whether one of its drives is to reach something.
    pub(crate) fn needs_goal(&self) -> bool {
        self.cost.needs_goal()
    }

    /// What each drive but `Reach` costs, before its weight, in this state under this action.
    pub(crate) fn costs(&self, present: &Present, action: &[f32]) -> Vec<f32> {
        let felt = |channel: &str| {
            let of = present.felt.iter().filter(|(name, _)| is_of(name, channel));
            of.map(|(_, value)| *value).max_by(f32::total_cmp)
        };
        self.cost.of_each(&present.latent, action, &felt)
    }

    /// The drives but `Reach`, by name.
    #[must_use]
    pub fn needs(&self) -> Vec<String> {
        self.cost.needs().map(|drive| drive.name().to_owned()).collect()
    }

    /// A step of a random walk.
    pub(crate) fn explore(&mut self) -> Thought {
        let mut values = Vec::with_capacity(self.action_len);
        self.walk.next_into(&mut self.rng, &mut values);
        Thought { action: Action { values }, ..Thought::default() }
    }

    /// What the policy would do in the control steps of a prediction, improved by planning from there: all starts are what it
    /// proposes.
    pub(crate) fn improve(&mut self, model: &Model, present: &Present) -> Result<Option<Vec<f32>>, ThinkError> {
        self.drop_plan();
        if self.actor.planner == PlannerName::Hierarchical {
            self.act(model, present.clone(), Detail::Brief)?;
            return Ok(self.planned(model.stride()));
        }
        let proposed = std::mem::replace(&mut self.actor.proposed, self.actor.gradient.starts);
        let planned = self.plan(model, present, Detail::Brief);
        self.actor.proposed = proposed;
        self.plan = Some(planned?.0);
        let improved = self.planned(model.stride());
        self.drop_plan();
        Ok(improved)
    }

    /// What the latest plan would do in its first so many control steps.
    pub(crate) fn planned(&self, steps: usize) -> Option<Vec<f32>> {
        let plan = match self.actor.planner {
            PlannerName::Hierarchical => &self.hierarchy.plans.first()?.as_ref()?.proposal,
            _ => &self.plan.as_ref()?.proposal,
        };
        plan.candidates.first()?.0.get(..steps * self.action_len).map(<[f32]>::to_vec)
    }

    /// Go on with another model of the same latents: what was learnt meanwhile.
    pub(crate) fn adopt(&mut self, model: Arc<Model>) {
        let critic = model.critic().filter(|_| self.own.0.critic).cloned();
        self.own.1 = self.own.1.clone().foreseen_by(critic.clone());
        self.cost = self.cost.clone().foreseen_by(critic);
        self.model = Some(model);
        self.drop_plan();
    }

    /// One control step as [`Think::think`] does it, the moment to remember it by and what it cost as the drives weigh; nothing
    /// to remember without a model.
    pub(crate) fn think_and_recall(
        &mut self,
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<(Thought, Option<(Moment, f32)>), ThinkError> {
        let model = match &self.model {
            Some(model) if self.own.0.planner != PlannerName::Random => model.clone(),
            _ => return Ok((self.explore(), None)),
        };
        let present = self.perceive(&model, observation, goal)?;
        let thought = self.live(&model, present.clone(), detail)?;
        let action = thought.action.values.clone();
        let extent = Extent { steps: 1, stride: 1 };
        let now = Imagined { latents: &present.latent, actions: &action, batch: 1, extent };
        let cost = self.own.1.of_states(&now, &present.goal);
        let costs = self.costs(&present, &action);
        let plan = if thought.planned { self.planned(model.stride()) } else { None };
        let goal = self.cost.needs_goal().then_some(present.goal);
        Ok((thought, Some((Moment { latent: present.latent, action, costs, goal, plan, place_m: None }, cost))))
    }

    /// Forget the plan: the goal is another one.
    pub(crate) fn drop_plan(&mut self) {
        self.plan = None;
        self.hierarchy.forget_plans();
    }

    /// One control step of hierarchical planning.
    fn think_in_levels(
        &mut self,
        model: &Model,
        Present { latent, goal, map, .. }: Present,
        detail: Detail,
    ) -> Result<Thought, ThinkError> {
        self.hierarchy.remember(model, latent);
        self.look_back();
        let means = Means {
            model,
            spec: &self.actor.hierarchy,
            cost: &self.cost,
            uncertainty: self.actor.uncertainty,
            exploration: &self.exploration,
            action_len: self.action_len,
            goal: &goal,
            map: &map,
        };
        let diverged = || ThinkError::Diverged { what: "the energy of every imagined future".into() };
        let effort = self.hierarchy.plan(&means, &mut self.rng).ok_or_else(diverged)?;
        let (values, energy) = self.hierarchy.action(self.action_len).ok_or_else(diverged)?;
        let mut thought = Thought {
            action: Action { values },
            acted_by: ActedBy::Mode2,
            planned: effort.planned,
            energy,
            model_evaluations: effort.evaluations,
            ..Thought::default()
        };
        if let Some(Some(plan)) = self.hierarchy.plans.first() {
            thought.energy_by_iteration.clone_from(&plan.proposal.energy_by_iteration);
            if detail == Detail::Full {
                let candidates = plan.proposal.candidates.iter();
                thought.rollouts =
                    candidates.flat_map(|(a, energy)| pictures(model, &plan.present, &map, a, *energy)).collect();
                let states = self.hierarchy.planned_states(model.levels()).into_iter().zip(model.levels());
                thought.subgoals = states
                    .map(|(states, level)| states.iter().map(|state| level.card().readout.position_m(state)).collect())
                    .collect();
            }
        }
        Ok(thought)
    }

    /// Plan anew from what is sensed.
    fn plan(
        &mut self,
        model: &Model,
        Present { latent, goal, map, .. }: &Present,
        detail: Detail,
    ) -> Result<(Plan, u64), ThinkError> {
        self.look_back();
        let horizon = self.actor.horizon as usize;
        let mut imagination = Imagination {
            predictor: model.predictor(),
            under: model.predictors(),
            uncertainty: self.actor.uncertainty,
            cost: &self.cost,
            subgoals: None,
            latent,
            goal,
            map,
            steps: horizon / model.stride(),
            stride: model.stride(),
            range: &[],
            evaluations: 0,
        };
        let given = match model.policy() {
            Some(policy) if self.actor.proposed > 0 => {
                let steps = horizon / model.stride();
                let (_, actions) = policy.imagine(model.predictor(), latent, goal, map, steps);
                propose(actions, self.actor.proposed as usize, self.action_len, &mut self.rng)
            }
            _ => vec![],
        };
        let last =
            self.plan.as_ref().map_or(&[][..], |plan| &plan.proposal.candidates[0].0[plan.done * self.action_len..]);
        let mut starts = Starts {
            exploration: &self.exploration,
            action_len: self.action_len,
            horizon,
            levels: &[],
            warm: last,
            given,
        };
        let proposal = planners::plan(&self.actor, &mut imagination, &mut starts, &mut self.rng).unwrap_or_default();
        let evaluations = imagination.evaluations;
        if !proposal.candidates.first().is_some_and(|best| best.1.is_finite()) {
            return Err(ThinkError::Diverged { what: "the energy of every imagined future".into() });
        }
        let rollouts = match detail {
            Detail::Brief => vec![],
            Detail::Full => {
                let candidates = proposal.candidates.iter();
                candidates.flat_map(|(a, energy)| pictures(model, latent, map, a, *energy)).collect()
            }
        };
        Ok((Plan { proposal, rollouts, done: 0 }, evaluations))
    }
}

/// So many starts that are what the policy would do, `[horizon, action]`: the first as it is, the others with noise.
fn propose(actions: Vec<f32>, count: usize, action_len: usize, rng: &mut impl Rng) -> Vec<Vec<f32>> {
    let horizon = actions.len() / action_len.max(1);
    let varied = (1..count).map(|_| {
        let noise = coloured_noise(horizon, action_len, rng);
        actions.iter().zip(noise).map(|(action, noise)| (action + PROPOSAL_NOISE * noise).clamp(-1.0, 1.0)).collect()
    });
    let varied: Vec<Vec<f32>> = varied.collect();
    std::iter::once(actions).chain(varied).collect()
}

/// See that an actor finds what it needs in a model.
fn check_actor(actor: &ActorSpec, model: &Model) -> Result<(), MindError> {
    let stride = model.stride();
    if actor.planner == PlannerName::Hierarchical {
        if model.levels().is_empty() {
            return Err(MindError::NoLevels);
        }
    } else if !(actor.horizon as usize).is_multiple_of(stride) {
        return Err(MindError::Horizon { horizon: actor.horizon, stride });
    }
    if actor.critic && model.critic().is_none() {
        return Err(MindError::NoCritic);
    }
    if actor.mode != Mode::Mode2 && model.policy().is_none() {
        return Err(MindError::NoPolicy { what: actor.mode.as_str() });
    }
    if actor.mode == Mode::Mixed && !actor.critic {
        return Err(MindError::NoJudge);
    }
    if actor.proposed > 0 && model.policy().is_none() {
        return Err(MindError::NoPolicy { what: "`actor.proposed`" });
    }
    Ok(())
}

/// Who knows what these tasks cost, of what a model has learnt.
fn adviser(model: &Model, tasks: &[TaskSpec]) -> Result<Adviser, MindError> {
    let learned = model.configurator().ok_or(MindError::NoConfigurator)?;
    Adviser::new(learned.clone(), tasks).ok_or_else(|| {
        let listed = |names: Vec<&str>| names.join(", ");
        let known = listed(learned.card().tasks.iter().map(String::as_str).collect());
        MindError::OtherTasks { known, own: listed(tasks.iter().map(|task| task.name.as_str()).collect()) }
    })
}

/// The latest latents, and what was done in each: a prediction's worth.
#[derive(Debug, Clone, Default)]
struct Lately(VecDeque<(Vec<f32>, Vec<f32>)>);

impl Lately {
    /// The state one prediction ago, and what was done since; none so early in a life.
    fn since(&self, stride: usize) -> Option<(&[f32], Vec<f32>)> {
        let (first, _) = self.0.front().filter(|_| self.0.len() >= stride)?;
        Some((first, self.0.iter().flat_map(|(_, action)| action.iter().copied()).collect()))
    }

    fn remember(&mut self, stride: usize, latent: &[f32], action: &[f32]) {
        if self.0.len() >= stride {
            self.0.pop_front();
        }
        self.0.push_back((latent.to_vec(), action.to_vec()));
    }

    /// Something else was done in the latest state.
    fn correct(&mut self, action: &[f32]) {
        if let Some((_, latest)) = self.0.back_mut() {
            action.clone_into(latest);
        }
    }
}

/// How much the world surprises, by the world model's predictions of a stride.
#[derive(Debug, Clone, Default)]
struct Surprise {
    lately: Lately,
    /// What errors have mostly been.
    usual: f32,
    /// The latest error, in units of that.
    ratio: f32,
}

/// What one more error moves the usual one by.
const SURPRISE_RATE: f32 = 0.02;

impl Surprise {
    /// See what has come, in the present latent.
    fn see(&mut self, model: &Model, latent: &[f32], map: &[f32]) {
        let Some((then, actions)) = self.lately.since(model.stride()) else { return };
        let foretold = model.predictor().imagine(then, &actions, map);
        let error = Distance::Squared.of(&foretold, latent).sqrt();
        self.ratio = if self.usual > 0.0 { error / self.usual } else { 1.0 };
        self.usual = if self.usual > 0.0 { self.usual + SURPRISE_RATE * (error - self.usual) } else { error };
    }
}

/// An imagined future as positions, the present first, under each value of the latent variable.
fn pictures(model: &Model, latent: &[f32], map: &[f32], actions: &[f32], energy: f32) -> Vec<Rollout> {
    let readout = &model.card().readout;
    let stride = u32::try_from(model.stride()).unwrap_or(u32::MAX);
    let picture = |(z, predictor): (u32, &Arc<Predictor>)| {
        let imagined = predictor.imagine(latent, actions, map);
        let latents = std::iter::once(latent).chain(imagined.chunks_exact(latent.len()));
        Rollout { positions_m: latents.map(|latent| readout.position_m(latent)).collect(), stride, energy, z }
    };
    (0..).zip(model.predictors()).map(picture).collect()
}

impl Think for Mind {
    fn begin(&mut self, seed: u64) {
        self.rng = ChaCha8Rng::seed_from_u64(seed);
        self.walk = Walk::new(&self.exploration, self.action_len, &mut self.rng);
        self.plan = None;
        self.hierarchy = Hierarchy::default();
        self.goal = None;
        self.deliberation = Deliberation::default();
        self.memory.clear();
        self.surprise = Surprise::default();
        self.foresight = Foresight::default();
        self.step = 0;
        if let Some(recall) = &mut self.recall {
            recall.clear();
        }
        if let Some(configurator) = &mut self.configurator {
            configurator.restart(seed);
            self.take_up();
        }
    }

    fn think(
        &mut self,
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<Thought, ThinkError> {
        let model = match &self.model {
            Some(model) if self.own.0.planner != PlannerName::Random => model.clone(),
            _ => return Ok(self.explore()),
        };
        let attends = self.configurator.is_some() || self.cost.novelty().is_some();
        let by_plan = !attends && self.actor.mode == Mode::Mode2 && detail == Detail::Brief;
        if by_plan && self.carries_on() {
            // What comes into sight is kept in mind all the same.
            self.complete(observation);
            return Ok(self.carry_on(detail));
        }
        let present = self.perceive(&model, observation, goal)?;
        self.live(&model, present, detail)
    }
    fn inspect(&mut self) -> Option<&mut dyn Inspect> {
        Some(self)
    }
}
