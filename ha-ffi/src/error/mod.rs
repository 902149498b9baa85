//! Errors as C has them: a failure behind a handle.

mod calls;

pub use calls::*;

use std::ffi::CString;

use crate::{
    failure::{Failure, ha_status},
    handles::Handle,
};

/// An error with all that is known about it. Functions that can fail take a pointer to one as their last argument; it may
/// be NULL. It is written only on failure. Free it with ha_error_free().
pub struct ha_error {
    _private: [u8; 0],
}

/// A failure as C reads it: each text with a NUL at its end.
pub(crate) struct ErrorHandle {
    status: ha_status,
    line: usize,
    message: CString,
    kind: CString,
    section: Option<CString>,
    field: Option<CString>,
    details: Option<CString>,
}

impl Handle for ErrorHandle {
    const NAME: &'static str = "ha_error";
}

/// A text for C. A NUL inside would end it: it is shown instead.
pub(crate) fn c_string(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let bytes = error.into_vec();
        let shown = String::from_utf8_lossy(&bytes).replace('\0', "\u{2400}");
        CString::new(shown).unwrap_or_default()
    })
}

impl From<Failure> for ErrorHandle {
    fn from(failure: Failure) -> Self {
        let Failure { status, message, kind, line, section, field, details } = failure;
        Self {
            status,
            line,
            message: c_string(message),
            kind: c_string(kind),
            section: section.map(c_string),
            field: field.map(c_string),
            details: details.map(c_string),
        }
    }
}
