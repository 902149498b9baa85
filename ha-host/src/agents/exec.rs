//! Services that are run by a program of one's own.

mod trial;

use std::{collections::BTreeMap, path::Path, process::Command, time::Duration};

use ha_core::{
    host::{HostError, ProbeProgress},
    id::{NodeName, ServiceId},
};
use serde::{Deserialize, Serialize};

use super::{
    kind::{GuestAgent, Workplace},
    launch::Launcher,
    probe,
    program::{Call, Programs},
};

pub use trial::{ExecFinding, ExecPromise, try_out};

/// A program of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecGuest {
    /// The program and its first arguments; the verb and its arguments come after them.
    pub command: Vec<String>,
    /// Seconds that a verb may take, where no other time is asked for.
    #[serde(default = "super::kind::usual_seconds")]
    pub timeout_s: u32,
}

/// Runs a program with a verb for everything that is done with a service.
///
/// The program is called as `PROGRAM [ARGUMENT]... VERB SID [ARGUMENT]`, with `HA_SID` and `HA_NODE` in its environment and `/`
/// as its directory; its output goes to a log in the run directory.
///
/// | verb | argument | exit code |
/// |---|---|---|
/// | `status` | | 0 it runs here; 3 it does not; all others: that can't be told |
/// | `start` | | 0 it was started; all others: it was not |
/// | `stop` | seconds that it may take; 0 is hard and at once | 0 it was stopped; all others: it was not |
/// | `migrate` | the target node | 0 it runs there and no longer here; 3 it can't be moved live; all others: it stays here |
/// | `ready` | | of a service whose probe is `agent`: 0 it is ready; 3 not yet; 4 it never will be; all others: it is not |
///
/// Each verb must do nothing, and succeed, if what it asks for is so already. One that takes too long is killed with all
/// that comes from it. Only `ready` may be called while another verb of the same service is at work; what it writes is not logged, but its
/// last line is shown as the reason.
///
/// What `start` leaves behind is the service, and outlives the daemon. When `status` says that the service does not run, what is left of
/// that is ended, so that nothing of it touches what another node works with: all that came from `start` where there are cgroups
/// (see [`Containment`](crate::os::cgroup::Containment)), else only what has its `HA_INSTANCE` in the environment. What must go on beside the service has
/// to be started by somebody else, such as `systemd-run`.
#[derive(Debug, Clone)]
pub struct ExecAgent {
    node: NodeName,
    programs: Programs,
}

/// A verb, with its argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb<'a> {
    /// Whether it runs.
    Status,
    /// Start it.
    Start,
    /// Stop it within so many seconds.
    Stop(u32),
    /// Move it live.
    Migrate(&'a NodeName),
}

impl Verb<'_> {
    fn words(&self) -> (&'static str, Option<String>) {
        match self {
            Self::Status => ("status", None),
            Self::Start => ("start", None),
            Self::Stop(timeout_s) => ("stop", Some(timeout_s.to_string())),
            Self::Migrate(target) => ("migrate", Some(target.to_string())),
        }
    }
}

/// By this exit code `status` says that it does not run, and `migrate` that it can't be done.
const NO: i32 = 3;

impl ExecAgent {
    /// What a stop takes beyond its own timeout.
    const STOP_ALLOWANCE_S: u32 = 10;

    /// An agent that keeps what it must know in `run_directory`.
    #[must_use]
    pub fn new(node: NodeName, run_directory: &Path, launcher: Launcher) -> Self {
        Self { node, programs: Programs::new(run_directory.join("exec"), launcher) }
    }

    pub(super) fn at(place: &Workplace) -> Self {
        Self::new(place.node.clone(), &place.run_directory, place.launcher.clone())
    }

    /// Whether the service runs. If the program says that it does not, what is left of it is ended first.
    ///
    /// # Errors
    ///
    /// If the program does not say so, or something that is left can't be ended.
    pub fn is_running(&self, sid: &ServiceId, guest: &ExecGuest) -> Result<bool, HostError> {
        match self.run(sid, guest, &Verb::Status, guest.timeout_s)? {
            0 => Ok(true),
            NO => self.programs.end_remains(sid).map(|()| false),
            code => Err(self.failed(sid, &Verb::Status, code)),
        }
    }

    /// Starts the service.
    ///
    /// # Errors
    ///
    /// If the program says so, or takes too long.
    pub fn start(&self, sid: &ServiceId, guest: &ExecGuest) -> Result<(), HostError> {
        self.programs.end_remains(sid)?;
        match self.run(sid, guest, &Verb::Start, guest.timeout_s)? {
            0 => Ok(()),
            code => Err(self.failed(sid, &Verb::Start, code)),
        }
    }

    /// Stops the service.
    ///
    /// # Errors
    ///
    /// If the program says so, or takes too long.
    pub fn stop(&self, sid: &ServiceId, guest: &ExecGuest, timeout: Option<u32>) -> Result<(), HostError> {
        let timeout_s = timeout.unwrap_or(guest.timeout_s);
        let verb = Verb::Stop(timeout_s);
        match self.run(sid, guest, &verb, timeout_s.saturating_add(Self::STOP_ALLOWANCE_S))? {
            0 => Ok(()),
            code => Err(self.failed(sid, &verb, code)),
        }
    }

    /// Moves the service live. Says whether it did; if the program can't, nothing was done.
    ///
    /// # Errors
    ///
    /// If the program says so, or takes too long.
    pub fn migrate(&self, sid: &ServiceId, guest: &ExecGuest, target: &NodeName) -> Result<bool, HostError> {
        let verb = Verb::Migrate(target);
        match self.run(sid, guest, &verb, guest.timeout_s)? {
            0 => self.programs.end_remains(sid).map(|()| true),
            NO => Ok(false),
            code => Err(self.failed(sid, &verb, code)),
        }
    }

    fn run(&self, sid: &ServiceId, guest: &ExecGuest, verb: &Verb<'_>, timeout_s: u32) -> Result<i32, HostError> {
        let (name, argument) = verb.words();
        let mut command = guest.command.clone();
        command.extend([name.to_owned(), sid.to_string()]);
        command.extend(argument);
        let environment =
            BTreeMap::from([("HA_SID".to_owned(), sid.to_string()), ("HA_NODE".to_owned(), self.node.to_string())]);
        let starts = *verb == Verb::Start;
        let call = Call { name, command: &command, environment: &environment, inherits: true, timeout_s, starts };
        self.programs.call(sid, &call)
    }

    fn failed(&self, sid: &ServiceId, verb: &Verb<'_>, code: i32) -> HostError {
        self.programs.failed(sid, verb.words().0, &format!("exit code {code}"))
    }

    /// Whether the service is ready. It is asked beside other verbs.
    ///
    /// # Errors
    ///
    /// If it is not, with why.
    pub fn ready(&self, sid: &ServiceId, guest: &ExecGuest, timeout: Duration) -> Result<ProbeProgress, HostError> {
        let (program, arguments) =
            guest.command.split_first().ok_or_else(|| HostError::new(format!("the command of {sid} is empty")))?;
        let mut command = Command::new(program);
        probe::said_by(command.args(arguments).args(["ready", sid.as_str()]), sid, &self.node, timeout)
    }

    /// Ends the verb that is at work for a service, with all that it has started. Says whether there was one.
    ///
    /// # Errors
    ///
    /// If it can't be told or killed.
    pub fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.programs.interrupt(sid)
    }
}

impl GuestAgent for ExecAgent {
    const KIND: &'static str = "exec";

    const MAY_MOVE_LIVE: bool = true;

    type Definition = ExecGuest;

    /// It looks, acts, and looks again.
    fn own_seconds(guest: &ExecGuest, _: bool) -> u32 {
        guest.timeout_s.saturating_mul(3)
    }

    fn is_running(&self, sid: &ServiceId, guest: &ExecGuest) -> Result<bool, HostError> {
        self.is_running(sid, guest)
    }

    fn start(&self, sid: &ServiceId, guest: &ExecGuest, _: Option<&str>) -> Result<(), HostError> {
        self.start(sid, guest)
    }

    fn stop(&self, sid: &ServiceId, guest: &ExecGuest, timeout: Option<u32>) -> Result<(), HostError> {
        self.stop(sid, guest, timeout)
    }

    fn migrate(&self, sid: &ServiceId, guest: &ExecGuest, target: &NodeName) -> Result<bool, HostError> {
        self.migrate(sid, guest, target)
    }

    fn ready(&self, sid: &ServiceId, guest: &ExecGuest, timeout: Duration) -> Result<ProbeProgress, HostError> {
        self.ready(sid, guest, timeout)
    }

    fn has_left(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.programs.has_remains(sid)
    }

    fn end_left(&self, sid: &ServiceId) -> Result<(), HostError> {
        self.programs.end_remains(sid)
    }

    fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.interrupt(sid)
    }
}
