//! Experience: what an agent sensed and did while it explored. Read first: [`Experience`].

use crate::{perception::Perception, world_model::jepa::Sequences};
use forethought_interface::ObservationLayout;
use rand::Rng;

/// Recorded episodes of one agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Experience {
    /// What each observation holds.
    pub layout: ObservationLayout,
    /// How many values an action has.
    pub action_len: usize,
    /// The episodes, in order.
    pub episodes: Vec<Trajectory>,
}

/// One recorded episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trajectory {
    /// `[steps + 1, layout.len()]`, row by row.
    pub observations: Vec<f32>,
    /// `[steps, action_len]`, row by row; action `t` leads from observation `t` to `t + 1`.
    pub actions: Vec<f32>,
    /// `[steps + 1]`: where the agent really was, in metres; only the readout is fitted to it.
    pub positions_m: Vec<[f32; 2]>,
}

impl Experience {
    /// How many observations there are.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.episodes.iter().map(|episode| episode.positions_m.len()).sum()
    }

    /// Control steps of an episode.
    pub(crate) fn steps(&self, episode: &Trajectory) -> usize {
        episode.actions.len() / self.action_len.max(1)
    }

    /// What is wrong with the recording, if anything, for sequences of `span` control steps.
    pub(crate) fn fault(&self, span: usize) -> Option<String> {
        if self.episodes.is_empty() || self.layout.is_empty() || self.action_len == 0 {
            return Some("there is none: record episodes of an agent with senses and an actuator".into());
        }
        for (index, episode) in self.episodes.iter().enumerate() {
            let steps = self.steps(episode);
            let whole = episode.observations.len() == (steps + 1) * self.layout.len()
                && episode.positions_m.len() == steps + 1
                && episode.actions.len() == steps * self.action_len;
            if !whole {
                return Some(format!("episode {index} has observations, actions and positions of different lengths"));
            }
            if steps < span {
                return Some(format!("episode {index} has {steps} steps, fewer than the {span} to unroll"));
            }
            if episode.observations.iter().chain(&episode.actions).any(|value| !value.is_finite()) {
                return Some(format!("episode {index} holds values that are not finite: its physics has diverged"));
            }
        }
        None
    }

    /// `batch` random sequences of percepts, `stride` control steps apart, and of the actions between them, time first.
    pub(crate) fn sample(
        &self,
        perception: &Perception,
        batch: usize,
        unroll: usize,
        stride: usize,
        rng: &mut impl Rng,
    ) -> Sequences {
        let picks: Vec<(&Trajectory, usize)> = (0..batch)
            .map(|_| {
                let episode = &self.episodes[rng.gen_range(0..self.episodes.len())];
                (episode, rng.gen_range(0..=self.steps(episode) - unroll * stride))
            })
            .collect();
        let (length, acting) = (self.layout.len(), stride * self.action_len);
        let mut percepts = Vec::with_capacity((unroll + 1) * batch * perception.len());
        let mut actions = Vec::with_capacity(unroll * batch * acting);
        for step in 0..=unroll {
            for (episode, first) in &picks {
                let at = first + step * stride;
                perception.normalise_into(&episode.observations[at * length..(at + 1) * length], &mut percepts);
                if step < unroll {
                    let acted = at * self.action_len;
                    actions.extend_from_slice(&episode.actions[acted..acted + acting]);
                }
            }
        }
        Sequences { percepts, actions, batch, unroll }
    }
}
