//! What a person sees of the cluster: as data first, then as text.

mod service;
mod text;

pub use service::{Advice, GoingBack, ServiceView, ShownState, StartWait};
pub use text::{LineKind, StatusLine};

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::iter;

use serde::Serialize;

use super::{DisarmMode, DisarmState, LrmMode, LrmState, LrmStatus, ManagerStatus, Timestamp};
use crate::{
    config::{ResourcesConfig, datacenter::SchedulerMode},
    id::{NodeName, ServiceId},
    text_enum::text_enum,
};

/// A record that is older, in seconds, is no sign of life.
const FRESH_SECONDS: i64 = 30;
/// A record that is further in the future, in seconds, was written by a clock that is wrong (or this one is).
const DRIFT_SECONDS: i64 = 2;

/// What a view is made from.
#[derive(Debug, Clone, Copy)]
pub struct ViewInput<'a> {
    /// The node on which a person looks.
    pub own_node: &'a NodeName,
    /// Whether that node is in the quorate partition.
    pub quorate: bool,
    /// The time.
    pub now: Timestamp,
    /// The manager status.
    pub manager: &'a ManagerStatus,
    /// The nodes to show, each with its LRM's record if it has one.
    pub lrms: &'a BTreeMap<NodeName, Option<&'a LrmStatus>>,
    /// The configured services.
    pub resources: &'a ResourcesConfig,
    /// Where every guest or other service is that exists, if the host can tell. With it, a service that is missing
    /// here is shown as `not found`.
    pub locations: Option<&'a BTreeMap<ServiceId, NodeName>>,
    /// By what a node's load is measured.
    pub scheduler: SchedulerMode,
}

/// Whether the writer of a record is alive, as far as the time of its record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Liveness {
    /// The record is at most 30 s old, and at most 2 s ahead.
    Active,
    /// The master has nothing to do and need not write: the cluster is quorate and no service is configured.
    Idle,
    /// The record is older than 30 s, or has no time.
    Old,
    /// The record is from more than 2 s in the future.
    Drift,
    /// There is no record.
    NoRecord,
}

text_enum! {
    Liveness: "a liveness word",
    Active = "active",
    Idle = "idle",
    Old = "old timestamp - dead?",
    Drift = "detected time drift!",
    NoRecord = "no record",
}

impl Liveness {
    fn of_record(timestamp: Option<Timestamp>, now: Timestamp) -> Self {
        match timestamp.map(|timestamp| now.saturating_sub(timestamp)) {
            None => Self::Old,
            Some(age) if age > FRESH_SECONDS => Self::Old,
            Some(age) if age < -DRIFT_SECONDS => Self::Drift,
            Some(_) => Self::Active,
        }
    }

    /// Whether the record says what is going on now.
    #[must_use]
    pub fn is_fresh(self) -> bool {
        self == Self::Active
    }
}

/// What a daemon's watchdog does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WatchdogState {
    /// It is fed, and resets the node if that ends.
    Active,
    /// Nothing holds it at present.
    Standby,
    /// It was let go because HA is disarmed.
    Released,
}

text_enum! {
    WatchdogState: "a watchdog state",
    Active = "active",
    Standby = "standby",
    Released = "released",
}

/// Whether failed nodes are fenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FencingState {
    /// A master is at work.
    Armed,
    /// No master is at work.
    Standby,
    /// HA is being disarmed.
    Disarming,
    /// HA is disarmed: no node is fenced, no service recovered.
    Disarmed,
}

text_enum! {
    FencingState: "a fencing state",
    Armed = "armed",
    Standby = "standby",
    Disarming = "disarming",
    Disarmed = "disarmed",
}

/// The one word that is shown for an LRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShownLrm {
    /// See [`Liveness::Old`].
    Old,
    /// See [`Liveness::Drift`].
    Drift,
    /// See [`Liveness::NoRecord`].
    NoRecord,
    /// See [`LrmMode::Restart`].
    RestartMode,
    /// See [`LrmMode::Shutdown`].
    ShutdownMode,
    /// See [`LrmMode::Maintenance`].
    MaintenanceMode,
    /// See [`LrmMode::Disarm`].
    DisarmMode,
    /// See [`LrmMode::Unknown`].
    UnknownMode,
    /// It waits for its lock and has no active service.
    Idle,
    /// See [`LrmState::WaitForAgentLock`]; it has an active service.
    WaitForAgentLock,
    /// See [`LrmState::Active`].
    Active,
    /// See [`LrmState::Maintenance`].
    Maintenance,
    /// See [`LrmState::LostAgentLock`].
    LostAgentLock,
}

text_enum! {
    ShownLrm: "what is shown for an LRM",
    Old = "old timestamp - dead?",
    Drift = "detected time drift!",
    NoRecord = "no record",
    RestartMode = "restart mode",
    ShutdownMode = "shutdown mode",
    MaintenanceMode = "maintenance mode",
    DisarmMode = "disarm mode",
    UnknownMode = "unknown mode",
    Idle = "idle",
    WaitForAgentLock = "wait_for_agent_lock",
    Active = "active",
    Maintenance = "maintenance",
    LostAgentLock = "lost_agent_lock",
}

/// The cluster as a person sees it, at one time and from one node.
///
/// [`lines`](Self::lines) and `Display` give it as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterView {
    /// Whether the cluster can act at all.
    pub quorum: QuorumView,
    /// The master.
    pub master: MasterView,
    /// Whether failed nodes are fenced.
    pub fencing: FencingView,
    /// The LRMs, by node.
    pub lrms: Vec<LrmView>,
    /// The services: those of the manager status by SID, then those only configured by SID.
    pub services: Vec<ServiceView>,
}

/// Whether the node on which a person looks has quorum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuorumView {
    /// The node.
    pub node: NodeName,
    /// Whether it is in the quorate partition.
    pub quorate: bool,
}

/// The master and its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MasterView {
    /// The node whose CRM wrote the manager status last; `None` if none has yet.
    pub node: Option<NodeName>,
    /// Whether it is alive.
    pub liveness: Liveness,
    /// The time of the record.
    pub timestamp: Option<Timestamp>,
    /// That HA is disarmed or on the way there.
    pub disarm: Option<DisarmView>,
    /// By what a node's load is measured.
    pub scheduler: SchedulerMode,
}

/// That HA is disarmed or on the way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DisarmView {
    /// How far it has come.
    pub state: DisarmState,
    /// What happens to the services meanwhile.
    pub mode: DisarmMode,
}

/// Whether failed nodes are fenced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FencingView {
    /// Whether they are.
    pub state: FencingState,
    /// What happens to the services while HA is disarmed or on the way there.
    pub mode: Option<DisarmMode>,
    /// The watchdog of the master's CRM.
    pub watchdog: WatchdogState,
}

/// The LRM of a node and its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LrmView {
    /// The node.
    pub node: NodeName,
    /// What is shown for it.
    pub shown: ShownLrm,
    /// Whether it is alive.
    pub liveness: Liveness,
    /// Its recorded state.
    pub state: Option<LrmState>,
    /// Its recorded mode.
    pub mode: Option<LrmMode>,
    /// Its watchdog.
    pub watchdog: WatchdogState,
    /// The time of its record.
    pub timestamp: Option<Timestamp>,
    /// That the node takes no new services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<NodeHold>,
}

/// A node takes no new services, since it was fenced again and again. Displays as what follows the node's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NodeHold {
    /// For how many seconds more, from when it is there.
    pub left: u32,
    /// When it takes them again; nothing while it is away.
    pub until: Option<Timestamp>,
    /// How often it has come to that in a row.
    pub holds: u32,
}

impl NodeHold {
    /// That a node takes no new services, by the manager status.
    #[must_use]
    pub fn of(node: &NodeName, manager: &ManagerStatus) -> Option<Self> {
        let fencings = manager.fenced_nodes.get(node)?;
        let left = fencings.left?;
        let written = manager.timestamp.filter(|_| manager.is_there(node));
        let until = written.map(|written| written.saturating_add_unsigned(left.into()));
        Some(Self { left, until, holds: fencings.holds })
    }
}

impl ClusterView {
    /// Makes the view.
    #[must_use]
    pub fn new(input: &ViewInput<'_>) -> Self {
        let master = MasterView::new(input);
        Self {
            quorum: QuorumView { node: input.own_node.clone(), quorate: input.quorate },
            fencing: FencingView::new(&master),
            lrms: lrm_views(input),
            services: service::service_views(input, &master),
            master,
        }
    }
}

impl MasterView {
    fn new(input: &ViewInput<'_>) -> Self {
        let manager = input.manager;
        let nothing_to_do = input.quorate && input.resources.resources.is_empty();
        let has_record = manager.master_node.is_some() || manager.timestamp.is_some();
        let recorded = if has_record { Liveness::of_record(manager.timestamp, input.now) } else { Liveness::NoRecord };
        let liveness = match recorded {
            Liveness::Old | Liveness::NoRecord if nothing_to_do => Liveness::Idle,
            Liveness::Active | Liveness::Idle | Liveness::Old | Liveness::Drift | Liveness::NoRecord => recorded,
        };
        Self {
            node: manager.master_node.clone(),
            liveness,
            timestamp: manager.timestamp,
            disarm: manager.disarm.as_ref().map(|disarm| DisarmView { state: disarm.state, mode: disarm.mode }),
            scheduler: input.scheduler,
        }
    }
}

impl FencingView {
    fn new(master: &MasterView) -> Self {
        let fresh = master.liveness.is_fresh();
        let state = match master.disarm.map(|disarm| disarm.state) {
            Some(DisarmState::Disarming) => FencingState::Disarming,
            Some(DisarmState::Disarmed) => FencingState::Disarmed,
            None if fresh => FencingState::Armed,
            None => FencingState::Standby,
        };
        let watchdog = match state {
            FencingState::Disarmed => WatchdogState::Released,
            FencingState::Armed | FencingState::Disarming if fresh => WatchdogState::Active,
            FencingState::Armed | FencingState::Disarming | FencingState::Standby => WatchdogState::Standby,
        };
        Self { state, mode: master.disarm.map(|disarm| disarm.mode), watchdog }
    }
}

fn lrm_views(input: &ViewInput<'_>) -> Vec<LrmView> {
    let active_nodes = nodes_with_active_services(input.manager);
    input
        .lrms
        .iter()
        .map(|(node, record)| match record {
            Some(record) => LrmView::new(node, record, input.now, active_nodes.contains(node)),
            None => LrmView::without_record(node),
        })
        .map(|view| LrmView { hold: NodeHold::of(&view.node, input.manager), ..view })
        .collect()
}

fn nodes_with_active_services(manager: &ManagerStatus) -> BTreeSet<&NodeName> {
    let mut nodes = BTreeSet::new();
    for (sid, entry) in manager.services.iter() {
        let concerned = iter::once(&entry.node).chain(entry.state.target());
        nodes.extend(concerned.filter(|node| manager.is_active(sid, entry, node)));
    }
    nodes
}

impl LrmView {
    fn new(node: &NodeName, record: &LrmStatus, now: Timestamp, has_active_services: bool) -> Self {
        let liveness = Liveness::of_record(record.timestamp, now);
        let shown = match liveness {
            Liveness::Old => ShownLrm::Old,
            Liveness::Drift => ShownLrm::Drift,
            Liveness::NoRecord => ShownLrm::NoRecord,
            Liveness::Active | Liveness::Idle => shown_when_fresh(record, has_active_services),
        };
        let holds_watchdog = match record.state {
            LrmState::Active | LrmState::Maintenance => liveness.is_fresh(),
            LrmState::WaitForAgentLock | LrmState::LostAgentLock => false,
        };
        let watchdog = match record.mode {
            _ if holds_watchdog => WatchdogState::Active,
            LrmMode::Disarm => WatchdogState::Released,
            LrmMode::Active | LrmMode::Restart | LrmMode::Shutdown | LrmMode::Maintenance | LrmMode::Unknown => {
                WatchdogState::Standby
            }
        };
        Self {
            node: node.clone(),
            shown,
            liveness,
            state: Some(record.state),
            mode: Some(record.mode),
            watchdog,
            timestamp: record.timestamp,
            hold: None,
        }
    }

    fn without_record(node: &NodeName) -> Self {
        Self {
            node: node.clone(),
            shown: ShownLrm::NoRecord,
            liveness: Liveness::NoRecord,
            state: None,
            mode: None,
            watchdog: WatchdogState::Standby,
            timestamp: None,
            hold: None,
        }
    }
}

fn shown_when_fresh(record: &LrmStatus, has_active_services: bool) -> ShownLrm {
    match (record.mode, record.state) {
        (LrmMode::Restart, _) => ShownLrm::RestartMode,
        (LrmMode::Shutdown, _) => ShownLrm::ShutdownMode,
        (LrmMode::Maintenance, _) => ShownLrm::MaintenanceMode,
        (LrmMode::Disarm, _) => ShownLrm::DisarmMode,
        (LrmMode::Unknown, _) => ShownLrm::UnknownMode,
        (LrmMode::Active, LrmState::WaitForAgentLock) if has_active_services => ShownLrm::WaitForAgentLock,
        (LrmMode::Active, LrmState::WaitForAgentLock) => ShownLrm::Idle,
        (LrmMode::Active, LrmState::Active) => ShownLrm::Active,
        (LrmMode::Active, LrmState::Maintenance) => ShownLrm::Maintenance,
        (LrmMode::Active, LrmState::LostAgentLock) => ShownLrm::LostAgentLock,
    }
}
