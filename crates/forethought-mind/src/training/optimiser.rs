//! AdamW with a cosine schedule. Read first: [`AdamW::step`].

use super::TrainingSpec;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Updates over which the learning rate rises from zero.
const WARM_UP: f32 = 100.0;

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

    /// One update, number `update` counted from 0, with a gradient whose norm is first brought to at most
    /// `spec.clip_norm`. Parameters are weights and biases by turns. Gives the gradient's norm before that.
    pub(crate) fn step(
        &mut self,
        parameters: Vec<&mut Vec<f32>>,
        gradient: &[Vec<f32>],
        spec: &TrainingSpec,
        update: u32,
    ) -> f32 {
        let norm = gradient.iter().flatten().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "a norm of single-precision numbers")]
        let norm = norm as f32;
        let scale = if norm > spec.clip_norm { spec.clip_norm / norm } else { 1.0 };
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 updates")]
        let (done, all) = ((update + 1) as f32, spec.updates.max(1) as f32);
        let cosine = 0.5 * (1.0 + (std::f32::consts::PI * (done - 1.0) / all).cos());
        let rate = spec.learning_rate * cosine * (done / WARM_UP).min(1.0);
        let (correct1, correct2) = (1.0 - BETA1.powf(done), 1.0 - BETA2.powf(done));

        for (index, parameter) in parameters.into_iter().enumerate() {
            let decay = if index % 2 == 0 { rate * spec.weight_decay } else { 0.0 };
            let moments = self.first[index].iter_mut().zip(&mut self.second[index]);
            for ((value, g), (first, second)) in parameter.iter_mut().zip(&gradient[index]).zip(moments) {
                let g = g * scale;
                *first += (1.0 - BETA1) * (g - *first);
                *second += (1.0 - BETA2) * (g * g - *second);
                let step = (*first / correct1) / ((*second / correct2).sqrt() + EPSILON);
                *value -= rate * step + decay * *value;
            }
        }
        norm
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
            let gradient: Vec<Vec<f32>> =
                parameters.iter().map(|p| p.iter().map(|x| 2.0 * (x - 0.5)).collect()).collect();
            optimiser.step(parameters.iter_mut().collect(), &gradient, &spec, update);
        }
        assert!(parameters.iter().flatten().all(|x| (x - 0.5).abs() < 1e-2), "{parameters:?}");
    }

    #[test]
    fn a_huge_gradient_is_clipped() {
        let spec = TrainingSpec { clip_norm: 1.0, ..TrainingSpec::default() };
        let mut parameters = [vec![0.0], vec![0.0]];
        let mut optimiser = AdamW::new(&parameters.iter().collect::<Vec<_>>());
        let norm = optimiser.step(parameters.iter_mut().collect(), &[vec![3e6], vec![4e6]], &spec, 0);
        assert!((norm - 5e6).abs() < 1.0);
        assert!((optimiser.first[0][0] - 0.06).abs() < 1e-6);
    }
}
