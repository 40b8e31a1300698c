//! From scenarios to a trained model: collect experience, learn from it, keep what was learnt. Read first: [`train`].

use crate::{
    configuring,
    dataset::read_experience,
    error::Error,
    experience::{self, ExperienceOptions},
    files::{make_folder, write_whole},
    practice,
    progress::Progress,
    setup::Setup,
    stop::Stop,
    tracking::EventFile,
};
use forethought_mind::{
    Model,
    configurator::TaskCalibration,
    cost::critic::Calibration,
    training::{self, Experience, PracticeSpec, TrainContext, TrainOutcome, TrainProgress, TrainState, TrainingSpec},
};
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// Below this share of the latent's width, the effective rank tells of collapse.
const COLLAPSED: f32 = 0.1;

/// Below this standard deviation, the latents have collapsed to a point.
const TO_A_POINT: f32 = 1e-2;

/// How often the state of a training is kept on disk.
const KEEP_EVERY: Duration = Duration::from_secs(60);

/// How to train, and where to keep the model.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// The model file to write.
    pub out: PathBuf,
    /// Where all of the run's randomness comes from.
    pub seed: u64,
    /// Threads.
    pub jobs: usize,
    /// Go on with a training that was stopped.
    pub resume: bool,
    /// Gradient updates, in place of the scenario's.
    pub updates: Option<u32>,
    /// Episodes of exploration, in place of the scenario's.
    pub episodes: Option<u32>,
    /// Lives of each round of practice, in place of the scenario's; with 0 the agent does not practise.
    pub lives: Option<u32>,
    /// Datasets to learn from, in place of exploring.
    pub data: Vec<PathBuf>,
    /// A folder for TensorBoard's event files.
    pub tensorboard: Option<PathBuf>,
    /// A model whose world model is kept: the agent only practises with it.
    pub from: Option<PathBuf>,
    /// The only part of that model that is learnt, where not all that practice teaches.
    pub only: Option<Only>,
}

/// A part of a model that can be learnt by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Which task to be at.
    Configurator,
}

/// What a training came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TrainSummary {
    /// The scenario's name; several are joined by `+`.
    pub scenario: String,
    /// The run's seed.
    pub seed: u64,
    /// Episodes of exploration.
    pub episodes: usize,
    /// Control steps of exploration.
    pub frames: usize,
    /// True where the model is finished, false where the training was stopped.
    pub finished: bool,
    /// The model file, or the file to go on from.
    pub out: PathBuf,
    /// The training's log.
    pub log: PathBuf,
    /// Seconds of wall clock of this call: the exploration.
    pub collect_secs: f64,
    /// Seconds of wall clock of this call: the learning.
    pub train_secs: f64,
    /// The latest progress.
    pub latest: Option<TrainProgress>,
    /// Seconds of wall clock of this call: living and learning from it.
    pub practice_secs: f64,
    /// How well the critic's estimates agree with what came.
    pub calibration: Vec<Calibration>,
    /// The share of Mode-2's plans' variance that the policy explains.
    pub policy_r2: Option<f32>,
    /// How well the learned configurator's estimates agree with what came, task by task.
    pub tasks: Vec<TaskCalibration>,
    /// How well positions are read out of the finished model's latents: R² of x and y.
    pub readout_r2: Option<[f32; 2]>,
}

/// Train one model on the experience of these setups, all of them with the random actor.
///
/// # Errors
/// Where the setups' agents differ, the learning diverges or the files cannot be written.
pub fn train(setups: &[Arc<Setup>], options: &TrainOptions, stop: &Stop) -> Result<TrainSummary, Error> {
    if spec(setups, options).practice.is_some_and(|practice| practice.configurator.is_some()) {
        configuring::check(&setups[0])?;
    }
    let summary = match &options.from {
        Some(from) => practise_only(setups, options, from, stop),
        None => train_all(setups, options, stop),
    }?;
    if let (Some(folder), true) = (&options.tensorboard, summary.finished) {
        let step = summary.latest.as_ref().map_or(0, |latest| u64::from(latest.update));
        EventFile::begin(folder, step + 1)?
            .scalars(step, summary.scalars().iter().map(|(tag, value)| (&tag[..], *value)))?;
    }
    Ok(summary)
}

/// Explore, learn and practise.
fn train_all(setups: &[Arc<Setup>], options: &TrainOptions, stop: &Stop) -> Result<TrainSummary, Error> {
    let files = Files::beside(&options.out);
    let (mut spec, context) = (spec(setups, options), context(setups, options));
    let state = files.open(options)?;

    let started = Instant::now();
    let experience = if options.data.is_empty() {
        collect(setups, &spec, options, stop)?.ok_or(Error::Stopped("while exploring: there is nothing to keep yet"))?
    } else {
        read(setups, &mut spec, &options.data)?
    };
    let collect_secs = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let mut log = Log::open(&files.log, options.tensorboard.as_deref(), &spec, state.as_ref())?;
    let model = learn(&experience, &spec, &context, state, &files, &mut log, stop)?;
    let train_secs = started.elapsed().as_secs_f64();
    let (episodes, frames) = (experience.episodes.len(), experience.frames());
    drop(experience);

    let started = Instant::now();
    let model = match (model, &spec.practice) {
        (Some(model), Some(practice)) => Some(practise(setups, *model, practice, options, stop)?),
        (model, _) => model.map(|model| *model),
    };
    Ok(TrainSummary {
        scenario: context.scenario,
        seed: options.seed,
        episodes,
        frames,
        finished: model.is_some(),
        out: if model.is_some() { files.model } else { files.partial },
        log: files.log,
        collect_secs,
        train_secs,
        latest: log.end(),
        practice_secs: started.elapsed().as_secs_f64(),
        ..of_model(model.as_ref())
    })
}

impl TrainSummary {
    /// What the finished model is worth, by TensorBoard's tags.
    fn scalars(&self) -> Vec<(String, f64)> {
        let axes = ["readout/r2_x", "readout/r2_y"].into_iter().zip(self.readout_r2.iter().flatten());
        let mut scalars: Vec<(String, f64)> = axes.map(|(tag, r2)| (tag.to_owned(), f64::from(*r2))).collect();
        let own = |kind: &str, name: &str, r2: f32, bias: f32| {
            [(format!("{kind}/{name}/r2"), f64::from(r2)), (format!("{kind}/{name}/bias"), f64::from(bias))]
        };
        scalars.extend(self.calibration.iter().flat_map(|of| own("critic", &of.drive, of.r2, of.bias)));
        scalars.extend(self.tasks.iter().flat_map(|of| own("task", &of.task, of.r2, of.bias)));
        scalars.extend(self.policy_r2.map(|r2| ("policy/r2".to_owned(), f64::from(r2))));
        scalars
    }
}

/// What a summary says of a model.
fn of_model(model: Option<&Model>) -> TrainSummary {
    TrainSummary {
        calibration: model.and_then(Model::critic).map_or_else(Vec::new, |critic| critic.card().calibration.clone()),
        policy_r2: model.and_then(Model::policy).map(|policy| policy.card().r2),
        tasks: model.and_then(Model::configurator).map_or_else(Vec::new, |own| own.card().calibration.clone()),
        readout_r2: model.map(|model| model.card().readout.r2),
        ..TrainSummary::default()
    }
}

/// Practise with the world model of another training.
fn practise_only(
    setups: &[Arc<Setup>],
    options: &TrainOptions,
    from: &Path,
    stop: &Stop,
) -> Result<TrainSummary, Error> {
    let spec = spec(setups, options);
    let Some(practice) = &spec.practice else {
        return Err(Error::NoPractice(setups[0].name().to_owned()));
    };
    if options.only == Some(Only::Configurator) && practice.configurator.is_none() {
        let problem =
            "it does not say how: give it `training: (practice: (configurator: ()))`, and lives to learn from";
        return Err(Error::NoTasks { scenario: setups[0].name().to_owned(), problem });
    }
    make_folder(options.out.parent().unwrap_or(Path::new(".")))?;
    let started = Instant::now();
    let model = practise(setups, Model::load(from).map_err(Error::Model)?, practice, options, stop)?;
    Ok(TrainSummary {
        scenario: context(setups, options).scenario,
        seed: options.seed,
        finished: true,
        out: options.out.clone(),
        log: options.out.with_extension("log.jsonl"),
        practice_secs: started.elapsed().as_secs_f64(),
        ..of_model(Some(&model))
    })
}

/// Practise, and keep what comes of it.
fn practise(
    setups: &[Arc<Setup>],
    model: Model,
    spec: &PracticeSpec,
    options: &TrainOptions,
    stop: &Stop,
) -> Result<Model, Error> {
    let mut model = model;
    if options.only.is_none() {
        let practised = practice::practise(&setups[0], model, spec, options.jobs, stop)?;
        model = practised.ok_or(Error::Stopped(
            "while practising; a world model that was trained before is kept, and --from goes on with it",
        ))?;
        model.save(&options.out).map_err(Error::SaveModel)?;
    }
    if let Some(tasks) = &spec.configurator {
        let learnt = configuring::learn_tasks(&setups[0], model, (spec, tasks), options.jobs, stop)?;
        model = learnt.ok_or(Error::Stopped(
            "while trying tasks; what was learnt before is kept, and --from with --only configurator goes on with it",
        ))?;
        model.save(&options.out).map_err(Error::SaveModel)?;
    }
    Ok(model)
}

/// Learn to the end, or until a stop is requested; now and then keep the state, so that a power cut costs a minute.
fn learn(
    experience: &Experience,
    spec: &TrainingSpec,
    context: &TrainContext,
    mut state: Option<TrainState>,
    files: &Files,
    log: &mut Log,
    stop: &Stop,
) -> Result<Option<Box<Model>>, Error> {
    loop {
        let keep_at = Instant::now() + KEEP_EVERY;
        let mut logged = Ok(());
        let mut on_progress = |progress: &TrainProgress| {
            logged = log.write(progress);
            let pause = stop.requested() || logged.is_err() || Instant::now() >= keep_at;
            if pause { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // A stopped training goes on to the same bits, so pausing to keep its state changes nothing.
        match training::train(experience, spec, context, state.take(), &mut on_progress)? {
            TrainOutcome::Finished(model) => {
                files.keep_model(&model)?;
                return logged.map(|()| Some(model));
            }
            TrainOutcome::Stopped(stopped) => {
                files.keep_state(&stopped)?;
                logged?;
                if stop.requested() {
                    return Ok(None);
                }
                state = Some(*stopped);
            }
        }
    }
}

/// What the first scenario says of training, with what the user said instead.
fn spec(setups: &[Arc<Setup>], options: &TrainOptions) -> TrainingSpec {
    let mut spec = setups[0].loaded.scenario.training.clone();
    spec.updates = options.updates.unwrap_or(spec.updates);
    spec.episodes = options.episodes.unwrap_or(spec.episodes);
    if let (Some(practice), Some(lives)) = (&mut spec.practice, options.lives) {
        practice.set_lives(lives);
        practice.configurator.iter_mut().for_each(|tasks| tasks.lives = lives);
    }
    spec.practice = spec.practice.filter(|practice| practice.lives > 0);
    if let Some(practice) = &mut spec.practice {
        practice.configurator = practice.configurator.take().filter(|tasks| tasks.lives > 0 && tasks.rounds > 0);
    }
    spec
}

fn context(setups: &[Arc<Setup>], options: &TrainOptions) -> TrainContext {
    let names: Vec<&str> = setups.iter().map(|setup| setup.name()).collect();
    // One scenario's hash is its own; several are folded into one.
    let hash = setups.iter().skip(1).fold(setups[0].loaded.hash, |hash, setup| hash.rotate_left(7) ^ setup.loaded.hash);
    TrainContext { scenario: names.join("+"), scenario_hash: hash, seed: options.seed, jobs: options.jobs }
}

/// The experience of all setups, or `None` where a stop was requested first.
fn collect(
    setups: &[Arc<Setup>],
    spec: &TrainingSpec,
    options: &TrainOptions,
    stop: &Stop,
) -> Result<Option<Experience>, Error> {
    let collecting = ExperienceOptions { episodes: u64::from(spec.episodes), steps: spec.steps, jobs: options.jobs };
    let mut all: Option<Experience> = None;
    for setup in setups {
        let progress = Progress::begin(&format!("exploring {}", setup.name()), collecting.episodes);
        let Some(more) = experience::collect(setup, &collecting, stop, progress)? else { return Ok(None) };
        match &mut all {
            None => all = Some(more),
            Some(all)
                if all.layout == more.layout && all.action_len == more.action_len && all.recalls == more.recalls =>
            {
                all.episodes.extend(more.episodes);
            }
            Some(_) => {
                return Err(Error::Unequal {
                    first: setups[0].name().to_owned(),
                    other: setup.name().to_owned(),
                    reason: "their agents sense, remember or act differently; train each by itself".into(),
                });
            }
        }
    }
    Ok(all)
}

/// The experience of all datasets; how much there is of it is said as exploring it would have been.
fn read(setups: &[Arc<Setup>], spec: &mut TrainingSpec, folders: &[PathBuf]) -> Result<Experience, Error> {
    let mut progress = Progress::begin("reading datasets", folders.len() as u64);
    let mut all: Option<Experience> = None;
    for (folder, done) in folders.iter().zip(1..) {
        let (card, more) = read_experience(folder, setups)?;
        if let Some(steps) = card.explores {
            (spec.episodes, spec.steps) = (u32::try_from(card.episodes).unwrap_or(u32::MAX), steps);
        }
        match &mut all {
            None => all = Some(more),
            Some(all) => all.episodes.extend(more.episodes),
        }
        progress.set(done, "");
    }
    progress.end();
    let mut all = all.ok_or(Error::Stopped("without any dataset: give --data DIR"))?;
    let (trajectories, span) = (all.episodes.len(), spec.span());
    let short = all.leave_out_short(span);
    if short > 0 {
        tracing::warn!(
            "{short} of {trajectories} trajectories are shorter than the {span} control steps that are trained on at once, and left out"
        );
    }
    Ok(all)
}

/// The model file and those beside it.
struct Files {
    model: PathBuf,
    log: PathBuf,
    partial: PathBuf,
}

impl Files {
    fn beside(model: &Path) -> Self {
        Self {
            model: model.to_owned(),
            log: model.with_extension("log.jsonl"),
            partial: model.with_extension("partial"),
        }
    }

    /// See that the place can be written to, before minutes are spent; read the state to go on from, if asked for.
    fn open(&self, options: &TrainOptions) -> Result<Option<TrainState>, Error> {
        make_folder(self.model.parent().unwrap_or(Path::new(".")))?;
        OpenOptions::new().create(true).append(true).open(&self.log).map_err(Error::io("write", &self.log))?;
        if options.resume && self.partial.exists() {
            return TrainState::load(&self.partial).map(Some).map_err(Error::Model);
        }
        if options.resume && self.model.exists() {
            let model = self.model.display();
            return Err(Error::Resume(format!("{model} is finished: leave out --resume to train it anew")));
        }
        Ok(None)
    }

    fn keep_model(&self, model: &Model) -> Result<(), Error> {
        model.save(&self.model).map_err(Error::SaveModel)?;
        if self.partial.exists() {
            fs::remove_file(&self.partial).map_err(Error::io("remove", &self.partial))?;
        }
        Ok(())
    }

    fn keep_state(&self, state: &TrainState) -> Result<(), Error> {
        state.save(&self.partial).map_err(Error::SaveModel)
    }
}

/// The training's log, a line for each report, its progress bar, and TensorBoard's event file where one is wanted.
struct Log {
    path: PathBuf,
    file: File,
    events: Option<EventFile>,
    progress: Progress,
    started: Instant,
    warned: bool,
    latest: Option<TrainProgress>,
}

impl Log {
    /// Open the log; what it says of updates after `state` is forgotten, as they will be made again.
    fn open(
        path: &Path,
        tensorboard: Option<&Path>,
        spec: &TrainingSpec,
        state: Option<&TrainState>,
    ) -> Result<Self, Error> {
        let done = state.map_or(0, TrainState::updates);
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        let update = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?.get("update")?.as_u64();
        let kept = |line: &&str| update(line).is_some_and(|update| update <= u64::from(done));
        let lines: String = text.lines().filter(kept).map(|line| format!("{line}\n")).collect();
        write_whole(path, lines.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path).map_err(Error::io("open", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            events: tensorboard.map(|folder| EventFile::begin(folder, u64::from(done) + 1)).transpose()?,
            progress: Progress::begin("training", u64::from(spec.updates_in_all())),
            started: Instant::now(),
            warned: false,
            latest: None,
        })
    }

    fn write(&mut self, progress: &TrainProgress) -> Result<(), Error> {
        let progress = TrainProgress { elapsed_secs: self.started.elapsed().as_secs_f64(), ..progress.clone() };
        let rank = format!("effective rank {:.1} of {}", progress.effective_rank, progress.latent);
        let prediction = progress.terms.get("prediction").unwrap_or_default();
        let message = format!("loss {:.4}, prediction {prediction:.4}, {rank}", progress.loss);
        self.progress.set(u64::from(progress.update), &message);
        if collapsed(&progress) && !self.warned {
            self.warned = true;
            let deviation = progress.deviation;
            self.progress.note(&format!(
                "warning: the latents are collapsing ({rank}, standard deviation {deviation:.2e}): raise the weights of \
                 training.objective, or lower training.loss.temporal_similarity or training.learning_rate"
            ));
        }
        if let Some(events) = &mut self.events {
            let scalars = scalars(&progress);
            events.scalars(progress.update.into(), scalars.iter().map(|(tag, value)| (&tag[..], f64::from(*value))))?;
        }
        let line = serde_json::to_string(&progress).unwrap_or_default() + "\n";
        self.latest = Some(progress);
        self.file.write_all(line.as_bytes()).map_err(Error::io("write", &self.path))
    }

    fn end(self) -> Option<TrainProgress> {
        self.progress.end();
        self.latest
    }
}

/// How a training goes, by TensorBoard's tags: those of levels above the first begin with the level.
fn scalars(progress: &TrainProgress) -> Vec<(String, f32)> {
    let TrainProgress { level, loss, terms, effective_rank, deviation, gradient_norm, .. } = progress;
    let level = if *level == 1 { String::new() } else { format!("level_{level}/") };
    let own = [
        ("loss", loss),
        ("effective_rank", effective_rank),
        ("deviation", deviation),
        ("gradient_norm", gradient_norm),
    ];
    let own = own.into_iter().map(|(tag, value)| (format!("{level}{tag}"), *value));
    own.chain(terms.0.iter().map(|(term, value)| (format!("{level}terms/{term}"), *value))).collect()
}

/// Whether the latents all say the same. The first updates of a fresh network tell little.
#[expect(clippy::cast_precision_loss, reason = "a latent has far fewer than 2^24 values")]
fn collapsed(progress: &TrainProgress) -> bool {
    progress.update > 200
        && (progress.effective_rank < COLLAPSED * progress.latent as f32 || progress.deviation < TO_A_POINT)
}
