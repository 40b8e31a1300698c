//! Score matching: the slope of the energy, for which no partition function is needed, is made that of `-log` of the data's density.
//! Slopes are taken by central differences along directions (Pang et al., 2020, finite-difference score matching), so that what is trained
//! needs only energies and dfdx's tape goes through once. Read first: [`denoising`] and [`implicit`].

use super::with_slopes;
use crate::{
    Matrix, PassTape, TapedScalar,
    energy::{Energy, matrix, nothing},
    numbers,
};
use dfdx::prelude::{HasShape, SplitTape};

/// Along what slopes are taken, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Slices {
    /// `[count, y]`, of length 1 each: random ones (as [`super::sigreg::directions`] gives), or [all axes](Slices::axes).
    pub directions: Vec<f32>,
    /// How far to both sides energies are taken.
    pub width: f32,
}

impl Slices {
    /// All axes: nothing is left to chance.
    #[must_use]
    pub fn axes(dimensions: usize, width: f32) -> Self {
        let entry = |index: usize| if index.is_multiple_of(dimensions + 1) { 1.0 } else { 0.0 };
        Self { directions: (0..dimensions * dimensions).map(entry).collect(), width }
    }
}

/// Denoising score matching (Vincent, 2011): the mean of `sigma² / 2 |∇F(y + noise) - noise / sigma²|²`, for noise of deviation `sigma`.
/// It is least where `exp(-F)` is the density of data with such noise. `clean` and `noisy` are `[rows, y]`.
#[must_use]
pub fn denoising(
    energy: &(impl Energy + ?Sized),
    clean: &Matrix,
    noisy: &Matrix,
    sigma: f32,
    slices: &Slices,
) -> TapedScalar {
    let (clean, places) = (numbers(clean), numbers(noisy));
    let variance = sigma * sigma;
    sliced(energy, noisy, slices, |row, direction, [_, low, high], slopes| {
        let all = row * direction.len()..(row + 1) * direction.len();
        let noise = places[all.clone()].iter().zip(&clean[all]).zip(direction);
        let along: f32 = noise.map(|((noisy, clean), part)| part * (noisy - clean)).sum();
        let gap = (high - low) / (2.0 * slices.width) - along / variance;
        let slope = variance * gap / (2.0 * slices.width);
        *slopes = [0.0, -slope, slope];
        0.5 * variance * gap * gap
    })
}

/// Implicit score matching (Hyvärinen, 2005; sliced: Song et al., 2019): the mean of `|∇F(y)|² / 2 - ΔF(y)`, which differs from half of
/// the squared error of the slope by a constant. `y` is `[rows, y]`; the value may be below zero.
#[must_use]
pub fn implicit(energy: &(impl Energy + ?Sized), y: &Matrix, slices: &Slices) -> TapedScalar {
    let width = slices.width;
    sliced(energy, y, slices, |_, _, [middle, low, high], slopes| {
        let first = (high - low) / (2.0 * width);
        let curve = -1.0 / (width * width);
        *slopes = [-2.0 * curve, curve - first / (2.0 * width), curve + first / (2.0 * width)];
        0.5 * first * first + curve * (high + low - 2.0 * middle)
    })
}

/// The mean over rows of the sum over axes of `part`, estimated from the directions there are. `part` gets the row, the direction, and the
/// energies at the place and to both sides of it; it gives the value and its slopes by these energies.
fn sliced(
    energy: &(impl Energy + ?Sized),
    y: &Matrix,
    slices: &Slices,
    mut part: impl FnMut(usize, &[f32], [f32; 3], &mut [f32; 3]) -> f32,
) -> TapedScalar {
    let (rows, columns) = *y.shape();
    let count = slices.directions.len() / columns.max(1);
    let values = numbers(y);
    // First all places, then those to one side along each direction, then those to the other.
    let mut places = values.clone();
    for side in [-slices.width, slices.width] {
        for direction in slices.directions.chunks_exact(columns.max(1)) {
            places.extend(values.iter().zip(direction.iter().cycle()).map(|(value, part)| value + side * part));
        }
    }
    let all = rows * (1 + 2 * count);
    let energies = energy.energies(&nothing(all), &matrix(places, columns), PassTape::default());
    let (energies, tape) = energies.split_tape();
    let at = numbers(&energies);
    let share = columns as f32 / (rows * count).max(1) as f32;
    let (mut loss, mut by_energies) = (0.0, vec![0.0; all]);
    for (index, direction) in slices.directions.chunks_exact(columns.max(1)).enumerate() {
        for row in 0..rows {
            let places = [row, rows * (1 + index) + row, rows * (1 + count + index) + row];
            let mut slopes = [0.0; 3];
            loss += share * part(row, direction, places.map(|place| at[place]), &mut slopes);
            places.iter().zip(slopes).for_each(|(place, slope)| by_energies[*place] += share * slope);
        }
    }
    with_slopes(loss, [(&energies, by_energies)], tape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gallery::score_matching::Gaussian,
        network::{Activation, Adam, Network},
        ops::columns,
        random,
    };
    use dfdx::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn slopes_agree_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut network = Network::random(&[2, 6, 1], Activation::Tanh, &mut rng);
        let [clean, noisy] = [0, 1].map(|_| matrix(random::normals(10, &mut rng), 2));
        let slices = Slices::axes(2, 0.3);
        for kind in 0..2 {
            let of = |network: &Network| {
                if kind == 0 {
                    implicit(network, &clean, &slices)
                } else {
                    denoising(network, &clean, &noisy, 0.8, &slices)
                }
            };
            let weights = network.layers[0][0].clone();
            let slopes = of(&network).backward().get(&weights).as_vec();
            for (index, got) in slopes.into_iter().enumerate() {
                let mut at = |offset: f32| {
                    let mut values = numbers(&weights);
                    values[index] += offset;
                    network.layers[0][0] = matrix(values, 6);
                    of(&network).as_vec()[0]
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((got - slope).abs() < 2e-3, "kind {kind}, weight {index}: {got} against {slope}");
                network.layers[0][0] = weights.clone();
            }
        }
    }

    /// A sample of a Gaussian of known mean and covariance: its moments are what both ways must find.
    #[test]
    fn recovers_the_parameters_of_a_gaussian() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let data: Vec<f32> = (0..4000)
            .flat_map(|_| {
                let [a, b] = [0, 1].map(|_| random::normal(&mut rng));
                [1.0 + 0.8 * a, -0.5 + 0.6 * a + 0.7 * b]
            })
            .collect();
        let sigma = 0.5;
        let slices = Slices::axes(2, 0.5);
        for noise in [0.0, sigma] {
            let mut model = Gaussian { mean: matrix(vec![0.0; 2], 2), factor: matrix(vec![1.0, 0.0, 0.0, 1.0], 2) };
            let mut adam = Adam::new(0.05);
            for update in 0..500 {
                adam.rate = 0.05 * (1.0 - update as f32 / 500.0);
                let from = 2 * rng.gen_range(0..3744);
                let clean = matrix(data[from..from + 512].to_vec(), 2);
                let loss = if noise == 0.0 {
                    implicit(&model, &clean, &slices)
                } else {
                    let noisy = numbers(&clean).iter().map(|value| value + noise * random::normal(&mut rng)).collect();
                    denoising(&model, &clean, &matrix(noisy, 2), noise, &slices)
                };
                assert!(adam.step([&mut model.mean, &mut model.factor], &mut loss.backward()));
            }
            let (mean, precision) = (numbers(&model.mean), model.precision());
            assert!((mean[0] - 1.0).abs() < 0.06 && (mean[1] + 0.5).abs() < 0.06, "{mean:?}");
            // The precision is the inverse of the covariance, with the noise's on its diagonal.
            let (v, w, c) = (0.64 + noise * noise, 0.36 + 0.49 + noise * noise, 0.48);
            let determinant = v * w - c * c;
            for (got, exact) in precision.iter().zip([w / determinant, -c / determinant, v / determinant]) {
                assert!((got - exact).abs() < 0.1 * w / determinant, "noise {noise}: {precision:?} against {exact}");
            }
        }
    }

    /// Both kinds are as good along random directions, on average.
    #[test]
    fn random_directions_estimate_the_same() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let y = matrix(random::normals(60, &mut rng), 3);
        let energy = |_: &Matrix, y: &Matrix, tape| {
            let (first, tape) = columns(y.clone().put_tape(tape), 0..1).sum::<_, Axis<1>>().sin().split_tape();
            y.clone().put_tape(tape).square().sum::<_, Axis<1>>() + first
        };
        let exact = implicit(&energy, &y, &Slices::axes(3, 0.1)).as_vec()[0];
        let directions = super::super::sigreg::directions(400, 3, &mut rng);
        let estimate = implicit(&energy, &y, &Slices { directions, width: 0.1 }).as_vec()[0];
        assert!((exact - estimate).abs() < 0.15, "{exact} {estimate}");
    }
}
