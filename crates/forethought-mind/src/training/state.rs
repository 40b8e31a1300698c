//! A training that was stopped, so that it can go on. Read first: [`TrainState`].

use super::{TrainContext, TrainingSpec, optimiser::AdamW};
use crate::{
    perception::Perception,
    world_model::{
        ModelError,
        checkpoint::{self, Named},
        jepa::Jepa,
    },
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The key under which a file carries its card.
const CARD_KEY: &str = "forethought.training";

/// Everything that the next update depends on, except the experience itself, which its seed gives again.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainState {
    pub(crate) card: StateCard,
    pub(crate) jepa: Jepa,
    pub(crate) optimiser: AdamW,
}

/// What must agree for a training to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StateCard {
    pub(crate) scenario: String,
    pub(crate) scenario_hash: String,
    pub(crate) seed: u64,
    pub(crate) frames: u64,
    pub(crate) action_len: usize,
    /// Updates done.
    pub(crate) updates: u32,
    pub(crate) perception: Perception,
    pub(crate) spec: TrainingSpec,
}

impl TrainState {
    /// Updates done so far.
    #[must_use]
    pub fn updates(&self) -> u32 {
        self.card.updates
    }

    /// Why this state cannot go on under `context` and `spec`, if it cannot.
    pub(crate) fn differs(&self, context: &TrainContext, spec: &TrainingSpec, frames: u64) -> Option<String> {
        let card = &self.card;
        if card.scenario_hash != context.hash_text() {
            return Some(format!("the scenario file has changed since ({} was trained)", card.scenario));
        }
        if card.seed != context.seed {
            return Some(format!("it was started with --seed {}, not {}", card.seed, context.seed));
        }
        if card.spec != *spec {
            return Some("the training settings have changed since".into());
        }
        (card.frames != frames).then(|| format!("it was started with {} frames, not {frames}", card.frames))
    }

    /// Write the state.
    ///
    /// # Errors
    /// [`ModelError::Io`] where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let mut tensors: Vec<Named> = Vec::new();
        let groups = [
            ("weight", self.jepa.parameters()),
            ("target", self.jepa.followers()),
            ("first", self.optimiser.first.iter().collect()),
            ("second", self.optimiser.second.iter().collect()),
        ];
        for (name, group) in groups {
            for (index, values) in group.into_iter().enumerate() {
                tensors.push((format!("{name}.{index}"), vec![values.len()], values));
            }
        }
        checkpoint::write(path, CARD_KEY, &self.card, &tensors)
    }

    /// Read a state.
    ///
    /// # Errors
    /// [`ModelError`] where the file is missing, cut short, foreign, inconsistent or not finite.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let bytes = checkpoint::read(path)?;
        let tensors = checkpoint::open(&bytes, path)?;
        let card: StateCard = checkpoint::card(&bytes, path, CARD_KEY)?;
        if !card.perception.is_sound() || card.perception.is_empty() || card.action_len == 0 {
            return Err(ModelError::Card { path: path.into(), reason: "perception does not fit".into() });
        }
        let mut rng = super::train::init_rng(card.seed);
        let (spec, percept) = (&card.spec, card.perception.len());
        let mut jepa = Jepa::random(&spec.world_model, percept, card.action_len, &spec.objective, &mut rng);
        let mut optimiser = AdamW::new(&jepa.parameters());
        let fill = |name: &str, group: Vec<&mut Vec<f32>>| {
            for (index, values) in group.into_iter().enumerate() {
                *values = checkpoint::load_tensor(&tensors, path, &format!("{name}.{index}"), &[values.len()])?;
            }
            Ok(())
        };
        fill("weight", jepa.parameters_mut())?;
        fill("target", jepa.followers_mut())?;
        fill("first", optimiser.first.iter_mut().collect())?;
        fill("second", optimiser.second.iter_mut().collect())?;
        Ok(Self { card, jepa, optimiser })
    }
}
