//! Perception: from raw senses to a percept, the normalised vector that the encoder reads. Read first: [`Perception`].

use crate::world_model::interoception::body_senses;
use forethought_interface::{Observation, ObservationLayout, ThinkError};
use serde::{Deserialize, Serialize};

/// No value is stretched by more than this: a sense that hardly varied in training must not drown the others later.
const MIN_DEVIATION: f32 = 1e-3;
/// Percepts are kept within this many standard deviations.
const LIMIT: f32 = 10.0;

/// The channel of a floor plan, which predictors read where they imagine the agent to be; it is no part of the percept.
pub const MAP: &str = "map.occupancy";

/// Where the values that a percept is made of stand in an observation: all but rasters and the floor plan.
#[must_use]
pub fn senses(layout: &ObservationLayout) -> Vec<usize> {
    let mut indices = Vec::new();
    let mut start = 0;
    for channel in &layout.channels {
        if !channel.name.starts_with("raster.") && channel.name != MAP {
            indices.extend(start..start + channel.len());
        }
        start += channel.len();
    }
    indices
}

/// Reads the structured senses and brings each value to mean 0 and deviation 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Perception {
    layout: ObservationLayout,
    /// Where each percept value stands in an observation, `[percept]`.
    indices: Vec<usize>,
    mean: Vec<f32>,
    deviation: Vec<f32>,
    /// Where the body's own senses stand in a percept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    body: Vec<usize>,
    /// The scents that were completed from memory; see [`crate::recall::Recall`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recalls: Vec<String>,
}

impl Perception {
    /// Measure the normalisation on the [`senses`] of observations, `[n, senses]` row by row.
    #[must_use]
    pub fn fit(layout: &ObservationLayout, sensed: &[f32]) -> Self {
        let indices = senses(layout);
        let rows = || sensed.chunks_exact(indices.len().max(1));
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 observations")]
        let count = rows().len().max(1) as f64;
        let mean_of = |value: &dyn Fn(&[f32], usize) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; indices.len()];
            for row in rows() {
                sums.iter_mut().enumerate().for_each(|(i, sum)| *sum += value(row, i));
            }
            sums.into_iter().map(|sum| sum / count).collect()
        };
        let mean = mean_of(&|row, i| f64::from(row[i]));
        let variance = mean_of(&|row, i| (f64::from(row[i]) - mean[i]).powi(2));
        #[expect(clippy::cast_possible_truncation, reason = "sensor values are single precision")]
        let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect::<Vec<_>>();
        let deviation = narrow(variance.into_iter().map(f64::sqrt).collect());
        let deviation = deviation.into_iter().map(|d| d.max(MIN_DEVIATION)).collect();
        let of = |(_, at): (String, usize)| indices.iter().position(|index| *index == at);
        let body = body_senses(layout).into_iter().filter_map(of).collect();
        Self { layout: layout.clone(), mean: narrow(mean), deviation, indices, body, recalls: vec![] }
    }

    /// The same of observations in which these scents were completed from memory.
    #[must_use]
    pub fn recalling(self, recalls: &[String]) -> Self {
        Self { recalls: recalls.to_vec(), ..self }
    }

    /// The scents that were completed from memory.
    #[must_use]
    pub fn recalls(&self) -> &[String] {
        &self.recalls
    }

    /// How many values a percept has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// The floor plan in an observation; empty without one.
    pub(crate) fn map<'a>(&self, observation: &'a Observation) -> &'a [f32] {
        let range = self.layout.range(MAP);
        range.and_then(|range| observation.values.get(range)).unwrap_or_default()
    }

    /// True where no sense is read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The observations that this perception was made for.
    #[must_use]
    pub fn layout(&self) -> &ObservationLayout {
        &self.layout
    }

    /// True where every index and deviation is usable; a checkpoint from elsewhere may hold anything.
    pub(crate) fn is_sound(&self) -> bool {
        let length = self.layout.len();
        self.mean.len() == self.len()
            && self.deviation.len() == self.len()
            && self.indices.iter().all(|index| *index < length)
            && self.body.iter().all(|index| *index < self.len())
            && self.mean.iter().all(|value| value.is_finite())
            && self.deviation.iter().all(|value| value.is_finite() && *value > 0.0)
    }

    /// Append the percept of one observation's [`senses`].
    pub(crate) fn normalise_into(&self, sensed: &[f32], percept: &mut Vec<f32>) {
        let normalised = sensed.iter().zip(self.mean.iter().zip(&self.deviation));
        percept.extend(normalised.map(|(value, (mean, dev))| ((value - mean) / dev).clamp(-LIMIT, LIMIT)));
    }

    /// Where the body's own senses stand in a percept.
    pub(crate) fn body_indices(&self) -> &[usize] {
        &self.body
    }

    /// Where the senses stand in a percept whose channels' names begin with one of these.
    pub(crate) fn indices_of(&self, names: &[String]) -> Vec<usize> {
        let begins = |channel: &str| names.iter().any(|name| channel.starts_with(name.as_str()));
        let named = self.layout.channels.iter().filter(|channel| begins(&channel.name));
        let ranges: Vec<_> = named.filter_map(|channel| self.layout.range(&channel.name)).collect();
        let within = |index: &usize| ranges.iter().any(|range| range.contains(index));
        (0..self.len()).filter(|at| within(&self.indices[*at])).collect()
    }

    /// Mean and deviation of each of the body's own senses.
    pub(crate) fn scales_of_body(&self) -> Vec<(f32, f32)> {
        self.body.iter().map(|index| (self.mean[*index], self.deviation[*index])).collect()
    }

    /// Append what the body feels, normalised, of one observation's [`senses`].
    pub(crate) fn body_into(&self, sensed: &[f32], felt: &mut Vec<f32>) {
        let of = |index: usize| ((sensed[index] - self.mean[index]) / self.deviation[index]).clamp(-LIMIT, LIMIT);
        felt.extend(self.body.iter().map(|index| of(*index)));
    }

    /// The percept of an observation: `[percept]`.
    ///
    /// # Errors
    /// [`ThinkError::Observation`] where a sense is not finite or the observation has another length.
    pub fn perceive(&self, observation: &Observation) -> Result<Vec<f32>, ThinkError> {
        self.perceive_values(&observation.values)
    }

    /// The same of an observation's values.
    pub(crate) fn perceive_values(&self, values: &[f32]) -> Result<Vec<f32>, ThinkError> {
        let of_channel = |channel: String| ThinkError::Observation { channel };
        if values.len() != self.layout.len() {
            return Err(of_channel(format!("count ({} values)", values.len())));
        }
        if let Some(bad) = values.iter().position(|value| !value.is_finite()) {
            let named =
                self.layout.channels.iter().find(|c| self.layout.range(&c.name).is_some_and(|r| r.contains(&bad)));
            return Err(of_channel(named.map_or_else(String::new, |channel| channel.name.clone())));
        }
        let mut percept = Vec::with_capacity(self.len());
        let sensed: Vec<f32> = self.indices.iter().map(|index| values[*index]).collect();
        self.normalise_into(&sensed, &mut percept);
        Ok(percept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::Channel;

    fn perception() -> Perception {
        let channel = |name: &str, shape: &[usize]| Channel { name: name.into(), shape: shape.into() };
        let channels = vec![channel("a.b", &[2]), channel("raster.rgb", &[1, 1, 3]), channel("c.d", &[1])];
        let layout = ObservationLayout { channels };
        let rows = [[1.0, 5.0, 2.0], [3.0, 5.0, 6.0]];
        Perception::fit(&layout, &rows.concat())
    }

    #[test]
    fn normalises_and_leaves_pictures_out() {
        let observation = Observation { values: vec![3.0, 5.0, 0.0, 0.0, 0.0, 2.0] };
        assert_eq!(perception().perceive(&observation).unwrap(), [1.0, 0.0, -1.0]);
        let far = Observation { values: vec![3.0, 5.0, 0.0, 0.0, 0.0, 1e9] };
        assert_eq!(perception().perceive(&far).unwrap()[2], LIMIT);
    }

    #[test]
    fn refuses_what_is_no_number() {
        let observation = Observation { values: vec![3.0, 5.0, 0.0, 0.0, 0.0, f32::NAN] };
        let error = perception().perceive(&observation).unwrap_err();
        assert_eq!(error, ThinkError::Observation { channel: "c.d".into() });
        assert!(perception().perceive(&Observation { values: vec![1.0] }).is_err());
    }
}
