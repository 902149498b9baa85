//! Services that are a process.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Child,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use ha_core::{
    host::HostError,
    id::{NodeName, ServiceId},
};
use nix::sys::signal::Signal;

use super::{
    launch::{Launch, Launcher},
    process::ProcessRecord,
};
use crate::{clock, files, store::ProcGuest};

/// Starts, watches and stops processes. They do not depend on the daemon: one that was started again finds them.
#[derive(Debug, Clone)]
pub struct ProcAgent {
    node: NodeName,
    directory: PathBuf,
    launcher: Launcher,
    /// Processes that this daemon has started and must bury.
    children: Arc<Mutex<Vec<Child>>>,
}

impl ProcAgent {
    /// How often it looks whether a process has ended.
    const LOOK_INTERVAL: Duration = Duration::from_millis(20);
    /// How long a process may take to end after SIGKILL.
    const KILL_TIMEOUT: Duration = Duration::from_secs(10);

    /// An agent that keeps what it must know in `run_directory`.
    #[must_use]
    pub fn new(node: NodeName, run_directory: &Path, launcher: Launcher) -> Self {
        Self { node, directory: run_directory.join("proc"), launcher, children: Arc::default() }
    }

    fn record_path(&self, sid: &ServiceId) -> PathBuf {
        self.directory.join(files::encode_name(sid.as_str())).with_added_extension("json")
    }

    fn record(&self, sid: &ServiceId) -> Result<Option<ProcessRecord>, HostError> {
        let path = self.record_path(sid);
        ProcessRecord::read(&path).map_err(|error| HostError::new(format!("cannot read {}: {error}", path.display())))
    }

    fn bury_the_dead(&self) {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }

    /// Whether the service's process runs. Processes that it has left behind do not count.
    ///
    /// # Errors
    ///
    /// If it is not known which process it is.
    pub fn is_running(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.bury_the_dead();
        Ok(self.record(sid)?.is_some_and(|record| record.is_running()))
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
        self.stop(sid, 0)?;
        let launch = || -> io::Result<Child> {
            fs::create_dir_all(&self.directory)?;
            let record = self.record_path(sid);
            let mut environment = guest.environment.clone();
            environment.insert("HA_SID".into(), sid.to_string());
            environment.insert("HA_NODE".into(), self.node.to_string());
            self.launcher.launch(&Launch {
                log: &record.with_extension("log"),
                record: &record,
                command: &guest.command,
                directory: guest.directory.as_deref().unwrap_or(Path::new("/")),
                environment: &environment,
            })
        };
        let child = launch().map_err(|error| HostError::new(format!("cannot start {sid}: {error}")))?;
        self.children.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        Ok(())
    }

    /// Stops the service with all that comes from it: by SIGTERM, and by SIGKILL after `grace_s` seconds, at once if that is 0.
    ///
    /// # Errors
    ///
    /// If something of it can't be killed.
    pub fn stop(&self, sid: &ServiceId, grace_s: u32) -> Result<(), HostError> {
        let Some(record) = self.record(sid)? else { return Ok(()) };
        let ended = grace_s > 0
            && record.signal(Signal::SIGTERM) > 0
            && self.wait_for_end(&record, Duration::from_secs(grace_s.into()), || {});
        if !ended
            && !self.wait_for_end(&record, Self::KILL_TIMEOUT, || {
                let _ = record.signal(Signal::SIGKILL);
            })
        {
            return Err(HostError::new(format!("{sid} cannot be killed: process {}", record.pid)));
        }
        // Nothing is left that the record could stand for; one that stays does no harm.
        let _ = fs::remove_file(self.record_path(sid));
        Ok(())
    }

    fn wait_for_end(&self, record: &ProcessRecord, timeout: Duration, again: impl Fn()) -> bool {
        let end = clock::instant().after(timeout);
        loop {
            again();
            self.bury_the_dead();
            if record.family().is_empty() {
                return true;
            }
            if clock::instant() >= end {
                return false;
            }
            thread::sleep(Self::LOOK_INTERVAL);
        }
    }
}
