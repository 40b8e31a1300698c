//! Many episodes over all cores. Read first: [`batch`].

mod folder;
mod summary;

pub use folder::{Folder, Manifest};
pub use summary::{Call, Crossings, Summary, wilson95};

use crate::{
    episode::{Ending, EpisodeResult, Runner},
    error::Error,
    setup::Setup,
    stop::Stop,
    workers::spread,
};
use forethought_interface::{Detail, derive_seed};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

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

/// Run a batch: each episode by whichever worker is free, every result kept as soon as it is there.
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
    let started = Instant::now();
    if setup.learning.is_some() && options.resume {
        return Err(Error::LearnResume);
    }
    let wanted = options.first..options.first.saturating_add(options.episodes);
    let mut folder = match &options.out {
        Some(out) => Some(Folder::open(out, &Manifest::of(setup), options.resume)?),
        None => None,
    };
    let mut results = folder.as_mut().map(Folder::take_earlier).unwrap_or_default();
    let missing: Vec<u64> = wanted.clone().filter(|index| !results.contains_key(index)).collect();
    let mut tally = Tally::default();
    results.range(wanted.clone()).for_each(|(_, result)| tally.count(result));
    let earlier = tally;

    let runner = || Runner::new(setup.clone(), Detail::Brief);
    let work = |runner: &mut Runner, index| attempt(runner, setup, index);
    let take = |index, result: EpisodeResult| {
        if let Some(folder) = &mut folder {
            folder.append(&result)?;
        }
        tally.count(&result);
        watch(&result, &tally)?;
        results.insert(index, result);
        Ok(())
    };
    // What is learnt in one episode is lived with in the next.
    let jobs = if setup.learning.is_some() { 1 } else { options.jobs };
    spread(&missing, jobs, stop, runner, work, take)?;
    if let Some(learning) = &setup.learning {
        learning.finish()?;
    }

    let call = Call { resumed: earlier.done, wall: started.elapsed(), env_steps: tally.env_steps - earlier.env_steps };
    let asked_for: Vec<EpisodeResult> = results.range(wanted).map(|(_, result)| result.clone()).collect();
    let summary = Summary::of(setup, options, &call, &asked_for);
    if let Some(folder) = folder {
        folder.finish(results.values(), &summary)?;
    }
    Ok(Batch { summary, results: asked_for })
}

/// Run one episode; whatever goes wrong becomes its result.
fn attempt(runner: &mut Runner, setup: &Arc<Setup>, index: u64) -> EpisodeResult {
    caught(|| runner.run(index)).unwrap_or_else(|problem| {
        if let Some(learning) = &setup.learning {
            learning.ended(false);
        }
        // Nothing of the failed episode may reach the next.
        *runner = Runner::new(setup.clone(), Detail::Brief);
        EpisodeResult::failed(index, derive_seed(setup.seed, "episode", index), problem)
    })
}

/// What went wrong, in words: an error, or a panic's message.
fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("a bug in the program: {}", text.unwrap_or("it panicked without a message")))
        }
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
    fn count(&mut self, result: &EpisodeResult) {
        self.done += 1;
        self.successes += u64::from(result.outcome == Ending::Success);
        self.env_steps += u64::from(result.steps);
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
}
