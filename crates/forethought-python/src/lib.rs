//! Forethought for Python: the module `forethought._native`, which the package in `python/forethought` wraps.
//!
//! Read first: `python/forethought/_native.pyi`, which tells what is here as Python sees it.

use pyo3::prelude::*;

/// Planning takes and gives back megabytes thousands of times a second, which the system's allocator is slow at, as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The module `forethought._native`.
#[pymodule]
mod _native {
    use super::*;
    use std::{ffi::OsString, path::PathBuf};

    /// Do what a command line says, whose first word is the program's name, and return its exit status.
    #[pyfunction]
    fn main(py: Python<'_>, argv: Vec<OsString>) -> u8 {
        py.detach(|| forethought::cli::main(argv))
    }

    /// Look for scenarios by name in this folder too. The first call counts.
    #[pyfunction]
    fn installed_in(folder: PathBuf) {
        forethought::locate::installed_in(folder);
    }
}
