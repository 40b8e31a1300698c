//! One planning iteration: latent 64, two hidden layers of 128, horizon 16, on one thread and on all; and how it grows.

#![allow(clippy::expect_used, clippy::cast_precision_loss, missing_docs, reason = "a bench may panic")]

mod workload;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use workload::Planning;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn planning(criterion: &mut Criterion) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for threads in if cores > 1 { vec![1, cores] } else { vec![1] } {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
        let mut group = criterion.benchmark_group(format!("planning iteration, {threads} threads"));
        for starts in [1, 16, 64, 256] {
            group.throughput(Throughput::Elements(Planning::operations(64, &[128, 128], 16, starts) as u64));
            group.bench_function(BenchmarkId::new("starts", starts), |bencher| {
                let mut planning = Planning::new(64, &[128, 128], 16, starts);
                pool.install(|| bencher.iter(|| planning.iterate()));
            });
        }
    }
}

criterion_group!(benches, planning);
criterion_main!(benches);
