//! What a window needs to draw, and what it may ask for. Read first: [`ViewMessage`] and [`ViewCommand`].

use crate::{Edit, MindSettings, ScenarioCard, Thought, Vitals};
use std::path::PathBuf;

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
    /// How each agent acts; none where that cannot be changed.
    pub settings: Vec<Option<MindSettings>>,
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
    /// Where each agent's body was touched in the latest control step, in metres.
    pub contacts: Vec<Vec<[f32; 2]>>,
    /// Each agent's thought that led here; none before the first step.
    pub thoughts: Vec<Option<Thought>>,
    /// How long each agent thought, in milliseconds.
    pub think_ms: Vec<f32>,
    /// How the episode ended, if it has.
    pub outcome: Option<Outcome>,
    /// Episodes of this run that have ended untouched, and how many of those succeeded.
    pub tally: (u32, u32),
    /// What a hand has done to the episode: unless it is nothing, it is no longer that of a batch.
    pub touched: Touched,
    /// The agent that a hand leads.
    pub led: Option<usize>,
}

/// What a hand has done to an episode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Touched {
    /// Something in the world was moved, pushed, added or removed.
    pub world: bool,
    /// A mind was changed.
    pub mind: bool,
    /// An agent was led by hand.
    pub led: bool,
}

impl Touched {
    /// Whether anything was done.
    #[must_use]
    pub fn any(self) -> bool {
        self.world || self.mind || self.led
    }
}

/// The energy of being at each point of the arena, for one agent at one control step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Landscape {
    /// The agent.
    pub agent: usize,
    /// The control step at which it was computed.
    pub step: u32,
    /// Points along each row.
    pub columns: usize,
    /// Row after row from the lowest, each from left to right: energies at the middles of equal cells that fill the arena; not a
    /// number where the agent cannot be.
    pub energies: Vec<f32>,
}

/// What the runner tells the window.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewMessage {
    /// A new episode.
    Scene(Box<Scene>),
    /// The episode went on.
    Snapshot(Box<Snapshot>),
    /// The episode goes on in a world that was changed by hand.
    Changed(Box<Scene>),
    /// The energy landscape that was asked for.
    Landscape(Box<Landscape>),
    /// Something to say for a while.
    Note(String),
    /// The scenario's file has problems, which stay in sight until it is read again; without any text, it has none any more.
    Problems(String),
    /// The world was saved as a scenario that passes the check.
    Saved(PathBuf),
    /// The scenarios to choose from.
    Shelf(Vec<ScenarioCard>),
    /// The episode failed; the text says why and what to do.
    Failed(String),
}

/// What the window asks of the runner.
#[derive(Debug, Clone, PartialEq)]
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
    /// Another episode, of a run with another seed.
    Goto {
        /// The run's seed.
        seed: u64,
        /// The episode's number.
        episode: u64,
    },
    /// Change the world by hand.
    Edit(Edit),
    /// Save the world as it is now as a scenario.
    Save,
    /// Lead an agent by hand with these action values, or let its mind lead it again.
    Lead {
        /// The agent.
        agent: usize,
        /// What it is to do; none where its mind is to decide.
        action: Option<[f32; 2]>,
    },
    /// Change how an agent acts; none for as its scenario says.
    Adjust {
        /// The agent.
        agent: usize,
        /// How it is to act.
        settings: Option<Box<MindSettings>>,
    },
    /// Compute this agent's energy landscape from now on, or none.
    Landscape(Option<usize>),
    /// Read the scenario's file again and begin anew with it.
    Reload,
    /// Open this scenario.
    Open(PathBuf),
    /// Show the scenarios to choose from.
    Shelf,
    /// Open the gallery, in a window of its own.
    Gallery,
    /// End the run.
    Quit,
}
