//! The training loop: batches of sequences, split into shards that are worked on side by side and summed in a fixed
//! order, so that the result is the same bit for bit for any number of threads. Read first: [`train`].

use super::{
    Experience, Terms, TrainState, TrainingSpec,
    levels::{Ascent, Source},
    optimiser::AdamW,
    state::StateCard,
};
use crate::{
    perception::{Perception, senses},
    world_model::{
        Model, ModelCard,
        checkpoint::FORMAT,
        clearance::{Clearance, least_of_latest},
        hjepa::Level,
        interoception::Interoception,
        jepa::{Jepa, Loss, Pass, Trainees},
        latent_variable::{self, Variants},
        map::MapReader,
        predictor::Looking,
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

/// Sequences that the codes' shares are counted on.
const CODE_SEQUENCES: usize = 4096;

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

/// A hash as files have it.
pub(crate) fn hash_text(hash: u64) -> String {
    format!("{hash:016x}")
}

/// How a training is going.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainProgress {
    /// The level in training, counted from 1.
    pub level: usize,
    /// Updates done, those of all levels.
    pub update: u32,
    /// Updates in all.
    pub updates: u32,
    /// The weighted sum of the terms below, mean since the last report.
    pub loss: f32,
    /// Each term before its weight: those of `training.loss` and of the objective.
    pub terms: Terms,
    /// The representation's effective rank: near 1 it has collapsed.
    pub effective_rank: f32,
    /// The width of the level's latent.
    pub latent: usize,
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

/// Where the first weights of a level's networks come from.
pub(crate) fn init_rng(seed: u64, level: usize) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(derive_seed(seed, "weights", level as u64))
}

/// Train a world model on recorded experience, level by level: each on what the one below makes of it.
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
        Some(state) => match state.differs(context, spec, experience) {
            Some(what) => return Err(TrainError::Differs(what)),
            None => state,
        },
        None => begin(experience, spec, context),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(context.jobs.max(1)).build();
    let pool = pool.map_err(|error| TrainError::Worker(error.to_string()))?;
    let started = Instant::now();
    let mut ascents = vec![];
    loop {
        let level = state.finished.len();
        let (perception, reader) = (state.card.perception.clone(), state.card.reader.clone());
        let reader = reader.as_ref();
        pool.install(|| climb(&mut ascents, experience, spec, &perception, &state.finished));
        let source = match level.checked_sub(1) {
            None => Source::First { experience, perception: &perception, reader, stride: spec.world_model.stride },
            Some(above) => {
                Source::Above { experience, reader, ascent: &ascents[above], spec: &spec.world_model.levels[above] }
            }
        };
        let mut rank = 0.0;
        let course = Course { source: &source, spec: &spec.of_level(level), context, started };
        if run(&course, &pool, &mut state, &mut rank, on_progress)?.is_break() {
            return Ok(TrainOutcome::Stopped(Box::new(state)));
        }
        state.card.ranks.push(rank);
        if level == spec.world_model.levels.len() {
            return Ok(TrainOutcome::Finished(Box::new(pool.install(|| finish(experience, state, ascents)))));
        }
        let next = Jepa::random(
            &TrainState::shapes(&state.card)[level + 1],
            &spec.objective,
            &mut init_rng(context.seed, level + 1),
        );
        state.optimiser = AdamW::new(&next.parameters());
        state.finished.push(std::mem::replace(&mut state.jepa, next));
        state.card.updates = 0;
    }
}

/// Add the experience as each of these levels sees it, the lowest first, where that is not there yet.
fn climb(
    ascents: &mut Vec<Ascent>,
    experience: &Experience,
    spec: &TrainingSpec,
    perception: &Perception,
    levels: &[Jepa],
) {
    for (index, jepa) in levels.iter().enumerate().skip(ascents.len()) {
        ascents.push(match index.checked_sub(1) {
            None => Ascent::first(experience, perception, &spec.world_model, jepa),
            Some(below) => ascents[below].above(&spec.world_model.levels[below], jepa),
        });
    }
}

fn begin(experience: &Experience, spec: &TrainingSpec, context: &TrainContext) -> TrainState {
    let (sensed, _) = some_rows(experience);
    let perception = Perception::fit(&experience.layout, &sensed).recalling(&experience.recalls);
    let card = StateCard {
        scenario: context.scenario.clone(),
        scenario_hash: hash_text(context.scenario_hash),
        seed: context.seed,
        frames: experience.frames() as u64,
        experience: hash_text(experience.hash()),
        action_len: experience.action_len,
        updates: 0,
        ranks: vec![],
        reader: MapReader::new(&experience.layout, experience.arena_m, &spec.world_model.glimpse),
        perception,
        spec: spec.clone(),
    };
    let jepa = Jepa::random(&TrainState::shapes(&card)[0], &spec.objective, &mut init_rng(context.seed, 0));
    let optimiser = AdamW::new(&jepa.parameters());
    TrainState { card, finished: vec![], jepa, optimiser }
}

/// How a level is trained.
struct Course<'a> {
    source: &'a Source<'a>,
    /// As this level is trained.
    spec: &'a TrainingSpec,
    context: &'a TrainContext,
    started: Instant,
}

/// Run the updates that are left of a level.
fn run(
    course: &Course,
    pool: &rayon::ThreadPool,
    state: &mut TrainState,
    rank: &mut f32,
    on_progress: &mut dyn FnMut(&TrainProgress) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, TrainError> {
    let mut trainees = Trainees::new(&state.jepa);
    let latent = state.jepa.encoder.outputs();
    let updates = course.spec.updates;
    let mut since_report: Vec<Loss> = Vec::new();
    while state.card.updates < updates {
        let done = pool.install(|| update(course, state, &mut trainees))?;
        state.card.updates += 1;
        since_report.push(done.loss);

        if state.card.updates.is_multiple_of(REPORT_EVERY) || state.card.updates == updates {
            *rank = effective_rank(&done.latents, latent);
            #[expect(clippy::cast_precision_loss, reason = "at most 50 updates between reports")]
            let Loss { total: loss, terms } = mean(since_report.iter(), 1.0 / since_report.len() as f32);
            since_report.clear();
            let report = TrainProgress {
                level: state.finished.len() + 1,
                update: state.updates(),
                updates: state.card.spec.updates_in_all(),
                loss,
                terms,
                effective_rank: *rank,
                latent,
                deviation: deviation(&done.latents, latent),
                gradient_norm: done.norm,
                elapsed_secs: course.started.elapsed().as_secs_f64(),
            };
            if on_progress(&report).is_break() && state.card.updates < updates {
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
fn update(course: &Course, state: &mut TrainState, trainees: &mut Trainees) -> Result<Done, TrainError> {
    let (spec, update) = (course.spec, state.card.updates);
    let shards = SHARDS.min(spec.batch.max(1));
    let pass = |shard: u32| {
        let index = u64::from(update) * u64::from(SHARDS) + u64::from(shard);
        let seed = derive_seed(course.context.seed, "batch", index);
        let count = spec.batch / shards + u32::from(shard < spec.batch % shards);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let sequences = course.source.sample(count as usize, spec.unroll as usize, &mut rng);
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

/// What was sensed, evenly spread over the experience, and where the agent was: enough to fit a mean or a linear map.
fn some_rows(experience: &Experience) -> (Vec<f32>, Vec<[f32; 2]>) {
    let length = senses(&experience.layout).len();
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

/// Fit the readouts and put the model together.
fn finish(experience: &Experience, state: TrainState, mut ascents: Vec<Ascent>) -> Model {
    let TrainState { card, mut finished, jepa, .. } = state;
    finished.push(jepa);
    let spec = &card.spec.world_model;
    if !spec.levels.is_empty() {
        climb(&mut ascents, experience, &card.spec, &card.perception, &finished);
    }
    let mut jepas = finished.into_iter();
    let first = jepas.next().unwrap_or_else(|| unreachable!("one is pushed above"));

    let (sensed, positions_m) = some_rows(experience);
    let mut percepts = Vec::new();
    for row in sensed.chunks_exact(card.perception.len()) {
        card.perception.normalise_into(row, &mut percepts);
    }
    let latents = first.encoder.forward(&percepts);
    let readout = Readout::fit(&latents, spec.latent, &positions_m);
    let interoception = first.body.clone().map(|linear| {
        let body = card.perception.body_indices();
        let rows = sensed.chunks_exact(card.perception.len());
        let truth: Vec<f32> = rows.flat_map(|row| body.iter().map(|index| row[*index])).collect();
        let mut interoception = Interoception::new(linear, &card.perception);
        interoception.measure(&latents, &truth);
        Arc::new(interoception)
    });
    let reader = card.reader.as_ref();
    let looking = reader.map(|reader| Looking { reader: reader.clone(), readout: readout.clone() });
    let trainees = Trainees::new(&first);
    let codes = spec.latent_variable.as_ref().map_or(0, |spec| spec.codes);
    let source = Source::First { experience, perception: &card.perception, reader, stride: spec.stride };
    let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(card.seed, "codes", 0));
    let code_shares = match codes {
        0 => vec![],
        _ => {
            let sequences = source.sample(CODE_SEQUENCES, card.spec.unroll as usize, &mut rng);
            latent_variable::shares(&trainees.best_codes(&sequences), codes)
        }
    };
    let clearance = fit_clearance(experience, &card.perception, &first, spec.stride, card.seed).map(Arc::new);
    let predictor = Variants::new(first.predictor, spec.stride * card.action_len, codes, looking.as_ref());
    let above = jepas.zip(&spec.levels).zip(ascents.windows(2)).zip(&card.ranks[1..]);
    let levels = above
        .map(|(((jepa, spec), pair), rank)| Arc::new(pair[1].finish(&pair[0], experience, reader, spec, jepa, *rank)));
    let levels: Vec<Arc<Level>> = levels.collect();
    let card = ModelCard {
        format: FORMAT,
        updates: card.spec.updates_in_all(),
        scenario: card.scenario,
        scenario_hash: card.scenario_hash,
        seed: card.seed,
        frames: card.frames,
        effective_rank: card.ranks[0],
        world_model: card.spec.world_model,
        action_len: card.action_len,
        perception: card.perception,
        map: card.reader,
        levels: levels.iter().map(|level| level.card.clone()).collect(),
        readout,
        code_shares,
        clearance: clearance.as_ref().map(|clearance| clearance.card.clone()),
        interoception: interoception.as_ref().map(|interoception| interoception.card.clone()),
        critic: None,
        policy: None,
        configurator: None,
    };
    Model {
        card,
        encoder: first.encoder,
        predictor,
        levels,
        clearance,
        interoception,
        critic: None,
        policy: None,
        configurator: None,
    }
}

/// From latents to how near what moves came during the prediction before; none where nothing else moves.
fn fit_clearance(
    experience: &Experience,
    perception: &Perception,
    jepa: &Jepa,
    stride: usize,
    seed: u64,
) -> Option<Clearance> {
    let every = experience.frames().div_ceil(FIT_ROWS).max(1);
    let (mut percepts, mut distances, mut index) = (Vec::new(), Vec::new(), 0);
    for episode in &experience.episodes {
        let rows = episode.observations.chunks_exact(perception.len());
        for (row, distance) in rows.zip(least_of_latest(&episode.clearances_m, stride)) {
            if index % every == 0 {
                perception.normalise_into(row, &mut percepts);
                distances.push(distance);
            }
            index += 1;
        }
    }
    let latents = jepa.encoder.forward(&percepts);
    Clearance::fit(&latents, jepa.encoder.outputs(), &distances, derive_seed(seed, "clearance", 0))
}
