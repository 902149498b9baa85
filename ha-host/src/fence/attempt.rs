//! One attempt: the programs of one device, looked after by a thread of their own.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use ha_core::{
    config::fence::FenceCommand,
    host::{FenceAttempt, FenceProgress, HostError},
    time::Instant,
};

use super::part::{Ending, Part};
use crate::os::{cgroup::Containment, clock};

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
    /// Nothing may be started or go on.
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
        within: &Containment,
    ) -> Result<Self, HostError> {
        let notes = Arc::<Mutex<Notes>>::default();
        let runs_out = clock::instant().after(timeout);
        let (commands, told, within) = (commands.to_vec(), notes.clone(), within.clone());
        thread::Builder::new()
            .name("fence".to_owned())
            .spawn(move || look_after(&commands, runs_out, &told, &within))
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

/// Starts the programs and waits for them. When one has failed, time is over, all have succeeded or nobody waits any more, all that
/// came from them is killed, so that nothing of it acts later, and then the outcome is told.
fn look_after(commands: &[FenceCommand], runs_out: Instant, notes: &Mutex<Notes>, within: &Containment) {
    let mut parts = Vec::new();
    let outcome = start_all(commands, notes, within, &mut parts).unwrap_or_else(|| wait(&parts, runs_out, notes));
    parts.iter().for_each(Part::kill);
    lock(notes).outcome = Some(outcome);
    while !parts.is_empty() {
        parts.retain_mut(|part| !part.is_gone());
        thread::sleep(LOOK);
    }
    lock(notes).over = true;
}

/// Starts all programs. What came of it, if that did not work.
fn start_all(
    commands: &[FenceCommand],
    notes: &Mutex<Notes>,
    within: &Containment,
    parts: &mut Vec<Part>,
) -> Option<Result<FenceProgress, String>> {
    for command in commands {
        if lock(notes).ended {
            return Some(Ok(FenceProgress::Failed));
        }
        match start(command, notes, within) {
            Ok(part) => parts.push(part),
            Err(error) => return Some(Err(format!("cannot run {}: {error}", command.program))),
        }
    }
    None
}

/// What is secret goes to standard input: a command line can be read by everybody.
fn start(command: &FenceCommand, notes: &Mutex<Notes>, within: &Containment) -> io::Result<Part> {
    let given = command.hand_over().map_err(io::Error::other)?;
    let mut part = Part::start(command, &given.arguments, within)?;
    // It knows of no node yet that it could turn off.
    if !lock(notes).ended {
        part.tell(&given.input);
    }
    Ok(part)
}

/// Waits until all have succeeded, or one has not.
fn wait(parts: &[Part], runs_out: Instant, notes: &Mutex<Notes>) -> Result<FenceProgress, String> {
    loop {
        let mut all_have_succeeded = true;
        for part in parts {
            match part.outcome().map_err(|error| error.to_string())? {
                Some(Ending::Succeeded) => {}
                Some(Ending::Failed(how)) => return Err(format!("{}, of the fence device: {how}", part.name())),
                None => all_have_succeeded = false,
            }
        }
        if all_have_succeeded {
            return Ok(FenceProgress::Succeeded);
        }
        if lock(notes).ended || clock::instant() >= runs_out {
            return Ok(FenceProgress::Failed);
        }
        thread::sleep(LOOK);
    }
}
