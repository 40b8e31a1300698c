//! Drives: the hard-wired parts of the intrinsic cost. One file a drive. Read first: [`DriveSpec`].

mod effort;
mod keep_clear;
mod reach;

pub use effort::EffortSpec;
pub use keep_clear::KeepClearSpec;
pub use reach::ReachSpec;

use forethought_interface::{Num, Numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A drive of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum DriveSpec {
    /// Be at a target.
    Reach(ReachSpec),
    /// Spend little.
    Effort(EffortSpec),
    /// Stay out of the way of what moves.
    KeepClear(KeepClearSpec),
}

impl DriveSpec {
    /// Its name, as reports and the critic have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reach(_) => "reach",
            Self::Effort(_) => "effort",
            Self::KeepClear(_) => "keep_clear",
        }
    }

    /// How much it counts.
    #[must_use]
    pub fn weight(&self) -> &Num {
        match self {
            Self::Reach(spec) => &spec.weight,
            Self::Effort(spec) => &spec.weight,
            Self::KeepClear(spec) => &spec.weight,
        }
    }

    fn weight_mut(&mut self) -> &mut Num {
        match self {
            Self::Reach(spec) => &mut spec.weight,
            Self::Effort(spec) => &mut spec.weight,
            Self::KeepClear(spec) => &mut spec.weight,
        }
    }

    /// The same, counting this much.
    #[must_use]
    pub fn weighing(&self, weight: f64) -> Self {
        let mut drive = self.clone();
        *drive.weight_mut() = Num::Literal(weight);
        drive
    }
}

impl Numbers for DriveSpec {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Num)) {
        match self {
            Self::Reach(spec) => spec.numbers(path, visit),
            Self::Effort(spec) => spec.numbers(path, visit),
            Self::KeepClear(spec) => spec.numbers(path, visit),
        }
    }
}
