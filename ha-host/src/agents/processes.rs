//! The processes of services, each written down in a file of its own.

use std::{
    collections::BTreeMap,
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

use super::launch::{Holding, Launch, Launcher};
use crate::os::{cgroup::Cgroup, clock, files, process::ProcessRecord};

/// Starts, watches and kills processes, of which each service has at most one, with all that comes from it. They do not
/// depend on the daemon: one that was started again finds them.
#[derive(Debug, Clone)]
pub(super) struct Processes {
    node: NodeName,
    directory: PathBuf,
    launcher: Launcher,
    /// How they are held together.
    holding: Holding,
    /// Processes that this daemon has started and must bury.
    children: Arc<Mutex<Vec<Child>>>,
}

impl Processes {
    /// How often it looks whether a process has ended.
    const LOOK_INTERVAL: Duration = Duration::from_millis(20);
    /// How long a process may take to end after SIGKILL.
    const KILL_TIMEOUT: Duration = Duration::from_secs(10);

    pub(super) fn new(node: NodeName, directory: PathBuf, launcher: Launcher, holding: Holding) -> Self {
        Self { node, directory, launcher, holding, children: Arc::default() }
    }

    /// Where everything is that belongs to the services.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A file that belongs to a service.
    pub(super) fn path(&self, sid: &ServiceId, extension: &str) -> PathBuf {
        self.directory.join(files::encode_name(sid.as_str())).with_added_extension(extension)
    }

    /// The process that was started last; nothing if none was, or if it was stopped.
    pub(super) fn record(&self, sid: &ServiceId) -> Result<Option<ProcessRecord>, HostError> {
        let path = self.path(sid, "json");
        ProcessRecord::read(&path).map_err(|error| HostError::new(format!("cannot read {}: {error}", path.display())))
    }

    /// Whether anything of the service is left. What a program that has failed left behind is ended first: nobody looks after that, and
    /// the service must be started again.
    ///
    /// # Errors
    ///
    /// If that can't be told, or what was left behind can't be ended.
    pub(super) fn is_running(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.bury_the_dead();
        let Some(record) = self.record(sid)? else { return Ok(false) };
        if !self.is_left(sid, &record)? {
            return Ok(false);
        }
        // Read again: its guardian may have said more meanwhile.
        let has_failed = self.record(sid)?.is_some_and(|record| record.has_failed());
        if has_failed {
            self.kill(sid)?;
        }
        Ok(!has_failed)
    }

    /// Whether anything is left. Where the guardian is gone its last word counts, which may be later than the record that is given.
    fn is_left(&self, sid: &ServiceId, record: &ProcessRecord) -> Result<bool, HostError> {
        let unknown = |error: io::Error| {
            HostError::new(format!("cannot tell whether {sid} runs, by {}: {error}", self.path(sid, "json").display()))
        };
        match record.is_left() {
            Ok(is_left) => Ok(is_left),
            Err(_) => match self.record(sid)? {
                Some(last) => last.is_left().map_err(unknown),
                None => Ok(false),
            },
        }
    }

    /// Launches the service's process; what the last one has left behind is killed first.
    pub(super) fn launch(
        &self,
        sid: &ServiceId,
        command: &[String],
        directory: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<(), HostError> {
        self.kill(sid)?;
        let mut environment = environment.clone();
        environment.insert("HA_SID".into(), sid.to_string());
        environment.insert("HA_NODE".into(), self.node.to_string());
        let launch = || -> io::Result<Child> {
            files::make_private_directory(&self.directory)?;
            self.launcher.launch(&Launch {
                record: &self.path(sid, "json"),
                log: &self.path(sid, "log"),
                command,
                directory,
                environment: &environment,
                inherits: true,
                holding: self.holding,
            })
        };
        let child = launch().map_err(|error| HostError::new(format!("cannot start {sid}: {error}")))?;
        self.children.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        Ok(())
    }

    /// Kills the service's process with all that comes from it, if there is any.
    pub(super) fn kill(&self, sid: &ServiceId) -> Result<(), HostError> {
        let Some(record) = self.record(sid)? else { return Ok(()) };
        let killed = self.wait_for_end(sid, &record, Self::KILL_TIMEOUT, || {
            // What can't be done now is tried again, and seen in the end.
            let _ = record.kill();
        })?;
        if !killed {
            return Err(HostError::new(format!("{sid} cannot be killed: process {}", record.pid)));
        }
        self.forget(sid);
        Ok(())
    }

    /// Nothing is left that the record could be about; one that stays does no harm.
    pub(super) fn forget(&self, sid: &ServiceId) {
        if let Ok(Some(ProcessRecord { cgroup: Some(cgroup), .. })) = self.record(sid) {
            Cgroup(&cgroup).remove();
        }
        let _ = fs::remove_file(self.path(sid, "json"));
    }

    /// Waits until nothing of a process is left. Says whether that came in time. `again` is done before every look.
    ///
    /// # Errors
    ///
    /// If it can't be told whether anything is left.
    pub(super) fn wait_for_end(
        &self,
        sid: &ServiceId,
        record: &ProcessRecord,
        timeout: Duration,
        again: impl Fn(),
    ) -> Result<bool, HostError> {
        let end = clock::instant().after(timeout);
        loop {
            again();
            self.bury_the_dead();
            if !self.is_left(sid, record)? {
                return Ok(true);
            }
            if clock::instant() >= end {
                return Ok(false);
            }
            thread::sleep(Self::LOOK_INTERVAL);
        }
    }

    fn bury_the_dead(&self) {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}
