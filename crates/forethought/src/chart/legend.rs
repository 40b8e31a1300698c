//! Which colour is what. Read first: [`Legend`].

use super::{
    colors::{self, Shades},
    words::{LABEL, Pen, words},
};
use forethought_interface::{Layer, Mark, Panel, Px, Rgb, Side};

/// How wide a sample is, and how far from its words and from the next.
const SAMPLE: f32 = 18.0;
const GAP: f32 = 6.0;
const APART: f32 = 16.0;

/// Samples with names, in rows.
pub struct Legend {
    entries: Vec<(Sample, String, Px)>,
    /// How high all rows are.
    pub height: f32,
}

#[derive(Debug, Clone, Copy)]
enum Sample {
    Shades(Shades),
    Disc(Rgb, f32),
    Line(Rgb, bool),
    Arrow(Rgb),
    Bar(Rgb),
}

impl Legend {
    /// Of the panel's layers that have a name, for so much room.
    pub fn of(panel: &Panel, pen: &Pen, room: f32) -> Self {
        let row = LABEL.line() + 2.0;
        let [mut x, mut y] = [0.0, row / 2.0];
        let mut entries: Vec<(Sample, String, Px)> = vec![];
        for (sample, name) in panel.layers.iter().filter_map(sample) {
            let Some(name) = pen.wrapped(name, LABEL, room - SAMPLE - GAP, 1).pop() else { continue };
            let width = SAMPLE + GAP + pen.width(&name, LABEL);
            if x > 0.0 && x + width > room {
                [x, y] = [0.0, y + row];
            }
            entries.push((sample, name, [x, y]));
            x += width + APART;
        }
        let height = if entries.is_empty() { 0.0 } else { y + row / 2.0 + 4.0 };
        Self { entries, height }
    }

    /// Below this place.
    pub fn draw(&self, corner: Px, marks: &mut Vec<Mark>) {
        for (sample, name, place) in &self.entries {
            let [x, y] = [corner[0] + place[0], corner[1] + 4.0 + place[1]];
            sample.draw([x, y], marks);
            marks.push(words(name, [x + SAMPLE + GAP, y], Side::Left, LABEL));
        }
    }
}

fn sample(layer: &Layer) -> Option<(Sample, &str)> {
    let (sample, name) = match layer {
        Layer::Heat { name, range, signed, .. } => (Sample::Shades(Shades::new(*range, *signed)), name),
        Layer::Points { name, hue, radius, .. } => (Sample::Disc(colors::of(*hue), radius.clamp(2.0, 5.0)), name),
        Layer::Line { name, hue, dashed, .. } => (Sample::Line(colors::of(*hue), *dashed), name),
        Layer::Segments { name, hue, arrows: true, .. } => (Sample::Arrow(colors::of(*hue)), name),
        Layer::Segments { name, hue, .. } => (Sample::Line(colors::of(*hue), false), name),
        Layer::Bars { name, hue, .. } => (Sample::Bar(colors::of(*hue)), name),
        Layer::Tiles { .. } => return None,
    };
    (!name.is_empty()).then_some((sample, name))
}

impl Sample {
    fn draw(self, [x, y]: Px, marks: &mut Vec<Mark>) {
        let line = |to: f32| vec![vec![[x, y], [x + to, y]]];
        let mark = match self {
            Self::Shades(shades) => {
                let [low, high] = shades.range();
                let rgba =
                    (0..=8_u8).flat_map(|step| shades.rgba(low + (high - low) * f32::from(step) / 8.0)).collect();
                Mark::Pixels { corner: [x, y - 5.0], size: [SAMPLE, 10.0], columns: 9, rgba, smooth: true }
            }
            Self::Disc(color, radius) => {
                Mark::Discs { centers: vec![[x + SAMPLE / 2.0, y]], radius, color, alpha: 1.0 }
            }
            Self::Line(color, dashed) => Mark::Lines { lines: line(SAMPLE), width: 2.0, color, dashed },
            Self::Arrow(color) => {
                marks.push(Mark::Lines { lines: line(SAMPLE - 4.0), width: 1.5, color, dashed: false });
                let end = x + SAMPLE;
                Mark::Polygon { corners: vec![[end, y], [end - 6.0, y - 3.0], [end - 6.0, y + 3.0]], color }
            }
            Self::Bar(color) => Mark::Rect { corner: [x + 3.0, y - 5.0], size: [SAMPLE - 6.0, 10.0], color },
        };
        marks.push(mark);
    }
}
