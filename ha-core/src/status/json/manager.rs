//! The manager status in JSON.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::fmt;

use serde::{Deserializer, Serialize, Serializer, de::Error, ser::SerializeMap};
use smol_str::SmolStr;

use super::{
    not_understood::{Services, WrittenServices},
    read::{Missing, Path, Readable, Record, deserialize_records, fields},
    write,
};
use crate::{
    id::{NodeName, RuleId, ServiceId, Uid},
    status::{
        Disarm, DisarmMode, DisarmState, FailbackWait, FenceIncident, ManagerStatus, Motion, NodeFencings, NodeRequest,
        NodeReturn, NodeState, OrderedStart, QueuedCommand, ServiceEntry, ServiceState, ServiceTable, StateName,
        Timestamp, UnknownFields, Writer,
    },
};

deserialize_records!(
    ManagerStatus,
    ServiceEntry,
    NodeRequest,
    Disarm,
    OrderedStart,
    NodeReturn,
    FailbackWait,
    NodeFencings,
    FenceIncident
);

fields! {
    ManagerField, ManagerDraft:
    MasterNode = "master_node" in master_node: NodeName,
    Timestamp = "timestamp" in timestamp: Timestamp,
    NodeStatus = "node_status" in nodes: BTreeMap<NodeName, NodeState>,
    ServiceStatus = "service_status" in services: Services,
    NodeRequest = "node_request" in node_requests: BTreeMap<NodeName, NodeRequest>,
    Disarm = "disarm" in disarm: Disarm,
    Unguarded = "unguarded" in unguarded: Vec<NodeName>,
    MayRun = "may_run" in may_run: Vec<ServiceId>,
    StartFailures = "start_failures" in start_failures: BTreeMap<ServiceId, u32>,
    Ordered = "ordered" in ordered: BTreeMap<ServiceId, OrderedStart>,
    WaitingStarts = "waiting_starts" in waiting_starts: Vec<ServiceId>,
    WaitingMoves = "waiting_moves" in waiting_moves: Vec<ServiceId>,
    Sharing = "sharing" in sharing: BTreeMap<RuleId, Vec<ServiceId>>,
    ReturnedNodes = "returned_nodes" in returned_nodes: BTreeMap<NodeName, NodeReturn>,
    WaitingFailbacks = "waiting_failbacks" in waiting_failbacks: BTreeMap<ServiceId, FailbackWait>,
    FencedNodes = "fenced_nodes" in fenced_nodes: BTreeMap<NodeName, NodeFencings>,
    Fencing = "fencing" in fencing: BTreeMap<NodeName, FenceIncident>,
}

impl Record for ManagerStatus {
    type Draft = ManagerDraft;

    const EXPECTED: &'static str = "an object, the manager status";

    fn build(draft: ManagerDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let Services { table: services, not_understood } = draft.services.value.unwrap_or_default();
        Ok(Self {
            master_node: draft.master_node.value,
            timestamp: draft.timestamp.value,
            nodes: draft.nodes.value.unwrap_or_default(),
            services,
            not_understood,
            node_requests: draft.node_requests.value.unwrap_or_default(),
            disarm: draft.disarm.value,
            unguarded: draft.unguarded.value.unwrap_or_default().into_iter().collect(),
            may_run: draft.may_run.value.unwrap_or_default().into_iter().collect(),
            start_failures: draft.start_failures.value.unwrap_or_default(),
            ordered: draft.ordered.value.unwrap_or_default(),
            waiting_starts: draft.waiting_starts.value.unwrap_or_default().into_iter().collect(),
            waiting_moves: draft.waiting_moves.value.unwrap_or_default().into_iter().collect(),
            sharing: sharing(draft.sharing.value.unwrap_or_default()),
            returned_nodes: draft.returned_nodes.value.unwrap_or_default(),
            waiting_failbacks: draft.waiting_failbacks.value.unwrap_or_default(),
            fenced_nodes: draft.fenced_nodes.value.unwrap_or_default(),
            fencing: draft.fencing.value.unwrap_or_default(),
            unknown,
        })
    }
}

fn sharing(read: BTreeMap<RuleId, Vec<ServiceId>>) -> BTreeMap<RuleId, BTreeSet<ServiceId>> {
    read.into_iter().map(|(rule, services)| (rule, services.into_iter().collect())).collect()
}

impl Serialize for ManagerStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::optional(&mut map, ManagerField::MasterNode, self.master_node.as_ref())?;
        write::optional(&mut map, ManagerField::Timestamp, self.timestamp.as_ref())?;
        write::field(&mut map, ManagerField::NodeStatus, &self.nodes)?;
        write::field(&mut map, ManagerField::ServiceStatus, &WrittenServices(self))?;
        let requests = (!self.node_requests.is_empty()).then_some(&self.node_requests);
        write::optional(&mut map, ManagerField::NodeRequest, requests)?;
        write::optional(&mut map, ManagerField::Disarm, self.disarm.as_ref())?;
        let unguarded = (!self.unguarded.is_empty()).then_some(&self.unguarded);
        write::optional(&mut map, ManagerField::Unguarded, unguarded)?;
        let may_run = (!self.may_run.is_empty()).then_some(&self.may_run);
        write::optional(&mut map, ManagerField::MayRun, may_run)?;
        let failures = (!self.start_failures.is_empty()).then_some(&self.start_failures);
        write::optional(&mut map, ManagerField::StartFailures, failures)?;
        let ordered = (!self.ordered.is_empty()).then_some(&self.ordered);
        write::optional(&mut map, ManagerField::Ordered, ordered)?;
        let starts = (!self.waiting_starts.is_empty()).then_some(&self.waiting_starts);
        write::optional(&mut map, ManagerField::WaitingStarts, starts)?;
        let moves = (!self.waiting_moves.is_empty()).then_some(&self.waiting_moves);
        write::optional(&mut map, ManagerField::WaitingMoves, moves)?;
        let sharing = (!self.sharing.is_empty()).then_some(&self.sharing);
        write::optional(&mut map, ManagerField::Sharing, sharing)?;
        let returned = (!self.returned_nodes.is_empty()).then_some(&self.returned_nodes);
        write::optional(&mut map, ManagerField::ReturnedNodes, returned)?;
        let failbacks = (!self.waiting_failbacks.is_empty()).then_some(&self.waiting_failbacks);
        write::optional(&mut map, ManagerField::WaitingFailbacks, failbacks)?;
        let fenced = (!self.fenced_nodes.is_empty()).then_some(&self.fenced_nodes);
        write::optional(&mut map, ManagerField::FencedNodes, fenced)?;
        let fencing = (!self.fencing.is_empty()).then_some(&self.fencing);
        write::optional(&mut map, ManagerField::Fencing, fencing)?;
        write::unknown::<ManagerField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

impl Serialize for ServiceTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

fields! {
    OrderedField, OrderedDraft:
    Waited = "waited" in waited: u32,
    Ready = "ready" in ready: u32,
    WaitsFor = "for" in waits_for: Vec<ServiceId>,
    Left = "left" in left: u32,
    Passed = "passed" in passed: Uid,
}

impl Record for OrderedStart {
    type Draft = OrderedDraft;

    const EXPECTED: &'static str = "an object, how the start of a service stands";

    fn build(draft: OrderedDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        Ok(Self {
            waited: draft.waited.value,
            ready: draft.ready.value,
            waits_for: draft.waits_for.value.unwrap_or_default(),
            left: draft.left.value,
            passed: draft.passed.value,
            unknown,
        })
    }
}

impl Serialize for OrderedStart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::optional(&mut map, OrderedField::Waited, self.waited.as_ref())?;
        write::optional(&mut map, OrderedField::Ready, self.ready.as_ref())?;
        let waits_for = (!self.waits_for.is_empty()).then_some(&self.waits_for);
        write::optional(&mut map, OrderedField::WaitsFor, waits_for)?;
        write::optional(&mut map, OrderedField::Left, self.left.as_ref())?;
        write::optional(&mut map, OrderedField::Passed, self.passed.as_ref())?;
        write::unknown::<OrderedField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

fields! {
    ReturnField, ReturnDraft:
    Well = "well" in well: u32,
    Failures = "failures" in failures: u32,
}

impl Record for NodeReturn {
    type Draft = ReturnDraft;

    const EXPECTED: &'static str = "an object, how a node stands that was away lately";

    fn build(draft: ReturnDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        Ok(Self { well: draft.well.value, failures: draft.failures.value.unwrap_or(1), unknown })
    }
}

impl Serialize for NodeReturn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::optional(&mut map, ReturnField::Well, self.well.as_ref())?;
        write::field(&mut map, ReturnField::Failures, &self.failures)?;
        write::unknown::<ReturnField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

fields! {
    FailbackField, FailbackDraft:
    Node = "node" in node: NodeName,
    Left = "left" in left: u32,
}

impl Record for FailbackWait {
    type Draft = FailbackDraft;

    const EXPECTED: &'static str = "an object, the wait of a service to go back";

    fn build(draft: FailbackDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let node = draft.node.value;
        let node = node.ok_or(Missing::new(FailbackField::Node, "expected the node that the service goes back to"))?;
        Ok(Self { node, left: draft.left.value.unwrap_or(0), unknown })
    }
}

impl Serialize for FailbackWait {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::field(&mut map, FailbackField::Node, &self.node)?;
        write::field(&mut map, FailbackField::Left, &self.left)?;
        write::unknown::<FailbackField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

fields! {
    FencingsField, FencingsDraft:
    Ages = "ages" in ages: Vec<u32>,
    Down = "down" in down: bool,
    Left = "left" in left: u32,
    Holds = "holds" in holds: u32,
}

impl Record for NodeFencings {
    type Draft = FencingsDraft;

    const EXPECTED: &'static str = "an object, how often a node was fenced lately";

    fn build(draft: FencingsDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let FencingsDraft { ages, down, left, holds } = draft;
        Ok(Self {
            ages: ages.value.unwrap_or_default(),
            down: down.value.unwrap_or_default(),
            left: left.value,
            holds: holds.value.unwrap_or_default(),
            unknown,
        })
    }
}

impl Serialize for NodeFencings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::field(&mut map, FencingsField::Ages, &self.ages)?;
        write::optional(&mut map, FencingsField::Down, self.down.then_some(&1))?;
        write::optional(&mut map, FencingsField::Left, self.left.as_ref())?;
        let holds = (self.holds > 0).then_some(&self.holds);
        write::optional(&mut map, FencingsField::Holds, holds)?;
        write::unknown::<FencingsField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

fields! {
    EntryField, EntryDraft:
    State = "state" in state: StateName,
    Node = "node" in node: NodeName,
    Uid = "uid" in uid: Uid,
    Target = "target" in target: NodeName,
    Timeout = "timeout" in timeout: u32,
    Running = "running" in running: bool,
    FailedNodes = "failed_nodes" in failed_nodes: Vec<NodeName>,
    MaintenanceNode = "maintenance_node" in maintenance_node: NodeName,
    Command = "cmd" in command: QueuedCommand,
}

impl Record for ServiceEntry {
    type Draft = EntryDraft;

    const EXPECTED: &'static str = "an object, the entry of a service";

    fn build(draft: EntryDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let state = draft.state.value;
        let state = state.ok_or(Missing::new(EntryField::State, "expected the state that the service shall be in"))?;
        let node = draft.node.value;
        let node = node.ok_or(Missing::new(EntryField::Node, "expected the node whose LRM looks after the service"))?;
        Ok(Self {
            state: service_state(state, draft.target.value, draft.timeout.value, draft.running.value)?,
            node,
            uid: draft.uid.value,
            failed_nodes: draft.failed_nodes.value.unwrap_or_default(),
            maintenance_node: draft.maintenance_node.value,
            command: draft.command.value.map(Box::new),
            unknown,
        })
    }
}

/// Puts the data of a state where it belongs. What the state has no use for is dropped.
fn service_state(
    name: StateName,
    target: Option<NodeName>,
    timeout: Option<u32>,
    running: Option<bool>,
) -> Result<ServiceState, Missing> {
    let needs_target = |why| target.ok_or(Missing::new(EntryField::Target, why));
    Ok(match name {
        StateName::Stopped => ServiceState::Stopped,
        StateName::RequestStop => ServiceState::RequestStop { timeout },
        StateName::RequestStart => ServiceState::RequestStart,
        StateName::RequestStartBalance => ServiceState::RequestStartBalance {
            target: needs_target("a service in state 'request_start_balance' needs the node that it moves to")?,
        },
        StateName::Started => ServiceState::Started { confirmed: running.unwrap_or(false) },
        StateName::Fence => ServiceState::Fence,
        StateName::Recovery => ServiceState::Recovery,
        StateName::Migrate => ServiceState::Migrate {
            target: needs_target("a service in state 'migrate' needs the node that it moves to")?,
        },
        StateName::Relocate => ServiceState::Relocate {
            target: needs_target("a service in state 'relocate' needs the node that it moves to")?,
        },
        StateName::Freeze => ServiceState::Freeze,
        StateName::Error => ServiceState::Error,
    })
}

impl Serialize for ServiceEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::field(&mut map, EntryField::State, &self.state.name())?;
        write::field(&mut map, EntryField::Node, &self.node)?;
        write::optional(&mut map, EntryField::Uid, self.uid.as_ref())?;
        write::optional(&mut map, EntryField::Target, self.state.target())?;
        write::optional(&mut map, EntryField::Timeout, self.state.timeout().as_ref())?;
        let running = (self.state == ServiceState::Started { confirmed: true }).then_some(&1);
        write::optional(&mut map, EntryField::Running, running)?;
        let failed_nodes = (!self.failed_nodes.is_empty()).then_some(&self.failed_nodes);
        write::optional(&mut map, EntryField::FailedNodes, failed_nodes)?;
        write::optional(&mut map, EntryField::MaintenanceNode, self.maintenance_node.as_ref())?;
        write::optional(&mut map, EntryField::Command, self.command.as_deref())?;
        write::unknown::<EntryField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

/// The words of a queued command: the verb and its argument.
impl Readable for QueuedCommand {
    const EXPECTED: &'static str = r#"["migrate", node], ["relocate", node] or ["stop", seconds]"#;

    fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error> {
        let Some(words) = Vec::<SmolStr>::read(deserializer, path)? else { return Ok(None) };
        parse_queued(&words).map(Some).map_err(D::Error::custom)
    }
}

fn parse_queued(words: &[SmolStr]) -> Result<QueuedCommand, String> {
    match words.iter().map(SmolStr::as_str).collect::<Vec<_>>().as_slice() {
        [verb @ ("migrate" | "relocate"), node] => {
            let motion = if *verb == "migrate" { Motion::Migrate } else { Motion::Relocate };
            node.parse().map(|target| QueuedCommand::Move { motion, target }).map_err(to_text)
        }
        ["stop", seconds] => seconds
            .parse()
            .map(|timeout| QueuedCommand::Stop { timeout })
            .map_err(|_| alloc::format!("'{seconds}' is not {}", u32::EXPECTED)),
        words => Err(alloc::format!("{words:?} is not a command: expected {}", QueuedCommand::EXPECTED)),
    }
}

fn to_text(error: impl fmt::Display) -> String {
    alloc::format!("{error}")
}

impl Serialize for QueuedCommand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Move { motion, target } => [motion.as_str(), target.as_str()].serialize(serializer),
            Self::Stop { timeout } => ["stop", &to_text(timeout)].serialize(serializer),
        }
    }
}

fields! {
    RequestField, RequestDraft:
    Maintenance = "maintenance" in maintenance: bool,
    By = "by" in by: SmolStr,
    Since = "since" in since: Timestamp,
}

impl Record for NodeRequest {
    type Draft = RequestDraft;

    const EXPECTED: &'static str = "an object, what is asked of a node";

    fn build(draft: RequestDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let RequestDraft { maintenance, by, since } = draft;
        Ok(Self { maintenance: maintenance.value.unwrap_or(false), by: by.value, since: since.value, unknown })
    }
}

impl Serialize for NodeRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::optional(&mut map, RequestField::Maintenance, self.maintenance.then_some(&1))?;
        write::optional(&mut map, RequestField::By, self.by.as_ref())?;
        write::optional(&mut map, RequestField::Since, self.since.as_ref())?;
        write::unknown::<RequestField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

fields! {
    IncidentField, IncidentDraft:
    Incident = "incident" in id: Uid,
    Writer = "writer" in writer: Writer,
    WasDown = "was_down" in was_down: bool,
}

impl Record for FenceIncident {
    type Draft = IncidentDraft;

    const EXPECTED: &'static str = "an object, the incident of a node that must be fenced";

    fn build(draft: IncidentDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let IncidentDraft { id, writer, was_down } = draft;
        Ok(Self {
            id: id.value.ok_or(Missing::new(IncidentField::Incident, "expected the id of the incident"))?,
            writer: writer.value,
            was_down: was_down.value.unwrap_or(false),
            unknown,
        })
    }
}

impl Serialize for FenceIncident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::field(&mut map, IncidentField::Incident, &self.id)?;
        write::optional(&mut map, IncidentField::Writer, self.writer.as_ref())?;
        write::optional(&mut map, IncidentField::WasDown, self.was_down.then_some(&1))?;
        write::unknown::<IncidentField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}

fields! {
    DisarmField, DisarmDraft:
    Mode = "mode" in mode: DisarmMode,
    State = "state" in state: DisarmState,
    By = "by" in by: SmolStr,
    Since = "since" in since: Timestamp,
}

impl Record for Disarm {
    type Draft = DisarmDraft;

    const EXPECTED: &'static str = "an object, the disarm record";

    fn build(draft: DisarmDraft, unknown: UnknownFields) -> Result<Self, Missing> {
        let DisarmDraft { mode, state, by, since } = draft;
        Ok(Self {
            mode: mode.value.ok_or(Missing::new(DisarmField::Mode, "expected 'freeze' or 'ignore'"))?,
            state: state.value.ok_or(Missing::new(DisarmField::State, "expected 'disarming' or 'disarmed'"))?,
            by: by.value,
            since: since.value,
            unknown,
        })
    }
}

impl Serialize for Disarm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write::field(&mut map, DisarmField::Mode, &self.mode)?;
        write::field(&mut map, DisarmField::State, &self.state)?;
        write::optional(&mut map, DisarmField::By, self.by.as_ref())?;
        write::optional(&mut map, DisarmField::Since, self.since.as_ref())?;
        write::unknown::<DisarmField, _>(&mut map, &self.unknown)?;
        map.end()
    }
}
