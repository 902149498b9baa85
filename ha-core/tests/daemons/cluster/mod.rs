//! One daemon in virtual time, what it finds of the other nodes, and a host whose calls go wrong as a test wants. What must always hold
//! is checked after every call.
//!
//! It takes the worst that the timings allow: a watchdog resets its node at the last possible moment.

mod disturbance;
mod host;
mod invariants;
mod node;

pub(crate) use disturbance::{Disturbance, Fault};
pub(crate) use host::Call;
pub(crate) use node::{Daemon, Node};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ha_core::{
    config::{
        DatacenterConfig, FenceConfig, GroupsConfig, OrderedMap, RequestedState, Resource, ResourcesConfig, RulesConfig,
    },
    crm::Crm,
    event::Event,
    host::{
        FenceAttempt, FenceProgress, HostError, HostOperation, Job, Lock, ProbeAttempt, ProbeProgress, UnmanagedGuest,
    },
    id::{NodeName, ServiceId, ServiceTypes, Uid},
    lrm::{Lrm, StopRequest, run_job},
    status::{ExitCode, LrmStatus, ManagerStatus, ServiceEntry, ServiceState, StateName},
    time::{Instant, Next, Now},
    timing::Timings,
};

/// Something that a daemon reported.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "when and where is for whoever prints it")]
pub(crate) struct Report {
    pub(crate) at: Instant,
    pub(crate) node: NodeName,
    pub(crate) daemon: Daemon,
    pub(crate) event: Event,
}

/// What all nodes share.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) resources: Arc<ResourcesConfig>,
    pub(crate) groups: Arc<GroupsConfig>,
    pub(crate) rules: Arc<RulesConfig>,
    pub(crate) datacenter: Arc<DatacenterConfig>,
    pub(crate) fence: Option<Arc<FenceConfig>>,
    pub(crate) manager_status: Option<Arc<ManagerStatus>>,
    pub(crate) lrm_status: BTreeMap<NodeName, Arc<LrmStatus>>,
    pub(crate) commands: Vec<String>,
}

/// A guest: where it is configured, and on which nodes its start fails.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) node: NodeName,
    pub(crate) start_fails_on: BTreeSet<NodeName>,
    pub(crate) stop_fails: bool,
    /// Its agent refuses to touch it.
    pub(crate) locked: bool,
    /// Jobs with this command never end by themselves.
    pub(crate) hangs: Option<StateName>,
    /// What its probe finds out.
    pub(crate) probe: Result<ProbeProgress, HostError>,
}

/// The cluster.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) time: Instant,
    pub(crate) timings: Timings,
    pub(crate) nodes: BTreeMap<NodeName, Node>,
    pub(crate) store: Store,
    pub(crate) guests: BTreeMap<ServiceId, Guest>,
    /// How far the fence devices come, by their number. One that is not here fails.
    pub(crate) devices: BTreeMap<u32, FenceProgress>,
    /// Guests that run without being managed.
    pub(crate) unmanaged: Vec<UnmanagedGuest>,
    /// Whether workers can end their jobs.
    pub(crate) ends_jobs: bool,
    /// Whether an LRM is called as soon as one of its jobs has ended.
    pub(crate) tells_of_ended_jobs: bool,
    /// How long a job takes, if it is not the usual time.
    pub(crate) job_time: Option<Duration>,
    /// The probes that were asked for.
    pub(crate) probed: Vec<ProbeAttempt>,
    /// What fence devices were asked for.
    pub(crate) attempts: Vec<FenceAttempt>,
    /// The incidents whose attempts were kept, each time that others were forgotten.
    pub(crate) forgotten: Vec<BTreeSet<Uid>>,
    /// The software of nodes whose version is not the newest.
    pub(crate) versions: BTreeMap<NodeName, String>,
    /// What others do right after an LRM has written its record.
    pub(crate) after_record: Option<fn(&mut Cluster)>,
    /// Calls that always fail.
    pub(crate) broken: BTreeSet<(NodeName, HostOperation)>,
    /// The one call that fails, if any.
    pub(crate) disturbance: Option<Disturbance>,
    /// How often each call was made.
    pub(crate) calls: BTreeMap<HostOperation, u32>,
    pub(crate) reports: Vec<Report>,
    /// Watchdogs that ran out.
    pub(crate) resets: Vec<(Instant, NodeName)>,
    locks: BTreeMap<Lock, (NodeName, Instant)>,
    random: u128,
    ticks: u32,
}

/// More ticks than any story needs: this finds a daemon that asks for ever to be called again at once.
const MOST_TICKS: u32 = 200_000;

/// How long a job takes.
const JOB: Duration = Duration::from_secs(3);

pub(crate) fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

pub(crate) fn sid(text: &str) -> ServiceId {
    text.parse().unwrap()
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What happens next by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Reset,
    Job,
    Tick(Daemon),
}

impl Cluster {
    pub(crate) fn add_service(&mut self, name: &str, on: &str, state: RequestedState) {
        let mut resource = Resource::new(sid(name));
        resource.state = Some(state);
        self.resources().insert(sid(name), resource);
        let guest = Guest {
            node: node(on),
            start_fails_on: BTreeSet::new(),
            stop_fails: false,
            locked: false,
            hangs: None,
            probe: Ok(ProbeProgress::Ready),
        };
        self.guests.insert(sid(name), guest);
    }

    /// What is configured, for changes.
    pub(crate) fn resources(&mut self) -> &mut OrderedMap<ServiceId, Resource> {
        &mut Arc::make_mut(&mut self.store.resources).resources
    }

    pub(crate) fn datacenter(&mut self) -> &mut DatacenterConfig {
        Arc::make_mut(&mut self.store.datacenter)
    }

    pub(crate) fn set_rules(&mut self, text: &str) {
        let parsed = RulesConfig::read(text.as_bytes(), &ServiceTypes::default());
        assert_eq!(parsed.problems, []);
        self.store.rules = Arc::new(parsed.config);
    }

    pub(crate) fn request(&mut self, name: &str, state: RequestedState) {
        self.resources().get_mut(&sid(name)).unwrap().state = Some(state);
    }

    pub(crate) fn command(&mut self, line: &str) {
        self.store.commands.push(line.into());
    }

    pub(crate) fn node(&mut self, name: &str) -> &mut Node {
        self.nodes.get_mut(&node(name)).unwrap()
    }

    pub(crate) fn status(&self) -> ManagerStatus {
        self.store.manager_status.as_deref().cloned().unwrap_or_default()
    }

    /// Changes the recorded manager status, as a master elsewhere would.
    pub(crate) fn edit_status(&mut self, edit: impl FnOnce(&mut ManagerStatus)) {
        let mut status = self.status();
        edit(&mut status);
        self.store.manager_status = Some(Arc::new(status));
    }

    /// Records an entry for a service.
    pub(crate) fn put_entry(&mut self, name: &str, on: &str, state: ServiceState, uid: Option<&str>) {
        let mut entry = ServiceEntry::new(state, node(on));
        entry.uid = uid.map(|uid| uid.parse().unwrap());
        self.edit_status(|status| status.services.insert(sid(name), entry));
    }

    pub(crate) fn is_quorate(&self) -> bool {
        self.nodes.values().filter(|node| node.is_up()).count() * 2 > self.nodes.len()
    }

    pub(crate) fn is_online(&self, node: &NodeName) -> bool {
        self.is_quorate() && self.nodes[node].is_up()
    }

    pub(crate) fn places(&self, sid: &ServiceId) -> Vec<&NodeName> {
        self.nodes.iter().filter(|(_, node)| node.running.contains(sid)).map(|(name, _)| name).collect()
    }

    /// Who holds a lock under a lease that is not over.
    pub(crate) fn holder(&self, lock: &Lock) -> Option<&NodeName> {
        let (node, renewed) = self.locks.get(lock)?;
        (self.time.since(*renewed) <= self.timings.lock_lifetime()).then_some(node)
    }

    /// Gives a lock to a node, as if it had been renewed now.
    pub(crate) fn give_lock(&mut self, lock: Lock, to: &str) {
        self.locks.insert(lock, (node(to), self.time));
    }

    /// Lets go of all locks of a node.
    pub(crate) fn release_lock_of(&mut self, name: &str) {
        self.locks.retain(|_, (holder, _)| *holder != node(name));
    }

    /// What was reported since this was last asked, each event by its name.
    pub(crate) fn take_events(&mut self) -> Vec<String> {
        self.reports.drain(..).map(|report| name_of(report.event)).collect()
    }

    /// The reports of one kind so far, as JSON.
    pub(crate) fn reports_of(&self, name: &str) -> Vec<serde_json::Value> {
        let reports = self.reports.iter().map(|report| serde_json::to_value(&report.event).unwrap());
        reports.filter(|event| event["event"] == name).collect()
    }

    /// Nodes that all have power and quorum, the first one with one daemon.
    pub(crate) fn with_one_daemon(names: &[&str], daemon: Daemon) -> Self {
        let nodes = names.iter().map(|name| (node(name), Node::default())).collect();
        let mut cluster = Self { nodes, ..Self::default() };
        cluster.start_daemon(&node(names[0]), daemon);
        cluster
    }

    /// Lets a daemon do one iteration, with the time that it waits inside it, and gives when it wants the next one. `None`
    /// if it ended.
    pub(crate) fn iterate(&mut self, name: &str, daemon: Daemon) -> Option<Instant> {
        loop {
            let next = self.tick(&node(name), daemon).unwrap();
            match next {
                Next::At { instant, reason } if reason.is_within_iteration() => {
                    self.time = instant;
                    while self.nodes[&node(name)].jobs.iter().any(|(ends, _)| *ends <= instant) {
                        self.end_job(&node(name));
                    }
                }
                Next::At { instant, .. } => return Some(instant),
                Next::Exit => return None,
            }
        }
    }

    /// Lets a daemon do a number of iterations, each when it wants it.
    pub(crate) fn iterate_times(&mut self, times: u32, name: &str, daemon: Daemon) {
        for _ in 0..times {
            self.time = self.iterate(name, daemon).unwrap();
        }
    }

    /// Carries a job out on a node.
    pub(crate) fn run_job(&mut self, name: &str, job: Job) -> ExitCode {
        run_job(job, node(name), &mut Call::new(self, &node(name), Daemon::Lrm))
    }

    /// A reset: what ran is gone, and the node stays off.
    fn reset(&mut self, name: &NodeName) {
        let node = self.nodes.get_mut(name).unwrap();
        *node = Node { powered: false, connected: node.connected, ..Node::default() };
    }

    pub(crate) fn start_daemon(&mut self, name: &NodeName, daemon: Daemon) {
        let timings = self.timings;
        let time = self.time;
        let mut call = Call::new(self, name, daemon);
        let (crm, lrm) = match daemon {
            Daemon::Crm => (Some(Crm::start(name.clone(), timings, &mut call)), None),
            Daemon::Lrm => (None, Some(Lrm::start(name.clone(), timings, &mut call))),
        };
        let node = self.nodes.get_mut(name).unwrap();
        node.next.insert(daemon, time);
        match daemon {
            Daemon::Crm => node.crm = crm,
            Daemon::Lrm => node.lrm = lrm,
        }
    }

    fn now(&self) -> Now {
        Now { instant: self.time, wall: i64::try_from(self.time.since_start().as_secs()).unwrap() }
    }

    /// Asks the CRM to stop.
    pub(crate) fn stop_crm(&mut self, name: &NodeName) {
        let mut crm = self.nodes.get_mut(name).unwrap().crm.take().unwrap();
        crm.request_stop(&mut Call::new(self, name, Daemon::Crm));
        self.nodes.get_mut(name).unwrap().crm = Some(crm);
    }

    /// Asks the LRM to stop.
    pub(crate) fn stop_lrm(&mut self, name: &NodeName, request: StopRequest) {
        let now = self.now();
        let mut lrm = self.nodes.get_mut(name).unwrap().lrm.take().unwrap();
        lrm.request_stop(request, &mut Call::new(self, name, Daemon::Lrm), now);
        self.nodes.get_mut(name).unwrap().lrm = Some(lrm);
    }

    /// Lets a daemon go on now, and says when it wants to go on. `None` if there is none, or it did not survive.
    pub(crate) fn tick(&mut self, name: &NodeName, daemon: Daemon) -> Option<Next> {
        self.ticks += 1;
        assert!(self.ticks < MOST_TICKS, "the daemons don't come to rest");
        let now = self.now();
        let node = self.nodes.get_mut(name).unwrap();
        let (mut crm, mut lrm) = match daemon {
            Daemon::Crm => (node.crm.take(), None),
            Daemon::Lrm => (None, node.lrm.take()),
        };
        let mut call = Call::new(self, name, daemon);
        let next = match (&mut crm, &mut lrm) {
            (Some(crm), _) => crm.tick(&mut call, now),
            (_, Some(lrm)) => lrm.tick(&mut call, now),
            (None, None) => return None,
        };
        if !call.is_alive() {
            return None;
        }
        let time = self.time;
        let node = self.nodes.get_mut(name).unwrap();
        match next {
            Next::At { instant, .. } => {
                node.next.insert(daemon, instant.max(time));
                match daemon {
                    Daemon::Crm => node.crm = crm,
                    Daemon::Lrm => node.lrm = lrm,
                }
            }
            // A watchdog that was left open resets the node, whatever the daemon's successor does.
            Next::Exit => node.abandoned.extend(node.watchdogs.remove(&daemon)),
        }
        Some(next)
    }

    /// The first thing that happens by itself, and when.
    fn next_due(&self) -> Option<(Instant, Due, NodeName)> {
        let timeout = self.timings.watchdog_timeout() + self.timings.settings().multiplexer_slack();
        let of_node = |(name, node): (&NodeName, &Node)| {
            let resets = node.watchdogs.values().chain(&node.abandoned).map(|fed| (fed.after(timeout), Due::Reset));
            let job = node.jobs.iter().map(|(at, _)| (*at, Due::Job));
            let crm = node.crm.as_ref().map(|_| (node.next[&Daemon::Crm], Due::Tick(Daemon::Crm)));
            let lrm = node.lrm.as_ref().map(|_| (node.next[&Daemon::Lrm], Due::Tick(Daemon::Lrm)));
            let first = resets.chain(job).chain(crm).chain(lrm).min();
            first.map(|(at, due)| (at, due, name.clone()))
        };
        self.nodes.iter().filter_map(of_node).min()
    }

    /// Lets everything happen that is due until a moment.
    pub(crate) fn run_until(&mut self, until: Instant) {
        while let Some((at, due, name)) = self.next_due().filter(|(at, ..)| *at <= until) {
            self.time = self.time.max(at);
            match due {
                Due::Reset => {
                    self.resets.push((self.time, name.clone()));
                    self.reset(&name);
                }
                Due::Job => {
                    self.end_job(&name);
                    if self.tells_of_ended_jobs {
                        let _ = self.tick(&name, Daemon::Lrm);
                    }
                }
                Due::Tick(daemon) => {
                    let _ = self.tick(&name, daemon);
                }
            }
        }
        self.time = self.time.max(until);
    }

    pub(crate) fn run_for(&mut self, seconds: u64) {
        self.run_until(self.time.after(secs(seconds)));
    }

    /// Carries out the first job of a node that is due.
    fn end_job(&mut self, name: &NodeName) {
        let node = self.nodes.get_mut(name).unwrap();
        let first = (0..node.jobs.len()).min_by_key(|index| node.jobs[*index].0).unwrap();
        let (_, job) = node.jobs.remove(first);
        let id = job.id;
        let mut call = Call::new(self, name, Daemon::Lrm);
        let exit_code = run_job(job, name.clone(), &mut call);
        if call.is_alive() {
            self.nodes.get_mut(name).unwrap().finished.push((id, exit_code));
        }
    }
}

/// The name of an event, as it is written.
pub(crate) fn name_of(event: Event) -> String {
    serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned()
}
