//! One section of a file: a resource, a group, a rule, what is said of a node.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use ha_core::{
    config::{
        self, Affinity, Apart, NodePriorities, RequestedState, RuleKind, RuleType, Spread,
        groups::GroupProperty,
        nodes::NodeProperty,
        resources::{MAX_PRIORITY, OnFailure, Probe, ResourceProperty},
        rules::MAX_ORDER_SECONDS,
    },
    id::{FailureDomain, GroupId, NodeName, RuleId, ServiceId},
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    inspect::PyStaticExpr,
    prelude::*,
    type_hint_identifier, type_hint_subscript, type_hint_union,
    types::{PyDict, PyString},
};

use crate::convert::{Items, Name, Node, Sid, W};

/// The text of a value as Python shows it.
fn shown(py: Python<'_>, text: &str) -> PyResult<String> {
    Ok(PyString::new(py, text).repr()?.to_string())
}

/// `Class(id, key=text, …)`
fn repr(py: Python<'_>, class: &str, id: &str, properties: &BTreeMap<&'static str, String>) -> PyResult<String> {
    let mut text = format!("{class}({}", shown(py, id)?);
    for (key, value) in properties {
        text.push_str(&format!(", {}={}", key.replace('-', "_"), shown(py, value)?));
    }
    text.push(')');
    Ok(text)
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn priorities(nodes: &NodePriorities) -> BTreeMap<String, i32> {
    nodes.iter().map(|(node, priority)| (node.as_str().to_owned(), *priority)).collect()
}

/// Nodes with priorities, as a mapping; the same priority for all as an iterable of names.
#[derive(Debug)]
pub(crate) struct Nodes(NodePriorities);

impl<'a, 'py> FromPyObject<'a, 'py> for Nodes {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(
        type_hint_subscript!(
            type_hint_identifier!("collections.abc", "Mapping"),
            type_hint_identifier!("builtins", "str"),
            type_hint_identifier!("builtins", "int")
        ),
        <Items<Node> as FromPyObject<'a, 'py>>::INPUT_TYPE
    );

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(mapping) = object.cast::<pyo3::types::PyMapping>() {
            let items = mapping.items()?;
            let pairs = items.iter().map(|item| item.extract::<(Node, i32)>());
            return pairs
                .map(|pair| pair.map(|(Name(node), priority)| (node, priority)))
                .collect::<PyResult<_>>()
                .map(Self);
        }
        let Items(names) = object.extract::<Items<Node>>()?;
        Ok(Self(names.into_iter().map(|Name(node)| (node, 0)).collect()))
    }
}

/// Keyword arguments that make an equal object.
struct Keywords<'py>(Bound<'py, PyDict>);

impl<'py> IntoPyObject<'py> for Keywords<'py> {
    type Target = PyDict;
    type Output = Bound<'py, PyDict>;
    type Error = std::convert::Infallible;

    const OUTPUT_TYPE: PyStaticExpr = type_hint_subscript!(
        type_hint_identifier!("builtins", "dict"),
        type_hint_identifier!("builtins", "str"),
        type_hint_identifier!("builtins", "object")
    );

    fn into_pyobject(self, _: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.0)
    }
}

/// One managed service, as it is configured.
///
/// >>> from pyha import Resource
/// >>> Resource("vm:100", state="stopped", max_restart=3)
/// Resource('vm:100', max_restart='3', state='stopped')
/// >>> Resource("vm:100").max_restart  # the default
/// 1
#[pyclass(frozen, eq, hash, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource(pub(crate) config::Resource);

impl Hash for Resource {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.sid.hash(state);
        hash_of((self.0.state, &self.0.group, self.0.max_restart, self.0.max_relocate)).hash(state);
        (self.0.failback, self.0.failback_delay, self.0.auto_rebalance, self.0.failure_timeout, self.0.priority)
            .hash(state);
        (&self.0.probe, self.0.probe_interval, self.0.probe_timeout, self.0.probe_failures).hash(state);
        (self.0.ready_timeout, self.0.on_failure).hash(state);
        self.0.comment.hash(state);
    }
}

/// Refuses what a file could not be read with.
fn at_least_1(numbers: &[(&str, Option<u32>)]) -> PyResult<()> {
    let zero = numbers.iter().find(|(_, number)| *number == Some(0));
    zero.map_or(Ok(()), |(name, _)| Err(PyValueError::new_err(format!("{name} is at least 1, not 0"))))
}

#[pymethods]
impl Resource {
    #[new]
    #[pyo3(signature = (
        sid, *, state=None, group=None, max_restart=None, max_relocate=None, failback=None, failback_delay=None, auto_rebalance=None,
        failure_timeout=None, priority=None, probe=None, probe_interval=None, probe_timeout=None, probe_failures=None, ready_timeout=None,
        on_failure=None, comment=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        sid: Sid,
        state: Option<W<RequestedState>>,
        group: Option<Name<GroupId>>,
        max_restart: Option<u32>,
        max_relocate: Option<u32>,
        failback: Option<bool>,
        failback_delay: Option<u32>,
        auto_rebalance: Option<bool>,
        failure_timeout: Option<u32>,
        priority: Option<u32>,
        probe: Option<String>,
        probe_interval: Option<u32>,
        probe_timeout: Option<u32>,
        probe_failures: Option<u32>,
        ready_timeout: Option<u32>,
        on_failure: Option<W<OnFailure>>,
        comment: Option<String>,
    ) -> PyResult<Self> {
        at_least_1(&[
            ("failback_delay", failback_delay),
            ("failure_timeout", failure_timeout),
            ("probe_interval", probe_interval),
            ("probe_timeout", probe_timeout),
            ("probe_failures", probe_failures),
            ("ready_timeout", ready_timeout),
        ])?;
        if let Some(priority) = priority.filter(|priority| *priority > MAX_PRIORITY) {
            return Err(PyValueError::new_err(format!("priority is from 0 to {MAX_PRIORITY}, not {priority}")));
        }
        let probe = probe.map(|text| text.parse::<Probe>()).transpose();
        Ok(Self(config::Resource {
            sid: sid.0,
            state: state.map(|W(state)| state),
            group: group.map(|Name(group)| group),
            max_restart,
            max_relocate,
            failback,
            failback_delay,
            auto_rebalance,
            failure_timeout,
            priority,
            probe: probe.map_err(|error| PyValueError::new_err(error.to_string()))?,
            probe_interval,
            probe_timeout,
            probe_failures,
            ready_timeout,
            on_failure: on_failure.map(|W(on_failure)| on_failure),
            comment,
        }))
    }

    /// The service.
    #[getter]
    fn sid(&self) -> &str {
        self.0.sid.as_str()
    }

    /// What is asked for; by default ``started``.
    #[getter]
    fn state(&self) -> W<RequestedState> {
        W(self.0.state())
    }

    /// The HA group, from before groups became rules.
    #[getter]
    fn group(&self) -> Option<&str> {
        self.0.group.as_ref().map(|group| group.as_str())
    }

    /// Failed starts that are retried on the same node; by default 1.
    #[getter]
    fn max_restart(&self) -> u32 {
        self.0.max_restart()
    }

    /// Other nodes that are tried after that; by default 1.
    #[getter]
    fn max_relocate(&self) -> u32 {
        self.0.max_relocate()
    }

    /// Whether it moves to a node of higher priority when one comes online; by default it does.
    #[getter]
    fn failback(&self) -> bool {
        self.0.failback()
    }

    /// For how many seconds a node of higher priority must have been back before it moves there; by default none.
    #[getter]
    fn failback_delay(&self) -> Option<u32> {
        self.0.failback_delay()
    }

    /// Whether automatic balancing may move it, and what must stay together with it; by default it may.
    #[getter]
    fn auto_rebalance(&self) -> bool {
        self.0.auto_rebalance()
    }

    /// After how many seconds without another one failed starts count no more, and a service in ``error`` for them is tried again; by
    /// default never.
    #[getter]
    fn failure_timeout(&self) -> Option<u32> {
        self.0.failure_timeout()
    }

    /// How much it matters beside others, from 0 to 1000; by default 0. What has more of it is placed, started and moved before the
    /// rest, and stopped after it.
    #[getter]
    fn priority(&self) -> u32 {
        self.0.priority()
    }

    /// How it is seen whether it is ready once it runs, such as ``tcp:5432``; by default it is as soon as it runs.
    #[getter]
    fn probe(&self) -> Option<&str> {
        self.0.probe.as_ref().map(Probe::as_str)
    }

    /// Seconds from one probe to the next; by default 10.
    #[getter]
    fn probe_interval(&self) -> u32 {
        self.0.probe_interval()
    }

    /// Seconds that one probe may take; by default 5.
    #[getter]
    fn probe_timeout(&self) -> u32 {
        self.0.probe_timeout()
    }

    /// How many probes must fail one after another before it is no longer ready; by default 3.
    #[getter]
    fn probe_failures(&self) -> u32 {
        self.0.probe_failures()
    }

    /// Seconds that it may take to be ready after its start; by default 300.
    #[getter]
    fn ready_timeout(&self) -> u32 {
        self.0.ready_timeout()
    }

    /// What follows when it is not ready in time, or no longer; by default ``report``.
    #[getter]
    fn on_failure(&self) -> W<OnFailure> {
        W(self.0.on_failure())
    }

    /// A person's remark.
    #[getter]
    fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// The properties that are set, as the text that an edit takes.
    #[getter]
    fn properties(&self) -> BTreeMap<&'static str, String> {
        ResourceProperty::ALL.iter().filter_map(|key| Some((key.as_str(), self.0.text(*key)?))).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(py, "Resource", self.0.sid.as_str(), &self.properties())
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&str,), Keywords<'py>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("state", self.0.state.map(W))?;
        keywords.set_item("group", self.group())?;
        keywords.set_item("max_restart", self.0.max_restart)?;
        keywords.set_item("max_relocate", self.0.max_relocate)?;
        keywords.set_item("failback", self.0.failback)?;
        keywords.set_item("failback_delay", self.0.failback_delay)?;
        keywords.set_item("auto_rebalance", self.0.auto_rebalance)?;
        keywords.set_item("failure_timeout", self.0.failure_timeout)?;
        keywords.set_item("priority", self.0.priority)?;
        keywords.set_item("probe", self.probe())?;
        keywords.set_item("probe_interval", self.0.probe_interval)?;
        keywords.set_item("probe_timeout", self.0.probe_timeout)?;
        keywords.set_item("probe_failures", self.0.probe_failures)?;
        keywords.set_item("ready_timeout", self.0.ready_timeout)?;
        keywords.set_item("on_failure", self.0.on_failure.map(W))?;
        keywords.set_item("comment", self.comment())?;
        Ok(((self.sid(),), Keywords(keywords)))
    }
}

/// A group of nodes, from before groups became rules.
///
/// >>> from pyha import Group
/// >>> Group("web", {"node1": 2, "node2": 1}).nodes
/// {'node1': 2, 'node2': 1}
#[pyclass(frozen, eq, hash, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group(pub(crate) config::Group);

impl Hash for Group {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.0.id, &self.0.nodes, self.0.restricted, self.0.nofailback, &self.0.comment).hash(state);
    }
}

#[pymethods]
impl Group {
    #[new]
    #[pyo3(signature = (id, nodes, *, restricted=None, nofailback=None, comment=None))]
    fn new(
        id: Name<GroupId>,
        nodes: Nodes,
        restricted: Option<bool>,
        nofailback: Option<bool>,
        comment: Option<String>,
    ) -> Self {
        Self(config::Group { id: id.0, nodes: nodes.0, restricted, nofailback, comment })
    }

    /// Its name.
    #[getter]
    fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// The nodes with their priorities; the higher number is preferred.
    #[getter]
    fn nodes(&self) -> BTreeMap<String, i32> {
        priorities(&self.0.nodes)
    }

    /// Whether its services run on these nodes or not at all; by default not.
    #[getter]
    fn restricted(&self) -> bool {
        self.0.restricted()
    }

    /// Whether its services stay where they are when a node of higher priority comes online; by default not.
    #[getter]
    fn nofailback(&self) -> bool {
        self.0.nofailback()
    }

    /// A person's remark.
    #[getter]
    fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// The properties that are set, as the text that an edit takes.
    #[getter]
    fn properties(&self) -> BTreeMap<&'static str, String> {
        GroupProperty::ALL.iter().filter_map(|key| Some((key.as_str(), self.0.text(*key)?))).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(py, "Group", self.0.id.as_str(), &self.properties())
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&str,), Keywords<'py>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("nodes", self.nodes())?;
        keywords.set_item("restricted", self.0.restricted)?;
        keywords.set_item("nofailback", self.0.nofailback)?;
        keywords.set_item("comment", self.comment())?;
        Ok(((self.id(),), Keywords(keywords)))
    }
}

/// What is said of a node.
///
/// >>> from pyha import NodeLabels
/// >>> NodeLabels("node1", failure_domain="rack-a").failure_domain
/// 'rack-a'
#[pyclass(frozen, eq, hash, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NodeLabels(pub(crate) config::NodeLabels);

impl Hash for NodeLabels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.0.node, &self.0.failure_domain, &self.0.comment).hash(state);
    }
}

#[pymethods]
impl NodeLabels {
    #[new]
    #[pyo3(signature = (node, *, failure_domain=None, comment=None))]
    fn new(node: Name<NodeName>, failure_domain: Option<Name<FailureDomain>>, comment: Option<String>) -> Self {
        let failure_domain = failure_domain.map(|Name(domain)| domain);
        Self(config::NodeLabels { node: node.0, failure_domain, comment })
    }

    /// The node.
    #[getter]
    fn node(&self) -> &str {
        self.0.node.as_str()
    }

    /// What it fails together with: all nodes of one domain. A node without one is a domain of its own.
    #[getter]
    fn failure_domain(&self) -> Option<&str> {
        self.0.failure_domain.as_ref().map(FailureDomain::as_str)
    }

    /// A person's remark.
    #[getter]
    fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// The properties that are set, as the text that an edit takes.
    #[getter]
    fn properties(&self) -> BTreeMap<&'static str, String> {
        NodeProperty::ALL.iter().filter_map(|key| Some((key.as_str(), self.0.text(*key)?))).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(py, "NodeLabels", self.0.node.as_str(), &self.properties())
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&str,), Keywords<'py>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("failure_domain", self.failure_domain())?;
        keywords.set_item("comment", self.comment())?;
        Ok(((self.node(),), Keywords(keywords)))
    }
}

/// One rule: an order if it has ``first`` and ``then``, node affinity if it has ``nodes``, else resource affinity. ``affinity`` is required
/// for resource affinity; for node affinity it is positive by default, and negative means all nodes but these.
///
/// >>> from pyha import Rule
/// >>> Rule("apart", ["vm:100", "vm:101"], affinity="negative").type
/// <RuleType.RESOURCE_AFFINITY: 'resource-affinity'>
/// >>> Rule("home", ["vm:100"], nodes={"node1": 1}, strict=True).nodes
/// {'node1': 1}
/// >>> Rule("web-after-db", first=["vm:100"], then=["vm:101"], delay=30).timeout
/// 300
#[pyclass(frozen, eq, hash, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule(pub(crate) config::Rule);

impl Hash for Rule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.0.id, &self.0.resources, self.0.disable, &self.0.comment).hash(state);
        match &self.0.kind {
            RuleKind::NodeAffinity { nodes, strict, affinity } => (nodes, strict, affinity).hash(state),
            RuleKind::ResourceAffinity { affinity, apart } => (affinity, apart).hash(state),
            RuleKind::Order(order) => order.hash(state),
        }
    }
}

#[pymethods]
impl Rule {
    #[new]
    #[pyo3(signature = (
        id, resources=None, *, nodes=None, strict=None, affinity=None, spread=None, first=None, then=None, delay=None, timeout=None, disable=None,
        comment=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        id: Name<RuleId>,
        resources: Option<Items<Sid>>,
        nodes: Option<Nodes>,
        strict: Option<bool>,
        affinity: Option<W<Affinity>>,
        spread: Option<W<Spread>>,
        first: Option<Items<Sid>>,
        then: Option<Items<Sid>>,
        delay: Option<u32>,
        timeout: Option<u32>,
        disable: Option<bool>,
        comment: Option<String>,
    ) -> PyResult<Self> {
        let waits = delay.is_some() || timeout.is_some();
        let (kind, resources) = match (resources, nodes, affinity, first, then) {
            (Some(resources), Some(Nodes(nodes)), affinity, None, None) if !waits && spread.is_none() => {
                let affinity = affinity.map_or(Affinity::Positive, |W(affinity)| affinity);
                (RuleKind::NodeAffinity { nodes, strict, affinity }, sorted(resources))
            }
            (Some(resources), None, Some(W(affinity)), None, None)
                if ((strict.is_none() && spread.is_none()) || affinity == Affinity::Negative) && !waits =>
            {
                let apart = Apart { strict, spread: spread.map(|W(spread)| spread) };
                (RuleKind::ResourceAffinity { affinity, apart }, sorted(resources))
            }
            (None, None, None, Some(first), Some(then)) if spread.is_none() => {
                check_seconds("delay", delay, 0)?;
                check_seconds("timeout", timeout, 1)?;
                let order = config::Order { first: sorted(first), then: sorted(then), delay, timeout, strict };
                let resources = order.resources();
                (RuleKind::Order(order), resources)
            }
            _ => {
                return Err(PyTypeError::new_err(
                    "a rule has 'resources' with 'nodes' (and perhaps 'strict' and 'affinity') or with 'affinity' (and perhaps 'strict' and \
                     'spread' if that is negative); or 'first' and 'then' (and perhaps 'delay', 'timeout' and 'strict')",
                ));
            }
        };
        Ok(Self(config::Rule { id: id.0, resources, disable, comment, kind }))
    }

    /// Its name.
    #[getter]
    fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// Its type.
    #[getter(r#type)]
    fn rule_type(&self) -> W<RuleType> {
        W(self.0.rule_type())
    }

    /// The resources that it is about: sorted, each once.
    #[getter]
    fn resources(&self) -> Vec<&str> {
        self.0.resources.iter().map(|sid| sid.as_str()).collect()
    }

    /// The nodes with their priorities, for node affinity.
    #[getter]
    fn nodes(&self) -> Option<BTreeMap<String, i32>> {
        match &self.0.kind {
            RuleKind::NodeAffinity { nodes, .. } => Some(priorities(nodes)),
            RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => None,
        }
    }

    /// Whether the resources run on these nodes or not at all, for node affinity; whether those that come first are waited for without
    /// end, for an order. By default not. Whether they are apart or do not run at all, for negative resource affinity; by default so.
    #[getter]
    fn strict(&self) -> Option<bool> {
        match &self.0.kind {
            RuleKind::NodeAffinity { strict, .. } => Some(strict.unwrap_or(false)),
            RuleKind::ResourceAffinity { .. } => self.0.apart().map(|apart| apart.is_strict()),
            RuleKind::Order(order) => Some(order.is_strict()),
        }
    }

    /// Together or apart, for resource affinity; on the nodes or off them, for node affinity.
    #[getter]
    fn affinity(&self) -> Option<W<Affinity>> {
        self.0.affinity().map(W)
    }

    /// By what they are apart, for negative resource affinity; by default by node.
    #[getter]
    fn spread(&self) -> Option<W<Spread>> {
        self.0.apart()?.spread.map(W)
    }

    /// The services that come first, for an order.
    #[getter]
    fn first(&self) -> Option<Vec<&str>> {
        self.0.order().map(|order| order.first.iter().map(|sid| sid.as_str()).collect())
    }

    /// The services that are started once those that come first are up, for an order.
    #[getter]
    fn then(&self) -> Option<Vec<&str>> {
        self.0.order().map(|order| order.then.iter().map(|sid| sid.as_str()).collect())
    }

    /// For how many seconds those that come first must be up before, for an order; by default 0.
    #[getter]
    fn delay(&self) -> Option<u32> {
        self.0.order().map(config::Order::delay)
    }

    /// For how many seconds they are waited for, for an order; by default 300.
    #[getter]
    fn timeout(&self) -> Option<u32> {
        self.0.order().map(config::Order::timeout)
    }

    /// Whether it takes no part in anything.
    #[getter]
    fn disabled(&self) -> bool {
        self.0.is_disabled()
    }

    /// A person's remark.
    #[getter]
    fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// The properties that are set, as the text that an edit takes.
    #[getter]
    fn properties(&self) -> BTreeMap<&'static str, String> {
        let table = self.0.rule_type().properties().iter();
        table.filter_map(|key| Some((key.as_str(), self.0.text(*key)?))).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        repr(py, "Rule", self.0.id.as_str(), &self.properties())
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&str,), Keywords<'py>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("disable", self.0.disable)?;
        keywords.set_item("comment", self.comment())?;
        if self.0.order().is_none() {
            keywords.set_item("resources", self.resources())?;
        }
        match &self.0.kind {
            RuleKind::NodeAffinity { strict, affinity, .. } => {
                keywords.set_item("affinity", W(*affinity))?;
                keywords.set_item("nodes", self.nodes())?;
                keywords.set_item("strict", strict)?;
            }
            RuleKind::ResourceAffinity { affinity, apart } => {
                keywords.set_item("affinity", W(*affinity))?;
                keywords.set_item("strict", apart.strict)?;
                keywords.set_item("spread", apart.spread.map(W))?;
            }
            RuleKind::Order(order) => {
                keywords.set_item("first", self.first())?;
                keywords.set_item("then", self.then())?;
                keywords.set_item("delay", order.delay)?;
                keywords.set_item("timeout", order.timeout)?;
                keywords.set_item("strict", order.strict)?;
            }
        }
        Ok(((self.id(),), Keywords(keywords)))
    }
}

/// The services of an argument: sorted, each once.
fn sorted(resources: Items<Sid>) -> Vec<ServiceId> {
    let mut resources: Vec<ServiceId> = resources.0.into_iter().map(|Name(sid)| sid).collect();
    resources.sort_unstable();
    resources.dedup();
    resources
}

fn check_seconds(what: &str, seconds: Option<u32>, minimum: u32) -> PyResult<()> {
    let maximum = MAX_ORDER_SECONDS;
    match seconds {
        Some(seconds) if !(minimum..=maximum).contains(&seconds) => {
            Err(PyValueError::new_err(format!("{what}: {seconds} is not from {minimum} to {maximum}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// The nodes of an argument, in their order.
pub(crate) fn node_names(nodes: Items<Node>) -> Vec<NodeName> {
    nodes.0.into_iter().map(|Name(node)| node).collect()
}
