//! What may be asked of a mind while it lives: to look inside, and to change how it acts. Read first: [`Inspect`].

use crate::{Action, Observation, Thought};
use serde::Serialize;

/// What goes on inside a mind at one control step, beside what it decides.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Introspection {
    /// What perception makes of the senses: normalised, `[percept]`.
    pub percept: Vec<f32>,
    /// The state of the world as encoded, `[latent]`.
    pub latent: Vec<f32>,
    /// What each drive costs now.
    pub drives: Vec<DriveCost>,
    /// What the critic expects the present state to cost later on, weighed; none where no critic counts.
    pub critic: Option<f32>,
    /// How far the present is from what was foretold of it one prediction ago; none where nothing was.
    pub foretold: Option<Foretold>,
    /// Moments in short-term memory and how many there is room for; none without one.
    pub memory: Option<(usize, usize)>,
}

/// One drive's part of the intrinsic cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DriveCost {
    /// Its name.
    pub name: String,
    /// What it costs now, before its weight.
    pub cost: f32,
    /// How much it counts under the present task.
    pub weight: f32,
}

/// A prediction that came due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Foretold {
    /// The distance between the foretold latent and the one that came.
    pub error: f32,
    /// What that distance has mostly been in this episode.
    pub usual: f32,
    /// The place decoded from the foretold latent, in metres.
    pub position_m: [f32; 2],
}

/// How a mind acts, as far as it can be changed while it lives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MindSettings {
    /// The planner's name.
    pub planner: String,
    /// The names of the planners to choose from.
    pub planners: Vec<String>,
    /// The mode's name.
    pub mode: String,
    /// The names of the modes to choose from.
    pub modes: Vec<String>,
    /// Control steps of each imagined future: a multiple of `stride`.
    pub horizon: u32,
    /// Control steps of one prediction.
    pub stride: u32,
    /// Action sequences that the gradient planner starts from.
    pub starts: u32,
    /// Whether the critic's estimate stands at the end of imagined futures.
    pub critic: bool,
    /// Whether there is a critic.
    pub has_critic: bool,
    /// The drives by name, and how much each counts before the task changes it.
    pub drives: Vec<(String, f32)>,
}

/// A mind that can be looked into and changed while it lives. Nothing here draws a random number or changes what the mind
/// decides, but for what it is told to change.
pub trait Inspect {
    /// How it acts; none where nothing can be changed.
    fn settings(&self) -> Option<MindSettings>;

    /// Act so from now on.
    ///
    /// # Errors
    /// A sentence that says why it cannot; then nothing has changed.
    fn adjust(&mut self, settings: &MindSettings) -> Result<(), String>;

    /// The energy of being where each of these would be sensed, under the present task: what its own cost makes of the state
    /// that it would encode there. None where it has no cost or something is not finite.
    fn energies(&self, observations: &[Observation], goal: Option<&Observation>) -> Option<Vec<f32>>;

    /// What it would think here and now if it planned anew, with nothing remembered of it and no random number drawn; none where
    /// it cannot think here.
    fn preview(&self, observation: &Observation, goal: Option<&Observation>) -> Option<Thought>;

    /// The world was changed by hand: plan anew.
    fn reconsider(&mut self);

    /// Its body did this in place of what the latest thought said.
    fn acted(&mut self, action: &Action);
}
