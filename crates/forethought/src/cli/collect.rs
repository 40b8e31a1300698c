//! `forethought collect`. Read first: [`Collect`].

use super::{
    Done, bad_usage,
    options::{Choices, Jobs},
    output, stop_on_ctrl_c,
};
use crate::{
    Error,
    batch::Tally,
    dataset::{CollectOptions, CollectOutcome, DataFormat, DatasetSummary, collect},
    episode::EpisodeResult,
    progress::Progress,
    setup::Setup,
    tracking::Track,
};
use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use forethought_mind::actor::planners::PlannerName;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Frames are at least and at most so wide and high, in pixels.
const SIDES_PX: std::ops::RangeInclusive<u16> = 8..=1024;

/// Keep every moment of many episodes, for others to learn from and for `train --data`
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Collect {
    /// RON files, or bare names of those in scenarios/; several have a folder each in --out
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// How many episodes [default: 100; with --explore, the scenario's training.episodes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    episodes: Option<u64>,

    /// The first episode's number
    #[arg(long, value_name = "I", default_value_t = 0)]
    first: u64,

    /// Walk about at random in worlds of training, exactly as `train` does before it learns
    #[arg(long, conflicts_with_all = ["actor", "model", "mode", "horizon", "critic", "task", "configurator", "without"])]
    explore: bool,

    #[command(flatten)]
    choices: Choices,

    /// A picture of each moment from above, so many pixels wide and high
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = frames_parser)]
    frames: Option<[u16; 2]>,

    /// File formats, separated by commas
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', default_value = "parquet", value_parser = format_parser())]
    format: Vec<DataFormat>,

    /// Write how it goes as TensorBoard's event files to this folder; with several scenarios, to a folder each in it
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,

    #[command(flatten)]
    jobs: Jobs,

    /// A new or empty folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Go on with what is in --out: only what is missing is collected
    #[arg(long)]
    resume: bool,
}

const EXAMPLES: &str = "\
Examples:
  forethought collect two_rooms --episodes 1000 --seed 1 --out data/two_rooms
  forethought collect two_rooms --episodes 1000 --seed 1 --out data/two_rooms --resume
  forethought collect two_rooms --format parquet,hdf5 --frames 64x64 --out data/pictures
  forethought collect two_rooms --explore --seed 1 --out data/walks
  forethought train two_rooms --seed 1 --data data/walks --out my_model.safetensors

A row is a moment: episode, agent, step, seed, each channel that the agent senses, goal.* (what it would sense there), action, reward
(1 for success, -1 for failure, else 0), terminated, truncated, success, energy (of the plan that is carried out), drive.* (what each
drive costs, before its weight), position_m, angle_rad, clearance_m, variation.* (the factors), and pixels. The last row of a
trajectory holds the last observation: its action, reward, energy and costs are NaN.

Files are trajectories.parquet, trajectories.h5 in the layout that stable-worldmodel reads, episodes.jsonl, summary.json and
manifest.json; they are there once all episodes are. Ctrl-C keeps what has ended, and so does whatever else ends the program.";

/// The JSON form of what was collected.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    summary: &'a DatasetSummary,
    finished: bool,
    out: &'a Path,
    wall_secs: f64,
}

impl Collect {
    /// Collect a dataset of each scenario.
    pub fn execute(&self, json: bool) -> Result<Done> {
        let mut names = std::collections::BTreeSet::new();
        let setups: Vec<Setup> =
            self.scenarios.iter().map(|scenario| self.setup(scenario)).collect::<Result<_, _>>()?;
        if !setups.iter().all(|setup| names.insert(setup.name().to_owned())) {
            bad_usage("two of the scenarios have the same name: collect them in two calls");
        }
        let (stop, several) = (stop_on_ctrl_c()?, setups.len() > 1);
        let (mut reports, mut errors) = (Vec::new(), 0);
        for setup in setups {
            let own = |folder: &PathBuf| if several { folder.join(setup.name()) } else { folder.clone() };
            let (out, tensorboard) = (own(&self.out), self.tensorboard.as_ref().map(own));
            let options = self.options(&setup, out);
            let (started, mut progress) = (Instant::now(), Progress::begin(setup.name(), options.episodes));
            let mut track = Track::in_folder(tensorboard);
            let mut watch = |result: &EpisodeResult, tally: &Tally| {
                progress.episode(result, tally);
                track.episode(result, tally)
            };
            let outcome = collect(&Arc::new(setup), &options, &stop, &mut watch)?;
            progress.end();
            let summary = match outcome {
                CollectOutcome::Finished(summary) => summary,
                CollectOutcome::Stopped(kept) => {
                    if json {
                        let [kept, wanted] = [kept, options.episodes];
                        output::json(&serde_json::json!({ "finished": false, "episodes": kept, "requested": wanted }))?;
                    }
                    eprintln!("error: stopped before the end; the same command with --resume goes on");
                    return Ok(Done::Badly);
                }
            };
            let wall_secs = started.elapsed().as_secs_f64();
            let report = Report { summary: &summary, finished: true, out: &options.out, wall_secs };
            if !json {
                output::line(describe(&report))?;
            }
            errors += summary.errors;
            reports.push(serde_json::to_value(report)?);
        }
        if json {
            match &reports[..] {
                [report] => output::json(report)?,
                several => output::json(&serde_json::json!({ "datasets": several }))?,
            }
        }
        if errors > 0 {
            eprintln!(
                "error: {errors} episodes went wrong and have no rows; episodes.jsonl says why and from which seed"
            );
        }
        Ok(if errors == 0 { Done::Well } else { Done::Badly })
    }

    fn setup(&self, scenario: &str) -> Result<Setup, Error> {
        // Exploration acts at random and needs no model.
        let actor = self.explore.then_some(PlannerName::Random);
        self.choices.setup_by(scenario, actor)
    }

    fn options(&self, setup: &Setup, out: PathBuf) -> CollectOptions {
        let training = &setup.loaded.scenario.training;
        let usual = if self.explore { u64::from(training.episodes) } else { 100 };
        CollectOptions {
            first: self.first,
            episodes: self.episodes.unwrap_or(usual),
            jobs: self.jobs.count(),
            out,
            resume: self.resume,
            explore: self.explore.then_some(training.steps),
            frames: self.frames,
            formats: self.format.clone(),
        }
    }
}

fn describe(report: &Report) -> String {
    let Report { summary, out, wall_secs, .. } = report;
    let DatasetSummary { scenario, actor, seed, episodes, successes, trajectories, rows, digest, files, .. } = summary;
    let mut text = format!(
        "{scenario}, actor {actor}, seed {seed}: {rows} rows of {trajectories} trajectories in {episodes} episodes, {successes} of \
         which succeeded; {wall_secs:.1} s\n"
    );
    for file in files {
        text += &format!("  {} {:.1} MB\n", out.join(&file.file).display(), file.bytes as f64 / 1e6);
    }
    text + &format!("  digest {digest}")
}

/// A format by its name; help and errors list them all.
fn format_parser() -> impl TypedValueParser<Value = DataFormat> {
    let of = |name: String| DataFormat::ALL.into_iter().find(|format| format.as_str() == name);
    PossibleValuesParser::new(DataFormat::ALL.map(DataFormat::as_str))
        .map(move |name| of(name).unwrap_or(DataFormat::Parquet))
}

/// Width and height, as `64x64`.
fn frames_parser(text: &str) -> Result<[u16; 2], String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some([width.parse().ok()?, height.parse().ok()?]));
    let [low, high] = [SIDES_PX.start(), SIDES_PX.end()];
    sides
        .filter(|sides| sides.iter().all(|side| SIDES_PX.contains(side)))
        .ok_or_else(|| format!("give width and height in pixels, each from {low} to {high}, such as 64x64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_two_sides() {
        assert_eq!(frames_parser("96x64"), Ok([96, 64]));
        for wrong in ["64", "64x", "x64", "64x7", "64x64x3", "2000x64", "-1x64"] {
            assert!(frames_parser(wrong).is_err_and(|problem| problem.contains("64x64")), "{wrong}");
        }
    }
}
