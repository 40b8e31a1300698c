//! Learning while living: from what an agent goes through, its predictor, its critic and its policy go on learning on another
//! thread, and nothing that is worse is taken up unnoticed. The encoder and what reads its latents stay as they are, so that
//! latents, goals and memories stay valid. Read first: [`LearnSpec`] and [`Learning`].

mod chronicle;
mod lesson;
mod living;
mod stream;
mod study;
mod watch;

pub use lesson::Verdict;
pub use living::Living;
pub use stream::{Learning, LearningOptions, Pace, Report};
pub use watch::{JudgedBy, Standing};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an agent learns while it lives (`--learn`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LearnSpec {
    /// Control steps between two synchronisations, counted over all its episodes: there it takes up what was learnt from what it
    /// handed over before, and hands over what it remembers now.
    pub every: u32,
    /// The latest moments that it learns from, in whole lives.
    pub memory: u32,
    /// Gradient updates of the predictor at each synchronisation; with 0 it stays as it is.
    pub updates: u32,
    /// Sequences in a batch of these.
    pub batch: u32,
    /// Predictions made open loop from the start of each sequence.
    pub unroll: u32,
    /// AdamW's highest learning rate for the predictor; it falls to zero along a cosine.
    pub learning_rate: f32,
    /// What is learnt is taken up where its error on what was held out is below that of what is there by so many standard errors
    /// of the difference, life by life: with 0 where it is no higher, and then chance wears a good model down.
    pub margin: f32,
    /// Gradient updates of the critic and of the policy, where the model has them; with 0 they stay as they are.
    pub behaviour_updates: u32,
    /// AdamW's highest learning rate for both.
    pub behaviour_learning_rate: f32,
}

impl Default for LearnSpec {
    fn default() -> Self {
        Self {
            every: 2000,
            memory: 20_000,
            updates: 400,
            batch: 256,
            unroll: 8,
            learning_rate: 5e-4,
            margin: 1.0,
            behaviour_updates: 200,
            behaviour_learning_rate: 3e-4,
        }
    }
}
