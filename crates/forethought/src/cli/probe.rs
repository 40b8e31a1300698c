//! `forethought probe`. Read first: [`Probe`].

use super::{Done, options::Jobs, output, stop_on_ctrl_c};
use crate::{
    bench, locate,
    probe::{FEWEST, ProbeOptions, picture, probe, table::table},
};
use anyhow::Result;
use std::path::PathBuf;

/// Measure what a trained model knows, on worlds that it was not trained on
///
/// The agent walks about at random, as in training. Half of the episodes are fitted to, the other half scored: what each
/// level's latents tell of the world, how far its predictions carry, and whether it is surprised when the body is teleported
/// or goes through a wall.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Probe {
    /// A RON file, or the bare name of one in scenarios/
    #[arg(value_name = "SCENARIO")]
    scenario: String,

    /// The model to probe, in place of the one that the scenario's first agent names
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// How many episodes: half to fit to, half to score
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(FEWEST..))]
    episodes: u64,

    /// Where all randomness comes from
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Draw the report too, as an SVG picture
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    #[command(flatten)]
    jobs: Jobs,
}

const EXAMPLES: &str = "\
Examples:
  forethought probe two_rooms
  forethought probe two_rooms --model my_model.safetensors --episodes 400 --seed 1000
  forethought probe four_rooms --svg runs/probe.svg --json";

impl Probe {
    /// Probe, and print what was found.
    pub fn execute(&self, json: bool) -> Result<Done> {
        let scenario = locate::scenario_file(&self.scenario)?;
        let options = ProbeOptions {
            model: self.model.clone(),
            episodes: self.episodes,
            seed: self.seed,
            jobs: self.jobs.count(),
        };
        if let Some(file) = &self.svg {
            bench::picture::prepare(file)?;
        }
        let report = probe(&scenario, &options, &stop_on_ctrl_c()?)?;
        output::line(table(&report))?;
        if let Some(file) = &self.svg {
            picture::write(file, &report)?;
        }
        if json {
            output::json(&report)?;
        }
        Ok(Done::Well)
    }
}
