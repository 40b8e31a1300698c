//! A mind that learns while it lives. Read first: [`Living`].

use super::Learning;
use crate::Mind;
use forethought_interface::{Detail, Inspect, Observation, Think, ThinkError, Thought};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A mind that lives with the model of a stream of experience. One of those that share a stream leads: what it goes through is
/// what is learnt from, and it synchronises; the others take up the same model in the same control step.
pub struct Living {
    mind: Mind,
    learning: Arc<Mutex<Learning>>,
    leads: bool,
    version: u64,
}

impl Living {
    /// A mind that was made with the present model of this stream.
    #[must_use]
    pub fn new(mind: Mind, learning: Arc<Mutex<Learning>>, leads: bool) -> Self {
        let version = locked(&learning).version();
        Self { mind, learning, leads, version }
    }
}

/// What is learnt is whole even where somebody panicked who held it.
fn locked(learning: &Mutex<Learning>) -> MutexGuard<'_, Learning> {
    learning.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Think for Living {
    fn begin(&mut self, seed: u64) {
        self.mind.begin(seed);
        if self.leads {
            locked(&self.learning).begin_life();
        }
    }

    fn think(
        &mut self,
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<Thought, ThinkError> {
        let mut learning = locked(&self.learning);
        if self.leads {
            learning.synchronise();
        }
        if learning.version() != self.version {
            self.version = learning.version();
            self.mind.adopt(learning.model().clone());
        }
        drop(learning);
        let (thought, lived) = self.mind.think_and_recall(observation, goal, detail)?;
        if let Some((moment, cost)) = lived.filter(|_| self.leads) {
            locked(&self.learning).remember(moment, cost);
        }
        Ok(thought)
    }

    fn inspect(&mut self) -> Option<&mut dyn Inspect> {
        Some(&mut self.mind)
    }
}
