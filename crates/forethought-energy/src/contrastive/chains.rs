//! Samples of the model itself, by Markov chains: what maximum likelihood asks for (Dawid & LeCun 2023, Eq. 5). Read first:
//! [`contrastive_divergence`] and [`Persistent`].

use crate::{Matrix, energy::Energy, energy::matrix, inference::Sampler, numbers};
use dfdx::prelude::HasShape;
use rand::{Rng, RngCore};

/// A few steps from the data: where the model would have it, as far as that is seen from here (Hinton, 2002).
pub fn contrastive_divergence(
    energy: &dyn Energy,
    x: &Matrix,
    y: &Matrix,
    (sampler, steps): (&dyn Sampler, usize),
    rng: &mut dyn RngCore,
) -> Matrix {
    let mut samples = y.clone();
    sampler.steps(energy, x, &mut samples, steps, rng);
    samples
}

/// Chains that go on from update to update while the model changes slowly (Tieleman, 2008); some begin anew each time, for those that
/// got lost (Du & Mordatch, 2019).
#[derive(Debug, Clone)]
pub struct Persistent {
    /// Where the chains are, `[chains, y]`.
    pub y: Matrix,
    /// How probable it is that a chain begins anew before an update.
    pub renewal: f32,
}

impl Persistent {
    /// So many steps of each chain, on from where it was; `fresh`, `[chains, y]`, is where those go that begin anew.
    pub fn advance(
        &mut self,
        energy: &dyn Energy,
        x: &Matrix,
        fresh: &Matrix,
        (sampler, steps): (&dyn Sampler, usize),
        rng: &mut dyn RngCore,
    ) -> &Matrix {
        let columns = self.y.shape().1;
        let (mut places, fresh) = (numbers(&self.y), numbers(fresh));
        for (place, fresh) in places.chunks_exact_mut(columns.max(1)).zip(fresh.chunks_exact(columns.max(1))) {
            if rng.gen_range(0.0..1.0) < self.renewal {
                place.copy_from_slice(fresh);
            }
        }
        self.y = matrix(places, columns);
        sampler.steps(energy, x, &mut self.y, steps, rng);
        &self.y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        energy::nothing,
        inference::{langevin::Langevin, tests::gaussian},
    };
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn mean(values: &Matrix) -> f32 {
        let values = numbers(values);
        values.iter().sum::<f32>() / values.len() as f32
    }

    /// The model's mean is 2; the data is at 0.
    #[test]
    fn short_chains_stay_near_the_data_and_long_ones_forget_it() {
        let (mut rng, sampler) = (ChaCha8Rng::seed_from_u64(1), Langevin { step: 0.02, beta: 1.0 });
        let (x, data) = (nothing(500), matrix(vec![0.0; 500], 1));
        let near = contrastive_divergence(&gaussian, &x, &data, (&sampler, 2), &mut rng);
        assert!(mean(&near) > 0.1 && mean(&near) < 0.6, "{}", mean(&near));
        let mut chains = Persistent { y: data.clone(), renewal: 0.0 };
        for _ in 0..50 {
            chains.advance(&gaussian, &x, &data, (&sampler, 2), &mut rng);
        }
        assert!((mean(&chains.y) - 2.0).abs() < 0.1, "{}", mean(&chains.y));
        chains.renewal = 1.0;
        chains.advance(&gaussian, &x, &data, (&sampler, 0), &mut rng);
        assert_eq!(mean(&chains.y), 0.0);
    }
}
