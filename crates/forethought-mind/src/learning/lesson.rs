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

/// Errors of one part of the model on what was held out, the mean over lives, which weigh as long as they are, and what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Of the part that the agent lives with.
    pub before: f32,
    /// Of the one that was learnt.
    pub after: f32,
    /// Of the one that it began with: what is learnt should stay below it.
    pub original: f32,
    /// True where the new one is clearly better and is taken up, false where it is rolled back.
    pub taken_up: bool,
    /// True where the one that it began with is clearly better than what it would live with, and is taken back.
    pub returned: bool,
}

/// Lives below which no difference is clear.
const ENOUGH: usize = 3;
/// How often the predictor sees each moment at most: a short memory is soon learnt by heart.
const TIMES: usize = 40;

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
                    let measure = |model: &Model, life: &[Life]| foresight_error(model, life, unroll);
                    let original = Model { predictor: self.original.predictor.clone(), ..model.clone() };
                    result.prediction = self.judge(&mut model, [candidate, original], &measure);
                }
                Err(problem) => result.problem = Some(problem),
            }
        }
        if self.spec.behaviour_updates > 0 {
            if let Some(candidate) = self.with_critic(&model) {
                let measure = |model: &Model, life: &[Life]| critic_error(model.critic()?, life, model.stride());
                let original = model.with_behaviour(self.original.critic().cloned(), model.policy().cloned());
                result.critic = self.judge(&mut model, [candidate, original], &measure);
            }
            if let Some(candidate) = self.with_policy(&model) {
                let measure = |model: &Model, life: &[Life]| policy_error(model.policy()?, life);
                let original = model.with_behaviour(model.critic().cloned(), self.original.policy().cloned());
                result.policy = self.judge(&mut model, [candidate, original], &measure);
            }
        }
        let verdicts = [&result.prediction, &result.critic, &result.policy];
        if verdicts.iter().any(|verdict| verdict.is_some_and(|verdict| verdict.changes())) {
            result.model = Some(model);
        }
        result
    }

    fn predictor(&self) -> Result<Model, String> {
        let LearnSpec { batch, unroll, learning_rate, .. } = self.spec;
        let moments: usize = self.recalled.learnt.iter().map(Vec::len).sum();
        let most = (TIMES * moments / (batch as usize).max(1)).max(1);
        let updates = self.spec.updates.min(u32::try_from(most).unwrap_or(u32::MAX));
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

    /// Take the candidate up in place of `model` where it is clearly better on the lives that were held out; or else take back
    /// the original where that is. None where it cannot be measured: all then stays as it is.
    fn judge(
        &self,
        model: &mut Model,
        [candidate, original]: [Model; 2],
        measure: &dyn Fn(&Model, &[Life]) -> Option<f32>,
    ) -> Option<Verdict> {
        let errors = self.recalled.held.iter().filter_map(|life| {
            let alone = std::slice::from_ref(life);
            let errors = [measure(model, alone)?, measure(&candidate, alone)?, measure(&original, alone)?];
            #[expect(clippy::cast_precision_loss, reason = "a chapter has few moments")]
            Some((life.len() as f32, errors))
        });
        let errors: Vec<(f32, [f32; 3])> = errors.collect();
        let margin = self.spec.margin;
        let taken_up = clearly_below(&errors, 1, 0, margin);
        let returned = clearly_below(&errors, 2, if taken_up { 1 } else { 0 }, margin);
        if returned {
            *model = original;
        } else if taken_up {
            *model = candidate;
        }
        let of = |which: usize| mean(errors.iter().map(|(weight, errors)| (*weight, errors[which])));
        Some(Verdict { before: of(0)?, after: of(1)?, original: of(2)?, taken_up, returned })
    }
}

impl Verdict {
    /// Whether the part is another one now.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.taken_up || self.returned
    }
}

/// Whether one error is below another by more than chance explains: the paired test of two means over lives, which weigh as
/// long as they are.
fn clearly_below(errors: &[(f32, [f32; 3])], one: usize, other: usize, margin: f32) -> bool {
    let gains = || errors.iter().map(|(weight, errors)| (*weight, errors[other] - errors[one]));
    let Some(gain) = mean(gains()).filter(|_| errors.len() >= ENOUGH) else { return false };
    #[expect(clippy::cast_precision_loss, reason = "few lives")]
    let spread = errors.len() as f32 / (errors.len() - 1) as f32;
    let all: f32 = errors.iter().map(|(weight, _)| weight).sum();
    let squares: f32 = gains().map(|(weight, each)| (weight / all * (each - gain)).powi(2)).sum();
    gain > 0.0 && gain >= margin * (spread * squares).sqrt()
}

/// The mean of values with their weights.
fn mean(values: impl Iterator<Item = (f32, f32)>) -> Option<f32> {
    let (all, sum) = values.fold((0.0, 0.0), |(all, sum), (weight, value)| (all + weight, sum + weight * value));
    (all > 0.0).then(|| sum / all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        memory::Moment,
        network::Mlp,
        training::{Experience, TrainContext, TrainOutcome, TrainingSpec, Trajectory, train},
        world_model::{WorldModelSpec, latent_variable::Variants},
    };
    use forethought_interface::{Channel, ObservationLayout};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use std::ops::ControlFlow;

    /// States and actions: each action is added to the state, times `speed`.
    fn walk(speed: f32, seed: u64) -> Vec<([f32; 2], [f32; 2])> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut state = [0.0_f32; 2];
        let mut step = |_| {
            let (before, action) = (state, [rng.gen_range(-1.0..1.0), rng.gen_range(-1.0..1.0)]);
            state.iter_mut().zip(action).for_each(|(value, action)| *value += speed * action);
            (before, action)
        };
        (0..40).map(&mut step).collect()
    }

    fn lives(speed: f32, seeds: std::ops::Range<u64>) -> Vec<Life> {
        let moment = |(latent, action): ([f32; 2], [f32; 2])| Moment {
            latent: latent.to_vec(),
            action: action.to_vec(),
            ..Moment::default()
        };
        seeds.map(|seed| walk(speed, seed).into_iter().map(moment).collect()).collect()
    }

    /// A model of latents of two values that has hardly been trained.
    fn ignorant() -> Model {
        let trajectory = |seed| Trajectory {
            observations: walk(0.5, seed).iter().flat_map(|(state, _)| *state).collect(),
            actions: walk(0.5, seed).iter().take(39).flat_map(|(_, action)| *action).collect(),
            positions_m: vec![[0.0; 2]; 40],
            ..Trajectory::default()
        };
        let channel = Channel { name: "position".into(), shape: vec![2] };
        let experience = Experience {
            layout: ObservationLayout { channels: vec![channel] },
            recalls: vec![],
            action_len: 2,
            arena_m: [1.0, 1.0],
            episodes: (0..4).map(trajectory).collect(),
        };
        let hidden = vec![16];
        let world_model = WorldModelSpec {
            latent: 2,
            stride: 1,
            encoder_hidden: hidden.clone(),
            predictor_hidden: hidden,
            ..WorldModelSpec::default()
        };
        let spec = TrainingSpec { updates: 1, batch: 8, unroll: 4, world_model, ..TrainingSpec::default() };
        let context = TrainContext { scenario: "walk".into(), scenario_hash: 1, seed: 1, jobs: 1 };
        match train(&experience, &spec, &context, None, &mut |_| ControlFlow::Continue(())).unwrap() {
            TrainOutcome::Finished(model) => *model,
            TrainOutcome::Stopped(_) => unreachable!("nobody stopped it"),
        }
    }

    fn lesson(present: Model, learnt: Vec<Life>, held: Vec<Life>) -> Lesson {
        let spec = LearnSpec { updates: 600, unroll: 4, batch: 8, learning_rate: 1e-2, ..LearnSpec::default() };
        let present = Arc::new(present);
        let recalled = Recalled { learnt, held };
        Lesson { original: present.clone(), present, recalled, drives: vec![], optimism: 0.7, spec, seed: 5 }
    }

    #[test]
    fn what_helps_is_taken_up_and_what_harms_is_rolled_back() {
        let began = ignorant();
        let learnt = lesson(began.clone(), lives(0.5, 0..8), lives(0.5, 8..13)).learn();
        let verdict = learnt.prediction.unwrap();
        assert!(verdict.taken_up && verdict.after < 0.05 * verdict.before, "{verdict:?}");
        assert_eq!((verdict.original, learnt.moments), (verdict.before, [320, 200]));
        let able = learnt.model.unwrap();
        assert_eq!(able.card, began.card);

        // It remembers a world that goes backwards, and is measured in the one that is there.
        let misled = lesson(able.clone(), lives(-0.5, 0..8), lives(0.5, 8..13)).learn();
        let verdict = misled.prediction.unwrap();
        assert!(!verdict.taken_up && misled.model.is_none() && verdict.after > 10.0 * verdict.before, "{verdict:?}");
        let short = lesson(able.clone(), vec![lives(0.5, 0..1)[0][..3].to_vec()], lives(0.5, 8..13)).learn();
        assert!(short.model.is_none() && short.problem.unwrap().contains("live longer"));
        let unmeasured = lesson(able, lives(0.5, 0..8), vec![]).learn();
        assert!(unmeasured.model.is_none() && unmeasured.prediction.is_none());
    }

    #[test]
    fn a_poisoned_candidate_changes_nothing() {
        let began = ignorant();
        let lesson = lesson(began.clone(), vec![], lives(0.5, 0..6));
        for scale in [50.0, f32::NAN] {
            let mut poisoned = began.clone();
            let mlp = Mlp::random(4, &[16], 2, scale, &mut ChaCha8Rng::seed_from_u64(7));
            poisoned.predictor = Variants::new(mlp, 2, 0, None);
            let mut model = began.clone();
            let measure = |model: &Model, life: &[Life]| foresight_error(model, life, 4);
            let verdict = lesson.judge(&mut model, [poisoned.clone(), began.clone()], &measure).unwrap();
            assert!(!verdict.changes() && model == began, "{verdict:?}");
            // Where it is lived with already, the way back is to what was before.
            let mut model = poisoned.clone();
            let verdict = lesson.judge(&mut model, [poisoned, began.clone()], &measure).unwrap();
            assert_eq!((verdict.taken_up, verdict.returned), (false, scale.is_finite()), "{verdict:?}");
        }
    }
}
