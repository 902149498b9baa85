//! How jobs are carried out: at once by the callbacks of a host, or step by step.

use std::ffi::c_char;

use ha_core::{
    host::{HostError, Job},
    id::NodeName,
    lrm::{JobAnswer, JobRun, JobStep, run_job},
};

use crate::{
    adapter::Adapter,
    answer::ha_answer::{self, HA_ANSWER_LOCKED, HA_ANSWER_NO, HA_ANSWER_NONE, HA_ANSWER_OK, HA_ANSWER_YES},
    boundary::{self, Call, call},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    host::{Host, ha_host},
    job::ha_job,
    records::Record,
    text::ha_str,
    words::Number,
};

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
    boundary::free::<_, JobRun>(steps)
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
        let text = call.text(text, text_length)?;
        let mut run = handles::take::<_, JobRun>(steps)?;
        let host = handles::take::<_, Host>(host)?;
        let is = |expected: ha_answer| answer == expected as i32;
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
