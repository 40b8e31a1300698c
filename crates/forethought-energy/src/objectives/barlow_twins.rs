//! Barlow Twins (Zbontar et al., 2021): two views agree, component by component, and no two components say the same.
//! Read first: [`loss`].

use super::{centred, with_slopes};
use crate::{Matrix, TapedMatrix, TapedScalar};
use dfdx::prelude::{HasShape, SplitTape};

/// Keeps the slope finite where a component is constant; as in batch normalisation.
const EPSILON: f32 = 1e-5;

/// How far the cross-correlation matrix `C`, `[latent, latent]`, of two views is from the identity:
/// `(sum_i (1 - C_ii)² + off_diagonal * sum_{i != j} C_ij²) / latent` (Zbontar et al., 2021, Eqs. 1 and 2; there without the
/// division). Both views are `[rows, latent]` and are standardised along the rows; to a scalar.
#[must_use]
pub fn loss(predicted: TapedMatrix, target: &Matrix, off_diagonal: f32) -> TapedScalar {
    let (rows, columns) = *predicted.shape();
    let (predicted, tape) = predicted.split_tape();
    let (left, right) = (Standard::of(&predicted), Standard::of(target));
    let (share, inverse) = (1.0 / columns as f32, 1.0 / rows as f32);
    let mut correlation = vec![0.0; columns * columns];
    for (left, right) in left.values.chunks_exact(columns).zip(right.values.chunks_exact(columns)) {
        for (sums, value) in correlation.chunks_exact_mut(columns).zip(left) {
            sums.iter_mut().zip(right).for_each(|(sum, other)| *sum += inverse * value * other);
        }
    }
    let mut loss = 0.0;
    // Each entry becomes its slope.
    for (index, entry) in correlation.iter_mut().enumerate() {
        let (weight, gap) =
            if index % (columns + 1) == 0 { (share, *entry - 1.0) } else { (share * off_diagonal, *entry) };
        loss += weight * gap * gap;
        *entry = 2.0 * inverse * weight * gap;
    }
    let (mut by_left, mut by_right) = (vec![0.0; rows * columns], vec![0.0; rows * columns]);
    let sides = left.values.chunks_exact(columns).zip(right.values.chunks_exact(columns));
    let slopes = by_left.chunks_exact_mut(columns).zip(by_right.chunks_exact_mut(columns));
    for ((left, right), (by_left, by_right)) in sides.zip(slopes) {
        for ((entries, value), slope) in correlation.chunks_exact(columns).zip(left).zip(by_left) {
            for ((entry, other), by_right) in entries.iter().zip(right).zip(&mut *by_right) {
                *slope += entry * other;
                *by_right += entry * value;
            }
        }
    }
    let slopes = [(&predicted, left.back(by_left)), (target, right.back(by_right))];
    with_slopes(loss, slopes, tape)
}

/// A matrix whose components have mean 0 and variance 1.
struct Standard {
    values: Vec<f32>,
    deviations: Vec<f32>,
}

impl Standard {
    fn of(matrix: &Matrix) -> Self {
        let (rows, columns) = *matrix.shape();
        let mut values = centred(matrix);
        let mut deviations = vec![0.0; columns];
        for row in values.chunks_exact(columns) {
            deviations.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
        }
        deviations.iter_mut().for_each(|sum| *sum = (*sum / rows as f32 + EPSILON).sqrt());
        for row in values.chunks_exact_mut(columns) {
            row.iter_mut().zip(&deviations).for_each(|(value, deviation)| *value /= deviation);
        }
        Self { values, deviations }
    }

    /// Slopes by the matrix, from those by its standardised form.
    fn back(&self, mut slopes: Vec<f32>) -> Vec<f32> {
        let columns = self.deviations.len();
        let rows = slopes.len() / columns;
        let (mut means, mut along) = (vec![0.0; columns], vec![0.0; columns]);
        for (slopes, values) in slopes.chunks_exact(columns).zip(self.values.chunks_exact(columns)) {
            for (((slope, value), mean), along) in slopes.iter().zip(values).zip(&mut means).zip(&mut along) {
                *mean += slope / rows as f32;
                *along += slope * value / rows as f32;
            }
        }
        for (slopes, values) in slopes.chunks_exact_mut(columns).zip(self.values.chunks_exact(columns)) {
            for (index, (slope, value)) in slopes.iter_mut().zip(values).enumerate() {
                *slope = (*slope - means[index] - value * along[index]) / self.deviations[index];
            }
        }
        slopes
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{check_gradients, matrix, normal},
        *,
    };
    use dfdx::prelude::*;

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let left = normal(20, 4, 1);
        let right: Vec<f32> = left.iter().zip(normal(20, 4, 2)).map(|(l, n)| 0.8 * l + 0.5 * n).collect();
        check_gradients(&left, &right, 4, |left, right| loss(left, right, 0.3));
    }

    /// Four components, each a sign of its own in the sixteen rows of a full factorial design: white to the bit.
    #[test]
    fn identical_whitened_views_cost_nothing_and_collapsed_ones_all() {
        let white: Vec<f32> = (0..16 * 4).map(|i| if (i / 4) >> (i % 4) & 1 == 0 { 3.0 } else { -3.0 }).collect();
        let of = |left: &[f32], right: &[f32]| loss(matrix(left, 4).leaky_trace(), &matrix(right, 4), 1.0).as_vec()[0];
        assert!(of(&white, &white) < 1e-9);
        // Scale and place are of no account; a component that repeats another is, and so is one that says nothing.
        let moved: Vec<f32> = white.iter().map(|value| 5.0 * value + 7.0).collect();
        assert!(of(&white, &moved) < 1e-9);
        let mut twice = white.clone();
        twice.chunks_exact_mut(4).for_each(|row| row[1] = row[0]);
        assert!((of(&twice, &twice) - 0.5).abs() < 1e-4);
        assert!((of(&[0.4; 64], &[0.4; 64]) - 1.0).abs() < 1e-6);
    }
}
