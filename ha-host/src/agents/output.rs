//! What another program says.

use std::{
    io::{self, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use ha_core::time::Instant;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::os::clock;

/// Bytes that are read of each output. Who writes more is not listened to any longer, and ends by its deadline.
const LONGEST: u64 = 16 << 20;

/// Runs a program and gives all that it wrote. It is read while the program runs: one whose pipe is full would wait for ever.
///
/// # Errors
///
/// With [`io::ErrorKind::TimedOut`] if it and all that holds its outputs are not done within `timeout`; it is killed then.
pub(super) fn output_within(command: &mut Command, timeout: Duration) -> io::Result<Output> {
    let end = clock::instant().after(timeout);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).spawn()?;
    let output = read_to_end(&mut child, end);
    if output.is_err() {
        end_now(&mut child);
    }
    output.map_err(|error| {
        let timed_out = error.kind() == io::ErrorKind::TimedOut;
        if timed_out { io::Error::new(error.kind(), format!("it took longer than {timeout:?}")) } else { error }
    })
}

/// The last line of a text that is not blank.
pub(super) fn last_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

/// The last line that a program wrote, of its errors if there are any.
pub(super) fn last_line_of(output: &Output) -> Option<String> {
    last_line(&output.stderr).or_else(|| last_line(&output.stdout))
}

fn read_to_end(child: &mut Child, end: Instant) -> io::Result<Output> {
    let (stdout, stderr) = (reader(child.stdout.take())?, reader(child.stderr.take())?);
    let read = |from: &Receiver<io::Result<Vec<u8>>>| {
        from.recv_timeout(end.since(clock::instant())).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    };
    let (stdout, stderr) = (read(&stdout)?, read(&stderr)?);
    Ok(Output { status: wait_until(child, end)?, stdout, stderr })
}

/// Reads in a thread of its own. It ends when nobody holds the other end any more.
fn reader(pipe: Option<impl Read + Send + 'static>) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = channel();
    thread::Builder::new().name("output".into()).spawn(move || {
        let mut text = Vec::new();
        let read = pipe.map_or(Ok(0), |pipe| pipe.take(LONGEST).read_to_end(&mut text));
        // Nobody may wait for it any more.
        let _ = sender.send(read.map(|_| text));
    })?;
    Ok(receiver)
}

fn wait_until(child: &mut Child, end: Instant) -> io::Result<std::process::ExitStatus> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(5);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if clock::instant() >= end {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(LOOK_INTERVAL);
    }
}

/// Kills it with its group. One that the kernel can't end now is not waited for.
fn end_now(child: &mut Child) {
    const PATIENCE: Duration = Duration::from_secs(1);
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let _ = wait_until(child, clock::instant().after(PATIENCE));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", text]);
        command
    }

    #[test]
    fn who_writes_more_than_a_pipe_holds_is_read_to_the_end() {
        let text = "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; exit 3";
        let output = output_within(&mut shell(text), Duration::from_secs(60)).unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len(), output.status.code()), (300_000, 300_000, Some(3)));
    }

    #[test]
    fn who_takes_too_long_is_ended_also_where_another_holds_its_output() {
        for text in ["exec sleep 1000", "sleep 1000 & exit 0"] {
            let error = output_within(&mut shell(text), Duration::from_millis(200)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{text}");
        }
    }
}
