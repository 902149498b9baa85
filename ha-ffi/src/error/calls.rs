//! What C asks of an error.

use std::ffi::{CString, c_char};

use super::{ErrorHandle, ha_error};
use crate::{boundary, failure::ha_status, handles};

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
    boundary::free::<_, ErrorHandle>(error)
}
