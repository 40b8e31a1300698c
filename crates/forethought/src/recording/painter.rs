//! Small pictures of the world from above, without words and thoughts: what a camera would show. Read first: [`Painter`].

use super::{canvas::Canvas, layout::Layout, palette, world};
use crate::error::Error;
use forethought_interface::Scene;
use forethought_world::StepRecord;

/// Draws the world again and again on one canvas of a given size, the arena in its middle.
pub struct Painter {
    scene: Scene,
    layout: Layout,
    canvas: Canvas,
}

impl Painter {
    /// For pictures of this width and height in pixels.
    ///
    /// # Errors
    /// Where there is no memory for one.
    pub fn new(scene: Scene, size: [u16; 2]) -> Result<Self, Error> {
        let canvas = Canvas::new(size[0], size[1])
            .ok_or_else(|| Error::Worker(format!("there is no memory for a picture of {size:?} pixels")))?;
        let layout = Layout::within(&scene, size);
        Ok(Self { scene, layout, canvas })
    }

    /// Draw the world as it is now.
    pub fn draw(&mut self, record: &StepRecord) {
        let Self { scene, layout, canvas } = self;
        canvas.clear(palette::SURROUND);
        world::ground(canvas, scene, record, layout);
        world::bodies(canvas, scene, record, layout);
        world::agents(canvas, scene, record, layout);
    }

    /// The red, green and blue of each pixel, row by row from the top.
    pub fn pixels(&self) -> impl Iterator<Item = [u8; 3]> {
        self.canvas.colors()
    }
}
