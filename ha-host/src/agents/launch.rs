//! Starting a process so that it is known before it does anything.
//!
//! If a daemon started a service's program and then wrote down its number, a daemon that died between the two would leave
//! a service that nobody knows, and the next daemon would start it a second time. So a *launcher* is started: this
//! program again, which writes down its own number and then becomes the service's program, or its guardian. At every moment
//! either there is no process of the service, or it is written down.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::AsFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::{
        prctl,
        wait::{WaitStatus, waitpid},
    },
    unistd::{Pid, dup2_stdout, setsid},
};
use serde::{Deserialize, Serialize};

use super::privileges;
use crate::os::{
    cgroup::{Cgroup, Containment},
    clock, files,
    process::{Guard, INSTANCE_VARIABLE, ProcessRecord},
    systemd::SOCKET_VARIABLE,
};

/// The program that launches services: `ha`, or any that calls [`launched`] when its first argument is `launch`.
#[derive(Debug, Clone)]
pub struct Launcher {
    program: PathBuf,
    containment: Containment,
}

impl Default for Launcher {
    /// This program itself, even if its file was replaced since.
    fn default() -> Self {
        Self::new("/proc/self/exe")
    }
}

/// How what comes from a process is held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holding {
    /// By a cgroup, where there are any.
    cgroup: bool,
    /// By a guardian, which notes also how the program ended.
    guardian: bool,
}

impl Holding {
    /// A program that may leave anything behind.
    pub(super) const GUARDED: Self = Self { cgroup: true, guardian: true };
    /// A program that is the service itself, or whose exit code is wanted.
    pub(super) const DIRECT: Self = Self { cgroup: true, guardian: false };
    /// A program that is done soon, and whose leavings are its own business.
    pub(super) const LOOSE: Self = Self { cgroup: false, guardian: false };
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
    /// Whether it has the environment of this program beside that.
    pub(super) inherits: bool,
    /// How what comes from it is held together.
    pub(super) holding: Holding,
}

/// What a launcher is told on its standard input: its own command line must not be taken for the program's.
#[derive(Debug, Serialize, Deserialize)]
struct Orders {
    command: Vec<String>,
    /// The directory in which it gets a cgroup.
    cgroups: Option<PathBuf>,
    guardian: bool,
}

impl Launcher {
    /// A program other than this one.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), containment: Containment::find() }
    }

    /// The same without cgroups, whether or not there are any.
    #[must_use]
    pub fn without_cgroups(self) -> Self {
        let why = "they are not wanted".to_owned();
        Self { containment: Containment::Guardian { why }, ..self }
    }

    /// How services are held together.
    #[must_use]
    pub const fn containment(&self) -> &Containment {
        &self.containment
    }

    /// Launches a process, in a session of its own. Returns when the program runs.
    pub(super) fn launch(&self, launch: &Launch<'_>) -> io::Result<Child> {
        let cgroups = self.containment.directory().filter(|_| launch.holding.cgroup);
        let orders = Orders {
            command: launch.command.to_vec(),
            cgroups: cgroups.map(Path::to_owned),
            guardian: launch.holding.guardian,
        };
        let mut launcher = Command::new(&self.program);
        if !launch.inherits {
            launcher.env_clear();
        }
        let mut child = launcher
            .arg("launch")
            .args([launch.record, launch.log])
            // What it says would be taken for what this daemon says.
            .env_remove(SOCKET_VARIABLE)
            .envs(launch.environment)
            .current_dir(launch.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // One that does not listen says why on its output.
            let _ = input.write_all(&serde_json::to_vec(&orders)?);
        }
        // Closed when the program runs; until then the launcher can say why it does not.
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

/// The launcher's part: writes this process down and becomes the program, or its guardian. It returns with the reason why it could
/// not, which has been told to the one who launched it; or with nothing when all is over that a guardian looked after.
///
/// `arguments`: the record, the log. The rest is read from the standard input.
pub fn launched(arguments: &[OsString]) -> Option<io::Error> {
    let mut told = io::stdout().as_fd().try_clone_to_owned().ok().map(File::from);
    let error = become_program(arguments, &mut told).err()?;
    if let Some(told) = &mut told {
        let _ = told.write_all(error.to_string().as_bytes());
    }
    Some(error)
}

/// `told` is where it is said why the program does not run; it is closed when the program runs.
fn become_program(arguments: &[OsString], told: &mut Option<File>) -> io::Result<()> {
    /// How long another launcher of the same service may take.
    const PATIENCE: Duration = Duration::from_secs(5);
    let [record, log] = arguments else {
        return Err(io::Error::other("expected: launch RECORD LOG, and the rest on the standard input"));
    };
    let path = Path::new(record);
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let orders: Orders = serde_json::from_str(&text)?;
    // Of no terminal's session. It fails only for one that leads a session already.
    let _ = setsid();
    // Freed by the kernel when this process becomes the program.
    let guard = files::lock(&path.with_extension("lock"), PATIENCE)?;
    if let Some(running) = ProcessRecord::read(path)?
        && running.is_left()?
    {
        return Err(io::Error::other(format!("it still runs as process {}", running.pid)));
    }
    let instance = format!("{}-{}", std::process::id(), clock::instant().since_start().as_nanos());
    let mut output = files::open_log(Path::new(log))?;
    let mut record = ProcessRecord::of_this_process(instance)?;
    if let Some(cgroups) = &orders.cgroups {
        record.cgroup = enter_cgroup(cgroups, path, &record.instance, &mut output);
    }
    record.guard = orders.guardian.then_some(Guard::Watches);
    record.write(path)?;
    let given_up = privileges::give_up(&mut output);
    let mut command = command(&orders.command, &record.instance, &output)?;
    if orders.guardian {
        prctl::set_child_subreaper(true)?;
        let program = command.process_group(0).spawn().map_err(|error| cannot_run(&orders.command, &error))?;
        given_up.take_back();
        drop((guard, output, command));
        dup2_stdout(File::open("/dev/null")?)?;
        *told = None;
        return look_after(&program, path, record);
    }
    Err(cannot_run(&orders.command, &command.exec()))
}

fn command(words: &[String], instance: &str, output: &File) -> io::Result<Command> {
    let [program, arguments @ ..] = words else { return Err(io::Error::other("there is no program")) };
    let mut command = Command::new(program);
    command.args(arguments).env(INSTANCE_VARIABLE, instance);
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
    Ok(command)
}

fn cannot_run(words: &[String], error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot run {}: {error}", words.first().map_or("nothing", String::as_str)))
}

/// Puts this process into a new cgroup. Without one the service still has its guardian, and its log says so.
fn enter_cgroup(cgroups: &Path, record: &Path, instance: &str, log: &mut File) -> Option<PathBuf> {
    /// Characters; a name has at most 255 with the instance.
    const LONGEST: usize = 100;
    let name: String = record.file_stem()?.to_string_lossy().chars().take(LONGEST).collect();
    let place = cgroups.join(format!("{name}-{instance}"));
    match Cgroup(&place).enter() {
        Ok(()) => Some(place),
        Err(error) => {
            let _ = writeln!(log, "ha: no cgroup {}: {error}", place.display());
            None
        }
    }
}

/// A guardian's life: it buries all that descends from it, and keeps the record. Orphans are handed to it by the kernel.
fn look_after(program: &Child, path: &Path, mut record: ProcessRecord) -> io::Result<()> {
    let program = Pid::from_raw(i32::try_from(program.id()).map_err(io::Error::other)?);
    loop {
        let failed = match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) => pid == program && code != 0,
            Ok(WaitStatus::Signaled(pid, ..)) => pid == program,
            Ok(_) | Err(Errno::EINTR) => false,
            Err(Errno::ECHILD) => break,
            Err(error) => return Err(error.into()),
        };
        if failed {
            record.guard = Some(Guard::Failed);
            // Without that note the rest counts as the service.
            let _ = record.write(path);
        }
    }
    record.guard = Some(Guard::Ended);
    record.write(path)
}
