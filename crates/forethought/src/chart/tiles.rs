//! Grey pictures in rows. Read first: [`Sheet`].

use super::words::{Pen, TICK, words};
use forethought_interface::{Mark, Px, Side};

/// Between pictures.
const GAP: f32 = 4.0;
/// No picture is wider.
const WIDEST: f32 = 110.0;

/// Grey pictures, ready to be drawn.
pub struct Sheet<'a> {
    images: &'a [Vec<f32>],
    pixels: usize,
    across: usize,
    captions: &'a [String],
    width: f32,
}

impl<'a> Sheet<'a> {
    /// Pictures of so many pixels in a row, so many in a row, for so much room.
    pub fn of(images: &'a [Vec<f32>], pixels: usize, across: usize, captions: &'a [String], width: f32) -> Self {
        Self { images, pixels: pixels.max(1), across: across.clamp(1, images.len().max(1)), captions, width }
    }

    fn rows(&self) -> usize {
        self.images.len().div_ceil(self.across)
    }

    /// How high a picture is for its width.
    fn ratio(&self) -> f32 {
        let longest = self.images.iter().map(Vec::len).max().unwrap_or(0);
        (longest.div_ceil(self.pixels) as f32 / self.pixels as f32).max(0.05)
    }

    fn caption(&self) -> f32 {
        if self.captions.iter().all(String::is_empty) { 0.0 } else { TICK.line() }
    }

    fn tile(&self) -> f32 {
        ((self.width + GAP) / self.across as f32 - GAP).min(WIDEST)
    }

    /// How high all rows are.
    pub fn body(&self) -> f32 {
        self.rows() as f32 * (self.tile() * self.ratio() + self.caption() + GAP)
    }

    /// From this corner on, no higher than this.
    pub fn draw(&self, [left, top]: Px, height: f32, pen: &Pen, marks: &mut Vec<Mark>) {
        let highest = height / self.rows().max(1) as f32 - self.caption() - GAP;
        let width = self.tile().min(highest / self.ratio()).max(1.0);
        let size = [width, width * self.ratio()];
        for (index, image) in self.images.iter().enumerate() {
            let [column, row] = [index % self.across, index / self.across].map(|count| count as f32);
            let x = left + column * (width + GAP);
            let y = top + row * (size[1] + self.caption() + GAP);
            let grey = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
            let rgba: Vec<u8> =
                image.iter().map(|value| grey(*value)).flat_map(|grey| [grey, grey, grey, 255]).collect();
            marks.push(Mark::Pixels { corner: [x, y], size, columns: self.pixels, rgba, smooth: false });
            let caption = self.captions.get(index).map_or("", String::as_str);
            for line in pen.wrapped(caption, TICK, width + GAP, 1) {
                let at = [x + width / 2.0, y + size[1] + self.caption() / 2.0];
                marks.push(words(line, at, Side::Middle, TICK));
            }
        }
    }
}
