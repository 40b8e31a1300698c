//! Forethought: run, train and measure agents that plan by imagining.
//!
//! Read first: [`episode::Runner`] runs one episode, [`batch::batch`] many, [`train::train`] trains a model. A
//! [`setup::Setup`] is what each of them starts from: a scenario, its actor and its models.

pub mod batch;
pub mod bench;
pub mod chart;
pub mod cli;
pub mod conditions;
pub mod configuring;
pub mod crowd;
pub mod dataset;
mod drawing;
pub mod environment;
pub mod episode;
pub mod error;
pub mod experience;
mod files;
pub mod gallery;
pub mod learning;
pub mod life;
pub mod locate;
mod picture;
pub mod practice;
pub mod probe;
pub mod progress;
pub mod recall;
pub mod recording;
pub mod scenario;
pub mod setup;
pub mod stop;
pub mod tasks;
pub mod tracking;
pub mod train;
#[cfg(feature = "view")]
pub mod window;
pub mod workers;

pub use error::Error;
