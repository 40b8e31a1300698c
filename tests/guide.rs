//! The code that the guide shows (`docs/guide`), each piece a test that is run. Read first: the guide.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use dfdx::prelude::*;
use forethought::{
    episode::Runner,
    setup::{Setup, SetupOptions},
};
use forethought_energy::{
    Matrix, PassTape, TapedColumn,
    collapse::effective_rank,
    energy::{Energy, matrix, nothing},
    gallery::{entries, entry},
    gibbs::Density,
    inference::{Sampler, descent::Descent, langevin::Langevin},
    latent::{FreeEnergy, Minimum},
    models::{Hopfield, Rbm, SparseCoding},
    nodes::Nodes,
    numbers,
    objectives::vicreg,
    random,
};
use forethought_interface::Detail;
use forethought_mind::Model;
use nalgebra::DMatrix;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{fs, path::Path, sync::Arc};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

// ANCHOR: parabola
/// `F(x, y) = (y - x²)²`: zero on the parabola, higher the farther from it.
fn parabola(x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
    (y.clone().put_tape(tape) - x.clone().square()).square().sum::<_, Axis<1>>()
}
// ANCHOR_END: parabola

#[test]
fn inference_finds_the_answer_of_least_energy() {
    // ANCHOR: inference
    let (x, y) = (matrix(vec![0.5, -2.0], 1), matrix(vec![3.0, 3.0], 1));
    let way = Descent::new(0.1, 0.0).descend(&parabola, &x, &y, 50);
    // ANCHOR_END: inference
    let found = &way[50];
    assert!((found[0] - 0.25).abs() < 1e-2 && (found[1] - 4.0).abs() < 1e-2, "{found:?}");
}

#[test]
fn energies_are_probabilities() {
    // ANCHOR: gibbs
    let beta = 4.0;
    let places = Nodes::grid(&[[-3.0, 5.0]], 400);
    let density = Density::of(&parabola, &[1.0], &places, beta);
    let mass: f64 = density.masses().iter().sum();
    // ANCHOR_END: gibbs
    assert!((mass - 1.0).abs() < 1e-9);
    // A Gaussian around x² = 1 of variance 1 / (2 beta).
    let variance: f64 =
        density.masses().iter().zip(&places.points).map(|(mass, y)| mass * f64::from(y - 1.0).powi(2)).sum();
    assert!((variance - 0.125).abs() < 1e-3, "{variance}");
}

#[test]
fn sampling_gives_answers_as_likely_as_their_energies_say() {
    // ANCHOR: sampling
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (x, mut y) = (matrix(vec![1.0; 500], 1), matrix(vec![0.0; 500], 1));
    Langevin { step: 0.01, beta: 4.0 }.steps(&parabola, &x, &mut y, 200, &mut rng);
    // ANCHOR_END: sampling
    let mean = numbers(&y).iter().sum::<f32>() / 500.0;
    assert!((mean - 1.0).abs() < 0.1, "{mean}");
}

// ANCHOR: ellipse
/// `E(y, z) = (y1 - 2 sin z)² + (y2 - cos z)²`: how far `y` is from the point of the ellipse at the angle `z`.
fn ellipse(_: &Matrix, y: &Matrix, z: &Matrix, tape: PassTape) -> TapedColumn {
    let points = numbers(z).iter().flat_map(|angle| [2.0 * angle.sin(), angle.cos()]).collect();
    (y.clone().put_tape(tape) - matrix(points, 2)).square().sum::<_, Axis<1>>()
}
// ANCHOR_END: ellipse

#[test]
fn a_latent_variable_is_minimised_or_marginalised_over() {
    // ANCHOR: latent
    let angles = || Nodes::circle(360);
    let y = matrix(vec![2.0, 0.0, 0.0, 0.0], 2);
    let least = Minimum { energy: ellipse, nodes: angles(), steps: 0, rate: 0.0 };
    let free = |beta| FreeEnergy { energy: ellipse, nodes: angles(), beta }.values(&nothing(2), &y);
    let (on, inside) = (least.values(&nothing(2), &y)[0], least.values(&nothing(2), &y)[1]);
    // ANCHOR_END: latent
    // No angle is quite a right one.
    assert!(on < 1e-4 && (inside - 1.0).abs() < 1e-3, "{on} {inside}");
    let gap = |beta: f32| (free(beta)[1] - inside).abs();
    assert!(gap(100.0) < gap(10.0) && gap(10.0) < gap(1.0), "the free energy comes to the least");
}

#[test]
fn collapse_is_measured_and_told_by_vicreg() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // ANCHOR: collapse
    let spread: Vec<f32> = (0..256 * 8).map(|_| random::normal(&mut rng)).collect();
    let collapsed = vec![0.5; 256 * 8];
    for latents in [&spread, &collapsed] {
        let on_tape = || matrix(latents.clone(), 8).put_tape(PassTape::default());
        let [hinge, covariance] =
            [vicreg::variance(on_tape(), 1.0), vicreg::covariance(on_tape())].map(|term| numbers(&term)[0]);
        let rank = effective_rank(latents, 8);
        println!("variance hinge {hinge:.2}, covariance {covariance:.2}, effective rank {rank:.1}");
    }
    // ANCHOR_END: collapse
    assert!(effective_rank(&spread, 8) > 7.5 && effective_rank(&collapsed, 8) == 0.0);
    let hinge =
        |latents: &[f32]| numbers(&vicreg::variance(matrix(latents.to_vec(), 8).put_tape(PassTape::default()), 1.0))[0];
    assert!(hinge(&collapsed) > 0.9 && hinge(&spread) < 0.1);
}

#[test]
fn a_code_of_few_atoms_says_most() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // ANCHOR: sparse
    let samples = DMatrix::from_fn(2, 100, |_, _| f64::from(random::normal(&mut rng)));
    let atoms = DMatrix::from_row_slice(2, 3, &[1.0, -0.5, -0.5, 0.0, 0.87, -0.87]);
    let used = [0.05, 0.5].map(|lambda| {
        let codes = SparseCoding::new(atoms.clone(), lambda).unwrap().encode(&samples).unwrap();
        codes.iter().filter(|code| **code != 0.0).count() as f64 / 100.0
    });
    println!("{:.2} atoms a sample, and {:.2} where they cost more", used[0], used[1]);
    // ANCHOR_END: sparse
    assert!(used[1] < used[0] && used[1] > 0.1, "{used:?}");
}

#[test]
fn a_hopfield_network_recalls() {
    // ANCHOR: hopfield
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let patterns = DMatrix::from_fn(100, 5, |_, _| if rng.gen_bool(0.5) { 1.0 } else { -1.0 });
    let network = Hopfield::store(&patterns).unwrap();
    let mut corrupted = patterns.column(0).into_owned();
    corrupted.rows_mut(0, 20).neg_mut();
    let recalled = network.recall(&corrupted, 10, &mut rng).state;
    // ANCHOR_END: hopfield
    assert!(recalled.dot(&patterns.column(0)) > 95.0, "the pattern is not recalled");
    assert!(network.energy(&recalled) < network.energy(&corrupted));
}

#[test]
fn contrastive_divergence_raises_the_likelihood() {
    // ANCHOR: boltzmann
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let samples = DMatrix::from_fn(6, 60, |unit, sample| f64::from(u8::from((unit + sample) % 3 == 0)));
    let mut machine = Rbm::random(&samples, 4, &mut rng).unwrap();
    let before = machine.log_likelihood(&samples).unwrap();
    for _ in 0..500 {
        let slope = machine.contrastive_divergence(&samples, 1, &mut rng);
        machine.ascend(&slope, 0.2);
    }
    let after = machine.log_likelihood(&samples).unwrap();
    // ANCHOR_END: boltzmann
    assert!(after > before + 0.5, "{before} {after}");
}

#[test]
fn an_agent_plans_by_minimising_an_energy() {
    let scenario = root().join("scenarios/two_rooms.ron");
    // ANCHOR: planning
    let setup = Arc::new(Setup::load(&scenario, &SetupOptions::default()).unwrap());
    let mut runner = Runner::new(setup, Detail::Full);
    let mut episode = runner.begin(0).unwrap();
    runner.step(&mut episode).unwrap();
    let thought = runner.sandbox().record().agents[0].thought.as_ref().unwrap();
    let (first, last) = (thought.energy_by_iteration.first().unwrap(), thought.energy_by_iteration.last().unwrap());
    println!("the plan's energy went from {first} to {last}");
    // ANCHOR_END: planning
    assert!(last < first, "{:?}", thought.energy_by_iteration);
}

#[test]
fn levels_predict_farther_and_farther() {
    let file = root().join("assets/maze.safetensors");
    // ANCHOR: levels
    let model = Model::load(&file).unwrap();
    println!("JEPA-1 predicts {} control steps at once", model.stride());
    for level in model.levels() {
        println!("the level above it {}", level.span());
    }
    // ANCHOR_END: levels
    assert!(model.levels().iter().all(|level| level.span() > model.stride()));
}

/// What follows `start` in the guide's text, up to `end`.
fn named<'a>(text: &'a str, start: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.split(end).next())
}

#[test]
fn the_guide_names_what_there_is() {
    let guide = root().join("docs/guide/src");
    let code = include_str!("guide.rs");
    let mut shown = String::new();
    for file in guide.read_dir().unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for picture in named(&text, "](pictures/", ')') {
            assert!(guide.join("pictures").join(picture).is_file(), "{}: {picture} is missing", file.display());
        }
        for anchor in named(&text, "tests/guide.rs:", '}') {
            assert!(code.contains(&format!("ANCHOR: {anchor}\n")), "{}: no code is called {anchor}", file.display());
        }
        for name in named(&text, "forethought gallery ", ' ')
            .filter(|name| name.starts_with(|letter: char| letter.is_ascii_lowercase()))
        {
            let name = name.split_whitespace().next().unwrap();
            assert!(entry(name).is_some(), "{}: the gallery has no {name}", file.display());
        }
        shown.push_str(&text);
    }
    for anchor in code.lines().filter_map(|line| line.trim_start().strip_prefix("// ANCHOR: ")) {
        assert!(shown.contains(&format!("tests/guide.rs:{anchor}}}")), "the guide does not show {anchor}");
    }
    for entry in entries() {
        let picture = format!("](pictures/{}.svg)", entry.name);
        assert!(shown.contains(&picture), "the guide has no picture of {}", entry.name);
    }
}
