//! Files that are either whole or not there. Read first: [`write_whole`].

use crate::error::Error;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

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
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}{TEMPORARY}", std::process::id()));
    let written = File::create(&beside).and_then(|file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.into_inner()?.sync_all()?;
        fs::rename(&beside, path)
    });
    written.inspect_err(|_| drop(fs::remove_file(&beside))).map_err(Error::io("write", path))
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
}
