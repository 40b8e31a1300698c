//! The training loop: batches of sequences, split into shards that are worked on side by side and summed in a fixed
//! order, so that the result is the same bit for bit for any number of threads. Read first: [`train`].

use super::{Experience, Terms, TrainState, TrainingSpec, optimiser::AdamW, state::StateCard};
use crate::{
    perception::Perception,
    world_model::{
        Model, ModelCard,
        checkpoint::FORMAT,
        jepa::{Jepa, Loss, Pass, Trainees},
        predictor::Predictor,
        readout::Readout,
    },
};
use forethought_energy::collapse::{deviation, effective_rank};
use forethought_interface::derive_seed;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;
use std::{ops::ControlFlow, sync::Arc, time::Instant};

/// Each batch is split into this many parts, whatever the number of threads. Each part has its own batch statistics.
const SHARDS: u32 = 4;
/// Updates between two reports.
const REPORT_EVERY: u32 = 50;
/// Observations that perception's normalisation and the readout are fitted to, at most.
const FIT_ROWS: usize = 40_000;

/// What a training is for and how it may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainContext {
    /// The scenario's name.
    pub scenario: String,
    /// The hash of the scenario's file.
    pub scenario_hash: u64,
    /// Where all of the training's randomness comes from.
    pub seed: u64,
    /// Threads to use; the result does not depend on it.
    pub jobs: usize,
}

impl TrainContext {
    pub(crate) fn hash_text(&self) -> String {
        format!("{:016x}", self.scenario_hash)
    }
}

/// How a training is going.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainProgress {
    /// Updates done.
    pub update: u32,
    /// Updates in all.
    pub updates: u32,
    /// The weighted sum of the terms below, mean since the last report.
    pub loss: f32,
    /// Each term before its weight: those of `training.loss` and of the objective.
    pub terms: Terms,
    /// The representation's effective rank: near 1 it has collapsed.
    pub effective_rank: f32,
    /// The latents' standard deviation, root mean square over components: near 0 they have collapsed to a point.
    pub deviation: f32,
    /// The gradient's norm at the last update, before clipping.
    pub gradient_norm: f32,
    /// Seconds since this call of [`train`] began.
    pub elapsed_secs: f64,
}

/// What a training came to.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainOutcome {
    /// The model.
    Finished(Box<Model>),
    /// Where it was stopped, to go on from.
    Stopped(Box<TrainState>),
}

/// Why a training failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// The recording is of no use.
    #[error("the experience cannot be trained on: {0}")]
    Experience(String),
    /// The stopped training is of something else.
    #[error("cannot go on with that training: {0}; start anew without --resume, or restore what changed")]
    Differs(String),
    /// The loss or its gradient is no number.
    #[error(
        "training diverged at update {update}: the {what} is not finite; lower training.learning_rate or training.clip_norm"
    )]
    Diverged {
        /// The update.
        update: u32,
        /// What was not finite.
        what: &'static str,
    },
    /// Worker threads could not be started.
    #[error("a training thread failed: {0}")]
    Worker(String),
}

/// Where a network's first weights come from.
pub(crate) fn init_rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(derive_seed(seed, "weights", 0))
}

/// Train a world model on recorded experience.
///
/// `on_progress` hears of every 50th update and may stop the training; what it gives back then goes on, with `resume`, to
/// the same bits as an undisturbed run.
///
/// # Errors
/// [`TrainError`] where the experience is unusable, `resume` is of another training, or the loss diverges.
pub fn train(
    experience: &Experience,
    spec: &TrainingSpec,
    context: &TrainContext,
    resume: Option<TrainState>,
    on_progress: &mut dyn FnMut(&TrainProgress) -> ControlFlow<()>,
) -> Result<TrainOutcome, TrainError> {
    if let Some(fault) = experience.fault(spec.span()) {
        return Err(TrainError::Experience(fault));
    }
    let mut state = match resume {
        Some(state) => match state.differs(context, spec, experience.frames() as u64) {
            Some(what) => return Err(TrainError::Differs(what)),
            None => state,
        },
        None => begin(experience, spec, context),
    };
    let mut rank = 0.0;
    if let ControlFlow::Break(()) = run(experience, spec, context, &mut state, &mut rank, on_progress)? {
        return Ok(TrainOutcome::Stopped(Box::new(state)));
    }
    Ok(TrainOutcome::Finished(Box::new(finish(experience, state, rank))))
}

fn begin(experience: &Experience, spec: &TrainingSpec, context: &TrainContext) -> TrainState {
    let (observations, _) = some_rows(experience);
    let perception = Perception::fit(&experience.layout, &observations);
    let (percept, action_len) = (perception.len(), experience.action_len);
    let jepa = Jepa::random(&spec.world_model, percept, action_len, &spec.objective, &mut init_rng(context.seed));
    let optimiser = AdamW::new(&jepa.parameters());
    let card = StateCard {
        scenario: context.scenario.clone(),
        scenario_hash: context.hash_text(),
        seed: context.seed,
        frames: experience.frames() as u64,
        action_len,
        updates: 0,
        perception,
        spec: spec.clone(),
    };
    TrainState { card, jepa, optimiser }
}

/// Run the updates that are left.
fn run(
    experience: &Experience,
    spec: &TrainingSpec,
    context: &TrainContext,
    state: &mut TrainState,
    rank: &mut f32,
    on_progress: &mut dyn FnMut(&TrainProgress) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, TrainError> {
    let shards = SHARDS.min(spec.batch.max(1));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(context.jobs.clamp(1, shards as usize)).build();
    let pool = pool.map_err(|error| TrainError::Worker(error.to_string()))?;
    let mut trainees = Trainees::new(&state.jepa);
    let started = Instant::now();
    let mut since_report: Vec<Loss> = Vec::new();
    while state.card.updates < spec.updates {
        let done = pool.install(|| update(experience, spec, context.seed, state, &mut trainees))?;
        state.card.updates += 1;
        since_report.push(done.loss);

        if state.card.updates.is_multiple_of(REPORT_EVERY) || state.card.updates == spec.updates {
            *rank = effective_rank(&done.latents, spec.world_model.latent);
            #[expect(clippy::cast_precision_loss, reason = "at most 50 updates between reports")]
            let Loss { total: loss, terms } = mean(since_report.iter(), 1.0 / since_report.len() as f32);
            let report = TrainProgress {
                update: state.card.updates,
                updates: spec.updates,
                loss,
                terms,
                effective_rank: *rank,
                deviation: deviation(&done.latents, spec.world_model.latent),
                gradient_norm: done.norm,
                elapsed_secs: started.elapsed().as_secs_f64(),
            };
            since_report.clear();
            if on_progress(&report).is_break() && state.card.updates < spec.updates {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// What an update leaves to tell of.
struct Done {
    loss: Loss,
    /// The first shard's.
    latents: Vec<f32>,
    /// The gradient's, before clipping.
    norm: f32,
}

/// One update, on the threads of the current rayon pool: the shards' gradients, their mean, the optimiser, and the weights
/// packed again.
fn update(
    experience: &Experience,
    spec: &TrainingSpec,
    seed: u64,
    state: &mut TrainState,
    trainees: &mut Trainees,
) -> Result<Done, TrainError> {
    let update = state.card.updates;
    let shards = SHARDS.min(spec.batch.max(1));
    let pass = |shard: u32| {
        let seed = derive_seed(seed, "batch", u64::from(update) * u64::from(SHARDS) + u64::from(shard));
        let count = spec.batch / shards + u32::from(shard < spec.batch % shards);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let sequences = experience.sample(
            &state.card.perception,
            count as usize,
            spec.unroll as usize,
            spec.world_model.stride,
            &mut rng,
        );
        trainees.loss_and_gradient(sequences, &spec.loss, &spec.objective, seed)
    };
    let mut passes: Vec<Pass> = (0..shards).into_par_iter().map(pass).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of shards")]
    let share = 1.0 / shards as f32;
    let loss = mean(passes.iter().map(|pass| &pass.loss), share);
    let diverged = |what| TrainError::Diverged { update, what };
    if !loss.total.is_finite() {
        return Err(diverged("loss"));
    }
    let gradients = passes.iter_mut().map(|pass| &mut pass.gradient[..]).collect();
    let norm = state.optimiser.step(state.jepa.parameters_mut(), gradients, spec, update);
    if !norm.is_finite() {
        return Err(diverged("gradient"));
    }
    if let Some(momentum) = spec.objective.momentum() {
        state.jepa.follow(momentum);
    }
    trainees.refill(&state.jepa);
    let mut latents: Vec<Vec<f32>> = passes.into_iter().map(|pass| trainees.recycle(pass)).collect();
    Ok(Done { loss, latents: latents.swap_remove(0), norm })
}

/// The mean of losses, each of which counts `share`.
fn mean<'a>(losses: impl Iterator<Item = &'a Loss>, share: f32) -> Loss {
    losses.fold(Loss::default(), |mut sum, loss| {
        sum.total += share * loss.total;
        sum.terms.add(&loss.terms, share);
        sum
    })
}

/// Observations evenly spread over the experience, and where the agent was: enough to fit a mean or a linear map.
fn some_rows(experience: &Experience) -> (Vec<f32>, Vec<[f32; 2]>) {
    let length = experience.layout.len();
    let every = experience.frames().div_ceil(FIT_ROWS).max(1);
    let (mut observations, mut positions) = (Vec::new(), Vec::new());
    let mut index = 0;
    for episode in &experience.episodes {
        for (row, position) in episode.observations.chunks_exact(length).zip(&episode.positions_m) {
            if index % every == 0 {
                observations.extend_from_slice(row);
                positions.push(*position);
            }
            index += 1;
        }
    }
    (observations, positions)
}

/// Fit the readout and put the model together.
fn finish(experience: &Experience, state: TrainState, effective_rank: f32) -> Model {
    let TrainState { card, jepa, .. } = state;
    let (observations, positions_m) = some_rows(experience);
    let mut percepts = Vec::new();
    for row in observations.chunks_exact(experience.layout.len()) {
        card.perception.normalise_into(row, &mut percepts);
    }
    let latents = jepa.encoder.forward(&percepts);
    let readout = Readout::fit(&latents, card.spec.world_model.latent, &positions_m);
    let acting = card.spec.world_model.stride * card.action_len;
    let predictor = Arc::new(Predictor::new(jepa.predictor, acting));
    let card = ModelCard {
        format: FORMAT,
        scenario: card.scenario,
        scenario_hash: card.scenario_hash,
        seed: card.seed,
        frames: card.frames,
        updates: card.updates,
        effective_rank,
        world_model: card.spec.world_model,
        action_len: card.action_len,
        perception: card.perception,
        readout,
    };
    Model { card, encoder: jepa.encoder, predictor }
}
