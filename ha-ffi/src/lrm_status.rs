//! The LRM status.

use std::{ffi::c_char, sync::Arc};

use ha_core::status::{ExitCode, JobResult, LrmMode, LrmState, LrmStatus, Writer};

use crate::{
    boundary::{self, Call, call},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    records::{Record, unreadable},
    text::{ha_str, ha_text},
    words::Number,
};

/// The record that a node's LRM writes.
pub struct ha_lrm_status {
    _private: [u8; 0],
}

impl Handle for Record<LrmStatus> {
    const NAME: &'static str = "ha_lrm_status";
}

/// Begins to work with an LRM status.
pub(crate) fn take(status: *mut ha_lrm_status) -> Result<handles::InUse<Record<LrmStatus>>, Failure> {
    handles::take(status)
}

pub(crate) fn read(status: *const ha_lrm_status) -> Result<handles::Reading<Record<LrmStatus>>, Failure> {
    handles::read(status)
}

/// The result of one job in an LRM status. This layout never changes. Texts that are read are lent by the record.
#[repr(C)]
pub struct ha_result {
    /// The request.
    pub uid: ha_str,
    /// The service.
    pub sid: ha_str,
    /// The command, named like the service state that asked for it.
    pub state: ha_str,
    /// How it ended, see ha_exit_code.
    pub exit_code: i32,
}

/// Makes a record with the state HA_LRM_WAIT_FOR_AGENT_LOCK, the mode HA_LRM_MODE_ACTIVE and no results.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_new(status: *mut *mut ha_lrm_status, error: *mut *mut ha_error) -> ha_status {
    call!(error, |call| { call.new_handle(status, Record::Shared(Arc::<LrmStatus>::default())) })
}

/// Reads a record from JSON. HA_ERROR_CONTENT with line and field if it is not one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_from_json(
    json: *const c_char,
    length: usize,
    status: *mut *mut ha_lrm_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let read = LrmStatus::from_json(call.text(json, length)?).map_err(|error| unreadable(&error))?;
        call.new_handle(status, Record::Shared(Arc::new(read)))
    })
}

/// Makes a copy to keep or change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_copy(
    status: *const ha_lrm_status,
    copy: *mut *mut ha_lrm_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let kept = read(status)?.keep();
        call.new_handle(copy, Record::Shared(kept))
    })
}

/// Frees a record. NULL is fine. One that is lent to a callback must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ha_lrm_status_free(status: *mut ha_lrm_status) -> ha_status {
    boundary::free::<_, Record<LrmStatus>>(status)
}

/// The record as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_to_json(
    status: *const ha_lrm_status,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let written = read(status)?.get().to_json();
        call.own_text(json, written)
    })
}

/// What the record says: the state (ha_lrm_state), the mode (ha_lrm_mode), when it was written (0 if it has no time), and how
/// many results there are. Any pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_get(
    status: *const ha_lrm_status,
    state: *mut i32,
    mode: *mut i32,
    timestamp: *mut i64,
    result_count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let status = read(status)?;
        let status = status.get();
        call.write(state, status.state.number());
        call.write(mode, status.mode.number());
        call.write(timestamp, status.timestamp.unwrap_or(0));
        call.write(result_count, status.results.len());
        Call::done()
    })
}

/// Sets what the record says: the state (ha_lrm_state), the mode (ha_lrm_mode), and when it was written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_set(
    status: *mut ha_lrm_status,
    state: i32,
    mode: i32,
    timestamp: i64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let (state, mode) = (LrmState::from_number(state)?, LrmMode::from_number(mode)?);
        let mut status = take(status)?;
        let status = status.change()?;
        (status.state, status.mode, status.timestamp) = (state, mode, Some(timestamp));
        Call::done()
    })
}

/// Who wrote the record: the machine and its boot. HA_NONE if it does not say. Either pointer may be NULL; the texts are lent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_writer(
    status: *const ha_lrm_status,
    machine: *mut ha_str,
    boot: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let status = read(status)?;
        let writer = status.get().writer.as_ref();
        call.lend(machine, writer.map(|writer| writer.machine.as_str()));
        call.lend(boot, writer.map(|writer| writer.boot.as_str()));
        Ok(if writer.is_some() { ha_status::HA_OK } else { ha_status::HA_NONE })
    })
}

/// Sets who wrote the record: the machine and its boot, see ha_lrm_set_writer(). machine: NULL for a record that does not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_set_writer(
    status: *mut ha_lrm_status,
    machine: *const c_char,
    machine_length: usize,
    boot: *const c_char,
    boot_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let writer = match machine.is_null() {
            true => None,
            false => Some(Writer::new(call.text(machine, machine_length)?, call.text(boot, boot_length)?)),
        };
        take(status)?.change()?.writer = writer;
        Call::done()
    })
}

fn read_result<'a>(uid: &'a ha_core::id::Uid, result: &'a JobResult) -> ha_result {
    ha_result {
        uid: ha_str::of(uid.as_str()),
        sid: ha_str::of(result.sid.as_str()),
        state: ha_str::of(&result.state),
        exit_code: result.exit_code.0,
    }
}

/// A result by its place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_result(
    status: *const ha_lrm_status,
    index: usize,
    result: *mut ha_result,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let status = read(status)?;
        let found = status.get().results.get_index(index);
        let (uid, found) = found.ok_or_else(|| Failure::not_found(format!("there is no result {index}")))?;
        call.must_write(result, read_result(uid, found))
    })
}

/// The result of a request. HA_NONE if there is none yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_find(
    status: *const ha_lrm_status,
    uid: *const c_char,
    uid_length: usize,
    result: *mut ha_result,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let uid: ha_core::id::Uid = call.name(uid, uid_length)?;
        let status = read(status)?;
        match status.get().results.get_key_value(&uid) {
            Some((uid, found)) => call.must_write(result, read_result(uid, found)),
            None => Ok(ha_status::HA_NONE),
        }
    })
}

/// Adds a result, instead of one that the request has already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_status_add_result(
    status: *mut ha_lrm_status,
    result: *const ha_result,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        if result.is_null() {
            return Err(Failure::argument("NULL instead of a result"));
        }
        // SAFETY: `Call` stands for it: there is a `ha_result` at `result`.
        let result = unsafe { &*result };
        let uid = call.name(result.uid.data, result.uid.length)?;
        let sid = call.sid(result.sid.data, result.sid.length)?;
        let state = call.text(result.state.data, result.state.length)?;
        let result = JobResult::new(sid, state, ExitCode(result.exit_code));
        take(status)?.change()?.results.insert(uid, result);
        Call::done()
    })
}
