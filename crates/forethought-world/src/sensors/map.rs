//! Map: the floor plan of the arena. Read first: [`MapSpec`].

use crate::geometry::Surface;
use crate::surroundings::Surroundings;
use bevy_rapier2d::rapier::math::Vector;
use forethought_interface::{Channel, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Channel `map.occupancy` `[rows, columns]`: what a floor plan tells. The arena is divided into equal cells, and each value
/// is the share of its cell that static bodies cover, in `[0, 1]`, counted at 8 by 8 points; first row at the bottom, each
/// from the left. Agents, bodies that move, targets and zones are not on it, and it is the same wherever the agent is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MapSpec {
    /// Columns and rows, 1 to 64 each.
    pub cells: [u32; 2],
}

impl Default for MapSpec {
    fn default() -> Self {
        Self { cells: [16, 16] }
    }
}

impl_numbers!(
    struct MapSpec {}
);

/// Points along a cell's side; a cell's points are the bits of a `u64`.
const POINTS: usize = 8;

impl MapSpec {
    pub(super) fn channels(&self) -> Vec<Channel> {
        let [columns, rows] = self.cells.map(|count| count as usize);
        vec![Channel { name: "map.occupancy".into(), shape: vec![rows, columns] }]
    }
}

/// The sensor: static bodies never move, so that the map is drawn once for each episode.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    /// `[rows, columns]`, first row at the bottom.
    occupancy: Vec<f32>,
}

impl Map {
    pub(super) fn new(spec: &MapSpec, surroundings: &Surroundings) -> Self {
        let [columns, rows] = spec.cells.map(|count| count as usize);
        let mut covered = vec![0_u64; columns * rows];
        let spacing = surroundings.size / Vector::new((columns * POINTS) as f32, (rows * POINTS) as f32);
        for surface in surroundings.solids.iter().filter(|solid| solid.fixed).flat_map(|solid| &solid.surfaces) {
            let (middle, reach) = (surface.bounds().0, reach(surface));
            let across = points(middle.x, reach.x, spacing.x, columns * POINTS);
            for y in points(middle.y, reach.y, spacing.y, rows * POINTS) {
                for x in across.clone() {
                    let point = Vector::new(x as f32 + 0.5, y as f32 + 0.5) * spacing;
                    if surface.signed_distance(point) <= 0.0 {
                        let bit = y % POINTS * POINTS + x % POINTS;
                        covered[y / POINTS * columns + x / POINTS] |= 1 << bit;
                    }
                }
            }
        }
        let share = |points: u64| points.count_ones() as f32 / (POINTS * POINTS) as f32;
        Self { occupancy: covered.into_iter().map(share).collect() }
    }

    pub(super) fn measure(&self, values: &mut Vec<f32>) {
        values.extend_from_slice(&self.occupancy);
    }
}

/// How far a surface reaches from its middle along x and y.
fn reach(surface: &Surface) -> Vector {
    match surface {
        Surface::Cuboid { axis, half, .. } => {
            let along = axis.abs();
            Vector::new(along.x * half.x + along.y * half.y, along.y * half.x + along.x * half.y)
        }
        Surface::Disc { .. } | Surface::Polygon { .. } => Vector::splat(surface.bounds().1),
    }
}

/// The points along one side of the arena that lie within `reach` of `middle`, and one more at each end.
fn points(middle: f32, reach: f32, spacing: f32, count: usize) -> Range<usize> {
    let begin = ((middle - reach) / spacing - 1.0).clamp(0.0, count as f32) as usize;
    let end = ((middle + reach) / spacing + 1.0).ceil().clamp(0.0, count as f32) as usize;
    begin..end.max(begin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::Solid;
    use crate::{Maze, ShapeSpec};
    use forethought_interface::Num;

    fn fixed(shape: &ShapeSpec, x: f64, y: f64, angle: f64) -> Solid {
        let color = [0.0; 3].map(Num::Literal);
        let solid = Solid::new("solid", shape, &[x, y].map(Num::Literal), &Num::Literal(angle), &color);
        Solid { fixed: true, ..solid }
    }

    fn map(cells: [u32; 2], size: Vector, solids: Vec<Solid>) -> Vec<f32> {
        let spec = MapSpec { cells };
        let surroundings = Surroundings { size, solids, ..Surroundings::default() };
        let mut values = vec![7.0];
        Map::new(&spec, &surroundings).measure(&mut values);
        assert_eq!(values.remove(0), 7.0, "what was sensed before stays");
        assert_eq!(values.len(), spec.channels()[0].len());
        values
    }

    fn cuboid(width: f64, height: f64) -> ShapeSpec {
        ShapeSpec::Cuboid { size_m: [width, height].map(Num::Literal) }
    }

    #[test]
    fn a_known_wall_covers_known_shares() {
        // From x = 1.5 to 4 and from y = 0.25 to 1, in cells of a metre.
        let values = map([8, 4], Vector::new(8.0, 4.0), vec![fixed(&cuboid(2.5, 0.75), 2.75, 0.625, 0.0)]);
        let mut expected = vec![0.0; 32];
        expected[1..4].copy_from_slice(&[0.375, 0.75, 0.75]);
        assert_eq!(values, expected);
    }

    #[test]
    fn the_first_row_is_at_the_bottom() {
        let values = map([8, 4], Vector::new(8.0, 4.0), vec![fixed(&cuboid(1.0, 1.0), 6.5, 3.5, 0.0)]);
        assert_eq!(values.iter().position(|share| *share == 1.0), Some(3 * 8 + 6));
        assert_eq!(values.iter().sum::<f32>(), 1.0);
    }

    #[test]
    fn what_overlaps_is_counted_once_and_what_moves_not_at_all() {
        let disc = ShapeSpec::Disc { radius_m: Num::Literal(1.0) };
        let area = |solids| map([20, 10], Vector::new(8.0, 4.0), solids).iter().sum::<f32>() * 0.16;
        let one = area(vec![fixed(&disc, 3.0, 2.0, 0.0)]);
        assert!((one - std::f32::consts::PI).abs() < 0.02, "{one} m²");
        assert_eq!(area(vec![fixed(&disc, 3.0, 2.0, 0.0), fixed(&disc, 3.0, 2.0, 0.0)]), one);
        let moving = Solid { fixed: false, ..fixed(&disc, 6.0, 2.0, 0.0) };
        assert_eq!(area(vec![fixed(&disc, 3.0, 2.0, 0.0), moving]), one);
    }

    #[test]
    fn turned_cut_off_and_far_away_shapes_keep_their_area() {
        let corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]].map(|corner| corner.map(Num::Literal)).to_vec();
        let triangle = ShapeSpec::Polygon { vertices_m: corners };
        for step in 0..40 {
            let angle = 0.17 * f64::from(step);
            let area = |shape: &ShapeSpec, x: f64, y: f64| {
                map([32, 16], Vector::new(8.0, 4.0), vec![fixed(shape, x, y, angle)]).iter().sum::<f32>() / 16.0
            };
            let bar = area(&cuboid(2.0, 0.3), 4.0, 2.0);
            assert!((bar - 0.6).abs() < 0.03, "bar of {bar} m² at {angle}");
            let three = area(&triangle, 4.0, 2.0);
            assert!((three - 0.5).abs() < 0.03, "triangle of {three} m² at {angle}");
            let half = area(&cuboid(2.0, 2.0), 0.0, 2.0);
            assert!((half - 2.0).abs() < 0.05, "half a square of {half} m² at {angle}");
            assert_eq!(area(&cuboid(2.0, 2.0), -5.0, 90.0), 0.0);
        }
    }

    /// Cells of the map between two cells of the maze are covered where there is a wall, and free where there is none.
    #[test]
    fn a_maze_can_be_read_from_its_map() {
        let maze = Maze::generate([7, 7], 0.5, 12).unwrap();
        let shape =
            ShapeSpec::Maze { of: Num::Literal(maze.number()), cell_m: Num::Literal(2.0), wall_m: Num::Literal(0.4) };
        let values = map([28, 28], Vector::new(14.0, 14.0), vec![fixed(&shape, 7.0, 7.0, 0.0)]);
        for (column, row) in (0..7_usize).flat_map(|column| (0..7_usize).map(move |row| (column, row))) {
            let open = maze.open([column as u32, row as u32]);
            if column < 6 {
                let between = values[(4 * row + 1) * 28 + 4 * column + 4];
                let is_open = open.contains(&[column as u32 + 1, row as u32]);
                assert_eq!(between, if is_open { 0.0 } else { 0.375 }, "right of ({column}, {row})");
            }
            if row < 6 {
                let between = values[(4 * row + 4) * 28 + 4 * column + 2];
                assert_eq!(between > 0.0, !open.contains(&[column as u32, row as u32 + 1]), "above ({column}, {row})");
            }
            assert_eq!(values[(4 * row + 1) * 28 + 4 * column + 1], 0.0);
        }
    }
}
