//! The clocks of this machine.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ha_core::{
    status::Timestamp,
    time::{Instant, Now},
};
use nix::time::{ClockId, clock_gettime};

/// The present, counted from when this machine was started, by `CLOCK_BOOTTIME`: it is the same for all processes of the
/// machine, nobody can set it, and it goes on while the machine sleeps.
#[must_use]
pub fn instant() -> Instant {
    // The call fails only for a clock that the kernel does not know, and every kernel of the last ten years knows it.
    let elapsed = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
    Instant::after_start(elapsed)
}

/// The wall clock in whole seconds, only to be written down for people.
#[must_use]
pub fn wall() -> Timestamp {
    let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()),
        Err(error) => i64::try_from(error.duration().as_secs()).map(|seconds| -seconds),
    };
    seconds.unwrap_or(Timestamp::MAX)
}

/// The wall clock in milliseconds since 1970-01-01 UTC, only to be written down for people.
#[must_use]
pub fn wall_ms() -> i64 {
    let milliseconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()),
        Err(error) => i64::try_from(error.duration().as_millis()).map(|milliseconds| -milliseconds),
    };
    milliseconds.unwrap_or(i64::MAX)
}

/// Both clocks, the monotonic one first.
#[must_use]
pub fn now() -> Now {
    Now { instant: instant(), wall: wall() }
}

/// What tells whoever looks at a cluster what time it is.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Both clocks.
    fn now(&self) -> Now;

    /// The wall clock in milliseconds since 1970-01-01 UTC.
    fn wall_ms(&self) -> i64;
}

/// The clocks of this machine: [`now`] and [`wall_ms`].
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> Now {
        now()
    }

    fn wall_ms(&self) -> i64 {
        wall_ms()
    }
}

/// Notices when the wall clock is set.
#[derive(Debug)]
pub struct ClockWatch {
    last: (Instant, SystemTime),
}

impl ClockWatch {
    /// Less than this a clock goes wrong, or is put right, all the time.
    const LEAST: Duration = Duration::from_secs(2);

    /// Begins to watch, with what both clocks show.
    #[must_use]
    pub fn new(instant: Instant, wall: SystemTime) -> Self {
        Self { last: (instant, wall) }
    }

    /// How the clock was set since the last look; not at all as a rule.
    pub fn was_set(&mut self, instant: Instant, wall: SystemTime) -> Option<ClockSet> {
        let elapsed = instant.since(self.last.0);
        let expected = self.last.1.checked_add(elapsed)?;
        self.last = (instant, wall);
        let set = match wall.duration_since(expected) {
            Ok(by) => ClockSet::Forward(by),
            Err(error) => ClockSet::Back(error.duration()),
        };
        (set.by() >= Self::LEAST).then_some(set)
    }
}

/// Notices when this machine has slept: then leases elsewhere ran on, and what runs here did not.
#[derive(Debug, Default)]
pub struct SleepWatch {
    /// All sleep until the last look, at most.
    slept: Option<Duration>,
}

impl SleepWatch {
    /// Less is what clocks are corrected by.
    const LEAST: Duration = Duration::from_millis(50);

    /// For how long it has slept since the last look; not at all as a rule.
    pub fn has_slept(&mut self) -> Option<Duration> {
        let awake = || clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).ok();
        let (before, now, after) = (awake()?, instant().since_start(), awake()?);
        self.note(now.saturating_sub(after), now.saturating_sub(before))
    }

    /// A pause between two looks at clocks is no sleep, so it is known only between two bounds.
    fn note(&mut self, at_least: Duration, at_most: Duration) -> Option<Duration> {
        let before = self.slept.replace(at_most)?;
        at_least.checked_sub(before).filter(|slept| *slept >= Self::LEAST)
    }
}

/// A change of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSet {
    /// It shows a later time than it should.
    Forward(Duration),
    /// It shows an earlier time than it should.
    Back(Duration),
}

impl ClockSet {
    const fn by(self) -> Duration {
        match self {
            Self::Forward(by) | Self::Back(by) => by,
        }
    }
}

impl fmt::Display for ClockSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self {
            Self::Forward(_) => "forward",
            Self::Back(_) => "back",
        };
        write!(f, "the clock was set {direction} by {:.0} s", self.by().as_secs_f64())
    }
}

/// Sleeps until that moment; not at all if it has passed.
pub fn sleep_until(moment: Instant) {
    std::thread::sleep(moment.since(instant()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_has_slept_is_noticed_once() {
        let mut watch = SleepWatch::default();
        let mut look = |at_least, at_most| watch.note(Duration::from_secs(at_least), Duration::from_secs(at_most));
        assert_eq!(look(500, 500), None, "it slept before this process began");
        assert_eq!(look(500, 510), None, "the process was paused for 10 s between two clocks");
        assert_eq!(look(500, 500), None);
        assert_eq!(look(4_100, 4_100), Some(Duration::from_secs(3_600)));
        assert_eq!(look(4_100, 4_100), None);
    }

    #[test]
    fn a_clock_that_goes_on_was_not_set() {
        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        let mut watch = ClockWatch::new(Instant::from_secs(0), at(1_000_000));
        let mut look = |seconds, wall| watch.was_set(Instant::from_secs(seconds), at(wall)).map(|set| set.to_string());
        assert_eq!(look(1, 1_001_000), None);
        assert_eq!(look(2, 1_003_900), None, "it may be a little off");
        assert_eq!(look(3, 4_605_000).as_deref(), Some("the clock was set forward by 3600 s"));
        assert_eq!(look(4, 1_006_000).as_deref(), Some("the clock was set back by 3600 s"));
        assert_eq!(look(7_204, 8_206_000), None, "a long sleep is none");
    }
}
