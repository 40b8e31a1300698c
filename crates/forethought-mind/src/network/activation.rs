//! Activations, written so that the compiler vectorises them, as wide as the processor can. Nothing is fused or
//! reordered, so that all widths give the same bits. Read first: [`silu`].

use super::{packed::RowsMut, simd::Path};
use pulp::{Simd, WithSimd};

/// `exp(x)` to 2 units in the last place for `|x| < 87`, without branches or table look-ups; NaN stays NaN.
///
/// `2^f` on `[-1/2, 1/2]` is its Taylor polynomial of degree 6; the whole part goes straight into the exponent's bits.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it leaves the nearest whole number in the mantissa's low bits.
    const ROUND: f32 = 12_582_912.0;
    let scaled = x.clamp(-87.0, 87.0) * std::f32::consts::LOG2_E;
    let shifted = scaled + ROUND;
    let fraction = scaled - (shifted - ROUND);
    let t = fraction * std::f32::consts::LN_2;
    let power =
        1.0 + t * (1.0 + t * (0.5 + t * (1.0 / 6.0 + t * (1.0 / 24.0 + t * (1.0 / 120.0 + t * (1.0 / 720.0))))));
    let whole = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    power * f32::from_bits(whole)
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `x · sigmoid(x)` in place (Elfwing et al., 2018), of the first `width` numbers of each row.
pub(crate) fn silu(path: Path, values: RowsMut, width: usize) {
    path.run(Silu { values, slopes: None, width });
}

/// As [`silu`], and its derivative `sigmoid(x) · (1 + x · (1 - sigmoid(x)))` into `slopes`, whose rows are as far apart.
pub(crate) fn silu_with_slope(path: Path, values: RowsMut, slopes: &mut [f32], width: usize) {
    path.run(Silu { values, slopes: Some(slopes), width });
}

/// A type of its own, for a closure as large as this would not be inlined to where the instructions are wide.
struct Silu<'a> {
    values: RowsMut<'a>,
    slopes: Option<&'a mut [f32]>,
    width: usize,
}

impl WithSimd for Silu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { values: (values, stride), slopes, width } = self;
        let Some(slopes) = slopes else {
            for row in values.chunks_exact_mut(stride) {
                row[..width].iter_mut().for_each(|x| *x *= sigmoid(*x));
            }
            return;
        };
        for (row, slopes) in values.chunks_exact_mut(stride).zip(slopes.chunks_exact_mut(stride)) {
            for (x, slope) in row[..width].iter_mut().zip(&mut slopes[..width]) {
                let gate = sigmoid(*x);
                *slope = gate * (1.0 + *x * (1.0 - gate));
                *x *= gate;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_formula() {
        for i in -2000..=2000 {
            let x = f64::from(i) * 0.05;
            let gate = 1.0 / (1.0 + (-x).exp());
            let (mut value, mut slope) = ([x as f32], [0.0]);
            silu_with_slope(Path::best(), (&mut value, 1), &mut slope, 1);
            assert!((f64::from(value[0]) - x * gate).abs() <= 1e-6 * (1.0 + x.abs()), "{x}");
            assert!((f64::from(slope[0]) - gate * (1.0 + x * (1.0 - gate))).abs() < 2e-6, "{x}");
            for path in Path::available() {
                let mut plain = [x as f32];
                silu(path, (&mut plain, 1), 1);
                assert_eq!(plain, value);
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let mut values = [f32::NAN];
        silu(Path::best(), (&mut values, 1), 1);
        assert!(values[0].is_nan());
    }
}
