//! The cluster of the demonstration: three machines made of processes, and a directory that they share.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use ha_core::{
    event::Event,
    id::{NodeName, ServiceId},
    status::ManagerStatus,
    time::Instant,
};
use ha_host::{
    os::{clock, signals::StopSignals},
    store::{AgentDefinition, ClusterSettings, GuestDefinition, RecordName, SharedStore, StoreAddress},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use super::{
    disk::{Entry, last_entry},
    etcd::Etcd,
};
use crate::{context::Failure, daemon::LOOK_INTERVAL};

/// The cluster. Its machines end with it.
pub(super) struct Cluster {
    pub(super) directory: PathBuf,
    keeps_directory: bool,
    pub(super) store: Arc<dyn SharedStore>,
    address: String,
    /// Where the store is in etcd.
    pub(super) etcd: Option<Etcd>,
    nodes: BTreeMap<NodeName, Machine>,
    signals: StopSignals,
}

struct Machine {
    directory: PathBuf,
    supervisor: Option<Child>,
    /// How much of its log was read.
    log_read: u64,
}

impl Cluster {
    /// Makes the store, with services as they are given: each with the node that it begins on.
    pub(super) fn new(
        directory: Option<&Path>,
        in_etcd: bool,
        settings: &ClusterSettings,
        services: &[(ServiceId, NodeName)],
    ) -> Result<Self, Failure> {
        let signals = StopSignals::catch()?;
        let keeps_directory = directory.is_some();
        let directory = match directory {
            Some(directory) => std::path::absolute(directory)?,
            None => own_directory(),
        };
        fs::create_dir_all(&directory)
            .map_err(|error| Failure::Failed(format!("cannot make {}: {error}", directory.display())))?;
        let etcd = if in_etcd { Some(Etcd::start(&directory)?) } else { None };
        let in_directory = || format!("file:{}", directory.join("store").display());
        let address = etcd.as_ref().map_or_else(in_directory, Etcd::address);
        let store = create_store(&address.parse()?, settings)?;
        fs::create_dir_all(directory.join("disks"))?;
        let mut nodes = BTreeMap::new();
        for node in &settings.nodes {
            let home = directory.join(node.as_str());
            fs::create_dir_all(&home)?;
            nodes.insert(node.clone(), Machine { directory: home, supervisor: None, log_read: 0 });
        }
        let cluster = Self { directory, keeps_directory, store, address, etcd, nodes, signals };
        for (sid, node) in services {
            cluster.define(sid, node)?;
        }
        Ok(cluster)
    }

    fn define(&self, sid: &ServiceId, node: &NodeName) -> Result<(), Failure> {
        let program = std::env::current_exe()?.display().to_string();
        let disk = self.disk(sid).display().to_string();
        let guest = GuestDefinition {
            node: node.clone(),
            agent: AgentDefinition::new("proc", &json!({"command": [program, "demo-disk", disk], "grace_s": 2}))
                .map_err(Failure::failed)?,
            resume: None,
            lock: None,
            max_cpu: 0.0,
            max_memory: 0,
        };
        self.store.edit_guest(sid, &mut |old| *old = Some(guest.clone()))?;
        self.ha(&["add", sid.as_str()]).map(drop)
    }

    /// Where its store is, for who opens it too.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn disk(&self, sid: &ServiceId) -> PathBuf {
        self.directory.join("disks").join(sid.name())
    }

    pub(super) fn last_write(&self, sid: &ServiceId) -> Option<Entry> {
        last_entry(&self.disk(sid)).ok().flatten()
    }

    /// Runs `ha` as a person would, and gives its output.
    pub(super) fn ha(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = Command::new(std::env::current_exe()?)
            .args(["--store", &self.address, "--node", "node1", "--state-dir"])
            .arg(self.directory.join("state"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(Failure::Failed(format!("'ha {}': {}", arguments.join(" "), text(&output.stderr).trim())))
    }

    /// Switches a machine on.
    pub(super) fn power_on(&mut self, node: &NodeName) -> Result<(), Failure> {
        let store = self.address.clone();
        let machine = self.machine(node)?;
        let home = &machine.directory;
        let (socket, run, state) = (home.join("watchdog"), home.join("run"), home.join("state"));
        // A machine that was off has an empty /run.
        let _ = fs::remove_dir_all(&run);
        let log = OpenOptions::new().append(true).create(true).open(home.join("log"))?;
        let watchdog = format!("mux:{}", socket.display());
        let program = std::env::current_exe()?;
        let supervisor = Command::new(&program)
            .args(["supervise", "--timings", "fast", "--socket"])
            .arg(&socket)
            .arg("--")
            .arg(&program)
            .args(["--store", &store, "--node", node.as_str(), "node", "run", "--log", "json"])
            .args(["--watchdog", &watchdog, "--run-dir"])
            .arg(&run)
            .arg("--state-dir")
            .arg(&state)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        machine.supervisor = Some(supervisor);
        Ok(())
    }

    fn machine(&mut self, node: &NodeName) -> Result<&mut Machine, Failure> {
        self.nodes.get_mut(node).ok_or_else(|| Failure::Failed(format!("there is no node {node}")))
    }

    /// Cuts the power of a machine: all of its processes are killed at once. Gives the moment before that.
    pub(super) fn cut_power(&mut self, node: &NodeName) -> Result<Instant, Failure> {
        let moment = clock::instant();
        let machine = self.machine(node)?;
        machine.signal(Signal::SIGTERM)?;
        machine.wait()?;
        Ok(moment)
    }

    /// Stops the daemon of a machine as it stands; its services go on. Gives the moment before that.
    pub(super) fn freeze_daemon(&mut self, node: &NodeName) -> Result<Instant, Failure> {
        let machine = self.machine(node)?;
        let pid = fs::read_to_string(machine.directory.join("run/daemon.pid"))?;
        let pid = pid.trim().parse().map_err(Failure::failed)?;
        let moment = clock::instant();
        kill(Pid::from_raw(pid), Signal::SIGSTOP).map_err(io::Error::from)?;
        Ok(moment)
    }

    /// How a machine's supervisor ended, if it has.
    pub(super) fn ended(&mut self, node: &NodeName) -> Result<Option<ExitStatus>, Failure> {
        match &mut self.machine(node)?.supervisor {
            Some(supervisor) => Ok(supervisor.try_wait()?),
            None => Ok(None),
        }
    }

    /// Events of all nodes since this was last called, each with its source.
    pub(super) fn new_events(&mut self) -> Vec<(String, Event)> {
        self.nodes.values_mut().flat_map(Machine::new_events).collect()
    }

    pub(super) fn manager_status(&self) -> Option<ManagerStatus> {
        let content = self.store.record(&RecordName::Manager).ok()??;
        ManagerStatus::from_json(&String::from_utf8_lossy(&content)).ok()
    }

    /// Looks again and again until there is an answer. Ends early if somebody interrupts the demonstration.
    pub(super) fn wait_for<T>(
        &mut self,
        what: &str,
        timeout: Duration,
        mut look: impl FnMut(&mut Self) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let end = clock::instant().after(timeout);
        loop {
            if let Some(answer) = look(self)? {
                return Ok(answer);
            }
            if self.signals.count() > 0 {
                return Err(Failure::failed("interrupted"));
            }
            if clock::instant() >= end {
                return Err(Failure::Failed(format!("waited {} s in vain: {what}", timeout.as_secs())));
            }
            thread::sleep(LOOK_INTERVAL);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for machine in self.nodes.values_mut() {
            let _ = machine.signal(Signal::SIGTERM);
        }
        for machine in self.nodes.values_mut() {
            let _ = machine.wait();
        }
        self.etcd = None;
        if !self.keeps_directory {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

impl Machine {
    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        let Some(supervisor) = &mut self.supervisor else { return Ok(()) };
        if supervisor.try_wait()?.is_none() {
            kill(Pid::from_raw(i32::try_from(supervisor.id()).map_err(io::Error::other)?), signal)?;
        }
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.wait()?;
        }
        Ok(())
    }

    /// Whole lines only: the last one may still be in the making.
    fn new_events(&mut self) -> Vec<(String, Event)> {
        let read = || -> io::Result<String> {
            let mut log = File::open(self.directory.join("log"))?;
            log.seek(SeekFrom::Start(self.log_read))?;
            let mut text = String::new();
            log.read_to_string(&mut text)?;
            Ok(text)
        };
        let text = read().unwrap_or_default();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        self.log_read += whole as u64;
        let line = |line: &str| -> Option<(String, Event)> {
            let value: serde_json::Value = serde_json::from_str(line).ok()?;
            let source = value.get("src")?.as_str()?.to_owned();
            Some((source, serde_json::from_value(value).ok()?))
        };
        text.get(..whole).unwrap_or_default().lines().filter_map(line).collect()
    }
}

/// Makes the store and opens it. An etcd that was just started answers when it has found a leader.
fn create_store(address: &StoreAddress, settings: &ClusterSettings) -> Result<Arc<dyn SharedStore>, Failure> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let end = clock::instant().after(PATIENCE);
    loop {
        match address.create(settings) {
            Err(error) if error.may_pass() && clock::instant() < end => {
                thread::sleep(LOOK_INTERVAL);
            }
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(address.open(PATIENCE)?),
        }
    }
}

/// In memory if that can be had: the demonstration is about nodes that fail, not about slow disks.
fn own_directory() -> PathBuf {
    let name = format!("ha-demo-{}", std::process::id());
    let memory = Path::new("/dev/shm").join(&name);
    if fs::create_dir_all(&memory).is_ok() { memory } else { std::env::temp_dir().join(name) }
}
