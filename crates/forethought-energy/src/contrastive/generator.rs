//! A network that makes contrastive points and is trained to make them of low energy: a generative adversarial network (Goodfellow et al.,
//! 2014; as an energy-based model: Zhao, Mathieu & LeCun, 2017; Dawid & LeCun 2023, Sec. 4). Read first: [`Generator`].

use crate::{
    Matrix, PassTape, TapedColumn,
    energy::{Energy, matrix},
    network::{Adam, Network},
    random,
};
use dfdx::prelude::{Backward, HasShape, MeanTo, PutTape, SplitTape};
use rand::Rng;

/// From noise to answers.
#[derive(Debug, Clone)]
pub struct Generator {
    /// `[rows, noise]` to `[rows, y]`.
    pub network: Network,
}

impl Generator {
    /// So many rows of noise, standard normal.
    pub fn noise(&self, rows: usize, rng: &mut impl Rng) -> Matrix {
        let inputs = self.network.layers.first().map_or(1, |[weights, _]| weights.shape().0);
        matrix(random::normals(rows * inputs, rng), inputs)
    }

    /// So many answers.
    pub fn generate(&self, rows: usize, rng: &mut impl Rng) -> Matrix {
        self.network.apply(&self.noise(rows, rng))
    }

    /// The energies of what is made of noise, on the tape: gradients flow to the generator's weights.
    pub fn energies(&self, energy: &(impl Energy + ?Sized), x: &Matrix, noise: &Matrix) -> TapedColumn {
        let (y, tape) = self.network.forward(noise.clone().put_tape(PassTape::default())).split_tape();
        energy.energies(x, &y, tape)
    }

    /// One update towards answers of lower energy, the model held. Gives their mean energy before it; NaN, and no update, where a slope is
    /// not finite.
    pub fn step(&mut self, energy: &(impl Energy + ?Sized), x: &Matrix, adam: &mut Adam, rng: &mut impl Rng) -> f32 {
        let noise = self.noise(x.shape().0, rng);
        let loss = self.energies(energy, x, &noise).mean::<(), _>();
        let value = loss.as_vec()[0];
        if adam.step(self.network.parameters_mut(), &mut loss.backward()) { value } else { f32::NAN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{energy::nothing, network::Activation, numbers};
    use dfdx::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn goes_where_the_energy_is_low() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut generator = Generator { network: Network::random(&[2, 16, 2], Activation::Tanh, &mut rng) };
        let bowl = |_: &Matrix, y: &Matrix, tape| (y.clone().put_tape(tape) - 3.0).square().sum::<_, Axis<1>>();
        let mut adam = Adam::new(0.02);
        let first = generator.step(&bowl, &nothing(64), &mut adam, &mut rng);
        for _ in 0..300 {
            generator.step(&bowl, &nothing(64), &mut adam, &mut rng);
        }
        let last = generator.step(&bowl, &nothing(64), &mut adam, &mut rng);
        assert!(first > 10.0 && last < 0.1, "{first} {last}");
        assert!(numbers(&generator.generate(8, &mut rng)).iter().all(|value| (value - 3.0).abs() < 1.0));
    }
}
