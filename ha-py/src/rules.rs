//! Rule sets: checked, completed, compiled.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    host,
    id::{NodeName, RuleId, ServiceId},
    rules::{self, Finding},
};
use pyo3::{prelude::*, types::PyAny};

use crate::{
    config::{self, Iter, Rule},
    convert::{Items, Name, Node, OutAll, Sid, plain},
};

/// Rules that are looked at together.
///
/// >>> from pyha import Rule, RuleSet
/// >>> rules = RuleSet([Rule("apart", ["vm:100", "vm:101"], affinity="negative")])
/// >>> [(finding.rule, str(finding.reason)) for finding in rules.check(nodes=["node1"])]
/// [('apart', 'more_resources_than_nodes')]
#[pyclass(frozen, eq, module = "pyha")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RuleSet(Arc<rules::RuleSet>);

impl RuleSet {
    pub(crate) fn of(configuration: &host::Configuration) -> Self {
        Self(Arc::new(configuration.rule_set()))
    }
}

#[pymethods]
impl RuleSet {
    #[new]
    #[pyo3(signature = (rules=Items::default()))]
    fn new(rules: Items<PyRef<'_, Rule>>) -> Self {
        Self(Arc::new(rules.0.iter().map(|rule| rule.0.clone()).collect()))
    }

    /// The rules of a file.
    #[staticmethod]
    fn from_config(config: PyRef<'_, config::RulesConfig>) -> Self {
        Self(Arc::new(rules::RuleSet::from_config(&config.config)))
    }

    /// The rule of this name, or ``None``.
    fn get(&self, id: &str) -> PyResult<Option<Rule>> {
        let rule = self.0.iter().find(|rule| rule.id.as_str() == id);
        Ok(rule.cloned().map(Rule))
    }

    /// All rules, by name.
    fn rules(&self) -> Vec<Rule> {
        self.0.iter().cloned().map(Rule).collect()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Iter<'py, Rule>> {
        Iter::over(py, self.rules())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// What cannot hold in a cluster of ``nodes``: all known members, online or not.
    fn check(&self, py: Python<'_>, nodes: Items<Node>) -> OutAll<Finding> {
        let nodes = node_names(nodes);
        OutAll(py.detach(|| self.0.check(&nodes)))
    }

    /// Leaves out what is at fault, completes and compiles the rest.
    fn evaluate(&self, py: Python<'_>, nodes: Items<Node>) -> Evaluated {
        let nodes = node_names(nodes);
        let evaluated = py.detach(|| rules::evaluate(&self.0, &nodes));
        Evaluated { evaluated, nodes }
    }

    fn __repr__(&self) -> String {
        format!("<RuleSet: {} rules>", self.0.len())
    }
}

/// What became of a rule set.
#[pyclass(frozen, module = "pyha")]
#[derive(Debug)]
pub(crate) struct Evaluated {
    evaluated: rules::Evaluated,
    nodes: Vec<NodeName>,
}

#[pymethods]
impl Evaluated {
    /// Why rules were left out.
    #[getter]
    fn dropped(&self) -> OutAll<Finding> {
        OutAll(self.evaluated.dropped.clone())
    }

    /// The rules that hold, with those that follow from them.
    #[getter]
    fn rules(&self) -> RuleSet {
        RuleSet(Arc::new(self.evaluated.completed_rules()))
    }

    /// The priorities of the nodes that a service may or should use, if a rule says so.
    fn node_affinity(&self, sid: Sid) -> Option<BTreeMap<String, i32>> {
        let affinity = self.evaluated.compiled.node_affinity(&sid.0)?;
        Some(affinity.priorities.iter().map(|(node, priority)| (node.to_string(), *priority)).collect())
    }

    /// The services that must run where this one does.
    fn positive(&self, sid: Sid) -> Vec<String> {
        self.evaluated.compiled.positive(&sid.0).iter().map(ToString::to_string).collect()
    }

    /// The services that must not run where this one does.
    fn negative(&self, sid: Sid) -> Vec<String> {
        self.evaluated.compiled.negative(&sid.0).iter().map(ToString::to_string).collect()
    }

    /// The services from which this one should rather be apart: loose rules keep them apart while there is a place for that.
    fn rather_apart(&self, sid: Sid) -> Vec<Name<ServiceId>> {
        names(self.evaluated.compiled.rather_apart(&sid.0))
    }

    /// The rules by which two services must be together.
    fn why_together(&self, one: Sid, other: Sid) -> Vec<Name<RuleId>> {
        names(self.evaluated.compiled.why_together(&one.0, &other.0))
    }

    /// The rules by which two services must be apart.
    fn why_apart(&self, one: Sid, other: Sid) -> Vec<Name<RuleId>> {
        names(self.evaluated.compiled.why_apart(&one.0, &other.0))
    }

    /// The loose rules by which two services should rather be apart.
    fn why_rather_apart(&self, one: Sid, other: Sid) -> Vec<Name<RuleId>> {
        names(self.evaluated.compiled.why_rather_apart(&one.0, &other.0))
    }

    /// The services that rules are about.
    fn services(&self) -> Vec<Name<ServiceId>> {
        names(self.evaluated.compiled.services().cloned())
    }

    /// All of it as plain data.
    #[pyo3(signature = () -> "dict[str, object]")]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.evaluated.report(&self.nodes))
    }

    fn __repr__(&self) -> String {
        format!("<Evaluated: {} rules, {} dropped>", self.evaluated.rules.len(), self.evaluated.dropped.len())
    }
}

fn names<T>(names: impl IntoIterator<Item = T>) -> Vec<Name<T>> {
    names.into_iter().map(Name).collect()
}

fn node_names(nodes: Items<Node>) -> Vec<NodeName> {
    nodes.0.into_iter().map(|Name(node)| node).collect()
}
