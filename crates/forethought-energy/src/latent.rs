//! Energies with a latent variable, and what they become without it: the least, or the free energy. Read first: [`LatentEnergy`],
//! [`Minimum`] and [`FreeEnergy`].

use crate::{
    Matrix, PassTape, TapedColumn,
    energy::{Energy, Gradient, matrix, nothing, sized, slopes},
    nodes::{Nodes, log_sum_exp},
    numbers,
};
use dfdx::prelude::{Axis, BroadcastTo, Cpu, HasShape, LogSumExpTo, PutTape, ReshapeTo, SplitTape, TensorFromVec};

/// An energy `E(x, y, z)` of a condition, an answer and a latent variable that is never given (Dawid & LeCun 2023, Sec. 3).
pub trait LatentEnergy {
    /// `[rows, x]`, `[rows, y]` and `[rows, z]` to `[rows]`; see [`Energy::energies`].
    fn energies(&self, x: &Matrix, y: &Matrix, z: &Matrix, tape: PassTape) -> TapedColumn;

    /// The energies as plain numbers, `[rows]`.
    fn values(&self, x: &Matrix, y: &Matrix, z: &Matrix) -> Vec<f32> {
        numbers(&self.energies(x, y, z, PassTape::default()).split_tape().0)
    }

    /// The energies and their slopes by `z`.
    fn gradient(&self, x: &Matrix, y: &Matrix, z: &Matrix) -> Gradient {
        let energies = self.energies(x, y, z, PassTape::default());
        Gradient { values: numbers(&energies), slopes: slopes(energies, z) }
    }
}

impl<F: Fn(&Matrix, &Matrix, &Matrix, PassTape) -> TapedColumn> LatentEnergy for F {
    fn energies(&self, x: &Matrix, y: &Matrix, z: &Matrix, tape: PassTape) -> TapedColumn {
        self(x, y, z, tape)
    }
}

/// `F(x, y) = min_z E(x, y, z)`: the best of the nodes, then so many steps of gradient descent from there.
#[derive(Debug, Clone)]
pub struct Minimum<E> {
    /// `E`.
    pub energy: E,
    /// Where to look.
    pub nodes: Nodes,
    /// How many steps of descent follow; 0 where the nodes are all there is.
    pub steps: usize,
    /// How long the first step is, times the slope; it is halved where it leads up and lengthened by half where it leads down.
    pub rate: f32,
}

impl<E: LatentEnergy> Minimum<E> {
    /// The best `z` for each row, `[rows, z]`.
    #[must_use]
    pub fn argmin(&self, x: &Matrix, y: &Matrix) -> Matrix {
        let energies = at_nodes(&self.energy, &self.nodes, x, y);
        let lowest = |energies: &[f32]| (0..energies.len()).min_by(|a, b| energies[*a].total_cmp(&energies[*b]));
        let best = energies.chunks_exact(self.nodes.count().max(1)).map(|energies| lowest(energies).unwrap_or(0));
        let points: Vec<f32> = best.flat_map(|index| self.nodes.point(index)).copied().collect();
        self.refine(x, y, points)
    }

    fn refine(&self, x: &Matrix, y: &Matrix, mut points: Vec<f32>) -> Matrix {
        let columns = self.nodes.dimensions;
        if self.steps == 0 || columns == 0 {
            return sized(points, y.shape().0, columns);
        }
        let mut rates = vec![self.rate; points.len() / columns];
        let mut at = self.energy.gradient(x, y, &matrix(points.clone(), columns));
        for _ in 0..self.steps {
            let moved: Vec<f32> = points
                .iter()
                .zip(&at.slopes)
                .enumerate()
                .map(|(i, (z, slope))| z - rates[i / columns] * slope)
                .collect();
            let there = self.energy.gradient(x, y, &matrix(moved.clone(), columns));
            for (row, rate) in rates.iter_mut().enumerate() {
                if there.values[row] <= at.values[row] {
                    let all = row * columns..(row + 1) * columns;
                    points[all.clone()].copy_from_slice(&moved[all.clone()]);
                    at.slopes[all.clone()].copy_from_slice(&there.slopes[all]);
                    at.values[row] = there.values[row];
                    *rate *= 1.5;
                } else {
                    *rate *= 0.5;
                }
            }
        }
        matrix(points, columns)
    }
}

impl<E: LatentEnergy> Energy for Minimum<E> {
    /// At the best `z` its own slope is zero: none flows through the search (Danskin's theorem).
    fn energies(&self, x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        let z = self.argmin(x, y);
        self.energy.energies(x, y, &z, tape)
    }
}

/// `F(x, y) = -1/beta log ∫ exp(-beta E(x, y, z)) dz` over the nodes (Dawid & LeCun 2023, Eq. A5). It comes to the least energy as beta
/// grows; where the nodes' weights add up to 1, it comes to the mean as beta goes to 0.
#[derive(Debug, Clone)]
pub struct FreeEnergy<E> {
    /// `E`.
    pub energy: E,
    /// What is integrated over.
    pub nodes: Nodes,
    /// The inverse temperature.
    pub beta: f32,
}

impl<E: LatentEnergy> FreeEnergy<E> {
    /// How probable each node is, given `x` and `y`: `[rows, nodes]`, row by row, each row's sum 1.
    #[must_use]
    pub fn posterior(&self, x: &Matrix, y: &Matrix) -> Vec<f64> {
        let energies = at_nodes(&self.energy, &self.nodes, x, y);
        let mut all = Vec::with_capacity(energies.len());
        for energies in energies.chunks_exact(self.nodes.count().max(1)) {
            let exponents = energies.iter().zip(&self.nodes.log_weights);
            let exponents = exponents.map(|(energy, log)| f64::from(*log) - f64::from(self.beta * energy));
            let log_sum = log_sum_exp(exponents.clone());
            all.extend(exponents.map(|exponent| (exponent - log_sum).exp()));
        }
        all
    }
}

impl<E: LatentEnergy> Energy for FreeEnergy<E> {
    fn energies(&self, x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        let (rows, nodes) = (y.shape().0, self.nodes.count());
        let log_weights = Cpu::default().tensor_from_vec(self.nodes.log_weights.repeat(rows), (rows, nodes));
        let energies = meet(&self.energy, &self.nodes, x, y, tape).reshape_like(&(rows, nodes));
        (energies * -self.beta + log_weights).logsumexp::<_, Axis<1>>() * -self.beta.recip()
    }
}

/// The energies of each row with each node, `[rows * nodes]`, on the tape.
fn meet(energy: &impl LatentEnergy, nodes: &Nodes, x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
    let (rows, count) = (y.shape().0, nodes.count());
    let (x, tape) = repeat(x, count, tape);
    let (y, tape) = repeat(y, count, tape);
    energy.energies(&x, &y, &sized(nodes.points.repeat(rows), rows * count, nodes.dimensions), tape)
}

/// The energies of each row with each node, `[rows, nodes]`; a few rows at a time, so that a picture's worth of them fits into memory.
fn at_nodes(energy: &impl LatentEnergy, nodes: &Nodes, x: &Matrix, y: &Matrix) -> Vec<f32> {
    let (columns, conditions, together) = (y.shape().1, x.shape().1, (16_384 / nodes.count().max(1)).max(1));
    let (x, y) = (numbers(x), numbers(y));
    let mut all = Vec::new();
    for (index, y) in y.chunks(together * columns.max(1)).enumerate() {
        let rows = y.len() / columns.max(1);
        let x = if conditions == 0 {
            nothing(rows)
        } else {
            let from = index * together * conditions;
            matrix(x[from..from + rows * conditions].to_vec(), conditions)
        };
        let energies = meet(energy, nodes, &x, &matrix(y.to_vec(), columns), PassTape::default());
        all.extend(numbers(&energies.split_tape().0));
    }
    all
}

/// Each row so many times, one after the other.
fn repeat(rows: &Matrix, times: usize, tape: PassTape) -> (Matrix, PassTape) {
    let (count, columns) = *rows.shape();
    if columns == 0 {
        return (nothing(count * times), tape);
    }
    let all = rows.clone().put_tape(tape).broadcast_like::<_, Axis<1>>(&(count, times, columns));
    all.reshape_like(&(count * times, columns)).split_tape()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::tests::check;
    use dfdx::prelude::*;

    /// `(y - x z)² + 0.1 z²`: the best z and the integral over it are known.
    fn example(x: &Matrix, y: &Matrix, z: &Matrix, tape: PassTape) -> TapedColumn {
        let (pull, tape) = (z.clone().put_tape(tape).square() * 0.1).split_tape();
        let (answer, tape) = (z.clone().put_tape(tape) * x.clone()).split_tape();
        ((y.clone().put_tape(tape) - answer).square() + pull).sum::<_, Axis<1>>()
    }

    fn data() -> [Matrix; 2] {
        [matrix(vec![0.5, -1.0, 2.0], 1), matrix(vec![1.0, 0.4, -0.3], 1)]
    }

    fn minimum() -> Minimum<impl LatentEnergy> {
        Minimum { energy: example, nodes: Nodes::grid(&[[-6.0, 6.0]], 25), steps: 60, rate: 0.05 }
    }

    #[test]
    fn the_best_z_is_found_and_the_slope_by_y_is_right() {
        let ([x, y], minimum) = (data(), minimum());
        for ((x, y), z) in numbers(&x).iter().zip(numbers(&y)).zip(numbers(&minimum.argmin(&x, &y))) {
            assert!((z - x * y / (x * x + 0.1)).abs() < 1e-3);
        }
        check(&minimum, &x, &y, 0.01);
    }

    /// With x = 0.5: the exponent is a square in z, its integral known: F = min + log(beta (x² + 0.1) / π) / (2 beta).
    #[test]
    fn the_free_energy_is_the_integral_and_comes_to_the_minimum() {
        let ([x, y], minimum) = (data(), minimum());
        let least = minimum.values(&x, &y);
        for beta in [1.0, 10.0, 1000.0] {
            let free = FreeEnergy { energy: example, nodes: Nodes::grid(&[[-12.0, 12.0]], 20_000), beta };
            for ((got, least), x) in free.values(&x, &y).iter().zip(&least).zip(numbers(&x)) {
                let exact = least + (beta * (x * x + 0.1) / std::f32::consts::PI).ln() / (2.0 * beta);
                assert!((got - exact).abs() < 2e-3, "beta {beta}: {got} against {exact}");
                assert!(beta < 1000.0 || (got - least).abs() < 5e-3, "beta {beta}: {got} against {least}");
            }
        }
        check(&FreeEnergy { energy: example, nodes: Nodes::grid(&[[-8.0, 8.0]], 200), beta: 2.0 }, &x, &y, 0.01);
    }

    #[test]
    fn the_posterior_is_where_the_energy_is_low() {
        let [x, y] = data();
        let free = FreeEnergy { energy: example, nodes: Nodes::grid(&[[-8.0, 8.0]], 400), beta: 3.0 };
        let posterior = free.posterior(&x, &y);
        for (row, probabilities) in posterior.chunks_exact(400).enumerate() {
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let mean: f64 = probabilities.iter().zip(&free.nodes.points).map(|(p, z)| p * f64::from(*z)).sum();
            let (x, y) = (f64::from(numbers(&x)[row]), f64::from(numbers(&y)[row]));
            assert!((mean - x * y / (x * x + 0.1)).abs() < 0.02, "{mean}");
        }
    }
}
