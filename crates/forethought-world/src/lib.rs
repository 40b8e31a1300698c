//! The sandbox: a headless 2-D physics world with sensors and actuators, on Bevy's ECS and Rapier.
//! It knows nothing of learning and nothing of drawing.

mod actuators;
mod arena;
mod body;
mod sensors;
mod shape;
mod timing;
mod world_spec;

pub use actuators::{ActuatorSpec, DifferentialDriveSpec, ForceSpec, VelocityCommandSpec};
pub use arena::{ArenaSpec, Boundary};
pub use body::{BodyKind, BodySpec, MaterialSpec, TargetSpec, ZoneSpec};
pub use sensors::{LidarSpec, ProprioceptionSpec, RasterSpec, SensorSpec, TouchSpec};
pub use shape::{DoorSpec, PartSpec, ShapeSpec};
pub use timing::TimingSpec;
pub use world_spec::{AgentBodySpec, WorldSpec};
