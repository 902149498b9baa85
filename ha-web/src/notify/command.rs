//! Targets that are programs.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use super::{Failed, Message};

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a program, which gets the message as JSON on its standard input. It must end well, and in time.
pub(super) fn run(words: &[String], message: &Message) -> Result<(), Failed> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failed::later("there is no program to run".into()));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // What it starts is killed with it.
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| Failed::later(format!("cannot run {program}: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        let body = message.json() + "\n";
        // A program need not read what it is given. The message is far smaller than what fits into the pipe.
        let _ = input.write_all(body.as_bytes());
    }
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(Failed::later(format!("{program} has failed: {status}"))),
            Ok(None) if began.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let group = i32::try_from(child.id()).map(Pid::from_raw);
                let _ = group.map(|group| killpg(group, Signal::SIGKILL));
                let _ = child.wait();
                return Err(Failed::later(format!("{program} has not ended within {} s", PATIENCE.as_secs())));
            }
            Err(error) => return Err(Failed::later(format!("cannot wait for {program}: {error}"))),
        }
    }
}
