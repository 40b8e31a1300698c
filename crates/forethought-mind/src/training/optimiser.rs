//! AdamW with a cosine schedule. Read first: [`AdamW::step`].

use super::TrainingSpec;
use crate::network::Path;
use rayon::prelude::*;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Updates over which the learning rate rises from zero.
const WARM_UP: f32 = 100.0;
/// Numbers that one thread works on at a time.
const SLICE: usize = 4096;

/// AdamW (Loshchilov & Hutter, 2019): weight decay on weight matrices only, which dfdx's own has no way to say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdamW {
    /// First moments, one per parameter.
    pub(crate) first: Vec<Vec<f32>>,
    /// Second moments.
    pub(crate) second: Vec<Vec<f32>>,
}

impl AdamW {
    pub(crate) fn new(parameters: &[&Vec<f32>]) -> Self {
        let zeros: Vec<Vec<f32>> = parameters.iter().map(|parameter| vec![0.0; parameter.len()]).collect();
        Self { first: zeros.clone(), second: zeros }
    }

    /// One update, number `update` counted from 0, with the mean of the shards' gradients, whose norm is first brought to at
    /// most `spec.clip_norm`. Gives the norm before that.
    ///
    /// Each shard's gradient is parts which, one after the other, are the parameters: weights and biases by turns. The work
    /// is spread over the current rayon pool by ranges of fixed length, so that no sum depends on the number of threads.
    pub(crate) fn step(
        &mut self,
        parameters: Vec<&mut Vec<f32>>,
        shards: Vec<&mut [Vec<f32>]>,
        spec: &TrainingSpec,
        update: u32,
    ) -> f32 {
        let mut slices = self.slices(parameters, shards);
        let squares: Vec<f64> = slices.par_iter_mut().map(Slice::take_mean).collect();
        #[expect(clippy::cast_possible_truncation, reason = "a norm of single-precision numbers")]
        let norm = squares.iter().sum::<f64>().sqrt() as f32;
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 updates")]
        let (done, all) = ((update + 1) as f32, spec.updates.max(1) as f32);
        let cosine = 0.5 * (1.0 + (std::f32::consts::PI * (done - 1.0) / all).cos());
        let rate = spec.learning_rate * cosine * (done / WARM_UP).min(1.0);
        let rates = Rates {
            scale: if norm > spec.clip_norm { spec.clip_norm / norm } else { 1.0 },
            rate,
            decay: rate * spec.weight_decay,
            correct1: 1.0 - BETA1.powf(done),
            correct2: 1.0 - BETA2.powf(done),
        };
        slices.into_par_iter().for_each(|slice| slice.step(&rates));
        norm
    }

    /// Everything that belongs to a range of a parameter, for each such range.
    fn slices<'a>(&'a mut self, parameters: Vec<&'a mut Vec<f32>>, shards: Vec<&'a mut [Vec<f32>]>) -> Vec<Slice<'a>> {
        let mut shards: Vec<Pieces> =
            shards.into_iter().map(|parts| Pieces { parts: parts.iter_mut(), rest: &mut [] }).collect();
        let mut slices = Vec::new();
        let moments = self.first.iter_mut().zip(&mut self.second);
        for (index, (values, (first, second))) in parameters.into_iter().zip(moments).enumerate() {
            let ranges = values.chunks_mut(SLICE).zip(first.chunks_mut(SLICE)).zip(second.chunks_mut(SLICE));
            for ((values, first), second) in ranges {
                let shards = shards.iter_mut().map(|pieces| pieces.take(values.len())).collect();
                slices.push(Slice { values, first, second, shards, decays: index % 2 == 0 });
            }
        }
        slices
    }
}

/// A shard's gradient, handed out piece by piece.
struct Pieces<'a> {
    parts: std::slice::IterMut<'a, Vec<f32>>,
    rest: &'a mut [f32],
}

impl<'a> Pieces<'a> {
    fn take(&mut self, length: usize) -> &'a mut [f32] {
        if self.rest.is_empty() {
            self.rest = self.parts.next().map(Vec::as_mut_slice).unwrap_or_default();
        }
        self.rest.split_off_mut(..length).unwrap_or_default()
    }
}

/// A range of a parameter.
struct Slice<'a> {
    values: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    /// Each shard's gradient; later that of the first is the mean.
    shards: Vec<&'a mut [f32]>,
    decays: bool,
}

/// What an update multiplies by.
struct Rates {
    scale: f32,
    rate: f32,
    decay: f32,
    correct1: f32,
    correct2: f32,
}

impl Slice<'_> {
    /// The mean over the shards, in their order, into the first; the sum of its squares.
    fn take_mean(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of shards")]
        let share = 1.0 / self.shards.len().max(1) as f32;
        let Some((mean, others)) = self.shards.split_first_mut() else { return 0.0 };
        Path::best().run(|| {
            for other in others {
                mean.iter_mut().zip(other.iter()).for_each(|(sum, value)| *sum += value);
            }
            // Several sums, so that the compiler vectorises them.
            let mut squares = [0.0_f64; 8];
            for mean in mean.chunks_mut(8) {
                for (mean, square) in mean.iter_mut().zip(&mut squares) {
                    *mean *= share;
                    *square += f64::from(*mean) * f64::from(*mean);
                }
            }
            squares.iter().sum()
        })
    }

    fn step(self, rates: &Rates) {
        let Rates { scale, rate, decay, correct1, correct2 } = *rates;
        let decay = if self.decays { decay } else { 0.0 };
        let Some(gradient) = self.shards.into_iter().next() else { return };
        let moments = self.first.iter_mut().zip(self.second);
        Path::best().run(|| {
            for ((value, g), (first, second)) in self.values.iter_mut().zip(gradient).zip(moments) {
                let g = *g * scale;
                *first += (1.0 - BETA1) * (g - *first);
                *second += (1.0 - BETA2) * (g * g - *second);
                let step = (*first / correct1) / ((*second / correct2).sqrt() + EPSILON);
                *value -= rate * step + decay * *value;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_bowl() {
        let spec = TrainingSpec { updates: 600, learning_rate: 0.05, clip_norm: 10.0, ..TrainingSpec::default() };
        let mut parameters = [vec![3.0, -2.0], vec![1.0]];
        let mut optimiser = AdamW::new(&parameters.iter().collect::<Vec<_>>());
        for update in 0..spec.updates {
            // Two shards that differ, and two parts.
            let shard =
                |by: f32| parameters.each_ref().map(|p| p.iter().map(|x| 2.0 * (x - 0.5) + by).collect::<Vec<f32>>());
            let (mut left, mut right) = (shard(-1.0), shard(1.0));
            optimiser.step(parameters.iter_mut().collect(), vec![&mut left, &mut right], &spec, update);
        }
        assert!(parameters.iter().flatten().all(|x| (x - 0.5).abs() < 1e-2), "{parameters:?}");
    }

    #[test]
    fn a_huge_gradient_is_clipped() {
        let spec = TrainingSpec { clip_norm: 1.0, ..TrainingSpec::default() };
        let mut parameters = [vec![0.0], vec![0.0]];
        let mut optimiser = AdamW::new(&parameters.iter().collect::<Vec<_>>());
        let norm = optimiser.step(parameters.iter_mut().collect(), vec![&mut [vec![3e6, 4e6]]], &spec, 0);
        assert!((norm - 5e6).abs() < 1.0);
        assert!((optimiser.first[0][0] - 0.06).abs() < 1e-6);
    }
}
