//! Rust's errors and panics as Python's exceptions. Read first: [`unlocked`].

use forethought::Error;
use forethought_mind::QuestionError;
use pyo3::{
    PyErr, Python,
    exceptions::{PyRuntimeError, PyValueError},
};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What went wrong, before it is known to Python.
pub enum Trouble {
    /// The caller's doing.
    Input(String),
    /// Something else.
    Other(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let told = error.to_string();
        if error.is_bad_input() { Self::Input(told) } else { Self::Other(told) }
    }
}

impl From<QuestionError> for Trouble {
    fn from(error: QuestionError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<Trouble> for PyErr {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Input(told) => PyValueError::new_err(told),
            Trouble::Other(told) => PyRuntimeError::new_err(told),
        }
    }
}

/// Do this without Python's lock, so that its other threads go on meanwhile. A panic becomes a `RuntimeError`.
pub fn unlocked<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Trouble> + Send) -> Result<T, PyErr> {
    py.detach(|| guarded(work)).map_err(PyErr::from)
}

/// Do this; a panic becomes an error, after which what it worked on begins anew with the next episode.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Trouble::Other(told(&*panic))))
}

fn told(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let message = message.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    format!("forethought failed where it should not: {message}; please report it")
}
