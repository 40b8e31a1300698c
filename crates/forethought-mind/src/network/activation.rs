//! Activations, as wide as the processor can. Read first: [`silu`].

use super::{packed::RowsMut, simd::Path};
use pulp::{Simd, WithSimd};

/// `exp(-x)` to a few units in the last place for `|x| < 87`, without branches or table look-ups; NaN stays NaN.
///
/// `2^f` on `[-1/2, 1/2]` is its Taylor polynomial of degree 6; the whole part goes straight into the exponent's bits.
#[inline(always)]
fn exp_of_minus<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    use std::f32::consts::{LN_2, LOG2_E};
    /// Adding it leaves the nearest whole number in the mantissa's low bits.
    const ROUND: f32 = 12_582_912.0;
    let number = |value: f32| simd.splat_f32s(value);
    // The bound comes first: of two operands, one of them no number, the second is taken.
    let x = simd.max_f32s(number(-87.0), simd.min_f32s(number(87.0), x));
    let shifted = simd.mul_add_e_f32s(x, number(-LOG2_E), number(ROUND));
    let whole = simd.sub_f32s(shifted, number(ROUND));
    let t = simd.neg_f32s(simd.mul_add_e_f32s(whole, number(LN_2), x));
    let mut power = number(1.0 / 720.0);
    for factor in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        power = simd.mul_add_e_f32s(power, t, number(factor));
    }
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(power), exponent))
}

/// `1 / x` to a few units in the last place for `x` in `[1, 1e38]`, faster than a division: the exponent's bits turned
/// round, then Newton's iteration; NaN stays NaN.
#[inline(always)]
fn reciprocal<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// Twice the exponent of 1, less what makes the worst first error least.
    const TURN: u32 = 0x7EF3_11C3;
    let minus_x = simd.neg_f32s(x);
    let mut y = simd.transmute_f32s_u32s(simd.sub_u32s(simd.splat_u32s(TURN), simd.transmute_u32s_f32s(x)));
    for _ in 0..3 {
        let error = simd.mul_add_e_f32s(minus_x, y, simd.splat_f32s(1.0));
        y = simd.mul_add_e_f32s(y, error, y);
    }
    y
}

/// SiLU and its slope.
#[inline(always)]
fn value_and_slope<S: Simd>(simd: S, x: S::f32s) -> [S::f32s; 2] {
    let one = simd.splat_f32s(1.0);
    let gate = reciprocal(simd, simd.add_f32s(one, exp_of_minus(simd, x)));
    let value = simd.mul_f32s(x, gate);
    [value, simd.mul_add_e_f32s(value, simd.sub_f32s(one, gate), gate)]
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
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { values: (values, stride), slopes, width } = self;
        let Some(slopes) = slopes else {
            for row in values.chunks_exact_mut(stride) {
                let (whole, rest) = S::as_mut_simd_f32s(&mut row[..width]);
                whole.iter_mut().for_each(|x| *x = value_and_slope(simd, *x)[0]);
                if !rest.is_empty() {
                    let x = simd.partial_load_f32s(rest);
                    simd.partial_store_f32s(rest, value_and_slope(simd, x)[0]);
                }
            }
            return;
        };
        for (row, slopes) in values.chunks_exact_mut(stride).zip(slopes.chunks_exact_mut(stride)) {
            let (whole, rest) = S::as_mut_simd_f32s(&mut row[..width]);
            let (slopes, rest_of_slopes) = S::as_mut_simd_f32s(&mut slopes[..width]);
            for (x, slope) in whole.iter_mut().zip(slopes) {
                [*x, *slope] = value_and_slope(simd, *x);
            }
            if !rest.is_empty() {
                let [value, slope] = value_and_slope(simd, simd.partial_load_f32s(rest));
                simd.partial_store_f32s(rest, value);
                simd.partial_store_f32s(rest_of_slopes, slope);
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
                assert!((plain[0] - value[0]).abs() <= 1e-6 * (1.0 + value[0].abs()), "{x} {path:?}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_so() {
        for path in Path::available() {
            // Alone, and among others.
            let mut values = [f32::NAN; 17];
            values[3] = 0.0;
            silu(path, (&mut values, 17), 17);
            assert!(values.iter().enumerate().all(|(i, value)| value.is_nan() == (i != 3)), "{path:?} {values:?}");
        }
    }

    #[test]
    fn a_row_gives_the_same_wherever_it_ends() {
        for path in Path::available() {
            let long: Vec<f32> = (0..40).map(|i| i as f32 * 0.3 - 6.0).collect();
            let (mut whole, mut slopes) = (long.clone(), vec![0.0; 40]);
            silu_with_slope(path, (&mut whole, 40), &mut slopes, 40);
            for width in 1..40 {
                let (mut part, mut part_slopes) = (long.clone(), vec![0.0; 40]);
                silu_with_slope(path, (&mut part, 40), &mut part_slopes, width);
                assert_eq!((&part[..width], &part_slopes[..width]), (&whole[..width], &slopes[..width]), "{path:?}");
                assert_eq!(part[width..], long[width..]);
            }
        }
    }
}
