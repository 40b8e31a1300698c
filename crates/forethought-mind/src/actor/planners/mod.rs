//! Planners: how Mode-2 searches for the action sequence of least energy. One file a planner.
//! Read first: [`PlannerName`] and `plan`.

mod cem;
pub(crate) mod gradient;
mod imagination;
mod mppi;
mod shooting;
mod tree;
mod uncertainty;

pub use cem::CemSpec;
pub use gradient::GradientSpec;
pub use mppi::MppiSpec;
pub use tree::TreeSpec;
pub use uncertainty::Uncertainty;

pub(crate) use imagination::{Imagination, Population, Proposal, Starts, coloured_noise};
pub(crate) use tree::{Known, grow};

use crate::actor::ActorSpec;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The planners by name. In RON `Gradient`, on the command line `gradient`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PlannerName {
    /// No plan: the exploration's correlated random walk.
    Random,
    /// Correlated random walks, the best refined by gradient descent through the model.
    #[default]
    Gradient,
    /// The gradient planner on each level of the model, from the top down.
    Hierarchical,
    /// Correlated random walks, the best kept: as many as the gradient planner's budget allows.
    Shooting,
    /// Correlated random walks, the best kept: as many as the gradient planner starts from, at a fraction of its budget.
    Walks,
    /// The cross-entropy method.
    Cem,
    /// Model-predictive path integral control.
    Mppi,
}

impl PlannerName {
    /// All planners, in the order of reports.
    pub const ALL: [Self; 7] =
        [Self::Hierarchical, Self::Gradient, Self::Shooting, Self::Walks, Self::Cem, Self::Mppi, Self::Random];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Gradient => "gradient",
            Self::Hierarchical => "hierarchical",
            Self::Shooting => "shooting",
            Self::Walks => "walks",
            Self::Cem => "cem",
            Self::Mppi => "mppi",
        }
    }

    /// The planner of a command-line name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|planner| planner.as_str() == name)
    }
}

/// Search for the action sequence of least energy, with the same number of model evaluations whichever the planner,
/// [`PlannerName::Walks`] aside. `None` for [`PlannerName::Random`], which does not plan, and
/// [`PlannerName::Hierarchical`], which plans level by level.
pub(crate) fn plan(
    spec: &ActorSpec,
    imagination: &mut Imagination,
    starts: &mut Starts,
    rng: &mut impl Rng,
) -> Option<Proposal> {
    match spec.planner {
        PlannerName::Random | PlannerName::Hierarchical => None,
        PlannerName::Gradient => Some(gradient::plan(&spec.gradient, imagination, starts, rng)),
        PlannerName::Shooting => Some(shooting::plan(shooting::budget(spec), imagination, starts, rng)),
        PlannerName::Walks => Some(shooting::plan(spec.gradient.starts as usize, imagination, starts, rng)),
        PlannerName::Cem => Some(cem::plan(spec, imagination, starts, rng)),
        PlannerName::Mppi => Some(mppi::plan(spec, imagination, starts, rng)),
    }
}
