//! Forethought's side of the comparison with its peers: answers "measure this case for so many seconds", one JSON object a
//! line, on standard input and output. `compare.py` beside this file asks.

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a bench may panic, and counts are small"
)]

#[path = "../../../forethought-world/benches/scene/mod.rs"]
mod scene;
#[path = "../../../forethought-mind/benches/workload/mod.rs"]
mod workload;

use forethought::{
    batch::{BatchOptions, batch},
    locate,
    setup::{Setup, SetupOptions},
    stop::Stop,
};
use forethought_mind::training::{TrainContext, TrainOutcome, TrainState, train};
use forethought_world::{LidarSpec, ProprioceptionSpec, Sandbox, SensorSpec};
use serde::Deserialize;
use std::{
    hint::black_box,
    io::{BufRead, Write},
    ops::ControlFlow,
    sync::Arc,
    time::Instant,
};
use workload::{Peak, Planning};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What to measure.
#[derive(Deserialize)]
struct Request {
    case: String,
    #[serde(default)]
    starts: usize,
    seconds: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == "--serve") else {
        eprintln!("run by `python3 crates/forethought/benches/peers/compare.py`");
        return;
    };
    let threads = arguments.get(at + 1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let answer = match serde_json::from_str::<Request>(&line) {
            Ok(request) => match pool.install(|| measure(&request, threads)) {
                Some((seconds, units)) => {
                    let mut answer = serde_json::json!({
                        "case": request.case, "seconds_per_unit": seconds, "units": units,
                    });
                    if request.case == "planning" {
                        let operations = Planning::operations(64, &[128, 128], 16, request.starts);
                        answer["gflops"] = (operations as f64 / seconds / 1e9).into();
                        answer["peak_gflops"] = (threads as f64 * peak()).into();
                    }
                    answer
                }
                None => serde_json::json!({ "error": format!("no case `{}`", request.case) }),
            },
            Err(error) => serde_json::json!({ "error": error.to_string() }),
        };
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// Median seconds of a unit, and how many units.
fn measure(request: &Request, threads: usize) -> Option<(f64, usize)> {
    match request.case.as_str() {
        "planning" => {
            let mut planning = Planning::new(64, &[128, 128], 16, request.starts);
            // The peers begin anew as often.
            let unit = |repetition: usize| {
                if repetition.is_multiple_of(16) {
                    planning.restart();
                }
                black_box(planning.iterate());
            };
            Some(median(request.seconds, 1, unit))
        }
        "training" => Some(training(request.seconds, threads)),
        "world" => {
            let lidar = SensorSpec::Lidar(LidarSpec::default());
            let spec = scene::spec(vec![SensorSpec::Proprioception(ProprioceptionSpec::default()), lidar]);
            let mut sandbox = Sandbox::new();
            sandbox.set_minds(vec![Box::new(scene::Constant)]);
            sandbox.reset(&spec, 1).expect("the world is in order");
            Some(median(request.seconds, 100, |_| {
                if sandbox.record().step == scene::EPISODE {
                    sandbox.reset(&spec, 1).expect("the world is in order");
                }
                sandbox.control_step().expect("the step succeeds");
                black_box(sandbox.record().agents[0].pose);
            }))
        }
        "rapier" => {
            let (mut bare, mut steps, mut ranges) = (scene::Bare::new(), 0, [0.0; 32]);
            Some(median(request.seconds, 100, |_| {
                if steps == scene::EPISODE {
                    (bare, steps) = (scene::Bare::new(), 0);
                }
                bare.ranges(black_box(&mut ranges));
                bare.drive_and_step();
                steps += 1;
            }))
        }
        "episodes" => Some(episodes(request.seconds, threads)),
        _ => None,
    }
}

/// What one core can do, in billions of operations a second.
fn peak() -> f64 {
    let mut operations = 0;
    let (seconds, _) = median(0.02, 1, |_| operations = pulp::Arch::new().dispatch(Peak(20_000)));
    operations as f64 / seconds / 1e9
}

/// Repeat a block of `size` units for so long: the median block, divided by its size.
fn median(seconds: f64, size: usize, mut unit: impl FnMut(usize)) -> (f64, usize) {
    let (started, mut blocks, mut done) = (Instant::now(), Vec::new(), 0);
    while blocks.is_empty() || started.elapsed().as_secs_f64() < seconds {
        let block = Instant::now();
        for _ in 0..size {
            unit(done);
            done += 1;
        }
        blocks.push(block.elapsed().as_secs_f64() / size as f64);
    }
    blocks.sort_by(f64::total_cmp);
    (blocks[blocks.len() / 2], done)
}

/// One update: the time between two reports, which are 50 updates apart.
fn training(seconds: f64, threads: usize) -> (f64, usize) {
    let (experience, spec) = (workload::experience(), workload::training(1_000_000));
    let context = TrainContext { scenario: "peers".into(), scenario_hash: 0, seed: 1, jobs: threads };
    let (started, mut last, mut updates) = (Instant::now(), 0.0, Vec::new());
    let outcome = train(&experience, &spec, &context, None::<TrainState>, &mut |progress| {
        updates.push((progress.elapsed_secs - last) / 50.0);
        last = progress.elapsed_secs;
        if started.elapsed().as_secs_f64() < seconds { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(outcome, Ok(TrainOutcome::Stopped(_))), "training goes on until it is stopped");
    updates.sort_by(f64::total_cmp);
    (updates[updates.len() / 2], updates.len() * 50)
}

/// Whole episodes of the two rooms, gradient planner, as `forethought batch` runs them.
fn episodes(seconds: f64, threads: usize) -> (f64, usize) {
    let path = locate::scenario_file("two_rooms").expect("the scenario is there");
    let setup = Arc::new(
        Setup::load(&path, &SetupOptions { seed: 0, actor: None, ..SetupOptions::default() }).expect("it loads"),
    );
    let (started, mut done) = (Instant::now(), 0);
    while done == 0 || started.elapsed().as_secs_f64() < seconds {
        let count = 4 * threads as u64;
        let options = BatchOptions { first: done, episodes: count, jobs: threads, out: None, resume: false };
        batch(&setup, &options, &Stop::default(), &mut |_, _| Ok(())).expect("episodes run");
        done += count;
    }
    (started.elapsed().as_secs_f64() / done as f64, usize::try_from(done).unwrap_or(usize::MAX))
}
