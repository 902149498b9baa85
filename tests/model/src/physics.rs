//! The timings of a model, in whole milliseconds.

use std::time::Duration;

use ha_core::timing::{RESOLUTION, TimingSettings, Timings};

/// How a daemon decides whether it may still feed its watchdog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedRule {
    /// As the library does: not later than the feed budget after the renewal was asked for.
    Deadline,
    /// Later than that with what is left of the timeout, where the device can be told.
    WithWhatIsLeft,
    /// A mistake: whenever a renewal was answered, however late it is by now.
    NoDeadline,
    /// A mistake: the deadline counts from the answer.
    FromTheAnswer,
    /// A mistake: the comparison is made, then the process may stall, then the feed is made.
    ComparedTooEarly,
    /// As a client of the multiplexer does: a feed takes any time to arrive, its deadline goes with it, and the multiplexer compares. A
    /// client is armed by its first feed that counts, and works when it has heard so.
    HandedOn,
    /// A mistake: the same, but connecting counts as the first feed, from when the multiplexer takes the connection, and the client works
    /// as soon as it has sent its own.
    FromConnecting,
}

/// How fast everything goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Anything may take any time.
    Any,
    /// Nothing takes longer than the timings say; at most one renewal and one feed of the device is missed in a row.
    AsPromised,
}

/// What a model runs by, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Physics {
    /// The client timeout of the multiplexer, or that of a device of the daemon's own.
    pub watchdog_timeout: u16,
    /// How long after a look the multiplexer may feed the device; `None` where the daemon has a device of its own.
    pub multiplexer_interval: Option<u16>,
    /// The timeout of the multiplexer's device.
    pub device_timeout: u16,
    /// By how much a device may be early or late.
    pub device_granularity: u16,
    /// For how long the lock passes to nobody else, by the store's clock.
    pub lock_lifetime: u16,
    /// By how much the store's clock may be ahead when the lifetime is over.
    pub clock_drift: u16,
    /// The feed budget that the library has for these timings.
    pub feed_budget: u16,
    /// The longest time from the question to the answer that is promised.
    pub lock_attempt: u16,
    /// The longest time from one feed to the next one that is promised.
    pub renewal_interval: u16,
}

impl Physics {
    /// Those of some settings, which need not be safe. `None` if a figure is not a whole number of milliseconds.
    #[must_use]
    pub fn of(settings: &TimingSettings) -> Option<Self> {
        let slack = settings.multiplexer_slack();
        let needed = settings.clock_drift() + settings.watchdog_timeout + slack + RESOLUTION;
        // As `Timings::feed_budget` says; it can't be asked for settings that are refused.
        let feed_budget = settings.lock_lifetime.saturating_sub(needed);
        Some(Self {
            watchdog_timeout: whole(settings.watchdog_timeout)?,
            multiplexer_interval: match whole(settings.multiplexer_interval)? {
                0 => None,
                interval => Some(interval),
            },
            device_timeout: whole(settings.device_timeout)?,
            device_granularity: whole(settings.device_granularity)?,
            lock_lifetime: whole(settings.lock_lifetime)?,
            clock_drift: whole(settings.clock_drift())?,
            feed_budget: whole(feed_budget)?,
            lock_attempt: whole(settings.longest_lock_attempt())?,
            renewal_interval: whole(settings.renewal_interval())?,
        })
    }

    /// Whether the library has the same feed budget for these timings.
    #[must_use]
    pub fn agrees_with(&self, timings: &Timings) -> bool {
        whole(timings.feed_budget()) == Some(self.feed_budget)
    }

    /// The timeout with which the watchdog may be fed so long after the question, as `Timings::watchdog_timeout_left` has it.
    pub(crate) fn timeout_left(&self, since_asked: u16) -> Option<u16> {
        let left = (self.feed_budget + self.watchdog_timeout).checked_sub(since_asked)?;
        (left > 0).then(|| left.min(self.watchdog_timeout))
    }

    /// From here on it does not matter how long ago something was.
    pub(crate) fn horizon(&self) -> u16 {
        self.feed_budget + self.watchdog_timeout + 1
    }
}

fn whole(time: Duration) -> Option<u16> {
    let milliseconds = u16::try_from(time.as_millis()).ok()?;
    (Duration::from_millis(milliseconds.into()) == time).then_some(milliseconds)
}
