//! Draws a picture of plain shapes among words. Read first: [`Easel::paint`].

use crate::style::strong;
use bevy_egui::egui::{
    Align2, Color32, ColorImage, Context, FontId, Painter, Pos2, Rect, Shape, Stroke, TextureHandle, TextureOptions,
    Vec2, pos2,
};
use forethought_interface::{Drawing, Mark, Px, Rgb, Side};

/// Holds what the graphics card holds of a picture: its pictures of pixels.
#[derive(Default)]
pub struct Easel {
    textures: Vec<TextureHandle>,
}

impl Easel {
    /// Take this picture from now on.
    pub fn take(&mut self, ctx: &Context, drawing: &Drawing) {
        let mut count = 0;
        for mark in &drawing.marks {
            let Mark::Pixels { columns, rgba, smooth, .. } = mark else { continue };
            let Some(image) = image(*columns, rgba) else { continue };
            let options = if *smooth { TextureOptions::LINEAR } else { TextureOptions::NEAREST };
            match self.textures.get_mut(count) {
                Some(texture) => texture.set(image, options),
                None => self.textures.push(ctx.load_texture("chart", image, options)),
            }
            count += 1;
        }
        self.textures.truncate(count);
    }

    /// Draw the picture that was taken, its upper left corner here.
    pub fn paint(&self, painter: &Painter, corner: Pos2, drawing: &Drawing) {
        let at = |[x, y]: Px| corner + Vec2::new(x, y);
        let rect = |place: Px, size: Px| Rect::from_min_size(at(place), size.into());
        let mut textures = self.textures.iter();
        for mark in &drawing.marks {
            match mark {
                Mark::Rect { corner, size, color } => {
                    painter.rect_filled(rect(*corner, *size), 0.0, ink(*color));
                }
                Mark::Polygon { corners, color } => {
                    let corners = corners.iter().copied().map(at).collect();
                    painter.add(Shape::convex_polygon(corners, ink(*color), Stroke::NONE));
                }
                Mark::Discs { centers, radius, color, alpha } => {
                    let color = ink(*color).gamma_multiply(*alpha);
                    painter.extend(centers.iter().map(|center| Shape::circle_filled(at(*center), *radius, color)));
                }
                Mark::Lines { lines, width, color, dashed } => {
                    let stroke = Stroke::new(*width, ink(*color));
                    for line in lines {
                        let places: Vec<Pos2> = line.iter().copied().map(at).collect();
                        if *dashed {
                            painter.extend(Shape::dashed_line(&places, stroke, 5.0, 4.0));
                        } else {
                            painter.line(places, stroke);
                        }
                    }
                }
                Mark::Words { text, at: place, side, em, strong: heavy, color } => {
                    let align = match side {
                        Side::Left => Align2::LEFT_CENTER,
                        Side::Middle => Align2::CENTER_CENTER,
                        Side::Right => Align2::RIGHT_CENTER,
                    };
                    let font = if *heavy { strong(*em) } else { FontId::proportional(*em) };
                    painter.text(at(*place), align, text, font, ink(*color));
                }
                Mark::Pixels { corner, size, columns, rgba, .. } => {
                    if image_size(*columns, rgba).is_none() {
                        continue;
                    }
                    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
                    if let Some(texture) = textures.next() {
                        painter.image(texture.id(), rect(*corner, *size), whole, Color32::WHITE);
                    }
                }
            }
        }
    }
}

fn ink([red, green, blue]: Rgb) -> Color32 {
    Color32::from_rgb(red, green, blue)
}

fn image(columns: usize, rgba: &[u8]) -> Option<ColorImage> {
    Some(ColorImage::from_rgba_unmultiplied(image_size(columns, rgba)?, rgba))
}

/// Columns and rows, of what is whole rows.
fn image_size(columns: usize, rgba: &[u8]) -> Option<[usize; 2]> {
    let rows = rgba.len().checked_div(4 * columns)?;
    (rows > 0 && rgba.len() == 4 * columns * rows).then_some([columns, rows])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_rows_are_a_picture() {
        for (columns, bytes, size) in [(2, 16, Some([2, 2])), (2, 12, None), (0, 16, None), (3, 0, None)] {
            assert_eq!(image_size(columns, &vec![0; bytes]), size, "{columns} {bytes}");
        }
    }
}
