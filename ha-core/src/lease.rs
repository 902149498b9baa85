//! A daemon's lock and the watchdog that guards it: the first two links of the safety chain.
//!
//! What must hold: the watchdog is fed only after the lock was renewed, and the feed's deadline counts from the moment at
//! which that renewal was *asked for*. No answer of a host, late or wrong, leads to a feed otherwise.

use core::time::Duration;

use crate::{
    event::Event,
    host::{self, ClusterLock, EventSink, FeedOutcome, HostOperation, Lock, LockAnswer, Watchdog},
    time::Instant,
    timing::Timings,
};

/// Whether work under the lock is guarded by a watchdog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// It is: as always when something may run.
    Watchdog,
    /// It is not: HA is disarmed, and the master touches nothing.
    Nothing,
}

/// What became of an attempt to take or renew the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The lock is held, and the watchdog was opened or fed. `anew`: another node may have held it since it was last
    /// renewed, or it was never held before.
    Held { anew: bool },
    /// It was refused as long as it is tried.
    Refused,
    /// It was refused; it is tried again at this moment.
    Again(Instant),
}

/// A lock that a daemon takes, renews and releases, with the watchdog that goes with it.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    lock: Lock,
    watchdog_open: bool,
    /// When the present series of attempts began.
    trying_since: Option<Instant>,
    /// When the last renewal was asked for, unless the lock was released since.
    renewed: Option<Instant>,
}

impl Lease {
    pub(crate) fn new(lock: Lock) -> Self {
        Self { lock, watchdog_open: false, trying_since: None, renewed: None }
    }

    /// Whether a series of attempts is on its way.
    pub(crate) fn is_trying(&self) -> bool {
        self.trying_since.is_some()
    }

    /// Whether the lock is surely still held: the lease that was last asked for is not over, by any clock of the cluster.
    /// Nothing is begun under it otherwise, not even if the process was stopped between two steps of an iteration.
    pub(crate) fn covers(&self, now: Instant, timings: &Timings) -> bool {
        self.renewed.is_some_and(|renewed| timings.watchdog_timeout_left(now.since(renewed)).is_some())
    }

    /// How long it takes at least until the watchdog resets the node, if the lock is not renewed again.
    pub(crate) fn watchdog_left(&self, now: Instant, timings: &Timings) -> Duration {
        let renewed_for = self.renewed.map_or(Duration::MAX, |renewed| now.since(renewed));
        timings.watchdog_timeout().saturating_sub(renewed_for)
    }

    /// Asks for the lock once. Call it again at the moment that it names, until it says that the lock is held or refused.
    pub(crate) fn attempt<H>(&mut self, host: &mut H, now: Instant, timings: &Timings, guard: Guard) -> Attempt
    where
        H: ClusterLock + Watchdog + EventSink + ?Sized,
    {
        let since = *self.trying_since.get_or_insert(now);
        let answer = host.take(&self.lock);
        let acquired = match host::answer(host, HostOperation::TakeLock, answer) {
            Some(LockAnswer::Acquired) => true,
            Some(LockAnswer::Renewed) => false,
            Some(LockAnswer::Held) => !self.covers(now, timings),
            Some(LockAnswer::Refused) | None => return self.again(now, since, timings),
        };
        // Not by the answer alone: the one that said that the lock was newly acquired may have been lost.
        let anew = acquired || !self.covers(now, timings);
        let not_after = timings.feed_deadline(now);
        match self.guard(host, not_after, guard) {
            Guarded::Yes => {
                self.trying_since = None;
                self.renewed = Some(now);
                if acquired {
                    host.event(Event::LockAcquired { lock: self.lock.clone() });
                }
                Attempt::Held { anew }
            }
            Guarded::TooLate => {
                self.give_back(host, acquired);
                self.again(now, since, timings)
            }
            Guarded::Failed => {
                self.give_back(host, acquired);
                self.trying_since = None;
                Attempt::Refused
            }
        }
    }

    fn again(&mut self, now: Instant, since: Instant, timings: &Timings) -> Attempt {
        let next = now.after(timings.lock_retry_interval());
        if next.since(since) > timings.lock_retry_window() {
            self.trying_since = None;
            Attempt::Refused
        } else {
            Attempt::Again(next)
        }
    }

    /// Opens or feeds the watchdog.
    fn guard<H: Watchdog + EventSink + ?Sized>(&mut self, host: &mut H, not_after: Instant, guard: Guard) -> Guarded {
        let (operation, outcome) = match (guard, self.watchdog_open) {
            (Guard::Nothing, false) => return Guarded::Yes,
            (Guard::Watchdog | Guard::Nothing, true) => (HostOperation::FeedWatchdog, host.feed(not_after)),
            (Guard::Watchdog, false) => (HostOperation::OpenWatchdog, host.open(not_after)),
        };
        match host::answer(host, operation, outcome) {
            Some(FeedOutcome::Fed) => {
                self.watchdog_open = true;
                Guarded::Yes
            }
            Some(FeedOutcome::TooLate) => {
                host.event(Event::WatchdogFeedTooLate);
                Guarded::TooLate
            }
            None => Guarded::Failed,
        }
    }

    /// A lock that was just taken, but could not be guarded, is of no use: nothing has run under it.
    fn give_back<H: ClusterLock + EventSink + ?Sized>(&mut self, host: &mut H, acquired: bool) {
        if acquired && !self.watchdog_open {
            self.release(host);
        }
    }

    /// Releases the lock, so that another node can take it at once. Only where nothing is done under it any more.
    pub(crate) fn release<H: ClusterLock + EventSink + ?Sized>(&mut self, host: &mut H) {
        self.renewed = None;
        let released = host.release(&self.lock);
        host::answer(host, HostOperation::ReleaseLock, released);
    }

    /// Whether the watchdog is open.
    pub(crate) fn has_open_watchdog(&self) -> bool {
        self.watchdog_open
    }

    /// Closes the watchdog without a reset, if it is open. Only where nothing runs, or nothing is touched any more.
    ///
    /// Says whether it is closed. If not, the caller tries again in a later iteration; until then it is fed only as usual,
    /// after a renewal.
    pub(crate) fn close_watchdog<H: Watchdog + EventSink + ?Sized>(&mut self, host: &mut H) -> bool {
        if self.watchdog_open {
            let closed = host.close();
            if host::answer(host, HostOperation::CloseWatchdog, closed).is_some() {
                self.watchdog_open = false;
            }
        }
        !self.watchdog_open
    }
}

enum Guarded {
    Yes,
    TooLate,
    Failed,
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::{host::HostError, timing::TimingSettings};

    /// A host on which everything works. It gives this answer to all who ask for a lock, and keeps what it is told.
    struct Host {
        answer: LockAnswer,
        told: Vec<Event>,
    }

    impl Host {
        fn answering(answer: LockAnswer) -> Self {
            Self { answer, told: Vec::new() }
        }
    }

    impl EventSink for Host {
        fn event(&mut self, event: Event) {
            self.told.push(event);
        }
    }

    impl ClusterLock for Host {
        fn take(&mut self, _: &Lock) -> Result<LockAnswer, HostError> {
            Ok(self.answer)
        }

        fn release(&mut self, _: &Lock) -> Result<(), HostError> {
            Ok(())
        }
    }

    impl Watchdog for Host {
        fn open(&mut self, _: Instant) -> Result<FeedOutcome, HostError> {
            Ok(FeedOutcome::Fed)
        }

        fn feed(&mut self, _: Instant) -> Result<FeedOutcome, HostError> {
            Ok(FeedOutcome::Fed)
        }

        fn close(&mut self) -> Result<(), HostError> {
            Ok(())
        }
    }

    #[test]
    fn a_lease_covers_what_is_done_until_the_watchdog_would_have_reset_the_node_and_not_a_step_longer() {
        for settings in [TimingSettings::customary(), TimingSettings::fast()] {
            let timings = settings.validate().unwrap();
            let mut lease = Lease::new(Lock::Manager);
            let mut host = Host::answering(LockAnswer::Renewed);
            let asked = Instant::from_secs(100);
            assert!(!lease.covers(asked, &timings), "it was never held");
            let attempt = lease.attempt(&mut host, asked, &timings, Guard::Watchdog);
            assert_eq!(attempt, Attempt::Held { anew: true });
            let last = timings.feed_budget().saturating_add(timings.watchdog_timeout());
            let step = Duration::from_nanos(1);
            assert!(last < timings.lock_lifetime(), "drift and slack are taken off");
            assert!(lease.covers(asked.after(last.checked_sub(step).unwrap()), &timings));
            assert!(!lease.covers(asked.after(last), &timings));
            assert!(!lease.covers(asked.after(timings.lock_lifetime()), &timings));
            // One that is renewed counts from that question.
            let again = asked.after(Duration::from_secs(1));
            assert_eq!(lease.attempt(&mut host, again, &timings, Guard::Watchdog), Attempt::Held { anew: false });
            assert!(lease.covers(asked.after(last), &timings));
            lease.release(&mut host);
            assert!(!lease.covers(again, &timings), "it was released");
        }
    }

    #[test]
    fn a_lock_that_is_only_known_to_be_held_is_anew_where_the_last_lease_proves_nothing() {
        let timings = Timings::default();
        let mut lease = Lease::new(Lock::Manager);
        let mut host = Host::answering(LockAnswer::Held);
        let mut anew = |seconds| match lease.attempt(&mut host, Instant::from_secs(seconds), &timings, Guard::Watchdog)
        {
            Attempt::Held { anew } => anew,
            attempt @ (Attempt::Refused | Attempt::Again(_)) => panic!("{attempt:?}"),
        };
        let lifetime = timings.lock_lifetime().as_secs();
        let found = [100, 110, 120, 120 + lifetime, 130 + lifetime].map(&mut anew);
        assert_eq!(found, [true, false, false, true, false]);
        assert_eq!(host.told.len(), 2, "it is said to be acquired twice");
    }

    #[test]
    fn a_lease_covers_work_only_until_the_node_must_be_down() {
        let timings = Timings::default();
        let settings = timings.settings();
        let renewed = Instant::after_start(Duration::from_secs(1000));
        let lease = Lease { renewed: Some(renewed), ..Lease::new(Lock::Manager) };
        let end =
            settings.lock_lifetime.saturating_sub(settings.clock_drift()).saturating_sub(settings.multiplexer_slack());
        let covers = |after: Duration| lease.covers(renewed.after(after), &timings);
        assert!(covers(Duration::ZERO));
        assert!(covers(end.saturating_sub(Duration::from_millis(2))));
        assert!(!covers(end));
        assert!(!Lease::new(Lock::Manager).covers(renewed, &timings), "it was never asked for");
    }
}
