//! All timings in one checked value: [`TimingSettings`] are what a person sets, [`Timings`] are settings that keep a
//! service from ever running twice.
//!
//! # Why it is safe
//!
//! On the node, all times counted from when a renewal of its lock was *asked for*:
//!
//! | at the latest after | | why |
//! |---|---|---|
//! | [`Timings::feed_budget`] | the watchdog is fed | a later feed is not made |
//! | + `watchdog_timeout` | the watchdog runs out | it is not fed again without another renewal |
//! | + [`TimingSettings::multiplexer_slack`] | the node is down | the multiplexer notices, the device runs out |
//!
//! Elsewhere, at the earliest: the lock passes on `lock_lifetime` after the renewal was granted, which is not before it was
//! asked for, by a clock that is fast by [`TimingSettings::clock_drift`] at most. The budget is what makes the first end
//! before the second:
//!
//! ```text
//! feed_budget + watchdog_timeout + multiplexer_slack + clock_drift < lock_lifetime
//! ```
//!
//! The budget bounds the stall between the question and the feed. A process that looks at the clock, finds itself within
//! the budget, and is stopped right then still feeds too late when it goes on. Only somebody else can prevent that: a host
//! should hand [`Timings::feed_deadline`] on to whoever feeds the device, where that is possible.
//!
//! ```
//! use core::time::Duration;
//! use ha_core::timing::{Inequality, TimingSettings, Timings};
//!
//! let timings = Timings::default();
//! assert_eq!(timings.watchdog_timeout(), Duration::from_secs(60));
//!
//! let hasty = TimingSettings { lock_lifetime: Duration::from_secs(70), ..TimingSettings::customary() };
//! let errors = hasty.validate().unwrap_err();
//! assert_eq!(errors.violations()[0].inequality, Inequality::LockOutlivesWatchdog);
//! ```

mod check;
mod recovery;
mod seconds;

pub use check::{Amount, Inequality, Mend, Side, Term, TimingErrors, Violation};
pub use recovery::RecoveryTimes;

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{text_enum::text_enum, time::Instant};

/// The finest step in which settings are compared and changed.
pub const RESOLUTION: Duration = Duration::from_millis(1);

/// A million parts per million.
const MILLION: u32 = 1_000_000;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Defines the settings: those that are times, each with its name in files, its customary and its fast value, and the range
/// that it may have, in milliseconds; and numbers, each with its customary value. The ranges leave room for every mend: whatever the other settings are within their
/// ranges, what an inequality asks for is within the range too.
macro_rules! times {
    (
        times { $($(#[$doc:meta])* $field:ident $variant:ident $name:literal: $customary:expr, $fast:expr, $from:expr => $to:expr;)* }
        numbers { $($(#[$about:meta])* $number:ident: $usual:expr;)* }
    ) => {
        /// What can be set. Times are given in seconds where they are written down, fractions allowed; a setting that is
        /// missing there has its customary value.
        ///
        /// Nothing is checked before [`TimingSettings::validate`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct TimingSettings {
            $($(#[$doc])*
            #[serde(rename = $name, with = "seconds")]
            pub $field: Duration,)*
            $($(#[$about])*
            pub $number: u32,)*
        }

        /// Names a setting that can be at fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum TimingSetting {
            $(#[doc = concat!("[`TimingSettings::", stringify!($field), "`]")] $variant,)*
            /// [`TimingSettings::clock_drift_ppm`]
            ClockDrift,
        }

        text_enum! {
            TimingSetting: "a setting",
            $($variant = $name,)*
            ClockDrift = "clock_drift_ppm",
        }

        impl TimingSettings {
            /// The timings that clusters have long had: a start elsewhere after about two minutes.
            #[must_use]
            pub const fn customary() -> Self {
                Self {
                    $($field: Duration::from_millis($customary),)*
                    $($number: $usual,)*
                }
            }

            /// Timings for an application with locks, networks and watchdogs that are quick and reliable: a start
            /// elsewhere after less than ten seconds. A node that stalls for three seconds is reset.
            #[must_use]
            pub const fn fast() -> Self {
                Self { $($field: Duration::from_millis($fast),)* ..Self::customary() }
            }

            /// The value of a setting.
            #[must_use]
            pub fn get(&self, setting: TimingSetting) -> Amount {
                match setting {
                    $(TimingSetting::$variant => Amount::Time(self.$field),)*
                    TimingSetting::ClockDrift => Amount::PartsPerMillion(self.clock_drift_ppm),
                }
            }

            /// Makes the change that a violated inequality suggests.
            pub fn apply(&mut self, mend: &Mend) {
                match (mend.setting, mend.to) {
                    $((TimingSetting::$variant, Amount::Time(to)) => self.$field = to,)*
                    (TimingSetting::ClockDrift, Amount::PartsPerMillion(to)) => self.clock_drift_ppm = to,
                    // A mend has the kind of amount that its setting has.
                    $((TimingSetting::$variant, Amount::PartsPerMillion(_)) => {})*
                    (TimingSetting::ClockDrift, Amount::Time(_)) => {}
                }
            }
        }

        /// What [`TimingSetting`] was called before.
        #[deprecated(since = "0.1.0", note = "use `TimingSetting`")]
        pub type Setting = TimingSetting;

        impl TimingSetting {
            /// The lowest and the highest value that the setting may have.
            #[must_use]
            pub const fn range(self) -> (Amount, Amount) {
                match self {
                    $(Self::$variant => (
                        Amount::Time(Duration::from_millis($from)),
                        Amount::Time(Duration::from_millis($to)),
                    ),)*
                    Self::ClockDrift => (Amount::PartsPerMillion(0), Amount::PartsPerMillion(MILLION / 10)),
                }
            }
        }

        impl Timings {
            $($(#[$doc])*
            #[must_use]
            pub const fn $field(&self) -> Duration {
                self.settings.$field
            })*
        }
    };
}

times! {
    times {
        /// How long after its last feed a daemon's watchdog runs out: the client timeout of the multiplexer.
        watchdog_timeout WatchdogTimeout "watchdog_timeout_s": 60_000, 3_000, 1 => DAY;
        /// How often the multiplexer looks at its clients and feeds the device. 0 if there is no multiplexer and a daemon
        /// has a device of its own; `watchdog_timeout` is then the device's.
        multiplexer_interval MultiplexerInterval "multiplexer_interval_s": 1_000, 100, 0 => MINUTE;
        /// The timeout with which the multiplexer opens the device.
        device_timeout DeviceTimeout "device_timeout_s": 10_000, 2_000, 0 => HOUR;
        /// By how much a device may run out earlier or later than it was told. Many count in whole seconds.
        device_granularity DeviceGranularity "device_granularity_s": 1_000, 1_000, 0 => MINUTE;
        /// How long before a client's timeout the multiplexer warns.
        multiplexer_warning MultiplexerWarning "multiplexer_warning_s": 10_000, 1_000, 0 => HOUR;
        /// For how long a lock cannot pass to another holder after it was renewed.
        lock_lifetime LockLifetime "lock_lifetime_s": 120_000, 6_600, 1 => 10 * DAY;
        /// For how long taking or renewing a lock is tried in one iteration. 0 for a single try.
        lock_retry_window LockRetryWindow "lock_retry_window_s": 5_000, 300, 0 => HOUR;
        /// The time from one such try to the next one.
        lock_retry_interval LockRetryInterval "lock_retry_interval_s": 1_000, 100, 1 => HOUR;
        /// How long the store may take to answer one question about a lock. A slower answer is not dangerous, but may cost
        /// the node its watchdog.
        lock_answer LockAnswer "lock_answer_s": 1_000, 100, 0 => HOUR;
        /// The time from the start of one round, of the manager or of an active LRM, to the start of the next one.
        round_time RoundTime "round_time_s": 10_000, 500, 1 => HOUR;
        /// The time after which a daemon that waits looks again.
        waiting_loop WaitingLoop "waiting_loop_s": 5_000, 250, 1 => HOUR;
        /// For how long an LRM looks after its workers in one iteration.
        worker_turn WorkerTurn "worker_turn_s": 8_000, 300, 0 => HOUR;
        /// The time from one such look to the next one.
        worker_look_interval WorkerLookInterval "worker_look_interval_s": 1_000, 100, 1 => HOUR;
        /// What everything else in one iteration of a daemon takes at most: reading, deciding, writing, and those steps of
        /// jobs that run in the daemon's own thread.
        longest_step LongestStep "longest_step_s": 2_000, 100, 0 => HOUR;
        /// How long the membership layer takes at most to see that a node has failed.
        membership_detection MembershipDetection "membership_detection_s": 5_000, 1_000, 0 => HOUR;
        /// How long a node must have been gone before it is fenced. 0 is safe, since the lock alone protects; the delay only
        /// avoids needless fencing.
        fence_delay FenceDelay "fence_delay_s": 60_000, 2_000, 0 => 10 * DAY;
        /// How long a node that is no member any more is remembered.
        gone_forgotten_after GoneForgottenAfter "gone_forgotten_after_s": HOUR, HOUR, 0 => 10 * DAY;
        /// For how long an LRM that is to restart stays without its lock, with services left, before it gives up and exits.
        restart_give_up RestartGiveUp "restart_give_up_s": 90_000, 10_000, 0 => 10 * DAY;
        /// The age from which a daemon's record makes it look dead to a person.
        record_old_after RecordOldAfter "record_old_after_s": 30_000, 3_000, 0 => DAY;
        /// By how much a record may be in the future before the clocks look wrong to a person.
        record_ahead_tolerance RecordAheadTolerance "record_ahead_tolerance_s": 2_000, 1_000, 0 => DAY;
    }
    numbers {
        /// By how much a clock of the cluster may be faster than another one, in parts per million. At most 100,000.
        clock_drift_ppm: 1_000;
        /// Rounds after which a master that has nothing to do gives up the manager lock.
        master_idle_rounds: 90;
        /// Rounds after which an LRM without services gives up its lock.
        lrm_idle_rounds: 60;
        /// The round of a master, with groups still configured, in which it first tries to turn groups into rules. From 1.
        group_migration_first_round: 3;
        /// The rounds from one such try to the next one.
        group_migration_interval_rounds: 6;
    }
}

impl Default for TimingSettings {
    fn default() -> Self {
        Self::customary()
    }
}

impl TimingSettings {
    /// Checks that the settings are safe together and leave room for one missed renewal.
    ///
    /// # Errors
    ///
    /// Every inequality that does not hold, with the smallest change of one setting that mends it. Settings out of their
    /// range are reported alone: the rest can be judged when there are none.
    pub fn validate(self) -> Result<Timings, TimingErrors> {
        check::check(&self)?;
        Ok(Timings { settings: self })
    }

    /// The longest time from the end of the watchdog timeout to the reset: what the multiplexer takes to notice, and
    /// what the device takes to run out.
    #[must_use]
    pub fn multiplexer_slack(&self) -> Duration {
        let multiplexer = if self.multiplexer_interval.is_zero() {
            Duration::ZERO
        } else {
            self.multiplexer_interval.saturating_add(self.device_timeout)
        };
        multiplexer.saturating_add(self.device_granularity)
    }

    /// By how much a daemon's watchdog may run out early: as much as a device of its own may. A multiplexer counts the
    /// timeout of its clients itself.
    fn watchdog_early_by(&self) -> Duration {
        if self.multiplexer_interval.is_zero() { self.device_granularity } else { Duration::ZERO }
    }

    /// By how much two clocks may be apart when the lock lifetime is over.
    #[must_use]
    pub fn clock_drift(&self) -> Duration {
        share(self.lock_lifetime, self.clock_drift_ppm)
    }

    /// The longest time that one iteration may spend on the lock: all its tries, and the answer to the last one.
    #[must_use]
    pub fn longest_lock_attempt(&self) -> Duration {
        self.lock_retry_window.saturating_add(self.lock_answer)
    }

    /// The longest time that one iteration of an LRM spends on anything but the lock.
    fn longest_work(&self) -> Duration {
        self.worker_turn.saturating_add(self.longest_step)
    }

    /// The longest time from one feed of the watchdog to the next one, when nothing fails and everything takes as long as
    /// it may.
    ///
    /// An iteration begins with the lock, whose answer may come at once in one iteration and late in the next. An
    /// active daemon begins the next iteration a round time after the start of this one, or at once if this one took
    /// longer; one in maintenance waits after its work. The sum covers all of these:
    ///
    /// ```text
    /// longest_lock_attempt + longest_work + max(round_time, longest_lock_attempt + waiting_loop)
    /// ```
    #[must_use]
    pub fn renewal_interval(&self) -> Duration {
        let attempt = self.longest_lock_attempt();
        let pause = self.round_time.max(attempt.saturating_add(self.waiting_loop));
        attempt.saturating_add(self.longest_work()).saturating_add(pause)
    }
}

/// Timings that are safe together. Made by [`TimingSettings::validate`]; the default is what is customary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "TimingSettings", into = "TimingSettings")]
pub struct Timings {
    // The default settings are valid, as a test shows.
    settings: TimingSettings,
}

impl TryFrom<TimingSettings> for Timings {
    type Error = TimingErrors;

    fn try_from(settings: TimingSettings) -> Result<Self, TimingErrors> {
        settings.validate()
    }
}

impl From<Timings> for TimingSettings {
    fn from(timings: Timings) -> Self {
        timings.settings
    }
}

impl Timings {
    /// The settings that these are made of.
    #[must_use]
    pub const fn settings(&self) -> &TimingSettings {
        &self.settings
    }

    /// How long after a renewal was asked for the watchdog may still be fed with its full timeout.
    ///
    /// ```text
    /// lock_lifetime − clock_drift − watchdog_timeout − multiplexer_slack − 1 ms
    /// ```
    ///
    /// At least the longest lock attempt, so that an answer which comes in time is not in vain.
    #[must_use]
    pub fn feed_budget(&self) -> Duration {
        self.time_until_reset().saturating_sub(self.settings.watchdog_timeout)
    }

    /// The last moment at which the watchdog may be fed with its full timeout, for a renewal that was asked for at
    /// `asked_at`.
    #[must_use]
    pub fn feed_deadline(&self, asked_at: Instant) -> Instant {
        asked_at.after(self.feed_budget())
    }

    /// The timeout with which the watchdog may be fed `since_asked` after its renewal was asked for: the full one within
    /// the budget, what is left of it later, and nothing when it must not be fed any more.
    #[must_use]
    pub fn watchdog_timeout_left(&self, since_asked: Duration) -> Option<Duration> {
        let left = self.time_until_reset().checked_sub(since_asked)?;
        (!left.is_zero()).then(|| left.min(self.settings.watchdog_timeout))
    }

    /// The time after a renewal was asked for at which the watchdog must have run out, so that the device still has its
    /// slack.
    fn time_until_reset(&self) -> Duration {
        let settings = &self.settings;
        let reserved = settings.clock_drift().saturating_add(settings.multiplexer_slack()).saturating_add(RESOLUTION);
        settings.lock_lifetime.saturating_sub(reserved)
    }

    /// See [`TimingSettings::renewal_interval`].
    #[must_use]
    pub fn renewal_interval(&self) -> Duration {
        self.settings.renewal_interval()
    }

    /// The longest renewal interval that the watchdog timeout has room for, one missed renewal included, with a step of
    /// [`RESOLUTION`] to spare.
    #[must_use]
    pub fn longest_safe_renewal_interval(&self) -> Duration {
        let spare = RESOLUTION.saturating_add(self.settings.watchdog_early_by());
        halved(self.settings.watchdog_timeout.saturating_sub(spare))
    }

    /// The shortest watchdog timeout that has room for the renewal interval, one missed renewal included.
    #[must_use]
    pub fn shortest_safe_watchdog_timeout(&self) -> Duration {
        let spare = RESOLUTION.saturating_add(self.settings.watchdog_early_by());
        self.renewal_interval().saturating_mul(2).saturating_add(spare)
    }

    /// By how much a clock of the cluster may be faster than another one, in parts per million.
    #[must_use]
    pub const fn clock_drift_ppm(&self) -> u32 {
        self.settings.clock_drift_ppm
    }

    /// Rounds after which a master that has nothing to do gives up the manager lock.
    #[must_use]
    pub const fn master_idle_rounds(&self) -> u32 {
        self.settings.master_idle_rounds
    }

    /// Rounds after which an LRM without services gives up its lock.
    #[must_use]
    pub const fn lrm_idle_rounds(&self) -> u32 {
        self.settings.lrm_idle_rounds
    }

    /// The round of a master, with groups still configured, in which it first tries to turn groups into rules.
    #[must_use]
    pub const fn group_migration_first_round(&self) -> u32 {
        self.settings.group_migration_first_round
    }

    /// The rounds from one such try to the next one.
    #[must_use]
    pub const fn group_migration_interval_rounds(&self) -> u32 {
        self.settings.group_migration_interval_rounds
    }
}

fn halved(time: Duration) -> Duration {
    time.checked_div(2).unwrap_or(time)
}

/// `ppm` parts per million of a time, rounded up.
fn share(time: Duration, ppm: u32) -> Duration {
    let nanoseconds = time.as_nanos().saturating_mul(u128::from(ppm)).div_ceil(u128::from(MILLION));
    from_nanoseconds(nanoseconds)
}

fn from_nanoseconds(nanoseconds: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    match (u64::try_from(nanoseconds / SECOND), u32::try_from(nanoseconds % SECOND)) {
        (Ok(seconds), Ok(rest)) => Duration::new(seconds, rest),
        (Err(_), _) | (_, Err(_)) => Duration::MAX,
    }
}

#[cfg(test)]
mod tests;
