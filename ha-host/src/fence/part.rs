//! A program of a fence device, with all that comes from it.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use ha_core::config::fence::FenceCommand;
use nix::{
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::Pid,
};

use crate::os::{
    cgroup::Containment,
    clock,
    process::{INSTANCE_VARIABLE, ProcessRecord, remove_cgroup_of},
};

/// A program that runs, or has ended, with all that comes from it: that is in its cgroup, where there are any, in its process
/// group, has its mark in the environment, or descends from it.
///
/// The program is not waited for before all of that is gone. As long as it is not, its number is nobody else's, nor that of its group.
#[derive(Debug)]
pub(super) struct Part {
    name: String,
    program: Child,
    traces: ProcessRecord,
    is_buried: bool,
}

impl Part {
    /// Starts a program. Its output goes nowhere: it may hold passwords.
    pub(super) fn start(command: &FenceCommand, arguments: &[String], within: &Containment) -> io::Result<Self> {
        let instance = new_instance();
        let cgroup = within.directory().and_then(|directory| make_cgroup(directory.join(&instance)));
        let program = words(command, arguments, cgroup.as_ref())
            .env(INSTANCE_VARIABLE, &instance)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let traces = ProcessRecord::of(program.id(), instance)?;
        let name = command.program.clone();
        Ok(Self { name, program, traces: ProcessRecord { cgroup, ..traces }, is_buried: false })
    }

    /// The program.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Gives the program what it reads.
    pub(super) fn tell(&mut self, text: &str) {
        if let Some(mut input) = self.program.stdin.take() {
            // A program that takes no input has closed it; that is no failure. What is written fits into the pipe.
            let _ = input.write_all(text.as_bytes());
        }
    }

    /// How the program has ended, if it has. It is not waited for.
    pub(super) fn outcome(&self) -> io::Result<Option<Ending>> {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let status = waitid(Id::Pid(Pid::from_raw(self.traces.pid)), look)?;
        if let WaitStatus::Signaled(_, signal, _) = status {
            return Ok(Some(Ending::Failed(format!("ended by {signal}"))));
        }
        let WaitStatus::Exited(_, code) = status else { return Ok(None) };
        Ok(Some(match code {
            0 => Ending::Succeeded,
            // As the shell says it that was to become the program.
            126 | 127 => Ending::Failed("it can't be run".to_owned()),
            code => Ending::Failed(format!("exit code {code}")),
        }))
    }

    /// Kills all of it that is seen.
    pub(super) fn kill(&self) {
        if !self.is_buried {
            let _ = killpg(Pid::from_raw(self.traces.pid), Signal::SIGKILL);
        }
        // What the kernel does not say now is asked again.
        let _ = self.traces.kill();
    }

    /// Whether nothing of it is left. What is left is killed again.
    pub(super) fn is_gone(&mut self) -> bool {
        if !matches!(self.traces.is_left(), Ok(false)) {
            self.kill();
            return false;
        }
        let buried: io::Result<Option<ExitStatus>> = self.program.try_wait();
        self.is_buried = !matches!(buried, Ok(None));
        if self.is_buried {
            remove_cgroup_of(&self.traces);
        }
        self.is_buried
    }
}

/// How a program has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Succeeded,
    /// How it has failed.
    Failed(String),
}

/// A name that no other program has, on this machine in this boot.
fn new_instance() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("fence-{}-{count}-{}", std::process::id(), clock::instant().since_start().as_nanos())
}

/// Without one its group and its mark are left to know it by.
fn make_cgroup(place: PathBuf) -> Option<PathBuf> {
    fs::create_dir_all(&place).ok().map(|()| place)
}

/// The program, by way of a shell that enters the cgroup first: nothing may come from the program before it is in there.
fn words(command: &FenceCommand, arguments: &[String], cgroup: Option<&PathBuf>) -> Command {
    const ENTER: &str = "echo 0 > \"$0\"/cgroup.procs; exec \"$@\"";
    let mut words = match cgroup {
        Some(cgroup) => {
            let mut shell = Command::new("/bin/sh");
            shell.args([OsStr::new("-c"), OsStr::new(ENTER), cgroup.as_os_str(), OsStr::new(&command.program)]);
            shell
        }
        None => Command::new(&command.program),
    };
    words.args(arguments);
    words
}
