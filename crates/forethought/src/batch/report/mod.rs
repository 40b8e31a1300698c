//! What is made of a batch's episodes once they have ended: `episodes.parquet`, `report.html` and, for several cells, one
//! `summary.json`. Read first: [`export`].

mod factor;
mod html;
mod plots;

use super::{
    Kept, Summary,
    folder::{read_folder, write_json},
    table,
};
use crate::{
    episode::{Ending, EpisodeResult},
    error::Error,
    files::write_whole,
};
use factor::{Bins, Range};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// The worst episodes that are told of for each cell.
const WORST: usize = 8;

/// One cell as the report tells of it.
struct Chapter<'a> {
    kept: Kept,
    summary: &'a Summary,
    /// Success by factor of variation.
    factors: Vec<(String, Bins)>,
    lengths: Lengths,
    worst: Vec<EpisodeResult>,
}

/// How long episodes took: how many took so many twentieths of the longest, those that succeeded and the others.
struct Lengths {
    longest: u32,
    counts: [[u64; 2]; 20],
}

impl Lengths {
    fn new(longest: u32) -> Self {
        Self { longest: longest.max(1), counts: [[0; 2]; 20] }
    }

    fn count(&mut self, result: &EpisodeResult) {
        let bin = result.steps.saturating_sub(1) as usize * self.counts.len() / self.longest as usize;
        let success = usize::from(result.outcome != Ending::Success);
        self.counts[bin.min(self.counts.len() - 1)][success] += 1;
    }
}

/// Make table and report of these cells, whose results are in these folders below `out` and come to these summaries.
///
/// # Errors
/// Where the disk is full or results cannot be read back.
pub fn export(out: &Path, cells: &[PathBuf], summaries: &[Summary]) -> Result<(), Error> {
    if cells.len() > 1 {
        write_json(&out.join("summary.json"), &serde_json::json!({ "batches": summaries }))?;
    }
    let mut outlines = Vec::new();
    for cell in cells {
        outlines.push(Outline::of(&out.join(cell))?);
    }
    let factors: BTreeSet<String> = outlines.iter().flat_map(|outline| outline.factors.keys().cloned()).collect();
    let settings = outlines.iter().flat_map(|outline| &outline.kept.manifest.settings);
    let settings: BTreeSet<String> = settings.map(|setting| setting.path.clone()).collect();
    let mut chapters: Vec<Chapter> =
        outlines.into_iter().zip(summaries).map(|(outline, summary)| outline.chapter(summary)).collect();
    table::write(&out.join("episodes.parquet"), &factors, &settings, |table| {
        for (cell, chapter) in cells.iter().zip(&mut chapters) {
            let (kept, mut problem) = (chapter.kept.clone(), Ok(()));
            read_folder(&out.join(cell), &mut |result| {
                chapter.count(&result);
                if problem.is_ok() {
                    problem = table.push(&kept, &result);
                }
            })?;
            problem?;
        }
        Ok(())
    })?;
    let page = html::page(&chapters).map_err(Error::io("draw", &out.join("report.html")))?;
    write_whole(&out.join("report.html"), page.as_bytes())
}

/// What must be known of a cell before its episodes are counted.
struct Outline {
    kept: Kept,
    factors: BTreeMap<String, Range>,
    longest: u32,
    worst: Vec<EpisodeResult>,
}

impl Outline {
    fn of(folder: &Path) -> Result<Self, Error> {
        let (mut factors, mut longest) = (BTreeMap::<String, Range>::new(), 0);
        let mut worst: Vec<EpisodeResult> = Vec::new();
        let kept = read_folder(folder, &mut |mut result| {
            longest = longest.max(result.steps);
            for (name, value) in &result.factors {
                factors.entry(name.clone()).or_default().see(*value);
            }
            // No more of an episode is told than fits into a line.
            (result.decision_ms, result.tasks) = (Vec::new(), None);
            worst.push(result);
            worst.sort_by_key(badness);
            worst.truncate(WORST);
        })?;
        Ok(Self { kept, factors, longest, worst })
    }

    fn chapter(self, summary: &Summary) -> Chapter<'_> {
        // A factor that never varies explains nothing.
        let factors = self.factors.into_iter().filter(|(_, range)| range.varies());
        Chapter {
            kept: self.kept,
            summary,
            factors: factors.map(|(name, range)| (name, Bins::over(&range))).collect(),
            lengths: Lengths::new(self.longest),
            worst: self.worst,
        }
    }
}

/// The worst first: errors, failures, what took too long, then what succeeded late. Among equals those that ended farther from
/// their targets, or where lives count, earlier.
fn badness(result: &EpisodeResult) -> (u8, i64, i64, u64) {
    let kind = match result.outcome {
        Ending::Error => 0,
        Ending::Failure => 1,
        Ending::TimeLimit => 2,
        Ending::Success => 3,
    };
    let distance_mm = result.distance_m.filter(|metres| metres.is_finite()).map_or(0, |metres| (metres * 1e3) as i64);
    let steps = i64::from(result.steps);
    let late = if result.outcome == Ending::Failure || result.life.is_some() { steps } else { -steps };
    (kind, -distance_mm, late, result.episode)
}

impl Chapter<'_> {
    fn count(&mut self, result: &EpisodeResult) {
        self.lengths.count(result);
        for (name, bins) in &mut self.factors {
            if let Some(value) = result.factors.get(name) {
                bins.count(*value, result.outcome == Ending::Success);
            }
        }
    }

    /// What tells this cell from others, in a few words.
    fn label(&self) -> String {
        let manifest = &self.kept.manifest;
        let settings = manifest
            .settings
            .iter()
            .map(|setting| format!(", {}={}", setting.path.rsplit('.').next().unwrap_or_default(), setting.value));
        format!("{}, {}{}, seed {}", manifest.scenario, manifest.actor, settings.collect::<String>(), manifest.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_come_first() {
        let episode = |number, outcome, steps, distance_m| EpisodeResult {
            outcome,
            steps,
            distance_m,
            ..EpisodeResult::failed(number, 7, String::new())
        };
        let mut episodes = [
            episode(0, Ending::Success, 20, Some(0.1)),
            episode(1, Ending::TimeLimit, 200, Some(1.0)),
            episode(2, Ending::TimeLimit, 200, Some(3.0)),
            episode(3, Ending::Error, 0, None),
            episode(4, Ending::Success, 90, Some(0.1)),
            episode(5, Ending::Failure, 9, None),
            episode(6, Ending::Failure, 3, None),
        ];
        episodes.sort_by_key(badness);
        assert_eq!(episodes.map(|episode| episode.episode), [3, 6, 5, 2, 1, 4, 0]);
    }

    #[test]
    fn lengths_have_a_bin_each() {
        let mut lengths = Lengths::new(40);
        for steps in [0, 1, 2, 3, 40, 99] {
            lengths.count(&EpisodeResult { steps, ..EpisodeResult::failed(0, 0, String::new()) });
        }
        assert_eq!((lengths.counts[0], lengths.counts[1], lengths.counts[19]), ([0, 3], [0, 1], [0, 2]));
    }
}
