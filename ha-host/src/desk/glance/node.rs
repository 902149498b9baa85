//! A node at a glance.

use std::collections::BTreeSet;

use ha_core::{
    id::{FailureDomain, NodeName},
    status::{LrmMode, LrmStatus, NodeState, Timestamp, view::NodeHold},
};
use serde::Serialize;

use super::{Asked, Health, gives_sign, old_after, span, whole_seconds};
use crate::desk::Present;

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
    /// What it fails together with, if that is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_domain: Option<FailureDomain>,
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
    /// That it takes no new services, since it was fenced again and again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<NodeHold>,
    /// What there is to say of it, in words.
    pub text: String,
}

impl NodeGlance {
    /// Whether it was there and is not any more.
    pub(super) fn is_lost(&self) -> bool {
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

/// All nodes, by name: the members, and those that are none any more while something of them is left.
pub(super) fn nodes(present: &Present, is_alive: bool, alive: Option<&BTreeSet<NodeName>>) -> Vec<NodeGlance> {
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
        let (mut health, mut text) = self.words(state);
        let hold = NodeHold::of(self.node, &self.present.status);
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
        if let Some(hold) = hold {
            health = health.max(Health::Degraded);
            text.push_str(&format!(", {hold}"));
        }
        NodeGlance {
            node: self.node.clone(),
            state,
            health,
            master,
            failure_domain: self.present.configuration().nodes.failure_domain(self.node).cloned(),
            last_seen: self.record.and_then(|record| record.timestamp),
            guard: self.present.beats.get(self.node).and_then(|beat| beat.guard.clone()),
            services,
            fenced_ms: None,
            maintenance: self.maintenance_asked(),
            hold,
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
