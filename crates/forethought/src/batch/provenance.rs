//! Where results come from: program, machine and command line. Read first: [`Provenance`].

use crate::episode::hex;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::PathBuf,
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};
use xxhash_rust::xxh3::Xxh3;

/// One call of a batch, for `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The command line, word by word.
    pub command: Vec<String>,
    /// When it began, in seconds since 1970.
    pub started_unix_s: u64,
    /// The commit that the program was built from, perhaps with changes that were not committed; null where unknown.
    pub git_commit: Option<String>,
    /// A hash of the program, in hexadecimal; null where it cannot be read.
    pub program_hash: Option<String>,
    /// Versions of the libraries that results depend on.
    pub libraries: BTreeMap<String, String>,
    /// The machine.
    pub machine: Machine,
    /// Worker threads.
    pub jobs: usize,
    /// The first episode's number.
    pub first: u64,
    /// Episodes from there on.
    pub episodes: u64,
}

/// A machine, as far as results or times depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Its name in the network.
    pub host: Option<String>,
    /// The processor.
    pub processor: Option<String>,
    /// Logical cores that this process may use.
    pub cores: usize,
    /// The vector instructions that planning uses: `avx512`, `avx2` or `portable`.
    pub vectors: String,
    /// Operating system and architecture.
    pub system: String,
}

impl Provenance {
    /// This call, now.
    #[must_use]
    pub fn now(jobs: usize, first: u64, episodes: u64) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let libraries = option_env!("FORETHOUGHT_LIBRARIES").unwrap_or_default().split_whitespace();
        Self {
            command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            started_unix_s: since_1970.as_secs(),
            git_commit: option_env!("FORETHOUGHT_COMMIT").map(str::to_owned),
            program_hash: program_hash(),
            libraries: libraries
                .filter_map(|library| library.split_once('='))
                .map(|(name, version)| (name.to_owned(), version.to_owned()))
                .collect(),
            machine: Machine::this(),
            jobs,
            first,
            episodes,
        }
    }

    /// What may give other numbers here than there; nothing where the same can be expected.
    #[must_use]
    pub fn doubts(&self, there: &Self) -> Option<String> {
        let program = |of: &Self| {
            let [commit, hash] = [&of.git_commit, &of.program_hash].map(|known| known.as_deref().unwrap_or("unknown"));
            format!("program {hash} of commit {commit}")
        };
        let processor = |of: &Self| of.machine.processor.clone().unwrap_or_else(|| "an unknown processor".into());
        let pairs = [
            (program(there), program(self)),
            (processor(there), processor(self)),
            (there.machine.vectors.clone(), self.machine.vectors.clone()),
        ];
        let differing: Vec<String> = pairs
            .into_iter()
            .filter(|(there, here)| there != here)
            .map(|(there, here)| format!("{there} there, {here} here"))
            .collect();
        (!differing.is_empty()).then(|| differing.join("; "))
    }
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let first_line = |file: &str| Some(fs::read_to_string(file).ok()?.lines().next()?.trim().to_owned());
        Self {
            host: first_line("/proc/sys/kernel/hostname").or_else(|| std::env::var("COMPUTERNAME").ok()),
            processor: processor(),
            cores: crate::workers::default_jobs(),
            vectors: vectors().to_owned(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}

/// The file that the program is, where that is not the process's own: a library that an interpreter has loaded.
static LIBRARY: OnceLock<PathBuf> = OnceLock::new();

/// Say that this code runs from a library in this file. The first call counts.
pub fn loaded_from(library: PathBuf) {
    let _ = LIBRARY.set(library);
}

fn program() -> std::io::Result<PathBuf> {
    LIBRARY.get().cloned().map_or_else(std::env::current_exe, Ok)
}

/// Once for all cells of a sweep, and piece by piece, for programs are large.
fn program_hash() -> Option<String> {
    static HASH: OnceLock<Option<String>> = OnceLock::new();
    let hash = || {
        let mut program = BufReader::with_capacity(1 << 16, File::open(program().ok()?).ok()?);
        let mut hash = Xxh3::new();
        loop {
            match program.fill_buf().ok()? {
                [] => return Some(hex(hash.digest())),
                piece => {
                    hash.update(piece);
                    let length = piece.len();
                    program.consume(length);
                }
            }
        }
    };
    HASH.get_or_init(hash).clone()
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "avx512"
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        "avx2"
    } else {
        "portable"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    "portable"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_may_differ() {
        let here = Provenance::now(2, 0, 10);
        assert_eq!(here.doubts(&Provenance { jobs: 7, ..here.clone() }), None);
        let there = Provenance { program_hash: Some("abc".into()), ..here.clone() };
        assert!(here.doubts(&there).is_some_and(|doubts| doubts.starts_with("program abc of")));
        let read: Provenance = serde_json::from_str(&serde_json::to_string(&here).unwrap()).unwrap();
        assert_eq!(read, here);
        assert!(here.libraries.contains_key("rapier2d"), "{:?}", here.libraries);
    }
}
