//! `forethought batch`. Read first: [`Batch`].

use super::{
    Done, bad_usage,
    options::{Choices, Jobs, Learn},
    output, stop_on_ctrl_c,
};
use anyhow::Result;
use forethought::{
    Error,
    batch::{self, BatchOptions, Crossings, Summary, Tally},
    episode::EpisodeResult,
    learning::LearningSummary,
    life::Lives,
    progress::Progress,
    setup::Setup,
    stop::Stop,
    tasks::{Tasks, shares},
};
use forethought_mind::learning::Pace;
use std::{collections::HashSet, path::PathBuf, sync::Arc};

/// Run many episodes over all cores
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Batch {
    /// RON files, or bare names of those in scenarios/
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// How many episodes
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,

    /// The first episode's number
    #[arg(long, value_name = "I", default_value_t = 0)]
    first: u64,

    #[command(flatten)]
    choices: Choices,

    #[command(flatten)]
    learn: Learn,

    #[command(flatten)]
    jobs: Jobs,

    /// A new or empty folder for episodes.jsonl and summary.json; with several scenarios, for a folder each
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Go on with the run in --out: only what is missing is run
    #[arg(long, requires = "out")]
    resume: bool,
}

const EXAMPLES: &str = "\
Examples:
  forethought batch two_rooms --episodes 500 --seed 1 --out runs/two_rooms
  forethought batch two_rooms --episodes 500 --seed 1 --out runs/two_rooms --resume
  forethought batch two_rooms --actor cem --jobs 2 --json
  forethought batch two_rooms --episodes 300 --seed 7 --learn my_model.safetensors
  forethought batch scenarios/*.ron --actor random --episodes 50 --out runs/all

Ctrl-C ends the batch after the episodes under way and keeps them; --resume goes on. With --learn the episodes run one
after another, for what is learnt in one is lived with in the next; --jobs is then how many threads learn. Without a
file, what is learnt is kept beside --out, or in learnt/SCENARIO.safetensors; where the file is there already, learning
goes on from it.";

impl Batch {
    /// Run the batches one after another.
    pub fn execute(&self, json: bool) -> Result<Done> {
        if self.learn.names_a_file() && self.scenarios.len() > 1 {
            bad_usage(
                "several scenarios cannot keep what is learnt in one file: leave out the file, or run them in two calls",
            );
        }
        let setups: Vec<Arc<Setup>> =
            self.scenarios.iter().map(|scenario| self.setup(scenario)).collect::<Result<_, _>>()?;
        let names: HashSet<&str> = setups.iter().map(|setup| setup.name()).collect();
        if names.len() < setups.len() {
            bad_usage("two of the scenarios have the same name: run them in two calls");
        }
        let stop = stop_on_ctrl_c()?;
        let mut summaries = Vec::new();
        for setup in &setups {
            let summary = self.one(setup, &stop)?;
            if !json {
                output::line(describe(&summary))?;
            }
            summaries.push(summary);
            if stop.requested() {
                break;
            }
        }
        if json {
            match summaries.as_slice() {
                [summary] if setups.len() == 1 => output::json(summary)?,
                several => output::json(&serde_json::json!({ "batches": several }))?,
            }
        }
        Ok(self.verdict(&summaries, setups.len()))
    }

    fn setup(&self, scenario: &str) -> Result<Arc<Setup>> {
        let setup = self.choices.setup(scenario)?;
        if self.learn.is_on() && self.resume {
            return Err(Error::LearnResume.into());
        }
        let folder = self.folder(&setup);
        Ok(self.learn.apply(setup, &self.choices, folder.as_deref(), self.jobs.count(), Pace::InStep)?)
    }

    /// Where the results of a scenario go.
    fn folder(&self, setup: &Setup) -> Option<PathBuf> {
        let folder = |out: &PathBuf| if self.scenarios.len() == 1 { out.clone() } else { out.join(setup.name()) };
        self.out.as_ref().map(folder)
    }

    fn one(&self, setup: &Arc<Setup>, stop: &Stop) -> Result<Summary> {
        let options = BatchOptions {
            first: self.first,
            episodes: self.episodes,
            jobs: self.jobs.count(),
            out: self.folder(setup),
            resume: self.resume,
        };
        let mut progress = Progress::begin(setup.name(), self.episodes);
        let mut watch = |result: &EpisodeResult, tally: &Tally| {
            progress.episode(result, tally);
            Ok(())
        };
        let batch = batch::batch(setup, &options, stop, &mut watch)?;
        progress.end();
        Ok(batch.summary)
    }

    fn verdict(&self, summaries: &[Summary], wanted: usize) -> Done {
        let errors: u64 = summaries.iter().map(|summary| summary.errors).sum();
        let complete =
            summaries.len() == wanted && summaries.iter().all(|summary| summary.episodes == summary.requested);
        if errors > 0 {
            eprintln!("error: {errors} episodes went wrong; their lines say why and from which seed");
        }
        if !complete {
            let remedy = if self.out.is_some() { "go on with --resume" } else { "with --out, --resume could go on" };
            eprintln!("error: stopped before the end; {remedy}");
        }
        if errors == 0 && complete { Done::Well } else { Done::Badly }
    }
}

/// A summary for people.
pub fn describe(summary: &Summary) -> String {
    let [low, high] = summary.ci95.map(|end| end * 100.0);
    let mean = |steps: Option<f64>| steps.map_or("-".into(), |steps| format!("{steps:.1}"));
    let Summary { manifest, successes, episodes, .. } = summary;
    let mut text = format!(
        "{}, actor {}, seed {}: {successes} of {episodes} succeeded: {:.1}% (95% interval {low:.1}% to {high:.1}%)\n  \
         {} steps on average where it succeeded, {} in all; {} steps in {:.1} s\n",
        manifest.scenario,
        manifest.actor,
        manifest.seed,
        summary.success_rate * 100.0,
        mean(summary.mean_steps),
        mean(summary.mean_steps_all),
        summary.env_steps,
        summary.wall_secs,
    );
    if summary.decisions > 0 {
        text += &format!(
            "  a decision takes {:.2} ms (median; {:.2} ms at the 95th percentile), {:.2} ms of thinking a step\n",
            summary.decision_ms_p50, summary.decision_ms_p95, summary.decision_ms_mean_per_step,
        );
    }
    if let Some(lives) = &summary.lives {
        let Lives { mean_energy, meals_per_life, steps_per_life, starved, hurt, survived, .. } = lives;
        text += &format!(
            "  a life lasts {steps_per_life:.1} steps on {:.0}% of the store, with {meals_per_life:.1} meals; \
             {starved} starved, {hurt} died of harm, {survived} survived\n",
            mean_energy * 100.0,
        );
    }
    if let Some(Tasks { switches_per_life, at }) = &summary.tasks {
        let shares = shares(at.iter().map(|(name, at)| (name, at.share)));
        text += &format!("  {shares} of the time; {switches_per_life:.1} switches in a life\n");
    }
    if let Some(crossings) = &summary.crossings {
        let Crossings { agents, arrived, arrived_share, arrived_ci95, collisions_per_agent, .. } = crossings;
        let [low, high] = arrived_ci95.map(|end| end * 100.0);
        text += &format!(
            "  {arrived} of {agents} agents arrived: {:.1}% (95% interval {low:.1}% to {high:.1}%), after {} steps on \
             average; {collisions_per_agent:.3} collisions for each agent\n",
            arrived_share * 100.0,
            mean(crossings.mean_arrival_steps),
        );
    }
    if let Some(learning) = &summary.learning {
        let LearningSummary { kept, synchronisations, taken_up, rolled_back, went_back, .. } = learning;
        text += &format!(
            "  of {synchronisations} synchronisations {taken_up} brought something new, {rolled_back} rolled something back, \
             {went_back} went back to an earlier model; it is kept in {}\n",
            kept.display(),
        );
    }
    text + &format!("  digest {}", summary.digest)
}
