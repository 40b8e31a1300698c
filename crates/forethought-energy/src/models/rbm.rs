//! The restricted Boltzmann machine: visible and hidden units that meet only each other, so that all of one kind can be drawn at once.
//! Read first: [`Rbm::energy`] and [`Rbm::contrastive_divergence`].

use super::{
    ModelError, Samples,
    binary::{sigmoid, softplus, state},
    check, normal,
};
use crate::nodes::log_sum_exp;
use nalgebra::{DMatrix, DVector};
use rand::Rng;

/// The fewer of visible and hidden units may be so many where all of their states are counted.
const EXACT_UNITS: usize = 24;
/// States that are summed over at once, as a power of two.
const BLOCK_BITS: usize = 8;

/// The energy `E(v, h) = -v'Wh - a'v - b'h` of visible and hidden units that are 0 or 1, and without the hidden ones the free energy
/// `F(v) = -a'v - sum_j log(1 + exp(b_j + (W'v)_j))` (Smolensky, 1986; Dawid & LeCun 2023, Eq. 11-12).
#[derive(Debug, Clone, PartialEq)]
pub struct Rbm {
    weights: DMatrix<f64>,
    visible: DVector<f64>,
    hidden: DVector<f64>,
}

/// A slope by all that an [`Rbm`] learns.
#[derive(Debug, Clone, PartialEq)]
pub struct RbmGradient {
    /// By `W`, `[visible, hidden]`.
    pub weights: DMatrix<f64>,
    /// By `a`.
    pub visible: DVector<f64>,
    /// By `b`.
    pub hidden: DVector<f64>,
}

impl RbmGradient {
    /// All numbers, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &f64> {
        self.weights.iter().chain(&self.visible).chain(&self.hidden)
    }
}

/// Visible units `[visible, chains]` of machines that run free from one update to the next (Tieleman, 2008).
#[derive(Debug, Clone, PartialEq)]
pub struct Chains(pub Samples);

impl Rbm {
    /// Begin with small weights, and with biases that fit the visible units' means in `samples` `[visible, samples]`.
    ///
    /// # Errors
    /// No samples, no hidden units, values beyond 0 to 1.
    pub fn random(samples: &Samples, hidden: usize, rng: &mut impl Rng) -> Result<Self, ModelError> {
        check("an RBM", samples, 1)?;
        if let Some(value) = samples.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            let takes = "0 to 1".to_owned();
            return Err(ModelError::Setting { what: "a visible unit", value: value.to_string(), takes });
        }
        let weights = DMatrix::from_fn(samples.nrows(), hidden, |_, _| 0.01 * normal(rng));
        let mean = samples.column_mean();
        let visible = mean.map(|mean| (mean.clamp(0.01, 0.99) / (1.0 - mean.clamp(0.01, 0.99))).ln());
        Self::new(weights, visible, DVector::zeros(hidden))
    }

    /// From weights `[visible, hidden]` and both kinds of biases.
    ///
    /// # Errors
    /// Sizes that do not fit together.
    pub fn new(weights: DMatrix<f64>, visible: DVector<f64>, hidden: DVector<f64>) -> Result<Self, ModelError> {
        if weights.shape() != (visible.len(), hidden.len()) || hidden.is_empty() || visible.is_empty() {
            let takes = format!("[{}, {}], none of them 0", visible.len(), hidden.len());
            return Err(ModelError::Setting {
                what: "the weights' shape",
                value: format!("{:?}", weights.shape()),
                takes,
            });
        }
        Ok(Self { weights, visible, hidden })
    }

    /// `E(v, h)`.
    #[must_use]
    pub fn energy(&self, v: &DVector<f64>, h: &DVector<f64>) -> f64 {
        -v.dot(&(&self.weights * h)) - self.visible.dot(v) - self.hidden.dot(h)
    }

    /// `F(v)`.
    #[must_use]
    pub fn free_energy(&self, v: &DVector<f64>) -> f64 {
        let fields = self.weights.tr_mul(v) + &self.hidden;
        -self.visible.dot(v) - fields.iter().map(|field| softplus(*field)).sum::<f64>()
    }

    /// `F(v)`'s slope by `v`, as if its units were continuous.
    #[must_use]
    pub fn gradient(&self, v: &DVector<f64>) -> DVector<f64> {
        let on = (self.weights.tr_mul(v) + &self.hidden).map(sigmoid);
        -(&self.weights * on) - &self.visible
    }

    /// How probable it is that each hidden unit is on, `[hidden, samples]`.
    #[must_use]
    pub fn hidden_given(&self, visible: &Samples) -> Samples {
        let mut fields = self.weights.tr_mul(visible);
        fields.column_iter_mut().for_each(|mut column| column += &self.hidden);
        fields.apply(|field| *field = sigmoid(*field));
        fields
    }

    /// How probable it is that each visible unit is on, `[visible, samples]`.
    #[must_use]
    pub fn visible_given(&self, hidden: &Samples) -> Samples {
        let mut fields = &self.weights * hidden;
        fields.column_iter_mut().for_each(|mut column| column += &self.visible);
        fields.apply(|field| *field = sigmoid(*field));
        fields
    }

    /// So many steps of Gibbs sampling from visible units: all hidden ones are drawn, then all visible ones.
    #[must_use]
    pub fn sample(&self, visible: &Samples, steps: usize, rng: &mut impl Rng) -> Samples {
        let mut visible = visible.clone();
        for _ in 0..steps {
            let mut hidden = self.hidden_given(&visible);
            draw(&mut hidden, rng);
            visible = self.visible_given(&hidden);
            draw(&mut visible, rng);
        }
        visible
    }

    /// A slope that mostly leads the likelihood up: that of the samples' free energy less that of what becomes of them after `steps` of
    /// Gibbs sampling (CD-k: Hinton, 2002; Dawid & LeCun 2023, Sec. 5.2).
    #[must_use]
    pub fn contrastive_divergence(&self, samples: &Samples, steps: usize, rng: &mut impl Rng) -> RbmGradient {
        let negative = self.sample(samples, steps, rng);
        self.phases(samples, &negative)
    }

    /// The same with chains that go on from where they were, which come to the model's own samples (PCD: Tieleman, 2008).
    #[must_use]
    pub fn persistent_divergence(
        &self,
        samples: &Samples,
        chains: &mut Chains,
        steps: usize,
        rng: &mut impl Rng,
    ) -> RbmGradient {
        chains.0 = self.sample(&chains.0, steps, rng);
        self.phases(samples, &chains.0)
    }

    /// Positive less negative phase.
    fn phases(&self, positive: &Samples, negative: &Samples) -> RbmGradient {
        let mut slope = RbmGradient {
            weights: DMatrix::zeros(self.visible.len(), self.hidden.len()),
            visible: DVector::zeros(self.visible.len()),
            hidden: DVector::zeros(self.hidden.len()),
        };
        for (visible, sign) in [(positive, 1.0), (negative, -1.0)] {
            let share = sign / visible.ncols().max(1) as f64;
            let hidden = self.hidden_given(visible);
            slope.weights.gemm(share, visible, &hidden.transpose(), 1.0);
            visible.column_iter().for_each(|column| slope.visible.axpy(share, &column, 1.0));
            hidden.column_iter().for_each(|column| slope.hidden.axpy(share, &column, 1.0));
        }
        slope
    }

    /// The exact slope of the mean log-likelihood.
    ///
    /// # Errors
    /// Too many units to count all states of the visible or of the hidden ones.
    pub fn exact_gradient(&self, samples: &Samples) -> Result<RbmGradient, ModelError> {
        let mut slope = self.phases(samples, samples);
        let hidden = self.hidden_given(samples);
        let share = 1.0 / samples.ncols().max(1) as f64;
        slope.weights.gemm(share, samples, &hidden.transpose(), 1.0);
        slope.visible += samples.column_mean();
        slope.hidden += hidden.column_mean();
        let log_partition = self.log_partition()?;
        self.by_states(|states, log_weights, by_hidden| {
            let mut states = states.clone_owned();
            let probabilities: Vec<f64> = log_weights.iter().map(|weight| (weight - log_partition).exp()).collect();
            let other = if by_hidden { self.visible_given(&states) } else { self.hidden_given(&states) };
            let (mut alone, mut alone_other) = (DVector::zeros(states.nrows()), DVector::zeros(other.nrows()));
            for ((mut state, other), probability) in
                states.column_iter_mut().zip(other.column_iter()).zip(probabilities)
            {
                state *= probability;
                alone += &state;
                alone_other.axpy(probability, &other, 1.0);
            }
            if by_hidden {
                slope.weights.gemm(-1.0, &other, &states.transpose(), 1.0);
                slope.hidden -= alone;
                slope.visible -= alone_other;
            } else {
                slope.weights.gemm(-1.0, &states, &other.transpose(), 1.0);
                slope.visible -= alone;
                slope.hidden -= alone_other;
            }
        })?;
        Ok(slope)
    }

    /// `log Z`, summed over all states of the hidden units or of the visible ones, whichever are fewer.
    ///
    /// # Errors
    /// There are too many of both.
    pub fn log_partition(&self) -> Result<f64, ModelError> {
        let mut sum = f64::NEG_INFINITY;
        self.by_states(|_, log_weights, _| {
            sum = log_sum_exp([sum, log_sum_exp(log_weights.iter().copied())].into_iter());
        })?;
        Ok(sum)
    }

    /// The exact mean log-likelihood of samples, in nats.
    ///
    /// # Errors
    /// As [`Rbm::log_partition`].
    pub fn log_likelihood(&self, samples: &Samples) -> Result<f64, ModelError> {
        let energy: f64 = samples.column_iter().map(|sample| self.free_energy(&sample.into_owned())).sum();
        Ok(-energy / samples.ncols().max(1) as f64 - self.log_partition()?)
    }

    /// All states of the smaller kind of units, a block at a time: `[units, states]`, the logarithm of what each weighs when the other
    /// kind is summed over, and whether they are hidden ones.
    fn by_states(&self, mut each: impl FnMut(&Samples, &[f64], bool)) -> Result<(), ModelError> {
        let (visible, hidden) = self.weights.shape();
        let by_hidden = hidden <= visible;
        let units = visible.min(hidden);
        if units > EXACT_UNITS {
            let takes = format!("up to {EXACT_UNITS} of one kind, for all of their states are counted");
            return Err(ModelError::Setting { what: "the number of units", value: units.to_string(), takes });
        }
        let (own, other) = if by_hidden { (&self.hidden, &self.visible) } else { (&self.visible, &self.hidden) };
        let block = 1 << units.min(BLOCK_BITS);
        let mut states = Samples::zeros(units, block);
        for first in (0..1_usize << units).step_by(block) {
            states.column_iter_mut().enumerate().for_each(|(index, column)| state(first + index, column));
            let fields = if by_hidden { &self.weights * &states } else { self.weights.tr_mul(&states) };
            let weight = |(fields, state): (nalgebra::DVectorView<f64>, nalgebra::DVectorView<f64>)| {
                own.dot(&state) + fields.iter().zip(other).map(|(field, bias)| softplus(field + bias)).sum::<f64>()
            };
            let log_weights: Vec<f64> = fields.column_iter().zip(states.column_iter()).map(weight).collect();
            each(&states, &log_weights, by_hidden);
        }
        Ok(())
    }

    /// Go up a slope.
    pub fn ascend(&mut self, slope: &RbmGradient, rate: f64) {
        self.weights += rate * &slope.weights;
        self.visible.axpy(rate, &slope.visible, 1.0);
        self.hidden.axpy(rate, &slope.hidden, 1.0);
    }

    /// `[visible, hidden]`.
    #[must_use]
    pub fn weights(&self) -> &DMatrix<f64> {
        &self.weights
    }

    /// The biases of visible and hidden units.
    #[must_use]
    pub fn biases(&self) -> [&DVector<f64>; 2] {
        [&self.visible, &self.hidden]
    }
}

/// From probabilities to units that are on or off.
fn draw(probabilities: &mut Samples, rng: &mut impl Rng) {
    probabilities.apply(|value| *value = f64::from(u8::from(rng.gen_range(0.0..1.0) < *value)));
}

#[cfg(test)]
mod tests {
    use super::{
        super::{correlation, tests::check_gradient},
        *,
    };
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Six units: either the first three are on, or the others, some flipped.
    fn halves(count: usize, rng: &mut ChaCha8Rng) -> Samples {
        Samples::from_fn(6, count, |row, column| {
            let on = (row < 3) == (column % 2 == 0);
            f64::from(u8::from(on != (rng.gen_range(0.0..1.0) < 0.05)))
        })
    }

    fn machine(visible: usize, hidden: usize) -> Rbm {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let weights = DMatrix::from_fn(visible, hidden, |_, _| normal(&mut rng));
        let biases = [visible, hidden].map(|units| DVector::from_fn(units, |_, _| 0.5 * normal(&mut rng)));
        let [visible, hidden] = biases;
        Rbm::new(weights, visible, hidden).unwrap()
    }

    #[test]
    fn the_partition_is_the_sum_over_all_states_whichever_units_are_fewer() {
        for (visible, hidden) in [(6, 4), (4, 6), (9, 10)] {
            let rbm = machine(visible, hidden);
            let mut v = DVector::zeros(visible);
            let energies = (0..1 << visible).map(|number| {
                state(number, v.as_view_mut());
                -rbm.free_energy(&v)
            });
            let energies: Vec<f64> = energies.collect();
            assert!((log_sum_exp(energies.into_iter()) - rbm.log_partition().unwrap()).abs() < 1e-9);
        }
    }

    #[test]
    fn the_free_energy_sums_over_hidden_units() {
        let rbm = machine(5, 3);
        let (mut v, mut h) = (DVector::zeros(5), DVector::zeros(3));
        state(0b10110, v.as_view_mut());
        let energies: Vec<f64> = (0..8)
            .map(|number| {
                state(number, h.as_view_mut());
                -rbm.energy(&v, &h)
            })
            .collect();
        assert!((log_sum_exp(energies.into_iter()) + rbm.free_energy(&v)).abs() < 1e-12);
        check_gradient(&v, &rbm.gradient(&v), |v| rbm.free_energy(v));
    }

    #[test]
    fn the_exact_gradient_agrees_with_finite_differences() {
        let samples = halves(20, &mut ChaCha8Rng::seed_from_u64(2));
        for hidden in [4, 8] {
            let rbm = machine(6, hidden);
            let slope = rbm.exact_gradient(&samples).unwrap();
            let check = |got: f64, change: &dyn Fn(&mut Rbm, f64)| {
                let at = |offset: f64| {
                    let mut moved = rbm.clone();
                    change(&mut moved, offset);
                    moved.log_likelihood(&samples).unwrap()
                };
                let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((got - expected).abs() < 1e-7, "{got} against {expected}");
            };
            for at in [(0, 0), (5, 3), (2, 1)] {
                check(slope.weights[at], &|rbm, offset| rbm.weights[at] += offset);
            }
            check(slope.visible[2], &|rbm, offset| rbm.visible[2] += offset);
            check(slope.hidden[3], &|rbm, offset| rbm.hidden[3] += offset);
        }
    }

    #[test]
    fn contrastive_divergence_raises_the_likelihood_and_goes_with_the_exact_slope() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let samples = halves(200, &mut rng);
        let begun = Rbm::random(&samples, 4, &mut rng).unwrap();
        for persistent in [false, true] {
            let mut rbm = begun.clone();
            let mut chains = Chains(samples.clone());
            let before = rbm.log_likelihood(&samples).unwrap();
            let mut likeness = 0.0;
            for _ in 0..400 {
                let slope = if persistent {
                    rbm.persistent_divergence(&samples, &mut chains, 1, &mut rng)
                } else {
                    rbm.contrastive_divergence(&samples, 1, &mut rng)
                };
                let exact = rbm.exact_gradient(&samples).unwrap();
                likeness += correlation(slope.iter(), exact.iter()) / 400.0;
                rbm.ascend(&slope, 0.1);
            }
            let after = rbm.log_likelihood(&samples).unwrap();
            assert!(after > before + 1.0, "{after} after {before}");
            assert!(likeness > 0.5, "persistent {persistent}: {likeness}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        assert!(Rbm::random(&Samples::from_element(3, 2, -1.0), 2, &mut rng).is_err());
        assert!(Rbm::random(&Samples::zeros(3, 2), 0, &mut rng).is_err());
        assert!(machine(30, 30).log_partition().unwrap_err().to_string().contains("up to 24"));
    }
}
