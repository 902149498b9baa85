//! One attempt: the programs of one device, looked after by a thread of their own.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use ha_core::{
    config::fence::FenceCommand,
    host::{FenceAttempt, FenceProgress, HostError},
    time::Instant,
};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::clock;

/// How often the programs are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// An attempt, as the thread that asks for it sees it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) attempt: FenceAttempt,
    runs_out: Instant,
    ended_at: Option<Instant>,
    notes: Arc<Mutex<Notes>>,
}

/// What the two threads tell each other. Nothing is done while it is locked.
#[derive(Debug, Default)]
struct Notes {
    /// Nothing is to be started or to go on.
    ended: bool,
    /// How it came out.
    outcome: Option<Result<FenceProgress, String>>,
    /// Nothing of it runs any more.
    over: bool,
}

fn lock(notes: &Mutex<Notes>) -> MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    /// Starts the commands, in a thread.
    pub(super) fn start(
        attempt: FenceAttempt,
        commands: &[FenceCommand],
        timeout: Duration,
    ) -> Result<Self, HostError> {
        let notes = Arc::<Mutex<Notes>>::default();
        let runs_out = clock::instant().after(timeout);
        let (commands, told) = (commands.to_vec(), notes.clone());
        thread::Builder::new()
            .name("fence".to_owned())
            .spawn(move || look_after(&commands, runs_out, &told))
            .map_err(|error| HostError::new(format!("cannot start a thread for a fence device: {error}")))?;
        Ok(Self { attempt, runs_out, ended_at: None, notes })
    }

    /// How far it has come. It never waits.
    pub(super) fn progress(&self) -> Result<FenceProgress, HostError> {
        match &lock(&self.notes).outcome {
            Some(Ok(progress)) => Ok(*progress),
            Some(Err(message)) => Err(HostError::new(message.clone())),
            // Its thread may hang with a program that can't be started.
            None if clock::instant() >= self.runs_out.after(LOOK) => Ok(FenceProgress::Failed),
            None => Ok(FenceProgress::Running),
        }
    }

    /// Has everything of it killed. What it answers from now on is not looked at.
    pub(super) fn end(&mut self) {
        lock(&self.notes).ended = true;
        self.ended_at = Some(clock::instant());
    }

    /// Whether nothing of it runs any more.
    pub(super) fn is_over(&self) -> bool {
        lock(&self.notes).over
    }

    pub(super) fn was_ended_before(&self, time: Duration) -> bool {
        self.ended_at.is_some_and(|at| clock::instant() >= at.after(time))
    }
}

/// Starts the programs, waits for them, and kills what is left when one has failed, time is over, or nobody waits any more.
fn look_after(commands: &[FenceCommand], runs_out: Instant, notes: &Mutex<Notes>) {
    let mut parts = Vec::new();
    let outcome = start_all(commands, notes, &mut parts).unwrap_or_else(|| wait(&mut parts, runs_out, notes));
    lock(notes).outcome = Some(outcome);
    for part in &parts {
        // One that was waited for has no number any more that could be somebody else's: it is not in the list.
        kill(part);
    }
    while !parts.is_empty() {
        parts.retain_mut(|part| matches!(part.try_wait(), Ok(None)));
        thread::sleep(LOOK);
    }
    lock(notes).over = true;
}

/// Starts all programs. What came of it, if that did not work.
fn start_all(
    commands: &[FenceCommand],
    notes: &Mutex<Notes>,
    parts: &mut Vec<Child>,
) -> Option<Result<FenceProgress, String>> {
    for command in commands {
        if lock(notes).ended {
            return Some(Ok(FenceProgress::Failed));
        }
        match start(command, notes) {
            Ok(part) => parts.push(part),
            Err(error) => return Some(Err(format!("cannot run {}: {error}", command.program))),
        }
    }
    None
}

/// Output goes nowhere: it may hold passwords. What is secret goes to standard input: a command line can be read by everybody.
fn start(command: &FenceCommand, notes: &Mutex<Notes>) -> io::Result<Child> {
    let given = command.hand_over().map_err(io::Error::other)?;
    let mut part = Command::new(&command.program)
        .args(&given.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    // It knows of no node yet that it could turn off.
    if lock(notes).ended {
        kill(&part);
    } else if let Some(mut input) = part.stdin.take() {
        // A program that takes no input has closed it; that is no failure. What is written fits into the pipe.
        let _ = input.write_all(given.input.as_bytes());
    }
    Ok(part)
}

/// Waits until all have succeeded, or one has not. Those that have ended leave the list.
fn wait(parts: &mut Vec<Child>, runs_out: Instant, notes: &Mutex<Notes>) -> Result<FenceProgress, String> {
    loop {
        let mut failure = None;
        parts.retain_mut(|part| match part.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                failure = failure.take().or(failed(status));
                false
            }
            Err(error) => {
                failure = Some(error.to_string());
                false
            }
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        if parts.is_empty() {
            return Ok(FenceProgress::Succeeded);
        }
        if lock(notes).ended || clock::instant() >= runs_out {
            return Ok(FenceProgress::Failed);
        }
        thread::sleep(LOOK);
    }
}

fn failed(status: ExitStatus) -> Option<String> {
    (!status.success()).then(|| format!("the program of the fence device ended with {status}"))
}

fn kill(part: &Child) {
    if let Ok(pid) = i32::try_from(part.id()) {
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
}
