//! Model-predictive path integral control (Williams et al., 2017). Read first: [`MppiSpec`].

use super::{Imagination, Proposal, Starts, imagination::coloured_noise};
use crate::actor::ActorSpec;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Samples around the last plan are averaged with weights `exp(-(energy - lowest) / temperature)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MppiSpec {
    /// How many times samples are drawn and averaged; the budget of model evaluations is split between them.
    pub iterations: u32,
    /// The temperature, as a share of the samples' standard deviation of energy.
    pub temperature: f32,
    /// Standard deviation of the noise on the actions.
    pub noise: f32,
}

impl Default for MppiSpec {
    fn default() -> Self {
        Self { iterations: 4, temperature: 0.1, noise: 0.6 }
    }
}

/// Sample, average by weight, sample around the average. The first samples are the exploration's walks.
pub(super) fn plan(
    spec: &ActorSpec,
    imagination: &mut Imagination,
    starts: &mut Starts,
    rng: &mut impl Rng,
) -> Proposal {
    let rounds = spec.mppi.iterations.max(1) as usize;
    let count = (spec.gradient.sequences_imagined() / rounds).max(2);
    let mut sequences = starts.draw(count, rng);
    let mut proposal = Proposal::default();
    for round in 0..rounds {
        let population = imagination.population(&sequences);
        let energies = imagination.energies(&population);
        proposal.merge(Proposal::rank(&population, &energies));
        if round + 1 == rounds {
            break;
        }
        let average = average(&sequences, &weights(&energies, spec.mppi.temperature));
        let mut next = vec![average.clone()];
        while next.len() < count {
            let noise = coloured_noise(starts.horizon, starts.action_len, rng);
            let sample = average.iter().zip(noise).map(|(a, n)| (a + spec.mppi.noise * n).clamp(-1.0, 1.0));
            next.push(sample.collect());
        }
        sequences = next;
    }
    proposal
}

/// Weights that sum to 1; what is not finite gets none.
#[expect(clippy::cast_precision_loss, reason = "a few hundred samples")]
fn weights(energies: &[f32], temperature: f32) -> Vec<f32> {
    let finite: Vec<f32> = energies.iter().copied().filter(|energy| energy.is_finite()).collect();
    let mean = finite.iter().sum::<f32>() / finite.len().max(1) as f32;
    let variance = finite.iter().map(|energy| (energy - mean).powi(2)).sum::<f32>() / finite.len().max(1) as f32;
    let lowest = finite.iter().copied().fold(f32::INFINITY, f32::min);
    let scale = (temperature * variance.sqrt()).max(1e-6);
    let weight = |energy: &f32| if energy.is_finite() { (-(energy - lowest) / scale).exp() } else { 0.0 };
    let weights: Vec<f32> = energies.iter().map(weight).collect();
    let sum: f32 = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    weights.into_iter().map(|weight| weight / sum).collect()
}

fn average(sequences: &[Vec<f32>], weights: &[f32]) -> Vec<f32> {
    let mut average = vec![0.0; sequences.first().map_or(0, Vec::len)];
    for (sequence, weight) in sequences.iter().zip(weights) {
        average.iter_mut().zip(sequence).for_each(|(sum, action)| *sum += weight * action);
    }
    average
}
