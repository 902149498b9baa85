//! Texts: lent ones, which belong to somebody else, and owned ones, which the caller frees.

use std::{
    collections::HashMap,
    ffi::c_char,
    ptr,
    sync::{Mutex, PoisonError},
};

use rustc_hash::FxBuildHasher;

use crate::{
    boundary::{Call, call},
    failure::{Failure, ha_status},
};

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

/// A text that a caller owns, as it is to be freed.
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

/// How many owned texts there are.
pub(crate) fn count() -> usize {
    let texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.as_ref().map_or(0, HashMap::len)
}

/// Frees a text and makes it empty, so that freeing it again does nothing. NULL is fine.
///
/// A text that is not ours, or a copy of one that was freed, is HA_ERROR_ARGUMENT and is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_text_free(text: *mut ha_text) -> ha_status {
    call!(ptr::null_mut(), |call| {
        if text.is_null() {
            return Call::done();
        }
        // SAFETY: `Call` stands for it: there is a `ha_text` at `text`.
        let data = unsafe { (*text).data };
        if data.is_null() {
            return Call::done();
        }
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = texts.as_mut().and_then(|texts| texts.remove(&data.addr()));
        if texts.as_ref().is_some_and(HashMap::is_empty) {
            *texts = None;
        }
        drop(texts);
        call.write(text, ha_text::NONE);
        known.map(|_| ha_status::HA_OK).ok_or_else(|| Failure::argument("this text was freed before, or is not ours"))
    })
}
