//! Learning while living (`--learn`): which agents of a scenario learn, and what they learnt on disk. Read first:
//! [`Setup::learn`] and [`LearningRun`].

use crate::{
    episode::hex,
    error::Error,
    files::{make_folder, write_whole},
    setup::{Setup, named_file},
};
use forethought_interface::Think;
use forethought_mind::{
    Mind, Model,
    learning::{JudgedBy, Learning, LearningOptions, Living, Pace, Report, Verdict},
};
use serde::Serialize;
use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use xxhash_rust::xxh3::xxh3_64;

/// How the agents of a run learn, and where that is kept.
#[derive(Debug, Clone)]
pub struct LearnOptions {
    /// The model file to keep what is learnt in. Where it is there already, learning goes on from it.
    pub out: PathBuf,
    /// Begin with this model instead, which the user named.
    pub model: Option<PathBuf>,
    /// Threads that learn.
    pub threads: usize,
    /// Whether the agents wait for what is learnt.
    pub pace: Pace,
}

/// What came of learning: a part of the summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LearningSummary {
    /// The model that was learnt.
    pub kept: PathBuf,
    /// The log: a line for each synchronisation.
    pub log: PathBuf,
    /// Times that something was learnt and measured.
    pub synchronisations: u64,
    /// Of these, how often a part of it was taken up.
    pub taken_up: u64,
    /// How often a part of it did worse on what was held out, and was dropped.
    pub rolled_back: u64,
    /// How often the agent did clearly worse than before, and went back.
    pub went_back: u64,
}

/// The learning of a run. The first agent with a model leads: it is its life that is learnt from. Others with the same model take
/// up what it learns, those with another live on with that.
pub struct LearningRun {
    learning: Arc<Mutex<Learning>>,
    /// The agent that leads.
    leader: usize,
    /// What the scenario's agents that learn began with.
    taught: Arc<Model>,
    /// A hash of what they really begin with, in hexadecimal.
    begins_with: String,
    files: Arc<Mutex<Files>>,
}

/// Where it is kept, and what there is so far.
struct Files {
    summary: LearningSummary,
    problem: Option<Error>,
}

impl Setup {
    /// Let this setup's agents learn while they live.
    ///
    /// # Errors
    /// Where no agent has a model that can go on learning, or the place may not be written to or holds another model.
    pub fn learn(&mut self, options: &LearnOptions) -> Result<(), Error> {
        let leader = self.models().iter().position(Option::is_some);
        let Some((leader, taught)) = leader.and_then(|leader| Some((leader, self.models()[leader].clone()?))) else {
            return Err(self.cannot_learn("none of its agents plans with a model"));
        };
        if let Some(does) = Learning::obstacle(&taught) {
            return Err(self.cannot_learn(&format!("its model's predictor {does}, which a memory does not hold")));
        }
        let agents = &self.loaded.scenario.agents;
        let named = agents.iter().filter_map(|agent| named_file(&self.loaded, agent, None));
        if let Some(file) = named.chain(options.model.clone()).find(|file| same_file(file, &options.out)) {
            return Err(Error::LearnOver(file));
        }
        let goes_on = options.out.exists() && options.model.is_none();
        let present = if goes_on { self.kept_before(leader, &options.out)? } else { taught.clone() };
        let files = Files::open(&options.out, goes_on)?;
        let files = Arc::new(Mutex::new(files));
        let keeping = files.clone();
        let training = &self.loaded.scenario.training;
        let judged_by =
            if self.loaded.scenario.episode.success.is_empty() { JudgedBy::Cost } else { JudgedBy::Success };
        let learning = LearningOptions {
            spec: training.learn.clone(),
            seed: self.seed,
            threads: options.threads,
            pace: options.pace,
            judged_by,
            drives: self.needs_of(leader)?,
            optimism: training.practice.clone().unwrap_or_default().critic.optimism,
        };
        let begins_with = if goes_on { hash_of(&options.out)? } else { hex(self.model_hash) };
        let on_report = Box::new(move |report: &Report, model: &Model| locked(&keeping).keep(report, model));
        let learning = Learning::begin(present, taught.clone(), learning, on_report)
            .map_err(|error| Error::Worker(error.to_string()))?;
        let learning = Arc::new(Mutex::new(learning));
        self.learning = Some(Arc::new(LearningRun { learning, leader, taught, begins_with, files }));
        Ok(())
    }

    /// The model that was learnt before.
    fn kept_before(&self, leader: usize, out: &Path) -> Result<Arc<Model>, Error> {
        let model = Arc::new(Model::load(out).map_err(Error::Model)?);
        self.fits(leader, &model)?;
        tracing::warn!("going on from {}, which was learnt before; --model FILE begins with another", out.display());
        Ok(model)
    }

    fn cannot_learn(&self, reason: &str) -> Error {
        Error::CannotLearn { scenario: self.name().to_owned(), reason: reason.to_owned() }
    }
}

impl LearningRun {
    /// Whether the agents that began with this model learn.
    pub(crate) fn teaches(&self, model: Option<&Arc<Model>>) -> bool {
        model.is_some_and(|model| Arc::ptr_eq(model, &self.taught))
    }

    /// What they live with now.
    #[must_use]
    pub fn model(&self) -> Arc<Model> {
        locked(&self.learning).model().clone()
    }

    /// A mind of agent `agent` that lives with what is learnt.
    pub(crate) fn seat(&self, mind: Mind, agent: usize) -> Box<dyn Think> {
        Box::new(Living::new(mind, self.learning.clone(), agent == self.leader))
    }

    /// An episode has ended.
    pub fn ended(&self, success: bool) {
        locked(&self.learning).ended(success);
    }

    /// A hash of the model that it begins with, in hexadecimal.
    #[must_use]
    pub fn begins_with(&self) -> &str {
        &self.begins_with
    }

    /// What it has come to so far.
    #[must_use]
    pub fn summary(&self) -> LearningSummary {
        locked(&self.files).summary.clone()
    }

    /// No more will be lived: take up what is being learnt, and keep it.
    ///
    /// # Errors
    /// Where the thread that learns has failed, or something could not be kept.
    pub fn finish(&self) -> Result<(), Error> {
        let mut learning = locked(&self.learning);
        let finished = learning.finish();
        let mut files = locked(&self.files);
        if let Some(problem) = files.problem.take() {
            return Err(problem);
        }
        learning.model().save(&files.summary.kept).map_err(Error::SaveModel)?;
        finished.map_err(|error| Error::Worker(error.to_string()))
    }
}

impl Files {
    /// See that the place can be written to, before anything is lived.
    fn open(out: &Path, goes_on: bool) -> Result<Self, Error> {
        make_folder(out.parent().unwrap_or(Path::new(".")))?;
        let log = out.with_extension("learn.jsonl");
        if !goes_on {
            write_whole(&log, b"")?;
        }
        OpenOptions::new().create(true).append(true).open(&log).map_err(Error::io("write", &log))?;
        let summary = LearningSummary { kept: out.to_owned(), log, ..LearningSummary::default() };
        Ok(Self { summary, problem: None })
    }

    /// Keep what a synchronisation came to; what goes wrong is told at the end.
    fn keep(&mut self, report: &Report, model: &Model) {
        let changed = report.taken_up() || report.went_back;
        let verdicts = [&report.prediction, &report.critic, &report.policy];
        let rolled_back = verdicts.iter().any(|verdict| verdict.is_some_and(|verdict| !verdict.taken_up));
        self.summary.synchronisations += 1;
        self.summary.taken_up += u64::from(report.taken_up());
        self.summary.rolled_back += u64::from(rolled_back);
        self.summary.went_back += u64::from(report.went_back);
        tell(report);
        let kept = self.write(report, changed.then_some(model));
        if let Err(problem) = kept
            && self.problem.is_none()
        {
            tracing::warn!("{problem}; it will be tried again at the next synchronisation");
            self.problem = Some(problem);
        }
    }

    fn write(&self, report: &Report, model: Option<&Model>) -> Result<(), Error> {
        if let Some(model) = model {
            model.save(&self.summary.kept).map_err(Error::SaveModel)?;
        }
        let line = serde_json::to_string(report).unwrap_or_default() + "\n";
        let log = &self.summary.log;
        let file = OpenOptions::new().create(true).append(true).open(log);
        file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(Error::io("write", log))
    }
}

/// Tell people of a synchronisation.
fn tell(report: &Report) {
    let Report { synchronisation, steps, .. } = report;
    if report.went_back {
        tracing::warn!(
            "after {steps} control steps the agent did clearly worse than before ({:.2}, not {:.2}): it goes back to the model that it had then",
            report.standing.mean,
            report.best.map_or(0.0, |best| best.mean),
        );
    }
    if let Some(problem) = &report.problem {
        tracing::info!("synchronisation {synchronisation}: the predictor has learnt nothing: {problem}");
    }
    for (part, verdict) in [("predictor", report.prediction), ("critic", report.critic), ("policy", report.policy)] {
        let Some(verdict) = verdict else { continue };
        let decided = match (verdict.taken_up, verdict.returned) {
            (_, true) => "taken back to what it was at first",
            (true, _) => "taken up",
            _ => "rolled back",
        };
        let Verdict { before, after, original, .. } = verdict;
        tracing::info!(
            "synchronisation {synchronisation}: {part} {decided}: error {before:.4} before, {after:.4} after, {original:.4} at first"
        );
    }
}

/// What is written is whole even where somebody panicked who held it.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn same_file(left: &Path, right: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    left == right || real(left).is_some_and(|left| real(right) == Some(left))
}

fn hash_of(file: &Path) -> Result<String, Error> {
    Ok(hex(xxh3_64(&std::fs::read(file).map_err(Error::io("read", file))?)))
}
