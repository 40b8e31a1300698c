//! The pairwise hinge. Read first: [`PairwiseHingeSpec`].

use super::{Latents, PassTape, Term, on_tape};
use forethought_energy::objectives::pairwise_hinge;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The pairwise hinge (Dawid & LeCun 2023, Eq. 3): each prediction is nearer to its own target than to those of the batch's other
/// sequences at the same time, by a margin. Its energy is the prediction's, the mean squared difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairwiseHingeSpec {
    /// Weight of the whole.
    pub weight: f32,
    /// By how much the energy of what does not belong together is to be higher.
    pub margin: f32,
}

impl Default for PairwiseHingeSpec {
    fn default() -> Self {
        Self { weight: 1.0, margin: 1.0 }
    }
}

impl PairwiseHingeSpec {
    pub(super) fn terms(&self, latents: &Latents, tape: &mut PassTape) -> Vec<Term> {
        let loss = |predicted| pairwise_hinge::loss(predicted, latents.target, latents.batch, self.margin);
        vec![Term::new("pairwise_hinge", self.weight, on_tape(latents.predicted, tape, loss))]
    }
}
