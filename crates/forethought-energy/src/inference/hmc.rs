//! Hamiltonian Monte Carlo: the state rolls through the energy like a ball that was kicked (Duane et al., 1987; Neal, 2011).
//! Read first: [`Hmc`].

use super::{Sampler, choose};
use crate::{
    Matrix,
    energy::{Energy, matrix},
    numbers, random,
};
use dfdx::prelude::HasShape;
use rand::RngCore;

/// A step is a roll of so many leapfrogs from a kick at random, taken or not by Metropolis' rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hmc {
    /// The length of a leapfrog, in units of `y`; each roll draws its own between 0.8 and 1.2 of it, so that none goes in circles.
    pub step: f32,
    /// How many leapfrogs a roll has.
    pub leapfrogs: usize,
    /// The inverse temperature.
    pub beta: f32,
}

impl Sampler for Hmc {
    fn step(&self, energy: &dyn Energy, x: &Matrix, y: &mut Matrix, mut rng: &mut dyn RngCore) -> f32 {
        use rand::Rng;
        let columns = y.shape().1;
        let step = self.step * rng.gen_range(0.8..1.2_f32);
        let mut here = numbers(y);
        let kick = random::normals(here.len(), &mut rng);
        let mut at = energy.gradient(x, y);
        let before = at.values.clone();
        let (mut place, mut speed) = (here.clone(), kick.clone());
        let push = |speed: &mut [f32], slopes: &[f32], time: f32| {
            speed.iter_mut().zip(slopes).for_each(|(speed, slope)| *speed -= time * self.beta * slope);
        };
        for _ in 0..self.leapfrogs {
            push(&mut speed, &at.slopes, 0.5 * step);
            place.iter_mut().zip(&speed).for_each(|(place, speed)| *place += step * speed);
            at = energy.gradient(x, &matrix(place.clone(), columns));
            push(&mut speed, &at.slopes, 0.5 * step);
        }
        let kinetic = |speed: &[f32]| 0.5 * speed.iter().map(|value| f64::from(value * value)).sum::<f64>();
        let energies = before.iter().zip(&at.values);
        let kicks = kick.chunks_exact(columns).zip(speed.chunks_exact(columns));
        let gains = energies.zip(kicks).map(|((before, after), (kick, speed))| {
            f64::from(self.beta * (before - after)) + kinetic(kick) - kinetic(speed)
        });
        let moved = choose(&mut here, &place, columns, gains, &mut rng);
        *y = matrix(here, columns);
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::samples_a_gaussian, *};

    #[test]
    fn samples_have_the_distribution_of_the_energy() {
        let moved = samples_a_gaussian(&Hmc { step: 0.25, leapfrogs: 5, beta: 2.0 }, 2.0, 0.04);
        assert!(moved > 0.8, "{moved}");
    }
}
