//! `forethought bench`. Read first: [`Bench`].

use super::{
    Done,
    options::{Jobs, actor_parser},
    output, stop_on_ctrl_c,
};
use crate::{
    bench::{BenchOptions, bench, picture, table},
    locate,
};
use anyhow::Result;
use forethought_mind::actor::planners::PlannerName;
use std::path::PathBuf;

/// Measure each actor's success on the same episodes, side by side
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Bench {
    /// RON files, or bare names of those in scenarios/
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// How many episodes for each actor
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,

    /// Where all randomness comes from
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// The actors to compare, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = actor_parser())]
    actors: Vec<PlannerName>,

    /// The model of all agents, in place of the scenario's
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// Draw the comparison too, as an SVG picture: a panel for each scenario, a bar with its interval for each actor
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    #[command(flatten)]
    jobs: Jobs,
}

const EXAMPLES: &str = "\
Examples:
  forethought bench two_rooms --episodes 200
  forethought bench two_rooms --actors gradient,cem --json
  forethought bench two_rooms four_rooms --svg runs/bench.svg";

impl Bench {
    /// Run every pair and print the table.
    pub fn execute(&self, json: bool) -> Result<Done> {
        let scenarios: Vec<PathBuf> =
            self.scenarios.iter().map(|scenario| locate::scenario_file(scenario)).collect::<Result<_, _>>()?;
        let options = BenchOptions {
            episodes: self.episodes,
            seed: self.seed,
            jobs: self.jobs.count(),
            actors: if self.actors.is_empty() { PlannerName::ALL.to_vec() } else { self.actors.clone() },
            model: self.model.clone(),
        };
        if let Some(file) = &self.svg {
            picture::prepare(file)?;
        }
        let stop = stop_on_ctrl_c()?;
        let summaries = bench(&scenarios, &options, &stop)?;
        if json {
            let report = serde_json::json!({ "episodes": self.episodes, "seed": self.seed, "results": summaries });
            output::json(&report)?;
        } else {
            output::line(table(&summaries))?;
        }
        if let Some(file) = &self.svg {
            picture::write(file, &summaries)?;
        }
        let errors: u64 = summaries.iter().map(|summary| summary.errors).sum();
        if errors > 0 {
            eprintln!("error: {errors} episodes went wrong");
        }
        Ok(if errors > 0 || stop.requested() { Done::Badly } else { Done::Well })
    }
}
