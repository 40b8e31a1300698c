//! `forethought merge`. Read first: [`Merge`].

use super::{Done, batch::describe, output};
use crate::batch::{cells_of, export, merge};
use anyhow::Result;
use std::path::PathBuf;

/// Put the shards of a batch together, as though one machine had run it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Merge {
    /// A new or empty folder for the whole batch
    #[arg(value_name = "OUT")]
    out: PathBuf,

    /// The folders of the shards
    #[arg(value_name = "SHARD", required = true)]
    shards: Vec<PathBuf>,

    /// Go on with a merge that was cut off, or add shards to it
    #[arg(long)]
    resume: bool,
}

const EXAMPLES: &str = "\
Examples:
  forethought batch two_rooms --episodes 10000 --out parts/1 --shard 1/2      on one machine
  forethought batch two_rooms --episodes 10000 --out parts/2 --shard 2/2      on another
  forethought merge runs/two_rooms parts/1 parts/2
  forethought batch two_rooms --episodes 10000 --out runs/two_rooms --resume  runs what is missing

The digest is that of one machine. Exit status 1 where episodes are missing.";

impl Merge {
    /// Merge, and tell what came of it.
    pub fn execute(&self, json: bool) -> Result<Done> {
        let summaries = merge(&self.out, &self.shards, self.resume)?;
        export(&self.out, &cells_of(&self.out)?, &summaries)?;
        if json {
            match summaries.as_slice() {
                [summary] => output::json(summary)?,
                several => output::json(&serde_json::json!({ "batches": several }))?,
            }
        } else {
            summaries.iter().try_for_each(|summary| output::line(describe(summary)))?;
        }
        let missing: u64 = summaries.iter().map(|summary| summary.requested - summary.episodes).sum();
        if missing > 0 {
            eprintln!(
                "error: {missing} episodes are missing: merge the other shards too, or run them with `batch --resume`"
            );
        }
        let errors: u64 = summaries.iter().map(|summary| summary.errors).sum();
        Ok(if missing + errors == 0 { Done::Well } else { Done::Badly })
    }
}
