//! An etcd of three members, for the demonstration.

use std::{
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::context::Failure;

/// The members. Each is a machine of its own, and ends with this.
pub(super) struct Etcd {
    members: Vec<Member>,
    endpoints: String,
}

struct Member {
    directory: PathBuf,
    arguments: Vec<String>,
    supervisor: Option<Child>,
}

impl Etcd {
    /// Starts the members. They need a moment to find one another.
    pub(super) fn start(directory: &Path) -> Result<Self, Failure> {
        let version = Command::new("etcd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.map_err(|error| Failure::Failed(format!("cannot run etcd (Debian: etcd-server): {error}")))?;
        let ports = free_ports(6)?;
        let url = |port: Option<&u16>| format!("http://127.0.0.1:{}", port.copied().unwrap_or_default());
        let cluster: Vec<String> = (0..3).map(|member| format!("m{member}={}", url(ports.get(member + 3)))).collect();
        let members = (0..3).map(|member| {
            let (client, peer) = (url(ports.get(member)), url(ports.get(member + 3)));
            let directory = directory.join(format!("etcd{member}"));
            let pairs = [
                ("name", format!("m{member}")),
                ("data-dir", directory.join("data").display().to_string()),
                ("listen-client-urls", client.clone()),
                ("advertise-client-urls", client),
                ("listen-peer-urls", peer.clone()),
                ("initial-advertise-peer-urls", peer),
                ("initial-cluster", cluster.join(",")),
            ];
            let arguments = pairs.into_iter().map(|(key, value)| format!("--{key}={value}")).collect();
            Member { directory, arguments, supervisor: None }
        });
        let members: Vec<Member> = members.collect();
        let endpoints: Vec<String> = ports.iter().take(3).map(|port| format!("127.0.0.1:{port}")).collect();
        let mut etcd = Self { members, endpoints: endpoints.join(",") };
        (0..3).try_for_each(|member| etcd.run(member))?;
        Ok(etcd)
    }

    /// The address of a store in it.
    pub(super) fn address(&self) -> String {
        format!("etcd://{}/ha", self.endpoints)
    }

    /// Starts a member.
    pub(super) fn run(&mut self, member: usize) -> Result<(), Failure> {
        let Some(member) = self.members.get_mut(member) else { return Ok(()) };
        std::fs::create_dir_all(&member.directory)?;
        let supervisor = Command::new(std::env::current_exe()?)
            .args(["supervise", "--socket"])
            .arg(member.directory.join("watchdog"))
            .args(["--", "etcd"])
            .args(&member.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        member.supervisor = Some(supervisor);
        Ok(())
    }

    /// Cuts the power of a member.
    pub(super) fn kill(&mut self, member: usize) -> Result<(), Failure> {
        let supervisor = self.members.get_mut(member).and_then(|member| member.supervisor.take());
        let Some(mut supervisor) = supervisor else { return Ok(()) };
        kill(Pid::from_raw(i32::try_from(supervisor.id()).map_err(io::Error::other)?), Signal::SIGTERM)
            .map_err(io::Error::from)?;
        supervisor.wait()?;
        Ok(())
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for member in 0..self.members.len() {
            let _ = self.kill(member);
        }
    }
}

/// Ports that nobody uses at the moment.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let listeners = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<Vec<_>>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
