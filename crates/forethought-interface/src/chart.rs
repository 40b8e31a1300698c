//! Charts as plain data, so that what has something to show needs no drawing library, and what draws needs no tensors. Read first:
//! [`Chart`].

use serde::Serialize;

/// Panels side by side, row by row.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chart {
    /// What all of it shows.
    pub title: String,
    /// How many panels stand in a row.
    pub columns: usize,
    /// The panels.
    pub panels: Vec<Panel>,
}

/// One pair of axes with what lies on them, or tiles.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// The horizontal axis.
    pub x: Span,
    /// The vertical axis.
    pub y: Span,
    /// Whether a unit is as long on both axes.
    pub equal: bool,
    /// From the back to the front.
    pub layers: Vec<Layer>,
}

/// An axis.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Span {
    /// What it measures, with its unit.
    pub label: String,
    /// From and to.
    pub range: [f32; 2],
    /// Whether it is logarithmic (base 10): the range is then above zero.
    pub log: bool,
}

impl Span {
    /// A linear axis.
    #[must_use]
    pub fn new(label: impl Into<String>, range: [f32; 2]) -> Self {
        Self { label: label.into(), range, log: false }
    }
}

/// Colours by what they stand for; the same word in all pictures is the same colour. The colour-blind tell them apart
/// (Okabe & Ito, 2008).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum Hue {
    /// What was observed: dark grey.
    #[default]
    Data,
    /// What the model says: blue.
    Model,
    /// A second of them: orange.
    Second,
    /// A third: green.
    Third,
    /// A fourth: purple.
    Fourth,
    /// What theory or an exact computation says: black.
    Theory,
    /// What is wrong or must not be: vermilion.
    Wrong,
    /// What stands in the background: light grey.
    Faint,
}

/// Something drawn in a panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Layer {
    /// Values on a grid, as colours: low is dark, high is light. With `signed`, zero is white.
    Heat {
        /// What the colours measure.
        name: String,
        /// `[rows, columns]`, row by row, the lowest row first; what is no number stays empty.
        values: Vec<f32>,
        /// How many values a row has.
        columns: usize,
        /// The grid's extent along x.
        x: [f32; 2],
        /// Along y.
        y: [f32; 2],
        /// The values that get the ends of the colours; what is beyond gets the same.
        range: [f32; 2],
        /// Whether the sign matters.
        signed: bool,
    },
    /// Discs.
    Points {
        /// What the legend calls them; without a name it does not.
        name: String,
        /// Their places.
        places: Vec<[f32; 2]>,
        /// Their colour.
        hue: Hue,
        /// Their radius in pixels.
        radius: f32,
    },
    /// A line through places, broken where one is no number.
    Line {
        /// What the legend calls it; without a name it does not.
        name: String,
        /// In order.
        places: Vec<[f32; 2]>,
        /// Its colour.
        hue: Hue,
        /// Whether it has gaps.
        dashed: bool,
    },
    /// Line segments, each from a place to another: arrows if `arrows`.
    Segments {
        /// What the legend calls them; without a name it does not.
        name: String,
        /// From and to.
        places: Vec<[[f32; 2]; 2]>,
        /// Their colour.
        hue: Hue,
        /// Whether each has a head.
        arrows: bool,
    },
    /// Bars from zero, one for each label.
    Bars {
        /// What the legend calls them; without a name it does not.
        name: String,
        /// Below the bars; the bar of label `i` is centred at x = `i`.
        labels: Vec<String>,
        /// How high.
        heights: Vec<f32>,
        /// Their colour.
        hue: Hue,
    },
    /// Grey pictures in rows, without axes: the only layer of its panel.
    Tiles {
        /// Each `[height, width]`, row by row, the highest row first, from 0 (black) to 1 (white).
        images: Vec<Vec<f32>>,
        /// Pixels in a row of an image.
        width: usize,
        /// How many images stand in a row.
        across: usize,
        /// What stands below each, or nothing.
        captions: Vec<String>,
    },
}
