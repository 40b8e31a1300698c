//! Sparse coding: a latent of many dimensions, of which few are used. Read first: [`SparseCoding::encode`] and
//! [`SparseCoding::step`].

use super::{ModelError, Samples, check, normal};
use nalgebra::{DMatrix, DVector, DVectorView, DVectorViewMut};
use rand::Rng;

/// The energy `F(y) = min_z |y - W z|² + lambda |z|_1`, where no column of `W`, an atom, is longer than 1 (Olshausen & Field, 1996;
/// Dawid & LeCun 2023, Sec. 4.2). What keeps it from going flat is that using `z` costs something.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseCoding {
    atoms: DMatrix<f64>,
    lambda: f64,
}

impl SparseCoding {
    /// Begin with these atoms, `[features, atoms]`; those longer than 1 become 1 long.
    ///
    /// # Errors
    /// A negative lambda, or values that are not finite.
    pub fn new(mut atoms: DMatrix<f64>, lambda: f64) -> Result<Self, ModelError> {
        if !(lambda.is_finite() && lambda >= 0.0) {
            let takes = "0 or more".to_owned();
            return Err(ModelError::Setting { what: "lambda", value: lambda.to_string(), takes });
        }
        check("sparse coding", &atoms, 1)?;
        atoms.column_iter_mut().for_each(shorten);
        Ok(Self { atoms, lambda })
    }

    /// Begin with atoms in all directions.
    ///
    /// # Errors
    /// As [`SparseCoding::new`].
    pub fn random(features: usize, atoms: usize, lambda: f64, rng: &mut impl Rng) -> Result<Self, ModelError> {
        let mut atoms = DMatrix::from_fn(features, atoms, |_, _| normal(rng));
        atoms.column_iter_mut().for_each(|mut atom| atom /= atom.norm().max(1e-12));
        Self::new(atoms, lambda)
    }

    /// The codes `[atoms, samples]` of the lowest energy, by coordinate descent (Friedman et al., 2007) from the codes that are given,
    /// until no number moves by more than a share `tolerance` of the largest, or after `sweeps` over all of them.
    ///
    /// # Errors
    /// Samples for other atoms, or codes for other samples.
    pub fn encode_from(
        &self,
        samples: &Samples,
        codes: &mut DMatrix<f64>,
        (sweeps, tolerance): (usize, f64),
    ) -> Result<(), ModelError> {
        let model = "sparse coding";
        if samples.nrows() != self.atoms.nrows() {
            return Err(ModelError::Features { model, expected: self.atoms.nrows(), got: samples.nrows() });
        }
        if codes.shape() != (self.atoms.ncols(), samples.ncols()) {
            return Err(ModelError::Features { model: "a code", expected: self.atoms.ncols(), got: codes.nrows() });
        }
        let transposed = self.atoms.transpose();
        let gram = &transposed * &self.atoms;
        // What remains along each atom, `W'(y - W z)`.
        let mut along = &transposed * samples;
        along.gemm(-1.0, &gram, codes, 1.0);
        for (mut code, mut along) in codes.column_iter_mut().zip(along.column_iter_mut()) {
            self.descend(&gram, &mut code, &mut along, sweeps, tolerance);
        }
        Ok(())
    }

    /// The codes `[atoms, samples]` of the lowest energy, from none.
    ///
    /// # Errors
    /// Samples for other atoms.
    pub fn encode(&self, samples: &Samples) -> Result<DMatrix<f64>, ModelError> {
        let mut codes = DMatrix::zeros(self.atoms.ncols(), samples.ncols());
        self.encode_from(samples, &mut codes, (1000, 1e-6))?;
        Ok(codes)
    }

    /// Coordinate descent for one sample: over those in use until they rest, then over all, until nothing more comes into use.
    fn descend(
        &self,
        gram: &DMatrix<f64>,
        code: &mut DVectorViewMut<f64>,
        along: &mut DVectorViewMut<f64>,
        sweeps: usize,
        tolerance: f64,
    ) {
        let threshold = 0.5 * self.lambda;
        let mut all = true;
        for _ in 0..sweeps {
            let (mut moved, mut largest) = (0.0_f64, 0.0_f64);
            for index in 0..code.len() {
                let (old, length) = (code[index], gram[(index, index)]);
                if length <= 0.0 || (!all && old == 0.0) {
                    continue;
                }
                let best = along[index] + length * old;
                let new = (best.abs() - threshold).max(0.0).copysign(best) / length;
                if new != old {
                    code[index] = new;
                    along.axpy(old - new, &gram.column(index), 1.0);
                    moved = moved.max((new - old).abs());
                }
                largest = largest.max(new.abs());
            }
            let rests = moved <= tolerance * largest;
            if rests && all {
                return;
            }
            all = rests;
        }
    }

    /// The best atoms for codes `[atoms, samples]`, one after the other (Mairal et al., 2009, Algorithm 2). One that no code uses
    /// becomes the sample that is explained worst, and its codes are zero.
    pub fn improve(&mut self, samples: &Samples, codes: &mut DMatrix<f64>) {
        let transposed = codes.transpose();
        let together = &*codes * &transposed;
        let wanted = samples * &transposed;
        let mut errors: Option<Vec<(f64, usize)>> = None;
        for index in 0..self.atoms.ncols() {
            let used = together[(index, index)];
            if used > 1e-9 {
                let change = (wanted.column(index) - &self.atoms * together.column(index)) / used;
                self.atoms.column_mut(index).axpy(1.0, &change, 1.0);
            } else {
                let worst = errors.get_or_insert_with(|| {
                    let rest = samples - &self.atoms * &*codes;
                    let mut errors: Vec<_> = rest.column_iter().map(|rest| rest.norm_squared()).zip(0..).collect();
                    errors.sort_by(|a, b| a.0.total_cmp(&b.0));
                    errors
                });
                if let Some((_, sample)) = worst.pop() {
                    let sample = samples.column(sample);
                    self.atoms.column_mut(index).copy_from(&(sample / sample.norm().max(1e-12)));
                    codes.row_mut(index).fill(0.0);
                }
            }
            shorten(self.atoms.column_mut(index));
        }
    }

    /// The best codes, then the best atoms for them. The mean energy before the atoms moved.
    ///
    /// # Errors
    /// As [`SparseCoding::encode_from`].
    pub fn step(&mut self, samples: &Samples, codes: &mut DMatrix<f64>) -> Result<f64, ModelError> {
        self.encode_from(samples, codes, (1000, 1e-4))?;
        let energy = self.mean_energy(samples, codes);
        self.improve(samples, codes);
        Ok(energy)
    }

    /// `|y - W z|² + lambda |z|_1`, the mean over samples with these codes.
    #[must_use]
    pub fn mean_energy(&self, samples: &Samples, codes: &DMatrix<f64>) -> f64 {
        let mut rest = samples.clone();
        rest.gemm(-1.0, &self.atoms, codes, 1.0);
        let length: f64 = codes.iter().map(|value| value.abs()).sum();
        (rest.norm_squared() + self.lambda * length) / samples.ncols().max(1) as f64
    }

    /// `E(y, z)`.
    #[must_use]
    pub fn joint_energy(&self, y: &DVector<f64>, z: &DVector<f64>) -> f64 {
        (y - &self.atoms * z).norm_squared() + self.lambda * z.lp_norm(1)
    }

    /// The code of the lowest energy for one sample of as many numbers as an atom has.
    #[must_use]
    pub fn code(&self, y: &DVector<f64>) -> DVector<f64> {
        let gram = self.atoms.tr_mul(&self.atoms);
        let mut along = self.atoms.tr_mul(y);
        let mut code = DVector::zeros(self.atoms.ncols());
        self.descend(&gram, &mut code.as_view_mut(), &mut along.as_view_mut(), 10_000, 1e-9);
        code
    }

    /// The energy at the best code.
    #[must_use]
    pub fn energy(&self, y: &DVector<f64>) -> f64 {
        self.joint_energy(y, &self.code(y))
    }

    /// The energy's slope by `y`: at the best code, that moves with `y` without counting (Danskin, 1967).
    #[must_use]
    pub fn gradient(&self, y: &DVector<f64>) -> DVector<f64> {
        2.0 * (y - &self.atoms * self.code(y))
    }

    /// `[features, atoms]`.
    #[must_use]
    pub fn atoms(&self) -> &DMatrix<f64> {
        &self.atoms
    }

    /// What a unit of `z` costs.
    #[must_use]
    pub fn lambda(&self) -> f64 {
        self.lambda
    }
}

/// To a length of 1, if it is longer.
fn shorten(mut atom: DVectorViewMut<f64>) {
    let length = atom.norm();
    if length > 1.0 {
        atom /= length;
    }
}

/// How many numbers of a code are in use.
#[must_use]
pub fn in_use(code: DVectorView<f64>) -> usize {
    code.iter().filter(|value| **value != 0.0).count()
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
    fn codes_satisfy_the_conditions_of_the_minimum() {
        let samples = clumps(6, 40, 1);
        let model = SparseCoding::random(6, 15, 0.8, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let codes = model.encode(&samples).unwrap();
        let slopes = 2.0 * model.atoms().transpose() * (&samples - model.atoms() * &codes);
        for (code, slope) in codes.iter().zip(slopes.iter()) {
            if *code == 0.0 {
                assert!(slope.abs() < 0.8 + 1e-3, "{slope}");
            } else {
                assert!((slope - 0.8 * code.signum()).abs() < 1e-3, "{slope} at {code}");
            }
        }
    }

    #[test]
    fn a_step_never_raises_the_energy_and_no_atom_is_longer_than_one() {
        let samples = clumps(5, 200, 2);
        let mut model = SparseCoding::random(5, 12, 0.5, &mut ChaCha8Rng::seed_from_u64(2)).unwrap();
        let mut codes = DMatrix::zeros(12, 200);
        let mut last = f64::INFINITY;
        for _ in 0..30 {
            let energy = model.step(&samples, &mut codes).unwrap();
            assert!(energy <= last * (1.0 + 1e-4), "{energy} after {last}");
            last = energy;
            assert!(model.atoms().column_iter().all(|atom| atom.norm() < 1.0 + 1e-9));
        }
    }

    #[test]
    fn finds_the_atoms_that_the_samples_were_made_of() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let truth = SparseCoding::random(8, 12, 0.0, &mut rng).unwrap();
        let codes =
            DMatrix::from_fn(12, 600, |_, _| if rng.gen_range(0.0..1.0) < 0.15 { normal(&mut rng) } else { 0.0 });
        let samples = truth.atoms() * codes;
        let mut model = SparseCoding::new(samples.columns(0, 12).into_owned(), 0.05).unwrap();
        let mut codes = DMatrix::zeros(12, 600);
        for _ in 0..150 {
            model.step(&samples, &mut codes).unwrap();
        }
        let likeness = truth.atoms().transpose() * model.atoms();
        let found = likeness.row_iter().filter(|row| row.iter().any(|value| value.abs() > 0.97)).count();
        assert!(found >= 10, "{found} of 12");
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let model = SparseCoding::random(4, 9, 0.6, &mut ChaCha8Rng::seed_from_u64(4)).unwrap();
        let y = DVector::from_vec(vec![0.9, -0.4, 1.2, 0.1]);
        check_gradient(&y, &model.gradient(&y), |y| model.energy(y));
        assert!(in_use(model.code(&y).as_view()) < 9);
    }

    #[test]
    fn says_what_is_wrong() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        assert!(SparseCoding::random(3, 5, -1.0, &mut rng).is_err());
        let model = SparseCoding::random(3, 5, 1.0, &mut rng).unwrap();
        assert!(model.encode(&clumps(4, 9, 1)).unwrap_err().to_string().contains("3 numbers"));
    }
}
