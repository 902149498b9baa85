//! A complete host in one file: a store in files, and the CRM and LRM of three nodes in one process, through a failover.
//!
//!     cargo run -p ha-core --example three_nodes FOLDER
//!
//! FOLDER must be empty; everything that nodes share is written there, so that it can be looked at afterwards. Time is
//! virtual: it jumps to whatever is due next. A real host runs one node a process, sleeps until the next call, and has a
//! store, locks and a watchdog that hold what the traits of `ha_core::host` say. The rest is as here.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ha_core::{
    config::{
        GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, datacenter::SchedulerMode, fence::FenceCommand,
    },
    crm::Crm,
    event::Event,
    host::{
        Agent, ClusterLock, Configuration, ConfigurationStore, Entropy, EventSink, FeedOutcome, FenceAttempt,
        FenceDevices, FenceProgress, GuestControl, HostError, HostFigures, Job, JobId, JobStart, Lock, LockAnswer,
        LrmStore, ManagerStore, Membership, Statistics, StatusStore, UnmanagedGuest, Watchdog, Workers,
    },
    id::{NodeName, ServiceId, ServiceTypes, Uid},
    lrm::{Lrm, run_job},
    status::{ExitCode, LrmStatus, ManagerStatus, Motion},
    time::{Instant, Next, Now},
    timing::Timings,
};

/// Which of its node's two daemons a host serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Daemon {
    Crm,
    Lrm,
}

/// What there is beside the daemons: the machines, and the folder that their nodes share.
struct Cluster {
    folder: PathBuf,
    machines: BTreeMap<NodeName, Machine>,
    timings: Timings,
    now: Instant,
    /// What happened, a line each.
    told: Vec<String>,
}

#[derive(Default)]
struct Machine {
    up: bool,
    running: BTreeSet<ServiceId>,
    /// When the watchdog of each daemon that has opened one resets the machine.
    watchdogs: BTreeMap<Daemon, Instant>,
}

/// What a daemon of a node is given with each call: all that it can do to the world.
struct Host<'a> {
    cluster: &'a mut Cluster,
    node: &'a NodeName,
    daemon: Daemon,
}

// --- the store in files ---

impl Cluster {
    /// Writes a file whole or not at all. (To outlive a power cut it would have to be synced, too.)
    fn write(&self, name: &str, content: &[u8]) -> Result<(), HostError> {
        let part = self.folder.join(format!("{name}.part"));
        let written = fs::write(&part, content).and_then(|()| fs::rename(&part, self.folder.join(name)));
        written.map_err(|error| HostError::new(format!("{name} can't be written: {error}")))
    }

    /// Reads a file; `None` only if there certainly is none.
    fn read(&self, name: &str) -> Result<Option<String>, HostError> {
        match fs::read_to_string(self.folder.join(name)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(HostError::new(format!("{name} can't be read: {error}"))),
        }
    }

    /// Who holds a lock, and when the lease ends.
    fn holder(&self, lock: &Lock) -> Result<Option<(NodeName, Instant)>, HostError> {
        let Some(record) = self.read(&lock.to_string())?.filter(|record| !record.is_empty()) else { return Ok(None) };
        let damaged = || HostError::new(format!("{lock} is held by nobody knows whom: '{record}'"));
        let (node, ends_ns) = record.split_once(' ').ok_or_else(damaged)?;
        let node = NodeName::new(node).map_err(|_| damaged())?;
        let ends = Duration::from_nanos(ends_ns.parse().map_err(|_| damaged())?);
        Ok(Some((node, Instant::after_start(ends))))
    }

    fn machine(&mut self, node: &NodeName) -> Result<&mut Machine, HostError> {
        self.machines.get_mut(node).ok_or_else(|| HostError::new(format!("there is no {node}")))
    }

    fn is_quorate(&self, node: &NodeName) -> bool {
        let up = self.machines.values().filter(|machine| machine.up).count();
        self.machines.get(node).is_some_and(|machine| machine.up) && up > self.machines.len() / 2
    }
}

impl Host<'_> {
    /// Only a quorate node may write what all share.
    fn write_shared(&self, name: &str, content: &[u8]) -> Result<(), HostError> {
        match self.cluster.is_quorate(self.node) {
            true => self.cluster.write(name, content),
            false => Err(HostError::new("no quorum")),
        }
    }
}

// --- members, locks and the watchdog ---

impl Membership for Host<'_> {
    fn refresh(&mut self) -> Result<(), HostError> {
        Ok(())
    }

    fn is_quorate(&mut self) -> bool {
        self.cluster.is_quorate(self.node)
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        let quorate = self.is_quorate();
        Ok(self.cluster.machines.iter().map(|(node, machine)| (node.clone(), quorate && machine.up)).collect())
    }
}

/// A lock is a file with its holder and when its lease ends. Names of nodes are proof enough here, as no other machine can have
/// one of them; see [`LockClaim`](ha_core::host::LockClaim) for hosts where that is not so.
impl ClusterLock for Host<'_> {
    fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError> {
        if !self.cluster.is_quorate(self.node) {
            return Ok(LockAnswer::Refused);
        }
        let now = self.cluster.now;
        let answer = match self.cluster.holder(lock)? {
            Some((holder, ends)) if ends > now && holder == *self.node => LockAnswer::Renewed,
            Some((_, ends)) if ends > now => return Ok(LockAnswer::Refused),
            Some(_) | None => LockAnswer::Acquired,
        };
        let ends = now.after(self.cluster.timings.settings().lock_lifetime);
        let record = format!("{} {}", self.node, ends.since_start().as_nanos());
        self.cluster.write(&lock.to_string(), record.as_bytes())?;
        Ok(answer)
    }

    fn release(&mut self, lock: &Lock) -> Result<(), HostError> {
        match self.cluster.holder(lock)? {
            Some((holder, _)) if holder == *self.node => self.write_shared(&lock.to_string(), b""),
            Some(_) | None => Ok(()),
        }
    }
}

impl Watchdog for Host<'_> {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.feed(not_after)
    }

    /// A real host reads its clock here once more, right before it touches the device.
    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        let now = self.cluster.now;
        if now > not_after {
            return Ok(FeedOutcome::TooLate);
        }
        let resets = now.after(self.cluster.timings.settings().watchdog_timeout);
        self.cluster.machine(self.node)?.watchdogs.insert(self.daemon, resets);
        Ok(FeedOutcome::Fed)
    }

    fn close(&mut self) -> Result<(), HostError> {
        self.cluster.machine(self.node)?.watchdogs.remove(&self.daemon);
        Ok(())
    }
}

// --- records and configuration ---

/// A record that can't be understood is an error, never `None`: the core would begin from nothing.
fn not_understood(name: &str, error: &dyn Error) -> HostError {
    HostError::new(format!("{name}: {error}"))
}

impl StatusStore for Host<'_> {
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
        let Some(json) = self.cluster.read("manager_status")? else { return Ok(None) };
        let status = ManagerStatus::from_json(&json).map_err(|error| not_understood("manager_status", &error))?;
        Ok(Some(Arc::new(status)))
    }

    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        let name = format!("lrm_status_{node}");
        let Some(json) = self.cluster.read(&name)? else { return Ok(None) };
        Ok(Some(Arc::new(LrmStatus::from_json(&json).map_err(|error| not_understood(&name, &error))?)))
    }
}

impl ManagerStore for Host<'_> {
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
        self.write_shared("manager_status", status.to_json().as_bytes())
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        Ok(self.cluster.read("commands")?.is_some_and(|lines| !lines.is_empty()))
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        let lines = self.cluster.read("commands")?.unwrap_or_default();
        self.write_shared("commands", b"")?;
        Ok(lines.lines().map(str::to_owned).collect())
    }
}

impl LrmStore for Host<'_> {
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError> {
        self.write_shared(&format!("lrm_status_{}", self.node), status.to_json().as_bytes())
    }
}

impl Cluster {
    fn resources(&self) -> Result<ResourcesConfig, HostError> {
        let text = self.read("resources.cfg")?.unwrap_or_default();
        Ok(ResourcesConfig::read(text.as_bytes(), &ServiceTypes::default()).config)
    }
}

/// The configuration is made again for each question. What did not change has the same digest, and costs the daemons nothing.
impl ConfigurationStore for Host<'_> {
    fn configuration(&mut self) -> Result<Configuration, HostError> {
        let resources = self.cluster.resources()?;
        let mut guests = Vec::new();
        for sid in resources.resources.keys() {
            if let Some(node) = self.cluster.guest_node(sid)? {
                guests.push((sid.clone(), node));
            }
        }
        let guests = Arc::new(guests.into_iter().collect());
        Ok(Configuration { resources: Arc::new(resources), guests, ..Configuration::default() })
    }
}

// --- what a master does to guests, and looks at ---

impl Cluster {
    /// The node of a guest is a file.
    fn guest_node(&self, sid: &ServiceId) -> Result<Option<NodeName>, HostError> {
        let Some(node) = self.read(&format!("guest-{sid}"))? else { return Ok(None) };
        NodeName::new(node).map(Some).map_err(|error| HostError::new(format!("the node of {sid}: {error}")))
    }
}

impl GuestControl for Host<'_> {
    fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError> {
        match self.cluster.guest_node(sid)? {
            Some(node) if node == *to => Ok(()),
            Some(node) if node == *from => self.write_shared(&format!("guest-{sid}"), to.as_str().as_bytes()),
            node => Err(HostError::new(format!("{sid} is not on {from}, but on {node:?}"))),
        }
    }

    /// A guest here is never locked.
    fn remove_leftover_locks(&mut self, _: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
        Ok(None)
    }

    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError> {
        let mut resources = self.cluster.resources()?;
        let resource = resources.resources.get_mut(sid);
        resource.ok_or_else(|| HostError::new(format!("{sid} is not configured")))?.state = Some(state);
        self.write_shared("resources.cfg", &resources.write())
    }

    fn write_group_migration(&mut self, _: &RulesConfig, _: &ResourcesConfig) -> Result<(), HostError> {
        Err(HostError::new("there are no groups here"))
    }

    fn remove_groups(&mut self, _: &GroupsConfig) -> Result<(), HostError> {
        Err(HostError::new("there are no groups here"))
    }

    fn software_version(&mut self, _: &NodeName) -> Result<Option<String>, HostError> {
        Ok(None)
    }
}

/// Nodes are fenced by their watchdogs alone: none of them has a device.
impl FenceDevices for Host<'_> {
    fn run(&mut self, attempt: &FenceAttempt, _: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        Err(HostError::new(format!("there is no fence device for {}", attempt.node)))
    }

    fn forget_fence_attempts(&mut self, _: &BTreeSet<Uid>) -> Result<(), HostError> {
        Ok(())
    }
}

impl Statistics for Host<'_> {
    fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError> {
        Ok(Vec::new())
    }

    fn usage(&mut self, mode: SchedulerMode) -> Result<HostFigures, HostError> {
        Err(HostError::new(format!("nobody measures anything here for the scheduler '{mode}'")))
    }
}

impl Entropy for Host<'_> {
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError> {
        let mut bytes = [0; 16];
        let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
        read.map_err(|error| HostError::new(format!("no randomness: {error}")))?;
        Ok(bytes)
    }
}

// --- jobs and guests ---

/// Jobs are carried out at once. A host whose agents take their time hands the job to a thread or process, answers
/// [`JobStart::Running`], and names its end in [`Workers::finished`].
impl Workers for Host<'_> {
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
        Ok(JobStart::Finished(run_job(job.clone(), self.node.clone(), self)))
    }

    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
        Ok(Vec::new())
    }
}

impl Agent for Host<'_> {
    fn knows_type(&mut self, service_type: &str) -> bool {
        service_type == "vm"
    }

    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError> {
        self.cluster.guest_node(sid)
    }

    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError> {
        Ok(self.cluster.machine(self.node)?.running.contains(sid))
    }

    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        self.cluster.machine(self.node)?.running.insert(sid.clone());
        Ok(())
    }

    fn stop(&mut self, sid: &ServiceId, _timeout: Option<u32>) -> Result<(), HostError> {
        self.cluster.machine(self.node)?.running.remove(sid);
        Ok(())
    }

    /// The write is the handover: the source stands still before it, and the target runs only after it. If it fails both stand still.
    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        self.event(Event::AgentMoveStarted { sid: sid.clone(), task: motion, target: target.clone() });
        let ran = self.cluster.machine(self.node)?.running.remove(sid);
        self.write_shared(&format!("guest-{sid}"), target.as_str().as_bytes())?;
        if ran && motion == Motion::Migrate {
            self.cluster.machine(target)?.running.insert(sid.clone());
        }
        self.event(Event::AgentMoveEnded { sid: sid.clone(), task: motion, target: target.clone() });
        Ok(())
    }
}

impl EventSink for Host<'_> {
    fn event(&mut self, event: Event) {
        let daemon = match self.daemon {
            Daemon::Crm => "crm",
            Daemon::Lrm => "lrm",
        };
        self.cluster.tell(&format!("{}/{daemon}  {event}", self.node));
    }
}

// --- what happens ---

impl Cluster {
    fn tell(&mut self, line: &str) {
        self.told.push(format!("{:4}  {line}", self.now.since_start().as_secs()));
    }

    fn nodes_that_run(&self, sid: &ServiceId) -> Vec<&str> {
        let running = self.machines.iter().filter(|(_, machine)| machine.running.contains(sid));
        running.map(|(node, _)| node.as_str()).collect()
    }

    /// The one thing that may never happen.
    fn check_that_nothing_runs_twice(&self) -> Result<(), String> {
        let all = self.machines.values().flat_map(|machine| &machine.running);
        match all.into_iter().find(|sid| self.nodes_that_run(sid).len() > 1) {
            Some(sid) => Err(format!("{sid} runs on {}", self.nodes_that_run(sid).join(" and "))),
            None => Ok(()),
        }
    }
}

/// The daemons of a node that is up.
struct Node {
    crm: Crm,
    lrm: Lrm,
    /// When each wants to be called; a daemon that has ended does not.
    next: BTreeMap<Daemon, Instant>,
}

struct Story {
    cluster: Cluster,
    nodes: BTreeMap<NodeName, Node>,
}

/// Something that is due.
#[derive(Clone)]
enum Due {
    Call(NodeName, Daemon),
    Reset(NodeName),
}

impl Story {
    fn power_on(&mut self, name: &NodeName) {
        self.cluster.machines.insert(name.clone(), Machine { up: true, ..Machine::default() });
        let (timings, now) = (self.cluster.timings, self.cluster.now);
        let mut host = Host { cluster: &mut self.cluster, node: name, daemon: Daemon::Crm };
        let crm = Crm::start(name.clone(), timings, &mut host);
        host.daemon = Daemon::Lrm;
        let lrm = Lrm::start(name.clone(), timings, &mut host);
        let next = [(Daemon::Crm, now), (Daemon::Lrm, now)].into();
        self.nodes.insert(name.clone(), Node { crm, lrm, next });
    }

    /// Everything of the node is gone at once, without a word to anybody.
    fn power_off(&mut self, name: &NodeName) {
        self.cluster.machines.insert(name.clone(), Machine::default());
        self.nodes.remove(name);
    }

    /// What is due next, and when.
    fn next_due(&self) -> Option<(Instant, Due)> {
        let calls = self
            .nodes
            .iter()
            .flat_map(|(name, node)| node.next.iter().map(|(&daemon, &at)| (at, Due::Call(name.clone(), daemon))));
        let resets = self
            .cluster
            .machines
            .iter()
            .flat_map(|(name, machine)| machine.watchdogs.values().map(|&at| (at, Due::Reset(name.clone()))));
        calls.chain(resets).min_by_key(|(at, _)| *at)
    }

    /// This is the loop of a real host, but for the sleep: call, and call again when the daemon wants to be called.
    fn call(&mut self, name: &NodeName, daemon: Daemon) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        let instant = self.cluster.now;
        let seconds = i64::try_from(instant.since_start().as_secs()).unwrap_or(i64::MAX);
        let now = Now { instant, wall: seconds.saturating_add(1_700_000_000) };
        let mut host = Host { cluster: &mut self.cluster, node: name, daemon };
        let next = match daemon {
            Daemon::Crm => node.crm.tick(&mut host, now),
            Daemon::Lrm => node.lrm.tick(&mut host, now),
        };
        match next {
            Next::At { instant, .. } => node.next.insert(daemon, instant),
            Next::Exit => node.next.remove(&daemon),
        };
    }

    /// Lets everything happen that is due until a moment.
    fn run_until(&mut self, seconds: u64) -> Result<(), String> {
        let end = Instant::from_secs(seconds);
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= end) {
            self.cluster.now = at.max(self.cluster.now);
            match due {
                Due::Call(name, daemon) => self.call(&name, daemon),
                Due::Reset(name) => {
                    self.cluster.tell(&format!("the watchdog resets {name}"));
                    self.power_off(&name);
                }
            }
            self.cluster.check_that_nothing_runs_twice()?;
        }
        self.cluster.now = end;
        Ok(())
    }

    fn tell_guests(&mut self) -> Result<(), HostError> {
        for sid in self.cluster.resources()?.resources.keys() {
            let line = format!("{sid} runs on {}", self.cluster.nodes_that_run(sid).join(" "));
            self.cluster.tell(&line);
        }
        Ok(())
    }
}

/// A guest loses its node, is recovered, and another one is moved. Gives what happened, a line each.
fn play(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let [alpha, beta, gamma] = [NodeName::new("alpha")?, NodeName::new("beta")?, NodeName::new("gamma")?];
    let cluster = Cluster {
        folder: folder.to_owned(),
        machines: BTreeMap::new(),
        timings: Timings::default(),
        now: Instant::START,
        told: Vec::new(),
    };
    cluster.write("resources.cfg", b"vm: 100\n\tcomment mail\n\nvm: 101\n\tcomment web\n\n")?;
    cluster.write("guest-vm:100", b"gamma")?;
    cluster.write("guest-vm:101", b"beta")?;
    let mut story = Story { cluster, nodes: BTreeMap::new() };
    for name in [&alpha, &beta, &gamma] {
        story.power_on(name);
    }
    story.run_until(60)?;
    story.tell_guests()?;
    story.cluster.tell("somebody pulls the plug of gamma");
    story.power_off(&gamma);
    story.run_until(300)?;
    story.tell_guests()?;
    story.cluster.tell("gamma is back; vm:101 is to go there");
    story.power_on(&gamma);
    story.cluster.write("commands", b"migrate vm:101 gamma\n")?;
    story.run_until(360)?;
    story.tell_guests()?;
    Ok(story.cluster.told)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: three_nodes EMPTY-FOLDER")?;
    for line in play(Path::new(&folder))? {
        println!("{line}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_run_where_they_should_and_never_on_two_nodes() -> Result<(), Box<dyn Error>> {
        let folder = std::env::temp_dir().join(format!("three-nodes-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let played = play(&folder);
        fs::remove_dir_all(&folder)?;
        let told = played?;

        let places: Vec<&str> = told.iter().map(String::as_str).filter(|line| line.contains(" runs on ")).collect();
        assert_eq!(
            places,
            [
                "  60  vm:100 runs on gamma",
                "  60  vm:101 runs on beta",
                " 300  vm:100 runs on alpha",
                " 300  vm:101 runs on beta",
                " 360  vm:100 runs on alpha",
                " 360  vm:101 runs on gamma",
            ]
        );
        for line in [" 180  alpha/crm  node gamma was fenced", " 310  beta/lrm  vm:101 was moved to gamma"] {
            assert!(told.iter().any(|found| found == line), "'{line}' is not told");
        }
        let failed: Vec<&String> = told.iter().filter(|line| line.contains("failed")).collect();
        assert!(failed.is_empty(), "no call of the host fails: {failed:?}");
        Ok(())
    }
}
