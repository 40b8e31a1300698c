//! What a level's latents tell: quantities of the world, decoded linearly. Read first: [`Maps`].

use super::Normal;
use forethought_interface::ObservationLayout;
use forethought_mind::{
    perception::senses,
    world_model::{
        GlimpseSpec,
        map::MapReader,
        readout::{Linear, Score},
    },
};
use serde::Serialize;

/// Every so many control steps of an episode are fitted to and scored.
const EVERY: usize = 3;
/// The channel of distances to walls.
const LIDAR: &str = "lidar.range_m";

/// How well one quantity is told.
#[derive(Debug, Clone, Serialize)]
pub struct ReadoutScore {
    /// What is told.
    pub quantity: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// How many values it has.
    pub values: usize,
    /// On episodes that it was not fitted to.
    #[serde(flatten)]
    pub score: Score,
}

/// A quantity of the world at a control step.
enum Quantity {
    Position,
    Velocity,
    /// Where the ranges stand among the senses.
    Lidar(Vec<usize>),
    /// The floor plan around the agent.
    Occupancy(MapReader),
}

/// A level's linear maps, one for each quantity that the agent's world has.
pub struct Maps {
    level: usize,
    maps: Vec<(Quantity, Linear)>,
}

impl Quantity {
    fn all(layout: &ObservationLayout, arena_m: [f32; 2]) -> Vec<Self> {
        let mut all = vec![Self::Position, Self::Velocity];
        if let Some(range) = layout.range(LIDAR) {
            let senses = senses(layout).into_iter().enumerate();
            all.push(Self::Lidar(senses.filter(|(_, sense)| range.contains(sense)).map(|(place, _)| place).collect()));
        }
        all.extend(MapReader::new(layout, arena_m, &GlimpseSpec::default()).map(Self::Occupancy));
        all
    }

    fn name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Position => ("position", "m"),
            Self::Velocity => ("velocity", "m/s"),
            Self::Lidar(_) => ("lidar ranges", "m"),
            Self::Occupancy(_) => ("floor plan around it", "share"),
        }
    }

    fn values(&self) -> usize {
        match self {
            Self::Position | Self::Velocity => 2,
            Self::Lidar(places) => places.len(),
            Self::Occupancy(reader) => reader.len(),
        }
    }

    fn read_into(&self, episode: &Normal, step: usize, out: &mut Vec<f32>) {
        match self {
            Self::Position => out.extend(episode.trajectory.positions_m[step]),
            Self::Velocity => out.extend(episode.velocities_m_s[step]),
            Self::Lidar(places) => {
                let senses = episode.trajectory.observations.len() / episode.trajectory.positions_m.len();
                out.extend(places.iter().map(|place| episode.trajectory.observations[step * senses + place]));
            }
            Self::Occupancy(reader) => {
                let start = out.len();
                out.resize(start + reader.len(), 0.0);
                reader.read(&episode.trajectory.map, episode.trajectory.positions_m[step], &mut out[start..]);
            }
        }
    }
}

impl Maps {
    /// Fit the maps of a level to these episodes.
    pub(crate) fn fit(level: usize, episodes: &[Normal], layout: &ObservationLayout, arena_m: [f32; 2]) -> Self {
        let latents = latents(level, episodes);
        let width = episodes.first().map_or(1, |episode| episode.views[level].width());
        let fit = |quantity: Quantity| {
            let map = Linear::fit(&latents, width, &targets(&quantity, episodes), quantity.values());
            (quantity, map)
        };
        Self { level, maps: Quantity::all(layout, arena_m).into_iter().map(fit).collect() }
    }

    /// How well they do on these episodes.
    pub(crate) fn score(&self, episodes: &[Normal]) -> Vec<ReadoutScore> {
        let latents = latents(self.level, episodes);
        let score = |(quantity, map): &(Quantity, Linear)| {
            let (name, unit) = quantity.name();
            let score = map.score(&latents, &targets(quantity, episodes));
            ReadoutScore { quantity: name, unit, values: quantity.values(), score }
        };
        self.maps.iter().map(score).collect()
    }

    /// The map to a position in metres.
    pub(crate) fn position(&self) -> &Linear {
        &self.maps[0].1
    }
}

fn latents(level: usize, episodes: &[Normal]) -> Vec<f32> {
    let of_episode = |episode: &Normal| {
        let view = &episode.views[level];
        (0..=view.steps()).step_by(EVERY).flat_map(|step| view.latent(step).to_vec()).collect::<Vec<f32>>()
    };
    episodes.iter().flat_map(of_episode).collect()
}

fn targets(quantity: &Quantity, episodes: &[Normal]) -> Vec<f32> {
    let mut targets = Vec::new();
    for episode in episodes {
        for step in (0..episode.trajectory.positions_m.len()).step_by(EVERY) {
            quantity.read_into(episode, step, &mut targets);
        }
    }
    targets
}
