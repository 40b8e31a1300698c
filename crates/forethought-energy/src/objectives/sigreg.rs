//! SIGReg, LeJEPA's sketched isotropic Gaussian regularisation (Balestriero & LeCun, 2025): a cloud whose every projection on a
//! line is a standard Gaussian is one itself. Read first: [`loss`].

use super::with_slopes;
use crate::{TapedMatrix, TapedScalar, numbers};
use dfdx::prelude::{HasShape, SplitTape};
use rand::Rng;

/// Up to where the characteristic functions are compared.
const LAST: f32 = 3.0;
/// At how many points besides 0, where they are equal; the integrand is even, so that negative ones say nothing new.
const POINTS: usize = 16;

/// `count` directions of length 1, uniform on the sphere: `[count, latent]` row by row.
#[must_use]
pub fn directions(count: usize, latent: usize, rng: &mut impl Rng) -> Vec<f32> {
    let mut all = Vec::with_capacity(count * latent);
    for _ in 0..count {
        // Normal numbers (Box & Muller, 1958) favour no direction.
        let mut normal = || {
            let (radius, angle) = (1.0 - rng.gen_range(0.0..1.0_f32), rng.gen_range(0.0..std::f32::consts::TAU));
            (-2.0 * radius.ln()).sqrt() * angle.cos()
        };
        let direction: Vec<f32> = (0..latent).map(|_| normal()).collect();
        let length = direction.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
        all.extend(direction.iter().map(|value| value / length));
    }
    all
}

/// The mean over directions `[directions, latent]` of Epps and Pulley's statistic of the projections of `latents`,
/// `[rows, latent]`, against the standard Gaussian, `rows` times the integral of `|φ(t) - exp(-t²/2)|² exp(-t²/2)`, where `φ` is
/// the empirical characteristic function, the mean over rows of `exp(i t x)` (Balestriero & LeCun, 2025, Sec. 4; here over
/// |t| < 3, by the trapezoidal rule). To a scalar: about 1 for a standard Gaussian, 0.4 `rows` for rows all at 0.
#[must_use]
pub fn loss(latents: TapedMatrix, directions: &[f32]) -> TapedScalar {
    let (rows, columns) = *latents.shape();
    let (latents, tape) = latents.split_tape();
    let values = numbers(&latents);
    let share = columns as f32 / directions.len().max(1) as f32;
    let mut by_latents = vec![0.0; values.len()];
    let mut sketch = Sketch::of(rows);
    let mut loss = 0.0;
    for direction in directions.chunks_exact(columns) {
        loss += share * sketch.project(&values, direction);
        for (slopes, slope) in by_latents.chunks_exact_mut(columns).zip(&sketch.slopes) {
            slopes.iter_mut().zip(direction).for_each(|(sum, part)| *sum += share * slope * part);
        }
    }
    with_slopes(loss, [(&latents, by_latents)], tape)
}

/// The projections on one direction.
struct Sketch {
    /// Of each row's projection `x`: `cos(h x)` and `sin(h x)`, where `h` is the distance of neighbouring points.
    first: [Vec<f32>; 2],
    /// The same at the present point, from the one before by a rotation.
    present: [Vec<f32>; 2],
    /// The statistic's slope by each projection.
    slopes: Vec<f32>,
}

impl Sketch {
    fn of(rows: usize) -> Self {
        let zeros = || vec![0.0; rows];
        Self { first: [zeros(), zeros()], present: [zeros(), zeros()], slopes: zeros() }
    }

    /// The statistic on this direction.
    fn project(&mut self, values: &[f32], direction: &[f32]) -> f32 {
        let step = LAST / POINTS as f32;
        let [cosines, sines] = &mut self.first;
        for ((row, cosine), sine) in values.chunks_exact(direction.len()).zip(cosines).zip(sines) {
            let projected: f32 = row.iter().zip(direction).map(|(value, part)| value * part).sum();
            (*sine, *cosine) = (step * projected).sin_cos();
        }
        let mut gaps = [[0.0; 2]; POINTS];
        let mut statistic = 0.0;
        self.rewind();
        for (index, gap) in gaps.iter_mut().enumerate() {
            let Point { gaussian, weight, .. } = Point::at(index);
            self.advance();
            let rows = self.slopes.len() as f32;
            let [real, imaginary] = self.present.each_ref().map(|parts| sum(parts) / rows);
            *gap = [real - gaussian, imaginary];
            statistic += rows * weight * (gap[0] * gap[0] + gap[1] * gap[1]);
            gap.iter_mut().for_each(|gap| *gap *= 2.0 * weight);
        }
        self.slopes.fill(0.0);
        self.rewind();
        for (index, [real, imaginary]) in gaps.into_iter().enumerate() {
            let Point { at, .. } = Point::at(index);
            self.advance();
            let [cosines, sines] = &self.present;
            for ((slope, cosine), sine) in self.slopes.iter_mut().zip(cosines).zip(sines) {
                *slope += at * (imaginary * cosine - real * sine);
            }
        }
        statistic
    }

    fn rewind(&mut self) {
        self.present[0].fill(1.0);
        self.present[1].fill(0.0);
    }

    fn advance(&mut self) {
        let ([cosines, sines], [by_cosines, by_sines]) = (&mut self.present, &self.first);
        for (((cosine, sine), c), s) in cosines.iter_mut().zip(sines).zip(by_cosines).zip(by_sines) {
            (*cosine, *sine) = (*cosine * c - *sine * s, *sine * c + *cosine * s);
        }
    }
}

/// A point at which the characteristic functions are compared.
struct Point {
    at: f32,
    /// The standard Gaussian's.
    gaussian: f32,
    /// Its share in the integral, with that of the point on the other side of 0.
    weight: f32,
}

impl Point {
    fn at(index: usize) -> Self {
        let step = LAST / POINTS as f32;
        let at = step * (index + 1) as f32;
        let gaussian = (-0.5 * at * at).exp();
        let half = if index + 1 == POINTS { 0.5 } else { 1.0 };
        Self { at, gaussian, weight: 2.0 * half * step * gaussian }
    }
}

/// In 16 sums, so that the compiler vectorises it.
fn sum(values: &[f32]) -> f32 {
    let (blocks, rest) = values.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, value)| *sum += value);
    }
    sums.iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{check_gradients, matrix, normal},
        *,
    };
    use dfdx::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn some_directions(count: usize, latent: usize) -> Vec<f32> {
        directions(count, latent, &mut ChaCha8Rng::seed_from_u64(9))
    }

    fn of(values: &[f32], latent: usize) -> f32 {
        loss(matrix(values, latent).leaky_trace(), &some_directions(200, latent)).as_vec()[0]
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let directions = some_directions(5, 4);
        check_gradients(&normal(20, 4, 1), &[0.0; 4], 4, |latents, other| {
            // The second matrix is of no account.
            let (latents, tape) = latents.split_tape();
            let none = with_slopes(0.0, [(other, vec![0.0; 4])], tape);
            let (none, tape) = none.split_tape();
            loss(latents.put_tape(tape), &directions) + none
        });
    }

    /// The statistic of one direction by its formula, in double precision and over many points.
    #[test]
    fn agrees_with_the_integral() {
        let values = normal(50, 1, 2);
        let got = loss(matrix(&values, 1).leaky_trace(), &[1.0]).as_vec()[0];
        let (points, step) = (3000, 1e-3);
        let mut integral = 0.0;
        for index in -points..points {
            let t = (f64::from(index) + 0.5) * step;
            let mean = |f: fn(f64) -> f64| values.iter().map(|x| f(t * f64::from(*x))).sum::<f64>() / 50.0;
            let gaussian = (-0.5 * t * t).exp();
            integral += step * gaussian * ((mean(f64::cos) - gaussian).powi(2) + mean(f64::sin).powi(2));
        }
        assert!((f64::from(got) - 50.0 * integral).abs() < 2e-3, "{got} against {}", 50.0 * integral);
    }

    #[test]
    fn is_small_for_a_gaussian_only() {
        let gaussian = normal(500, 6, 3);
        assert!(of(&gaussian, 6) < 2.0, "{}", of(&gaussian, 6));
        let changed = |change: fn(f32) -> f32| of(&gaussian.iter().map(|x| change(*x)).collect::<Vec<_>>(), 6);
        assert!((of(&[0.0; 3000], 6) - 0.41 * 500.0).abs() < 5.0, "all at 0: {}", of(&[0.0; 3000], 6));
        assert!(changed(|x| 0.3 * x) > 50.0 && changed(|x| 3.0 * x) > 50.0, "another variance");
        assert!(changed(|x| x + 1.0) > 50.0, "another mean");
        // Of the same mean and variance: two points, and a cloud that misses dimensions.
        let signs: Vec<f32> = gaussian.iter().map(|x| x.signum()).collect();
        assert!(loss(matrix(&signs, 1).leaky_trace(), &[1.0]).as_vec()[0] > 100.0);
        let mut flat = gaussian.clone();
        flat.chunks_exact_mut(6).for_each(|row| row.iter_mut().skip(1).for_each(|value| *value = 0.0));
        assert!(of(&flat, 6) > 50.0);
    }

    /// Rows that are nearly the same are driven apart.
    #[test]
    fn its_gradient_spreads_a_collapsed_batch() {
        let near: Vec<f32> = normal(64, 3, 4).iter().map(|value| 0.05 * value).collect();
        let x = matrix(&near, 3);
        let gradient = loss(x.leaky_trace(), &some_directions(50, 3)).backward().get(&x).as_vec();
        let along: f32 = near.iter().zip(gradient).map(|(value, slope)| value * slope).sum();
        assert!(along < 0.0);
    }

    #[test]
    fn directions_have_length_one_and_no_favourite() {
        let all = some_directions(4000, 3);
        assert!(all.chunks_exact(3).all(|d| (d.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5));
        for component in 0..3 {
            let mean = |f: fn(f32) -> f32| all.iter().skip(component).step_by(3).map(|x| f(*x)).sum::<f32>() / 4000.0;
            assert!(mean(|x| x).abs() < 0.05 && (mean(|x| x * x) - 1.0 / 3.0).abs() < 0.03);
        }
    }
}
