//! Objects that one call at a time uses.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::raise;

/// Holds a value that calls take out while they use it, so that neither another thread nor a host that is called
/// meanwhile finds it half changed, and nobody waits for a lock while it holds Python locks.
#[derive(Debug)]
pub(crate) struct Slot<T>(Mutex<Content<T>>);

#[derive(Debug)]
enum Content<T> {
    Free(T),
    InUse,
    /// The call that used it did not come to its end: what it left must not be trusted.
    Lost,
}

/// Notes that a value is lost, unless it is put back.
struct Loan<'a, T>(&'a Slot<T>);

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        let mut content = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Content::InUse = *content {
            *content = Content::Lost;
        }
    }
}

impl<T> Slot<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(Content::Free(value)))
    }

    /// Uses the value, or says that somebody does.
    pub(crate) fn with<R>(&self, py: Python<'_>, using: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        let mut taken = match self.replace(Content::InUse) {
            Content::Free(value) => value,
            Content::InUse => return Err(raise::in_use(py)),
            Content::Lost => {
                self.replace(Content::Lost);
                return Err(raise::lost(py));
            }
        };
        let loan = Loan(self);
        let answer = using(&mut taken);
        self.replace(Content::Free(taken));
        drop(loan);
        Ok(answer)
    }

    /// Uses the value, unless somebody does.
    pub(crate) fn with_if_free<R>(&self, py: Python<'_>, using: impl FnOnce(&mut T) -> R) -> PyResult<Option<R>> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Content::InUse => return Ok(None),
            Content::Free(_) | Content::Lost => {}
        }
        self.with(py, using).map(Some)
    }

    fn replace(&self, content: Content<T>) -> Content<T> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), content)
    }
}
