//! Hierarchical planning, top down: each level minimises its energy over its own actions by gradient, the top level that of
//! the task, each other that of what the level above has planned; each anew at its own rate (Dawid & LeCun 2023, Sec. 6).
//! Read first: [`HierarchySpec`] and [`Hierarchy::plan`].

use super::{
    exploration::ExplorationSpec,
    planners::{GradientSpec, Imagination, Known, Proposal, Starts, TreeSpec, Uncertainty, gradient, grow},
};
use crate::{
    cost::{Cost, nearness::Nearness, subgoals::Subgoals},
    world_model::{Model, hjepa::Level},
};
use forethought_energy::distance::Distance;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, sync::Arc};

/// How each level plans, the lowest first. Levels of the model that are not named here plan by the defaults, those between
/// others as `lowest` does by its own; `horizon`s are counted in predictions of the level.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HierarchySpec {
    /// The first level: the agent's own actions.
    pub lowest: LowestSpec,
    /// The levels above it.
    pub above: Vec<AboveSpec>,
}

impl HierarchySpec {
    /// How the level `index`, counted from 0, plans where the highest is `top`.
    fn of_level(&self, index: usize, top: usize) -> AboveSpec {
        let Some(above) = index.checked_sub(1) else { return self.lowest.clone().into() };
        let default = || if index == top { AboveSpec::default() } else { LowestSpec::default().into() };
        self.above.get(above).cloned().unwrap_or_else(default)
    }
}

/// How the first level follows the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LowestSpec {
    /// Predictions in each imagined future.
    pub horizon: u32,
    /// Control steps before it plans anew.
    pub replan_every: u32,
    /// Starts and gradient steps.
    pub gradient: GradientSpec,
}

impl Default for LowestSpec {
    fn default() -> Self {
        let gradient = GradientSpec { starts: 8, refined: 8, iterations: 3, learning_rate: 0.3 };
        Self { horizon: 4, replan_every: 4, gradient }
    }
}

/// How a level above the first plans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AboveSpec {
    /// Predictions in each imagined future.
    pub horizon: u32,
    /// Control steps before it plans anew.
    pub replan_every: u32,
    /// Starts and gradient steps.
    pub gradient: GradientSpec,
    /// The tree that finds starts; on the top level only.
    pub tree: TreeSpec,
    /// How the level below follows: 0 for state by state as time passes; otherwise from each state to the next as they are
    /// reached, and if for so many control steps none is, then the way to the next is remembered as blocked, and this level
    /// plans anew.
    pub patience: u32,
}

impl Default for AboveSpec {
    fn default() -> Self {
        let gradient = GradientSpec { starts: 4, refined: 4, iterations: 3, learning_rate: 0.1 };
        Self { horizon: 24, replan_every: 8, gradient, tree: TreeSpec::default(), patience: 0 }
    }
}

/// The lowest level's settings as any level has them: without a tree, and followed as time passes.
impl From<LowestSpec> for AboveSpec {
    fn from(LowestSpec { horizon, replan_every, gradient }: LowestSpec) -> Self {
        let tree = TreeSpec { predictions: 0, ..TreeSpec::default() };
        Self { horizon, replan_every, gradient, tree, patience: 0 }
    }
}

/// How many of a plan's next states may be reached at once.
const AHEAD: usize = 5;
/// The distance from the goal's place that counts half, in parts of what the agent moves during one prediction.
const ARRIVED: f32 = 0.3;
/// So many blocked ways are remembered.
const BLOCKED: usize = 32;

/// A level's plan under way.
#[derive(Debug, Clone)]
pub(crate) struct LevelPlan {
    /// Action sequences of this level and their energies, best first.
    pub(crate) proposal: Proposal,
    /// The state that it begins with.
    pub(crate) present: Vec<f32>,
    /// The states that the best leads to, `[horizon, latent]`.
    states: Vec<f32>,
    /// The control step at which it was made.
    made: usize,
    /// Where it is followed from state to state, not as time passes.
    progress: Option<Progress>,
}

/// How far a plan has been followed.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// How many of its states have been reached.
    reached: usize,
    /// The control step at which the last was.
    at: usize,
}

impl LevelPlan {
    /// How many of its predictions, each of `span` control steps, are behind.
    fn passed(&self, now: usize, span: usize) -> usize {
        self.progress.map_or((now - self.made) / span, |progress| progress.reached)
    }
}

/// A level's latest latents, one for each control step.
#[derive(Debug, Clone, Default)]
struct Recent {
    latents: VecDeque<Vec<f32>>,
    /// The control step of the first.
    first: usize,
}

impl Recent {
    fn push(&mut self, latent: Vec<f32>, keep: usize) {
        self.latents.push_back(latent);
        while self.latents.len() > keep {
            self.latents.pop_front();
            self.first += 1;
        }
    }

    /// At a control step that is kept; before the beginning it was as at the beginning.
    fn at(&self, step: usize) -> &[f32] {
        &self.latents[step.saturating_sub(self.first)]
    }

    fn now(&self) -> usize {
        self.first + self.latents.len() - 1
    }
}

/// What the levels have made of the episode so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hierarchy {
    /// Each level's latents, the lowest first.
    latents: Vec<Recent>,
    /// Each level's plan, the lowest first.
    pub(crate) plans: Vec<Option<LevelPlan>>,
    /// Ways that were planned on the top level and could not be gone, from place to place in metres.
    blocked: VecDeque<[[f32; 2]; 2]>,
}

/// What planning works with.
pub(crate) struct Means<'a> {
    pub(crate) model: &'a Model,
    pub(crate) spec: &'a HierarchySpec,
    pub(crate) cost: &'a Cost,
    pub(crate) uncertainty: Uncertainty,
    pub(crate) exploration: &'a ExplorationSpec,
    pub(crate) action_len: usize,
    /// The goal on the lowest level; empty without one.
    pub(crate) goal: &'a [f32],
    pub(crate) map: &'a [f32],
}

/// What a level did at a control step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Effort {
    pub(crate) evaluations: u64,
    /// True where the lowest level planned anew.
    pub(crate) planned: bool,
}

impl Hierarchy {
    /// Take in the first level's latent at this control step.
    pub(crate) fn remember(&mut self, model: &Model, latent: Vec<f32>) {
        let levels = model.levels();
        self.latents.resize(levels.len() + 1, Recent::default());
        self.plans.resize(levels.len() + 1, None);
        // No level looks further back than the one above it pools.
        let keep = |index: usize| levels.get(index).map_or(1, |above| (above.spec.stride - 1) * above.span_below + 1);
        self.latents[0].push(latent, keep(0));
        for (index, level) in levels.iter().enumerate() {
            let below = &self.latents[index];
            let latent = level.encode_at(|step| below.at(step), below.now());
            self.latents[index + 1].push(latent, keep(index + 1));
        }
    }

    /// The control step of the latest latent.
    fn now(&self) -> usize {
        self.latents[0].now()
    }

    /// Plan what is due, from the top down. `None` where no future has a finite energy.
    pub(crate) fn plan(&mut self, means: &Means, rng: &mut impl Rng) -> Option<Effort> {
        let mut effort = Effort::default();
        for index in (0..self.plans.len()).rev() {
            let spec = means.spec.of_level(index, means.model.levels().len());
            let stuck = self.follow(index, &spec, means);
            let every = spec.replan_every as usize;
            let due = self.plans[index].as_ref().is_none_or(|plan| self.now() >= plan.made + every);
            if due || stuck {
                let (plan, evaluations) = self.plan_level(index, &spec, means, rng)?;
                self.plans[index] = Some(plan);
                effort.evaluations += evaluations;
                effort.planned |= index == 0;
            }
        }
        Some(effort)
    }

    /// See how far a level's plan has been followed; true where it has not got on for too long.
    fn follow(&mut self, index: usize, spec: &AboveSpec, means: &Means) -> bool {
        let now = self.now();
        let Some(plan) = &mut self.plans[index] else { return false };
        let Some(progress) = &mut plan.progress else { return false };
        let level = &means.model.levels()[index - 1];
        let latent = self.latents[index].at(now);
        let width = latent.len();
        let ahead = plan.states.chunks_exact(width).skip(progress.reached).take(AHEAD);
        let distances: Vec<f32> = ahead.map(|state| Distance::Squared.of(latent, state).sqrt()).collect();
        if distances.is_empty() {
            return true;
        }
        // What is near may be behind a wall, but not as near as this.
        if let Some(furthest) = distances.iter().rposition(|distance| *distance < level.card.stride_distance) {
            *progress = Progress { reached: progress.reached + furthest + 1, at: now };
        }
        if now < progress.at + spec.patience as usize {
            return false;
        }
        let place = |state: &[f32]| level.card.readout.position_m(state);
        if let Some(state) = plan.states.chunks_exact(width).nth(progress.reached) {
            self.blocked.push_back([place(latent), place(state)]);
            if self.blocked.len() > BLOCKED {
                self.blocked.pop_front();
            }
        }
        true
    }

    /// Forget what was planned: the goal is another one.
    pub(crate) fn forget_plans(&mut self) {
        self.plans.iter_mut().for_each(|plan| *plan = None);
        self.blocked.clear();
    }

    /// What to do at this control step.
    pub(crate) fn action(&self, action_len: usize) -> Option<(Vec<f32>, f32)> {
        let plan = self.plans.first()?.as_ref()?;
        let (actions, energy) = plan.proposal.candidates.first()?;
        let step = (self.now() - plan.made) * action_len;
        Some((actions.get(step..step + action_len)?.to_vec(), *energy))
    }

    fn plan_level(
        &self,
        index: usize,
        spec: &AboveSpec,
        means: &Means,
        rng: &mut impl Rng,
    ) -> Option<(LevelPlan, u64)> {
        let levels = means.model.levels();
        let level = index.checked_sub(1).map(|above| &levels[above]);
        let (steps, settings) = (spec.horizon as usize, &spec.gradient);
        let (predictor, span) = match level {
            Some(level) => (&level.predictor, level.span),
            None => (means.model.predictor(), means.model.stride()),
        };
        let top = index == levels.len();
        let subgoals = (!top).then(|| self.subgoals(&levels[index], index, span, steps));
        let cost = match level {
            Some(level) if top => means.cost.of_arrival(nearness(level)),
            Some(_) => Cost::new(&[], None),
            None => means.cost.besides_goal(),
        };
        // Only the top level knows of it.
        let goal = if top { goal_above(means.goal, levels) } else { vec![] };
        let mut imagination = Imagination {
            predictor,
            under: if index == 0 { means.model.predictors() } else { std::slice::from_ref(predictor) },
            uncertainty: means.uncertainty,
            cost: &cost,
            subgoals: subgoals.as_ref(),
            latent: self.latents[index].at(self.now()),
            goal: &goal,
            map: means.map,
            steps,
            stride: span,
            range: level.map_or(&[], |level| &level.card.action_range),
            evaluations: 0,
        };
        let last = self.plans[index].as_ref().map_or(&[][..], |plan| self.left_of(plan, span, predictor.action_len()));
        let mut starts = Starts {
            exploration: means.exploration,
            action_len: means.action_len,
            horizon: steps * span,
            levels: &levels[..index],
            warm: last,
            given: vec![],
        };
        if let (true, Some(level)) = (top, level)
            && spec.tree.predictions > 0
            && !imagination.goal.is_empty()
        {
            let count = settings.starts.saturating_sub(1) as usize;
            let known = Known { scale: &level.card, blocked: &self.blocked };
            let mut given = grow(&spec.tree, count, &known, &mut imagination, &starts, rng);
            if !last.is_empty() {
                given.insert(0, starts.walk(true, starts.horizon, rng));
            }
            starts.given = given;
        }
        let proposal = gradient::plan(settings, &mut imagination, &mut starts, rng);
        let (best, energy) = proposal.candidates.first()?;
        if !energy.is_finite() {
            return None;
        }
        let states = predictor.imagine(imagination.latent, best, means.map);
        let (present, evaluations) = (imagination.latent.to_vec(), imagination.evaluations + steps as u64);
        let now = self.now();
        let progress = (spec.patience > 0).then_some(Progress { reached: 0, at: now });
        Some((LevelPlan { present, states, made: now, progress, proposal }, evaluations))
    }

    /// What is left of a plan's best actions.
    fn left_of<'a>(&self, plan: &'a LevelPlan, span: usize, action_len: usize) -> &'a [f32] {
        let done = plan.passed(self.now(), span) * action_len;
        plan.proposal.candidates.first().map_or(&[], |best| best.0.get(done..).unwrap_or_default())
    }

    /// What `above` has planned for each of the next `steps` predictions of the level `index` below it.
    fn subgoals(&self, above: &Arc<Level>, index: usize, span: usize, steps: usize) -> Subgoals {
        let (now, width) = (self.now(), above.predictor.latent());
        let mut past = Vec::new();
        for back in (0..above.spec.stride - 1).rev() {
            past.extend_from_slice(self.latents[index].at(now.saturating_sub(back * span)));
        }
        let mut planned = Vec::with_capacity(steps * width);
        if let Some(plan) = &self.plans[index + 1] {
            let last = plan.states.len() / width - 1;
            for step in 1..=steps {
                // A little ahead, so that the agent does not slow down at each.
                let ahead = |progress: Progress| progress.reached * above.span + above.span / 2;
                let passed = plan.progress.map_or(now - plan.made, ahead);
                let at = (passed + step * span).div_ceil(above.span).saturating_sub(1).min(last);
                planned.extend_from_slice(&plan.states[at * width..(at + 1) * width]);
            }
        }
        Subgoals { level: above.clone(), past, planned }
    }

    /// The plans of the levels above the first, each as the states that it still leads to, the present first.
    pub(crate) fn planned_states(&self, levels: &[Arc<Level>]) -> Vec<Vec<Vec<f32>>> {
        let above = self.plans.iter().enumerate().skip(1).zip(levels);
        let states = |((index, plan), level): ((usize, &Option<LevelPlan>), &Arc<Level>)| {
            let present = self.latents[index].at(self.now()).to_vec();
            let width = present.len().max(1);
            let ahead = plan.iter().flat_map(|plan| {
                plan.states.chunks_exact(width).skip(plan.passed(self.now(), level.span)).map(<[f32]>::to_vec)
            });
            std::iter::once(present).chain(ahead).collect()
        };
        above.map(states).collect()
    }
}

/// A goal of the lowest level on the top one; empty without one.
fn goal_above(goal: &[f32], levels: &[Arc<Level>]) -> Vec<f32> {
    if goal.is_empty() {
        return vec![];
    }
    levels.iter().fold(goal.to_vec(), |goal, level| level.encode_steady(&goal))
}

/// What being at the goal means on the top level.
fn nearness(level: &Level) -> Nearness {
    if level.predictor.map_len() == 0 {
        return Nearness::Latent(Distance::Saturating { half: level.card.stride_distance });
    }
    // Far ahead the floor plan tells where the agent would be, but not all that it would sense there.
    let half = ARRIVED * level.card.stride_m;
    Nearness::Place { readout: level.card.readout.clone(), distance: Distance::Saturating { half } }
}
