//! One control step of the mind, as a paragraph. Read first: [`Mind`].

use crate::{
    actor::{
        ActorSpec,
        exploration::{ExplorationSpec, Walk},
        hierarchy::{Hierarchy, Means},
        planners::{self, Imagination, PlannerName, Proposal, Starts},
    },
    cost::{IntrinsicCost, drives::DriveSpec},
    world_model::{Model, predictor::Predictor},
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
    hierarchy: Hierarchy,
}

/// What a mind perceives at a control step.
struct Present {
    latent: Vec<f32>,
    goal: Vec<f32>,
    map: Vec<f32>,
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
            if planner == PlannerName::Hierarchical {
                if model.levels().is_empty() {
                    return Err(MindError::NoLevels);
                }
            } else if !(actor.horizon as usize).is_multiple_of(stride) {
                return Err(MindError::Horizon { horizon: actor.horizon, stride });
            }
            if model.clearance().is_none() && drives.iter().any(|drive| matches!(drive, DriveSpec::KeepClear(_))) {
                return Err(MindError::NoClearance);
            }
            if drives.is_empty() {
                return Err(MindError::NoDrive { actor: planner.as_str() });
            }
        }
        let clearance = model.as_ref().and_then(|model| model.clearance().cloned());
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let walk = Walk::new(exploration, action_len, &mut rng);
        Ok(Self {
            model,
            actor: actor.clone(),
            cost: IntrinsicCost::new(drives, clearance),
            exploration: exploration.clone(),
            action_len,
            rng,
            walk,
            plan: None,
            hierarchy: Hierarchy::default(),
        })
    }

    /// The latents of what is sensed and of the goal, and the floor plan.
    fn perceive(
        &self,
        model: &Model,
        observation: &Observation,
        goal: Option<&Observation>,
    ) -> Result<Present, ThinkError> {
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
        Ok(Present { latent, goal, map: perception.map(observation).to_vec() })
    }

    /// One control step of hierarchical planning.
    fn think_in_levels(
        &mut self,
        model: &Model,
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<Thought, ThinkError> {
        let Present { latent, goal, map } = self.perceive(model, observation, goal)?;
        self.hierarchy.remember(model, latent);
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
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<(Plan, u64), ThinkError> {
        let Present { latent, goal, map } = self.perceive(model, observation, goal)?;
        let horizon = self.actor.horizon as usize;
        let mut imagination = Imagination {
            predictor: model.predictor(),
            under: model.predictors(),
            uncertainty: self.actor.uncertainty,
            cost: &self.cost,
            subgoals: None,
            latent: &latent,
            goal: &goal,
            map: &map,
            steps: horizon / model.stride(),
            stride: model.stride(),
            range: &[],
            evaluations: 0,
        };
        let last =
            self.plan.as_ref().map_or(&[][..], |plan| &plan.proposal.candidates[0].0[plan.done * self.action_len..]);
        let mut starts = Starts {
            exploration: &self.exploration,
            action_len: self.action_len,
            horizon,
            levels: &[],
            warm: last,
            given: vec![],
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
                candidates.flat_map(|(a, energy)| pictures(model, &latent, &map, a, *energy)).collect()
            }
        };
        Ok((Plan { proposal, rollouts, done: 0 }, evaluations))
    }
}

/// An imagined future as positions, the present first, under each value of the latent variable.
fn pictures(model: &Model, latent: &[f32], map: &[f32], actions: &[f32], energy: f32) -> Vec<Rollout> {
    let readout = &model.card().readout;
    let stride = u32::try_from(model.stride()).unwrap_or(u32::MAX);
    let picture = |predictor: &Arc<Predictor>| {
        let imagined = predictor.imagine(latent, actions, map);
        let latents = std::iter::once(latent).chain(imagined.chunks_exact(latent.len()));
        Rollout { positions_m: latents.map(|latent| readout.position_m(latent)).collect(), stride, energy }
    };
    model.predictors().iter().map(picture).collect()
}

impl Think for Mind {
    fn begin(&mut self, seed: u64) {
        self.rng = ChaCha8Rng::seed_from_u64(seed);
        self.walk = Walk::new(&self.exploration, self.action_len, &mut self.rng);
        self.plan = None;
        self.hierarchy = Hierarchy::default();
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
        if self.actor.planner == PlannerName::Hierarchical {
            return self.think_in_levels(&model, observation, goal, detail);
        }
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
            subgoals: vec![],
        })
    }
}
