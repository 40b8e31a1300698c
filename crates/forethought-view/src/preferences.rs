//! The window's size and panels, remembered from one time to the next. Read first: [`Preferences`].

use crate::{dock::Docking, input::Controls};
use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is remembered. What cannot be read or written is as it was at first: that is no reason to fail.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// The window's width and height in logical pixels.
    pub size_px: Option<(u32, u32)>,
    /// Where panels are.
    pub docking: Option<Docking>,
    /// What is shown in the world: rays, futures, path.
    pub shown: Option<(bool, bool, bool)>,
}

impl Preferences {
    /// What was remembered.
    pub fn load() -> Self {
        let text = file().and_then(|file| std::fs::read_to_string(file).ok());
        text.map_or_else(Self::default, |text| Self::read(&text))
    }

    fn read(text: &str) -> Self {
        let mut read: Self = ron::from_str(text).unwrap_or_default();
        read.docking = read.docking.filter(Docking::is_sound);
        read.size_px =
            read.size_px.filter(|(width, height)| (200..=16_384).contains(width) && (150..=16_384).contains(height));
        read
    }

    /// What is so now.
    pub fn of(size_px: (u32, u32), docking: &Docking, controls: &Controls) -> Self {
        let shown = Some((controls.rays, controls.futures, controls.trail));
        Self { size_px: Some(size_px), docking: Some(docking.clone()), shown }
    }

    /// Remember it.
    pub fn save(&self) {
        let Some(file) = file() else { return };
        let Ok(text) = ron::to_string(self) else { return };
        if let Some(folder) = file.parent() {
            // Where it cannot be, the file cannot be written either.
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = std::fs::write(file, text);
    }

    /// Show in the world what was shown.
    pub fn apply(&self, controls: &mut Controls) {
        if let Some((rays, futures, trail)) = self.shown {
            (controls.rays, controls.futures, controls.trail) = (rays, futures, trail);
        }
    }
}

/// Where the system keeps such things.
fn file() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("forethought").join("window.ron"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dock::Panel;

    #[test]
    fn what_is_remembered_comes_back_and_nonsense_is_forgotten() {
        let mut docking = Docking::default();
        docking.toggle(Panel::Energy);
        let controls = Controls { trail: false, ..Controls::default() };
        let text = ron::to_string(&Preferences::of((900, 700), &docking, &controls)).unwrap();
        let read = Preferences::read(&text);
        assert_eq!(read.size_px, Some((900, 700)));
        assert!(read.docking.as_ref().is_some_and(|docking| !docking.shows(Panel::Energy)));
        let mut shown = Controls::default();
        read.apply(&mut shown);
        assert!(!shown.trail && shown.rays);
        for nonsense in ["", "[]", "(size_px: Some((1, 1)))", "(docking: Some(()))", "(other: 3)"] {
            let read = Preferences::read(nonsense);
            assert!(read.size_px.is_none() && read.docking.is_none(), "{nonsense}");
        }
    }
}
