//! Grey pictures in rows. Read first: [`Sheet`].

use super::{
    colors,
    words::{Pen, TICK, words},
};
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
    /// Below each picture, line by line.
    captions: Vec<Vec<String>>,
    width: f32,
}

impl<'a> Sheet<'a> {
    /// Pictures of so many pixels in a row, so many in a row, for so much room.
    pub fn of(
        images: &'a [Vec<f32>],
        (pixels, across): (usize, usize),
        captions: &[String],
        pen: &Pen,
        width: f32,
    ) -> Self {
        let across = across.clamp(1, images.len().max(1));
        let captions =
            captions.iter().map(|caption| pen.wrapped(caption, TICK, tile(width, across) + GAP, 2)).collect();
        Self { images, pixels: pixels.max(1), across, captions, width }
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
        self.captions.iter().map(Vec::len).max().unwrap_or(0) as f32 * TICK.line()
    }

    fn tile(&self) -> f32 {
        tile(self.width, self.across)
    }

    /// How high all rows are.
    pub fn body(&self) -> f32 {
        self.rows() as f32 * (self.tile() * self.ratio() + self.caption() + GAP)
    }

    /// From this corner on, no higher than this.
    pub fn draw(&self, [left, top]: Px, height: f32, marks: &mut Vec<Mark>) {
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
            // Whatever is white in it, it has an edge.
            let edge = [[x, y], [x + size[0], y], [x + size[0], y + size[1]], [x, y + size[1]], [x, y]];
            marks.push(Mark::Lines { lines: vec![edge.into()], width: 0.8, color: colors::FRAME, dashed: false });
            for (line, words_of_it) in self.captions.get(index).into_iter().flatten().enumerate() {
                let at = [x + width / 2.0, y + size[1] + (line as f32 + 0.5) * TICK.line()];
                marks.push(words(words_of_it, at, Side::Middle, TICK));
            }
        }
    }
}

/// How wide a picture is where so many stand in a row.
fn tile(width: f32, across: usize) -> f32 {
    ((width + GAP) / across as f32 - GAP).min(WIDEST)
}
