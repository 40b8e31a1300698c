//! Learning what cannot be foretold, on a world small enough to train on in seconds: a fuse burns down, and then a point goes up
//! or down, nobody knows which.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use forethought_interface::{Channel, Observation, ObservationLayout, derive_seed};
use forethought_mind::{
    Model,
    training::{Experience, LossWeights, TrainContext, TrainOutcome, TrainState, TrainingSpec, Trajectory, train},
    world_model::{LatentVariableSpec, WorldModelSpec},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::ControlFlow;

const STEPS: usize = 24;
const STRIDE: usize = 2;
const UNROLL: usize = 4;

/// What is to be sensed at each step, when the point goes this way, and what was done: it moves something else.
fn episode(seed: u64, side: f32) -> (Vec<[f32; 5]>, Vec<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut fuse, mut x, mut y) = (rng.gen_range(4..12), rng.gen_range(-1.0..1.0_f32), 0.0_f32);
    let (mut seen, mut actions) = (Vec::new(), Vec::new());
    for _ in 0..=STEPS {
        let left = fuse as f32 * 0.1;
        seen.push([left, x, y, x + y, left - y]);
        let action = rng.gen_range(-1.0..1.0_f32);
        actions.push(action);
        x = (x + 0.2 * action).clamp(-1.0, 1.0);
        if fuse == 0 {
            y = (y + 0.2 * side).clamp(-1.0, 1.0);
        }
        fuse = (fuse - 1).max(0);
    }
    actions.pop();
    (seen, actions)
}

fn experience() -> Experience {
    let trajectory = |index: u64| {
        let seed = derive_seed(1, "train", index);
        let (seen, actions) = episode(seed, if seed & 1 == 0 { 1.0 } else { -1.0 });
        let positions_m = seen.iter().map(|seen| [seen[1], seen[2]]).collect();
        Trajectory { observations: seen.concat(), actions, positions_m, ..Trajectory::default() }
    };
    let layout = ObservationLayout { channels: vec![Channel { name: "seen".into(), shape: vec![5] }] };
    Experience {
        layout,
        action_len: 1,
        recalls: vec![],
        arena_m: [1.0, 1.0],
        episodes: (0..300).map(trajectory).collect(),
    }
}

fn spec(latent_variable: Option<LatentVariableSpec>) -> TrainingSpec {
    TrainingSpec {
        updates: 800,
        batch: 64,
        unroll: UNROLL as u32,
        learning_rate: 3e-3,
        loss: LossWeights { temporal_similarity: 0.1, ..LossWeights::default() },
        world_model: WorldModelSpec {
            latent: 6,
            stride: STRIDE,
            encoder_hidden: vec![32, 32],
            predictor_hidden: vec![48, 48],
            inverse_hidden: vec![32],
            latent_variable,
            ..WorldModelSpec::default()
        },
        ..TrainingSpec::default()
    }
}

fn context(jobs: usize) -> TrainContext {
    TrainContext { scenario: "forking".into(), scenario_hash: 3, seed: 1, jobs }
}

fn trained(latent_variable: Option<LatentVariableSpec>, jobs: usize) -> Model {
    match train(&experience(), &spec(latent_variable), &context(jobs), None, &mut |_| ControlFlow::Continue(())) {
        Ok(TrainOutcome::Finished(model)) => *model,
        other => panic!("{other:?}"),
    }
}

/// Where the agent and the point are after the last prediction, from when the fuse is all but burnt down: how far off the best of
/// the model's futures is, the mean square over new worlds and both ways.
fn error(model: &Model) -> f32 {
    let encode = |seen: &[f32; 5]| {
        let observation = Observation { values: seen.to_vec() };
        model.encode(&model.card().perception.perceive(&observation).unwrap())
    };
    let (mut sum, mut count) = (0.0, 0.0);
    for index in 0..200 {
        for side in [-1.0, 1.0] {
            let (seen, actions) = episode(derive_seed(2, "episode", index), side);
            let start = seen.iter().position(|seen| seen[0] < 0.15).unwrap();
            let end = start + UNROLL * STRIDE;
            let futures = model.predictors().iter().map(|predictor| {
                let imagined = predictor.imagine(&encode(&seen[start]), &actions[start..end], &[]);
                let told = model.card().readout.position_m(&imagined[(UNROLL - 1) * 6..]);
                (told[0] - seen[end][1]).powi(2) + (told[1] - seen[end][2]).powi(2)
            });
            sum += futures.fold(f32::INFINITY, f32::min);
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn a_latent_variable_tells_the_ways_apart_that_the_past_does_not() {
    let plain = trained(None, 2);
    let told = trained(Some(LatentVariableSpec::default()), 2);
    let (without, with) = (error(&plain), error(&told));
    // Whoever cannot tell does best in the middle, 1 away from either end.
    assert!(without > 0.3, "{without}");
    assert!(with < 0.25 * without, "{with} against {without}");
    let shares = &told.card().code_shares;
    assert!(shares.len() == 2 && shares.iter().all(|share| *share > 0.2), "{shares:?}");
    assert!(plain.card().code_shares.is_empty() && plain.predictors().len() == 1);
}

#[test]
fn a_stopped_training_goes_on_to_the_same_bits_for_any_number_of_threads() {
    let spec = || Some(LatentVariableSpec { codes: 3, random_share: 0.2 });
    let whole = trained(spec(), 1);
    let mut reports = 0;
    let stopped = train(&experience(), &self::spec(spec()), &context(2), None, &mut |_| {
        reports += 1;
        if reports == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let Ok(TrainOutcome::Stopped(state)) = stopped else { panic!("it was to stop") };
    let folder = std::env::temp_dir().join(format!("forethought-forking-{}", std::process::id()));
    let file = folder.join("state");
    state.save(&file).unwrap();
    let state = TrainState::load(&file).unwrap();
    let resumed =
        train(&experience(), &self::spec(spec()), &context(2), Some(state), &mut |_| ControlFlow::Continue(()));
    let Ok(TrainOutcome::Finished(resumed)) = resumed else { panic!("it was to finish") };
    assert_eq!(*resumed, whole);
    resumed.save(&folder.join("model")).unwrap();
    assert_eq!(Model::load(&folder.join("model")).unwrap(), whole);
    std::fs::remove_dir_all(folder).unwrap();
}
