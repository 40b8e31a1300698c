//! What the pictures share: the colours of words and lines, the font, and how words are put down. Read first: [`label`].

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::io;

pub(crate) const TEXT: RGBColor = RGBColor(30, 30, 30);
pub(crate) const FAINT: RGBColor = RGBColor(95, 95, 95);
pub(crate) const GRID: RGBColor = RGBColor(222, 222, 222);
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";

pub(crate) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// Words beside a place, in the middle of their height.
pub(crate) fn label(canvas: &Canvas, text: &str, at: (i32, i32), size: i32, color: RGBColor, side: HPos) -> Drawn {
    let style = (FONT, size).into_text_style(canvas).color(&color).pos(Pos::new(side, VPos::Center));
    canvas.draw(&Text::new(text.to_owned(), at, style))
}
