//! What can go wrong in a run, and whose doing it is. Read first: [`Error`].

use crate::scenario::ScenarioErrors;
use forethought_energy::gallery::GalleryError;
use forethought_mind::{
    MindError, ModelError,
    training::{ForesightError, TrainError},
};
use forethought_world::WorldError;
use std::path::{Path, PathBuf};

/// Why a run did not start or did not finish.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The scenario file has problems.
    #[error("{0}")]
    Scenario(ScenarioErrors),
    /// One episode of a scenario cannot be drawn.
    #[error("episode {episode} of {scenario} cannot be drawn: {problem}")]
    Draw {
        /// The scenario's name.
        scenario: String,
        /// The episode's number.
        episode: u64,
        /// What is wrong.
        problem: String,
    },
    /// No scenario of that name or path.
    #[error("there is no scenario `{wanted}`: {hint}")]
    NoScenario {
        /// What was asked for.
        wanted: String,
        /// Where it was looked for, and what there is.
        hint: String,
    },
    /// A model file cannot be used.
    #[error("{0}")]
    Model(ModelError),
    /// There is no model to probe.
    #[error(
        "`{scenario}` names no model: give --model FILE, or make one with `forethought train {scenario} --out MODEL.safetensors`"
    )]
    NoModel {
        /// The scenario's name.
        scenario: String,
    },
    /// A model file cannot be written.
    #[error("{0}")]
    SaveModel(ModelError),
    /// The model and the agent do not fit, or the agent has none.
    #[error("agent `{agent}` cannot think: {source}")]
    Mind {
        /// The agent's name.
        agent: String,
        /// Why.
        source: MindError,
    },
    /// `--out` holds something already.
    #[error("{path} is not empty: give another --out, or --resume to go on with the run that is there", path = .0.display())]
    OutNotEmpty(PathBuf),
    /// `--out` holds another run.
    #[error("{path} holds another run: {differences}; give another --out, or the same arguments", path = path.display())]
    OtherRun {
        /// The directory or file.
        path: PathBuf,
        /// What differs.
        differences: String,
    },
    /// A file of an earlier run cannot be read back.
    #[error("{path} is damaged: {problem}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Several scenarios cannot train one model.
    #[error("`{first}` and `{other}` cannot train one model: {reason}")]
    Unequal {
        /// A scenario's name.
        first: String,
        /// Another's.
        other: String,
        /// What differs.
        reason: String,
    },
    /// There is nothing to go on with.
    #[error("{0}")]
    Resume(String),
    /// It was stopped before there was anything to keep.
    #[error("stopped {0}")]
    Stopped(&'static str),
    /// The scenario says nothing of practice.
    #[error("the scenario {0} does not say how to practise: give it `training: (practice: ())`, or leave out --from")]
    NoPractice(String),
    /// No agent can go on learning.
    #[error("the agents of {scenario} cannot learn while they live: {reason}; leave out --learn")]
    CannotLearn {
        /// The scenario's name.
        scenario: String,
        /// Why not.
        reason: String,
    },
    /// What is learnt would replace what it was learnt from.
    #[error("--learn would write over {path}, which the run begins with: name another file", path = .0.display())]
    LearnOver(PathBuf),
    /// That is no model file.
    #[error("--learn keeps what is learnt in a file that ends in .safetensors, not in {path}: name one, or write --learn after the scenario", path = .0.display())]
    LearnWhere(PathBuf),
    /// That is no film and no picture.
    #[error(
        "--record makes a film where the file ends in .gif and one picture where it ends in .png, not {path}: name one of those, such as {better}",
        path = path.display(), better = path.with_extension("gif").display()
    )]
    RecordWhere {
        /// What was asked for.
        path: PathBuf,
    },
    /// Each episode depends on what was learnt in all those before it.
    #[error(
        "a batch that learns cannot be gone on with by --resume, for each of its episodes depends on all before it: leave out --resume, and --learn FILE goes on from the model that is kept there"
    )]
    LearnResume,
    /// An agent cannot do that.
    #[error(
        "the action of agent `{agent}` cannot be done: {problem}; give it values in [-1, 1], one for each of its actuator's"
    )]
    Action {
        /// The agent's name.
        agent: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no episode to go on with.
    #[error("no episode is under way: begin one before stepping, and another after each that has ended")]
    NoEpisode,
    /// The same for its parts.
    #[error(
        "a batch that learns cannot be run in parts, for each of its episodes depends on all before it: leave out --learn, or run it as one"
    )]
    LearnShard,
    /// The predictor cannot go on learning from lives.
    #[error("training.practice.foresight of {scenario}: {source}")]
    Foresight {
        /// The scenario's name.
        scenario: String,
        /// Why.
        source: ForesightError,
    },
    /// There are no tasks to choose among, or to learn about.
    #[error("no tasks for {scenario}: {problem}")]
    NoTasks {
        /// The scenario's name.
        scenario: String,
        /// What is missing, and what to do.
        problem: &'static str,
    },
    /// There is no such entry of the gallery.
    #[error("there is no `{wanted}` in the gallery{hint}")]
    NoEntry {
        /// What was asked for.
        wanted: String,
        /// What there is.
        hint: String,
    },
    /// An entry of the gallery cannot begin, or go on.
    #[error("{0}")]
    Gallery(#[from] GalleryError),
    /// The disk or the system refused.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Why it did not work.
        source: std::io::Error,
    },
    /// Results cannot be written; those before are kept.
    #[error("cannot write {path}: {source}; what had ended before is kept: make room, then go on with --resume", path = path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
        /// Why it did not work.
        source: std::io::Error,
    },
    /// The table of episodes cannot be written.
    #[error("cannot write the table of episodes: {0}; the episodes are kept: make room, then go on with --resume")]
    Table(std::io::Error),
    /// Another process writes to `--out`.
    #[error("{path} is being written to by another process: wait for it, or give another --out", path = .0.display())]
    InUse(PathBuf),
    /// A folder is not one of a batch.
    #[error("{path} holds no batch, for it has no manifest.json: name the folder of one", path = .0.display())]
    NoBatch(PathBuf),
    /// A folder is not one of a dataset.
    #[error("{path} holds no dataset, for it has no manifest.json: name the folder of one, as `forethought collect` makes them", path = .0.display())]
    NoDataset(PathBuf),
    /// A dataset was not collected to its end.
    #[error("{path} is not complete: the same `forethought collect` with --resume goes on with it", path = .0.display())]
    DatasetUnfinished(PathBuf),
    /// A dataset is of another kind of agent.
    #[error("{path} is no dataset for the scenario {scenario}: {difference}; collect one with this scenario", path = path.display())]
    OtherDataset {
        /// The dataset's folder.
        path: PathBuf,
        /// The scenario's name.
        scenario: String,
        /// What differs.
        difference: String,
    },
    /// Two batches have nothing in common.
    #[error("{} and {} have no episode with the same seed: compare batches that began with the same --seed", paths[0].display(), paths[1].display())]
    NoPairs {
        /// Their folders.
        paths: [PathBuf; 2],
    },
    /// A sweep file cannot be read.
    #[error("{path} is no sweep: {problem}", path = path.display())]
    Sweep {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The world or a mind failed during an episode.
    #[error("{0}")]
    World(#[from] WorldError),
    /// The world failed during a training episode.
    #[error("training episode {episode} went wrong: {source}")]
    Exploration {
        /// The episode's number.
        episode: u64,
        /// Why.
        source: WorldError,
    },
    /// Training failed.
    #[error("{0}")]
    Train(#[from] TrainError),
    /// The window cannot be opened.
    #[cfg(feature = "view")]
    #[error("{0}")]
    View(#[from] forethought_view::ViewError),
    /// A worker thread could not be started, or ended early.
    #[error("a worker failed: {0}")]
    Worker(String),
}

impl Error {
    /// True where the input was bad (exit status 2), false where the run failed (exit status 1).
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Io { .. }
            | Self::NotKept { .. }
            | Self::Table(_)
            | Self::InUse(_)
            | Self::SaveModel(_)
            | Self::Worker(_)
            | Self::Stopped(_) => false,
            Self::World(_) | Self::Exploration { .. } => false,
            Self::Train(TrainError::Diverged { .. } | TrainError::Worker(_)) => false,
            Self::Foresight { source: ForesightError::Diverged { .. }, .. } => false,
            Self::Gallery(GalleryError::Diverged { .. }) => false,
            #[cfg(feature = "view")]
            Self::View(_) => false,
            _ => true,
        }
    }

    /// An [`Error::Io`] for `map_err`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
