//! The clearance: how near the agent comes to what moves, decoded from a latent by a small network that is fitted after training,
//! so that imagined futures can be judged by it. Read first: [`Clearance::distances_m`] and `Clearance::fit`.

use super::encoder::{Encoder, Slopes};
use crate::network::{Batch, Mlp, Regression};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Farther than this counts as this far, in metres: what is that far off does no harm.
const FAR_M: f32 = 2.0;
/// Hidden layers.
const HIDDEN: [usize; 2] = [64, 64];
/// Gradient updates, rows in each, and AdamW's highest learning rate.
const UPDATES: u32 = 4000;
const ROWS: usize = 256;
const LEARNING_RATE: f32 = 3e-3;

/// What a model says of its clearance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClearanceCard {
    /// Hidden layers of its network, from a latent to a distance.
    pub hidden: Vec<usize>,
    /// The share of the distances' variance that it explains on the latents it was fitted to.
    pub r2: f32,
}

/// A network from a latent to the least distance, in metres and cut at 2, between the agent's outline and whatever else can
/// move, during the prediction that led there.
#[derive(Debug, Clone, PartialEq)]
pub struct Clearance {
    pub(crate) card: ClearanceCard,
    pub(crate) network: Encoder,
}

impl Clearance {
    pub(crate) fn new(card: ClearanceCard, mlp: Mlp) -> Self {
        Self { card, network: Encoder::new(mlp) }
    }

    /// Least squares by AdamW from `latents` `[rows, latent]` to `distances_m` `[rows]`; none without rows.
    pub(crate) fn fit(latents: &[f32], latent: usize, distances_m: &[f32], seed: u64) -> Option<Self> {
        let rows = distances_m.len();
        if rows == 0 {
            return None;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut regression = Regression::new(Mlp::random(latent, &HIDDEN, 1, 0.1, &mut rng), UPDATES, LEARNING_RATE);
        for _ in 0..UPDATES {
            let mut batch = Batch { inputs: Vec::with_capacity(ROWS * latent), targets: Vec::with_capacity(ROWS) };
            for _ in 0..ROWS {
                let row = rng.gen_range(0..rows);
                batch.inputs.extend_from_slice(&latents[row * latent..(row + 1) * latent]);
                batch.targets.push(distances_m[row].min(FAR_M));
            }
            regression.step(vec![batch], 0.5);
        }
        let mlp = regression.mlp;
        let mut fitted = Self::new(ClearanceCard { hidden: HIDDEN.to_vec(), r2: 0.0 }, mlp);
        fitted.card.r2 = fitted.explained(latents, distances_m);
        Some(fitted)
    }

    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 rows")]
    fn explained(&self, latents: &[f32], distances_m: &[f32]) -> f32 {
        let wanted: Vec<f32> = distances_m.iter().map(|distance| distance.min(FAR_M)).collect();
        let mean = wanted.iter().sum::<f32>() / wanted.len().max(1) as f32;
        let squares = |differences: &mut dyn Iterator<Item = f32>| differences.map(|d| d * d).sum::<f32>();
        let left = squares(&mut self.distances_m(latents).iter().zip(&wanted).map(|(told, wanted)| told - wanted));
        1.0 - left / squares(&mut wanted.iter().map(|wanted| wanted - mean)).max(1e-12)
    }

    /// What it says of itself.
    #[must_use]
    pub fn card(&self) -> &ClearanceCard {
        &self.card
    }

    /// The distances in metres that latents `[rows, latent]` stand for, `[rows]`.
    #[must_use]
    pub fn distances_m(&self, latents: &[f32]) -> Vec<f32> {
        self.network.forward(latents, false).0
    }

    /// As [`Clearance::distances_m`], with what the way back needs.
    pub(crate) fn forward(&self, latents: &[f32]) -> (Vec<f32>, Slopes) {
        self.network.forward(latents, true)
    }
}

/// For each control step the least of the latest `span` distances.
pub(crate) fn least_of_latest(distances_m: &[f32], span: usize) -> impl Iterator<Item = f32> {
    (0..distances_m.len()).map(move |at| {
        let latest = &distances_m[(at + 1).saturating_sub(span)..=at];
        latest.iter().copied().fold(f32::INFINITY, f32::min)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learns_a_distance() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let latents: Vec<f32> = (0..4000).map(|_| rng.gen_range(-1.0..1.0)).collect();
        let truth = |l: &[f32]| (l[0] - l[2]).hypot(l[1] - l[3]);
        let distances: Vec<f32> = latents.chunks(4).map(truth).collect();
        let clearance = Clearance::fit(&latents, 4, &distances, 7).unwrap();
        assert!(clearance.card.r2 > 0.98, "{:?}", clearance.card);
        assert_eq!(Clearance::fit(&latents, 4, &distances, 7).unwrap(), clearance);
        assert!(Clearance::fit(&[], 4, &[], 7).is_none());
    }

    #[test]
    fn the_least_of_the_latest() {
        let least: Vec<f32> = least_of_latest(&[3.0, 1.0, 2.0, 4.0], 2).collect();
        assert_eq!(least, [3.0, 1.0, 1.0, 2.0]);
    }
}
