//! What a batch leaves on disk, and how it is taken up again. Read first: [`Folder`].

use super::Summary;
use crate::{
    episode::{EpisodeResult, hex},
    error::Error,
    files::{make_folder, write_whole},
    setup::Setup,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

/// What must be the same for two batches to be one: `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The program's version.
    pub version: String,
    /// The scenario's name.
    pub scenario: String,
    /// A hash of the scenario, in hexadecimal.
    pub scenario_hash: String,
    /// A hash of the models, in hexadecimal.
    pub model_hash: String,
    /// The actor.
    pub actor: String,
    /// The run's seed.
    pub seed: u64,
    /// Where the agents learn while they live: a hash of the model that they begin with, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learns_from: Option<String>,
}

impl Manifest {
    /// The manifest of a run.
    #[must_use]
    pub fn of(setup: &Setup) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: setup.name().to_owned(),
            scenario_hash: hex(setup.loaded.hash),
            model_hash: hex(setup.model_hash),
            actor: setup.actor_name().to_owned(),
            seed: setup.seed,
            learns_from: setup.learning.as_ref().map(|learning| learning.begins_with().to_owned()),
        }
    }

    /// What differs, in words; nothing where both are the same.
    fn differences(&self, there: &Self) -> Option<String> {
        let seeds = (self.seed.to_string(), there.seed.to_string());
        let begun =
            |manifest: &Self| manifest.learns_from.clone().unwrap_or_else(|| "nothing, for it learns nothing".into());
        let begun = (begun(self), begun(there));
        let pairs = [
            ("version", &there.version, &self.version),
            ("scenario", &there.scenario, &self.scenario),
            ("scenario file's hash", &there.scenario_hash, &self.scenario_hash),
            ("model's hash", &there.model_hash, &self.model_hash),
            ("actor", &there.actor, &self.actor),
            ("seed", &seeds.1, &seeds.0),
            ("learning from", &begun.1, &begun.0),
        ];
        let differing: Vec<String> = pairs
            .into_iter()
            .filter(|(_, there, here)| there != here)
            .map(|(what, there, here)| format!("its {what} is {there}, not {here}"))
            .collect();
        (!differing.is_empty()).then(|| differing.join("; "))
    }
}

/// A batch's folder: `manifest.json`, `episodes.jsonl` (a line for each episode, as soon as it ends) and, at the end,
/// `summary.json`.
pub struct Folder {
    path: PathBuf,
    episodes: File,
    earlier: BTreeMap<u64, EpisodeResult>,
}

impl Folder {
    /// Open an empty folder, or with `resume` one that holds a part of the same run.
    ///
    /// # Errors
    /// Where it holds anything else, or cannot be written to.
    pub fn open(path: &Path, manifest: &Manifest, resume: bool) -> Result<Self, Error> {
        make_folder(path)?;
        let manifest_file = path.join("manifest.json");
        if is_empty(path)? {
            write_json(&manifest_file, manifest)?;
        } else if resume {
            let differences = manifest.differences(&read_manifest(&manifest_file)?);
            if let Some(differences) = differences {
                return Err(Error::OtherRun { path: path.to_owned(), differences });
            }
        } else {
            return Err(Error::OutNotEmpty(path.to_owned()));
        }
        let file = path.join("episodes.jsonl");
        let earlier = read_episodes(&file)?;
        let episodes = OpenOptions::new().create(true).append(true).open(&file).map_err(Error::io("open", &file))?;
        Ok(Self { path: path.to_owned(), episodes, earlier })
    }

    /// The episodes that an earlier call left here, by number.
    #[must_use]
    pub fn take_earlier(&mut self) -> BTreeMap<u64, EpisodeResult> {
        std::mem::take(&mut self.earlier)
    }

    /// Keep one more result: after this, nothing loses it.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn append(&mut self, result: &EpisodeResult) -> Result<(), Error> {
        self.episodes.write_all(line(result).as_bytes()).map_err(Error::io("write", &self.path.join("episodes.jsonl")))
    }

    /// Put the episodes in order and write the summary.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn finish<'a>(self, results: impl Iterator<Item = &'a EpisodeResult>, summary: &Summary) -> Result<(), Error> {
        let lines: String = results.map(line).collect();
        write_whole(&self.path.join("episodes.jsonl"), lines.as_bytes())?;
        write_json(&self.path.join("summary.json"), summary)
    }
}

fn line(result: &EpisodeResult) -> String {
    // Plain numbers and text always have a JSON form.
    serde_json::to_string(result).unwrap_or_default() + "\n"
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    write_whole(path, text.as_bytes())
}

fn is_empty(path: &Path) -> Result<bool, Error> {
    Ok(fs::read_dir(path).map_err(Error::io("read the folder", path))?.next().is_none())
}

fn read_manifest(path: &Path) -> Result<Manifest, Error> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path).to_owned();
            return Err(Error::OtherRun { path: folder, differences: "it has no manifest.json".into() });
        }
        other => other.map_err(Error::io("read", path))?,
    };
    serde_json::from_slice(&text)
        .map_err(|error| Error::Damaged { path: path.to_owned(), problem: format!("{error}; give another --out") })
}

/// The results in the file. A last line that was cut off is cut off for good: its episode will run again.
fn read_episodes(path: &Path) -> Result<BTreeMap<u64, EpisodeResult>, Error> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        other => other.map_err(Error::io("read", path))?,
    };
    let mut results: BTreeMap<u64, EpisodeResult> = BTreeMap::new();
    let mut whole = 0;
    for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match serde_json::from_slice::<EpisodeResult>(line) {
            Ok(result) if line.ends_with(b"\n") => drop(results.insert(result.episode, result)),
            _ if whole + line.len() == text.len() => {
                tracing::warn!("the last line of {} was cut off: its episode runs again", path.display());
                let file = OpenOptions::new().write(true).open(path).map_err(Error::io("open", path))?;
                file.set_len(whole as u64).map_err(Error::io("shorten", path))?;
            }
            Ok(_) => {}
            Err(error) => {
                let problem = format!("line {}: {error}; take the line out, and its episode runs again", number + 1);
                return Err(Error::Damaged { path: path.to_owned(), problem });
            }
        }
        whole += line.len();
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(seed: u64) -> Manifest {
        let text = || "x".to_owned();
        let (version, scenario, scenario_hash, model_hash, actor) = (text(), text(), text(), text(), text());
        Manifest { version, scenario, scenario_hash, model_hash, actor, seed, learns_from: None }
    }

    #[test]
    fn keeps_whole_lines_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Folder::open(folder.path(), &manifest(1), false).unwrap();
        for episode in [0, 2, 1] {
            first.append(&EpisodeResult::failed(episode, 7, "no".into())).unwrap();
        }
        let file = folder.path().join("episodes.jsonl");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, &text[..text.len() - 9]).unwrap();
        let mut second = Folder::open(folder.path(), &manifest(1), true).unwrap();
        let earlier: Vec<u64> = second.take_earlier().into_keys().collect();
        assert_eq!(earlier, [0, 2]);
        second.append(&EpisodeResult::failed(5, 7, "no".into())).unwrap();
        assert_eq!(read_episodes(&file).unwrap().len(), 3);

        fs::write(&file, text.replacen("episode", "what", 1)).unwrap();
        let error = Folder::open(folder.path(), &manifest(1), true).err().unwrap();
        assert!(matches!(&error, Error::Damaged { problem, .. } if problem.starts_with("line 1:")), "{error}");
    }

    #[test]
    fn refuses_what_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        drop(Folder::open(folder.path(), &manifest(1), false).unwrap());
        let again = Folder::open(folder.path(), &manifest(1), false).err().unwrap();
        assert!(matches!(again, Error::OutNotEmpty(_)));
        let other = Folder::open(folder.path(), &manifest(2), true).err().unwrap();
        assert!(other.to_string().contains("its seed is 1, not 2"), "{other}");
        assert!(other.is_bad_input());
    }
}
