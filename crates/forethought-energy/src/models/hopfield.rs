//! The Hopfield network: patterns stored as minima of an energy. Read first: [`Hopfield::store`] and [`Hopfield::recall`].

use super::{ModelError, Samples, check};
use libm::erf;
use nalgebra::{DMatrix, DVector};
use rand::{Rng, seq::SliceRandom};

/// The energy `E(s) = -1/2 sum_ij w_ij s_i s_j` of units that are -1 or 1 (Hopfield, 1982; Dawid & LeCun 2023, Eq. 6).
#[derive(Debug, Clone, PartialEq)]
pub struct Hopfield {
    /// Symmetric, without a diagonal.
    weights: DMatrix<f64>,
}

/// Where a recall came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    /// The units, -1 or 1.
    pub state: DVector<f64>,
    /// The energy before the first sweep and after each.
    pub energies: Vec<f64>,
    /// Whether no unit wants to change any more.
    pub rests: bool,
}

impl Hopfield {
    /// Store patterns `[units, patterns]` of -1 and 1 by Hebb's rule, `w_ij = 1/N sum_p s_i s_j` (Dawid & LeCun 2023, Sec. 5.1).
    ///
    /// # Errors
    /// No units, or what is neither -1 nor 1.
    pub fn store(patterns: &Samples) -> Result<Self, ModelError> {
        check("a Hopfield network", patterns, 1)?;
        if let Some(value) = patterns.iter().find(|value| value.abs() != 1.0) {
            let takes = "-1 or 1".to_owned();
            return Err(ModelError::Setting { what: "a unit", value: value.to_string(), takes });
        }
        let mut weights = patterns * patterns.transpose() / patterns.nrows() as f64;
        weights.fill_diagonal(0.0);
        Ok(Self { weights })
    }

    /// How many units it has.
    #[must_use]
    pub fn units(&self) -> usize {
        self.weights.nrows()
    }

    /// `E(s)`.
    #[must_use]
    pub fn energy(&self, state: &DVector<f64>) -> f64 {
        -0.5 * state.dot(&(&self.weights * state))
    }

    /// The energy's slope by the state, as if its units were continuous: minus the field that each unit feels.
    #[must_use]
    pub fn gradient(&self, state: &DVector<f64>) -> DVector<f64> {
        -(&self.weights * state)
    }

    /// Whether each unit has the sign of the field that it feels: a minimum of the energy, as far as a single unit can tell.
    #[must_use]
    pub fn rests(&self, state: &DVector<f64>) -> bool {
        (&self.weights * state).iter().zip(state.iter()).all(|(field, unit)| field * unit >= 0.0)
    }

    /// Unit by unit, in an order drawn anew for each sweep, take the sign of the field, until none changes or after so many sweeps.
    /// Each change lowers the energy.
    #[must_use]
    pub fn recall(&self, from: &DVector<f64>, sweeps: usize, rng: &mut impl Rng) -> Recall {
        let mut state = from.clone();
        let mut field = &self.weights * &state;
        let mut order: Vec<usize> = (0..state.len()).collect();
        let mut energies = vec![-0.5 * state.dot(&field)];
        for _ in 0..sweeps {
            order.shuffle(rng);
            let mut changed = false;
            for unit in &order {
                if field[*unit] * state[*unit] < 0.0 {
                    state[*unit] = -state[*unit];
                    field.axpy(2.0 * state[*unit], &self.weights.column(*unit), 1.0);
                    changed = true;
                }
            }
            energies.push(-0.5 * state.dot(&field));
            if !changed {
                return Recall { state, energies, rests: true };
            }
        }
        let rests = self.rests(&state);
        Recall { state, energies, rests }
    }
}

/// How alike two states are, from -1 to 1: the mean of their units' products.
#[must_use]
pub fn overlap(a: &DVector<f64>, b: &DVector<f64>) -> f64 {
    a.dot(b) / a.len().max(1) as f64
}

/// The overlap with a stored pattern that theory expects at a load of `patterns / units`, for many units without noise (Amit, Gutfreund
/// & Sompolinsky, 1987): `erf(y)` at the largest `y` with `y (sqrt(2 load) + 2/sqrt(pi) exp(-y²)) = erf(y)`. Above a load of about 0.138
/// there is no such `y` but zero, and nothing is recalled.
#[must_use]
pub fn retrieval(load: f64) -> f64 {
    let excess =
        |y: f64| erf(y) - y * ((2.0 * load.max(0.0)).sqrt() + 2.0 / std::f64::consts::PI.sqrt() * (-y * y).exp());
    // From above: beyond the largest root the excess is below zero.
    let step = 1e-3;
    let root = (100..6000).rev().map(|step_number| step * f64::from(step_number)).find(|y| excess(*y) > 0.0);
    root.map_or(0.0, erf)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::check_gradient, *};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn patterns(units: usize, count: usize, rng: &mut ChaCha8Rng) -> Samples {
        Samples::from_fn(units, count, |_, _| if rng.gen_bool(0.5) { 1.0 } else { -1.0 })
    }

    #[test]
    fn what_is_stored_is_recalled_from_corruption_and_the_energy_falls() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let stored = patterns(200, 8, &mut rng);
        let network = Hopfield::store(&stored).unwrap();
        for pattern in stored.column_iter() {
            let pattern = pattern.into_owned();
            let corrupted = pattern.map(|unit| if rng.gen_bool(0.2) { -unit } else { unit });
            let recall = network.recall(&corrupted, 50, &mut rng);
            assert!(recall.rests && overlap(&recall.state, &pattern) > 0.99);
            assert!(recall.energies.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9));
            assert!((recall.energies[0] - network.energy(&corrupted)).abs() < 1e-9);
            // Its negative is as low.
            assert!((network.energy(&pattern) - network.energy(&-pattern)).abs() < 1e-9);
        }
    }

    #[test]
    fn recall_breaks_down_where_theory_says() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut mean = |count: usize| {
            let stored = patterns(500, count, &mut rng);
            let network = Hopfield::store(&stored).unwrap();
            let some = stored.columns(0, 5);
            let overlaps = some.column_iter().map(|pattern| {
                let pattern = pattern.into_owned();
                overlap(&network.recall(&pattern, 100, &mut rng).state, &pattern)
            });
            overlaps.sum::<f64>() / 5.0
        };
        let (low, high) = (mean(40), mean(110));
        assert!((low - retrieval(0.08)).abs() < 0.02, "{low} against {}", retrieval(0.08));
        assert!(high < 0.7, "{high}");
    }

    #[test]
    fn the_theory_of_many_units() {
        assert!((erf(0.5) - 0.520_499_877_8).abs() < 1e-6 && (erf(-2.0) + 0.995_322_265).abs() < 1e-6);
        assert!(retrieval(0.01) > 0.9999);
        assert!((0.96..0.975).contains(&retrieval(0.1375)), "{}", retrieval(0.1375));
        assert_eq!(retrieval(0.1385), 0.0);
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let network = Hopfield::store(&patterns(12, 3, &mut rng)).unwrap();
        let at = DVector::from_fn(12, |_, _| rng.gen_range(-1.0..1.0));
        check_gradient(&at, &network.gradient(&at), |at| network.energy(at));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(Hopfield::store(&Samples::from_element(3, 2, 0.5)).unwrap_err().to_string().contains("-1 or 1"));
    }
}
