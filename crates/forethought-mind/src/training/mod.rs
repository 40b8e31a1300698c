//! Training: from recorded experience to a world model. Read first: [`train()`] and [`TrainingSpec`].

mod experience;
pub mod objectives;
mod optimiser;
mod state;
mod terms;
mod train;

pub use experience::{Experience, Trajectory};
pub use objectives::Objective;
pub use state::TrainState;
pub use terms::Terms;
pub use train::{TrainContext, TrainError, TrainOutcome, TrainProgress, train};

use crate::{actor::exploration::ExplorationSpec, world_model::WorldModelSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the world model is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingSpec {
    /// Episodes of random exploration.
    pub episodes: u32,
    /// Control steps of each.
    pub steps: u32,
    /// How the agent explores.
    pub exploration: ExplorationSpec,
    /// Layer sizes.
    pub world_model: WorldModelSpec,
    /// Gradient updates.
    pub updates: u32,
    /// Sequences in a batch.
    pub batch: u32,
    /// Predictions made open loop from each sequence's first observation, each of `world_model.stride` control steps.
    pub unroll: u32,
    /// AdamW's highest learning rate; it falls to zero along a cosine.
    pub learning_rate: f32,
    /// AdamW's weight decay, on weight matrices only.
    pub weight_decay: f32,
    /// Gradients are scaled down to this norm.
    pub clip_norm: f32,
    /// Weights of the terms that train the world model whatever the objective.
    pub loss: LossWeights,
    /// What keeps the representation from collapsing.
    pub objective: Objective,
}

impl Default for TrainingSpec {
    fn default() -> Self {
        Self {
            episodes: 4800,
            steps: 100,
            exploration: ExplorationSpec::default(),
            world_model: WorldModelSpec::default(),
            updates: 16000,
            batch: 256,
            unroll: 8,
            learning_rate: 1e-3,
            weight_decay: 1e-5,
            clip_norm: 1.0,
            loss: LossWeights::default(),
            objective: Objective::default(),
        }
    }
}

impl TrainingSpec {
    /// Control steps of a training sequence.
    #[must_use]
    pub fn span(&self) -> usize {
        self.unroll as usize * self.world_model.stride
    }
}

/// Weights of the terms that train the world model whatever the objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LossWeights {
    /// Open-loop prediction: mean squared distance between predicted and encoded latents.
    pub prediction: f32,
    /// True where prediction moves the predictions only, not the encoded latents that they are compared with.
    pub stop_gradient: bool,
    /// Squared distance between neighbouring latents in time.
    pub temporal_similarity: f32,
    /// The actions, recovered from the latents before and after them.
    pub inverse_dynamics: f32,
}

impl Default for LossWeights {
    fn default() -> Self {
        Self { prediction: 1.0, stop_gradient: false, temporal_similarity: 1.0, inverse_dynamics: 1.0 }
    }
}
