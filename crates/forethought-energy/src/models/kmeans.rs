//! k-means: a latent that can take few values. Read first: [`KMeans::energy`] and [`KMeans::step`].

use super::{ModelError, Samples, check};
use crate::random;
use nalgebra::{DMatrix, DVector, DVectorView};
use rand::Rng;

/// Samples that are compared with all centres in one product of matrices.
const BLOCK: usize = 256;

/// The energy `F(y) = min_k |y - w_k|²`: the latent is which of few centres (Dawid & LeCun 2023, Sec. 4.2). What keeps it from going
/// flat is that there are few.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    centres: DMatrix<f64>,
}

impl KMeans {
    /// Begin with these centres, `[features, centres]`.
    #[must_use]
    pub fn new(centres: DMatrix<f64>) -> Self {
        Self { centres }
    }

    /// Begin with samples that lie apart: each is the best of a few, drawn by how far they are from those before (k-means++ of Arthur
    /// & Vassilvitskii, 2007, in its greedy form).
    ///
    /// # Errors
    /// Fewer samples than centres, no centres, values that are not finite.
    pub fn spread(samples: &Samples, centres: usize, rng: &mut impl Rng) -> Result<Self, ModelError> {
        check("k-means", samples, centres)?;
        if centres == 0 {
            let takes = "1 or more".to_owned();
            return Err(ModelError::Setting { what: "the number of centres", value: centres.to_string(), takes });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful")]
        let tries = 2 + (centres as f64).ln() as usize;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of samples")]
        let first = (rng.gen_range(0.0..1.0) * samples.ncols() as f64) as usize;
        let mut chosen = vec![first];
        let mut nearest = distances(samples, first);
        while chosen.len() < centres {
            let mut best: Option<(f64, usize, Vec<f64>)> = None;
            for _ in 0..tries {
                let candidate = random::pick(&nearest, rng);
                let mut then = distances(samples, candidate);
                then.iter_mut().zip(&nearest).for_each(|(then, now)| *then = then.min(*now));
                let energy = then.iter().sum();
                if best.as_ref().is_none_or(|(lowest, ..)| energy < *lowest) {
                    best = Some((energy, candidate, then));
                }
            }
            if let Some((_, candidate, then)) = best {
                chosen.push(candidate);
                nearest = then;
            }
        }
        Ok(Self { centres: samples.select_columns(&chosen) })
    }

    /// Lloyd's steps from `restarts` beginnings, until the energy falls by no more than a share `tolerance` or after `steps`; the best
    /// of them.
    ///
    /// # Errors
    /// As [`KMeans::spread`].
    pub fn fit(
        samples: &Samples,
        centres: usize,
        (restarts, steps, tolerance): (usize, usize, f64),
        rng: &mut impl Rng,
    ) -> Result<Self, ModelError> {
        let mut best: Option<(f64, Self)> = None;
        for _ in 0..restarts.max(1) {
            let mut model = Self::spread(samples, centres, rng)?;
            let energy = model.descend(samples, steps, tolerance);
            if best.as_ref().is_none_or(|(lowest, _)| energy < *lowest) {
                best = Some((energy, model));
            }
        }
        best.map(|(_, model)| model).ok_or(ModelError::NotFinite)
    }

    /// Lloyd's steps until the energy falls by no more than a share `tolerance`, or after `steps`. The mean energy before the last.
    pub fn descend(&mut self, samples: &Samples, steps: usize, tolerance: f64) -> f64 {
        let mut last = f64::INFINITY;
        for _ in 0..steps {
            let energy = self.step(samples);
            if last - energy <= tolerance * energy {
                return energy;
            }
            last = energy;
        }
        last
    }

    /// Lloyd's step: each centre becomes the mean of the samples nearest to it, and one that has none becomes the sample that is
    /// furthest from its own. The mean energy before that.
    pub fn step(&mut self, samples: &Samples) -> f64 {
        let (nearest, energies) = self.assign(samples);
        let mut sums = DMatrix::zeros(samples.nrows(), self.centres.ncols());
        let mut counts = vec![0_usize; self.centres.ncols()];
        for (sample, centre) in samples.column_iter().zip(&nearest) {
            sums.column_mut(*centre).axpy(1.0, &sample, 1.0);
            counts[*centre] += 1;
        }
        let mut far: Vec<usize> = (0..samples.ncols()).collect();
        if counts.contains(&0) {
            far.sort_by(|a, b| energies[*b].total_cmp(&energies[*a]));
        }
        let mut far = far.into_iter();
        for (mut sum, count) in sums.column_iter_mut().zip(counts) {
            match (count, far.len()) {
                (0, 0) => {}
                (0, _) => far.by_ref().take(1).for_each(|sample| sum.copy_from(&samples.column(sample))),
                _ => sum /= count as f64,
            }
        }
        self.centres = sums;
        energies.iter().sum::<f64>() / samples.ncols().max(1) as f64
    }

    /// The nearest centre of each sample, and the sample's energy.
    #[must_use]
    pub fn assign(&self, samples: &Samples) -> (Vec<usize>, Vec<f64>) {
        let lengths: Vec<f64> = self.centres.column_iter().map(|centre| centre.norm_squared()).collect();
        let mut nearest = Vec::with_capacity(samples.ncols());
        let mut energies = Vec::with_capacity(samples.ncols());
        let mut block = DMatrix::zeros(self.centres.ncols(), BLOCK);
        let transposed = self.centres.transpose();
        for begin in (0..samples.ncols()).step_by(BLOCK) {
            let some = samples.columns(begin, BLOCK.min(samples.ncols() - begin));
            let mut products = block.columns_mut(0, some.ncols());
            products.gemm(-2.0, &transposed, &some, 0.0);
            for (products, sample) in products.column_iter().zip(some.column_iter()) {
                let mut least = (f64::INFINITY, 0);
                for (centre, (product, length)) in products.as_slice().iter().zip(&lengths).enumerate() {
                    if product + length < least.0 {
                        least = (product + length, centre);
                    }
                }
                let (_, least) = least;
                nearest.push(least);
                // Again, without what a difference of large numbers loses.
                energies.push(squared_distance(sample.as_slice(), self.centres.column(least).as_slice()));
            }
        }
        (nearest, energies)
    }

    /// The squared distance to the nearest centre.
    #[must_use]
    pub fn energy(&self, y: &DVector<f64>) -> f64 {
        self.nearest(y).map_or(0.0, |centre| (y - centre).norm_squared())
    }

    /// The energy's slope by `y`, away from where two centres are equally near.
    #[must_use]
    pub fn gradient(&self, y: &DVector<f64>) -> DVector<f64> {
        self.nearest(y).map_or_else(|| 0.0 * y, |centre| 2.0 * (y - centre))
    }

    fn nearest(&self, y: &DVector<f64>) -> Option<DVectorView<'_, f64>> {
        let distance = |centre: &DVectorView<f64>| (y - centre).norm_squared();
        self.centres.column_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// `[features, centres]`.
    #[must_use]
    pub fn centres(&self) -> &DMatrix<f64> {
        &self.centres
    }
}

/// The squared distances of all samples to one of them.
fn distances(samples: &Samples, from: usize) -> Vec<f64> {
    let from = samples.column(from);
    samples.column_iter().map(|sample| squared_distance(sample.as_slice(), from.as_slice())).collect()
}

/// Eight sums beside each other, which the processor adds at once.
fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = a.remainder().iter().zip(b.remainder()).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let mut sums = [0.0; 8];
    for (a, b) in a.zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += (a - b) * (a - b);
        }
    }
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{check_gradient, clumps},
        *,
    };
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_step_never_raises_the_energy() {
        let samples = clumps(4, 700, 1);
        let mut model = KMeans::spread(&samples, 9, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let mut last = f64::INFINITY;
        for _ in 0..40 {
            let energy = model.step(&samples);
            assert!(energy <= last * (1.0 + 1e-12), "{energy} after {last}");
            last = energy;
        }
        let (_, energies) = model.assign(&samples);
        let one_by_one: f64 = samples.column_iter().map(|y| model.energy(&y.into_owned())).sum();
        assert!((energies.iter().sum::<f64>() - one_by_one).abs() < 1e-9 * one_by_one);
    }

    #[test]
    fn finds_clumps_and_leaves_no_centre_alone() {
        let samples = clumps(3, 300, 2);
        let model = KMeans::fit(&samples, 3, (5, 100, 0.0), &mut ChaCha8Rng::seed_from_u64(2)).unwrap();
        let (nearest, _) = model.assign(&samples);
        for clump in 0..3 {
            assert!((0..100).all(|index| nearest[3 * index + clump] == nearest[clump]));
        }
        let mut far = KMeans::new(DMatrix::from_fn(3, 4, |row, column| 1e3 * (column * column) as f64 + row as f64));
        far.descend(&samples, 100, 0.0);
        let (nearest, _) = far.assign(&samples);
        assert!((0..4).all(|centre| nearest.contains(&centre)));
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let samples = clumps(4, 60, 3);
        let model = KMeans::spread(&samples, 5, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        let y = samples.column(7) * 1.1;
        check_gradient(&y, &model.gradient(&y), |y| model.energy(y));
    }

    #[test]
    fn says_what_is_wrong() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        assert!(KMeans::spread(&clumps(2, 3, 1), 4, &mut rng).is_err());
        assert!(KMeans::spread(&clumps(2, 3, 1), 0, &mut rng).is_err());
    }
}
