//! Where a scenario is: a path, or the bare name of one that comes along. Read first: [`scenario_file`].

use crate::error::Error;
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Where an installed package keeps its scenarios.
static INSTALLED: OnceLock<PathBuf> = OnceLock::new();

/// Look for scenarios in this folder too, before those of the source tree: for whoever brings them along, as the Python package
/// does. The first call counts.
pub fn installed_in(folder: PathBuf) {
    let _ = INSTALLED.set(folder);
}

/// The file of a scenario given as a path, or as the name of one in `scenarios/`: here, where it is installed, or in the source
/// tree.
///
/// # Errors
/// Where there is no such file; the error names those that there are.
pub fn scenario_file(wanted: &str) -> Result<PathBuf, Error> {
    find(wanted, &folders())
}

/// The scenarios that come along: those in `scenarios/`, here, where they are installed, or in the source tree.
#[must_use]
pub fn scenario_files() -> Vec<PathBuf> {
    let folders = folders();
    let folder = folders.iter().find(|folder| !names_in(folder).is_empty());
    folder.map_or_else(Vec::new, |folder| {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        names_in(&folder).into_iter().map(|name| folder.join(format!("{name}.ron"))).collect()
    })
}

fn folders() -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    [Some(PathBuf::from("scenarios")), INSTALLED.get().cloned(), Some(source)].into_iter().flatten().collect()
}

fn find(wanted: &str, folders: &[PathBuf]) -> Result<PathBuf, Error> {
    let path = Path::new(wanted);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let bare = path.components().count() == 1 && path.extension().is_none();
    let named = folders.iter().map(|folder| folder.join(format!("{wanted}.ron"))).find(|file| file.is_file());
    match named {
        Some(file) if bare => Ok(file),
        _ => Err(Error::NoScenario { wanted: wanted.to_owned(), hint: hint(path, bare, folders) }),
    }
}

fn hint(path: &Path, bare: bool, folders: &[PathBuf]) -> String {
    let names = folders.iter().map(|folder| names_in(folder)).find(|names| !names.is_empty());
    let known = match names {
        Some(names) => format!("the scenarios by name are {}", names.join(", ")),
        None => "there is no folder `scenarios` here".to_owned(),
    };
    if path.is_dir() {
        format!("it is a folder; give a .ron file in it ({known})")
    } else if bare {
        format!("give a path, or a name ({known})")
    } else {
        format!("there is no such file ({known})")
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let files = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let scenarios = files.filter(|file| file.extension().is_some_and(|extension| extension == "ron"));
    let mut names: Vec<String> =
        scenarios.filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_and_paths_and_says_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.ron", "a.ron", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let folders = [folder.path().join("not there"), folder.path().to_owned()];
        let file = folder.path().join("a.ron");
        assert_eq!(find("a", &folders).unwrap(), file);
        assert_eq!(find(file.to_str().unwrap(), &folders).unwrap(), file);
        for (wanted, expected) in
            [("c", "or a name (the scenarios by name are a, b)"), ("no/c.ron", "no such file"), ("/", "a folder")]
        {
            let error = find(wanted, &folders).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.is_bad_input());
        }
    }
}
