//! Texts: lent ones, which belong to somebody else, and owned ones, which the caller frees.

mod calls;

pub use calls::*;

use std::{
    collections::HashMap,
    ffi::c_char,
    ptr,
    sync::{Mutex, PoisonError},
};

use rustc_hash::FxBuildHasher;

/// A text that belongs to somebody else: UTF-8, `length` bytes, no NUL at its end. `data` is NULL where there is none.
///
/// What a function lends this way holds until the handle that it came from is changed or freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ha_str {
    /// The first byte.
    pub data: *const c_char,
    /// The number of bytes.
    pub length: usize,
}

impl ha_str {
    pub(crate) const NONE: Self = Self { data: ptr::null(), length: 0 };

    pub(crate) fn of(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), length: text.len() }
    }
}

/// A text that the caller owns and frees with ha_text_free(). There is a NUL after its `length` bytes.
///
/// It is UTF-8, but for the bytes of a configuration file, which are what they were.
#[repr(C)]
pub struct ha_text {
    /// The first byte; NULL where there is no text.
    pub data: *mut c_char,
    /// The number of bytes, without the NUL.
    pub length: usize,
}

/// A text that a caller owns, as it will be freed.
struct Owned(*mut [u8]);

// SAFETY: nobody but the table knows it, and bytes can be freed by any thread.
unsafe impl Send for Owned {}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: it comes from `Box::into_raw` in `ha_text::new`, and is dropped once.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// The texts that callers own, by address, so that one that is freed twice, or is none of ours, does no harm.
static TEXTS: Mutex<Option<HashMap<usize, Owned, FxBuildHasher>>> = Mutex::new(None);

impl ha_text {
    pub(crate) const NONE: Self = Self { data: ptr::null_mut(), length: 0 };

    pub(crate) fn new(mut bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        bytes.push(0);
        let text = Box::into_raw(bytes.into_boxed_slice());
        let data: *mut c_char = text.cast();
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        texts.get_or_insert_default().insert(data.addr(), Owned(text));
        Self { data, length }
    }
}

/// Frees an owned text, by its address. Says whether there was one.
fn free(data: *const c_char) -> bool {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = texts.as_mut().and_then(|texts| texts.remove(&data.addr()));
    if texts.as_ref().is_some_and(HashMap::is_empty) {
        *texts = None;
    }
    known.is_some()
}

/// How many owned texts there are.
pub(crate) fn count() -> usize {
    let texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.as_ref().map_or(0, HashMap::len)
}
