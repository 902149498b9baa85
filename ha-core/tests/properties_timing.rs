//! What must hold for all timings: whatever is accepted is safe, and what is refused can be mended.
//!
//! The inequalities are computed here a second time, in whole nanoseconds, from the text alone.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used, reason = "tests may panic")]

use std::time::Duration;

use ha_core::timing::{Amount, Inequality, Mend, RESOLUTION, TimingSetting, TimingSettings, Timings};
use proptest::prelude::*;

const MILLION: i128 = 1_000_000;

fn nanoseconds(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap()
}

/// A factor for one setting, so that most settings stay near to values that go together.
fn changed(settings: TimingSettings) -> impl Strategy<Value = TimingSettings> {
    let factors = prop::collection::vec(
        prop_oneof![8 => Just(1.0), 2 => 0.3..3.0_f64, 1 => Just(0.0), 1 => 0.0..200.0],
        TimingSetting::ALL.len(),
    );
    factors.prop_map(move |factors| {
        let mut settings = settings;
        for (&setting, factor) in TimingSetting::ALL.iter().zip(factors) {
            let from = settings.get(setting);
            let to = match from {
                Amount::Time(time) => Amount::Time(time.mul_f64(factor)),
                Amount::PartsPerMillion(share) => Amount::PartsPerMillion((f64::from(share) * factor) as u32),
            };
            settings.apply(&Mend { setting, from, to });
        }
        settings
    })
}

/// Any time at all, also the longest that there is.
fn anything() -> impl Strategy<Value = TimingSettings> {
    let time = prop_oneof![
        any::<Duration>(),
        Just(Duration::MAX),
        Just(Duration::ZERO),
        (0..100_000_u64).prop_map(Duration::from_millis)
    ];
    (prop::collection::vec(time, TimingSetting::ALL.len()), any::<u32>()).prop_map(|(times, share)| {
        let mut settings = TimingSettings::customary();
        for (&setting, time) in TimingSetting::ALL.iter().zip(times) {
            let from = settings.get(setting);
            let to = match from {
                Amount::Time(_) => Amount::Time(time),
                Amount::PartsPerMillion(_) => Amount::PartsPerMillion(share),
            };
            settings.apply(&Mend { setting, from, to });
        }
        settings
    })
}

fn settings() -> impl Strategy<Value = TimingSettings> {
    prop_oneof![
        4 => changed(TimingSettings::customary()),
        4 => changed(TimingSettings::fast()),
        1 => anything(),
    ]
}

struct Figures {
    /// From a feed to the reset.
    feed_to_reset: i128,
    attempt: i128,
    /// From a feed to the next one.
    renewal: i128,
    lifetime: i128,
    /// The lifetime by a clock that is too fast.
    lifetime_at_least: i128,
}

impl Figures {
    fn of(s: &TimingSettings) -> Self {
        let n = nanoseconds;
        let device = if s.multiplexer_interval.is_zero() { 0 } else { n(s.multiplexer_interval) + n(s.device_timeout) };
        let attempt = n(s.lock_retry_window) + n(s.lock_answer);
        let work = n(s.worker_turn) + n(s.longest_step);
        let active = (n(s.round_time)).max(attempt + work) + attempt;
        let in_maintenance = attempt + work + n(s.waiting_loop) + attempt;
        let of_the_text = n(s.round_time) + attempt + work;
        let lifetime = n(s.lock_lifetime);
        Self {
            feed_to_reset: n(s.watchdog_timeout) + device + n(s.device_granularity),
            attempt,
            renewal: active.max(in_maintenance).max(of_the_text),
            lifetime,
            lifetime_at_least: (lifetime * (MILLION - i128::from(s.clock_drift_ppm))).div_euclid(MILLION),
        }
    }
}

/// Mends what is refused, the first violation first, until nothing is.
fn mended(mut settings: TimingSettings) -> Result<Timings, TestCaseError> {
    for _ in 0..100 {
        match settings.validate() {
            Ok(timings) => return Ok(timings),
            Err(errors) => settings.apply(&errors.violations()[0].mend),
        }
    }
    Err(TestCaseError::fail(format!("mending {settings:?} does not end")))
}

fn violates(settings: TimingSettings, inequality: Inequality) -> bool {
    settings.validate().is_err_and(|errors| errors.violations().iter().any(|v| v.inequality == inequality))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_accepted_is_safe(settings in settings()) {
        let timings = mended(settings)?;
        let s = timings.settings();
        let f = Figures::of(s);
        let budget = nanoseconds(timings.feed_budget());
        prop_assert!(budget + f.feed_to_reset < f.lifetime_at_least, "the lock passes on before the node is down");
        prop_assert!(f.attempt <= budget);
        prop_assert!(2 * f.renewal < nanoseconds(s.watchdog_timeout));
        prop_assert!(2 * f.renewal < f.lifetime);
        prop_assert!(s.fence_delay.is_zero() || s.membership_detection <= s.fence_delay);
        prop_assert!(s.multiplexer_warning <= s.watchdog_timeout);
        prop_assert!(f.renewal < nanoseconds(s.record_old_after));
        prop_assert_eq!(f.renewal, nanoseconds(timings.renewal_interval()));
    }

    /// A feed at any moment, with whatever timeout is left then, leads to a reset before the lock passes on.
    #[test]
    fn a_late_feed_is_safe(settings in settings(), after in 0.0..2.0_f64) {
        let timings = mended(settings)?;
        let s = timings.settings();
        let f = Figures::of(s);
        let since_asked = s.lock_lifetime.mul_f64(after);
        if let Some(timeout) = timings.watchdog_timeout_left(since_asked) {
            let down = nanoseconds(since_asked) + f.feed_to_reset - nanoseconds(s.watchdog_timeout) + nanoseconds(timeout);
            prop_assert!(down < f.lifetime_at_least);
            prop_assert_eq!(timeout == s.watchdog_timeout, since_asked <= timings.feed_budget());
        }
    }

    #[test]
    fn a_mend_mends_and_is_the_smallest(settings in settings()) {
        let Err(errors) = settings.validate() else { return Ok(()) };
        for violation in errors.violations() {
            let mend = violation.mend;
            prop_assert_eq!(mend.from, settings.get(mend.setting));
            let mut after = settings;
            after.apply(&mend);
            let same = |s: TimingSettings| s.validate().is_err_and(|errors| {
                errors.violations().iter().any(|v| v.inequality == violation.inequality && v.mend.setting == mend.setting)
            });
            prop_assert!(!same(after), "{violation}");
            let step_less = match (mend.from, mend.to) {
                (Amount::Time(from), Amount::Time(to)) if from < to => Amount::Time(to.saturating_sub(RESOLUTION).max(from)),
                (Amount::Time(_), Amount::Time(to)) => Amount::Time(to.saturating_add(RESOLUTION)),
                (_, Amount::PartsPerMillion(to)) => Amount::PartsPerMillion(to + 1),
                (Amount::PartsPerMillion(_), Amount::Time(_)) => return Err(TestCaseError::fail("another kind of amount")),
            };
            let mut less = settings;
            less.apply(&Mend { to: step_less, ..mend });
            prop_assert!(violates(less, violation.inequality), "a smaller change would do: {violation}");
        }
    }

    /// What is refused is refused for a reason: the sides are as they say.
    #[test]
    fn violations_say_the_truth(settings in settings()) {
        let Err(errors) = settings.validate() else { return Ok(()) };
        prop_assert!(!errors.violations().is_empty());
        prop_assert!(errors.violations().is_sorted_by_key(|violation| violation.inequality));
        for violation in errors.violations() {
            let (lesser, greater) = (violation.lesser.total, violation.greater.total);
            prop_assert!(if violation.may_be_equal { lesser > greater } else { lesser >= greater }, "{violation}");
        }
    }

    #[test]
    fn the_figures_are_in_order(settings in settings()) {
        let timings = mended(settings)?;
        let recovery = timings.recovery();
        prop_assert!(recovery.shortest <= recovery.longest);
        prop_assert!(timings.renewal_interval() <= timings.longest_safe_renewal_interval() + RESOLUTION);
        prop_assert!(timings.shortest_safe_watchdog_timeout() <= timings.watchdog_timeout() + RESOLUTION);
    }

    #[test]
    fn settings_survive_being_written(settings in settings()) {
        let timings = mended(settings)?;
        let json = serde_json::to_string(&timings).unwrap();
        let read: Timings = serde_json::from_str(&json).unwrap();
        for setting in TimingSetting::ALL {
            let (Amount::Time(a), Amount::Time(b)) = (timings.settings().get(*setting), read.settings().get(*setting)) else { continue };
            prop_assert!(a.abs_diff(b) <= Duration::from_nanos(200), "{setting}: {a:?} {b:?}");
        }
    }
}
