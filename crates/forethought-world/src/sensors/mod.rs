//! What an agent can sense. One file a sensor: its settings, its measurement and its tests. Read first: [`SensorSpec`].

mod interoception;
mod lidar;
mod map;
mod proprioception;
mod radar;
mod raster;
mod scent;
mod touch;

pub use interoception::InteroceptionSpec;
pub use lidar::LidarSpec;
pub use map::MapSpec;
pub use proprioception::ProprioceptionSpec;
pub use radar::RadarSpec;
pub use raster::RasterSpec;
pub use scent::{ScentSpec, Scented};
pub use touch::TouchSpec;

pub(crate) use touch::{Contact, Contacts};

use crate::AgentBodySpec;
use crate::surroundings::Surroundings;
use bevy::prelude::Component;
use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
use forethought_interface::{Channel, Numbers, ObservationLayout, Ray};
use lidar::Lidar;
use map::Map;
use scent::Scent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sensor of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum SensorSpec {
    /// Where the agent's own body is and how it moves.
    Proprioception(ProprioceptionSpec),
    /// Distances along rays.
    Lidar(LidarSpec),
    /// What the body bumped into during the last control step.
    Touch(TouchSpec),
    /// A picture of the world around the agent, from above.
    Raster(RasterSpec),
    /// The floor plan of the arena.
    Map(MapSpec),
    /// Where what can move is.
    Radar(RadarSpec),
    /// How the agent's own body is: energy, health, harm, effort; and the light.
    Interoception(InteroceptionSpec),
    /// Where food is, what harms, what shelters or what moves: one sensor for each.
    Scent(ScentSpec),
}

impl Numbers for SensorSpec {
    fn numbers(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut forethought_interface::Num)) {
        match self {
            Self::Proprioception(spec) => spec.numbers(path, visit),
            Self::Lidar(spec) => spec.numbers(path, visit),
            Self::Touch(spec) => spec.numbers(path, visit),
            Self::Raster(spec) => spec.numbers(path, visit),
            Self::Map(spec) => spec.numbers(path, visit),
            Self::Radar(spec) => spec.numbers(path, visit),
            Self::Interoception(spec) => spec.numbers(path, visit),
            Self::Scent(spec) => spec.numbers(path, visit),
        }
    }
}

impl SensorSpec {
    fn channels(&self) -> Vec<Channel> {
        match self {
            Self::Proprioception(spec) => spec.channels(),
            Self::Lidar(spec) => spec.channels(),
            Self::Touch(spec) => spec.channels(),
            Self::Raster(spec) => spec.channels(),
            Self::Map(spec) => spec.channels(),
            Self::Radar(spec) => spec.channels(),
            Self::Interoception(spec) => spec.channels(),
            Self::Scent(spec) => spec.channels(),
        }
    }

    /// Whether two sensors would tell the same.
    pub(crate) fn doubles(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scent(spec), Self::Scent(other)) => spec.of == other.of,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// The channels of this agent's observations, in order.
#[must_use]
pub fn observation_layout(agent: &AgentBodySpec) -> ObservationLayout {
    ObservationLayout { channels: agent.sensors.iter().flat_map(SensorSpec::channels).collect() }
}

/// What there is to sense for one agent at one moment, real or imagined at its target.
pub(crate) struct Moment<'a> {
    /// Which of the solids it is itself.
    pub own: usize,
    pub frame: Frame,
    pub velocity: Vector,
    pub angular_velocity: f32,
    /// What touched it in the latest control step.
    pub contacts: &'a [Contact],
    pub surroundings: &'a Surroundings,
}

/// An agent's sensors, ready to measure.
#[derive(Component, Debug, Clone)]
pub(crate) struct Senses(Vec<Sensor>);

#[derive(Debug, Clone)]
enum Sensor {
    Proprioception(ProprioceptionSpec),
    Lidar(Lidar),
    Touch(TouchSpec),
    Raster(RasterSpec),
    Map(Map),
    Radar(RadarSpec),
    Interoception(InteroceptionSpec),
    Scent(Scent),
}

impl Senses {
    /// `surroundings` are those of the episode's start.
    pub(crate) fn new(specs: &[SensorSpec], surroundings: &Surroundings) -> Self {
        let sensor = |spec: &SensorSpec| match spec {
            SensorSpec::Proprioception(spec) => Sensor::Proprioception(spec.clone()),
            SensorSpec::Lidar(spec) => Sensor::Lidar(Lidar::new(spec)),
            SensorSpec::Touch(spec) => Sensor::Touch(spec.clone()),
            SensorSpec::Raster(spec) => Sensor::Raster(spec.clone()),
            SensorSpec::Map(spec) => Sensor::Map(Map::new(spec, surroundings)),
            SensorSpec::Radar(spec) => Sensor::Radar(spec.clone()),
            SensorSpec::Interoception(spec) => Sensor::Interoception(spec.clone()),
            SensorSpec::Scent(spec) => Sensor::Scent(Scent::new(spec)),
        };
        Self(specs.iter().map(sensor).collect())
    }

    /// Write what is sensed at this moment over `values`.
    pub(crate) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        values.clear();
        for sensor in &self.0 {
            match sensor {
                Sensor::Proprioception(sensor) => sensor.measure(moment, values),
                Sensor::Lidar(sensor) => sensor.measure(moment, values),
                Sensor::Touch(sensor) => sensor.measure(moment, values),
                Sensor::Raster(sensor) => sensor.measure(moment, values),
                Sensor::Map(sensor) => sensor.measure(values),
                Sensor::Radar(sensor) => sensor.measure(moment, values),
                Sensor::Interoception(sensor) => sensor.measure(moment, values),
                Sensor::Scent(sensor) => sensor.measure(moment, values),
            }
        }
    }

    /// The lidar's rays at this place, for drawing.
    pub(crate) fn rays(&self, own: usize, frame: &Frame, surroundings: &Surroundings) -> Vec<Ray> {
        let lidar = self.0.iter().find_map(|sensor| match sensor {
            Sensor::Lidar(lidar) => Some(lidar),
            _ => None,
        });
        lidar.map_or_else(Vec::new, |lidar| lidar.rays(own, frame, surroundings))
    }
}
