//! How an agent that lives on energy is. Read first: [`Vitals`].

use serde::{Deserialize, Serialize};

/// How an agent with a metabolism is after a control step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vitals {
    /// The energy that it has in store, in joules.
    pub energy_j: f32,
    /// The same as a share of what it can store, in `[0, 1]`.
    pub energy: f32,
    /// Its health, in `[0, 1]`; 1 is unhurt.
    pub health: f32,
    /// Health lost a second during the latest control step, before healing.
    pub harm_per_s: f32,
    /// The mean square of the values of the action that its body took, in `[0, 1]`.
    pub effort: f32,
    /// Items eaten so far.
    pub meals: u32,
    /// What it died of; none while it lives.
    pub died_of: Option<Death>,
}

/// What an agent can die of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Death {
    /// Its store was empty.
    Starved,
    /// Its health was gone.
    Hurt,
}

impl Vitals {
    /// Whether it lives.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.died_of.is_none()
    }
}
