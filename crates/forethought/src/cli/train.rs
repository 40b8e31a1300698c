//! `forethought train`. Read first: [`Train`].

use super::{Done, options::Jobs, output, stop_on_ctrl_c};
use crate::{
    locate,
    setup::{Setup, SetupOptions},
    train::{Only, TrainOptions, TrainSummary, train},
};
use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use forethought_mind::{actor::planners::PlannerName, configurator::TaskCalibration, cost::critic::Calibration};
use std::{path::PathBuf, sync::Arc};

/// Collect experience and train a world model on it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Train {
    /// RON files, or bare names of those in scenarios/; several must have agents with the same senses and actions
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// The model to write; its log goes beside it, in MODEL.log.jsonl
    #[arg(long, value_name = "MODEL.safetensors")]
    out: PathBuf,

    /// Where all randomness comes from
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    jobs: Jobs,

    /// Go on with a training that was stopped
    #[arg(long)]
    resume: bool,

    /// Gradient updates, in place of the scenario's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    updates: Option<u32>,

    /// Episodes of random exploration, in place of the scenario's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    episodes: Option<u32>,

    /// Lives in each round of practice, in place of the scenario's; with 0 the agent does not practise
    #[arg(long, value_name = "N")]
    lives: Option<u32>,

    /// Learn from what `forethought collect` left in this folder, in place of exploring; may be given several times
    #[arg(long, value_name = "DIR", conflicts_with_all = ["episodes", "from"])]
    data: Vec<PathBuf>,

    /// Write the log as TensorBoard's event files to this folder too
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,

    /// Keep the world model of this file, and only let the agent practise with it: a critic and a policy
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "updates", "episodes"])]
    from: Option<PathBuf>,

    /// Keep all else of that file too, and only learn this part: which task to be at
    #[arg(long, value_name = "PART", requires = "from", value_parser = part_parser())]
    only: Option<Only>,
}

const EXAMPLES: &str = "\
Examples:
  forethought train two_rooms --out my_model.safetensors
  forethought train two_rooms --out my_model.safetensors --resume
  forethought train two_rooms --out quick.safetensors --episodes 200 --updates 300 --lives 0
  forethought collect two_rooms --explore --out data/two_rooms
  forethought train two_rooms --data data/two_rooms --out my_model.safetensors
  forethought train two_rooms --out my_model.safetensors --tensorboard runs/events
  forethought train two_rooms --from my_model.safetensors --out practised.safetensors
  forethought train foraging --from assets/foraging.safetensors --only configurator --out my_model.safetensors
  forethought run two_rooms --model my_model.safetensors

Ctrl-C keeps what was learnt in MODEL.partial; --resume goes on as if nothing had happened.";

impl Train {
    /// Train the model.
    pub fn execute(&self, json: bool) -> Result<Done> {
        // Exploration acts at random and needs no model.
        let options = SetupOptions { seed: self.seed, actor: Some(PlannerName::Random), ..SetupOptions::default() };
        let mut setups = Vec::new();
        for scenario in &self.scenarios {
            setups.push(Arc::new(Setup::load(&locate::scenario_file(scenario)?, &options)?));
        }
        let options = TrainOptions {
            out: self.out.clone(),
            seed: self.seed,
            jobs: self.jobs.count(),
            resume: self.resume,
            updates: self.updates,
            episodes: self.episodes,
            lives: self.lives,
            data: self.data.clone(),
            tensorboard: self.tensorboard.clone(),
            from: self.from.clone(),
            only: self.only,
        };
        let summary = train(&setups, &options, &stop_on_ctrl_c()?)?;
        if json {
            output::json(&summary)?;
        } else {
            output::line(describe(&summary))?;
        }
        if !summary.finished {
            eprintln!("stopped; the same command with --resume goes on");
        }
        Ok(if summary.finished { Done::Well } else { Done::Badly })
    }
}

fn describe(summary: &TrainSummary) -> String {
    let latest = summary.latest.as_ref().map_or(String::new(), |latest| {
        format!(
            "; loss {:.4}, effective rank {:.1} after {} of {} updates",
            latest.loss, latest.effective_rank, latest.update, latest.updates
        )
    });
    let mut text = format!("{}: ", summary.scenario);
    if summary.frames > 0 {
        text += &format!(
            "{} frames explored in {:.1} s, trained for {:.1} s{latest}",
            summary.frames, summary.collect_secs, summary.train_secs
        );
    }
    if let Some(r2) = summary.policy_r2 {
        text += &format!("\n  practised for {:.1} s; policy R2 {r2:.3}", summary.practice_secs);
    }
    for Calibration { drive, states, r2, bias, .. } in &summary.calibration {
        text += &format!("\n  critic of {drive}: R2 {r2:.3}, bias {bias:+.3} on {states} states of held-out lives");
    }
    for TaskCalibration { task, states, r2, bias } in &summary.tasks {
        text += &format!("\n  cost of {task}: R2 {r2:.3}, bias {bias:+.3} on {states} states of held-out lives");
    }
    text + &format!(
        "\n  {} {}\n  log {}",
        if summary.finished { "model" } else { "to go on from" },
        summary.out.display(),
        summary.log.display(),
    )
}

/// A part of a model by its name.
fn part_parser() -> impl TypedValueParser<Value = Only> {
    PossibleValuesParser::new(["configurator"]).map(|_| Only::Configurator)
}
