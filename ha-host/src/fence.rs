//! Fence devices: runs the commands that `fence.cfg` gives, as the programs of `fence-agents` expect it.

use std::{
    collections::BTreeMap,
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use ha_core::{
    config::fence::FenceCommand,
    host::{FenceDevices, FenceProgress, HostError},
    id::NodeName,
    time::Instant,
};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::clock;

/// Runs fence commands, all parts of a device at once. One that takes too long is killed and counts as failed.
#[derive(Debug)]
pub struct FenceRunner {
    timeout: Duration,
    attempts: BTreeMap<NodeName, Attempt>,
}

#[derive(Debug)]
struct Attempt {
    number: u32,
    runs_out: Instant,
    parts: Vec<Child>,
}

impl Drop for Attempt {
    /// What still runs is not waited for by anybody any more.
    fn drop(&mut self) {
        for part in &mut self.parts {
            if matches!(part.try_wait(), Ok(None)) {
                if let Ok(pid) = i32::try_from(part.id()) {
                    let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
                }
                let _ = part.wait();
            }
        }
    }
}

impl FenceRunner {
    /// Commands may take so long.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, attempts: BTreeMap::new() }
    }
}

/// Output goes nowhere: it may hold passwords.
fn spawn(command: &FenceCommand) -> io::Result<Child> {
    Command::new(&command.program)
        .args(&command.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

impl Attempt {
    fn start(number: u32, commands: &[FenceCommand], timeout: Duration) -> Result<Self, HostError> {
        let mut attempt = Self { number, runs_out: clock::instant().after(timeout), parts: Vec::new() };
        for command in commands {
            let fail = |error| HostError::new(format!("cannot run {}: {error}", command.program));
            attempt.parts.push(spawn(command).map_err(fail)?);
        }
        Ok(attempt)
    }

    fn progress(&mut self) -> io::Result<FenceProgress> {
        let mut running = false;
        for part in &mut self.parts {
            match part.try_wait()? {
                None => running = true,
                Some(status) if !status.success() => return Ok(FenceProgress::Failed),
                Some(_) => {}
            }
        }
        Ok(match running {
            true if clock::instant() >= self.runs_out => FenceProgress::Failed,
            true => FenceProgress::Running,
            false => FenceProgress::Succeeded,
        })
    }
}

impl FenceDevices for FenceRunner {
    fn run(&mut self, node: &NodeName, attempt: u32, commands: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        if self.attempts.get(node).is_none_or(|running| running.number != attempt) {
            self.attempts.remove(node);
            self.attempts.insert(node.clone(), Attempt::start(attempt, commands, self.timeout)?);
        }
        let Some(running) = self.attempts.get_mut(node) else { return Ok(FenceProgress::Failed) };
        let progress = running.progress();
        if !matches!(progress, Ok(FenceProgress::Running)) {
            self.attempts.remove(node);
        }
        progress.map_err(|error| HostError::new(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn command(script: &str) -> FenceCommand {
        let arguments = vec!["-c".into(), script.into()];
        FenceCommand { device: "power".into(), part: 1, program: "/bin/sh".into(), arguments }
    }

    fn outcome(scripts: &[&str], timeout_ms: u64) -> FenceProgress {
        let commands: Vec<FenceCommand> = scripts.iter().map(|script| command(script)).collect();
        let mut runner = FenceRunner::new(Duration::from_millis(timeout_ms));
        let node = NodeName::new("node1").unwrap();
        loop {
            match runner.run(&node, 0, &commands).unwrap() {
                FenceProgress::Running => thread::sleep(Duration::from_millis(5)),
                ended @ (FenceProgress::Succeeded | FenceProgress::Failed) => return ended,
            }
        }
    }

    #[test]
    fn all_parts_must_succeed_in_time() {
        assert_eq!(outcome(&["exit 0", "sleep 0.05"], 10_000), FenceProgress::Succeeded);
        assert_eq!(outcome(&["exit 0", "exit 1"], 10_000), FenceProgress::Failed);
        assert_eq!(outcome(&["exit 0", "sleep 60"], 50), FenceProgress::Failed);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let missing = FenceCommand { program: "/no/such/program".into(), ..command("") };
        let node = NodeName::new("node1").unwrap();
        let error = FenceRunner::new(Duration::from_secs(1)).run(&node, 0, &[missing]).unwrap_err();
        assert!(error.message.contains("/no/such/program"), "{error}");
    }
}
