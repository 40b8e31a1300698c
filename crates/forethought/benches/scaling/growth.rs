//! What grows: a planning iteration and a world's step, one size at a time. Read first: [`Sweep::all`] and [`Speedup`].

use crate::{
    measure::{Effort, Law, Work, repeat, sweep},
    scene::{self, Circling},
    workload::Planning,
};
use forethought_interface::Think;
use forethought_world::{LidarSpec, ProprioceptionSpec, Sandbox, SensorSpec};
use indicatif::ProgressBar;
use std::hint::black_box;

/// What is not varied of a planning iteration.
const LATENT: usize = 64;
const HIDDEN: usize = 128;
const HORIZON: usize = 16;
const STARTS: usize = 16;
/// What is not varied of a world.
const BODIES: usize = 8;
const RAYS: usize = 32;
/// A block is so many steps from a fresh crowd, always the same ones: later its bodies come to rest.
const LIVELY: usize = 200;

/// Times against one size, the others fixed.
pub struct Sweep {
    /// What grows.
    pub name: &'static str,
    /// What is timed, and the sizes that are fixed.
    pub of: String,
    /// Size and seconds.
    pub points: Vec<(f64, f64)>,
    /// The law of the larger half.
    pub law: Option<Law>,
}

/// Threads and the seconds of a planning iteration from so many starts.
pub struct Speedup {
    pub starts: usize,
    pub points: Vec<(f64, f64)>,
}

/// How many times [`Sweep::all`] moves the bar in a pass.
pub const SWEEPS: usize = 7;

impl Sweep {
    /// All of them, on the calling thread's pool.
    pub fn all(effort: Effort, bar: &ProgressBar, show: &dyn Fn(&Self)) -> Vec<Self> {
        let mut done = Vec::new();
        for (name, of, sizes, make) in kinds() {
            let points = sweep(effort, &sizes, bar, make);
            let law = Law::fit(&points);
            let sweep = Self { name, of, points, law };
            show(&sweep);
            done.push(sweep);
        }
        done
    }
}

type Kind = (&'static str, String, Vec<usize>, fn(usize) -> Work);

fn kinds() -> [Kind; SWEEPS] {
    let iteration = |fixed: String| format!("a planning iteration: {fixed}");
    let step = |fixed: String| format!("a world's step: {fixed}");
    [
        (
            "starts",
            iteration(format!("latent {LATENT}, hidden 2 x {HIDDEN}, horizon {HORIZON}")),
            powers(0, 9),
            |size| planning(LATENT, HIDDEN, HORIZON, size),
        ),
        (
            "horizon",
            iteration(format!("latent {LATENT}, hidden 2 x {HIDDEN}, {STARTS} starts")),
            powers(2, 7),
            |size| planning(LATENT, HIDDEN, size, STARTS),
        ),
        (
            "latent",
            iteration(format!("hidden 2 x {HIDDEN}, horizon {HORIZON}, {STARTS} starts")),
            powers(4, 8),
            |size| planning(size, HIDDEN, HORIZON, STARTS),
        ),
        (
            "hidden width",
            iteration(format!("latent {LATENT}, horizon {HORIZON}, {STARTS} starts")),
            powers(5, 9),
            |size| planning(LATENT, size, HORIZON, STARTS),
        ),
        ("bodies", step(format!("1 agent, {RAYS} rays")), powers(1, 9), |size| world(size, 1, RAYS)),
        ("rays", step(format!("{BODIES} bodies, 1 agent")), powers(3, 12), |size| world(BODIES, 1, size)),
        ("agents", step(format!("{BODIES} bodies, {RAYS} rays each")), powers(0, 7), |size| world(BODIES, size, RAYS)),
    ]
}

fn powers(from: u32, to: u32) -> Vec<usize> {
    (from..=to).map(|exponent| 1 << exponent).collect()
}

fn planning(latent: usize, hidden: usize, horizon: usize, starts: usize) -> Work {
    let (mut planning, mut done) = (Planning::new(latent, &[hidden, hidden], horizon, starts), 0_u32);
    let mut iterate = move || {
        // A plan is a few iterations; going on for ever would saturate the actions.
        if done.is_multiple_of(16) {
            planning.restart();
        }
        done += 1;
        black_box(planning.iterate());
    };
    Box::new(move |count| repeat(count, &mut iterate))
}

fn world(bodies: usize, agents: usize, rays: usize) -> Work {
    let rays = u32::try_from(rays).expect("a few rays");
    let lidar = SensorSpec::Lidar(LidarSpec { rays, ..LidarSpec::default() });
    let spec = scene::crowd(bodies, agents, &[SensorSpec::Proprioception(ProprioceptionSpec::default()), lidar]);
    let mut sandbox = Sandbox::new();
    sandbox.set_minds((0..agents).map(|index| Box::new(Circling::new(index)) as Box<dyn Think>).collect());
    Box::new(move |_| {
        sandbox.reset(&spec, 1).expect("the world is in order");
        repeat(LIVELY, || {
            sandbox.control_step().expect("the step succeeds");
            black_box(sandbox.record().agents[0].pose);
        })
    })
}

impl Speedup {
    /// How many starts there are.
    pub const STARTS: [usize; 2] = [64, 256];

    /// A planning iteration on 1, 2, 4, ... threads, up to one for each core.
    pub fn all(effort: Effort, bar: &ProgressBar, show: &dyn Fn(&Self)) -> Vec<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut counts: Vec<usize> = powers(0, cores.ilog2());
        if !cores.is_power_of_two() {
            counts.push(cores);
        }
        let of = |starts: usize| {
            let points = sweep(effort, &counts, bar, |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
                let mut planning = Planning::new(LATENT, &[HIDDEN, HIDDEN], HORIZON, starts);
                let mut iterate = move || {
                    planning.restart();
                    black_box(pool.install(|| planning.iterate()));
                };
                Box::new(move |count| repeat(count, &mut iterate))
            });
            let speedup = Self { starts, points };
            show(&speedup);
            speedup
        };
        Self::STARTS.map(of).into()
    }

    /// How many times as fast as one thread each number of threads is.
    pub fn factors(&self) -> Vec<(f64, f64)> {
        let alone = self.points[0].1;
        self.points.iter().map(|(threads, seconds)| (*threads, alone / seconds)).collect()
    }
}
