//! Services that are a process.

use std::{path::Path, time::Duration};

use ha_core::{
    host::HostError,
    id::{NodeName, ServiceId},
};
use nix::sys::signal::Signal;

use super::{
    launch::{Holding, Launcher},
    processes::Processes,
};
use crate::store::ProcGuest;

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
