//! Files that are either whole or not there. Read first: [`write_whole`]; [`Unfinished`] is for what grows bit by bit, [`Growing`] for what
//! may end at any moment.

use crate::error::Error;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// No longer than this, what was appended is only with the operating system and not yet on the disk.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Write a file so that a reader finds the old one or the whole new one, whenever it looks.
///
/// # Errors
/// Where the disk is full or the place may not be written to.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), Error> {
    write_whole_by(path, |file| file.write_all(contents))
}

/// The same for what is too much to hold in memory.
///
/// # Errors
/// As [`write_whole`], and what `write` says.
pub fn write_whole_by(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Error> {
    let mut file = Unfinished::begin(path)?;
    write(&mut file.file).map_err(Error::io("write", path))?;
    file.keep()
}

/// The same for a library that opens its files itself: `write` is given the place to write to.
///
/// # Errors
/// Where the disk is full or the place may not be written to, and what `write` says.
pub fn write_whole_at(path: &Path, write: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let file = Unfinished::begin(path)?;
    write(&file.beside)?;
    file.keep()
}

/// A file that is only appended to: no end of this process loses what it holds, and soon no end of the machine.
pub struct Growing {
    path: PathBuf,
    file: File,
    synced: Instant,
}

impl Growing {
    /// Open it, new or with what is there.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().create(true).read(true).append(true).open(path);
        let file = file.map_err(Error::io("open", path))?;
        Ok(Self { path: path.to_owned(), file, synced: Instant::now() })
    }

    /// The file, to read from or to shorten.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Put this at its end.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(bytes).and_then(|()| match self.synced.elapsed() {
            soon if soon < SYNC_EVERY => Ok(()),
            _ => {
                self.synced = Instant::now();
                self.file.sync_data()
            }
        });
        written.map_err(|source| Error::NotKept { path: self.path.clone(), source })
    }
}

/// A file that is being written. It takes its place once it is whole, and goes away where it never is.
pub struct Unfinished {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
    kept: bool,
}

impl Unfinished {
    /// Begin a file beside the place that it will take.
    ///
    /// # Errors
    /// Where the place may not be written to, or is a folder.
    pub fn begin(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Err(Error::io("write", path)(io::ErrorKind::IsADirectory.into()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}{TEMPORARY}", std::process::id()));
        let file = BufWriter::new(File::create(&beside).map_err(Error::io("write", path))?);
        Ok(Self { path: path.to_owned(), beside, file, kept: false })
    }

    /// It is whole: put it in its place.
    ///
    /// # Errors
    /// Where the disk is full or the system refuses.
    pub fn keep(mut self) -> Result<(), Error> {
        let put = self.file.flush();
        let put = put.and_then(|()| self.file.get_ref().sync_all());
        put.and_then(|()| fs::rename(&self.beside, &self.path)).map_err(Error::io("write", &self.path))?;
        self.kept = true;
        Ok(())
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.kept {
            // There is nothing left to do where even that is refused.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// How a file's name ends that is not whole yet.
const TEMPORARY: &str = ".tmp";

/// Whether this is a file of ours that is not whole: a process that was killed leaves it behind.
#[must_use]
pub fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') && name.ends_with(TEMPORARY)
}

/// Make a directory and those above it.
///
/// # Errors
/// Where a part of the path is a file or may not be written to.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::io("create the folder", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        write_whole(&file, b"old, and longer").unwrap();
        write_whole(&file, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write_whole(&folder.path().join("no/such/place"), b"").unwrap_err();
        assert!(!error.is_bad_input());
        assert!(error.to_string().contains("no/such/place"), "{error}");
    }

    #[test]
    fn what_is_never_finished_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.gif");
        fs::write(&file, b"old").unwrap();
        let mut unfinished = Unfinished::begin(&file).unwrap();
        unfinished.write_all(b"new").unwrap();
        drop(unfinished);
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let Err(error) = Unfinished::begin(folder.path()) else { panic!("a folder was taken for a file") };
        assert!(error.to_string().contains("directory"), "{error}");
    }
}
