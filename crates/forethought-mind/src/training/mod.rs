//! Training: from recorded experience to a world model. Read first: [`train()`] and [`TrainingSpec`].

pub mod behaviour;
mod configurator;
mod experience;
pub(crate) mod foresight;
mod levels;
pub mod objectives;
pub(crate) mod optimiser;
mod state;
mod terms;
mod train;

pub use behaviour::{CriticSpec, Life, Part, PolicySpec, PracticeSpec, practise};
pub use configurator::{LearnedConfiguratorSpec, TaskMoment, learn_tasks};
pub use experience::{Experience, Trajectory};
pub use foresight::{ForesightError, ForesightSpec, fit_predictor, foresight_error};
pub use objectives::Objective;
pub use state::TrainState;
pub use terms::Terms;
pub use train::{TrainContext, TrainError, TrainOutcome, TrainProgress, train};

use crate::{actor::exploration::ExplorationSpec, learning::LearnSpec, world_model::WorldModelSpec};
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
    /// How the agent practises once it has a world model; without it the model has no critic and no policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practice: Option<PracticeSpec>,
    /// How the agent goes on learning while it lives, where that is asked for with `--learn`.
    pub learn: LearnSpec,
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
            practice: None,
            learn: LearnSpec::default(),
        }
    }
}

impl TrainingSpec {
    /// Control steps of the longest training sequence of any level.
    #[must_use]
    pub fn span(&self) -> usize {
        let mut stride = self.world_model.stride;
        let mut longest = self.unroll as usize * stride;
        for level in &self.world_model.levels {
            stride = stride.saturating_mul(level.stride);
            longest = longest.max((level.unroll as usize).saturating_mul(stride));
        }
        longest
    }

    /// Gradient updates of all levels together.
    #[must_use]
    pub fn updates_in_all(&self) -> u32 {
        self.world_model.levels.iter().fold(self.updates, |sum, level| sum.saturating_add(level.updates))
    }

    /// As level `index` is trained, counted from 0.
    pub(crate) fn of_level(&self, index: usize) -> Self {
        let mut spec = self.clone();
        if let Some(level) = index.checked_sub(1).and_then(|above| self.world_model.levels.get(above)) {
            (spec.updates, spec.unroll) = (level.updates, level.unroll);
        }
        spec
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
    /// Where the agent is, in halves of the arena, decoded from encoded and from predicted latents: only where a floor plan is
    /// read, which must be read at the right place.
    pub place: f32,
    /// What the body feels and smells (the senses `interoception.*` and `scent.*`), normalised, decoded linearly from encoded and
    /// from predicted latents: drives judge imagined futures by it.
    pub interoception: f32,
}

impl Default for LossWeights {
    fn default() -> Self {
        Self {
            prediction: 1.0,
            stop_gradient: false,
            temporal_similarity: 1.0,
            inverse_dynamics: 1.0,
            place: 30.0,
            interoception: 3.0,
        }
    }
}
