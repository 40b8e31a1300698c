//! The cross-entropy method (Rubinstein & Kroese, 2004). Read first: [`CemSpec`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Gaussian over action sequences is fitted to the best of its own samples, several times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CemSpec {
    /// How many times the Gaussian is fitted; the budget of model evaluations is split between them.
    pub iterations: u32,
    /// The share of the samples that the Gaussian is fitted to, in `(0, 1]`.
    pub elite_fraction: f32,
}

impl Default for CemSpec {
    fn default() -> Self {
        Self { iterations: 4, elite_fraction: 0.15 }
    }
}
