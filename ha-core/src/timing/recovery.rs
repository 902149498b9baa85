//! How long it takes from a failure to the start elsewhere.

use core::time::Duration;

use super::{MILLION, TimingSettings, Timings, share};

/// How long it takes from the failure of a node to the moment at which another node starts its services.
///
/// A failure is that the node dies, or is cut off, or stalls, while it had renewed its lock as it should until then. The
/// bounds hold with `fencing: watchdog`, if a node is found for each service and the LRM there has a worker free; by
/// *drift* they mean that the clocks that count are off by as much as allowed, in the direction that hurts.
///
/// | from the failure | earliest | latest |
/// |---|---|---|
/// | the master sees that the node was gone for long enough (1) | `fence_delay` − *master round* | `membership_detection` + `fence_delay` |
/// | the node's lock can be taken (2) | `lock_lifetime` − drift − `renewal_interval` | `lock_answer` + `lock_lifetime` + drift |
/// | both | the greater of the two | the greater of the two |
/// | + the master's next round begins (3) | 0 | *master round* |
/// | + it renews its own lock, takes the node's, decides and writes | 0 | *lock attempt* + `lock_answer` + `longest_step` |
/// | + the next iteration of the LRM there begins (4) | 0 | *LRM round* |
/// | + it takes or renews its lock and has a worker start the service | 0 | *lock attempt* + `longest_step` |
///
/// 1. The node was last seen in a round before the failure, at the earliest; or in one until the membership layer
///    noticed, at the latest.
/// 2. The lock was last renewed up to a renewal interval before the failure; or it was asked for just before it, and
///    granted `lock_answer` later.
/// 3. *Master round*: `round_time`, or the longest lock attempt and step if they take longer. *Lock attempt*:
///    `lock_retry_window` + `lock_answer`.
/// 4. *LRM round*: the same with `worker_turn`; or `waiting_loop` and a lock attempt, if it was waiting.
///
/// Where the master fails with the node, another one has to become master first, which takes until the manager lock can be
/// taken (as 2), then one `waiting_loop` and one lock attempt; and it waits a fence delay from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryTimes {
    /// Never earlier than that. With `fence_delay` 0 and a short lock lifetime it may be 0.
    pub shortest: Duration,
    /// Never later than that, as long as the master stays.
    pub longest: Duration,
    /// Never later than that, where the master fails with the node.
    pub longest_with_master: Duration,
}

impl Timings {
    /// How long it takes from a failure to the start elsewhere.
    #[must_use]
    pub fn recovery(&self) -> RecoveryTimes {
        let settings = &self.settings;
        let after_fencing = settings.start_after_fencing();
        let seen_gone = settings.membership_detection.saturating_add(settings.fence_delay);
        let new_master = settings
            .lock_free_latest()
            .saturating_add(settings.waiting_loop)
            .saturating_add(settings.longest_lock_attempt());
        RecoveryTimes {
            shortest: settings.fence_earliest().max(settings.lock_free_earliest()),
            longest: seen_gone.max(settings.lock_free_latest()).saturating_add(after_fencing),
            longest_with_master: new_master.saturating_add(settings.fence_delay).saturating_add(after_fencing),
        }
    }
}

impl TimingSettings {
    /// The longest time from the start of one round of a master to the start of the next one.
    fn master_round(&self) -> Duration {
        self.round_time.max(self.longest_lock_attempt().saturating_add(self.longest_step))
    }

    /// The longest time from when an LRM reads the manager status to when it does so again.
    fn lrm_round(&self) -> Duration {
        let attempt = self.longest_lock_attempt();
        let active = self.round_time.max(attempt.saturating_add(self.longest_work()));
        let waiting = self.waiting_loop.saturating_add(attempt);
        active.max(waiting)
    }

    fn fence_earliest(&self) -> Duration {
        self.fence_delay.saturating_sub(self.master_round())
    }

    fn lock_free_earliest(&self) -> Duration {
        self.lock_lifetime.saturating_sub(self.clock_drift()).saturating_sub(self.renewal_interval())
    }

    fn lock_free_latest(&self) -> Duration {
        // A clock that is slow by a share of itself takes longer by a bit more than that share: 1 / (1 − drift).
        let ppm = u64::from(self.clock_drift_ppm);
        let rest = u64::from(MILLION).saturating_sub(ppm).max(1);
        let slower = ppm.saturating_mul(u64::from(MILLION)).div_ceil(rest);
        let drift = share(self.lock_lifetime, u32::try_from(slower).unwrap_or(u32::MAX));
        self.lock_answer.saturating_add(self.lock_lifetime).saturating_add(drift)
    }

    fn start_after_fencing(&self) -> Duration {
        let round = self.longest_lock_attempt().saturating_add(self.lock_answer).saturating_add(self.longest_step);
        let start = self.longest_lock_attempt().saturating_add(self.longest_step);
        [round, self.lrm_round(), start].into_iter().fold(self.master_round(), Duration::saturating_add)
    }
}
