//! What a dataset's folder says of itself. Read first: [`Card`], which is `manifest.json`, then [`DatasetSummary`].

use super::{collect::CollectOptions, column::Column, recorder::Schema};
use crate::{
    batch::{Manifest, Provenance, differing},
    episode::{Ending, EpisodeResult},
    error::Error,
    setup::Setup,
};
use forethought_interface::{FactorValues, ObservationLayout};
use serde::{Deserialize, Serialize};
use std::{
    fmt, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The card of a dataset.
pub const MANIFEST: &str = "manifest.json";
/// What was collected; it is there once all of it is.
pub const SUMMARY: &str = "summary.json";

/// How trajectories are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataFormat {
    /// A table of moments: `trajectories.parquet`.
    Parquet,
    /// A file of columns as stable-worldmodel reads it: `trajectories.h5`.
    Hdf5,
}

impl DataFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Parquet, Self::Hdf5];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Hdf5 => "hdf5",
        }
    }

    /// The file's name in a dataset's folder.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Parquet => "trajectories.parquet",
            Self::Hdf5 => "trajectories.h5",
        }
    }
}

/// `manifest.json`: what is collected, and each call that collected a part of it. All but the calls must be the same to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Scenario, model, actor and seed.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Control steps of each walk, where agents walk about as `train` lets them; none where they live episodes of a batch.
    pub explores: Option<u32>,
    /// The first episode's number.
    pub first: u64,
    /// Episodes from there on.
    pub episodes: u64,
    /// Width and height of frames in pixels; none without any.
    pub frames: Option<[u16; 2]>,
    /// The formats.
    pub formats: Vec<DataFormat>,
    /// What an observation holds.
    pub layout: ObservationLayout,
    /// How many values an action has.
    pub action_len: usize,
    /// The scents that were completed from memory in all observations.
    pub recalls: Vec<String>,
    /// Width and height of the arena in metres.
    pub arena_m: [f32; 2],
    /// What a row holds.
    pub columns: Vec<Column>,
    /// The calls, the first one first.
    pub calls: Vec<Provenance>,
}

impl Card {
    /// The card of a dataset that is about to be collected.
    #[must_use]
    pub fn of(setup: &Setup, schema: &Schema, options: &CollectOptions) -> Self {
        let mut formats = options.formats.clone();
        formats.sort_unstable();
        formats.dedup();
        Self {
            manifest: Manifest::of(setup),
            explores: options.explore,
            first: options.first,
            episodes: options.episodes,
            frames: options.frames,
            formats,
            layout: schema.layout.clone(),
            action_len: schema.action_len,
            recalls: schema.recalls.clone(),
            arena_m: schema.arena_m,
            columns: schema.columns.clone(),
            calls: vec![Provenance::now(options.jobs, options.first, options.episodes)],
        }
    }

    /// What differs, in words; nothing where both are the same.
    #[must_use]
    pub fn differences(&self, there: &Self) -> Option<String> {
        let parts = |of: &Self| {
            let formats: Vec<&str> = of.formats.iter().map(|format| format.as_str()).collect();
            [
                (
                    "way of living",
                    of.explores.map_or("episodes".into(), |steps| format!("exploring for {steps} steps")),
                ),
                ("first episode", of.first.to_string()),
                ("number of episodes", of.episodes.to_string()),
                ("frames", of.frames.map_or("none".into(), |[width, height]| format!("{width}x{height}"))),
                ("formats", formats.join(",")),
            ]
        };
        let differing = differing(parts(there), parts(self));
        let all: Vec<String> = self.manifest.differences(&there.manifest).into_iter().chain(differing).collect();
        // Where nothing else differs, this cannot either, but for another build of the same version.
        let columns = (all.is_empty() && self.columns != there.columns).then(|| "it has other columns".to_owned());
        if all.is_empty() { columns } else { Some(all.join("; ")) }
    }

    /// The card in this folder.
    ///
    /// # Errors
    /// Where there is none, or it is damaged.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        read_json(folder, MANIFEST)?.ok_or_else(|| Error::NoDataset(folder.to_owned()))
    }
}

/// `summary.json`: what was collected. The same for any number of threads and of calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetSummary {
    /// The scenario's name.
    pub scenario: String,
    /// The actor.
    pub actor: String,
    /// The run's seed.
    pub seed: u64,
    /// Episodes that are there.
    pub episodes: u64,
    /// Those that succeeded.
    pub successes: u64,
    /// Those that went wrong: they have no rows.
    pub errors: u64,
    /// Trajectories: one for each agent that was recorded in each episode.
    pub trajectories: u64,
    /// Rows of all trajectories, one for each observation.
    pub rows: u64,
    /// A hash over all values, in hexadecimal.
    pub digest: String,
    /// The files of trajectories.
    pub files: Vec<DataFile>,
}

impl DatasetSummary {
    /// The summary in this folder; none where it is not complete.
    ///
    /// # Errors
    /// Where it is damaged.
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        read_json(folder, SUMMARY)
    }
}

/// A file of trajectories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its format.
    pub format: DataFormat,
    /// Its name in the folder.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// A line of `episodes.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeLine {
    /// The episode's number.
    pub episode: u64,
    /// Its own seed.
    pub seed: u64,
    /// How it ended.
    pub outcome: Ending,
    /// Control steps until then.
    pub steps: u32,
    /// A hash over the whole world's trajectory, in hexadecimal: that of the same episode in a batch.
    pub digest: String,
    /// Where its trajectories stand in the files.
    pub trajectories: Vec<Place>,
    /// The factors of variation as drawn.
    pub factors: FactorValues,
    /// What went wrong, where `outcome` is `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Where a trajectory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its first row.
    pub row: u64,
    /// Its rows.
    pub rows: u64,
}

impl EpisodeLine {
    /// The line of this result.
    #[must_use]
    pub fn of(result: EpisodeResult, trajectories: Vec<Place>) -> Self {
        let EpisodeResult { episode, seed, outcome, steps, digest, factors, error, .. } = result;
        Self { episode, seed, outcome, steps, digest, trajectories, factors, error }
    }
}

impl fmt::Display for DataFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a JSON file in a dataset's folder says; none where there is no such file.
fn read_json<T: for<'a> Deserialize<'a>>(folder: &Path, name: &str) -> Result<Option<T>, Error> {
    let path = folder.join(name);
    let text = match fs::read(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        other => other.map_err(Error::io("read", &path))?,
    };
    let read = serde_json::from_slice(&text).map(Some);
    read.map_err(|error| Error::Damaged { path, problem: format!("it is not that of a dataset: {error}") })
}
