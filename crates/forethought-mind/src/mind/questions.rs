//! A mind that is asked from outside, on plain arrays, without living: what it makes of observations, what it foretells, what that
//! would cost and what it would do. Read first: [`Mind::encode`] to [`Mind::propose`].
//!
//! Arrays are row by row. Nothing here changes the mind or draws from its own random numbers.

use super::{Mind, Proposal};
use crate::{
    actor::planners::{PlannerName, Population},
    cost::{Extent, Imagined},
    world_model::Model,
};
use forethought_interface::{Detail, Observation, Think, ThinkError};

/// Why a mind cannot answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuestionError {
    /// It has nothing to answer with.
    #[error("this mind has no model, for its planner is `random`: load one that plans")]
    NoModel,
    /// Arrays that do not fit each other or the model.
    #[error("{what} has {found} values, where {expected} are expected")]
    Shape {
        /// Which array.
        what: &'static str,
        /// How many values it has.
        found: usize,
        /// What would fit.
        expected: String,
    },
    /// It reads a floor plan and was given none.
    #[error("this model reads a floor plan of {0} values: give it the observation's channel `map.occupancy`")]
    FloorPlan(usize),
    /// It has no goal to judge by.
    #[error(transparent)]
    Think(#[from] ThinkError),
}

/// Action sequences and what the mind expects of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposed {
    /// `[count, horizon, action]`, best first.
    pub actions: Vec<f32>,
    /// Their energies, `[count]`: lower is better.
    pub energies: Vec<f32>,
    /// Control steps of each.
    pub horizon: usize,
}

impl Mind {
    /// The model that it thinks with.
    ///
    /// # Errors
    /// [`QuestionError::NoModel`] for one that acts at random.
    pub fn model(&self) -> Result<&Model, QuestionError> {
        self.model.as_deref().ok_or(QuestionError::NoModel)
    }

    /// Control steps of each imagined future.
    #[must_use]
    pub fn horizon(&self) -> usize {
        self.actor.horizon as usize
    }

    /// The latents of observations, `[n, latent]`, each a row of the observation layout's length: one encoder pass for all of them.
    ///
    /// # Errors
    /// [`QuestionError::Think`] where a sense is not finite or a row has another length.
    pub fn encode<'a>(&self, observations: impl Iterator<Item = &'a [f32]>) -> Result<Vec<f32>, QuestionError> {
        let model = self.model()?;
        let mut percepts = Vec::new();
        for observation in observations {
            let begin = percepts.len();
            percepts.extend(model.card().perception.perceive_values(observation)?);
            self.ignore(&mut percepts[begin..]);
        }
        finite(model.encode(&percepts), "the latent of an observation")
    }

    /// The latents foretold from `latents` `[n, latent]` under `actions` `[n, horizon, action]`: `[n, predictions, latent]`, one
    /// after each stride of control steps. With a latent variable, under its value `z`. `map` is the floor plan, empty for a model
    /// that reads none.
    ///
    /// # Errors
    /// [`QuestionError::Shape`] where the arrays do not fit, or the horizon is no multiple of the stride.
    pub fn predict(&self, latents: &[f32], actions: &[f32], map: &[f32], z: usize) -> Result<Vec<f32>, QuestionError> {
        let model = self.model()?;
        let codes = model.predictors().len();
        let predictor = model.predictors().get(z).ok_or_else(|| QuestionError::Shape {
            what: "the latent variable",
            found: codes,
            expected: format!("more than {z}"),
        })?;
        let (future, _) = self.futures(model, latents, actions, map)?;
        let imagined = finite(predictor.imagine(latents, &future.actions, map), "the foretold latent")?;
        let (width, batch) = (predictor.latent(), future.batch);
        let steps = imagined.len() / (batch * width).max(1);
        let row = |future: usize, step: usize| &imagined[(step * batch + future) * width..][..width];
        Ok((0..batch).flat_map(|future| (0..steps).flat_map(move |step| row(future, step))).copied().collect())
    }

    /// The energies of the futures from `latents` `[n, latent]` under `actions` `[n, horizon, action]`, `[n]`: what planning
    /// minimises, the critic included where the agent's actor has it; `goal` `[latent]` is empty without one.
    ///
    /// # Errors
    /// As [`Mind::predict`], and [`ThinkError::NoGoal`] where the agent has a goal to reach and none is given.
    pub fn judge(
        &self,
        latents: &[f32],
        actions: &[f32],
        goal: &[f32],
        map: &[f32],
    ) -> Result<Vec<f32>, QuestionError> {
        let model = self.model()?;
        if self.cost.needs_goal() {
            if goal.is_empty() {
                return Err(ThinkError::NoGoal { drive: "Reach".into() }.into());
            }
            expect("the goal's latent", goal.len(), model.predictor().latent())?;
        }
        let (future, extent) = self.futures(model, latents, actions, map)?;
        let (actions, batch) = (&future.actions, future.batch);
        let under = model.predictors().iter().map(|predictor| {
            let imagined = predictor.imagine(latents, actions, map);
            self.cost.energies(&Imagined { latents: &imagined, actions, batch, extent }, goal)
        });
        finite(self.actor.uncertainty.energies(under.collect()), "the energy of a future")
    }

    /// Plan from this observation, with nothing remembered and random numbers from `seed`: the candidates that planning ends with.
    /// A mind that is used to acting by its policy plans all the same.
    ///
    /// # Errors
    /// [`QuestionError::Think`] where an input or every energy is not finite, or the goal is missing.
    pub fn propose(
        &self,
        observation: &Observation,
        goal: Option<&Observation>,
        seed: u64,
    ) -> Result<Proposed, QuestionError> {
        let mut mind = self.clone();
        let model = mind.model.clone().filter(|_| mind.actor.planner != PlannerName::Random);
        let model = model.ok_or(QuestionError::NoModel)?;
        mind.begin(seed);
        let present = mind.perceive(&model, observation, goal)?;
        let proposal: Proposal = if mind.actor.planner == PlannerName::Hierarchical {
            mind.think_in_levels(&model, present, Detail::Brief)?;
            let plan = mind.hierarchy.plans.into_iter().next().flatten();
            plan.map(|plan| plan.proposal).unwrap_or_default()
        } else {
            mind.plan(&model, &present, Detail::Brief)?.0.proposal
        };
        let (actions, energies): (Vec<Vec<f32>>, Vec<f32>) = proposal.candidates.into_iter().unzip();
        let horizon = actions.first().map_or(0, |actions| actions.len() / self.action_len.max(1));
        Ok(Proposed { actions: actions.concat(), energies, horizon })
    }

    /// Actions as predictors take them, time first, once all fit.
    fn futures(
        &self,
        model: &Model,
        latents: &[f32],
        actions: &[f32],
        map: &[f32],
    ) -> Result<(Population, Extent), QuestionError> {
        let predictor = model.predictor();
        let (width, acting, stride) = (predictor.latent(), predictor.action_len(), model.stride());
        let batch = latents.len() / width;
        if batch * width != latents.len() {
            let expected = format!("a multiple of {width}");
            return Err(QuestionError::Shape { what: "the array of latents", found: latents.len(), expected });
        }
        let of_one = actions.len() / batch.max(1);
        if of_one * batch != actions.len() || !of_one.is_multiple_of(acting) || (of_one == 0 && batch > 0) {
            let each = format!("{batch} x {} x a multiple of {stride} control steps", acting / stride);
            return Err(QuestionError::Shape { what: "the array of actions", found: actions.len(), expected: each });
        }
        if map.len() != predictor.map_len() {
            return Err(QuestionError::FloorPlan(predictor.map_len()));
        }
        let steps = of_one / acting;
        let sequence = |step: usize, future: usize| &actions[future * of_one + step * acting..][..acting];
        let time_first = (0..steps).flat_map(|step| (0..batch).flat_map(move |future| sequence(step, future)));
        Ok((Population { actions: time_first.copied().collect(), batch, acting }, Extent { steps, stride }))
    }
}

fn expect(what: &'static str, found: usize, expected: usize) -> Result<(), QuestionError> {
    let wrong = QuestionError::Shape { what, found, expected: expected.to_string() };
    if found == expected { Ok(()) } else { Err(wrong) }
}

fn finite(values: Vec<f32>, what: &str) -> Result<Vec<f32>, QuestionError> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(values);
    }
    Err(ThinkError::Diverged { what: what.to_owned() }.into())
}
