//! Barlow Twins. Read first: [`BarlowTwinsSpec`].

use super::{Latents, PassTape, Term, expand, on_tape};
use forethought_energy::objectives::barlow_twins;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Barlow Twins (Zbontar et al., 2021, Eqs. 1 and 2): the cross-correlation matrix of predicted and encoded next latents is drawn
/// to the identity. It says nothing of their scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BarlowTwinsSpec {
    /// Weight of the whole.
    pub weight: f32,
    /// What a squared entry off the diagonal counts, where one on it counts 1.
    pub off_diagonal: f32,
    /// Layer sizes of a network through which the latents go first (projector), the last its output; empty for none.
    pub expander: Vec<usize>,
}

impl Default for BarlowTwinsSpec {
    fn default() -> Self {
        Self { weight: 5.0, off_diagonal: 0.05, expander: vec![] }
    }
}

impl BarlowTwinsSpec {
    pub(super) fn terms(&self, latents: &Latents, tape: &mut PassTape) -> Vec<Term> {
        let target = expand(latents.target, latents.expander, tape);
        let predicted = expand(latents.predicted, latents.expander, tape);
        let value = on_tape(&predicted, tape, |predicted| barlow_twins::loss(predicted, &target, self.off_diagonal));
        vec![Term::new("barlow_twins", self.weight, value)]
    }
}
