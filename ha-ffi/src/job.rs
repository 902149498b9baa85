//! Jobs: what an LRM has done for its services. How they are carried out is in `job_run`.

use std::sync::Arc;

use ha_core::{
    host::{Job, JobId},
    status::StateName,
};

use crate::{
    boundary::{self, call},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    manager_status::seconds,
    records::Record,
    text::ha_str,
    words::Number,
};

/// Something to do for a service, on the node of the LRM that hands it out.
pub struct ha_job {
    _private: [u8; 0],
}

impl Handle for Record<Job> {
    const NAME: &'static str = "ha_job";
}

/// How a job ends. Others are possible: a host may have exit codes of its own, which count as failures.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_exit_code {
    /// It worked.
    HA_EXIT_SUCCESS = 0,
    /// It did not work.
    HA_EXIT_ERROR = 1,
    /// The same command runs again. Never leaves the LRM.
    HA_EXIT_TRY_AGAIN = 2,
    /// The service is configured on another node.
    HA_EXIT_WRONG_NODE = 3,
    /// No agent for the type of the service.
    HA_EXIT_UNKNOWN_SERVICE_TYPE = 4,
    /// The LRM does not know the command.
    HA_EXIT_UNKNOWN_COMMAND = 5,
    /// A parameter is missing or makes no sense.
    HA_EXIT_INVALID_PARAMETER = 6,
    /// The service is not configured.
    HA_EXIT_UNKNOWN_SERVICE = 7,
    /// Not done, since it was not called for.
    HA_EXIT_IGNORED = 8,
    /// It can't be told what came of a start: the service may run. Never leaves the LRM.
    HA_EXIT_UNTOLD = 9,
    /// A job that only looked found that the service does not run. Never leaves the LRM.
    HA_EXIT_NOT_RUNNING = 10,
    /// The job died or was killed.
    HA_EXIT_KILLED = -1,
}

/// What a job is. This layout never changes. Texts that are read are lent by the job; for those that are written NULL data is
/// none.
#[repr(C)]
pub struct ha_job_fields {
    /// Names the job within the LRM that started it.
    pub id: u64,
    /// The service.
    pub sid: ha_str,
    /// The request that it answers; none where the LRM itself wants it.
    pub uid: ha_str,
    /// Where to move it; none if it does not move.
    pub target: ha_str,
    /// What to do, one of ha_service_state.
    pub command: i32,
    /// Seconds that a stop may take; -1 leaves it to the agent.
    pub timeout: i64,
}

/// Makes a job, for tests of agents say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_job_new(
    fields: *const ha_job_fields,
    job: *mut *mut ha_job,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        if fields.is_null() {
            return Err(Failure::argument("NULL instead of the fields"));
        }
        // SAFETY: `Call` stands for it: there is a `ha_job_fields` at `fields`.
        let fields = unsafe { &*fields };
        let (uid, target) = (fields.uid, fields.target);
        let new = Job {
            id: JobId(fields.id),
            sid: call.sid(fields.sid.data, fields.sid.length)?,
            uid: if uid.data.is_null() { None } else { Some(call.name(uid.data, uid.length)?) },
            command: StateName::from_number(fields.command)?,
            target: if target.data.is_null() { None } else { Some(call.node(target.data, target.length)?) },
            timeout: seconds(fields.timeout)?,
            only_look: false,
        };
        call.new_handle(job, Record::Shared(Arc::new(new)))
    })
}

/// Makes a copy to keep, for a worker.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_job_copy(
    job: *const ha_job,
    copy: *mut *mut ha_job,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let kept = handles::read::<_, Record<Job>>(job)?.keep();
        call.new_handle(copy, Record::Shared(kept))
    })
}

/// Frees a job. NULL is fine. One that is lent to a callback must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ha_job_free(job: *mut ha_job) -> ha_status {
    boundary::free::<_, Record<Job>>(job)
}

/// What a job is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_job_get(
    job: *const ha_job,
    fields: *mut ha_job_fields,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let job = handles::read::<_, Record<Job>>(job)?;
        let job = job.get();
        let found = ha_job_fields {
            id: job.id.0,
            sid: ha_str::of(job.sid.as_str()),
            uid: job.uid.as_ref().map_or(ha_str::NONE, |uid| ha_str::of(uid.as_str())),
            target: job.target.as_ref().map_or(ha_str::NONE, |node| ha_str::of(node.as_str())),
            command: job.command.number(),
            timeout: job.timeout.map_or(-1, i64::from),
        };
        call.must_write(fields, found)
    })
}

/// Whether a job of command started only looks: 1 if the service must not be started where it does not run, and the job ends with
/// HA_EXIT_NOT_RUNNING; 0 if it is. ha_job_run() and ha_job_steps see to that; who carries a job out in another way asks here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_job_only_looks(
    job: *const ha_job,
    only_looks: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let job = handles::read::<_, Record<Job>>(job)?;
        call.must_write(only_looks, i32::from(job.get().only_look))
    })
}
