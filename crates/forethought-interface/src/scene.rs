//! What a window needs to draw, and what it may ask for. Read first: [`ViewMessage`] and [`ViewCommand`].

use crate::{Thought, Vitals};

/// Where something is. Metres and radians, x to the right, y up, the arena's lower left corner at the origin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pose {
    /// The position in metres.
    pub position_m: [f32; 2],
    /// The angle in radians, anticlockwise.
    pub angle_rad: f32,
}

/// A part of a shape, in the body's own frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Outline {
    /// A filled disc.
    Disc {
        /// Its centre in metres.
        center_m: [f32; 2],
        /// Its radius in metres.
        radius_m: f32,
    },
    /// A filled convex polygon, anticlockwise.
    Polygon {
        /// Its corners in metres.
        vertices_m: Vec<[f32; 2]>,
    },
}

/// A body to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneBody {
    /// Its name in the scenario.
    pub name: String,
    /// Its parts.
    pub outlines: Vec<Outline>,
    /// sRGB in `[0, 1]`.
    pub color: [f32; 3],
}

/// A target to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    /// Its name in the scenario.
    pub name: String,
    /// Its centre in metres.
    pub position_m: [f32; 2],
    /// How near counts as reached, in metres.
    pub radius_m: f32,
}

/// A zone to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneZone {
    /// Its name in the scenario.
    pub name: String,
    /// Where it is.
    pub pose: Pose,
    /// Its parts.
    pub outlines: Vec<Outline>,
    /// sRGB in `[0, 1]`.
    pub color: [f32; 3],
}

/// An item of food to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneFood {
    /// The name of its patch in the scenario.
    pub name: String,
    /// How near an agent must come to eat it, in metres.
    pub radius_m: f32,
    /// sRGB in `[0, 1]`.
    pub color: [f32; 3],
}

/// Where an item of food is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FoodItem {
    /// Where it is, or was when it was eaten, in metres.
    pub position_m: [f32; 2],
    /// Whether it is there to be eaten.
    pub present: bool,
}

/// What stays the same during an episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scene {
    /// The scenario's name.
    pub title: String,
    /// The episode's number; its seed is derived from the run's seed and this.
    pub episode: u64,
    /// The run's seed.
    pub seed: u64,
    /// The actor's name.
    pub actor: String,
    /// Width and height in metres.
    pub size_m: [f32; 2],
    /// The control period in seconds.
    pub control_period_s: f32,
    /// The episode's limit in control steps.
    pub max_steps: u32,
    /// The bodies, in scenario order.
    pub bodies: Vec<SceneBody>,
    /// The agents, in scenario order.
    pub agents: Vec<SceneBody>,
    /// The targets.
    pub targets: Vec<Marker>,
    /// The zones.
    pub zones: Vec<SceneZone>,
    /// The items of food, patch after patch in scenario order.
    pub foods: Vec<SceneFood>,
    /// The factors of variation as drawn for this episode.
    pub factors: Vec<(String, f64)>,
}

/// One lidar ray.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    /// Where it starts, in metres.
    pub from_m: [f32; 2],
    /// Where it ends, in metres.
    pub to_m: [f32; 2],
}

/// How an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A success condition held.
    Success,
    /// A failure condition held.
    Failure,
    /// The step limit came first.
    TimeLimit,
}

/// The world at one control step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Control steps done.
    pub step: u32,
    /// Simulated seconds.
    pub time_s: f64,
    /// As in [`Scene::bodies`].
    pub bodies: Vec<Pose>,
    /// As in [`Scene::agents`].
    pub agents: Vec<Pose>,
    /// As in [`Scene::foods`].
    pub foods: Vec<FoodItem>,
    /// How each agent is; none without a metabolism.
    pub vitals: Vec<Option<Vitals>>,
    /// The light: 1 by day, 0 at night; none without a climate.
    pub light: Option<f32>,
    /// Each agent's lidar rays.
    pub rays: Vec<Vec<Ray>>,
    /// Each agent's thought that led here; none before the first step.
    pub thoughts: Vec<Option<Thought>>,
    /// How long each agent thought, in milliseconds.
    pub think_ms: Vec<f32>,
    /// How the episode ended, if it has.
    pub outcome: Option<Outcome>,
    /// Episodes of this run that have ended, and how many of those succeeded.
    pub tally: (u32, u32),
}

/// What the runner tells the window.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewMessage {
    /// A new episode.
    Scene(Box<Scene>),
    /// The episode went on.
    Snapshot(Box<Snapshot>),
    /// The episode failed; the text says why and what to do.
    Failed(String),
}

/// What the window asks of the runner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ViewCommand {
    /// Stop the clock or let it go on.
    Pause(bool),
    /// One control step while paused.
    Step,
    /// The same episode from its start.
    Reset,
    /// The next episode of the run.
    NextEpisode,
    /// Simulated seconds for a second of the wall clock; infinity runs as fast as it can.
    Speed(f32),
    /// End the run.
    Quit,
}
