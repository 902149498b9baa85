//! Records, commands, timings, recordings and scenarios.

use std::fmt::Display;

use ha_core::{
    record,
    status::{CommandLine, LrmStatus, ManagerStatus},
    timing::TimingSettings,
};
use ha_sim::scenario::Scenario;

fn says_something(error: impl Display) {
    assert!(!error.to_string().is_empty());
}

pub(crate) fn manager_status(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match ManagerStatus::from_json(text) {
        Ok(status) => {
            let written = status.to_json();
            let again = ManagerStatus::from_json(&written).expect("what was written can be read");
            assert_eq!(again, status);
            assert_eq!(again.to_json(), written);
        }
        Err(error) => says_something(error),
    }
}

pub(crate) fn lrm_status(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match LrmStatus::from_json(text) {
        Ok(status) => {
            let written = status.to_json();
            let again = LrmStatus::from_json(&written).expect("what was written can be read");
            assert_eq!(again, status);
        }
        Err(error) => says_something(error),
    }
}

pub(crate) fn command(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match text.parse::<CommandLine>() {
        Ok(line) => {
            assert!(!line.command.verb().is_empty());
            assert_eq!(line.to_string().parse::<CommandLine>().as_ref(), Ok(&line));
        }
        Err(error) => says_something(error),
    }
}

/// Timings from JSON; what is refused is mended until it is accepted.
pub(crate) fn timings(data: &[u8]) {
    let Ok(mut settings) = serde_json::from_slice::<TimingSettings>(data) else { return };
    for _ in 0..100 {
        let Err(errors) = settings.validate() else { break };
        says_something(&errors);
        let violation = errors.violations().first().expect("there is a reason");
        settings.apply(&violation.mend);
    }
    let timings = settings.validate().expect("every set can be mended");
    assert!(timings.recovery().shortest <= timings.recovery().longest);
    assert!(timings.feed_budget() >= settings.longest_lock_attempt());
}

pub(crate) fn recording(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match record::replay(text) {
        Ok(replayed) => {
            if let Some(divergence) = replayed.divergence {
                says_something(divergence);
            }
        }
        Err(error) => says_something(error),
    }
}

/// A scenario with a few nodes' worth of configuration. It is read, not played.
pub(crate) fn scenario(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Err(error) = Scenario::parse("fuzz", text, &[("resources.cfg", "vm: 100\n\nct: 101\n")]) {
        says_something(error);
    }
}
