//! Training objectives: what keeps the representation from collapsing. One file an objective: its settings, and which terms it
//! puts on a pass's tape; their mathematics is in `forethought-energy`. Read first: [`Objective`].

mod barlow_twins;
mod byol;
mod info_nce;
mod pairwise_hinge;
mod sigreg;
mod simsiam;
mod vicreg;

pub use barlow_twins::BarlowTwinsSpec;
pub use byol::ByolSpec;
pub use info_nce::InfoNceSpec;
pub use pairwise_hinge::PairwiseHingeSpec;
pub use sigreg::SigRegSpec;
pub use simsiam::SimSiamSpec;
pub use vicreg::VicRegSpec;

use crate::network::{Trainee, apply};
use dfdx::prelude::{Cpu, OwnedTape, PutTape, SplitTape};
use forethought_energy::{Matrix, Scalar, TapedMatrix, TapedScalar, numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What keeps the representation from collapsing to where everything is easy to predict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Objective {
    /// Variance-invariance-covariance regularisation.
    VicReg(VicRegSpec),
    /// Redundancy reduction between two views.
    BarlowTwins(BarlowTwinsSpec),
    /// Bootstrap your own latent.
    Byol(ByolSpec),
    /// Simple Siamese representation learning.
    SimSiam(SimSiamSpec),
    /// Sketched isotropic Gaussian regularisation.
    SigReg(SigRegSpec),
    /// Contrast with a softmax.
    InfoNce(InfoNceSpec),
    /// Contrast with a margin.
    PairwiseHinge(PairwiseHingeSpec),
}

impl Default for Objective {
    fn default() -> Self {
        Self::VicReg(VicRegSpec::default())
    }
}

/// What a pass over some sequences has given, for an objective to build on. Rows are time first.
pub(crate) struct Latents<'a> {
    /// `[(steps + 1) * batch, latent]`: what was encoded.
    pub(crate) encoded: &'a Matrix,
    /// `[steps * batch, latent]`: what was predicted, open loop.
    pub(crate) predicted: &'a Matrix,
    /// As `predicted`: what it is compared with. No gradient comes from it where the objective stops it.
    pub(crate) target: &'a Matrix,
    /// Sequences, one after the other in each step's rows.
    pub(crate) batch: usize,
    /// What the latents go through before the objective's terms.
    pub(crate) expander: Option<&'a Trainee>,
    /// Where what is drawn at random comes from, another for each update and shard.
    pub(crate) seed: u64,
}

/// A term of the loss.
pub(crate) struct Term {
    pub(crate) name: &'static str,
    pub(crate) weight: f32,
    /// Before its weight, on the pass's tape.
    pub(crate) value: Scalar,
}

impl Term {
    pub(crate) fn new(name: &'static str, weight: f32, value: Scalar) -> Self {
        Self { name, weight, value }
    }
}

/// The tape of a pass.
pub(crate) type PassTape = OwnedTape<f32, Cpu>;

impl Objective {
    /// The objective's own terms.
    pub(crate) fn terms(&self, latents: &Latents, tape: &mut PassTape) -> Vec<Term> {
        match self {
            Self::VicReg(spec) => spec.terms(latents, tape),
            Self::BarlowTwins(spec) => spec.terms(latents, tape),
            Self::Byol(spec) => spec.terms(latents, tape),
            Self::SimSiam(spec) => spec.terms(latents, tape),
            Self::SigReg(spec) => spec.terms(latents, tape),
            Self::InfoNce(spec) => spec.terms(latents, tape),
            Self::PairwiseHinge(spec) => spec.terms(latents, tape),
        }
    }

    /// Layer sizes of the network before the objective's terms; none if there is no such network.
    pub(crate) fn expander(&self) -> &[usize] {
        match self {
            Self::VicReg(VicRegSpec { expander, .. }) | Self::BarlowTwins(BarlowTwinsSpec { expander, .. }) => expander,
            _ => &[],
        }
    }

    /// Whether predictions are compared with latents that get no gradient.
    pub(crate) fn stops_gradient(&self) -> bool {
        matches!(self, Self::Byol(_) | Self::SimSiam(_))
    }

    /// How slowly a second encoder follows the trained one, where predictions are compared with what it says.
    pub(crate) fn momentum(&self) -> Option<f32> {
        match self {
            Self::Byol(spec) => Some(spec.momentum),
            _ => None,
        }
    }
}

/// One of dfdx's own functions, on a tape that goes on afterwards.
fn on_tape(values: &Matrix, tape: &mut PassTape, function: impl FnOnce(TapedMatrix) -> TapedScalar) -> Scalar {
    let (out, after) = function(values.clone().put_tape(std::mem::take(tape))).split_tape();
    *tape = after;
    out
}

/// The latents through the expander, if there is one.
fn expand(latents: &Matrix, expander: Option<&Trainee>, tape: &mut PassTape) -> Matrix {
    expander.map_or_else(|| latents.clone(), |expander| apply(expander, numbers(latents), Some(latents), tape))
}
