//! Plane geometry behind senses, drawing and checks: shapes as convex parts. Read first: [`Part`], then [`Surface`].
//!
//! A [`Part`] is a convex piece of a shape in the body's own frame; a [`Surface`] is the same piece where the body is
//! now, in the form that rays and rasters need. Rapier has its own copy of every shape: a ray through its search tree
//! costs several times what the closed forms below cost, and both give the same answer (a test of the lidar holds it).

use crate::scatter::{Obstacle, Scatter};
use crate::{Maze, ShapeSpec};
use bevy_rapier2d::rapier::math::{Pose as Frame, Rotation, Vector};
use forethought_interface::{Num, Outline};

/// A convex piece of a shape, in the body's frame.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Disc {
        center: Vector,
        radius: f32,
    },
    Cuboid {
        frame: Frame,
        half: Vector,
    },
    /// At least three corners, anticlockwise.
    Polygon {
        vertices: Vec<Vector>,
    },
}

/// The convex parts of a resolved shape.
pub(crate) fn parts(shape: &ShapeSpec) -> Vec<Part> {
    let mut parts = Vec::new();
    collect(shape, &Frame::IDENTITY, &mut parts);
    parts
}

fn collect(shape: &ShapeSpec, frame: &Frame, parts: &mut Vec<Part>) {
    match shape {
        ShapeSpec::Cuboid { size_m } => parts.push(Part::Cuboid { frame: *frame, half: vector(size_m) / 2.0 }),
        ShapeSpec::Disc { radius_m } => {
            parts.push(Part::Disc { center: frame.translation, radius: radius_m.value_f32() });
        }
        ShapeSpec::Polygon { vertices_m } => {
            let mut vertices: Vec<Vector> = vertices_m.iter().map(|v| frame.transform_point(vector(v))).collect();
            if twice_area(&vertices) < 0.0 {
                vertices.reverse();
            }
            parts.push(Part::Polygon { vertices });
        }
        ShapeSpec::Wall { length_m, thickness_m, doors } => {
            let length = length_m.value();
            let mut gaps: Vec<[f64; 2]> = doors
                .iter()
                .map(|door| {
                    [door.at_m.value() - door.width_m.value() / 2.0, door.at_m.value() + door.width_m.value() / 2.0]
                })
                .collect();
            gaps.sort_by(|a, b| a[0].total_cmp(&b[0]));
            gaps.push([length, length]);
            let mut from = 0.0;
            for [begin, end] in gaps {
                let width = begin - from;
                if width > SLIVER_M {
                    let middle = Vector::new((from + width / 2.0 - length / 2.0) as f32, 0.0);
                    let half = Vector::new(width as f32, thickness_m.value_f32()) / 2.0;
                    let segment = Frame::from_parts(frame.transform_point(middle), frame.rotation);
                    parts.push(Part::Cuboid { frame: segment, half });
                }
                from = end;
            }
        }
        ShapeSpec::Maze { of, cell_m, wall_m } => {
            let maze = Maze::of_number(of.value());
            for wall in maze.iter().flat_map(|maze| maze.walls(cell_m.value(), wall_m.value())) {
                let [center, size] = [wall.center_m, wall.size_m].map(|[x, y]| Vector::new(x as f32, y as f32));
                let frame = Frame::from_parts(frame.transform_point(center), frame.rotation);
                parts.push(Part::Cuboid { frame, half: size / 2.0 });
            }
        }
        ShapeSpec::Scatter { count, size_m, radius_m, gap_m, clear, seed } => {
            let [width, height] = size_m.each_ref().map(Num::value);
            let scatter = Scatter {
                count: count.value() as usize,
                size: [width, height],
                radius: radius_m.each_ref().map(Num::value),
                gap: gap_m.value(),
                clear: clear
                    .iter()
                    .map(|disc| (disc.position_m.each_ref().map(Num::value), disc.radius_m.value()))
                    .collect(),
                seed: seed.value(),
            };
            for Obstacle { center: [x, y], corners, .. } in scatter.obstacles() {
                let center = [x - width / 2.0, y - height / 2.0];
                let corner = |[x, y]: [f64; 2]| Vector::new((center[0] + x) as f32, (center[1] + y) as f32);
                let vertices = corners.into_iter().map(|at| frame.transform_point(corner(at))).collect();
                parts.push(Part::Polygon { vertices });
            }
        }
        ShapeSpec::Compound { parts: inner } => {
            for part in inner {
                let local = Frame::new(vector(&part.position_m), part.angle_rad.value_f32());
                collect(&part.shape, &(*frame * local), parts);
            }
        }
    }
}

/// A wall's remainder beside a door that is thinner than this is left out.
const SLIVER_M: f64 = 1e-6;

/// A pair of numbers as a vector.
pub(crate) fn vector(nums: &[Num; 2]) -> Vector {
    Vector::new(nums[0].value_f32(), nums[1].value_f32())
}

/// Twice the signed area: positive where the corners go anticlockwise.
pub(crate) fn twice_area(vertices: &[Vector]) -> f32 {
    edges(vertices).map(|(from, to)| from.perp_dot(to)).sum()
}

/// Each corner with the one after it.
pub(crate) fn edges(vertices: &[Vector]) -> impl Iterator<Item = (Vector, Vector)> {
    vertices.iter().copied().zip(vertices.iter().copied().cycle().skip(1))
}

/// What to draw of a resolved shape, in the body's frame. Walls come as the pieces between their doors.
#[must_use]
pub fn outlines(shape: &ShapeSpec) -> Vec<Outline> {
    parts(shape).iter().map(Part::outline).collect()
}

impl Part {
    fn outline(&self) -> Outline {
        match self {
            Self::Disc { center, radius } => Outline::Disc { center_m: center.to_array(), radius_m: *radius },
            Self::Cuboid { .. } | Self::Polygon { .. } => {
                Outline::Polygon { vertices_m: self.corners().iter().map(Vector::to_array).collect() }
            }
        }
    }

    /// The corners, anticlockwise; none of a disc.
    pub(crate) fn corners(&self) -> Vec<Vector> {
        match self {
            Self::Disc { .. } => Vec::new(),
            Self::Cuboid { frame, half } => [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
                .map(|(x, y)| frame.transform_point(Vector::new(x * half.x, y * half.y)))
                .to_vec(),
            Self::Polygon { vertices } => vertices.clone(),
        }
    }

    /// The point of the outline that is nearest to this one.
    pub(crate) fn nearest(&self, point: Vector) -> Vector {
        match self {
            Self::Disc { center, radius } => center + (point - center).normalize_or(Vector::X) * *radius,
            Self::Cuboid { frame, half } => {
                let local = frame.inverse_transform_point(point);
                let held = local.clamp(-*half, *half);
                // From inside it is the nearest side that is nearest.
                let room = half - local.abs();
                let nearest = match (held == local, room.x < room.y) {
                    (false, _) => held,
                    (true, true) => Vector::new(half.x.copysign(local.x), local.y),
                    (true, false) => Vector::new(local.x, half.y.copysign(local.y)),
                };
                frame.transform_point(nearest)
            }
            Self::Polygon { vertices } => {
                let on_side = edges(vertices).map(|(from, to)| {
                    let along = to - from;
                    from + along * ((point - from).dot(along) / along.length_squared()).clamp(0.0, 1.0)
                });
                let nearer = |a: &Vector, b: &Vector| a.distance_squared(point).total_cmp(&b.distance_squared(point));
                on_side.min_by(nearer).unwrap_or(point)
            }
        }
    }

    /// This part on a body at `frame`.
    pub(crate) fn at(&self, frame: &Frame) -> Surface {
        let mut surface = match self {
            Self::Disc { radius, .. } => Surface::Disc { center: Vector::ZERO, radius: *radius },
            Self::Cuboid { half, .. } => Surface::Cuboid { center: Vector::ZERO, axis: Vector::X, half: *half },
            Self::Polygon { vertices } => {
                let (center, radius) = bounding_disc(vertices);
                let mut edges: Vec<Edge> = Vec::with_capacity(vertices.len());
                edges.resize(vertices.len(), Edge::default());
                Surface::Polygon { center, radius, edges }
            }
        };
        self.place(frame, &mut surface);
        surface
    }

    /// Move `surface`, made by [`Part::at`], to where the body is now.
    pub(crate) fn place(&self, frame: &Frame, surface: &mut Surface) {
        match (self, surface) {
            (Self::Disc { center, .. }, Surface::Disc { center: now, .. }) => *now = frame.transform_point(*center),
            (Self::Cuboid { frame: local, .. }, Surface::Cuboid { center, axis, .. }) => {
                let world = *frame * *local;
                *center = world.translation;
                *axis = direction(world.rotation);
            }
            (Self::Polygon { vertices }, Surface::Polygon { center, edges: placed, .. }) => {
                *center = frame.transform_point(bounding_disc(vertices).0);
                for ((from, to), edge) in edges(vertices).zip(placed) {
                    let from = frame.transform_point(from);
                    let along = frame.transform_point(to) - from;
                    edge.normal = Vector::new(along.y, -along.x).normalize_or_zero();
                    edge.offset = edge.normal.dot(from);
                }
            }
            _ => {}
        }
    }
}

/// A disc around all corners: their mean and the farthest corner's distance.
fn bounding_disc(vertices: &[Vector]) -> (Vector, f32) {
    let center = vertices.iter().copied().sum::<Vector>() / vertices.len().max(1) as f32;
    (center, vertices.iter().map(|v| v.distance(center)).fold(0.0, f32::max))
}

/// The unit vector at this angle.
pub(crate) fn direction(rotation: Rotation) -> Vector {
    Vector::new(rotation.cos(), rotation.sin())
}

/// A convex piece of a body where the body is now, in the world's frame.
#[derive(Debug, Clone)]
pub(crate) enum Surface {
    Disc { center: Vector, radius: f32 },
    Cuboid { center: Vector, axis: Vector, half: Vector },
    Polygon { center: Vector, radius: f32, edges: Vec<Edge> },
}

/// A polygon's side: points `p` with `normal . p <= offset` are on its inner side.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edge {
    pub normal: Vector,
    pub offset: f32,
}

impl Surface {
    /// A disc around the whole piece.
    pub(crate) fn bounds(&self) -> (Vector, f32) {
        match self {
            Self::Disc { center, radius } | Self::Polygon { center, radius, .. } => (*center, *radius),
            Self::Cuboid { center, half, .. } => (*center, half.length()),
        }
    }

    /// Whether any of the straight line between two points is inside.
    pub(crate) fn crosses(&self, from: Vector, to: Vector) -> bool {
        let along = to - from;
        let (middle, reach) = self.bounds();
        let nearest = from + along * ((middle - from).dot(along) / along.length_squared().max(1e-12)).clamp(0.0, 1.0);
        if nearest.distance_squared(middle) > reach * reach {
            return false;
        }
        match self {
            Self::Disc { .. } => true,
            Self::Cuboid { center, axis, half } => {
                let sides = [(*axis, half.x), (axis.perp(), half.y)];
                let planes = sides.iter().flat_map(|(normal, half)| {
                    let offset = normal.dot(*center);
                    [(*normal, offset + half), (-*normal, half - offset)]
                });
                within_all(planes, from, along)
            }
            Self::Polygon { edges, .. } => within_all(edges.iter().map(|edge| (edge.normal, edge.offset)), from, along),
        }
    }

    /// How far `point` is outside, negative inside. Beside a corner it is the distance to the nearer side's line, a
    /// little less than to the corner itself.
    pub(crate) fn signed_distance(&self, point: Vector) -> f32 {
        match self {
            Self::Disc { center, radius } => point.distance(*center) - radius,
            Self::Cuboid { center, axis, half } => {
                let offset = point - center;
                (offset.dot(*axis).abs() - half.x).max(axis.perp_dot(offset).abs() - half.y)
            }
            Self::Polygon { edges, .. } => {
                edges.iter().map(|edge| edge.normal.dot(point) - edge.offset).fold(f32::NEG_INFINITY, f32::max)
            }
        }
    }
}

/// Whether some point of the line from `from` along `along` is on the inner side of all these: normal and offset.
fn within_all(planes: impl Iterator<Item = (Vector, f32)>, from: Vector, along: Vector) -> bool {
    let (mut near, mut far) = (0.0_f32, 1.0_f32);
    for (normal, offset) in planes {
        let (inward, approach) = (offset - normal.dot(from), normal.dot(along));
        if approach < 0.0 {
            near = near.max(inward / approach);
        } else if approach > 0.0 {
            far = far.min(inward / approach);
        } else if inward < 0.0 {
            return false;
        }
    }
    near <= far
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DoorSpec, PartSpec};

    fn num(value: f64) -> Num {
        Num::Literal(value)
    }

    fn wall(doors: &[(f64, f64)]) -> ShapeSpec {
        let door = |(at, width): &(f64, f64)| DoorSpec { at_m: num(*at), width_m: num(*width) };
        ShapeSpec::Wall { length_m: num(10.0), thickness_m: num(0.4), doors: doors.iter().map(door).collect() }
    }

    #[test]
    fn a_wall_is_open_at_its_doors() {
        let surfaces: Vec<Surface> =
            parts(&wall(&[(8.0, 1.0), (2.0, 2.0)])).iter().map(|p| p.at(&Frame::IDENTITY)).collect();
        assert_eq!(surfaces.len(), 3);
        for step in 0..1000 {
            let along = step as f32 * 0.01 + 0.005;
            let solid = !(1.0..3.0).contains(&along) && !(7.5..8.5).contains(&along);
            let point = Vector::new(along - 5.0, 0.1);
            assert_eq!(surfaces.iter().any(|s| s.signed_distance(point) <= 0.0), solid, "{along} m along the wall");
        }
    }

    #[test]
    fn a_door_at_the_end_leaves_no_sliver() {
        assert_eq!(parts(&wall(&[(0.5, 1.0)])).len(), 1);
        assert_eq!(parts(&wall(&[(5.0, 10.0)])).len(), 0);
        assert_eq!(parts(&wall(&[])).len(), 1);
    }

    #[test]
    fn compounds_nest_and_turn() {
        let part =
            |shape, x: f64, angle: f64| PartSpec { shape, position_m: [num(x), num(0.0)], angle_rad: num(angle) };
        let inner = ShapeSpec::Compound { parts: vec![part(ShapeSpec::Disc { radius_m: num(0.1) }, 1.0, 0.0)] };
        let outer = ShapeSpec::Compound { parts: vec![part(inner, 2.0, std::f64::consts::FRAC_PI_2)] };
        let [Part::Disc { center, radius }] = parts(&outer)[..] else { panic!("one disc") };
        assert!(center.distance(Vector::new(2.0, 1.0)) < 1e-6);
        assert_eq!(radius, 0.1);
    }

    #[test]
    fn a_polygon_may_go_either_way_round() {
        let corners = [[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]];
        for clockwise in [false, true] {
            let mut vertices_m: Vec<[Num; 2]> = corners.iter().map(|c| c.map(num)).collect();
            if clockwise {
                vertices_m.reverse();
            }
            let surface = parts(&ShapeSpec::Polygon { vertices_m })[0].at(&Frame::new(Vector::new(1.0, 1.0), 0.3));
            let inside = Frame::new(Vector::new(1.0, 1.0), 0.3).transform_point(Vector::new(0.5, 0.25));
            assert!(surface.signed_distance(inside) < -0.2);
            assert!(surface.signed_distance(Vector::new(0.9, 0.9)) > 0.0);
        }
    }

    /// A disc, a turned cuboid and a triangle, about 1 m from their place.
    fn some() -> [ShapeSpec; 3] {
        let corners = [[-0.9, -0.5], [1.1, -0.4], [0.2, 0.8]];
        [
            ShapeSpec::Disc { radius_m: num(0.8) },
            ShapeSpec::Cuboid { size_m: [num(1.6), num(0.9)] },
            ShapeSpec::Polygon { vertices_m: corners.iter().map(|c| c.map(num)).collect() },
        ]
    }

    #[test]
    fn the_nearest_point_is_on_the_outline_and_no_other_is_nearer() {
        let frame = Frame::new(Vector::new(0.3, -0.2), 0.7);
        for shape in some() {
            let part = &parts(&shape)[0];
            let surface = part.at(&frame);
            // The outline, by walking inwards from all around.
            let outline: Vec<Vector> = (0..2000)
                .map(|k| {
                    let ray = Vector::from_angle(k as f32 * std::f32::consts::TAU / 2000.0);
                    let inside = |r: &f32| surface.signed_distance(frame.translation + ray * *r) <= 0.0;
                    let radius = (0..4000).map(|k| 2.0 - k as f32 / 2000.0).find(inside).unwrap();
                    frame.translation + ray * radius
                })
                .collect();
            for k in 0..60 {
                let point = frame.translation + Vector::from_angle(k as f32) * (0.05 * k as f32 + 0.01);
                let nearest = frame.transform_point(part.nearest(frame.inverse_transform_point(point)));
                assert!(surface.signed_distance(nearest).abs() < 1e-5, "{shape:?} {nearest}");
                let least = outline.iter().map(|other| other.distance(point)).fold(f32::INFINITY, f32::min);
                assert!((nearest.distance(point) - least).abs() < 0.01, "{shape:?} {point}: {nearest}, {least}");
            }
        }
    }

    #[test]
    fn a_line_crosses_where_a_point_of_it_is_inside() {
        let frame = Frame::new(Vector::new(0.3, -0.2), 0.7);
        let mut crossed = [0, 0];
        for surface in some().iter().map(|shape| parts(shape)[0].at(&frame)) {
            for k in 0..400 {
                let from = Vector::from_angle(k as f32 * 0.37) * (0.2 + 0.005 * k as f32);
                let to = Vector::from_angle(k as f32 * 1.91) * (2.2 - 0.005 * k as f32);
                let least = (0..=500)
                    .map(|step| surface.signed_distance(from.lerp(to, step as f32 / 500.0)))
                    .fold(f32::INFINITY, f32::min);
                // Where the line only grazes, either answer is right.
                if least.abs() > 0.01 {
                    assert_eq!(surface.crosses(from, to), least < 0.0, "{surface:?} {from} {to}: {least}");
                    crossed[usize::from(least < 0.0)] += 1;
                }
            }
        }
        assert!(crossed.iter().all(|count| *count > 100), "{crossed:?}");
    }

    #[test]
    fn outlines_keep_the_area() {
        let [Outline::Polygon { vertices_m }] = &outlines(&ShapeSpec::Cuboid { size_m: [num(2.0), num(3.0)] })[..]
        else {
            panic!("one polygon")
        };
        let vertices: Vec<Vector> = vertices_m.iter().map(|v| Vector::from_array(*v)).collect();
        assert!((twice_area(&vertices) - 12.0).abs() < 1e-5);
    }
}
