//! Raster: a picture of the world from above, drawn on the CPU. Read first: [`RasterSpec`].

use super::Moment;
use crate::geometry::Surface;
use bevy_rapier2d::rapier::math::Vector;
use forethought_interface::{Channel, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channel `raster.rgb` `[height_px, width_px, 3]`: linear colour in `[0, 1]`, the whole arena, first row at the top.
/// From below to above: the white ground, zones, targets (green), bodies, agents, the agent itself among them.
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

/// The ground's linear colour.
const GROUND: [f32; 3] = [1.0, 1.0, 1.0];
/// A target's linear colour.
const TARGET: [f32; 3] = [0.03, 0.35, 0.10];

impl RasterSpec {
    pub(super) fn channels(&self) -> Vec<Channel> {
        vec![Channel { name: "raster.rgb".into(), shape: vec![self.height_px as usize, self.width_px as usize, 3] }]
    }

    pub(super) fn measure(&self, moment: &Moment, values: &mut Vec<f32>) {
        let begin = values.len();
        let (width, height) = (self.width_px as usize, self.height_px as usize);
        values.extend(std::iter::repeat_n(GROUND, width * height).flatten());
        let world = moment.surroundings;
        let pixel = world.size / Vector::new(width as f32, height as f32);
        let mut canvas = Canvas { pixels: &mut values[begin..], width, height, pixel };
        for zone in &world.zones {
            zone.surfaces.iter().for_each(|surface| canvas.fill(surface, zone.color));
        }
        for (center, radius) in &world.targets {
            canvas.fill(&Surface::Disc { center: *center, radius: *radius }, TARGET);
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
                    *channel += (wanted - *channel) * cover;
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
