//! What to make of futures that differ with what cannot be known: one energy out of one for each value of the latent variable
//! (Dawid & LeCun 2023, Sec. 3 and Sec. 6). Read first: [`Uncertainty`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The energy of an action sequence, from its energies `E_k` under each of the K values of the world model's latent variable;
/// without one they are all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Uncertainty {
    /// Their mean `m = 1/K sum_k E_k`: risk-neutral.
    #[default]
    Mean,
    /// The least, `min_k E_k`: the world is kind.
    Min,
    /// `m + spread * d`, where `d² = 1/K sum_k (E_k - m)²`: what varies is shunned.
    RiskAverse {
        /// How much a standard deviation counts.
        spread: f32,
    },
    /// The largest, `max_k E_k`: the world is against the agent.
    WorstCase,
}

impl Uncertainty {
    /// The energies of sequences, `[batch]`, from those under each code, `[codes][batch]`.
    pub(crate) fn energies(self, mut under: Vec<Vec<f32>>) -> Vec<f32> {
        if under.len() == 1 {
            return under.swap_remove(0);
        }
        let batch = under.first().map_or(0, Vec::len);
        (0..batch).map(|future| self.judge(&mut under.iter().map(|energies| energies[future])).0).collect()
    }

    /// The derivatives of a sequence's energy by those under each code, `[codes]`.
    pub(crate) fn slopes(self, under: &[f32]) -> Vec<f32> {
        let (energy, mean, deviation) = self.judge(&mut under.iter().copied());
        #[expect(clippy::cast_precision_loss, reason = "a handful of codes")]
        let share = 1.0 / under.len().max(1) as f32;
        match self {
            Self::Mean => vec![share; under.len()],
            Self::RiskAverse { spread } => {
                let by_deviation = |e: &f32| if deviation > 0.0 { spread * (e - mean) / deviation } else { 0.0 };
                under.iter().map(|e| share * (1.0 + by_deviation(e))).collect()
            }
            Self::Min | Self::WorstCase => {
                let at = under.iter().position(|e| *e == energy);
                (0..under.len()).map(|code| if Some(code) == at { 1.0 } else { 0.0 }).collect()
            }
        }
    }

    /// The energy, and mean and standard deviation over the codes. What is not finite under one code is not finite.
    fn judge(self, under: &mut dyn Iterator<Item = f32>) -> (f32, f32, f32) {
        let under: Vec<f32> = under.collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful of codes")]
        let share = 1.0 / under.len().max(1) as f32;
        let mean = share * under.iter().sum::<f32>();
        let deviation = (share * under.iter().map(|e| (e - mean) * (e - mean)).sum::<f32>()).sqrt();
        let energy = match self {
            _ if !mean.is_finite() => f32::NAN,
            Self::Mean => mean,
            Self::RiskAverse { spread } => mean + spread * deviation,
            Self::Min => under.iter().copied().fold(f32::INFINITY, f32::min),
            Self::WorstCase => under.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        };
        (energy, mean, deviation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Uncertainty; 4] =
        [Uncertainty::Mean, Uncertainty::Min, Uncertainty::RiskAverse { spread: 2.0 }, Uncertainty::WorstCase];

    #[test]
    fn each_makes_its_own_of_them() {
        let judged = ALL.map(|uncertainty| uncertainty.energies(vec![vec![1.0, 2.0], vec![3.0, 2.0]]));
        assert_eq!(judged, [[2.0, 2.0], [1.0, 2.0], [4.0, 2.0], [3.0, 2.0]]);
        assert_eq!(ALL.map(|uncertainty| uncertainty.energies(vec![vec![5.0]])), [[5.0]; 4]);
        assert!(ALL.iter().all(|uncertainty| uncertainty.energies(vec![vec![1.0], vec![f32::INFINITY]])[0].is_nan()));
    }

    #[test]
    fn slopes_agree_with_finite_differences() {
        let under = [0.3, 1.1, 0.7];
        for uncertainty in ALL {
            let slopes = uncertainty.slopes(&under);
            for code in 0..3 {
                let at = |offset: f32| {
                    let mut under = under;
                    under[code] += offset;
                    uncertainty.judge(&mut under.into_iter()).0
                };
                let slope = (at(1e-3) - at(-1e-3)) / 2e-3;
                assert!((slope - slopes[code]).abs() < 1e-2, "{uncertainty:?}: {slope} against {}", slopes[code]);
            }
        }
        // Where all agree nothing breaks.
        let even = Uncertainty::RiskAverse { spread: 2.0 }.slopes(&[1.0, 1.0]);
        assert_eq!(even, [0.5, 0.5]);
    }
}
