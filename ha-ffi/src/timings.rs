//! All timings in one value, and whether they are safe.

use std::{ffi::c_char, time::Duration};

use ha_core::timing::{Amount, TimingErrors, TimingSetting, TimingSettings, Timings};
use serde_json::{Value, json};

use crate::{
    boundary::{self, Call, call},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    text::ha_text,
};

/// Timings to begin with.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_timings_preset {
    /// Those that clusters have long had: a start elsewhere after about two minutes.
    HA_TIMINGS_CUSTOMARY = 1,
    /// For locks, networks and watchdogs that are quick and reliable: a start elsewhere after less than ten seconds.
    HA_TIMINGS_FAST = 2,
}

/// The settings of all timings. They may be unsafe while they are being set; daemons refuse unsafe ones.
pub struct ha_timings {
    _private: [u8; 0],
}

/// What follows from safe timings. All in nanoseconds. This layout never changes.
#[repr(C)]
#[derive(Default)]
pub struct ha_timing_facts {
    /// For how long a lock cannot pass to another holder after it was renewed.
    pub lock_lifetime: u64,
    /// How long after its last feed a daemon's watchdog runs out.
    pub watchdog_timeout: u64,
    /// How long after a renewal was asked for the watchdog may still be fed with its full timeout.
    pub feed_budget: u64,
    /// The longest time from one feed of the watchdog to the next one, when nothing fails.
    pub renewal_interval: u64,
    /// The time from the start of one round to the start of the next one.
    pub round_time: u64,
    /// The time after which a daemon that waits looks again.
    pub waiting_loop: u64,
    /// From a failure to the start elsewhere, never earlier.
    pub shortest_recovery: u64,
    /// From a failure to the start elsewhere, never later, as long as the master stays.
    pub longest_recovery: u64,
    /// From a failure to the start elsewhere, never later, where the master fails too.
    pub longest_recovery_with_master: u64,
}

/// Behind a `ha_timings`.
pub(crate) struct TimingsHandle(pub(crate) TimingSettings);

impl Handle for TimingsHandle {
    const NAME: &'static str = "ha_timings";
}

fn amount(amount: Amount) -> Value {
    match amount {
        Amount::Time(time) => json!(time.as_secs_f64()),
        Amount::PartsPerMillion(ppm) => json!(ppm),
    }
}

fn unsafe_timings(errors: &TimingErrors) -> Failure {
    let violations: Vec<Value> = errors
        .violations()
        .iter()
        .map(|violation| {
            json!({
                "inequality": violation.inequality.to_string(),
                "lesser": amount(violation.lesser.total),
                "greater": amount(violation.greater.total),
                "may_be_equal": violation.may_be_equal,
                "setting": violation.mend.setting.as_str(),
                "from": amount(violation.mend.from),
                "to": amount(violation.mend.to),
                "message": violation.to_string(),
            })
        })
        .collect();
    let first = errors.violations().first().map(|violation| violation.mend.setting.as_str());
    Failure::new(ha_status::HA_ERROR_TIMINGS, errors)
        .kind("unsafe_timings")
        .field(first)
        .details(Some(json!(violations)))
}

/// The timings for a daemon: the customary ones for NULL.
pub(crate) fn checked(timings: *const ha_timings) -> Result<Timings, Failure> {
    if timings.is_null() {
        return Ok(Timings::default());
    }
    handles::read::<_, TimingsHandle>(timings)?.0.validate().map_err(|errors| unsafe_timings(&errors))
}

/// Nanoseconds for C.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Makes timings. preset: one of ha_timings_preset.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_timings_new(
    preset: i32,
    timings: *mut *mut ha_timings,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let settings = match preset {
            fast if fast == ha_timings_preset::HA_TIMINGS_FAST as i32 => TimingSettings::fast(),
            customary if customary == ha_timings_preset::HA_TIMINGS_CUSTOMARY as i32 => TimingSettings::customary(),
            _ => return Err(Failure::argument(format!("{preset} is no ha_timings_preset"))),
        };
        call.new_handle(timings, TimingsHandle(settings))
    })
}

/// Reads timings from JSON: an object of settings ("lock_lifetime_s": 120). What is missing is customary; what is not known
/// is HA_ERROR_CONTENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_timings_from_json(
    json: *const c_char,
    length: usize,
    timings: *mut *mut ha_timings,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let settings = serde_json::from_str(call.text(json, length)?);
        let settings = settings.map_err(|error| Failure::content(&error).line(error.line()))?;
        call.new_handle(timings, TimingsHandle(settings))
    })
}

/// Frees timings. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_timings_free(timings: *mut ha_timings) -> ha_status {
    boundary::free::<_, TimingsHandle>(timings)
}

/// The settings as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_timings_to_json(
    timings: *const ha_timings,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let settings = handles::read::<_, TimingsHandle>(timings)?.0;
        call.own_text(json, json!(settings).to_string())
    })
}

/// The value of a setting ("lock_lifetime_s"): seconds, or a plain number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_timings_get(
    timings: *const ha_timings,
    setting: *const c_char,
    setting_length: usize,
    value: *mut f64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let setting = call.text(setting, setting_length)?;
        let settings = json!(handles::read::<_, TimingsHandle>(timings)?.0);
        let found = settings.get(setting).and_then(Value::as_f64);
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no setting '{setting}'")))?;
        call.must_write(value, found)
    })
}

/// Sets a setting: seconds, fractions allowed, or a plain number. Whether all are safe together is seen by
/// ha_timings_check().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_timings_set(
    timings: *mut ha_timings,
    setting: *const c_char,
    setting_length: usize,
    value: f64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let setting = call.text(setting, setting_length)?;
        let mut timings = handles::take::<_, TimingsHandle>(timings)?;
        let mut settings = json!(timings.0);
        let slot = settings.get_mut(setting);
        let slot = slot.ok_or_else(|| Failure::not_found(format!("there is no setting '{setting}'")))?;
        let is_time = setting.parse::<TimingSetting>().is_ok_and(|setting| setting != TimingSetting::ClockDrift);
        *slot = if is_time || value.fract() != 0.0 { json!(value) } else { json!(value as i64) };
        timings.0 = serde_json::from_value(settings).map_err(|error| Failure::argument(&error).field(Some(setting)))?;
        Call::done()
    })
}

/// Checks that the settings are safe together, and says what follows from them; facts may be NULL.
///
/// HA_ERROR_TIMINGS with every inequality that does not hold, and a change that mends it, in the error's details.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_timings_check(
    timings: *const ha_timings,
    facts: *mut ha_timing_facts,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        if timings.is_null() {
            return Err(Failure::argument("NULL instead of a ha_timings"));
        }
        let timings = checked(timings)?;
        let recovery = timings.recovery();
        let found = ha_timing_facts {
            lock_lifetime: nanoseconds(timings.lock_lifetime()),
            watchdog_timeout: nanoseconds(timings.watchdog_timeout()),
            feed_budget: nanoseconds(timings.feed_budget()),
            renewal_interval: nanoseconds(timings.renewal_interval()),
            round_time: nanoseconds(timings.round_time()),
            waiting_loop: nanoseconds(timings.waiting_loop()),
            shortest_recovery: nanoseconds(recovery.shortest),
            longest_recovery: nanoseconds(recovery.longest),
            longest_recovery_with_master: nanoseconds(recovery.longest_with_master),
        };
        call.write(facts, found);
        Call::done()
    })
}

/// The timeout, in nanoseconds, with which the watchdog may be fed so long after its renewal was asked for: the full one, or
/// what is left. HA_NONE when it must not be fed any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_timings_watchdog_timeout_left(
    timings: *const ha_timings,
    since_asked: u64,
    left: *mut u64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        match checked(timings)?.watchdog_timeout_left(Duration::from_nanos(since_asked)) {
            Some(time) => call.must_write(left, nanoseconds(time)),
            None => Ok(ha_status::HA_NONE),
        }
    })
}
