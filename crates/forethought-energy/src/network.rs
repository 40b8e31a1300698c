//! Networks of the gallery's size, out of dfdx's own operations, and their optimiser. The mind's are fused for speed
//! (`forethought_mind::network`). Read first: [`Network`] and [`Adam`].

use crate::{
    Matrix, PassTape, TapedColumn, TapedMatrix,
    energy::{Energy, matrix},
    ops::beside,
};
use dfdx::prelude::{
    AdamConfig, Axis, BroadcastTo, Cpu, Gradients, HasShape, PutTape, ReshapeTo, SplitTape, Storage, SumTo, TryMatMul,
};
use rand::Rng;

/// What stands between layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `tanh(v)`.
    Tanh,
    /// `v sigmoid(v)`.
    Silu,
}

/// Linear layers with an activation between them.
#[derive(Debug, Clone)]
pub struct Network {
    /// Of each layer: weights `[inputs, outputs]` and biases `[1, outputs]`.
    pub layers: Vec<[Matrix; 2]>,
    /// Between layers; after the last there is none.
    pub activation: Activation,
}

impl Network {
    /// A network of so many numbers at each end and between layers; weights and biases are uniform within one over the root of a layer's
    /// inputs (LeCun et al., 1998).
    #[must_use]
    pub fn random(sizes: &[usize], activation: Activation, rng: &mut impl Rng) -> Self {
        let layer = |pair: &[usize]| {
            let bound = 1.0 / (pair[0].max(1) as f32).sqrt();
            let mut uniform = |count: usize| (0..count).map(|_| rng.gen_range(-bound..bound)).collect();
            [matrix(uniform(pair[0] * pair[1]), pair[1]), matrix(uniform(pair[1]), pair[1])]
        };
        Self { layers: sizes.windows(2).map(layer).collect(), activation }
    }

    /// `[rows, inputs]` to `[rows, outputs]`. Gradients flow to the input and to all weights and biases.
    #[must_use]
    pub fn forward(&self, input: TapedMatrix) -> TapedMatrix {
        let mut hidden = input;
        for (index, layer) in self.layers.iter().enumerate() {
            let sum = affine(hidden, layer);
            hidden = match self.activation {
                _ if index + 1 == self.layers.len() => sum,
                Activation::Tanh => sum.tanh(),
                Activation::Silu => {
                    let (sum, tape) = sum.split_tape();
                    let (gate, tape) = sum.clone().put_tape(tape).sigmoid().split_tape();
                    sum.put_tape(tape) * gate
                }
            };
        }
        hidden
    }

    /// The same where no gradient is needed.
    #[must_use]
    pub fn apply(&self, input: &Matrix) -> Matrix {
        self.forward(input.clone().put_tape(PassTape::default())).split_tape().0
    }

    /// All weights and biases, in an order that stays.
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = &mut Matrix> {
        self.layers.iter_mut().flatten()
    }
}

/// The energy of `x` and `y` is what the network makes of both beside each other, or of `y` alone; the sum where it has several outputs.
impl Energy for Network {
    fn energies(&self, x: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
        self.forward(beside(x, y, tape)).sum::<_, Axis<1>>()
    }
}

/// `[rows, inputs]` times weights, plus biases: `[rows, outputs]`.
fn affine(input: TapedMatrix, [weights, biases]: &[Matrix; 2]) -> TapedMatrix {
    let shape = (input.shape().0, weights.shape().1);
    let (product, tape) = input.matmul(weights.clone()).split_tape();
    let biases = biases.clone().put_tape(tape).reshape_like(&(shape.1,));
    let (biases, tape) = biases.broadcast_like::<_, Axis<0>>(&shape).split_tape();
    product.put_tape(tape) + biases
}

/// Adam (Kingma & Ba, 2015) for parameters of any number and size: dfdx's own, one parameter after the other.
#[derive(Debug, Clone)]
pub struct Adam {
    /// The learning rate; it may be changed between updates.
    pub rate: f32,
    /// How much of the gradients' mean, and of their squares', is kept from update to update.
    pub betas: [f64; 2],
    /// The first and second moment of each parameter.
    moments: Vec<[<Cpu as Storage<f32>>::Vec; 2]>,
    updates: i32,
}

impl Adam {
    /// Before its first update.
    #[must_use]
    pub fn new(rate: f32) -> Self {
        Self::with_betas(rate, [0.9, 0.999])
    }

    /// The same with another memory than usual.
    #[must_use]
    pub fn with_betas(rate: f32, betas: [f64; 2]) -> Self {
        Self { rate, betas, moments: Vec::new(), updates: 0 }
    }

    /// Move all parameters, the same ones in the same order each time. False, and nothing moves, where a slope is not finite.
    pub fn step<'a>(
        &mut self,
        parameters: impl IntoIterator<Item = &'a mut Matrix>,
        gradients: &mut Gradients<f32, Cpu>,
    ) -> bool {
        let config = AdamConfig { lr: f64::from(self.rate), betas: self.betas, ..AdamConfig::default() };
        let parameters: Vec<_> = parameters.into_iter().collect();
        for parameter in &parameters {
            let finite = |slopes: &mut <Cpu as Storage<f32>>::Vec| slopes.iter().all(|slope| slope.is_finite());
            if !gradients.get_or_alloc_mut(*parameter).is_ok_and(finite) {
                return false;
            }
        }
        self.updates += 1;
        for (index, parameter) in parameters.into_iter().enumerate() {
            let count = parameter.shape().0 * parameter.shape().1;
            let mut update = || {
                if index == self.moments.len() {
                    let zeros = || Cpu::default().try_alloc_len(count);
                    self.moments.push([zeros()?, zeros()?]);
                }
                let [first, second] = &mut self.moments[index];
                let slopes = gradients.get_or_alloc_mut(parameter)?;
                config.try_update(self.updates, parameter, first, second, slopes)
            };
            update().unwrap_or_else(|error| unreachable!("memory for numbers: {error:?}"));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        energy::{nothing, tests::check},
        numbers, random,
    };
    use dfdx::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn slopes_agree_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for activation in [Activation::Tanh, Activation::Silu] {
            let network = Network::random(&[3, 8, 8, 1], activation, &mut rng);
            let y = matrix(random::normals(12, &mut rng), 3);
            check(&network, &nothing(4), &y, 0.02);
            assert_eq!(numbers(&network.apply(&y)), network.values(&nothing(4), &y));
        }
    }

    #[test]
    fn learns_a_function() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut network = Network::random(&[1, 24, 1], Activation::Tanh, &mut rng);
        let x: Vec<f32> = (0..64).map(|i| i as f32 / 16.0 - 2.0).collect();
        let y = matrix(x.iter().map(|x| (2.0 * x).sin()).collect(), 1);
        let (x, mut adam, mut error) = (matrix(x, 1), Adam::new(0.02), f32::INFINITY);
        for _ in 0..600 {
            let loss = (network.forward(x.leaky_trace()) - y.clone()).square().mean();
            error = loss.as_vec()[0];
            assert!(adam.step(network.parameters_mut(), &mut loss.backward()));
        }
        assert!(error < 2e-3, "{error}");
        // What is no number moves nothing.
        let before = numbers(&network.layers[0][0]);
        let broken = (network.forward(x.leaky_trace()) * f32::NAN).mean();
        assert!(!adam.step(network.parameters_mut(), &mut broken.backward()));
        assert_eq!(before, numbers(&network.layers[0][0]));
    }
}
