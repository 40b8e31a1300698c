//! Many episodes over all cores. Read first: [`batch`], then [`sweep`], which is its engine.

mod compare;
mod folder;
mod grid;
mod merge;
mod provenance;
mod report;
mod shard;
mod summary;
mod sweep;
mod table;

pub use compare::{Comparison, Measure, Side, SuccessTest, compare};
pub use folder::{Folder, Kept, Lock, Manifest, read_folder, read_kept};
pub(crate) use folder::{clear_temporaries, differing, is_empty, not_kept, take_up, write_json};
pub use grid::{Grid, Point, folder_names};
pub use merge::{cells_of, merge};
pub use provenance::{Machine, Provenance, loaded_from};
pub use report::export;
pub use shard::Shard;
pub use summary::{Call, Crossings, Summary, Totals, wilson95};
pub(crate) use sweep::caught;
pub use sweep::{Cell, SweepOptions, Watch, sweep};

use crate::{
    episode::{Ending, EpisodeResult},
    error::Error,
    setup::Setup,
    stop::Stop,
};
use std::{path::PathBuf, sync::Arc};

/// How much to run, and where to keep it.
#[derive(Debug, Clone)]
pub struct BatchOptions {
    /// The first episode's number.
    pub first: u64,
    /// How many episodes from there on.
    pub episodes: u64,
    /// Worker threads; the results are the same for any number.
    pub jobs: usize,
    /// The folder to keep results in.
    pub out: Option<PathBuf>,
    /// Go on with what is in the folder.
    pub resume: bool,
}

/// What a batch came to.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The numbers.
    pub summary: Summary,
    /// The episodes, in order.
    pub results: Vec<EpisodeResult>,
}

/// Run one batch and hold its results in memory; [`sweep`] is for more of them than that.
///
/// An episode that goes wrong is a result too, with the ending [`Ending::Error`]; it does not stop the others. `watch`
/// hears of each result as soon as it is there.
///
/// # Errors
/// Where the folder holds something else, or cannot be written to.
pub fn batch(
    setup: &Arc<Setup>,
    options: &BatchOptions,
    stop: &Stop,
    watch: &mut dyn FnMut(&EpisodeResult, &Tally) -> Result<(), Error>,
) -> Result<Batch, Error> {
    let BatchOptions { first, episodes, jobs, out, resume } = options.clone();
    let cell = Cell { setup: setup.clone(), folder: None, replay: String::new() };
    let options = SweepOptions { first, episodes, jobs, out, resume, shard: Shard::default() };
    let mut holding = Holding { results: Vec::new(), watch };
    let summary = sweep(&[cell], &options, stop, &mut holding)?.pop();
    let results = holding.results;
    let nothing = || {
        let call = Call { jobs, requested: episodes, ..Call::default() };
        Totals::default().summary(Manifest::of(setup), &call, None)
    };
    Ok(Batch { summary: summary.unwrap_or_else(nothing), results })
}

/// Who holds all results.
struct Holding<'a> {
    results: Vec<EpisodeResult>,
    watch: &'a mut dyn FnMut(&EpisodeResult, &Tally) -> Result<(), Error>,
}

impl Watch for Holding<'_> {
    fn episode(&mut self, _: usize, result: &EpisodeResult, tally: &Tally) -> Result<(), Error> {
        (self.watch)(result, tally)
    }

    fn in_order(&mut self, _: usize, result: EpisodeResult) {
        self.results.push(result);
    }
}

/// How it goes so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Episodes that have ended.
    pub done: u64,
    /// Those that succeeded.
    pub successes: u64,
    /// Control steps of all.
    pub env_steps: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.successes += other.successes;
        self.env_steps += other.env_steps;
    }

    pub(crate) fn count(&mut self, result: &EpisodeResult) {
        self.done += 1;
        self.successes += u64::from(result.outcome == Ending::Success);
        self.env_steps += u64::from(result.steps);
    }
}
