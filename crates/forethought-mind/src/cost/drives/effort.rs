//! Effort: spend little. Read first: [`EffortSpec`].

use crate::cost::Imagined;
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
    fn share(&self, horizon: usize) -> f32 {
        self.weight.value_f32() / horizon.max(1) as f32
    }

    pub(crate) fn add_energies(&self, imagined: &Imagined, energies: &mut [f32]) {
        let share = self.share(imagined.horizon);
        let action_len = imagined.actions.len() / (imagined.horizon * imagined.batch).max(1);
        for (row, action) in imagined.actions.chunks_exact(action_len.max(1)).enumerate() {
            energies[row % imagined.batch] += share * action.iter().map(|a| a * a).sum::<f32>();
        }
    }

    pub(crate) fn total(&self, actions: TapedMatrix, horizon: usize) -> TapedScalar {
        actions.square().sum() * self.share(horizon)
    }
}
