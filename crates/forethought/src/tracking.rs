//! Metrics as TensorBoard reads them. Read first: [`EventFile`] and [`Track`].
//!
//! An event file is a row of TFRecords (a length and the bytes, each with a checksum: tensorflow/core/lib/io/record_writer.h), each a
//! protocol buffer `Event` (tensorflow/core/util/event.proto). Of both only what scalars need is written here.

use crate::{batch::Tally, episode::EpisodeResult, error::Error, files::make_folder};
use crc::{CRC_32_ISCSI, Crc};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// One event file in a folder that `tensorboard --logdir` is given; every event is with the operating system once it is written.
pub struct EventFile {
    path: PathBuf,
    file: File,
}

/// How a run of episodes goes, in an event file that begins with the first of them.
pub struct Track {
    folder: Option<PathBuf>,
    events: Option<EventFile>,
}

impl Track {
    /// In this folder; without one nothing is told.
    #[must_use]
    pub fn in_folder(folder: Option<PathBuf>) -> Self {
        Self { folder, events: None }
    }

    /// An episode has ended: how it was, and how all went so far.
    ///
    /// # Errors
    /// Where the folder may not be written to, or the disk is full.
    pub fn episode(&mut self, result: &EpisodeResult, tally: &Tally) -> Result<(), Error> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let events = match &mut self.events {
            Some(events) => events,
            unopened => unopened.insert(EventFile::begin(folder, tally.done)?),
        };
        events.episode(result, tally)
    }
}

impl EventFile {
    /// Begin a new file in this folder. What earlier files there say of `from` and later steps no longer counts.
    ///
    /// # Errors
    /// Where the folder may not be written to.
    pub fn begin(folder: &Path, from: u64) -> Result<Self, Error> {
        static BEGUN: AtomicU32 = AtomicU32::new(0);
        make_folder(folder)?;
        // TensorBoard reads the files of a folder in the order of their names.
        let (process, number) = (std::process::id(), BEGUN.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(format!("events.out.tfevents.{:010}.forethought.{process}.{number}", now_s() as u64));
        let file = OpenOptions::new().create_new(true).append(true).open(&path).map_err(Error::io("create", &path))?;
        let mut events = Self { path, file };
        events.write(0, &text(3, b"brain.Event:2"))?;
        // The status of a session that starts is 1.
        events.write(from, &text(7, &number_field(1, 1)))?;
        Ok(events)
    }

    /// Tell these numbers of a step, by their tags.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn scalars<'a>(&mut self, step: u64, scalars: impl IntoIterator<Item = (&'a str, f64)>) -> Result<(), Error> {
        let mut summary = Vec::new();
        for (tag, number) in scalars {
            let mut value = text(1, tag.as_bytes());
            value.push(2 << 3 | 5);
            value.extend((number as f32).to_le_bytes());
            summary.extend(text(1, &value));
        }
        self.write(step, &text(5, &summary))
    }

    fn episode(&mut self, result: &EpisodeResult, tally: &Tally) -> Result<(), Error> {
        let rate = tally.successes as f64 / tally.done.max(1) as f64;
        let decisions = result.decision_ms.len().max(1) as f64;
        let decision_ms = result.decision_ms.iter().map(|ms| f64::from(*ms)).sum::<f64>() / decisions;
        let mut scalars = vec![("success_rate", rate), ("episode/steps", result.steps.into())];
        scalars.extend((!result.decision_ms.is_empty()).then_some(("episode/decision_ms", decision_ms)));
        scalars.extend(result.distance_m.map(|metres| ("episode/distance_m", metres.into())));
        scalars.extend(result.life.as_ref().map(|life| ("episode/mean_energy", life.mean_energy)));
        self.scalars(tally.done, scalars)
    }

    /// One event at this step with this content.
    fn write(&mut self, step: u64, content: &[u8]) -> Result<(), Error> {
        let mut event = vec![1 << 3 | 1];
        event.extend(now_s().to_le_bytes());
        event.extend(number_field(2, step));
        event.extend(content);
        let length = (event.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(masked(&length).to_le_bytes());
        record.extend(&event);
        record.extend(masked(&event).to_le_bytes());
        self.file.write_all(&record).map_err(Error::io("write", &self.path))
    }
}

fn now_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// A checksum as TFRecords have it: a checksum of data that holds checksums is to tell something too.
fn masked(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A protocol buffer's number of variable length.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn number_field(field: u8, number: u64) -> Vec<u8> {
    std::iter::once(field << 3).chain(varint(number)).collect()
}

/// A protocol buffer's field with bytes, text or a message.
fn text(field: u8, bytes: &[u8]) -> Vec<u8> {
    let head = std::iter::once(field << 3 | 2).chain(varint(bytes.len() as u64));
    head.chain(bytes.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a file, their checksums checked.
    fn records(path: &Path) -> Vec<Vec<u8>> {
        let bytes = std::fs::read(path).unwrap();
        let (mut rest, mut records) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(12);
            let length = u64::from_le_bytes(head[..8].try_into().unwrap()) as usize;
            assert_eq!(u32::from_le_bytes(head[8..].try_into().unwrap()), masked(&head[..8]));
            let (record, tail) = tail.split_at(length);
            assert_eq!(u32::from_le_bytes(tail[..4].try_into().unwrap()), masked(record));
            records.push(record.to_vec());
            rest = &tail[4..];
        }
        records
    }

    #[test]
    fn checksums_are_those_of_tfrecords() {
        // RFC 3720, B.4: 32 bytes of zeros; and the mask of crc32c.h by hand.
        assert_eq!(CRC.checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn numbers_are_as_short_as_may_be() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(127), [127]);
        assert_eq!(varint(300), [0xac, 0x02]);
        assert_eq!(varint(u64::MAX).len(), 10);
    }

    #[test]
    fn a_file_holds_what_it_was_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = EventFile::begin(folder.path(), 7).unwrap();
        events.scalars(8, [("loss", 0.5), ("terms/prediction", 0.25)]).unwrap();
        // A second file beside it.
        let other = EventFile::begin(folder.path(), 9).unwrap();
        assert_ne!(events.path, other.path);
        let records = records(&events.path);
        assert_eq!(records.len(), 3);
        assert!(records[0].ends_with(b"\x1a\x0dbrain.Event:2"));
        assert!(records[1].ends_with(&[2 << 3, 7, 7 << 3 | 2, 2, 1 << 3, 1]));
        let mut expected = b"\x10\x08\x2a\x28\x0a\x0b\x0a\x04loss\x15".to_vec();
        expected.extend(0.5_f32.to_le_bytes());
        expected.extend(b"\x0a\x17\x0a\x10terms/prediction\x15");
        expected.extend(0.25_f32.to_le_bytes());
        expected[3] = u8::try_from(expected.len() - 4).unwrap();
        assert!(records[2].ends_with(&expected), "{:?}", records[2]);
    }
}
