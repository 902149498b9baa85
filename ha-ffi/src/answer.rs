//! What callbacks answer.

/// What a callback answers. 0 is never an answer: a callback that returns 0 by accident has failed, and so has one that
/// returns anything that its documentation does not name.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_answer {
    /// Done; what was asked for is in the reply.
    HA_ANSWER_OK = 1,
    /// Yes.
    HA_ANSWER_YES = 2,
    /// No.
    HA_ANSWER_NO = 3,
    /// Certainly there is none: no record was ever written, no guest is configured.
    HA_ANSWER_NONE = 4,
    /// The call failed; ha_reply_error() may have said why.
    HA_ANSWER_FAILED = -1,
    /// take_lock: it was free or expired, and is held by this node now.
    HA_ANSWER_ACQUIRED = 11,
    /// take_lock: it was held by this node, and its lease begins again.
    HA_ANSWER_RENEWED = 12,
    /// take_lock: it is held by another node, or there is no quorum.
    HA_ANSWER_REFUSED = 13,
    /// take_lock: this node has it now, and the host can't tell whether it had it before. See ha_lock_answer_by_writer().
    HA_ANSWER_HELD = 14,
    /// open_watchdog, feed_watchdog: it was fed.
    HA_ANSWER_FED = 21,
    /// open_watchdog, feed_watchdog: it was too late, and it was not fed.
    HA_ANSWER_TOO_LATE = 22,
    /// run_fence_device: its commands still run. start_job: it runs, and finished_jobs will name it.
    HA_ANSWER_RUNNING = 31,
    /// run_fence_device: all of its commands succeeded, the node is off.
    HA_ANSWER_FENCED = 32,
    /// run_fence_device: one of its commands failed or timed out.
    HA_ANSWER_NOT_FENCED = 33,
    /// probe: the service is ready.
    HA_ANSWER_READY = 61,
    /// probe: the service is not ready, or not yet.
    HA_ANSWER_NOT_READY = 62,
    /// probe: the service is not ready, and will not be: it counts at once as failed for as often and as long as is configured.
    HA_ANSWER_NEVER_READY = 63,
    /// start_job: it is done already; ha_reply_exit_code() has said how.
    HA_ANSWER_FINISHED = 41,
    /// start, stop, move_to: a lock of the guest (backup, snapshot, ...) does not allow it for now; ha_reply_text() says which one. That is no
    /// failure: the job is tried again later, uses up no tries, and the status names the lock.
    HA_ANSWER_LOCKED = 51,
}
