//! Learning which task is worth it when, from lives in which tasks were tried. Read first: [`LearnedConfiguratorSpec`] and
//! [`learn_tasks`].

use super::behaviour::{HELD_OUT, RENEW_EVERY, ROWS, SHARDS, calibration};
use crate::{
    configurator::{Learned, LearnedCard, TaskCalibration},
    network::{Batch, Mlp, Regression},
    world_model::{Model, encoder::Encoder},
};
use forethought_interface::derive_seed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How an agent learns which of its tasks to be at, so that its whole life costs least: it tries them in worlds of training, with
/// the critic and the policy that it then has, and learns what taking up each costs (intra-option Q-learning; Sutton, Precup &
/// Singh, 1999). What counts is what its own drives but `Reach` cost, as they weigh without any task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LearnedConfiguratorSpec {
    /// Rounds of living and learning: in the first tasks are taken up at random, in later ones mostly as learnt so far.
    pub rounds: u32,
    /// Lives in each round, each in a world of its own, as long as those of the rest of practice; all rounds' are learnt from.
    pub lives: u32,
    /// The share of the time, in the second and later rounds, that is spent on tasks taken up at random.
    pub explore: f32,
    /// Hidden layers of its network.
    pub hidden: Vec<usize>,
    /// What a cost counts one prediction later.
    pub discount: f32,
    /// For how many control steps, on average, a task is on once it is taken up, as far as expectations go and where it is
    /// tried at random. The longer, the more difference it makes which one it is; a better one may end it at any decision.
    pub lasts: u32,
    /// Control steps between two decisions.
    pub decide_every: u32,
    /// Another task is taken up only where it is expected to cost less by this share, so that it does not flutter.
    pub hysteresis: f32,
    /// Gradient updates in each round, of 1,024 moments each.
    pub updates: u32,
    /// AdamW's highest learning rate; it falls to zero along a cosine.
    pub learning_rate: f32,
}

impl Default for LearnedConfiguratorSpec {
    fn default() -> Self {
        Self {
            rounds: 3,
            lives: 100,
            explore: 0.3,
            hidden: vec![64, 64],
            discount: 0.97,
            lasts: 40,
            decide_every: 10,
            hysteresis: 0.02,
            updates: 3000,
            learning_rate: 1e-3,
        }
    }
}

/// A control step of a life in which tasks are tried.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskMoment {
    /// What there was to decide by: the state of the world as perceived, whatever the task ignores, and how familiar its place
    /// is, 0 without the drive `Novelty`: `[latent + 1]`.
    pub signs: Vec<f32>,
    /// The task that the agent was then at, counted from 0.
    pub task: usize,
    /// What the moment cost: the agent's own drives but `Reach`, weighed without any task.
    pub cost: f32,
}

/// Learn a configurator for these tasks from lives, oldest first, that were led with `model`, those from `latest` on in the latest
/// round: the same model, with it. None where there is nothing to learn from. `on_update` hears of every update done.
///
/// The work is spread over the current rayon pool; the result does not depend on it.
#[must_use]
pub fn learn_tasks(
    model: &Model,
    lives: &[Vec<TaskMoment>],
    latest: usize,
    tasks: &[String],
    spec: &LearnedConfiguratorSpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Option<Model> {
    let learned = fit(&Tried::of(lives, model.stride()), tasks, spec, seed, on_update)?;
    Some(model.with_configurator(Some(Arc::new(measured(learned, lives, latest, model.stride())))))
}

/// Every tenth life is kept from learning, to measure on.
fn held_out(index: usize) -> bool {
    index % HELD_OUT == HELD_OUT - 1
}

/// Lives as the learner reads them.
struct Tried<'a> {
    lives: &'a [Vec<TaskMoment>],
    stride: usize,
    /// The moments to learn from, by life and number: those at whose task the agent was for a whole prediction from there on.
    /// As it would have been whatever came of it, but for decisions within the prediction.
    moments: Vec<(usize, usize)>,
    /// The mean and the standard deviation of all that they cost: units that suit a network.
    usual: (f32, f32),
}

impl<'a> Tried<'a> {
    fn of(lives: &'a [Vec<TaskMoment>], stride: usize) -> Self {
        let mut moments = Vec::new();
        for (index, life) in lives.iter().enumerate() {
            // With a handful of lives none can be spared.
            if held_out(index) && lives.len() > HELD_OUT {
                continue;
            }
            let goes_on = |at: &usize| life[*at..at + stride].iter().all(|moment| moment.task == life[*at].task);
            let whole = (0..life.len().saturating_sub(stride)).filter(goes_on);
            moments.extend(whole.map(|at| (index, at)));
        }
        let costs = || moments.iter().map(|(life, at)| f64::from(lives[*life][*at].cost));
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 moments")]
        let count = moments.len().max(1) as f64;
        let mean = costs().sum::<f64>() / count;
        let spread = costs().map(|cost| (cost - mean).powi(2)).sum::<f64>() / count;
        #[expect(clippy::cast_possible_truncation, reason = "costs are single precision")]
        let usual = (mean as f32, spread.sqrt().max(1e-6) as f32);
        Self { lives, stride, moments, usual }
    }

    /// The mean cost of the control steps of the prediction that begins at `at`.
    #[expect(clippy::cast_precision_loss, reason = "a prediction spans few control steps")]
    fn cost(life: &[TaskMoment], at: usize, stride: usize) -> f32 {
        life[at + 1..=at + stride].iter().map(|moment| moment.cost).sum::<f32>() / stride as f32
    }

    /// Moments, what each cost at the task that the agent was at, and what is known of the time after it: the task goes on, or
    /// ends with the chance `ends`, and the best one follows.
    fn batch(&self, known: &Encoder, tasks: usize, ends: f32, discount: f32, seed: u64) -> Batch {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut inputs, mut next, mut rows) = (Vec::new(), Vec::new(), Vec::with_capacity(ROWS));
        let (mean, deviation) = self.usual;
        for _ in 0..ROWS {
            let (index, at) = self.moments[rng.gen_range(0..self.moments.len())];
            let life = &self.lives[index];
            inputs.extend_from_slice(&life[at].signs);
            next.extend_from_slice(&life[at + self.stride].signs);
            rows.push((life[at].task, (Self::cost(life, at, self.stride) - mean) / deviation));
        }
        let later = known.forward(&next, false).0;
        // Nothing is known of the tasks that it was not at.
        let mut targets = vec![f32::NAN; ROWS * tasks];
        for ((row, later), (task, cost)) in targets.chunks_exact_mut(tasks).zip(later.chunks_exact(tasks)).zip(rows) {
            let best = later.iter().copied().fold(f32::INFINITY, f32::min);
            let later = (1.0 - ends) * later[task] + ends * best;
            row[task] = (1.0 - discount) * cost + discount * later;
        }
        Batch { inputs, targets }
    }
}

/// Learn what tasks cost by temporal differences. The estimates of what follows are held still between renewals.
fn fit(
    tried: &Tried,
    tasks: &[String],
    spec: &LearnedConfiguratorSpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Option<Learned> {
    let (first, _) = tried.moments.first()?;
    let inputs = tried.lives[*first].first()?.signs.len();
    let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(seed, "configurator", 0));
    let mlp = Mlp::random(inputs, &spec.hidden, tasks.len(), 0.1, &mut rng);
    let mut fit = Regression::new(mlp, spec.updates, spec.learning_rate);
    let mut known = Encoder::new(fit.mlp.clone());
    #[expect(clippy::cast_precision_loss, reason = "a task lasts far fewer than 2^24 control steps")]
    let ends = (tried.stride as f32 / spec.lasts.max(1) as f32).min(1.0);
    for update in 0..spec.updates {
        if update.is_multiple_of(RENEW_EVERY) {
            known = Encoder::new(fit.mlp.clone());
        }
        let batch = |shard| {
            let seed = derive_seed(seed, "configurator.batch", u64::from(update) * SHARDS + shard);
            tried.batch(&known, tasks.len(), ends, spec.discount, seed)
        };
        fit.step((0..SHARDS).into_par_iter().map(batch).collect(), 0.5);
        on_update(update + 1);
    }
    let card = LearnedCard {
        tasks: tasks.to_vec(),
        hidden: spec.hidden.clone(),
        discount: spec.discount,
        lasts: spec.lasts,
        decide_every: spec.decide_every.max(1),
        hysteresis: spec.hysteresis,
        lives: tried.lives.len(),
        calibration: vec![],
    };
    Some(Learned::new(card, in_units_of(fit.mlp, tried.usual)))
}

/// The same network, telling costs as they are.
fn in_units_of(mut mlp: Mlp, (mean, deviation): (f32, f32)) -> Mlp {
    if let Some(last) = mlp.layers.last_mut() {
        last.weight.iter_mut().for_each(|weight| *weight *= deviation);
        last.bias.iter_mut().for_each(|bias| *bias = *bias * deviation + mean);
    }
    mlp
}

/// The same, with how well it agrees with what came in the lives of the latest round that were kept from learning.
fn measured(mut learned: Learned, lives: &[Vec<TaskMoment>], latest: usize, stride: usize) -> Learned {
    let discount = learned.card.discount;
    // Until what is left out counts less than a twentieth.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred predictions")]
    let reach = (0.05_f32.ln() / discount.max(1e-3).ln()).ceil() as usize * stride;
    let mut told = vec![vec![]; learned.card.tasks.len()];
    for (_, life) in lives.iter().enumerate().skip(latest).filter(|(index, _)| held_out(*index)) {
        for begin in (0..life.len().saturating_sub(reach + 1)).step_by(7) {
            let (mut came, mut share) = (0.0, 1.0 - discount);
            for at in (begin..begin + reach).step_by(stride) {
                came += share * Tried::cost(life, at, stride);
                share *= discount;
            }
            let task = life[begin].task;
            told[task].push([learned.expected(&life[begin].signs)[task], came]);
        }
    }
    let of = |(task, told): (&String, Vec<[f32; 2]>)| {
        let measured = calibration(task.clone(), told);
        TaskCalibration { task: measured.drive, states: measured.states, r2: measured.r2, bias: measured.bias }
    };
    let looked_at = learned.card.tasks.iter().zip(told).filter(|(_, told)| !told.is_empty());
    learned.card.calibration = looked_at.map(of).collect();
    learned
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRIDE: usize = 2;

    /// Somebody on a line from -1 to 1 who goes left at one task, right at another, and stays at the third. It costs to be away
    /// from 0.6.
    fn lives(count: u64, at_random: bool) -> Vec<Vec<TaskMoment>> {
        let life = |index| {
            let mut rng = ChaCha8Rng::seed_from_u64(index);
            let (mut place, mut task) = (rng.gen_range(-1.0..1.0_f32), 0);
            let moment = |now: u32| {
                if now.is_multiple_of(10) && at_random {
                    task = rng.gen_range(0..3);
                }
                let was = place;
                place = (place + [-0.02, 0.02, 0.0][task]).clamp(-1.0, 1.0);
                TaskMoment { signs: vec![was, was * was], task, cost: 5.0 + 20.0 * (was - 0.6).abs() }
            };
            (0..200).map(moment).collect()
        };
        (0..count).map(life).collect()
    }

    fn tasks() -> Vec<String> {
        ["left", "right", "stay"].map(str::to_owned).to_vec()
    }

    fn spec(updates: u32) -> LearnedConfiguratorSpec {
        LearnedConfiguratorSpec {
            hidden: vec![32, 32],
            discount: 0.9,
            lasts: 20,
            updates,
            learning_rate: 3e-3,
            ..LearnedConfiguratorSpec::default()
        }
    }

    fn best(learned: &Learned, place: f32) -> usize {
        let expected = learned.expected(&[place, place * place]);
        (0..3).min_by(|a, b| expected[*a].total_cmp(&expected[*b])).unwrap()
    }

    /// Of places well away from the best one, the share where the way there is found.
    fn found(learned: &Learned) -> f32 {
        let places: Vec<f32> = (0..40_u8).map(|i| f32::from(i) / 20.0 - 0.975).collect();
        let away = places.iter().filter(|place| (**place - 0.6).abs() > 0.15);
        let right = away.clone().filter(|place| best(learned, **place) == usize::from(**place < 0.6));
        right.count() as f32 / away.count() as f32
    }

    #[test]
    fn the_right_task_is_found_where_there_is_something_to_learn_from() {
        let tried = lives(60, true);
        let mut heard = 0;
        let learned = fit(&Tried::of(&tried, STRIDE), &tasks(), &spec(600), 3, &mut |update| heard = update).unwrap();
        assert!(found(&learned) > 0.95 && heard == 600, "{}", found(&learned));
        // Where it is best to be it stays.
        assert_eq!(best(&learned, 0.6), 2);
        let measured = measured(learned, &tried, 20, STRIDE);
        let calibration = &measured.card.calibration;
        assert!(calibration.len() == 3 && calibration.iter().all(|task| task.r2 > 0.8), "{calibration:?}");

        let untrained = fit(&Tried::of(&tried, STRIDE), &tasks(), &spec(0), 3, &mut |_| ()).unwrap();
        assert!(found(&untrained) < 0.75, "{}", found(&untrained));
        // Who was never at another task knows nothing of it.
        let one = lives(60, false);
        let ignorant = fit(&Tried::of(&one, STRIDE), &tasks(), &spec(600), 3, &mut |_| ()).unwrap();
        assert!(found(&ignorant) < 0.75, "{}", found(&ignorant));
        assert!(fit(&Tried::of(&[], STRIDE), &tasks(), &spec(1), 3, &mut |_| ()).is_none());
    }

    #[test]
    fn costs_are_told_as_they_are() {
        // Staying, it goes on to cost what it does.
        let mut lives = lives(40, true);
        lives.iter_mut().flatten().for_each(|moment| moment.cost = 7.0);
        let learned = fit(&Tried::of(&lives, STRIDE), &tasks(), &spec(200), 3, &mut |_| ()).unwrap();
        assert!(learned.expected(&[0.2, 0.04]).iter().all(|cost| (cost - 7.0).abs() < 0.01));
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let lives = lives(20, true);
        let learnt = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(&Tried::of(&lives, STRIDE), &tasks(), &spec(30), 3, &mut |_| ()).unwrap())
        };
        assert_eq!(learnt(1), learnt(3));
    }
}
