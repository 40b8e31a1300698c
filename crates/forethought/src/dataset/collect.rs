//! Many episodes over all cores, every moment of them kept. Read first: [`collect`].

use super::{
    card::{Card, DataFile, DataFormat, DatasetSummary, EpisodeLine, MANIFEST, Place, SUMMARY},
    column::Rows,
    hdf5, parquet,
    recorder::{Schema, Scribe},
    spool::{Collected, Digest, Spool},
};
use crate::{
    batch::{Lock, Tally, caught, clear_temporaries, is_empty, not_kept, take_up, write_json},
    episode::{Ending, EpisodeResult, Runner, hex},
    error::Error,
    experience::{Witness, seated, wander},
    files::{write_whole_at, write_whole_by},
    setup::Setup,
    stop::Stop,
    workers::share,
};
use forethought_interface::{Detail, Outcome, derive_seed};
use forethought_world::Sandbox;
use std::{
    fs,
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Episodes that have ended, until all are there.
const SPOOL: &str = "collected.spool";
/// What became of each episode.
const EPISODES: &str = "episodes.jsonl";

/// How much to collect, and where to keep it.
#[derive(Debug, Clone)]
pub struct CollectOptions {
    /// The first episode's number.
    pub first: u64,
    /// How many episodes from there on.
    pub episodes: u64,
    /// Worker threads; what is collected is the same for any number.
    pub jobs: usize,
    /// The folder to keep it in.
    pub out: PathBuf,
    /// Go on with what is in the folder.
    pub resume: bool,
    /// Control steps of each walk, to explore worlds of training as `train` does; none for episodes as `batch` runs them.
    pub explore: Option<u32>,
    /// Width and height of a picture of each moment, in pixels; none without pictures.
    pub frames: Option<[u16; 2]>,
    /// How to keep trajectories.
    pub formats: Vec<DataFormat>,
}

impl CollectOptions {
    fn episodes(&self) -> Range<u64> {
        self.first..self.first.saturating_add(self.episodes)
    }
}

/// What a call of [`collect`] came to.
#[derive(Debug, Clone, PartialEq)]
pub enum CollectOutcome {
    /// All is there.
    Finished(DatasetSummary),
    /// It was stopped; so many episodes are kept, to go on from.
    Stopped(u64),
}

/// Collect a dataset. `watch` hears of each episode as soon as it has ended; those of earlier calls are in its tally.
///
/// Episodes go to a spool as they end, so that no end of this process loses one, and once all are there, from it to the files, in
/// order, one held in memory at a time. An episode that goes wrong has no rows, and does not stop the others.
///
/// # Errors
/// Where the folder holds something else or cannot be written to, and what `watch` says.
pub fn collect(
    setup: &Arc<Setup>,
    options: &CollectOptions,
    stop: &Stop,
    watch: &mut dyn FnMut(&EpisodeResult, &Tally) -> Result<(), Error>,
) -> Result<CollectOutcome, Error> {
    let schema = Arc::new(Schema::of(setup, options.explore.is_some(), options.frames)?);
    let _lock = Lock::take(&options.out)?;
    let card = open(&options.out, Card::of(setup, &schema, options), options.resume)?;
    let spool_file = options.out.join(SPOOL);
    if let Some(summary) = DatasetSummary::read(&options.out)? {
        // Killed between the last file and the end.
        let _ = fs::remove_file(&spool_file);
        return Ok(CollectOutcome::Finished(summary));
    }
    let mut spool = Spool::open(&spool_file)?;
    let mut tally = Tally::default();
    if spool.episodes().next().is_some() {
        let count = &mut |collected: Collected| {
            tally.count(&collected.result);
            Ok(())
        };
        spool.in_order(options.episodes(), &card.columns, count)?;
    }
    let there: Vec<u64> = spool.episodes().collect();
    let missing = options.episodes().filter(move |episode| there.binary_search(episode).is_err());

    let work = |worker: &mut Option<Worker>, episode| attempt(worker, setup, &schema, options.explore, episode);
    let take = |(result, packed): (EpisodeResult, Result<Vec<u8>, Error>)| {
        spool.append(result.episode, &packed?)?;
        tally.count(&result);
        watch(&result, &tally)
    };
    share(missing, options.jobs, stop, || None, work, take)?;
    if tally.done < options.episodes {
        return Ok(CollectOutcome::Stopped(tally.done));
    }
    let summary = finish(&options.out, &card, options, &mut spool)?;
    fs::remove_file(&spool_file).map_err(Error::io("remove", &spool_file))?;
    Ok(CollectOutcome::Finished(summary))
}

/// Open an empty folder, or one that holds a part of the same dataset.
fn open(folder: &Path, mut card: Card, resume: bool) -> Result<Card, Error> {
    if !is_empty(folder)? {
        if !resume {
            return Err(Error::OutNotEmpty(folder.to_owned()));
        }
        let there = Card::read(folder).map_err(|error| match error {
            Error::NoDataset(path) => Error::OtherRun { path, differences: "it has no manifest.json".into() },
            Error::Damaged { .. } => Error::OtherRun {
                path: folder.to_owned(),
                differences: "its manifest.json is not that of a dataset".into(),
            },
            other => other,
        })?;
        take_up(folder, card.differences(&there), &mut card.calls, there.calls)?;
    }
    clear_temporaries(folder)?;
    write_json(&folder.join(MANIFEST), &card)?;
    Ok(card)
}

/// What a thread keeps from episode to episode.
enum Worker {
    Lives(Box<Runner>),
    Walks { steps: u32, sandbox: Box<Option<Sandbox>> },
}

/// Live one episode; whatever goes wrong becomes its result.
fn attempt(
    worker: &mut Option<Worker>,
    setup: &Arc<Setup>,
    schema: &Arc<Schema>,
    explore: Option<u32>,
    index: u64,
) -> (EpisodeResult, Result<Vec<u8>, Error>) {
    let run = || {
        let fresh = || match explore {
            Some(steps) => Worker::Walks { steps, sandbox: Box::default() },
            // What each drive costs now is not told in brief.
            None => Worker::Lives(Box::new(Runner::new(setup.clone(), Detail::Full))),
        };
        let (result, trajectories) = match worker.get_or_insert_with(fresh) {
            Worker::Walks { steps, sandbox } => walk(sandbox, setup, schema, *steps, index)?,
            Worker::Lives(runner) => live(runner, setup, schema, index)?,
        };
        Ok(Collected { result: timeless(result), trajectories })
    };
    let collected = caught(run).unwrap_or_else(|problem| {
        // Nothing of the failed episode may reach the next.
        *worker = None;
        let purpose = if explore.is_some() { "train" } else { "episode" };
        let result = EpisodeResult::failed(index, derive_seed(setup.seed, purpose, index), problem);
        Collected { result, trajectories: Vec::new() }
    });
    let packed = collected.pack();
    (collected.result, packed)
}

/// Without what the clock said, which differs from run to run.
fn timeless(result: EpisodeResult) -> EpisodeResult {
    EpisodeResult { wall_secs: 0.0, think_ms: 0.0, decision_ms: Vec::new(), ..result }
}

/// An episode as in a batch.
fn live(
    runner: &mut Runner,
    setup: &Setup,
    schema: &Arc<Schema>,
    index: u64,
) -> Result<(EpisodeResult, Vec<Rows>), Error> {
    let mut current = runner.begin(index)?;
    let mut scribe = Scribe::begin(schema, setup, &current.drawn, index)?;
    loop {
        scribe.before(runner.sandbox());
        let ended = runner.step(&mut current)?;
        scribe.after(runner.sandbox(), ended);
        if let Some(outcome) = ended {
            scribe.before(runner.sandbox());
            let rows = scribe.end(runner.sandbox());
            return Ok((runner.end(current, outcome), rows));
        }
    }
}

/// A walk as in exploration for training.
fn walk(
    sandbox: &mut Option<Sandbox>,
    setup: &Setup,
    schema: &Arc<Schema>,
    steps: u32,
    index: u64,
) -> Result<(EpisodeResult, Vec<Rows>), Error> {
    let mut drawn = setup.draw_training(index)?;
    let sandbox = seated(setup, sandbox, &drawn)?;
    let mut watching = Watching { scribe: Scribe::begin(schema, setup, &drawn, index)?, steps };
    wander(sandbox, &mut drawn, steps, &mut watching)?;
    let result = EpisodeResult {
        outcome: Ending::TimeLimit,
        steps,
        digest: hex(sandbox.digest()),
        factors: drawn.factors.iter().cloned().collect(),
        error: None,
        ..EpisodeResult::failed(index, drawn.seed, String::new())
    };
    Ok((result, watching.scribe.end(sandbox)))
}

/// Writes a walk down.
struct Watching {
    scribe: Scribe,
    steps: u32,
}

impl Witness for Watching {
    fn before(&mut self, sandbox: &mut Sandbox, _: u32) {
        self.scribe.before(sandbox);
    }

    fn after(&mut self, sandbox: &Sandbox) {
        let last = sandbox.record().step >= self.steps;
        self.scribe.after(sandbox, last.then_some(Outcome::TimeLimit));
    }
}

/// From the spool to the files: first the trajectories, and last what says that all is there.
fn finish(folder: &Path, card: &Card, options: &CollectOptions, spool: &mut Spool) -> Result<DatasetSummary, Error> {
    let mut summary = DatasetSummary {
        scenario: card.manifest.scenario.clone(),
        actor: card.manifest.actor.clone(),
        seed: card.manifest.seed,
        episodes: 0,
        successes: 0,
        errors: 0,
        trajectories: 0,
        rows: 0,
        digest: String::new(),
        files: Vec::new(),
    };
    for format in &card.formats {
        let path = folder.join(format.file());
        let mut each = |to: &mut dyn FnMut(&Rows) -> std::io::Result<()>| {
            spool.in_order(options.episodes(), &card.columns, &mut |collected| {
                collected.trajectories.iter().try_for_each(|rows| to(rows).map_err(|source| not_kept(&path, source)))
            })
        };
        write_whole_at(&path, |beside| match format {
            DataFormat::Parquet => parquet::write(beside, card, &mut each),
            DataFormat::Hdf5 => hdf5::write(beside, card, &mut each),
        })?;
        let bytes = path.metadata().map_err(Error::io("read", &path))?.len();
        summary.files.push(DataFile { format: *format, file: format.file().into(), bytes });
    }
    let (path, mut digest, mut problem) = (folder.join(EPISODES), Digest::default(), Ok(()));
    let written = write_whole_by(&path, |file| {
        problem = spool.in_order(options.episodes(), &card.columns, &mut |collected| {
            digest.add(&collected);
            let line = summary.count(collected);
            let line = serde_json::to_string(&line).unwrap_or_default() + "\n";
            file.write_all(line.as_bytes()).map_err(|source| not_kept(&path, source))
        });
        if problem.is_ok() { Ok(()) } else { Err(std::io::Error::other("it is not complete")) }
    });
    problem.and(written)?;
    summary.digest = hex(digest.value());
    write_json(&folder.join(SUMMARY), &summary)?;
    Ok(summary)
}

impl DatasetSummary {
    /// Count one more episode, and say where it stands.
    fn count(&mut self, collected: Collected) -> EpisodeLine {
        let Collected { result, trajectories } = collected;
        self.episodes += 1;
        self.successes += u64::from(result.outcome == Ending::Success);
        self.errors += u64::from(result.outcome == Ending::Error);
        let place = |rows: &Rows| {
            let place = Place { row: self.rows, rows: rows.count as u64 };
            self.trajectories += 1;
            self.rows += place.rows;
            place
        };
        let places = trajectories.iter().map(place).collect();
        EpisodeLine::of(result, places)
    }
}
