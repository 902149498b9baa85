//! The two daemons, driven by the host's loop.

use std::{ffi::c_char, time::Duration};

use ha_core::{
    crm::Crm,
    lrm::{Lrm, StopRequest},
    status::Writer,
    time::{Instant, Next, Now, WaitReason},
};

use crate::{
    adapter::Adapter,
    boundary::{self, Call, call},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle, InUse, Note},
    host::{Host, ha_host},
    manager_status::ha_manager_status,
    records::Record,
    timings::{self, ha_timings, nanoseconds},
    words::Number,
};

/// The cluster resource manager of one node. It runs on every node; the one that holds the manager lock is the master.
pub struct ha_crm {
    _private: [u8; 0],
}

impl Handle for Crm {
    const NAME: &'static str = "ha_crm";
}

/// The local resource manager of one node. It looks after the services of its node, for as long as it holds its agent lock.
pub struct ha_lrm {
    _private: [u8; 0],
}

impl Handle for Lrm {
    const NAME: &'static str = "ha_lrm";
}

/// What a daemon waits for between two calls.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_wait {
    /// The next iteration.
    HA_WAIT_NEXT_ITERATION = 1,
    /// To ask again for a lock that was refused. The iteration is not over.
    HA_WAIT_LOCK_RETRY = 2,
    /// For jobs that run. The iteration is not over.
    HA_WAIT_JOBS = 3,
    /// For nothing: the daemon is done. Calling it again does nothing.
    HA_WAIT_EXIT = 4,
}

/// The present, from C.
pub(crate) fn now(monotonic: u64, wall: i64) -> Now {
    Now { instant: Instant::after_start(Duration::from_nanos(monotonic)), wall }
}

fn answer_next(call: Call, next: Next, at: *mut u64, wait: *mut i32) -> Result<ha_status, Failure> {
    let (instant, reason) = match next {
        Next::At { instant, reason: WaitReason::NextIteration } => (Some(instant), ha_wait::HA_WAIT_NEXT_ITERATION),
        Next::At { instant, reason: WaitReason::LockRetry } => (Some(instant), ha_wait::HA_WAIT_LOCK_RETRY),
        Next::At { instant, reason: WaitReason::Jobs } => (Some(instant), ha_wait::HA_WAIT_JOBS),
        Next::Exit => (None, ha_wait::HA_WAIT_EXIT),
    };
    call.write(at, instant.map_or(u64::MAX, |instant| nanoseconds(instant.since_start())));
    call.must_write(wait, reason as i32)
}

/// The host, unless a call works with it.
fn take_host(host: *mut ha_host) -> Result<Option<InUse<Host>>, Failure> {
    match handles::take(host) {
        Ok(host) => Ok(Some(host)),
        Err(failure) if failure.status == ha_status::HA_ERROR_BUSY => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Starts the CRM of a node.
///
/// timings: NULL for the customary ones; HA_ERROR_TIMINGS if they are not safe. host: gets the first event.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ha_crm_new(
    node: *const c_char,
    node_length: usize,
    timings: *const ha_timings,
    host: *mut ha_host,
    crm: *mut *mut ha_crm,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let timings = timings::checked(timings)?;
        let host = handles::take::<_, Host>(host)?;
        call.new_handle(crm, Crm::start(node, timings, &mut Adapter::new(&host)))
    })
}

/// Frees a CRM: it is then as if its process had been killed. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_crm_free(crm: *mut ha_crm) -> ha_status {
    boundary::free::<_, Crm>(crm)
}

/// Does what must be done now, and says when to call again. It never waits itself, beyond what the callbacks do.
///
/// monotonic: the monotonic clock (CLOCK_BOOTTIME), in nanoseconds since a start of your choosing, read before the call. wall:
/// the wall clock in seconds since 1970, only written down. next: the moment of the next call; a needless call before it is
/// harmless. wait: what it waits for, one of ha_wait.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ha_crm_tick(
    crm: *mut ha_crm,
    host: *mut ha_host,
    monotonic: u64,
    wall: i64,
    next: *mut u64,
    wait: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        if wait.is_null() {
            return Err(Failure::argument("NULL instead of a pointer to what is waited for"));
        }
        let mut crm = handles::take::<_, Crm>(crm)?;
        let host = handles::take::<_, Host>(host)?;
        let stop = |crm: &mut Crm, _| crm.request_stop(&mut Adapter::new(&host));
        crm.heed(stop);
        let then = crm.tick(&mut Adapter::new(&host), now(monotonic, wall));
        crm.give_back(stop);
        answer_next(call, then, next, wait)
    })
}

/// Asks a CRM to stop: it exits at the end of an iteration. A second request changes nothing.
///
/// It may be asked for at any time, also from inside of a callback and by another thread: while a call works with the CRM or the host
/// it takes effect at the end of that call, or with the next tick. It is not for a signal handler of C, which may call nothing of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_crm_request_stop(
    crm: *mut ha_crm,
    host: *mut ha_host,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let note = Note { request: 0, now: now(0, 0) };
        let Some(host) = take_host(host)? else {
            return handles::leave::<_, Crm>(crm, note).map(|()| ha_status::HA_OK);
        };
        if let Some(mut crm) = handles::take_or_leave::<_, Crm>(crm, note)? {
            crm.request_stop(&mut Adapter::new(&host));
        }
        Call::done()
    })
}

/// The state of a CRM, one of ha_daemon_state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_crm_state(crm: *const ha_crm, state: *mut i32, error: *mut *mut ha_error) -> ha_status {
    call!(error, |call| { call.must_write(state, handles::read::<_, Crm>(crm)?.state().number()) })
}

/// A copy of the manager status as a master knows it. HA_NONE if this CRM is not the master.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_crm_manager_status(
    crm: *const ha_crm,
    status: *mut *mut ha_manager_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let crm = handles::read::<_, Crm>(crm)?;
        match crm.manager() {
            Some(manager) => call.new_handle(status, Record::Shared(manager.status().clone().into())),
            None => Ok(ha_status::HA_NONE),
        }
    })
}

/// Starts the LRM of a node.
///
/// timings: NULL for the customary ones; HA_ERROR_TIMINGS if they are not safe. host: gets the first event.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ha_lrm_new(
    node: *const c_char,
    node_length: usize,
    timings: *const ha_timings,
    host: *mut ha_host,
    lrm: *mut *mut ha_lrm,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let timings = timings::checked(timings)?;
        let host = handles::take::<_, Host>(host)?;
        call.new_handle(lrm, Lrm::start(node, timings, &mut Adapter::new(&host)))
    })
}

/// Says who an LRM writes its record as: a machine, and its boot. To be called right after ha_lrm_new().
///
/// No two machines that can run at the same time may have the same machine: what is copied with a disk or a backup will not do.
/// boot is the same for all that runs on the machine between two boots, also for a daemon that was restarted, and was never used
/// before: whatever ran under an earlier one is gone. Where you can't promise that, name no writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_set_writer(
    lrm: *mut ha_lrm,
    machine: *const c_char,
    machine_length: usize,
    boot: *const c_char,
    boot_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let writer = Writer::new(call.text(machine, machine_length)?, call.text(boot, boot_length)?);
        handles::take::<_, Lrm>(lrm)?.set_writer(writer);
        Call::done()
    })
}

/// Frees an LRM: it is then as if its process had been killed. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_lrm_free(lrm: *mut ha_lrm) -> ha_status {
    boundary::free::<_, Lrm>(lrm)
}

/// Does what must be done now, and says when to call again: see ha_crm_tick(). Call it as soon as a job has ended, too: the next one
/// that waits takes its place at the workers then.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ha_lrm_tick(
    lrm: *mut ha_lrm,
    host: *mut ha_host,
    monotonic: u64,
    wall: i64,
    next: *mut u64,
    wait: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        if wait.is_null() {
            return Err(Failure::argument("NULL instead of a pointer to what is waited for"));
        }
        let mut lrm = handles::take::<_, Lrm>(lrm)?;
        let host = handles::take::<_, Host>(host)?;
        let stop = |lrm: &mut Lrm, note: Note| {
            if let Ok(request) = StopRequest::from_number(note.request) {
                lrm.request_stop(request, &mut Adapter::new(&host), note.now);
            }
        };
        lrm.heed(stop);
        let then = lrm.tick(&mut Adapter::new(&host), now(monotonic, wall));
        lrm.give_back(stop);
        answer_next(call, then, next, wait)
    })
}

/// Asks an LRM to stop, for one of the reasons of ha_stop_request: it exits from a later tick, when its services are safe. A
/// second request changes nothing, but that of a node that goes down while the daemon alone was to be restarted. It may be asked for
/// at any time: see ha_crm_request_stop().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_request_stop(
    lrm: *mut ha_lrm,
    request: i32,
    host: *mut ha_host,
    monotonic: u64,
    wall: i64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let note = Note { request, now: now(monotonic, wall) };
        let request = StopRequest::from_number(request)?;
        let Some(host) = take_host(host)? else {
            return handles::leave::<_, Lrm>(lrm, note).map(|()| ha_status::HA_OK);
        };
        if let Some(mut lrm) = handles::take_or_leave::<_, Lrm>(lrm, note)? {
            lrm.request_stop(request, &mut Adapter::new(&host), note.now);
        }
        Call::done()
    })
}

/// The state of an LRM, one of ha_lrm_state, and its mode, one of ha_lrm_mode. Either pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lrm_get_state(
    lrm: *const ha_lrm,
    state: *mut i32,
    mode: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let lrm = handles::read::<_, Lrm>(lrm)?;
        call.write(state, lrm.state().number());
        call.write(mode, lrm.mode().number());
        Call::done()
    })
}
