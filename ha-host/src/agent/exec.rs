//! Services that are run by a program of one's own.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::Child,
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
use crate::{clock, files, store::ExecGuest};

/// Runs a program with a verb for everything that is to be done with a service.
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
///
/// Each verb must do nothing, and succeed, if what it asks for is so already. One that takes too long is killed with all
/// that comes from it, so a service that `start` leaves behind must not stay in its process group, and must not have
/// `HA_INSTANCE` in its environment.
#[derive(Debug, Clone)]
pub struct ExecAgent {
    node: NodeName,
    directory: PathBuf,
    launcher: Launcher,
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
    const LOOK_INTERVAL: Duration = Duration::from_millis(10);
    /// What a stop takes beyond its own timeout.
    const STOP_ALLOWANCE_S: u32 = 10;

    /// An agent that keeps what it must know in `run_directory`.
    #[must_use]
    pub fn new(node: NodeName, run_directory: &Path, launcher: Launcher) -> Self {
        Self { node, directory: run_directory.join("exec"), launcher }
    }

    /// Whether the service runs.
    ///
    /// # Errors
    ///
    /// If the program does not say so.
    pub fn is_running(&self, sid: &ServiceId, guest: &ExecGuest) -> Result<bool, HostError> {
        match self.run(sid, guest, &Verb::Status, guest.timeout_s)? {
            0 => Ok(true),
            NO => Ok(false),
            code => Err(Self::failed(sid, &Verb::Status, code)),
        }
    }

    /// Starts the service.
    ///
    /// # Errors
    ///
    /// If the program says so, or takes too long.
    pub fn start(&self, sid: &ServiceId, guest: &ExecGuest) -> Result<(), HostError> {
        match self.run(sid, guest, &Verb::Start, guest.timeout_s)? {
            0 => Ok(()),
            code => Err(Self::failed(sid, &Verb::Start, code)),
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
            code => Err(Self::failed(sid, &verb, code)),
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
            0 => Ok(true),
            NO => Ok(false),
            code => Err(Self::failed(sid, &verb, code)),
        }
    }

    fn failed(sid: &ServiceId, verb: &Verb<'_>, code: i32) -> HostError {
        HostError::new(format!("the program of {sid} failed to {}: exit code {code}", verb.words().0))
    }

    /// Runs a verb to its end and gives its exit code; a signal counts as 128 and its number.
    fn run(&self, sid: &ServiceId, guest: &ExecGuest, verb: &Verb<'_>, timeout_s: u32) -> Result<i32, HostError> {
        let (name, argument) = verb.words();
        let fail = |error: io::Error| HostError::new(format!("cannot run '{name}' of {sid}: {error}"));
        let timeout = Duration::from_secs(timeout_s.into());
        let record = self.directory.join(files::encode_name(sid.as_str())).with_added_extension("json");
        fs::create_dir_all(&self.directory).map_err(fail)?;
        Self::wait_for_former(&record, timeout).map_err(fail)?;

        let mut command = guest.command.clone();
        command.extend([name.to_owned(), sid.to_string()]);
        command.extend(argument);
        let environment =
            BTreeMap::from([("HA_SID".to_owned(), sid.to_string()), ("HA_NODE".to_owned(), self.node.to_string())]);
        let launch = Launch {
            record: &record,
            log: &record.with_extension("log"),
            command: &command,
            directory: Path::new("/"),
            environment: &environment,
        };
        let mut child = self.launcher.launch(&launch).map_err(fail)?;
        let code = Self::wait(&mut child, &record, timeout).map_err(fail)?;
        let _ = fs::remove_file(&record);
        code.ok_or_else(|| HostError::new(format!("'{name}' of {sid} took longer than {timeout_s} s and was killed")))
    }

    /// A verb that a former daemon began may still be at work: two at once would be in each other's way.
    fn wait_for_former(record: &Path, timeout: Duration) -> io::Result<()> {
        let Some(former) = ProcessRecord::read(record)? else { return Ok(()) };
        let end = clock::instant().after(timeout);
        while former.is_running() && clock::instant() < end {
            thread::sleep(Self::LOOK_INTERVAL);
        }
        if former.is_running() {
            let _ = former.signal(Signal::SIGKILL);
        }
        fs::remove_file(record)
    }

    /// The exit code; nothing if it took too long and was killed.
    fn wait(child: &mut Child, record: &Path, timeout: Duration) -> io::Result<Option<i32>> {
        use std::os::unix::process::ExitStatusExt;
        let end = clock::instant().after(timeout);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))));
            }
            if clock::instant() >= end {
                if let Some(record) = ProcessRecord::read(record)? {
                    let _ = record.signal(Signal::SIGKILL);
                }
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            thread::sleep(Self::LOOK_INTERVAL);
        }
    }
}
