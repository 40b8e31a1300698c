//! Data that was spoiled, as in denoising and masked autoencoders (Vincent et al., 2008; Dawid & LeCun 2023, Sec. 5).
//! Read first: [`Corruption`].

use crate::{Matrix, energy::matrix, numbers, random};
use dfdx::prelude::HasShape;
use rand::Rng;

/// How data is spoiled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Corruption {
    /// Gaussian noise on every number.
    Noise {
        /// Its standard deviation.
        deviation: f32,
    },
    /// Numbers are lost, each by itself.
    Mask {
        /// How probable it is.
        share: f32,
        /// What stands there instead.
        value: f32,
    },
    /// Numbers change their sign, each by itself: for spins.
    Flip {
        /// How probable it is.
        share: f32,
    },
}

impl Corruption {
    /// `[rows, y]`, spoiled.
    pub fn apply(self, y: &Matrix, rng: &mut impl Rng) -> Matrix {
        let mut values = numbers(y);
        for number in &mut values {
            match self {
                Self::Noise { deviation } => *number += deviation * random::normal(rng),
                Self::Mask { share, value } => {
                    if rng.gen_range(0.0..1.0) < share {
                        *number = value;
                    }
                }
                Self::Flip { share } => {
                    if rng.gen_range(0.0..1.0) < share {
                        *number = -*number;
                    }
                }
            }
        }
        matrix(values, y.shape().1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn spoils_as_much_as_it_says() {
        let (mut rng, ones) = (ChaCha8Rng::seed_from_u64(1), matrix(vec![1.0; 20_000], 10));
        let mut of = |corruption: Corruption| numbers(&corruption.apply(&ones, &mut rng));
        let share = |values: &[f32], value: f32| values.iter().filter(|v| **v == value).count() as f32 / 2e4;
        assert!((share(&of(Corruption::Mask { share: 0.3, value: 0.5 }), 0.5) - 0.3).abs() < 0.02);
        assert!((share(&of(Corruption::Flip { share: 0.1 }), -1.0) - 0.1).abs() < 0.02);
        let noisy = of(Corruption::Noise { deviation: 0.2 });
        let variance = noisy.iter().map(|value| (value - 1.0).powi(2)).sum::<f32>() / 2e4;
        assert!((variance - 0.04).abs() < 0.002);
    }
}
