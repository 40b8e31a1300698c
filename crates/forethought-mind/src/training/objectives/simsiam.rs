//! SimSiam. Read first: [`SimSiamSpec`].

use super::{Latents, PassTape, Term, on_tape};
use forethought_energy::objectives::byol;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Simple Siamese representation learning (Chen & He, 2021, Eqs. 1 and 3): as BYOL, but predictions are compared with what the
/// trained encoder itself says, from which no gradient comes. No term forbids collapse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimSiamSpec {
    /// Weight of the squared distance between predictions and targets brought to length 1.
    pub weight: f32,
}

impl Default for SimSiamSpec {
    fn default() -> Self {
        Self { weight: 1.0 }
    }
}

impl SimSiamSpec {
    pub(super) fn terms(&self, latents: &Latents, tape: &mut PassTape) -> Vec<Term> {
        let value = on_tape(latents.predicted, tape, |predicted| byol::loss(predicted, latents.target));
        vec![Term::new("simsiam", self.weight, value)]
    }
}
