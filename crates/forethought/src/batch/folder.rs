//! What a batch leaves on disk, and how it is taken up again. Read first: [`Folder`].

use super::{Provenance, Shard, Summary};
use crate::{
    episode::{EpisodeResult, hex},
    error::Error,
    files::{Growing, is_temporary, make_folder, write_whole, write_whole_by},
    scenario::Setting,
    setup::Setup,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// What must be the same for two batches to be one: the first part of `manifest.json`.
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
    /// Fields of the scenario that were set to other values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// Where the agents learn while they live: a hash of the model that they begin with, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learns_from: Option<String>,
    /// Which part of the batch this is, where it is not all of it.
    #[serde(default, skip_serializing_if = "Shard::is_whole")]
    pub shard: Shard,
}

/// `manifest.json`: what was run, and each call that ran a part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// What was run.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// The command that runs an episode of it again, without the episode's number.
    #[serde(default)]
    pub replay: String,
    /// The calls, the first one first.
    #[serde(default)]
    pub calls: Vec<Provenance>,
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
            settings: setup.settings.clone(),
            learns_from: setup.learning.as_ref().map(|learning| learning.begins_with().to_owned()),
            shard: Shard::default(),
        }
    }

    /// What differs, in words; nothing where both are the same.
    #[must_use]
    pub fn differences(&self, there: &Self) -> Option<String> {
        let parts = |of: &Self| {
            let nothing = || "nothing, for it learns nothing".into();
            [
                ("version", of.version.clone()),
                ("scenario", of.scenario.clone()),
                ("scenario file's hash", of.scenario_hash.clone()),
                ("model's hash", of.model_hash.clone()),
                ("actor", of.actor.clone()),
                ("seed", of.seed.to_string()),
                ("settings", of.told_settings().unwrap_or_else(|| "none".into())),
                ("learning from", of.learns_from.clone().unwrap_or_else(nothing)),
                ("shard", of.shard.to_string()),
            ]
        };
        let differing = differing(parts(there), parts(self));
        (!differing.is_empty()).then(|| differing.join("; "))
    }

    /// The settings for people; nothing without any.
    #[must_use]
    pub fn told_settings(&self) -> Option<String> {
        let told: Vec<String> = self.settings.iter().map(ToString::to_string).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

/// The log of episodes.
const EPISODES: &str = "episodes.jsonl";
const MANIFEST: &str = "manifest.json";
/// Who holds this writes to the folder.
const LOCK: &str = ".lock";

/// A batch's folder: `manifest.json`, `episodes.jsonl` (a line for each episode, as soon as it ends) and, at the end,
/// what is made of it.
pub struct Folder {
    path: PathBuf,
    kept: Kept,
    /// The log, open while it is written to.
    log: Option<Growing>,
    /// Where the log ends.
    end: u64,
    /// Each episode in the log, and where its line begins; those of earlier calls first and in order.
    index: Vec<(u64, u64)>,
    /// How many of them are of earlier calls.
    earlier: usize,
}

impl Folder {
    /// Open an empty folder, or with `resume` one that holds a part of the same run. `seen` hears of all episodes that are there.
    ///
    /// # Errors
    /// Where it holds anything else, or cannot be written to.
    pub fn open(
        path: &Path,
        mut kept: Kept,
        resume: bool,
        seen: &mut dyn FnMut(&EpisodeResult),
    ) -> Result<Self, Error> {
        make_folder(path)?;
        let manifest_file = path.join(MANIFEST);
        if !is_empty(path)? {
            if !resume {
                return Err(Error::OutNotEmpty(path.to_owned()));
            }
            let there = read_kept(path).map_err(|error| match error {
                Error::NoBatch(path) => Error::OtherRun { path, differences: "it has no manifest.json".into() },
                other => other,
            })?;
            take_up(path, kept.manifest.differences(&there.manifest), &mut kept.calls, there.calls)?;
        }
        clear_temporaries(path)?;
        write_json(&manifest_file, &kept)?;
        let (mut index, end) = read_log(&path.join(EPISODES), seen)?;
        // The later line counts where there are two.
        index.sort_unstable_by_key(|(episode, at)| (*episode, std::cmp::Reverse(*at)));
        index.dedup_by_key(|(episode, _)| *episode);
        let earlier = index.len();
        Ok(Self { path: path.to_owned(), kept, log: None, end, index, earlier })
    }

    /// What the manifest says.
    #[must_use]
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The episodes that earlier calls left here, in order.
    pub fn earlier(&self) -> impl Iterator<Item = u64> + '_ {
        self.index[..self.earlier].iter().map(|(episode, _)| *episode)
    }

    /// Keep one more result: after this, no end of this process loses it, and soon no end of the machine.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn append(&mut self, result: &EpisodeResult) -> Result<(), Error> {
        let line = line(result);
        let log = match &mut self.log {
            Some(log) => log,
            closed => closed.insert(Growing::open(&self.path.join(EPISODES))?),
        };
        log.append(line.as_bytes())?;
        self.index.push((result.episode, self.end));
        self.end += line.len() as u64;
        Ok(())
    }

    /// Put the log in order, without holding more of it than a line, and hand each of its episodes to `each`.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn finish(&mut self, each: &mut dyn FnMut(EpisodeResult)) -> Result<(), Error> {
        // Closed before it is replaced.
        self.log = None;
        let file = self.path.join(EPISODES);
        self.index.sort_unstable_by_key(|(episode, _)| *episode);
        let in_order = self.index.is_sorted_by_key(|(_, at)| *at);
        if self.index.is_empty() {
            return Ok(());
        }
        let mut problem = None;
        let mut visit = |line: &[u8]| match serde_json::from_slice(line) {
            Ok(result) => each(result),
            Err(error) => problem = Some(error.to_string()),
        };
        if in_order {
            copy_lines(&file, &self.index, &mut std::io::sink(), &mut visit).map_err(Error::io("read", &file))?;
        } else {
            write_whole_by(&file, |to| copy_lines(&file, &self.index, to, &mut visit)).map_err(
                |error| match error {
                    Error::Io { source, .. } => not_kept(&file, source),
                    other => other,
                },
            )?;
        }
        match problem {
            Some(problem) => Err(Error::Damaged { path: file, problem }),
            None => Ok(()),
        }
    }

    /// Write the summary.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn summarise(&self, summary: &Summary) -> Result<(), Error> {
        write_json(&self.path.join("summary.json"), summary)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The lines that begin at these places, one after another.
fn copy_lines(
    file: &Path,
    index: &[(u64, u64)],
    to: &mut dyn Write,
    visit: &mut dyn FnMut(&[u8]),
) -> std::io::Result<()> {
    let (mut log, mut position, mut line) = (BufReader::new(File::open(file)?), 0, Vec::new());
    for (_, at) in index {
        // A seek within what is buffered costs nothing.
        log.seek_relative(*at as i64 - position)?;
        line.clear();
        position = *at as i64 + log.read_until(b'\n', &mut line)? as i64;
        visit(&line);
        to.write_all(&line)?;
    }
    Ok(())
}

/// All episodes of a batch's folder in order, for whoever reads results.
///
/// # Errors
/// Where there is no batch, or its log is damaged.
pub fn read_folder(path: &Path, each: &mut dyn FnMut(EpisodeResult)) -> Result<Kept, Error> {
    let kept = read_kept(path)?;
    let file = path.join(EPISODES);
    let (mut index, _) = scan_log(&file, &mut |_| {})?;
    index.sort_unstable_by_key(|(episode, at)| (*episode, std::cmp::Reverse(*at)));
    index.dedup_by_key(|(episode, _)| *episode);
    if !index.is_empty() {
        // Each line was read once already.
        let mut visit = |line: &[u8]| serde_json::from_slice(line).into_iter().for_each(&mut *each);
        copy_lines(&file, &index, &mut std::io::sink(), &mut visit).map_err(Error::io("read", &file))?;
    }
    Ok(kept)
}

/// The right to write to a folder, held as long as this process lives.
pub struct Lock(#[expect(dead_code, reason = "it is held, not read")] File);

impl Lock {
    /// Take it.
    ///
    /// # Errors
    /// Where another process has it, or the folder cannot be made.
    pub fn take(folder: &Path) -> Result<Self, Error> {
        make_folder(folder)?;
        let path = folder.join(LOCK);
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Error::InUse(folder.to_owned())),
            // Some network file systems have no locks; better to run than to refuse.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self(file)),
        }
    }
}

/// What differs of these parts, in words.
pub(crate) fn differing<const N: usize>(there: [(&str, String); N], here: [(&str, String); N]) -> Vec<String> {
    let both = there.into_iter().zip(here).filter(|(there, here)| there != here);
    both.map(|((what, there), (_, here))| format!("its {what} is {there}, not {here}")).collect()
}

/// Go on with what earlier calls left in a folder: nothing may differ, and they come before the call that goes on.
pub(crate) fn take_up(
    path: &Path,
    differences: Option<String>,
    calls: &mut Vec<Provenance>,
    earlier: Vec<Provenance>,
) -> Result<(), Error> {
    if let Some(differences) = differences {
        return Err(Error::OtherRun { path: path.to_owned(), differences });
    }
    if let (Some(here), Some(before)) = (calls.last(), earlier.last())
        && let Some(doubts) = here.doubts(before)
    {
        tracing::warn!("{} was begun elsewhere, its numbers may differ: {doubts}", path.display());
    }
    calls.splice(0..0, earlier);
    Ok(())
}

/// What says that the disk is full.
pub(crate) fn not_kept(path: &Path, source: std::io::Error) -> Error {
    Error::NotKept { path: path.to_owned(), source }
}

fn line(result: &EpisodeResult) -> String {
    // Plain numbers and text always have a JSON form.
    serde_json::to_string(result).unwrap_or_default() + "\n"
}

/// Write a value as a JSON file.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    write_whole(path, text.as_bytes()).map_err(|error| match error {
        Error::Io { source, .. } => not_kept(path, source),
        other => other,
    })
}

/// What is in a folder, but for what a process that was killed leaves behind before it has begun.
pub(crate) fn is_empty(path: &Path) -> Result<bool, Error> {
    for entry in fs::read_dir(path).map_err(Error::io("read the folder", path))? {
        let entry = entry.map_err(Error::io("read the folder", path))?.path();
        if !is_temporary(&entry) && entry.file_name() != Some(LOCK.as_ref()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Take away what a process that was killed had not finished.
pub(crate) fn clear_temporaries(path: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(path).map_err(Error::io("read the folder", path))?.flatten().map(|entry| entry.path());
    entries.filter(|entry| is_temporary(entry)).for_each(|entry| drop(fs::remove_file(entry)));
    Ok(())
}

/// The manifest of a batch's folder.
///
/// # Errors
/// Where there is none.
pub fn read_kept(folder: &Path) -> Result<Kept, Error> {
    let path = folder.join(MANIFEST);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::NoBatch(folder.to_owned()));
        }
        other => other.map_err(Error::io("read", &path))?,
    };
    serde_json::from_slice(&text)
        .map_err(|error| Error::Damaged { path, problem: format!("{error}; give another --out") })
}

/// The episodes in a log with their places, and its end. A last line that was cut off is cut off for good: its episode runs again.
fn read_log(path: &Path, seen: &mut dyn FnMut(&EpisodeResult)) -> Result<(Vec<(u64, u64)>, u64), Error> {
    let (index, end) = scan_log(path, seen)?;
    if fs::metadata(path).is_ok_and(|file| file.len() > end) {
        tracing::warn!("the last line of {} was cut off: its episode runs again", path.display());
        let file = OpenOptions::new().write(true).open(path).map_err(Error::io("open", path))?;
        file.set_len(end).map_err(Error::io("shorten", path))?;
    }
    Ok((index, end))
}

/// The episodes in a log with their places, and the end of its last whole line.
fn scan_log(path: &Path, seen: &mut dyn FnMut(&EpisodeResult)) -> Result<(Vec<(u64, u64)>, u64), Error> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        other => other.map_err(Error::io("read", path))?,
    };
    let (mut log, mut index, mut line, mut end) = (BufReader::new(file), Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        let length = log.read_until(b'\n', &mut line).map_err(Error::io("read", path))?;
        match serde_json::from_slice::<EpisodeResult>(&line) {
            _ if length == 0 => return Ok((index, end)),
            Ok(result) if line.ends_with(b"\n") => {
                seen(&result);
                index.push((result.episode, end));
            }
            _ if log.fill_buf().map_err(Error::io("read", path))?.is_empty() => return Ok((index, end)),
            Ok(_) => {}
            Err(error) => {
                let number = index.len() + 1;
                let problem = format!("line {number}: {error}; take the line out, and its episode runs again");
                return Err(Error::Damaged { path: path.to_owned(), problem });
            }
        }
        end += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(seed: u64) -> Kept {
        let text = || "x".to_owned();
        let (version, scenario, scenario_hash, model_hash, actor) = (text(), text(), text(), text(), text());
        let (settings, shard) = (Vec::new(), Shard::default());
        let manifest =
            Manifest { version, scenario, scenario_hash, model_hash, actor, seed, settings, learns_from: None, shard };
        Kept { manifest, replay: String::new(), calls: vec![Provenance::now(1, 0, 9)] }
    }

    fn open(folder: &Path, seed: u64, resume: bool) -> Result<Folder, Error> {
        Folder::open(folder, kept(seed), resume, &mut |_| {})
    }

    fn failed(episode: u64) -> EpisodeResult {
        EpisodeResult::failed(episode, 7, "no".into())
    }

    #[test]
    fn keeps_whole_lines_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = open(folder.path(), 1, false).unwrap();
        for episode in [0, 2, 1] {
            first.append(&failed(episode)).unwrap();
        }
        let file = folder.path().join(EPISODES);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, &text[..text.len() - 9]).unwrap();
        let mut second = open(folder.path(), 1, true).unwrap();
        assert_eq!(second.earlier().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(second.kept().calls.len(), 2);
        second.append(&failed(5)).unwrap();
        second.append(&failed(1)).unwrap();
        let mut seen = Vec::new();
        second.finish(&mut |result| seen.push(result.episode)).unwrap();
        assert_eq!(seen, [0, 1, 2, 5]);
        let mut read = Vec::new();
        read_folder(folder.path(), &mut |result| read.push(result.episode)).unwrap();
        assert_eq!(read, seen);

        fs::write(&file, text.replacen("episode", "what", 1)).unwrap();
        let error = open(folder.path(), 1, true).err().unwrap();
        assert!(matches!(&error, Error::Damaged { problem, .. } if problem.starts_with("line 1:")), "{error}");
    }

    #[test]
    fn refuses_what_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        // A process that was killed before it had begun leaves nothing that counts.
        fs::write(folder.path().join(".manifest.json.7.tmp"), "{").unwrap();
        drop(open(folder.path(), 1, false).unwrap());
        assert!(!folder.path().join(".manifest.json.7.tmp").exists());
        assert!(matches!(open(folder.path(), 1, false).err().unwrap(), Error::OutNotEmpty(_)));
        let other = open(folder.path(), 2, true).err().unwrap();
        assert!(other.to_string().contains("its seed is 1, not 2"), "{other}");
        assert!(other.is_bad_input());
    }

    #[test]
    fn only_one_writes() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        assert!(matches!(Lock::take(folder.path()).err().unwrap(), Error::InUse(_)));
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }
}
