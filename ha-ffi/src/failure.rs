//! Status codes, and errors with all that is known about them.

use std::ffi::{CString, c_char};

use crate::{
    boundary::{Call, call},
    handles::{self, Handle},
};

/// What a function says of its outcome. Positive is well, negative is an error, 0 is never used.
///
/// Numbers keep their meaning for ever; new ones may come. Compare with HA_OK, and treat what you do not know as an error
/// if it is negative.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_status {
    /// Done.
    HA_OK = 1,
    /// Done, and the answer is that there is none: no such property is set, no node is left for the service.
    HA_NONE = 2,
    /// An argument is not what it should be: NULL where something is needed, text that is not UTF-8, a number that stands
    /// for nothing.
    HA_ERROR_ARGUMENT = -1,
    /// A handle that was freed, was lent to a callback that has returned, is of another type, or never was a handle.
    HA_ERROR_HANDLE = -2,
    /// A handle that is in use: by the call that this callback is inside of, or by another thread.
    HA_ERROR_BUSY = -3,
    /// A bug of this library struck, now or in an earlier call with this handle. See "After a bug" in the introduction: stop
    /// feeding the watchdog.
    HA_ERROR_PANIC = -4,
    /// A name (of a service, node, rule, …) that is not valid.
    HA_ERROR_NAME = -5,
    /// A text that is not what it should be: a status record, a command line, JSON, a file of a configuration.
    HA_ERROR_CONTENT = -6,
    /// There is no such thing: no such service, section, index.
    HA_ERROR_NOT_FOUND = -7,
    /// An edit was refused. Nothing was changed.
    HA_ERROR_EDIT = -8,
    /// Timings that are not safe together.
    HA_ERROR_TIMINGS = -9,
    /// A file or folder that can't be read.
    HA_ERROR_READ = -10,
    /// Something can't be done in the present state.
    HA_ERROR_STATE = -11,
    /// Something ran out: handles.
    HA_ERROR_LIMIT = -12,
}

/// An error with all that is known about it. Functions that can fail take a pointer to one as their last argument; it may
/// be NULL. It is written only on failure. Free it with ha_error_free().
pub struct ha_error {
    _private: [u8; 0],
}

/// Why a call failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: ha_status,
    message: String,
    kind: String,
    line: usize,
    section: Option<String>,
    field: Option<String>,
    details: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: ha_status, message: impl ToString) -> Self {
        let kind = String::new();
        Self { status, message: message.to_string(), kind, line: 0, section: None, field: None, details: None }
    }

    pub(crate) fn argument(message: impl ToString) -> Self {
        Self::new(ha_status::HA_ERROR_ARGUMENT, message)
    }

    pub(crate) fn name(error: &ha_core::id::IdError) -> Self {
        Self::new(ha_status::HA_ERROR_NAME, error)
    }

    pub(crate) fn content(message: impl ToString) -> Self {
        Self::new(ha_status::HA_ERROR_CONTENT, message)
    }

    pub(crate) fn not_found(message: impl ToString) -> Self {
        Self::new(ha_status::HA_ERROR_NOT_FOUND, message)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn kind(self, kind: impl ToString) -> Self {
        Self { kind: kind.to_string(), ..self }
    }

    pub(crate) fn line(self, line: usize) -> Self {
        Self { line, ..self }
    }

    pub(crate) fn field(self, field: Option<impl ToString>) -> Self {
        Self { field: field.map(|field| field.to_string()), ..self }
    }

    pub(crate) fn section(self, section: Option<impl ToString>) -> Self {
        Self { section: section.map(|section| section.to_string()), ..self }
    }

    pub(crate) fn details(self, details: Option<impl ToString>) -> Self {
        Self { details: details.map(|details| details.to_string()), ..self }
    }
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

/// The status of an error; HA_ERROR_HANDLE if it is no error at all.
#[unsafe(no_mangle)]
pub extern "C" fn ha_error_status(error: *const ha_error) -> i32 {
    handles::read::<_, ErrorHandle>(error).map_or(ha_status::HA_ERROR_HANDLE as i32, |error| error.status as i32)
}

fn borrowed(error: *const ha_error, text: impl FnOnce(&ErrorHandle) -> Option<&CString>) -> *const c_char {
    let Ok(error) = handles::read::<_, ErrorHandle>(error) else { return c"".as_ptr() };
    // What an error holds never changes, so it stays in its place until the error is freed.
    text(&error).map_or(c"".as_ptr(), |text| text.as_ptr())
}

/// What went wrong, in a sentence for people. It ends with a NUL and belongs to the error; "" if this is no error.
#[unsafe(no_mangle)]
pub extern "C" fn ha_error_message(error: *const ha_error) -> *const c_char {
    borrowed(error, |error| Some(&error.message))
}

/// A stable word for the kind of error, for programs: "unknown_property", "digest_mismatch", … "" if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_error_kind(error: *const ha_error) -> *const c_char {
    borrowed(error, |error| Some(&error.kind))
}

/// The line at fault, from 1; 0 if it is not about a line.
#[unsafe(no_mangle)]
pub extern "C" fn ha_error_line(error: *const ha_error) -> usize {
    handles::read::<_, ErrorHandle>(error).map_or(0, |error| error.line)
}

/// The section at fault, as its header says it ("vm: 100"); "" if it is not about a section.
#[unsafe(no_mangle)]
pub extern "C" fn ha_error_section(error: *const ha_error) -> *const c_char {
    borrowed(error, |error| error.section.as_ref())
}

/// The field at fault: a property ("max_restart"), or the path of a field in a record ("service_status.vm:101.target"); "" if
/// it is not about a field.
#[unsafe(no_mangle)]
pub extern "C" fn ha_error_field(error: *const ha_error) -> *const c_char {
    borrowed(error, |error| error.field.as_ref())
}

/// More about it, as JSON: for refused edits the list of faults ("property", "code", "message"), for a bad value the
/// code of what is wrong with it ("value_code"), for timings the inequalities that do not hold. "" if there is no more.
#[unsafe(no_mangle)]
pub extern "C" fn ha_error_details(error: *const ha_error) -> *const c_char {
    borrowed(error, |error| error.details.as_ref())
}

/// Frees an error. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_error_free(error: *mut ha_error) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, ErrorHandle>(error)?;
        Call::done()
    })
}

impl Failure {
    /// As JSON, the way that problems of files are told.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({
            "line": self.line,
            "section": self.section,
            "property": self.field,
            "code": self.kind,
            "message": self.message,
        });
        let details = self.details.as_ref().and_then(|details| serde_json::from_str(details).ok());
        if let (Some(object), Some(serde_json::Value::Object(details))) = (json.as_object_mut(), details) {
            object.extend(details);
        }
        json
    }
}
