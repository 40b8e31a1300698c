//! Scenarios to choose from. Read first: [`ScenarioCard`].

use crate::{Scene, Snapshot};
use std::path::PathBuf;

/// How much a scenario asks of an agent: derived from what there is in it, not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difficulty {
    /// To get somewhere.
    Easy,
    /// One thing more.
    Medium,
    /// Several things more.
    Hard,
}

impl Difficulty {
    /// In a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}

/// What there is to know of a scenario before it is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioCard {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// One line for people.
    pub description: String,
    /// How much it asks of an agent.
    pub difficulty: Difficulty,
    /// What it asks beyond getting somewhere, each in a word or two.
    pub asks: Vec<String>,
    /// Its first episode's world, to draw; none where it cannot be drawn.
    pub picture: Option<Box<(Scene, Snapshot)>>,
    /// Why it cannot be opened, if so.
    pub problem: Option<String>,
}
