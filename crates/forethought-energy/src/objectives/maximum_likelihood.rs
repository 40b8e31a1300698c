//! Maximum likelihood (Dawid & LeCun 2023, Eq. 4 and 5): the energy of data falls, that of the model's own samples rises.
//! Read first: [`loss`].

use super::with_slopes;
use crate::{Column, TapedColumn, TapedScalar, numbers};
use dfdx::prelude::SplitTape;

/// `beta (mean F(data) - mean F(samples))`. Its gradient by the model's parameters is that of the mean of `-log P(data)`, where
/// `P = exp(-beta F) / Z`, if the samples are the model's: that of `log Z` is `-beta` times the mean slope of their energies. Its value is
/// no likelihood. Both are `[rows]`, not as many as each other perhaps, the samples' way back on the same tape. To a scalar.
#[must_use]
pub fn loss(data: TapedColumn, samples: &Column, beta: f32) -> TapedScalar {
    let (data, tape) = data.split_tape();
    let (low, high) = (numbers(&data), numbers(samples));
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
    let slopes = |values: &[f32], sign: f32| vec![sign * beta / values.len().max(1) as f32; values.len()];
    let value = beta * (mean(&low) - mean(&high));
    with_slopes(value, [(&data, slopes(&low, 1.0)), (samples, slopes(&high, -1.0))], tape)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::check_energies, *};
    use crate::{
        Matrix, PassTape,
        contrastive::mismatched::rows,
        energy::{Energy, nothing},
        inference::exhaustive::{bits, probabilities},
        network::{Activation, Network},
        random,
    };
    use dfdx::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn slopes_agree_with_finite_differences() {
        check_energies(&[1.0, 0.2], &[0.8, 3.0, -0.4], |data, samples| loss(data, samples, 1.7));
    }

    /// A network over the 32 states of five bits: the Monte Carlo gradient against finite differences of the exact likelihood.
    #[test]
    fn the_monte_carlo_gradient_is_that_of_the_exact_likelihood() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (states, beta) = (bits(5), 1.5);
        let mut network = Network::random(&[5, 6, 1], Activation::Tanh, &mut rng);
        // Steep enough that states differ.
        network.layers[1][0] = network.layers[1][0].clone() * 6.0;
        let energy_of = |network: Network| {
            move |_: &Matrix, y: &Matrix, tape: PassTape| network.forward(y.clone().put_tape(tape)).sum::<_, Axis<1>>()
        };
        let data = [3, 7, 7, 11, 19, 23, 31];
        let negative_log = |network: &Network| {
            let (probabilities, _) = probabilities(&energy_of(network.clone()), &[], &states, beta);
            -data.iter().map(|state| probabilities[*state].ln()).sum::<f64>() / data.len() as f64
        };
        let energy = energy_of(network.clone());
        let (chances, _) = probabilities(&energy, &[], &states, beta);
        let drawn: Vec<usize> = (0..40_000).map(|_| random::pick(&chances, &mut rng)).collect();
        let pass = energy.energies(&nothing(drawn.len()), &rows(&states, &drawn), PassTape::default());
        let (samples, tape) = pass.split_tape();
        let loss = loss(energy.energies(&nothing(data.len()), &rows(&states, &data), tape), &samples, 1.5);
        let gradients = loss.backward();
        let (mut along, mut got, mut exact) = (0.0, 0.0, 0.0);
        for layer in 0..2 {
            for part in 0..2 {
                let weights = network.layers[layer][part].clone();
                for (index, slope) in gradients.get(&weights).as_vec().into_iter().enumerate() {
                    let at = |offset: f32| {
                        let mut moved = network.clone();
                        let mut values = numbers(&weights);
                        values[index] += offset;
                        moved.layers[layer][part] = crate::energy::matrix(values, weights.shape().1);
                        negative_log(&moved)
                    };
                    let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
                    assert!((f64::from(slope) - difference).abs() < 0.015, "{slope} against {difference}");
                    along += f64::from(slope) * difference;
                    (got, exact) = (got + f64::from(slope).powi(2), exact + difference.powi(2));
                }
            }
        }
        assert!(exact > 0.1 && along / (got * exact).sqrt() > 0.999, "{along} {got} {exact}");
    }
}
