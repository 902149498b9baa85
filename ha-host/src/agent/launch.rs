//! Starting a process so that it is known before it does anything.
//!
//! If a daemon started a service's program and then wrote down its number, a daemon that died between the two would leave
//! a service that nobody knows, and the next daemon would start it a second time. So a *launcher* is started: this
//! program again, which writes down its own number and then becomes the service's program. At every moment either there is no
//! process of the service, or it is written down.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::OpenOptions,
    io::{self, Read, Write},
    os::{
        fd::AsFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::process::{INSTANCE_VARIABLE, ProcessRecord};
use crate::{clock, files};

/// The program that launches services: `ha`, or any that calls [`launched`] when its first argument is `launch`.
#[derive(Debug, Clone)]
pub struct Launcher {
    program: PathBuf,
}

impl Default for Launcher {
    /// This program itself, even if its file was replaced since.
    fn default() -> Self {
        Self { program: "/proc/self/exe".into() }
    }
}

/// A process to launch.
#[derive(Debug, Clone)]
pub(super) struct Launch<'a> {
    /// Where it is written down.
    pub(super) record: &'a Path,
    /// Where its output goes, at the end of what is there.
    pub(super) log: &'a Path,
    /// The program and its arguments.
    pub(super) command: &'a [String],
    /// The directory in which it is started.
    pub(super) directory: &'a Path,
    /// What is added to its environment.
    pub(super) environment: &'a BTreeMap<String, String>,
}

impl Launcher {
    /// A program other than this one.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Launches a process, in a group of its own. Returns when it has become the program.
    pub(super) fn launch(&self, launch: &Launch<'_>) -> io::Result<Child> {
        let mut child = Command::new(&self.program)
            .arg("launch")
            .args([launch.record, launch.log])
            .arg("--")
            .args(launch.command)
            .envs(launch.environment)
            .current_dir(launch.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        // Closed when the launcher has become the program; until then it can say why it could not.
        let mut complaint = String::new();
        if let Some(mut output) = child.stdout.take() {
            output.read_to_string(&mut complaint)?;
        }
        if complaint.is_empty() {
            return Ok(child);
        }
        let status = child.wait()?;
        Err(io::Error::other(if status.signal().is_some() { status.to_string() } else { complaint }))
    }
}

/// The launcher's part: writes this process down and becomes the program. It returns only with the reason why it could not,
/// which has been told to the one who launched it.
///
/// `arguments`: the record, the log, `--`, the program, its arguments.
pub fn launched(arguments: &[OsString]) -> io::Error {
    let told = io::stdout().as_fd().try_clone_to_owned();
    let error = become_program(arguments).err().unwrap_or_else(|| io::Error::other("it returned"));
    if let Ok(told) = told {
        let _ = std::fs::File::from(told).write_all(error.to_string().as_bytes());
    }
    error
}

fn become_program(arguments: &[OsString]) -> io::Result<()> {
    /// Another launcher of the same service is done within that time.
    const PATIENCE: Duration = Duration::from_secs(5);
    let [record, log, separator, program, arguments @ ..] = arguments else {
        return Err(io::Error::other("expected: launch RECORD LOG -- PROGRAM [ARGUMENT]..."));
    };
    if separator != "--" {
        return Err(io::Error::other("expected '--' before the program"));
    }
    let record = Path::new(record);
    // Freed by the kernel when this process becomes the program.
    let _guard = files::lock(&record.with_extension("lock"), PATIENCE)?;
    if let Some(running) = ProcessRecord::read(record).unwrap_or_default()
        && !running.family().is_empty()
    {
        return Err(io::Error::other(format!("it still runs as process {}", running.pid)));
    }
    let instance = format!("{}-{}", std::process::id(), clock::instant().since_start().as_nanos());
    let output = OpenOptions::new().append(true).create(true).open(log)?;
    ProcessRecord::of_this_process(instance.clone())?.write(record)?;
    let error = Command::new(program)
        .args(arguments)
        .env(INSTANCE_VARIABLE, instance)
        .stdout(output.try_clone()?)
        .stderr(output)
        .exec();
    Err(io::Error::new(error.kind(), format!("cannot run {}: {error}", program.display())))
}
