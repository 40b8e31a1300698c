//! How long pictures take. Read first: [`Frames`].

use bevy::prelude::Resource;
use std::path::PathBuf;

/// The first pictures build what the later ones use.
const WARM_UP: usize = 30;
/// No more are kept: half an hour at 60 a second.
const MOST: usize = 108_000;

/// How long each picture took, in milliseconds.
#[derive(Resource, Debug, Default)]
pub struct Frames {
    /// Where to write them in the end.
    file: Option<PathBuf>,
    times_ms: Vec<f32>,
    seen: usize,
    /// Pictures of each so many milliseconds are all there should be.
    pub wanted_ms: f32,
    adapter: String,
}

impl Frames {
    /// Counted for this file, or not at all.
    pub fn new(file: Option<PathBuf>) -> Self {
        Self { file, ..Self::default() }
    }

    /// One picture more, drawn by this.
    pub fn count(&mut self, ms: f32, adapter: Option<&str>) {
        self.seen += 1;
        if self.file.is_some() && self.seen > WARM_UP && self.times_ms.len() < MOST {
            self.times_ms.push(ms);
        }
        if let Some(adapter) = adapter.filter(|_| self.adapter.is_empty()) {
            adapter.clone_into(&mut self.adapter);
        }
    }

    /// Write them, with what they come to.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let times: Vec<String> = self.times_ms.iter().map(|ms| format!("{ms:.2}")).collect();
        std::fs::write(file, format!("# {}\n{}\n", self.describe(), times.join("\n")))
    }

    fn describe(&self) -> String {
        let mut sorted = self.times_ms.clone();
        sorted.sort_by(f32::total_cmp);
        let at = |share: f32| sorted.get((share * sorted.len().saturating_sub(1) as f32).round() as usize).copied();
        let [half, most, nearly, all] = [0.5, 0.95, 0.99, 1.0].map(|share| at(share).unwrap_or(f32::NAN));
        let long = sorted.iter().filter(|ms| **ms > 100.0).count();
        format!(
            "{} pictures by {}, one wanted each {:.1} ms: median {half:.1} ms, 95% {most:.1} ms, 99% {nearly:.1} ms, longest {all:.1} ms, {long} longer than 100 ms",
            sorted.len(),
            self.adapter,
            self.wanted_ms,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_they_come_to() {
        let mut frames = Frames { wanted_ms: 16.7, ..Frames::new(Some("x".into())) };
        (0..30).for_each(|_| frames.count(999.0, Some("llvmpipe")));
        (1..=100_u8).for_each(|ms| frames.count(f32::from(ms) + 1.0, None));
        let text = frames.describe();
        assert!(
            text.starts_with("100 pictures by llvmpipe") && text.ends_with("longest 101.0 ms, 1 longer than 100 ms"),
            "{text}"
        );
        assert!(Frames::default().write().is_ok());
    }
}
