//! The form of the rules that placement asks, thousands of times a round.

use alloc::{vec, vec::Vec};
use core::fmt;

use super::{
    domains::FailureDomains,
    index::{Groups, Indexed, Lists, NONE, Sids, number},
};
use crate::{
    config::{Affinity, NodePriorities, Rule},
    id::{NodeName, RuleId, ServiceId},
};

/// The priority of a node that a rule which is not strict does not name.
const UNNAMED_PRIORITY: i32 = -1;

/// Rules after checks and completion, to be asked for single services.
///
/// What services have in common is held once: a node affinity for each rule, and for services that must be together one
/// list of them and one of those that a negative rule keeps apart from any of them. What a service keeps away from as a
/// whole, since a negative rule names one of it, is named as a group.
#[derive(Debug, Clone)]
pub struct CompiledRules {
    pub(super) sids: Sids,
    node_affinities: Vec<NodeAffinity>,
    /// The node affinity of each resource, or [`NONE`].
    affinity_of: Vec<u32>,
    pub(super) groups: Groups,
    /// For each group the resources that a negative rule keeps apart from one of its own, sorted.
    negative_of_group: Lists,
    /// For each resource what it must keep away from beyond that and is in no group, sorted.
    negative_of_sid: Lists,
    /// For each resource the groups that it must keep away from altogether, sorted.
    negative_groups_of_sid: Lists,
    /// The rules that keep services apart only while there is a place for that, by id.
    loosely_apart: Vec<KeptApart>,
    /// The strict rules that keep services apart by failure domain, by id. What they say of single nodes is in `negative_…` too.
    strictly_spread: Vec<KeptApart>,
    /// What fails together; empty where no rule asks.
    domains: FailureDomains,
    /// The ids and resources of all rules that were compiled, and which of them hold a resource: to explain the rest.
    pub(super) rule_ids: Vec<RuleId>,
    pub(super) members: Lists,
    pub(super) positive_rules: Lists,
    pub(super) negative_rules: Lists,
}

/// Services that a rule keeps apart.
///
/// What must be on one node is one side of it: all of that keeps apart from the others, and none of it from itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptApart {
    /// The rule.
    pub rule: RuleId,
    /// Whether they are apart by failure domain, and not by node.
    pub by_domain: bool,
    /// The services by their places in [`CompiledRules::services`], rising, each with the number of its side.
    pub(crate) sides: Vec<(u32, u32)>,
}

impl KeptApart {
    fn new(rule: &Rule, members: &[u32], groups: &Groups) -> Self {
        let mut sides = Vec::new();
        for (&sid, side) in members.iter().zip(0..) {
            match groups.of(sid) {
                NONE => sides.push((sid, side)),
                group => sides.extend(groups.members.get(group).iter().map(|other| (*other, side))),
            }
        }
        sides.sort_unstable();
        Self { rule: rule.id.clone(), by_domain: rule.is_spread(), sides }
    }

    /// The side on which a service is, if the rule is about it.
    pub(super) fn side_of(&self, sid: u32) -> Option<u32> {
        let at = self.sides.binary_search_by_key(&sid, |(other, _)| *other).ok()?;
        self.sides.get(at).map(|(_, side)| *side)
    }

    /// Whether it keeps two services apart.
    pub(super) fn keeps_apart(&self, one: u32, other: u32) -> bool {
        self.side_of(one).zip(self.side_of(other)).is_some_and(|(one, other)| one != other)
    }

    /// The services from which it keeps one apart, rising.
    fn others(&self, sid: u32) -> impl Iterator<Item = u32> {
        let own = self.side_of(sid);
        let others = self.sides.iter().filter(move |(_, side)| own.is_some_and(|own| own != *side));
        others.map(|(sid, _)| *sid)
    }
}

/// The nodes that a service may use, or should use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAffinity {
    /// The rule.
    pub rule: RuleId,
    /// Whether its services run on the nodes that it names or not at all. Then `priorities` has these nodes only,
    /// otherwise also every other node of the cluster, with priority −1.
    pub strict: bool,
    /// The nodes with their priorities, sorted by node. The higher number is preferred.
    pub priorities: Vec<(NodeName, i32)>,
}

impl NodeAffinity {
    fn new(rule: RuleId, named: &NodePriorities, strict: bool, nodes: &[NodeName]) -> Self {
        let mut priorities: Vec<(NodeName, i32)> =
            named.iter().map(|(node, priority)| (node.clone(), *priority)).collect();
        if !strict {
            let others = nodes.iter().filter(|node| !named.contains_key(*node));
            priorities.extend(others.map(|node| (node.clone(), UNNAMED_PRIORITY)));
            priorities.sort_unstable();
            priorities.dedup();
        }
        Self { rule, strict, priorities }
    }

    /// The priority of a node, or nothing if services must not run there.
    #[must_use]
    pub fn priority(&self, node: &NodeName) -> Option<i32> {
        let at = self.priorities.binary_search_by(|(other, _)| other.cmp(node)).ok()?;
        self.priorities.get(at).map(|(_, priority)| *priority)
    }
}

impl CompiledRules {
    /// The node affinity of a service.
    #[must_use]
    pub fn node_affinity(&self, sid: &ServiceId) -> Option<&NodeAffinity> {
        self.node_affinities.get(self.node_affinity_index(sid)?)
    }

    /// The place in [`CompiledRules::node_affinities`] of the node affinity of a service: a key for what a caller works out
    /// once for each rule.
    #[must_use]
    pub fn node_affinity_index(&self, sid: &ServiceId) -> Option<usize> {
        self.affinity_of(self.number(sid)?).map(|affinity| affinity as usize)
    }

    /// All node affinities, by rule id.
    #[must_use]
    pub fn node_affinities(&self) -> &[NodeAffinity] {
        &self.node_affinities
    }

    /// The other services that must be on the same node.
    #[must_use]
    pub fn positive(&self, sid: &ServiceId) -> Others<'_> {
        self.number(sid).map_or(self.nobody(), |number| self.positive_of(number))
    }

    /// The services that must not be on the same node.
    #[must_use]
    pub fn negative(&self, sid: &ServiceId) -> Others<'_> {
        self.number(sid).map_or(self.nobody(), |number| self.negative_of(number))
    }

    /// The rules that keep services apart only while there is a place for that, by id.
    #[must_use]
    pub fn loosely_apart(&self) -> &[KeptApart] {
        &self.loosely_apart
    }

    /// The strict rules that keep services apart by failure domain, by id.
    #[must_use]
    pub fn strictly_spread(&self) -> &[KeptApart] {
        &self.strictly_spread
    }

    /// Whether any rule asks what fails together.
    pub(crate) fn asks_for_domains(&self) -> bool {
        !self.strictly_spread.is_empty() || self.loosely_apart.iter().any(|rule| rule.by_domain)
    }

    /// What fails together; nothing where no rule asks.
    pub(crate) fn domains(&self) -> &FailureDomains {
        &self.domains
    }

    /// The services that must not be in the failure domain of this one: sorted, each once.
    #[must_use]
    pub fn spread(&self, sid: &ServiceId) -> Vec<ServiceId> {
        self.others_by(&self.strictly_spread, sid)
    }

    /// The services that are kept apart from this one only while there is a place for that: sorted, each once.
    #[must_use]
    pub fn rather_apart(&self, sid: &ServiceId) -> Vec<ServiceId> {
        self.others_by(&self.loosely_apart, sid)
    }

    fn others_by(&self, rules: &[KeptApart], sid: &ServiceId) -> Vec<ServiceId> {
        let Some(number) = self.number(sid) else { return Vec::new() };
        let mut others: Vec<u32> = rules.iter().flat_map(|rule| rule.others(number)).collect();
        others.sort_unstable();
        others.dedup();
        self.names(&others)
    }

    /// The services that some rule is about, sorted.
    pub fn services(&self) -> impl Iterator<Item = &ServiceId> {
        self.sids.iter()
    }

    pub(crate) fn number(&self, sid: &ServiceId) -> Option<u32> {
        self.sids.get_index_of(sid).map(number)
    }

    pub(crate) fn affinity_of(&self, sid: u32) -> Option<u32> {
        self.affinity_of.get(sid as usize).copied().filter(|affinity| *affinity != NONE)
    }

    fn positive_of(&self, sid: u32) -> Others<'_> {
        let shared = self.groups.members.get(self.groups.of(sid));
        Others { shared, except: sid, ..self.nobody() }
    }

    /// The groups of services that must be on one node, each with the services that it must keep away from as a whole.
    pub(crate) fn positive_groups(&self) -> impl Iterator<Item = (&[u32], &[u32])> {
        self.groups.members.iter().zip(self.negative_of_group.iter())
    }

    /// The place of a service's group in [`CompiledRules::positive_groups`].
    pub(crate) fn positive_group_of(&self, sid: u32) -> Option<u32> {
        Some(self.groups.of(sid)).filter(|group| *group != NONE)
    }

    /// What a service must keep away from beyond what its group must, and is in no group.
    pub(crate) fn apart_from_one(&self, sid: u32) -> &[u32] {
        self.negative_of_sid.get(sid)
    }

    /// The groups that a service must keep away from altogether.
    pub(crate) fn groups_apart_from_one(&self, sid: u32) -> &[u32] {
        self.negative_groups_of_sid.get(sid)
    }

    fn negative_of(&self, sid: u32) -> Others<'_> {
        Others {
            shared: self.negative_of_group.get(self.groups.of(sid)),
            own: self.negative_of_sid.get(sid),
            whole: self.negative_groups_of_sid.get(sid),
            except: sid,
            ..self.nobody()
        }
    }

    pub(super) fn names(&self, sids: &[u32]) -> Vec<ServiceId> {
        sids.iter().filter_map(|&sid| self.sids.get_index(sid as usize)).cloned().collect()
    }

    fn nobody(&self) -> Others<'_> {
        Others { sids: &self.sids, groups: &self.groups, shared: &[], own: &[], whole: &[], except: NONE }
    }
}

/// Other services that a service must, or must not, be together with. Iterates sorted.
#[derive(Clone, Copy)]
pub struct Others<'a> {
    sids: &'a Sids,
    groups: &'a Groups,
    /// Sorted. The service itself may be among them.
    shared: &'a [u32],
    /// Sorted; nothing of it is in `shared`.
    own: &'a [u32],
    /// Groups of which all are among them. Some of them may be in `shared` too, none in `own`.
    whole: &'a [u32],
    except: u32,
}

impl<'a> Others<'a> {
    /// The services, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &'a ServiceId> + use<'a> {
        let sids = self.sids;
        self.numbers().into_iter().filter_map(move |sid| sids.get_index(sid as usize))
    }

    /// Their places in [`CompiledRules::services`], rising.
    fn numbers(self) -> Vec<u32> {
        let whole = self.whole.iter().flat_map(|group| self.groups.members.get(*group));
        let all = self.shared.iter().chain(self.own).chain(whole);
        let mut numbers: Vec<u32> = all.copied().filter(|sid| *sid != self.except).collect();
        if !self.own.is_empty() || !self.whole.is_empty() {
            numbers.sort_unstable();
            numbers.dedup();
        }
        numbers
    }

    /// The number of services.
    #[must_use]
    pub fn len(&self) -> usize {
        if !self.whole.is_empty() {
            return self.numbers().len();
        }
        let all = self.shared.len().saturating_add(self.own.len());
        all.saturating_sub(usize::from(self.holds(self.except)))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.len() == 0
    }

    /// Whether `sid` is among them. Takes logarithmic time.
    #[must_use]
    pub fn contains(&self, sid: &ServiceId) -> bool {
        let number = self.sids.get_index_of(sid).map(number);
        number.is_some_and(|sid| sid != self.except && self.holds(sid))
    }

    fn holds(&self, sid: u32) -> bool {
        self.shared.binary_search(&sid).is_ok()
            || self.own.binary_search(&sid).is_ok()
            || self.whole.binary_search(&self.groups.of(sid)).is_ok()
    }
}

impl fmt::Debug for Others<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Compiles rules that passed the checks. Completion follows from how they are held, see the fields of
/// [`CompiledRules`].
pub(super) fn compile(indexed: Indexed<'_>, nodes: &[NodeName], domains: &FailureDomains) -> CompiledRules {
    let count = indexed.sids.len();
    let groups = Groups::new(&indexed);
    let node_affinities = indexed
        .node_affinities()
        .filter_map(|(rule, _, named, strict)| {
            let rule = indexed.rules.get(rule as usize)?;
            Some(NodeAffinity::new(rule.id.clone(), named, strict, nodes))
        })
        .collect();
    let rules_of_sid = |affinity| {
        Lists::from_pairs(count, || {
            indexed.of_affinity(affinity).flat_map(|(rule, _, members)| members.iter().map(move |&sid| (sid, rule)))
        })
    };
    let negative_rules = rules_of_sid(Affinity::Negative);
    let (negative_of_group, negative_of_sid, negative_groups_of_sid) = apart(&indexed, &groups, &negative_rules);
    let positive_rules = rules_of_sid(Affinity::Positive);
    let kept_apart = |(_, rule, members): (u32, &Rule, &[u32])| KeptApart::new(rule, members, &groups);
    let loosely_apart: Vec<KeptApart> = indexed.loosely_apart().map(kept_apart).collect();
    let strictly_spread: Vec<KeptApart> = indexed.strictly_spread().map(kept_apart).collect();
    let asks = loosely_apart.iter().chain(&strictly_spread).any(|rule| rule.by_domain);
    CompiledRules {
        domains: if asks { domains.clone() } else { FailureDomains::default() },
        loosely_apart,
        strictly_spread,
        node_affinities,
        affinity_of: affinities(&indexed, &groups),
        negative_of_group,
        negative_of_sid,
        negative_groups_of_sid,
        groups,
        rule_ids: indexed.rules.iter().map(|rule| rule.id.clone()).collect(),
        positive_rules,
        negative_rules,
        sids: indexed.sids,
        members: indexed.members,
    }
}

/// The node affinity of each resource. What holds for one resource of a group holds for all of it.
fn affinities(indexed: &Indexed<'_>, groups: &Groups) -> Vec<u32> {
    let mut affinity_of = vec![NONE; indexed.sids.len()];
    let mut bind = |sid: u32, affinity: u32| {
        if let Some(slot) = affinity_of.get_mut(sid as usize) {
            *slot = affinity;
        }
    };
    let mut unbound = vec![true; groups.members.len()];
    for (affinity, (_, members, ..)) in indexed.node_affinities().enumerate() {
        for &sid in members {
            bind(sid, number(affinity));
            let group = groups.of(sid);
            if let Some(unbound) = unbound.get_mut(group as usize)
                && core::mem::take(unbound)
            {
                groups.members.get(group).iter().for_each(|&other| bind(other, number(affinity)));
            }
        }
    }
    affinity_of
}

/// What groups and resources must keep away from: by the negative rules, and by the positive rules that pass these on.
///
/// A resource keeps away from what a negative rule keeps apart from any resource of its group, and from the whole group of
/// what a negative rule keeps apart from itself. This is one step, not a closure: two groups of which one resource each
/// must be apart do not have to be apart altogether.
fn apart(indexed: &Indexed<'_>, groups: &Groups, negative_rules: &Lists) -> (Lists, Lists, Lists) {
    let named_apart = |sid: u32| {
        let rules = negative_rules.get(sid).iter();
        rules.flat_map(|&rule| indexed.members.get(rule)).copied().filter(move |other| *other != sid)
    };
    let mut of_group = Lists::default();
    let mut others: Vec<u32> = Vec::new();
    for members in groups.members.iter() {
        others.clear();
        others.extend(members.iter().flat_map(|&sid| named_apart(sid)));
        others.sort_unstable();
        others.dedup();
        of_group.push(others.iter().copied());
    }
    let mut of_sid = Lists::default();
    let mut whole_of_sid = Lists::default();
    let mut whole: Vec<u32> = Vec::new();
    for sid in 0..number(indexed.sids.len()) {
        let shared = of_group.get(groups.of(sid));
        others.clear();
        whole.clear();
        for other in named_apart(sid) {
            match groups.of(other) {
                NONE => others.push(other),
                group => whole.push(group),
            }
        }
        for list in [&mut others, &mut whole] {
            list.sort_unstable();
            list.dedup();
        }
        others.retain(|other| shared.binary_search(other).is_err());
        of_sid.push(others.iter().copied());
        whole_of_sid.push(whole.iter().copied());
    }
    (of_group, of_sid, whole_of_sid)
}
