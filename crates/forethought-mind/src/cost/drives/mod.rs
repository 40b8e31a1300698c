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

impl Numbers for DriveSpec {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Num)) {
        match self {
            Self::Reach(spec) => spec.numbers(path, visit),
            Self::Effort(spec) => spec.numbers(path, visit),
            Self::KeepClear(spec) => spec.numbers(path, visit),
        }
    }
}
