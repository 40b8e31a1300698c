//! What a mind thought at one control step, as plain floats. Read first: [`Think`].

use crate::{Action, Inspect, Introspection, Observation};
use serde::{Deserialize, Serialize};

/// One imagined future.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Positions in metres, decoded from the imagined latents, `[predictions + 1]`; the first is the present.
    pub positions_m: Vec<[f32; 2]>,
    /// Control steps from one position to the next.
    pub stride: u32,
    /// The energy of this future: lower is better.
    pub energy: f32,
    /// The value of the world model's latent variable under which it was imagined; 0 without one.
    #[serde(default)]
    pub z: u32,
}

impl Rollout {
    /// What of a future lies ahead after so many control steps: the place for now, between two that were imagined where it takes
    /// that, and all later ones; each with its control step.
    #[expect(clippy::cast_precision_loss, reason = "a stride spans few control steps")]
    pub fn ahead(&self, passed: u32) -> impl Iterator<Item = (u32, [f32; 2])> {
        let stride = self.stride.max(1);
        let (whole, part) = (passed / stride, passed % stride);
        let positions = self.positions_m.get(whole as usize..).unwrap_or_default();
        let share = part as f32 / stride as f32;
        let now = match positions {
            [before, after, ..] if part > 0 => {
                Some(std::array::from_fn(|axis| before[axis] + share * (after[axis] - before[axis])))
            }
            [at, ..] if part == 0 => Some(*at),
            _ => None,
        };
        let later = positions.iter().skip(1).copied().zip(1..).map(move |(at, index)| ((whole + index) * stride, at));
        now.map(|at| (passed, at)).into_iter().chain(later)
    }
}

/// How an action came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActedBy {
    /// A random walk.
    #[default]
    Exploring,
    /// The policy, at once.
    Mode1,
    /// A plan.
    Mode2,
}

/// The task that an agent is at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Why the configurator chose it.
    pub reason: String,
    /// True at the control step where it began.
    pub began: bool,
}

/// A thing that the agent keeps in mind, be it in sight or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// What it was sensed by, such as `scent.food`.
    pub name: String,
    /// Where it was, as far as the agent could tell, in metres.
    pub position_m: [f32; 2],
    /// Seconds since it was last sensed.
    pub age_s: f32,
}

/// What the mind decided at one control step and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Thought {
    /// What to do now.
    pub action: Action,
    /// True where this step planned anew, false where it goes on with an earlier plan.
    pub planned: bool,
    /// The imagined futures, best first; empty unless [`Detail::Full`] was asked for.
    pub rollouts: Vec<Rollout>,
    /// Where each level above the first means to be, the second level's first: positions in metres, decoded from the states
    /// that its plan leads to, the present first; empty unless [`Detail::Full`] was asked for.
    pub subgoals: Vec<Vec<[f32; 2]>>,
    /// The lowest energy after each planning iteration of the latest plan.
    pub energy_by_iteration: Vec<f32>,
    /// The energy of the plan being carried out.
    pub energy: f32,
    /// How the action came about.
    pub acted_by: ActedBy,
    /// Why it planned, in the mode that mixes planning and acting at once.
    pub deliberation: Option<&'static str>,
    /// What the agent is at; none without a configurator.
    pub task: Option<Task>,
    /// What each drive costs now, before its weight, by name; empty unless [`Detail::Full`] was asked for.
    pub drives: Vec<(String, f32)>,
    /// What the agent keeps in mind of where things are, oldest first; empty without such a memory, and unless [`Detail::Full`]
    /// was asked for.
    pub remembered: Vec<Remembered>,
    /// What went on inside; none unless [`Detail::Full`] was asked for.
    pub introspection: Option<Box<Introspection>>,
    /// Predictor calls made for this thought: one is one transition of one imagined future, forward or backward.
    pub model_evaluations: u64,
}

/// How much of a thought to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// The action and the energies.
    #[default]
    Brief,
    /// The imagined futures as well, decoded to positions.
    Full,
}

/// Why a mind could not think.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ThinkError {
    /// The senses hold something that is no number.
    #[error("the observation's channel {channel} is not finite: the physics has diverged")]
    Observation {
        /// The channel's name.
        channel: String,
    },
    /// The model's prediction is no number.
    #[error("{what} is not finite: the model has diverged; train it again, with a lower learning rate if it recurs")]
    Diverged {
        /// What was not finite.
        what: String,
    },
    /// The drive has no goal to reach.
    #[error("the {drive} drive has no goal: give the scenario a target of that name")]
    NoGoal {
        /// The drive's name.
        drive: String,
    },
}

/// A mind, as the world sees it: observation in, action out.
pub trait Think: Send {
    /// Forget the last episode; `seed` is where all of this episode's randomness comes from.
    fn begin(&mut self, seed: u64);

    /// One control step. `goal` is what the agent would sense at its target.
    ///
    /// # Errors
    /// [`ThinkError`] where an input or a prediction is not finite.
    fn think(
        &mut self,
        observation: &Observation,
        goal: Option<&Observation>,
        detail: Detail,
    ) -> Result<Thought, ThinkError>;

    /// The mind to look into and to change while it lives, where it lets that be done.
    fn inspect(&mut self) -> Option<&mut dyn Inspect> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_is_used_up_step_by_step() {
        let positions_m = vec![[0.0, 0.0], [4.0, 0.0], [8.0, 8.0]];
        let rollout = Rollout { positions_m, stride: 4, ..Rollout::default() };
        let ahead = |passed| rollout.ahead(passed).collect::<Vec<_>>();
        assert_eq!(ahead(0), [(0, [0.0, 0.0]), (4, [4.0, 0.0]), (8, [8.0, 8.0])]);
        assert_eq!(ahead(1), [(1, [1.0, 0.0]), (4, [4.0, 0.0]), (8, [8.0, 8.0])]);
        assert_eq!(ahead(4), [(4, [4.0, 0.0]), (8, [8.0, 8.0])]);
        assert_eq!(ahead(6), [(6, [6.0, 4.0]), (8, [8.0, 8.0])]);
        assert_eq!(ahead(8), [(8, [8.0, 8.0])]);
        assert_eq!(ahead(9), []);
        assert_eq!(ahead(400), []);
    }
}
