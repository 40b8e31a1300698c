//! The picture: a panel for each sweep with its fitted line, one for the threads, one for the profile. Read first: [`draw`].

use crate::{
    growth::{Speedup, Sweep},
    profile::Profile,
    report::time_text,
};
use plotters::{
    coord::{
        Shift,
        ranged1d::{DefaultFormatting, KeyPointHint, Ranged},
    },
    prelude::*,
};
use std::ops::Range;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Outcome = Result<(), Box<dyn std::error::Error>>;

const SIZE: (u32, u32) = (1320, 1110);
/// Okabe & Ito's colours, which the colour-blind tell apart.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const VERMILION: RGBColor = RGBColor(213, 94, 0);
const GREY: RGBColor = RGBColor(110, 110, 110);
const GRID: RGBColor = RGBColor(225, 225, 225);
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";

/// The picture as SVG.
pub fn draw(sweeps: &[Sweep], speedups: &[Speedup], profile: &Profile) -> Result<String, Box<dyn std::error::Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let panels = root.split_evenly((3, 3));
        for (sweep, panel) in sweeps.iter().zip(&panels) {
            draw_sweep(sweep, panel)?;
        }
        draw_speedups(speedups, &panels[sweeps.len()])?;
        draw_profile(profile, &panels[sweeps.len() + 1])?;
        root.present()?;
    }
    Ok(svg)
}

/// Numbers from 1, 2 or 5 times a power of ten, and only those of ten where there are enough.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    let decades = range.end - range.start;
    let steps: &[f64] = if decades > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let decades = (range.start.floor() as i32)..=(range.end.ceil() as i32);
    let all = decades.flat_map(|decade| steps.iter().map(move |step| f64::from(decade) + step.log10()));
    all.filter(|tick| range.contains(tick)).collect()
}

/// The powers of two among the points, at most seven of them.
fn binary_ticks(points: &[(f64, f64)]) -> Vec<f64> {
    let every = points.len().div_ceil(7);
    points.iter().rev().step_by(every).map(|(x, _)| x.log2()).collect()
}

fn plain(value: &f64) -> String {
    format!("{:.0}", 2.0_f64.powf(*value))
}

/// A bound a little outside the values.
fn around(values: impl Iterator<Item = f64> + Clone, margin: f64) -> Range<f64> {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    let margin = margin * (high - low).max(0.3);
    low - margin..high + margin
}

/// A range with marks at places of its own. It is linear: logarithms are taken of what is drawn.
struct Axis {
    range: Range<f64>,
    marks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { vec![] } else { self.marks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// What a mark says.
type Label<'a> = &'a dyn Fn(&f64) -> String;

/// A panel with a caption, a grid and labelled axes.
fn chart<'a>(
    panel: &Area<'a>,
    caption: &str,
    x: Axis,
    y: Axis,
    left: u32,
    names: (&str, &str),
    labels: (Label, Label),
) -> Result<ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>, Box<dyn std::error::Error>> {
    let (x_labels, y_labels) = (x.marks.len(), y.marks.len());
    let mut chart = ChartBuilder::on(panel)
        .caption(caption, (FONT, 17))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(left)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .axis_style(GREY)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 14))
        .x_labels(x_labels)
        .y_labels(y_labels)
        .x_desc(names.0)
        .y_desc(names.1)
        .x_label_formatter(labels.0)
        .y_label_formatter(labels.1)
        .draw()?;
    Ok(chart)
}

fn draw_sweep(sweep: &Sweep, panel: &Area) -> Outcome {
    let logs: Vec<(f64, f64)> = sweep.points.iter().map(|(x, y)| (x.log2(), y.log10())).collect();
    let (x, y) = (around(logs.iter().map(|p| p.0), 0.06), around(logs.iter().map(|p| p.1), 0.12));
    let (x, y) = (Axis { range: x, marks: binary_ticks(&sweep.points) }, Axis { marks: ticks(&y), range: y });
    let what = format!("time of {}", sweep.of.split(':').next().unwrap_or_default());
    let exponent = sweep.law.map_or_else(String::new, |law| format!(": exponent {}", law.text()));
    let caption = format!("{}{exponent}", sweep.name);
    let seconds = |value: &f64| time_text(10.0_f64.powf(*value));
    let mut chart = chart(panel, &caption, x, y, 72, (sweep.name, &what), (&plain, &seconds))?;
    if let Some(law) = sweep.law {
        let ends = [law.from, law.to].map(|size| (size.log2(), law.at(size).log10()));
        chart.draw_series([PathElement::new(ends, VERMILION.stroke_width(3))])?;
    }
    chart.draw_series(logs.into_iter().map(|at| Circle::new(at, 4, BLUE.filled())))?;
    Ok(())
}

fn draw_speedups(speedups: &[Speedup], panel: &Area) -> Outcome {
    let most = speedups.iter().flat_map(|speedup| &speedup.points).fold(1.0_f64, |most, p| most.max(p.0));
    let span = -0.08 * most.log2().max(1.0)..1.08 * most.log2().max(1.0);
    let marks: Vec<f64> = speedups[0].points.iter().map(|(threads, _)| threads.log2()).collect();
    let [x, y] = [(); 2].map(|()| Axis { range: span.clone(), marks: marks.clone() });
    let caption = "threads: how many times as fast";
    let times = |value: &f64| format!("{}x", plain(value));
    let mut chart = chart(panel, caption, x, y, 72, ("threads", "speed of a planning iteration"), (&plain, &times))?;
    let ideal = PathElement::new([(0.0, 0.0), (most.log2(), most.log2())], GREY.stroke_width(1));
    let dash = |(x, y)| PathElement::new([(x, y), (x + 16, y)], GREY.stroke_width(1));
    chart.draw_series([ideal])?.label("one for each thread").legend(dash);
    for (speedup, colour) in speedups.iter().zip([BLUE, VERMILION]) {
        let points: Vec<(f64, f64)> = speedup.factors().iter().map(|(x, y)| (x.log2(), y.log2())).collect();
        chart.draw_series([PathElement::new(points.clone(), colour.stroke_width(2))])?;
        let marks = points.into_iter().map(|at| Circle::new(at, 4, colour.filled()));
        chart
            .draw_series(marks)?
            .label(format!("{} starts", speedup.starts))
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    legend(&mut chart)
}

fn legend<'a>(chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>) -> Outcome {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font((FONT, 14))
        .background_style(WHITE.mix(0.85))
        .draw()?;
    Ok(())
}

/// The parts of a decision one below the other: a dot before, a dot after.
fn draw_profile(profile: &Profile, panel: &Area) -> Outcome {
    let rows: Vec<_> = profile.decision.iter().filter(|row| row.after > 0.0).collect();
    let logs = rows.iter().flat_map(|row| [row.before.log10(), row.after.log10()]);
    let (x, count) = (around(logs, 0.08), rows.len());
    let places: Vec<f64> = (0..count).map(|index| index as f64).collect();
    let x = Axis { marks: ticks(&x), range: x };
    let y = Axis { range: -0.6..count as f64 + 1.2, marks: places };
    let name = |place: &f64| rows[count - 1 - (*place as usize).min(count - 1)].part.to_owned();
    let seconds = |value: &f64| time_text(10.0_f64.powf(*value));
    let sum = |of: fn(&crate::profile::Row) -> f64| time_text(profile.decision.iter().map(of).sum());
    let caption = format!("a decision: {} before, {} after", sum(|row| row.before), sum(|row| row.after));
    let mut chart = chart(panel, &caption, x, y, 178, ("time in a decision of two_rooms", ""), (&seconds, &name))?;
    let at = |index: usize, seconds: f64| (seconds.log10(), (count - 1 - index) as f64);
    for (index, row) in rows.iter().enumerate() {
        let ends = [at(index, row.before), at(index, row.after)];
        chart.draw_series([PathElement::new(ends, GREY.stroke_width(2))])?;
    }
    for (label, colour, before) in [("dfdx's own operations", VERMILION, true), ("fused", BLUE, false)] {
        let dot = |(index, row): (usize, &&crate::profile::Row)| {
            Circle::new(at(index, if before { row.before } else { row.after }), 5, colour.filled())
        };
        chart
            .draw_series(rows.iter().enumerate().map(dot))?
            .label(label)
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    legend(&mut chart)
}
