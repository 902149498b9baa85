//! Objects that one call at a time uses.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::errors;

/// Holds a value that calls take out while they use it, so that neither another thread nor a host that is called
/// meanwhile finds it half changed, and nobody waits for a lock with Python locks in the hand.
#[derive(Debug)]
pub(crate) struct Slot<T>(Mutex<Option<T>>);

impl<T> Slot<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    /// Uses the value, or says that somebody does.
    pub(crate) fn with<R>(&self, py: Python<'_>, using: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        let mut taken = self.take().ok_or_else(|| errors::in_use(py))?;
        let answer = using(&mut taken);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        Ok(answer)
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
