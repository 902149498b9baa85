//! The cluster at a glance: nodes first, what is wrong with a reason, and whether all is well.

mod node;
mod service;

pub use node::{NodeGlance, NodeHealth};
pub use service::ServiceGlance;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ha_core::{
    history::{Latest, Suspension},
    id::NodeName,
    placement::{BalanceHold, BalanceOutcome},
    plan::Situation,
    status::{ClusterView, LrmStatus, Timestamp, UtcTime, ViewInput},
};
use serde::Serialize;

use super::{Broken, Present};

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
        let nodes = node::nodes(present, is_alive, alive);
        let services = service::services(present, &view, &nodes, is_alive);
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
    let mut dropped = present.configuration().rule_set().check(&present.settings.nodes);
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
