//! Touch: what the body bumped into. Read first: [`TouchSpec`].

use forethought_interface::impl_numbers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channel `touch.impulse_n_s` `[sectors]`: the contact impulse of the last control step in N s, summed over the
/// contacts whose direction from the body's centre lies in each sector. Sector 0 is centred on the body's x axis, the
/// others follow anticlockwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TouchSpec {
    /// How many sectors the body's outline is split into.
    pub sectors: u32,
}

impl Default for TouchSpec {
    fn default() -> Self {
        Self { sectors: 4 }
    }
}

impl_numbers!(
    struct TouchSpec {}
);
