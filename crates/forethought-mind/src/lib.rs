//! The mind: observation in, action out. The tree is the figure of the theory: perception, world model, cost, memory,
//! actor, configurator. No game engine in sight.

pub mod actor;
pub mod cost;
pub mod training;
pub mod world_model;
