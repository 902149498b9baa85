//! The compiled rules for the services of a table: services by their positions in it.

use alloc::vec::Vec;

use super::node_set::NodeSet;
use crate::{
    id::NodeName,
    rules::{CompiledRules, NodeAffinity, Others},
    status::ServiceTable,
};

/// Stands for "none" among positions and numbers.
const NONE: u32 = u32::MAX;

/// The compiled rules with positions in the place of names.
///
/// Made anew when the rules change, or the services of the table. Services that are in a rule but not in the table use no
/// node, so nothing is said of them.
#[derive(Debug, Clone)]
pub(crate) struct PlacementRules {
    compiled: CompiledRules,
    /// For each service of the table its number in the compiled rules, or [`NONE`].
    number_of: Vec<u32>,
    /// For each number of the compiled rules the position of that service in the table, or [`NONE`].
    position_of: Vec<u32>,
}

impl PlacementRules {
    pub(crate) fn new(compiled: CompiledRules, services: &ServiceTable) -> Self {
        let position = |sid| services.position(sid).and_then(|position| u32::try_from(position).ok()).unwrap_or(NONE);
        let position_of = compiled.services().map(position).collect();
        let number_of = services.iter().map(|(sid, _)| compiled.number(sid).unwrap_or(NONE)).collect();
        Self { compiled, number_of, position_of }
    }

    pub(crate) fn compiled(&self) -> &CompiledRules {
        &self.compiled
    }

    /// The number of the node affinity rule of a service.
    pub(crate) fn node_affinity(&self, service: usize) -> Option<usize> {
        self.compiled.affinity_of(self.number(service)?).map(|rule| rule as usize)
    }

    /// The services that must share a node with this one, by SID.
    pub(crate) fn positive(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        self.positions(self.number(service).map(|number| self.compiled.positive_of(number)))
    }

    /// The services that must not share a node with this one, by SID.
    pub(crate) fn negative(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        self.positions(self.number(service).map(|number| self.compiled.negative_of(number)))
    }

    /// How many groups of services there are that must share a node.
    pub(crate) fn groups(&self) -> usize {
        self.compiled.positive_groups()
    }

    /// The group of services that must share a node with this one, itself included.
    pub(crate) fn group(&self, service: usize) -> Option<usize> {
        self.compiled.positive_group_of(self.number(service)?)
    }

    fn number(&self, service: usize) -> Option<u32> {
        self.number_of.get(service).copied().filter(|number| *number != NONE)
    }

    fn positions<'a>(&'a self, others: Option<Others<'a>>) -> impl Iterator<Item = usize> + 'a {
        others.into_iter().flat_map(|others| others.numbers()).filter_map(|number| {
            let position = self.position_of.get(number as usize).copied()?;
            (position != NONE).then_some(position as usize)
        })
    }
}

/// Which of the online nodes a node affinity rule allows, and which of those it prefers.
#[derive(Debug, Clone)]
pub(crate) struct NodeClasses {
    pub(crate) allowed: NodeSet,
    pub(crate) preferred: NodeSet,
}

impl NodeClasses {
    /// Without a rule all online nodes are allowed and preferred.
    pub(crate) fn without_rule(online: usize) -> Self {
        let all = NodeSet::full(online);
        Self { allowed: all.clone(), preferred: all }
    }

    /// Allowed are the online nodes that the rule gives a priority, preferred those of them in the highest class that
    /// has any.
    pub(crate) fn of_rule(rule: &NodeAffinity, online: &[NodeName]) -> Self {
        let mut allowed = NodeSet::empty(online.len());
        let mut preferred = NodeSet::empty(online.len());
        let mut highest = None;
        for (position, node) in online.iter().enumerate() {
            let Some(priority) = rule.priority(node) else { continue };
            allowed.insert(position);
            if highest.is_none_or(|highest| priority > highest) {
                highest = Some(priority);
                preferred.clear();
            }
            if highest == Some(priority) {
                preferred.insert(position);
            }
        }
        Self { allowed, preferred }
    }
}
