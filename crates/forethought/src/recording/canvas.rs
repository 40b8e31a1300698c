//! Shapes on pixels, drawn on the CPU. Read first: [`Canvas`].

use super::palette::Color;
use std::f32::consts::TAU;
use tiny_skia::{
    FillRule, FilterQuality, LineCap, LineJoin, Paint, Path, PathBuilder, Pattern, Pixmap, PixmapRef,
    PremultipliedColorU8, Rect, SpreadMode, Stroke, StrokeDash, Transform,
};

pub use forethought_interface::Px;

/// A picture without holes: every pixel is opaque.
pub struct Canvas {
    pixels: Pixmap,
}

impl Canvas {
    /// A canvas of this size; none of a size that cannot be.
    pub fn new(width: u16, height: u16) -> Option<Self> {
        Some(Self { pixels: Pixmap::new(width.into(), height.into())? })
    }

    /// Its width and height in pixels.
    pub fn size(&self) -> [u16; 2] {
        [self.pixels.width() as u16, self.pixels.height() as u16]
    }

    /// Every pixel's colour, row by row from the top.
    pub fn colors(&self) -> impl Iterator<Item = Color> {
        self.pixels.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
    }

    /// Begin anew.
    pub fn clear(&mut self, color: Color) {
        let [red, green, blue] = color;
        self.pixels.fill(tiny_skia::Color::from_rgba8(red, green, blue, 255));
    }

    /// A filled polygon, its corners in order.
    pub fn polygon(&mut self, corners: &[Px], color: Color, alpha: f32) {
        self.fill(path(corners, true), color, alpha);
    }

    /// A filled disc.
    pub fn disc(&mut self, center: Px, radius: f32, color: Color, alpha: f32) {
        self.fill(circle(center, radius), color, alpha);
    }

    /// A circle's line.
    pub fn ring(&mut self, center: Px, radius: f32, width: f32, color: Color, alpha: f32) {
        self.stroke(circle(center, radius), width, color, alpha);
    }

    /// A closed line.
    pub fn outline(&mut self, corners: &[Px], width: f32, color: Color, alpha: f32) {
        self.stroke(path(corners, true), width, color, alpha);
    }

    /// A line through all points.
    pub fn line(&mut self, points: &[Px], width: f32, color: Color, alpha: f32) {
        self.stroke(path(points, false), width, color, alpha);
    }

    /// A line with gaps.
    pub fn dashes(&mut self, points: &[Px], width: f32, color: Color) {
        let Some(path) = path(points, false) else { return };
        let stroke = Stroke { width, dash: StrokeDash::new(vec![5.0, 4.0], 0.0), ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(color, 1.0), &stroke, Transform::identity(), None);
    }

    /// Red, green, blue and alpha of pixels, so many in a row, drawn as large as this; what is not opaque is left out.
    pub fn pixels(&mut self, [left, top]: Px, [width, height]: Px, columns: usize, rgba: &[u8], smooth: bool) {
        let rows = (rgba.len() / 4).checked_div(columns).unwrap_or(0);
        let opaque: Vec<u8> = rgba
            .chunks_exact(4)
            .flat_map(|pixel| if pixel[3] == 255 { [pixel[0], pixel[1], pixel[2], 255] } else { [0; 4] })
            .collect();
        let Some(pixels) = PixmapRef::from_bytes(&opaque, columns as u32, rows as u32) else { return };
        let scale = [width / columns as f32, height / rows as f32];
        let place = Transform::from_row(scale[0], 0.0, 0.0, scale[1], left, top);
        let quality = if smooth { FilterQuality::Bilinear } else { FilterQuality::Nearest };
        let shader = Pattern::new(pixels, SpreadMode::Pad, quality, 1.0, place);
        let Some(rect) = Rect::from_xywh(left, top, width, height) else { return };
        let paint = Paint { shader, anti_alias: false, ..Paint::default() };
        self.pixels.fill_rect(rect, &paint, Transform::identity(), None);
    }

    /// A filled rectangle with round corners.
    pub fn pill(&mut self, [left, top]: Px, [width, height]: Px, radius: f32, color: Color) {
        let radius = radius.min(width / 2.0).min(height / 2.0);
        let centers = [
            [left + width - radius, top + height - radius],
            [left + radius, top + height - radius],
            [left + radius, top + radius],
            [left + width - radius, top + radius],
        ];
        let corners: Vec<Px> = centers
            .iter()
            .zip(0_u8..)
            .flat_map(|([x, y], quarter)| {
                (0_u8..=6).map(move |step| {
                    let angle = TAU / 4.0 * (f32::from(quarter) + f32::from(step) / 6.0);
                    [x + radius * angle.cos(), y + radius * angle.sin()]
                })
            })
            .collect();
        self.polygon(&corners, color, 1.0);
    }

    /// A filled rectangle whose edges are at whole pixels.
    pub fn rect(&mut self, [left, top]: Px, [width, height]: Px, color: Color) {
        let rect = Rect::from_xywh(left.round(), top.round(), width.round(), height.round());
        if let Some(rect) = rect {
            self.pixels.fill_rect(rect, &paint(color, 1.0), Transform::identity(), None);
        }
    }

    /// One pixel, as much of it as `share` says.
    pub fn pixel(&mut self, x: i32, y: i32, color: Color, share: f32) {
        let [width, height] = self.size().map(i32::from);
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let pixel = &mut self.pixels.pixels_mut()[(y * width + x) as usize];
        let [red, green, blue] =
            super::palette::mix([pixel.red(), pixel.green(), pixel.blue()], color, share.clamp(0.0, 1.0));
        if let Some(mixed) = PremultipliedColorU8::from_rgba(red, green, blue, 255) {
            *pixel = mixed;
        }
    }

    fn fill(&mut self, path: Option<Path>, color: Color, alpha: f32) {
        let Some(path) = path else { return };
        self.pixels.fill_path(&path, &paint(color, alpha), FillRule::Winding, Transform::identity(), None);
    }

    fn stroke(&mut self, path: Option<Path>, width: f32, color: Color, alpha: f32) {
        let Some(path) = path else { return };
        let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(color, alpha), &stroke, Transform::identity(), None);
    }
}

fn paint(color: Color, alpha: f32) -> Paint<'static> {
    let mut paint = Paint::default();
    let [red, green, blue] = color;
    paint.set_color_rgba8(red, green, blue, (alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint
}

fn circle([x, y]: Px, radius: f32) -> Option<Path> {
    if [x, y, radius].iter().all(|number| number.is_finite()) { PathBuilder::from_circle(x, y, radius) } else { None }
}

/// What is no number is left out.
fn path(points: &[Px], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for [x, y] in points.iter().filter(|[x, y]| x.is_finite() && y.is_finite()) {
        if builder.is_empty() {
            builder.move_to(*x, *y);
        } else {
            builder.line_to(*x, *y);
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Color = [255; 3];
    const BLACK: Color = [0; 3];

    fn drawn(draw: impl FnOnce(&mut Canvas)) -> Vec<Color> {
        let mut canvas = Canvas::new(20, 10).unwrap();
        canvas.clear(WHITE);
        draw(&mut canvas);
        assert!(canvas.pixels.pixels().iter().all(|pixel| pixel.alpha() == 255), "there is a hole");
        canvas.colors().collect()
    }

    #[test]
    fn shapes_are_where_they_should_be() {
        let colors = drawn(|canvas| canvas.polygon(&[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]], BLACK, 1.0));
        assert!(colors.chunks(20).all(|row| row[..10] == [BLACK; 10] && row[10..] == [WHITE; 10]));
        let colors = drawn(|canvas| canvas.disc([5.0, 5.0], 3.0, BLACK, 0.5));
        assert_eq!(colors[0], WHITE);
        assert!(colors[5 * 20 + 5].iter().all(|channel| (126..=129).contains(channel)));
        let colors = drawn(|canvas| canvas.pill([0.0, 0.0], [20.0, 10.0], 4.0, BLACK));
        assert!(colors[0] != BLACK && colors[5 * 20 + 10] == BLACK && colors[20 * 10 - 1] != BLACK);
        let colors = drawn(|canvas| canvas.line(&[[0.0, 5.0], [20.0, 5.0]], 2.0, BLACK, 1.0));
        assert!(colors[4 * 20 + 10] == BLACK && colors[5 * 20 + 10] == BLACK && colors[7 * 20 + 10] == WHITE);
    }

    #[test]
    fn what_is_no_number_or_outside_is_not_drawn() {
        let colors = drawn(|canvas| {
            canvas.disc([f32::NAN, 5.0], 3.0, BLACK, 1.0);
            canvas.disc([5.0, 5.0], -1.0, BLACK, 1.0);
            canvas.line(&[[f32::INFINITY, 0.0]], 3.0, BLACK, 1.0);
            canvas.polygon(&[], BLACK, 1.0);
            canvas.rect([0.0, 0.0], [f32::NAN, 4.0], BLACK);
            canvas.pixel(-1, 3, BLACK, 1.0);
            canvas.pixel(3, 10, BLACK, 1.0);
            canvas.outline(&[[-1e9, -1e9], [-2e9, -1e9], [-1e9, -3e9]], 3.0, BLACK, 1.0);
        });
        assert!(colors.iter().all(|color| *color == WHITE));
    }
}
