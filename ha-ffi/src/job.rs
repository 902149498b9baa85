//! Jobs: what an LRM has done for its services, and how they are carried out.

use std::{ffi::c_char, sync::Arc};

use ha_core::{
    host::{HostError, Job, JobId},
    id::NodeName,
    lrm::{JobAnswer, JobRun, JobStep, run_job},
    status::StateName,
};

use crate::{
    adapter::Adapter,
    boundary::{Call, call},
    failure::{Failure, ha_error, ha_status},
    handles::{self, Handle},
    host::{Host, ha_host},
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
            return Err(Failure::argument("NULL in place of the fields"));
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

/// Frees a job. NULL is fine. One that is lent to a callback is not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ha_job_free(job: *mut ha_job) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, Record<Job>>(job)?;
        Call::done()
    })
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

/// Whether a job of command started only looks: 1 if the service is not to be started where it does not run, and the job ends with
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

/// Carries a job out with the agent callbacks of a host (knows_type to move_to, and event), and says how it ended, see
/// ha_exit_code.
///
/// It blocks as long as the agent does, so a host calls it in a thread or process of its own, with a host of its own that has
/// just these callbacks. node: the node of the worker.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ha_job_run(
    job: *const ha_job,
    node: *const c_char,
    node_length: usize,
    host: *mut ha_host,
    exit_code: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let job = handles::read::<_, Record<Job>>(job)?.get().clone();
        let host = handles::take::<_, Host>(host)?;
        call.must_write(exit_code, run_job(job, node, &mut Adapter::new(&host)).0)
    })
}

/// A job on its way, for a host that does not want to block: it says what to ask of the agent next, and takes the answer.
pub struct ha_job_steps {
    _private: [u8; 0],
}

impl Handle for JobRun {
    const NAME: &'static str = "ha_job_steps";
}

/// What to ask of the agent next.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_job_step {
    /// Whether there is an agent for the type: answer HA_ANSWER_YES or HA_ANSWER_NO.
    HA_STEP_KNOWS_TYPE = 1,
    /// Where the guest is configured: answer HA_ANSWER_OK with the node as text, or HA_ANSWER_NONE.
    HA_STEP_LOCATE = 2,
    /// Whether it runs: answer HA_ANSWER_YES or HA_ANSWER_NO.
    HA_STEP_CHECK_RUNNING = 3,
    /// Start it, then answer HA_ANSWER_OK.
    HA_STEP_START = 4,
    /// Stop it within the timeout, then answer HA_ANSWER_OK.
    HA_STEP_STOP = 5,
    /// Move it to the target, then answer HA_ANSWER_OK.
    HA_STEP_MOVE = 6,
    /// Nothing: the job is done.
    HA_STEP_DONE = 7,
}

/// A step of a job. This layout never changes. The text is lent by the ha_job_steps.
#[repr(C)]
pub struct ha_job_step_fields {
    /// What to ask, one of ha_job_step.
    pub step: i32,
    /// For HA_STEP_MOVE: how, one of ha_motion. Else 0.
    pub motion: i32,
    /// For HA_STEP_MOVE: where to. Else none.
    pub target: ha_str,
    /// For HA_STEP_STOP: seconds that it may take; -1 leaves it to the agent.
    pub timeout: i64,
    /// For HA_STEP_DONE: how it ended, see ha_exit_code. Else 0.
    pub exit_code: i32,
}

/// Begins a job on the node of its worker.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_job_steps_new(
    job: *const ha_job,
    node: *const c_char,
    node_length: usize,
    steps: *mut *mut ha_job_steps,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let job = handles::read::<_, Record<Job>>(job)?.get().clone();
        call.new_handle(steps, JobRun::new(job, node))
    })
}

/// Frees the steps. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_job_steps_free(steps: *mut ha_job_steps) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, JobRun>(steps)?;
        Call::done()
    })
}

/// What to ask of the agent now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_job_steps_next(
    steps: *const ha_job_steps,
    step: *mut ha_job_step_fields,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let run = handles::read::<_, JobRun>(steps)?;
        let mut found = ha_job_step_fields { step: 0, motion: 0, target: ha_str::NONE, timeout: -1, exit_code: 0 };
        let kind = match run.step() {
            JobStep::KnowsType => ha_job_step::HA_STEP_KNOWS_TYPE,
            JobStep::Locate => ha_job_step::HA_STEP_LOCATE,
            JobStep::CheckRunning => ha_job_step::HA_STEP_CHECK_RUNNING,
            JobStep::Start => ha_job_step::HA_STEP_START,
            JobStep::Stop { timeout } => {
                found.timeout = timeout.map_or(-1, i64::from);
                ha_job_step::HA_STEP_STOP
            }
            JobStep::Move { motion, .. } => {
                found.motion = motion.number();
                // The step's target is the job's.
                found.target = run.job().target.as_ref().map_or(ha_str::NONE, |node| ha_str::of(node.as_str()));
                ha_job_step::HA_STEP_MOVE
            }
            JobStep::Done(exit_code) => {
                found.exit_code = exit_code.0;
                ha_job_step::HA_STEP_DONE
            }
        };
        found.step = kind as i32;
        call.must_write(step, found)
    })
}

/// Takes the answer to the step, one of ha_answer; HA_ANSWER_FAILED, or one that does not fit the step, is a failed call of the
/// agent.
///
/// text: the node for HA_STEP_LOCATE, the lock with HA_ANSWER_LOCKED, or what went wrong. host: whose event callback gets the events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_job_steps_answer(
    steps: *mut ha_job_steps,
    answer: i32,
    text: *const c_char,
    text_length: usize,
    host: *mut ha_host,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        use crate::host::ha_answer::{HA_ANSWER_LOCKED, HA_ANSWER_NO, HA_ANSWER_NONE, HA_ANSWER_OK, HA_ANSWER_YES};
        let text = call.text(text, text_length)?;
        let mut run = handles::take::<_, JobRun>(steps)?;
        let host = handles::take::<_, Host>(host)?;
        let is = |expected: crate::host::ha_answer| answer == expected as i32;
        let failed = || HostError::new(if text.is_empty() { "the agent failed" } else { text });
        let yes_or_no = || {
            if is(HA_ANSWER_YES) {
                Ok(true)
            } else if is(HA_ANSWER_NO) {
                Ok(false)
            } else {
                Err(failed())
            }
        };
        let answer = match run.step() {
            JobStep::KnowsType => JobAnswer::Known(is(HA_ANSWER_YES)),
            JobStep::Locate if is(HA_ANSWER_OK) => JobAnswer::Located(
                text.parse::<NodeName>().map(Some).map_err(|error| HostError::new(error.to_string())),
            ),
            JobStep::Locate if is(HA_ANSWER_NONE) => JobAnswer::Located(Ok(None)),
            JobStep::Locate => JobAnswer::Located(Err(failed())),
            JobStep::CheckRunning => JobAnswer::Running(yes_or_no()),
            JobStep::Start | JobStep::Stop { .. } | JobStep::Move { .. } => JobAnswer::Ended(if is(HA_ANSWER_OK) {
                Ok(())
            } else if is(HA_ANSWER_LOCKED) {
                Err(HostError::locked(if text.is_empty() { "unknown" } else { text }))
            } else {
                Err(failed())
            }),
            JobStep::Done(_) => return Err(Failure::new(ha_status::HA_ERROR_STATE, "the job is done")),
        };
        run.answer(answer, &mut Adapter::new(&host));
        Call::done()
    })
}
