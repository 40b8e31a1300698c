//! Interoception, imagined: what the body will feel, decoded linearly from a latent, so that drives can judge imagined futures
//! (an intrinsic cost as a readout of an imagined state; LeCun 2022, Sec. 4.8.1). Read first: [`Interoception::felt`].

use crate::{network::Mlp, perception::Perception};
use forethought_interface::ObservationLayout;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What the names of all channels begin with that the body's own state is sensed by.
pub const INTEROCEPTION: &str = "interoception.";
/// What the names of all channels begin with that tell of what the body needs or shuns.
pub const SCENT: &str = "scent.";

/// What matters to a body in an observation, and where it stands there: its own senses, by their names without
/// [`INTEROCEPTION`], and each beam of its noses, such as `scent.food[3]`.
#[must_use]
pub fn body_senses(layout: &ObservationLayout) -> Vec<(String, usize)> {
    let mut senses = Vec::new();
    for channel in &layout.channels {
        let Some(range) = layout.range(&channel.name) else { continue };
        if let Some(name) = channel.name.strip_prefix(INTEROCEPTION) {
            senses.push((name.to_owned(), range.start));
        } else if channel.name.starts_with(SCENT) {
            senses.extend(range.enumerate().map(|(beam, at)| (format!("{}[{beam}]", channel.name), at)));
        }
    }
    senses
}

/// Whether a body's sense of this name is `channel`, or a beam of it.
pub(crate) fn is_of(name: &str, channel: &str) -> bool {
    name.strip_prefix(channel).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

/// What a model says of how it imagines the body's own state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InteroceptionCard {
    /// What is decoded, by name, each in its channel's unit.
    pub channels: Vec<String>,
    /// The share of each one's variance that is explained on latents of training.
    pub r2: Vec<f32>,
}

/// A linear map from a latent to the values of the interoceptive senses, trained together with the world model.
#[derive(Debug, Clone, PartialEq)]
pub struct Interoception {
    pub(crate) card: InteroceptionCard,
    /// `[latent]` to `[channels]`: one layer.
    pub(crate) linear: Mlp,
}

impl Interoception {
    /// From the layer that was trained on normalised senses.
    pub(crate) fn new(mut linear: Mlp, perception: &Perception) -> Self {
        let channels: Vec<String> = body_senses(perception.layout()).into_iter().map(|(name, _)| name).collect();
        let scales = perception.scales_of_body();
        for layer in &mut linear.layers {
            for row in layer.weight.chunks_exact_mut(layer.outputs) {
                row.iter_mut().zip(&scales).for_each(|(weight, (_, deviation))| *weight *= deviation);
            }
            for (bias, (mean, deviation)) in layer.bias.iter_mut().zip(&scales) {
                *bias = *bias * deviation + mean;
            }
        }
        let r2 = vec![0.0; channels.len()];
        Self { card: InteroceptionCard { channels, r2 }, linear }
    }

    /// The layer as it was trained, on normalised senses.
    pub(crate) fn normalised(&self, perception: &Perception) -> Mlp {
        let (mut linear, scales) = (self.linear.clone(), perception.scales_of_body());
        for layer in &mut linear.layers {
            for row in layer.weight.chunks_exact_mut(layer.outputs) {
                row.iter_mut().zip(&scales).for_each(|(weight, (_, deviation))| *weight /= deviation);
            }
            for (bias, (mean, deviation)) in layer.bias.iter_mut().zip(&scales) {
                *bias = (*bias - mean) / deviation;
            }
        }
        linear
    }

    /// What it says of itself.
    #[must_use]
    pub fn card(&self) -> &InteroceptionCard {
        &self.card
    }

    /// Where a sense, or all beams of one, stand among what is decoded.
    pub(crate) fn range_of(&self, channel: &str) -> Option<Range<usize>> {
        let of = |name: &str| is_of(name, channel);
        let begin = self.card.channels.iter().position(|name| of(name))?;
        let count = self.card.channels[begin..].iter().take_while(|name| of(name)).count();
        Some(begin..begin + count)
    }

    /// What the body feels in the states `latents` `[rows, latent]`: `[rows, channels]`.
    #[must_use]
    pub fn felt(&self, latents: &[f32]) -> Vec<f32> {
        self.linear.forward(latents)
    }

    /// From derivatives by what is felt, `[rows, channels]`, to those by the latents, added to `sums` `[rows, latent]`.
    pub(crate) fn add_back(&self, by_felt: &[f32], sums: &mut [f32]) {
        let Some(layer) = self.linear.layers.first() else { return };
        for (sums, slopes) in sums.chunks_exact_mut(layer.inputs).zip(by_felt.chunks_exact(layer.outputs)) {
            for (sum, weights) in sums.iter_mut().zip(layer.weight.chunks_exact(layer.outputs)) {
                *sum += weights.iter().zip(slopes).map(|(weight, slope)| weight * slope).sum::<f32>();
            }
        }
    }

    /// Measure how well it does on `latents` `[rows, latent]` of which `truth` `[rows, channels]` is known.
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 rows")]
    pub(crate) fn measure(&mut self, latents: &[f32], truth: &[f32]) {
        let (told, count) = (self.felt(latents), self.card.channels.len());
        for (channel, r2) in self.card.r2.iter_mut().enumerate() {
            let values = || truth.iter().skip(channel).step_by(count.max(1));
            let mean = values().sum::<f32>() / values().count().max(1) as f32;
            let spread: f32 = values().map(|value| (value - mean).powi(2)).sum();
            let told = told.iter().skip(channel).step_by(count.max(1));
            let left: f32 = told.zip(values()).map(|(told, value)| (told - value).powi(2)).sum();
            // What never varied is told perfectly.
            *r2 = if spread > 1e-9 { 1.0 - left / spread } else { 1.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::Channel;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn decodes_in_the_channels_units_and_leads_back() {
        let channel = |name: &str| Channel { name: name.into(), shape: vec![1] };
        let layout = ObservationLayout {
            channels: vec![channel("interoception.energy"), channel("a.b"), channel("interoception.light")],
        };
        assert_eq!(body_senses(&layout), [("energy".to_owned(), 0), ("light".to_owned(), 2)]);
        let nose = Channel { name: "scent.food".into(), shape: vec![2] };
        let smells = body_senses(&ObservationLayout { channels: vec![channel("a.b"), nose] });
        assert_eq!(smells, [("scent.food[0]".to_owned(), 1), ("scent.food[1]".to_owned(), 2)]);
        let perception = Perception::fit(&layout, &[0.2, 5.0, 1.0, 0.6, 7.0, 3.0]);
        let trained = Mlp::random(3, &[], 2, 1.0, &mut ChaCha8Rng::seed_from_u64(1));
        let mut body = Interoception::new(trained.clone(), &perception);
        let latents = [0.3, -0.4, 0.9, 1.0, 0.2, -0.7];
        let (told, normalised) = (body.felt(&latents), trained.forward(&latents));
        for (told, normalised) in told.chunks(2).zip(normalised.chunks(2)) {
            assert!((told[0] - (0.4 + 0.2 * normalised[0])).abs() < 1e-6);
            assert!((told[1] - (2.0 + normalised[1])).abs() < 1e-6);
        }
        for (there, back) in trained.forward(&latents).iter().zip(body.normalised(&perception).forward(&latents)) {
            assert!((there - back).abs() < 1e-5);
        }
        body.measure(&latents, &told);
        assert!(body.card.r2.iter().all(|r2| *r2 > 0.999));
        let mut sums = vec![0.0; 6];
        body.add_back(&[1.0, 0.0, 0.0, 2.0], &mut sums);
        let weights = &body.linear.layers[0].weight;
        assert_eq!(sums, [weights[0], weights[2], weights[4], 2.0 * weights[1], 2.0 * weights[3], 2.0 * weights[5]]);
    }
}
