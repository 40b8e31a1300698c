//! The Boltzmann machine: a Hopfield network with a temperature, hidden units and learning. Read first:
//! [`BoltzmannMachine::energy`] and [`BoltzmannMachine::gradient`].

use super::{
    ModelError, Samples,
    binary::{sigmoid, state},
    check, normal,
};
use crate::nodes::log_sum_exp;
use nalgebra::{DMatrix, DVector};
use rand::Rng;

/// States that are counted one by one for exact sums, as a power of two.
const EXACT_UNITS: usize = 20;

/// The energy `E(s) = -1/2 s'Ws - b's` of units that are 0 or 1, the first of them visible, the others hidden; it is more probable to be
/// in a state the lower its energy is: `P(s) = exp(-E(s)) / Z` (Ackley, Hinton & Sejnowski, 1985; Dawid & LeCun 2023, Eq. 8-10).
#[derive(Debug, Clone, PartialEq)]
pub struct BoltzmannMachine {
    visible: usize,
    /// Symmetric, without a diagonal.
    weights: DMatrix<f64>,
    biases: DVector<f64>,
}

/// What units do on average, alone and in pairs; also a slope by biases and weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// `<s_i>`.
    pub units: DVector<f64>,
    /// `<s_i s_j>`, without a diagonal.
    pub pairs: DMatrix<f64>,
}

impl Moments {
    fn zeros(units: usize) -> Self {
        Self { units: DVector::zeros(units), pairs: DMatrix::zeros(units, units) }
    }

    /// One moment less the other: the positive phase less the negative one.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        Self { units: &self.units - &other.units, pairs: &self.pairs - &other.pairs }
    }

    /// All that is free, one after the other: units, then the pairs above the diagonal.
    #[must_use]
    pub fn flat(&self) -> Vec<f64> {
        let count = self.units.len();
        let pairs = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j))).map(|at| self.pairs[at]);
        self.units.iter().copied().chain(pairs).collect()
    }
}

impl BoltzmannMachine {
    /// Begin with small weights.
    ///
    /// # Errors
    /// More units than exact sums can be made of.
    pub fn random(visible: usize, hidden: usize, rng: &mut impl Rng) -> Result<Self, ModelError> {
        let units = visible + hidden;
        if units > EXACT_UNITS || visible == 0 {
            let takes = format!("1 to {EXACT_UNITS}, one of them visible at least, for all their states are counted");
            return Err(ModelError::Setting { what: "the number of units", value: units.to_string(), takes });
        }
        let mut weights = DMatrix::from_fn(units, units, |_, _| 0.05 * normal(rng));
        weights = (&weights + weights.transpose()) * 0.5;
        weights.fill_diagonal(0.0);
        Ok(Self { visible, weights, biases: DVector::zeros(units) })
    }

    /// `E(s)` of all units, the visible ones first.
    #[must_use]
    pub fn energy(&self, units: &DVector<f64>) -> f64 {
        -0.5 * units.dot(&(&self.weights * units)) - self.biases.dot(units)
    }

    /// The energies of all states, in the order of [`state`].
    #[must_use]
    pub fn energies(&self) -> Vec<f64> {
        let mut units = DVector::zeros(self.biases.len());
        let energy = |number| {
            state(number, units.as_view_mut());
            self.energy(&units)
        };
        (0..1_usize << self.biases.len()).map(energy).collect()
    }

    /// `log Z`, summed over all states.
    #[must_use]
    pub fn log_partition(&self) -> f64 {
        log_sum_exp(self.energies().iter().map(|energy| -energy))
    }

    /// The exact probability of each visible state, in the order of [`state`].
    #[must_use]
    pub fn visible_probabilities(&self) -> Vec<f64> {
        let energies = self.energies();
        let log_partition = log_sum_exp(energies.iter().map(|energy| -energy));
        let mut probabilities = vec![0.0; 1 << self.visible];
        let low = probabilities.len() - 1;
        energies.iter().enumerate().for_each(|(number, energy)| {
            probabilities[number & low] += (-energy - log_partition).exp();
        });
        probabilities
    }

    /// The moments of all units where each state counts by its weight and its own probability among those it is given.
    fn weighted(&self, weight: impl Fn(usize) -> f64) -> Moments {
        let count = self.biases.len();
        let mut moments = Moments::zeros(count);
        let mut units = DVector::zeros(count);
        for number in 0..1_usize << count {
            let weight = weight(number);
            if weight > 0.0 {
                state(number, units.as_view_mut());
                moments.units.axpy(weight, &units, 1.0);
                moments.pairs.ger(weight, &units, &units, 1.0);
            }
        }
        moments.pairs.fill_diagonal(0.0);
        moments
    }

    /// The negative phase exactly: the moments of the machine running free.
    #[must_use]
    pub fn free_moments(&self) -> Moments {
        let energies = self.energies();
        let log_partition = log_sum_exp(energies.iter().map(|energy| -energy));
        self.weighted(|number| (-energies[number] - log_partition).exp())
    }

    /// The positive phase exactly: visible states occur with these probabilities (in the order of [`state`]), the hidden units as the
    /// machine says.
    #[must_use]
    pub fn clamped_moments(&self, data: &[f64]) -> Moments {
        let energies = self.energies();
        let low = (1 << self.visible) - 1;
        let mut sums = vec![f64::NEG_INFINITY; low + 1];
        for (number, energy) in energies.iter().enumerate() {
            let sum = &mut sums[number & low];
            *sum = log_sum_exp([*sum, -energy].into_iter());
        }
        self.weighted(|number| {
            let seen = data.get(number & low).copied().unwrap_or(0.0);
            if seen > 0.0 { seen * (-energies[number] - sums[number & low]).exp() } else { 0.0 }
        })
    }

    /// The slope of the mean log-likelihood of visible states that occur with these probabilities: `<s_i s_j>` clamped less free
    /// (Dawid & LeCun 2023, Eq. 10).
    #[must_use]
    pub fn gradient(&self, data: &[f64]) -> Moments {
        self.clamped_moments(data).less(&self.free_moments())
    }

    /// The same from Gibbs sampling: each column of `chains` `[units, chains]` is a machine that runs free. They move on by so many
    /// sweeps; their moments stand for the negative phase.
    pub fn sampled_gradient(&self, data: &[f64], chains: &mut Samples, sweeps: usize, rng: &mut impl Rng) -> Moments {
        self.sample(chains, sweeps, rng);
        let mut free = Moments::zeros(self.biases.len());
        let share = 1.0 / chains.ncols().max(1) as f64;
        for chain in chains.column_iter() {
            free.units.axpy(share, &chain, 1.0);
            free.pairs.ger(share, &chain, &chain, 1.0);
        }
        free.pairs.fill_diagonal(0.0);
        self.clamped_moments(data).less(&free)
    }

    /// Gibbs sampling: each unit in turn is drawn given all others.
    pub fn sample(&self, chains: &mut Samples, sweeps: usize, rng: &mut impl Rng) {
        for mut chain in chains.column_iter_mut() {
            for _ in 0..sweeps {
                for unit in 0..self.biases.len() {
                    let field = self.weights.column(unit).dot(&chain) + self.biases[unit];
                    chain[unit] = f64::from(u8::from(rng.gen_range(0.0..1.0) < sigmoid(field)));
                }
            }
        }
    }

    /// Go up a slope.
    pub fn ascend(&mut self, slope: &Moments, rate: f64) {
        self.biases.axpy(rate, &slope.units, 1.0);
        self.weights += rate * &slope.pairs;
    }

    /// The mean log-likelihood of visible states that occur with these probabilities.
    #[must_use]
    pub fn log_likelihood(&self, data: &[f64]) -> f64 {
        let model = self.visible_probabilities();
        data.iter().zip(model).filter(|(seen, _)| **seen > 0.0).map(|(seen, model)| seen * model.ln()).sum()
    }

    /// How probable each visible state of `samples` `[visible, samples]` (units 0 or 1) is among them.
    ///
    /// # Errors
    /// No samples, or of other size.
    pub fn frequencies(&self, samples: &Samples) -> Result<Vec<f64>, ModelError> {
        check("a Boltzmann machine", samples, 1)?;
        if samples.nrows() != self.visible {
            let model = "a Boltzmann machine";
            return Err(ModelError::Features { model, expected: self.visible, got: samples.nrows() });
        }
        let mut frequencies = vec![0.0; 1 << self.visible];
        for sample in samples.column_iter() {
            let number =
                sample.iter().enumerate().map(|(unit, value)| usize::from(*value > 0.5) << unit).sum::<usize>();
            frequencies[number] += 1.0 / samples.ncols() as f64;
        }
        Ok(frequencies)
    }

    /// `[units, units]`, the visible ones first.
    #[must_use]
    pub fn weights(&self) -> &DMatrix<f64> {
        &self.weights
    }
}

#[cfg(test)]
mod tests {
    use super::{super::correlation, *};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Three visible units of which an even number is on: no pair of them tells it.
    const PARITY: [f64; 8] = [0.25, 0.0, 0.0, 0.25, 0.0, 0.25, 0.25, 0.0];

    fn machine(hidden: usize) -> BoltzmannMachine {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut machine = BoltzmannMachine::random(3, hidden, &mut rng).unwrap();
        machine.weights *= 20.0;
        machine.biases = DVector::from_fn(3 + hidden, |_, _| normal(&mut rng));
        machine
    }

    #[test]
    fn probabilities_sum_to_one() {
        assert!((machine(4).visible_probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let machine = machine(3);
        let slope = machine.gradient(&PARITY);
        for (i, j) in [(0, 1), (1, 4), (3, 5)] {
            let at = |offset: f64| {
                let mut moved = machine.clone();
                moved.weights[(i, j)] += offset;
                moved.weights[(j, i)] += offset;
                moved.log_likelihood(&PARITY)
            };
            let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slope.pairs[(i, j)] - expected).abs() < 1e-7, "{i}, {j}: {expected}");
        }
        for unit in 0..6 {
            let at = |offset: f64| {
                let mut moved = machine.clone();
                moved.biases[unit] += offset;
                moved.log_likelihood(&PARITY)
            };
            assert!((slope.units[unit] - (at(1e-5) - at(-1e-5)) / 2e-5).abs() < 1e-7);
        }
    }

    #[test]
    fn sampled_moments_come_to_the_exact_ones() {
        let machine = machine(3);
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut chains = Samples::zeros(6, 4000);
        let sampled = machine.sampled_gradient(&PARITY, &mut chains, 40, &mut rng).flat();
        let exact = machine.gradient(&PARITY).flat();
        let worst = sampled.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 0.05 && correlation(&sampled, &exact) > 0.97, "{worst}");
    }

    #[test]
    fn hidden_units_learn_what_pairs_cannot_tell() {
        let learn = |hidden: usize| {
            // Near zero all hidden units are alike, and the slope nearly nothing.
            let mut machine = machine(hidden);
            for _ in 0..3000 {
                let slope = machine.gradient(&PARITY);
                machine.ascend(&slope, 0.5);
            }
            machine.log_likelihood(&PARITY)
        };
        // Four states of eight: 2 bits are the best, 3 bits what chance says.
        assert!((learn(0) - 0.125_f64.ln()).abs() < 1e-3, "{}", learn(0));
        assert!(learn(4) > 0.25_f64.ln() - 0.1, "{}", learn(4));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(BoltzmannMachine::random(20, 5, &mut ChaCha8Rng::seed_from_u64(4)).is_err());
        assert!(machine(1).frequencies(&Samples::zeros(4, 2)).is_err());
    }
}
