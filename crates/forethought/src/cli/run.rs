//! `forethought run`. Read first: [`Run`].

use super::{
    Done,
    batch::describe,
    options::{Choices, Learn},
    output, stop_on_ctrl_c,
};
use anyhow::Result;
use forethought::{
    batch::{BatchOptions, Tally, batch},
    episode::{Ending, EpisodeResult},
    locate,
    setup::Setup,
    tasks::{Switch, shares},
    workers::default_jobs,
};
use forethought_mind::learning::Pace;
use std::{path::PathBuf, sync::Arc};

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

    /// How many episodes without a window
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,

    /// Save a picture of the window as PNG and close it
    #[arg(long, value_name = "FILE", hide = true)]
    screenshot: Option<PathBuf>,

    /// The control step to take the picture at; without it, the end of the episode
    #[arg(long, value_name = "N", hide = true, requires = "screenshot")]
    at_step: Option<u32>,

    /// What the picture shows besides: panels by name, `landscape`, `keys`
    #[arg(long, value_name = "WHAT", hide = true, requires = "screenshot", value_delimiter = ',')]
    showing: Vec<String>,

    /// Write how long each picture took, in milliseconds, when the window is closed
    #[arg(long, value_name = "FILE", hide = true)]
    frame_times: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  forethought run                                             choose a scenario in the window
  forethought run two_rooms
  forethought run two_rooms --seed 3 --actor mppi
  forethought run two_rooms --learn my_model.safetensors      it goes on learning while you watch
  forethought run two_rooms --headless --episodes 5
  forethought run two_rooms --headless --first 17 --episodes 1 --json    replay episode 17";

impl Run {
    /// Run in a window, or without one.
    pub fn execute(&self, json: bool) -> Result<Done> {
        // A scenario that is not there is told before a window that cannot be opened.
        if let Some(scenario) = &self.scenario {
            locate::scenario_file(scenario)?;
        }
        if self.headless { self.headless(json) } else { self.window(json) }
    }

    fn setup(&self, threads: usize, pace: Pace) -> Result<Arc<Setup>> {
        let scenario = self.scenario.as_deref().unwrap_or("two_rooms");
        Ok(self.learn.apply(self.choices.setup(scenario)?, &self.choices, None, threads, pace)?)
    }

    fn headless(&self, json: bool) -> Result<Done> {
        let setup = self.setup(default_jobs(), Pace::InStep)?;
        let stop = stop_on_ctrl_c()?;
        let options = BatchOptions { first: self.first, episodes: self.episodes, jobs: 1, out: None, resume: false };
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
        use forethought::window::{Showing, WindowOptions, open};
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
