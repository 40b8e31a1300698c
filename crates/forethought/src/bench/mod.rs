//! Actors side by side on the same episodes. Read first: [`bench()`].

pub mod picture;

use crate::{
    batch::{BatchOptions, Summary, Tally, batch},
    episode::EpisodeResult,
    error::Error,
    progress::Progress,
    setup::{Setup, SetupOptions},
    stop::Stop,
};
use forethought_mind::actor::planners::PlannerName;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// What to compare, and on how much.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// Episodes for each actor: the same ones for all.
    pub episodes: u64,
    /// The seed that they are derived from.
    pub seed: u64,
    /// Worker threads.
    pub jobs: usize,
    /// The actors.
    pub actors: Vec<PlannerName>,
    /// A model in place of those that the scenarios name.
    pub model: Option<PathBuf>,
}

/// Run each actor on each scenario: one summary for each pair, scenario by scenario. Ends early where a stop is
/// requested; the last summary is then incomplete.
///
/// # Errors
/// Bad input, before anything runs.
pub fn bench(scenarios: &[PathBuf], options: &BenchOptions, stop: &Stop) -> Result<Vec<Summary>, Error> {
    let mut setups = Vec::new();
    for path in scenarios {
        for actor in &options.actors {
            setups.push(Arc::new(setup(path, *actor, options)?));
        }
    }
    let batch_options =
        BatchOptions { first: 0, episodes: options.episodes, jobs: options.jobs, out: None, resume: false };
    let mut summaries = Vec::new();
    for setup in &setups {
        let label = format!("{} {}", setup.name(), setup.actor_name());
        let mut progress = Progress::begin(&label, options.episodes);
        let mut watch = |result: &EpisodeResult, tally: &Tally| {
            progress.episode(result, tally);
            Ok(())
        };
        summaries.push(batch(setup, &batch_options, stop, &mut watch)?.summary);
        progress.end();
        if stop.requested() {
            break;
        }
    }
    Ok(summaries)
}

fn setup(path: &Path, actor: PlannerName, options: &BenchOptions) -> Result<Setup, Error> {
    let chosen = SetupOptions {
        seed: options.seed,
        actor: Some(actor),
        model: options.model.clone(),
        ..SetupOptions::default()
    };
    Setup::load(path, &chosen)
}

/// The summaries as a table for people.
#[must_use]
pub fn table(summaries: &[Summary]) -> String {
    let header = ["scenario", "actor", "success", "95% interval", "mean steps", "decision ms", "model evaluations"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(summaries.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).enumerate();
        // Names to the left, numbers to the right.
        let cells = cells.map(
            |(column, (cell, width))| {
                if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            },
        );
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row(summary: &Summary) -> [String; 7] {
    let [low, high] = summary.ci95.map(|end| end * 100.0);
    let decided = summary.decisions > 0;
    [
        summary.manifest.scenario.clone(),
        summary.manifest.actor.clone(),
        format!("{:.1}%", summary.success_rate * 100.0),
        format!("{low:.1}% to {high:.1}%"),
        summary.mean_steps.map_or("-".into(), |steps| format!("{steps:.1}")),
        if decided { format!("{:.2}", summary.decision_ms_p50) } else { "-".into() },
        format!("{:.0}", summary.model_evaluations_per_decision.unwrap_or(0.0)),
    ]
}
