//! The rules that follow from others, put into words.
//!
//! What they mean is in the compiled form already; here they become rules that a person can read.

use alloc::{collections::BTreeSet, format, string::String, vec, vec::Vec};

use super::{
    CompiledRules, RuleSet,
    index::{Lists, number},
};
use crate::{
    config::{Affinity, Rule, RuleKind},
    id::{RuleId, ServiceId},
};

/// Merges connected positive rules, and lets all resources of a positive rule join the node affinity rule of one.
pub(super) fn complete(mut rules: RuleSet, compiled: &CompiledRules) -> RuleSet {
    for (group, merged) in compiled.groups.rules.iter().enumerate() {
        if merged.len() < 2 {
            continue;
        }
        for id in rule_ids(compiled, merged) {
            rules.remove(id);
        }
        let resources = compiled.names(compiled.groups.members.get(number(group)));
        rules.insert(affinity_rule(group_name(compiled, merged), resources, Affinity::Positive));
    }
    let bound = Lists::from_pairs(compiled.node_affinities().len(), || {
        (0..number(compiled.sids.len())).filter_map(|sid| Some((compiled.affinity_of(sid)?, sid)))
    });
    for (affinity, resources) in compiled.node_affinities().iter().zip(bound.iter()) {
        if let Some(rule) = rules.rules.get_mut(&affinity.rule)
            && rule.resources.len() < resources.len()
        {
            rule.resources = compiled.names(resources);
        }
    }
    rules
}

/// The negative rules that positive rules pass on: whoever must be with a service must keep away from whom it must.
///
/// Positive rules take their turn in the order of their ids, a merged one instead of its first. What is passed on
/// comes from the rules of the configuration alone: a derived rule is not passed on again.
pub(super) fn implicit_negatives(compiled: &CompiledRules) -> Vec<Rule> {
    let named = Apart::new(compiled);
    let mut apart = named.clone();
    let mut groups: Vec<(&[u32], &[u32])> = compiled.groups.rules.iter().zip(compiled.groups.members.iter()).collect();
    groups.sort_unstable_by_key(|(rules, _)| rules.first());
    let mut derived = Vec::new();
    for (rules, members) in groups {
        let name = group_name(compiled, rules);
        let others: BTreeSet<u32> = members.iter().flat_map(|&sid| named.of(sid)).copied().collect();
        for (&sid, &other) in members.iter().flat_map(|sid| others.iter().map(move |other| (sid, other))) {
            if !apart.insert(sid, other) {
                continue;
            }
            if let [a, b] = compiled.names(&[sid, other]).as_slice() {
                let id = RuleId::derived(format!("_implicit-negative-{name}-{a}-{b}"));
                let mut resources = vec![a.clone(), b.clone()];
                resources.sort_unstable();
                derived.push(affinity_rule(id, resources, Affinity::Negative));
            }
        }
    }
    derived
}

/// For each resource those that negative rules keep apart from it.
#[derive(Clone)]
struct Apart {
    of_sid: Vec<BTreeSet<u32>>,
}

impl Apart {
    fn new(compiled: &CompiledRules) -> Self {
        let neighbours = |(sid, rules): (u32, &[u32])| {
            let others = rules.iter().flat_map(|&rule| compiled.members.get(rule)).copied();
            others.filter(|other| *other != sid).collect()
        };
        Self { of_sid: (0..).zip(compiled.negative_rules.iter()).map(neighbours).collect() }
    }

    fn of(&self, sid: u32) -> impl Iterator<Item = &u32> {
        self.of_sid.get(sid as usize).into_iter().flatten()
    }

    /// Whether that is new.
    fn insert(&mut self, a: u32, b: u32) -> bool {
        let mut add = |a: u32, b: u32| self.of_sid.get_mut(a as usize).is_some_and(|others| others.insert(b));
        add(a, b) && add(b, a)
    }
}

/// The name of the rule that a group of positive rules is in the end.
fn group_name(compiled: &CompiledRules, rules: &[u32]) -> RuleId {
    let mut ids = rule_ids(compiled, rules);
    match (ids.next(), ids.next()) {
        (Some(only), None) => only.clone(),
        (_, _) => {
            let mut name = String::from("_merged");
            for id in rule_ids(compiled, rules) {
                name.push('-');
                name.push_str(id.as_str());
            }
            RuleId::derived(name)
        }
    }
}

fn rule_ids<'a>(compiled: &'a CompiledRules, rules: &'a [u32]) -> impl Iterator<Item = &'a RuleId> {
    rules.iter().filter_map(|&rule| compiled.rule_ids.get(rule as usize))
}

fn affinity_rule(id: RuleId, resources: Vec<ServiceId>, affinity: Affinity) -> Rule {
    Rule { id, resources, disable: None, comment: None, kind: RuleKind::resource_affinity(affinity) }
}
