//! Effort: spend little. Read first: [`EffortSpec`].

use crate::cost::{Extent, Imagined};
use dfdx::prelude::SumTo;
use forethought_energy::{TapedMatrix, TapedScalar};
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its actions `a` of `|a|²`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EffortSpec {
    /// How much it counts.
    pub weight: Num,
}

impl_numbers!(struct EffortSpec { weight });

impl EffortSpec {
    #[expect(clippy::cast_precision_loss, reason = "a horizon has far fewer than 2^24 steps")]
    fn share(&self, extent: Extent) -> f32 {
        self.weight.value_f32() / (extent.steps * extent.stride).max(1) as f32
    }

    pub(crate) fn add_energies(&self, imagined: &Imagined, energies: &mut [f32]) {
        let share = self.share(imagined.extent);
        let acting = imagined.actions.len() / (imagined.extent.steps * imagined.batch).max(1);
        for (row, actions) in imagined.actions.chunks_exact(acting.max(1)).enumerate() {
            energies[row % imagined.batch] += share * actions.iter().map(|a| a * a).sum::<f32>();
        }
    }

    pub(crate) fn total(&self, actions: TapedMatrix, extent: Extent) -> TapedScalar {
        actions.square().sum() * self.share(extent)
    }
}
