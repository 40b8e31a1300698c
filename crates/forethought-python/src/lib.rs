//! Forethought for Python: the module `forethought._native`, which the package in `python/forethought` wraps.
//!
//! Read first: `python/forethought/_native.pyi`, which tells what is here as Python sees it.

mod environments;
mod errors;
mod mind;

/// Planning takes and gives back megabytes thousands of times a second, which the system's allocator is slow at, as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The module `forethought._native`.
#[pyo3::pymodule]
mod _native {
    use crate::errors::unlocked;
    use pyo3::prelude::*;
    use std::{ffi::OsString, path::PathBuf};

    #[pymodule_export]
    use crate::{environments::Environments, mind::Mind};

    /// Do what a command line says, whose first word is the program's name, and return its exit status.
    #[pyfunction]
    fn main(py: Python<'_>, argv: Vec<OsString>) -> PyResult<u8> {
        unlocked(py, || Ok(forethought::cli::main(argv)))
    }

    /// The version of Forethought.
    #[pyfunction]
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Say where the package is installed: the folder of the scenarios that come along, and the file of this module. The first call
    /// counts.
    #[pyfunction]
    fn installed_in(scenarios: PathBuf, library: PathBuf) {
        forethought::locate::installed_in(scenarios);
        forethought::batch::loaded_from(library);
    }
}
