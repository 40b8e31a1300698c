//! A mixture of Gaussians: k-means with a shape for each centre, marginalised over which. Read first: [`GaussianMixture::energy`] and
//! [`GaussianMixture::step`].

use super::{ModelError, Samples, check};
use crate::nodes::log_sum_exp;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use std::f64::consts::TAU;

/// The energy `E(y, k) = -log(p_k N(y; m_k, S_k))`, and `F(y) = -1/beta log sum_k exp(-beta E(y, k))` (Dawid & LeCun 2023, Sec. 4.2 and
/// Eq. A5). At a beta of 1, `F` is the negative log-likelihood. What keeps it from going flat is that each Gaussian is normalised.
#[derive(Debug, Clone)]
pub struct GaussianMixture {
    weights: DVector<f64>,
    means: DMatrix<f64>,
    covariances: Vec<DMatrix<f64>>,
    parts: Vec<Part>,
}

/// A Gaussian, ready to be asked: `-log(p N(y))` is `|L⁻¹(y - m)|² / 2 + offset`.
#[derive(Debug, Clone)]
struct Part {
    /// `L⁻¹`, of the covariance `L L'`.
    whiten: DMatrix<f64>,
    offset: f64,
}

impl GaussianMixture {
    /// From weights that sum to 1, means `[features, parts]` and covariances.
    ///
    /// # Errors
    /// Sizes that do not fit together, a covariance that is not positive definite.
    pub fn new(weights: DVector<f64>, means: DMatrix<f64>, covariances: Vec<DMatrix<f64>>) -> Result<Self, ModelError> {
        let (features, count) = means.shape();
        if weights.len() != count || covariances.len() != count || count == 0 {
            let takes = format!("a weight and a covariance for each of {count} means, one or more");
            return Err(ModelError::Setting { what: "the number of parts", value: weights.len().to_string(), takes });
        }
        let part = |(index, covariance): (usize, &DMatrix<f64>)| {
            if covariance.shape() != (features, features) {
                return Err(ModelError::Features {
                    model: "a covariance",
                    expected: features,
                    got: covariance.nrows(),
                });
            }
            let takes = "a positive definite matrix; a higher `floor` under the variances makes it one";
            let lower = Cholesky::<f64, Dyn>::new(covariance.clone()).map(|cholesky| cholesky.l());
            let whiten = lower.and_then(|lower| lower.solve_lower_triangular(&DMatrix::identity(features, features)));
            let whiten = whiten.ok_or_else(|| ModelError::Setting {
                what: "a covariance",
                value: format!("of part {index} as it is"),
                takes: takes.to_owned(),
            })?;
            let log_scale: f64 = whiten.diagonal().iter().map(|value| value.ln()).sum();
            let offset = 0.5 * features as f64 * TAU.ln() - log_scale - weights[index].max(f64::MIN_POSITIVE).ln();
            Ok(Part { whiten, offset })
        };
        let parts = covariances.iter().enumerate().map(part).collect::<Result<_, _>>()?;
        Ok(Self { weights, means, covariances, parts })
    }

    /// Begin with Gaussians around these means `[features, parts]`, each of the samples that are nearest to it, with `floor` added to
    /// all variances.
    ///
    /// # Errors
    /// Too few samples, values that are not finite, a floor of nothing.
    pub fn around(samples: &Samples, means: &DMatrix<f64>, floor: f64) -> Result<Self, ModelError> {
        check("a mixture", samples, means.ncols())?;
        let (nearest, _) = super::KMeans::new(means.clone()).assign(samples);
        let mut shares = DMatrix::zeros(means.ncols(), samples.ncols());
        nearest.iter().enumerate().for_each(|(sample, part)| shares[(*part, sample)] = 1.0);
        Self::of_shares(samples, &shares, floor)
    }

    /// A step of expectation-maximisation (Dempster, Laird & Rubin, 1977): each Gaussian takes its share of each sample, and becomes
    /// the best for these. The mean log-likelihood before that; it never falls (but for what `floor` does).
    ///
    /// # Errors
    /// A covariance is not positive definite: raise `floor`.
    pub fn step(&mut self, samples: &Samples, floor: f64) -> Result<f64, ModelError> {
        let mut shares = self.joint_energies(samples);
        let mut sum = 0.0;
        for mut sample in shares.column_iter_mut() {
            let evidence = log_sum_exp(sample.as_slice().iter().map(|energy| -energy));
            sample.iter_mut().for_each(|value| *value = (-*value - evidence).exp());
            sum += evidence;
        }
        *self = Self::of_shares(samples, &shares, floor)?;
        Ok(sum / samples.ncols().max(1) as f64)
    }

    /// Steps until the mean log-likelihood rises by less than `tolerance`, or after `steps`; the mean log-likelihood before the last.
    ///
    /// # Errors
    /// As [`GaussianMixture::step`].
    pub fn ascend(
        &mut self,
        samples: &Samples,
        floor: f64,
        (steps, tolerance): (usize, f64),
    ) -> Result<f64, ModelError> {
        let mut last = f64::NEG_INFINITY;
        for _ in 0..steps {
            let likelihood = self.step(samples, floor)?;
            if likelihood - last < tolerance {
                return Ok(likelihood);
            }
            last = likelihood;
        }
        Ok(last)
    }

    /// The best Gaussians for shares `[parts, samples]`.
    fn of_shares(samples: &Samples, shares: &DMatrix<f64>, floor: f64) -> Result<Self, ModelError> {
        let (features, count) = samples.shape();
        let mut sums = shares.column_sum();
        // A Gaussian without samples would divide by nothing.
        sums.iter_mut().for_each(|sum| *sum += 10.0 * f64::EPSILON);
        let mut means = samples * shares.transpose();
        let mut covariances = Vec::with_capacity(shares.nrows());
        let mut scaled = DMatrix::zeros(features, count);
        for (part, share) in shares.row_iter().enumerate() {
            let mut mean = means.column_mut(part);
            mean /= sums[part];
            for ((mut to, from), share) in scaled.column_iter_mut().zip(samples.column_iter()).zip(share.iter()) {
                let root = share.sqrt();
                to.iter_mut().zip(&from).zip(&mean).for_each(|((to, y), mean)| *to = root * (y - mean));
            }
            let mut covariance = &scaled * scaled.transpose() / sums[part];
            (0..features).for_each(|index| covariance[(index, index)] += floor);
            covariances.push(covariance);
        }
        let weights = &sums / sums.sum();
        Self::new(weights, means, covariances)
    }

    /// `E(y, k)` of all samples, `[parts, samples]`.
    #[must_use]
    pub fn joint_energies(&self, samples: &Samples) -> DMatrix<f64> {
        let mut energies = DMatrix::zeros(self.parts.len(), samples.ncols());
        let mut white = DMatrix::zeros(samples.nrows(), samples.ncols());
        for ((index, part), mean) in self.parts.iter().enumerate().zip(self.means.column_iter()) {
            white.gemm(1.0, &part.whiten, samples, 0.0);
            let shift = &part.whiten * mean;
            for (energy, white) in energies.row_mut(index).iter_mut().zip(white.column_iter()) {
                let squares: f64 = white.iter().zip(&shift).map(|(a, b)| (a - b) * (a - b)).sum();
                *energy = 0.5 * squares + part.offset;
            }
        }
        energies
    }

    /// `F(y)` at an inverse temperature; at infinity, the least over all parts.
    #[must_use]
    pub fn energy(&self, y: &DVector<f64>, beta: f64) -> f64 {
        let joint = self.joint(y);
        let least = joint.iter().copied().fold(f64::INFINITY, f64::min);
        if beta.is_finite() { -log_sum_exp(joint.iter().map(|energy| -beta * energy)) / beta } else { least }
    }

    /// The energy's slope by `y`: the parts' slopes, each by its share of `y`.
    #[must_use]
    pub fn gradient(&self, y: &DVector<f64>, beta: f64) -> DVector<f64> {
        let joint = self.joint(y);
        let least = joint.iter().copied().fold(f64::INFINITY, f64::min);
        let scores: Vec<f64> =
            joint
                .iter()
                .map(|energy| {
                    if beta.is_finite() {
                        (beta * (least - energy)).exp()
                    } else {
                        f64::from(u8::from(*energy <= least))
                    }
                })
                .collect();
        let sum: f64 = scores.iter().sum();
        let mut slope = DVector::zeros(y.len());
        for ((part, mean), score) in self.parts.iter().zip(self.means.column_iter()).zip(scores) {
            slope += score / sum * part.whiten.tr_mul(&(&part.whiten * (y - mean)));
        }
        slope
    }

    fn joint(&self, y: &DVector<f64>) -> Vec<f64> {
        let parts = self.parts.iter().zip(self.means.column_iter());
        parts.map(|(part, mean)| 0.5 * (&part.whiten * (y - mean)).norm_squared() + part.offset).collect()
    }

    /// How likely each part is.
    #[must_use]
    pub fn weights(&self) -> &DVector<f64> {
        &self.weights
    }

    /// `[features, parts]`.
    #[must_use]
    pub fn means(&self) -> &DMatrix<f64> {
        &self.means
    }

    /// Of each part.
    #[must_use]
    pub fn covariances(&self) -> &[DMatrix<f64>] {
        &self.covariances
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            KMeans,
            tests::{check_gradient, clumps},
        },
        *,
    };
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn begun(samples: &Samples, parts: usize) -> GaussianMixture {
        let start = KMeans::spread(samples, parts, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        GaussianMixture::around(samples, start.centres(), 1e-9).unwrap()
    }

    #[test]
    fn a_step_never_lowers_the_likelihood() {
        let samples = clumps(3, 400, 1);
        let mut model = begun(&samples, 5);
        let mut last = f64::NEG_INFINITY;
        for _ in 0..60 {
            let likelihood = model.step(&samples, 1e-9).unwrap();
            assert!(likelihood > last - 1e-8, "{likelihood} after {last}");
            last = likelihood;
        }
        assert!((model.weights().sum() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_part_is_the_samples_own_gaussian() {
        let samples = clumps(2, 200, 2);
        let model = begun(&samples, 1);
        let mean = samples.column_mean();
        assert!((model.means().column(0) - &mean).norm() < 1e-9);
        let variance = samples.row(0).iter().map(|value| (value - mean[0]).powi(2)).sum::<f64>() / 200.0;
        assert!((model.covariances()[0][(0, 0)] - variance).abs() < 1e-6);
    }

    #[test]
    fn its_density_integrates_to_one() {
        let samples = clumps(2, 200, 3);
        let model = begun(&samples, 3);
        let cell = 0.05;
        let mut sum = 0.0;
        for row in -300..300 {
            for column in -300..300 {
                let y = DVector::from_vec(vec![cell * f64::from(row), cell * f64::from(column)]);
                sum += (-model.energy(&y, 1.0)).exp() * cell * cell;
            }
        }
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences_and_beta_leads_to_the_least() {
        let samples = clumps(3, 200, 4);
        let model = begun(&samples, 4);
        let y = samples.column(5) * 0.7;
        for beta in [0.1, 1.0, 10.0, f64::INFINITY] {
            check_gradient(&y, &model.gradient(&y, beta), |y| model.energy(y, beta));
        }
        assert!((model.energy(&y, 1e4) - model.energy(&y, f64::INFINITY)).abs() < 1e-3);
        assert!(model.energy(&y, 1.0) <= model.energy(&y, f64::INFINITY));
        // One by one, and all at once.
        let all = model.joint_energies(&Samples::from_columns(std::slice::from_ref(&y)));
        assert!((log_sum_exp(all.as_slice().iter().map(|energy| -energy)) + model.energy(&y, 1.0)).abs() < 1e-9);
    }

    #[test]
    fn says_what_is_wrong() {
        let bad = DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 1.0]);
        let error = GaussianMixture::new(DVector::from_element(1, 1.0), DMatrix::zeros(2, 1), vec![bad]).unwrap_err();
        assert!(error.to_string().contains("floor"), "{error}");
        assert!(GaussianMixture::new(DVector::zeros(2), DMatrix::zeros(2, 1), Vec::new()).is_err());
    }
}
