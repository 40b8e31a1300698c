//! The world model: encoder, predictor and readout. Read first: [`WorldModelSpec`].

pub(crate) mod checkpoint;
pub(crate) mod jepa;
pub mod predictor;
pub mod readout;

pub use checkpoint::{Model, ModelCard, ModelError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Layer sizes of JEPA-1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
}

impl Default for WorldModelSpec {
    fn default() -> Self {
        Self {
            latent: 32,
            stride: 4,
            encoder_hidden: vec![256, 256],
            predictor_hidden: vec![256, 256],
            inverse_hidden: vec![256],
        }
    }
}
