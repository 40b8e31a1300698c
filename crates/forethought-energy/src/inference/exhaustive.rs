//! All answers there are, where they are few. Read first: [`energies`] and [`probabilities`].

use crate::{
    Matrix,
    energy::{Energy, matrix, nothing},
    nodes::log_sum_exp,
};
use dfdx::prelude::HasShape;

/// All vectors of so many zeros and ones, `[2^count, count]`: row `i` has the bits of `i`, the lowest first. `count` must be below 32,
/// and is better below 20.
#[must_use]
pub fn bits(count: usize) -> Matrix {
    binary(count, 0.0)
}

/// All vectors of so many spins, -1 or 1, in the order of [`bits`].
#[must_use]
pub fn spins(count: usize) -> Matrix {
    binary(count, -1.0)
}

fn binary(count: usize, low: f32) -> Matrix {
    let row = |index: usize| (0..count).map(move |bit| if index >> bit & 1 == 1 { 1.0 } else { low });
    matrix((0..1_usize << count.min(31)).flat_map(row).collect(), count)
}

/// The energy of each of the `answers`, `[answers, y]`, under one condition `x`: `[answers]`.
#[must_use]
pub fn energies(energy: &(impl Energy + ?Sized), x: &[f32], answers: &Matrix) -> Vec<f32> {
    let rows = answers.shape().0;
    let x = if x.is_empty() { nothing(rows) } else { matrix(x.repeat(rows), x.len()) };
    energy.values(&x, answers)
}

/// The answer of least energy, its row in `answers`; the first of several, none where there is none.
#[must_use]
pub fn argmin(energy: &(impl Energy + ?Sized), x: &[f32], answers: &Matrix) -> Option<usize> {
    let energies = energies(energy, x, answers);
    (0..energies.len()).min_by(|a, b| energies[*a].total_cmp(&energies[*b]))
}

/// How probable each answer is, `exp(-beta F)` over their sum, and the logarithm of that sum, the log-partition.
#[must_use]
pub fn probabilities(energy: &(impl Energy + ?Sized), x: &[f32], answers: &Matrix, beta: f64) -> (Vec<f64>, f64) {
    let energies = energies(energy, x, answers);
    let exponents = energies.iter().map(|energy| -beta * f64::from(*energy));
    let log_partition = log_sum_exp(exponents.clone());
    (exponents.map(|exponent| (exponent - log_partition).exp()).collect(), log_partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PassTape, numbers};
    use dfdx::prelude::*;

    /// A sum of what each bit costs: the bits are independent.
    fn costs(_: &Matrix, y: &Matrix, tape: PassTape) -> crate::TapedColumn {
        let costs = matrix([0.5, -1.0, 0.2].repeat(y.shape().0), 3);
        (y.clone().put_tape(tape) * costs).sum::<_, Axis<1>>()
    }

    #[test]
    fn independent_bits_have_the_probabilities_of_each() {
        let answers = bits(3);
        assert_eq!(answers.shape().0, 8);
        assert_eq!(argmin(&costs, &[], &answers), Some(2), "only the second bit pays");
        let beta = 1.7;
        let (probabilities, log_partition) = probabilities(&costs, &[], &answers, beta);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let exact: f64 = [0.5, -1.0, 0.2].iter().map(|cost: &f64| (1.0 + (-beta * cost).exp()).ln()).sum();
        assert!((log_partition - exact).abs() < 1e-6);
        let last: f64 = (0..8).filter(|index| index >> 2 & 1 == 1).map(|index| probabilities[index]).sum();
        assert!((last - 1.0 / (1.0 + (beta * 0.2).exp())).abs() < 1e-6);
    }

    #[test]
    fn spins_are_bits_of_another_kind() {
        let pairs = numbers(&bits(4)).into_iter().zip(numbers(&spins(4)));
        assert!(pairs.clone().count() == 64 && pairs.into_iter().all(|(bit, spin)| spin == 2.0 * bit - 1.0));
    }
}
