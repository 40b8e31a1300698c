//! The gallery as commands and the window show it. Read first: [`play`]; what its entries are is in `forethought_energy::gallery`.

mod frames;
#[cfg(feature = "view")]
mod live;

#[cfg(feature = "view")]
pub use live::{LiveOptions, open, open_beside};

use crate::{
    error::Error,
    progress::Progress,
    scenario::nearest::{listed, nearest},
    stop::Stop,
};
use forethought_energy::gallery::{Entry, GalleryError, Measure, Settings, Study, entries};
use forethought_interface::Chart;
use serde::Serialize;
use std::{collections::BTreeMap, time::Instant};

/// What came of an entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Which one.
    pub entry: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Where the theory has it.
    pub source: &'static str,
    /// Where its randomness came from.
    pub seed: u64,
    /// What each of its knobs stood at.
    pub settings: BTreeMap<&'static str, f64>,
    /// How much was done, from 0 to 1: less where it was stopped.
    pub progress: f32,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What it is judged by, by name.
    pub measures: BTreeMap<&'static str, Value>,
}

/// A number that an entry is judged by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Value {
    /// The number.
    pub value: f64,
    /// What theory or an exact computation says of it, where it does.
    pub expected: Option<f64>,
    /// What it measures, with its unit.
    pub about: String,
}

/// What there is to see of an entry, and the numbers to judge it by.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// For programs.
    pub report: Report,
    /// For the eye.
    pub chart: Chart,
    /// For people, in the entry's order.
    pub measures: Vec<Measure>,
}

/// The entry of that name.
///
/// # Errors
/// Where there is none; the error names the one that was probably meant, and all of them.
pub fn find(wanted: &str) -> Result<Entry, Error> {
    let all = entries();
    let names = || all.iter().map(|entry| entry.name);
    all.iter().find(|entry| entry.name == wanted).copied().ok_or_else(|| {
        let meant = nearest(wanted, names()).map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        Error::NoEntry { wanted: wanted.to_owned(), hint: format!("{meant} There are {}", listed(names())) }
    })
}

/// Begin an entry; one that learns from the sandbox gets pictures of it, which stay with its settings.
///
/// # Errors
/// A knob that it does not have, a value beyond its range, or a sandbox that cannot be run.
pub fn begin(entry: &Entry, settings: &mut Settings) -> Result<Box<dyn Study>, Error> {
    match entry.study(settings) {
        Err(GalleryError::Frames { .. }) if settings.frames.is_none() => {
            settings.frames = Some(frames::frames(settings.seed)?);
            Ok(entry.study(settings)?)
        }
        study => Ok(study?),
    }
}

/// An entry from its beginning to its end, or until it is stopped.
///
/// # Errors
/// As [`begin`], and where what is trained is no number any more.
pub fn play(entry: &Entry, settings: &Settings, stop: &Stop, progress: &mut Progress) -> Result<Played, Error> {
    let started = Instant::now();
    let mut study = begin(entry, &mut settings.clone())?;
    while study.progress() < 1.0 && !stop.requested() {
        study.advance()?;
        progress.set((study.progress() * PARTS as f32) as u64, "");
    }
    let measures = study.measures();
    let value = |measure: &Measure| {
        let Measure { about, value, expected, .. } = measure.clone();
        (measure.name, Value { value, expected, about })
    };
    let report = Report {
        entry: entry.name,
        title: entry.title,
        source: entry.source,
        seed: settings.seed,
        settings: entry.knobs.iter().map(|knob| (knob.name, settings.value(knob))).collect(),
        progress: study.progress(),
        seconds: started.elapsed().as_secs_f64(),
        measures: measures.iter().map(value).collect(),
    };
    Ok(Played { report, chart: study.chart(), measures })
}

/// Into so many parts progress is divided.
pub const PARTS: u64 = 100;
