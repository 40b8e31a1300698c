//! One planning iteration: latent 64, two hidden layers of 128, horizon 16, on one thread and on all; and how it grows.

#![allow(clippy::expect_used, clippy::cast_precision_loss, missing_docs, reason = "a bench may panic")]

mod workload;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use workload::{Peak, Planning};

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
                let (mut planning, mut done) = (Planning::new(64, &[128, 128], 16, starts), 0_u32);
                pool.install(|| {
                    bencher.iter(|| {
                        if done.is_multiple_of(16) {
                            planning.restart();
                        }
                        done += 1;
                        planning.iterate()
                    });
                });
            });
        }
    }
}

/// What one core can do, to see what share of it planning reaches.
fn peak(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("peak, 1 threads");
    group.throughput(Throughput::Elements(pulp::Arch::new().dispatch(Peak(10_000)) as u64));
    group.bench_function("multiply-adds", |bencher| bencher.iter(|| pulp::Arch::new().dispatch(Peak(10_000))));
}

criterion_group!(benches, peak, planning);
criterion_main!(benches);
