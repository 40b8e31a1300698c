//! The mind: observation in, action out. The tree is the figure of the theory: perception, world model, cost, memory,
//! actor, configurator. No game engine in sight.

pub mod actor;
pub mod configurator;
pub mod cost;
pub mod learning;
pub mod memory;
mod mind;
mod network;
pub mod perception;
mod practice;
pub mod recall;
pub mod training;
pub mod world_model;

pub use mind::{Mind, MindError, Proposed, QuestionError};
pub use practice::Practice;
pub use world_model::{Model, ModelCard, ModelError};
