//! The engine of batches: the episodes of many cells over all cores. Read first: [`sweep`].

use super::{
    Call, Kept, Manifest, Provenance, Shard, Summary, Tally, Totals,
    folder::{Folder, Lock},
};
use crate::{
    episode::{EpisodeResult, Runner},
    error::Error,
    setup::Setup,
    stop::Stop,
    workers::share,
};
use forethought_interface::{Detail, derive_seed};
use std::{
    collections::BTreeMap,
    iter::Peekable,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

/// What all episodes of one batch share.
#[derive(Clone)]
pub struct Cell {
    /// Scenario, actor and seed.
    pub setup: Arc<Setup>,
    /// The folder of its results within that of the sweep; none where it is the only cell.
    pub folder: Option<String>,
    /// The command that runs an episode of it again, without the episode's number.
    pub replay: String,
}

/// How much of each cell to run, and where to keep it.
#[derive(Debug, Clone, Default)]
pub struct SweepOptions {
    /// The first episode's number.
    pub first: u64,
    /// How many episodes of each cell from there on.
    pub episodes: u64,
    /// Worker threads; the results are the same for any number.
    pub jobs: usize,
    /// The folder to keep results in.
    pub out: Option<PathBuf>,
    /// Go on with what is in the folder.
    pub resume: bool,
    /// Run this part of it only.
    pub shard: Shard,
}

/// Who hears of a sweep while it runs.
pub trait Watch {
    /// A cell is about to be run; so far earlier calls have run these of its episodes.
    ///
    /// # Errors
    /// Whatever ends the sweep.
    fn begin(&mut self, cell: usize, earlier: &Tally) -> Result<(), Error> {
        let _ = (cell, earlier);
        Ok(())
    }

    /// An episode has ended.
    ///
    /// # Errors
    /// Whatever ends the sweep.
    fn episode(&mut self, cell: usize, result: &EpisodeResult, tally: &Tally) -> Result<(), Error> {
        let _ = (cell, result, tally);
        Ok(())
    }

    /// Each episode once more, in order, those of earlier calls too.
    fn in_order(&mut self, cell: usize, result: EpisodeResult) {
        let _ = (cell, result);
    }

    /// All episodes of a cell have ended, or it was stopped.
    ///
    /// # Errors
    /// Whatever ends the sweep.
    fn cell(&mut self, cell: usize, summary: &Summary) -> Result<(), Error> {
        let _ = (cell, summary);
        Ok(())
    }
}

/// Run the episodes of all cells: each by whichever worker is free, every result kept as soon as it is there. No more of them are
/// held in memory than have ended before one with a lower number.
///
/// An episode that goes wrong is a result too, with the ending [`Error`](crate::episode::Ending::Error); it does not stop the
/// others. The summaries of the cells are in their order; where a stop was requested, only of those that have begun.
///
/// # Errors
/// Where a folder holds something else, or cannot be written to.
pub fn sweep(
    cells: &[Cell],
    options: &SweepOptions,
    stop: &Stop,
    watch: &mut dyn Watch,
) -> Result<Vec<Summary>, Error> {
    let learns = cells.iter().any(|cell| cell.setup.learning.is_some());
    if learns && options.resume {
        return Err(Error::LearnResume);
    }
    if learns && !options.shard.is_whole() {
        return Err(Error::LearnShard);
    }
    let _lock = options.out.as_deref().map(Lock::take).transpose()?;
    let mut tally = Tally::default();
    let mut books: Vec<Book> = Vec::new();
    for (number, cell) in cells.iter().enumerate() {
        let mut earlier = Tally::default();
        books.push(Book::open(number, cell, options, &mut earlier)?);
        watch.begin(number, &earlier)?;
        tally.add(&earlier);
    }
    let plans: Vec<Plan> = books.iter().map(|book| book.plan.clone()).collect();
    let items = plans.iter().flat_map(|plan| plan.missing().map(move |episode| (plan.cell, episode)));

    let work = |runner: &mut Option<(usize, Runner)>, (cell, episode): (usize, u64)| {
        (cell, attempt(runner, cell, &cells[cell].setup, episode))
    };
    let mut summaries = BTreeMap::new();
    let take = |(cell, result): (usize, EpisodeResult)| {
        tally.count(&result);
        let book = &mut books[cell];
        book.take(result, &tally, watch)?;
        if book.missing == 0 {
            summaries.insert(cell, book.close(watch)?);
        }
        Ok(())
    };
    // What is learnt in one episode is lived with in the next.
    let jobs = if learns { 1 } else { options.jobs };
    share(items, jobs, stop, || None, work, take)?;

    for (cell, book) in books.iter_mut().enumerate() {
        let begun = book.missing == 0 || book.resumed > 0 || book.started.is_some();
        if begun && !summaries.contains_key(&cell) {
            summaries.insert(cell, book.close(watch)?);
        }
    }
    Ok(summaries.into_values().collect())
}

/// Which episodes of a cell are to be run.
#[derive(Clone)]
struct Plan {
    cell: usize,
    first: u64,
    end: u64,
    shard: Shard,
    /// Those that earlier calls have run, in order.
    done: Arc<[u64]>,
}

impl Plan {
    fn wants(&self, episode: u64) -> bool {
        (self.first..self.end).contains(&episode) && self.shard.has(self.cell, episode)
    }

    fn episodes(&self) -> impl Iterator<Item = u64> + Send + use<> {
        let plan = self.clone();
        (self.first..self.end).filter(move |episode| plan.wants(*episode))
    }

    fn missing(&self) -> impl Iterator<Item = u64> + Send + use<> {
        let done = self.done.clone();
        self.episodes().filter(move |episode| done.binary_search(episode).is_err())
    }
}

/// The accounts of one cell.
struct Book<'a> {
    cell: &'a Cell,
    plan: Plan,
    /// Where results go; without, they are counted as soon as all before them are.
    folder: Option<Folder>,
    waiting: BTreeMap<u64, EpisodeResult>,
    next: Peekable<Box<dyn Iterator<Item = u64>>>,
    totals: Totals,
    /// Episodes that have not ended yet, and those that earlier calls had run.
    missing: u64,
    resumed: u64,
    /// Of this call.
    env_steps: u64,
    started: Option<Instant>,
    call: Call,
}

impl<'a> Book<'a> {
    fn open(number: usize, cell: &'a Cell, options: &SweepOptions, tally: &mut Tally) -> Result<Self, Error> {
        let SweepOptions { first, episodes, jobs, shard, .. } = *options;
        let mut plan = Plan { cell: number, first, end: first.saturating_add(episodes), shard, done: Arc::new([]) };
        let mut folder = None;
        if let Some(out) = &options.out {
            let path = cell.folder.as_ref().map_or_else(|| out.clone(), |name| out.join(name));
            let manifest = Manifest { shard, ..Manifest::of(&cell.setup) };
            let calls = vec![Provenance::now(jobs, first, episodes)];
            let kept = Kept { manifest, replay: cell.replay.clone(), calls };
            let mut seen = |result: &EpisodeResult| {
                if plan.wants(result.episode) {
                    tally.count(result);
                }
            };
            let opened = Folder::open(&path, kept, options.resume, &mut seen)?;
            plan.done = opened.earlier().collect();
            folder = Some(opened);
        }
        let (requested, missing) = (plan.episodes().count() as u64, plan.missing().count() as u64);
        let next: Box<dyn Iterator<Item = u64>> = Box::new(plan.episodes());
        Ok(Self {
            cell,
            folder,
            waiting: BTreeMap::new(),
            next: next.peekable(),
            totals: Totals::default(),
            missing,
            resumed: requested - missing,
            env_steps: 0,
            started: None,
            call: Call { jobs, requested, ..Call::default() },
            plan,
        })
    }

    fn take(&mut self, result: EpisodeResult, tally: &Tally, watch: &mut dyn Watch) -> Result<(), Error> {
        let began = std::time::Duration::try_from_secs_f64(result.wall_secs).unwrap_or_default();
        self.started.get_or_insert_with(|| Instant::now().checked_sub(began).unwrap_or_else(Instant::now));
        self.missing -= 1;
        self.env_steps += u64::from(result.steps);
        if let Some(folder) = &mut self.folder {
            folder.append(&result)?;
            return watch.episode(self.plan.cell, &result, tally);
        }
        watch.episode(self.plan.cell, &result, tally)?;
        self.waiting.insert(result.episode, result);
        while let Some(result) = self.next.peek().and_then(|next| self.waiting.remove(next)) {
            self.next.next();
            self.count(result, watch);
        }
        Ok(())
    }

    fn count(&mut self, result: EpisodeResult, watch: &mut dyn Watch) {
        self.totals.count(&result);
        watch.in_order(self.plan.cell, result);
    }

    /// The numbers, and what is made of them on disk.
    fn close(&mut self, watch: &mut dyn Watch) -> Result<Summary, Error> {
        // The clock stops before files are put in order.
        let wall = self.started.map_or_else(Default::default, |started| started.elapsed());
        for (_, result) in std::mem::take(&mut self.waiting) {
            self.count(result, watch);
        }
        let mut folder = self.folder.take();
        if let Some(folder) = &mut folder {
            folder.finish(&mut |result| {
                if self.plan.wants(result.episode) {
                    self.totals.count(&result);
                    watch.in_order(self.plan.cell, result);
                }
            })?;
        }
        let setup = &self.cell.setup;
        if let Some(learning) = &setup.learning {
            learning.finish()?;
        }
        let call = Call { resumed: self.resumed, wall, env_steps: self.env_steps, ..self.call };
        let manifest = Manifest { shard: self.plan.shard, ..Manifest::of(setup) };
        let learnt = setup.learning.as_ref().map(|learning| learning.summary());
        let summary = self.totals.summary(manifest, &call, learnt);
        if let Some(folder) = folder {
            folder.summarise(&summary)?;
        }
        watch.cell(self.plan.cell, &summary)?;
        Ok(summary)
    }
}

/// Run one episode; whatever goes wrong becomes its result.
fn attempt(state: &mut Option<(usize, Runner)>, cell: usize, setup: &Arc<Setup>, index: u64) -> EpisodeResult {
    let run = || {
        if state.as_ref().is_none_or(|(of, _)| *of != cell) {
            *state = None;
        }
        let (_, runner) = state.get_or_insert_with(|| (cell, Runner::new(setup.clone(), Detail::Brief)));
        runner.run(index)
    };
    caught(run).unwrap_or_else(|problem| {
        if let Some(learning) = &setup.learning {
            learning.ended(false);
        }
        // Nothing of the failed episode may reach the next.
        *state = None;
        EpisodeResult::failed(index, derive_seed(setup.seed, "episode", index), problem)
    })
}

/// What went wrong, in words: an error, or a panic's message.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("a bug in the program: {}", text.unwrap_or("it panicked without a message")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_panics_become_words() {
        assert_eq!(caught(|| Ok(3)), Ok(3));
        let error = caught(|| Err::<(), _>(Error::Worker("tired".into())));
        assert_eq!(error, Err("a worker failed: tired".into()));
        let divisor = std::hint::black_box(0);
        let panic = caught(|| Ok(1 / divisor));
        assert_eq!(panic, Err("a bug in the program: attempt to divide by zero".into()));
        let worded = caught(|| -> Result<(), _> { std::panic::panic_any(format!("number {divisor}")) });
        assert_eq!(worded, Err("a bug in the program: number 0".into()));
    }

    #[test]
    fn what_is_there_is_not_run_again() {
        let shard = Shard { index: 2, of: 3 };
        let plan = Plan { cell: 1, first: 3, end: 20, shard, done: [6, 9, 12].into() };
        assert_eq!(plan.episodes().collect::<Vec<_>>(), [3, 6, 9, 12, 15, 18]);
        assert_eq!(plan.missing().collect::<Vec<_>>(), [3, 15, 18]);
        assert!(!plan.wants(21) && !plan.wants(4));
    }
}
