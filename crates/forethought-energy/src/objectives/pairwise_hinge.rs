//! The pairwise hinge (Dawid & LeCun 2023, Eq. 3): what belongs together has less energy than what does not, by a margin.
//! Read first: [`loss`].

use super::{contrast, with_slopes};
use crate::{Column, Matrix, TapedColumn, TapedMatrix, TapedScalar, numbers};
use dfdx::prelude::SplitTape;

/// The mean over rows `i` and contrastive points `j != i` of `max(0, E_ii - E_ij + margin)` (Dawid & LeCun 2023, Eq. 3). The
/// energy `E_ij` of prediction `i` and target `j` is the mean squared difference of their components. Both are
/// `[rows, latent]`; `j` runs over the `group` rows that lie together with `i`. To a scalar.
#[must_use]
pub fn loss(predicted: TapedMatrix, target: &Matrix, group: usize, margin: f32) -> TapedScalar {
    contrast(predicted, target, group, |own, energies| {
        let share = 1.0 / (energies.len().max(2) - 1) as f32;
        let matched = energies[own];
        let (mut loss, mut active) = (0.0, 0.0);
        for (index, energy) in energies.iter_mut().enumerate() {
            let short = matched - *energy + margin;
            // What is no number is not left out.
            let pays = index != own && (short > 0.0 || short.is_nan());
            *energy = if pays { -share } else { 0.0 };
            if pays {
                (loss, active) = (loss + share * short, active + share);
            }
        }
        energies[own] = active;
        loss
    })
}

/// The same for any energy: the mean over rows of `max(0, F(x, y) - F(x, y^) + m(y, y^))`, from the energies of what belongs together and
/// of contrastive points, whose way back is on the same tape, and each row's margin. All are `[rows]`; to a scalar.
#[must_use]
pub fn of_energies(matched: TapedColumn, contrastive: &Column, margins: &[f32]) -> TapedScalar {
    let (matched, tape) = matched.split_tape();
    let share = 1.0 / margins.len().max(1) as f32;
    let pairs = numbers(&matched).into_iter().zip(numbers(contrastive)).zip(margins);
    let short: Vec<f32> = pairs.map(|((matched, contrastive), margin)| matched - contrastive + margin).collect();
    // What is no number is not left out.
    let pays = |short: &f32| *short > 0.0 || short.is_nan();
    let loss = share * short.iter().filter(|short| pays(short)).sum::<f32>();
    let slopes: Vec<f32> = short.iter().map(|short| if pays(short) { share } else { 0.0 }).collect();
    let against = slopes.iter().map(|slope| -slope).collect();
    with_slopes(loss, [(&matched, slopes), (contrastive, against)], tape)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{check_energies, check_gradients, matrix, normal},
        *,
    };
    use dfdx::prelude::*;

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        check_gradients(&normal(12, 3, 1), &normal(12, 3, 2), 3, |left, right| loss(left, right, 4, 1.5));
    }

    /// Energies 0, 1 and 4, 1 (row by row): with margin 3 the first pays 0 - 1 + 3, the second 1 - 4 + 3.
    #[test]
    fn agrees_with_a_value_by_hand() {
        let (left, right) = (matrix(&[0.0, 2.0], 1), matrix(&[0.0, 1.0], 1));
        assert!((loss(left.leaky_trace(), &right, 2, 3.0).as_vec()[0] - 1.0).abs() < 1e-6);
        assert!((loss(left.leaky_trace(), &right, 2, 4.0).as_vec()[0] - 2.0).abs() < 1e-6);
    }

    #[test]
    fn of_energies_as_by_hand() {
        let margins = [0.5, 0.5, 2.0];
        check_energies(&[1.0, 0.2, 0.0], &[0.8, 3.0, 1.0], |matched, other| of_energies(matched, other, &margins));
        let column = |values: Vec<f32>| Cpu::default().tensor_from_vec(values, (3,));
        let loss = of_energies(column(vec![1.0, 0.2, 0.0]).leaky_trace(), &column(vec![0.8, 3.0, 1.0]), &margins);
        assert!((loss.as_vec()[0] - (0.7 + 0.0 + 1.0) / 3.0).abs() < 1e-6);
    }

    #[test]
    fn a_collapsed_batch_pays_the_margin_and_rows_apart_nothing() {
        let flat = matrix(&[0.3; 32], 4);
        assert!((loss(flat.leaky_trace(), &flat, 8, 0.7).as_vec()[0] - 0.7).abs() < 1e-6);
        let apart: Vec<f32> = (0..8).map(|row| 3.0 * row as f32).collect();
        assert_eq!(loss(matrix(&apart, 1).leaky_trace(), &matrix(&apart, 1), 8, 1.0).as_vec()[0], 0.0);
        let broken = matrix(&[0.0, f32::NAN, 1.0, 2.0], 1);
        assert!(loss(broken.leaky_trace(), &broken, 4, 1.0).as_vec()[0].is_nan());
    }
}
