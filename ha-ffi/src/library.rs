//! About the library itself.

use std::ffi::{c_char, c_void};

use ha_core::version::compare_versions;

use crate::{boundary::call, error::ha_error, failure::ha_status, handles, text};

/// The version of the interface that this header describes. It grows when functions are added; what is there stays as it is.
/// A change that breaks programs changes the soname.
pub const HA_ABI_VERSION: u32 = 2;

/// The version of the interface that the library has. If it is lower than HA_ABI_VERSION the library is older than the
/// header.
#[unsafe(no_mangle)]
pub extern "C" fn ha_abi_version() -> u32 {
    HA_ABI_VERSION
}

/// The version of the library for people, such as "0.1.0". It ends with a NUL and is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn ha_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// How many handles there are that were not freed yet, for tests that look for leaks.
#[unsafe(no_mangle)]
pub extern "C" fn ha_live_handles() -> usize {
    handles::count()
}

/// How many texts there are that were not freed yet, for tests that look for leaks.
#[unsafe(no_mangle)]
pub extern "C" fn ha_live_texts() -> usize {
    text::count()
}

/// Does what a bug in this library would do to a call with this handle, of whatever type: gives HA_ERROR_PANIC, and the handle
/// refuses everything from then on but to be freed. For tests of what a host does then.
#[unsafe(no_mangle)]
#[expect(clippy::panic, reason = "that is what it is for")]
pub unsafe extern "C" fn ha_test_panic(handle: *mut c_void, error: *mut *mut ha_error) -> ha_status {
    call!(error, |_call| {
        let _in_use = handles::take_any(handle)?;
        panic!("ha_test_panic() was called")
    })
}

/// Compares two versions of software, "9.0.0~16" before "9.0.0": writes -1, 0 or 1 to order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_compare_versions(
    one: *const c_char,
    one_length: usize,
    other: *const c_char,
    other_length: usize,
    order: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (one, other) = (call.text(one, one_length)?, call.text(other, other_length)?);
        call.must_write(order, compare_versions(one, other) as i32)
    })
}
