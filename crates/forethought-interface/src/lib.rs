//! The words that the mind, the world and the view share, as plain data: no engine, no tensors.
//!
//! Read first: [`Think`] (the one call between world and mind), then [`Observation`], [`Action`] and [`Thought`].
//! [`Scene`] and [`Snapshot`] are what a window needs to draw; [`Num`] is a number of a scenario file that may be
//! an expression over the episode's factors of variation.

mod chart;
mod drawing;
mod edit;
mod gallery;
mod inspect;
mod num;
mod observation;
pub mod palette;
mod scene;
mod seed;
mod shelf;
mod thought;
mod vitals;

pub use chart::{Chart, Hue, Layer, Panel, Span};
pub use drawing::{Drawing, Mark, Px, Rgb, Side};
pub use edit::{Edit, Thing};
pub use gallery::{EntryCard, Exhibit, GalleryCommand, GalleryMessage, KnobCard};
pub use inspect::{DriveCost, Foretold, Inspect, Introspection, MindSettings};
pub use num::{FactorValues, Num, NumError, Numbers};
pub use observation::{Action, Channel, Observation, ObservationLayout};
pub use scene::{
    FoodItem, Landscape, Marker, Outcome, Outline, Pose, Ray, Scene, SceneBody, SceneFood, SceneZone, Snapshot,
    Touched, ViewCommand, ViewMessage,
};
pub use seed::derive_seed;
pub use shelf::{Difficulty, ScenarioCard};
pub use thought::{ActedBy, Detail, Remembered, Rollout, Task, Think, ThinkError, Thought};
pub use vitals::{Death, Vitals};
