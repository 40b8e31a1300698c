//! Raster: a picture of the world from above, drawn on the CPU. Read first: [`RasterSpec`].

use super::Moment;
use crate::geometry::Surface;
use bevy_rapier2d::rapier::math::Vector;
use forethought_interface::{Channel, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channel `raster.rgb` `[height_px, width_px, 3]`: linear colour in `[0, 1]`, the whole arena, first row at the top.
/// From below to above: the white ground, zones, targets (green), food, bodies, agents, the agent itself among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RasterSpec {
    /// The picture's width in pixels.
    pub width_px: u32,
    /// The picture's height in pixels.
    pub height_px: u32,
}

impl Default for RasterSpec {
    fn default() -> Self {
        Self { width_px: 64, height_px: 64 }
    }
}

impl_numbers!(
    struct RasterSpec {}
);

/// The ground is white.
const GROUND: f32 = 1.0;
/// A target's linear colour.
const TARGET: [f32; 3] = [0.03, 0.35, 0.10];

impl RasterSpec {
    pub(super) fn channels(&self) -> Vec<Channel> {
        vec![Channel { name: "raster.rgb".into(), shape: vec![self.height_px as usize, self.width_px as usize, 3] }]
    }

    pub(super) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        let begin = values.len();
        let (width, height) = (self.width_px as usize, self.height_px as usize);
        values.resize(begin + width * height * 3, GROUND);
        let world = moment.surroundings;
        let pixel = world.size / Vector::new(width as f32, height as f32);
        let mut canvas = Canvas { pixels: &mut values[begin..], width, height, pixel };
        for zone in &world.zones {
            zone.surfaces.iter().for_each(|surface| canvas.fill(surface, zone.color));
        }
        for (center, radius) in &world.targets {
            canvas.fill(&Surface::Disc { center: *center, radius: *radius }, TARGET);
        }
        for patch in &world.needs.patches {
            for item in patch.items.iter().filter(|item| item.present) {
                canvas.fill(&Surface::Disc { center: item.place, radius: patch.radius }, patch.color);
            }
        }
        for (index, solid) in world.solids.iter().enumerate() {
            if index == moment.own {
                solid.parts.iter().for_each(|part| canvas.fill(&part.at(&moment.frame), solid.color));
            } else {
                solid.surfaces.iter().for_each(|surface| canvas.fill(surface, solid.color));
            }
        }
    }
}

/// A picture being drawn.
struct Canvas<'a> {
    /// `[height, width, 3]`, first row at the top.
    pixels: &'a mut [f32],
    width: usize,
    height: usize,
    /// A pixel's size in metres.
    pixel: Vector,
}

impl Canvas<'_> {
    /// Blend a surface in. A pixel is covered by as much of it as the surface's edge, a straight line at this scale,
    /// leaves on its inner side.
    fn fill(&mut self, surface: &Surface, color: [f32; 3]) {
        let (middle, reach) = surface.bounds();
        let scale = 1.0 / (self.pixel.x * self.pixel.y).sqrt();
        let columns = span(middle.x - reach, middle.x + reach, self.pixel.x, self.width);
        for row in span(middle.y - reach, middle.y + reach, self.pixel.y, self.height) {
            let y = (row as f32 + 0.5) * self.pixel.y;
            let start = (self.height - 1 - row) * self.width;
            let line = &mut self.pixels[(start + columns.start) * 3..(start + columns.end) * 3];
            for (rgb, column) in line.chunks_exact_mut(3).zip(columns.clone()) {
                let point = Vector::new((column as f32 + 0.5) * self.pixel.x, y);
                let cover = (0.5 - surface.signed_distance(point) * scale).clamp(0.0, 1.0);
                for (channel, wanted) in rgb.iter_mut().zip(color) {
                    *channel = *channel * (1.0 - cover) + wanted * cover;
                }
            }
        }
    }
}

/// The pixels that an interval can touch along one side of the picture, a pixel's margin included.
fn span(from: f32, to: f32, pixel: f32, count: usize) -> std::ops::Range<usize> {
    let begin = ((from / pixel).floor() - 1.0).clamp(0.0, count as f32) as usize;
    let end = ((to / pixel).ceil() + 1.0).clamp(0.0, count as f32) as usize;
    begin..end.max(begin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShapeSpec;
    use crate::surroundings::Solid;
    use bevy_rapier2d::rapier::math::Pose as Frame;
    use forethought_interface::Num;

    const RED: [Num; 3] = [Num::Literal(1.0), Num::Literal(0.0), Num::Literal(0.0)];

    fn solid(shape: &ShapeSpec, x: f64, y: f64, angle: f64) -> Solid {
        Solid::new("solid", shape, &[x, y].map(Num::Literal), &Num::Literal(angle), &RED)
    }

    fn draw(spec: &RasterSpec, surroundings: &crate::surroundings::Surroundings, own: Option<Frame>) -> Vec<f32> {
        let moment = Moment {
            own: if own.is_some() { 0 } else { usize::MAX },
            frame: own.unwrap_or(Frame::IDENTITY),
            velocity: Vector::ZERO,
            angular_velocity: 0.0,
            contacts: &[],
            surroundings,
        };
        let mut values = Vec::new();
        spec.measure(&moment, &mut values);
        assert_eq!(values.len(), spec.channels()[0].len());
        values
    }

    fn world(solids: Vec<Solid>) -> crate::surroundings::Surroundings {
        crate::surroundings::Surroundings { size: Vector::new(8.0, 4.0), solids, ..Default::default() }
    }

    /// The area of what is drawn in red on white: its green is missing.
    fn area(values: &[f32], pixel_m2: f32) -> f32 {
        values.chunks(3).map(|rgb| 1.0 - rgb[1]).sum::<f32>() * pixel_m2
    }

    #[test]
    fn the_first_row_is_at_the_top() {
        let spec = RasterSpec { width_px: 8, height_px: 4 };
        let square = ShapeSpec::Cuboid { size_m: [1.0, 1.0].map(Num::Literal) };
        let values = draw(&spec, &world(vec![solid(&square, 6.5, 3.5, 0.0)]), None);
        for (index, rgb) in values.chunks(3).enumerate() {
            let expected = if index == 6 { [1.0, 0.0, 0.0] } else { [1.0; 3] };
            assert_eq!(rgb, expected, "pixel {index}");
        }
    }

    #[test]
    fn edges_are_as_grey_as_they_are_covered() {
        let spec = RasterSpec { width_px: 128, height_px: 64 };
        let pixel_m2 = 1.0 / 256.0;
        for step in 0..20 {
            let (x, y, angle) = (2.0 + 0.013 * f64::from(step), 2.0 + 0.007 * f64::from(step), 0.3 * f64::from(step));
            let disc = solid(&ShapeSpec::Disc { radius_m: Num::Literal(0.5) }, x, y, angle);
            let drawn = area(&draw(&spec, &world(vec![disc]), None), pixel_m2);
            assert!((drawn - std::f32::consts::FRAC_PI_4).abs() < 0.01, "disc of {drawn} m²");
            let bar = solid(&ShapeSpec::Cuboid { size_m: [2.0, 0.3].map(Num::Literal) }, x, y, angle);
            let drawn = area(&draw(&spec, &world(vec![bar]), None), pixel_m2);
            assert!((drawn - 0.6).abs() < 0.01, "bar of {drawn} m² at {angle}");
            let corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]].map(|corner| corner.map(Num::Literal)).to_vec();
            let triangle = solid(&ShapeSpec::Polygon { vertices_m: corners }, x, y, angle);
            let drawn = area(&draw(&spec, &world(vec![triangle]), None), pixel_m2);
            assert!((drawn - 0.5).abs() < 0.01, "triangle of {drawn} m² at {angle}");
        }
    }

    #[test]
    fn the_agent_is_drawn_where_it_imagines_itself() {
        let spec = RasterSpec { width_px: 8, height_px: 4 };
        let surroundings = world(vec![solid(&ShapeSpec::Disc { radius_m: Num::Literal(0.4) }, 0.5, 0.5, 0.0)]);
        let green = |values: &[f32], row: usize, column: usize| values[(row * 8 + column) * 3 + 1];
        let there = draw(&spec, &surroundings, Some(Frame::new(Vector::new(7.5, 3.5), 0.0)));
        assert!(green(&there, 0, 7) < 0.2 && green(&there, 3, 0) == 1.0);
        let here = draw(&spec, &surroundings, None);
        assert!(green(&here, 3, 0) < 0.2 && green(&here, 0, 7) == 1.0);
    }

    #[test]
    fn bodies_cover_targets_and_targets_cover_zones() {
        let spec = RasterSpec { width_px: 8, height_px: 4 };
        let disc = |radius: f64| ShapeSpec::Disc { radius_m: Num::Literal(radius) };
        let mut surroundings = world(vec![solid(&disc(0.6), 4.0, 2.0, 0.0)]);
        surroundings.targets.push((Vector::new(4.0, 2.0), 1.6));
        surroundings.zones.push(solid(&disc(3.0), 4.0, 2.0, 0.0));
        surroundings.zones[0].color = [0.2, 0.3, 0.9];
        surroundings.solids[0].color = [0.0, 0.0, 0.0];
        let values = draw(&RasterSpec { width_px: 80, height_px: 40 }, &surroundings, None);
        let at = |x: usize| values[(20 * 80 + x) * 3..(20 * 80 + x) * 3 + 3].to_vec();
        assert_eq!(at(40), [0.0, 0.0, 0.0]);
        assert_eq!(at(50), TARGET);
        assert_eq!(at(65), [0.2, 0.3, 0.9]);
        assert_eq!(at(75), [GROUND; 3]);
        assert_eq!(draw(&spec, &surroundings, None).len(), 96);
    }

    #[test]
    fn food_is_drawn_while_it_is_there() {
        let spec = RasterSpec { width_px: 80, height_px: 40 };
        let food = "(name: \"food\", count: 1, radius_m: 0.5, color: (1, 0, 0))";
        let food: crate::FoodSpec = ron::from_str(food).unwrap();
        let mut surroundings = world(Vec::new());
        let patch = crate::food::Patch::new(&food, 0, 5, surroundings.size, &[]);
        surroundings.needs.patches.push(patch);
        let drawn = area(&draw(&spec, &surroundings, None), 0.01);
        // Some of it may be beyond the edge.
        assert!((0.6..0.8).contains(&drawn), "a disc of {drawn} m²");
        surroundings.needs.patches[0].items[0].present = false;
        assert_eq!(area(&draw(&spec, &surroundings, None), 0.01), 0.0);
    }

    #[test]
    fn what_stands_at_or_beyond_the_edge_is_cut_off() {
        let spec = RasterSpec { width_px: 8, height_px: 4 };
        for (x, y) in [(0.0, 0.0), (8.0, 4.0), (-5.0, 2.0), (3.0, 90.0), (-0.2, 4.1)] {
            let disc = solid(&ShapeSpec::Disc { radius_m: Num::Literal(0.5) }, x, y, 0.0);
            draw(&spec, &world(vec![disc]), None);
        }
    }
}
