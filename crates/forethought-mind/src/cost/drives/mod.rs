//! Drives: the hard-wired parts of the intrinsic cost. One file a drive. Read first: [`DriveSpec`].

mod comfort;
mod effort;
mod hunger;
mod keep_clear;
mod novelty;
mod pain;
mod reach;

pub use comfort::ComfortSpec;
pub use effort::EffortSpec;
pub use hunger::HungerSpec;
pub use keep_clear::KeepClearSpec;
pub use novelty::NoveltySpec;
pub use pain::PainSpec;
pub use reach::{Likeness, ReachSpec};

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
    /// Keep the energy store full.
    Hunger(HungerSpec),
    /// Be where nothing harms.
    Pain(PainSpec),
    /// Be where it is warm.
    Comfort(ComfortSpec),
    /// Be where it has not been lately.
    Novelty(NoveltySpec),
}

/// A drive that judges one of the body's own senses.
pub(crate) trait Feeling {
    /// The sense, as `interoception.*` names it.
    const CHANNEL: &'static str;

    /// What a value of the sense costs before the weight, and how that changes with it.
    fn cost_and_slope(&self, value: f32) -> (f32, f32);
}

impl DriveSpec {
    /// Its name, as reports and the critic have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reach(_) => "reach",
            Self::Effort(_) => "effort",
            Self::KeepClear(_) => "keep_clear",
            Self::Hunger(_) => "hunger",
            Self::Pain(_) => "pain",
            Self::Comfort(_) => "comfort",
            Self::Novelty(_) => "novelty",
        }
    }

    /// How much it counts.
    #[must_use]
    pub fn weight(&self) -> &Num {
        match self {
            Self::Reach(spec) => &spec.weight,
            Self::Effort(spec) => &spec.weight,
            Self::KeepClear(spec) => &spec.weight,
            Self::Hunger(spec) => &spec.weight,
            Self::Pain(spec) => &spec.weight,
            Self::Comfort(spec) => &spec.weight,
            Self::Novelty(spec) => &spec.weight,
        }
    }

    fn weight_mut(&mut self) -> &mut Num {
        match self {
            Self::Reach(spec) => &mut spec.weight,
            Self::Effort(spec) => &mut spec.weight,
            Self::KeepClear(spec) => &mut spec.weight,
            Self::Hunger(spec) => &mut spec.weight,
            Self::Pain(spec) => &mut spec.weight,
            Self::Comfort(spec) => &mut spec.weight,
            Self::Novelty(spec) => &mut spec.weight,
        }
    }

    /// The body's sense that it judges; none for one that judges something else.
    pub(crate) fn channel(&self) -> Option<&'static str> {
        fn of<F: Feeling>(_: &F) -> &'static str {
            F::CHANNEL
        }
        match self {
            Self::Reach(_) | Self::Effort(_) | Self::KeepClear(_) | Self::Novelty(_) => None,
            Self::Hunger(spec) => Some(of(spec)),
            Self::Pain(spec) => Some(of(spec)),
            Self::Comfort(spec) => Some(of(spec)),
        }
    }

    /// What a value of that sense costs before the weight, and how that changes with it.
    pub(crate) fn cost_and_slope(&self, value: f32) -> (f32, f32) {
        match self {
            Self::Reach(_) | Self::Effort(_) | Self::KeepClear(_) | Self::Novelty(_) => (0.0, 0.0),
            Self::Hunger(spec) => spec.cost_and_slope(value),
            Self::Pain(spec) => spec.cost_and_slope(value),
            Self::Comfort(spec) => spec.cost_and_slope(value),
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
            Self::Hunger(spec) => spec.numbers(path, visit),
            Self::Pain(spec) => spec.numbers(path, visit),
            Self::Comfort(spec) => spec.numbers(path, visit),
            Self::Novelty(spec) => spec.numbers(path, visit),
        }
    }
}
