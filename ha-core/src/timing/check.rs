//! The inequalities that timings must keep.

use alloc::{vec, vec::Vec};
use core::{fmt, time::Duration};

use super::{MILLION, RESOLUTION, TimingSetting, TimingSettings, from_nanoseconds};
use crate::text_enum::text_enum;

/// An inequality that timings must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Inequality {
    /// A setting is at least its lowest value.
    SettingAtLeast,
    /// A setting is at most its highest value.
    SettingAtMost,
    /// `2 × multiplexer_interval + device_granularity < device_timeout`, if there is a multiplexer: it may be late once
    /// without a reset.
    DeviceAllowsMissedFeed,
    /// `2 × renewal interval < watchdog_timeout`: a daemon may miss a renewal once without a reset. Without a multiplexer
    /// `2 × renewal interval + device_granularity < watchdog_timeout`, since the device may run out early.
    WatchdogAllowsMissedRenewal,
    /// `multiplexer_warning ≤ watchdog_timeout`
    WarningWithinWatchdogTimeout,
    /// `watchdog_timeout + multiplexer slack + clock drift < lock_lifetime`: a node is down before its lock passes on.
    LockOutlivesWatchdog,
    /// `longest lock attempt ≤ feed budget`, written out: `longest lock attempt + watchdog_timeout + multiplexer slack +
    /// margin + clock drift ≤ lock_lifetime`. A renewal that was answered late, but in time, still leads to a feed.
    LockAllowsLateAnswer,
    /// `2 × renewal interval < lock_lifetime`: a daemon may miss a renewal once without losing its lock.
    LockAllowsMissedRenewal,
    /// `membership_detection ≤ fence_delay`, unless the delay is 0.
    FenceDelayCoversDetection,
    /// `renewal interval < record_old_after`: a daemon that works does not look dead.
    RecordsStayFresh,
}

text_enum! {
    Inequality: "an inequality of timings",
    SettingAtLeast = "setting_at_least",
    SettingAtMost = "setting_at_most",
    DeviceAllowsMissedFeed = "device_allows_missed_feed",
    WatchdogAllowsMissedRenewal = "watchdog_allows_missed_renewal",
    WarningWithinWatchdogTimeout = "warning_within_watchdog_timeout",
    LockOutlivesWatchdog = "lock_outlives_watchdog",
    LockAllowsLateAnswer = "lock_allows_late_answer",
    LockAllowsMissedRenewal = "lock_allows_missed_renewal",
    FenceDelayCoversDetection = "fence_delay_covers_detection",
    RecordsStayFresh = "records_stay_fresh",
}

/// The value of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// A time.
    Time(Duration),
    /// A share of a time, in parts per million.
    PartsPerMillion(u32),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if time.subsec_nanos() == 0 => write!(f, "{} s", time.as_secs()),
            Self::Time(time) => {
                let mut digits = alloc::format!("{:09}", time.subsec_nanos());
                digits.truncate(digits.trim_end_matches('0').len());
                write!(f, "{}.{digits} s", time.as_secs())
            }
            Self::PartsPerMillion(share) => write!(f, "{share} ppm"),
        }
    }
}

/// One summand of an inequality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// What it is.
    pub name: &'static str,
    /// How much it is.
    pub amount: Amount,
}

/// One side of an inequality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The summands; at least one.
    pub terms: Vec<Term>,
    /// Their sum.
    pub total: Amount,
}

impl Side {
    fn one(name: &'static str, amount: Amount) -> Self {
        Self { terms: vec![Term { name, amount }], total: amount }
    }

    fn sum(terms: &[(&'static str, Duration)]) -> Self {
        let named = terms.iter().map(|&(name, time)| Term { name, amount: Amount::Time(time) });
        Self { terms: named.collect(), total: Amount::Time(total(terms)) }
    }
}

fn total(terms: &[(&'static str, Duration)]) -> Duration {
    terms.iter().fold(Duration::ZERO, |sum, (_, time)| sum.saturating_add(*time))
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let separator = if index == 0 { "" } else { " + " };
            write!(f, "{separator}{} ({})", term.name, term.amount)?;
        }
        if self.terms.len() > 1 { write!(f, " = {}", self.total) } else { Ok(()) }
    }
}

/// A change of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mend {
    /// The setting to change.
    pub setting: TimingSetting,
    /// What it is.
    pub from: Amount,
    /// What it has to be.
    pub to: Amount,
}

impl fmt::Display for Mend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.from < self.to { "raise" } else { "lower" };
        write!(f, "{verb} {} from {} to {}", self.setting, self.from, self.to)
    }
}

/// An inequality that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub inequality: Inequality,
    /// The side that should be less.
    pub lesser: Side,
    /// The side that should be greater.
    pub greater: Side,
    /// Whether the two sides may be equal.
    pub may_be_equal: bool,
    /// The smallest change of one setting, in steps of [`RESOLUTION`], after which it holds.
    ///
    /// Of the settings that could be changed it is always the one that depends on the others, and nothing is lowered that
    /// another inequality needs: so mending one after the other comes to an end.
    pub mend: Mend,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = if self.may_be_equal { "at most" } else { "less than" };
        write!(f, "{}: {} must be {relation} {}: {}", self.inequality, self.lesser, self.greater, self.mend)
    }
}

/// All inequalities that settings violate; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Joined(violations))]
pub struct TimingErrors {
    violations: Vec<Violation>,
}

impl TimingErrors {
    /// The violations, in the order of [`Inequality::ALL`].
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

struct Joined<'a>(&'a [Violation]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, violation)| {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{violation}")
        })
    }
}

/// Checks all inequalities.
pub(super) fn check(settings: &TimingSettings) -> Result<(), TimingErrors> {
    let mut violations = out_of_range(settings);
    if violations.is_empty() {
        violations = Checker { settings, violations: Vec::new() }.run();
    }
    if violations.is_empty() { Ok(()) } else { Err(TimingErrors { violations }) }
}

fn out_of_range(settings: &TimingSettings) -> Vec<Violation> {
    let bounds = TimingSetting::ALL.iter().filter_map(|&setting| {
        let (from, (lowest, highest)) = (settings.get(setting), setting.range());
        let value = Side::one(setting.as_str(), from);
        let (inequality, lesser, greater, to) = if from < lowest {
            (Inequality::SettingAtLeast, Side::one("its lowest value", lowest), value, lowest)
        } else if from > highest {
            (Inequality::SettingAtMost, value, Side::one("its highest value", highest), highest)
        } else {
            return None;
        };
        Some(Violation { inequality, lesser, greater, may_be_equal: true, mend: Mend { setting, from, to } })
    });
    let mut violations: Vec<Violation> = bounds.collect();
    violations.sort_by_key(|violation| violation.inequality);
    violations
}

/// Checks settings of which each is in its range.
struct Checker<'a> {
    settings: &'a TimingSettings,
    violations: Vec<Violation>,
}

impl Checker<'_> {
    fn run(mut self) -> Vec<Violation> {
        self.device();
        self.watchdog();
        self.lock();
        self.fence_delay();
        self.records();
        self.violations
    }

    fn device(&mut self) {
        let s = self.settings;
        if s.multiplexer_interval.is_zero() {
            return;
        }
        let lesser = [
            ("2 × multiplexer_interval_s", s.multiplexer_interval.saturating_mul(2)),
            ("device_granularity_s", s.device_granularity),
        ];
        self.less_than_setting(Inequality::DeviceAllowsMissedFeed, &lesser, TimingSetting::DeviceTimeout);
    }

    fn watchdog(&mut self) {
        let s = self.settings;
        let mut lesser = two_renewals(s).to_vec();
        if !s.watchdog_early_by().is_zero() {
            lesser.push(("device_granularity_s", s.watchdog_early_by()));
        }
        self.less_than_setting(Inequality::WatchdogAllowsMissedRenewal, &lesser, TimingSetting::WatchdogTimeout);
        if s.multiplexer_warning > s.watchdog_timeout {
            let (inequality, mended) = (Inequality::WarningWithinWatchdogTimeout, TimingSetting::MultiplexerWarning);
            self.at_most(inequality, TimingSetting::MultiplexerWarning, TimingSetting::WatchdogTimeout, mended);
        }
    }

    fn lock(&mut self) {
        let s = self.settings;
        let chain = [("watchdog_timeout_s", s.watchdog_timeout), ("multiplexer slack", s.multiplexer_slack())];
        self.within_lifetime(Inequality::LockOutlivesWatchdog, chain.to_vec(), false);
        let late = [("longest lock attempt", s.longest_lock_attempt())].into_iter().chain(chain);
        let late = late.chain([("margin", RESOLUTION)]);
        self.within_lifetime(Inequality::LockAllowsLateAnswer, late.collect(), true);
        self.less_than_setting(Inequality::LockAllowsMissedRenewal, &two_renewals(s), TimingSetting::LockLifetime);
    }

    fn fence_delay(&mut self) {
        let s = self.settings;
        if !s.fence_delay.is_zero() && s.membership_detection > s.fence_delay {
            let (inequality, mended) = (Inequality::FenceDelayCoversDetection, TimingSetting::FenceDelay);
            self.at_most(inequality, TimingSetting::MembershipDetection, TimingSetting::FenceDelay, mended);
        }
    }

    fn records(&mut self) {
        let lesser = [("renewal interval", self.settings.renewal_interval())];
        self.less_than_setting(Inequality::RecordsStayFresh, &lesser, TimingSetting::RecordOldAfter);
    }

    /// Reports that `lesser` is not at most `greater`. Mended by making `mended`, one of the two, equal to the other.
    fn at_most(
        &mut self,
        inequality: Inequality,
        lesser: TimingSetting,
        greater: TimingSetting,
        mended: TimingSetting,
    ) {
        let value = |setting: TimingSetting| self.settings.get(setting);
        let to = if mended == lesser { value(greater) } else { value(lesser) };
        self.violations.push(Violation {
            inequality,
            lesser: Side::one(lesser.as_str(), value(lesser)),
            greater: Side::one(greater.as_str(), value(greater)),
            may_be_equal: true,
            mend: Mend { setting: mended, from: value(mended), to },
        });
    }

    /// `lesser` must be less than a setting that it does not depend on.
    fn less_than_setting(
        &mut self,
        inequality: Inequality,
        lesser: &[(&'static str, Duration)],
        greater: TimingSetting,
    ) {
        let from = self.settings.get(greater);
        if Amount::Time(total(lesser)) < from {
            return;
        }
        self.violations.push(Violation {
            inequality,
            lesser: Side::sum(lesser),
            greater: Side::one(greater.as_str(), from),
            may_be_equal: false,
            mend: Mend { setting: greater, from, to: Amount::Time(next_step(total(lesser))) },
        });
    }

    /// `lesser` and the clock drift must be less than the lock lifetime, or at most that.
    fn within_lifetime(
        &mut self,
        inequality: Inequality,
        mut lesser: Vec<(&'static str, Duration)>,
        may_be_equal: bool,
    ) {
        let others = total(&lesser);
        let holds = |lifetime: Duration| {
            let drift = TimingSettings { lock_lifetime: lifetime, ..*self.settings }.clock_drift();
            let needed = others.saturating_add(drift);
            if may_be_equal { needed <= lifetime } else { needed < lifetime }
        };
        let lifetime = self.settings.lock_lifetime;
        if holds(lifetime) {
            return;
        }
        let to = shortest_lifetime(others, self.settings.clock_drift_ppm, holds);
        lesser.push(("clock drift", self.settings.clock_drift()));
        let setting = TimingSetting::LockLifetime;
        self.violations.push(Violation {
            inequality,
            lesser: Side::sum(&lesser),
            greater: Side::one(setting.as_str(), Amount::Time(lifetime)),
            may_be_equal,
            mend: Mend { setting, from: Amount::Time(lifetime), to: Amount::Time(to) },
        });
    }
}

fn two_renewals(settings: &TimingSettings) -> [(&'static str, Duration); 1] {
    [("2 × renewal interval", settings.renewal_interval().saturating_mul(2))]
}

/// The first step of [`RESOLUTION`] that is greater than a time.
fn next_step(time: Duration) -> Duration {
    let resolution = RESOLUTION.as_nanos();
    let steps = time.as_nanos().checked_div(resolution).unwrap_or(0);
    from_nanoseconds(steps.saturating_add(1).saturating_mul(resolution))
}

/// The shortest lock lifetime, in steps of [`RESOLUTION`], that has room for `others` and its own clock drift, as `holds`
/// says.
fn shortest_lifetime(others: Duration, clock_drift_ppm: u32, holds: impl Fn(Duration) -> bool) -> Duration {
    // It is others / (1 − drift), but for the rounding of the drift and of the step: a few steps more at most.
    let rest = u128::from(MILLION.saturating_sub(clock_drift_ppm));
    let exact = others.as_nanos().saturating_mul(u128::from(MILLION)).checked_div(rest);
    let mut lifetime = next_step(exact.map_or(Duration::MAX, from_nanoseconds)).saturating_sub(RESOLUTION);
    for _ in 0..4 {
        if holds(lifetime) {
            break;
        }
        lifetime = lifetime.saturating_add(RESOLUTION);
    }
    lifetime
}
