//! The sandbox: a headless 2-D physics world with sensors and actuators, on Bevy's ECS and Rapier.
//! It knows nothing of learning and nothing of drawing.
//!
//! Read first: [`Sandbox`], which takes a [`WorldSpec`] and minds and leaves a [`StepRecord`] at every control step.

mod actuators;
mod arena;
mod body;
mod check;
mod climate;
mod digest;
mod error;
mod food;
mod geometry;
mod hands;
mod interventions;
mod maze;
mod metabolism;
mod needs;
mod physics;
mod pursuit;
mod record;
mod sandbox;
mod scatter;
mod schedule;
mod sensors;
mod shape;
mod surroundings;
mod timing;
mod world_spec;

pub use actuators::{ActuatorSpec, DifferentialDriveSpec, ForceSpec, VelocityCommandSpec, action_len};
pub use arena::{ArenaSpec, Boundary};
pub use body::{BodyKind, BodySpec, MaterialSpec, PhaseSpec, TargetSpec, ZoneSpec};
pub use check::check_world;
pub use climate::ClimateSpec;
pub use error::{WorldError, WorldProblem};
pub use food::FoodSpec;
pub use geometry::outlines;
pub use maze::{Endpoints, Maze, MazeError};
pub use metabolism::MetabolismSpec;
pub use pursuit::PursuitSpec;
pub use record::{AgentRecord, StepRecord};
pub use sandbox::Sandbox;
pub use scatter::ClearSpec;
pub use sensors::{
    InteroceptionSpec, LidarSpec, MapSpec, ProprioceptionSpec, RadarSpec, RasterSpec, ScentSpec, Scented, SensorSpec,
    TouchSpec, observation_layout,
};
pub use shape::{DoorSpec, PartSpec, ShapeSpec};
pub use timing::TimingSpec;
pub use world_spec::{AgentBodySpec, WorldSpec};
