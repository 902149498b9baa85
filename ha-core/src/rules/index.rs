//! Rules over small integers: resources are numbered in their order, rules in the order of their ids.

use alloc::{borrow::Cow, collections::BTreeSet, vec, vec::Vec};

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use crate::{
    config::{Affinity, NodePriorities, Rule, RuleKind, RuleType},
    id::{NodeName, ServiceId},
};

/// Says that a resource has no group, class or rule.
pub(super) const NONE: u32 = u32::MAX;

/// Resources by number, in their order.
pub(super) type Sids = IndexSet<ServiceId, FxBuildHasher>;

/// A count or place as a number. More than four thousand million of anything do not fit into memory.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

/// Lists of numbers, one after another in one allocation. A list that does not exist is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    ends: Vec<usize>,
    items: Vec<u32>,
}

impl Lists {
    /// Appends a list.
    pub(crate) fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.items.extend(list);
        self.ends.push(self.items.len());
    }

    /// The number of lists.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The list of this number.
    pub(crate) fn get(&self, list: u32) -> &[u32] {
        let list = list as usize;
        let start = list.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(list).and_then(|&end| self.items.get(start..end)).unwrap_or(&[])
    }

    /// All lists in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..number(self.len())).map(|list| self.get(list))
    }

    /// `count` lists; each pair of `pairs` adds its second number to the list of its first, in their order.
    pub(crate) fn from_pairs<P: Iterator<Item = (u32, u32)>>(count: usize, pairs: impl Fn() -> P) -> Self {
        let mut lengths = vec![0_usize; count];
        for (list, _) in pairs() {
            if let Some(length) = lengths.get_mut(list as usize) {
                *length = length.saturating_add(1);
            }
        }
        let mut places = Vec::with_capacity(count);
        let mut total = 0_usize;
        for length in lengths {
            places.push(total);
            total = total.saturating_add(length);
        }
        let mut items = vec![0; total];
        for (list, item) in pairs() {
            if let Some(place) = places.get_mut(list as usize) {
                if let Some(slot) = items.get_mut(*place) {
                    *slot = item;
                }
                *place = place.saturating_add(1);
            }
        }
        // Each place has moved on to the end of its list.
        Self { ends: places, items }
    }
}

/// Rules with their resources as numbers.
#[derive(Clone)]
pub(super) struct Indexed<'a> {
    /// All resources that the rules name.
    pub(super) sids: Sids,
    /// The rules by id.
    pub(super) rules: Vec<&'a Rule>,
    /// The resources of each rule, sorted, each once.
    pub(super) members: Lists,
    /// The nodes of each node affinity rule: those that it names, or all others if it is negative.
    nodes: Vec<Option<Cow<'a, NodePriorities>>>,
}

impl<'a> Indexed<'a> {
    /// Numbers the resources of `rules`, which come ordered by id; `nodes` are those of the cluster.
    pub(super) fn new(rules: impl Iterator<Item = &'a Rule>, nodes: &[NodeName]) -> Self {
        let rules: Vec<&Rule> = rules.collect();
        let nodes = rules.iter().map(|rule| nodes_of(rule, nodes)).collect();
        let mut sids: Vec<&ServiceId> = rules.iter().flat_map(|rule| &rule.resources).collect();
        if !sids.is_sorted_by(|a, b| a < b) {
            sids.sort_unstable();
            sids.dedup();
        }
        let sids: Sids = sids.into_iter().cloned().collect();
        let mut members = Lists::default();
        let mut list = Vec::new();
        for rule in &rules {
            list.clear();
            list.extend(rule.resources.iter().filter_map(|sid| sids.get_index_of(sid)).map(number));
            if !list.is_sorted_by(|a, b| a < b) {
                list.sort_unstable();
                list.dedup();
            }
            members.push(list.iter().copied());
        }
        Self { sids, rules, members, nodes }
    }

    /// The same rules, some of them without resources: then these conflict with nothing.
    pub(super) fn emptied(&self, rules: &BTreeSet<u32>) -> Self {
        let mut members = Lists::default();
        for (rule, list) in self.members.iter().enumerate() {
            let list = if rules.contains(&number(rule)) { &[][..] } else { list };
            members.push(list.iter().copied());
        }
        Self { members, ..self.clone() }
    }

    /// Leaves only the rules that `keep` says; the resources keep their numbers.
    pub(super) fn retain(&mut self, keep: impl Fn(&Rule) -> bool) {
        if self.rules.iter().all(|rule| keep(rule)) {
            return;
        }
        let mut members = Lists::default();
        let rules = core::mem::take(&mut self.rules);
        let nodes = core::mem::take(&mut self.nodes);
        for ((rule, nodes), list) in rules.into_iter().zip(nodes).zip(self.members.iter()) {
            if keep(rule) {
                self.rules.push(rule);
                self.nodes.push(nodes);
                members.push(list.iter().copied());
            }
        }
        self.members = members;
    }

    /// The strict rules of one affinity, with their numbers and resources.
    pub(super) fn of_affinity(&self, wanted: Affinity) -> impl Iterator<Item = (u32, &'a Rule, &[u32])> {
        self.numbered().filter(move |(_, rule, _)| {
            rule.rule_type() == RuleType::ResourceAffinity
                && rule.affinity() == Some(wanted)
                && !rule.is_loosely_apart()
        })
    }

    /// The rules that keep resources apart only while there is a place for that, with their numbers and resources.
    pub(super) fn loosely_apart(&self) -> impl Iterator<Item = (u32, &'a Rule, &[u32])> {
        self.numbered().filter(|(_, rule, _)| rule.is_loosely_apart())
    }

    /// The strict rules that keep resources apart by failure domain, with their numbers and resources.
    pub(super) fn strictly_spread(&self) -> impl Iterator<Item = (u32, &'a Rule, &[u32])> {
        self.of_affinity(Affinity::Negative).filter(|(_, rule, _)| rule.is_spread())
    }

    /// The node affinity rules, with their numbers, resources, nodes, and whether they are strict.
    pub(super) fn node_affinities(&self) -> impl Iterator<Item = (u32, &[u32], &NodePriorities, bool)> {
        self.numbered().zip(&self.nodes).filter_map(|((number, rule, members), nodes)| match &rule.kind {
            RuleKind::NodeAffinity { strict, .. } => {
                Some((number, members, nodes.as_deref()?, strict.unwrap_or(false)))
            }
            RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => None,
        })
    }

    /// All rules with their numbers and resources.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u32, &'a Rule, &[u32])> {
        self.rules.iter().zip(self.members.iter()).enumerate().map(|(at, (rule, members))| (number(at), *rule, members))
    }
}

/// The nodes of a node affinity rule in a cluster of `nodes`.
fn nodes_of<'a>(rule: &'a Rule, nodes: &[NodeName]) -> Option<Cow<'a, NodePriorities>> {
    match &rule.kind {
        RuleKind::NodeAffinity { nodes, affinity: Affinity::Positive, .. } => Some(Cow::Borrowed(nodes)),
        RuleKind::NodeAffinity { nodes: but, affinity: Affinity::Negative, .. } => {
            let others = nodes.iter().filter(|node| !but.contains_key(*node));
            Some(Cow::Owned(others.map(|node| (node.clone(), 0)).collect()))
        }
        RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => None,
    }
}

/// Positive rules that are joined by the resources that they share. No two groups have a resource in common.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    /// The group of each resource, or [`NONE`].
    pub(super) of_sid: Vec<u32>,
    /// The rules of each group, in the order of their lowest resources, then of their ids.
    pub(super) rules: Lists,
    /// The resources of each group, sorted.
    pub(super) members: Lists,
}

impl Groups {
    pub(super) fn new(indexed: &Indexed<'_>) -> Self {
        let mut joined = DisjointSets::new(indexed.sids.len());
        let mut positive: Vec<(u32, u32)> = Vec::new();
        for (rule, _, members) in indexed.of_affinity(Affinity::Positive) {
            if let Some((&lowest, others)) = members.split_first() {
                positive.push((lowest, rule));
                others.iter().for_each(|&other| joined.join(lowest, other));
            }
        }
        positive.sort_unstable();

        // Groups are numbered in the order of their first rules, which is that of their lowest resources.
        let mut of_root = vec![NONE; indexed.sids.len()];
        let mut count = 0_u32;
        for &(lowest, _) in &positive {
            if let Some(group) = of_root.get_mut(joined.root(lowest) as usize)
                && *group == NONE
            {
                *group = count;
                count = count.saturating_add(1);
            }
        }
        let of_sid: Vec<u32> = (0..number(indexed.sids.len()))
            .map(|sid| of_root.get(joined.root(sid) as usize).copied().unwrap_or(NONE))
            .collect();
        let group_of = |sid: u32| of_sid.get(sid as usize).copied().unwrap_or(NONE);
        let rules =
            Lists::from_pairs(count as usize, || positive.iter().map(|&(lowest, rule)| (group_of(lowest), rule)));
        let members = Lists::from_pairs(count as usize, || of_sid.iter().zip(0..).map(|(&group, sid)| (group, sid)));
        Self { of_sid, rules, members }
    }

    /// The group of a resource, or [`NONE`].
    pub(super) fn of(&self, sid: u32) -> u32 {
        self.of_sid.get(sid as usize).copied().unwrap_or(NONE)
    }
}

/// Union-find over numbers.
struct DisjointSets {
    parents: Vec<u32>,
}

impl DisjointSets {
    fn new(count: usize) -> Self {
        Self { parents: (0..number(count)).collect() }
    }

    fn parent(&self, of: u32) -> u32 {
        self.parents.get(of as usize).copied().unwrap_or(of)
    }

    /// The lowest number of a set. Halves the path on the way.
    fn root(&mut self, mut of: u32) -> u32 {
        loop {
            let parent = self.parent(of);
            if parent == of {
                return of;
            }
            let grandparent = self.parent(parent);
            if let Some(slot) = self.parents.get_mut(of as usize) {
                *slot = grandparent;
            }
            of = grandparent;
        }
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.parents.get_mut(a.max(b) as usize) {
            *slot = a.min(b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_found() {
        let mut lists = Lists::default();
        lists.push([2, 0]);
        lists.push([]);
        lists.push([2]);
        assert_eq!(lists.iter().collect::<Vec<_>>(), [&[2, 0][..], &[], &[2]]);
        assert_eq!(lists.get(3), &[] as &[u32]);
        assert_eq!(lists.len(), 3);
    }

    #[test]
    fn pairs_become_lists() {
        let lists = Lists::from_pairs(3, || [(2, 7), (0, 5), (2, 6), (9, 1)].into_iter());
        assert_eq!(lists.iter().collect::<Vec<_>>(), [&[5][..], &[], &[7, 6]]);
    }

    #[test]
    fn joined_sets_have_their_lowest_number_as_root() {
        let mut sets = DisjointSets::new(6);
        sets.join(5, 4);
        sets.join(1, 3);
        sets.join(3, 5);
        assert_eq!([0, 1, 2, 3, 4, 5].map(|n| sets.root(n)), [0, 1, 2, 1, 1, 1]);
    }
}
