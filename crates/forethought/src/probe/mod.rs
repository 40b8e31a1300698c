//! What a trained model knows, measured on worlds that it was not trained on: what its latents tell, how far its predictions
//! carry, and whether it is surprised when a law of the world is broken. Read first: [`probe()`] and [`Report`].

pub mod auc;
pub(crate) mod control;
pub mod foresight;
pub mod picture;
pub mod readouts;
pub mod surprise;
pub mod table;
pub mod violations;

use crate::{
    error::Error,
    experience::{seated, walk},
    progress::Progress,
    setup::{Setup, SetupOptions},
    stop::Stop,
    workers::spread,
};
use foresight::Horizon;
use forethought_mind::{Model, actor::planners::PlannerName, training::Trajectory, world_model::view::View};
use forethought_world::Sandbox;
use readouts::{Maps, ReadoutScore};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use surprise::{Anticipation, Surprise};
use violations::{CROSSING, Stage, Violation};

/// Control steps shown before a violation; none begins earlier.
const BEFORE: usize = 12;
/// Control steps shown after what a violation reaches.
const AFTER: usize = 8;

/// No fewer episodes can be halved and compared.
pub const FEWEST: u64 = 4;

/// What to probe, and on how much.
#[derive(Debug, Clone)]
pub struct ProbeOptions {
    /// The model, in place of the scenario's.
    pub model: Option<PathBuf>,
    /// Episodes, [`FEWEST`] or more: one half is fitted to, the other scored.
    pub episodes: u64,
    /// The seed that they are derived from.
    pub seed: u64,
    /// Worker threads; results are the same for any number.
    pub jobs: usize,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The run's seed.
    pub seed: u64,
    /// Episodes that readouts and normal energies were fitted to.
    pub fitted: usize,
    /// Episodes that all numbers were measured on.
    pub scored: usize,
    /// Control steps of each.
    pub steps: u32,
    /// The levels, the first first.
    pub levels: Vec<LevelReport>,
    /// How violations stand out.
    pub surprise: Surprise,
}

/// What one level knows.
#[derive(Debug, Clone, Serialize)]
pub struct LevelReport {
    /// Its number, from 1.
    pub level: usize,
    /// Control steps that one prediction spans.
    pub span: usize,
    /// Width of its latent.
    pub latent: usize,
    /// What its latents tell.
    pub readouts: Vec<ReadoutScore>,
    /// How far its predictions carry.
    pub horizon: Horizon,
}

/// A normal episode, as recorded and as each level sees it.
pub(crate) struct Normal {
    trajectory: Trajectory,
    /// `[steps + 1]`, in m/s.
    velocities_m_s: Vec<[f32; 2]>,
    views: Vec<View>,
}

/// An episode in which a law was broken.
pub(crate) struct Strange {
    violation: Violation,
    /// From when on.
    step: usize,
    /// Control steps after that at which the body's centre was inside something solid.
    inside: Vec<usize>,
    /// How far the body has come when a crossing must be over, in metres.
    far_m: f32,
    with: Vec<View>,
    without: Vec<View>,
}

/// Probe a model on a scenario.
///
/// # Errors
/// Bad input; a model that is missing or does not fit; a physics that diverges; [`Error::Stopped`] where a stop was requested.
pub fn probe(scenario: &Path, options: &ProbeOptions, stop: &Stop) -> Result<Report, Error> {
    let chosen = SetupOptions { seed: options.seed, actor: Some(PlannerName::Random), ..SetupOptions::default() };
    let setup = Setup::load(scenario, &chosen)?;
    let model = setup.model_of_first(options.model.as_deref())?;
    let reach = reach(&model);
    let tail = reach + CROSSING + AFTER;
    let least = u32::try_from(BEFORE + reach + 2 * tail).unwrap_or(u32::MAX);
    let steps = setup.loaded.scenario.training.steps.max(least);
    let count = options.episodes.max(FEWEST);
    let indices: Vec<u64> = (0..count).collect();

    let progress = Progress::begin(&format!("walks in {}", setup.name()), count);
    let normal = |sandbox: &mut Option<Sandbox>, index| normal(&setup, &model, sandbox, index, steps);
    let episodes = gather(&indices, options.jobs, stop, progress, normal)?;
    let (fitted, scored) = episodes.split_at(episodes.len() / 2);

    let layout = model.card().perception.layout();
    let arena_m = setup.draw(0)?.world.arena.size_m.map(|side| side.value_f32());
    let levels = model.levels().len() + 1;
    let maps: Vec<Maps> = (0..levels).map(|level| Maps::fit(level, fitted, layout, arena_m)).collect();
    let reports = (0..levels).map(|level| {
        let view = &scored[0].views[level];
        LevelReport {
            level: level + 1,
            span: view.span(),
            latent: view.width(),
            readouts: maps[level].score(scored),
            horizon: foresight::horizon(level, scored, maps[level].position(), options.seed),
        }
    });
    let reports = reports.collect();
    let anticipation = Anticipation::fit(fitted);

    let range = BEFORE.max(reach)..steps as usize - tail;
    let progress = Progress::begin("broken laws", scored.len() as u64);
    let stage = Stage { setup: &setup, episodes: count, steps, range: range.clone() };
    let strange = |sandbox: &mut Option<Sandbox>, index: u64| {
        let mut found = Vec::new();
        for violation in Violation::all() {
            if let Some(event) = stage.violated(sandbox, index, violation)? {
                let own = &scored[index as usize - fitted.len()].views;
                let without = event.without.map_or_else(|| own.clone(), |without| model.views(&without));
                let (step, inside, at_m) = (event.step, event.inside, &event.trajectory.positions_m);
                let far_m = control::apart_m(at_m[step], at_m[step + CROSSING]);
                found.push(Strange { violation, step, inside, far_m, with: model.views(&event.trajectory), without });
            }
        }
        Ok(found)
    };
    let strange = gather(&indices[fitted.len()..], options.jobs, stop, progress, strange)?;
    let strange: Vec<Strange> = strange.into_iter().flatten().collect();
    let surprise = surprise::measure(&anticipation, scored, &strange, &range, tail, options.seed);
    Ok(Report {
        scenario: setup.name().to_owned(),
        seed: options.seed,
        fitted: fitted.len(),
        scored: scored.len(),
        steps,
        levels: reports,
        surprise,
    })
}

/// For how many control steps something that happens stays in the errors of any level.
fn reach(model: &Model) -> usize {
    // What the highest prediction spans, and what its latents are pooled over.
    model.levels().last().map_or(model.stride(), |top| 2 * top.span() - model.stride())
}

/// `work` for each index, in order.
fn gather<T: Send>(
    indices: &[u64],
    jobs: usize,
    stop: &Stop,
    mut progress: Progress,
    work: impl Fn(&mut Option<Sandbox>, u64) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let mut done = BTreeMap::new();
    let take = |index, result: Result<T, Error>| {
        done.insert(index, result?);
        progress.set(done.len() as u64, "");
        Ok(())
    };
    spread(indices, jobs, stop, || None, work, take)?;
    progress.end();
    if done.len() < indices.len() { Err(Error::Stopped("while probing")) } else { Ok(done.into_values().collect()) }
}

fn normal(
    setup: &Setup,
    model: &Model,
    sandbox: &mut Option<Sandbox>,
    index: u64,
    steps: u32,
) -> Result<Normal, Error> {
    let drawn = setup.draw(index)?;
    let sandbox = seated(setup, sandbox, &drawn)?;
    let mut velocities_m_s = Vec::new();
    let mut note = |sandbox: &mut Sandbox, _| velocities_m_s.push(sandbox.record().agents[0].velocity_m_s);
    let trajectory = walk(setup, sandbox, drawn, steps, &mut note)?.swap_remove(0);
    let views = model.views(&trajectory);
    Ok(Normal { trajectory, velocities_m_s, views })
}
