//! What the window that shows the gallery and the thread that works for it tell each other. Read first: [`Exhibit`].

use crate::{Drawing, drawing::Px};

/// What can be looked at, and what can be set about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntryCard {
    /// What commands call it.
    pub name: String,
    /// A heading.
    pub title: String,
    /// Where the theory has it.
    pub source: String,
    /// What to look for.
    pub about: String,
    /// What can be set.
    pub knobs: Vec<KnobCard>,
}

/// A number that can be set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnobCard {
    /// What commands call it.
    pub name: String,
    /// What it does, with its unit.
    pub about: String,
    /// From and to, both allowed.
    pub range: [f64; 2],
    /// Whether only whole numbers make sense.
    pub whole: bool,
    /// Whether a slider is logarithmic.
    pub log: bool,
}

/// An entry under way, as it is now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exhibit {
    /// Which one.
    pub entry: String,
    /// Where its randomness comes from.
    pub seed: u64,
    /// What its knobs stand at, in their order.
    pub values: Vec<f64>,
    /// How much is done, from 0 to 1.
    pub progress: f32,
    /// Slices of work that were done since it began.
    pub slices: u32,
    /// Whether it waits.
    pub paused: bool,
    /// What there is to see.
    pub drawing: Drawing,
    /// What it is judged by: what it measures, the number, and what theory says of it.
    pub measures: Vec<(String, f64, Option<f64>)>,
    /// What went wrong, if anything.
    pub problem: Option<String>,
}

/// From the thread that works to the window.
#[derive(Debug, Clone, PartialEq)]
pub enum GalleryMessage {
    /// All there is to look at; comes first.
    Entries(Vec<EntryCard>),
    /// How the entry that is looked at stands now.
    Exhibit(Box<Exhibit>),
}

/// From the window to the thread that works.
#[derive(Debug, Clone, PartialEq)]
pub enum GalleryCommand {
    /// Look at this entry, as it is unless set.
    Choose(String),
    /// Set a knob.
    Turn {
        /// Its name.
        knob: String,
        /// To what.
        value: f64,
    },
    /// Begin anew with this seed.
    Seed(u64),
    /// Begin anew.
    Again,
    /// Set everything as it is unless set, and begin anew.
    Defaults,
    /// Wait, or go on.
    Pause(bool),
    /// There is room for a picture of this size.
    Room(Px),
    /// Nothing more.
    Quit,
}
