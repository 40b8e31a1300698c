//! The world model: encoders, predictors and readouts, level upon level. Read first: [`WorldModelSpec`].

pub(crate) mod checkpoint;
pub mod clearance;
pub(crate) mod encoder;
pub mod hjepa;
pub mod interoception;
pub(crate) mod jepa;
pub mod latent_variable;
pub mod map;
pub mod predictor;
pub mod readout;
pub mod surprise;
pub mod view;

pub use checkpoint::{Model, ModelCard, ModelError};
pub use clearance::Clearance;
pub use hjepa::LevelSpec;
pub use interoception::Interoception;
pub use latent_variable::LatentVariableSpec;
pub use map::GlimpseSpec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Layer sizes of JEPA-1, and the levels upon it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorldModelSpec {
    /// Width of the latent.
    pub latent: usize,
    /// Control steps that one prediction spans (frame skip): the predictor takes that many actions at once.
    pub stride: usize,
    /// Hidden layers of the encoder.
    pub encoder_hidden: Vec<usize>,
    /// Hidden layers of the predictor.
    pub predictor_hidden: Vec<usize>,
    /// Hidden layers of the inverse dynamics head, used in training only.
    pub inverse_hidden: Vec<usize>,
    /// A latent variable for what the past does not determine, on the first level; without one predictions are single.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latent_variable: Option<LatentVariableSpec>,
    /// How predictors read the floor plan of a `Map` sensor; without that sensor they do not.
    pub glimpse: GlimpseSpec,
    /// The levels above the first, from the second up.
    pub levels: Vec<LevelSpec>,
}

impl Default for WorldModelSpec {
    fn default() -> Self {
        Self {
            latent: 32,
            stride: 4,
            encoder_hidden: vec![256, 256],
            predictor_hidden: vec![256, 256],
            inverse_hidden: vec![256],
            latent_variable: None,
            glimpse: GlimpseSpec::default(),
            levels: vec![],
        }
    }
}
