//! Where services go, and why.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    host::{self, HostFigures, UnmanagedGuest},
    id::NodeName,
    placement::{
        self, Balance, BalanceHold, Change, Counterfactual, Explanation, Preference, Recovery, SituationFinding,
    },
    status,
};
use ha_sim::snapshot::Snapshot;
use pyo3::prelude::*;

use crate::{
    config::Configuration,
    convert::{In, Items, Name, Node, Out, OutAll, Sid, W, data, from_data},
    errors, raise,
    status::ManagerStatus,
};

data! {
    "pyha":
    Change = "Change",
}

/// Figures from Python.
pub(crate) fn usage(object: &Bound<'_, PyAny>) -> PyResult<HostFigures> {
    #[derive(serde::Deserialize)]
    struct Figures {
        max_cpu: f64,
        max_memory: u64,
        cpu: f64,
        memory: u64,
    }
    #[derive(serde::Deserialize)]
    struct Usage {
        nodes: std::collections::BTreeMap<NodeName, Figures>,
        services: std::collections::BTreeMap<ha_core::id::ServiceId, Figures>,
    }
    let usage: Usage = from_data(object)?;
    let node = |Figures { max_cpu, max_memory, cpu, memory }| host::NodeFigures { max_cpu, max_memory, cpu, memory };
    let service =
        |Figures { max_cpu, max_memory, cpu, memory }| host::ServiceFigures { max_cpu, max_memory, cpu, memory };
    Ok(HostFigures {
        nodes: usage.nodes.into_iter().map(|(name, figures)| (name, node(figures))).collect(),
        services: usage.services.into_iter().map(|(sid, figures)| (sid, service(figures))).collect(),
    })
}

macro_rules! instance_argument {
    ($($(#[$doc:meta])* $name:ident($value:ty) of $module:literal $class:literal by $read:path;)+) => {
        $($(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name(pub(crate) $value);

        impl<'a, 'py> FromPyObject<'a, 'py> for $name {
            type Error = PyErr;

            const INPUT_TYPE: pyo3::inspect::PyStaticExpr = pyo3::type_hint_identifier!($module, $class);

            fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
                $read(&object.to_owned()).map(Self)
            }
        })+
    };
}

/// A guest that HA does not manage, from Python.
pub(crate) fn one_unmanaged(object: &Bound<'_, PyAny>) -> PyResult<UnmanagedGuest> {
    Ok(UnmanagedGuest {
        sid: object.getattr("sid")?.extract::<Sid>()?.0,
        node: object.getattr("node")?.extract::<Node>()?.0,
        running: object.getattr("running")?.extract()?,
    })
}

instance_argument! {
    /// Figures as an argument.
    Usage(HostFigures) of "pyha.values" "HostFigures" by usage;
    /// An unmanaged guest as an argument.
    Unmanaged(UnmanagedGuest) of "pyha.records" "UnmanagedGuest" by one_unmanaged;
}

/// All that placement looks at, at one time.
///
/// >>> from pyha import Configuration, ManagerStatus, Situation
/// >>> status = ManagerStatus({
/// ...     "node_status": {"node1": "online", "node2": "online"},
/// ...     "service_status": {"vm:100": {"state": "started", "node": "node1", "running": 1}}})
/// >>> situation = Situation(status, Configuration(resources="vm: 100\n"))
/// >>> situation.explain("vm:100").decided_by
/// <Decider.STAY: 'stay'>
/// >>> situation.select("vm:100", "best_score")
/// 'node2'
/// >>> [(recovery.sid, recovery.to) for recovery in situation.after_failure(["node1"])]
/// [('vm:100', 'node2')]
#[pyclass(frozen, module = "pyha")]
#[derive(Debug)]
pub(crate) struct Situation {
    status: Arc<status::ManagerStatus>,
    configuration: host::Configuration,
    members: Vec<NodeName>,
    usage: Option<HostFigures>,
    unmanaged: Vec<UnmanagedGuest>,
    hold: BalanceHold,
}

impl From<Snapshot> for Situation {
    fn from(snapshot: Snapshot) -> Self {
        let Snapshot { at: _, status, configuration, members, usage, unmanaged, balance_hold } = snapshot;
        Self { status, configuration, members, usage: Some(usage), unmanaged, hold: balance_hold }
    }
}

impl Situation {
    fn core(&self) -> placement::Situation<'_> {
        placement::Situation {
            usage: self.usage.as_ref(),
            unmanaged: &self.unmanaged,
            ..placement::Situation::new(&self.status, &self.configuration, &self.members)
        }
    }
}

#[pymethods]
impl Situation {
    /// ``members`` are all nodes of the cluster, online or not: by default those of the status.
    #[new]
    #[pyo3(signature = (status, configuration, members=None, *, usage=None, unmanaged=Items::default()))]
    fn new(
        status: PyRef<'_, ManagerStatus>,
        configuration: PyRef<'_, Configuration>,
        members: Option<Items<Node>>,
        usage: Option<Usage>,
        unmanaged: Items<Unmanaged>,
    ) -> Self {
        let members = match members {
            Some(Items(members)) => members.into_iter().map(|Name(node)| node).collect(),
            None => status.0.nodes.keys().cloned().collect(),
        };
        Self {
            status: status.0.clone(),
            configuration: configuration.for_core(),
            members,
            usage: usage.map(|Usage(usage)| usage),
            unmanaged: unmanaged.0.into_iter().map(|Unmanaged(guest)| guest).collect(),
            hold: BalanceHold::default(),
        }
    }

    /// The states of nodes and services.
    #[getter]
    fn status(&self) -> ManagerStatus {
        ManagerStatus(self.status.clone())
    }

    /// All nodes of the cluster, online or not.
    #[getter]
    fn members(&self) -> Vec<&str> {
        self.members.iter().map(NodeName::as_str).collect()
    }

    /// The node where a service should be, or ``None`` if there is none for it.
    #[pyo3(signature = (sid, preference=W(Preference::None)))]
    fn select(&self, py: Python<'_>, sid: Sid, preference: W<Preference>) -> PyResult<Option<Node>> {
        let node = py.detach(|| self.core().select(&sid.0, preference.0));
        node.map(|node| node.map(Name)).map_err(|error| errors::placement(py, &error))
    }

    /// The nodes where services should be, each by itself, as :meth:`select` gives them: the rules are evaluated, and the
    /// loads added up, only once.
    ///
    /// >>> from pyha import Configuration, ManagerStatus, Situation
    /// >>> status = ManagerStatus({
    /// ...     "node_status": {"node1": "online", "node2": "online"},
    /// ...     "service_status": {"vm:100": {"state": "started", "node": "node1", "running": 1}}})
    /// >>> Situation(status, Configuration(resources="vm: 100\n")).select_all(["vm:100"])
    /// {'vm:100': 'node1'}
    #[pyo3(signature = (sids, preference=W(Preference::None)))]
    fn select_all(
        &self,
        py: Python<'_>,
        sids: Items<Sid>,
        preference: W<Preference>,
    ) -> PyResult<BTreeMap<String, Option<Node>>> {
        let selected = py.detach(|| {
            let mut prepared = self.core().prepare();
            let selected = sids.0.into_iter().map(|Name(sid)| {
                let node = prepared.select(&sid, preference.0)?;
                Ok((sid.to_string(), node.map(Name)))
            });
            selected.collect::<Result<_, placement::PlacementError>>()
        });
        selected.map_err(|error| errors::placement(py, &error))
    }

    /// Where a service should be, and why.
    #[pyo3(signature = (sid, preference=W(Preference::None)))]
    fn explain(&self, py: Python<'_>, sid: Sid, preference: W<Preference>) -> PyResult<Out<Explanation>> {
        let explained = py.detach(|| self.core().explain(&sid.0, preference.0));
        explained.map(Out).map_err(|error| errors::placement(py, &error))
    }

    /// Where a service would be with changes, and why.
    #[pyo3(signature = (sid, changes, preference=W(Preference::None)))]
    fn explain_with(
        &self,
        py: Python<'_>,
        sid: Sid,
        changes: Items<In<Change>>,
        preference: W<Preference>,
    ) -> PyResult<Out<Explanation>> {
        let changes: Vec<Change> = changes.0.into_iter().map(|In(change)| change).collect();
        let explained = py.detach(|| self.core().explain_with(&sid.0, preference.0, &changes));
        explained.map(Out).map_err(|error| errors::placement(py, &error))
    }

    /// What would have to be different for a service to go to a node.
    #[pyo3(signature = (sid, node, preference=W(Preference::None)))]
    fn counterfactual(
        &self,
        py: Python<'_>,
        sid: Sid,
        node: Node,
        preference: W<Preference>,
    ) -> PyResult<Out<Counterfactual>> {
        let found = py.detach(|| self.core().counterfactual(&sid.0, preference.0, &node.0));
        found.map(Out).map_err(|error| errors::placement(py, &error))
    }

    /// What automatic balancing would do, with the best ``count`` moves that there are. ``rounds`` is for how long the
    /// imbalance has been too high already: by default as the master knows it, or not at all.
    #[pyo3(signature = (*, rounds=None, count=5))]
    fn balance(&self, py: Python<'_>, rounds: Option<u32>, count: usize) -> Out<Balance> {
        let hold = rounds.map_or(self.hold, BalanceHold::after);
        Out(py.detach(|| self.core().balance(hold, count)))
    }

    /// What the answers leave out of account: rules that are dropped, names that nothing has, figures that are missing.
    fn findings(&self, py: Python<'_>) -> OutAll<SituationFinding> {
        OutAll(py.detach(|| self.core().findings()))
    }

    /// Where the services of these nodes would go if the nodes failed now and were fenced, in the order in which they would
    /// be recovered. Services that would be left where they are, are not named.
    fn after_failure(&self, py: Python<'_>, nodes: Items<Node>) -> PyResult<OutAll<Recovery>> {
        let nodes: Vec<NodeName> = nodes.0.into_iter().map(|Name(node)| node).collect();
        let recoveries = py.detach(|| self.core().after_failure(&nodes));
        recoveries.map(OutAll).map_err(|error| errors::placement(py, &error))
    }

    fn __repr__(&self) -> String {
        format!("<Situation: {} nodes, {} services>", self.members.len(), self.status.services.len())
    }
}

/// An explanation in words.
#[pyfunction]
#[pyo3(signature = (explanation: "object"))]
pub(crate) fn describe_explanation(explanation: &Bound<'_, PyAny>) -> PyResult<String> {
    from_data::<Explanation>(explanation).map(|explanation| explanation.to_string())
}

/// A change in words.
#[pyfunction]
pub(crate) fn describe_change(py: Python<'_>, text: &str) -> PyResult<String> {
    let change: Change = serde_json::from_str(text).map_err(|error| raise::invalid(py, &error.to_string()))?;
    Ok(change.to_string())
}

/// An event in words, how much it matters, and whether recorded scenarios have it.
#[pyfunction]
pub(crate) fn describe_event(py: Python<'_>, text: &str) -> PyResult<(String, &'static str, bool)> {
    use crate::convert::Word;
    let event: ha_core::event::Event =
        serde_json::from_str(text).map_err(|error| raise::invalid(py, &error.to_string()))?;
    Ok((event.to_string(), event.severity().text(), event.is_recorded()))
}

/// What balancing would do, in words.
#[pyfunction]
#[pyo3(signature = (balance: "object"))]
pub(crate) fn describe_balance(balance: &Bound<'_, PyAny>) -> PyResult<String> {
    from_data::<Balance>(balance).map(|balance| balance.to_string())
}
