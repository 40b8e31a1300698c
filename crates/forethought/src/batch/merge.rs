//! The parts of a batch put together. Read first: [`merge`].

use super::{
    Call, Kept, Lock, Shard, Summary, Totals,
    folder::{Folder, read_folder, read_kept},
};
use crate::{episode::EpisodeResult, error::Error};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Put the shards of a batch together in the folder `out`, which then is as though one machine had run it: the same episodes, the
/// same digest. A summary for each cell. Where episodes are missing, summaries tell so, and `batch --resume` runs them.
///
/// # Errors
/// Where a folder is no shard of the same batch, two shards differ over an episode, or `out` holds something else.
pub fn merge(out: &Path, shards: &[PathBuf], resume: bool) -> Result<Vec<Summary>, Error> {
    let _lock = Lock::take(out)?;
    let mut cells: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for shard in shards {
        let found = cells_of(shard)?;
        if found.is_empty() {
            // Says what is missing.
            read_kept(shard)?;
        }
        for cell in found {
            cells.entry(cell.clone()).or_default().push(shard.join(cell));
        }
    }
    cells.iter().map(|(cell, parts)| merge_cell(&out.join(cell), parts, resume)).collect()
}

/// The cells of a batch's folder: itself, or the folders in it that have a manifest.
///
/// # Errors
/// Where it cannot be read.
pub fn cells_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    if folder.join("manifest.json").is_file() {
        return Ok(vec![PathBuf::new()]);
    }
    let entries = fs::read_dir(folder).map_err(Error::io("read the folder", folder))?;
    let cells = entries.flatten().filter(|entry| entry.path().join("manifest.json").is_file());
    let mut cells: Vec<PathBuf> = cells.map(|entry| entry.file_name().into()).collect();
    cells.sort();
    Ok(cells)
}

fn merge_cell(out: &Path, parts: &[PathBuf], resume: bool) -> Result<Summary, Error> {
    let mut kept = united(parts)?;
    let wanted = wanted(&kept);
    // What the calls of the shards ran counts, not this call, which runs nothing.
    let calls = std::mem::take(&mut kept.calls);
    let calls = if resume && out.join("manifest.json").exists() { Vec::new() } else { calls };
    let manifest = kept.manifest.clone();
    let mut digests: BTreeMap<u64, String> = BTreeMap::new();
    let mut seen = |result: &EpisodeResult| drop(digests.insert(result.episode, result.digest.clone()));
    let mut folder = Folder::open(out, Kept { calls, ..kept }, resume, &mut seen)?;
    for part in parts {
        let mut problem = Ok(());
        read_folder(part, &mut |result| {
            if problem.is_ok() {
                problem = take(&mut folder, &mut digests, part, &result);
            }
        })?;
        problem?;
    }
    let (mut totals, mut env_steps) = (Totals::default(), 0);
    folder.finish(&mut |result| {
        env_steps += u64::from(result.steps);
        totals.count(&result);
    })?;
    let episodes = digests.len() as u64;
    let call = Call { requested: wanted.max(episodes), resumed: episodes, ..Call::default() };
    let summary = totals.summary(manifest, &call, None);
    folder.summarise(&summary)?;
    Ok(summary)
}

/// Keep an episode, unless it is there.
fn take(
    folder: &mut Folder,
    digests: &mut BTreeMap<u64, String>,
    part: &Path,
    result: &EpisodeResult,
) -> Result<(), Error> {
    match digests.get(&result.episode) {
        None => {
            digests.insert(result.episode, result.digest.clone());
            folder.append(result)
        }
        Some(digest) if *digest == result.digest => Ok(()),
        Some(digest) => {
            let differences =
                format!("its episode {} has the digest {}, another shard's {digest}", result.episode, result.digest);
            Err(Error::OtherRun { path: part.to_owned(), differences })
        }
    }
}

/// The manifest that all shards are parts of, with the calls of all.
fn united(parts: &[PathBuf]) -> Result<Kept, Error> {
    let mut united: Option<Kept> = None;
    for part in parts {
        let mut kept = read_kept(part)?;
        let of = kept.manifest.shard.of;
        kept.manifest.shard = Shard::default();
        match &mut united {
            None => united = Some(kept),
            Some(united) => {
                if let Some(differences) = united.manifest.differences(&kept.manifest) {
                    return Err(Error::OtherRun { path: part.clone(), differences });
                }
                if let (Some(here), Some(first)) = (kept.calls.last(), united.calls.first())
                    && let Some(doubts) = here.doubts(first)
                {
                    tracing::warn!("{} (of {of}) was run elsewhere than the first shard: {doubts}", part.display());
                }
                united.calls.extend(kept.calls);
            }
        }
    }
    united.ok_or_else(|| Error::Resume("there is nothing to merge".into()))
}

/// How many episodes the calls asked for together.
fn wanted(kept: &Kept) -> u64 {
    let ranges: BTreeSet<(u64, u64)> = kept.calls.iter().map(|call| (call.first, call.first + call.episodes)).collect();
    let (mut count, mut end) = (0, 0);
    for (first, last) in ranges {
        count += last.saturating_sub(first.max(end));
        end = end.max(last);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Manifest, Provenance};

    fn kept(shard: Shard, seed: u64) -> Kept {
        let text = || "x".to_owned();
        let (version, scenario, scenario_hash, model_hash, actor) = (text(), text(), text(), text(), text());
        let (settings, learns_from) = (Vec::new(), None);
        let manifest =
            Manifest { version, scenario, scenario_hash, model_hash, actor, seed, settings, learns_from, shard };
        Kept { manifest, replay: String::new(), calls: vec![Provenance::now(1, 0, 4)] }
    }

    fn part(folder: &Path, index: u64, seed: u64, episodes: &[u64]) -> PathBuf {
        let path = folder.join(index.to_string());
        let mut part = Folder::open(&path, kept(Shard { index, of: 2 }, seed), false, &mut |_| {}).unwrap();
        for episode in episodes {
            part.append(&EpisodeResult::failed(*episode, 7, "no".into())).unwrap();
        }
        path
    }

    #[test]
    fn parts_are_put_together_and_strangers_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let parts = [part(path, 1, 1, &[0, 2]), part(path, 2, 1, &[1])];
        let out = path.join("out");
        let summary = &merge(&out, &parts, false).unwrap()[0];
        assert_eq!((summary.episodes, summary.requested), (3, 4), "one is missing");
        assert!(read_kept(&out).unwrap().manifest.shard.is_whole());
        assert!(matches!(merge(&out, &parts, false), Err(Error::OutNotEmpty(_))));
        assert_eq!(merge(&out, &parts, true).unwrap()[0].digest, summary.digest);
        assert_eq!(read_kept(&out).unwrap().calls.len(), 2);

        let stranger = part(path, 3, 2, &[3]);
        let error = merge(&path.join("other"), &[parts[0].clone(), stranger], false).unwrap_err();
        assert!(error.to_string().contains("its seed is 2, not 1"), "{error}");
    }

    #[test]
    fn what_was_asked_for_is_counted_once() {
        let call = |first, episodes| Provenance { first, episodes, ..Provenance::now(1, 0, 0) };
        let of = |calls| wanted(&Kept { calls, ..kept(Shard::default(), 1) });
        assert_eq!(of(vec![call(0, 10), call(0, 10)]), 10);
        assert_eq!(of(vec![call(5, 10), call(0, 10), call(20, 2), call(2, 1)]), 17);
        assert_eq!(of(vec![]), 0);
    }
}
