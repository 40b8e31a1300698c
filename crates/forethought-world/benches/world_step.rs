//! One headless step of a small world, 10 bodies and 32 rays, beside Rapier alone on the same scene with its own ray
//! casts. One physics step is one control step here, so that both do the same work.

#![allow(clippy::expect_used, missing_docs, reason = "a bench may panic, and criterion's macro writes no docs")]

mod scene;

use criterion::{Criterion, criterion_group, criterion_main};
use forethought_world::{LidarSpec, ProprioceptionSpec, RasterSpec, Sandbox, SensorSpec};
use scene::{Bare, Constant, EPISODE, spec};
use std::hint::black_box;

fn sandbox_step(criterion: &mut Criterion, name: &str, sensors: Vec<SensorSpec>) {
    let spec = spec(sensors);
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![Box::new(Constant)]);
    criterion.bench_function(name, |bencher| {
        sandbox.reset(&spec, 1).expect("the world is in order");
        bencher.iter(|| {
            if sandbox.record().step == EPISODE {
                sandbox.reset(&spec, 1).expect("the world is in order");
            }
            sandbox.control_step().expect("the step succeeds");
            black_box(sandbox.record().agents[0].pose);
        });
    });
}

fn world_step(criterion: &mut Criterion) {
    let lidar = || SensorSpec::Lidar(LidarSpec::default());
    let proprioception = || SensorSpec::Proprioception(ProprioceptionSpec::default());
    sandbox_step(criterion, "sandbox, 10 bodies, 32 rays", vec![proprioception(), lidar()]);
    sandbox_step(criterion, "sandbox, 10 bodies, no rays", vec![proprioception()]);
    sandbox_step(criterion, "sandbox, 10 bodies, 64x64 raster", vec![SensorSpec::Raster(RasterSpec::default())]);
    for rays in [true, false] {
        let name = if rays { "rapier alone, 10 bodies, 32 rays" } else { "rapier alone, 10 bodies, no rays" };
        criterion.bench_function(name, |bencher| {
            let (mut bare, mut steps, mut ranges) = (Bare::new(), 0, [0.0; 32]);
            bencher.iter(|| {
                if steps == EPISODE {
                    (bare, steps) = (Bare::new(), 0);
                }
                if rays {
                    bare.ranges(black_box(&mut ranges));
                }
                bare.drive_and_step();
                steps += 1;
            });
        });
    }
    criterion.bench_function("reset, 10 bodies", |bencher| {
        let (spec, mut sandbox) = (spec(vec![proprioception(), lidar()]), Sandbox::new());
        sandbox.set_minds(vec![Box::new(Constant)]);
        bencher.iter(|| sandbox.reset(&spec, 1).expect("the world is in order"));
    });
}

criterion_group!(benches, world_step);
criterion_main!(benches);
