//! Learning from lives: the predictor, from what really came of what was done. Read first: [`fit_predictor`].

use super::{Life, TrainingSpec, behaviour::SHARDS};
use crate::{
    network::{Mlp, Regression, Trainee, apply, mean_square, unroll},
    world_model::{Model, latent_variable::Variants},
};
use dfdx::prelude::{Cpu, HasShape, OwnedTape, PutTape, SplitTape, TensorFromVec};
use forethought_energy::{Scalar, numbers};
use forethought_interface::derive_seed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the predictor goes on learning from lives that were led with it. Latents stay what they are, and with them goals, readouts
/// and memories: what is learnt is how the world answers where the agent really goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ForesightSpec {
    /// Gradient updates.
    pub updates: u32,
    /// Sequences in a batch.
    pub batch: usize,
    /// Predictions made open loop from each sequence's first state.
    pub unroll: usize,
    /// AdamW's highest learning rate; it falls to zero along a cosine.
    pub learning_rate: f32,
    /// What the body will feel, normalised, counts this much beside the latent.
    pub interoception: f32,
}

impl Default for ForesightSpec {
    fn default() -> Self {
        Self { updates: 2000, batch: 256, unroll: 8, learning_rate: 3e-4, interoception: 3.0 }
    }
}

/// Why a predictor cannot learn from lives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForesightError {
    /// There is nothing to learn from.
    #[error("no life is longer than the {span} control steps that are predicted: live longer, or lower its `unroll`")]
    TooShort {
        /// Control steps of a sequence.
        span: usize,
    },
    /// A moment does not hold what such a predictor reads.
    #[error("a predictor that {what} cannot learn from lives, which do not remember that")]
    Kind {
        /// What it does.
        what: &'static str,
    },
    /// The loss is no number.
    #[error("the predictor diverged at update {update}: lower its `learning_rate`")]
    Diverged {
        /// The update.
        update: u32,
    },
}

/// The same model with a predictor that has learnt from `lives`, going on from its own weights: it predicts remembered latents open
/// loop under what was really done (as in training, Dawid & LeCun 2023, Fig. 10, but with the encoder held), and what the body
/// felt in them. `on_update` hears of every update done.
///
/// The work is spread over the current rayon pool; the result does not depend on it.
///
/// # Errors
/// [`ForesightError`] where no life is long enough, the predictor reads a floor plan or a latent variable, or it diverges.
pub fn fit_predictor(
    lives: &[Life],
    model: &Model,
    spec: &ForesightSpec,
    seed: u64,
    on_update: &mut dyn FnMut(u32),
) -> Result<Model, ForesightError> {
    if let Some(what) = unremembered(model) {
        return Err(ForesightError::Kind { what });
    }
    let sequences = Sequences::of(lives, model.stride(), spec.unroll.max(1))?;
    let schedule = TrainingSpec { updates: spec.updates, learning_rate: spec.learning_rate, ..TrainingSpec::default() };
    let acting = model.predictor().action_len();
    let mut fit = Regression::besides(model.predictor.whole().clone(), acting, schedule);
    let body = model.interoception().filter(|_| spec.interoception > 0.0).map(|interoception| {
        let linear = interoception.normalised(&model.card.perception);
        let trainee = Trainee::new(&linear, 0);
        (linear, trainee)
    });
    let rows = spec.batch.div_ceil(SHARDS as usize).max(1);
    for update in 0..spec.updates {
        let draw = |shard| {
            let seed = derive_seed(seed, "foresight", u64::from(update) * SHARDS + shard);
            sequences.draw(&sequences.some(rows, &mut ChaCha8Rng::seed_from_u64(seed)))
        };
        let drawn = (0..SHARDS).map(draw).collect();
        let loss = fit
            .descend(drawn, |predictor, drawn, tape| loss(predictor, body.as_ref(), spec.interoception, drawn, tape));
        if !loss.is_finite() {
            return Err(ForesightError::Diverged { update });
        }
        on_update(update + 1);
    }
    let mut learnt = model.clone();
    learnt.predictor = Variants::new(fit.mlp, acting, 0, None);
    Ok(learnt)
}

/// What of a model's predictor lives do not hold, if anything.
#[must_use]
pub fn unremembered(model: &Model) -> Option<&'static str> {
    if model.card.map.is_some() {
        return Some("reads a floor plan");
    }
    (model.predictors().len() > 1).then_some("has a latent variable")
}

/// How far what `model` foretells open loop is from what came, in `lives`: the mean squared distance of a latent's components, over
/// all of `unroll` predictions. None where no life is long enough, or the predictor is of a kind that cannot learn from lives.
#[must_use]
pub fn foresight_error(model: &Model, lives: &[Life], unroll: usize) -> Option<f32> {
    if unremembered(model).is_some() {
        return None;
    }
    let sequences = Sequences::of(lives, model.stride(), unroll.max(1)).ok()?;
    let begins: Vec<(usize, usize)> = sequences.begins().step_by(model.stride()).collect();
    // The same parts and the same order of sums, whatever the number of threads.
    let errors = begins.par_chunks(512).map(|begins| {
        let Drawn { start, actions, came } = sequences.draw(begins);
        let told = model.predictor().imagine(&start, &actions, &[]);
        let squares = told.iter().zip(&came).map(|(told, came)| f64::from((told - came).powi(2)));
        (squares.sum::<f64>(), came.len())
    });
    let errors: Vec<(f64, usize)> = errors.collect();
    let (sum, count) = errors.iter().fold((0.0, 0), |(sum, count), error| (sum + error.0, count + error.1));
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a mean of single-precision numbers"
    )]
    let mean = (sum / count.max(1) as f64) as f32;
    Some(mean)
}

/// Lives as sequences of predictions.
struct Sequences<'a> {
    lives: Vec<&'a Life>,
    stride: usize,
    unroll: usize,
}

/// Some sequences, time first.
struct Drawn {
    /// `[sequences, latent]`.
    start: Vec<f32>,
    /// `[unroll * sequences, stride * action]`.
    actions: Vec<f32>,
    /// `[unroll * sequences, latent]`.
    came: Vec<f32>,
}

impl<'a> Sequences<'a> {
    fn of(lives: &'a [Life], stride: usize, unroll: usize) -> Result<Self, ForesightError> {
        let span = stride * unroll;
        let lives: Vec<&Life> = lives.iter().filter(|life| life.len() > span).collect();
        if lives.is_empty() { Err(ForesightError::TooShort { span }) } else { Ok(Self { lives, stride, unroll }) }
    }

    /// Where sequences may begin: the life and the moment.
    fn begins(&self) -> impl Iterator<Item = (usize, usize)> {
        let span = self.stride * self.unroll;
        self.lives
            .iter()
            .enumerate()
            .flat_map(move |(life, moments)| (0..moments.len() - span).map(move |at| (life, at)))
    }

    /// So many beginnings, drawn at random: longer lives come oftener.
    fn some(&self, count: usize, rng: &mut impl Rng) -> Vec<(usize, usize)> {
        let span = self.stride * self.unroll;
        let all: usize = self.lives.iter().map(|life| life.len() - span).sum();
        let begin = |mut at: usize| {
            for (index, life) in self.lives.iter().enumerate() {
                match at.checked_sub(life.len() - span) {
                    Some(rest) => at = rest,
                    None => return (index, at),
                }
            }
            unreachable!("below the sum of all lengths")
        };
        (0..count).map(|_| begin(rng.gen_range(0..all))).collect()
    }

    fn draw(&self, begins: &[(usize, usize)]) -> Drawn {
        let start = begins.iter().flat_map(|(life, at)| &self.lives[*life][*at].latent).copied().collect();
        let (mut actions, mut came) = (Vec::new(), Vec::new());
        for step in 0..self.unroll {
            for (life, at) in begins {
                let (life, from) = (self.lives[*life], at + step * self.stride);
                life[from..from + self.stride].iter().for_each(|moment| actions.extend_from_slice(&moment.action));
                came.extend_from_slice(&life[from + self.stride].latent);
            }
        }
        Drawn { start, actions, came }
    }
}

/// The loss on some sequences: that of what is foretold, and of what the body feels in it by `body`, which is held.
fn loss(
    predictor: &Trainee,
    body: Option<&(Mlp, Trainee)>,
    weight: f32,
    Drawn { start, actions, came }: Drawn,
    tape: &mut OwnedTape<f32, Cpu>,
) -> Scalar {
    let device = Cpu::default();
    let rows = actions.len() / predictor.beside();
    let latent = came.len() / rows;
    let start = device.tensor_from_vec(start.clone(), (start.len() / latent, latent));
    let told = unroll(predictor, &start, actions, None, tape);
    let target = device.tensor_from_vec(came.clone(), *told.shape());
    let loss = mean_square(&told, &target, tape);
    let Some((linear, trainee)) = body else { return loss };
    let felt = apply(trainee, numbers(&told), Some(&told), tape);
    let truth = device.tensor_from_vec(linear.forward(&came), *felt.shape());
    let error = mean_square(&felt, &truth, tape);
    let (error, after) = (error.put_tape(std::mem::take(tape)) * weight).split_tape();
    let (sum, after) = (loss.put_tape(after) + error).split_tape();
    *tape = after;
    sum
}
