use std::{format, string::ToString};

use super::*;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The only violation of settings.
fn violation(settings: TimingSettings) -> Violation {
    let errors = settings.validate().unwrap_err();
    assert_eq!(errors.violations().len(), 1, "{errors}");
    errors.violations()[0].clone()
}

#[test]
fn the_presets_are_valid() {
    assert_eq!(TimingSettings::customary().validate(), Ok(Timings::default()));
    assert!(TimingSettings::fast().validate().is_ok());
}

#[test]
fn the_customary_timings_are_those_of_the_text() {
    let timings = Timings::default();
    assert_eq!(timings.watchdog_timeout(), seconds(60));
    assert_eq!(timings.lock_lifetime(), seconds(120));
    assert_eq!(timings.fence_delay(), seconds(60));
    assert_eq!(timings.round_time(), seconds(10));
    assert_eq!(timings.waiting_loop(), seconds(5));
    assert_eq!(timings.gone_forgotten_after(), seconds(3600));
    assert_eq!(timings.restart_give_up(), seconds(90));
    assert_eq!((timings.master_idle_rounds(), timings.lrm_idle_rounds()), (90, 60));
    assert_eq!((timings.group_migration_first_round(), timings.group_migration_interval_rounds()), (3, 6));
    assert_eq!(timings.clock_drift_ppm(), 1_000);
}

/// Worked out by hand.
#[test]
fn the_customary_figures() {
    let timings = Timings::default();
    assert_eq!(timings.settings().multiplexer_slack(), seconds(1 + 10 + 1));
    assert_eq!(timings.settings().clock_drift(), milliseconds(120));
    // A lock attempt of 5 + 1, work of 8 + 2, and a pause of 6 + 5, which is longer than the round time.
    assert_eq!(timings.renewal_interval(), seconds(6 + 10 + 11));
    // 120 − 0.12 − 60 − 12 − 0.001
    assert_eq!(timings.feed_budget(), milliseconds(47_879));
    assert_eq!(timings.shortest_safe_watchdog_timeout(), milliseconds(54_001));
    let recovery = timings.recovery();
    // The lock: 120 − 0.12 − 27.
    assert_eq!(recovery.shortest, milliseconds(92_880));
    // The lock 1 + 120 + 0.12012012…, the master's next round 10, that round 6 + 1 + 2, the LRM's next iteration 6 + 10,
    // that iteration 6 + 2.
    assert_eq!(recovery.longest.as_millis(), 164_120);
    // The lock as before, 5 + 6, the delay 60, then as before.
    assert_eq!(recovery.longest_with_master.as_millis(), 235_120);
}

#[test]
fn with_a_long_fence_delay_nothing_is_recovered_before_it_is_over() {
    let settings = TimingSettings { fence_delay: seconds(300), ..TimingSettings::customary() };
    // It may have been seen last up to a round before it failed.
    assert_eq!(settings.validate().unwrap().recovery().shortest, seconds(300 - 10));
}

#[test]
fn fast_timings_recover_in_ten_seconds() {
    let recovery = TimingSettings::fast().validate().unwrap().recovery();
    assert!(recovery.longest < seconds(10), "{recovery:?}");
    assert!(recovery.longest_with_master < seconds(13), "{recovery:?}");
}

#[test]
fn the_lock_outlives_the_watchdog() {
    let settings = TimingSettings { lock_lifetime: seconds(72), clock_drift_ppm: 0, ..TimingSettings::customary() };
    let errors = settings.validate().unwrap_err();
    let violation = &errors.violations()[0];
    assert_eq!(
        violation.to_string(),
        "lock_outlives_watchdog: watchdog_timeout_s (60 s) + multiplexer slack (12 s) + clock drift (0 s) = 72 s \
         must be less than lock_lifetime_s (72 s): raise lock_lifetime_s from 72 s to 72.001 s"
    );
    assert_eq!(errors.violations()[1].inequality, Inequality::LockAllowsLateAnswer);
    assert_eq!(errors.violations()[1].mend.to, Amount::Time(milliseconds(78_001)));
}

#[test]
fn clock_drift_grows_with_the_lifetime() {
    let settings =
        TimingSettings { clock_drift_ppm: 100_000, lock_lifetime: seconds(80), ..TimingSettings::customary() };
    let errors = settings.validate().unwrap_err();
    // 72 / 0.9 = 80 is not enough, and 78.001 / 0.9 = 86.6678.
    assert_eq!(errors.violations()[0].mend.to, Amount::Time(milliseconds(80_001)));
    assert_eq!(errors.violations()[1].mend.to, Amount::Time(milliseconds(86_668)));
}

#[test]
fn a_missed_renewal_does_not_reset_the_node() {
    let violation = violation(TimingSettings {
        longest_step: seconds(5),
        record_old_after: seconds(40),
        ..TimingSettings::customary()
    });
    assert_eq!(violation.inequality, Inequality::WatchdogAllowsMissedRenewal);
    assert_eq!(
        violation.to_string(),
        "watchdog_allows_missed_renewal: 2 × renewal interval (60 s) must be less than watchdog_timeout_s (60 s): \
         raise watchdog_timeout_s from 60 s to 60.001 s"
    );
}

/// A device may run out early by its granularity; a multiplexer counts the timeout of its clients itself.
#[test]
fn a_missed_renewal_does_not_reset_a_node_whose_own_device_is_early() {
    let own_device = TimingSettings {
        multiplexer_interval: Duration::ZERO,
        device_granularity: seconds(6),
        ..TimingSettings::customary()
    };
    let violation = violation(own_device);
    assert_eq!(violation.inequality, Inequality::WatchdogAllowsMissedRenewal);
    assert_eq!(
        violation.to_string(),
        "watchdog_allows_missed_renewal: 2 × renewal interval (54 s) + device_granularity_s (6 s) = 60 s must be less than \
         watchdog_timeout_s (60 s): raise watchdog_timeout_s from 60 s to 60.001 s"
    );
    let mut mended = own_device;
    mended.apply(&violation.mend);
    let timings = mended.validate().unwrap();
    assert_eq!(timings.shortest_safe_watchdog_timeout(), timings.watchdog_timeout());
    assert_eq!(timings.longest_safe_renewal_interval(), timings.renewal_interval());
}

#[test]
fn the_fence_delay_covers_detection_or_is_zero() {
    let with = |fence_delay| TimingSettings { fence_delay, ..TimingSettings::customary() };
    assert!(with(Duration::ZERO).validate().is_ok());
    assert!(with(seconds(5)).validate().is_ok());
    let violation = violation(with(milliseconds(4_999)));
    assert_eq!(violation.inequality, Inequality::FenceDelayCoversDetection);
    assert_eq!(
        violation.mend,
        Mend {
            setting: TimingSetting::FenceDelay,
            from: Amount::Time(milliseconds(4_999)),
            to: Amount::Time(seconds(5))
        }
    );
}

#[test]
fn the_device_stands_one_late_feed() {
    let settings = TimingSettings { multiplexer_interval: milliseconds(4_500), ..TimingSettings::customary() };
    assert_eq!(violation(settings).inequality, Inequality::DeviceAllowsMissedFeed);
    let without = TimingSettings { multiplexer_interval: Duration::ZERO, device_timeout: Duration::ZERO, ..settings };
    assert_eq!(without.validate().unwrap().settings().multiplexer_slack(), seconds(1));
}

#[test]
fn a_warning_comes_before_the_end() {
    let settings = TimingSettings { multiplexer_warning: seconds(61), ..TimingSettings::customary() };
    assert_eq!(violation(settings).mend.to_string(), "lower multiplexer_warning_s from 61 s to 60 s");
}

#[test]
fn records_look_old_later_than_they_are_written() {
    let settings = TimingSettings { record_old_after: seconds(27), ..TimingSettings::customary() };
    assert_eq!(violation(settings).inequality, Inequality::RecordsStayFresh);
}

#[test]
fn absurd_values_are_refused_without_overflow() {
    for absurd in [Duration::MAX, Duration::ZERO] {
        let all = format!("{absurd:?}");
        let settings = TimingSettings {
            watchdog_timeout: absurd,
            lock_lifetime: absurd,
            round_time: absurd,
            lock_retry_window: absurd,
            longest_step: absurd,
            waiting_loop: absurd,
            clock_drift_ppm: u32::MAX,
            ..TimingSettings::customary()
        };
        let errors = settings.validate().unwrap_err();
        assert!(errors.violations().iter().all(|violation| {
            matches!(violation.inequality, Inequality::SettingAtLeast | Inequality::SettingAtMost)
        }));
        assert!(!errors.to_string().is_empty(), "{all}");
        // What is asked before the check does not overflow either.
        let _ = (settings.renewal_interval(), settings.multiplexer_slack(), settings.clock_drift());
    }
}

#[test]
fn a_late_feed_gets_what_is_left() {
    let timings = Timings::default();
    let budget = timings.feed_budget();
    assert_eq!(timings.feed_deadline(Instant::from_secs(1000)), Instant::from_secs(1000).after(budget));
    assert_eq!(timings.watchdog_timeout_left(Duration::ZERO), Some(seconds(60)));
    assert_eq!(timings.watchdog_timeout_left(budget), Some(seconds(60)));
    assert_eq!(timings.watchdog_timeout_left(budget + seconds(1)), Some(seconds(59)));
    assert_eq!(timings.watchdog_timeout_left(budget + seconds(60)), None);
    assert_eq!(timings.watchdog_timeout_left(Duration::MAX), None);
}

#[test]
fn settings_are_written_in_seconds() {
    let json = serde_json::to_value(TimingSettings::fast()).unwrap();
    assert_eq!(json["watchdog_timeout_s"], serde_json::json!(3));
    assert_eq!(json["lock_lifetime_s"], serde_json::json!(6.6));
    assert_eq!(json["gone_forgotten_after_s"], serde_json::json!(3600));
    assert_eq!(json["clock_drift_ppm"], serde_json::json!(1000));
    assert_eq!(serde_json::from_value::<TimingSettings>(json).unwrap(), TimingSettings::fast());
}

#[test]
fn what_is_not_set_is_customary_and_what_is_wrong_is_refused() {
    let settings: TimingSettings = serde_json::from_str(r#"{"fence_delay_s": 0.25}"#).unwrap();
    assert_eq!(settings, TimingSettings { fence_delay: milliseconds(250), ..TimingSettings::customary() });
    for bad in [r#"{"fence_delay_s": -1}"#, r#"{"fence_delay_s": 1e300}"#, r#"{"fence_dely_s": 1}"#] {
        assert!(serde_json::from_str::<TimingSettings>(bad).is_err(), "{bad}");
    }
    let unsafe_settings = serde_json::from_str::<Timings>(r#"{"lock_lifetime_s": 60}"#).unwrap_err();
    assert!(unsafe_settings.to_string().contains("lock_outlives_watchdog"), "{unsafe_settings}");
}

#[test]
fn every_setting_that_is_a_time_is_in_the_file_under_its_name() {
    let json = serde_json::to_value(TimingSettings::customary()).unwrap();
    for setting in TimingSetting::ALL {
        assert!(json.get(setting.as_str()).is_some(), "{setting}");
        let (lowest, highest) = setting.range();
        let value = TimingSettings::customary().get(*setting);
        assert!(lowest <= value && value <= highest, "{setting}");
    }
}
