//! How close a daemon is to its bounds: for monitors, who see that a node gets slow before it is reset.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ha_core::time::Instant;

use crate::{os::clock, store::Pace};

/// What was measured of one daemon last. Nobody waits for anybody here.
#[derive(Debug, Clone, Default)]
pub(super) struct DaemonPace(Arc<LastTimes>);

#[derive(Debug, Default)]
struct LastTimes {
    feed_slack: Measured,
    lock: Measured,
    round: Measured,
}

/// Milliseconds, if there are any.
#[derive(Debug)]
struct Measured(AtomicU64);

impl Measured {
    const NONE: u64 = u64::MAX;

    fn set(&self, time: Option<Duration>) {
        let milliseconds = time.map(|time| u64::try_from(time.as_millis()).unwrap_or(Self::NONE));
        self.0.store(milliseconds.unwrap_or(Self::NONE), Ordering::Relaxed);
    }

    fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|milliseconds| *milliseconds != Self::NONE)
    }
}

impl Default for Measured {
    fn default() -> Self {
        Self(AtomicU64::new(Self::NONE))
    }
}

impl DaemonPace {
    /// It feeds its watchdog just now, which had to be done by then.
    pub(super) fn feeds(&self, not_after: Instant) {
        self.0.feed_slack.set(Some(not_after.since(clock::instant())));
    }

    /// Its watchdog is closed.
    pub(super) fn feeds_no_more(&self) {
        self.0.feed_slack.set(None);
    }

    /// It was given an answer about a lock that it had asked for then.
    pub(super) fn asked_for_lock(&self, asked: Instant) {
        self.0.lock.set(Some(clock::instant().since(asked)));
    }

    /// It has ended a round that began then.
    pub(super) fn ends_round(&self, began: Instant) {
        self.0.round.set(Some(clock::instant().since(began)));
    }

    /// Of two daemons, what is worse.
    pub(super) fn worse(one: &Self, other: &Self) -> Pace {
        let both =
            |last: fn(&LastTimes) -> &Measured| [one, other].into_iter().filter_map(move |pace| last(&pace.0).get());
        Pace {
            feed_slack_ms: both(|last| &last.feed_slack).min(),
            lock_ms: both(|last| &last.lock).max(),
            round_ms: both(|last| &last.round).max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_daemons_what_is_worse_is_told() {
        let (crm, lrm) = (DaemonPace::default(), DaemonPace::default());
        assert_eq!(DaemonPace::worse(&crm, &lrm), Pace::default());
        let in_hours = |hours: u64| clock::instant().after(Duration::from_secs(hours * 3600));
        crm.feeds(in_hours(3));
        lrm.feeds(in_hours(2));
        let slack = || DaemonPace::worse(&crm, &lrm).feed_slack_ms;
        assert!(slack().is_some_and(|slack| (3_600_000..=7_200_000).contains(&slack)), "{:?}", slack());
        lrm.feeds_no_more();
        assert!(slack().is_some_and(|slack| slack > 7_200_000), "that of the other one");
        crm.feeds_no_more();
        assert_eq!(slack(), None);
        let at_boot = Instant::after_start(Duration::ZERO);
        crm.asked_for_lock(clock::instant());
        lrm.asked_for_lock(at_boot);
        lrm.ends_round(clock::instant());
        crm.ends_round(at_boot);
        let pace = DaemonPace::worse(&crm, &lrm);
        let longer = |time_ms: Option<u64>| time_ms.is_some_and(|time_ms| time_ms > 0);
        assert!(longer(pace.lock_ms) && longer(pace.round_ms), "{pace:?}");
    }
}
