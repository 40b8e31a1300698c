//! The types of a scenario file. Read first: [`Scenario`].

use forethought_interface::{Num, impl_numbers};
use forethought_mind::{
    actor::ActorSpec, configurator::ConfiguratorSpec, cost::drives::DriveSpec, recall::MemorySpec,
    training::TrainingSpec,
};
use forethought_world::{
    ActuatorSpec, ArenaSpec, BodySpec, ClimateSpec, FoodSpec, MaterialSpec, MetabolismSpec, SensorSpec, ShapeSpec,
    TargetSpec, TimingSpec, ZoneSpec,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A scenario file, schema version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of this format: 1.
    pub schema: u32,
    /// The scenario's name: letters, digits and underscores.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// Factors of variation, drawn anew for each episode, in this order.
    #[serde(default)]
    pub factors: Vec<FactorSpec>,
    /// Where everything happens.
    pub arena: ArenaSpec,
    /// Walls, boxes, balls, gates.
    #[serde(default)]
    pub bodies: Vec<BodySpec>,
    /// Who lives there.
    pub agents: Vec<AgentSpec>,
    /// Places to reach.
    #[serde(default)]
    pub targets: Vec<TargetSpec>,
    /// Areas that episode ends can refer to, and that may harm or shelter.
    #[serde(default)]
    pub zones: Vec<ZoneSpec>,
    /// Patches of food.
    #[serde(default)]
    pub foods: Vec<FoodSpec>,
    /// Day and night; always day without it.
    #[serde(default)]
    pub climate: Option<ClimateSpec>,
    /// When an episode ends.
    pub episode: EpisodeSpec,
    /// How time passes.
    #[serde(default)]
    pub timing: TimingSpec,
    /// How this scenario's world model is trained.
    #[serde(default)]
    pub training: TrainingSpec,
}

/// A factor of variation: a named number, drawn anew for each episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorSpec {
    /// The name that expressions use: letters, digits and underscores.
    pub name: String,
    /// How many of them there are; with more than one, each `{i}` within stands for the number of the one that is meant, from 0.
    #[serde(default = "once")]
    pub copies: u32,
    /// How it is drawn. Bounds may use the factors above it.
    pub draw: Draw,
    /// How it is drawn where an agent explores to be trained, if otherwise: a wider choice of places to start from, say.
    #[serde(default)]
    pub explore: Option<Draw>,
}

/// What a `Maze` factor tells besides the maze itself: its name followed by these.
pub(super) const MAZE_FACTORS: [&str; 5] = ["_start_column", "_start_row", "_goal_column", "_goal_row", "_path_cells"];

impl Scenario {
    /// The scenario that agents explore to be trained.
    #[must_use]
    pub fn exploring(&self) -> Cow<'_, Self> {
        if self.factors.iter().all(|factor| factor.explore.is_none()) {
            return Cow::Borrowed(self);
        }
        let mut scenario = self.clone();
        for factor in &mut scenario.factors {
            if let Some(explore) = factor.explore.take() {
                factor.draw = explore;
            }
        }
        Cow::Owned(scenario)
    }
}

impl FactorSpec {
    /// The names that it gives to expressions: its own first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let more = if matches!(self.draw, Draw::Maze { .. }) { &MAZE_FACTORS[..] } else { &[] };
        std::iter::once("").chain(more.iter().copied()).map(|end| format!("{}{end}", self.name)).collect()
    }
}

/// How a factor is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Draw {
    /// Evenly between two bounds.
    Uniform {
        /// The lower bound.
        low: Num,
        /// The upper bound.
        high: Num,
    },
    /// One of several values, each as likely.
    Choice {
        /// The values.
        of: Vec<Num>,
    },
    /// Always the same: a name for a number, or for an expression over the factors above.
    Fixed {
        /// The value.
        value: Num,
    },
    /// A maze of square cells, for a body of shape `Maze`, and a way through it. Beside the factor itself, `maze` for
    /// example, it gives `maze_start_column`, `maze_start_row`, `maze_goal_column` and `maze_goal_row`, the cells where
    /// the way begins and ends, counted from 0 at the lower left, and `maze_path_cells`, the moves from cell to cell
    /// between them.
    Maze {
        /// Columns and rows, 1 to 40 each.
        cells: [u32; 2],
        /// The share of dead ends that are opened into a neighbour: with 0 there is one way between any two cells, with
        /// 1 no dead end.
        #[serde(default = "zero")]
        loops: Num,
        /// The fewest and the most moves of the shortest way from start to goal. Where no two cells are so far apart, the
        /// way is the maze's longest.
        #[serde(default = "any_path")]
        path_cells: [u32; 2],
    },
}

fn any_path() -> [u32; 2] {
    [1, 1600]
}

/// An agent: a body with senses, and a mind that drives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSpec {
    /// A name, unique among the scenario's agents.
    pub name: String,
    /// How many of them there are; with more than one, each `{i}` within stands for the number of the one that is meant, from 0.
    #[serde(default = "once")]
    pub copies: u32,
    /// Its shape.
    pub shape: ShapeSpec,
    /// Where it is at the start, in metres.
    pub position_m: [Num; 2],
    /// Its angle at the start, in radians.
    #[serde(default = "zero")]
    pub angle_rad: Num,
    /// Its material.
    #[serde(default)]
    pub material: MaterialSpec,
    /// Its colour, sRGB in `[0, 1]`.
    #[serde(default = "orange")]
    pub color: [Num; 3],
    /// How its action moves it.
    pub actuator: ActuatorSpec,
    /// What it senses, in the order of its observation.
    pub sensors: Vec<SensorSpec>,
    /// What it lives on; it needs nothing and cannot die without it.
    #[serde(default)]
    pub metabolism: Option<MetabolismSpec>,
    /// What it wants: the parts of its intrinsic cost.
    #[serde(default)]
    pub drives: Vec<DriveSpec>,
    /// How it plans.
    #[serde(default)]
    pub actor: ActorSpec,
    /// What it remembers of where things are; without it, it knows only of what it senses.
    #[serde(default)]
    pub memory: Option<MemorySpec>,
    /// Tasks, and when it is at which; without it, it always does as its drives and its actor say.
    #[serde(default)]
    pub configurator: Option<ConfiguratorSpec>,
    /// Its trained model, relative to the scenario file; without one it can only act at random.
    #[serde(default)]
    pub model: Option<String>,
}

fn once() -> u32 {
    1
}

fn zero() -> Num {
    Num::Literal(0.0)
}

fn orange() -> [Num; 3] {
    [0.90, 0.45, 0.10].map(Num::Literal)
}

/// When an episode ends. Success counts before failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EpisodeSpec {
    /// The episode succeeds as soon as all of these hold.
    #[serde(default)]
    pub success: Vec<Condition>,
    /// The episode fails as soon as one of these holds.
    #[serde(default)]
    pub failure: Vec<Condition>,
    /// The episode ends after this many control steps.
    pub max_steps: u32,
}

/// Something that holds or does not at a control step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Condition {
    /// The agent's centre is within the target's radius.
    Reached {
        /// The agent's name.
        agent: String,
        /// The target's name.
        target: String,
    },
    /// The agent's or body's centre is inside the zone.
    Inside {
        /// The agent's or body's name.
        body: String,
        /// The zone's name.
        zone: String,
    },
    /// The agent bumped into something harder than this during the last control step.
    Bumped {
        /// The agent's name.
        agent: String,
        /// Only what it bumped into of this name counts, a body or an agent; without it, whatever there is.
        #[serde(default)]
        into: Option<String>,
        /// The contact impulse in N s.
        impulse_n_s: Num,
    },
    /// The agent's centre has left the arena.
    LeftArena {
        /// The agent's name.
        agent: String,
    },
    /// The agent has died.
    Died {
        /// The name of an agent with a metabolism.
        agent: String,
    },
    /// The agent is alive after this many control steps.
    Survived {
        /// The name of an agent with a metabolism.
        agent: String,
        /// Control steps from the episode's start.
        steps: u32,
    },
    /// Each agent with a target has come within its radius, be it earlier on.
    AllArrived,
}

impl_numbers!(struct Scenario { factors, arena, bodies, agents, targets, zones, foods, climate, episode });
impl_numbers!(struct FactorSpec { draw, explore });
impl_numbers!(enum Draw { Uniform { low, high }, Choice { of }, Fixed { value }, Maze { loops } });
impl_numbers!(struct AgentSpec { shape, position_m, angle_rad, material, color, actuator, sensors, metabolism, drives });
impl_numbers!(struct EpisodeSpec { success, failure });
impl_numbers!(enum Condition { Reached {}, Inside {}, Bumped { impulse_n_s }, LeftArena {}, Died {}, Survived {}, AllArrived {} });
