//! InfoNCE (van den Oord, Li & Vinyals, 2018): each prediction picks its own target out of those of others.
//! Read first: [`loss`].

use super::{contrast, with_slopes};
use crate::{Column, Matrix, TapedColumn, TapedMatrix, TapedScalar, numbers};
use dfdx::prelude::SplitTape;

/// The mean over rows `i` of `-log(exp(-E_ii / temperature) / sum_j exp(-E_ij / temperature))` (van den Oord et al., 2018, Eq. 4,
/// with the score `exp(-E / temperature)`). The energy `E_ij` of prediction `i` and target `j` is the mean squared difference of
/// their components. Both are `[rows, latent]`; `j` runs over the `group` rows that lie together with `i`. To a scalar.
#[must_use]
pub fn loss(predicted: TapedMatrix, target: &Matrix, group: usize, temperature: f32) -> TapedScalar {
    contrast(predicted, target, group, |own, energies| {
        let matched = energies[own];
        let lowest = energies.iter().fold(f32::INFINITY, |lowest, energy| lowest.min(*energy));
        // Each energy becomes its probability, then its slope.
        energies.iter_mut().for_each(|energy| *energy = ((lowest - *energy) / temperature).exp());
        let sum: f32 = energies.iter().sum();
        energies.iter_mut().for_each(|score| *score /= -sum * temperature);
        energies[own] += 1.0 / temperature;
        (matched - lowest) / temperature + sum.ln()
    })
}

/// The same for any energy, from the energies of what belongs together, `[rows]`, and of as many contrastive points for each row as there
/// are, `[rows * points]`, row by row, whose way back is on the same tape. To a scalar.
#[must_use]
pub fn of_energies(matched: TapedColumn, contrastive: &Column, temperature: f32) -> TapedScalar {
    let (matched, tape) = matched.split_tape();
    let (own, others) = (numbers(&matched), numbers(contrastive));
    let (share, points) = (1.0 / own.len().max(1) as f32, others.len() / own.len().max(1));
    let (mut by_own, mut by_others, mut loss) = (Vec::new(), Vec::new(), 0.0);
    for (own, others) in own.iter().zip(others.chunks(points.max(1))) {
        let lowest = others.iter().fold(*own, |lowest, energy| lowest.min(*energy));
        let score = |energy: f32| ((lowest - energy) / temperature).exp();
        let sum = score(*own) + others.iter().map(|energy| score(*energy)).sum::<f32>();
        loss += share * ((own - lowest) / temperature + sum.ln());
        by_own.push(share * (1.0 - score(*own) / sum) / temperature);
        by_others.extend(others.iter().map(|energy| -share * score(*energy) / (sum * temperature)));
    }
    with_slopes(loss, [(&matched, by_own), (contrastive, by_others)], tape)
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
        check_gradients(&normal(12, 3, 1), &normal(12, 3, 2), 3, |left, right| loss(left, right, 4, 0.7));
    }

    /// Two predictions and two targets of one component: energies 0, 1 and 4, 1 (row by row), temperature 2.
    #[test]
    fn agrees_with_a_value_by_hand() {
        let got = loss(matrix(&[0.0, 2.0], 1).leaky_trace(), &matrix(&[0.0, 1.0], 1), 2, 2.0).as_vec()[0];
        let first = -(1.0 / (1.0 + (-0.5_f32).exp())).ln();
        let second = -((-0.5_f32).exp() / ((-2.0_f32).exp() + (-0.5_f32).exp())).ln();
        assert!((got - 0.5 * (first + second)).abs() < 1e-6, "{got}");
    }

    #[test]
    fn of_energies_as_of_latents() {
        check_energies(&[1.0, 0.2], &[0.8, 3.0, -0.4, 0.5], |matched, others| of_energies(matched, others, 0.7));
        let column = |values: Vec<f32>| Cpu::default().tensor_from_vec(values, (2,));
        let got = of_energies(column(vec![0.0, 1.0]).leaky_trace(), &column(vec![1.0, 4.0]), 2.0).as_vec()[0];
        let same = loss(matrix(&[0.0, 2.0], 1).leaky_trace(), &matrix(&[0.0, 1.0], 1), 2, 2.0).as_vec()[0];
        assert!((got - same).abs() < 1e-6, "{got} {same}");
    }

    #[test]
    fn a_collapsed_batch_can_only_guess_and_is_spread() {
        let flat = matrix(&[0.3; 32], 4);
        assert!((loss(flat.leaky_trace(), &flat, 8, 0.1).as_vec()[0] - 8.0_f32.ln()).abs() < 1e-5);
        let apart: Vec<f32> = normal(8, 4, 3).iter().map(|value| 5.0 * value).collect();
        assert!(loss(matrix(&apart, 4).leaky_trace(), &matrix(&apart, 4), 8, 0.1).as_vec()[0] < 1e-3);
        // Nearly the same: a step against the gradient drives rows apart.
        let near: Vec<f32> = normal(8, 4, 4).iter().map(|value| 0.3 + 0.01 * value).collect();
        let spread = |values: &[f32]| {
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            values.iter().map(|value| (value - mean).powi(2)).sum::<f32>()
        };
        let x = matrix(&near, 4);
        let gradient = loss(x.leaky_trace(), &x, 8, 0.1).backward().get(&x).as_vec();
        let moved: Vec<f32> = near.iter().zip(gradient).map(|(value, slope)| value - 0.1 * slope).collect();
        assert!(spread(&moved) > 1.01 * spread(&near));
    }

    #[test]
    fn rows_of_other_groups_are_of_no_account() {
        let values = normal(6, 2, 5);
        let of = |values: &[f32]| loss(matrix(values, 2).leaky_trace(), &matrix(values, 2), 3, 1.0).as_vec()[0];
        assert!((of(&values) - 0.5 * (of(&values[..6]) + of(&values[6..]))).abs() < 1e-6);
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let broken = matrix(&[0.0, f32::NAN, 1.0, 2.0], 1);
        assert!(loss(broken.leaky_trace(), &broken, 4, 1.0).as_vec()[0].is_nan());
    }
}
