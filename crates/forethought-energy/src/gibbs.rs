//! From energies to probabilities: `P(y | x) = exp(-beta F(x, y)) / ∫ exp(-beta F(x, y')) dy'` (Dawid & LeCun 2023, Eq. 2, A1).
//! Read first: [`Density`] and [`log_partition`].

use crate::{
    energy::{Energy, matrix},
    inference::exhaustive,
    nodes::{Nodes, log_sum_exp},
    random,
};
use rand::Rng;

/// A density over nodes: what an energy says of each, normalised. In one and two dimensions a [grid](Nodes::grid) does.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// `[nodes]`, the logarithm of the density at each.
    pub log: Vec<f64>,
    /// The logarithm of the partition function, `log ∫ exp(-beta F)`.
    pub log_partition: f64,
    /// `[nodes]`, what each stands for: the sum of density times weight is 1.
    log_weights: Vec<f64>,
}

impl Density {
    /// `P(y | x)` of an energy, for one condition `x`.
    #[must_use]
    pub fn of(energy: &(impl Energy + ?Sized), x: &[f32], nodes: &Nodes, beta: f64) -> Self {
        let energies = exhaustive::energies(energy, x, &nodes.matrix());
        let log_weights = nodes.log_weights.iter().map(|log| f64::from(*log)).collect();
        Self::of_energies(&energies.into_iter().map(f64::from).collect::<Vec<_>>(), log_weights, beta)
    }

    /// The same from energies that are known, `[nodes]`, and the logarithms of weights.
    #[must_use]
    pub fn of_energies(energies: &[f64], log_weights: Vec<f64>, beta: f64) -> Self {
        let log_partition = log_sum_exp(energies.iter().zip(&log_weights).map(|(energy, log)| log - beta * energy));
        let log = energies.iter().map(|energy| -beta * energy - log_partition).collect();
        Self { log, log_partition, log_weights }
    }

    /// How probable what each node stands for is: `[nodes]`, of sum 1.
    #[must_use]
    pub fn masses(&self) -> Vec<f64> {
        self.log.iter().zip(&self.log_weights).map(|(log, weight)| (log + weight).exp()).collect()
    }

    /// Back again: energies whose density this is, but for a constant that no density tells: `-log P / beta`.
    #[must_use]
    pub fn energies(&self, beta: f64) -> Vec<f64> {
        self.log.iter().map(|log| -log / beta).collect()
    }

    /// Numbers of nodes, drawn as probable as they are.
    pub fn draw(&self, count: usize, rng: &mut impl Rng) -> Vec<usize> {
        let masses = self.masses();
        (0..count).map(|_| random::pick(&masses, rng)).collect()
    }
}

/// A density over pairs of nodes, `P(a, b)`: of answers and conditions, or of answers and latent variables (Eq. A2 to A4).
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    density: Density,
    /// Of the first and of the second of a pair.
    log_weights: [Vec<f64>; 2],
    beta: f64,
}

impl Joint {
    /// Of energies `[first, second]`, row by row, and the logarithms of both sides' weights.
    #[must_use]
    pub fn of_energies(energies: &[f64], log_weights: [Vec<f64>; 2], beta: f64) -> Self {
        let [first, second] = &log_weights;
        let pairs = first.iter().flat_map(|a| second.iter().map(move |b| a + b)).collect();
        Self { density: Density::of_energies(energies, pairs, beta), log_weights, beta }
    }

    /// The joint density itself, `[first, second]`.
    #[must_use]
    pub fn density(&self) -> &Density {
        &self.density
    }

    /// Of the first, whatever the second: `P(a) = ∫ P(a, b) db`. Its energy is the free energy, `-1/beta log ∫ exp(-beta E(a, b)) db`
    /// (Eq. A5).
    #[must_use]
    pub fn marginal(&self) -> Density {
        let second = &self.log_weights[1];
        let free = |log: &[f64]| -log_sum_exp(log.iter().zip(second).map(|(log, weight)| log + weight)) / self.beta;
        let mut free: Vec<f64> = self.density.log.chunks_exact(second.len().max(1)).map(free).collect();
        // The partition function is that of the joint density.
        free.iter_mut().for_each(|free| *free -= self.density.log_partition / self.beta);
        Density::of_energies(&free, self.log_weights[0].clone(), self.beta)
    }

    /// Of the second, given the first: `P(b | a) = P(a, b) / P(a)`.
    #[must_use]
    pub fn conditional(&self, first: usize) -> Density {
        let second = &self.log_weights[1];
        let log = &self.density.log[first * second.len()..(first + 1) * second.len()];
        Density::of_energies(&log.iter().map(|log| -log).collect::<Vec<_>>(), second.clone(), 1.0)
    }
}

/// A Gaussian to draw from that is as wide in all directions; where the energy allows for more than it, estimates are poor.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// `[y]`.
    pub mean: Vec<f32>,
    /// The standard deviation along each axis.
    pub deviation: f32,
}

/// An estimate by importance sampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The logarithm of the partition function.
    pub log_partition: f64,
    /// Its standard error, to first order.
    pub error: f64,
    /// How many samples of the density itself would tell as much (Kong, 1992): where it is few, do not trust the error either.
    pub effective: f64,
}

/// `log ∫ exp(-beta F(x, y)) dy` where no grid is fine enough: the mean of `exp(-beta F) / q` over samples of a proposal `q`.
#[must_use]
pub fn log_partition(
    energy: &(impl Energy + ?Sized),
    x: &[f32],
    beta: f64,
    proposal: &Proposal,
    samples: usize,
    rng: &mut impl Rng,
) -> Estimate {
    let (dimensions, deviation) = (proposal.mean.len(), f64::from(proposal.deviation));
    let noise = random::normals(samples * dimensions, rng);
    let places = noise.iter().zip(proposal.mean.iter().cycle()).map(|(noise, mean)| mean + proposal.deviation * noise);
    let energies = exhaustive::energies(energy, x, &matrix(places.collect(), dimensions));
    let constant = dimensions as f64 * (0.5 * std::f64::consts::TAU.ln() + deviation.ln());
    let log_weights = energies.iter().zip(noise.chunks_exact(dimensions.max(1))).map(|(energy, noise)| {
        let squares: f64 = noise.iter().map(|value| f64::from(value * value)).sum();
        constant + 0.5 * squares - beta * f64::from(*energy)
    });
    let log_weights: Vec<f64> = log_weights.collect();
    let sum = log_sum_exp(log_weights.iter().copied());
    let squares = log_sum_exp(log_weights.iter().map(|log| 2.0 * log));
    let (count, effective) = (samples as f64, (2.0 * sum - squares).exp());
    Estimate { log_partition: sum - count.ln(), error: (1.0 / effective - 1.0 / count).max(0.0).sqrt(), effective }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Matrix, PassTape, TapedColumn};
    use dfdx::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// `3 |y - x|²`, a Gaussian of variance `1 / (6 beta)`.
    fn bowl(x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        (y.clone().put_tape(tape) - x.clone()).square().sum::<_, Axis<1>>() * 3.0
    }

    fn exact(beta: f64, dimensions: i32) -> f64 {
        0.5 * f64::from(dimensions) * (std::f64::consts::PI / (3.0 * beta)).ln()
    }

    #[test]
    fn densities_integrate_to_one_and_energies_come_back() {
        let nodes = Nodes::grid(&[[-3.0, 3.0], [-3.0, 3.0]], 120);
        for beta in [0.5, 4.0, 50.0] {
            let density = Density::of(&bowl, &[0.4, -0.2], &nodes, beta);
            assert!((density.masses().iter().sum::<f64>() - 1.0).abs() < 1e-9);
            assert!((density.log_partition - exact(beta, 2)).abs() < 1e-3);
            let energies = density.energies(beta);
            let given = exhaustive::energies(&bowl, &[0.4, -0.2], &nodes.matrix());
            let constant = density.log_partition / beta;
            assert!(energies.iter().zip(given).all(|(got, given)| (got - constant - f64::from(given)).abs() < 1e-4));
        }
        // No energy is too high.
        let far = Density::of(&bowl, &[1e4, 0.0], &nodes, 10.0);
        assert!((far.masses().iter().sum::<f64>() - 1.0).abs() < 1e-6 && far.log_partition < -1e8, "{far:?}");
    }

    #[test]
    fn samples_are_as_probable_as_they_are() {
        let nodes = Nodes::grid(&[[-3.0, 3.0]], 300);
        let density = Density::of(&bowl, &[0.5], &nodes, 1.0);
        let drawn = density.draw(20_000, &mut ChaCha8Rng::seed_from_u64(4));
        let values: Vec<f64> = drawn.iter().map(|index| f64::from(nodes.points[*index])).collect();
        let mean = values.iter().sum::<f64>() / 2e4;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2e4;
        assert!((mean - 0.5).abs() < 0.01 && (6.0 * variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }

    #[test]
    fn the_partition_function_in_many_dimensions() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (x, proposal) = ([0.1; 6], Proposal { mean: vec![0.0; 6], deviation: 0.5 });
        let estimate = log_partition(&bowl, &x, 1.0, &proposal, 20_000, &mut rng);
        assert!((estimate.log_partition - exact(1.0, 6)).abs() < 4.0 * estimate.error, "{estimate:?}");
        assert!(estimate.error < 0.02 && estimate.effective > 4_000.0, "{estimate:?}");
        // From afar it is known that nothing is known.
        let away = Proposal { mean: vec![2.0; 6], deviation: 0.3 };
        assert!(log_partition(&bowl, &x, 1.0, &away, 2_000, &mut rng).effective < 50.0);
    }

    /// Of a table of energies: by hand.
    #[test]
    fn joint_conditional_and_marginal_belong_together() {
        let energies = [0.0, 1.0, 2.0, 0.5, 0.3, 3.0];
        let log_weights = [vec![0.0, 0.0], vec![0.0, 2.0_f64.ln(), 0.0]];
        let beta = 1.3;
        let joint = Joint::of_energies(&energies, log_weights, beta);
        let weights = [1.0, 2.0, 1.0];
        let mass = |a: usize, b: usize| weights[b] * (-beta * energies[3 * a + b]).exp();
        let rows = [0, 1].map(|a| (0..3).map(|b| mass(a, b)).sum::<f64>());
        let total = rows[0] + rows[1];
        for (a, row) in rows.into_iter().enumerate() {
            let (marginal, conditional) = (joint.marginal(), joint.conditional(a));
            assert!((marginal.masses()[a] - row / total).abs() < 1e-12);
            assert!((marginal.log_partition - total.ln()).abs() < 1e-12);
            for b in 0..3 {
                assert!((conditional.masses()[b] - mass(a, b) / row).abs() < 1e-12);
                let product = marginal.masses()[a] * conditional.masses()[b];
                assert!((joint.density().masses()[3 * a + b] - product).abs() < 1e-12);
            }
            let free = -row.ln() / beta;
            assert!((marginal.energies(beta)[a] - marginal.log_partition / beta - free).abs() < 1e-9);
        }
    }
}
