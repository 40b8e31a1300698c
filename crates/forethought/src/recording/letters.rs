//! Words on pixels. Read first: [`Letters::write`].

use super::{
    canvas::{Canvas, Px},
    palette::Color,
};
use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
pub use forethought_interface::Side;

const REGULAR: &[u8] = include_bytes!("../../../../assets/fonts/OpenSans-Regular.ttf");
const STRONG: &[u8] = include_bytes!("../../../../assets/fonts/OpenSans-Semibold.ttf");

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Most words.
    Regular,
    /// Titles, and what matters most.
    Strong,
}

/// How words look: heaviness, pixels for an em, colour.
pub type Style = (Weight, f32, Color);

/// The letters, ready to be drawn.
pub struct Letters {
    regular: FontRef<'static>,
    strong: FontRef<'static>,
}

impl Letters {
    /// The fonts that come along.
    #[expect(clippy::expect_used, reason = "the fonts are compiled in, and every test that draws reads them")]
    pub fn new() -> Self {
        let font = |bytes| FontRef::try_from_slice(bytes).expect("a font that comes along is damaged");
        Self { regular: font(REGULAR), strong: font(STRONG) }
    }

    /// Words at `at`, which is half as high as their capitals are. Says how wide they are.
    pub fn write(&self, canvas: &mut Canvas, text: &str, at: Px, side: Side, (weight, em, color): Style) -> f32 {
        let font = self.font(weight);
        let (glyphs, width) = self.set(text, (weight, em));
        let left = match side {
            Side::Left => at[0],
            Side::Middle => at[0] - width / 2.0,
            Side::Right => at[0] - width,
        };
        // Capitals are seven tenths of an em high. Whole pixels keep the same word the same wherever it stands.
        let origin = [left.round(), (at[1] + 0.357 * em).round()];
        for mut glyph in glyphs {
            glyph.position = point(glyph.position.x + origin[0], origin[1]);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, share| {
                canvas.pixel(corner.x as i32 + x as i32, corner.y as i32 + y as i32, color, share);
            });
        }
        width
    }

    /// How wide words are, in pixels.
    pub fn width(&self, text: &str, weight: Weight, em: f32) -> f32 {
        self.set(text, (weight, em)).1
    }

    /// As much of the words as fits into so many pixels.
    pub fn fitted(&self, text: &str, weight: Weight, em: f32, room: f32) -> String {
        if self.width(text, weight, em) <= room {
            return text.to_owned();
        }
        let mut ends: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
        while let Some(end) = ends.pop() {
            let cut = format!("{}...", text[..end].trim_end());
            if self.width(&cut, weight, em) <= room {
                return cut;
            }
        }
        String::new()
    }

    fn font(&self, weight: Weight) -> &FontRef<'static> {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Strong => &self.strong,
        }
    }

    /// The glyphs of one line, from 0 on, and where it ends.
    fn set(&self, text: &str, (weight, em): (Weight, f32)) -> (Vec<Glyph>, f32) {
        let font = self.font(weight);
        let em_units = font.units_per_em().unwrap_or(1000.0);
        let scale = PxScale::from(em * font.height_unscaled() / em_units);
        let scaled = font.as_scaled(scale);
        let (mut glyphs, mut x, mut before) = (Vec::new(), 0.0, None);
        for letter in text.chars().filter(|letter| !letter.is_control()) {
            let id = font.glyph_id(letter);
            x += before.map_or(0.0, |before| scaled.kern(before, id));
            glyphs.push(id.with_scale_and_position(scale, point(x, 0.0)));
            x += scaled.h_advance(id);
            before = Some(id);
        }
        (glyphs, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_wide_as_they_say_and_are_cut_where_there_is_no_room() {
        let letters = Letters::new();
        let (short, long) = (letters.width("a", Weight::Regular, 16.0), letters.width("aaaa", Weight::Regular, 16.0));
        assert!((long / short - 4.0).abs() < 0.1 && short > 6.0 && short < 12.0, "{short} {long}");
        assert_eq!(letters.fitted("a word", Weight::Strong, 16.0, 500.0), "a word");
        let cut = letters.fitted("very many words in one line", Weight::Strong, 16.0, 90.0);
        assert!(cut.ends_with("...") && cut.starts_with("very"), "{cut}");
        assert!(letters.width(&cut, Weight::Strong, 16.0) <= 90.0);
        assert_eq!(letters.fitted("word", Weight::Strong, 16.0, 1.0), "");
    }

    #[test]
    fn every_letter_leaves_a_mark() {
        let letters = Letters::new();
        for letter in "AgäßЖλ09·%".chars() {
            let mut canvas = Canvas::new(40, 40).unwrap();
            canvas.clear([255; 3]);
            letters.write(
                &mut canvas,
                &letter.to_string(),
                [20.0, 20.0],
                Side::Middle,
                (Weight::Regular, 20.0, [0; 3]),
            );
            assert!(canvas.colors().any(|color| color[0] < 120), "{letter}");
        }
        let mut canvas = Canvas::new(4, 4).unwrap();
        letters.write(&mut canvas, "far outside\n", [-900.0, 90.0], Side::Right, (Weight::Strong, 20.0, [0; 3]));
    }
}
