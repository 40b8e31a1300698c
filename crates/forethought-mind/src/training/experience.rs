//! Experience: what an agent sensed and did while it explored. Read first: [`Experience`].

use crate::perception::{MAP, senses};
use forethought_interface::ObservationLayout;
use xxhash_rust::xxh3::Xxh3;

/// Recorded episodes of one agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Experience {
    /// What each observation holds.
    pub layout: ObservationLayout,
    /// How many values an action has.
    pub action_len: usize,
    /// The scents that were completed from memory, in all observations; see [`crate::recall::Recall`].
    pub recalls: Vec<String>,
    /// Width and height of the arena in metres: what a floor plan covers.
    pub arena_m: [f32; 2],
    /// The episodes, in order.
    pub episodes: Vec<Trajectory>,
}

/// One recorded episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trajectory {
    /// `[steps + 1, senses]`, row by row: of each observation what [`crate::perception::senses`] names.
    pub observations: Vec<f32>,
    /// The floor plan, which is the same throughout an episode; empty where the agent has none.
    pub map: Vec<f32>,
    /// `[steps, action_len]`, row by row; action `t` leads from observation `t` to `t + 1`.
    pub actions: Vec<f32>,
    /// `[steps + 1]`: where the agent really was, in metres; only the readout is fitted to it.
    pub positions_m: Vec<[f32; 2]>,
    /// `[steps + 1]`: how far the agent's outline really was from whatever else can move, in metres; only the clearance is
    /// fitted to it. Empty where nothing else moves.
    pub clearances_m: Vec<f32>,
}

impl Experience {
    /// How many observations there are.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.episodes.iter().map(|episode| episode.positions_m.len()).sum()
    }

    /// Leave out the episodes that are shorter than so many control steps; says how many these are.
    pub fn leave_out_short(&mut self, span: usize) -> usize {
        let before = self.episodes.len();
        let action_len = self.action_len.max(1);
        self.episodes.retain(|episode| episode.actions.len() / action_len >= span);
        before - self.episodes.len()
    }

    /// XXH3 of all that was recorded: what tells one experience from another.
    pub(crate) fn hash(&self) -> u64 {
        let mut hash = Xxh3::new();
        for Trajectory { observations, map, actions, positions_m, clearances_m } in &self.episodes {
            for values in [observations, map, actions, clearances_m, positions_m.as_flattened()] {
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                hash.update(&(bytes.len() as u64).to_le_bytes());
                hash.update(&bytes);
            }
        }
        hash.digest()
    }

    /// Control steps of an episode.
    pub(crate) fn steps(&self, episode: &Trajectory) -> usize {
        episode.actions.len() / self.action_len.max(1)
    }

    /// What is wrong with the recording, if anything, for sequences of `span` control steps.
    pub(crate) fn fault(&self, span: usize) -> Option<String> {
        let senses = senses(&self.layout).len();
        if self.episodes.is_empty() || senses == 0 || self.action_len == 0 {
            return Some("there is none: record episodes of an agent with senses and an actuator".into());
        }
        for (index, episode) in self.episodes.iter().enumerate() {
            let steps = self.steps(episode);
            let whole = episode.observations.len() == (steps + 1) * senses
                && episode.positions_m.len() == steps + 1
                && (episode.clearances_m.is_empty() || episode.clearances_m.len() == steps + 1)
                && episode.actions.len() == steps * self.action_len;
            if !whole {
                return Some(format!("episode {index} has observations, actions and positions of different lengths"));
            }
            if steps < span {
                return Some(format!("episode {index} has {steps} steps, fewer than the {span} to unroll"));
            }
            let map = self.layout.range(MAP).map_or(0, |range| range.len());
            if episode.map.len() != map {
                return Some(format!("episode {index} has a floor plan of {} values, not {map}", episode.map.len()));
            }
            if episode.observations.iter().chain(&episode.actions).any(|value| !value.is_finite()) {
                return Some(format!("episode {index} holds values that are not finite: its physics has diverged"));
            }
        }
        None
    }
}
