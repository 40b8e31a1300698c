//! BYOL. Read first: [`ByolSpec`].

use super::{Latents, PassTape, Term, on_tape};
use forethought_energy::objectives::byol;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bootstrap your own latent (Grill et al., 2020, Eqs. 1 and 2): predictions are compared with what a second encoder says, which
/// follows the trained one slowly and gets no gradient. The world model's prediction is compared with the same. No term forbids
/// collapse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ByolSpec {
    /// What the second encoder keeps of itself in each update (exponential moving average).
    pub momentum: f32,
    /// Weight of the squared distance between predictions and targets brought to length 1.
    pub weight: f32,
}

impl Default for ByolSpec {
    fn default() -> Self {
        Self { momentum: 0.99, weight: 1.0 }
    }
}

impl ByolSpec {
    pub(super) fn terms(&self, latents: &Latents, tape: &mut PassTape) -> Vec<Term> {
        let value = on_tape(latents.predicted, tape, |predicted| byol::loss(predicted, latents.target));
        vec![Term::new("byol", self.weight, value)]
    }
}
