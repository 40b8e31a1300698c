//! Surprise: prediction errors, weighed by what errors are like where nothing strange happens. Read first: [`Expectation`].

use nalgebra::{DMatrix, DVector, linalg::Cholesky};

/// Added to the variance of errors along each direction, relative to their mean: no direction is taken for free of error.
const RIDGE: f64 = 1e-3;

/// What prediction errors of a level are like on normal episodes.
#[derive(Debug, Clone)]
pub struct Expectation {
    width: usize,
    factor: Option<Cholesky<f64, nalgebra::Dyn>>,
}

impl Expectation {
    /// From errors `[rows, width]` of normal episodes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 rows")]
    pub fn fit(residuals: &[f32], width: usize) -> Self {
        let rows = (residuals.len() / width.max(1)).max(1);
        let errors = DMatrix::from_iterator(width, rows, residuals.iter().map(|value| f64::from(*value)));
        let mut covariance = &errors * errors.transpose() / rows as f64;
        let mean = covariance.trace() / width.max(1) as f64;
        for i in 0..width {
            covariance[(i, i)] += RIDGE * mean + 1e-12;
        }
        Self { width, factor: covariance.cholesky() }
    }

    /// The Mahalanobis length of each of these errors, `[rows, width]`: 1 along a direction is the usual error there.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "an energy")]
    pub fn weigh(&self, residuals: &[f32]) -> Vec<f32> {
        let weighed = |error: &[f32]| {
            let error = DVector::from_iterator(self.width, error.iter().map(|value| f64::from(*value)));
            let solved = self.factor.as_ref().and_then(|factor| factor.l_dirty().solve_lower_triangular(&error));
            solved.unwrap_or(error).norm() as f32
        };
        residuals.chunks_exact(self.width.max(1)).map(weighed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_where_errors_are_rare_weighs_more() {
        let residuals: Vec<f32> = (0..1000)
            .flat_map(|i| [((i * 37) % 101) as f32 / 50.0 - 1.0, ((i * 53) % 97) as f32 / 4800.0 - 0.01])
            .collect();
        let expectation = Expectation::fit(&residuals, 2);
        let [wide, narrow] = expectation.weigh(&[0.5, 0.0, 0.0, 0.5])[..] else { panic!("two rows") };
        assert!((wide - 0.5 * 3.0_f32.sqrt()).abs() < 0.1, "{wide}");
        assert!(narrow > 10.0 * wide, "{narrow}");
    }
}
