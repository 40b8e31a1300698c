//! The cross-entropy method (Rubinstein & Kroese, 2004). Read first: [`CemSpec`].

use super::{
    Imagination, Proposal, Starts,
    imagination::{coloured_noise, order},
};
use crate::actor::ActorSpec;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Gaussian over action sequences is fitted to the best of its own samples, several times. The first samples are the
/// exploration's walks and later ones keep their direction for a while (iCEM, Pinneri et al., 2020).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CemSpec {
    /// How many times the Gaussian is fitted; the budget of model evaluations is split between them.
    pub iterations: u32,
    /// The share of the samples that the Gaussian is fitted to, in `(0, 1]`.
    pub elite_fraction: f32,
}

impl Default for CemSpec {
    fn default() -> Self {
        Self { iterations: 4, elite_fraction: 0.15 }
    }
}

/// Sample, fit, sample around the fit; keep the best ever seen.
pub(super) fn plan(
    spec: &ActorSpec,
    imagination: &mut Imagination,
    starts: &mut Starts,
    rng: &mut impl Rng,
) -> Proposal {
    let rounds = spec.cem.iterations.max(1) as usize;
    let count = (spec.gradient.sequences_imagined() / rounds).max(2);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a count")]
    let elites = ((count as f32 * spec.cem.elite_fraction).ceil() as usize).clamp(1, count);

    let mut sequences = starts.draw(count, rng);
    let mut proposal = Proposal::default();
    for round in 0..rounds {
        let population = imagination.population(&sequences);
        let energies = imagination.energies(&population);
        proposal.merge(Proposal::rank(&population, &energies));
        if round + 1 == rounds {
            break;
        }
        let best: Vec<&Vec<f32>> = order(&energies).into_iter().take(elites).map(|index| &sequences[index]).collect();
        let (mean, deviation) = fit(&best);
        // The mean itself is tried too.
        let mut next = vec![mean.clone()];
        while next.len() < count {
            let noise = coloured_noise(starts.horizon, starts.action_len, rng);
            let sample = mean.iter().zip(deviation.iter().zip(noise)).map(|(m, (d, n))| (m + d * n).clamp(-1.0, 1.0));
            next.push(sample.collect());
        }
        sequences = next;
    }
    proposal
}

/// Mean and deviation of each action value over sequences.
#[expect(clippy::cast_precision_loss, reason = "a few sequences")]
fn fit(sequences: &[&Vec<f32>]) -> (Vec<f32>, Vec<f32>) {
    let count = sequences.len().max(1) as f32;
    let length = sequences.first().map_or(0, |sequence| sequence.len());
    let mean: Vec<f32> = (0..length).map(|i| sequences.iter().map(|s| s[i]).sum::<f32>() / count).collect();
    let variance = |i: usize| sequences.iter().map(|s| (s[i] - mean[i]).powi(2)).sum::<f32>() / count;
    let deviation = (0..length).map(|i| variance(i).sqrt().max(0.05)).collect();
    (mean, deviation)
}
