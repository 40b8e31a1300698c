//! VICReg. Read first: [`VicRegSpec`].

use super::{Latents, PassTape, Term, expand, on_tape};
use crate::network::{mean_square, rows};
use dfdx::prelude::HasShape;
use forethought_energy::{numbers, objectives::vicreg};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the hinge stops asking for more spread: every component's standard deviation.
const GAMMA: f32 = 1.0;

/// VICReg (Bardes, Ponce & LeCun, 2022, Eqs. 1 to 6): every component varies, and no two say the same. Its invariance is the
/// world model's prediction, and with an expander also that of the expanded latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VicRegSpec {
    /// Weight of the hinge on each component's standard deviation.
    pub variance: f32,
    /// Weight of the squared covariances between components.
    pub covariance: f32,
    /// Weight of the squared distance between expanded predictions and expanded targets; of no account without an expander.
    pub invariance: f32,
    /// Layer sizes of a network through which the latents go first (expander, projector), the last its output; empty for none.
    pub expander: Vec<usize>,
}

impl Default for VicRegSpec {
    fn default() -> Self {
        Self { variance: 1.0, covariance: 0.1, invariance: 1.0, expander: vec![] }
    }
}

impl VicRegSpec {
    pub(super) fn terms(&self, latents: &Latents, tape: &mut PassTape) -> Vec<Term> {
        let expanded = expand(latents.encoded, latents.expander, tape);
        let variance = on_tape(&expanded, tape, |latents| vicreg::variance(latents, GAMMA));
        let covariance = on_tape(&expanded, tape, vicreg::covariance);
        let mut terms =
            vec![Term::new("variance", self.variance, variance), Term::new("covariance", self.covariance, covariance)];
        if latents.expander.is_some() {
            let (all, predictions) = (expanded.shape().0, latents.predicted.shape().0);
            let target = rows(&expanded, &numbers(&expanded), all - predictions, predictions, tape);
            let predicted = expand(latents.predicted, latents.expander, tape);
            terms.push(Term::new("invariance", self.invariance, mean_square(&predicted, &target, tape)));
        }
        terms
    }
}
