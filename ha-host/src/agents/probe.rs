//! Probes: whether services that run here are ready, too.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::mpsc::{Receiver, TryRecvError, channel},
    thread,
    time::Duration,
};

use ha_core::{
    config::resources::ProbeTarget,
    host::{HostError, ProbeAttempt, ProbeProgress},
    id::{NodeName, ServiceId},
};
use ureq::{Agent, config::Config};

use super::{
    NodeAgents,
    output::{last_line_of, output_within},
};
use crate::os::clock;

/// Where the programs of `exec` probes lie, unless a node says otherwise.
pub const PROBE_DIRECTORY: &str = "/etc/ha/probes";

/// What a probe finds out. An error is that the service is not ready, and why.
pub(super) type Found = Result<ProbeProgress, HostError>;

/// Makes probes, each in a thread of its own. How many at once is decided by the LRM.
pub struct Prober {
    agents: NodeAgents,
    node: NodeName,
    programs: PathBuf,
    running: BTreeMap<ServiceId, (u64, Receiver<Found>)>,
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").field("programs", &self.programs).finish_non_exhaustive()
    }
}

impl Prober {
    /// One that asks these agents, and runs the programs of this directory.
    #[must_use]
    pub fn new(node: NodeName, agents: NodeAgents, programs: &Path) -> Self {
        Self { agents, node, programs: programs.to_owned(), running: BTreeMap::new() }
    }

    /// The programs lie in this directory from now on.
    pub(crate) fn look_in(&mut self, programs: &Path) {
        programs.clone_into(&mut self.programs);
    }

    /// How far an attempt has come; it is begun if it was not. Where another attempt for the same service still runs, nobody listens
    /// to it any more.
    ///
    /// # Errors
    ///
    /// If the service is not ready: why.
    pub fn progress(&mut self, attempt: &ProbeAttempt) -> Found {
        let is_begun = self.running.get(&attempt.sid).is_some_and(|(number, _)| *number == attempt.number);
        if !is_begun {
            let answer = self.begin(attempt)?;
            self.running.insert(attempt.sid.clone(), (attempt.number, answer));
        }
        let came = self.running.get(&attempt.sid).map(|(_, answer)| answer.try_recv());
        if matches!(came, None | Some(Err(TryRecvError::Empty))) {
            return Ok(ProbeProgress::Running);
        }
        self.running.remove(&attempt.sid);
        came.and_then(Result::ok).unwrap_or_else(|| Err(HostError::new("the probe has died")))
    }

    fn begin(&self, attempt: &ProbeAttempt) -> Result<Receiver<Found>, HostError> {
        let (to, answer) = channel();
        let (agents, node, programs) = (self.agents.clone(), self.node.clone(), self.programs.clone());
        let asked = attempt.clone();
        let begun = thread::Builder::new().name(format!("probe-{}", attempt.sid)).spawn(move || {
            // Nobody listens any more if it took too long.
            let _ = to.send(find_out(&asked, &agents, &node, &programs));
        });
        begun.map(|_| answer).map_err(|error| HostError::new(format!("cannot begin a probe: {error}")))
    }
}

fn find_out(attempt: &ProbeAttempt, agents: &NodeAgents, node: &NodeName, programs: &Path) -> Found {
    let timeout = Duration::from_secs(attempt.timeout.into());
    match attempt.probe.target() {
        ProbeTarget::Agent => agents.ready(&attempt.sid, timeout),
        ProbeTarget::Tcp { host, port } => connects(host.as_deref(), *port, timeout),
        ProbeTarget::Http(url) => answers(url, timeout),
        ProbeTarget::Exec { program, arguments } => {
            let mut command = Command::new(programs.join(program));
            said_by(command.args(arguments), &attempt.sid, node, timeout)
        }
        _ => Err(HostError::new(format!("this version makes no probe '{}'", attempt.probe))),
    }
}

/// Whether a connection can be made, to one of the addresses that a host has.
fn connects(host: Option<&str>, port: u16, timeout: Duration) -> Found {
    let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let end = clock::instant().after(timeout);
    let addresses: Vec<SocketAddr> = match host {
        None => own.map(|address| SocketAddr::new(address, port)).to_vec(),
        Some(host) => {
            let found = (host, port).to_socket_addrs();
            found.map_err(|error| HostError::new(format!("{host} can't be found: {error}")))?.collect()
        }
    };
    let mut failure = None;
    for address in addresses {
        let left = end.since(clock::instant());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(_) => return Ok(ProbeProgress::Ready),
            Err(error) => failure = failure.or(Some(format!("{address}: {error}"))),
        }
    }
    Err(HostError::new(failure.unwrap_or_else(|| "no connection was made in time".to_owned())))
}

/// Whether a GET is answered well. Where an answer points to another place, that is an answer.
fn answers(url: &str, timeout: Duration) -> Found {
    let config = Config::builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(timeout));
    let agent: Agent = config.build().into();
    match agent.get(url).call() {
        Ok(response) if (200..400).contains(&response.status().as_u16()) => Ok(ProbeProgress::Ready),
        Ok(response) => Err(HostError::new(format!("{url} answers with status {}", response.status().as_u16()))),
        Err(error) => Err(HostError::new(format!("{url}: {error}"))),
    }
}

/// By these exit codes a program says that a service is not ready yet, and that it never will be.
const NOT_YET: i32 = 3;
const FAILED: i32 = 4;

/// What a program says of a service, within a time.
pub(super) fn said_by(command: &mut Command, sid: &ServiceId, node: &NodeName, timeout: Duration) -> Found {
    let program = command.get_program().to_string_lossy().into_owned();
    command.current_dir("/").env("HA_SID", sid.as_str()).env("HA_NODE", node.as_str());
    meant_by(output_within(command, timeout), &program)
}

/// What the exit code of a program means, with the last line that it wrote.
fn meant_by(output: io::Result<Output>, program: &str) -> Found {
    let output = output.map_err(|error| HostError::new(format!("{program}: {error}")))?;
    let line = last_line_of(&output);
    match output.status.code() {
        Some(0) => Ok(ProbeProgress::Ready),
        Some(FAILED) => Ok(ProbeProgress::Failed),
        Some(NOT_YET) if line.is_none() => Ok(ProbeProgress::NotReady),
        Some(NOT_YET) | None => Err(HostError::new(line.unwrap_or_else(|| format!("{program}: {}", output.status)))),
        Some(code) => Err(HostError::new(match line {
            Some(line) => format!("{line} (exit code {code})"),
            None => format!("exit code {code}"),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpListener,
        os::unix::process::ExitStatusExt,
        process::ExitStatus,
    };

    const TIMEOUT: Duration = Duration::from_secs(20);

    #[test]
    fn a_port_on_which_somebody_listens_is_ready_and_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(connects(None, port, TIMEOUT), Ok(ProbeProgress::Ready));
        assert_eq!(connects(Some("127.0.0.1"), port, TIMEOUT), Ok(ProbeProgress::Ready));
        drop(listener);
        let error = connects(None, port, TIMEOUT).unwrap_err().to_string();
        assert!(error.contains("refused"), "{error}");
        assert!(connects(Some("name.invalid"), 80, TIMEOUT).is_err());
    }

    /// A server that gives one answer; its URL.
    fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/health", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        url
    }

    #[test]
    fn a_good_status_and_a_redirection_are_ready_and_an_error_is_not() {
        let end = "Content-Length: 0\r\nConnection: close\r\n\r\n";
        for (status, ready) in [("200 OK", true), ("204 No Content", true), ("302 Found", true), ("503 Busy", false)] {
            let answer: String = format!("HTTP/1.1 {status}\r\nLocation: http://name.invalid/\r\n{end}");
            let found = answers(&server(answer.leak()), TIMEOUT);
            assert_eq!(found == Ok(ProbeProgress::Ready), ready, "{status}: {found:?}");
        }
        assert!(answers(&server("nonsense\r\n\r\n"), TIMEOUT).is_err());
    }

    #[test]
    fn what_a_program_says_is_its_exit_code_and_its_last_line() {
        let output = |code: i32, text: &str| {
            Ok(Output { status: ExitStatus::from_raw(code << 8), stdout: text.into(), stderr: Vec::new() })
        };
        let said = |code, text| meant_by(output(code, text), "check").map_err(|error| error.to_string());
        assert_eq!(said(0, "all is well\n"), Ok(ProbeProgress::Ready));
        assert_eq!(said(3, ""), Ok(ProbeProgress::NotReady));
        assert_eq!(said(3, "one\nreplays its log\n\n"), Err("replays its log".into()));
        assert_eq!(said(4, "disk full"), Ok(ProbeProgress::Failed));
        assert_eq!(said(1, ""), Err("exit code 1".into()));
        assert_eq!(said(127, "not found"), Err("not found (exit code 127)".into()));
        let killed = Ok(Output { status: ExitStatus::from_raw(9), stdout: Vec::new(), stderr: Vec::new() });
        assert!(meant_by(killed, "check").is_err());
        assert!(meant_by(Err(io::ErrorKind::TimedOut.into()), "check").is_err());
    }
}
