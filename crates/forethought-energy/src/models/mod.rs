//! The classic models as energies (Dawid & LeCun 2023, Secs. 4.2 and 5), for data of any dimension, trained by what is known best
//! for each: eigenvectors, Lloyd's steps, expectation-maximisation, coordinate descent, Gibbs sampling. Read first: [`Pca`], the
//! smallest, and [`Rbm`].

mod binary;
mod boltzmann_machine;
mod energies;
mod gaussian_mixture;
mod hopfield;
mod kmeans;
mod pca;
mod rbm;
mod sparse_coding;

pub use binary::{correlation, state};
pub use boltzmann_machine::{BoltzmannMachine, Moments};
pub use energies::{Tempered, on_tape};
pub use gaussian_mixture::GaussianMixture;
pub use hopfield::{Hopfield, Recall, overlap, retrieval};
pub use kmeans::KMeans;
pub use pca::Pca;
pub use rbm::{Chains, Rbm, RbmGradient};
pub use sparse_coding::{SparseCoding, in_use};

use nalgebra::DMatrix;
use rand::Rng;
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

/// A standard normal number.
pub(crate) fn normal(rng: &mut impl Rng) -> f64 {
    f64::from(crate::random::normal(rng))
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
}
