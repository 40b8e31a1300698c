//! Force: the action pushes. Read first: [`ForceSpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The action `[x, y]` times `max_force_n` is a force on the body's centre of mass, in the world's frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ForceSpec {
    /// The force along each axis at full command, in newtons.
    pub max_force_n: Num,
}

impl Default for ForceSpec {
    fn default() -> Self {
        Self { max_force_n: Num::Literal(5.0) }
    }
}

impl_numbers!(struct ForceSpec { max_force_n });
