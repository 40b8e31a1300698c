//! Points that stand for a whole space, each with its weight, so that a sum over them is an integral. Read first: [`Nodes`].

use crate::{Matrix, energy::matrix, random};
use rand::Rng;

/// Points and the logarithm of what each weighs: the sum over points of `weight * f(point)` is the integral of `f`, or close to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Nodes {
    /// `[count, dimensions]`, one after the other.
    pub points: Vec<f32>,
    /// How many numbers a point has.
    pub dimensions: usize,
    /// `[count]`.
    pub log_weights: Vec<f32>,
}

impl Nodes {
    /// A finite set `[count, dimensions]`: integrals over it are sums.
    #[must_use]
    pub fn finite(points: Vec<f32>, dimensions: usize) -> Self {
        let count = points.len() / dimensions.max(1);
        Self { points, dimensions, log_weights: vec![0.0; count] }
    }

    /// A box, cut into so many cells along each axis, with a point in the middle of each: the midpoint rule. The first axis varies
    /// fastest, so that values at the nodes are rows of a picture.
    #[must_use]
    pub fn grid(ranges: &[[f32; 2]], cells: usize) -> Self {
        let cells = cells.max(1);
        let step = |[low, high]: [f32; 2]| (high - low) / cells as f32;
        let point = |index: usize| {
            ranges.iter().enumerate().map(move |(axis, range)| {
                let cell = index / cells.pow(u32::try_from(axis).unwrap_or(u32::MAX)) % cells;
                range[0] + (cell as f32 + 0.5) * step(*range)
            })
        };
        let count = cells.pow(u32::try_from(ranges.len()).unwrap_or(u32::MAX));
        let log_volume = ranges.iter().map(|range| step(*range).ln()).sum();
        let points = (0..count).flat_map(point).collect();
        Self { points, dimensions: ranges.len(), log_weights: vec![log_volume; count] }
    }

    /// Angles from 0 to 2π. On a circle the trapezoidal rule converges faster than any power of `count`.
    #[must_use]
    pub fn circle(count: usize) -> Self {
        Self::grid(&[[0.0, std::f32::consts::TAU]], count)
    }

    /// A sample of the standard Gaussian: sums over it are averages under that prior, for which no integral is needed.
    #[must_use]
    pub fn gaussian(count: usize, dimensions: usize, rng: &mut impl Rng) -> Self {
        let points = random::normals(count * dimensions, rng);
        Self { points, dimensions, log_weights: vec![-(count.max(1) as f32).ln(); count] }
    }

    /// The same with weights that add up to 1: sums over them are averages.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        let total = log_sum_exp(self.log_weights.iter().map(|log| f64::from(*log)));
        #[expect(clippy::cast_possible_truncation, reason = "of single-precision numbers")]
        self.log_weights.iter_mut().for_each(|log| *log = (f64::from(*log) - total) as f32);
        self
    }

    /// How many points there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.log_weights.len()
    }

    /// A point.
    #[must_use]
    pub fn point(&self, index: usize) -> &[f32] {
        &self.points[index * self.dimensions..(index + 1) * self.dimensions]
    }

    /// All points as a matrix.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        matrix(self.points.clone(), self.dimensions)
    }
}

/// `log sum exp` without overflow; minus infinity of nothing.
#[must_use]
pub fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_integrates() {
        let nodes = Nodes::grid(&[[0.0, 1.0], [-1.0, 2.0]], 200);
        let integral = |f: fn(&[f32]) -> f64| -> f64 {
            (0..nodes.count()).map(|index| f64::from(nodes.log_weights[index]).exp() * f(nodes.point(index))).sum()
        };
        assert!((integral(|_| 1.0) - 3.0).abs() < 1e-3);
        assert!((integral(|point| f64::from(point[0] * point[1] * point[1])) - 1.5).abs() < 1e-3);
        assert!((nodes.point(1)[0] - nodes.point(0)[0] - 0.005).abs() < 1e-6, "the first axis varies fastest");
    }

    #[test]
    fn sums_of_exponentials_do_not_overflow() {
        assert!((log_sum_exp([1000.0, 1000.0].into_iter()) - 1000.0 - 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(log_sum_exp([].into_iter()), f64::NEG_INFINITY);
    }
}
