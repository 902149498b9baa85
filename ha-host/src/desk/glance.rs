//! The cluster at a glance: nodes first, what is wrong with a reason, and whether all is well.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ha_core::{
    config::RequestedState,
    history::{Change, Latest, Suspension},
    host::Configuration,
    id::NodeName,
    placement::{BalanceHold, BalanceOutcome},
    plan::Situation,
    rules::RuleSet,
    status::{
        ClusterView, LrmMode, LrmStatus, NodeState, ServiceEntry, StateName, Timestamp, UtcTime, ViewInput,
        view::{Advice, ServiceView, ShownState},
    },
};
use serde::Serialize;

use super::{Broken, Present};
use crate::agents::JobFailure;

/// How a cluster, or a part of it, does. The number is the exit code of `ha status --exit-code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// All is as it should be, or on the way there.
    Healthy,
    /// It works, with less than it should have: a node is missing or in maintenance, HA is disarmed, a service waits for its node
    /// to be fenced, a part of the configuration is left out.
    Degraded,
    /// A person is needed: no quorum, no master, a service in `error` or without a node that may have it.
    Critical,
}

impl Health {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Critical => "critical",
        }
    }

    /// The exit code for monitors: 0, 1, 2.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Critical => 2,
        }
    }
}

/// What is seen of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeHealth {
    /// It is in the cluster and works.
    Online,
    /// It is in the cluster, and its services are to leave or have left.
    Maintenance,
    /// It is about to restart, or to go down.
    GoingDown,
    /// Its daemon works, and the master has not taken it up yet.
    Joining,
    /// It gives no sign of life.
    Silent,
    /// It must be fenced.
    ToBeFenced,
    /// Its daemon was stopped in order.
    Stopped,
    /// Its daemon has never worked.
    NeverSeen,
    /// It is no member any more.
    NoMember,
}

/// What somebody has asked for, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Who, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Since when it is so, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Asked {
    fn new(by: Option<&str>, since: Option<Timestamp>) -> Self {
        Self { by: by.map(str::to_owned), since }
    }

    /// `asked for by alice@desk since 2026-11-29 13:43:03 UTC`.
    fn words(&self) -> String {
        let since = self.since.map_or_else(String::new, |since| format!(" since {}", UtcTime(since)));
        format!("asked for by {}{since}", self.by.as_deref().unwrap_or("a person"))
    }
}

/// A node at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeGlance {
    /// The node.
    pub node: NodeName,
    /// What is seen of it.
    pub state: NodeHealth,
    /// How that is.
    pub health: Health,
    /// Whether its CRM is the master.
    pub master: bool,
    /// The time of its LRM's last record.
    pub last_seen: Option<Timestamp>,
    /// What resets it when it stalls, as its daemon last said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<String>,
    /// How many services its LRM looks after.
    pub services: usize,
    /// When it was last fenced, in milliseconds since 1970-01-01 UTC, if it is not back since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fenced_ms: Option<i64>,
    /// Who asked for its maintenance, and when, if a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Asked>,
    /// What there is to say of it, in words.
    pub text: String,
}

impl NodeGlance {
    /// Whether it was there and is not any more.
    fn is_lost(&self) -> bool {
        match self.state {
            NodeHealth::Silent | NodeHealth::ToBeFenced | NodeHealth::Stopped | NodeHealth::NoMember => true,
            NodeHealth::Online
            | NodeHealth::Maintenance
            | NodeHealth::GoingDown
            | NodeHealth::Joining
            | NodeHealth::NeverSeen => false,
        }
    }
}

/// A service at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceGlance {
    /// The service as the view has it.
    pub view: ServiceView,
    /// How it does.
    pub health: Health,
    /// Why it is as it is, where there is more to say than its state.
    pub reason: Option<String>,
    /// What a person can do. Where something is on its way that takes its time, nothing as long as that is not over.
    pub advice: Option<Advice>,
    /// Its last change, as far as the history reaches.
    pub last_change: Option<Change>,
    /// Since when it is in its state, in milliseconds since 1970-01-01 UTC, as far as the history reaches.
    pub since_ms: Option<i64>,
}

/// The cluster at a glance. What was read of the store is in it, so that a face shows one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// How the cluster does.
    pub health: Health,
    /// What is wrong with the cluster as a whole, the worst first. What is wrong with a node or a service is said there.
    pub problems: Vec<String>,
    /// How many nodes and services do well, in words.
    pub summary: String,
    /// Whether any daemon of the cluster works.
    pub is_alive: bool,
    /// Whether the node that is recorded as the master gives signs of life, as far as that was looked at.
    pub master_is_alive: bool,
    /// Who asked for HA to be disarmed, and when, if it is or is about to be.
    pub disarmed: Option<Asked>,
    /// Quorum, master and fencing.
    pub view: ClusterView,
    /// All nodes, by name.
    pub nodes: Vec<NodeGlance>,
    /// All services: those of the manager status, then those only configured.
    pub services: Vec<ServiceGlance>,
}

impl Glance {
    /// Looks from a node. `alive` are the nodes that gave a sign of life, of those that should be there, where that was looked at;
    /// else the age of the records tells.
    #[must_use]
    pub fn new(present: &Present, own_node: &NodeName, alive: Option<&BTreeSet<NodeName>>) -> Self {
        let lrms: BTreeMap<NodeName, Option<&LrmStatus>> = present
            .settings
            .nodes
            .iter()
            .map(|node| (node.clone(), present.lrms.get(node).map(|record| &**record)))
            .collect();
        let locations = present.locations();
        let view = ClusterView::new(&ViewInput {
            own_node,
            // Whoever can read the store is in the partition that counts.
            quorate: true,
            now: present.now.wall,
            manager: &present.status,
            lrms: &lrms,
            resources: &present.configuration().resources,
            locations: present.broken.iter().all(|broken| broken.part != "the configuration").then_some(&locations),
            scheduler: present.configuration().datacenter.scheduler.mode,
        });
        let is_alive = match alive {
            Some(alive) => !alive.is_empty(),
            None => newest_age(present).is_some_and(|age| age <= old_after(present)),
        };
        let master_is_alive = present.status.master_node.as_ref().is_none_or(|master| gives_sign(alive, master));
        let nodes = nodes(present, is_alive, alive);
        let services = services(present, &view, &nodes, is_alive);
        let (problems, summary) = (Vec::new(), String::new());
        let disarm = present.status.disarm.as_ref();
        let mut glance = Self {
            health: Health::Healthy,
            problems,
            summary,
            is_alive,
            master_is_alive,
            disarmed: disarm.map(|disarm| Asked::new(disarm.by.as_deref(), disarm.since)),
            view,
            nodes,
            services,
        };
        glance.judge(present);
        glance.summary = glance.sum_up();
        glance
    }

    /// Adds what the history knows: since when things are as they are.
    pub fn tell_since(&mut self, latest: &Latest, present: &Present) {
        for node in self.nodes.iter_mut().filter(|node| node.is_lost()) {
            let Some(fenced) = latest.fenced.get(&node.node) else { continue };
            node.fenced_ms = Some(fenced.time_ms);
            node.text.push_str(&format!("; fenced at {}", UtcTime(fenced.time_ms.div_euclid(1000))));
        }
        for service in &mut self.services {
            let Some(change) = latest.services.get(&service.view.sid) else { continue };
            let state = present.status.services.get(&service.view.sid).map(|entry| entry.state.name());
            service.since_ms = (change.state.is_some() && change.state == state).then_some(change.time_ms);
            service.last_change = Some(change.clone());
        }
        let now_ms = present.now.wall.saturating_mul(1000);
        let still = latest.suspended.iter().filter(|(_, suspension)| suspension.until_ms > now_ms);
        let suspended = still.filter(|_| present.configuration().datacenter.scheduler.auto_rebalance);
        self.problems.extend(suspended.map(|(sid, Suspension { failures, until_ms })| {
            let until = UtcTime(until_ms.div_euclid(1000));
            format!(
                "balancing leaves {sid} alone until {until}: its last {failures} moves failed, see 'ha history {sid}'"
            )
        }));
    }

    /// What is wrong with the cluster as a whole, and how it does.
    fn judge(&mut self, present: &Present) {
        let mut found: Vec<(Health, String)> = Vec::new();
        let has_services = !self.services.is_empty();
        if !self.is_alive {
            found.push((if has_services { Health::Critical } else { Health::Degraded }, nobody_at_work(present)));
        } else if let Some(problem) = self.master_problem(present) {
            found.push((Health::Critical, problem));
        }
        for broken in &present.broken {
            let is_vital = present.status_is_broken() || broken.part.starts_with("the settings");
            let health = if is_vital { Health::Critical } else { Health::Degraded };
            let Broken { part, problem } = broken;
            found
                .push((health, if problem.starts_with(part) { problem.clone() } else { format!("{part}: {problem}") }));
        }
        if let Some(disarm) = self.view.master.disarm {
            let asked = self.disarmed.as_ref().filter(|asked| asked.by.is_some());
            let asked = asked.map_or_else(String::new, |asked| format!(", {}", asked.words()));
            let (state, mode) = (disarm.state, disarm.mode);
            let text = format!("HA is {state} (mode {mode}{asked}): no service is recovered until 'ha arm'");
            found.push((Health::Degraded, text));
        }
        found.extend(present.stored.problems.iter().map(|problem| (Health::Degraded, problem.to_string())));
        found.extend(dropped_rules(present));
        found.extend(suspended_balancing(present));
        found.sort_by_key(|(health, _)| std::cmp::Reverse(*health));
        let of_parts =
            self.nodes.iter().map(|node| node.health).chain(self.services.iter().map(|service| service.health));
        self.health = found.iter().map(|(health, _)| *health).chain(of_parts).max().unwrap_or(Health::Healthy);
        self.problems = found.into_iter().map(|(_, text)| text).collect();
    }

    fn master_problem(&self, present: &Present) -> Option<String> {
        if present.status_is_broken() || self.services.is_empty() {
            return None;
        }
        if let Some(master) = present.status.master_node.as_ref().filter(|_| !self.master_is_alive) {
            return Some(format!(
                "the master on {master} gives no sign of life: nothing is decided before another one takes over"
            ));
        }
        if self.view.master.liveness.is_fresh() {
            return None;
        }
        let since = present.status.timestamp.map_or_else(String::new, |time| {
            format!(": the last one wrote {} ago", span(present.now.wall.saturating_sub(time)))
        });
        Some(format!("no master is at work, so that nothing is decided{since}"))
    }

    fn sum_up(&self) -> String {
        let online = self.nodes.iter().filter(|node| node.state == NodeHealth::Online).count();
        let well = self.services.iter().filter(|service| service.health == Health::Healthy).count();
        let nodes = self.nodes.len();
        let nodes = format!("{online} of {nodes} node{} online", if nodes == 1 { "" } else { "s" });
        match self.services.len() {
            0 => format!("{nodes}, no service"),
            1 => format!("{nodes}, {well} of 1 service as it should be"),
            services => format!("{nodes}, {well} of {services} services as they should be"),
        }
    }
}

/// Seconds as a person says them.
#[must_use]
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..=599 => format!("{seconds} s"),
        seconds @ 600..=7199 => format!("{} min", seconds / 60),
        seconds @ 7200..=172_799 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// The age from which a record is no sign of life.
fn old_after(present: &Present) -> i64 {
    whole_seconds(present.settings.timings.settings().record_old_after)
}

fn whole_seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// The age of the newest record of any daemon.
pub(super) fn newest_age(present: &Present) -> Option<i64> {
    let times = present.lrms.values().filter_map(|record| record.timestamp).chain(present.status.timestamp);
    times.max().map(|newest| present.now.wall.saturating_sub(newest))
}

fn nobody_at_work(present: &Present) -> String {
    let all_left = !present.beats.is_empty() && present.beats.values().all(|beat| beat.left);
    let since = newest_age(present).map_or_else(String::new, |age| format!("; the last sign is {} old", span(age)));
    match (present.beats.is_empty() && newest_age(present).is_none(), all_left) {
        (true, _) => "no daemon has worked on any node yet: start it with 'ha node run' on each".into(),
        (false, true) => format!("the daemons of all nodes are stopped{since}"),
        (false, false) => format!("no daemon is at work on any node{since}"),
    }
}

/// Rules that take no part, each once.
fn dropped_rules(present: &Present) -> Vec<(Health, String)> {
    /// A screen full is enough; `ha check` has all.
    const MOST: usize = 10;
    let Configuration { rules, groups, resources, .. } = present.configuration();
    let mut dropped = RuleSet::with_groups(rules, groups, resources).check(&present.settings.nodes);
    dropped.dedup_by(|one, other| one.rule == other.rule);
    let told = dropped.iter().take(MOST).map(|finding| (Health::Degraded, format!("left out: {finding}")));
    let more = dropped.len().saturating_sub(MOST);
    let more = (more > 0).then(|| (Health::Degraded, format!("{more} more rules are left out: see 'ha check'")));
    told.chain(more).collect()
}

/// Why automatic balancing that is on does nothing, where that is more than that all is in balance.
fn suspended_balancing(present: &Present) -> Option<(Health, String)> {
    if !present.configuration().datacenter.scheduler.auto_rebalance {
        return None;
    }
    if let Some((sid, _)) = present.status.services.iter().find(|(_, entry)| entry.command.is_some()) {
        return Some((Health::Healthy, format!("balancing is suspended: a command for {sid} waits to be carried out")));
    }
    let situation = Situation {
        usage: present.usage.as_deref(),
        ..Situation::new(&present.status, present.configuration(), &present.settings.nodes)
    };
    let balance = situation.balance(BalanceHold::default(), 0);
    match balance.outcome {
        BalanceOutcome::NotMeasured => Some((Health::Degraded, format!("balancing is on, and {balance}"))),
        BalanceOutcome::Moving { .. } => Some((Health::Healthy, format!("balancing is suspended: {balance}"))),
        BalanceOutcome::Off
        | BalanceOutcome::Disarmed
        | BalanceOutcome::Balanced
        | BalanceOutcome::Holding { .. }
        | BalanceOutcome::NoCandidate
        | BalanceOutcome::BelowMargin
        | BalanceOutcome::Move => None,
    }
}

/// Whether a node was seen to live, or was not looked at.
fn gives_sign(alive: Option<&BTreeSet<NodeName>>, node: &NodeName) -> bool {
    alive.is_none_or(|alive| alive.contains(node))
}

fn nodes(present: &Present, is_alive: bool, alive: Option<&BTreeSet<NodeName>>) -> Vec<NodeGlance> {
    let mut names: Vec<&NodeName> = present.settings.nodes.iter().chain(present.status.nodes.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let seen = names
        .into_iter()
        .map(|node| NodeSeen { gives_sign: gives_sign(alive, node), ..NodeSeen::new(present, node, is_alive) });
    // The master remembers for a while who was a member.
    let seen = seen.filter(|seen| seen.is_member || seen.state == NodeState::Fence || seen.has_services());
    seen.map(|seen| seen.glance()).collect()
}

/// What is known of a node.
struct NodeSeen<'a> {
    present: &'a Present,
    node: &'a NodeName,
    is_alive: bool,
    /// Whether it was seen to live, or was not looked at.
    gives_sign: bool,
    is_member: bool,
    record: Option<&'a LrmStatus>,
    /// Seconds since its LRM wrote.
    age: Option<i64>,
    state: NodeState,
}

impl<'a> NodeSeen<'a> {
    fn new(present: &'a Present, node: &'a NodeName, is_alive: bool) -> Self {
        let record = present.lrms.get(node).map(|record| &**record);
        Self {
            present,
            node,
            is_alive,
            gives_sign: true,
            is_member: present.settings.nodes.contains(node),
            record,
            age: record.and_then(|record| record.timestamp).map(|time| present.now.wall.saturating_sub(time)),
            state: present.status.node_state(node),
        }
    }

    fn glance(&self) -> NodeGlance {
        let state = self.health();
        let (health, mut text) = self.words(state);
        let services = self.present.status.active_services(self.node).count();
        let master = self.is_alive && self.gives_sign && self.present.status.master_node.as_ref() == Some(self.node);
        if master && state == NodeHealth::Online {
            text.push_str(", master");
        }
        match services {
            0 => {}
            1 => text.push_str(", 1 service"),
            count => text.push_str(&format!(", {count} services")),
        }
        NodeGlance {
            node: self.node.clone(),
            state,
            health,
            master,
            last_seen: self.record.and_then(|record| record.timestamp),
            guard: self.present.beats.get(self.node).and_then(|beat| beat.guard.clone()),
            services,
            fenced_ms: None,
            maintenance: self.maintenance_asked(),
            text,
        }
    }

    fn maintenance_asked(&self) -> Option<Asked> {
        let request = self.present.status.node_requests.get(self.node).filter(|request| request.maintenance)?;
        Some(Asked::new(request.by.as_deref(), request.since))
    }

    fn is_fresh(&self) -> bool {
        self.is_alive && self.age.is_some_and(|age| age <= old_after(self.present))
    }

    /// Whether the master, who had seen it once, did not in its last round, and it has not written since.
    fn is_missed(&self) -> bool {
        let is_recorded = self.present.status.nodes.get(self.node) == Some(&NodeState::Unknown);
        let written = self.record.and_then(|record| record.timestamp);
        is_recorded && written.is_some_and(|written| Some(written) < self.present.status.timestamp)
    }

    fn has_services(&self) -> bool {
        self.present.status.services.iter().any(|(_, entry)| entry.node == *self.node)
    }

    fn has_nothing_to_do(&self) -> bool {
        let Present { status, .. } = self.present;
        self.present.configuration().resources.resources.is_empty() && status.services.is_empty()
    }

    fn health(&self) -> NodeHealth {
        let mode = self.record.map_or(LrmMode::Active, |record| record.mode);
        let left = self.present.beats.get(self.node).is_some_and(|beat| beat.left);
        if !self.is_member {
            return NodeHealth::NoMember;
        }
        match self.state {
            NodeState::Fence => NodeHealth::ToBeFenced,
            _ if left => NodeHealth::Stopped,
            NodeState::Online | NodeState::Maintenance if !self.is_alive || !self.gives_sign => NodeHealth::Silent,
            NodeState::Maintenance => NodeHealth::Maintenance,
            NodeState::Online => match mode {
                LrmMode::Maintenance => NodeHealth::Maintenance,
                LrmMode::Restart | LrmMode::Shutdown => NodeHealth::GoingDown,
                LrmMode::Active | LrmMode::Disarm | LrmMode::Unknown => NodeHealth::Online,
            },
            NodeState::Unknown if self.is_missed() => NodeHealth::Silent,
            // Before there is a service there is no master who could take it up.
            NodeState::Unknown | NodeState::Gone if self.is_fresh() && self.has_nothing_to_do() => NodeHealth::Online,
            NodeState::Unknown | NodeState::Gone if self.is_fresh() => NodeHealth::Joining,
            NodeState::Unknown | NodeState::Gone if self.record.is_none() => NodeHealth::NeverSeen,
            NodeState::Unknown | NodeState::Gone => NodeHealth::Silent,
        }
    }

    fn words(&self, state: NodeHealth) -> (Health, String) {
        let gone = self.age.map_or_else(|| "gone".to_owned(), |age| format!("gone for {}", span(age)));
        let ago = self.age.map_or_else(String::new, |age| format!(" {} ago", span(age)));
        match state {
            NodeHealth::Online => (Health::Healthy, "online".into()),
            NodeHealth::Joining => (Health::Healthy, "online, not taken up by the master yet".into()),
            NodeHealth::Maintenance => (Health::Degraded, self.maintenance()),
            NodeHealth::GoingDown => {
                let mode = self.record.map_or(LrmMode::Restart, |record| record.mode);
                (Health::Degraded, format!("about to go down: {mode}"))
            }
            NodeHealth::Silent => (self.of_loss(), format!("{gone}{}", self.what_comes())),
            NodeHealth::ToBeFenced => (Health::Degraded, format!("to be fenced, {gone}{}", self.what_comes())),
            NodeHealth::Stopped => (self.of_loss(), format!("its daemon was stopped{ago}")),
            NodeHealth::NeverSeen => (Health::Degraded, self.never_seen()),
            NodeHealth::NoMember => (Health::Degraded, "no member any more, and services are left on it".into()),
        }
    }

    fn never_seen(&self) -> String {
        let part = format!("the LRM status of {}", self.node);
        match self.present.broken.iter().any(|broken| broken.part == part) {
            true => "its record can't be understood".into(),
            false => "its daemon has never worked: start it with 'ha node run'".into(),
        }
    }

    fn of_loss(&self) -> Health {
        if self.is_alive { Health::Degraded } else { Health::Critical }
    }

    /// What the master does about a node that is silent.
    fn what_comes(&self) -> String {
        if !self.is_alive || self.present.status_is_broken() {
            return String::new();
        }
        let services = self.present.status.active_services(self.node).count();
        let status = &self.present.status;
        let timings = &self.present.settings.timings;
        match self.state {
            NodeState::Fence => {
                let longest = whole_seconds(timings.recovery().longest);
                format!(": the master waits for its lock, at most {}", span(longest))
            }
            NodeState::Unknown if status.disarm.is_some() => ": HA is disarmed, so that it is not fenced".into(),
            NodeState::Unknown if services > 0 => {
                let times = timings.recovery();
                let (shortest, longest) = (whole_seconds(times.shortest), whole_seconds(times.longest));
                format!(": its services are recovered {} to {} after its loss", span(shortest), span(longest))
            }
            NodeState::Unknown => ": nothing of it has to be recovered".into(),
            NodeState::Online | NodeState::Maintenance if self.gives_sign => String::new(),
            NodeState::Online | NodeState::Maintenance => ": the master has not taken note of that yet".into(),
            NodeState::Gone => String::new(),
        }
    }

    fn maintenance(&self) -> String {
        let services = self.present.status.active_services(self.node).count();
        let asked = self.maintenance_asked().map(|asked| asked.words());
        let by = asked.unwrap_or_else(|| "asked for by its shutdown".into());
        match services {
            0 => format!("maintenance, {by}; no service is left on it"),
            _ => format!("going into maintenance, {by}"),
        }
    }
}

fn services(present: &Present, view: &ClusterView, nodes: &[NodeGlance], is_alive: bool) -> Vec<ServiceGlance> {
    let is_broken = present.status_is_broken();
    let lost: Vec<&NodeName> = nodes.iter().filter(|node| node.is_lost()).map(|node| &node.node).collect();
    // What is recorded as started there may be down.
    let is_lost = |view: &ServiceView| {
        asleep(view) == Health::Critical && view.node.as_ref().is_some_and(|node| lost.contains(&node))
    };
    let glance = |view: &ServiceView| {
        let health = if is_alive { service_health(view) } else { service_health(view).max(asleep(view)) };
        let reason = match (is_broken, is_alive) {
            (true, _) => Some("its state is not known: the manager status can't be understood".into()),
            (false, true) => reason(present, view).or_else(|| is_lost(view).then(|| "its node is gone".into())),
            (false, false) => Some("last known; nobody looks after it now".into()),
        };
        ServiceGlance {
            health: if is_broken || is_lost(view) { health.max(Health::Degraded) } else { health },
            reason,
            advice: view.advice.filter(|advice| *advice != Advice::ConfirmFenced || !is_fenced_in_time(present, view)),
            view: view.clone(),
            last_change: None,
            since_ms: None,
        }
    };
    view.services.iter().map(glance).collect()
}

/// A service that is to run, where nobody looks after it.
fn asleep(view: &ServiceView) -> Health {
    match view.requested {
        Some(RequestedState::Started) => Health::Critical,
        Some(RequestedState::Stopped | RequestedState::Disabled | RequestedState::Ignored) | None => Health::Healthy,
    }
}

fn service_health(view: &ServiceView) -> Health {
    match view.shown {
        ShownState::NotUnderstood | ShownState::Recorded(StateName::Error) => Health::Critical,
        ShownState::Recorded(StateName::Recovery) if view.advice == Some(Advice::MakeNodeAvailable) => Health::Critical,
        ShownState::NotFound | ShownState::Recorded(StateName::Fence | StateName::Recovery) => Health::Degraded,
        ShownState::Recorded(StateName::Freeze) if view.advice.is_some() => Health::Degraded,
        _ if view.hangs.is_some() || view.locked_since.is_some() => Health::Degraded,
        ShownState::Ignore
        | ShownState::Deleting
        | ShownState::Ignored
        | ShownState::Queued
        | ShownState::Starting
        | ShownState::Disabled
        | ShownState::Stopping
        | ShownState::ClearingErrorFlag
        | ShownState::Recorded(
            StateName::Stopped
            | StateName::RequestStop
            | StateName::RequestStart
            | StateName::RequestStartBalance
            | StateName::Started
            | StateName::Migrate
            | StateName::Relocate
            | StateName::Freeze,
        ) => Health::Healthy,
    }
}

/// Why a service is as it is, where its state alone does not say it.
fn reason(present: &Present, view: &ServiceView) -> Option<String> {
    let entry = present.status.services.get(&view.sid)?;
    let has_failed = matches!(view.shown, ShownState::Recorded(StateName::Error) | ShownState::Starting);
    if view.shown == ShownState::Recorded(StateName::Fence) {
        return Some(wait_for_lock(present, &entry.node));
    }
    if let Some(target) = entry.state.target() {
        return Some(format!("on its way to {target}"));
    }
    if let Some(failure) = last_failure(present, view, entry) {
        return Some(failure);
    }
    if has_failed && !entry.failed_nodes.is_empty() {
        return Some(failed_on(&entry.failed_nodes));
    }
    let home = entry.maintenance_node.as_ref().filter(|home| **home != entry.node)?;
    Some(format!("goes back to {home} when its maintenance ends"))
}

/// What last went wrong with a service that is not as it should be, as the agent of its node, or of the node before, said it.
fn last_failure(present: &Present, view: &ServiceView, entry: &ServiceEntry) -> Option<String> {
    let is_well = match view.shown {
        ShownState::Recorded(StateName::Started | StateName::Stopped | StateName::Freeze) | ShownState::Disabled => {
            true
        }
        ShownState::Ignore
        | ShownState::Deleting
        | ShownState::Ignored
        | ShownState::NotFound
        | ShownState::Queued
        | ShownState::Starting
        | ShownState::Stopping
        | ShownState::ClearingErrorFlag
        | ShownState::NotUnderstood
        | ShownState::Recorded(_) => false,
    };
    let nodes = std::iter::once(&entry.node).chain(entry.failed_nodes.iter().rev()).filter(|_| !is_well);
    let mut failures = nodes.filter_map(|node| Some((node, JobFailure::of(present.lrms.get(node)?, &view.sid)?)));
    let (node, JobFailure { what, message, .. }) = failures.next()?;
    let count = entry.failed_nodes.len();
    let times = if count > 1 { format!(" (failed {count} times)") } else { String::new() };
    Some(format!("{what} failed on {node}: {message}{times}"))
}

fn failed_on(nodes: &[NodeName]) -> String {
    let mut counts: BTreeMap<&NodeName, usize> = BTreeMap::new();
    for node in nodes {
        let count = counts.entry(node).or_default();
        *count = count.saturating_add(1);
    }
    let list: Vec<String> = counts
        .into_iter()
        .map(|(node, count)| if count > 1 { format!("{node} ({count} times)") } else { node.to_string() })
        .collect();
    format!("its start failed on {}", list.join(", "))
}

/// Whether the node of a service has not been waited for longer than its fencing takes at most.
fn is_fenced_in_time(present: &Present, view: &ServiceView) -> bool {
    let record = view.node.as_ref().and_then(|node| present.lrms.get(node));
    let waited = record.and_then(|record| record.timestamp).map(|time| present.now.wall.saturating_sub(time));
    waited.is_some_and(|waited| waited <= whole_seconds(present.settings.timings.recovery().longest))
}

/// For how long the master has waited for a node's lock, and how long it takes at most.
fn wait_for_lock(present: &Present, node: &NodeName) -> String {
    let longest = whole_seconds(present.settings.timings.recovery().longest);
    let record = present.lrms.get(node).and_then(|record| record.timestamp);
    match record.map(|time| present.now.wall.saturating_sub(time)) {
        Some(waited) if waited <= longest => {
            format!("waiting for lock of {node}, {} of at most {}", span(waited), span(longest))
        }
        Some(waited) => format!(
            "waiting for lock of {node} for {}, longer than the {} that it takes at most: see the log of the master",
            span(waited),
            span(longest)
        ),
        None => format!("waiting for lock of {node}"),
    }
}
