//! What BYOL (Grill et al., 2020) and SimSiam (Chen & He, 2021) minimise; they differ in where the target comes from. By itself
//! it does not keep anything from collapsing: that is left to the stopped gradient and the predictor. Read first: [`loss`].

use super::with_slopes;
use crate::{Matrix, TapedMatrix, TapedScalar, numbers};
use dfdx::prelude::{HasShape, SplitTape};

/// Keeps the slope finite where a row is zero.
const EPSILON: f32 = 1e-8;

/// The squared distance of predictions and targets brought to length 1, mean over rows of `2 - 2 cos(p, z)` (Grill et al., 2020,
/// Eq. 2; twice Chen & He, 2021, Eq. 1, plus 2). Both are `[rows, latent]`; to a scalar.
#[must_use]
pub fn loss(predicted: TapedMatrix, target: &Matrix) -> TapedScalar {
    let (rows, columns) = *predicted.shape();
    let (predicted, tape) = predicted.split_tape();
    let (left, right) = (numbers(&predicted), numbers(target));
    let share = 1.0 / rows as f32;
    let (mut by_left, mut by_right) = (Vec::with_capacity(left.len()), Vec::with_capacity(right.len()));
    let mut loss = 0.0;
    for (left, right) in left.chunks_exact(columns).zip(right.chunks_exact(columns)) {
        let length = |row: &[f32]| (row.iter().map(|value| value * value).sum::<f32>() + EPSILON).sqrt();
        let (l, r) = (length(left), length(right));
        let cosine = left.iter().zip(right).map(|(l, r)| l * r).sum::<f32>() / (l * r);
        loss += share * (2.0 - 2.0 * cosine);
        let slope = -2.0 * share;
        by_left.extend(left.iter().zip(right).map(|(p, z)| slope * (z / (l * r) - cosine * p / (l * l))));
        by_right.extend(left.iter().zip(right).map(|(p, z)| slope * (p / (l * r) - cosine * z / (r * r))));
    }
    with_slopes(loss, [(&predicted, by_left), (target, by_right)], tape)
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
        check_gradients(&normal(9, 5, 1), &normal(9, 5, 2), 5, loss);
    }

    #[test]
    fn only_directions_count() {
        let of = |left: &[f32], right: &[f32]| loss(matrix(left, 2).leaky_trace(), &matrix(right, 2)).as_vec()[0];
        assert!(of(&[3.0, 4.0], &[6.0, 8.0]).abs() < 1e-6);
        assert!((of(&[3.0, 4.0], &[-4.0, 3.0]) - 2.0).abs() < 1e-6);
        assert!((of(&[3.0, 4.0], &[-0.3, -0.4]) - 4.0).abs() < 1e-5);
    }

    /// All rows the same: it is content, and where they are zero its slope is finite.
    #[test]
    fn it_does_not_mind_collapse() {
        let flat = matrix(&[0.7; 24], 3);
        assert!(loss(flat.leaky_trace(), &flat).as_vec()[0].abs() < 1e-6);
        let zero = matrix(&[0.0; 24], 3);
        let gradient = loss(zero.leaky_trace(), &zero).backward().get(&zero).as_vec();
        assert!(gradient.iter().all(|slope| slope.is_finite()));
    }
}
