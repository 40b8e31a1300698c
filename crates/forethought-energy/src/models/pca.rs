//! Principal components: a linear autoencoder whose latent has few dimensions. Read first: [`Pca::energy`].

use super::{ModelError, Samples, check};
use nalgebra::{DMatrix, DVector};

/// The energy `F(y) = min_z |y - m - W z|²`, with few orthonormal columns in `W` (Dawid & LeCun 2023, Sec. 4.2). What keeps it from
/// going flat is that `z` has few dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    mean: DVector<f64>,
    components: DMatrix<f64>,
    variances: DVector<f64>,
}

impl Pca {
    /// The components along which samples vary most, by the eigenvectors of their covariance.
    ///
    /// # Errors
    /// No samples, values that are not finite, or more components than features.
    pub fn fit(samples: &Samples, components: usize) -> Result<Self, ModelError> {
        check("PCA", samples, 1)?;
        let (mean, covariance) = moments(samples);
        if components > mean.len() {
            let takes = format!("up to {}, what a sample has of numbers", mean.len());
            return Err(ModelError::Setting { what: "the number of components", value: components.to_string(), takes });
        }
        let eigen = covariance.symmetric_eigen();
        let mut order: Vec<usize> = (0..mean.len()).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
        let chosen = &order[..components];
        let variances =
            DVector::from_iterator(components, chosen.iter().map(|index| eigen.eigenvalues[*index].max(0.0)));
        Ok(Self { mean, components: eigen.eigenvectors.select_columns(chosen), variances })
    }

    /// Begin somewhere: any directions, `[features, components]`, made orthonormal. [`Pca::step`] leads from there to the principal
    /// ones.
    ///
    /// # Errors
    /// No samples, or directions for other numbers of features.
    pub fn begin(samples: &Samples, directions: DMatrix<f64>) -> Result<Self, ModelError> {
        check("PCA", samples, 1)?;
        if directions.nrows() != samples.nrows() || directions.ncols() > samples.nrows() {
            return Err(ModelError::Features { model: "PCA", expected: directions.nrows(), got: samples.nrows() });
        }
        let variances = DVector::zeros(directions.ncols());
        Ok(Self { mean: samples.column_mean(), components: directions.qr().q(), variances })
    }

    /// A step of gradient descent on the samples' mean energy, back to orthonormal columns after it (Oja's subspace rule, 1989).
    pub fn step(&mut self, samples: &Samples, rate: f64) {
        let (_, covariance) = moments(samples);
        let moved = &self.components + rate * (&covariance * &self.components);
        let components = moved.qr().q();
        let spread = components.transpose() * covariance * &components;
        (self.components, self.variances) = (components, spread.diagonal());
    }

    /// The latent `[components]` at which the energy is lowest: `W'(y - m)`.
    #[must_use]
    pub fn encode(&self, y: &DVector<f64>) -> DVector<f64> {
        self.components.tr_mul(&(y - &self.mean))
    }

    /// What a latent stands for: `m + W z`.
    #[must_use]
    pub fn decode(&self, z: &DVector<f64>) -> DVector<f64> {
        &self.mean + &self.components * z
    }

    /// The squared distance to the nearest point that a latent stands for.
    #[must_use]
    pub fn energy(&self, y: &DVector<f64>) -> f64 {
        (y - self.decode(&self.encode(y))).norm_squared()
    }

    /// The energy's slope by `y`.
    #[must_use]
    pub fn gradient(&self, y: &DVector<f64>) -> DVector<f64> {
        2.0 * (y - self.decode(&self.encode(y)))
    }

    /// The mean of all samples.
    #[must_use]
    pub fn mean(&self) -> &DVector<f64> {
        &self.mean
    }

    /// `[features, components]`: orthonormal columns, the one of most variance first.
    #[must_use]
    pub fn components(&self) -> &DMatrix<f64> {
        &self.components
    }

    /// The variance along each component.
    #[must_use]
    pub fn variances(&self) -> &DVector<f64> {
        &self.variances
    }
}

/// The mean and the covariance (divided by the number of samples).
fn moments(samples: &Samples) -> (DVector<f64>, DMatrix<f64>) {
    let mean = samples.column_mean();
    let mut centred = samples.clone();
    centred.column_iter_mut().for_each(|mut sample| sample -= &mean);
    let covariance = &centred * centred.transpose() / samples.ncols() as f64;
    (mean, covariance)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{check_gradient, clumps},
        *,
    };

    #[test]
    fn its_energy_is_the_residual_of_the_singular_value_decomposition() {
        let samples = clumps(5, 60, 1);
        let mut centred = samples.clone();
        let mean = samples.column_mean();
        centred.column_iter_mut().for_each(|mut sample| sample -= &mean);
        let singular = centred.svd(false, false).singular_values;
        for components in 0..=5 {
            let pca = Pca::fit(&samples, components).unwrap();
            let energy: f64 = samples.column_iter().map(|y| pca.energy(&y.into_owned())).sum();
            let residual: f64 = singular.iter().skip(components).map(|value| value * value).sum();
            assert!((energy - residual).abs() < 1e-9 * (1.0 + residual), "{components}: {energy} against {residual}");
        }
    }

    #[test]
    fn steps_lead_to_the_same_energy() {
        let samples = clumps(4, 90, 2);
        let exact = Pca::fit(&samples, 2).unwrap();
        let mut pca = Pca::begin(&samples, DMatrix::identity(4, 2)).unwrap();
        let energy = |pca: &Pca| samples.column_iter().map(|y| pca.energy(&y.into_owned())).sum::<f64>();
        let mut last = energy(&pca);
        for _ in 0..300 {
            pca.step(&samples, 0.2);
            let now = energy(&pca);
            assert!(now < last + 1e-9);
            last = now;
        }
        assert!((last - energy(&exact)).abs() < 1e-6 * last, "{last} against {}", energy(&exact));
        assert!((pca.variances().sum() - exact.variances().sum()).abs() < 1e-6);
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let samples = clumps(5, 60, 3);
        let pca = Pca::fit(&samples, 2).unwrap();
        let y = samples.column(7) * 1.3;
        check_gradient(&y, &pca.gradient(&y), |y| pca.energy(y));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(Pca::fit(&Samples::zeros(3, 0), 1).unwrap_err().to_string().contains("at least 1 samples"));
        assert!(Pca::fit(&clumps(3, 9, 1), 4).unwrap_err().to_string().contains("up to 3"));
        assert_eq!(Pca::fit(&Samples::from_element(2, 3, f64::NAN), 1), Err(ModelError::NotFinite));
    }
}
