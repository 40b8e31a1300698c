//! One lesson: from what is remembered to a better model, part by part, and nothing that is worse. Read first: [`Lesson::learn`].

use super::{LearnSpec, chronicle::Recalled};
use crate::{
    training::{
        CriticSpec, ForesightSpec, Life, PolicySpec,
        behaviour::{critic_error, fit_critic_from, fit_policy_from, policy_error},
        foresight::{fit_predictor, foresight_error},
    },
    world_model::Model,
};
use forethought_interface::derive_seed;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the learner works on.
pub(crate) struct Lesson {
    /// What the agent lives with.
    pub(crate) present: Arc<Model>,
    /// What it began with.
    pub(crate) original: Arc<Model>,
    pub(crate) recalled: Recalled,
    /// The drives that the moments' costs are of, by name.
    pub(crate) drives: Vec<String>,
    /// How near the critic keeps to the best of what is remembered; see [`CriticSpec::optimism`].
    pub(crate) optimism: f32,
    pub(crate) spec: LearnSpec,
    pub(crate) seed: u64,
}

/// Errors of one part of the model on what was held out, and what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Of the part that the agent lives with.
    pub before: f32,
    /// Of the one that was learnt.
    pub after: f32,
    /// Of the one that it began with: what is learnt should stay below it.
    pub original: Option<f32>,
    /// True where the new one is taken up, false where all stays as it was.
    pub taken_up: bool,
}

/// What a lesson came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learnt {
    /// The model with all parts that were taken up; none where there was none.
    pub(crate) model: Option<Model>,
    pub(crate) prediction: Option<Verdict>,
    pub(crate) critic: Option<Verdict>,
    pub(crate) policy: Option<Verdict>,
    /// Moments that were learnt from, and those that were measured on.
    pub(crate) moments: [usize; 2],
    /// Why the predictor could not learn, if it could not.
    pub(crate) problem: Option<String>,
}

impl Lesson {
    /// Learn, on the current rayon pool; the result does not depend on it.
    pub(crate) fn learn(&self) -> Learnt {
        let count = |lives: &[Life]| lives.iter().map(Vec::len).sum();
        let Recalled { learnt, held } = &self.recalled;
        let mut result = Learnt { moments: [count(learnt), count(held)], ..Learnt::default() };
        let mut model = Model::clone(&self.present);
        if self.spec.updates > 0 {
            match self.predictor() {
                Ok(candidate) => {
                    let unroll = self.spec.unroll as usize;
                    let measure = |model: &Model| foresight_error(model, held, unroll);
                    result.prediction = self.judge(&mut model, candidate, &measure);
                }
                Err(problem) => result.problem = Some(problem),
            }
        }
        if self.spec.behaviour_updates > 0 {
            if let Some(candidate) = self.with_critic(&model) {
                let measure = |model: &Model| critic_error(model.critic()?, held, model.stride());
                result.critic = self.judge(&mut model, candidate, &measure);
            }
            if let Some(candidate) = self.with_policy(&model) {
                result.policy = self.judge(&mut model, candidate, &|model| policy_error(model.policy()?, held));
            }
        }
        let verdicts = [&result.prediction, &result.critic, &result.policy];
        if verdicts.iter().any(|verdict| verdict.is_some_and(|verdict| verdict.taken_up)) {
            result.model = Some(model);
        }
        result
    }

    fn predictor(&self) -> Result<Model, String> {
        let LearnSpec { updates, batch, unroll, learning_rate, .. } = self.spec;
        let spec = ForesightSpec {
            updates,
            batch: batch as usize,
            unroll: unroll as usize,
            learning_rate,
            ..ForesightSpec::default()
        };
        fit_predictor(&self.recalled.learnt, &self.present, &spec, self.seed, &mut |_| ())
            .map_err(|error| error.to_string())
    }

    /// The model with a critic that has learnt on; none without one, or where it is of other drives than the agent has.
    fn with_critic(&self, model: &Model) -> Option<Model> {
        let critic = model.critic().filter(|critic| critic.card().drives == self.drives)?;
        let spec = CriticSpec {
            hidden: critic.card().hidden.clone(),
            discount: critic.card().discount,
            updates: self.spec.behaviour_updates,
            learning_rate: self.spec.behaviour_learning_rate,
            optimism: self.optimism,
        };
        let learnt = &self.recalled.learnt;
        let seed = derive_seed(self.seed, "critic", 0);
        let critic = fit_critic_from(critic, learnt, model, &spec, seed)?;
        Some(model.with_behaviour(Some(Arc::new(critic)), model.policy().cloned()))
    }

    /// The same with a policy.
    fn with_policy(&self, model: &Model) -> Option<Model> {
        let policy = model.policy()?;
        let spec = PolicySpec {
            hidden: policy.card().hidden.clone(),
            updates: self.spec.behaviour_updates,
            learning_rate: self.spec.behaviour_learning_rate,
        };
        let seed = derive_seed(self.seed, "policy", 0);
        let policy = fit_policy_from(policy, &self.recalled.learnt, model.stride(), &spec, seed)?;
        Some(model.with_behaviour(model.critic().cloned(), Some(Arc::new(policy))))
    }

    /// Take `candidate` up in place of `model`, unless it does worse on what was held out. None where that cannot be measured: all
    /// then stays as it is.
    fn judge(&self, model: &mut Model, candidate: Model, measure: &dyn Fn(&Model) -> Option<f32>) -> Option<Verdict> {
        let (before, after) = (measure(model)?, measure(&candidate)?);
        let taken_up = after.is_finite() && (after <= before || !before.is_finite());
        if taken_up {
            *model = candidate;
        }
        Some(Verdict { before, after, original: measure(&self.original), taken_up })
    }
}
