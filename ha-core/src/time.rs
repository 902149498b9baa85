//! Time, which is always an argument.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{status::Timestamp, text_enum::text_enum};

/// A moment on a monotonic clock, counted from a start of the host's choosing.
///
/// It never goes back, not even when a person sets the wall clock. It should go on while the machine sleeps
/// (`CLOCK_BOOTTIME` rather than `CLOCK_MONOTONIC` on Linux), since leases elsewhere run on as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(Duration);

impl Instant {
    /// The start of the clock.
    pub const START: Self = Self(Duration::ZERO);

    /// The moment that lies `elapsed` after the start.
    #[must_use]
    pub const fn after_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The moment that lies so many seconds after the start.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// How long after the start this is.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment that lies `wait` after this one.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

/// The present, as the host tells it with each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Now {
    /// On the monotonic clock. All intervals are measured by it. Read it *before* the call: the safety argument counts
    /// from here.
    pub instant: Instant,
    /// On the wall clock. Only written down for people.
    pub wall: Timestamp,
}

/// When a daemon wants to be called again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a daemon does nothing between calls"]
pub enum Next {
    /// Call again at this moment. A needless call before it does no harm.
    At {
        /// The moment.
        instant: Instant,
        /// What the daemon waits for.
        reason: WaitReason,
    },
    /// The daemon is done. Calling it again does nothing.
    Exit,
}

/// What a daemon waits for between two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitReason {
    /// The next iteration.
    NextIteration,
    /// To ask again for a lock that was refused. The iteration is not over.
    LockRetry,
    /// For jobs that run. The iteration is not over.
    Jobs,
}

text_enum! {
    WaitReason: "a reason to wait",
    NextIteration = "next_iteration",
    LockRetry = "lock_retry",
    Jobs = "jobs",
}

impl WaitReason {
    /// Whether the wait is inside an iteration, so that the next call goes on with that iteration.
    #[must_use]
    pub fn is_within_iteration(self) -> bool {
        match self {
            Self::NextIteration => false,
            Self::LockRetry | Self::Jobs => true,
        }
    }
}
