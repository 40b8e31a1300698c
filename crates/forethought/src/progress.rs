//! How far a long piece of work has come: a bar on a terminal, a line now and then elsewhere. Read first: [`Progress`].

use crate::{batch::Tally, episode::EpisodeResult};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Without a terminal, one line in this time.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Progress on stderr; stdout belongs to results.
pub struct Progress {
    bar: ProgressBar,
    label: String,
    total: u64,
    last_line: Instant,
}

impl Progress {
    /// Begin; `label` says what is being done, `total` how many units there are.
    #[must_use]
    pub fn begin(label: &str, total: u64) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(total) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {elapsed}<{eta} {msg}") {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.set_prefix(label.to_owned());
        Self { bar, label: label.to_owned(), total, last_line: Instant::now() }
    }

    /// So many units are done; `message` says how it goes.
    pub fn set(&mut self, done: u64, message: &str) {
        self.bar.set_position(done);
        self.bar.set_message(message.to_owned());
        if self.bar.is_hidden() && Instant::now().saturating_duration_since(self.last_line) >= LINE_EVERY {
            self.last_line = Instant::now();
            eprintln!("{}: {done} of {} {message}", self.label, self.total);
        }
    }

    /// One more episode has ended.
    pub fn episode(&mut self, result: &EpisodeResult, tally: &Tally) {
        if let Some(error) = &result.error {
            self.note(&format!("episode {} (its seed is {}) went wrong: {error}", result.episode, result.seed));
        }
        let rate = 100.0 * tally.successes as f64 / tally.done.max(1) as f64;
        self.set(tally.done, &format!("{rate:.0}% success so far"));
    }

    /// A line for people, above the bar.
    pub fn note(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    /// Done: the bar goes away.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}
