//! Talking to QEMU: the QEMU Machine Protocol, on a Unix socket.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::Path,
    thread,
    time::Duration,
};

use ha_core::time::Instant;
use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket},
};
use serde_json::{Value, json};

use crate::os::clock;

/// A connection to one QEMU, for a few commands. QEMU serves one connection at a time, so it is kept no longer than needed.
#[derive(Debug)]
pub(super) struct Qmp {
    reader: BufReader<UnixStream>,
    patience: Duration,
}

impl Qmp {
    /// How often it is tried to connect.
    const RETRY_INTERVAL: Duration = Duration::from_millis(20);
    /// The most bytes of an answer or event. What is asked here is answered in some hundred.
    const LONGEST: usize = 1 << 20;
    /// The longest that a QEMU that is well takes to answer.
    pub(super) const PATIENCE: Duration = Duration::from_secs(10);

    /// Connects within `patience`, which is what each command may take too. A socket on which nobody listens yet is tried again
    /// as long as `go_on` says so.
    pub(super) fn connect(path: &Path, patience: Duration, go_on: impl Fn() -> bool) -> io::Result<Self> {
        let end = clock::instant().after(patience);
        let mut qmp = Self::open_until(end, path, patience, go_on)?;
        qmp.read_message(end)?;
        qmp.execute("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Connects to the guest agent, which speaks the same protocol without a greeting. What an earlier connection has left unread is
    /// passed over: the agent repeats a number that nobody else has.
    pub(super) fn of_guest_agent(path: &Path, patience: Duration) -> io::Result<Self> {
        let end = clock::instant().after(patience);
        let mut agent = Self::open_until(end, path, patience, || false)?;
        let number = clock::wall_ms();
        agent.send("guest-sync", &json!({"id": number}))?;
        while agent.read_message(end)?.get("return").and_then(Value::as_i64) != Some(number) {}
        Ok(agent)
    }

    fn open_until(end: Instant, path: &Path, patience: Duration, go_on: impl Fn() -> bool) -> io::Result<Self> {
        let stream = loop {
            match Self::open(path) {
                Ok(stream) => break stream,
                // Nobody listens yet, or another connection is served.
                Err(Errno::ENOENT | Errno::ECONNREFUSED | Errno::EAGAIN) if go_on() && clock::instant() < end => {
                    thread::sleep(Self::RETRY_INTERVAL);
                }
                Err(error) => return Err(error.into()),
            }
        };
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self { reader: BufReader::new(stream), patience })
    }

    /// Without waiting where QEMU has no room for another connection.
    fn open(path: &Path) -> Result<UnixStream, Errno> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let descriptor = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        connect(descriptor.as_raw_fd(), &UnixAddr::new(path)?)?;
        Ok(descriptor.into())
    }

    /// Has a command carried out, and gives its answer. Events that come in between are not looked at.
    pub(super) fn execute(&mut self, command: &str, arguments: Value) -> io::Result<Value> {
        let end = clock::instant().after(self.patience);
        self.send(command, &arguments)?;
        loop {
            let mut message = self.read_message(end)?;
            if let Some(answer) = message.get_mut("return") {
                return Ok(answer.take());
            }
            if let Some(error) = message.get("error") {
                let why = error.get("desc").and_then(Value::as_str).unwrap_or("no reason given");
                return Err(io::Error::other(format!("{command}: {why}")));
            }
        }
    }

    fn send(&mut self, command: &str, arguments: &Value) -> io::Result<()> {
        let mut line = json!({"execute": command, "arguments": arguments}).to_string();
        line.push('\n');
        self.reader.get_mut().write_all(line.as_bytes())
    }

    /// What a command's answer says under a key; empty if it says nothing.
    pub(super) fn ask(&mut self, command: &str, key: &str) -> io::Result<String> {
        let answer = self.execute(command, json!({}))?;
        Ok(answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    fn read_message(&mut self, end: Instant) -> io::Result<Value> {
        serde_json::from_slice(&self.read_line(end)?).map_err(io::Error::other)
    }

    /// The next line, however it comes: no QEMU is listened to for longer than until `end`, nor for more than [`Self::LONGEST`].
    fn read_line(&mut self, end: Instant) -> io::Result<Vec<u8>> {
        let silent = || io::Error::new(io::ErrorKind::TimedOut, "QEMU does not answer");
        let mut line = Vec::new();
        loop {
            let left = end.since(clock::instant());
            if left.is_zero() {
                return Err(silent());
            }
            self.reader.get_ref().set_read_timeout(Some(left))?;
            let came = match self.reader.fill_buf() {
                Ok([]) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "QEMU has closed the connection")),
                Ok(came) => came,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(silent()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let is_end = |byte: &u8| *byte == b'\n';
            let used = came.iter().position(is_end).map_or(came.len(), |at| at.saturating_add(1));
            let part = came.get(..used).unwrap_or_default();
            let is_whole = part.last().is_some_and(is_end);
            line.extend_from_slice(part);
            self.reader.consume(used);
            if line.len() > Self::LONGEST {
                let message = format!("QEMU says more than {} bytes at once", Self::LONGEST);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            if is_whole {
                return Ok(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::net::UnixListener, path::PathBuf};

    fn qemu_path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ha-qmp-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    /// A QEMU that greets, then answers one line after the other with these.
    fn qemu(name: &str, answers: &'static [&'static str]) -> PathBuf {
        let path = qemu_path(name);
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            stream.write_all(b"{\"QMP\": {}}\n").unwrap();
            for answer in answers {
                lines.next().unwrap().unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
            lines.for_each(drop);
        });
        path
    }

    #[test]
    fn events_between_a_command_and_its_answer_are_passed_over() {
        let path = qemu(
            "events",
            &[
                "{\"return\": {}}\n",
                "{\"event\": \"STOP\"}\n{\"return\": {\"status\": \"paused\"}}\n",
                "{\"error\": {\"desc\": \"no\"}}\n",
            ],
        );
        let mut qmp = Qmp::connect(&path, Qmp::PATIENCE, || true).unwrap();
        assert_eq!(qmp.ask("query-status", "status").unwrap(), "paused");
        assert_eq!(qmp.execute("cont", json!({})).unwrap_err().to_string(), "cont: no");
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_qemu_that_is_silent_or_gone_is_not_waited_for() {
        let patience = Duration::from_millis(100);
        let silent = qemu("silent", &[]);
        let error = Qmp::connect(&silent, patience, || true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        std::fs::remove_file(&silent).unwrap();
        assert_eq!(Qmp::connect(&silent, Qmp::PATIENCE, || false).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// A guest that has got hold of its QEMU may have it say anything.
    #[test]
    fn a_qemu_that_never_comes_to_an_end_is_not_listened_to() {
        let drips = |name: &str, piece: &'static [u8], pause: Duration| {
            let path = qemu_path(name);
            let listener = UnixListener::bind(&path).unwrap();
            thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                while stream.write_all(piece).is_ok() {
                    thread::sleep(pause);
                }
            });
            path
        };
        let patience = Duration::from_millis(300);
        for (name, piece) in [("drips", &b"x"[..]), ("babbles", &b"{\"event\": \"STOP\"}\n"[..])] {
            let path = drips(name, piece, Duration::from_millis(5));
            let error = Qmp::connect(&path, patience, || true).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{name}: {error}");
            std::fs::remove_file(path).unwrap();
        }
        let path = drips("floods", &[b'x'; 65536], Duration::ZERO);
        let error = Qmp::connect(&path, Duration::from_secs(60), || true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        std::fs::remove_file(path).unwrap();
    }
}
