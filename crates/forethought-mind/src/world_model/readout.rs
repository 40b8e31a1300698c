//! The readout: where the agent is, decoded from a latent, to draw imagined futures and to measure what a latent knows.
//! It never takes part in planning. Read first: [`Readout::fit`].

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

/// Ridge on the normal equations, relative to the number of rows.
const RIDGE: f64 = 1e-6;

/// A linear map from a latent to a position in metres.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Readout {
    /// `[latent + 1, 2]`, row by row; the last row is the offset.
    pub weight: Vec<f32>,
    /// The share of the positions' variance that it explains on the data it was fitted to, per axis.
    pub r2: [f32; 2],
}

impl Readout {
    /// Least squares from `latents` `[rows, latent]` to `positions_m`.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "metres, and far fewer than 2^52 rows"
    )]
    pub fn fit(latents: &[f32], latent: usize, positions_m: &[[f32; 2]]) -> Self {
        let rows = positions_m.len();
        let features = DMatrix::from_fn(rows, latent + 1, |row, column| {
            if column == latent { 1.0 } else { f64::from(latents[row * latent + column]) }
        });
        let mut normal = features.transpose() * &features;
        for i in 0..=latent {
            normal[(i, i)] += RIDGE * rows as f64;
        }
        let mut weight = vec![0.0; (latent + 1) * 2];
        let mut r2 = [0.0; 2];
        let Some(factor) = normal.cholesky() else { return Self { weight, r2 } };
        for axis in 0..2 {
            let target = DVector::from_iterator(rows, positions_m.iter().map(|position| f64::from(position[axis])));
            let solution = factor.solve(&(features.transpose() * &target));
            let residual = (&features * &solution - &target).norm_squared();
            let spread = target.add_scalar(-target.mean()).norm_squared();
            r2[axis] = (1.0 - residual / spread.max(1e-12)) as f32;
            solution.iter().enumerate().for_each(|(i, value)| weight[i * 2 + axis] = *value as f32);
        }
        Self { weight, r2 }
    }

    /// The position that a latent stands for.
    #[must_use]
    pub fn position_m(&self, latent: &[f32]) -> [f32; 2] {
        let offset = &self.weight[latent.len() * 2..];
        let mut position = [offset[0], offset[1]];
        for (value, row) in latent.iter().zip(self.weight.chunks_exact(2)) {
            position[0] += value * row[0];
            position[1] += value * row[1];
        }
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovers_a_linear_map() {
        let latents: Vec<f32> = (0..300).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let truth = |l: &[f32]| [2.0 * l[0] - l[1] + 4.0, 0.5 * l[2] + 1.0];
        let positions: Vec<[f32; 2]> = latents.chunks(3).map(truth).collect();
        let readout = Readout::fit(&latents, 3, &positions);
        assert!(readout.r2.iter().all(|r2| *r2 > 0.9999));
        let probe = [0.3, -0.4, 0.9];
        for (got, expected) in readout.position_m(&probe).iter().zip(truth(&probe)) {
            assert!((got - expected).abs() < 1e-3);
        }
    }
}
