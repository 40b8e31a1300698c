//! `forethought compare`. Read first: [`Compare`].

use super::{Done, output};
use crate::batch::compare;
use anyhow::Result;
use std::path::PathBuf;

/// Test two batches pair by pair, on equal seeds
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// The folder of a batch
    #[arg(value_name = "A")]
    a: PathBuf,

    /// The folder of another, with the same --seed
    #[arg(value_name = "B")]
    b: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  forethought batch two_rooms --seed 7 --episodes 400 --out runs/plain
  forethought batch two_rooms --seed 7 --episodes 400 --horizon 20 --out runs/short
  forethought compare runs/plain runs/short
  forethought compare runs/sweep/two_rooms-horizon_20 runs/sweep/two_rooms-horizon_64 --json

Episodes with the same seed are a pair. Success is tested by McNemar's exact test, all else by Wilcoxon's signed-rank test;
differences are B - A, with 95% intervals.";

impl Compare {
    /// Read both, compare and tell.
    pub fn execute(&self, json: bool) -> Result<Done> {
        let comparison = compare(&self.a, &self.b)?;
        if json {
            output::json(&comparison)?
        } else {
            output::line(comparison.describe())?
        }
        Ok(Done::Well)
    }
}
