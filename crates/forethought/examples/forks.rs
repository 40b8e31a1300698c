//! Do the futures that a model imagines under the values of its latent variable cover what may really come? Each held-out world is
//! run once for every value of a factor that no sense shows before; where the ways part, what was imagined from before the
//! parting is compared with all of the true continuations.
//!
//! ```sh
//! cargo run --release -p forethought --no-default-features --example forks -- \
//!     fork assets/fork.safetensors --beside assets/fork_plain.safetensors --seed 1000 --episodes 200
//! ```
//!
//! Read first: [`Case`] and [`Figures`].

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use clap::Parser;
use forethought::{
    locate,
    scenario::{self, Draw, LoadedScenario},
    setup::{Setup, SetupOptions},
};
use forethought_interface::{Num, Observation, derive_seed};
use forethought_mind::{Model, actor::planners::PlannerName, world_model::readout::Readout};
use forethought_world::Sandbox;
use std::{error::Error, path::PathBuf};

/// Compare imagined futures with every true continuation of worlds whose way is not yet known
#[derive(Parser)]
struct Options {
    /// A RON file, or the bare name of one in scenarios/
    scenario: String,
    /// The model
    model: PathBuf,
    /// A model to compare with, trained without a latent variable on the same data
    #[arg(long)]
    beside: Option<PathBuf>,
    /// The factor that decides, a `Choice`
    #[arg(long, default_value = "side")]
    factor: String,
    /// The body whose place is decoded, to tell errors in metres
    #[arg(long, default_value = "gate")]
    body: String,
    /// Where the worlds come from
    #[arg(long, default_value_t = 1000)]
    seed: u64,
    /// Held-out worlds
    #[arg(long, default_value_t = 200)]
    episodes: u64,
}

/// A world that was explored at random, once for each way that it may go; the actions are the same.
struct World {
    /// `[ways][steps + 1]`.
    observations: Vec<Vec<Observation>>,
    /// `[ways][steps + 1]`, in metres.
    body_m: Vec<Vec<[f32; 2]>>,
    /// `[steps, action]`.
    actions: Vec<f32>,
    /// The first control step at which the ways look different.
    parting: usize,
}

/// A moment at which the way is not yet known, and what comes.
struct Case<'a> {
    world: &'a World,
    start: usize,
}

/// Decodes the body's place from a latent: least squares on the latent and random features of it, `tanh(W s + b)` (Rahimi &
/// Recht, 2007), as what is seen of a body is no linear function of where it is.
struct Decoder {
    /// `[latent + 1, FEATURES]`.
    weights: Vec<f32>,
    readout: Readout,
}

const FEATURES: usize = 400;

/// What a model's futures are worth. Errors are mean squares over latents, in parts of the latents' variance.
#[derive(Default)]
struct Figures {
    cases: usize,
    /// Of the cases: each way has a future that is nearer to it than to any other.
    covered: usize,
    /// Of the cases: each way has a future nearer to it than half its distance from the other ways.
    covered_closely: usize,
    /// Of the best future for what really comes, over all predictions, and over those after the parting.
    error: [f64; 2],
    /// As `error`, of the best future for the sequence as a whole: the body's decoded place after the parting, in m².
    body_m2: f64,
    /// The body's place as decoded from the true latents, in m².
    body_floor_m2: f64,
    continuations: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let loaded = scenario::load_without_models(&locate::scenario_file(&options.scenario)?)?;
    let models: Vec<(&PathBuf, Model)> = std::iter::once(&options.model)
        .chain(&options.beside)
        .map(|file| Ok((file, Model::load(file)?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let ways = ways(&loaded, &options.factor)?;
    let explore = |purpose: &str| -> Result<Vec<World>, Box<dyn Error>> {
        let draw = |index| explore(&ways, &options, purpose == "train", derive_seed(options.seed, purpose, index));
        (0..options.episodes).map(draw).collect()
    };
    // The place is decoded by a readout fitted to other worlds than those that are measured.
    let (fitting, measured) = (explore("train")?, explore("episode")?);
    let mut errors = Vec::new();
    for (file, model) in &models {
        let figures = measure(model, &fitting, &measured, loaded.scenario.training.unroll as usize);
        println!("{}: {} codes", file.display(), model.predictors().len());
        if !model.card().code_shares.is_empty() {
            println!("  each predicts best {:?} of the experience", model.card().code_shares);
        }
        let percent = |count: usize| 100.0 * count as f64 / figures.cases.max(1) as f64;
        println!("  moments before the parting: {}", figures.cases);
        println!("  futures cover every way: {:.1}%", percent(figures.covered));
        println!("  ... each nearer than half the way to the other: {:.1}%", percent(figures.covered_closely));
        let count = figures.continuations.max(1) as f64;
        let [all, after] = figures.error.map(|sum| sum / count);
        println!(
            "  open-loop error of the best future: {all:.4}; after the parting {after:.4} (1 is the latents' variance)"
        );
        let [metres, floor] = [figures.body_m2, figures.body_floor_m2].map(|sum| (sum / count).sqrt());
        println!(
            "  the {}'s place after the parting: off by {metres:.2} m (decoded from true latents {floor:.2} m)",
            options.body
        );
        errors.push([all, after, figures.body_m2 / count]);
    }
    if let [own, other] = errors[..] {
        let [all, after, place] = [0, 1, 2].map(|index: usize| own[index] / other[index]);
        println!(
            "best of codes in parts of without: open-loop error {all:.2}, after the parting {after:.2}, place {place:.2}"
        );
    }
    Ok(())
}

/// The scenario with the factor fixed to each of its values.
fn ways(loaded: &LoadedScenario, name: &str) -> Result<Vec<Setup>, Box<dyn Error>> {
    let at = loaded.scenario.factors.iter().position(|factor| factor.name == name);
    let at = at.ok_or_else(|| format!("there is no factor `{name}`"))?;
    let Draw::Choice { of } = loaded.scenario.factors[at].draw.clone() else {
        return Err(format!("the factor `{name}` is no `Choice`").into());
    };
    let fixed = |value: Num| {
        let mut loaded = loaded.clone();
        loaded.scenario.factors[at].draw = Draw::Fixed { value };
        loaded.scenario.factors[at].explore = None;
        let options = SetupOptions { seed: 0, actor: Some(PlannerName::Random), ..SetupOptions::default() };
        Ok(Setup::of(loaded, &options)?)
    };
    of.into_iter().map(fixed).collect()
}

fn explore(ways: &[Setup], options: &Options, wide: bool, seed: u64) -> Result<World, Box<dyn Error>> {
    let mut world = World { observations: vec![], body_m: vec![], actions: vec![], parting: usize::MAX };
    let mut sandbox = Sandbox::new();
    for setup in ways {
        // The same seed draws the same of all other factors, and the same walk.
        let mut drawn = if wide { setup.loaded.draw_exploring(seed)? } else { setup.loaded.draw(seed)? };
        drawn.world.agents.iter_mut().for_each(|agent| agent.target = None);
        let body = drawn.world.bodies.iter().position(|body| body.name == options.body);
        let body = body.ok_or_else(|| format!("there is no body `{}`", options.body))?;
        sandbox.set_minds(setup.minds(&drawn)?);
        sandbox.reset(&drawn.world, seed)?;
        let (mut observations, mut body_m) = (vec![sandbox.observe(0)], vec![sandbox.record().bodies[body].position_m]);
        world.actions.clear();
        for _ in 0..setup.loaded.scenario.training.steps {
            sandbox.control_step()?;
            let thought = sandbox.record().agents[0].thought.as_ref();
            world.actions.extend(thought.into_iter().flat_map(|thought| &thought.action.values));
            observations.push(sandbox.observe(0));
            body_m.push(sandbox.record().bodies[body].position_m);
        }
        world.observations.push(observations);
        world.body_m.push(body_m);
    }
    let first = &world.observations[0];
    let differs = |step: &usize| world.observations.iter().any(|way| way[*step] != first[*step]);
    world.parting = (0..first.len()).find(differs).unwrap_or(usize::MAX);
    Ok(world)
}

impl World {
    /// Moments before the parting, a prediction apart, from which `unroll` predictions reach at least two beyond it.
    fn cases(&self, unroll: usize, stride: usize) -> impl Iterator<Item = Case<'_>> {
        let (span, last) = (unroll * stride, self.observations[0].len() - 1);
        let starts = (0..last).filter(move |start| {
            let known = self.parting <= *start || self.parting == usize::MAX;
            let here = !known && (self.parting - 1 - start).is_multiple_of(stride);
            here && start + span <= last && start + span >= self.parting + 2 * stride
        });
        starts.map(|start| Case { world: self, start })
    }
}

fn encode(model: &Model, observation: &Observation) -> Vec<f32> {
    let percept = model.card().perception.perceive(observation);
    percept.map(|percept| model.encode(&percept)).unwrap_or_default()
}

impl Decoder {
    fn fit(latents: &[f32], width: usize, places: &[[f32; 2]]) -> Self {
        let number = |index: usize| derive_seed(1, "features", index as u64) as f32 / u64::MAX as f32 - 0.5;
        let scale = (12.0 / width as f32).sqrt();
        let weights: Vec<f32> = (0..(width + 1) * FEATURES).map(|index| scale * number(index)).collect();
        let features: Vec<f32> = latents.chunks_exact(width).flat_map(|latent| features(&weights, latent)).collect();
        Self { readout: Readout::fit(&features, width + FEATURES, places), weights }
    }

    fn place_m(&self, latent: &[f32]) -> [f32; 2] {
        self.readout.position_m(&features(&self.weights, latent))
    }
}

fn features(weights: &[f32], latent: &[f32]) -> Vec<f32> {
    let mut sums = weights[latent.len() * FEATURES..].to_vec();
    for (value, row) in latent.iter().zip(weights.chunks_exact(FEATURES)) {
        sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
    }
    latent.iter().copied().chain(sums.into_iter().map(f32::tanh)).collect()
}

/// The decoder of the body's place and the latents' variance, and then the figures.
fn measure(model: &Model, fitting: &[World], measured: &[World], unroll: usize) -> Figures {
    let (mut latents, mut places) = (Vec::new(), Vec::new());
    for world in fitting {
        for (observations, body_m) in world.observations.iter().zip(&world.body_m) {
            latents.extend(observations.iter().flat_map(|observation| encode(model, observation)));
            places.extend_from_slice(body_m);
        }
    }
    let width = latents.len() / places.len();
    let decoder = Decoder::fit(&latents, width, &places);
    let variance = variance(&latents, width);
    let mut figures = Figures::default();
    for world in measured {
        for case in world.cases(unroll, model.stride()) {
            case.count(model, unroll, variance, &decoder, &mut figures);
        }
    }
    figures
}

/// The mean over the latent's values of each one's variance.
fn variance(latents: &[f32], width: usize) -> f64 {
    let rows = (latents.len() / width) as f64;
    let mean = |value: usize, of: &dyn Fn(f64) -> f64| {
        latents.chunks_exact(width).map(|latent| of(f64::from(latent[value]))).sum::<f64>() / rows
    };
    let of = |value: usize| mean(value, &|v| v * v) - mean(value, &|v| v).powi(2);
    (0..width).map(of).sum::<f64>() / width as f64
}

impl Case<'_> {
    fn count(&self, model: &Model, unroll: usize, variance: f64, decoder: &Decoder, figures: &mut Figures) {
        let (world, stride) = (self.world, model.stride());
        let latent = encode(model, &world.observations[0][self.start]);
        let width = latent.len();
        let per_step = model.card().action_len;
        let actions = &world.actions[self.start * per_step..(self.start + unroll * stride) * per_step];
        let futures: Vec<Vec<f32>> =
            model.predictors().iter().map(|predictor| predictor.imagine(&latent, actions, &[])).collect();
        let at = |prediction: usize| self.start + (prediction + 1) * stride;
        let truth = |way: &Vec<Observation>| -> Vec<f32> {
            (0..unroll).flat_map(|prediction| encode(model, &way[at(prediction)])).collect()
        };
        let ways: Vec<Vec<f32>> = world.observations.iter().map(truth).collect();
        // The first prediction after the parting.
        let first = (0..unroll).find(|prediction| at(*prediction) >= world.parting).unwrap_or(unroll);
        let error = |left: &[f32], right: &[f32], first: usize| {
            let pairs = left[first * width..].iter().zip(&right[first * width..]);
            let squares: f64 = pairs.map(|(l, r)| f64::from(l - r).powi(2)).sum();
            squares / (variance * ((unroll - first) * width) as f64)
        };
        let to_ways = |future: &Vec<f32>| -> Vec<f64> { ways.iter().map(|way| error(future, way, first)).collect() };
        let errors: Vec<Vec<f64>> = futures.iter().map(to_ways).collect();
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let covered = |way: usize| {
            errors.iter().any(|future| (0..ways.len()).all(|other| other == way || future[way] < future[other]))
        };
        let closely = |way: usize| {
            let others = (0..ways.len()).filter(|other| *other != way);
            let apart = least(&mut others.map(|other| error(&ways[way], &ways[other], first)));
            least(&mut errors.iter().map(|future| future[way])).sqrt() < 0.5 * apart.sqrt()
        };
        figures.cases += 1;
        figures.covered += usize::from((0..ways.len()).all(covered));
        figures.covered_closely += usize::from((0..ways.len()).all(closely));
        for (way, body_m) in ways.iter().zip(&world.body_m) {
            figures.continuations += 1;
            figures.error[0] += least(&mut futures.iter().map(|future| error(future, way, 0)));
            figures.error[1] += least(&mut futures.iter().map(|future| error(future, way, first)));
            let off_m2 = |future: &Vec<f32>| {
                let after = future.chunks_exact(width).enumerate().skip(first);
                let squares = after.map(|(prediction, latent)| {
                    let ([x, y], [true_x, true_y]) = (decoder.place_m(latent), body_m[at(prediction)]);
                    f64::from(x - true_x).powi(2) + f64::from(y - true_y).powi(2)
                });
                squares.sum::<f64>() / (unroll - first) as f64
            };
            figures.body_m2 += least(&mut futures.iter().map(off_m2));
            figures.body_floor_m2 += off_m2(way);
        }
    }
}
