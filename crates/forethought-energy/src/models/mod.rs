//! The classic models as energies (Dawid & LeCun 2023, Secs. 4.2 and 5), for data of any dimension, trained by what is known best
//! for each: eigenvectors, Lloyd's steps, expectation-maximisation, coordinate descent, Gibbs sampling. Read first: [`Pca`], the
//! smallest, and [`Rbm`].

mod binary;
mod boltzmann_machine;
mod gaussian_mixture;
mod hopfield;
mod kmeans;
mod pca;
mod rbm;
mod sparse_coding;

pub use binary::{correlation, state};
pub use boltzmann_machine::{BoltzmannMachine, Moments};
pub use gaussian_mixture::GaussianMixture;
pub use hopfield::{Hopfield, Recall, overlap, retrieval};
pub use kmeans::KMeans;
pub use pca::Pca;
pub use rbm::{Chains, Rbm, RbmGradient};
pub use sparse_coding::{SparseCoding, in_use};

use nalgebra::DMatrix;
use rand_chacha::rand_core::RngCore;
use thiserror::Error;

/// What a model learns from: a sample a column, `[features, samples]`, so that each sample's numbers lie together.
pub type Samples = DMatrix<f64>;

/// Why a model cannot be made of these samples.
#[derive(Debug, Clone, PartialEq, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ModelError {
    #[error("{model} needs at least {needed} samples of at least one number, and got {samples} of {features}")]
    TooFew { model: &'static str, needed: usize, samples: usize, features: usize },
    #[error("{what} cannot be {value}: it takes {takes}")]
    Setting { what: &'static str, value: String, takes: String },
    #[error("{model} is made for {expected} numbers a sample, and got {got}")]
    Features { model: &'static str, expected: usize, got: usize },
    #[error("a sample holds what is no finite number: leave it out")]
    NotFinite,
}

/// That there are enough samples, and that they are numbers.
pub(crate) fn check(model: &'static str, samples: &Samples, needed: usize) -> Result<(), ModelError> {
    let (features, count) = samples.shape();
    if features == 0 || count < needed.max(1) {
        return Err(ModelError::TooFew { model, needed: needed.max(1), samples: count, features });
    }
    if samples.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(ModelError::NotFinite) }
}

/// `log sum exp`, without overflow; of nothing, minus infinity.
pub(crate) fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let highest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if highest.is_finite() { highest + values.map(|value| (value - highest).exp()).sum::<f64>().ln() } else { highest }
}

/// Evenly from 0 to 1, with as many digits as a double holds.
pub(crate) fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// Normal, of mean 0 and variance 1 (Box & Muller, 1958).
pub(crate) fn normal(rng: &mut impl RngCore) -> f64 {
    (-2.0 * (1.0 - uniform(rng)).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// Which of these weights, by chance.
pub(crate) fn choose(weights: &[f64], rng: &mut impl RngCore) -> usize {
    let mut left = uniform(rng) * weights.iter().sum::<f64>();
    let chosen = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    chosen.unwrap_or(weights.len().saturating_sub(1))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use nalgebra::DVector;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Of `[features, samples]`, each feature of another spread, in three clumps.
    pub(crate) fn clumps(features: usize, samples: usize, seed: u64) -> Samples {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let centres = Samples::from_fn(features, 3, |_, _| 3.0 * normal(&mut rng));
        Samples::from_fn(features, samples, |row, column| {
            centres[(row, column % 3)] + normal(&mut rng) / (1.0 + row as f64)
        })
    }

    /// A gradient against central differences.
    pub(crate) fn check_gradient(at: &DVector<f64>, gradient: &DVector<f64>, energy: impl Fn(&DVector<f64>) -> f64) {
        for index in 0..at.len() {
            let moved = |offset: f64| {
                let mut at = at.clone();
                at[index] += offset;
                energy(&at)
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (slope - gradient[index]).abs() < 1e-5 * (1.0 + slope.abs()),
                "{index}: {slope}, {}",
                gradient[index]
            );
        }
    }

    #[test]
    fn log_sums_do_not_overflow() {
        assert!((log_sum_exp([1000.0, 1000.0].into_iter()) - 1000.0 - 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(log_sum_exp(std::iter::empty()), f64::NEG_INFINITY);
    }

    #[test]
    fn draws_have_the_moments_that_they_should() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let draws: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let moment = |power| draws.iter().map(|draw| draw.powi(power)).sum::<f64>() / 20_000.0;
        assert!(moment(1).abs() < 0.03 && (moment(2) - 1.0).abs() < 0.04 && (moment(4) - 3.0).abs() < 0.2);
        let share = (0..20_000).filter(|_| choose(&[1.0, 0.0, 3.0], &mut rng) == 2).count() as f64 / 20_000.0;
        assert!((share - 0.75).abs() < 0.02, "{share}");
    }
}
