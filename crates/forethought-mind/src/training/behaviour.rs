//! Learning from lives: the critic from what states did cost, the policy from what Mode-2 planned. Read first:
//! [`PracticeSpec`], `fit_critic` and `fit_policy`.

use super::ForesightSpec;
use crate::{
    actor::{
        ActorSpec,
        policy::{Policy, PolicyCard},
    },
    cost::{
        critic::{Calibration, Critic, CriticCard},
        drives::DriveSpec,
        needs,
    },
    memory::Moment,
    network::{Batch, Mlp, Regression},
    training::LearnedConfiguratorSpec,
    world_model::{Model, encoder::Encoder},
};
use forethought_energy::distance::{Distance, SMOOTHING};
use forethought_interface::derive_seed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How an agent practises with its world model, in worlds of training: it lives, plans (Mode-2), remembers what that cost, and
/// learns a critic and a policy (Mode-1) from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PracticeSpec {
    /// Rounds of living and learning: in the second and later ones the policy of the round before acts half of the time, and
    /// Mode-2 says what it would have done (DAgger; Ross et al., 2011).
    pub rounds: u32,
    /// Lives in each round, each in a world of its own.
    pub lives: u32,
    /// Control steps of each; reaching the goal does not end it.
    pub steps: u32,
    /// With the drive `Reach`: control steps of random exploration first, which give places to go to.
    pub explore: u32,
    /// With the drive `Reach`: for how many control steps, at least and at most, one goal is pursued. It is the target, or a
    /// state remembered from the same life, by turns.
    pub pursue: [u32; 2],
    /// How the agent plans while it practises, where not as it does otherwise: with a longer horizon, say, as long as it has
    /// no critic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Box<ActorSpec>>,
    /// Drives that it practises without, by name: those that only some tasks of its configurator ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The share of lives whose factors are drawn as for exploration (`explore`).
    pub explored: f64,
    /// How the predictor goes on learning from the lives of all rounds; without it, it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foresight: Option<ForesightSpec>,
    /// What is not learnt anew but kept as the model has it, with `train --from`: a critic that was learnt from good lives, say,
    /// while the policy acts half of the time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<Part>,
    /// The critic.
    pub critic: CriticSpec,
    /// The policy.
    pub policy: PolicySpec,
    /// Once it has these: which task of its configurator to be at, for a configurator that is `by: Learned`. Without it that is
    /// not learnt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configurator: Option<LearnedConfiguratorSpec>,
    /// What it practises afterwards, going on from what it has learnt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Box<PracticeSpec>>,
}

impl Default for PracticeSpec {
    fn default() -> Self {
        Self {
            rounds: 2,
            lives: 300,
            steps: 400,
            explore: 80,
            pursue: [20, 60],
            actor: None,
            without: vec![],
            explored: 0.0,
            foresight: None,
            keeps: vec![],
            critic: CriticSpec::default(),
            policy: PolicySpec::default(),
            configurator: None,
            then: None,
        }
    }
}

/// What practice learns beside the predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Part {
    /// The critic.
    Critic,
    /// The policy.
    Policy,
}

/// How the critic is trained: by temporal differences (Sutton, 1988).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CriticSpec {
    /// Hidden layers of its networks.
    pub hidden: Vec<usize>,
    /// What a cost counts one prediction later.
    pub discount: f32,
    /// Gradient updates in each round, of 1,024 pairs of states each.
    pub updates: u32,
    /// AdamW's highest learning rate; it falls to zero along a cosine.
    pub learning_rate: f32,
    /// Of goals: with 0.5 the critic tells the cost under the behaviour as it was, whatever goal that had; nearer 1 under the
    /// best of the behaviours remembered (an expectile; Kostrikov et al., 2022).
    pub optimism: f32,
}

impl Default for CriticSpec {
    fn default() -> Self {
        Self { hidden: vec![256, 256], discount: 0.95, updates: 12000, learning_rate: 1e-3, optimism: 0.7 }
    }
}

/// How the policy is distilled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySpec {
    /// Hidden layers of its network.
    pub hidden: Vec<usize>,
    /// Gradient updates in each round, of 1,024 plans each.
    pub updates: u32,
    /// AdamW's highest learning rate; it falls to zero along a cosine.
    pub learning_rate: f32,
}

impl Default for PolicySpec {
    fn default() -> Self {
        Self { hidden: vec![128, 128], updates: 12000, learning_rate: 2e-3 }
    }
}

/// What one agent remembers of one life, oldest first.
pub type Life = Vec<Moment>;

/// Parts that each batch is split into, whatever the number of threads, and rows in each.
pub(super) const SHARDS: u64 = 4;
pub(super) const ROWS: usize = 256;
/// Updates after which the critic's own estimates of what comes next are brought up to date.
pub(super) const RENEW_EVERY: u32 = 20;
/// Of ten lives one is kept from learning, to measure on.
pub(super) const HELD_OUT: usize = 10;
/// A goal from the same life comes at most so many control steps later.
const GOAL_WITHIN: usize = 160;

/// Learn a critic and a policy from lives that were led with `model` by an agent with these drives: the same model, with
/// both. `on_update` hears of every update done, of [`PracticeSpec::updates`]. What it says to keep is kept.
///
/// The work is spread over the current rayon pool; the result does not depend on it.
#[must_use]
pub fn practise(
    model: &Model,
    lives: &[Life],
    drives: &[DriveSpec],
    spec: &PracticeSpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Model {
    let stride = model.stride();
    let needs: Vec<String> = needs(drives).map(|drive| drive.name().to_owned()).collect();
    let (kept_critic, kept_policy) = spec.kept(model);
    let done = if kept_critic.is_some() { 0 } else { spec.critic.updates };
    let critic = kept_critic
        .or_else(|| fit_critic(lives, stride, Some(model), &needs, &spec.critic, seed, on_update).map(Arc::new));
    let mut of_policy = |update| on_update(done + update);
    let policy = kept_policy.or_else(|| fit_policy(lives, stride, &spec.policy, seed, &mut of_policy).map(Arc::new));
    model.with_behaviour(critic, policy)
}

impl PracticeSpec {
    /// Gradient updates in each round of this model's practice.
    #[must_use]
    pub fn updates(&self, model: &Model) -> u32 {
        let (critic, policy) = self.kept(model);
        let of = |kept, updates| if kept { 0 } else { updates };
        of(critic.is_some(), self.critic.updates) + of(policy.is_some(), self.policy.updates)
    }

    /// This practice and those after it, in order.
    pub fn stages(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |stage| stage.then.as_deref())
    }

    /// Lives of all rounds, those of the practices after it too.
    #[must_use]
    pub fn lives_in_all(&self) -> u64 {
        self.stages().map(|stage| u64::from(stage.rounds) * u64::from(stage.lives)).sum()
    }

    /// Lead so many lives in each round, whatever it said.
    pub fn set_lives(&mut self, lives: u32) {
        self.lives = lives;
        if let Some(then) = &mut self.then {
            then.set_lives(lives);
        }
    }

    /// What of a model is not learnt anew.
    #[must_use]
    pub fn kept(&self, model: &Model) -> (Option<Arc<Critic>>, Option<Arc<Policy>>) {
        let critic = model.critic().filter(|_| self.keeps.contains(&Part::Critic));
        (critic.cloned(), model.policy().filter(|_| self.keeps.contains(&Part::Policy)).cloned())
    }
}

/// Lives as the learners read them.
pub(crate) struct Lives<'a> {
    pub(crate) lives: Vec<&'a Life>,
    /// Control steps of a prediction.
    pub(crate) stride: usize,
    /// Of each life its states as they were imagined some predictions before, `[moments, latent]`: empty without a world model.
    imagined: Vec<Vec<f32>>,
}

/// States are imagined from up to so many predictions before.
const IMAGINED_FROM: usize = 6;

/// The states of a life as the predictor imagines them from one to some predictions before, by turns, under the actions that
/// were taken; those at the beginning as they were. The critic will be asked about imagined states, and they differ from real
/// ones most where plans have made the most of a mistake.
fn imagined(life: &Life, model: &Model) -> Vec<f32> {
    let (stride, width) = (model.stride(), life[0].latent.len());
    let mut states: Vec<f32> = life.iter().flat_map(|moment| moment.latent.iter().copied()).collect();
    // As much at once as begins at the same distance: `[steps, rows, stride * action]`.
    for ahead in 1..=IMAGINED_FROM {
        let ends: Vec<usize> = (ahead * stride..life.len()).filter(|end| end % IMAGINED_FROM + 1 == ahead).collect();
        let begin = |end: usize, step: usize| end - (ahead - step) * stride;
        let mut actions = Vec::new();
        for step in 0..ahead {
            for end in &ends {
                let at = begin(*end, step);
                life[at..at + stride].iter().for_each(|moment| actions.extend_from_slice(&moment.action));
            }
        }
        let start: Vec<f32> = ends.iter().flat_map(|end| life[begin(*end, 0)].latent.iter().copied()).collect();
        if ends.is_empty() {
            continue;
        }
        let latents = model.predictor().imagine(&start, &actions, &[]);
        let last = &latents[latents.len() - start.len()..];
        for (end, state) in ends.iter().zip(last.chunks_exact(width)) {
            states[end * width..(end + 1) * width].copy_from_slice(state);
        }
    }
    states
}

impl<'a> Lives<'a> {
    /// Those to learn from, and those to measure on.
    pub(crate) fn split(lives: &'a [Life], stride: usize) -> (Self, Self) {
        let long: Vec<&Life> = lives.iter().filter(|life| life.len() > 2 * stride).collect();
        let (mut learnt, mut held) = (vec![], vec![]);
        for (index, life) in long.into_iter().enumerate() {
            if index % HELD_OUT == HELD_OUT - 1 { held.push(life) } else { learnt.push(life) }
        }
        if learnt.is_empty() {
            learnt.clone_from(&held);
        }
        let of = |lives| Self { lives, stride, imagined: vec![] };
        (of(learnt), of(held))
    }

    /// With what the world model imagined of them; a floor plan is not remembered, so that with one nothing is imagined.
    fn imagined_by(mut self, model: &Model) -> Self {
        if model.card.map.is_none() {
            self.imagined = self.lives.par_iter().map(|life| imagined(life, model)).collect();
        }
        self
    }

    /// A state of a life, half of the time as it was imagined.
    fn state(&self, life: usize, at: usize, rng: &mut impl Rng) -> &[f32] {
        match self.imagined.get(life) {
            Some(imagined) if rng.gen_bool(0.5) => {
                let width = self.latent();
                &imagined[at * width..(at + 1) * width]
            }
            _ => &self.lives[life][at].latent,
        }
    }

    /// A life and a moment of it, the first or a later one, that is followed by a prediction's worth of others.
    fn draw(&self, first: impl Fn(&Life) -> usize, rng: &mut impl Rng) -> (usize, usize) {
        let life = rng.gen_range(0..self.lives.len());
        let end = self.lives[life].len() - self.stride;
        (life, rng.gen_range(first(self.lives[life]).min(end - 1)..end))
    }

    fn latent(&self) -> usize {
        self.lives.first().map_or(0, |life| life[0].latent.len())
    }
}

/// Learn what states cost later on, by temporal differences on memories: `drives` names those whose costs the moments hold.
/// Without a world model no state is imagined. None where there is nothing to learn from.
pub(crate) fn fit_critic(
    lives: &[Life],
    stride: usize,
    model: Option<&Model>,
    drives: &[String],
    spec: &CriticSpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Option<Critic> {
    fit_critic_on(None, lives, stride, model, drives, spec, seed, on_update)
}

/// The same, going on from the networks of a critic of the same sizes.
pub(crate) fn fit_critic_from(
    critic: &Critic,
    lives: &[Life],
    model: &Model,
    spec: &CriticSpec,
    seed: u64,
) -> Option<Critic> {
    let drives = critic.card.drives.clone();
    let critic = Some(critic);
    fit_critic_on(critic, lives, model.stride(), Some(model), &drives, spec, seed, &mut |_| ())
}

#[expect(clippy::too_many_arguments, reason = "what both ways of calling it have in common")]
fn fit_critic_on(
    from: Option<&Critic>,
    lives: &[Life],
    stride: usize,
    model: Option<&Model>,
    drives: &[String],
    spec: &CriticSpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Option<Critic> {
    let (learnt, held) = Lives::split(lives, stride);
    let learnt = match model {
        Some(model) => learnt.imagined_by(model),
        None => learnt,
    };
    if learnt.lives.is_empty() {
        return None;
    }
    let goals = learnt.lives.iter().any(|life| life.iter().any(|moment| moment.goal.is_some()));
    let (latent, count) = (learnt.latent(), drives.len());
    let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(seed, "critic", 0));
    let mut begin = |known: Option<&Encoder>, inputs, outputs| {
        let fresh = || Mlp::random(inputs, &spec.hidden, outputs, 0.1, &mut rng);
        let mlp = known.map_or_else(fresh, |known| known.mlp().clone());
        Regression::new(mlp, spec.updates, spec.learning_rate)
    };
    let mut of_goals = goals.then(|| begin(from.and_then(|critic| critic.goals.as_ref()), 2 * latent, 1));
    let mut of_drives = (count > 0).then(|| begin(from.and_then(|critic| critic.drives.as_ref()), latent, count));
    let renewed = |fit: &Option<Regression>| fit.as_ref().map(|fit| Encoder::new(fit.mlp.clone()));
    let mut known = (renewed(&of_goals), renewed(&of_drives));
    for update in 0..spec.updates {
        if update.is_multiple_of(RENEW_EVERY) {
            known = (renewed(&of_goals), renewed(&of_drives));
        }
        let seeds = |purpose| (0..SHARDS).map(move |s| derive_seed(seed, purpose, u64::from(update) * SHARDS + s));
        if let (Some(fit), Some(known)) = (&mut of_goals, &known.0) {
            let seeds: Vec<u64> = seeds("critic.goals").collect();
            let batches = seeds.into_par_iter().map(|seed| goal_batch(&learnt, known, spec.discount, seed));
            fit.step(batches.collect(), spec.optimism);
        }
        if let (Some(fit), Some(known)) = (&mut of_drives, &known.1) {
            let seeds: Vec<u64> = seeds("critic.drives").collect();
            let batches = seeds.into_par_iter().map(|seed| drive_batch(&learnt, known, count, spec.discount, seed));
            fit.step(batches.collect(), 0.5);
        }
        on_update(update + 1);
    }
    let card = CriticCard {
        hidden: spec.hidden.clone(),
        discount: spec.discount,
        goals,
        drives: drives.to_vec(),
        calibration: vec![],
    };
    let mut critic = Critic::new(card, of_goals.map(|fit| fit.mlp), of_drives.map(|fit| fit.mlp));
    critic.card.calibration = calibrate(&critic, &held);
    Some(critic)
}

/// Pairs of states a prediction apart, each with a goal: the one it was after, or a state of the same life, later or any.
fn goal_batch(lives: &Lives, known: &Encoder, discount: f32, seed: u64) -> Batch {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let width = lives.latent();
    let (mut inputs, mut next) = (Vec::with_capacity(ROWS * 2 * width), Vec::with_capacity(ROWS * 2 * width));
    // For each row the cost of the next state, and whether the goal is reached there.
    let mut costs = Vec::with_capacity(ROWS);
    for _ in 0..ROWS {
        let (index, at) = lives.draw(|_| 0, &mut rng);
        let life = lives.lives[index];
        let last = life.len() - 1;
        let mut arrived = false;
        let kind: f32 = rng.gen_range(0.0..1.0);
        let goal: &[f32] = match &life[at].goal {
            Some(goal) if kind < 0.3 => goal,
            _ if kind < 0.7 => {
                let ahead = rng.gen_range(1..=GOAL_WITHIN.min(last - at));
                arrived = ahead <= lives.stride;
                &life[at + ahead].latent
            }
            _ => &life[rng.gen_range(0..=last)].latent,
        };
        let after = &life[at + lives.stride].latent;
        inputs.extend_from_slice(lives.state(index, at, &mut rng));
        inputs.extend_from_slice(goal);
        next.extend_from_slice(after);
        next.extend_from_slice(goal);
        costs.push((Distance::Smooth.of(after, goal), arrived));
    }
    let later = known.forward(&next, false).0;
    let target = |((cost, arrived), later): ((f32, bool), f32)| {
        if arrived { SMOOTHING.sqrt() } else { (1.0 - discount) * cost + discount * later }
    };
    Batch { inputs, targets: costs.into_iter().zip(later).map(target).collect() }
}

/// States, and what each drive cost during the prediction that followed, with what is known of the time after it.
fn drive_batch(lives: &Lives, known: &Encoder, drives: usize, discount: f32, seed: u64) -> Batch {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let width = lives.latent();
    let (mut inputs, mut next) = (Vec::with_capacity(ROWS * width), Vec::with_capacity(ROWS * width));
    let mut targets = Vec::with_capacity(ROWS * drives);
    for _ in 0..ROWS {
        let (index, at) = lives.draw(explored, &mut rng);
        let life = lives.lives[index];
        inputs.extend_from_slice(lives.state(index, at, &mut rng));
        next.extend_from_slice(&life[at + lives.stride].latent);
        targets.extend((0..drives).map(|drive| (1.0 - discount) * mean_cost(life, at, lives.stride, drive)));
    }
    let later = known.forward(&next, false).0;
    targets.iter_mut().zip(later).for_each(|(target, later)| *target += discount * later);
    Batch { inputs, targets }
}

/// The mean of a drive's cost over the control steps of the prediction that begins at `at`.
#[expect(clippy::cast_precision_loss, reason = "a prediction spans few control steps")]
fn mean_cost(life: &Life, at: usize, stride: usize, drive: usize) -> f32 {
    life[at + 1..=at + stride].iter().map(|moment| moment.costs[drive]).sum::<f32>() / stride as f32
}

/// Compare estimates with what came.
fn calibrate(critic: &Critic, held: &Lives) -> Vec<Calibration> {
    told_and_came(critic, held).into_iter().map(|(drive, told)| calibration(drive, told)).collect()
}

/// The mean squared error of a critic's estimates against what came in these lives, all drives together; none where too little
/// came.
pub(crate) fn critic_error(critic: &Critic, lives: &[Life], stride: usize) -> Option<f32> {
    let lives =
        Lives { lives: lives.iter().filter(|life| life.len() > 2 * stride).collect(), stride, imagined: vec![] };
    let pairs: Vec<[f32; 2]> = told_and_came(critic, &lives).into_iter().flat_map(|(_, pairs)| pairs).collect();
    mean(pairs.iter().map(|[told, came]| (told - came).powi(2)))
}

/// The mean squared error of a policy against what was planned in these lives; none where nothing was.
pub(crate) fn policy_error(policy: &Policy, lives: &[Life]) -> Option<f32> {
    let planned: Vec<Planned> = lives.iter().flatten().filter_map(Planned::of).collect();
    let mlp = policy.network.mlp();
    let errors = planned.iter().filter(|row| row.inputs.len() == mlp.inputs()).flat_map(|row| {
        let told = mlp.forward(&row.inputs);
        told.into_iter().zip(&row.plan).map(|(told, value)| (told - value).powi(2)).collect::<Vec<_>>()
    });
    mean(errors)
}

#[expect(clippy::cast_possible_truncation, reason = "an error of single precision")]
fn mean(values: impl Iterator<Item = f32>) -> Option<f32> {
    let (sum, count) = values.fold((0.0_f64, 0_u32), |(sum, count), value| (sum + f64::from(value), count + 1));
    (count > 0).then(|| (sum / f64::from(count)) as f32)
}

/// For each drive pairs of an estimate and what came: goals first.
fn told_and_came(critic: &Critic, held: &Lives) -> Vec<(String, Vec<[f32; 2]>)> {
    let discount = critic.card.discount;
    let mut pairs: Vec<(String, Vec<[f32; 2]>)> = Vec::new();
    if critic.card.goals {
        let mut told = Vec::new();
        for life in &held.lives {
            for (begin, end) in pursuits(life) {
                let Some(goal) = &life[begin].goal else { continue };
                // As if it stayed at the end as near as it then was.
                let mut came = Distance::Smooth.of(&life[end - 1].latent, goal);
                let states: Vec<usize> = (begin..end).rev().step_by(held.stride).collect();
                for pair in states.windows(2) {
                    let cost = Distance::Smooth.of(&life[pair[0]].latent, goal);
                    came = (1.0 - discount) * cost + discount * came;
                    told.push([critic.of_goal(&life[pair[1]].latent, goal)[0], came]);
                }
            }
        }
        pairs.push(("reach".into(), told));
    }
    let drives = critic.card.drives.len();
    // Until what is left out counts less than a twentieth.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred predictions")]
    let reach = (0.05_f32.ln() / discount.ln()).ceil() as usize * held.stride;
    for (drive, name) in critic.card.drives.iter().enumerate() {
        let mut told = Vec::new();
        for life in &held.lives {
            for begin in (explored(life)..life.len().saturating_sub(reach + 1)).step_by(7) {
                let (mut came, mut share) = (0.0, 1.0 - discount);
                for at in (begin..begin + reach).step_by(held.stride) {
                    came += share * mean_cost(life, at, held.stride, drive);
                    share *= discount;
                }
                told.push([critic.of_drives(&life[begin].latent)[drive % drives.max(1)], came]);
            }
        }
        pairs.push((name.clone(), told));
    }
    pairs
}

/// When a life stops exploring: its first moment with a goal, or without one its first.
fn explored(life: &Life) -> usize {
    life.iter().position(|moment| moment.goal.is_some()).unwrap_or(0)
}

/// Where one goal was pursued: its first moment and the one after its last.
fn pursuits(life: &Life) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut begin = 0;
    for at in 1..=life.len() {
        if at == life.len() || life[at].goal != life[begin].goal {
            found.push((begin, at));
            begin = at;
        }
    }
    found
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 states")]
pub(super) fn calibration(drive: String, mut told: Vec<[f32; 2]>) -> Calibration {
    let states = told.len();
    told.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mean = |pairs: &[[f32; 2]]| {
        let sum = pairs.iter().fold([0.0; 2], |sum, pair| [sum[0] + pair[0], sum[1] + pair[1]]);
        sum.map(|sum: f32| sum / pairs.len().max(1) as f32)
    };
    let [estimate, came] = mean(&told);
    let left: f32 = told.iter().map(|[told, came]| (told - came).powi(2)).sum();
    let spread: f32 = told.iter().map(|pair| (pair[1] - came).powi(2)).sum();
    Calibration {
        drive,
        states,
        r2: 1.0 - left / spread.max(1e-12),
        bias: estimate - came,
        tenths: told.chunks(states.div_ceil(10).max(1)).map(mean).collect(),
    }
}

/// Distil Mode-2's plans into a network. None where nothing was planned.
pub(crate) fn fit_policy(
    lives: &[Life],
    stride: usize,
    spec: &PolicySpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Option<Policy> {
    fit_policy_on(None, lives, stride, spec, seed, on_update)
}

/// The same, going on from the network of a policy of the same size.
pub(crate) fn fit_policy_from(
    policy: &Policy,
    lives: &[Life],
    stride: usize,
    spec: &PolicySpec,
    seed: u64,
) -> Option<Policy> {
    fit_policy_on(Some(policy), lives, stride, spec, seed, &mut |_| ())
}

fn fit_policy_on(
    from: Option<&Policy>,
    lives: &[Life],
    stride: usize,
    spec: &PolicySpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Option<Policy> {
    let (learnt, held) = Lives::split(lives, stride);
    let planned = |lives: &Lives<'_>| -> Vec<Planned> {
        let moments = lives.lives.iter().flat_map(|life| life.iter());
        moments.filter_map(Planned::of).collect()
    };
    let (learnt, held) = (planned(&learnt), planned(&held));
    let first = learnt.first()?;
    let goals = first.inputs.len() > lives.iter().flatten().next()?.latent.len();
    let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(seed, "policy", 0));
    let fresh = || Mlp::random(first.inputs.len(), &spec.hidden, first.plan.len(), 0.1, &mut rng);
    let mlp = from.map_or_else(fresh, |policy| policy.network.mlp().clone());
    let mut fit = Regression::new(mlp, spec.updates, spec.learning_rate);
    for update in 0..spec.updates {
        let batch = |shard| {
            let mut rng =
                ChaCha8Rng::seed_from_u64(derive_seed(seed, "policy.batch", u64::from(update) * SHARDS + shard));
            let mut batch = Batch { inputs: Vec::new(), targets: Vec::new() };
            for _ in 0..ROWS {
                let row = &learnt[rng.gen_range(0..learnt.len())];
                batch.inputs.extend_from_slice(&row.inputs);
                batch.targets.extend_from_slice(&row.plan);
            }
            batch
        };
        fit.step((0..SHARDS).into_par_iter().map(batch).collect(), 0.5);
        on_update(update + 1);
    }
    let r2 = explained(&fit.mlp, &held);
    let card = PolicyCard { hidden: spec.hidden.clone(), goals, plans: learnt.len(), r2 };
    Some(Policy::new(card, fit.mlp))
}

/// A state in which Mode-2 planned.
struct Planned {
    /// The latent, and the goal's after it where there is one.
    inputs: Vec<f32>,
    plan: Vec<f32>,
}

impl Planned {
    fn of(moment: &Moment) -> Option<Self> {
        let plan = moment.plan.clone()?;
        let mut inputs = moment.latent.clone();
        inputs.extend(moment.goal.iter().flat_map(|goal| goal.iter()));
        Some(Self { inputs, plan })
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 plans")]
fn explained(mlp: &Mlp, held: &[Planned]) -> f32 {
    let Some(width) = held.first().map(|row| row.plan.len()) else { return 0.0 };
    let mut mean = vec![0.0; width];
    for row in held {
        mean.iter_mut().zip(&row.plan).for_each(|(mean, value)| *mean += value / held.len() as f32);
    }
    let (mut left, mut spread) = (0.0, 0.0);
    for row in held {
        for ((told, value), mean) in mlp.forward(&row.inputs).iter().zip(&row.plan).zip(&mean) {
            left += (told - value).powi(2);
            spread += (value - mean).powi(2);
        }
    }
    1.0 - left / spread.max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    const STRIDE: usize = 2;
    /// A step round the circle, in radians.
    const STEP: f32 = 0.1;

    fn latent(angle: f32) -> Vec<f32> {
        vec![angle.cos(), angle.sin()]
    }

    fn cost(angle: f32) -> f32 {
        1.0 + angle.cos()
    }

    /// Lives that go round and round, each from somewhere else.
    fn lives(goal: bool) -> Vec<Life> {
        let life = |index: u16| -> Life {
            let angle = |step: u16| 0.7 * f32::from(index) + STEP * f32::from(step);
            let moment = |step| Moment {
                latent: latent(angle(step)),
                action: vec![0.0],
                costs: vec![cost(angle(step))],
                goal: goal.then(|| latent(angle(150)).into()),
                plan: step.is_multiple_of(5).then(|| vec![angle(step).sin(), 0.5]),
                place_m: None,
            };
            (0..150).map(moment).collect()
        };
        (0..20).map(life).collect()
    }

    fn spec(updates: u32) -> CriticSpec {
        CriticSpec { hidden: vec![32, 32], discount: 0.9, updates, learning_rate: 3e-3, optimism: 0.5 }
    }

    /// What comes, by the sum itself.
    fn truth(angle: f32) -> f32 {
        let ahead = |i: u16| angle + STEP * f32::from(i);
        let mean = |prediction: u16| 0.5 * (cost(ahead(2 * prediction + 1)) + cost(ahead(2 * prediction + 2)));
        (0..200_u16).map(|prediction| 0.1 * 0.9_f32.powi(prediction.into()) * mean(prediction)).sum()
    }

    #[test]
    fn a_critic_foretells_what_a_drive_will_cost_and_says_how_well() {
        let error = |critic: &Critic| -> f32 {
            let angles = (0..20_u8).map(|i| TAU * f32::from(i) / 20.0);
            angles.map(|angle| (critic.of_drives(&latent(angle))[0] - truth(angle)).abs()).sum::<f32>() / 20.0
        };
        let mut heard = 0;
        let names = ["hunger".to_owned()];
        let critic =
            fit_critic(&lives(false), STRIDE, None, &names, &spec(800), 3, &mut |update| heard = update).unwrap();
        assert!(error(&critic) < 0.03 && heard == 800, "{}", error(&critic));
        let [calibration] = &critic.card.calibration[..] else { panic!("{:?}", critic.card) };
        assert!(calibration.r2 > 0.95 && calibration.states > 10 && calibration.tenths.len() <= 10, "{calibration:?}");
        let ignorant = fit_critic(&lives(false), STRIDE, None, &names, &spec(1), 3, &mut |_| ()).unwrap();
        assert!(error(&ignorant) > 0.3 && ignorant.card.calibration[0].r2 < 0.5, "{}", error(&ignorant));
        assert!(fit_critic(&[], STRIDE, None, &names, &spec(1), 3, &mut |_| ()).is_none());
    }

    #[test]
    fn a_critic_knows_which_goals_are_far_along_the_way_it_goes() {
        let critic = fit_critic(&lives(true), STRIDE, None, &[], &spec(800), 3, &mut |_| ()).unwrap();
        let of = |ahead: f32| critic.of_goal(&latent(1.0), &latent(1.0 + ahead))[0];
        // Half a radian behind is nearly a whole turn away, and as near as the first as latents.
        assert!(of(0.5) < of(1.5) && of(1.5) < of(3.0) && of(3.0) < of(-0.5) + 0.2 && of(0.5) + 0.3 < of(-0.5));
        assert!(critic.card.goals && critic.card.drives.is_empty());
    }

    #[test]
    fn a_policy_is_distilled_from_plans_alone() {
        let settings = PolicySpec { hidden: vec![16], updates: 400, learning_rate: 1e-2 };
        let policy = fit_policy(&lives(false), STRIDE, &settings, 3, &mut |_| ()).unwrap();
        assert!(policy.card.r2 > 0.98 && policy.card.plans == 18 * 30 && !policy.card.goals, "{:?}", policy.card);
        let acted = policy.act(&latent(2.0), &[]);
        assert!((acted[0] - 2.0_f32.sin()).abs() < 0.1 && (acted[1] - 0.5).abs() < 0.1, "{acted:?}");
        let mut unplanned = lives(false);
        unplanned.iter_mut().flatten().for_each(|moment| moment.plan = None);
        assert!(fit_policy(&unplanned, STRIDE, &settings, 3, &mut |_| ()).is_none());
    }
}
