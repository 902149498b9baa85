//! What C does with the texts that it owns.

use std::ptr;

use super::{free, ha_text};
use crate::{
    boundary::{Call, call},
    failure::{Failure, ha_status},
};

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
        let was_ours = free(data);
        call.write(text, ha_text::NONE);
        if was_ours { Call::done() } else { Err(Failure::argument("this text was freed before, or is not ours")) }
    })
}
