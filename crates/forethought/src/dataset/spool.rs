//! Episodes as they end, kept before they are put in order. Read first: [`Spool`].
//!
//! A record is its length, a hash, the episode's number and what was collected, compressed. Nothing of an earlier record is touched
//! when a later one is appended, so a process that is killed loses no more than the record that it was writing.

use super::column::{Column, Rows, Values};
use crate::{episode::EpisodeResult, error::Error, files::Growing};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use forethought_interface::FactorValues;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

/// A record's head: length, hash and episode, each a word of eight bytes.
const HEAD: usize = 24;

/// One episode: what it came to, and a trajectory for each agent that was recorded; none where it went wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// What it came to.
    pub result: EpisodeResult,
    /// The trajectories, in scenario order of their agents.
    pub trajectories: Vec<Rows>,
}

/// What stands before the values of a record.
#[derive(Serialize, Deserialize)]
struct Contents {
    /// Without its factors.
    result: EpisodeResult,
    /// Their bits: JSON's digits are not read back to the last one.
    factors: Vec<(String, u64)>,
    /// Rows of each trajectory.
    rows: Vec<usize>,
}

impl Collected {
    /// Compress it: what workers hand over.
    ///
    /// # Errors
    /// Where the result has no JSON form.
    pub fn pack(&self) -> Result<Vec<u8>, Error> {
        let rows = self.trajectories.iter().map(|rows| rows.count).collect();
        let factors = self.result.factors.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect();
        let result = EpisodeResult { factors: FactorValues::new(), ..self.result.clone() };
        let contents = serde_json::to_vec(&Contents { result, factors, rows });
        let contents = contents.map_err(|error| Error::Worker(error.to_string()))?;
        let mut plain = (contents.len() as u64).to_le_bytes().to_vec();
        plain.extend(contents);
        self.trajectories.iter().flat_map(|rows| &rows.values).for_each(|values| values.write(&mut plain));
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&plain).and_then(|()| packed.finish()).map_err(|error| Error::Worker(error.to_string()))
    }

    /// The reverse; none of what is not so packed.
    fn unpack(packed: &[u8], columns: &[Column]) -> Option<Self> {
        let mut plain = Vec::new();
        DeflateDecoder::new(packed).read_to_end(&mut plain).ok()?;
        let (length, rest) = plain.split_first_chunk()?;
        let (contents, mut rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let Contents { result, factors, rows } = serde_json::from_slice(contents).ok()?;
        let factors = factors.into_iter().map(|(name, bits)| (name, f64::from_bits(bits))).collect();
        let result = EpisodeResult { factors, ..result };
        let mut trajectory = |count: usize| {
            let read = |column: &Column| Values::read(column.kind, count.checked_mul(column.width())?, &mut rest);
            Some(Rows { count, values: columns.iter().map(read).collect::<Option<_>>()? })
        };
        let trajectories = rows.into_iter().map(&mut trajectory).collect::<Option<_>>()?;
        rest.is_empty().then_some(Self { result, trajectories })
    }
}

/// The file of records.
pub struct Spool {
    path: PathBuf,
    file: Growing,
    end: u64,
    /// Each episode and where its record begins, in order of episodes.
    index: Vec<(u64, u64)>,
}

impl Spool {
    /// Open it, new or with what is there. A last record that was cut off is cut off for good: its episode runs again.
    ///
    /// # Errors
    /// Where it cannot be read or written, or another record is damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (mut index, end) = scan(path)?;
        index.sort_unstable();
        index.dedup_by_key(|(episode, _)| *episode);
        let mut file = Growing::open(path)?;
        if file.file().metadata().is_ok_and(|file| file.len() > end) {
            tracing::warn!("the last record of {} was cut off: its episode runs again", path.display());
            file.file().set_len(end).map_err(Error::io("shorten", path))?;
        }
        Ok(Self { path: path.to_owned(), file, end, index })
    }

    /// The episodes that are there, in order.
    pub fn episodes(&self) -> impl Iterator<Item = u64> + '_ {
        self.index.iter().map(|(episode, _)| *episode)
    }

    /// Keep one more: after this, no end of this process loses it, and soon no end of the machine.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn append(&mut self, episode: u64, packed: &[u8]) -> Result<(), Error> {
        let mut record = Vec::with_capacity(HEAD + packed.len());
        for word in [packed.len() as u64, xxh3_64_with_seed(packed, episode), episode] {
            record.extend(word.to_le_bytes());
        }
        record.extend(packed);
        self.file.append(&record)?;
        let place = self.index.partition_point(|(other, _)| *other < episode);
        self.index.insert(place, (episode, self.end));
        self.end += record.len() as u64;
        Ok(())
    }

    /// Hand over the episodes from `first` to before `end`, in order, holding no more than one.
    ///
    /// # Errors
    /// Where the file cannot be read, and what `each` says.
    pub fn in_order(
        &mut self,
        episodes: std::ops::Range<u64>,
        columns: &[Column],
        each: &mut dyn FnMut(Collected) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let damaged = || damaged(&self.path);
        for (_, at) in self.index.iter().filter(|(episode, _)| episodes.contains(episode)) {
            let file = self.file.file();
            file.seek(SeekFrom::Start(*at)).map_err(Error::io("read", &self.path))?;
            let (_, packed) = record(file).map_err(Error::io("read", &self.path))?.ok_or_else(damaged)?;
            each(Collected::unpack(&packed, columns).ok_or_else(damaged)?)?;
        }
        Ok(())
    }
}

fn damaged(path: &Path) -> Error {
    Error::Damaged { path: path.to_owned(), problem: "what it holds is not what was written; collect anew".into() }
}

/// The next record: its episode and what it holds; none where it is not whole or not what was written.
fn record(from: &mut impl Read) -> io::Result<Option<(u64, Vec<u8>)>> {
    let mut head = [0; HEAD];
    match from.read_exact(&mut head) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let word = |at: usize| head[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let [length, hash, episode] = [word(0), word(8), word(16)];
    let mut packed = Vec::new();
    // A length that is not what was written does not ask for memory that is not there.
    from.take(length).read_to_end(&mut packed)?;
    let whole = packed.len() as u64 == length && xxh3_64_with_seed(&packed, episode) == hash;
    Ok(whole.then_some((episode, packed)))
}

/// Each episode with the place of its record, and the end of the last whole one.
fn scan(path: &Path) -> Result<(Vec<(u64, u64)>, u64), Error> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        other => other.map_err(Error::io("read", path))?,
    };
    let length = fs::metadata(path).map_err(Error::io("read", path))?.len();
    let (mut from, mut index, mut end) = (BufReader::new(file), Vec::new(), 0);
    while end < length {
        match record(&mut from).map_err(Error::io("read", path))? {
            Some((episode, packed)) => {
                index.push((episode, end));
                end += (HEAD + packed.len()) as u64;
            }
            // The last one; where it is not, what follows cannot be told from noise.
            None if from.stream_position().map_err(Error::io("read", path))? >= length => break,
            None => return Err(damaged(path)),
        }
    }
    Ok((index, end))
}

/// A hash over everything that was collected, the same for any order in which it ended.
#[derive(Default)]
pub struct Digest(Xxh3);

impl Digest {
    /// Take in one episode, in order.
    pub fn add(&mut self, collected: &Collected) {
        let mut bytes = Vec::new();
        self.0.update(&collected.result.episode.to_le_bytes());
        for values in collected.trajectories.iter().flat_map(|rows| &rows.values) {
            bytes.clear();
            values.write(&mut bytes);
            self.0.update(&bytes);
        }
    }

    /// The hash.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.digest()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::column::Kind, *};

    fn columns() -> Vec<Column> {
        vec![Column::of("step", Kind::I64), Column::shaped("lidar.range_m", Kind::F32, &[2])]
    }

    fn collected(episode: u64) -> Collected {
        let values = vec![Values::I64(vec![0, 1, 2]), Values::F32(vec![episode as f32; 6])];
        let factors = [("wall_x".to_owned(), 0.1 + 0.2 + episode as f64 / 3.0)].into_iter().collect();
        let result = EpisodeResult { factors, ..EpisodeResult::failed(episode, 7, "no".into()) };
        Collected { result, trajectories: vec![Rows { count: 3, values }] }
    }

    fn read(spool: &mut Spool) -> Vec<Collected> {
        let mut all = Vec::new();
        let each = &mut |collected| {
            all.push(collected);
            Ok(())
        };
        spool.in_order(0..100, &columns(), each).unwrap();
        all
    }

    #[test]
    fn keeps_whole_records_only_and_gives_them_back_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.spool");
        let mut spool = Spool::open(&path).unwrap();
        for episode in [4, 0, 2] {
            spool.append(episode, &collected(episode).pack().unwrap()).unwrap();
        }
        assert_eq!(read(&mut spool), [0, 2, 4].map(collected));
        let whole = fs::read(&path).unwrap();
        // Wherever the last record is cut off, the others stay.
        let record = whole.len() / 3;
        for cut in [1, 5, record - HEAD, record - 1] {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut cut_off = Spool::open(&path).unwrap();
            assert_eq!(cut_off.episodes().collect::<Vec<_>>(), [0, 4]);
            cut_off.append(2, &collected(2).pack().unwrap()).unwrap();
            assert_eq!(read(&mut cut_off), [0, 2, 4].map(collected));
        }
    }

    #[test]
    fn tells_damage_from_what_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.spool");
        let mut spool = Spool::open(&path).unwrap();
        [0, 1].into_iter().for_each(|episode| spool.append(episode, &collected(episode).pack().unwrap()).unwrap());
        let mut bytes = fs::read(&path).unwrap();
        bytes[HEAD + 3] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(Spool::open(&path).err().unwrap(), Error::Damaged { .. }));
    }

    #[test]
    fn the_digest_tells_what_was_collected() {
        let digest = |all: &[Collected]| {
            let mut digest = Digest::default();
            all.iter().for_each(|collected| digest.add(collected));
            digest.value()
        };
        let mut other = collected(1);
        other.trajectories[0].values[1] = Values::F32(vec![1.0, 1.0, 1.0, 1.0, 1.0, 1.5]);
        assert_eq!(digest(&[collected(0), collected(1)]), digest(&[collected(0), collected(1)]));
        assert_ne!(digest(&[collected(0), collected(1)]), digest(&[collected(0), other]));
    }
}
