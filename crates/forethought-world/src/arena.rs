//! The arena: where everything happens. Read first: [`ArenaSpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The arena: a rectangle with its lower left corner at the origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArenaSpec {
    /// Width and height in metres.
    pub size_m: [Num; 2],
    /// Gravity in m/s²; the default `(0, 0)` is a world seen from above.
    #[serde(default = "no_gravity")]
    pub gravity_m_s2: [Num; 2],
    /// What stands at the arena's edge.
    #[serde(default)]
    pub boundary: Boundary,
}

fn no_gravity() -> [Num; 2] {
    [Num::Literal(0.0), Num::Literal(0.0)]
}

/// What stands at the arena's edge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Boundary {
    /// Four static walls just outside the rectangle.
    #[default]
    Walls,
    /// Nothing: what leaves the rectangle is gone from sight but goes on moving.
    Open,
}

impl_numbers!(struct ArenaSpec { size_m, gravity_m_s2 });
