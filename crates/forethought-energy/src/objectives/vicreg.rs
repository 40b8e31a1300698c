//! VICReg's regularisers (Bardes et al., 2022; Dawid & LeCun 2023, Sec. 6): they keep the information of a
//! representation, so that a joint embedding cannot lower its energy by going flat. Read first: [`variance`] and
//! [`covariance`].

use super::{centred, scalar};
use crate::{TapedMatrix, TapedScalar};
use dfdx::prelude::{HasShape, SplitTape};

/// Keeps the root's slope finite where a component is constant.
const EPSILON: f32 = 1e-4;

/// The variance hinge, mean over components of `max(0, gamma - sqrt(Var(v) + 1e-4))`: `[rows, latent]` to a scalar.
#[must_use]
pub fn variance(latents: TapedMatrix, gamma: f32) -> TapedScalar {
    let columns = latents.shape().1;
    let (degrees, share) = (degrees_of_freedom(&latents), 1.0 / columns as f32);
    let (latents, tape) = latents.split_tape();
    let centred = centred(&latents);
    let mut squares = vec![0.0; columns];
    for row in centred.chunks_exact(columns) {
        squares.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
    }
    let deviations: Vec<f32> = squares.iter().map(|sum| (sum / degrees + EPSILON).sqrt()).collect();
    let loss = deviations.iter().map(|deviation| share * (gamma - deviation).max(0.0)).sum();
    let slope = |deviation: &f32| if *deviation < gamma { -share / (degrees * deviation) } else { 0.0 };
    let slopes: Vec<f32> = deviations.iter().map(slope).collect();
    scalar(loss, &latents, tape, move |arriving, sums| {
        for (sums, row) in sums.chunks_exact_mut(columns).zip(centred.chunks_exact(columns)) {
            for ((sum, value), slope) in sums.iter_mut().zip(row).zip(&slopes) {
                *sum += arriving * slope * value;
            }
        }
    })
}

/// The covariance term, the sum of the squared off-diagonal entries of the covariance matrix over the number of
/// components: `[rows, latent]` to a scalar.
#[must_use]
pub fn covariance(latents: TapedMatrix) -> TapedScalar {
    let columns = latents.shape().1;
    let (degrees, share) = (degrees_of_freedom(&latents), 1.0 / columns as f32);
    let (latents, tape) = latents.split_tape();
    let centred = centred(&latents);
    // `[latent, latent]`, without its diagonal.
    let mut off_diagonal = vec![0.0; columns * columns];
    for row in centred.chunks_exact(columns) {
        for (sums, value) in off_diagonal.chunks_exact_mut(columns).zip(row) {
            sums.iter_mut().zip(row).for_each(|(sum, other)| *sum += value * other);
        }
    }
    off_diagonal.iter_mut().step_by(columns + 1).for_each(|sum| *sum = 0.0);
    off_diagonal.iter_mut().for_each(|sum| *sum /= degrees);
    let loss = share * off_diagonal.iter().map(|entry| entry * entry).sum::<f32>();
    scalar(loss, &latents, tape, move |arriving, sums| {
        // Through the mean no gradient goes: the centred rows add up to zero.
        let factor = arriving * share * 4.0 / degrees;
        for (sums, row) in sums.chunks_exact_mut(columns).zip(centred.chunks_exact(columns)) {
            for (entries, value) in off_diagonal.chunks_exact(columns).zip(row) {
                let value = factor * value;
                sums.iter_mut().zip(entries).for_each(|(sum, entry)| *sum += value * entry);
            }
        }
    })
}

/// By what a sum of squares is divided for the unbiased variance.
fn degrees_of_freedom(latents: &TapedMatrix) -> f32 {
    (latents.shape().0.max(2) - 1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use dfdx::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn sample(rows: usize, columns: usize, scale: f32) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        (0..rows * columns).map(|_| scale * (rng.gen_range(-1.0..1.0_f32) + rng.gen_range(-1.0..1.0_f32))).collect()
    }

    /// The terms by their formulas, in double precision.
    fn reference(values: &[f32], rows: usize, columns: usize, gamma: f64) -> (f64, f64) {
        let at = |row: usize, column: usize| f64::from(values[row * columns + column]);
        let mean: Vec<f64> = (0..columns).map(|c| (0..rows).map(|r| at(r, c)).sum::<f64>() / rows as f64).collect();
        let covariance = |a: usize, b: usize| {
            (0..rows).map(|r| (at(r, a) - mean[a]) * (at(r, b) - mean[b])).sum::<f64>() / (rows - 1) as f64
        };
        let hinge = (0..columns).map(|c| (gamma - (covariance(c, c) + 1e-4).sqrt()).max(0.0)).sum::<f64>();
        let mut off_diagonal = 0.0;
        for a in 0..columns {
            for b in (0..columns).filter(|&b| b != a) {
                off_diagonal += covariance(a, b).powi(2);
            }
        }
        (hinge / columns as f64, off_diagonal / columns as f64)
    }

    #[test]
    fn terms_and_gradients_agree_with_the_formulas() {
        let (rows, columns) = (24, 5);
        let dev = Cpu::default();
        let values = sample(rows, columns, 0.6);
        let x = dev.tensor_from_vec(values.clone(), (rows, columns));
        for term in 0..2 {
            let of = |values: &[f32]| {
                let (variance, covariance) = reference(values, rows, columns, 1.0);
                if term == 0 { variance } else { covariance }
            };
            let loss = if term == 0 { variance(x.leaky_trace(), 1.0) } else { covariance(x.leaky_trace()) };
            assert!((f64::from(loss.as_vec()[0]) - of(&values)).abs() < 1e-5);
            let gradient = loss.backward().get(&x).as_vec();
            for index in [0, 7, 33, rows * columns - 1] {
                let mut moved = values.clone();
                moved[index] += 1e-2;
                let up = of(&moved);
                moved[index] -= 2e-2;
                let slope = (up - of(&moved)) / 2e-2;
                assert!((f64::from(gradient[index]) - slope).abs() < 1e-4, "{} {slope}", gradient[index]);
            }
        }
    }

    #[test]
    fn a_collapsed_batch_pays_the_whole_hinge() {
        let dev = Cpu::default();
        let flat = dev.tensor_from_vec(vec![0.3; 32], (8, 4));
        assert!((variance(flat.leaky_trace(), 1.0).as_vec()[0] - 0.99).abs() < 1e-4);
        let spread = dev.tensor_from_vec(sample(512, 4, 3.0), (512, 4));
        assert_eq!(variance(spread.leaky_trace(), 1.0).as_vec()[0], 0.0);
    }
}
