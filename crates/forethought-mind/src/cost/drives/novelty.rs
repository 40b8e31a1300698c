//! Novelty: be where one has not been lately. Read first: [`NoveltySpec`].

use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Energy of a rollout: `weight` times the mean over its imagined states of how familiar their places are, the mean over the
/// places `q` where the agent was in the latest `remembers` control steps of `exp(-|p - q|² / (2 radius_m²))`, where `p` is decoded from
/// the state. It leads away from where nothing comes of staying (episodic novelty; Badia et al., 2020, Sec. 2, by places).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoveltySpec {
    /// How far from a place it is familiar, in metres.
    #[serde(default = "one")]
    pub radius_m: Num,
    /// Control steps that are remembered.
    #[serde(default = "remembers")]
    pub remembers: usize,
    /// How much it counts.
    #[serde(default = "one")]
    pub weight: Num,
}

fn one() -> Num {
    Num::Literal(1.0)
}

fn remembers() -> usize {
    200
}

impl_numbers!(struct NoveltySpec { radius_m, weight });

impl NoveltySpec {
    /// How familiar a place is among those `visited`, from 0 to 1, and how that changes with it.
    pub(crate) fn familiarity(
        &self,
        place: [f32; 2],
        visited: impl Iterator<Item = [f32; 2]> + Clone,
    ) -> (f32, [f32; 2]) {
        let square = self.radius_m.value_f32().powi(2).max(1e-6);
        #[expect(clippy::cast_precision_loss, reason = "a bounded memory")]
        let share = 1.0 / visited.clone().count().max(1) as f32;
        let (mut sum, mut slope) = (0.0, [0.0; 2]);
        for [x, y] in visited {
            let [dx, dy] = [place[0] - x, place[1] - y];
            let near = share * (-0.5 * (dx * dx + dy * dy) / square).exp();
            sum += near;
            slope = [slope[0] - near * dx / square, slope[1] - near * dy / square];
        }
        (sum, slope)
    }
}
