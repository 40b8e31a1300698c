//! The world alone as pixels in memory, without words and thoughts: for learners that see, and for notebooks. Read first:
//! [`Portrait::draw`].

use super::{canvas::Canvas, layout::Layout, palette, world};
use crate::{error::Error, picture, scenario::Episode, setup::Setup};
use forethought_interface::Scene;
use forethought_world::StepRecord;
use std::ops::RangeInclusive;

/// What there is to see of an episode, and what it is drawn on.
pub struct Portrait {
    scene: Scene,
    layout: Layout,
    canvas: Canvas,
}

impl Portrait {
    /// How wide portraits may be, in pixels.
    pub const WIDTHS_PX: RangeInclusive<u16> = 16..=1920;

    /// Of this episode, so many pixels wide, kept to [`Portrait::WIDTHS_PX`], and as high as its arena asks for.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn new(setup: &Setup, drawn: &Episode, width_px: u16) -> Result<Self, Error> {
        let scene = picture::scene(setup, drawn, 0);
        let layout = Layout::wordless(&scene, width_px.clamp(*Self::WIDTHS_PX.start(), *Self::WIDTHS_PX.end()));
        let [width, height] = layout.size;
        let too_large = || Error::Worker(format!("there is no memory for a picture of {width} x {height} pixels"));
        let canvas = Canvas::new(width, height).ok_or_else(too_large)?;
        Ok(Self { scene, layout, canvas })
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size_px(&self) -> [u16; 2] {
        self.layout.size
    }

    /// Draw the world as it is after this control step of the episode: `pixels` `[height, width, 3]` in sRGB, the first row at the
    /// top. What does not fit is left out.
    pub fn draw(&mut self, record: &StepRecord, pixels: &mut [u8]) {
        let Self { scene, layout, canvas } = self;
        canvas.clear(palette::SURROUND);
        world::ground(canvas, scene, record, layout);
        world::bodies(canvas, scene, record, layout);
        world::agents(canvas, scene, record, layout);
        for (pixel, color) in pixels.chunks_exact_mut(3).zip(canvas.colors()) {
            pixel.copy_from_slice(&color);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        environment::{Environment, Split},
        setup::SetupOptions,
    };
    use forethought_mind::actor::planners::PlannerName;
    use std::{path::Path, sync::Arc};

    #[test]
    fn what_moves_is_seen_to_move_and_the_goal_is_there() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let options = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
        let setup = Arc::new(Setup::load(file, &options).unwrap());
        let mut environment = Environment::new(setup.clone(), false).unwrap();
        environment.begin(1, Split::Train, 0).unwrap();
        let mut portrait = Portrait::new(&setup, environment.drawn().unwrap(), 64).unwrap();
        let [width, height] = portrait.size_px().map(usize::from);
        assert_eq!([width, height], [64, 64], "a square arena");
        let mut look = |environment: &Environment| {
            let mut pixels = vec![0; width * height * 3];
            portrait.draw(environment.record(), &mut pixels);
            pixels
        };
        let before = look(&environment);
        let greens = before.chunks(3).filter(|pixel| pixel[1] > pixel[0].saturating_add(60)).count();
        assert!(greens > 4, "{greens} pixels of the goal");
        for _ in 0..8 {
            environment.step(&[1.0, 1.0]).unwrap();
        }
        assert_ne!(look(&environment), before);
        environment.begin(1, Split::Train, 0).unwrap();
        assert_eq!(look(&environment), before);
    }
}
