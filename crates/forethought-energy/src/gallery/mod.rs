//! The energy-based models that the theory explains by examples (Dawid & LeCun 2023, Secs. 3 to 5, App. A), each to run, look at and build
//! upon, with the same energies, inference and losses that the mind uses. Read first: [`Entry`] and [`Study`]; each entry has a file.

mod autoencoder;
mod bars;
mod boltzmann_machine;
mod collapse;
mod denoising_autoencoder;
mod ellipse;
mod gan;
mod gaussian_mixture;
mod hopfield;
mod kmeans;
mod masked_autoencoder;
mod parabola;
mod pca;
mod picture;
mod plane;
mod restricted_boltzmann_machine;
pub(crate) mod score_matching;
mod sparse_coding;
mod variational_autoencoder;

use crate::models::ModelError;
use forethought_interface::Chart;
use std::collections::BTreeMap;
use thiserror::Error;

/// An example of the gallery.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What the command line calls it: lower case, underscores.
    pub name: &'static str,
    /// A heading.
    pub title: &'static str,
    /// Where the theory has it: `Sec. 3.1, Fig. 3b`.
    pub source: &'static str,
    /// What it is, what to look for, and what the mind uses of it: a few sentences.
    pub about: &'static str,
    /// What can be set.
    pub knobs: &'static [Knob],
    /// Begin it.
    pub begin: fn(&Settings) -> Result<Box<dyn Study>, GalleryError>,
}

/// A number that can be set: beta, a margin, a capacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knob {
    /// What the command line calls it.
    pub name: &'static str,
    /// What it does, with its unit.
    pub about: &'static str,
    /// From and to, both allowed.
    pub range: [f64; 2],
    /// What it is unless set.
    pub default: f64,
    /// Whether only whole numbers make sense.
    pub whole: bool,
    /// Whether a slider is logarithmic.
    pub log: bool,
}

/// What an entry begins with. [`Settings::value`] reads a knob.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// All randomness comes from it: the same seed gives the same study.
    pub seed: u64,
    /// Knobs that were set, by name; all others have their defaults.
    pub values: BTreeMap<String, f64>,
    /// Grey pictures of the sandbox, for entries that learn from them (`masked_autoencoder`).
    pub frames: Option<Frames>,
}

/// Square grey pictures, one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frames {
    /// How many pixels an edge has.
    pub side: usize,
    /// `[frames, side, side]`, from 0 to 1, the highest row first.
    pub pixels: Vec<f32>,
}

impl Entry {
    /// Begin it, once what is set is known to be right.
    ///
    /// # Errors
    /// A knob that it does not have or a value beyond its range; data that it needs and was not given.
    pub fn study(&self, settings: &Settings) -> Result<Box<dyn Study>, GalleryError> {
        for (name, value) in &settings.values {
            let knob = self.knobs.iter().find(|knob| knob.name == name).ok_or_else(|| GalleryError::UnknownKnob {
                entry: self.name,
                knob: name.clone(),
                known: self.knobs.iter().map(|knob| knob.name).collect::<Vec<_>>().join(", "),
            })?;
            let [low, high] = knob.range;
            if !(low..=high).contains(value) || (knob.whole && value.fract() != 0.0) {
                let kind = if knob.whole { "a whole number" } else { "a number" };
                return Err(GalleryError::BadKnob { knob: knob.name, value: *value, kind, low, high });
            }
        }
        (self.begin)(settings)
    }
}

impl Settings {
    /// What a knob stands at.
    #[must_use]
    pub fn value(&self, knob: &Knob) -> f64 {
        self.values.get(knob.name).copied().unwrap_or(knob.default)
    }
}

/// An example under way: it is advanced in slices, and can be looked at between any two of them.
pub trait Study: Send {
    /// Do a slice of the work: at most some 20 milliseconds in a release build. Does nothing once [`Study::progress`] is 1.
    ///
    /// # Errors
    /// What was trained is no number any more.
    fn advance(&mut self) -> Result<(), GalleryError>;

    /// How much is done, from 0 to 1. The whole takes less than a minute on one core.
    fn progress(&self) -> f32;

    /// What there is to see now: what the notes' figure shows, and how far training has come.
    fn chart(&self) -> Chart;

    /// The numbers to judge it by.
    fn measures(&self) -> Vec<Measure>;

    /// Turn a knob while it goes on. False where it has to begin anew for that.
    fn turn(&mut self, _knob: &str, _value: f64) -> bool {
        false
    }
}

/// A number that an example is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// A key for programs: lower case, underscores.
    pub name: &'static str,
    /// What it measures, with its unit.
    pub about: String,
    /// The number.
    pub value: f64,
    /// What theory or an exact computation says of it, where it does.
    pub expected: Option<f64>,
}

/// Why an example cannot go on.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum GalleryError {
    #[error("{entry} has no setting `{knob}`; it has: {known}")]
    UnknownKnob { entry: &'static str, knob: String, known: String },
    #[error("`{knob}` cannot be {value}: it takes {kind} from {low} to {high}")]
    BadKnob { knob: &'static str, value: f64, kind: &'static str, low: f64, high: f64 },
    #[error("{entry} learns from pictures of the sandbox, and got {got}; it needs {needed}")]
    Frames { entry: &'static str, got: String, needed: String },
    #[error("{what} is no number any more after {updates} updates: try a smaller learning rate or a milder setting")]
    Diverged { what: &'static str, updates: usize },
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// All examples, in the order of the theory.
#[must_use]
pub fn entries() -> Vec<Entry> {
    vec![
        // One in a line, in the order of the theory.
        parabola::ENTRY,
        ellipse::ENTRY,
        collapse::ENTRY,
        pca::ENTRY,
        autoencoder::ENTRY,
        kmeans::ENTRY,
        gaussian_mixture::ENTRY,
        sparse_coding::ENTRY,
        score_matching::ENTRY,
        variational_autoencoder::ENTRY,
        hopfield::ENTRY,
        boltzmann_machine::ENTRY,
        restricted_boltzmann_machine::ENTRY,
        denoising_autoencoder::ENTRY,
        masked_autoencoder::ENTRY,
        gan::ENTRY,
    ]
}

/// The example of that name.
#[must_use]
pub fn entry(name: &str) -> Option<Entry> {
    entries().into_iter().find(|entry| entry.name == name)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The entry's study, advanced to its end.
    pub(crate) fn finish(entry: &Entry, values: &[(&str, f64)]) -> Box<dyn Study> {
        advance(entry, values, 1.0)
    }

    /// The entry's study, advanced to a share of its work.
    pub(crate) fn advance(entry: &Entry, values: &[(&str, f64)], share: f32) -> Box<dyn Study> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let mut study = entry.study(&Settings { seed: 1, values, frames: None }).unwrap();
        while study.progress() < share {
            study.advance().unwrap();
        }
        study
    }

    #[test]
    fn the_same_seed_gives_the_same_study() {
        for entry in entries().into_iter().filter(|entry| entry.name != "masked_autoencoder") {
            let begun = || {
                let mut study = entry.study(&Settings { seed: 7, ..Settings::default() }).unwrap();
                (0..3).for_each(|_| study.advance().unwrap());
                study
            };
            // As text, for what is no number is not equal to itself.
            let [first, again] = [begun(), begun()].map(|study| format!("{:?} {:?}", study.measures(), study.chart()));
            assert!(first == again, "{}", entry.name);
        }
    }

    #[test]
    fn names_are_told_apart_and_defaults_are_allowed() {
        let names: Vec<&str> = entries().iter().map(|entry| entry.name).collect();
        assert!(names.iter().all(|name| names.iter().filter(|other| *other == name).count() == 1), "{names:?}");
        for Entry { name, knobs, .. } in entries() {
            for knob in knobs {
                let fits = (knob.range[0]..=knob.range[1]).contains(&knob.default);
                assert!(fits && !(knob.whole && knob.default.fract() != 0.0), "{name}: {}", knob.name);
                assert!(!knob.log || knob.range[0] > 0.0, "{name}: {}", knob.name);
            }
        }
    }
}
