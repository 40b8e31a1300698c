//! Langevin dynamics: gradient descent that is shaken (Roberts & Tweedie, 1996; Welling & Teh, 2011). Read first: [`Langevin`].

use super::{Sampler, choose};
use crate::{
    Matrix,
    energy::{Energy, Gradient, matrix},
    numbers, random,
};
use dfdx::prelude::HasShape;
use rand::RngCore;

/// `y - step beta ∇F(y) + sqrt(2 step) noise`, always taken: its distribution is off by something of the order of `step`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Langevin {
    /// The length of a step: half of the noise's variance, in units of `y` squared.
    pub step: f32,
    /// The inverse temperature.
    pub beta: f32,
}

/// The same, each step taken or not by Metropolis' rule (MALA): no bias, and the energies twice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdjustedLangevin(pub Langevin);

impl Langevin {
    fn propose(&self, y: &[f32], slopes: &[f32], rng: &mut dyn RngCore) -> Vec<f32> {
        let mut rng = rng;
        let noise = (2.0 * self.step).sqrt();
        let drift = |slope: &f32| -self.step * self.beta * slope;
        y.iter().zip(slopes).map(|(y, slope)| y + drift(slope) + noise * random::normal(&mut rng)).collect()
    }

    /// The logarithm of how likely `to` is proposed from `from`, up to a constant.
    fn log_proposal(&self, from: &[f32], slopes: &[f32], to: &[f32]) -> f64 {
        let gap = |((from, slope), to): ((&f32, &f32), &f32)| f64::from(to - from + self.step * self.beta * slope);
        let squares: f64 = from.iter().zip(slopes).zip(to).map(|pair| gap(pair).powi(2)).sum();
        -squares / (4.0 * f64::from(self.step))
    }
}

impl Sampler for Langevin {
    fn step(&self, energy: &dyn Energy, x: &Matrix, y: &mut Matrix, rng: &mut dyn RngCore) -> f32 {
        let slopes = energy.gradient(x, y).slopes;
        *y = matrix(self.propose(&numbers(y), &slopes, rng), y.shape().1);
        1.0
    }
}

impl Sampler for AdjustedLangevin {
    fn step(&self, energy: &dyn Energy, x: &Matrix, y: &mut Matrix, mut rng: &mut dyn RngCore) -> f32 {
        let columns = y.shape().1;
        let mut from = numbers(y);
        let Gradient { values, slopes } = energy.gradient(x, y);
        let to = self.0.propose(&from, &slopes, rng);
        let there = energy.gradient(x, &matrix(to.clone(), columns));
        let gains = (0..values.len()).map(|row| {
            let all = row * columns..(row + 1) * columns;
            let (here, next) = (&from[all.clone()], &to[all.clone()]);
            f64::from(self.0.beta * (values[row] - there.values[row]))
                + self.0.log_proposal(next, &there.slopes[all.clone()], here)
                - self.0.log_proposal(here, &slopes[all], next)
        });
        let gains: Vec<f64> = gains.collect();
        let moved = choose(&mut from, &to, columns, gains.into_iter(), &mut rng);
        *y = matrix(from, columns);
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::samples_a_gaussian, *};

    #[test]
    fn samples_have_the_distribution_of_the_energy() {
        let langevin = Langevin { step: 0.02, beta: 2.0 };
        // A step of 0.02 where the second derivative is 8: the variance is 1 / (1 - 0.02 * 8 / 2) times what it should be.
        samples_a_gaussian(&langevin, 2.0, 0.12);
        let moved = samples_a_gaussian(&AdjustedLangevin(Langevin { step: 0.1, beta: 2.0 }), 2.0, 0.04);
        assert!(moved > 0.5 && moved < 0.99, "{moved}");
    }
}
