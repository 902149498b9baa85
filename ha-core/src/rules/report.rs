//! What became of a rule set, for machines.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::Serialize;

use super::{Evaluated, Finding, Others, Reason, RuleSet};
use crate::{
    config::{Affinity, NodePriorities, Rule, RuleKind, Spread, rules::RuleType},
    id::{NodeName, RuleId, ServiceId},
};

/// What became of a rule set: which rules were left out and why, which hold, and what they come to. Serialises to
/// an object of `nodes`, `dropped`, `rules` and `compiled`.
#[derive(Debug, Serialize)]
pub struct Report {
    nodes: Vec<NodeName>,
    dropped: Vec<Dropped>,
    rules: BTreeMap<RuleId, Completed>,
    compiled: Compiled,
}

#[derive(Debug, Serialize)]
struct Dropped {
    rule: RuleId,
    reason: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<ServiceId>,
}

#[derive(Debug, Serialize)]
struct Completed {
    r#type: RuleType,
    resources: Vec<ServiceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<NodePriorities>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    affinity: Option<Affinity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spread: Option<Spread>,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    disable: bool,
    #[serde(flatten)]
    order: Option<CompletedOrder>,
}

/// What an order rule has beside all others, with its defaults.
#[derive(Debug, Serialize)]
struct CompletedOrder {
    first: Vec<ServiceId>,
    then: Vec<ServiceId>,
    delay: u32,
    timeout: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Compiled {
    node_affinity: BTreeMap<ServiceId, BTreeMap<NodeName, i32>>,
    positive: BTreeMap<ServiceId, Vec<ServiceId>>,
    negative: BTreeMap<ServiceId, Vec<ServiceId>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rather_apart: BTreeMap<ServiceId, Vec<ServiceId>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    spread: BTreeMap<ServiceId, Vec<ServiceId>>,
}

impl Evaluated {
    /// What became of the rules, for machines. `nodes` are those of the call to [`evaluate`](super::evaluate).
    #[must_use]
    pub fn report(&self, nodes: &[NodeName]) -> Report {
        Report {
            nodes: nodes.to_vec(),
            dropped: self.dropped.iter().map(Dropped::from).collect(),
            rules: completed(&self.completed_rules()),
            compiled: self.compiled_report(),
        }
    }

    fn compiled_report(&self) -> Compiled {
        let rules = &self.compiled;
        let node_affinity = rules.services().filter_map(|sid| {
            let affinity = rules.node_affinity(sid)?;
            Some((sid.clone(), affinity.priorities.iter().cloned().collect()))
        });
        Compiled {
            node_affinity: node_affinity.collect(),
            positive: rules.services().filter_map(|sid| listed(sid, rules.positive(sid))).collect(),
            negative: rules.services().filter_map(|sid| listed(sid, rules.negative(sid))).collect(),
            rather_apart: rules.services().filter_map(|sid| named(sid, rules.rather_apart(sid))).collect(),
            spread: rules.services().filter_map(|sid| named(sid, rules.spread(sid))).collect(),
        }
    }
}

fn listed(sid: &ServiceId, others: Others<'_>) -> Option<(ServiceId, Vec<ServiceId>)> {
    (!others.is_empty()).then(|| (sid.clone(), others.iter().cloned().collect()))
}

fn named(sid: &ServiceId, others: Vec<ServiceId>) -> Option<(ServiceId, Vec<ServiceId>)> {
    (!others.is_empty()).then(|| (sid.clone(), others))
}

fn completed(rules: &RuleSet) -> BTreeMap<RuleId, Completed> {
    rules.iter().map(|rule| (rule.id.clone(), Completed::from(rule))).collect()
}

impl From<&Finding> for Dropped {
    fn from(finding: &Finding) -> Self {
        Self { rule: finding.rule.clone(), reason: finding.reason, sid: finding.sid.clone() }
    }
}

impl From<&Rule> for Completed {
    fn from(rule: &Rule) -> Self {
        let resources = rule.resources.clone();
        let disable = rule.is_disabled();
        match &rule.kind {
            RuleKind::NodeAffinity { nodes, strict, affinity } => Self {
                r#type: rule.rule_type(),
                resources,
                nodes: Some(nodes.clone()),
                strict: Some(strict.unwrap_or(false)),
                affinity: Some(*affinity).filter(|affinity| *affinity == Affinity::Negative),
                spread: None,
                disable,
                order: None,
            },
            RuleKind::ResourceAffinity { affinity, .. } => Self {
                r#type: rule.rule_type(),
                resources,
                nodes: None,
                strict: rule.is_loosely_apart().then_some(false),
                affinity: Some(*affinity),
                spread: rule.apart().and_then(|apart| apart.spread),
                disable,
                order: None,
            },
            RuleKind::Order(order) => Self {
                r#type: rule.rule_type(),
                resources,
                nodes: None,
                strict: Some(order.is_strict()),
                affinity: None,
                spread: None,
                disable,
                order: Some(CompletedOrder {
                    first: order.first.clone(),
                    then: order.then.clone(),
                    delay: order.delay(),
                    timeout: order.timeout(),
                }),
            },
        }
    }
}
