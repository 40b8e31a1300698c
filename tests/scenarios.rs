//! Every scenario in `scenarios/` keeps the same promises. Read first: [`every_scenario`].

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use forethought::{
    batch::{Batch, BatchOptions, batch},
    conditions,
    episode::{EpisodeResult, Runner},
    setup::{Setup, SetupOptions},
    stop::Stop,
};
use forethought_interface::Detail;
use forethought_mind::actor::planners::PlannerName;
use std::{path::PathBuf, sync::Arc};

/// Each scenario file, ready to run at random.
fn every_scenario() -> Vec<Arc<Setup>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ron"));
    files.sort();
    assert!(!files.is_empty());
    let options = SetupOptions { seed: 11, actor: Some(PlannerName::Random), ..SetupOptions::default() };
    files.iter().map(|file| Arc::new(Setup::load(file, &options).unwrap_or_else(|error| panic!("{error}")))).collect()
}

fn run(setup: &Arc<Setup>, episodes: u64, jobs: usize) -> Batch {
    let options = BatchOptions { first: 0, episodes, jobs, out: None, resume: false };
    batch(setup, &options, &Stop::default(), &mut |_, _| Ok(())).unwrap()
}

#[test]
fn is_named_as_its_file() {
    for setup in every_scenario() {
        let stem = setup.loaded.path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(setup.name(), stem);
        assert!(!setup.loaded.scenario.description.is_empty(), "{stem} has no description");
    }
}

#[test]
fn draws_worlds_that_differ_and_have_not_succeeded_yet() {
    for setup in every_scenario() {
        let mut runner = Runner::new(setup.clone(), Detail::Brief);
        let mut drawn = Vec::new();
        for index in 0..20 {
            let current = runner.begin(index).unwrap_or_else(|error| panic!("{}: {error}", setup.name()));
            let done = conditions::succeeded(&current.drawn.episode, &current.drawn.world, runner.sandbox());
            assert!(!done, "{}: episode {index} succeeds before its first step", setup.name());
            drawn.push(current.drawn.factors);
        }
        let varies = setup.loaded.scenario.factors.is_empty() || drawn.iter().any(|factors| *factors != drawn[0]);
        assert!(varies, "{} draws the same factors every time", setup.name());
    }
}

#[test]
fn runs_without_errors_and_the_same_again() {
    for setup in every_scenario() {
        let (first, second) = (run(&setup, 6, 1), run(&setup, 6, 3));
        let errors: Vec<_> = first.results.iter().filter_map(|result| result.error.as_ref()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", setup.name());
        assert_eq!(first.summary.digest, second.summary.digest, "{}", setup.name());
        assert!(first.results.iter().all(|result| result.steps <= setup.loaded.scenario.episode.max_steps));
    }
}

/// How many of so many held-out episodes succeed, with the scenario's own model.
fn successes(name: &str, actor: PlannerName, episodes: u64) -> u64 {
    let file = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/{}.ron"), name);
    let options = SetupOptions { seed: 5000, actor: Some(actor), ..SetupOptions::default() };
    let setup = Arc::new(Setup::load(file.as_ref(), &options).unwrap_or_else(|error| panic!("{error}")));
    let batch = run(&setup, episodes, 2);
    let digests = |results: &[EpisodeResult]| results.iter().map(|result| result.digest.clone()).collect::<Vec<_>>();
    assert_eq!(
        digests(&run(&setup, 2, 1).results),
        digests(&batch.results[..2]),
        "{name}, {actor:?}: the same from the same seed"
    );
    batch.summary.successes
}

/// Each reaches 97% or more of many (README); random actors reach 6% at most.
#[test]
fn the_committed_models_solve_their_worlds() {
    use PlannerName::{Gradient, Hierarchical};
    for (name, actor) in
        [("two_rooms", Gradient), ("four_rooms", Gradient), ("four_rooms", Hierarchical), ("clutter", Gradient)]
    {
        let successes = successes(name, actor, 16);
        assert!(successes >= 14, "{name}, {actor:?}: {successes} of 16");
    }
}

#[test]
fn a_maze_needs_the_second_level() {
    let two = successes("maze", PlannerName::Hierarchical, 8);
    assert!(two >= 6, "two levels: {two} of 8");
    let one = successes("maze", PlannerName::Gradient, 3);
    assert_eq!(one, 0, "one level: {one} of 3");
}
