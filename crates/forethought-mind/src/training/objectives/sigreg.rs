//! SIGReg. Read first: [`SigRegSpec`].

use super::{Latents, PassTape, Term, on_tape};
use dfdx::prelude::HasShape;
use forethought_energy::objectives::sigreg;
use forethought_interface::derive_seed;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// LeJEPA's sketched isotropic Gaussian regularisation (Balestriero & LeCun, 2025): the projections of the latents on random lines,
/// other ones in each update, are drawn to a standard Gaussian by Epps and Pulley's statistic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SigRegSpec {
    /// Weight of the statistic, mean over the lines.
    pub weight: f32,
    /// How many lines.
    pub projections: u32,
}

impl Default for SigRegSpec {
    fn default() -> Self {
        Self { weight: 0.05, projections: 64 }
    }
}

impl SigRegSpec {
    pub(super) fn terms(&self, latents: &Latents, tape: &mut PassTape) -> Vec<Term> {
        let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(latents.seed, "directions", 0));
        let width = latents.encoded.shape().1;
        let directions = sigreg::directions(self.projections as usize, width, &mut rng);
        let value = on_tape(latents.encoded, tape, |encoded| sigreg::loss(encoded, &directions));
        vec![Term::new("sigreg", self.weight, value)]
    }
}
