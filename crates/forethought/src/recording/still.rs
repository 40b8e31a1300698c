//! One picture, as PNG, with the colours of a film. Read first: [`write`].

use super::{canvas::Canvas, palette::Table};
use std::io::{self, Write};

/// Write a picture.
pub fn write(to: impl Write, canvas: &Canvas, mut table: Table) -> io::Result<()> {
    let [width, height] = canvas.size();
    let mut encoder = png::Encoder::new(to, width.into(), height.into());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(table.bytes());
    encoder.set_compression(png::Compression::High);
    // Neighbouring entries of a table have nothing in common.
    encoder.set_filter(png::Filter::NoFilter);
    let indices: Vec<u8> = canvas.colors().map(|color| table.nearest(color)).collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&indices)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use super::{super::palette::CHOSEN, *};
    use forethought_interface::Scene;

    #[test]
    fn comes_back_as_it_was_drawn() {
        let mut canvas = Canvas::new(30, 20).unwrap();
        canvas.clear([255; 3]);
        canvas.rect([0.0, 0.0], [10.0, 20.0], CHOSEN);
        let mut bytes = Vec::new();
        write(&mut bytes, &canvas, Table::of(&Scene::default(), false)).unwrap();
        let mut decoder = png::Decoder::new(io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let drawn: Vec<u8> = canvas.colors().flatten().collect();
        assert_eq!(pixels, drawn);
    }
}
