//! What all energy-based models share: low energies for what belongs together. Read first: [`Energy`].

use crate::{Matrix, PassTape, TapedColumn, numbers};
use dfdx::prelude::{Backward, Cpu, SplitTape, SumTo, TensorFromVec};

/// An energy `F(x, y)` of a condition `x` and an answer `y`, low where they are compatible (Dawid & LeCun 2023, Sec. 3).
///
/// Any function of that form is one. A model of `y` alone takes an `x` [of no columns](nothing).
pub trait Energy {
    /// `[rows, x]` and `[rows, y]` to `[rows]`. If `x` and `y` came from something, the way back to it is on `tape`; gradients flow to
    /// both of them, and to the model's own parameters.
    fn energies(&self, x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn;

    /// The energies as plain numbers, `[rows]`.
    fn values(&self, x: &Matrix, y: &Matrix) -> Vec<f32> {
        numbers(&self.energies(x, y, PassTape::default()).split_tape().0)
    }

    /// The energies and their slopes by `y`.
    fn gradient(&self, x: &Matrix, y: &Matrix) -> Gradient {
        let energies = self.energies(x, y, PassTape::default());
        Gradient { values: numbers(&energies), slopes: slopes(energies, y) }
    }
}

impl<F: Fn(&Matrix, &Matrix, PassTape) -> TapedColumn> Energy for F {
    fn energies(&self, x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        self(x, y, tape)
    }
}

/// Energies of a batch and their slopes.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// `[rows]`.
    pub values: Vec<f32>,
    /// Of each row's energy by what it is the energy of, row by row.
    pub slopes: Vec<f32>,
}

/// The slopes of the energies' sum by a matrix that they came from; zero if they did not.
pub(crate) fn slopes(energies: TapedColumn, by: &Matrix) -> Vec<f32> {
    let mut gradients = energies.sum::<(), _>().backward();
    // So that there is one to get.
    let known = gradients.try_alloc_for(by);
    known.unwrap_or_else(|error| unreachable!("memory for numbers: {error:?}"));
    numbers(&gradients.get(by))
}

/// A matrix of rows that lie one after the other. What does not fill a row is left out.
#[must_use]
pub fn matrix(mut values: Vec<f32>, columns: usize) -> Matrix {
    let rows = values.len() / columns.max(1);
    values.truncate(rows * columns);
    Cpu::default().tensor_from_vec(values, (rows, columns))
}

/// No condition: `[rows, 0]`.
#[must_use]
pub fn nothing(rows: usize) -> Matrix {
    sized(Vec::new(), rows, 0)
}

/// A matrix of so many rows, of which each may be empty.
pub(crate) fn sized(values: Vec<f32>, rows: usize, columns: usize) -> Matrix {
    Cpu::default().tensor_from_vec(values, (rows, columns))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::ops::columns;
    use dfdx::prelude::*;

    /// `|y - x|² (1 + y_0²) / 2`: not convex, and `x` counts.
    pub(crate) fn example(x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        let first = columns(y.clone().put_tape(tape), 0..1).sum::<_, Axis<1>>();
        let (factor, tape) = (first.square() * 0.5 + 0.5).split_tape();
        (y.clone().put_tape(tape) - x.clone()).square().sum::<_, Axis<1>>() * factor
    }

    /// The slopes of an energy by `y` against central differences.
    pub(crate) fn check(energy: &(impl Energy + ?Sized), x: &Matrix, y: &Matrix, tolerance: f32) {
        let (values, columns) = (numbers(y), y.shape().1);
        let got = energy.gradient(x, y).slopes;
        let largest = got.iter().fold(1e-3_f32, |largest, slope| largest.max(slope.abs()));
        for (index, got) in got.iter().enumerate() {
            let at = |offset: f32| {
                let mut moved = values.clone();
                moved[index] += offset;
                energy.values(x, &matrix(moved, columns))[index / columns]
            };
            let slope = (at(5e-3) - at(-5e-3)) / 1e-2;
            assert!((got - slope).abs() < tolerance * largest, "number {index}: {got} against {slope}");
        }
    }

    #[test]
    fn slopes_agree_with_finite_differences() {
        let x = matrix(vec![0.3, -0.2, 1.0, 0.4, 0.0, 0.0], 2);
        let y = matrix(vec![0.5, 0.1, -1.2, 0.4, 2.0, -0.7], 2);
        check(&example, &x, &y, 0.01);
        let Gradient { values, .. } = example.gradient(&x, &y);
        assert!((values[0] - 0.5 * (0.04 + 0.09) * 1.25).abs() < 1e-6);
    }

    #[test]
    fn what_has_no_condition_needs_none() {
        let bowl = |_: &Matrix, y: &Matrix, tape| y.clone().put_tape(tape).square().sum::<_, Axis<1>>();
        let gradient = bowl.gradient(&nothing(2), &matrix(vec![1.0, 2.0], 1));
        assert_eq!((gradient.values, gradient.slopes), (vec![1.0, 4.0], vec![2.0, 4.0]));
    }
}
