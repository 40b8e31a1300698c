//! A training that was stopped, so that it can go on. Read first: [`TrainState`].

use super::{Experience, TrainContext, TrainingSpec, optimiser::AdamW, train::hash_text};
use crate::{
    perception::Perception,
    world_model::{
        ModelError,
        checkpoint::{self, Named},
        jepa::{Jepa, Shape},
        map::MapReader,
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
    /// The levels that are trained, the lowest first.
    pub(crate) finished: Vec<Jepa>,
    /// The level in training.
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
    /// [`Experience::hash`].
    pub(crate) experience: String,
    pub(crate) action_len: usize,
    /// Updates done on the level in training.
    pub(crate) updates: u32,
    /// The last effective rank of each finished level.
    pub(crate) ranks: Vec<f32>,
    pub(crate) perception: Perception,
    /// How the floor plan is read, if there is one.
    pub(crate) reader: Option<MapReader>,
    pub(crate) spec: TrainingSpec,
}

impl TrainState {
    /// Updates done so far, those of all levels.
    #[must_use]
    pub fn updates(&self) -> u32 {
        let finished = 0..self.finished.len();
        finished.map(|level| self.card.spec.of_level(level).updates).sum::<u32>() + self.card.updates
    }

    /// The sizes of all levels' networks.
    pub(crate) fn shapes(card: &StateCard) -> Vec<Shape> {
        let glimpse = card.reader.as_ref().map_or(0, MapReader::len);
        let felt = card.perception.body_indices().len();
        Shape::all(&card.spec.world_model, card.perception.len(), card.action_len, glimpse, felt)
    }

    /// Why this state cannot go on under `context` and `spec` with this experience, if it cannot.
    pub(crate) fn differs(
        &self,
        context: &TrainContext,
        spec: &TrainingSpec,
        experience: &Experience,
    ) -> Option<String> {
        let card = &self.card;
        if card.scenario_hash != hash_text(context.scenario_hash) {
            return Some(format!("the scenario file has changed since ({} was trained)", card.scenario));
        }
        if card.seed != context.seed {
            return Some(format!("it was started with --seed {}, not {}", card.seed, context.seed));
        }
        if card.spec != *spec {
            return Some("the training settings have changed since".into());
        }
        let frames = experience.frames() as u64;
        if card.frames != frames {
            return Some(format!("it was started with {} frames, not {frames}", card.frames));
        }
        (card.experience != hash_text(experience.hash())).then(|| {
            "it was started on another experience of the same length: another dataset, or what another machine explored".into()
        })
    }

    /// Write the state.
    ///
    /// # Errors
    /// [`ModelError::Io`] where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let mut tensors: Vec<Named> = Vec::new();
        for (level, jepa) in self.finished.iter().enumerate() {
            for (index, values) in jepa.parameters().into_iter().enumerate() {
                tensors.push((format!("finished.{level}.{index}"), vec![values.len()], values));
            }
        }
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
        let refuse = |reason: &str| ModelError::Card { path: path.into(), reason: reason.into() };
        let reader_sound = card.reader.as_ref().is_none_or(MapReader::is_sound);
        if !card.perception.is_sound() || card.perception.is_empty() || card.action_len == 0 || !reader_sound {
            return Err(refuse("perception does not fit"));
        }
        let shapes = Self::shapes(&card);
        let level = card.ranks.len();
        let shape = shapes.get(level).ok_or_else(|| refuse("it has more levels than its settings"))?;
        let mut finished = Vec::new();
        for (index, shape) in shapes[..level].iter().enumerate() {
            let mut jepa = Jepa::random(shape, &card.spec.objective, &mut super::train::init_rng(card.seed, index));
            for (parameter, values) in jepa.parameters_mut().into_iter().enumerate() {
                let name = format!("finished.{index}.{parameter}");
                *values = checkpoint::load_tensor(&tensors, path, &name, &[values.len()])?;
            }
            finished.push(jepa);
        }
        let mut jepa = Jepa::random(shape, &card.spec.objective, &mut super::train::init_rng(card.seed, level));
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
        Ok(Self { card, finished, jepa, optimiser })
    }
}
