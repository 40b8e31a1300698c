//! The actor: proposes action sequences and finds those of least energy. Read first: [`ActorSpec`].

pub mod exploration;
pub(crate) mod hierarchy;
pub mod planners;

pub use hierarchy::{AboveSpec, HierarchySpec, LowestSpec};

use planners::{CemSpec, GradientSpec, MppiSpec, PlannerName, Uncertainty};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an agent plans (Mode-2): receding horizon, warm start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ActorSpec {
    /// The planner; `--actor` overrides it.
    pub planner: PlannerName,
    /// How many control steps each imagined future has.
    pub horizon: u32,
    /// Control steps carried out before planning anew.
    pub replan_every: u32,
    /// What to make of a plan whose outcome differs with the world model's latent variable. Each sequence is then imagined under
    /// all of its values.
    pub uncertainty: Uncertainty,
    /// Settings of the gradient planner. Its number of model evaluations is also the budget of the others.
    pub gradient: GradientSpec,
    /// Settings of the cross-entropy method.
    pub cem: CemSpec,
    /// Settings of model-predictive path integral control.
    pub mppi: MppiSpec,
    /// Settings of the hierarchical planner.
    pub hierarchy: HierarchySpec,
}

impl Default for ActorSpec {
    fn default() -> Self {
        Self {
            planner: PlannerName::Gradient,
            horizon: 64,
            replan_every: 5,
            uncertainty: Uncertainty::default(),
            gradient: GradientSpec::default(),
            cem: CemSpec::default(),
            mppi: MppiSpec::default(),
            hierarchy: HierarchySpec::default(),
        }
    }
}
