//! A small line plot. Read first: [`Plot`].

use crate::palette;
use bevy::color::Srgba;
use bevy_egui::egui::{Align2, FontId, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};

/// Room for the ticks' words left of and below the axes.
const TICKS: Vec2 = vec2(44.0, 16.0);

/// One line over whole numbers.
pub struct Plot<'a> {
    /// What it shows.
    pub title: &'a str,
    /// What the horizontal axis counts.
    pub x_name: &'a str,
    /// The line, from left to right.
    pub points: &'a [(f32, f32)],
    /// The line's colour.
    pub color: Srgba,
    /// What stands there while there is no line.
    pub empty: &'a str,
}

impl Plot<'_> {
    /// Draw it as wide as there is room, with its title and this height in all.
    pub fn show(&self, ui: &mut Ui, height: f32) {
        let (whole, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        let painter = ui.painter_at(whole);
        let (ink, faint) = (palette::egui(palette::INK), palette::egui(palette::FAINT_INK));
        let (words, small) = (crate::style::strong(14.0), FontId::proportional(12.0));
        painter.text(whole.min, Align2::LEFT_TOP, self.title, words, ink);
        let plot = Rect::from_min_max(whole.min + vec2(TICKS.x, 21.0), whole.max - vec2(6.0, TICKS.y));
        if plot.width() < 20.0 || plot.height() < 10.0 {
            return;
        }
        painter.rect_filled(plot, 0.0, palette::egui(palette::FLOOR));
        painter.rect_stroke(plot, 0.0, Stroke::new(1.0, palette::egui(palette::RULE)), StrokeKind::Outside);
        let Some(axes) = Axes::around(self.points) else {
            painter.text(plot.center(), Align2::CENTER_CENTER, self.empty, small, faint);
            return;
        };
        for (value, text) in axes.y_ticks((plot.height() / 14.0).min(4.0)) {
            let at = axes.place(plot, (axes.x.0, value));
            painter.hline(plot.x_range(), at.y, Stroke::new(1.0, palette::egui(palette::GRID)));
            painter.text(at - vec2(5.0, 0.0), Align2::RIGHT_CENTER, text, small.clone(), faint);
        }
        for (value, align) in [(axes.x.0, Align2::LEFT_TOP), (axes.x.1, Align2::RIGHT_TOP)] {
            let at = pos2(axes.place(plot, (value, axes.y.0)).x, plot.bottom() + 2.0);
            painter.text(at, align, format!("{value:.0}"), small.clone(), faint);
        }
        let below = pos2(plot.center().x, plot.bottom() + 2.0);
        painter.text(below, Align2::CENTER_TOP, self.x_name, small.clone(), faint);
        let places: Vec<Pos2> = finite(self.points).map(|point| axes.place(plot, point)).collect();
        let end = places.last().copied();
        painter.line(places, Stroke::new(2.0, palette::egui(self.color)));
        painter.extend(end.map(|end| bevy_egui::egui::Shape::circle_filled(end, 3.5, palette::egui(self.color))));
        if let Some((x, y)) = response.hover_pos().and_then(|at| axes.nearest(plot, self.points, at)) {
            response.on_hover_text_at_pointer(format!("{} {x:.0}: {}", self.x_name, number(y)));
        }
    }
}

/// What part of the plane a plot shows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axes {
    x: (f32, f32),
    y: (f32, f32),
}

impl Axes {
    /// All finite points, with a little room above and below; none where there are none.
    fn around(points: &[(f32, f32)]) -> Option<Self> {
        let range = |values: &mut dyn Iterator<Item = f32>| {
            values.fold(None, |range: Option<(f32, f32)>, value| {
                Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
            })
        };
        let (left, right) = range(&mut finite(points).map(|(x, _)| x))?;
        let (low, high) = range(&mut finite(points).map(|(_, y)| y))?;
        // A flat line runs in the middle.
        let flat = 0.02 * low.abs().max(high.abs());
        let room = if high > low { (0.08 * (high - low)).max(1e-3 * flat) } else { flat.max(0.01) };
        Some(Self { x: (left, if right > left { right } else { left + 1.0 }), y: (low - room, high + room) })
    }

    fn place(self, plot: Rect, (x, y): (f32, f32)) -> Pos2 {
        let along = |(low, high): (f32, f32), value: f32| (value - low) / (high - low);
        pos2(plot.left() + along(self.x, x) * plot.width(), plot.bottom() - along(self.y, y) * plot.height())
    }

    /// Round values, about so many at most, with as many digits as tell them apart.
    fn y_ticks(self, most: f32) -> Vec<(f32, String)> {
        let span = f64::from(self.y.1 - self.y.0);
        let least = span / f64::from(most.max(1.0));
        let decade = 10_f64.powf(least.log10().floor());
        let apart = [1.0, 2.0, 5.0].map(|factor| factor * decade).into_iter().find(|apart| *apart >= least);
        let apart = apart.unwrap_or(10.0 * decade);
        let first = (f64::from(self.y.0) / apart).ceil() as i64;
        let last = (f64::from(self.y.1) / apart).floor() as i64;
        let digits = (-apart.log10()).ceil().clamp(0.0, 6.0) as usize;
        (first..=last)
            .map(|index| {
                let value = index as f64 * apart;
                let plain = value.abs() < 1e4;
                (value as f32, if plain { format!("{value:.digits$}") } else { format!("{value:.1e}") })
            })
            .collect()
    }

    fn nearest(self, plot: Rect, points: &[(f32, f32)], at: Pos2) -> Option<(f32, f32)> {
        let away = |point: &(f32, f32)| (self.place(plot, *point).x - at.x).abs();
        plot.contains(at).then(|| finite(points).min_by(|a, b| away(a).total_cmp(&away(b))))?
    }
}

fn finite(points: &[(f32, f32)]) -> impl Iterator<Item = (f32, f32)> {
    points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite())
}

/// A number with about three digits.
pub fn number(value: f32) -> String {
    if !value.is_finite() {
        return "not finite".into();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e5).contains(&size) {
        return if size < 1e-6 { "0".into() } else { format!("{value:.1e}") };
    }
    let digits = if size >= 100.0 { 0 } else { (2 - size.max(0.01).log10().floor() as i32).max(0) as usize };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_fall_inside_the_frame() {
        let plot = Rect::from_min_max(pos2(10.0, 20.0), pos2(110.0, 70.0));
        for points in [vec![(0.0, 1.0), (5.0, 3.0), (9.0, f32::NAN)], vec![(3.0, 0.0)], vec![(0.0, -7.0), (1.0, -7.0)]]
        {
            let axes = Axes::around(&points).unwrap();
            for point in finite(&points) {
                assert!(plot.contains(axes.place(plot, point)), "{points:?}");
            }
            let ticks = axes.y_ticks(4.0);
            assert!((1..=5).contains(&ticks.len()), "{ticks:?}");
            assert!(ticks.iter().all(|tick| (axes.y.0..=axes.y.1).contains(&tick.0)), "{ticks:?} {axes:?}");
            assert!(ticks.windows(2).all(|pair| pair[0].1 != pair[1].1), "{ticks:?}");
        }
        assert_eq!(Axes::around(&[(0.0, f32::INFINITY)]), None);
    }

    #[test]
    fn higher_is_up() {
        let plot = Rect::from_min_max(pos2(0.0, 0.0), pos2(10.0, 10.0));
        let axes = Axes::around(&[(0.0, 0.0), (10.0, 1.0)]).unwrap();
        assert!(axes.place(plot, (0.0, 1.0)).y < axes.place(plot, (0.0, 0.0)).y);
        assert_eq!(axes.nearest(plot, &[(0.0, 0.0), (10.0, 1.0)], pos2(9.0, 5.0)), Some((10.0, 1.0)));
    }

    #[test]
    fn numbers_are_short() {
        let cases = [(0.0, "0"), (1.0, "1"), (0.123_45, "0.123"), (12.345, "12.3"), (-4.0, "-4"), (1234.5, "1234")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(2.5e-4), "2.5e-4");
        assert_eq!(number(f32::NAN), "not finite");
    }
}
