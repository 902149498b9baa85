//! A virtual cluster that goes on where a live one was.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config::{
        DatacenterFile, FenceConfig, GroupsConfig, NodesConfig, Parsed, RequestedState, ResourcesConfig, RulesConfig,
        datacenter::SchedulerMode,
    },
    host::{Lock, NodeFigures},
    id::{NodeName, ServiceId, ServiceTypes},
    plan::{ClusterSnapshot, GuestInSnapshot, NodeInSnapshot},
    status::{LrmState, LrmStatus, ManagerStatus, ServiceEntry, ServiceState, Timestamp, UtcTime},
};

use super::{Cluster, GuestSetup, NodeSetup, Setup};
use crate::world::{ClusterEvent, Guest, What};

/// What the live cluster had recorded from which a virtual one goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumed {
    /// When that was.
    pub time: Timestamp,
    /// What its master had recorded.
    pub manager_status: Arc<ManagerStatus>,
    /// What its LRMs had recorded.
    pub lrm_status: BTreeMap<NodeName, Arc<LrmStatus>>,
    /// The commands that waited for the master.
    pub commands: Vec<String>,
    /// What is otherwise than it was in the live cluster, or may be: a sentence each.
    pub differences: Vec<String>,
}

impl Setup {
    /// A cluster that goes on where a live one was: by its configuration, its records and its figures. Its nodes and guests are where
    /// they were, what ran runs, and the daemons of all nodes that were there are started, as after an upgrade.
    ///
    /// ```
    /// use ha_core::plan::ClusterSnapshot;
    /// use ha_sim::cluster::{Cluster, Setup};
    ///
    /// let snapshot = ClusterSnapshot::from_json(
    ///     r#"{"ha_snapshot": 1, "time": 1767225600, "nodes": {"node1": {"online": true}, "node2": {"online": true}},
    ///         "configuration": {"resources.cfg": "vm: 100\n"}, "guests": {"vm:100": {"node": "node2"}},
    ///         "manager_status": {"node_status": {"node1": "online", "node2": "online"},
    ///             "service_status": {"vm:100": {"state": "started", "node": "node2", "uid": "a", "running": 1}}}}"#,
    /// )?;
    /// let mut cluster = Cluster::new(Setup::from_snapshot(&snapshot));
    /// assert_eq!(cluster.places(&"vm:100".parse()?), ["node2"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn from_snapshot(snapshot: &ClusterSnapshot) -> Self {
        let types = service_types(&snapshot.service_types);
        let mut setup = Self {
            service_types: snapshot.service_types.clone(),
            timings: snapshot.timings,
            store_is_enough: !snapshot.needs_majority,
            ..Self::default()
        };
        let mut differences: Vec<String> =
            snapshot.left_out.iter().map(|part| format!("the snapshot has not: {part}")).collect();
        setup.configure(snapshot, &types, &mut differences);
        for (name, node) in &snapshot.nodes {
            setup.nodes.insert(name.clone(), node_setup(name, node, &mut differences));
        }
        for (sid, guest) in &snapshot.guests {
            let running = runs(sid, guest, snapshot, &setup.resources);
            let guest = resumed_guest(guest);
            setup.guests.insert(sid.clone(), GuestSetup { guest, running });
        }
        differences.extend(of_services(snapshot, &setup));
        differences.extend(of_hosts(&setup));
        let lrm_status = snapshot.lrm_status.iter();
        setup.resumed = Some(Resumed {
            time: snapshot.time,
            manager_status: Arc::new(snapshot.manager_status.clone()),
            lrm_status: lrm_status.map(|(node, record)| (node.clone(), Arc::new(record.clone()))).collect(),
            commands: snapshot.commands.clone(),
            differences,
        });
        setup
    }

    /// Takes the configuration files. What is wrong in them is left out, as the live cluster does it.
    fn configure(&mut self, snapshot: &ClusterSnapshot, types: &ServiceTypes, differences: &mut Vec<String>) {
        let text = |file: &str| snapshot.configuration.get(file).map(String::as_bytes).unwrap_or_default();
        self.resources = taken("resources.cfg", ResourcesConfig::read(text("resources.cfg"), types), differences);
        self.groups = taken("groups.cfg", GroupsConfig::read(text("groups.cfg")), differences);
        self.rules = taken("rules.cfg", RulesConfig::read(text("rules.cfg"), types), differences);
        self.labels = taken("nodes.cfg", NodesConfig::read(text("nodes.cfg")), differences);
        self.datacenter = taken("datacenter.cfg", DatacenterFile::read(text("datacenter.cfg")), differences);
        if let Some(text) = snapshot.configuration.get("fence.cfg") {
            let read = FenceConfig::read(text.as_bytes());
            differences.extend(read.warnings.iter().map(|warning| format!("fence.cfg: {warning}")));
            match read.config {
                Ok(config) => self.fence = Some(config),
                Err(errors) => differences.push(format!("fence.cfg: {errors}")),
            }
        }
    }
}

/// The service types of a cluster that has these beside the usual ones, with any names.
pub(crate) fn service_types(further: &[String]) -> ServiceTypes {
    let mut types = ServiceTypes::default();
    for word in further.iter().filter(|word| !ServiceTypes::default().knows(word)) {
        types.register(word.as_str(), |_| Ok(()));
    }
    types
}

fn taken<T>(file: &str, parsed: Parsed<T>, differences: &mut Vec<String>) -> T {
    let problems = parsed.problems.iter().filter(|problem| !problem.kind.is_remark());
    differences.extend(problems.map(|problem| format!("{file}: {problem}")));
    parsed.config
}

fn node_setup(name: &NodeName, node: &NodeInSnapshot, differences: &mut Vec<String>) -> NodeSetup {
    let usual = NodeSetup::default();
    if !node.online {
        differences.push(format!("{name} was not there: here it has no power"));
    }
    let figures = node.figures.filter(|figures| figures.max_cpu > 0.0 && figures.max_memory > 0);
    let NodeFigures { max_cpu, max_memory, .. } = figures.unwrap_or_else(|| {
        differences.push(format!(
            "how large {name} is is not known: here it has {} cores and {} GB",
            usual.cores,
            usual.memory >> 30
        ));
        NodeFigures { max_cpu: usual.cores, max_memory: usual.memory, ..NodeFigures::default() }
    });
    NodeSetup {
        power: node.online,
        cores: max_cpu,
        memory: max_memory,
        version: node.version.clone().unwrap_or_else(|| usual.version.clone()),
        ..usual
    }
}

fn resumed_guest(guest: &GuestInSnapshot) -> Guest {
    Guest {
        lock: guest.lock.clone(),
        moves_live: guest.moves_live,
        max_cpu: guest.figures.max_cpu,
        max_memory: guest.figures.max_memory,
        cpu: guest.figures.cpu,
        memory: guest.figures.memory,
        ..Guest::new(guest.node.clone())
    }
}

/// Whether a guest ran, as far as the records tell.
fn runs(sid: &ServiceId, guest: &GuestInSnapshot, snapshot: &ClusterSnapshot, resources: &ResourcesConfig) -> bool {
    let status = &snapshot.manager_status;
    let is_there = snapshot.nodes.get(&guest.node).is_some_and(|node| node.online);
    let Some(entry) = status.services.get(sid).filter(|_| is_there) else { return false };
    let is_to_run = resources.resources.get(sid).is_some_and(|resource| resource.state() == RequestedState::Started);
    match entry.state {
        ServiceState::Started { confirmed } => confirmed,
        ServiceState::RequestStop { .. } => true,
        ServiceState::Migrate { .. } | ServiceState::Relocate { .. } | ServiceState::Freeze => is_to_run,
        ServiceState::Stopped | ServiceState::Error => status.may_run.contains(sid),
        ServiceState::RequestStart
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Fence
        | ServiceState::Recovery => false,
    }
}

/// What is said of services that need not be here as they are in the live cluster.
fn of_services(snapshot: &ClusterSnapshot, setup: &Setup) -> Vec<String> {
    let status = &snapshot.manager_status;
    let entries = status.services.iter().filter_map(|(sid, entry)| of_service(sid, entry, status));
    let strange = status.not_understood.iter();
    let strange =
        strange.map(|entry| format!("what is recorded of {} is not understood: it is left alone", entry.sid()));
    let resources = &setup.resources.resources;
    let lost = resources.keys().filter(|sid| !snapshot.guests.contains_key(*sid));
    let lost = lost.map(|sid| format!("{sid} has no guest"));
    let others = snapshot.guests.keys().filter(|sid| !resources.contains_key(*sid) && !status.services.contains(sid));
    let others: Vec<&str> = others.map(ServiceId::as_str).collect();
    let others = (!others.is_empty()).then(|| {
        let names = others.join(", ");
        match others.len() {
            1 => format!("{names} is no service: it does not run here, and uses nothing"),
            _ => format!("{names} are no services: they do not run here, and use nothing"),
        }
    });
    entries.chain(strange).chain(lost).chain(others).collect()
}

fn of_service(sid: &ServiceId, entry: &ServiceEntry, status: &ManagerStatus) -> Option<String> {
    let may_run = status.may_run.contains(sid);
    match &entry.state {
        ServiceState::Error if may_run => Some(format!("{sid} is in 'error' and may run: here it does")),
        ServiceState::Error => Some(format!("{sid} is in 'error': here it does not run")),
        ServiceState::Stopped if may_run => Some(format!("{sid} is stopped and may run: here it does")),
        ServiceState::Migrate { target } | ServiceState::Relocate { target } => {
            Some(format!("{sid} was on its way to {target}: here it goes again from the beginning"))
        }
        ServiceState::Started { confirmed: false } => Some(format!("{sid} was being started: here that begins again")),
        ServiceState::Stopped
        | ServiceState::RequestStop { .. }
        | ServiceState::RequestStart
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Started { confirmed: true }
        | ServiceState::Fence
        | ServiceState::Recovery
        | ServiceState::Freeze => None,
    }
}

/// What nobody can know of the hosts.
fn of_hosts(setup: &Setup) -> Vec<String> {
    let mut differences = Vec::new();
    if setup.fence.is_some() {
        differences.push("no fence device is asked: here each of them works".to_owned());
    }
    if setup.resources.resources.values().any(|resource| resource.probe.is_some()) {
        differences.push("no probe is asked: here what runs is ready".to_owned());
    }
    if setup.datacenter.config().scheduler.mode == SchedulerMode::Dynamic {
        differences.push("what nodes use was measured: here it is what their guests use".to_owned());
    }
    differences
}

impl Cluster {
    /// Begins with what was recorded, and with the locks of those who had them: their leases are counted from now.
    pub(super) fn resume(&mut self, resumed: &Resumed) {
        let status = &resumed.manager_status;
        self.began = resumed.time;
        self.world.store.manager_status = Some(status.clone());
        self.world.store.lrm_status = resumed.lrm_status.clone();
        self.world.store.commands.clone_from(&resumed.commands);
        let nodes: Vec<NodeName> = self.world.nodes.keys().cloned().collect();
        let holds = |node: &NodeName| {
            let is_active = resumed.lrm_status.get(node).is_some_and(|record| match record.state {
                LrmState::Active | LrmState::Maintenance => true,
                LrmState::WaitForAgentLock | LrmState::LostAgentLock => false,
            });
            let may_run = |entry: &ServiceEntry| entry.node == *node && entry.state != ServiceState::Stopped;
            is_active && (status.is_there(node) || status.services.iter().any(|(_, entry)| may_run(entry)))
        };
        for node in nodes.into_iter().filter(holds) {
            self.world.hold_lock(Lock::Agent(node.clone()), node);
        }
        if let Some(master) = status.master_node.clone().filter(|master| self.world.nodes.contains_key(master)) {
            self.world.hold_lock(Lock::Manager, master);
        }
        let began = format!("the cluster goes on from {}", UtcTime(resumed.time));
        for text in std::iter::once(began).chain(resumed.differences.iter().cloned()) {
            self.world.note(self.world.time, "snapshot", What::Cluster(ClusterEvent::Said { text }));
        }
    }
}
