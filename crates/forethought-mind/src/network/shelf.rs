//! Memory that is used again and again. Read first: [`Shelf`].

use std::sync::{Arc, Mutex, PoisonError};

/// Memory kept for the next pass: fresh pages cost as much as the arithmetic.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Vec<Vec<f32>>>>);

impl Shelf {
    /// `length` numbers of any value.
    pub(crate) fn take(&self, length: usize) -> Vec<f32> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut values = found.unwrap_or_default();
        values.resize(length, 0.0);
        values
    }

    /// Put numbers back that are no longer needed.
    pub(crate) fn give_back(&self, values: impl IntoIterator<Item = Vec<f32>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(values);
    }
}
