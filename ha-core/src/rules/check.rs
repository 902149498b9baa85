//! What cannot hold together in a set of rules.

use alloc::{borrow::Cow, collections::BTreeSet, sync::Arc, vec, vec::Vec};
use core::fmt;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::{
    domains::{Domain, FailureDomains},
    index::{Groups, Indexed, Lists, NONE, number},
};
use crate::{
    config::{Affinity, NodePriorities, RuleKind},
    id::{NodeName, RuleId, ServiceId},
    text_enum::text_enum,
};

/// For how many of the rules or groups that it conflicts with one rule is reported for one reason.
///
/// Thousands of rules that all conflict with each other would give millions of findings that help nobody.
pub const MAX_REPEATS: usize = 10;

/// How many other rules a finding names.
const MAX_NAMED: usize = 10;

/// What is wrong with a rule, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A resource is in more than one node affinity rule.
    ResourceInSeveralNodeAffinityRules,
    /// A node affinity rule is negative and gives priorities.
    NegativeNodeAffinityWithPriorities,
    /// A node affinity rule is negative and names all nodes.
    NegativeNodeAffinityLeavesNoNode,
    /// A resource affinity rule names fewer than two resources.
    FewerThanTwoResources,
    /// A negative rule has more resources than the cluster has nodes.
    MoreResourcesThanNodes,
    /// A negative rule spreads more resources over failure domains than the cluster has of these.
    MoreResourcesThanDomains,
    /// Two resources must be together by positive rules and apart by a negative one.
    PositiveAndNegativeConflict,
    /// A resource affinity rule shares resources with a node affinity rule of more than one priority.
    SeveralPrioritiesWithResourceAffinity,
    /// Resources that must be together are in different node affinity rules.
    PositiveAffinityInSeveralNodeAffinityRules,
    /// Resources that must be apart are bound to fewer nodes than they are.
    NegativeAffinityExceedsNodes,
    /// Resources that must be apart by failure domain are bound to nodes of fewer domains than they are.
    NegativeAffinityExceedsDomains,
    /// An order rule names a resource as first and as then.
    OrderAgainstItself,
    /// Order rules let resources wait for each other in a circle.
    OrderCircle,
}

text_enum! {
    Reason: "a reason why a rule cannot hold",
    ResourceInSeveralNodeAffinityRules = "resource_in_several_node_affinity_rules",
    NegativeNodeAffinityWithPriorities = "negative_node_affinity_with_priorities",
    NegativeNodeAffinityLeavesNoNode = "negative_node_affinity_leaves_no_node",
    FewerThanTwoResources = "fewer_than_two_resources",
    MoreResourcesThanNodes = "more_resources_than_nodes",
    MoreResourcesThanDomains = "more_resources_than_domains",
    PositiveAndNegativeConflict = "positive_and_negative_conflict",
    SeveralPrioritiesWithResourceAffinity = "several_priorities_with_resource_affinity",
    PositiveAffinityInSeveralNodeAffinityRules = "positive_affinity_in_several_node_affinity_rules",
    NegativeAffinityExceedsNodes = "negative_affinity_exceeds_nodes",
    NegativeAffinityExceedsDomains = "negative_affinity_exceeds_domains",
    OrderAgainstItself = "order_against_itself",
    OrderCircle = "order_circle",
}

/// A rule that cannot hold, and why. Displays as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// What is wrong with it.
    pub reason: Reason,
    /// The resource at fault, for [`Reason::ResourceInSeveralNodeAffinityRules`] and [`Reason::OrderAgainstItself`].
    pub sid: Option<ServiceId>,
    partners: Arc<Partners>,
}

/// Rules that take part in a conflict.
#[derive(Debug, PartialEq, Eq)]
struct Partners {
    /// The first of them in order, one more than are named, since the rule itself may be among them.
    first: Vec<RuleId>,
    /// Whether there are still more.
    truncated: bool,
}

impl Finding {
    /// What is wrong with one of `rules`, which are in order.
    pub(super) fn of_rules(rule: RuleId, reason: Reason, sid: Option<&ServiceId>, rules: &[RuleId]) -> Self {
        let named = MAX_NAMED.saturating_add(1);
        let first: Vec<RuleId> = rules.iter().take(named).cloned().collect();
        let partners = Arc::new(Partners { first, truncated: rules.len() > named });
        Self { rule, reason, sid: sid.cloned(), partners }
    }

    /// The other rules that take part in the conflict, by id, at most ten of them.
    pub fn with(&self) -> impl Iterator<Item = &RuleId> {
        self.others().take(MAX_NAMED)
    }

    /// Whether more rules take part than [`Finding::with`] names.
    #[must_use]
    pub fn with_more(&self) -> bool {
        self.partners.truncated || self.others().count() > MAX_NAMED
    }

    fn others(&self) -> impl Iterator<Item = &RuleId> {
        self.partners.first.iter().filter(|id| **id != self.rule)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule '{}': ", self.rule)?;
        let others = Named(self);
        match self.reason {
            Reason::ResourceInSeveralNodeAffinityRules => {
                let sid = self.sid.as_ref().map_or("a resource", ServiceId::as_str);
                write!(f, "{sid} is also in {others}; a resource can be in one node affinity rule only")
            }
            Reason::NegativeNodeAffinityWithPriorities => {
                write!(f, "a negative node affinity rule keeps off all of its nodes alike, so they take no priorities")
            }
            Reason::NegativeNodeAffinityLeavesNoNode => {
                write!(f, "it keeps its resources off every node of the cluster; name fewer nodes")
            }
            Reason::FewerThanTwoResources => write!(f, "a resource affinity rule needs at least two resources"),
            Reason::MoreResourcesThanNodes => {
                write!(
                    f,
                    "it keeps more resources apart than the cluster has nodes, so all of it is left out and they may share \
                     nodes; name fewer resources, or add nodes"
                )
            }
            Reason::MoreResourcesThanDomains => {
                write!(
                    f,
                    "it spreads more resources over failure domains than the nodes of the cluster are in, so all of it is left out and \
                     they may share nodes; name fewer resources, have the rule by node or with strict 0, or say in nodes.cfg what fails \
                     apart"
                )
            }
            Reason::PositiveAndNegativeConflict => {
                write!(f, "two of its resources must be on one node and apart from each other, because of {others}")
            }
            Reason::SeveralPrioritiesWithResourceAffinity => {
                write!(
                    f,
                    "it shares resources with {others}; node affinity rules with several priorities do not go \
                     together with resource affinity"
                )
            }
            Reason::PositiveAffinityInSeveralNodeAffinityRules => {
                write!(f, "resources that must be on one node are in different node affinity rules, see {others}")
            }
            Reason::NegativeAffinityExceedsNodes => {
                write!(
                    f,
                    "the node affinity rules leave fewer nodes than there are resources to keep apart, see {others}"
                )
            }
            Reason::NegativeAffinityExceedsDomains => {
                write!(
                    f,
                    "the node affinity rules leave nodes of fewer failure domains than there are resources to spread, see {others}"
                )
            }
            Reason::OrderAgainstItself => {
                let sid = self.sid.as_ref().map_or("a resource", ServiceId::as_str);
                write!(f, "{sid} would be started after itself; name it in 'first' or in 'then'")
            }
            Reason::OrderCircle => {
                write!(f, "its services would wait for each other in a circle, because of {others}")
            }
        }
    }
}

/// The other rules of a finding, for a sentence.
struct Named<'a>(&'a Finding);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = if self.0.with().nth(1).is_some() { "rules " } else { "rule " };
        for id in self.0.with() {
            write!(f, "{separator}'{id}'")?;
            separator = ", ";
        }
        if self.0.with_more() { write!(f, " and more") } else { Ok(()) }
    }
}

/// A finding before it is put into words. The fields are in the order by which findings are sorted.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Raw {
    rule: u32,
    reason: Reason,
    /// The resource, or the rule or group that the rule conflicts with.
    key: u32,
    /// In [`Checker::partners`].
    partners: u32,
}

/// Runs all checks.
pub(super) fn check(indexed: &Indexed<'_>, nodes: &[NodeName], domains: &FailureDomains) -> Vec<Finding> {
    let mut checker = Checker { indexed, domains, raw: Vec::new(), partners: Vec::new(), none: NONE };
    checker.none = checker.partners_of(&mut []);
    checker.negative_node_affinities();
    checker.at_least_two_resources();
    checker.no_more_resources_than_nodes(nodes);
    // A rule that is useless by itself is left out, so it is in conflict with nothing.
    let useless: BTreeSet<u32> = checker.raw.iter().map(|raw| raw.rule).collect();
    let sound = if useless.is_empty() { Cow::Borrowed(indexed) } else { Cow::Owned(indexed.emptied(&useless)) };
    let bindings = Bindings::new(&sound);
    let groups = Groups::new(&sound);
    let mut checker = Checker { indexed: &sound, ..checker };
    checker.one_node_affinity_a_resource(&bindings);
    checker.positive_against_negative(&groups);
    checker.several_priorities(&bindings);
    checker.positive_in_one_node_affinity(&groups, &bindings);
    checker.negative_within_nodes(&bindings);
    checker.findings()
}

/// The node affinity rules that resources are bound by. Resources that are bound by the same rules share a *binding*.
struct Bindings<'a> {
    /// The binding of each resource, or [`NONE`].
    of_sid: Vec<u32>,
    /// The rules of each binding.
    rules: Lists,
    /// Whether a rule of a binding has more than one priority.
    several_priorities: Vec<bool>,
    /// The nodes of each rule, by the number of the rule.
    nodes: IndexMap<u32, &'a NodePriorities, FxBuildHasher>,
}

impl<'a> Bindings<'a> {
    fn new(indexed: &'a Indexed<'_>) -> Self {
        let rules_of_sid = Lists::from_pairs(indexed.sids.len(), || {
            indexed.node_affinities().flat_map(|(rule, members, ..)| members.iter().map(move |&sid| (sid, rule)))
        });
        let nodes: IndexMap<u32, &NodePriorities, FxBuildHasher> =
            indexed.node_affinities().map(|(rule, _, nodes, _)| (rule, nodes)).collect();
        let mut rules = Lists::default();
        let mut several_priorities = Vec::new();
        let mut known: IndexMap<&[u32], u32, FxBuildHasher> = IndexMap::default();
        let of_sid = rules_of_sid
            .iter()
            .map(|list| {
                if list.is_empty() {
                    return NONE;
                }
                let next = number(known.len());
                *known.entry(list).or_insert_with(|| {
                    rules.push(list.iter().copied());
                    several_priorities.push(list.iter().any(|rule| nodes.get(rule).is_some_and(|n| is_mixed(n))));
                    next
                })
            })
            .collect();
        Self { of_sid, rules, several_priorities, nodes }
    }

    /// The binding of a resource.
    fn of(&self, sid: u32) -> Option<u32> {
        self.of_sid.get(sid as usize).copied().filter(|binding| *binding != NONE)
    }

    /// The bindings of resources, each once.
    fn of_all(&self, sids: &[u32]) -> Vec<u32> {
        let mut bindings: Vec<u32> = sids.iter().filter_map(|&sid| self.of(sid)).collect();
        bindings.sort_unstable();
        bindings.dedup();
        bindings
    }

    fn has_several_priorities(&self, binding: u32) -> bool {
        self.several_priorities.get(binding as usize).copied().unwrap_or(false)
    }
}

fn is_mixed(nodes: &NodePriorities) -> bool {
    let mut priorities = nodes.values();
    priorities.next().is_some_and(|first| priorities.any(|other| other != first))
}

struct Checker<'a> {
    indexed: &'a Indexed<'a>,
    domains: &'a FailureDomains,
    raw: Vec<Raw>,
    partners: Vec<Arc<Partners>>,
    /// The entry of `partners` that is empty.
    none: u32,
}

impl Checker<'_> {
    fn report(&mut self, rule: u32, reason: Reason, key: u32, partners: u32) {
        self.raw.push(Raw { rule, reason, key, partners });
    }

    /// Keeps rules for the findings to name: the lowest of `rules`, which may hold some twice.
    fn partners_of(&mut self, rules: &mut [u32]) -> u32 {
        rules.sort_unstable();
        let mut lowest: Vec<u32> = Vec::new();
        let mut truncated = false;
        for &rule in rules.iter() {
            if lowest.last() == Some(&rule) {
                continue;
            }
            if lowest.len() > MAX_NAMED {
                truncated = true;
                break;
            }
            lowest.push(rule);
        }
        let first = lowest.iter().filter_map(|&rule| self.indexed.rules.get(rule as usize));
        let first = first.map(|rule| rule.id.clone()).collect();
        self.partners.push(Arc::new(Partners { first, truncated }));
        number(self.partners.len().saturating_sub(1))
    }

    /// As [`Self::partners_of`], for lists that are sorted each: only the heads of the lists can be named.
    fn partners_of_lists<'l>(&mut self, lists: impl Iterator<Item = &'l [u32]>) -> u32 {
        let heads = MAX_NAMED.saturating_add(2);
        self.partners_of(&mut lists.flat_map(|list| list.iter().take(heads).copied()).collect::<Vec<_>>())
    }

    fn one_node_affinity_a_resource(&mut self, bindings: &Bindings<'_>) {
        let mut partners: IndexMap<u32, u32, FxBuildHasher> = IndexMap::default();
        for sid in 0..number(self.indexed.sids.len()) {
            let Some(binding) = bindings.of(sid) else { continue };
            let rules = bindings.rules.get(binding);
            if rules.len() < 2 {
                continue;
            }
            let named = match partners.get(&binding) {
                Some(&named) => named,
                None => self.partners_of_lists([rules].into_iter()),
            };
            partners.insert(binding, named);
            for &rule in rules {
                self.report(rule, Reason::ResourceInSeveralNodeAffinityRules, sid, named);
            }
        }
    }

    fn negative_node_affinities(&mut self) {
        for (rule, _, left, _) in self.indexed.node_affinities() {
            let Some(RuleKind::NodeAffinity { nodes, affinity: Affinity::Negative, .. }) =
                self.indexed.rules.get(rule as usize).map(|rule| &rule.kind)
            else {
                continue;
            };
            if nodes.values().any(|priority| *priority != 0) {
                self.report(rule, Reason::NegativeNodeAffinityWithPriorities, NONE, self.none);
            }
            if left.is_empty() {
                self.report(rule, Reason::NegativeNodeAffinityLeavesNoNode, NONE, self.none);
            }
        }
    }

    fn at_least_two_resources(&mut self) {
        let [positive, negative] = [Affinity::Positive, Affinity::Negative].map(|it| self.indexed.of_affinity(it));
        for (rule, _, members) in positive.chain(negative).chain(self.indexed.loosely_apart()) {
            if members.len() < 2 {
                self.report(rule, Reason::FewerThanTwoResources, NONE, self.none);
            }
        }
    }

    fn no_more_resources_than_nodes(&mut self, nodes: &[NodeName]) {
        let count = nodes.iter().collect::<BTreeSet<_>>().len();
        for (rule, _, members) in self.indexed.of_affinity(Affinity::Negative) {
            if members.len() > count {
                self.report(rule, Reason::MoreResourcesThanNodes, NONE, self.none);
            }
        }
        for (rule, _, members) in self.indexed.strictly_spread() {
            if members.len() <= count && members.len() > self.domains.count(nodes.iter()) {
                self.report(rule, Reason::MoreResourcesThanDomains, NONE, self.none);
            }
        }
    }

    fn positive_against_negative(&mut self, groups: &Groups) {
        let mut conflicts = Repeats::new(groups.rules.len());
        let mut partners: IndexMap<u32, u32, FxBuildHasher> = IndexMap::default();
        let strict = self.indexed.of_affinity(Affinity::Negative);
        for (rule, negative, members) in strict.chain(self.indexed.loosely_apart()) {
            let mut shared: Vec<u32> =
                members.iter().map(|&sid| groups.of(sid)).filter(|group| *group != NONE).collect();
            shared.sort_unstable();
            for group in repeated(&shared) {
                let positive = groups.rules.get(group);
                let named = match partners.get(&group) {
                    Some(&named) => named,
                    None => self.partners_of(&mut positive.to_vec()),
                };
                partners.insert(group, named);
                self.report(rule, Reason::PositiveAndNegativeConflict, group, named);
                // A loose rule gives way, so only that one is at fault.
                if !negative.is_loosely_apart() && conflicts.admit(group) {
                    let named = self.partners_of(&mut [rule]);
                    for &member in positive {
                        self.report(member, Reason::PositiveAndNegativeConflict, rule, named);
                    }
                }
            }
        }
    }

    fn several_priorities(&mut self, bindings: &Bindings<'_>) {
        let reason = Reason::SeveralPrioritiesWithResourceAffinity;
        let mut repeats = Repeats::new(bindings.rules.len());
        for affinity in [Affinity::Positive, Affinity::Negative] {
            for (rule, _, members) in self.indexed.of_affinity(affinity) {
                let shared = bindings.of_all(members);
                if shared.iter().any(|&binding| bindings.has_several_priorities(binding)) {
                    self.report_with_bound(rule, reason, &shared, bindings, &mut repeats);
                }
            }
        }
    }

    fn positive_in_one_node_affinity(&mut self, groups: &Groups, bindings: &Bindings<'_>) {
        let reason = Reason::PositiveAffinityInSeveralNodeAffinityRules;
        let mut repeats = Repeats::new(bindings.rules.len());
        for (group, members) in groups.members.iter().enumerate() {
            let group = number(group);
            let shared = bindings.of_all(members);
            let several = shared.len() > 1 || shared.iter().any(|&binding| bindings.rules.get(binding).len() > 1);
            if !several {
                continue;
            }
            let bound = self.partners_of_lists(shared.iter().map(|&binding| bindings.rules.get(binding)));
            let positive = self.partners_of(&mut groups.rules.get(group).to_vec());
            for &rule in groups.rules.get(group) {
                self.report(rule, reason, group, bound);
            }
            for rule in rules_of(&shared, bindings, &mut repeats) {
                self.report(rule, reason, group, positive);
            }
        }
    }

    fn negative_within_nodes(&mut self, bindings: &Bindings<'_>) {
        let reason = Reason::NegativeAffinityExceedsNodes;
        let most = self.indexed.of_affinity(Affinity::Negative).map(|(_, _, members)| members.len()).max().unwrap_or(0);
        let nodes = BoundNodes::new(bindings, most, Domain::Node);
        let mut domains = None;
        let mut repeats = Repeats::new(bindings.rules.len());
        for (rule, negative, members) in self.indexed.of_affinity(Affinity::Negative) {
            let bound = members.iter().filter(|&&sid| bindings.of(sid).is_some()).count();
            let shared = bindings.of_all(members);
            if !nodes.are_at_least(bound, &shared) {
                self.report_with_bound(rule, reason, &shared, bindings, &mut repeats);
            } else if negative.is_spread() {
                let all = self.domains;
                let domains = domains.get_or_insert_with(|| BoundNodes::new(bindings, most, |node| all.of(node)));
                if !domains.are_at_least(bound, &shared) {
                    let reason = Reason::NegativeAffinityExceedsDomains;
                    self.report_with_bound(rule, reason, &shared, bindings, &mut repeats);
                }
            }
        }
    }

    /// Reports a resource affinity rule together with the node affinity rules of `shared` bindings.
    fn report_with_bound(
        &mut self,
        rule: u32,
        reason: Reason,
        shared: &[u32],
        bindings: &Bindings<'_>,
        repeats: &mut Repeats,
    ) {
        let bound = self.partners_of_lists(shared.iter().map(|&binding| bindings.rules.get(binding)));
        self.report(rule, reason, NONE, bound);
        let named = self.partners_of(&mut [rule]);
        for other in rules_of(shared, bindings, repeats) {
            self.report(other, reason, rule, named);
        }
    }

    fn findings(mut self) -> Vec<Finding> {
        self.raw.sort_unstable();
        let mut findings = Vec::with_capacity(self.raw.len());
        let mut last = None;
        let mut repeats = 0_usize;
        for raw in &self.raw {
            repeats = if last == Some((raw.rule, raw.reason)) { repeats.saturating_add(1) } else { 0 };
            last = Some((raw.rule, raw.reason));
            let by_sid = raw.reason == Reason::ResourceInSeveralNodeAffinityRules;
            if !by_sid && repeats >= MAX_REPEATS {
                continue;
            }
            let rule = self.indexed.rules.get(raw.rule as usize);
            let partners = self.partners.get(raw.partners as usize);
            let sid = if by_sid { self.indexed.sids.get_index(raw.key as usize).cloned() } else { None };
            if let (Some(rule), Some(partners)) = (rule, partners) {
                findings.push(Finding {
                    rule: rule.id.clone(),
                    reason: raw.reason,
                    sid,
                    partners: Arc::clone(partners),
                });
            }
        }
        findings
    }
}

/// The rules of the bindings, each once, without those that have been reported often enough.
fn rules_of(shared: &[u32], bindings: &Bindings<'_>, repeats: &mut Repeats) -> BTreeSet<u32> {
    let admitted = shared.iter().filter(|&&binding| repeats.admit(binding));
    admitted.flat_map(|&binding| bindings.rules.get(binding)).copied().collect()
}

/// The numbers that a sorted list holds more than once, each once.
fn repeated(sorted: &[u32]) -> impl Iterator<Item = u32> {
    sorted.chunk_by(|a, b| a == b).filter(|chunk| chunk.len() > 1).filter_map(|chunk| chunk.first().copied())
}

/// Counts how often the rules of a list were reported, so that each is reported at most [`MAX_REPEATS`] times through it.
struct Repeats {
    counts: Vec<usize>,
}

impl Repeats {
    fn new(lists: usize) -> Self {
        Self { counts: vec![0; lists] }
    }

    fn admit(&mut self, list: u32) -> bool {
        self.counts.get_mut(list as usize).is_some_and(|count| {
            *count = count.saturating_add(1);
            *count <= MAX_REPEATS
        })
    }
}

/// The nodes that the rules of each binding name, or their failure domains, as numbers.
struct BoundNodes {
    of_binding: Lists,
}

impl BoundNodes {
    /// Nobody asks for more than `most`, so no list has to be longer.
    fn new<'a>(bindings: &Bindings<'a>, most: usize, domain: impl Fn(&'a NodeName) -> Domain<'a>) -> Self {
        let mut numbers: IndexMap<Domain<'a>, u32, FxBuildHasher> = IndexMap::default();
        let mut of_binding = Lists::default();
        for rules in bindings.rules.iter() {
            let mut nodes = BTreeSet::new();
            for name in rules.iter().filter_map(|rule| bindings.nodes.get(rule)).flat_map(|nodes| nodes.keys()) {
                if nodes.len() >= most {
                    break;
                }
                let next = number(numbers.len());
                nodes.insert(*numbers.entry(domain(name)).or_insert(next));
            }
            of_binding.push(nodes);
        }
        Self { of_binding }
    }

    /// Whether the bindings have at least `count` between them.
    fn are_at_least(&self, count: usize, shared: &[u32]) -> bool {
        let mut nodes = BTreeSet::new();
        for &node in shared.iter().flat_map(|&binding| self.of_binding.get(binding)) {
            if nodes.len() >= count {
                break;
            }
            nodes.insert(node);
        }
        nodes.len() >= count
    }
}

#[cfg(test)]
mod tests;
