//! What people see of a virtual cluster, and what they change: a store in which its configuration, records and history stand as those
//! of a real one would.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config::{DatacenterConfig, GroupsConfig, NodesConfig, ResourcesConfig, RulesConfig},
    history::{Entry, EntryId, Source, What},
    id::{NodeName, ServiceId},
    status::{LrmStatus, ManagerStatus},
};
use ha_host::store::{
    AgentDefinition, Beat, ConfigFile, FileStore, GuestDefinition, Pace, SharedStore, Store, StoreError,
};
use ha_sim::{
    cluster::{Action, ActionError, Cluster, RawPlace},
    scenario::LiveScenario,
    world::{DaemonKind, Happening, Node, Source as Teller, What as Told},
};
use serde_json::{Value, json};

/// The files that both sides change, with what the virtual cluster calls them.
const FILES: [(ConfigFile, RawPlace); 6] = [
    (ConfigFile::Resources, RawPlace::Resources),
    (ConfigFile::Groups, RawPlace::Groups),
    (ConfigFile::Rules, RawPlace::Rules),
    (ConfigFile::Datacenter, RawPlace::Datacenter),
    (ConfigFile::Fence, RawPlace::Fence),
    (ConfigFile::Nodes, RawPlace::Nodes),
];

/// What was shown last. What is still the same is not written again.
#[derive(Debug)]
pub(super) struct Mirror {
    store: Arc<FileStore>,
    /// The configuration files as they stand in the store.
    texts: BTreeMap<ConfigFile, Arc<[u8]>>,
    configuration: Option<Configuration>,
    members: Vec<NodeName>,
    manager: Option<Arc<ManagerStatus>>,
    lrms: BTreeMap<NodeName, Arc<LrmStatus>>,
    guests: BTreeMap<ServiceId, GuestDefinition>,
    beats: BTreeMap<NodeName, Beat>,
    /// Records over which somebody wrote what nobody can read, with that.
    broken: BTreeMap<Option<NodeName>, Arc<str>>,
    /// The lines at the beginning of the queue that the virtual cluster has.
    given: Vec<String>,
    told: usize,
}

/// The configuration of the virtual cluster: a file that was not changed is the same one.
#[derive(Debug, Clone)]
struct Configuration {
    resources: Arc<ResourcesConfig>,
    groups: Arc<GroupsConfig>,
    rules: Arc<RulesConfig>,
    nodes: Arc<NodesConfig>,
    datacenter: Arc<DatacenterConfig>,
    /// What was written over the file of the fence devices, since nobody edits it otherwise.
    fence: Option<Arc<str>>,
}

impl Configuration {
    fn of(cluster: &Cluster) -> Self {
        let store = &cluster.world().store;
        Self {
            resources: store.resources.clone(),
            groups: store.groups.clone(),
            rules: store.rules.clone(),
            nodes: store.nodes.clone(),
            datacenter: store.datacenter.clone(),
            fence: cluster.written(&RawPlace::Fence).cloned(),
        }
    }
}

/// How a guest is run, for those who ask: nothing is run, and a definition has to have a kind that exists.
fn agent() -> AgentDefinition {
    AgentDefinition { kind: "proc".into(), settings: json!({"command": ["virtual"]}) }
}

impl Mirror {
    /// A mirror in a store in which there is nothing yet. `fence` is the file of fence devices that the cluster begins with.
    pub(super) fn new(store: Arc<FileStore>, fence: Option<Vec<u8>>) -> Result<Self, StoreError> {
        store.edit_config(&mut |_| fence.iter().map(|text| (ConfigFile::Fence, Some(text.clone()))).collect())?;
        let texts = store.config_texts()?;
        Ok(Self {
            store,
            texts,
            configuration: None,
            members: Vec::new(),
            manager: None,
            lrms: BTreeMap::new(),
            guests: BTreeMap::new(),
            beats: BTreeMap::new(),
            broken: BTreeMap::new(),
            given: Vec::new(),
            told: 0,
        })
    }

    /// Takes over what people have changed in the store.
    pub(super) fn take_in(&mut self, live: &mut LiveScenario) -> Result<(), StoreError> {
        let texts = self.store.config_texts()?;
        for (file, place) in &FILES {
            let text = texts.get(file);
            if text == self.texts.get(file) {
                continue;
            }
            let content = text.map(|text| String::from_utf8_lossy(text)).unwrap_or_default();
            // Where no node has quorum nothing is written: it is tried again.
            if live.cluster_mut().write_raw(place, &content).is_err() {
                continue;
            }
            match text {
                Some(text) => drop(self.texts.insert(*file, text.clone())),
                None => drop(self.texts.remove(file)),
            }
            self.configuration = Some(Configuration::of(live.cluster()));
        }
        self.give_commands(live)
    }

    /// Gives the virtual cluster the lines that were queued. They stay in the queue until its master has taken them.
    fn give_commands(&mut self, live: &mut LiveScenario) -> Result<(), StoreError> {
        let queued = self.store.commands()?;
        for line in queued.into_iter().skip(self.given.len()) {
            match (Action::Command { line: line.clone() }).act(live.cluster_mut()) {
                Ok(()) => self.given.push(line),
                // It waits until a node has quorum again.
                Err(ActionError::NoQuorum) => break,
                Err(_) => self.given.push(line),
            }
        }
        Ok(())
    }

    /// Shows which lines wait for the master of the virtual cluster, whoever queued them.
    fn show_queue(&mut self, cluster: &Cluster) -> Result<(), StoreError> {
        let waiting = &cluster.world().store.commands;
        if self.given == *waiting {
            return Ok(());
        }
        let taken = self.store.take_commands()?;
        // What was queued meanwhile comes next.
        for line in waiting.iter().chain(taken.iter().skip(self.given.len())) {
            self.store.append_command(line)?;
        }
        self.given.clone_from(waiting);
        Ok(())
    }

    /// Shows what the virtual cluster has done.
    pub(super) fn show(&mut self, cluster: &Cluster) -> Result<(), StoreError> {
        self.show_members(cluster)?;
        self.show_configuration(cluster)?;
        self.show_guests(cluster)?;
        self.show_records(cluster)?;
        self.tell(cluster)?;
        self.show_queue(cluster)
    }

    fn show_members(&mut self, cluster: &Cluster) -> Result<(), StoreError> {
        let nodes = cluster.world().nodes.iter().filter(|(_, node)| !node.expelled);
        let members: Vec<NodeName> = nodes.map(|(name, _)| name.clone()).collect();
        if members != self.members {
            self.store.edit_settings(&mut |settings| settings.nodes.clone_from(&members))?;
            self.members = members;
        }
        for (name, node) in &cluster.world().nodes {
            let beat = beat(cluster, name, node);
            let is_same = self.beats.get(name).is_some_and(|last| last.mark == beat.mark && last.memory == beat.memory);
            if !node.is_up() || is_same {
                continue;
            }
            let content = serde_json::to_vec(&beat).unwrap_or_default();
            self.store.change_beat(name, &mut |_| Some(content.clone()))?;
            self.beats.insert(name.clone(), beat);
        }
        Ok(())
    }

    /// Writes the files that the virtual cluster has changed: a master that stops a service for good, a line of the scenario.
    fn show_configuration(&mut self, cluster: &Cluster) -> Result<(), StoreError> {
        let now = Configuration::of(cluster);
        let last = self.configuration.replace(now.clone());
        let is_new = |is_same: fn(&Configuration, &Configuration) -> bool| {
            !last.as_ref().is_some_and(|last| is_same(last, &now))
        };
        let mut changes = Vec::new();
        if is_new(|a, b| Arc::ptr_eq(&a.resources, &b.resources)) {
            changes.push((ConfigFile::Resources, now.resources.write()));
        }
        if is_new(|a, b| Arc::ptr_eq(&a.groups, &b.groups)) {
            changes.push((ConfigFile::Groups, now.groups.write()));
        }
        if is_new(|a, b| Arc::ptr_eq(&a.rules, &b.rules)) {
            changes.push((ConfigFile::Rules, now.rules.write()));
        }
        if is_new(|a, b| Arc::ptr_eq(&a.nodes, &b.nodes)) {
            changes.push((ConfigFile::Nodes, now.nodes.write()));
        }
        if is_new(|a, b| Arc::ptr_eq(&a.datacenter, &b.datacenter)) {
            changes.push((ConfigFile::Datacenter, cluster.datacenter().write()));
        }
        if is_new(|a, b| a.fence == b.fence) {
            changes.extend(now.fence.as_ref().map(|text| (ConfigFile::Fence, text.as_bytes().to_vec())));
        }
        // A file that somebody has changed since it was taken over is taken over first: the change here comes after that.
        let texts = &self.texts;
        changes.retain(|(file, text)| texts.get(file).map_or(!text.is_empty(), |last| **last != **text));
        if changes.is_empty() {
            return Ok(());
        }
        self.store.edit_config(&mut |present| {
            let is_known = |file: &ConfigFile| present.get(file) == texts.get(file);
            let of_known = changes.iter().filter(|(file, _)| is_known(file));
            of_known.map(|(file, text)| (*file, Some(text.clone()))).collect()
        })?;
        let written = self.store.config_texts()?;
        for (file, text) in changes {
            if written.get(&file).is_some_and(|written| **written == *text) {
                self.texts.insert(file, text.into());
            } else {
                // Somebody was faster: it is shown again once that is taken over.
                self.configuration = None;
            }
        }
        Ok(())
    }

    fn show_guests(&mut self, cluster: &Cluster) -> Result<(), StoreError> {
        let guests = &cluster.world().guests;
        for (sid, guest) in guests {
            let definition = GuestDefinition {
                node: guest.node.clone(),
                agent: agent(),
                resume: None,
                lock: guest.lock.clone(),
                max_cpu: guest.max_cpu,
                max_memory: guest.max_memory,
            };
            if self.guests.get(sid) != Some(&definition) {
                self.store.edit_guest(sid, &mut |stored| *stored = Some(definition.clone()))?;
                self.guests.insert(sid.clone(), definition);
            }
        }
        let gone: Vec<ServiceId> = self.guests.keys().filter(|sid| !guests.contains_key(*sid)).cloned().collect();
        for sid in gone {
            self.store.edit_guest(&sid, &mut |stored| *stored = None)?;
            self.guests.remove(&sid);
        }
        Ok(())
    }

    fn show_records(&mut self, cluster: &Cluster) -> Result<(), StoreError> {
        let store = &cluster.world().store;
        if let Some(status) = &store.manager_status
            && !self.manager.as_ref().is_some_and(|last| Arc::ptr_eq(last, status))
        {
            self.store.write_manager_status(status.to_json().as_bytes(), &|_| true)?;
            self.manager = Some(status.clone());
        }
        for (node, record) in &store.lrm_status {
            if self.lrms.get(node).is_some_and(|last| Arc::ptr_eq(last, record)) {
                continue;
            }
            let content = record.to_json().into_bytes();
            self.store.change_lrm_status(node, &mut |_| Some(content.clone()))?;
            self.lrms.insert(node.clone(), record.clone());
        }
        self.show_broken_records(cluster)
    }

    /// Shows records over which the scenario wrote what nobody can read, until their daemons write them anew.
    fn show_broken_records(&mut self, cluster: &Cluster) -> Result<(), StoreError> {
        let broken = &cluster.world().store.broken_records;
        self.broken.retain(|node, _| broken.contains_key(node));
        for node in broken.keys() {
            let place = node.clone().map_or(RawPlace::ManagerStatus, RawPlace::LrmStatus);
            let Some(text) = cluster.written(&place) else { continue };
            if self.broken.get(node) == Some(text) {
                continue;
            }
            let content = text.as_bytes();
            match node {
                None => drop(self.store.write_manager_status(content, &|_| true)?),
                Some(node) => self.store.change_lrm_status(node, &mut |_| Some(content.to_vec()))?,
            }
            self.broken.insert(node.clone(), text.clone());
        }
        Ok(())
    }

    /// Appends what has happened to the history.
    fn tell(&mut self, cluster: &Cluster) -> Result<(), StoreError> {
        let begin = cluster.now().wall.saturating_sub(seconds(cluster.now().instant)).saturating_mul(1000);
        let somebody = cluster.masters().next().or_else(|| cluster.world().nodes.keys().next());
        let Some(somebody) = somebody else { return Ok(()) };
        let new = cluster.happenings_since(self.told);
        let lines: Vec<String> = (self.told..)
            .zip(new)
            .map(|(place, one)| {
                let entry = entry(one, u64::try_from(place).unwrap_or(u64::MAX), begin, somebody);
                let decided = match cluster.why(place) {
                    Some(why) => entry.decided(why.clone()),
                    None => entry,
                };
                decided.to_json()
            })
            .collect();
        if !lines.is_empty() {
            self.store.append_history(&lines)?;
            self.told = cluster.mark();
        }
        Ok(())
    }
}

fn seconds(instant: ha_core::time::Instant) -> i64 {
    i64::try_from(instant.since_start().as_secs()).unwrap_or(i64::MAX)
}

/// The sign of life of a node. Its mark is the same as long as it has not been booted again.
fn beat(cluster: &Cluster, name: &NodeName, node: &Node) -> Beat {
    let running = cluster.world().running().get(name);
    let guests = running.into_iter().flatten().filter_map(|sid| cluster.world().guests.get(sid));
    let (cpu, memory) =
        guests.fold((0.0, 0_u64), |(cpu, memory), guest| (cpu + guest.cpu, memory.saturating_add(guest.memory)));
    Beat {
        writer: name.to_string(),
        count: 0,
        version: node.version.clone(),
        cpu: (node.max_cpu.unwrap_or(0.0), cpu),
        memory: (node.max_memory.unwrap_or(0), memory),
        guard: Some("a virtual watchdog".into()),
        pace: Pace::default(),
        mark: format!("{name} {}", node.power_losses),
        left: false,
    }
}

/// An entry of the history for something that happened. What no node has told is told by `somebody`.
fn entry(happening: &Happening, number: u64, begin_ms: i64, somebody: &NodeName) -> Entry {
    let since = i64::try_from(happening.at.since_start().as_millis()).unwrap_or(i64::MAX);
    let (node, source) = match &happening.src {
        Teller::Daemon(node, DaemonKind::Crm) => (node.clone(), Source::Crm),
        Teller::Daemon(node, DaemonKind::Lrm) => (node.clone(), Source::Lrm),
        Teller::Other("hardware") => (somebody.clone(), Source::Node),
        Teller::Other(_) => (somebody.clone(), Source::Person),
    };
    let what = match &happening.what {
        Told::Core(event) => What::Event(event.clone()),
        Told::Cluster(event) => What::message(event.to_string()),
    };
    // What befalls a node is found under its name.
    let named = match &happening.what {
        Told::Cluster(event) => serde_json::to_value(event).ok(),
        Told::Core(_) => None,
    };
    let named = named.as_ref().and_then(|fields| fields.get("node")).and_then(Value::as_str);
    let node = named.and_then(|name| name.parse().ok()).unwrap_or(node);
    Entry::new(EntryId::of_node(&node, 0, number), begin_ms.saturating_add(since), node, source, what)
}
