//! A world without words and margins, as small as may be. Read first: [`draw`].

use super::{canvas::Canvas, layout::Layout, palette, world};
use forethought_interface::Scene;
use forethought_world::StepRecord;

/// Draw the world over the whole canvas, as wide as it is.
pub fn draw(canvas: &mut Canvas, scene: &Scene, record: &StepRecord) {
    let layout = Layout::new(scene, canvas.size()[0], 0);
    canvas.clear(palette::FLOOR);
    world::ground(canvas, scene, record, &layout);
    world::bodies(canvas, scene, record, &layout);
    world::agents(canvas, scene, record, &layout);
}
