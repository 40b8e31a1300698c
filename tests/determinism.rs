//! The same seed gives the same episodes, bit for bit: again, on any number of workers, and one by one.
//! Read first: [`run`].

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use forethought::{
    batch::{Batch, BatchOptions, batch},
    episode::{EpisodeResult, Runner},
    progress::Progress,
    recording::{RecordOptions, WIDTH_PX, record},
    setup::{Setup, SetupOptions},
    stop::Stop,
};
use forethought_interface::Detail;
use forethought_mind::actor::planners::PlannerName;
use std::{path::Path, sync::Arc};

fn two_rooms() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"))
}

fn setup(actor: PlannerName, seed: u64) -> Arc<Setup> {
    Arc::new(Setup::load(two_rooms(), &SetupOptions { seed, actor: Some(actor), ..SetupOptions::default() }).unwrap())
}

fn run(setup: &Arc<Setup>, first: u64, episodes: u64, jobs: usize) -> Batch {
    let options = BatchOptions { first, episodes, jobs, out: None, resume: false };
    let batch = batch(setup, &options, &Stop::default(), &mut |_, _| Ok(())).unwrap();
    assert_eq!((batch.summary.episodes, batch.summary.errors), (episodes, 0));
    batch
}

fn digests(results: &[EpisodeResult]) -> Vec<&str> {
    results.iter().map(|result| result.digest.as_str()).collect()
}

#[test]
fn any_number_of_workers_gives_the_same() {
    let setup = setup(PlannerName::Random, 3);
    let reference = run(&setup, 0, 24, 1);
    for jobs in [1, 4, 7] {
        let again = run(&setup, 0, 24, jobs);
        assert_eq!(digests(&again.results), digests(&reference.results), "with {jobs} workers");
        assert_eq!(again.summary.digest, reference.summary.digest, "with {jobs} workers");
    }
}

#[test]
fn an_episode_does_not_know_those_before_it() {
    let setup = setup(PlannerName::Random, 4);
    let all = run(&setup, 0, 10, 2).results;
    for (index, expected) in all.iter().enumerate().rev() {
        let alone = Runner::new(setup.clone(), Detail::Brief).run(index as u64).unwrap();
        assert_eq!((&alone.digest, alone.steps, alone.outcome), (&expected.digest, expected.steps, expected.outcome));
    }
    assert_eq!(digests(&run(&setup, 7, 2, 1).results), digests(&all[7..9]));
}

#[test]
fn seeds_and_episodes_differ() {
    let (first, second) = (run(&setup(PlannerName::Random, 0), 0, 4, 2), run(&setup(PlannerName::Random, 1), 0, 4, 2));
    let mut seen: Vec<&str> = digests(&first.results);
    seen.extend(digests(&second.results));
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

/// How much of a thought is shown must not change what happens.
#[test]
fn looking_does_not_disturb() {
    let setup = setup(PlannerName::Random, 5);
    let brief = Runner::new(setup.clone(), Detail::Brief).run(2).unwrap();
    let full = Runner::new(setup, Detail::Full).run(2).unwrap();
    assert_eq!(brief.digest, full.digest);
}

/// A film of an episode is a film of just that episode.
#[test]
fn recording_does_not_disturb() {
    let folder = tempfile::tempdir().unwrap();
    for actor in [PlannerName::Random, PlannerName::Gradient] {
        let setup = setup(actor, 6);
        let expected = &run(&setup, 3, 1, 1).results[0];
        for file in ["film.gif", "picture.png"].map(|name| folder.path().join(name)) {
            let options = RecordOptions {
                episode: 3,
                file,
                at_step: None,
                every: None,
                speed: None,
                width_px: WIDTH_PX,
                full: false,
            };
            let mut progress = Progress::begin("recording", 200);
            let (recording, result) = record(&setup, &options, &Stop::default(), &mut progress).unwrap();
            let result = result.unwrap();
            assert_eq!(
                (&result.digest, result.steps, result.outcome),
                (&expected.digest, expected.steps, expected.outcome)
            );
            assert_eq!(recording.digest.as_ref(), Some(&expected.digest));
        }
    }
}
