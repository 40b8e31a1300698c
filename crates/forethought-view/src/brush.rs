//! Triangles with smooth edges, a polygon's by a fringe, a line's by the shader. Read first: [`Brush`].
//!
//! Everything moves, and a picture has a few ten thousand triangles: to draw all of it anew each frame is cheaper than to keep a
//! thing for each thing, and what is drawn later lies on top.

use bevy::{
    color::{LinearRgba, Srgba},
    math::Vec2,
};
use std::f32::consts::TAU;

/// Half the width of the fringe over which an edge fades, in pixels.
const FRINGE: f32 = 0.5;

/// A corner of a triangle: its place, two numbers for the shader, and its colour as the screen mixes it: linear, and multiplied by its
/// strength. `[x, y, u, v, red, green, blue, alpha]`. Of a word, u and v are its place in the letters' texture; of what a brush draws,
/// u is how far it is from the middle of a line, and v the distance where the line has faded, both in pixels.
pub type Vertex = [f32; 8];

/// Triangles.
#[derive(Debug, Default)]
pub struct Drawing {
    /// Their corners, in pixels from the window's middle, y up.
    pub vertices: Vec<Vertex>,
    /// Three corners for each.
    pub indices: Vec<u32>,
}

/// Collects triangles.
#[derive(Debug, Default)]
pub struct Brush {
    drawing: Drawing,
}

impl Brush {
    /// A filled convex polygon, its corners in order.
    pub fn polygon(&mut self, corners: &[Vec2], color: Srgba) {
        if corners.len() < 3 || corners.iter().any(|corner| !corner.is_finite()) {
            return;
        }
        let outward = if area(corners) < 0.0 { -1.0 } else { 1.0 };
        let start = self.next_index();
        let count = corners.len() as u32;
        for (index, &corner) in corners.iter().enumerate() {
            let normal = outward * joint_normal(corners, index, true);
            self.vertex(corner - normal * FRINGE, color, 1.0);
            self.vertex(corner + normal * FRINGE, color, 0.0);
        }
        for index in 1..count - 1 {
            self.drawing.indices.extend([start, start + 2 * index, start + 2 * index + 2]);
        }
        for index in 0..count {
            let next = (index + 1) % count;
            self.quad([2 * index, 2 * index + 1, 2 * next + 1, 2 * next].map(|offset| start + offset));
        }
    }

    /// Four corners in order, each with its own colour, and nothing to soften their edges: it has neighbours.
    pub fn shaded(&mut self, corners: [Vec2; 4], colors: [Srgba; 4]) {
        if corners.iter().any(|corner| !corner.is_finite()) {
            return;
        }
        let start = self.next_index();
        corners.into_iter().zip(colors).for_each(|(corner, color)| self.vertex(corner, color, 1.0));
        self.quad([start, start + 1, start + 2, start + 3]);
    }

    /// A filled disc.
    pub fn disc(&mut self, center: Vec2, radius: f32, color: Srgba) {
        self.polygon(&circle(center, radius), color);
    }

    /// A circle's line.
    pub fn ring(&mut self, center: Vec2, radius: f32, width: f32, color: Srgba) {
        self.outline(&circle(center, radius), width, color);
    }

    /// A closed line.
    pub fn outline(&mut self, corners: &[Vec2], width: f32, color: Srgba) {
        self.strip(corners, width, true, |_| color);
    }

    /// A line through all points.
    pub fn line(&mut self, points: &[Vec2], width: f32, color: Srgba) {
        self.strip(points, width, false, |_| color);
    }

    /// A line that is faint at its first point and `color` at its last.
    pub fn fading_line(&mut self, points: &[Vec2], width: f32, color: Srgba) {
        let last = points.len().saturating_sub(1).max(1) as f32;
        self.strip(points, width, false, |index| Srgba {
            alpha: color.alpha * (0.12 + 0.88 * index as f32 / last),
            ..color
        });
    }

    /// One strip along the whole line, so that a translucent line has no darker joints.
    fn strip(&mut self, points: &[Vec2], width: f32, closed: bool, color: impl Fn(usize) -> Srgba) {
        let mut kept: Vec<(usize, Vec2)> = Vec::with_capacity(points.len());
        for (index, &point) in points.iter().enumerate() {
            // Two points in one place have no direction.
            let apart = kept.last().is_none_or(|(_, last)| last.distance_squared(point) > 0.01);
            if point.is_finite() && apart {
                kept.push((index, point));
            }
        }
        if kept.len() < 2 {
            return;
        }
        let places: Vec<Vec2> = kept.iter().map(|(_, point)| *point).collect();
        let start = self.next_index();
        // A line thinner than a pixel is a fainter one.
        let (strength, outer) = (width.min(1.0), width.max(1.0) / 2.0 + FRINGE);
        for (place, &(index, point)) in kept.iter().enumerate() {
            let normal = joint_normal(&places, place, closed);
            for offset in [-outer, outer] {
                self.corner(point + normal * offset, [offset, outer], color(index), strength);
            }
        }
        let count = kept.len() as u32;
        for index in 0..if closed { count } else { count - 1 } {
            let (this, next) = (start + 2 * index, start + 2 * ((index + 1) % count));
            self.quad([this, this + 1, next + 1, next]);
        }
    }

    /// What was drawn; begin anew.
    pub fn take(&mut self) -> Drawing {
        std::mem::take(&mut self.drawing)
    }

    fn next_index(&self) -> u32 {
        self.drawing.vertices.len() as u32
    }

    /// A corner of what is no line.
    fn vertex(&mut self, position: Vec2, color: Srgba, alpha: f32) {
        self.corner(position, [0.0, 1.0], color, alpha);
    }

    fn corner(&mut self, position: Vec2, [u, v]: [f32; 2], color: Srgba, alpha: f32) {
        let LinearRgba { red, green, blue, alpha: own } = color.into();
        let alpha = own * alpha;
        self.drawing.vertices.push([position.x, position.y, u, v, red * alpha, green * alpha, blue * alpha, alpha]);
    }

    fn quad(&mut self, [a, b, c, d]: [u32; 4]) {
        self.drawing.indices.extend([a, b, c, a, c, d]);
    }
}

/// A circle's corners: as many as make it look round.
fn circle(center: Vec2, radius: f32) -> Vec<Vec2> {
    let count = (radius.abs().sqrt() * 6.0).clamp(8.0, 128.0) as usize;
    let corner = |index| center + radius * Vec2::from_angle(TAU * index as f32 / count as f32);
    (0..count).map(corner).collect()
}

/// Twice the signed area: positive for anticlockwise corners with y up.
fn area(corners: &[Vec2]) -> f32 {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|(corner, next)| corner.perp_dot(*next)).sum()
}

/// Outward from a line that goes on anticlockwise, so long that both neighbouring edges keep their width.
fn joint_normal(points: &[Vec2], index: usize, closed: bool) -> Vec2 {
    let last = points.len() - 1;
    let before = if index > 0 { Some(index - 1) } else { closed.then_some(last) };
    let after = if index < last { Some(index + 1) } else { closed.then_some(0) };
    let side = |from: usize, to: usize| -(points[to] - points[from]).normalize_or_zero().perp();
    let into = before.map(|before| side(before, index));
    let out = after.map(|after| side(index, after));
    match (into, out) {
        (Some(into), Some(out)) => {
            let middle = (into + out).normalize_or(into);
            // A sharp turn would reach far out: cut it off.
            middle / middle.dot(into).max(0.5)
        }
        (Some(normal), None) | (None, Some(normal)) => normal,
        (None, None) => Vec2::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(brush: &Brush) -> (Vec2, Vec2) {
        let points = || brush.drawing.vertices.iter().map(|vertex| Vec2::new(vertex[0], vertex[1]));
        (points().reduce(Vec2::min).unwrap(), points().reduce(Vec2::max).unwrap())
    }

    #[test]
    fn shapes_are_as_large_as_asked() {
        let square = [[-5.0, -5.0], [5.0, -5.0], [5.0, 5.0], [-5.0, 5.0]].map(Vec2::from);
        let clockwise: Vec<Vec2> = square.iter().rev().copied().collect();
        for corners in [&square[..], &clockwise] {
            let mut brush = Brush::default();
            brush.polygon(corners, Srgba::BLACK);
            let (low, high) = extent(&brush);
            assert!((high - Vec2::splat(5.5)).length() < 1e-4 && (low + Vec2::splat(5.5)).length() < 1e-4);
        }
        let mut brush = Brush::default();
        brush.line(&[Vec2::ZERO, Vec2::X * 10.0], 4.0, Srgba::BLACK);
        assert_eq!(extent(&brush), (Vec2::new(0.0, -2.5), Vec2::new(10.0, 2.5)));
    }

    #[test]
    fn indices_stay_inside_and_nothing_odd_is_drawn() {
        let mut brush = Brush::default();
        brush.polygon(&[Vec2::ZERO, Vec2::X], Srgba::BLACK);
        brush.line(&[Vec2::ONE; 5], 2.0, Srgba::BLACK);
        brush.line(&[], 2.0, Srgba::BLACK);
        brush.disc(Vec2::NAN, 3.0, Srgba::BLACK);
        assert!(brush.drawing.indices.is_empty());
        brush.fading_line(&[Vec2::ZERO, Vec2::NAN, Vec2::X, Vec2::X, Vec2::Y], 3.0, Srgba::BLACK);
        brush.ring(Vec2::ZERO, 10.0, 1.0, Srgba::BLACK);
        brush.disc(Vec2::ZERO, 0.0, Srgba::BLACK);
        let count = brush.drawing.vertices.len() as u32;
        assert!(brush.drawing.indices.iter().all(|index| *index < count));
        assert!(brush.drawing.vertices.iter().flatten().all(|value| value.is_finite()));
    }

    #[test]
    fn a_fading_line_begins_faint() {
        let mut brush = Brush::default();
        brush.fading_line(&[Vec2::ZERO, Vec2::X, Vec2::X * 2.0], 3.0, Srgba::BLACK);
        assert!(brush.drawing.vertices[1][7] < 0.2 && (brush.drawing.vertices[5][7] - 1.0).abs() < 1e-6);
    }
}
