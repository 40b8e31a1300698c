//! InfoNCE. Read first: [`InfoNceSpec`].

use super::{Latents, PassTape, Term, on_tape};
use forethought_energy::objectives::info_nce;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// InfoNCE (van den Oord, Li & Vinyals, 2018, Eq. 4): each prediction picks its own target out of those of the batch's other
/// sequences at the same time. Its energy is the prediction's, the mean squared difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InfoNceSpec {
    /// Weight of the whole.
    pub weight: f32,
    /// By what energies are divided before they are compared.
    pub temperature: f32,
}

impl Default for InfoNceSpec {
    fn default() -> Self {
        Self { weight: 1.0, temperature: 0.1 }
    }
}

impl InfoNceSpec {
    pub(super) fn terms(&self, latents: &Latents, tape: &mut PassTape) -> Vec<Term> {
        let loss = |predicted| info_nce::loss(predicted, latents.target, latents.batch, self.temperature);
        vec![Term::new("info_nce", self.weight, on_tape(latents.predicted, tape, loss))]
    }
}
