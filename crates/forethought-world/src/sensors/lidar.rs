//! Lidar: distances along rays. Read first: [`LidarSpec`].

use super::Moment;
use crate::geometry::{Surface, direction};
use crate::surroundings::Surroundings;
use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
use forethought_interface::{Channel, Num, Ray, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channel `lidar.range_m` `[rays]`: the distance from the agent's centre to the first surface along each ray,
/// at most `range_m`. All around, ray 0 looks along the body's x axis; in a narrower field of view the first ray looks
/// along its right edge and the last along its left edge. Rays follow each other anticlockwise. They see bodies, other
/// agents and the arena's walls, not targets or zones; from inside a body the distance is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LidarSpec {
    /// How many rays, spread evenly over `field_of_view_rad`.
    pub rays: u32,
    /// The longest distance in metres.
    pub range_m: Num,
    /// The angle that the rays cover, in radians, centred on the body's x axis; the default is all around.
    pub field_of_view_rad: Num,
}

impl Default for LidarSpec {
    fn default() -> Self {
        Self { rays: 32, range_m: Num::Literal(15.0), field_of_view_rad: Num::Literal(std::f64::consts::TAU) }
    }
}

impl_numbers!(struct LidarSpec { range_m, field_of_view_rad });

impl LidarSpec {
    pub(super) fn channels(&self) -> Vec<Channel> {
        vec![Channel { name: "lidar.range_m".into(), shape: vec![self.rays as usize] }]
    }
}

/// The sensor: its rays' directions in the body's frame, as two columns so that the compiler casts several at once.
#[derive(Debug, Clone)]
pub(crate) struct Lidar {
    x: Vec<f32>,
    y: Vec<f32>,
    range: f32,
}

impl Lidar {
    pub(super) fn new(spec: &LidarSpec) -> Self {
        let (rays, field) = (f64::from(spec.rays), spec.field_of_view_rad.value());
        let angle = |ray: u32| {
            if field >= std::f64::consts::TAU - 1e-6 {
                f64::from(ray) * std::f64::consts::TAU / rays
            } else if spec.rays == 1 {
                0.0
            } else {
                f64::from(ray) * field / (rays - 1.0) - field / 2.0
            }
        };
        Self {
            x: (0..spec.rays).map(|ray| angle(ray).cos() as f32).collect(),
            y: (0..spec.rays).map(|ray| angle(ray).sin() as f32).collect(),
            range: spec.range_m.value_f32(),
        }
    }

    pub(super) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        let begin = values.len();
        values.resize(begin + self.x.len(), self.range);
        self.cast(moment.own, &moment.frame, moment.surroundings, &mut values[begin..]);
    }

    /// The rays in the world's frame, for drawing.
    pub(crate) fn rays(&self, own: usize, frame: &Frame, surroundings: &Surroundings) -> Vec<Ray> {
        let mut ranges = vec![self.range; self.x.len()];
        self.cast(own, frame, surroundings, &mut ranges);
        let end = |((x, y), range): ((&f32, &f32), f32)| frame.transform_point(Vector::new(*x, *y) * range);
        let ends = self.x.iter().zip(&self.y).zip(ranges).map(end);
        ends.map(|to| Ray { from_m: frame.translation.to_array(), to_m: to.to_array() }).collect()
    }

    /// Shorten each ray to the first surface that it meets.
    fn cast(&self, own: usize, frame: &Frame, surroundings: &Surroundings, ranges: &mut [f32]) {
        if let Some(walls) = &surroundings.boundary {
            let inside =
                frame.translation.cmpgt(Vector::ZERO).all() && frame.translation.cmplt(surroundings.size).all();
            if inside {
                self.cast_from_within(frame, surroundings.size, ranges);
            } else {
                walls.iter().for_each(|wall| self.cast_at(frame, wall, ranges));
            }
        }
        for (index, solid) in surroundings.solids.iter().enumerate() {
            if index != own {
                solid.surfaces.iter().for_each(|surface| self.cast_at(frame, surface, ranges));
            }
        }
    }

    /// The surface is moved into the body's frame, where the rays start at the origin and never turn.
    fn cast_at(&self, frame: &Frame, surface: &Surface, ranges: &mut [f32]) {
        let (middle, reach) = surface.bounds();
        let far = self.range + reach;
        if middle.distance_squared(frame.translation) > far * far {
            return;
        }
        let turn = frame.rotation;
        match surface {
            Surface::Disc { center, radius } => {
                self.cast_at_disc(frame.inverse_transform_point(*center), *radius, ranges);
            }
            Surface::Cuboid { center, axis, half } => {
                let axis = turn.inverse_transform_vector(*axis);
                self.cast_at_cuboid(frame.inverse_transform_point(*center), axis, *half, ranges);
            }
            Surface::Polygon { edges, .. } => {
                let local = |normal: Vector, offset: f32| {
                    (turn.inverse_transform_vector(normal), offset - normal.dot(frame.translation))
                };
                for ((x, y), range) in self.x.iter().zip(&self.y).zip(ranges) {
                    let (mut near, mut far) = (0.0_f32, f32::INFINITY);
                    for edge in edges {
                        let (normal, inward) = local(edge.normal, edge.offset);
                        let approach = normal.x * x + normal.y * y;
                        let at = inward / approach;
                        if approach < 0.0 {
                            near = near.max(at);
                        } else if approach > 0.0 {
                            far = far.min(at);
                        } else if inward < 0.0 {
                            far = -1.0;
                        }
                    }
                    if near <= far && near < *range {
                        *range = near;
                    }
                }
            }
        }
    }

    /// The perpendicular distance of the centre from the ray decides, which stays exact far away.
    fn cast_at_disc(&self, center: Vector, radius: f32, ranges: &mut [f32]) {
        for ((x, y), range) in self.x.iter().zip(&self.y).zip(ranges) {
            let along = center.x * x + center.y * y;
            let beside = center.y * x - center.x * y;
            let chord = radius * radius - beside * beside;
            let half = max(chord, 0.0).sqrt();
            let near = max(along - half, 0.0);
            let hit = (chord >= 0.0) & (along + half >= 0.0) & (near < *range);
            *range = if hit { near } else { *range };
        }
    }

    /// Slabs: between each pair of parallel sides the ray spends one interval; the cuboid is where both overlap.
    fn cast_at_cuboid(&self, center: Vector, axis: Vector, half: Vector, ranges: &mut [f32]) {
        let offset = Vector::new(center.dot(axis), axis.perp_dot(center));
        let [enter_x, leave_x] = [offset.x - half.x, offset.x + half.x];
        let [enter_y, leave_y] = [offset.y - half.y, offset.y + half.y];
        for ((x, y), range) in self.x.iter().zip(&self.y).zip(ranges) {
            let inverse_x = 1.0 / (x * axis.x + y * axis.y);
            let inverse_y = 1.0 / (y * axis.x - x * axis.y);
            let (a, b) = (enter_x * inverse_x, leave_x * inverse_x);
            let (c, d) = (enter_y * inverse_y, leave_y * inverse_y);
            let near = max(max(min(a, b), min(c, d)), 0.0);
            let far = min(max(a, b), max(c, d));
            let hit = (near <= far) & (near < *range);
            *range = if hit { near } else { *range };
        }
    }

    /// From inside the arena a ray can only leave through the two walls that it looks at.
    fn cast_from_within(&self, frame: &Frame, size: Vector, ranges: &mut [f32]) {
        let (axis, at) = (direction(frame.rotation), frame.translation);
        for ((x, y), range) in self.x.iter().zip(&self.y).zip(ranges) {
            let inverse_x = 1.0 / (x * axis.x - y * axis.y);
            let inverse_y = 1.0 / (x * axis.y + y * axis.x);
            let to_x = max(-at.x * inverse_x, (size.x - at.x) * inverse_x);
            let to_y = max(-at.y * inverse_y, (size.y - at.y) * inverse_y);
            let far = min(to_x, to_y);
            *range = if far < *range { far } else { *range };
        }
    }
}

/// The larger one. Unlike [`f32::max`] it compiles to one instruction; of a NaN and a number it gives the second.
fn max(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The smaller one, likewise.
fn min(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::parts;
    use crate::physics::solid_shape;
    use crate::surroundings::{Solid, boundary};
    use crate::{ArenaSpec, Boundary, DoorSpec, PartSpec, ShapeSpec};
    use bevy_rapier2d::parry::query::Ray as ParryRay;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn num(value: f64) -> Num {
        Num::Literal(value)
    }

    fn arena(boundary: Boundary) -> ArenaSpec {
        ArenaSpec { size_m: [num(10.0), num(8.0)], gravity_m_s2: [num(0.0), num(0.0)], boundary }
    }

    fn lidar(rays: u32, field: f64) -> Lidar {
        Lidar::new(&LidarSpec { rays, range_m: num(15.0), field_of_view_rad: num(field) })
    }

    /// One of every kind of shape, compounds of walls and polygons included.
    fn shape(rng: &mut ChaCha8Rng, depth: u32) -> ShapeSpec {
        let length = |rng: &mut ChaCha8Rng| num(rng.gen_range(0.1..2.0));
        match rng.gen_range(0..if depth == 0 { 4 } else { 5 }) {
            0 => ShapeSpec::Disc { radius_m: length(rng) },
            1 => ShapeSpec::Cuboid { size_m: [length(rng), length(rng)] },
            2 => {
                let corners: u32 = rng.gen_range(3..7);
                let (turn, radius) = (rng.gen_range(0.0..6.0), rng.gen_range(0.2..1.5));
                let corner = |k| {
                    let angle = turn + f64::from(k) * std::f64::consts::TAU / f64::from(corners);
                    [num(radius * angle.cos()), num(0.7 * radius * angle.sin())]
                };
                ShapeSpec::Polygon { vertices_m: (0..corners).map(corner).collect() }
            }
            3 => ShapeSpec::Wall {
                length_m: num(4.0),
                thickness_m: num(0.3),
                doors: vec![DoorSpec { at_m: num(rng.gen_range(0.5..3.5)), width_m: num(0.6) }],
            },
            _ => {
                let mut part = || PartSpec {
                    shape: shape(rng, depth - 1),
                    position_m: [num(rng.gen_range(-1.0..1.0)), num(rng.gen_range(-1.0..1.0))],
                    angle_rad: num(rng.gen_range(-3.0..3.0)),
                };
                ShapeSpec::Compound { parts: vec![part(), part()] }
            }
        }
    }

    /// Where a ray only grazes an edge, single precision may go either way: such rays, whose neighbours a tenth of a
    /// millimetre aside end elsewhere, prove nothing and are left out.
    #[test]
    fn agrees_with_parry() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut compared, mut hits) = (0, 0);
        for round in 0..400 {
            let spec = arena(if round % 2 == 0 { Boundary::Walls } else { Boundary::Open });
            let walls = boundary(&spec);
            let mut surroundings = Surroundings {
                size: Vector::new(10.0, 8.0),
                boundary: walls.clone().map(|walls| walls.map(|wall| wall.at(&Frame::IDENTITY))),
                ..Surroundings::default()
            };
            let mut known: Vec<(Frame, crate::geometry::Part)> =
                walls.into_iter().flatten().map(|wall| (Frame::IDENTITY, wall)).collect();
            for index in 0..8 {
                let shape = shape(&mut rng, 2);
                let place = [num(rng.gen_range(0.0..10.0)), num(rng.gen_range(0.0..8.0))];
                let mut solid = Solid::new(
                    "solid",
                    &shape,
                    &place,
                    &num(rng.gen_range(-3.0..3.0)),
                    &[const { Num::Literal(0.5) }; 3],
                );
                // Some have moved and turned since.
                if index % 2 == 0 {
                    let turn = Frame::new(solid.frame.translation + Vector::new(0.3, -0.2), rng.gen_range(-3.0..3.0));
                    solid.follow(turn);
                    assert!(solid.moved);
                }
                if index != 3 {
                    known.extend(parts(&shape).into_iter().map(|part| (solid.frame, part)));
                }
                surroundings.solids.push(solid);
            }
            let at =
                Frame::new(Vector::new(rng.gen_range(0.0..10.0), rng.gen_range(0.0..8.0)), rng.gen_range(-3.0..3.0));
            let lidar = lidar(33, std::f64::consts::TAU);
            // Solid 3 is the agent itself: never seen.
            for (ray, cast) in lidar.rays(3, &at, &surroundings).iter().enumerate() {
                let range = Vector::from_array(cast.from_m).distance(Vector::from_array(cast.to_m));
                let along = at.transform_vector(Vector::new(lidar.x[ray], lidar.y[ray]));
                let nearest = |from: Vector| {
                    let hit = |(frame, part): &(Frame, crate::geometry::Part)| {
                        let (shape, local) = solid_shape(part).unwrap();
                        shape.cast_ray(&(*frame * local), &ParryRay::new(from, along), 15.0, true)
                    };
                    known.iter().filter_map(hit).fold(15.0, f32::min)
                };
                let expected = nearest(at.translation);
                let aside = Vector::new(-along.y, along.x) * 1e-4;
                let grazes = [aside, -aside].map(|aside| nearest(at.translation + aside));
                let certain = grazes.iter().all(|other| (other - expected).abs() < 2e-3);
                if certain {
                    assert!((range - expected).abs() < 1e-4, "round {round} ray {ray}: {range} but parry {expected}");
                    compared += 1;
                    hits += u32::from(expected > 0.0 && expected < 15.0);
                }
            }
        }
        assert!(compared > 12_000 && hits > 5_000, "{compared} rays compared, {hits} of them hit something");
    }

    #[test]
    fn ray_0_looks_along_the_body_and_the_others_follow_anticlockwise() {
        let surroundings = Surroundings {
            size: Vector::new(10.0, 8.0),
            boundary: boundary(&arena(Boundary::Walls)).map(|walls| walls.map(|wall| wall.at(&Frame::IDENTITY))),
            ..Surroundings::default()
        };
        let range = |frame: &Frame, lidar: &Lidar| -> Vec<f32> {
            let mut ranges = vec![lidar.range; lidar.x.len()];
            lidar.cast(0, frame, &surroundings, &mut ranges);
            ranges
        };
        let near = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        let at = Frame::new(Vector::new(2.0, 3.0), 0.0);
        assert!(near(&range(&at, &lidar(4, std::f64::consts::TAU)), &[8.0, 5.0, 2.0, 3.0]));
        let turned = Frame::new(Vector::new(2.0, 3.0), std::f32::consts::FRAC_PI_2);
        assert!(near(&range(&turned, &lidar(4, std::f64::consts::TAU)), &[5.0, 2.0, 3.0, 8.0]));
        assert!(near(&range(&at, &lidar(3, std::f64::consts::PI)), &[3.0, 8.0, 5.0]));
        assert!(near(&range(&at, &lidar(1, 0.5)), &[8.0]));
        // In a corner of the arena, and from inside its wall.
        assert!(near(&range(&Frame::new(Vector::ZERO, 0.0), &lidar(4, std::f64::consts::TAU))[2..], &[0.0, 0.0]));
        assert!(near(&range(&Frame::new(Vector::new(-0.1, 3.0), 0.0), &lidar(2, std::f64::consts::TAU)), &[0.0, 0.0]));
    }

    #[test]
    fn sees_no_farther_than_its_range() {
        let surroundings = Surroundings::default();
        let ray = lidar(5, std::f64::consts::TAU).rays(0, &Frame::IDENTITY, &surroundings)[0];
        assert_eq!(ray, Ray { from_m: [0.0, 0.0], to_m: [15.0, 0.0] });
    }
}
