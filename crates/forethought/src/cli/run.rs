//! `forethought run`. Read first: [`Run`].

use super::{
    Done, bad_usage,
    batch::describe,
    options::{Choices, Learn},
    output, stop_on_ctrl_c,
};
use crate::{
    batch::{BatchOptions, Call, Manifest, Tally, Totals, batch},
    episode::{Ending, EpisodeResult},
    locate,
    progress::Progress,
    recording::{Format, RecordOptions, Recording, WIDTH_PX, WIDTHS_PX, record},
    setup::Setup,
    tasks::{Switch, shares},
    workers::default_jobs,
};
use anyhow::Result;
use forethought_mind::learning::Pace;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Watch one episode after another in a window, or print them with --headless
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// A RON file, or the bare name of one in scenarios/; without it the window shows all of those to choose from
    scenario: Option<String>,

    #[command(flatten)]
    choices: Choices,

    #[command(flatten)]
    learn: Learn,

    /// The first episode's number
    #[arg(long, value_name = "I", default_value_t = 0)]
    first: u64,

    /// No window: print a line for each episode
    #[arg(long)]
    headless: bool,

    /// How many episodes without a window [default: 10; 1 with --record]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    episodes: Option<u64>,

    /// Save a picture of the window as PNG and close it
    #[arg(long, value_name = "FILE", hide = true)]
    screenshot: Option<PathBuf>,

    /// The control step to take a picture at; without it, the end of the episode
    #[arg(long, value_name = "N")]
    at_step: Option<u32>,

    /// What the picture shows besides: panels by name, `landscape`, `keys`
    #[arg(long, value_name = "WHAT", hide = true, requires = "screenshot", value_delimiter = ',')]
    showing: Vec<String>,

    /// Write how long each picture took, in milliseconds, when the window is closed
    #[arg(long, value_name = "FILE", hide = true)]
    frame_times: Option<PathBuf>,

    #[command(flatten)]
    recording: RecordArgs,
}

/// How an episode is recorded.
#[derive(Debug, clap::Args)]
struct RecordArgs {
    /// Record the episode, drawn without a display: a film where FILE ends in .gif, one picture where it ends in .png
    #[arg(long, value_name = "FILE", requires = "headless", conflicts_with = "screenshot")]
    record: Option<PathBuf>,

    /// Control steps from frame to frame of a film [default: as few as give 300 frames at most]
    #[arg(long, value_name = "N", requires = "record", value_parser = clap::value_parser!(u32).range(1..))]
    record_every: Option<u32>,

    /// Simulated seconds for a second of a film [default: a frame lasts a control period, so 1 where no steps are left out]
    #[arg(long, value_name = "X", requires = "record", value_parser = speed)]
    record_speed: Option<f64>,

    /// Width in pixels; below 300 there are no words
    #[arg(
        long, value_name = "PX", requires = "record", default_value_t = WIDTH_PX,
        value_parser = clap::value_parser!(u16).range(i64::from(*WIDTHS_PX.start())..=i64::from(*WIDTHS_PX.end())),
    )]
    record_width: u16,

    /// How much of what is imagined and sensed a film shows; `full` shows all futures and rays, in a larger file
    #[arg(long, value_name = "HOW", requires = "record", default_value = "some")]
    record_detail: RecordDetail,
}

/// How much a film shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RecordDetail {
    /// Eight of the futures that were not chosen, and what sensor rays hit.
    Some,
    /// All futures, and sensor rays.
    Full,
}

const EXAMPLES: &str = "\
Examples:
  forethought run                                             choose a scenario in the window
  forethought run two_rooms
  forethought run two_rooms --seed 3 --actor mppi
  forethought run two_rooms --learn my_model.safetensors      it goes on learning while you watch
  forethought run two_rooms --headless --episodes 5
  forethought run two_rooms --headless --first 17 --episodes 1 --json    replay episode 17
  forethought run two_rooms --headless --record film.gif                 a film of episode 0, drawn without a display
  forethought run foraging --headless --record life.gif --record-every 10 --record-width 640
  forethought run maze --seed 3 --headless --record maze.png --at-step 40    a picture of one control step";

impl Run {
    /// Run in a window, or without one.
    pub fn execute(&self, json: bool) -> Result<Done> {
        // A scenario that is not there is told before a window that cannot be opened.
        if let Some(scenario) = &self.scenario {
            locate::scenario_file(scenario)?;
        }
        self.check_pictures();
        match &self.recording.record {
            Some(file) => self.record(file, json),
            None if self.headless => self.headless(json),
            None => self.window(json),
        }
    }

    /// What clap cannot say of options that go together.
    fn check_pictures(&self) {
        let Some(file) = &self.recording.record else {
            if self.at_step.is_some() && self.screenshot.is_none() {
                bad_usage("--at-step chooses the control step of a picture: add --headless --record FILE.png");
            }
            return;
        };
        if self.episodes.is_some_and(|episodes| episodes > 1) {
            bad_usage("--record records one episode: leave out --episodes, and choose it with --first I");
        }
        let RecordArgs { record_every, record_speed, .. } = self.recording;
        if matches!(Format::of(file), Ok(Format::Picture)) && (record_every.is_some() || record_speed.is_some()) {
            bad_usage("--record-every and --record-speed are for films: name a file that ends in .gif");
        }
        if self.at_step.is_some() && matches!(Format::of(file), Ok(Format::Film)) {
            bad_usage(
                "--at-step is for a picture, and a GIF is a film of the whole episode: name a file that ends in .png",
            );
        }
    }

    fn record(&self, file: &Path, json: bool) -> Result<Done> {
        // Before a model is loaded.
        Format::of(file)?;
        let setup = self.setup(default_jobs(), Pace::InStep)?;
        let stop = stop_on_ctrl_c()?;
        let options = RecordOptions {
            episode: self.first,
            file: file.to_owned(),
            at_step: self.at_step,
            every: self.recording.record_every,
            speed: self.recording.record_speed,
            width_px: self.recording.record_width,
            full: self.recording.record_detail == RecordDetail::Full,
        };
        let started = Instant::now();
        let mut progress = Progress::begin(&format!("recording {}", setup.name()), self.limit(&setup));
        let recorded = record(&setup, &options, &stop, &mut progress);
        progress.end();
        let (recording, result) = recorded?;
        let well = result.as_ref().is_some_and(|result| result.error.is_none());
        if json {
            output::json(&self.recorded(&setup, &recording, result, started)?)?;
        } else {
            output::line(recording_line(&recording, result.as_ref()))?;
        }
        Ok(if well { Done::Well } else { Done::Badly })
    }

    /// How many control steps the episode has at most.
    fn limit(&self, setup: &Setup) -> u64 {
        setup.draw(self.first).map_or(0, |episode| episode.episode.max_steps.into())
    }

    /// What a batch of this one episode would say, and what was recorded.
    fn recorded(
        &self,
        setup: &Setup,
        recording: &Recording,
        result: Option<EpisodeResult>,
        started: Instant,
    ) -> Result<serde_json::Value> {
        let results: Vec<EpisodeResult> = result.into_iter().collect();
        let wall = started.elapsed();
        let call = Call { jobs: 1, requested: 1, resumed: 0, wall, env_steps: recording.steps.into() };
        let mut totals = Totals::default();
        results.iter().for_each(|result| totals.count(result));
        let mut report = serde_json::to_value(totals.summary(Manifest::of(setup), &call, None))?;
        report["results"] = serde_json::to_value(&results)?;
        report["recording"] = serde_json::to_value(recording)?;
        Ok(report)
    }

    fn batch_options(&self, episodes: u64) -> BatchOptions {
        BatchOptions { first: self.first, episodes, jobs: 1, out: None, resume: false }
    }

    fn setup(&self, threads: usize, pace: Pace) -> Result<Arc<Setup>> {
        let scenario = self.scenario.as_deref().unwrap_or("two_rooms");
        Ok(self.learn.apply(self.choices.setup(scenario)?, &self.choices, None, threads, pace)?)
    }

    fn headless(&self, json: bool) -> Result<Done> {
        let setup = self.setup(default_jobs(), Pace::InStep)?;
        let stop = stop_on_ctrl_c()?;
        let options = self.batch_options(self.episodes.unwrap_or(10));
        let mut told = Ok(());
        let mut watch = |result: &EpisodeResult, _: &Tally| {
            log_switches(result);
            if !json && told.is_ok() {
                told = output::line(episode_line(result));
            }
            Ok(())
        };
        let batch = batch(&setup, &options, &stop, &mut watch)?;
        told?;
        if json {
            let mut report = serde_json::to_value(&batch.summary)?;
            report["results"] = serde_json::to_value(&batch.results)?;
            output::json(&report)?;
        } else {
            output::line(describe(&batch.summary))?;
        }
        Ok(if batch.summary.errors == 0 && !stop.requested() { Done::Well } else { Done::Badly })
    }

    #[cfg(not(feature = "view"))]
    fn window(&self, _: bool) -> Result<Done> {
        let _ = (&self.screenshot, self.at_step, &self.showing, &self.frame_times);
        anyhow::bail!("this program was built without the window: add --headless, or build it with the feature `view`")
    }

    #[cfg(feature = "view")]
    fn window(&self, json: bool) -> Result<Done> {
        use crate::window::{Showing, WindowOptions, open};
        // The window and the mind need the other cores.
        let chosen = self.scenario.is_some() || self.learn.is_on();
        let setup = if chosen { Some(self.setup(1, Pace::Free)?) } else { None };
        let showing = Showing::parse(&self.showing).map_err(|unknown| super::bad_usage(unknown))?;
        let options = WindowOptions {
            first: self.first,
            screenshot: self.screenshot.clone().map(|file| (file, self.at_step.unwrap_or(u32::MAX))),
            showing,
            frame_times: self.frame_times.clone(),
            choices: self.choices.options(),
        };
        let (ended, succeeded) = open(setup.as_ref(), &options)?;
        let Some(setup) = setup else { return Ok(Done::Well) };
        if let Some(learning) = &setup.learning {
            learning.finish()?;
        }
        if json {
            let (scenario, actor) = (setup.name(), setup.actor_name());
            output::json(&serde_json::json!({
                "scenario": scenario, "actor": actor, "seed": setup.seed, "episodes": ended, "successes": succeeded,
            }))?;
        }
        Ok(Done::Well)
    }
}

/// A speed: more than nothing, and not without end.
fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if (0.01..=1000.0).contains(&speed) { Ok(speed) } else { Err(format!("{speed} is not in 0.01..=1000")) }
}

/// A recording for people.
fn recording_line(recording: &Recording, result: Option<&EpisodeResult>) -> String {
    let Recording { file, frames, at_step, width_px, height_px, bytes, steps, .. } = recording;
    let episode = result.map_or_else(|| format!("stopped after {steps} steps"), episode_line);
    let frames = at_step.map_or_else(|| format!("{frames} frames"), |step| format!("a picture of step {step}"));
    let digest = recording.digest.as_ref().map_or_else(String::new, |digest| format!("\n  digest {digest}"));
    let kib = bytes.div_ceil(1024);
    format!("{episode}{digest}\n  {}: {frames} of {width_px} x {height_px} pixels, {kib} KiB", file.display())
}

/// An episode for people.
fn episode_line(result: &EpisodeResult) -> String {
    let ending = match result.outcome {
        Ending::Success => "success",
        Ending::Failure => "failure",
        Ending::TimeLimit => "time limit",
        Ending::Error => "error",
    };
    let distance = result.distance_m.map_or(String::new(), |metres| format!(", {metres:.2} m from its target"));
    let error = result.error.as_ref().map_or(String::new(), |error| format!(": {error}"));
    let tasks = result.tasks.as_ref().map_or(String::new(), |log| {
        let switches: u64 = log.at.values().map(|at| at.taken_up).sum();
        let shares = shares(log.at.iter().map(|(name, at)| (name, at.share)));
        format!("\n  {shares} of the time; {switches} switches")
    });
    format!("episode {}: {ending} after {} steps{distance}{error}{tasks}", result.episode, result.steps)
}

/// With `--verbose`: when the agents of an episode took up which task, and why.
fn log_switches(result: &EpisodeResult) {
    let Some(log) = &result.tasks else { return };
    for Switch { agent, step, task, reason } in &log.switches {
        tracing::info!("episode {}, step {step}: {agent} takes up {task}: {reason}", result.episode);
    }
    if log.left_out > 0 {
        tracing::info!("episode {}: {} more switches", result.episode, log.left_out);
    }
}
