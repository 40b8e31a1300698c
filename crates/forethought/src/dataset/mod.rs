//! Trajectories for others to learn from, and for our own training. Read first: [`collect()`], then [`Schema`], which says what a
//! row holds, and [`read_experience`].

mod card;
mod collect;
mod column;
mod hdf5;
mod parquet;
mod read;
mod recorder;
mod spool;

pub use card::{Card, DataFile, DataFormat, DatasetSummary, EpisodeLine, Place};
pub use collect::{CollectOptions, CollectOutcome, collect};
pub use column::{Column, Kind, Rows, Values};
pub use read::read_experience;
pub use recorder::Schema;

use crate::Error;
use std::io;

/// Hands all trajectories, in order, to whoever writes them.
type Trajectories<'a> = dyn FnMut(&mut dyn FnMut(&Rows) -> io::Result<()>) -> Result<(), Error> + 'a;

/// Takes trajectories as they are read, each with the columns that were asked for.
type Reader<'a> = dyn FnMut(Rows) -> Result<(), Error> + 'a;
