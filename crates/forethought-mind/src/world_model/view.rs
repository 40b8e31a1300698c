//! A recorded episode as each level of a model sees it, and what the level foretells of it. Read first: [`Model::views`] and
//! [`View::foretell`].

use super::{Model, predictor::Predictor};
use crate::training::Trajectory;
use std::sync::Arc;

/// An episode as one level sees it.
#[derive(Debug, Clone)]
pub struct View {
    predictor: Arc<Predictor>,
    map: Vec<f32>,
    /// Control steps that one prediction spans.
    span: usize,
    /// Control steps before its own that a latent tells of.
    history: usize,
    /// `[steps + 1, latent]`.
    latents: Vec<f32>,
    /// `[steps + 1 - span, acting]`: what was done from each control step on, in this level's actions.
    actions: Vec<f32>,
}

impl Model {
    /// A recorded episode as each level sees it, the first level first.
    #[must_use]
    pub fn views(&self, episode: &Trajectory) -> Vec<View> {
        let (perception, predictor) = (self.card().perception.clone(), self.predictor());
        let mut percepts = Vec::new();
        for sensed in episode.observations.chunks_exact(perception.len()) {
            perception.normalise_into(sensed, &mut percepts);
        }
        let (action_len, acting) = (self.card().action_len, predictor.action_len());
        let view = |predictor: &Arc<Predictor>, span, history, latents, actions| View {
            map: if predictor.map_len() > 0 { episode.map.clone() } else { vec![] },
            predictor: predictor.clone(),
            span,
            history,
            latents,
            actions,
        };
        let actions = episode.actions.windows(acting).step_by(action_len).flatten().copied().collect();
        let mut views = vec![view(predictor, self.stride(), 0, self.encode(&percepts), actions)];
        for level in self.levels() {
            let below = &views[views.len() - 1];
            let steps = below.steps();
            let latents = (0..=steps).flat_map(|at| level.encode_at(|step| below.latent(step), at)).collect();
            let chunks: Vec<f32> = (0..(steps + 1).saturating_sub(level.span))
                .flat_map(|at| (0..level.spec.stride).flat_map(move |part| below.action(at + part * level.span_below)))
                .copied()
                .collect();
            let history = below.history + (level.spec.stride - 1) * level.span_below;
            views.push(view(&level.predictor, level.span, history, latents, level.abstract_actions(&chunks)));
        }
        views
    }
}

impl View {
    /// Control steps of the episode.
    #[must_use]
    pub fn steps(&self) -> usize {
        (self.latents.len() / self.width()).saturating_sub(1)
    }

    /// Width of a latent.
    #[must_use]
    pub fn width(&self) -> usize {
        self.predictor.latent()
    }

    /// Control steps that one prediction spans.
    #[must_use]
    pub fn span(&self) -> usize {
        self.span
    }

    /// For how many control steps something that happens at one of them stays in one-ahead prediction errors: what a
    /// prediction spans, and what its latents are pooled over.
    #[must_use]
    pub fn reach(&self) -> usize {
        self.span + self.history
    }

    /// `[steps + 1, latent]`.
    #[must_use]
    pub fn latents(&self) -> &[f32] {
        &self.latents
    }

    /// The latent at a control step.
    #[must_use]
    pub fn latent(&self, step: usize) -> &[f32] {
        &self.latents[step * self.width()..(step + 1) * self.width()]
    }

    /// What was done from a control step on, in this level's actions, `[acting]`.
    #[must_use]
    pub fn action(&self, step: usize) -> &[f32] {
        let acting = self.predictor.action_len();
        &self.actions[step * acting..(step + 1) * acting]
    }

    /// Open loop, from the latents at the control steps `starts` under what was really done: `[predictions, starts, latent]`.
    /// Prediction `p`, from 0, is of control step `start + (p + 1) * span`, which must not be behind the episode's end.
    #[must_use]
    pub fn foretell(&self, starts: &[usize], predictions: usize) -> Vec<f32> {
        if starts.is_empty() || predictions == 0 {
            return vec![];
        }
        let latents: Vec<f32> = starts.iter().flat_map(|start| self.latent(*start)).copied().collect();
        let actions: Vec<f32> = (0..predictions)
            .flat_map(|prediction| starts.iter().flat_map(move |start| self.action(start + prediction * self.span)))
            .copied()
            .collect();
        self.predictor.imagine(&latents, &actions, &self.map)
    }

    /// What came less what was foretold `ahead` predictions before, for each control step from `ahead * span` on:
    /// `[steps + 1 - ahead * span, latent]`; empty where the episode is shorter.
    #[must_use]
    pub fn residuals(&self, ahead: usize) -> Vec<f32> {
        let first = ahead * self.span;
        let starts: Vec<usize> = (0..(self.steps() + 1).saturating_sub(first)).collect();
        let foretold = self.foretell(&starts, ahead);
        let last = &foretold[foretold.len() - starts.len() * self.width()..];
        self.latents.iter().skip(first * self.width()).zip(last).map(|(came, foretold)| came - foretold).collect()
    }
}

/// The Euclidean distance of two latents.
#[must_use]
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Dense, Mlp};

    /// A level whose latent is the sum of all actions so far, and whose predictor knows that, but for a constant `error` in
    /// each prediction.
    fn counting(span: usize, error: f32) -> View {
        let mut weight = vec![0.0];
        weight.extend(vec![1.0; span]);
        let layer = Dense { inputs: 1 + span, outputs: 1, weight, bias: vec![error] };
        let done: Vec<f32> = (0..20).map(|step| ((step * 7) % 5) as f32 - 2.0).collect();
        let sums = (0..=20).map(|step| done[..step].iter().sum());
        View {
            predictor: Arc::new(Predictor::new(Mlp { layers: vec![layer] }, span, None)),
            map: vec![],
            span,
            history: 0,
            latents: sums.collect(),
            actions: done.windows(span).flatten().copied().collect(),
        }
    }

    #[test]
    fn errors_grow_with_the_predictions_made_and_not_with_their_span() {
        for span in [1, 2, 4] {
            let (exact, off) = (counting(span, 0.0), counting(span, 0.5));
            assert_eq!((exact.steps(), exact.span(), exact.reach()), (20, span, span));
            let starts = [0, 3, 20 - 4 * span];
            for (view, error) in [(&exact, 0.0), (&off, 0.5)] {
                let foretold = view.foretell(&starts, 4);
                assert_eq!(foretold.len(), 12);
                for (prediction, row) in foretold.chunks(3).enumerate() {
                    for (start, foretold) in starts.iter().zip(row) {
                        let came = view.latent(start + (prediction + 1) * span)[0];
                        let expected = (prediction + 1) as f32 * error;
                        assert!((foretold - came - expected).abs() < 1e-4, "{span} {prediction} {start}");
                    }
                }
                for ahead in [1, 3] {
                    let residuals = view.residuals(ahead);
                    assert_eq!(residuals.len(), 21 - ahead * span);
                    assert!(residuals.iter().all(|residual| (residual + ahead as f32 * error).abs() < 1e-4));
                }
            }
            assert!(exact.residuals(30).is_empty() && exact.foretell(&[], 3).is_empty());
        }
    }

    #[test]
    fn distances_are_euclidean() {
        assert_eq!(distance(&[0.0, 3.0], &[4.0, 0.0]), 5.0);
    }
}
