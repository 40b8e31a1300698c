//! One update of a world model of the default sizes, 36 senses and two actions, on one thread and on all.

#![allow(clippy::expect_used, clippy::cast_precision_loss, missing_docs, reason = "a bench may panic")]

mod workload;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forethought_mind::training::{TrainContext, TrainingSpec, train};
use std::{ops::ControlFlow, time::Duration};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Floating-point operations of an update's matrix products: there, back to the weights, and back to what came before.
fn operations(spec: &TrainingSpec) -> u64 {
    let model = &spec.world_model;
    let products = |inputs: usize, hidden: &[usize], outputs: usize, rows: u32, back_from: usize| {
        let sizes: Vec<usize> = std::iter::once(inputs).chain(hidden.iter().copied()).chain([outputs]).collect();
        let layers = sizes.windows(2).map(|pair| pair[0] * pair[1]);
        let all: usize = layers.clone().sum::<usize>() * 2 + layers.skip(back_from).sum::<usize>();
        2 * all as u64 * u64::from(rows * spec.batch)
    };
    products(36, &model.encoder_hidden, model.latent, spec.unroll + 1, 1)
        + products(model.latent + 2, &model.predictor_hidden, model.latent, spec.unroll, 0)
        + products(2 * model.latent, &model.inverse_hidden, 2, spec.unroll, 0)
}

fn training(criterion: &mut Criterion) {
    let experience = workload::experience();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut group = criterion.benchmark_group("training update");
    group.sample_size(20);
    for threads in if cores > 1 { vec![1, cores] } else { vec![1] } {
        let context = TrainContext { scenario: "bench".into(), scenario_hash: 0, seed: 1, jobs: threads };
        group.throughput(Throughput::Elements(operations(&workload::training(1))));
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter_custom(|updates| {
                let spec = workload::training(u32::try_from(updates).expect("few"));
                let mut seconds = 0.0;
                let outcome = train(&experience, &spec, &context, None, &mut |progress| {
                    seconds = progress.elapsed_secs;
                    ControlFlow::Continue(())
                });
                outcome.expect("it trains");
                Duration::from_secs_f64(seconds)
            });
        });
    }
}

criterion_group!(benches, training);
criterion_main!(benches);
