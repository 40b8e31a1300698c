//! What several entries' charts are made of. Read first: [`Window`] and [`History`].

use crate::{energy::Energy, energy::nothing, nodes::Nodes};
use forethought_interface::{Hue, Layer, Panel, Span};

/// A square part of the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    /// From and to, along each axis.
    pub(crate) ranges: [[f32; 2]; 2],
    /// Cells along each axis.
    pub(crate) cells: usize,
}

impl Window {
    /// The middle of each cell, the lowest row first.
    pub(crate) fn nodes(&self) -> Nodes {
        Nodes::grid(&self.ranges, self.cells)
    }

    /// What an energy says of each cell.
    pub(crate) fn energies(&self, energy: &(impl Energy + ?Sized)) -> Vec<f32> {
        let nodes = self.nodes();
        energy.values(&nothing(nodes.count()), &nodes.matrix())
    }

    /// A picture of values, one for each cell.
    pub(crate) fn heat(&self, name: &str, values: Vec<f32>, range: [f32; 2]) -> Layer {
        let [x, y] = self.ranges;
        Layer::Heat { name: name.to_owned(), values, columns: self.cells, x, y, range, signed: false }
    }

    /// A panel that shows it.
    pub(crate) fn panel(&self, title: impl Into<String>, labels: [&str; 2], layers: Vec<Layer>) -> Panel {
        let [x, y] = self.ranges;
        let (x, y) = (Span::new(labels[0], x), Span::new(labels[1], y));
        Panel { title: title.into(), x, y, equal: x_is_as_long(&self.ranges), layers }
    }
}

fn x_is_as_long([[left, right], [low, high]]: &[[f32; 2]; 2]) -> bool {
    ((right - left) - (high - low)).abs() < 0.5 * (right - left)
}

/// Discs at the rows of `[rows, 2]`.
pub(crate) fn points(name: &str, places: &[f32], hue: Hue, radius: f32) -> Layer {
    let places = places.chunks_exact(2).map(|place| [place[0], place[1]]).collect();
    Layer::Points { name: name.to_owned(), places, hue, radius }
}

/// A line through places.
pub(crate) fn line(name: &str, places: Vec<[f32; 2]>, hue: Hue, dashed: bool) -> Layer {
    Layer::Line { name: name.to_owned(), places, hue, dashed }
}

/// Numbers that were noted while something was trained.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct History {
    /// At which update, and what.
    noted: Vec<[f32; 2]>,
}

impl History {
    /// Note a number.
    pub(crate) fn note(&mut self, update: usize, value: f32) {
        self.noted.push([update as f32, value]);
    }

    /// The latest.
    pub(crate) fn last(&self) -> Option<f32> {
        self.noted.last().map(|[_, value]| *value)
    }

    /// The mean before an update.
    pub(crate) fn mean_before(&self, update: usize) -> Option<f32> {
        let before = || self.noted.iter().filter(|[at, _]| *at < update as f32).map(|[_, value]| value);
        (before().count() > 0).then(|| before().sum::<f32>() / before().count() as f32)
    }

    /// As a line.
    pub(crate) fn line(&self, name: &str, hue: Hue) -> Layer {
        line(name, self.noted.clone(), hue, false)
    }
}

/// A panel of lines over updates, tall enough for all.
pub(crate) fn over_updates(title: &str, label: &str, updates: usize, log: bool, layers: Vec<Layer>) -> Panel {
    let values = || {
        let lines =
            layers.iter().filter_map(|layer| if let Layer::Line { places, .. } = layer { Some(places) } else { None });
        lines.flatten().map(|[_, value]| *value).filter(|value| value.is_finite() && (!log || *value > 0.0))
    };
    let (low, high) = values().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let range = match (low <= high, log) {
        (false, _) => [0.1, 1.0],
        (true, true) => [0.8 * low, 1.25 * high],
        (true, false) => {
            let apart = high - low;
            // What has not changed yet is drawn halfway up.
            let margin = if apart > 1e-3 * high.abs() { 0.05 * apart.max(1e-3) } else { 0.5 * high.abs().max(1e-3) };
            [low - margin, high + margin]
        }
    };
    let x = Span::new("updates", [0.0, updates.max(1) as f32]);
    Panel { title: title.to_owned(), x, y: Span { label: label.to_owned(), range, log }, equal: false, layers }
}
