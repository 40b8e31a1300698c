//! What there is to be sensed: every solid where it is now, targets and zones. Read first: [`Surroundings`].

use crate::geometry::{Part, Surface, parts, vector};
use crate::needs::Needs;
use crate::{ArenaSpec, BodyKind, Boundary, ShapeSpec, WorldSpec};
use bevy::prelude::Resource;
use bevy_rapier2d::rapier::math::{Pose as Frame, Vector};
use forethought_interface::{Num, Pose};

/// Everything that senses can meet. The physics moves the solids; nothing else does.
#[derive(Resource, Default)]
pub(crate) struct Surroundings {
    /// Width and height of the arena in metres.
    pub size: Vector,
    /// The arena's walls, where it has some.
    pub boundary: Option<[Surface; 4]>,
    /// The bodies and after them the agents, in scenario order.
    pub solids: Vec<Solid>,
    /// Where the agents begin among the solids.
    pub first_agent: usize,
    /// The targets, in scenario order: place and radius.
    pub targets: Vec<(Vector, f32)>,
    /// The zones, in scenario order.
    pub zones: Vec<Solid>,
    /// Vitals, food, what zones do, day and night.
    pub needs: Needs,
}

/// A thing with a shape and a place.
pub(crate) struct Solid {
    pub name: String,
    /// Linear colour in `[0, 1]`.
    pub color: [f32; 3],
    pub parts: Vec<Part>,
    pub frame: Frame,
    /// The frame in the interface's words: kept, because most solids rarely move.
    pub pose: Pose,
    /// The parts where they are now.
    pub surfaces: Vec<Surface>,
    /// Whether it is a static body, which never moves.
    pub fixed: bool,
    /// Whether the latest control step moved it.
    pub moved: bool,
}

impl Surroundings {
    /// What a resolved and checked specification describes, at the start of an episode with this seed.
    pub(crate) fn new(spec: &WorldSpec, seed: u64) -> Self {
        let bodies = spec.bodies.iter().map(|body| Solid {
            fixed: body.kind == BodyKind::Static,
            ..Solid::new(&body.name, &body.shape, &body.position_m, &body.angle_rad, &body.color)
        });
        let agents = spec
            .agents
            .iter()
            .map(|agent| Solid::new(&agent.name, &agent.shape, &agent.position_m, &agent.angle_rad, &agent.color));
        let zones = spec
            .zones
            .iter()
            .map(|zone| Solid::new(&zone.name, &zone.shape, &zone.position_m, &zone.angle_rad, &zone.color));
        let (size, solids) = (vector(&spec.arena.size_m), bodies.chain(agents).collect::<Vec<_>>());
        Self {
            needs: Needs::new(spec, seed, size, &solids),
            size,
            boundary: boundary(&spec.arena).map(|walls| walls.map(|wall| wall.at(&Frame::IDENTITY))),
            solids,
            first_agent: spec.bodies.len(),
            targets: spec.targets.iter().map(|t| (vector(&t.position_m), t.radius_m.value_f32())).collect(),
            zones: zones.collect(),
        }
    }

    /// Whether something besides solid `own` moved in the latest control step.
    pub(crate) fn others_moved(&self, own: usize) -> bool {
        self.solids.iter().enumerate().any(|(index, solid)| solid.moved && index != own)
    }
}

impl Solid {
    pub(crate) fn new(name: &str, shape: &ShapeSpec, position: &[Num; 2], angle: &Num, color: &[Num; 3]) -> Self {
        let (frame, parts) = (Frame::new(vector(position), angle.value_f32()), parts(shape));
        Self {
            name: name.to_owned(),
            color: std::array::from_fn(|channel| linear(color[channel].value_f32())),
            surfaces: parts.iter().map(|part| part.at(&frame)).collect(),
            parts,
            frame,
            pose: pose(&frame),
            fixed: false,
            moved: false,
        }
    }

    /// Follow the physics.
    pub(crate) fn follow(&mut self, frame: Frame) {
        self.moved = frame != self.frame;
        if self.moved {
            self.pose.position_m = frame.translation.to_array();
            // Most bodies slide without turning, and the angle costs an arc tangent.
            if frame.rotation != self.frame.rotation {
                self.pose.angle_rad = frame.rotation.angle();
            }
            self.frame = frame;
            for (part, surface) in self.parts.iter().zip(&mut self.surfaces) {
                part.place(&frame, surface);
            }
        }
    }

    /// The point of the outline that is nearest to this one; the place itself for what has no parts.
    pub(crate) fn nearest(&self, point: Vector) -> Vector {
        let local = self.frame.inverse_transform_point(point);
        let nearest = self.parts.iter().map(|part| part.nearest(local));
        let nearest = nearest.min_by(|a, b| a.distance_squared(local).total_cmp(&b.distance_squared(local)));
        self.frame.transform_point(nearest.unwrap_or_default())
    }

    /// The radius of the smallest disc around its place that holds its parts' bounds.
    pub(crate) fn reach(&self) -> f32 {
        let bounds = self.surfaces.iter().map(Surface::bounds);
        bounds.map(|(center, radius)| center.distance(self.frame.translation) + radius).fold(0.0, f32::max)
    }

    /// Whether the point is inside.
    pub(crate) fn contains(&self, point: Vector) -> bool {
        self.surfaces.iter().any(|surface| surface.signed_distance(point) <= 0.0)
    }
}

/// A frame in the interface's words.
fn pose(frame: &Frame) -> Pose {
    Pose { position_m: frame.translation.to_array(), angle_rad: frame.rotation.angle() }
}

/// The arena's walls: four cuboids just outside the rectangle, a quarter of its longer side thick, closed at the
/// corners. Left, right, below, above.
pub(crate) fn boundary(arena: &ArenaSpec) -> Option<[Part; 4]> {
    if arena.boundary == Boundary::Open {
        return None;
    }
    let size = vector(&arena.size_m);
    let thick = size.max_element() * 0.25;
    let wall = |x: f32, y: f32, half_x: f32, half_y: f32| Part::Cuboid {
        frame: Frame::new(Vector::new(x, y), 0.0),
        half: Vector::new(half_x, half_y),
    };
    let (half_x, half_y, t) = (size.x / 2.0, size.y / 2.0, thick / 2.0);
    Some([
        wall(-t, half_y, t, half_y + thick),
        wall(size.x + t, half_y, t, half_y + thick),
        wall(half_x, -t, half_x + thick, t),
        wall(half_x, size.y + t, half_x + thick, t),
    ])
}

/// An sRGB channel as linear light (IEC 61966-2-1).
pub(crate) fn linear(channel: f32) -> f32 {
    if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
}
