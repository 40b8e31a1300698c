//! What a model is asked: the answer of least energy, by gradient descent or out of all there are; answers as likely as their energies say,
//! by Langevin dynamics or Hamiltonian Monte Carlo. The mind plans by descent too, fused for speed (`forethought_mind::actor::planners`).
//! Read first: [`descent`].

pub mod descent;
pub mod exhaustive;
pub mod hmc;
pub mod langevin;

use crate::{Matrix, energy::Energy};
use rand::Rng;

/// A Markov chain for each row, whose states come to be distributed as `exp(-beta F)`.
pub trait Sampler {
    /// One step of each chain; gives the share that moved.
    fn step(&self, energy: &dyn Energy, x: &Matrix, y: &mut Matrix, rng: &mut dyn rand::RngCore) -> f32;

    /// So many steps; gives the mean share that moved.
    fn steps(&self, energy: &dyn Energy, x: &Matrix, y: &mut Matrix, count: usize, rng: &mut dyn rand::RngCore) -> f32 {
        let moved: f32 = (0..count).map(|_| self.step(energy, x, y, rng)).sum();
        moved / count.max(1) as f32
    }
}

/// Metropolis' choice for each chain: it goes to its row of `there` `[rows, columns]` as often as the gain in the logarithm of its
/// density says, and else stays (Metropolis et al., 1953). Gives the share that moved.
pub(crate) fn choose(
    here: &mut [f32],
    there: &[f32],
    columns: usize,
    gains: impl Iterator<Item = f64>,
    rng: &mut impl Rng,
) -> f32 {
    let (mut rows, mut moved) = (0, 0.0);
    let chains = here.chunks_exact_mut(columns.max(1)).zip(there.chunks_exact(columns.max(1)));
    for ((here, there), gain) in chains.zip(gains) {
        // One number is drawn in any case, so that chains do not depend on each other's luck.
        let level: f64 = rng.gen_range(0.0..1.0);
        if level < gain.exp() {
            here.copy_from_slice(there);
            moved += 1.0;
        }
        rows += 1;
    }
    moved / rows.max(1) as f32
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        PassTape, TapedColumn,
        energy::{matrix, nothing},
        numbers,
    };
    use dfdx::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Two bowls, around -1 and 1, the right one as deep and half as wide: `-log(0.5 N(-1, 0.3²) + 0.5 N(1, 0.15²))` up to a constant
    /// has half of the mass on either side; here as the Gaussian that is easy to tell from others.
    pub(crate) fn gaussian(_: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        (y.clone().put_tape(tape) - 2.0).square().sum::<_, Axis<1>>() * 2.0
    }

    /// Mean 2 and variance 1/(4 beta) are what the samples must have.
    pub(crate) fn samples_a_gaussian(sampler: &impl Sampler, beta: f64, bias: f64) -> f32 {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (chains, mut values) = (200, Vec::new());
        let (x, mut y) = (nothing(chains), matrix(vec![0.0; chains], 1));
        let mut moved = sampler.steps(&gaussian, &x, &mut y, 100, &mut rng);
        for _ in 0..60 {
            moved = sampler.steps(&gaussian, &x, &mut y, 5, &mut rng);
            values.extend(numbers(&y).into_iter().map(f64::from));
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!((mean - 2.0).abs() < 0.02, "mean {mean}");
        assert!((4.0 * beta * variance - 1.0).abs() < bias, "variance {variance}");
        moved
    }
}
