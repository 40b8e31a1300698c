//! The actor: proposes action sequences and finds those of least energy. Read first: [`ActorSpec`].

pub mod exploration;
pub mod planners;

use planners::{CemSpec, GradientSpec, MppiSpec, PlannerName};
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
    /// Settings of the gradient planner. Its number of model evaluations is also the budget of the others.
    pub gradient: GradientSpec,
    /// Settings of the cross-entropy method.
    pub cem: CemSpec,
    /// Settings of model-predictive path integral control.
    pub mppi: MppiSpec,
}

impl Default for ActorSpec {
    fn default() -> Self {
        Self {
            planner: PlannerName::Gradient,
            horizon: 64,
            replan_every: 5,
            gradient: GradientSpec::default(),
            cem: CemSpec::default(),
            mppi: MppiSpec::default(),
        }
    }
}
