//! A drawing as PNG. Read first: [`png`].

use crate::recording::{
    canvas::Canvas,
    letters::{Letters, Weight},
};
use forethought_interface::{Drawing, Mark};
use std::io;

/// The drawing as the bytes of a PNG file.
///
/// # Errors
/// Where there is no memory for a picture of that size.
pub fn png(drawing: &Drawing) -> io::Result<Vec<u8>> {
    let [width, height] = drawing.size.map(|side| side.round() as u16);
    let too_large = || io::Error::other(format!("a picture of {width} x {height} pixels cannot be"));
    let mut canvas = Canvas::new(width, height).ok_or_else(too_large)?;
    canvas.clear(super::colors::PAPER);
    let letters = Letters::new();
    drawing.marks.iter().for_each(|mark| paint(&mut canvas, &letters, mark));
    let bytes: Vec<u8> = canvas.colors().flatten().collect();
    encode(width.into(), height.into(), png::ColorType::Rgb, &bytes)
}

fn paint(canvas: &mut Canvas, letters: &Letters, mark: &Mark) {
    match mark {
        Mark::Rect { corner: [x, y], size: [width, height], color } => {
            canvas.polygon(&[[*x, *y], [x + width, *y], [x + width, y + height], [*x, y + height]], *color, 1.0);
        }
        Mark::Polygon { corners, color } => canvas.polygon(corners, *color, 1.0),
        Mark::Discs { centers, radius, color, alpha } => {
            centers.iter().for_each(|center| canvas.disc(*center, *radius, *color, *alpha));
        }
        Mark::Lines { lines, width, color, dashed: true } => {
            lines.iter().for_each(|line| canvas.dashes(line, *width, *color));
        }
        Mark::Lines { lines, width, color, .. } => {
            lines.iter().for_each(|line| canvas.line(line, *width, *color, 1.0));
        }
        Mark::Words { text, at, side, em, strong, color } => {
            let weight = if *strong { Weight::Strong } else { Weight::Regular };
            letters.write(canvas, text, *at, *side, (weight, *em, *color));
        }
        Mark::Pixels { corner, size, columns, rgba, smooth } => canvas.pixels(*corner, *size, *columns, rgba, *smooth),
    }
}

/// Red, green, blue and alpha of pixels, so many in a row, as the bytes of a PNG file.
///
/// # Errors
/// Where they are no whole rows.
pub fn pixels(columns: usize, rgba: &[u8]) -> io::Result<Vec<u8>> {
    let rows = (rgba.len() / 4).checked_div(columns).unwrap_or(0);
    let side = |count: usize| u32::try_from(count).map_err(io::Error::other);
    if rgba.chunks_exact(4).all(|pixel| pixel[3] == 255) {
        let rgb: Vec<u8> = rgba.chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect();
        return encode(side(columns)?, side(rows)?, png::ColorType::Rgb, &rgb);
    }
    encode(side(columns)?, side(rows)?, png::ColorType::Rgba, rgba)
}

fn encode(width: u32, height: u32, color: png::ColorType, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut file = vec![];
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(bytes)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was_drawn() {
        let marks = vec![
            Mark::Rect { corner: [0.0, 0.0], size: [10.0, 20.0], color: [200, 0, 0] },
            Mark::Pixels {
                corner: [20.0, 0.0],
                size: [10.0, 20.0],
                columns: 1,
                rgba: vec![0, 0, 9, 255, 0, 9, 0, 255],
                smooth: false,
            },
        ];
        let bytes = png(&Drawing { size: [30.0, 20.0], marks }).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(bytes)).read_info().unwrap();
        let mut colors = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut colors).unwrap();
        let at = |x: usize, y: usize| &colors[3 * (y * 30 + x)..][..3];
        assert_eq!([at(3, 3), at(15, 3), at(25, 3), at(25, 15)], [[200, 0, 0], [255; 3], [0, 0, 9], [0, 9, 0]]);
        assert!(png(&Drawing::default()).is_err());
        assert!(pixels(0, &[]).is_err());
    }
}
