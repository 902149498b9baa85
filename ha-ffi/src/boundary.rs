//! The boundary that no panic crosses, and how arguments come in and answers go out.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    slice,
    str::FromStr,
};

use ha_core::id::{IdError, NodeName, ServiceId};

use crate::{
    error::{ErrorHandle, ha_error},
    failure::{Failure, ha_status},
    handles,
    text::{ha_str, ha_text},
};

/// Runs the body of an exported function. Every body is inside of one.
///
/// The body gets a [`Call`], through which it reads and writes what the pointers of its caller point to.
macro_rules! call {
    ($error:expr, |$call:ident| $body:block) => {{
        // SAFETY: whoever calls an exported function holds to the contract in the introduction of the header: each pointer is
        // NULL or points to what its type says, for as long as the call lasts.
        let $call = unsafe { $crate::boundary::Call::new() };
        $crate::boundary::run(
            $call,
            $error,
            || -> Result<$crate::failure::ha_status, $crate::failure::Failure> { $body },
        )
    }};
}
pub(crate) use call;

/// Stands for the promise of the caller that its pointers are what they should be.
#[derive(Clone, Copy)]
pub(crate) struct Call(());

pub(crate) fn run(
    call: Call,
    error: *mut *mut ha_error,
    body: impl FnOnce() -> Result<ha_status, Failure>,
) -> ha_status {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => return status,
        Ok(Err(failure)) => failure,
        Err(panic) => Failure::new(ha_status::HA_ERROR_PANIC, panic_message(&*panic)),
    };
    let status = failure.status;
    if !error.is_null()
        && let Ok(handle) = handles::insert(ErrorHandle::from(failure))
    {
        call.write(error, handle);
    }
    status
}

/// The body of what frees a handle.
pub(crate) fn free<P, T: handles::Handle>(handle: *const P) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, T>(handle)?;
        Call::done()
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!(
        "a bug struck inside of the library: {}; the handles of this call can only be freed: stop feeding the watchdog",
        text.unwrap_or("no message")
    )
}

impl Call {
    /// # Safety
    ///
    /// Pointers that are given to the methods must be NULL or point to what their type says, for as long as the call lasts.
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the end of every body")]
    pub(crate) fn done() -> Result<ha_status, Failure> {
        Ok(ha_status::HA_OK)
    }

    /// Bytes that came in. NULL is fine for none.
    pub(crate) fn bytes<'a>(self, data: *const std::ffi::c_char, length: usize) -> Result<&'a [u8], Failure> {
        if data.is_null() {
            return if length == 0 { Ok(&[]) } else { Err(Failure::argument("NULL instead of a text")) };
        }
        if isize::try_from(length).is_err() {
            return Err(Failure::argument("a text can't be as long as that"));
        }
        // SAFETY: `Call` stands for it: there are `length` bytes at `data`, which nobody changes during the call.
        Ok(unsafe { slice::from_raw_parts(data.cast::<u8>(), length) })
    }

    /// A text that came in.
    pub(crate) fn text<'a>(self, data: *const std::ffi::c_char, length: usize) -> Result<&'a str, Failure> {
        std::str::from_utf8(self.bytes(data, length)?).map_err(|_| Failure::argument("a text that is not UTF-8"))
    }

    /// A name that came in.
    pub(crate) fn name<T: FromStr<Err = IdError>>(
        self,
        data: *const std::ffi::c_char,
        length: usize,
    ) -> Result<T, Failure> {
        self.text(data, length)?.parse().map_err(|error| Failure::name(&error))
    }

    pub(crate) fn sid(self, data: *const std::ffi::c_char, length: usize) -> Result<ServiceId, Failure> {
        self.name(data, length)
    }

    pub(crate) fn node(self, data: *const std::ffi::c_char, length: usize) -> Result<NodeName, Failure> {
        self.name(data, length)
    }

    /// A list of texts that came in.
    pub(crate) fn texts<'a>(self, texts: *const ha_str, count: usize) -> Result<Vec<&'a str>, Failure> {
        if texts.is_null() && count > 0 {
            return Err(Failure::argument("NULL instead of a list of texts"));
        }
        if count == 0 {
            return Ok(Vec::new());
        }
        if count.checked_mul(size_of::<ha_str>()).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(Failure::argument("a list can't be as long as that"));
        }
        // SAFETY: `Call` stands for it: there are `count` entries at `texts`, which nobody changes during the call.
        let texts = unsafe { slice::from_raw_parts(texts, count) };
        texts.iter().map(|text| self.text(text.data, text.length)).collect()
    }

    /// A list of node names that came in.
    pub(crate) fn nodes(self, nodes: *const ha_str, count: usize) -> Result<Vec<NodeName>, Failure> {
        self.texts(nodes, count)?.into_iter().map(|node| node.parse().map_err(|error| Failure::name(&error))).collect()
    }

    /// Writes an answer, if the caller wants it.
    pub(crate) fn write<T>(self, to: *mut T, value: T) {
        if !to.is_null() {
            // SAFETY: `Call` stands for it: `to` is a place for a `T`.
            unsafe { to.write(value) };
        }
    }

    /// Writes an answer that the caller must want, or it would be lost.
    pub(crate) fn must_write<T>(self, to: *mut T, value: T) -> Result<ha_status, Failure> {
        if to.is_null() {
            return Err(Failure::argument("NULL instead of a pointer to the answer"));
        }
        self.write(to, value);
        Self::done()
    }

    /// Writes a text into a place of the caller, with a NUL if there is room for it.
    pub(crate) fn write_into(
        self,
        to: *mut std::ffi::c_char,
        capacity: usize,
        text: &str,
    ) -> Result<ha_status, Failure> {
        if to.is_null() || text.len() > capacity {
            return Err(Failure::argument(format!("the place has {capacity} bytes, {} are needed", text.len())));
        }
        // SAFETY: `Call` stands for it: there are `capacity` bytes at `to`, which are enough.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), to.cast(), text.len());
            if text.len() < capacity {
                to.add(text.len()).write(0);
            }
        }
        Self::done()
    }

    /// Makes a handle for the caller.
    pub(crate) fn new_handle<P, T: handles::Handle>(self, to: *mut *mut P, value: T) -> Result<ha_status, Failure> {
        if to.is_null() {
            return Err(Failure::argument("NULL instead of a pointer to the new handle"));
        }
        self.must_write(to, handles::insert(value)?)
    }

    /// Hands out a text that the caller will own.
    pub(crate) fn own_text(self, to: *mut ha_text, text: impl Into<Vec<u8>>) -> Result<ha_status, Failure> {
        if to.is_null() {
            return Err(Failure::argument("NULL instead of a pointer to the text"));
        }
        self.must_write(to, ha_text::new(text.into()))
    }

    /// Hands out a text that the caller will own, or says that there is none.
    pub(crate) fn own_text_if_any(
        self,
        to: *mut ha_text,
        text: Option<impl Into<Vec<u8>>>,
    ) -> Result<ha_status, Failure> {
        match text {
            Some(text) => self.own_text(to, text),
            None => self.none(to),
        }
    }

    /// Says that there is no text.
    pub(crate) fn none(self, to: *mut ha_text) -> Result<ha_status, Failure> {
        self.must_write(to, ha_text::NONE)?;
        Ok(ha_status::HA_NONE)
    }

    /// Hands out a text that is lent to the caller, or "" with NULL data.
    pub(crate) fn lend(self, to: *mut ha_str, text: Option<&str>) {
        self.write(to, text.map_or(ha_str::NONE, ha_str::of));
    }
}
