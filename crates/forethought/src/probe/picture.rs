//! A report as a picture: how far predictions carry, how energies rise when a law is broken, how well that is told.
//! Read first: [`svg`].

use super::{
    Report,
    surprise::{Curve, Detection, Energy},
};
use crate::{
    drawing::{Canvas, Drawn, FAINT, GRID, TEXT, label},
    error::Error,
    files::write_whole,
};
use plotters::{prelude::*, style::text_anchor::HPos};
use std::{io, path::Path};

// Okabe & Ito's colours, which the colour-blind tell apart; marks and labels tell them apart in grey.
const LEVELS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];
const WALL: RGBColor = RGBColor(213, 94, 0);
const PALE: RGBColor = RGBColor(150, 150, 150);

const WIDTH: i32 = 1230;
/// Left edges and width of the two columns of panels.
const COLUMNS: [i32; 2] = [70, 690];
const PANEL_WIDTH: i32 = 400;
const PANEL_HEIGHT: i32 = 250;
/// What the AUC must reach to be called good.
const GOOD: f64 = 0.95;
const ROW: i32 = 24;

/// Write the picture of a report.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(path: &Path, report: &Report) -> Result<(), Error> {
    let svg = svg(report).map_err(Error::io("draw", path))?;
    write_whole(path, svg.as_bytes())
}

/// The picture as SVG.
///
/// # Errors
/// None that is known; drawing to a text does not fail.
pub fn svg(report: &Report) -> Result<String, io::Error> {
    let told = 60 + ROW * length(report.levels.len());
    let first = told + 66;
    let second = first + PANEL_HEIGHT + 120;
    let bars = bars(report);
    let height = second + PANEL_HEIGHT.max(length(bars.len()) * ROW) + 122;
    let mut svg = String::new();
    {
        let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = canvas
            .fill(&WHITE)
            .and_then(|()| draw_readouts(&canvas, report))
            .and_then(|()| draw_horizons(&canvas, report, first))
            .and_then(|()| draw_energies(&canvas, report, second))
            .and_then(|()| draw_bars(&canvas, &bars, report, second))
            .and_then(|()| draw_foot(&canvas, report, height))
            .and_then(|()| canvas.present());
        drawn.map_err(|error| io::Error::other(error.to_string()))?;
    }
    Ok(svg)
}

/// Where numbers stand in a panel.
struct Panel {
    left: i32,
    top: i32,
    x: [f64; 2],
    y: [f64; 2],
    logarithmic: bool,
}

impl Panel {
    #[expect(clippy::cast_possible_truncation, reason = "a place in the picture")]
    fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        let scale = |value: f64| if self.logarithmic { value.max(1e-9).ln() } else { value };
        let share = |value: f64, [low, high]: [f64; 2]| ((value - low) / (high - low)).clamp(-0.02, 1.02);
        let across = share(x, self.x) * f64::from(PANEL_WIDTH);
        let up = share(scale(y), self.y.map(scale)) * f64::from(PANEL_HEIGHT);
        (self.left + across.round() as i32, self.top + PANEL_HEIGHT - up.round() as i32)
    }

    /// Title, unit, grid and scales.
    fn frame(&self, canvas: &Canvas, title: &str, unit: &str, across: &str, ticks: [&[f64]; 2]) -> Drawn {
        label(canvas, title, (self.left, self.top - 38), 18, TEXT, HPos::Left)?;
        label(canvas, unit, (self.left, self.top - 17), 14, FAINT, HPos::Left)?;
        let (right, bottom) = (self.left + PANEL_WIDTH, self.top + PANEL_HEIGHT);
        for tick in ticks[1] {
            let (_, y) = self.at((self.x[0], *tick));
            canvas.draw(&PathElement::new([(self.left, y), (right, y)], GRID))?;
            label(canvas, &tick.to_string(), (self.left - 8, y), 14, FAINT, HPos::Right)?;
        }
        for tick in ticks[0] {
            let (x, _) = self.at((*tick, self.y[0]));
            canvas.draw(&PathElement::new([(x, bottom), (x, bottom + 5)], PALE))?;
            label(canvas, &tick.to_string(), (x, bottom + 16), 14, FAINT, HPos::Center)?;
        }
        canvas.draw(&PathElement::new([(self.left, bottom), (right, bottom)], PALE))?;
        label(canvas, across, (self.left + PANEL_WIDTH / 2, bottom + 38), 14, FAINT, HPos::Center)
    }

    fn line(&self, canvas: &Canvas, points: &[(f64, f64)], style: impl Into<ShapeStyle>, dashed: bool) -> Drawn {
        let (places, style) = (points.iter().map(|point| self.at(*point)), style.into());
        if dashed {
            return dashes(canvas, &places.collect::<Vec<_>>(), [6.0, 5.0], style);
        }
        canvas.draw(&PathElement::new(places.collect::<Vec<_>>(), style))
    }
}

/// What each level's latents tell, as a line of words.
fn draw_readouts(canvas: &Canvas, report: &Report) -> Drawn {
    let title = format!("What the model of {} knows of worlds that it has never seen", report.scenario);
    label(canvas, &title, (COLUMNS[0], 28), 22, TEXT, HPos::Left)?;
    for (level, y) in report.levels.iter().zip((62..).step_by(ROW.unsigned_abs() as usize)) {
        let told = level.readouts.iter().map(|readout| {
            format!("{} {:.3} ({:.2} {})", readout.quantity, readout.score.r2, readout.score.rmse, readout.unit)
        });
        let told = told.collect::<Vec<_>>().join(", ");
        mark(canvas, level.level, (COLUMNS[0] + 6, y))?;
        label(
            canvas,
            &format!("level {} tells, by a linear map, R² (RMSE): {told}", level.level),
            (COLUMNS[0] + 20, y),
            16,
            TEXT,
            HPos::Left,
        )?;
    }
    Ok(())
}

fn draw_horizons(canvas: &Canvas, report: &Report, top: i32) -> Drawn {
    let points = || report.levels.iter().flat_map(|level| &level.horizon.points);
    let furthest = points().map(|point| point.steps).max().unwrap_or(1) as f64;
    let most_m = points().map(|point| point.position_unchanged_m.max(point.position_error_m)).fold(0.0, f64::max);
    let most = points().map(|point| point.latent_unchanged.max(point.latent_error)).fold(0.0, f64::max);
    let latent =
        Panel { left: COLUMNS[0], top, x: [0.0, furthest], y: [0.0, most.max(1.0) * 1.05], logarithmic: false };
    let position = Panel { left: COLUMNS[1], y: [0.0, most_m * 1.05], ..Panel { ..latent } };
    let steps = ticks(furthest);
    let across = "control steps ahead, over the actions really taken";
    let unit = "distance from what came; 1 is that of two random moments";
    latent.frame(canvas, "Foresight: error of predicted latents", unit, across, [&steps, &ticks(latent.y[1])])?;
    let unit = "metres from the true position, read linearly";
    position.frame(canvas, "Foresight: error of predicted positions", unit, across, [&steps, &ticks(position.y[1])])?;
    for level in &report.levels {
        let color = color(level.level);
        let curve = |of: &dyn Fn(&super::foresight::Point) -> f64| -> Vec<(f64, f64)> {
            level.horizon.points.iter().map(|point| (point.steps as f64, of(point))).collect()
        };
        let [foretold, unchanged] = [curve(&|p| p.latent_error), curve(&|p| p.latent_unchanged)];
        let [foretold_m, unchanged_m] = [curve(&|p| p.position_error_m), curve(&|p| p.position_unchanged_m)];
        for (panel, foretold, unchanged) in [(&latent, foretold, unchanged), (&position, foretold_m, unchanged_m)] {
            panel.line(canvas, &unchanged, color.mix(0.7).stroke_width(1), true)?;
            panel.line(canvas, &foretold, color.stroke_width(2), false)?;
            for point in &foretold {
                mark(canvas, level.level, panel.at(*point))?;
            }
            if level.level == 1 {
                end(canvas, panel, &unchanged, "nothing changes", 0)?;
                end(canvas, panel, &foretold, "predicted", 0)?;
            }
        }
    }
    Ok(())
}

/// A name at the right end of a curve.
fn end(canvas: &Canvas, panel: &Panel, curve: &[(f64, f64)], name: &str, down: i32) -> Drawn {
    let Some(last) = curve.last() else { return Ok(()) };
    let (x, y) = panel.at(*last);
    label(canvas, name, (x + 10, y + down), 14, TEXT, HPos::Left)
}

/// Violations whose energies are drawn: a name, how thick, which colour, whether dashed.
fn drawn_curves(report: &Report) -> Vec<(&Curve, RGBColor, u32, bool)> {
    let single = report.levels.len() == 1;
    let curves = report.surprise.curves.iter().filter(|curve| curve.energy == Energy::Distance);
    let shown = curves.filter(|curve| curve.level.is_none() || (single && curve.level == Some(1)));
    let mut shown: Vec<&Curve> = shown.collect();
    if single {
        shown.retain(|curve| curve.level.is_none());
    }
    let style = |curve: &Curve| match curve.violation.as_str() {
        "teleport 0.25 m" => Some((RGBColor(86, 180, 233), 2, false)),
        "teleport 1 m" => Some((RGBColor(0, 114, 178), 2, false)),
        "teleport 4 m" => Some((RGBColor(0, 50, 90), 2, false)),
        "through a wall" => Some((WALL, 3, true)),
        _ => None,
    };
    shown
        .into_iter()
        .filter_map(|curve| style(curve).map(|(color, wide, dashed)| (curve, color, wide, dashed)))
        .collect()
}

fn draw_energies(canvas: &Canvas, report: &Report, top: i32) -> Drawn {
    let curves = drawn_curves(report);
    let Some((first, ..)) = curves.first() else { return Ok(()) };
    let unit = report.levels.len() as f64;
    let from = first.from as f64;
    let until = from + first.violated.len() as f64 - 1.0;
    let most =
        curves.iter().flat_map(|(curve, ..)| &curve.violated).fold(1.0_f64, |most, value| most.max(*value)) / unit;
    let panel = Panel { left: COLUMNS[0], top, x: [from, until], y: [0.4, most * 1.4], logarithmic: true };
    let decades: Vec<f64> = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]
        .into_iter()
        .filter(|tick| *tick <= panel.y[1])
        .collect();
    let steps: Vec<f64> =
        (-2..=20).map(|tick| f64::from(tick) * 8.0).filter(|tick| (from..=until).contains(tick)).collect();
    let name = if report.levels.len() == 1 { "of level 1" } else { "of all levels" };
    let unit_text = format!("mean energy {name} (prediction error), as a multiple of the normal one");
    let across = "control steps from the moment when a law is broken";
    panel.frame(canvas, "Surprise: energy before and after", &unit_text, across, [&steps, &decades])?;
    let (x, _) = panel.at((0.0, 1.0));
    canvas.draw(&PathElement::new([(x, top), (x, top + PANEL_HEIGHT)], PALE))?;
    let points = |values: &[f64]| -> Vec<(f64, f64)> {
        values.iter().enumerate().map(|(index, value)| (from + index as f64, value / unit)).collect()
    };
    panel.line(canvas, &points(&first.normal), PALE.stroke_width(2), false)?;
    let mut named: Vec<(f64, String, RGBColor, u32, bool)> = vec![(0.0, "nothing broken".into(), PALE, 2, false)];
    for (curve, color, wide, dashed) in &curves {
        panel.line(canvas, &points(&curve.violated), color.stroke_width(*wide), *dashed)?;
        let peak = curve.violated.iter().fold(0.0_f64, |most, value| most.max(*value));
        named.push((peak, curve.violation.clone(), *color, *wide, *dashed));
    }
    // From the highest to the lowest.
    named.sort_by(|a, b| b.0.total_cmp(&a.0));
    for ((_, name, color, wide, dashed), y) in named.into_iter().zip((top + 12..).step_by(20)) {
        let ends = [(panel.left + PANEL_WIDTH + 10, y), (panel.left + PANEL_WIDTH + 40, y)];
        if dashed {
            dashes(canvas, &ends, [6.0, 5.0], color.stroke_width(wide))?;
        } else {
            canvas.draw(&PathElement::new(ends, color.stroke_width(wide)))?;
        }
        label(canvas, &name, (panel.left + PANEL_WIDTH + 48, y), 14, TEXT, HPos::Left)?;
    }
    Ok(())
}

/// The detections that have a bar: by the JEPA's own energy, for each level; the sum only where there are several.
fn bars(report: &Report) -> Vec<&Detection> {
    let of_energy = report.surprise.detections.iter().filter(|detection| detection.energy == Energy::Distance);
    of_energy.filter(|detection| detection.level.is_some() || report.levels.len() > 1).collect()
}

fn draw_bars(canvas: &Canvas, bars: &[&Detection], report: &Report, top: i32) -> Drawn {
    let left = COLUMNS[1] + 70;
    let width = PANEL_WIDTH - 70;
    #[expect(clippy::cast_possible_truncation, reason = "a place in the picture")]
    let across = |area: f64| left + ((area.max(0.5) - 0.5) * 2.0 * f64::from(width)).round() as i32;
    label(canvas, "Surprise: how well it is told from normal", (COLUMNS[1], top - 38), 18, TEXT, HPos::Left)?;
    let unit = "area under the ROC curve by the largest energy; whiskers: 95%";
    label(canvas, unit, (COLUMNS[1], top - 17), 14, FAINT, HPos::Left)?;
    let bottom = top + length(bars.len()) * ROW;
    for area in [0.5, 0.6, 0.7, 0.8, 0.9, 1.0] {
        canvas.draw(&PathElement::new([(across(area), top), (across(area), bottom + 5)], GRID))?;
        label(canvas, &area.to_string(), (across(area), bottom + 16), 14, FAINT, HPos::Center)?;
    }
    label(canvas, "0.5 is chance; dotted: 0.95", (left + width / 2, bottom + 38), 14, FAINT, HPos::Center)?;
    let mut last = "";
    for (bar, y) in bars.iter().zip((top + ROW / 2..).step_by(ROW.unsigned_abs() as usize)) {
        if bar.violation != last {
            last = &bar.violation;
            label(canvas, last, (left - 10, y), 14, TEXT, HPos::Right)?;
        }
        let shade = bar.level.map_or(FAINT, color);
        canvas.draw(&Rectangle::new([(left, y - 7), (across(bar.auc), y + 7)], shade.mix(0.75).filled()))?;
        for (style, cap) in [(WHITE.stroke_width(5), 6), (TEXT.stroke_width(2), 5)] {
            let [low, high] = bar.ci95.map(across);
            canvas.draw(&PathElement::new([(low, y), (high, y)], style))?;
            for x in [low, high] {
                canvas.draw(&PathElement::new([(x, y - cap), (x, y + cap)], style))?;
            }
        }
        let level = match bar.level {
            _ if report.levels.len() == 1 => String::new(),
            Some(level) => format!("  level {level}"),
            None => "  all".into(),
        };
        label(canvas, &format!("{:.3}{level}", bar.auc), (left + width + 12, y), 14, TEXT, HPos::Left)?;
    }
    let good = [(across(GOOD), top), (across(GOOD), bottom)];
    dashes(canvas, &good, [2.0, 4.0], TEXT.stroke_width(1))
}

fn draw_foot(canvas: &Canvas, report: &Report, height: i32) -> Drawn {
    let lines = [
        format!(
            "Random walks, seed {}: {} episodes of {} control steps to fit to, {} others to score; whatever is broken is compared \
             with the same episode unbroken.",
            report.seed, report.fitted, report.steps, report.scored
        ),
        "As fast: compared with other bodies that come as far in the same time. Outside: without what was sensed inside the wall."
            .to_owned(),
    ];
    for (line, y) in lines.iter().zip([height - 46, height - 24]) {
        label(canvas, line, (COLUMNS[0], y), 14, FAINT, HPos::Left)?;
    }
    Ok(())
}

/// A line of dashes, so many points long and apart.
#[expect(clippy::cast_possible_truncation, reason = "places in the picture")]
fn dashes(canvas: &Canvas, places: &[(i32, i32)], [long, apart]: [f64; 2], style: ShapeStyle) -> Drawn {
    // How far along the current dash or gap the line is.
    let (mut along, mut dash) = (0.0, Vec::new());
    for ends in places.windows(2) {
        let [(x, y), (to_x, to_y)] = [ends[0], ends[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
        let (length, mut done) = ((to_x - x).hypot(to_y - y), 0.0);
        while done < length {
            let at = |done: f64| {
                let share = done / length;
                ((x + share * (to_x - x)).round() as i32, (y + share * (to_y - y)).round() as i32)
            };
            let drawing = along < long;
            let step = (if drawing { long } else { long + apart } - along).min(length - done).max(1e-6);
            if drawing {
                dash.push(at(done));
                dash.push(at(done + step));
            }
            (along, done) = (along + step, done + step);
            if drawing && along >= long {
                canvas.draw(&PathElement::new(std::mem::take(&mut dash), style))?;
            } else if along >= long + apart {
                along = 0.0;
            }
        }
    }
    canvas.draw(&PathElement::new(dash, style))
}

fn color(level: usize) -> RGBColor {
    LEVELS[(level - 1) % LEVELS.len()]
}

/// A level's mark: a disc, a square, a triangle, a ring.
fn mark(canvas: &Canvas, level: usize, (x, y): (i32, i32)) -> Drawn {
    let color = color(level);
    match (level - 1) % LEVELS.len() {
        0 => canvas.draw(&Circle::new((x, y), 4, color.filled())),
        1 => canvas.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], color.filled())),
        2 => canvas.draw(&TriangleMarker::new((x, y), 6, color.filled())),
        _ => canvas.draw(&Circle::new((x, y), 4, color.stroke_width(2))),
    }
}

/// Four to nine round numbers from 0 to this.
fn ticks(most: f64) -> Vec<f64> {
    let steps = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
    let step = steps.into_iter().find(|step| most / step <= 8.0).unwrap_or(most / 8.0);
    // Through whole hundredths, so that a tick reads 0.6 and not 0.6000000000000001.
    (0..=8).map(|index| (f64::from(index) * step * 100.0).round() / 100.0).filter(|tick| *tick <= most).collect()
}

fn length(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX / ROW / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(1.05), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(ticks(64.0), [0.0, 8.0, 16.0, 24.0, 32.0, 40.0, 48.0, 56.0, 64.0]);
        assert_eq!(ticks(2.5), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
    }
}
