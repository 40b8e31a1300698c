//! A mind that does what it is told. Read first: [`Puppet`].

use forethought_interface::{Action, Detail, Observation, Think, ThinkError, Thought};
use std::sync::{Arc, Mutex, PoisonError};

/// What an agent is to do next: a copy of it sits where the agent's mind would.
#[derive(Debug, Clone)]
pub(super) struct Puppet(Arc<Mutex<Vec<f32>>>);

impl Puppet {
    /// One that does nothing yet.
    pub fn new(action_len: usize) -> Self {
        Self(Arc::new(Mutex::new(vec![0.0; action_len])))
    }

    /// What to do in the next control step.
    pub fn act(&self, action: &[f32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).copy_from_slice(action);
    }

    /// What sits in the sandbox.
    pub fn mind(&self) -> Box<dyn Think> {
        Box::new(self.clone())
    }
}

impl Think for Puppet {
    fn begin(&mut self, _: u64) {}

    fn think(&mut self, _: &Observation, _: Option<&Observation>, _: Detail) -> Result<Thought, ThinkError> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Thought { action: Action { values }, ..Thought::default() })
    }
}
