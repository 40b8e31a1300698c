//! Fitting a network to rows of inputs and targets, batch after batch. Read first: [`Regression::step`].

use super::{Mlp, Trainee, apply, fused::expectile_square, packed::Filling};
use crate::training::{TrainingSpec, optimiser::AdamW};
use dfdx::prelude::{Backward, Cpu, OwnedTape, PutTape};
use forethought_energy::Scalar;
use rayon::prelude::*;

/// A network, and what is needed to fit it.
pub(crate) struct Regression {
    pub(crate) mlp: Mlp,
    trainee: Trainee,
    optimiser: AdamW,
    spec: TrainingSpec,
    update: u32,
}

/// Rows to fit to.
pub(crate) struct Batch {
    /// `[rows, inputs]`.
    pub(crate) inputs: Vec<f32>,
    /// `[rows, outputs]`; where one is NaN, anything may come out.
    pub(crate) targets: Vec<f32>,
}

impl Regression {
    /// Fit `mlp` in so many updates; the learning rate falls to zero along a cosine.
    pub(crate) fn new(mlp: Mlp, updates: u32, learning_rate: f32) -> Self {
        let spec =
            TrainingSpec { updates, learning_rate, weight_decay: 1e-4, clip_norm: 10.0, ..TrainingSpec::default() };
        Self::besides(mlp, 0, spec)
    }

    /// Fit `mlp`, whose last `beside` inputs are few and need no gradient, by the updates, rates and limits of `spec`.
    pub(crate) fn besides(mlp: Mlp, beside: usize, spec: TrainingSpec) -> Self {
        let (trainee, optimiser) = (Trainee::new(&mlp, beside), AdamW::new(&mlp.parameters().collect::<Vec<_>>()));
        Self { mlp, trainee, optimiser, spec, update: 0 }
    }

    /// One update by AdamW with the mean of the shards' losses, which is given back. A row whose target is below what the
    /// network tells counts `2 tau`, one above it `2 (1 - tau)`: with 0.5 the fit is that of least squares, the mean; above it
    /// lower expectiles (Newey & Powell, 1987).
    pub(crate) fn step(&mut self, shards: Vec<Batch>, tau: f32) -> f32 {
        self.descend(shards, |trainee, Batch { inputs, targets }, tape| {
            let told = apply(trainee, inputs, None, tape);
            expectile_square(&told, &targets, tau, tape)
        })
    }

    /// One update by AdamW with the mean of the losses that `loss` makes of each shard, which is given back: NaN where the
    /// gradient is not finite. Shards are worked on side by side and summed in their order.
    pub(crate) fn descend<T: Send>(
        &mut self,
        shards: Vec<T>,
        loss: impl Fn(&Trainee, T, &mut OwnedTape<f32, Cpu>) -> Scalar + Sync,
    ) -> f32 {
        let count = shards.len();
        let trainee = &self.trainee;
        let pass = |shard: T| {
            let mut tape = OwnedTape::default();
            let loss = loss(trainee, shard, &mut tape);
            let value = loss.as_vec()[0];
            let mut gradients = loss.put_tape(tape).backward();
            (value, [trainee.gradient(&mut gradients)])
        };
        let (losses, mut gradients): (Vec<f32>, Vec<[Vec<f32>; 1]>) = shards.into_par_iter().map(pass).unzip();
        let shards = gradients.iter_mut().map(|gradient| &mut gradient[..]).collect();
        let norm = self.optimiser.step(self.mlp.parameters_mut().collect(), shards, &self.spec, self.update);
        self.update += 1;
        for [gradient] in gradients {
            self.trainee.recycle(gradient);
        }
        let panels: Vec<Filling> = self.trainee.refill(&self.mlp).collect();
        panels.into_par_iter().with_min_len(8).for_each(Filling::fill);
        #[expect(clippy::cast_precision_loss, reason = "a handful of shards")]
        let share = 1.0 / count.max(1) as f32;
        if norm.is_finite() { losses.into_iter().sum::<f32>() * share } else { f32::NAN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Fit a constant to numbers between 0 and 1, evenly spread.
    fn fitted(tau: f32, shards: usize) -> f32 {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut regression = Regression::new(Mlp::random(1, &[4], 1, 0.1, &mut rng), 800, 1e-2);
        for _ in 0..800 {
            let batch =
                |_| Batch { inputs: vec![1.0; 64], targets: (0..64).map(|_| rng.gen_range(0.0..1.0)).collect() };
            let batches = (0..shards).map(batch).collect();
            regression.step(batches, tau);
        }
        regression.mlp.forward(&[1.0])[0]
    }

    #[test]
    fn half_fits_the_mean_and_more_a_lower_expectile() {
        assert!((fitted(0.5, 2) - 0.5).abs() < 0.03, "{}", fitted(0.5, 2));
        // The expectile m of an even spread solves 0.8 m² = 0.2 (1 - m)².
        assert!((fitted(0.8, 1) - 1.0 / 3.0).abs() < 0.03, "{}", fitted(0.8, 1));
    }
}
