//! H-JEPA: levels stacked upon JEPA-1 (Dawid & LeCun 2023, Sec. 6, Fig. 11). A level encodes what the level below makes of
//! the world, pooled over its stride, and predicts it further ahead under an abstract action: a learned code of the chunk of
//! actions below. Read first: [`LevelSpec`] and [`Level`].

use super::{checkpoint::fits, encoder::Encoder, predictor::Predictor, readout::Readout};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A level above the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LevelSpec {
    /// Predictions of the level below that one of this level spans; latents of the level below are pooled over as many.
    pub stride: usize,
    /// Width of the latent.
    pub latent: usize,
    /// Width of the abstract action.
    pub action: usize,
    /// Hidden layers of the action encoder.
    pub action_hidden: Vec<usize>,
    /// Hidden layers of the encoder.
    pub encoder_hidden: Vec<usize>,
    /// Hidden layers of the predictor.
    pub predictor_hidden: Vec<usize>,
    /// Hidden layers of the inverse dynamics head, used in training only.
    pub inverse_hidden: Vec<usize>,
    /// Gradient updates.
    pub updates: u32,
    /// Predictions made open loop from each sequence's first latent.
    pub unroll: u32,
}

impl Default for LevelSpec {
    fn default() -> Self {
        Self {
            stride: 2,
            latent: 32,
            action: 8,
            action_hidden: vec![64],
            encoder_hidden: vec![128],
            predictor_hidden: vec![256, 256],
            inverse_hidden: vec![128],
            updates: 8000,
            unroll: 6,
        }
    }
}

/// What a level says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelCard {
    /// The last effective rank of the representation.
    pub effective_rank: f32,
    /// From a latent to the agent's present position.
    pub readout: Readout,
    /// How far apart latents one prediction apart are: the ninth decile over the experience.
    pub stride_distance: f32,
    /// How far the agent moves during one prediction, in metres: the ninth decile over the experience.
    pub stride_m: f32,
    /// What the abstract actions of the experience span: their first and last percentile, per value.
    pub action_range: Vec<[f32; 2]>,
}

impl LevelCard {
    /// True where every number is usable; a checkpoint from elsewhere may hold anything.
    pub(crate) fn is_sound(&self, spec: &LevelSpec) -> bool {
        (1..=1000).contains(&spec.stride)
            && spec.latent > 0
            && spec.action > 0
            && fits(&self.readout, spec.latent)
            && self.stride_distance.is_finite()
            && self.stride_distance > 0.0
            && self.action_range.len() == spec.action
            && self.action_range.iter().all(|[low, high]| low <= high && low.abs() <= 1.0 && high.abs() <= 1.0)
    }
}

/// A trained level above the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    pub(crate) spec: LevelSpec,
    pub(crate) card: LevelCard,
    /// Pooled latents of the level below to a latent.
    pub(crate) encoder: Encoder,
    /// A chunk of actions below to the abstract action before its squashing.
    pub(crate) action_encoder: Encoder,
    pub(crate) predictor: Arc<Predictor>,
    /// Control steps that one prediction spans.
    pub(crate) span: usize,
    /// Control steps that one prediction of the level below spans.
    pub(crate) span_below: usize,
}

impl Level {
    /// What the level says of itself.
    #[must_use]
    pub fn card(&self) -> &LevelCard {
        &self.card
    }

    /// Control steps that one prediction spans.
    #[must_use]
    pub fn span(&self) -> usize {
        self.span
    }

    /// The predictor.
    #[must_use]
    pub fn predictor(&self) -> &Arc<Predictor> {
        &self.predictor
    }

    /// The latent at control step `step`, from the latents of the level below at each.
    pub(crate) fn encode_at<'a>(&self, below: impl Fn(usize) -> &'a [f32], step: usize) -> Vec<f32> {
        let mut pooled = vec![0.0; self.encoder.mlp().inputs()];
        pool_into(below, step, self.spec.stride, self.span_below, &mut pooled);
        self.encoder.forward(&pooled, false).0
    }

    /// The latent of a state that has lasted for a while.
    pub(crate) fn encode_steady(&self, below: &[f32]) -> Vec<f32> {
        self.encoder.forward(below, false).0
    }

    /// Abstract actions, `[rows, action]`, each value in `(-1, 1)`, of chunks of actions below, `[rows, stride * action below]`.
    pub(crate) fn abstract_actions(&self, chunks: &[f32]) -> Vec<f32> {
        abstract_actions(&self.action_encoder, chunks)
    }
}

/// What an action encoder makes of chunks of actions below, each value in `(-1, 1)`.
pub(crate) fn abstract_actions(encoder: &Encoder, chunks: &[f32]) -> Vec<f32> {
    let mut codes = encoder.forward(chunks, false).0;
    codes.iter_mut().for_each(|code| *code = code.tanh());
    codes
}

/// The mean of `stride` latents of the level below, `span` control steps apart, the last of them at control step `step`. What
/// was before the beginning was as the beginning.
pub(crate) fn pool_into<'a>(
    latent_at: impl Fn(usize) -> &'a [f32],
    step: usize,
    stride: usize,
    span: usize,
    pooled: &mut [f32],
) {
    #[expect(clippy::cast_precision_loss, reason = "a stride has far fewer than 2^24 steps")]
    let share = 1.0 / stride as f32;
    pooled.fill(0.0);
    for back in 0..stride {
        let latent = latent_at(step.saturating_sub(back * span));
        pooled.iter_mut().zip(latent).for_each(|(sum, value)| *sum += share * value);
    }
}
