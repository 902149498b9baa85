//! Services that are a systemd unit.

use std::{io, process::Command, thread, time::Duration};

use ha_core::{
    host::{HostError, ProbeProgress},
    id::ServiceId,
};
use serde::{Deserialize, Serialize};

use super::{kind::GuestAgent, output::output_within};
use crate::os::{
    cgroup::{self, Cgroup},
    clock,
};

/// A systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitGuest {
    /// The unit, such as `nginx.service`.
    pub unit: String,
    /// Seconds that a start or stop may take, where no other time is asked for.
    #[serde(default = "super::kind::usual_seconds")]
    pub timeout_s: u32,
}

/// Runs `systemctl`, so that tests can answer instead.
pub trait Systemctl {
    /// Runs `systemctl` with these arguments and gives what it wrote, without blanks at the ends.
    ///
    /// # Errors
    ///
    /// If it can't be run, does not succeed, or takes longer than `timeout`.
    fn run(&self, arguments: &[&str], timeout: Duration) -> io::Result<String>;
}

/// The real `systemctl`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemctlCommand;

impl Systemctl for SystemctlCommand {
    fn run(&self, arguments: &[&str], timeout: Duration) -> io::Result<String> {
        let output = output_within(Command::new("systemctl").args(arguments), timeout)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(io::Error::other(format!("{}: {}", output.status, text(&output.stderr))))
        }
    }
}

/// Starts, watches and stops systemd units. The unit must not be started by systemd itself at boot.
#[derive(Debug, Clone)]
pub struct UnitAgent<S> {
    systemctl: S,
}

impl<S: Systemctl> UnitAgent<S> {
    /// How long a question to systemd may take.
    const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);

    /// An agent that uses this `systemctl`.
    pub const fn new(systemctl: S) -> Self {
        Self { systemctl }
    }

    fn call(&self, guest: &UnitGuest, arguments: &[&str], timeout: Duration) -> Result<String, HostError> {
        let message = |error| HostError::new(format!("systemctl {} {}: {error}", arguments.join(" "), guest.unit));
        let words: Vec<&str> = arguments.iter().copied().chain(["--", &guest.unit]).collect();
        self.systemctl.run(&words, timeout).map_err(message)
    }

    /// Whether anything of the unit runs. One that is just being stopped still does. What a unit has left in its cgroup, which
    /// systemd itself leaves alone with some `KillMode`s, is ended before it is said not to run.
    ///
    /// # Errors
    ///
    /// If systemd does not say, or what is left can't be ended.
    pub fn is_running(&self, guest: &UnitGuest) -> Result<bool, HostError> {
        let state = self.call(guest, &["show", "--property=ActiveState", "--value"], Self::QUESTION_TIMEOUT)?;
        match state.as_str() {
            "active" | "reloading" | "refreshing" | "activating" | "deactivating" | "maintenance" => Ok(true),
            "inactive" | "failed" => self.end_remains(guest).map(|()| false),
            other => Err(HostError::new(format!("systemd says that {} is '{other}'", guest.unit))),
        }
    }

    /// Whether the unit is ready, as systemd has it: one of `Type=notify` says so itself.
    ///
    /// # Errors
    ///
    /// If it is not, with what systemd says that it is.
    pub fn ready(&self, guest: &UnitGuest, timeout: Duration) -> Result<ProbeProgress, HostError> {
        let state = self.call(guest, &["show", "--property=ActiveState", "--value"], timeout)?;
        match state.as_str() {
            "active" | "reloading" | "refreshing" => Ok(ProbeProgress::Ready),
            "failed" => Ok(ProbeProgress::Failed),
            other => Err(HostError::new(format!("systemd says that {} is '{other}'", guest.unit))),
        }
    }

    /// A unit of which nothing is left has no cgroup, or an empty one.
    fn end_remains(&self, guest: &UnitGuest) -> Result<(), HostError> {
        const LOOK_INTERVAL: Duration = Duration::from_millis(20);
        let path = self.call(guest, &["show", "--property=ControlGroup", "--value"], Self::QUESTION_TIMEOUT)?;
        if path.trim_matches('/').is_empty() || !path.starts_with('/') {
            return Ok(());
        }
        let fail = |error: io::Error| HostError::new(format!("cannot end what is left of {}: {error}", guest.unit));
        let directory = cgroup::directory_of(&path).map_err(fail)?;
        let end = clock::instant().after(Self::QUESTION_TIMEOUT);
        while Cgroup(&directory).is_populated().map_err(fail)? {
            if clock::instant() >= end {
                return Err(fail(io::ErrorKind::TimedOut.into()));
            }
            Cgroup(&directory).kill().map_err(fail)?;
            thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }

    /// Starts the unit.
    ///
    /// # Errors
    ///
    /// If systemd can't, or takes too long.
    pub fn start(&self, guest: &UnitGuest) -> Result<(), HostError> {
        self.call(guest, &["start"], Duration::from_secs(guest.timeout_s.into())).map(drop)
    }

    /// Stops the unit, hard if `timeout` is 0 or when it is over.
    ///
    /// # Errors
    ///
    /// If systemd can't.
    pub fn stop(&self, guest: &UnitGuest, timeout: Option<u32>) -> Result<(), HostError> {
        let timeout = Duration::from_secs(timeout.unwrap_or(guest.timeout_s).into());
        if !timeout.is_zero() && self.call(guest, &["stop"], timeout).is_ok() {
            return Ok(());
        }
        // It fails where nothing is left to be killed; the stop says whether that is so.
        let _ = self.call(guest, &["kill", "--signal=SIGKILL"], Self::QUESTION_TIMEOUT);
        self.call(guest, &["stop"], Self::QUESTION_TIMEOUT).map(drop)
    }
}

/// Of units nobody knows which ones were started for a guest that has another agent now.
impl<S: Systemctl + Send + Sync + 'static> GuestAgent for UnitAgent<S> {
    const KIND: &'static str = "unit";

    type Definition = UnitGuest;

    fn own_seconds(guest: &UnitGuest, _: bool) -> u32 {
        guest.timeout_s
    }

    fn journal(guest: &UnitGuest) -> Option<String> {
        Some(guest.unit.clone())
    }

    fn is_running(&self, _: &ServiceId, guest: &UnitGuest) -> Result<bool, HostError> {
        self.is_running(guest)
    }

    fn start(&self, _: &ServiceId, guest: &UnitGuest, _: Option<&str>) -> Result<(), HostError> {
        self.start(guest)
    }

    fn stop(&self, _: &ServiceId, guest: &UnitGuest, timeout: Option<u32>) -> Result<(), HostError> {
        self.stop(guest, timeout)
    }

    fn ready(&self, _: &ServiceId, guest: &UnitGuest, timeout: Duration) -> Result<ProbeProgress, HostError> {
        self.ready(guest, timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::io::Write;

    struct Fake {
        state: &'static str,
        stops: bool,
        cgroup: String,
        calls: RefCell<Vec<String>>,
    }

    impl Systemctl for Fake {
        fn run(&self, arguments: &[&str], timeout: Duration) -> io::Result<String> {
            let call = arguments.join(" ");
            self.calls.borrow_mut().push(format!("{call} {}", timeout.as_secs()));
            let kills = self.calls.borrow().iter().any(|call| call.starts_with("kill"));
            match call.as_str() {
                "stop -- web.service" if !self.stops && !kills => Err(io::ErrorKind::TimedOut.into()),
                "show --property=ActiveState --value -- web.service" => Ok(self.state.into()),
                "show --property=ControlGroup --value -- web.service" => Ok(self.cgroup.clone()),
                _ => Ok(String::new()),
            }
        }
    }

    fn agent(state: &'static str, stops: bool) -> UnitAgent<Fake> {
        UnitAgent::new(Fake { state, stops, cgroup: String::new(), calls: RefCell::default() })
    }

    fn guest() -> UnitGuest {
        UnitGuest { unit: "web.service".into(), timeout_s: 30 }
    }

    #[test]
    fn what_is_being_stopped_still_runs_and_an_unknown_word_is_no_answer() {
        for state in ["active", "reloading", "refreshing", "activating", "deactivating", "maintenance"] {
            assert!(agent(state, true).is_running(&guest()).unwrap(), "{state}");
        }
        assert!(!agent("inactive", true).is_running(&guest()).unwrap());
        assert!(!agent("failed", true).is_running(&guest()).unwrap());
        assert!(agent("", true).is_running(&guest()).is_err());
    }

    #[test]
    fn a_unit_is_ready_when_systemd_has_it_for_active() {
        let ready = |state| agent(state, true).ready(&guest(), Duration::from_secs(5));
        for state in ["active", "reloading", "refreshing"] {
            assert_eq!(ready(state), Ok(ProbeProgress::Ready), "{state}");
        }
        assert_eq!(ready("failed"), Ok(ProbeProgress::Failed));
        for state in ["activating", "deactivating", "inactive", ""] {
            assert!(ready(state).is_err_and(|error| error.to_string().contains(state)), "{state}");
        }
    }

    #[test]
    fn a_unit_that_does_not_stop_is_killed() {
        let stubborn = agent("active", false);
        stubborn.stop(&guest(), Some(5)).unwrap();
        let calls = stubborn.systemctl.calls.borrow();
        assert_eq!(calls[..2], ["stop -- web.service 5", "kill --signal=SIGKILL -- web.service 10"]);

        let hard = agent("active", true);
        hard.stop(&guest(), Some(0)).unwrap();
        assert!(hard.systemctl.calls.borrow()[0].starts_with("kill"), "0 is hard and at once");
    }

    #[test]
    fn what_a_unit_left_in_its_cgroup_is_ended_before_it_is_said_not_to_run() {
        let path = format!("/ha-unit-test-{}", std::process::id());
        let place = cgroup::directory_of(&path);
        let Some(place) = place.ok().filter(|place| std::fs::create_dir(place).is_ok()) else {
            let _ = writeln!(std::io::stderr(), "skipped: no cgroups here");
            return;
        };
        let enter = format!("echo 0 > {}/cgroup.procs; exec sleep 1000", place.display());
        let mut left = Command::new("/bin/sh").args(["-c", &enter]).spawn().unwrap();
        let end = std::time::Instant::now() + Duration::from_secs(20);
        while !Cgroup(&place).is_populated().unwrap() {
            assert!(std::time::Instant::now() < end, "it never ran");
            thread::sleep(Duration::from_millis(10));
        }
        let mut agent = agent("inactive", true);
        agent.systemctl.cgroup = path;
        assert!(!agent.is_running(&guest()).unwrap());
        let ended = left.try_wait().unwrap();
        left.kill().unwrap();
        left.wait().unwrap();
        Cgroup(&place).remove();
        assert!(ended.is_some(), "it was said not to run, and something was left");
    }
}
