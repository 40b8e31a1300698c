//! A drawing as SVG: shapes as text, small enough for documents. Read first: [`svg`].

use super::png;
use base64::{Engine, engine::general_purpose::STANDARD};
use forethought_interface::{Drawing, Mark, Px, Rgb, Side};
use std::fmt::{self, Write};

/// The fonts that words are measured with, and those that are as common.
const FONTS: &str = "'Open Sans','Noto Sans','DejaVu Sans',Verdana,sans-serif";

/// The drawing as the text of an SVG file.
#[must_use]
pub fn svg(drawing: &Drawing) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = write(&mut text, drawing);
    text
}

fn write(to: &mut String, drawing: &Drawing) -> fmt::Result {
    let [width, height] = drawing.size.map(short);
    writeln!(
        to,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="{FONTS}">"#
    )?;
    writeln!(to, r##"<rect width="{width}" height="{height}" fill="#fff"/>"##)?;
    drawing.marks.iter().try_for_each(|mark| write_mark(to, mark))?;
    writeln!(to, "</svg>")
}

fn write_mark(to: &mut String, mark: &Mark) -> fmt::Result {
    match mark {
        Mark::Rect { corner, size, color } => {
            let ([x, y], [width, height], color) = (corner.map(short), size.map(short), hex(*color));
            writeln!(to, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{color}"/>"#)
        }
        Mark::Polygon { corners, color } => {
            writeln!(to, r#"<path d="{}Z" fill="{}"/>"#, path(corners), hex(*color))
        }
        // A line without length that ends round is a disc, and takes a third of the letters.
        Mark::Discs { centers, radius, color, alpha } if !centers.is_empty() => {
            let mut dots = String::new();
            for [x, y] in centers {
                write!(dots, "M{} {}h0", short(*x), short(*y))?;
            }
            let (color, width) = (hex(*color), short(2.0 * radius));
            let alpha = if *alpha < 1.0 { format!(r#" opacity="{}""#, short(*alpha)) } else { String::new() };
            writeln!(to, r#"<path d="{dots}" stroke="{color}" stroke-width="{width}" stroke-linecap="round"{alpha}/>"#)
        }
        Mark::Lines { lines, width, color, dashed } if !lines.is_empty() => {
            let d: String = lines.iter().map(|line| path(line)).collect();
            let (color, width) = (hex(*color), short(*width));
            let dashes = if *dashed { r#" stroke-dasharray="5 4""# } else { "" };
            writeln!(
                to,
                r#"<path d="{d}" fill="none" stroke="{color}" stroke-width="{width}" stroke-linejoin="round"{dashes}/>"#
            )
        }
        Mark::Words { text, at, side, em, strong, color } => {
            let anchor = match side {
                Side::Left => "",
                Side::Middle => r#" text-anchor="middle""#,
                Side::Right => r#" text-anchor="end""#,
            };
            let weight = if *strong { r#" font-weight="600""# } else { "" };
            // Capitals are seven tenths of an em high.
            let [x, y] = [short(at[0]), short(at[1] + 0.357 * em)];
            let (em, color) = (short(*em), hex(*color));
            let text = escaped(text);
            writeln!(to, r#"<text x="{x}" y="{y}" font-size="{em}" fill="{color}"{weight}{anchor}>{text}</text>"#)
        }
        Mark::Pixels { corner, size, columns, rgba, smooth } => {
            let times = if *smooth { 1 } else { (size[0] / *columns as f32).round().clamp(1.0, 16.0) as usize };
            let Ok(bytes) = png::pixels(columns * times, &enlarged(rgba, *columns, times)) else { return Ok(()) };
            let ([x, y], [width, height]) = (corner.map(short), size.map(short));
            let rendering = if *smooth { "" } else { r#" style="image-rendering:pixelated""# };
            let data = STANDARD.encode(bytes);
            writeln!(
                to,
                r#"<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none"{rendering} href="data:image/png;base64,{data}"/>"#
            )
        }
        Mark::Discs { .. } | Mark::Lines { .. } => Ok(()),
    }
}

/// Each pixel so many times in both directions: many programs blur what they enlarge, whatever they are told.
fn enlarged(rgba: &[u8], columns: usize, times: usize) -> Vec<u8> {
    let rows = rgba.chunks_exact((4 * columns).max(4));
    let wide = rows.map(|row| row.chunks_exact(4).flat_map(|pixel| pixel.repeat(times)).collect::<Vec<u8>>());
    wide.flat_map(|row| row.repeat(times)).collect()
}

fn path(places: &[Px]) -> String {
    let step =
        |(index, [x, y]): (usize, &Px)| format!("{}{} {}", if index == 0 { "M" } else { "L" }, short(*x), short(*y));
    places.iter().enumerate().map(step).collect()
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A tenth of a pixel is fine enough.
fn short(number: f32) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_there() {
        let marks = vec![
            Mark::Rect { corner: [1.0, 2.0], size: [3.0, 4.04], color: [1, 2, 3] },
            Mark::Polygon { corners: vec![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], color: [0; 3] },
            Mark::Discs { centers: vec![[5.0, 6.0]], radius: 2.0, color: [255; 3], alpha: 0.5 },
            Mark::Discs { centers: vec![], radius: 2.0, color: [255; 3], alpha: 0.5 },
            Mark::Lines { lines: vec![vec![[0.0, 0.0], [9.0, 9.5]]], width: 2.0, color: [0; 3], dashed: true },
            Mark::Words {
                text: "a < b".into(),
                at: [3.0, 3.0],
                side: Side::Right,
                em: 10.0,
                strong: true,
                color: [0; 3],
            },
            Mark::Pixels { corner: [0.0; 2], size: [8.0; 2], columns: 2, rgba: vec![9; 16], smooth: false },
        ];
        let text = svg(&Drawing { size: [20.0, 10.0], marks });
        for expected in [
            r##"<rect x="1" y="2" width="3" height="4" fill="#010203"/>"##,
            "M0 0L1 0L0 1Z",
            r##"M5 6h0" stroke="#ffffff" stroke-width="4" stroke-linecap="round" opacity="0.5""##,
            r#"M0 0L9 9.5" fill="none""#,
            "stroke-dasharray",
            "a &lt; b</text>",
            "data:image/png;base64,iVBOR",
        ] {
            assert!(text.contains(expected), "{expected} is missing in {text}");
        }
        assert_eq!(text.lines().count(), 9, "nothing for what is empty: {text}");
    }
}
