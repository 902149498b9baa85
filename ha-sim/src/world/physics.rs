//! How the virtual world behaves where real ones differ.

use std::time::Duration;

/// How the virtual world behaves.
///
/// The default is that of the cluster on which the recorded scenarios were made: jobs take no time, and a guest that is
/// moved live does not run on its new node until it is started there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Physics {
    /// Nobody else gets a lock until more than this time after it was last renewed.
    pub lock_lifetime: Duration,
    /// A watchdog that was last fed longer ago than this resets its node.
    pub watchdog_timeout: Duration,
    /// The time that jobs take; `None` if they are done at once, within the call that starts them.
    pub job_times: Option<JobTimes>,
    /// How long a fence device takes to turn a node off.
    pub fencing: Duration,
    /// After this time without an answer a fence device counts as failed.
    pub fencing_timeout: Duration,
    /// Whether the name of a node counts for the node itself, whichever machine has it: hosts that know no writers do that, though nobody
    /// should.
    pub names_count: bool,
    /// The longest time that a job may take, except for a move that makes progress; `None` leaves it as the LRM's jobs usually have it.
    pub job_patience: Option<Duration>,
    /// Whether whoever reaches the store may act, however few others do; nodes see each other by the store then, so that it does not matter
    /// whether they reach each other.
    pub store_is_enough: bool,
    /// What somebody on the nodes does that nobody should do.
    pub careless: Option<Careless>,
}

/// What somebody on a node does that nobody should do: an agent, a multiplexer or one of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Careless {
    /// Agents see only what a guest began with, and not what it left behind.
    LeftoversUnseen,
    /// A guest counts as stopped where its agent can't tell.
    UntoldIsStopped,
    /// A client of a multiplexer is armed however late it comes.
    ArmedLate,
    /// What says that a multiplexer had clients is removed when one vanishes.
    MarkerRemoved,
    /// A device is fed however old the multiplexer's view of its clients is.
    DeviceFedLate,
    /// Nobody compares the times of a multiplexer with those that its clients count on.
    TermsIgnored,
}

impl Default for Physics {
    fn default() -> Self {
        Self {
            lock_lifetime: Duration::from_secs(120),
            watchdog_timeout: Duration::from_secs(60),
            job_times: None,
            fencing: Duration::from_secs(5),
            fencing_timeout: Duration::from_secs(60),
            names_count: false,
            job_patience: None,
            store_is_enough: false,
            careless: None,
        }
    }
}

/// The time that an agent takes for what it is asked to do, where a guest has no times of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobTimes {
    /// A start.
    pub start: Duration,
    /// A stop. One with a shorter timeout takes that long: it is stopped hard then.
    pub stop: Duration,
    /// A live migration.
    pub migrate: Duration,
    /// Moving a stopped guest.
    pub relocate: Duration,
}

impl Default for JobTimes {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(3),
            stop: Duration::from_secs(4),
            migrate: Duration::from_secs(8),
            relocate: Duration::from_secs(1),
        }
    }
}

impl JobTimes {
    /// Jobs that take no time, but are still done by workers beside the LRM.
    pub const NONE: Self =
        Self { start: Duration::ZERO, stop: Duration::ZERO, migrate: Duration::ZERO, relocate: Duration::ZERO };
}
