//! Services that are run by programs: each call is a process that ends, and what one leaves behind is the service.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::Duration,
};

use ha_core::{host::HostError, id::ServiceId};

use super::{
    launch::{Holding, Launch, Launcher},
    output,
};
use crate::os::{
    cgroup::Cgroup,
    clock,
    files::{self, Durability},
    process::ProcessRecord,
};

/// Of the record that names what a start has left behind.
pub(super) const SERVICE: &str = "service";

/// Calls programs for services, one at a time for each.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    directory: PathBuf,
    launcher: Launcher,
}

/// A call of a program for a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// What is done, for people.
    pub(super) name: &'a str,
    /// The program with all its arguments.
    pub(super) command: &'a [String],
    pub(super) environment: &'a BTreeMap<String, String>,
    /// Whether it has the environment of the daemon beside that.
    pub(super) inherits: bool,
    /// How long it may take.
    pub(super) timeout_s: u32,
    /// Whether what it leaves behind is the service.
    pub(super) starts: bool,
}

impl Programs {
    pub(super) const LOOK_INTERVAL: Duration = Duration::from_millis(10);
    /// How long what is killed may take to be gone.
    const KILL_TIMEOUT: Duration = Duration::from_secs(10);

    /// Those whose records and logs are in this directory.
    pub(super) const fn new(directory: PathBuf, launcher: Launcher) -> Self {
        Self { directory, launcher }
    }

    /// Runs a program to its end and gives its exit code; a signal counts as 128 and its number.
    pub(super) fn call(&self, sid: &ServiceId, call: &Call<'_>) -> Result<i32, HostError> {
        let Call { name, command, environment, inherits, timeout_s, starts } = *call;
        let fail = |error: io::Error| HostError::new(format!("cannot run '{name}' of {sid}: {error}"));
        let timeout = Duration::from_secs(timeout_s.into());
        let record = self.path(sid, "json");
        files::make_private_directory(&self.directory).map_err(fail)?;
        self.wait_for_former(sid, &record, timeout).map_err(fail)?;

        let launch = Launch {
            record: &record,
            log: &self.path(sid, "log"),
            command,
            directory: Path::new("/"),
            environment,
            inherits,
            holding: if starts { Holding::DIRECT } else { Holding::LOOSE },
        };
        let mut child = self.launcher.launch(&launch).map_err(fail)?;
        let code = Self::wait(&mut child, &record, timeout).map_err(fail)?;
        if starts {
            self.keep_service(sid, &record).map_err(fail)?;
        } else {
            files::remove(&record, Durability::Memory).map_err(fail)?;
        }
        code.ok_or_else(|| HostError::new(format!("'{name}' of {sid} took longer than {timeout_s} s and was killed")))
    }

    /// With the last line that the program wrote, which mostly says why.
    pub(super) fn failed(&self, sid: &ServiceId, what: &str, code: &str) -> HostError {
        let said = last_line(&self.path(sid, "log")).map(|line| format!(": \"{line}\"")).unwrap_or_default();
        HostError::new(format!("the program of {sid} failed to {what}: {code}{said}"))
    }

    pub(super) fn path(&self, sid: &ServiceId, extension: &str) -> PathBuf {
        self.directory.join(files::encode_name(sid.as_str())).with_added_extension(extension)
    }

    /// Ends the verb that is at work for a service, with all that it has started. Says whether there was one.
    ///
    /// # Errors
    ///
    /// If it can't be told or killed.
    pub(super) fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError> {
        let fail = |error: io::Error| HostError::new(format!("cannot end what is at work for {sid}: {error}"));
        let Some(record) = ProcessRecord::read(&self.path(sid, "json")).map_err(fail)? else { return Ok(false) };
        if !record.is_running() {
            return Ok(false);
        }
        record.kill().map_err(fail)?;
        Ok(true)
    }

    /// What `start` has left behind is the service.
    fn keep_service(&self, sid: &ServiceId, record: &Path) -> io::Result<()> {
        fs::rename(record, self.path(sid, SERVICE))
    }

    /// Whether anything is left of what `start` has left behind.
    pub(super) fn has_remains(&self, sid: &ServiceId) -> Result<bool, HostError> {
        let read = ProcessRecord::read(&self.path(sid, SERVICE));
        let is_left = read.and_then(|record| record.map_or(Ok(false), |record| record.is_left()));
        is_left.map_err(|error| HostError::new(format!("cannot tell what is left of {sid}: {error}")))
    }

    /// Ends what `start` has left behind.
    pub(super) fn end_remains(&self, sid: &ServiceId) -> Result<(), HostError> {
        let fail = |error: io::Error| HostError::new(format!("cannot end what is left of {sid}: {error}"));
        let path = self.path(sid, SERVICE);
        let Some(record) = ProcessRecord::read(&path).map_err(fail)? else { return Ok(()) };
        if !Self::killed(&record).map_err(fail)? {
            return Err(HostError::new(format!("what is left of {sid} cannot be killed")));
        }
        if let Some(cgroup) = &record.cgroup {
            Cgroup(cgroup).remove();
        }
        files::remove(&path, Durability::Memory).map_err(fail)
    }

    /// Kills all of it. Says whether that came about in time.
    pub(super) fn killed(record: &ProcessRecord) -> io::Result<bool> {
        let end = clock::instant().after(Self::KILL_TIMEOUT);
        while record.is_left()? {
            if clock::instant() >= end {
                return Ok(false);
            }
            record.kill()?;
            thread::sleep(Self::LOOK_INTERVAL);
        }
        Ok(true)
    }

    /// A verb that a former daemon began may still be at work: two at once would be in each other's way. What a start has made is the
    /// service, as far as it came.
    fn wait_for_former(&self, sid: &ServiceId, record: &Path, timeout: Duration) -> io::Result<()> {
        let Some(former) = ProcessRecord::read(record)? else { return Ok(()) };
        let end = clock::instant().after(timeout);
        while former.is_running() && clock::instant() < end {
            thread::sleep(Self::LOOK_INTERVAL);
        }
        if former.is_running() && !Self::killed(&former)? {
            return Err(io::Error::other(format!("process {} of a former verb cannot be killed", former.pid)));
        }
        if former.cgroup.is_some() { self.keep_service(sid, record) } else { fs::remove_file(record) }
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
                    record.kill()?;
                }
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            thread::sleep(Self::LOOK_INTERVAL);
        }
    }
}

/// The last line of a log that was written to just now; nothing of one whose last line is of something else.
fn last_line(log: &Path) -> Option<String> {
    const END: u64 = 1024;
    const JUST_NOW: Duration = Duration::from_secs(5);
    let mut file = fs::File::open(log).ok()?;
    let metadata = file.metadata().ok()?;
    let age = metadata.modified().ok()?.elapsed().unwrap_or_default();
    if age > JUST_NOW {
        return None;
    }
    file.seek(SeekFrom::Start(metadata.len().saturating_sub(END))).ok()?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).ok()?;
    output::last_line(&end)
}
