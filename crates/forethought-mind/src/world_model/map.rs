//! The floor plan, read where the agent is or is imagined to be: what a predictor knows of walls that no sensor reaches.
//! Read first: [`GlimpseSpec`] and [`MapReader`].

use crate::perception::MAP;
use forethought_interface::ObservationLayout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands outside the arena.
const OUTSIDE: f32 = 1.0;

/// How a predictor reads the floor plan of a `Map` sensor: a square of points around the imagined agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GlimpseSpec {
    /// Points along each side of the square.
    pub points: usize,
    /// From one point to the next, in metres.
    pub spacing_m: f32,
    /// In training the square is off by a normal deviate of this size, in metres, along each axis: in imagination it is only
    /// where the readout has it.
    pub jitter_m: f32,
}

impl Default for GlimpseSpec {
    fn default() -> Self {
        Self { points: 7, spacing_m: 0.5, jitter_m: 0.05 }
    }
}

/// Reads glimpses from floor plans of one shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapReader {
    /// `[rows, columns]` of the floor plan; row 0 is at the bottom.
    pub shape: [usize; 2],
    /// Width and height of what it covers, in metres.
    pub arena_m: [f32; 2],
    /// The glimpse.
    pub glimpse: GlimpseSpec,
}

impl MapReader {
    /// For agents with this layout in this arena; `None` without a floor plan.
    #[must_use]
    pub fn new(layout: &ObservationLayout, arena_m: [f32; 2], glimpse: &GlimpseSpec) -> Option<Self> {
        let channel = layout.channels.iter().find(|channel| channel.name == MAP)?;
        let [rows, columns] = channel.shape[..] else { return None };
        (rows > 0 && columns > 0 && glimpse.points > 0).then(|| Self {
            shape: [rows, columns],
            arena_m,
            glimpse: glimpse.clone(),
        })
    }

    /// True where every number is usable; a checkpoint from elsewhere may hold anything.
    pub(crate) fn is_sound(&self) -> bool {
        self.shape.iter().all(|side| (1..=4096).contains(side))
            && (1..=64).contains(&self.glimpse.points)
            && self.glimpse.spacing_m.is_finite()
            && self.arena_m.iter().all(|side| side.is_finite() && *side > 0.0)
    }

    /// How many values a glimpse has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.glimpse.points * self.glimpse.points
    }

    /// How many values a floor plan has.
    #[must_use]
    pub fn map_len(&self) -> usize {
        self.shape[0] * self.shape[1]
    }

    /// Always false: a reader reads something.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Write the glimpse of `map`, `[rows, columns]`, around a position over `out`, `[points, points]`: occupancy from 0 to 1,
    /// bilinear between the middles of the plan's cells, row by row from the lower left.
    pub fn read(&self, map: &[f32], position_m: [f32; 2], out: &mut [f32]) {
        let [rows, columns] = self.shape;
        let points = self.glimpse.points;
        #[expect(clippy::cast_precision_loss, reason = "a floor plan has few cells")]
        let per_m = [columns as f32 / self.arena_m[0], rows as f32 / self.arena_m[1]];
        #[expect(clippy::cast_precision_loss, reason = "a glimpse has few points")]
        let half = (points - 1) as f32 * 0.5 * self.glimpse.spacing_m;
        let axis = |axis: usize, index: usize| {
            #[expect(clippy::cast_precision_loss, reason = "a glimpse has few points")]
            let at_m = position_m[axis] - half + index as f32 * self.glimpse.spacing_m;
            // In cells, from the middle of the first; far outside is outside.
            (at_m * per_m[axis] - 0.5).clamp(-1e6, 1e6)
        };
        let at = |row: i64, column: i64| match (usize::try_from(row), usize::try_from(column)) {
            (Ok(row), Ok(column)) if row < rows && column < columns => map[row * columns + column],
            _ => OUTSIDE,
        };
        for (index, out) in out.iter_mut().enumerate() {
            let (x, y) = (axis(0, index % points), axis(1, index / points));
            #[expect(clippy::cast_possible_truncation, reason = "clamped above")]
            let (column, row) = (x.floor() as i64, y.floor() as i64);
            let (right, up) = (x - x.floor(), y - y.floor());
            let below = at(row, column) * (1.0 - right) + at(row, column + 1) * right;
            let above = at(row + 1, column) * (1.0 - right) + at(row + 1, column + 1) * right;
            *out = below * (1.0 - up) + above * up;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forethought_interface::Channel;

    #[test]
    fn a_glimpse_is_what_the_plan_shows_there() {
        let layout = ObservationLayout { channels: vec![Channel { name: MAP.into(), shape: vec![2, 4] }] };
        let glimpse = GlimpseSpec { points: 3, spacing_m: 1.0, jitter_m: 0.0 };
        let reader = MapReader::new(&layout, [4.0, 2.0], &glimpse).unwrap();
        let map = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        let mut seen = [0.0; 9];
        // In the middle of the second cell of the lower row: below it is the outside.
        reader.read(&map, [1.5, 0.5], &mut seen);
        assert_eq!(seen, [1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        // Half way to the third.
        reader.read(&map, [2.0, 0.5], &mut seen);
        assert_eq!(seen[3..6], [0.5, 0.5, 0.0]);
        // However far off, and where the readout has lost its senses.
        reader.read(&map, [f32::NAN, 1e30], &mut seen);
        assert!(MapReader::new(&ObservationLayout::default(), [1.0, 1.0], &glimpse).is_none());
    }
}
