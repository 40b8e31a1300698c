//! Collapse made measurable (Dawid & LeCun 2023, Sec. 4). Read first: [`effective_rank`] and [`deviation`].

use nalgebra::DMatrix;

/// The effective rank of a representation (Roy & Vetterli, 2007): the exponential of the entropy of the singular values
/// of the centred `[rows, columns]` matrix, each divided by their sum.
///
/// It does not see scale: what has shrunk to a point but for noise may have a high rank. It lies between 1 (all variation along one direction) and `columns` (evenly spread); 0 where nothing varies or a
/// value is not finite.
#[must_use]
pub fn effective_rank(values: &[f32], columns: usize) -> f32 {
    if columns == 0 || values.len() < 2 * columns || values.iter().any(|value| !value.is_finite()) {
        return 0.0;
    }
    let rows = values.len() / columns;
    let mut centred = DMatrix::from_row_iterator(rows, columns, values[..rows * columns].iter().map(|v| f64::from(*v)));
    for mut column in centred.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    let spectrum = (centred.transpose() * &centred).symmetric_eigenvalues();
    let singular: Vec<f64> = spectrum.iter().map(|eigenvalue| eigenvalue.max(0.0).sqrt()).collect();
    let sum: f64 = singular.iter().sum();
    if sum <= 1e-9 {
        return 0.0;
    }
    let entropy: f64 = singular.iter().map(|s| s / sum).filter(|p| *p > 1e-12).map(|p| -p * p.ln()).sum();
    #[expect(clippy::cast_possible_truncation, reason = "at most the number of columns")]
    let rank = entropy.exp() as f32;
    rank
}

/// The standard deviation of a representation `[rows, columns]`, the root of the variances' mean over components: 0 where every
/// row is the same or a value is not finite.
#[must_use]
pub fn deviation(values: &[f32], columns: usize) -> f32 {
    if columns == 0 || values.len() < columns || values.iter().any(|value| !value.is_finite()) {
        return 0.0;
    }
    let rows = (values.len() / columns) as f64;
    let variance = |column: usize| {
        let all = || values.iter().skip(column).step_by(columns).map(|value| f64::from(*value));
        let mean = all().sum::<f64>() / rows;
        all().map(|value| (value - mean).powi(2)).sum::<f64>() / rows
    };
    let variances: f64 = (0..columns).map(variance).sum();
    #[expect(clippy::cast_possible_truncation, reason = "of single-precision numbers")]
    let deviation = (variances / columns as f64).sqrt() as f32;
    deviation
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn counts_directions() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut even = Vec::new();
        let mut line = Vec::new();
        for _ in 0..2000 {
            even.extend((0..8).map(|_| rng.gen_range(-1.0..1.0_f32)));
            let along: f32 = rng.gen_range(-1.0..1.0);
            line.extend((0..8).map(|c| along * (c as f32 - 3.0) + 5.0));
        }
        assert!(effective_rank(&even, 8) > 7.9);
        assert!((effective_rank(&line, 8) - 1.0).abs() < 1e-2);
        assert_eq!(effective_rank(&[2.0; 800], 8), 0.0);
        assert_eq!(effective_rank(&[f32::NAN; 800], 8), 0.0);
    }

    #[test]
    fn measures_spread_wherever_it_lies() {
        // One component of variance 4, one of none.
        let values: Vec<f32> = (0..100).flat_map(|row| [if row % 2 == 0 { 7.0 } else { 3.0 }, -5.0]).collect();
        assert!((deviation(&values, 2) - 2.0_f32.sqrt()).abs() < 1e-6);
        assert_eq!(deviation(&[2.5; 80], 8), 0.0);
        assert_eq!(deviation(&[f32::NAN; 80], 8), 0.0);
    }
}
