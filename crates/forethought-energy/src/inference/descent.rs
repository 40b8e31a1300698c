//! `y* = argmin_y F(x, y)` by gradient descent (Dawid & LeCun 2023, Sec. 3). Read first: [`Descent`].

use crate::{
    Matrix,
    energy::{Energy, matrix},
    numbers,
};
use dfdx::prelude::HasShape;

/// Gradient descent with momentum (Polyak, 1964), each row by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Descent {
    /// How far to go, times the slope.
    pub rate: f32,
    /// How much of the last step is taken again; 0 for plain descent.
    pub momentum: f32,
    /// The last step, `[rows, y]`; empty at the start.
    last: Vec<f32>,
}

impl Descent {
    /// Before its first step.
    #[must_use]
    pub fn new(rate: f32, momentum: f32) -> Self {
        Self { rate, momentum, last: Vec::new() }
    }

    /// One step; gives the energies before it, `[rows]`.
    pub fn step(&mut self, energy: &(impl Energy + ?Sized), x: &Matrix, y: &mut Matrix) -> Vec<f32> {
        let columns = y.shape().1;
        let gradient = energy.gradient(x, y);
        self.last.resize(gradient.slopes.len(), 0.0);
        for (last, slope) in self.last.iter_mut().zip(&gradient.slopes) {
            *last = self.momentum * *last - self.rate * slope;
        }
        let moved = numbers(y).iter().zip(&self.last).map(|(value, step)| value + step).collect();
        *y = matrix(moved, columns);
        gradient.values
    }

    /// So many steps from `y`; gives the way, one `[rows, y]` for the start and one after each step.
    pub fn descend(&mut self, energy: &(impl Energy + ?Sized), x: &Matrix, y: &Matrix, steps: usize) -> Vec<Vec<f32>> {
        let mut y = y.clone();
        let mut way = vec![numbers(&y)];
        for _ in 0..steps {
            self.step(energy, x, &mut y);
            way.push(numbers(&y));
        }
        way
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::{nothing, tests::example};

    #[test]
    fn comes_to_where_the_slope_is_zero() {
        let x = matrix(vec![0.3, -0.2, 1.0, 0.4], 2);
        let start = matrix(vec![2.0, 1.0, -1.0, -1.0], 2);
        for momentum in [0.0, 0.8] {
            let way = Descent::new(0.05, momentum).descend(&example, &x, &start, 400);
            assert_eq!(way.len(), 401);
            let gap = way[400].iter().zip(numbers(&x)).map(|(y, x)| (y - x).abs()).fold(0.0, f32::max);
            assert!(gap < 1e-3, "{gap}");
        }
    }

    #[test]
    fn rows_do_not_know_of_each_other() {
        let bowl = crate::inference::tests::gaussian;
        let run = |values: Vec<f32>| {
            let count = values.len();
            Descent::new(0.05, 0.5).descend(&bowl, &nothing(count), &matrix(values, 1), 7)[7].clone()
        };
        assert_eq!(run(vec![0.0, 5.0])[1], run(vec![5.0])[0]);
    }
}
