//! What the handles of both status records have in common.

use std::sync::Arc;

use ha_core::status::StatusError;
use serde_json::json;

use crate::failure::{Failure, ha_status};

/// A record behind a handle.
pub(crate) enum Record<T> {
    /// The handle's own, or shared with the core.
    Shared(Arc<T>),
    /// Lent to a callback: it lives until the callback returns, and the handle does not outlive that.
    Lent(*const T),
}

// SAFETY: what is lent is read only, by whoever reads through the handle, and outlives all of them: see `get`.
unsafe impl<T: Send + Sync> Sync for Record<T> {}

impl<T: Clone> Record<T> {
    pub(crate) fn get(&self) -> &T {
        match self {
            Self::Shared(record) => record,
            // SAFETY: a handle with a lent record is taken back (see `handles::Lent`) before what it borrows from ends.
            Self::Lent(record) => unsafe { &**record },
        }
    }

    /// The record to keep: shared where it can be, else copied.
    pub(crate) fn keep(&self) -> Arc<T> {
        match self {
            Self::Shared(record) => record.clone(),
            Self::Lent(_) => Arc::new(self.get().clone()),
        }
    }

    /// The record to change. If somebody shares it this one becomes a copy.
    pub(crate) fn change(&mut self) -> Result<&mut T, Failure> {
        match self {
            Self::Shared(record) => Ok(Arc::make_mut(record)),
            Self::Lent(_) => {
                Err(Failure::new(ha_status::HA_ERROR_STATE, "this record is lent to a callback: copy it to change it"))
            }
        }
    }
}

pub(crate) fn unreadable(error: &StatusError) -> Failure {
    let failure = Failure::content(error);
    match error {
        StatusError::Json { line, column, .. } => {
            failure.kind("json").line(*line).details(Some(json!({ "column": column })))
        }
        StatusError::Content { path, line, column, .. } => {
            let failure = failure.kind("content").line(*line).details(Some(json!({ "column": column })));
            failure.field((!path.is_empty()).then_some(path))
        }
        _ => failure,
    }
}
