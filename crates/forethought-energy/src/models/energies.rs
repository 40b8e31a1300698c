//! The classic models as [`Energy`]: their values and slopes, known in closed form, on dfdx's tape. None has a condition. Read first:
//! [`on_tape`].

use super::{GaussianMixture, Hopfield, KMeans, Pca, Rbm, SparseCoding};
use crate::{
    Matrix, PassTape, TapedColumn,
    energy::{Energy, matrix},
    latent::LatentEnergy,
    numbers,
};
use dfdx::prelude::{Axis, Cpu, Gradients, HasShape, PutTape, SplitTape, SumTo, Tape, TensorFromVec, TryMatMul};
use nalgebra::{DMatrix, DVector};

/// An energy per row and its slope, put on the tape.
#[must_use]
pub fn on_tape(y: &Matrix, mut tape: PassTape, of: impl Fn(&DVector<f64>) -> (f64, DVector<f64>)) -> TapedColumn {
    let (rows, columns) = *y.shape();
    let mut values = Vec::with_capacity(rows);
    let mut slopes = Vec::with_capacity(rows * columns);
    for y in rows_of(y) {
        let (value, slope) = of(&y);
        values.push(single(value));
        slopes.extend(slope.iter().map(|slope| single(*slope)));
    }
    let out = Cpu::default().tensor_from_vec(values, (rows,));
    let (from, to) = (y.ghost(), out.ghost());
    tape.add_backward_op(move |gradients: &mut Gradients<f32, Cpu>| {
        let arriving = gradients.get_or_alloc_mut(&to)?.to_vec();
        let sums = gradients.get_or_alloc_mut(&from)?.chunks_exact_mut(columns.max(1));
        for ((sums, slopes), arriving) in sums.zip(slopes.chunks_exact(columns.max(1))).zip(arriving) {
            sums.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += arriving * slope);
        }
        Ok(())
    });
    out.put_tape(tape)
}

/// The rows of a matrix, in double precision.
fn rows_of(y: &Matrix) -> Vec<DVector<f64>> {
    let columns = y.shape().1.max(1);
    let row = |row: &[f32]| DVector::from_iterator(row.len(), row.iter().map(|value| f64::from(*value)));
    numbers(y).chunks_exact(columns).map(row).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "the tape's precision")]
fn single(value: f64) -> f32 {
    value as f32
}

/// Models of one argument, whose energy and slope have names.
macro_rules! closed_form {
    ($($model:ty, $energy:ident);*) => {$(
        impl Energy for $model {
            fn energies(&self, _: &Matrix, y: &Matrix, tape: PassTape) -> TapedColumn {
                on_tape(y, tape, |y| (self.$energy(y), self.gradient(y)))
            }

            fn values(&self, _: &Matrix, y: &Matrix) -> Vec<f32> {
                rows_of(y).iter().map(|y| single(self.$energy(y))).collect()
            }
        }
    )*};
}

closed_form!(Pca, energy; KMeans, energy; SparseCoding, energy; Hopfield, energy; Rbm, free_energy; Tempered, energy);

/// A mixture at an inverse temperature.
#[derive(Debug, Clone)]
pub struct Tempered {
    /// The mixture.
    pub mixture: GaussianMixture,
    /// 1 gives the negative log-likelihood, infinity the least over all parts.
    pub beta: f64,
}

impl Tempered {
    fn energy(&self, y: &DVector<f64>) -> f64 {
        self.mixture.energy(y, self.beta)
    }

    fn gradient(&self, y: &DVector<f64>) -> DVector<f64> {
        self.mixture.gradient(y, self.beta)
    }
}

impl LatentEnergy for Pca {
    /// `|y - m - W z|²`.
    fn energies(&self, _: &Matrix, y: &Matrix, z: &Matrix, tape: PassTape) -> TapedColumn {
        let mean: Vec<f32> = self.mean().iter().map(|value| single(*value)).collect();
        let mean = matrix(mean.repeat(y.shape().0), self.mean().len());
        let (answer, tape) = (z.clone().put_tape(tape).matmul(turned(self.components())) + mean).split_tape();
        (y.clone().put_tape(tape) - answer).square().sum::<_, Axis<1>>()
    }
}

impl LatentEnergy for SparseCoding {
    /// `|y - W z|² + lambda |z|_1`.
    fn energies(&self, _: &Matrix, y: &Matrix, z: &Matrix, tape: PassTape) -> TapedColumn {
        let (length, tape) = (z.clone().put_tape(tape).abs().sum::<_, Axis<1>>() * single(self.lambda())).split_tape();
        let (answer, tape) = z.clone().put_tape(tape).matmul(turned(self.atoms())).split_tape();
        (y.clone().put_tape(tape) - answer).square().sum::<_, Axis<1>>() + length
    }
}

/// `[features, latent]` as `[latent, features]`, for rows to be multiplied with.
fn turned(decoder: &DMatrix<f64>) -> Matrix {
    // By columns there, by rows here.
    matrix(decoder.iter().map(|value| single(*value)).collect(), decoder.nrows())
}

#[cfg(test)]
mod tests {
    use super::{super::tests::clumps, *};
    use crate::{
        energy::{nothing, tests::check},
        latent::Minimum,
        models::Samples,
        nodes::Nodes,
        random,
    };
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn places(columns: usize) -> Matrix {
        matrix(random::normals(6 * columns, &mut ChaCha8Rng::seed_from_u64(1)), columns)
    }

    #[test]
    fn slopes_on_the_tape_agree_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let samples = clumps(3, 60, 1);
        let kmeans = KMeans::spread(&samples, 4, &mut rng).unwrap();
        let mixture = GaussianMixture::around(&samples, kmeans.centres(), 0.1).unwrap();
        let spins = Samples::from_fn(3, 2, |row, column| if row == column { 1.0 } else { -1.0 });
        let rbm = Rbm::random(&samples.map(|value| f64::from(u8::from(value > 0.0))), 4, &mut rng).unwrap();
        let models: [Box<dyn Energy>; 6] = [
            Box::new(Pca::fit(&samples, 1).unwrap()),
            Box::new(kmeans),
            Box::new(Tempered { mixture, beta: 2.0 }),
            Box::new(SparseCoding::random(3, 7, 0.4, &mut rng).unwrap()),
            Box::new(Hopfield::store(&spins).unwrap()),
            Box::new(rbm),
        ];
        for model in &models {
            check(model.as_ref(), &nothing(6), &places(3), 0.02);
            let both = [model.values(&nothing(6), &places(3)), model.gradient(&nothing(6), &places(3)).values];
            assert_eq!(both[0], both[1]);
        }
    }

    /// What is minimised over z by descent, and what closed forms say.
    #[test]
    fn the_least_over_the_latent_is_the_models_energy() {
        let pca = Pca::fit(&clumps(3, 60, 1), 1).unwrap();
        let exact = Energy::values(&pca, &nothing(6), &places(3));
        let least = Minimum { energy: pca, nodes: Nodes::grid(&[[-9.0, 9.0]], 60), steps: 60, rate: 0.2 };
        let least = least.values(&nothing(6), &places(3));
        assert!(
            exact.iter().zip(&least).all(|(exact, least)| (exact - least).abs() < 1e-3 * (1.0 + exact)),
            "{exact:?} {least:?}"
        );
        let sparse = SparseCoding::random(2, 3, 0.5, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        let exact = Energy::values(&sparse, &nothing(6), &places(2));
        let least = Minimum { energy: sparse, nodes: Nodes::grid(&[[-3.0, 3.0]; 3], 21), steps: 200, rate: 0.1 };
        let least = least.values(&nothing(6), &places(2));
        assert!(exact.iter().zip(least).all(|(exact, least)| (exact - least).abs() < 2e-2), "{exact:?}");
    }
}
