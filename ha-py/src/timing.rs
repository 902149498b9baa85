//! Timings that are safe.

use std::{collections::BTreeMap, time::Duration};

use ha_core::timing::{self, RecoveryTimes, TimingSetting, TimingSettings};
use pyo3::prelude::*;
use serde_json::json;

use crate::{
    convert::{In, Moment, Out, Seconds, data_by},
    errors,
    values::{TimingValue, setting_name},
};

data_by! {
    RecoveryTimes = "pyha.records" "RecoveryTimes" by |times| json!({
        "shortest_s": times.shortest.as_secs_f64(),
        "longest_s": times.longest.as_secs_f64(),
        "longest_with_master_s": times.longest_with_master.as_secs_f64(),
    });
}

/// Settings that keep a service from ever running twice. Making it checks them; a ``TimingError`` says what does not hold.
///
/// >>> from datetime import timedelta
/// >>> from pyha import Timings, TimingSettings, TimingError
/// >>> Timings().renewal_interval
/// datetime.timedelta(seconds=27)
/// >>> try:
/// ...     Timings(TimingSettings(lock_lifetime=timedelta(seconds=70)))
/// ... except TimingError as error:
/// ...     print(error.violations[0].inequality, error.violations[0].setting)
/// lock_outlives_watchdog lock_lifetime
#[pyclass(frozen, eq, module = "pyha")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Timings(pub(crate) timing::Timings);

#[pymethods]
impl Timings {
    #[new]
    #[pyo3(signature = (settings=None))]
    fn new(py: Python<'_>, settings: Option<In<TimingSettings>>) -> PyResult<Self> {
        let settings = settings.map(|In(settings)| settings).unwrap_or_default();
        settings.validate().map(Self).map_err(|errors| errors::timing(py, &errors))
    }

    /// Timings for locks, networks and watchdogs that are quick and reliable: a start elsewhere after less than ten seconds.
    #[staticmethod]
    fn fast(py: Python<'_>) -> PyResult<Self> {
        TimingSettings::fast().validate().map(Self).map_err(|errors| errors::timing(py, &errors))
    }

    /// Raises a ``TimingError`` if these settings are not safe.
    #[staticmethod]
    fn validate(py: Python<'_>, settings: In<TimingSettings>) -> PyResult<Self> {
        Self::new(py, Some(settings))
    }

    /// The lowest and the highest value of each setting that has bounds, by its name.
    ///
    /// >>> from pyha import Timings
    /// >>> low, high = Timings.bounds()["watchdog_timeout"]
    /// >>> low < Timings().settings.watchdog_timeout < high
    /// True
    #[staticmethod]
    fn bounds() -> BTreeMap<&'static str, (TimingValue, TimingValue)> {
        let bounds = TimingSetting::ALL.iter().map(|setting| {
            let (lowest, highest) = setting.range();
            (setting_name(*setting), (TimingValue(lowest), TimingValue(highest)))
        });
        bounds.collect()
    }

    /// The settings.
    #[getter]
    fn settings(&self) -> Out<TimingSettings> {
        Out(*self.0.settings())
    }

    /// The time from asking for a lock's renewal within which the watchdog may still be fed for it.
    #[getter]
    fn feed_budget(&self) -> Duration {
        self.0.feed_budget()
    }

    /// Until when the watchdog may be fed for a renewal that was asked for at this moment.
    fn feed_deadline(&self, asked_at: Moment) -> Moment {
        Moment(self.0.feed_deadline(asked_at.0))
    }

    /// What a watchdog's timeout may be, this long after the renewal was asked for; ``None`` if it is too late to feed.
    fn watchdog_timeout_left(&self, since_asked: Seconds) -> Option<Duration> {
        self.0.watchdog_timeout_left(since_asked.0)
    }

    /// What the two clocks that a lock's lifetime is measured by may differ by over that time.
    #[getter]
    fn clock_drift(&self) -> Duration {
        self.0.settings().clock_drift()
    }

    /// The longest time that an attempt to take a lock takes.
    #[getter]
    fn longest_lock_attempt(&self) -> Duration {
        self.0.settings().longest_lock_attempt()
    }

    /// The longest time from one renewal of a lock to the next.
    #[getter]
    fn renewal_interval(&self) -> Duration {
        self.0.renewal_interval()
    }

    /// The longest renewal interval that the watchdog's timeout would bear.
    #[getter]
    fn longest_safe_renewal_interval(&self) -> Duration {
        self.0.longest_safe_renewal_interval()
    }

    /// The shortest timeout of the watchdog that the renewal interval would bear.
    #[getter]
    fn shortest_safe_watchdog_timeout(&self) -> Duration {
        self.0.shortest_safe_watchdog_timeout()
    }

    /// How long it takes from the failure of a node to the start of its services elsewhere.
    fn recovery(&self) -> Out<RecoveryTimes> {
        Out(self.0.recovery())
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{Hash, Hasher};
        let mut hasher = std::hash::DefaultHasher::new();
        (self.0.lock_lifetime(), self.0.watchdog_timeout(), self.0.round_time()).hash(&mut hasher);
        hasher.finish()
    }

    fn __getnewargs__(&self) -> (Out<TimingSettings>,) {
        (self.settings(),)
    }

    fn __repr__(&self) -> String {
        let (lock, watchdog) = (self.0.lock_lifetime(), self.0.watchdog_timeout());
        format!("<Timings: lock lifetime {lock:?}, watchdog timeout {watchdog:?}>")
    }
}
