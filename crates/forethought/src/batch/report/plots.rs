//! The report's pictures, as SVG. Read first: [`success`].

use super::{Chapter, Lengths, factor::Bins};
use crate::{
    batch::wilson95,
    drawing::{Canvas, Drawn, FAINT, GRID, TEXT, label},
};
use plotters::{prelude::*, style::text_anchor::HPos};
use std::io;

// Okabe & Ito's colours, which the colour-blind tell apart.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(230, 159, 0);

const SMALL: i32 = 13;

/// A picture of this size.
fn picture(size: (i32, i32), draw: impl FnOnce(&Canvas) -> Drawn) -> Result<String, io::Error> {
    let mut svg = String::new();
    {
        let size = (size.0.unsigned_abs(), size.1.unsigned_abs());
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = canvas.fill(&WHITE).and_then(|()| draw(&canvas)).and_then(|()| canvas.present());
        drawn.map_err(|error| io::Error::other(error.to_string()))?;
    }
    Ok(svg)
}

/// A share of `size` as whole pixels.
fn pixels(share: f64, size: i32) -> i32 {
    (share.clamp(0.0, 1.0) * f64::from(size)).round() as i32
}

/// The success of each cell with its interval, a row each.
pub(super) fn success(chapters: &[Chapter]) -> Result<String, io::Error> {
    const ROW: i32 = 26;
    const LEFT: i32 = 420;
    const WIDE: i32 = 420;
    let height = ROW * i32::try_from(chapters.len()).unwrap_or(i32::MAX / ROW / 2) + 40;
    picture((LEFT + WIDE + 60, height), |canvas| {
        for quarter in 0..=4 {
            let x = LEFT + WIDE * quarter / 4;
            canvas.draw(&PathElement::new([(x, 4), (x, height - 30)], GRID))?;
            label(canvas, &format!("{}%", 25 * quarter), (x, height - 18), SMALL, FAINT, HPos::Center)?;
        }
        for (chapter, y) in chapters.iter().zip((4 + ROW / 2..).step_by(ROW.unsigned_abs() as usize)) {
            let rate = LEFT + pixels(chapter.summary.success_rate, WIDE);
            canvas.draw(&Rectangle::new([(LEFT, y - 7), (rate, y + 7)], BLUE.mix(0.6).filled()))?;
            let ends = chapter.summary.ci95.map(|end| LEFT + pixels(end, WIDE));
            canvas.draw(&PathElement::new([(ends[0], y), (ends[1], y)], TEXT.stroke_width(2)))?;
            label(canvas, &chapter.label(), (LEFT - 8, y), SMALL, TEXT, HPos::Right)?;
        }
        Ok(())
    })
}

/// Success over the values of one factor, with intervals.
pub(super) fn factor(name: &str, bins: &Bins) -> Result<String, io::Error> {
    const LEFT: i32 = 44;
    const TOP: i32 = 26;
    const WIDE: i32 = 300;
    const HIGH: i32 = 130;
    let count = i32::try_from(bins.iter().len()).unwrap_or(1).max(1);
    picture((LEFT + WIDE + 16, TOP + HIGH + 40), |canvas| {
        label(canvas, name, (LEFT, 12), 15, TEXT, HPos::Left)?;
        for half in 0..=2 {
            let y = TOP + HIGH - HIGH * half / 2;
            canvas.draw(&PathElement::new([(LEFT, y), (LEFT + WIDE, y)], GRID))?;
            label(canvas, &format!("{}%", 50 * half), (LEFT - 6, y), SMALL, FAINT, HPos::Right)?;
        }
        for (bin, index) in bins.iter().zip(0..) {
            let x = LEFT + WIDE * (2 * index + 1) / (2 * count);
            label(canvas, &bin.label, (x, TOP + HIGH + 14), SMALL, TEXT, HPos::Center)?;
            label(canvas, &bin.episodes.to_string(), (x, TOP + HIGH + 30), 11, FAINT, HPos::Center)?;
            if bin.episodes > 0 {
                let ends = wilson95(bin.successes, bin.episodes).map(|end| TOP + HIGH - pixels(end, HIGH));
                let rate = TOP + HIGH - pixels(bin.successes as f64 / bin.episodes as f64, HIGH);
                canvas.draw(&PathElement::new([(x, ends[0]), (x, ends[1])], BLUE.stroke_width(2)))?;
                canvas.draw(&Circle::new((x, rate), 4, BLUE.filled()))?;
            }
        }
        Ok(())
    })
}

/// How long episodes took: those that succeeded from below, the others on top of them.
pub(super) fn lengths(lengths: &Lengths) -> Result<String, io::Error> {
    const LEFT: i32 = 60;
    const TOP: i32 = 26;
    const WIDE: i32 = 440;
    const HIGH: i32 = 130;
    let most = lengths.counts.iter().map(|[good, bad]| good + bad).max().unwrap_or(1).max(1);
    let bins = i32::try_from(lengths.counts.len()).unwrap_or(1);
    let up = |count: u64| pixels(count as f64 / most as f64, HIGH);
    picture((LEFT + WIDE + 20, TOP + HIGH + 30), |canvas| {
        label(canvas, "control steps of an episode (blue: it succeeded)", (LEFT, 12), 15, TEXT, HPos::Left)?;
        for (count, y) in [(0, TOP + HIGH), (most, TOP)] {
            canvas.draw(&PathElement::new([(LEFT, y), (LEFT + WIDE, y)], GRID))?;
            label(canvas, &count.to_string(), (LEFT - 6, y), SMALL, FAINT, HPos::Right)?;
        }
        for ([good, bad], index) in lengths.counts.iter().zip(0..) {
            let [from, to] = [index, index + 1].map(|edge| LEFT + WIDE * edge / bins);
            let [zero, middle, top] = [0, *good, good + bad].map(|count| TOP + HIGH - up(count));
            canvas.draw(&Rectangle::new([(from + 1, middle), (to - 1, zero)], BLUE.filled()))?;
            canvas.draw(&Rectangle::new([(from + 1, top), (to - 1, middle)], ORANGE.filled()))?;
        }
        for half in 0..=2 {
            let steps = u64::from(lengths.longest) * half / 2;
            let x = LEFT + pixels(half as f64 / 2.0, WIDE);
            label(canvas, &steps.to_string(), (x, TOP + HIGH + 14), SMALL, FAINT, HPos::Center)?;
        }
        Ok(())
    })
}
