//! Status records, commands, and the view that a person sees.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use ha_core::{
    id::{NodeName, ServiceId, Uid},
    status::{self, DisarmMode, DisarmState, LrmMode, LrmState, Motion, NodeState, QueuedCommand, StateName},
};
use pyo3::{
    exceptions::PyKeyError, inspect::PyStaticExpr, prelude::*, type_hint_identifier, type_hint_union, types::PyAny,
};

use crate::{
    config::{Found, Iter, ResourcesConfig},
    convert::{JsonArg, Name, Node, Out, OutAll, Sid, W, data, data_by, plain},
    errors,
    python::attribute,
    raise,
};

/// One service in the manager status.
#[pyclass(frozen, eq, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceEntry {
    sid: ServiceId,
    entry: status::ServiceEntry,
}

#[pymethods]
impl ServiceEntry {
    /// From its data, as JSON has it.
    ///
    /// >>> from pyha import ServiceEntry
    /// >>> ServiceEntry("vm:100", {"state": "started", "node": "node1", "running": 1}).running
    /// True
    #[new]
    fn new(py: Python<'_>, sid: Sid, data: JsonArg) -> PyResult<Self> {
        let (Name(sid), JsonArg(data)) = (sid, data);
        let key = serde_json::Value::from(sid.as_str());
        let status = ManagerStatus::from_json(py, &format!(r#"{{"service_status":{{{key}:{data}}}}}"#))?;
        if let Some(problem) = status.0.problem_of(&sid) {
            let dot = if problem.field().is_empty() { "" } else { "." };
            let error = status::StatusError::Content {
                record: "manager status",
                path: format!("service_status.{sid}{dot}{}", problem.field()),
                reason: problem.reason().to_owned(),
                line: 1,
                column: 0,
            };
            return Err(errors::status(py, &error));
        }
        let entry = status.0.services.get(&sid).cloned();
        let entry = entry.ok_or_else(|| raise::invalid(py, "it is no entry of a service"))?;
        Ok(Self { sid, entry })
    }

    /// Its data, as JSON has it.
    #[pyo3(signature = () -> "dict[str, object]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.entry)
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<(&str, Bound<'py, PyAny>)> {
        Ok((self.sid(), self.to_dict(py)?))
    }

    /// The service.
    #[getter]
    fn sid(&self) -> &str {
        self.sid.as_str()
    }

    /// The state that it shall be in.
    #[getter]
    fn state(&self) -> W<StateName> {
        W(self.entry.state.name())
    }

    /// The node whose LRM is responsible for it.
    #[getter]
    fn node(&self) -> &str {
        self.entry.node.as_str()
    }

    /// Where it moves to, in the states that move.
    #[getter]
    fn target(&self) -> Option<&str> {
        self.entry.state.target().map(NodeName::as_str)
    }

    /// Seconds that its stop may take, if that was asked for.
    #[getter]
    fn timeout(&self) -> Option<u32> {
        self.entry.state.timeout()
    }

    /// Whether the LRM has reported a successful start.
    #[getter]
    fn running(&self) -> bool {
        matches!(self.entry.state, status::ServiceState::Started { confirmed: true })
    }

    /// Names the present request to the LRM.
    #[getter]
    fn uid(&self) -> Option<&str> {
        self.entry.uid.as_ref().map(Uid::as_str)
    }

    /// Nodes on which its start failed, in order; a node may repeat.
    #[getter]
    fn failed_nodes(&self) -> Vec<&str> {
        self.entry.failed_nodes.iter().map(NodeName::as_str).collect()
    }

    /// The node that it left for maintenance, to return there.
    #[getter]
    fn maintenance_node(&self) -> Option<&str> {
        self.entry.maintenance_node.as_ref().map(NodeName::as_str)
    }

    /// The command that waits for its next step, such as ``migrate vm:100 node2``.
    #[getter]
    fn command(&self) -> Option<String> {
        let sid = &self.sid;
        self.entry.command.as_deref().map(|command| match command {
            QueuedCommand::Move { motion, target } => format!("{motion} {sid} {target}"),
            QueuedCommand::Stop { timeout } => format!("stop {sid} {timeout}"),
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        (&self.sid, self.entry.state.name(), &self.entry.node, &self.entry.uid).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("<ServiceEntry: {} {} on {}>", self.sid, self.entry.state.name(), self.entry.node)
    }
}

/// The one record that the master writes and everybody reads.
///
/// >>> from pyha import ManagerStatus
/// >>> status = ManagerStatus({"node_status": {"node1": "online"}, "service_status": {
/// ...     "vm:100": {"state": "started", "node": "node1"}}})
/// >>> status.services["vm:100"].state, status.node_state("node1")
/// (<StateName.STARTED: 'started'>, <NodeState.ONLINE: 'online'>)
#[pyclass(frozen, eq, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ManagerStatus(pub(crate) Arc<status::ManagerStatus>);

#[pymethods]
impl ManagerStatus {
    /// From its data, as JSON has it; without any, the status before the first round.
    #[new]
    #[pyo3(signature = (data=None))]
    fn new(py: Python<'_>, data: Option<JsonArg>) -> PyResult<Self> {
        data.map_or_else(|| Ok(Self(Arc::default())), |JsonArg(text)| Self::from_json(py, &text))
    }

    /// Reads the JSON text of the record.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        let read = py.detach(|| status::ManagerStatus::from_json(text));
        read.map(|status| Self(Arc::new(status))).map_err(|error| errors::status(py, &error))
    }

    /// The JSON text of the record. Fields that this version does not know are still there.
    fn to_json(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.to_json())
    }

    /// The data of the record, as JSON has it.
    #[pyo3(signature = () -> "dict[str, object]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        attribute(py, "json", "loads")?.call1((self.0.to_json(),))
    }

    /// The node whose CRM wrote it.
    #[getter]
    fn master_node(&self) -> Option<&str> {
        self.0.master_node.as_ref().map(NodeName::as_str)
    }

    /// When it was written, in seconds since 1970.
    #[getter]
    fn timestamp(&self) -> Option<i64> {
        self.0.timestamp
    }

    /// The state of every known node.
    #[getter]
    fn nodes(&self) -> BTreeMap<&str, W<NodeState>> {
        self.0.nodes.iter().map(|(node, state)| (node.as_str(), W(*state))).collect()
    }

    /// The state of a node; one that is not known counts as ``unknown``.
    fn node_state(&self, node: Node) -> W<NodeState> {
        W(self.0.node_state(&node.0))
    }

    /// Whether a node is in state ``online``.
    fn is_online(&self, node: Node) -> bool {
        self.0.is_online(&node.0)
    }

    /// Nodes on which services may run without a watchdog: they are not fenced by their lock.
    #[getter]
    fn unguarded(&self) -> Vec<&str> {
        self.0.unguarded.iter().map(NodeName::as_str).collect()
    }

    /// Services in ``error`` or ``stopped`` that may run though: nobody has seen them stopped since.
    #[getter]
    fn may_run(&self) -> Vec<&str> {
        self.0.may_run.iter().map(ServiceId::as_str).collect()
    }

    /// For services whose failed starts expire, how many seconds ago the last one was, as far as masters have counted them.
    #[getter]
    fn start_failures(&self) -> BTreeMap<&str, u32> {
        self.0.start_failures.iter().map(|(sid, seconds)| (sid.as_str(), *seconds)).collect()
    }

    /// For services that wait for others that come first by an order rule, for how many seconds, as far as masters have counted them.
    #[getter]
    fn waits(&self) -> BTreeMap<&str, u32> {
        self.0.ordered.iter().filter_map(|(sid, start)| Some((sid.as_str(), start.waited?))).collect()
    }

    /// Services whose start waits, since as many start already as may at once in the whole cluster.
    #[getter]
    fn waiting_starts(&self) -> Vec<&str> {
        self.0.waiting_starts.iter().map(ServiceId::as_str).collect()
    }

    /// Services whose move waits, since as many move already as may at once in the whole cluster.
    #[getter]
    fn waiting_moves(&self) -> Vec<&str> {
        self.0.waiting_moves.iter().map(ServiceId::as_str).collect()
    }

    /// For each rule that keeps services apart only while there is a place for that: those that share a node though.
    #[getter]
    fn sharing(&self) -> BTreeMap<&str, Vec<&str>> {
        let sharing = self.0.sharing.iter();
        sharing.map(|(rule, services)| (rule.as_str(), services.iter().map(ServiceId::as_str).collect())).collect()
    }

    /// For nodes that came back lately, for how many seconds they have been well, as far as masters have counted them: as long as services
    /// go back to them only after a delay.
    #[getter]
    fn returned_nodes(&self) -> BTreeMap<&str, u32> {
        let there = self.0.returned_nodes.iter().filter_map(|(node, back)| Some((node.as_str(), back.well?)));
        there.collect()
    }

    /// For services that wait to go back to a node of higher priority, that node, and in how many seconds they go if it stays well.
    #[getter]
    fn waiting_failbacks(&self) -> BTreeMap<&str, (&str, u32)> {
        let waits = self.0.waiting_failbacks.iter();
        waits.map(|(sid, wait)| (sid.as_str(), (wait.node.as_str(), wait.left))).collect()
    }

    /// For nodes that take no new services since they were fenced again and again, for how many seconds more, from when they are there.
    #[getter]
    fn held_nodes(&self) -> BTreeMap<&str, u32> {
        let held = self.0.fenced_nodes.iter().filter_map(|(node, fencings)| Some((node.as_str(), fencings.left?)));
        held.collect()
    }

    /// The services, by SID.
    #[getter]
    fn services(&self) -> Services {
        Services(self.0.clone())
    }

    /// Whether maintenance is asked for a node.
    fn maintenance_requested(&self, node: Node) -> bool {
        self.0.maintenance_requested(&node.0)
    }

    /// Whether somebody has to fence the node.
    fn fence_requested(&self, node: Node) -> bool {
        self.0.fence_requested(&node.0)
    }

    /// The services of a node that its LRM has to look after.
    fn active_services(&self, node: Node) -> Vec<&str> {
        let active = self.0.services.iter().filter(|(sid, entry)| self.0.is_active(sid, entry, &node.0));
        active.map(|(sid, _)| sid.as_str()).collect()
    }

    /// Whether HA is disarmed: nothing is done to services any more.
    #[getter]
    fn is_disarmed(&self) -> bool {
        self.0.is_disarmed()
    }

    /// What happens to services while HA is disarmed, or on the way there.
    #[getter]
    fn disarm_mode(&self) -> Option<W<DisarmMode>> {
        self.0.disarm.as_ref().map(|disarm| W(disarm.mode))
    }

    /// How far disarming has come.
    #[getter]
    fn disarm_state(&self) -> Option<W<DisarmState>> {
        self.0.disarm.as_ref().map(|disarm| W(disarm.state))
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>,)> {
        Ok((self.to_dict(py)?,))
    }

    fn __repr__(&self) -> String {
        let master = self.0.master_node.as_ref().map_or("no master", NodeName::as_str);
        format!("<ManagerStatus: {master}, {} nodes, {} services>", self.0.nodes.len(), self.0.services.len())
    }
}

/// The services of a manager status: a mapping from SIDs to entries.
#[pyclass(frozen, mapping, module = "pyha")]
#[derive(Debug)]
pub(crate) struct Services(Arc<status::ManagerStatus>);

fn entry_of((sid, entry): (&ServiceId, &status::ServiceEntry)) -> ServiceEntry {
    ServiceEntry { sid: sid.clone(), entry: entry.clone() }
}

impl Services {
    fn entry(&self, sid: &str) -> Option<ServiceEntry> {
        let sid: ServiceId = sid.parse().ok()?;
        self.0.services.get(&sid).map(|entry| entry_of((&sid, entry)))
    }
}

#[pymethods]
impl Services {
    fn __len__(&self) -> usize {
        self.0.services.len()
    }

    fn __contains__(&self, sid: &Bound<'_, PyAny>) -> bool {
        sid.extract::<Sid>().is_ok_and(|Name(sid)| self.0.services.contains(&sid))
    }

    fn __getitem__(&self, sid: &str) -> PyResult<ServiceEntry> {
        self.entry(sid).ok_or_else(|| PyKeyError::new_err(sid.to_owned()))
    }

    /// The entry of a service, or ``default``.
    #[pyo3(signature = (sid, default=None))]
    fn get<'py>(&self, sid: &str, default: Option<Bound<'py, PyAny>>) -> Found<'py, ServiceEntry> {
        Found::of(self.entry(sid), default)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Iter<'py, &str>> {
        Iter::over(py, self.keys())
    }

    /// The SIDs, sorted.
    fn keys(&self) -> Vec<&str> {
        self.0.services.iter().map(|(sid, _)| sid.as_str()).collect()
    }

    /// The entries, by SID.
    fn values(&self) -> Vec<ServiceEntry> {
        self.0.services.iter().map(entry_of).collect()
    }

    /// SIDs and entries.
    fn items(&self) -> Vec<(&str, ServiceEntry)> {
        self.0.services.iter().map(|(sid, entry)| (sid.as_str(), entry_of((sid, entry)))).collect()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0.services == other.0.services
    }

    fn __repr__(&self) -> String {
        format!("<Services: {}>", self.0.services.len())
    }
}

/// The record that an LRM writes.
///
/// >>> from pyha import LrmStatus
/// >>> LrmStatus({"state": "active", "mode": "active", "timestamp": 1767225600, "results": {}}).state
/// <LrmState.ACTIVE: 'active'>
#[pyclass(frozen, eq, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LrmStatus(pub(crate) Arc<status::LrmStatus>);

#[pymethods]
impl LrmStatus {
    /// From its data, as JSON has it; without any, the status of an LRM that has just started.
    #[new]
    #[pyo3(signature = (data=None))]
    fn new(py: Python<'_>, data: Option<JsonArg>) -> PyResult<Self> {
        data.map_or_else(|| Ok(Self(Arc::default())), |JsonArg(text)| Self::from_json(py, &text))
    }

    /// Reads the JSON text of the record.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        let read = status::LrmStatus::from_json(text);
        read.map(|status| Self(Arc::new(status))).map_err(|error| errors::status(py, &error))
    }

    /// The JSON text of the record.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The data of the record, as JSON has it.
    #[pyo3(signature = () -> "dict[str, object]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        attribute(py, "json", "loads")?.call1((self.0.to_json(),))
    }

    /// The state that the LRM is in.
    #[getter]
    fn state(&self) -> W<LrmState> {
        W(self.0.state)
    }

    /// What it has been asked to be.
    #[getter]
    fn mode(&self) -> W<LrmMode> {
        W(self.0.mode)
    }

    /// When it was written, in seconds since 1970.
    #[getter]
    fn timestamp(&self) -> Option<i64> {
        self.0.timestamp
    }

    /// Who wrote it: the machine and its boot, where the host has told the LRM.
    #[getter]
    fn writer(&self) -> Option<Out<status::Writer>> {
        self.0.writer.clone().map(Out)
    }

    /// The results of jobs, by the UID of their request.
    #[getter]
    fn results(&self) -> BTreeMap<&str, Out<status::JobResult>> {
        self.0.results.iter().map(|(uid, result)| (uid.as_str(), Out(result.clone()))).collect()
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>,)> {
        Ok((self.to_dict(py)?,))
    }

    fn __repr__(&self) -> String {
        format!("<LrmStatus: {}, mode {}, {} results>", self.0.state, self.0.mode, self.0.results.len())
    }
}

/// A line of the command queue.
///
/// >>> from pyha import Command
/// >>> command = Command("migrate vm:100 node2")
/// >>> command.verb, command.sid, command.node, str(command)
/// ('migrate', 'vm:100', 'node2', 'migrate vm:100 node2')
#[pyclass(frozen, eq, hash, module = "pyha")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command(status::Command);

impl Hash for Command {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_string().hash(state);
    }
}

#[pymethods]
impl Command {
    #[new]
    fn new(py: Python<'_>, line: &str) -> PyResult<Self> {
        line.parse().map(Self).map_err(|error: status::CommandError| raise::invalid(py, &error.to_string()))
    }

    /// The first word of its line.
    #[getter]
    fn verb(&self) -> &'static str {
        self.0.verb()
    }

    /// The service that it is about.
    #[getter]
    fn sid(&self) -> Option<&str> {
        use status::Command::{
            ArmHa, ClearFencings, ConfirmFenced, DisableNodeMaintenance, DisarmHa, EnableNodeMaintenance, Move, Stop,
        };
        match &self.0 {
            Move { sid, .. } | Stop { sid, .. } => Some(sid.as_str()),
            EnableNodeMaintenance { .. }
            | DisableNodeMaintenance { .. }
            | DisarmHa { .. }
            | ArmHa
            | ConfirmFenced { .. }
            | ClearFencings { .. } => None,
        }
    }

    /// The node that it is about, or to which it moves.
    #[getter]
    fn node(&self) -> Option<&str> {
        use status::Command::{
            ArmHa, ClearFencings, ConfirmFenced, DisableNodeMaintenance, DisarmHa, EnableNodeMaintenance, Move, Stop,
        };
        match &self.0 {
            Move { node, .. }
            | EnableNodeMaintenance { node }
            | DisableNodeMaintenance { node }
            | ConfirmFenced { node, .. }
            | ClearFencings { node } => Some(node.as_str()),
            Stop { .. } | DisarmHa { .. } | ArmHa => None,
        }
    }

    /// How it moves a service.
    #[getter]
    fn motion(&self) -> Option<W<Motion>> {
        if let status::Command::Move { motion, .. } = &self.0 { Some(W(*motion)) } else { None }
    }

    /// Seconds that a stop may take.
    #[getter]
    fn timeout(&self) -> Option<u32> {
        if let status::Command::Stop { timeout, .. } = &self.0 { Some(*timeout) } else { None }
    }

    /// What happens to services while HA is disarmed.
    #[getter]
    fn mode(&self) -> Option<W<DisarmMode>> {
        if let status::Command::DisarmHa { mode } = &self.0 { Some(W(*mode)) } else { None }
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Command('{}')", self.0)
    }

    fn __getnewargs__(&self) -> (String,) {
        (self.0.to_string(),)
    }
}

data! {
    "pyha.records":
    status::view::QuorumView = "QuorumView",
    status::view::MasterView = "MasterView",
    status::view::FencingView = "FencingView",
    status::view::LrmView = "LrmView",
    status::view::ServiceView = "ServiceView",
}

data_by! {
    status::JobResult = "pyha.values" "JobResult" by |result| serde_json::json!({
        "sid": result.sid, "state": result.state, "exit_code": result.exit_code.0,
    });
    status::Writer = "pyha.values" "Writer" by |writer| serde_json::json!({
        "machine": writer.machine, "boot": writer.boot,
    });
    status::view::StatusLine = "pyha.values" "StatusLine" by |line| serde_json::json!({
        "kind": line.kind, "text": line.text,
    });
}

/// The cluster as a person sees it, at one time and from one node.
#[pyclass(frozen, eq, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClusterView(pub(crate) status::ClusterView);

#[pymethods]
impl ClusterView {
    /// ``lrms`` are the nodes to show, each with the record of its LRM if it has one. ``now`` is in seconds since 1970.
    /// ``locations`` says where every guest is that exists, if that is known.
    #[new]
    #[pyo3(signature = (own_node, *, quorate, now, manager, lrms, resources, locations=None, scheduler="basic".into()))]
    fn new(
        own_node: Node,
        quorate: bool,
        now: i64,
        manager: PyRef<'_, ManagerStatus>,
        lrms: BTreeMap<String, Option<PyRef<'_, LrmStatus>>>,
        resources: PyRef<'_, ResourcesConfig>,
        locations: Option<BTreeMap<String, String>>,
        scheduler: std::borrow::Cow<'_, str>,
        py: Python<'_>,
    ) -> PyResult<Self> {
        let invalid = |error: &dyn ToString| raise::invalid(py, &error.to_string());
        let node = |name: &str| name.parse::<NodeName>().map_err(|error| invalid(&error));
        let mut records = BTreeMap::new();
        for (name, record) in &lrms {
            records.insert(node(name)?, record.as_ref().map(|record| &*record.0));
        }
        let mut places = BTreeMap::new();
        for (sid, name) in locations.iter().flatten() {
            places.insert(sid.parse::<ServiceId>().map_err(|error| invalid(&error))?, node(name)?);
        }
        Ok(Self(status::ClusterView::new(&status::ViewInput {
            own_node: &own_node.0,
            quorate,
            now,
            manager: &manager.0,
            lrms: &records,
            resources: &resources.config,
            locations: locations.is_some().then_some(&places),
            scheduler: scheduler.parse().map_err(|error: ha_core::UnknownWord| invalid(&error))?,
        })))
    }

    /// Whether the cluster can act at all.
    #[getter]
    fn quorum(&self) -> Out<status::view::QuorumView> {
        Out(self.0.quorum.clone())
    }

    /// The master.
    #[getter]
    fn master(&self) -> Out<status::view::MasterView> {
        Out(self.0.master.clone())
    }

    /// Whether failed nodes are fenced.
    #[getter]
    fn fencing(&self) -> Out<status::view::FencingView> {
        Out(self.0.fencing.clone())
    }

    /// The LRMs, by node.
    #[getter]
    fn lrms(&self) -> OutAll<status::view::LrmView> {
        OutAll(self.0.lrms.clone())
    }

    /// The services.
    #[getter]
    fn services(&self) -> OutAll<status::view::ServiceView> {
        OutAll(self.0.services.clone())
    }

    /// The view as text, a line an item.
    fn lines(&self) -> OutAll<status::view::StatusLine> {
        OutAll(self.0.lines().collect())
    }

    /// All of it as plain data.
    #[pyo3(signature = () -> "dict[str, object]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<ClusterView from {}: {} services>", self.0.quorum.node, self.0.services.len())
    }
}

/// A line of the command queue: text, or a command.
#[derive(Debug)]
pub(crate) struct LineArg(pub(crate) String);

impl<'a, 'py> FromPyObject<'a, 'py> for LineArg {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr =
        type_hint_union!(type_hint_identifier!("builtins", "str"), <Command as pyo3::PyTypeInfo>::TYPE_HINT);

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.cast::<Command>() {
            Ok(command) => Ok(Self(command.str()?.to_string())),
            Err(_) => object.extract().map(Self),
        }
    }
}
