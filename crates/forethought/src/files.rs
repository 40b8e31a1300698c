//! Files that are either whole or not there. Read first: [`write_whole`].

use crate::error::Error;
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

/// Write a file so that a reader finds the old one or the whole new one, whenever it looks.
///
/// # Errors
/// Where the disk is full or the place may not be written to.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    written.inspect_err(|_| drop(fs::remove_file(&beside))).map_err(Error::io("write", path))
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
