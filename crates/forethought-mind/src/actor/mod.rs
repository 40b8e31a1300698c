//! The actor: proposes action sequences and finds those of least energy. Read first: [`ActorSpec`].

pub mod exploration;
pub(crate) mod hierarchy;
pub mod planners;
pub mod policy;

pub use hierarchy::{AboveSpec, HierarchySpec, LowestSpec};

use crate::configurator::MixedSpec;
use planners::{CemSpec, GradientSpec, MppiSpec, PlannerName, Uncertainty};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an agent comes to its actions (Dawid & LeCun 2023, Sec. 2.3). On the command line `mode-1`, `mode-2` and
/// `mixed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// By its policy, at once: one forward pass at each control step.
    Mode1,
    /// By planning: it imagines and keeps what costs least.
    #[default]
    Mode2,
    /// By its policy, and by planning where that cannot be relied on, or where much is at stake.
    Mixed,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Mode1, Self::Mode2, Self::Mixed];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mode1 => "mode-1",
            Self::Mode2 => "mode-2",
            Self::Mixed => "mixed",
        }
    }

    /// The mode of a command-line name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// How an agent acts: in which mode, and how it plans (Mode-2): receding horizon, warm start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ActorSpec {
    /// The planner; `--actor` overrides it.
    pub planner: PlannerName,
    /// How it comes to its actions; `--mode` overrides it.
    pub mode: Mode,
    /// Mode-1 adds a random walk, that of exploration, times this: a policy is the mean of plans, and where these go different ways
    /// round, their mean stands still.
    pub restless: f32,
    /// When an agent of mixed mode plans.
    pub mixed: MixedSpec,
    /// Whether the critic's estimate stands at the end of each imagined future for what comes later.
    pub critic: bool,
    /// How many of the starts are what the policy would do, the first of them as it is, the others with noise.
    pub proposed: u32,
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
            mode: Mode::Mode2,
            restless: 0.0,
            mixed: MixedSpec::default(),
            critic: false,
            proposed: 0,
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
