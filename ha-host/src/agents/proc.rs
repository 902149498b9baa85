//! Services that are a process.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use ha_core::{
    host::HostError,
    id::{NodeName, ServiceId},
};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::{
    kind::{GuestAgent, Workplace},
    launch::{Holding, Launcher},
    processes::Processes,
};

/// A process that is started and watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcGuest {
    /// The program and its arguments. No shell is between.
    pub command: Vec<String>,
    /// The directory in which it is started; `/` if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Variables that are added to its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Seconds from SIGTERM to SIGKILL when it is stopped and nobody says another time.
    #[serde(default = "ProcGuest::default_grace")]
    pub grace_s: u32,
}

impl ProcGuest {
    /// Seconds from SIGTERM to SIGKILL where nothing else is said.
    pub const DEFAULT_GRACE_S: u32 = 10;

    const fn default_grace() -> u32 {
        Self::DEFAULT_GRACE_S
    }
}

/// Starts, watches and stops processes, each with all that comes from it. They do not depend on the daemon: one that was started
/// again finds them.
///
/// A service is the program that was started and whatever comes from that, also what leaves its session, its environment or its
/// parents. A program that ends with success while something of it runs has gone to the background, and what runs is the service; what
/// one leaves that failed is ended, and the service counts as stopped.
#[derive(Debug, Clone)]
pub struct ProcAgent {
    processes: Processes,
}

impl ProcAgent {
    /// An agent that keeps what it must know in `run_directory`.
    #[must_use]
    pub fn new(node: NodeName, run_directory: &Path, launcher: Launcher) -> Self {
        Self { processes: Processes::new(node, run_directory.join("proc"), launcher, Holding::GUARDED) }
    }

    pub(super) fn at(place: &Workplace) -> Self {
        Self::new(place.node.clone(), &place.run_directory, place.launcher.clone())
    }

    /// Whether anything of the service runs.
    ///
    /// # Errors
    ///
    /// If that can't be told.
    pub fn is_running(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.processes.is_running(sid)
    }

    /// Starts the service; what it has left behind is killed first.
    ///
    /// # Errors
    ///
    /// If its program can't be started.
    pub fn start(&self, sid: &ServiceId, guest: &ProcGuest) -> Result<(), HostError> {
        if self.is_running(sid)? {
            return Ok(());
        }
        let directory = guest.directory.as_deref().unwrap_or(Path::new("/"));
        self.processes.launch(sid, &guest.command, directory, &guest.environment)
    }

    /// Stops the service with all that comes from it: by SIGTERM, and by SIGKILL after `grace_s` seconds, at once if that is 0.
    ///
    /// # Errors
    ///
    /// If something of it can't be killed.
    pub fn stop(&self, sid: &ServiceId, grace_s: u32) -> Result<(), HostError> {
        let Some(record) = self.processes.record(sid)? else { return Ok(()) };
        let grace = Duration::from_secs(grace_s.into());
        let is_told = grace_s > 0 && record.signal(Signal::SIGTERM).is_ok_and(|told| told > 0);
        if is_told && self.processes.wait_for_end(sid, &record, grace, || {})? {
            self.processes.forget(sid);
            return Ok(());
        }
        self.processes.kill(sid)
    }
}

impl GuestAgent for ProcAgent {
    const KIND: &'static str = "proc";

    type Definition = ProcGuest;

    fn own_seconds(guest: &ProcGuest, stops: bool) -> u32 {
        if stops { guest.grace_s } else { 0 }
    }

    fn is_running(&self, sid: &ServiceId, _: &ProcGuest) -> Result<bool, HostError> {
        self.is_running(sid)
    }

    fn start(&self, sid: &ServiceId, guest: &ProcGuest, _: Option<&str>) -> Result<(), HostError> {
        self.start(sid, guest)
    }

    fn stop(&self, sid: &ServiceId, guest: &ProcGuest, timeout: Option<u32>) -> Result<(), HostError> {
        self.stop(sid, timeout.unwrap_or(guest.grace_s))
    }

    fn has_left(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.is_running(sid)
    }

    fn end_left(&self, sid: &ServiceId) -> Result<(), HostError> {
        self.stop(sid, ProcGuest::DEFAULT_GRACE_S)
    }
}
