//! Readouts: what is decoded linearly from a latent, to draw imagined futures and to measure what a latent knows.
//! Planning uses one for where a level reads the floor plan and for how a tree of imagined states spreads. Read first: [`Readout::fit`] and [`Linear`].

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

/// A linear map from a latent to any number of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// `[latent + 1, outputs]`, row by row; the last row is the offset.
    pub weight: Vec<f32>,
    /// How many values it reads.
    pub outputs: usize,
    /// The share of each value's variance that it explains on the data it was fitted to.
    pub r2: Vec<f32>,
}

/// How well a map does on data that it was not fitted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Score {
    /// The share of the values' variance that it explains, over all values together; 1 is perfect, 0 as good as their means.
    pub r2: f64,
    /// The root of the mean squared error of a value, in its own unit.
    pub rmse: f64,
}

impl Linear {
    /// Ridge regression from `latents` `[rows, latent]` to `targets` `[rows, outputs]`; all zero where there is nothing to
    /// fit to.
    #[must_use]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "far fewer than 2^52 rows")]
    pub fn fit(latents: &[f32], latent: usize, targets: &[f32], outputs: usize) -> Self {
        let rows = targets.len() / outputs.max(1);
        let features = DMatrix::from_fn(rows, latent + 1, |row, column| {
            if column == latent { 1.0 } else { f64::from(latents[row * latent + column]) }
        });
        let across = features.transpose();
        let mut normal = &across * &features;
        for i in 0..=latent {
            normal[(i, i)] += RIDGE * rows as f64;
        }
        let mut weight = vec![0.0; (latent + 1) * outputs];
        let mut r2 = vec![0.0; outputs];
        let Some(factor) = normal.cholesky() else { return Self { weight, outputs, r2 } };
        for output in 0..outputs {
            let values = targets.iter().skip(output).step_by(outputs).map(|value| f64::from(*value));
            let target = DVector::from_iterator(rows, values);
            let solution = factor.solve(&(&across * &target));
            let residual = (&features * &solution - &target).norm_squared();
            let spread = target.add_scalar(-target.mean()).norm_squared();
            r2[output] = (1.0 - residual / spread.max(1e-12)) as f32;
            solution.iter().enumerate().for_each(|(i, value)| weight[i * outputs + output] = *value as f32);
        }
        Self { weight, outputs, r2 }
    }

    /// What `latents` `[rows, latent]` stand for, `[rows, outputs]`.
    #[must_use]
    pub fn read(&self, latents: &[f32]) -> Vec<f32> {
        let (slopes, offset) = self.weight.split_at(self.weight.len() - self.outputs);
        let latent = (slopes.len() / self.outputs.max(1)).max(1);
        let mut out = Vec::with_capacity(latents.len() / latent * self.outputs);
        for latent in latents.chunks_exact(latent) {
            let start = out.len();
            out.extend_from_slice(offset);
            for (value, row) in latent.iter().zip(slopes.chunks_exact(self.outputs)) {
                out[start..].iter_mut().zip(row).for_each(|(out, slope)| *out += value * slope);
            }
        }
        out
    }

    /// How well it reads `targets` `[rows, outputs]` from `latents` `[rows, latent]`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 values")]
    pub fn score(&self, latents: &[f32], targets: &[f32]) -> Score {
        let rows = (targets.len() / self.outputs.max(1)).max(1) as f64;
        let mut means = vec![0.0; self.outputs];
        for row in targets.chunks_exact(self.outputs) {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / rows);
        }
        let square = |a: f64, b: f64| (a - b) * (a - b);
        let of_means = targets.iter().zip(means.iter().cycle()).map(|(value, mean)| square(f64::from(*value), *mean));
        let read = self.read(latents);
        let of_read = targets.iter().zip(&read).map(|(value, read)| square(f64::from(*value), f64::from(*read)));
        let (residual, spread) = (of_read.sum::<f64>(), of_means.sum::<f64>());
        Score { r2: 1.0 - residual / spread.max(1e-12), rmse: (residual / targets.len().max(1) as f64).sqrt() }
    }
}

impl Readout {
    /// Ridge regression from `latents` `[rows, latent]` to `positions_m`.
    #[must_use]
    pub fn fit(latents: &[f32], latent: usize, positions_m: &[[f32; 2]]) -> Self {
        let Linear { weight, r2, .. } = Linear::fit(latents, latent, positions_m.as_flattened(), 2);
        Self { weight, r2: [r2[0], r2[1]] }
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
    #[test]
    fn a_known_map_of_many_values_is_found_and_scored_on_other_data() {
        let latents = |from: usize| -> Vec<f32> {
            (from..from + 400).map(|i| ((i * 7919) % 1009) as f32 / 500.0 - 1.0).collect()
        };
        // The last value is not a function of the latent.
        let truth = |latents: &[f32], from: usize| -> Vec<f32> {
            let row = |(i, l): (usize, &[f32])| [l[0] - l[1], 3.0 * l[1] + 2.0, (((from + i) * 31) % 17) as f32];
            latents.chunks(2).enumerate().flat_map(row).collect()
        };
        let (known, fresh) = (latents(0), latents(5000));
        let map = Linear::fit(&known, 2, &truth(&known, 0), 3);
        assert!(map.r2[..2].iter().all(|r2| *r2 > 0.9999) && map.r2[2] < 0.1, "{:?}", map.r2);
        let targets = truth(&fresh, 900);
        let two: Vec<f32> = targets.chunks(3).flat_map(|row| [row[0], row[1]]).collect();
        let score =
            Linear::fit(&known, 2, &truth(&known, 0).chunks(3).flat_map(|r| [r[0], r[1]]).collect::<Vec<_>>(), 2)
                .score(&fresh, &two);
        assert!(score.r2 > 0.9999 && score.rmse < 1e-3, "{score:?}");
        let score = map.score(&fresh, &targets);
        // The third value's deviation is 4.9, and it is one value of three.
        assert!(score.r2 < 0.5 && (score.rmse - 4.9 / 3.0_f64.sqrt()).abs() < 0.3, "{score:?}");
        assert_eq!(map.read(&fresh[..2]).len(), 3);
    }
}
