//! One control step of the mind, as a paragraph. Read first: [`Mind`].

use crate::{
    actor::{
        ActorSpec,
        exploration::{ExplorationSpec, Walk},
        planners::{self, Imagination, PlannerName, Proposal, Starts},
    },
    cost::{IntrinsicCost, drives::DriveSpec},
    world_model::Model,
};
use forethought_interface::{Action, Detail, Observation, ObservationLayout, Rollout, Think, ThinkError, Thought};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

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
    /// Without a drive there is nothing to plan for.
    #[error("the `{actor}` actor has nothing to plan for: give the agent a drive, such as `Reach(target: \"goal\")`")]
    NoDrive {
        /// The planner's name.
        actor: &'static str,
    },
}

/// The mind of one agent: observation in, action out.
#[derive(Debug, Clone)]
pub struct Mind {
    model: Option<Arc<Model>>,
    actor: ActorSpec,
    cost: IntrinsicCost,
    exploration: ExplorationSpec,
    action_len: usize,
    rng: ChaCha8Rng,
    walk: Walk,
    plan: Option<Plan>,
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
            let stride = model.stride();
            if !(actor.horizon as usize).is_multiple_of(stride) {
                return Err(MindError::Horizon { horizon: actor.horizon, stride });
            }
            if drives.is_empty() {
                return Err(MindError::NoDrive { actor: planner.as_str() });
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let walk = Walk::new(exploration, action_len, &mut rng);
        Ok(Self {
            model,
            actor: actor.clone(),
            cost: IntrinsicCost::new(drives),
            exploration: exploration.clone(),
            action_len,
            rng,
            walk,
            plan: None,
        })
    }

    /// Plan anew from what is sensed.
    fn plan(
        &mut self,
        model: &Model,
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<(Plan, u64), ThinkError> {
        let perception = &model.card().perception;
        let latent = model.encode(&perception.perceive(observation)?);
        let goal = match goal {
            Some(goal) => model.encode(&perception.perceive(goal)?),
            None if self.cost.needs_goal() => return Err(ThinkError::NoGoal { drive: "Reach".into() }),
            None => vec![],
        };
        if latent.iter().chain(&goal).any(|value| !value.is_finite()) {
            return Err(ThinkError::Diverged { what: "the latent of the observation".into() });
        }
        let horizon = self.actor.horizon as usize;
        let mut imagination = Imagination {
            predictor: model.predictor(),
            cost: &self.cost,
            latent: &latent,
            goal: &goal,
            steps: horizon / model.stride(),
            stride: model.stride(),
            evaluations: 0,
        };
        let last =
            self.plan.as_ref().map_or(&[][..], |plan| &plan.proposal.candidates[0].0[plan.done * self.action_len..]);
        let mut starts = Starts { exploration: &self.exploration, action_len: self.action_len, horizon, warm: last };
        let proposal = planners::plan(&self.actor, &mut imagination, &mut starts, &mut self.rng).unwrap_or_default();
        let evaluations = imagination.evaluations;
        if !proposal.candidates.first().is_some_and(|best| best.1.is_finite()) {
            return Err(ThinkError::Diverged { what: "the energy of every imagined future".into() });
        }
        let rollouts = match detail {
            Detail::Brief => vec![],
            Detail::Full => proposal.candidates.iter().map(|(a, energy)| picture(model, &latent, a, *energy)).collect(),
        };
        Ok((Plan { proposal, rollouts, done: 0 }, evaluations))
    }
}

/// An imagined future as positions, the present first.
fn picture(model: &Model, latent: &[f32], actions: &[f32], energy: f32) -> Rollout {
    let readout = &model.card().readout;
    let imagined = model.predictor().imagine(latent, actions);
    let latents = std::iter::once(latent).chain(imagined.chunks_exact(latent.len()));
    let stride = u32::try_from(model.stride()).unwrap_or(u32::MAX);
    Rollout { positions_m: latents.map(|latent| readout.position_m(latent)).collect(), stride, energy }
}

impl Think for Mind {
    fn begin(&mut self, seed: u64) {
        self.rng = ChaCha8Rng::seed_from_u64(seed);
        self.walk = Walk::new(&self.exploration, self.action_len, &mut self.rng);
        self.plan = None;
    }

    fn think(
        &mut self,
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<Thought, ThinkError> {
        let model = match &self.model {
            Some(model) if self.actor.planner != PlannerName::Random => model.clone(),
            _ => {
                let mut values = Vec::with_capacity(self.action_len);
                self.walk.next_into(&mut self.rng, &mut values);
                return Ok(Thought { action: Action { values }, ..Thought::default() });
            }
        };
        let fresh = self.plan.as_ref().is_none_or(|plan| plan.done >= self.actor.replan_every as usize);
        let mut model_evaluations = 0;
        if fresh {
            let (plan, evaluations) = self.plan(&model, observation, goal, detail)?;
            (self.plan, model_evaluations) = (Some(plan), evaluations);
        }
        let Some(plan) = &mut self.plan else { return Ok(Thought::default()) };
        let (actions, energy) = &plan.proposal.candidates[0];
        let step = plan.done * self.action_len;
        let values = actions[step..step + self.action_len].to_vec();
        plan.done += 1;
        Ok(Thought {
            action: Action { values },
            planned: fresh,
            rollouts: if detail == Detail::Full { plan.rollouts.clone() } else { vec![] },
            energy_by_iteration: plan.proposal.energy_by_iteration.clone(),
            energy: *energy,
            model_evaluations,
        })
    }
}
